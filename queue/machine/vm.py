# SPDX-License-Identifier: GPL-2.0-only
"""Calls the in-tree virtual-machine harness; knows nothing of its insides."""

import os
from typing import NamedTuple

from ground import console, packages, proc, results
from ground.errors import Stop
from ground.results import Report
from kernel.kconfig import FRAGMENTS
from machine import busybox, qemu

# How the harness says of a machine that it cannot have one.
NOT_RUN = ": not run: "
PLAN = "tests.cfg"
HARNESS = f"{FRAGMENTS}/qemu/vmtest.sh"
DEMO_MACHINE, EXAMPLE = "q35-intel", f"{FRAGMENTS}/own_domain"
SVA_MACHINE, SVA_EXAMPLE = "q35-intel-sva", f"{FRAGMENTS}/sva_endpoint"


def harness(tree):
    """Path of vmtest.sh in the tree. Raises Stop when the series has none."""
    path = tree.tests / HARNESS
    if not path.is_file():
        raise Stop(f"the series has no {HARNESS}: the machines cannot be started")
    return path


def plan(layout):
    """The file that says what runs on a port's kernel, None for the harness's own."""
    return layout.home / PLAN if layout.port else None


def report(layout):
    """A Report for the machines. On a port's kernel a case may be skipped only where its
    plan has an exception for it."""
    own = plan(layout)
    return Report(strict=True, why=f"for which {layout.shown(own)} has no exception") if own else Report()


def _call(tree, *words):
    """argv of the harness. Raises Stop without one, or without a port's plan."""
    own = plan(tree.layout)
    if own and not own.is_file():
        raise Stop(f"there is no {tree.layout.shown(own)}, which says what runs on Linux {tree.layout.release}: "
                   f"write one like {FRAGMENTS}/qemu/{PLAN}")
    return [harness(tree), *(["--config", own] if own else []), *words]


def _folders(tree, name, work="vm"):
    """argv for the harness's work and log folders. `work`: for one harness at a time."""
    work = tree.layout.work / work
    logs = tree.layout.work / "log" / name
    for folder in (work, logs):
        folder.mkdir(parents=True, exist_ok=True)
    return ["--work", work, "--logs", logs]


def arguments(tree, builds, name):
    """argv for kernels, one an architecture, and for folders of the harness under
    a name."""
    words = []
    for built in builds:
        words += ["--kernel", f"{built.arch}={built.image}", "--modules", f"{built.arch}={built.modules}"]
    return words + _folders(tree, name)


def environment(tree, builds, machines=None, suites=()):
    """Installs what a boot needs, of the picked machines if there are picks; returns
    the environment for the harness."""
    for built in builds:
        packages.ensure(tree.layout, packages.FOR_BOOT[built.arch], "to boot kernels in virtual machines")
    env = dict(os.environ, **busybox.environment(tree.layout, [built.arch for built in builds]))
    if machines is not None and any(row.wants == qemu.VARIABLE for row in _rows(tree, machines, suites)):
        env.update(qemu.environment(tree.layout))
    return env


def _picks(machines, suites):
    """argv for the machines and suites that the user picked."""
    return [word for m in machines for word in ("--machine", m)] + [
        word for s in suites for word in ("--suite", s)]


def _ask(tree, option, machines, suites):
    """Lines that the harness prints for an option that runs nothing. Raises Stop when
    it fails."""
    status, out, err = proc.call(_call(tree, option, *_picks(machines, suites)), cwd=tree.path)
    if status:
        raise Stop(f"{HARNESS} {option} failed: " + " ".join(err.decode("utf-8", "replace").split())[-200:])
    return out.decode("utf-8", "replace").splitlines()


def listing(tree, machines, suites):
    """Prints the names of the machines' cases."""
    for line in _ask(tree, "--list", machines, suites):
        console.say(line)


def runs(tree, machine, suite):
    """Whether a machine runs a suite."""
    return proc.call(_call(tree, "--list", *_picks([machine], [suite])), cwd=tree.path)[0] == 0


def command(tree, machine):
    """argv of QEMU for a machine with the devices of the demo. Raises Stop when the
    harness has no such machine."""
    return _ask(tree, "--command", [machine], [])


class _Row(NamedTuple):
    """What the harness says of a machine: its name, its architecture, and the variable
    that has to name its QEMU, or ''."""
    name: str
    arch: str
    wants: str = ""


