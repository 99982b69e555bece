# SPDX-License-Identifier: GPL-2.0-only
"""Boots Debian's own kernels with iommu-groups, as its package has it, and sees whether it
is right there: what it says of a device is compared with what a claim then meets.

The machine is the harness's q35-intel, with the devices of the demo. Its initramfs has
queue/give/stockboot.sh, which says of each case "ok" or "not ok".
"""

import json
import shutil

from give import deb
from ground import console, packages, proc
from ground.errors import Interrupted, Stop
from ground.layout import remove
from kernel import stock
from kernel.kconfig import FRAGMENTS
from machine import relay, vm
from patches import bases

MACHINE = "q35-intel"
SCRIPT = "queue/give/stockboot.sh"
# What an administrator would have udev and modprobe load; a kernel may have some built in.
MODULES = ("e1000", "lpc_ich", "pci-pf-stub", "pci-stub", "uio_pci_generic", "vfio-pci", "vfio_iommu_type1")
SECONDS = 600
WORDS = "console=ttyS0 no_timer_check tsc=reliable panic=-1 oops=panic"
# Suite -> what else the kernel is told. The script has its cases.
SUITES = {"tool": "intel_iommu=on", "no-intremap": "intel_iommu=on intremap=off", "no-iommu": "intel_iommu=off"}
# "# json CASE BYTES": the script hands over what the tool wrote, for a real parser.
JSON = "# json "
_REPEAT = "./dma-owner test --stock-tool"


def chosen(words):
    """The kernels that the words of the command line name, all without words. Raises
    Stop for another word."""
    for word in words:
        if word not in stock.SUITES:
            raise Stop(f"test: no kernel '{word}' of Debian's is known: give some of {' '.join(stock.SUITES)}")
    return [which for which in stock.SUITES if which in words or not words]


def _programs(tree):
    """Builds what the machine runs, static: paths of iommu-groups and vfioctl. Raises
    Stop with the log's name."""
    layout, objects = tree.layout, tree.layout.work / "stock" / "bin"
    tool = deb.install_tool(layout, tree.path, _REPEAT) / "usr/bin/iommu-groups"
    objects.mkdir(parents=True, exist_ok=True)
    log = layout.log("build-vfioctl")
    with console.stage("Building vfioctl", log):
        proc.must(["make", "-C", tree.path / FRAGMENTS, f"OUTPUT={objects}", "STATIC=1", objects / "vfioctl"], log,
                  "building vfioctl", _REPEAT)
    return [tool, objects / "vfioctl"]


def _initramfs(layout, kernel, programs):
    """Makes the initramfs of a kernel: its modules, the programs, busybox and the script;
    returns its path. Raises Stop."""
    root = kernel.root.with_name("initramfs")
    remove(root)
    shutil.copytree(kernel.root / "lib", root / "lib")
    (root / "bin").mkdir()
    for program in (*programs, shutil.which("busybox")):
        shutil.copy(program, root / "bin")
    shutil.copy(layout.root / SCRIPT, root / "init")
    (root / "init").chmod(0o755)
    packed = root.with_suffix(".gz")
    into = f"cd {proc.quoted([root])} && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 > {proc.quoted([packed])}"
    bases.shell(into, layout.log("stock-initramfs"), "packing an initramfs", _REPEAT)
    return packed


def json_fault(data):
    """What is wrong with the tool's JSON (bytes), '' if nothing: it has to be an object
    with a group of each number, and each device in one of them."""
    try:
        groups = json.loads(data.decode("utf-8"))["groups"]
        numbers = [group["group"] for group in groups]
        names = [device["device"] for group in groups for device in group["devices"]]
    except (ValueError, KeyError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    for what, some in (("group", numbers), ("device", names)):
        if not some or len(set(some)) < len(some):
            return f"no {what}, or one of them twice: {some}"
    return ""


class Listener(relay.Relay):
    """A Relay that also takes the tool's JSON."""

    def take(self, line):
        """One line of the machine."""
        if not line.startswith(JSON):
            super().take(line)
            return
        case, _, digits = line[len(JSON):].partition(" ")
        fault = json_fault(bytes.fromhex(digits))
        super().take(f"not ok {case} ({fault})" if fault else f"ok {case}")


def words_of(suite):
    """The command line of the kernel for a suite."""
    return f"{WORDS} {SUITES[suite]} STOCK_CASES={suite.replace('-', '_')}"


def _boot(tree, kernel, initrd, suite, report):
    """Boots one kernel for one suite and relays what the script says."""
    layout, title = tree.layout, f"stock-{kernel.version}"
    log = layout.log(f"{title}-{suite}-console")
    argv = relay.command(vm.command(tree, MACHINE), kernel.image, initrd, words_of(suite), log,
                         seconds=SECONDS, memory="1024")
    heard = Listener(report, f"{title}:{suite}:", log)
    with console.stage(f"Booting Debian's {kernel.release} ({suite})", log):
        proc.streamed(argv, heard.take, layout.log(f"{title}-qemu"))
    heard.end()


def _try(tree, which, programs, report):
    """All suites on one kernel. Raises Stop when it cannot be had."""
    kernel = stock.unpack(tree.layout, which, MODULES)
    initrd = _initramfs(tree.layout, kernel, programs)
    for suite in SUITES:
        _boot(tree, kernel, initrd, suite, report)


def run(tree, words, report):
    """Tries the tool on the kernels that the words name, one after the other; a kernel
    that cannot be had is a failure. Raises Stop when nothing can be tried."""
    kernels = chosen(words)
    if deb.architecture() != stock.ARCH:
        raise Stop(f"test: --stock-tool builds programs for this machine, which is not {stock.ARCH} as its kernels are")
    needed = packages.FOR_TOOL + packages.FOR_STOCK + packages.FOR_BOOT["x86_64"]
    packages.ensure(tree.layout, needed, "to boot Debian's kernels")
    programs = _programs(tree)
    for which in kernels:
        try:
            _try(tree, which, programs, report)
        except Interrupted:
            raise
        except Stop as stop:
            report.fail(f"stock-{which}:tool:prepare", str(stop))
