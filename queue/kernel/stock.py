# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own kernels, as their packages have them: fetched and unpacked under .build/,
not installed, and of their modules only those that are asked for.

What was fetched once is kept, also as the newest, until .build/dl/stock-* is deleted.
"""

import lzma
import os
from pathlib import Path
from typing import NamedTuple

from ground import apt, console, packages, proc
from ground.errors import Stop
from ground.layout import need_space, remove, write_file

NEWEST = "newest"
# Version -> the suites that carry it.
SUITES = {"5.10": ("bullseye-security",), "6.1": ("bookworm", "bookworm-security"),
          "6.12": ("trixie", "trixie-security"), NEWEST: ("trixie-backports", "sid")}
PACKAGE, ARCH = "linux-image-amd64", "amd64"
SPACE_GIB = 1.5
DEPMOD = "/sbin/depmod"
_REPEAT = "./dma-owner test --stock-tool"


class Stock(NamedTuple):
    """A kernel: its version as in "6.1", its release, the image, and a folder with
    lib/modules/<release>."""
    version: str
    release: str
    image: Path
    root: Path


def fetch(layout, which):
    """The packages of a kernel, fetched once: paths, sorted. apt verifies their sums.
    Raises Stop when they cannot be had."""
    kept = layout.build / "dl" / f"stock-{which}"
    if not kept.is_dir():
        packages.ensure(layout, packages.FOR_TREE, "to fetch a kernel")
        with console.stage(f"Fetching Debian's kernel {which}", layout.log(f"fetch-stock-{which}")):
            _download(layout, which, kept)
    return sorted(kept.glob("*.deb"))


def _download(layout, which, kept):
    """Makes `kept` of the newest kernel's packages in the suites. Raises Stop."""
    log = layout.log(f"fetch-stock-{which}")
    private = apt.PrivateApt(layout.build / f"apt-stock-{which}", SUITES[which], f"do without Linux {which}", ARCH)
    private.prepare()
    private.update(log)
    version = private.newest(PACKAGE)
    if not version:
        raise Stop(f"{' and '.join(SUITES[which])} have no {PACKAGE}: do without Linux {which}")
    fresh = kept.with_name(f"{kept.name}.new")
    remove(fresh)
    fresh.mkdir(parents=True)
    for name in private.alike(PACKAGE, version):
        path = private.download(name, version, "", log)
        os.replace(path, fresh / path.name)
    os.replace(fresh, kept)


def module_name(path):
    """What modprobe calls the module in a file."""
    return Path(path).name.partition(".ko")[0].replace("-", "_")


def closure(table, wanted):
    """The files of the wanted modules and of those that they need, by the text of
    modules.dep; a module that is built in or not there is passed over."""
    needs = dict(line.split(":", 1) for line in table.splitlines() if ":" in line)
    names = {name.replace("-", "_") for name in wanted}
    files = [path for path in needs if module_name(path) in names]
    return sorted({one for path in files for one in (path, *needs[path].split())})


def _copy_module(source, target):
    """Copies a module, uncompressed: busybox need not know how. Raises Stop where this
    program does not."""
    if source.suffix not in (".ko", ".xz"):
        raise Stop(f"{source.name} is compressed in a way that only Debian's newer tools know")
    data = source.read_bytes()
    write_file(target, lzma.decompress(data) if source.suffix == ".xz" else data)


def _modules_of(root):
    """The folder lib/modules/<release> of unpacked packages. Raises Stop without one."""
    found = [path for top in ("lib", "usr/lib") for path in root.glob(f"{top}/modules/*") if path.is_dir()]
    if not found:
        raise Stop(f"there is no kernel in {root}")
    return found[0]


def _image(unpacked, modules):
    """The file of the image. Raises Stop without one."""
    for path in (unpacked / f"boot/vmlinuz-{modules.name}", modules / "vmlinuz"):
        if path.is_file():
            return path
    raise Stop(f"the packages of {modules.name} have no image in them")


def _depmod(root, release, log):
    """Lists the modules under root/lib, for modprobe."""
    proc.must([DEPMOD, "-b", root, release], log, f"listing the modules of {release}", _REPEAT, append=True)


def _take(unpacked, root, wanted, log):
    """Makes `root` of unpacked packages: the image, and what modules are wanted."""
    modules = _modules_of(unpacked)
    if not (unpacked / "lib").exists():
        (unpacked / "lib").symlink_to("usr/lib")
    _depmod(unpacked, modules.name, log)
    for path in closure((modules / "modules.dep").read_text(encoding="utf-8"), wanted):
        plain = path.partition(".ko")[0] + ".ko"
        _copy_module(modules / path, root / "lib/modules" / modules.name / plain)
    os.replace(_image(unpacked, modules), root / "vmlinuz")
    _depmod(root, modules.name, log)


def _make(layout, files, home, wanted):
    """Makes home/root of the packages `files`. Raises Stop."""
    unpacked, log = home / "unpacked", layout.log(f"unpack-stock-{home.name}")
    unpacked.mkdir(parents=True)
    for path in files:
        proc.must(["dpkg-deb", "-x", path, unpacked], log, f"unpacking {path.name}", _REPEAT, append=True)
    _take(unpacked, home / "root", wanted, log)
    remove(unpacked)


def unpack(layout, which, wanted):
    """A kernel with these of its modules, and what they need, under .build/stock; returns
    the Stock. What it has built in, or has not, is passed over. Raises Stop."""
    files, home = fetch(layout, which), layout.build / "stock" / which
    label = "\n".join([*(path.name for path in files), *wanted]).encode()
    stamp = home / "stamp"
    if not stamp.is_file() or stamp.read_bytes() != label:
        need_space(layout, SPACE_GIB, f"Debian's kernel {which}")
        remove(home)
        with console.stage(f"Unpacking Debian's kernel {which}"):
            _make(layout, files, home, wanted)
        write_file(stamp, label)
    release = _modules_of(home / "root").name
    return Stock(".".join(release.split(".")[:2]), release, home / "root/vmlinuz", home / "root")