def _rows(tree, machines, suites):
    """The _Rows of the machines that the picks select, in their order."""
    return [_Row(*line.split()) for line in _ask(tree, "--machines", machines, suites)]


def arches(tree, machines, suites=()):
    """The architectures of the machines that the picks select, in their order."""
    return list(dict.fromkeys(row.arch for row in _rows(tree, machines, suites)))


def of_arches(tree, machines, suites, wanted):
    """The machines of these architectures among those that the picks select. Raises
    Stop when there is none."""
    names = [row.name for row in _rows(tree, machines, suites) if row.arch in wanted]
    if not names:
        raise Stop(f"none of the machines is {' or '.join(wanted)}: pick others")
    return names


def test(tree, builds, machines, suites, report, extra=()):
    """Runs the suites and relays each result, and which machine is not run; a harness
    that ends without a verdict, or with another count than its lines, is a failure of
    its own.

    `extra`: more words for the harness.
    """
    env = environment(tree, builds, machines, suites)
    came, totals = [], []

    def take(line):
        result, total = results.parse(line), results.parse_totals(line)
        if result:
            came.append(result)
            report.add(result)
        elif total:
            totals.append(total)
        elif NOT_RUN in line:
            console.note(line.lstrip("# "))

    log = tree.layout.log("vmtest")
    argv = _call(tree, *_picks(machines, suites), *extra, *arguments(tree, builds, "vm"))
    with console.stage("Running the machines", log):
        status = proc.streamed(argv, take, log, cwd=tree.path, env=env)
    fault = _fault(status, results.count(came), totals)
    if fault:
        report.fail("vm:harness:verdict", fault, log)


def _fault(status, counted, totals):
    """What is wrong with the harness's own verdict, '' if nothing."""
    if not totals:
        return f"it ended without its totals, exit status {status}"
    if totals[-1] != counted:
        return f"its totals say {totals[-1]}, its lines {counted}"
    if not sum(counted):
        return "no case ran"
    if (status == 0) != (counted[1] == 0):
        return f"exit status {status} with {counted[1]} failures"
    return ""


def demo(tree, built, compare, sva=False):
    """Boots the demo and relays what it prints; returns 0. Raises Stop when it fails.

    `compare`: the Build of the untouched base, or None; `sva`: the other demo, of a
    device that works on the memory of a process.
    """
    machine = SVA_MACHINE if sva else DEMO_MACHINE
    env = environment(tree, [built], [machine])
    log = tree.layout.log("demo")
    argv = [harness(tree), "--demo", "--machine", machine, *arguments(tree, [built], "vm")]
    if not sva:
        argv += ["--example", built.module(tree.path / EXAMPLE)]
    if compare:
        example = SVA_EXAMPLE if sva else EXAMPLE
        argv += ["--compare", compare.image, "--compare-example", compare.module(tree.path / example)]
    console.note("Booting the demo")
    status = proc.streamed(argv, console.say, log, cwd=tree.path, env=env)
    if status:
        again = " ".join(["./dma-owner demo", *["--sva"] * sva, *["--compare"] * bool(compare)])
        raise Stop(f"the demo failed: see {log}; to repeat: {again}")
    return status


def bench(tree, built, machine, title):
    """Lines of dma_owner_perf_test on a machine under bench/ with a kernel.

    No modules go along, so that all kernels unpack the same initramfs. Raises
    Stop when the program fails.
    """
    env = environment(tree, [built])
    log, lines = tree.layout.log(f"bench-{title}"), []
    argv = [harness(tree), "--bench", "--machine", f"bench/{machine}", "--kernel", f"{built.arch}={built.image}",
            *_folders(tree, f"bench-{title}", f"vm-{title}")]
    with console.stage(f"Measuring {title} on {machine}", log):
        status = proc.streamed(argv, lines.append, log, cwd=tree.path, env=env)
    if status:
        cause = next((line for line in lines if line.startswith("not ok")), lines[-1] if lines else f"see {log}")
        raise Stop(f"{title} cannot be measured on {machine}: {cause.strip()}; logs under {log.with_suffix('')}")
    return lines


def shell(tree, built, machine, env):
    """An interactive machine on the user's terminal; returns its exit status."""
    return proc.interactive(_call(tree, "--shell", "--machine", machine, *arguments(tree, [built], "shell")),
                            cwd=tree.path, env=env)
