# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner: one verb per run."""

import argparse
import errno
import os
import signal
import sys
import traceback
from pathlib import Path

import am
import base as bases
import bench
import check
import console
import deb
import debboot
import export
import kabi
import kconfig
import kernels
import mutants
import packages
import peers
import proc
import races
import refresh
import release
import selftest
import series
import tested
import tree as trees
import variants
import vm
from errors import Stop
from layout import Layout, locked
from report import Report

ROOT = Path(__file__).resolve().parent.parent


def verb_tree(layout, _):
    """a git tree of the base plus one commit per patch; prints its path"""
    layout, source = bases.choose(layout)
    tree = trees.prepare(layout, source)
    console.say(str(tree.path))
    return 0


def verb_refresh(layout, _):
    """turns that tree's commits back into patches and whole files"""
    layout, _ = bases.choose(layout)
    changed = refresh.refresh(layout)
    for path in changed:
        console.say(path)
    console.note(f"{len(changed)} files changed" if changed else "Nothing to refresh")
    return 0


def verb_build(layout, options):
    """builds a kernel; prints the path of the bootable image"""
    layout, source = bases.choose(layout)
    built = kernels.build(layout, source, options.arch, options.config, options.base_only)
    console.say(str(built.image))
    return 0


def verb_check(layout, options):
    """the mechanical checks: rules, fuzz 0 on three bases, checkpatch, sparse, ..."""
    layout, source = bases.choose(layout)
    report, wanted = Report(), check.cases
    if options.variants is not None:
        wanted = variants.chosen(options.variants)
    check.run(layout, source, report, wanted)
    return report.total()


def verb_demo(layout, options):
    """builds, boots, and shows a driver refused in a group that userspace owns"""
    layout, source = bases.choose(layout)
    tree = trees.prepare(layout, source)
    vm.harness(tree)
    built = kernels.of_tree(tree, "x86_64", "vm")
    compare = kernels.of_tree(tree, "x86_64", "vm", base_only=True) if options.compare else None
    for one in (built, compare):
        if one:
            one.build()
    return vm.demo(tree, built, compare)


def _list_tests(layout, source, options):
    """Prints the names of the cases that `test` would run."""
    host = not options.suite and (not options.machine or "host" in options.machine)
    machines = [m for m in options.machine if m != "host"]
    if host:
        for name in check.names(layout) + selftest.names():
            console.say(name)
    if machines or options.suite or not options.machine:
        vm.listing(trees.prepare(layout, source), machines, options.suite)
    return 0


def _test_machines(layout, source, options, report):
    """Builds the kernels that it takes and runs the machines; what stops that is a
    failure."""
    machines = [m for m in options.machine if m != "host"]
    try:
        tree = trees.prepare(layout, source)
        vm.harness(tree)
        extra = ["--soak", str(options.soak), "--seed", str(options.seed)]
        if options.config == "kcsan":
            machines = vm.of_arches(tree, machines, options.suite, races.ARCHES)
        builds = [kernels.of_tree(tree, arch, options.config, options.base_only)
                  for arch in vm.arches(tree, machines, options.suite)]
        for built in builds:
            built.build()
        if options.config == "kcsan":
            extra += races.options(tree, builds)
        ident = tested.of_tree(tree)
        vm.test(tree, builds, machines, options.suite, report, extra)
        if ident and not options.suite and not options.base_only:
            tested.record(layout, source.title, ident, options.config, report.lines)
    except Stop as stop:
        if str(stop) == "interrupted":
            raise
        report.fail("vm:harness:prepare", str(stop))


def verb_test(layout, options):
    """everything a submission must pass; --machine host is check and self-tests"""
    if options.table:
        sys.stdout.write(tested.text(layout))
        return 0
    layout, source = bases.choose(layout)
    if options.list:
        return _list_tests(layout, source, options)
    report = Report()
    if options.mutants is not None:
        mutants.run(layout, source, options.mutants, report)
        return report.total()
    if not options.suite and (not options.machine or "host" in options.machine):
        selftest.run(layout, report)
        ident = tested.of_tree(trees.prepare(layout, source, quiet=True))
        check.run(layout, source, report)
        if ident:
            tested.record(layout, source.title, ident, options.config, report.lines)
    if options.suite or not options.machine or set(options.machine) - {"host"}:
        _test_machines(layout, source, options, report)
    return report.total()


def _signoff(options):
    """What SIGNOFF= says on the command line or in the environment, or None."""
    signoff = os.environ.get("SIGNOFF")
    for word in options.setting:
        key, _, value = word.partition("=")
        if key != "SIGNOFF":
            raise Stop(f"{options.verb}: '{word}'? Give SIGNOFF='Your Name <you@example.org>'")
        signoff = value
    return signoff


def _hand_out(layout, options, write):
    """Has `write` turn the series into files for the signer; prints their paths."""
    signoff = export.checked_signoff(_signoff(options), options.verb)
    layout, source = bases.choose(layout)
    tree = trees.of_series(layout, source, options.verb)
    for path in write(layout, source, series.load(layout), tree, signoff):
        console.say(str(path))
    return 0


def verb_export(layout, options):
    """writes out/mail and out/quilt; needs SIGNOFF='Name <mail>'"""
    return _hand_out(layout, options, export.export)


def verb_release(layout, options):
    """writes out/dma-owner-5.10-vN.tar.xz: mails, quilt stack, test results, sums"""
    return _hand_out(layout, options, release.release)


def verb_kabi(layout, options):
    """what changes for modules: exported symbols, declarations, structures"""
    if options.files and (len(options.files) != 2 or options.build):
        raise Stop("kabi: give no file, or two: OLD/Module.symvers NEW/Module.symvers")
    if options.files:
        kabi.show(kabi.compare(*map(kabi.load, options.files)))
        return 0
    layout, source = bases.choose(layout)
    if options.build:
        tree = trees.prepare(layout, source)
        kabi.show(kabi.compare(*map(kabi.load, kabi.build(layout, tree))))
    else:
        tree = trees.of_series(layout, source, options.verb)
        kabi.show(kabi.by_sources(tree.git, tree.base_commit(), trees.applied_tip(tree.state())))
    return 0


def verb_deb(layout, options):
    """builds installable packages; prints their paths"""
    layout, source = bases.choose(layout)
    tree = trees.of_series(layout, source, options.verb)
    found = deb.build(tree, source, options.config, options.localmodconfig)
    for path in found:
        console.say(str(path))
    if not options.boot:
        console.note(f"To install: dpkg -i {found[0]} {found[-1]}")
        return 0
    report = Report()
    debboot.boot(tree, found[0], found[-1], report)
    return report.total()


def verb_am(layout, options):
    """puts the series on a 5.10 tree of your own, as a whole or not at all"""
    lines = am.undo(options.folder) if options.undo else am.apply(layout, options.folder, _signoff(options))
    for line in lines:
        console.say(line)
    if not options.undo:
        console.note(f"To take it back: ./dma-owner am --undo {options.folder}")
    return 0


def verb_bench(layout, options):
    """measures base, series and newer kernels side by side; holds them to the aims"""
    layout, source = bases.choose(layout)
    return bench.run(layout, source, list(peers.PEERS) if options.peers == "all" else [options.peers])


def verb_shell(layout, options):
    """an interactive machine with the patched kernel"""
    with locked(layout):
        layout, source = bases.choose(layout)
        packages.ensure(layout, packages.FOR_TREE, "to make the kernel tree")
        tree = trees.prepare(layout, source)
        built = kernels.of_tree(tree, vm.arches(tree, [options.machine])[0], "vm")
        built.build()
        env = vm.environment(tree, [built])
    return vm.shell(tree, built, options.machine, env)


def parser():
    """The command line."""
    top = argparse.ArgumentParser(prog="./dma-owner", description=
                                  "DMA ownership of IOMMU groups for Linux 5.10. "
                                  "BASE=path in the environment takes another 5.10 tree or tarball.",
                                  formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100))
    verbs = top.add_subparsers(dest="verb", metavar="VERB", title="verbs")

    def add(name, action):
        one = verbs.add_parser(name, help=action.__doc__, description=action.__doc__)
        one.set_defaults(action=action)
        return one

    demo = add("demo", verb_demo)
    demo.add_argument("--compare", action="store_true", help="show the untouched base crash first")
    test = add("test", verb_test)
    test.add_argument("--list", action="store_true", help="print the names of the cases")
    test.add_argument("--table", action="store_true", help="print what was tested where, as the file TESTED")
    test.add_argument("--machine", action="append", default=[], metavar="NAME", help="only this machine (or: host)")
    test.add_argument("--suite", action="append", default=[], metavar="NAME", help="only this suite")
    test.add_argument("--config", choices=("vm", "debug", "kcsan"), default="vm",
                      help="debug: KASAN, kmemleak and more; kcsan: data races, on x86 machines only")
    test.add_argument("--base-only", action="store_true", help="boot the base without the series")
    test.add_argument("--soak", type=int, default=0, metavar="MINUTES",
                      help="let the race test run so long for each kind of group, and the random test in all, from "
                           "a fresh seed")
    test.add_argument("--seed", type=int, default=0, metavar="NUMBER", help="where the random test begins instead")
    test.add_argument("--mutants", nargs="*", metavar="WORD",
                      help="take one rule after the other away and see a test fail; with words only the rules with "
                           "one of them in their name or their test's")
    add("tree", verb_tree)
    add("refresh", verb_refresh)
    checked = add("check", verb_check)
    checked.add_argument("--variants", nargs="*", metavar="WORD",
                         help="instead: build each patch in other configurations, with W=1, and boot it; with words "
                              "only the cases with one of them in their name, such as no-pci-arm64 or boots")
    exported = add("export", verb_export)
    exported.add_argument("setting", nargs="*", metavar="SIGNOFF='Name <mail>'")
    applied = add("am", verb_am)
    applied.add_argument("folder", metavar="DIR", help="a git tree, or a plain folder")
    applied.add_argument("setting", nargs="*", metavar="SIGNOFF='Name <mail>'")
    applied.add_argument("--undo", action="store_true", help="take it back")
    released = add("release", verb_release)
    released.add_argument("setting", nargs="*", metavar="SIGNOFF='Name <mail>'")
    abi = add("kabi", verb_kabi)
    abi.add_argument("files", nargs="*", metavar="Module.symvers", help="compare these two, old and new")
    abi.add_argument("--build", action="store_true", help="build base and series with MODVERSIONS, and compare")
    deb_ = add("deb", verb_deb)
    deb_.add_argument("--config", metavar="FILE",
                      help="the configuration to start from, or vm for a small kernel; else the running kernel's")
    deb_.add_argument("--localmodconfig", action="store_true", help="leave out the modules that are not loaded now")
    deb_.add_argument("--boot", action="store_true", help="install it into a Debian of its own, and boot that in QEMU")
    build = add("build", verb_build)
    build.add_argument("--arch", choices=("x86_64", "arm64"), default="x86_64")
    build.add_argument("--config", choices=kconfig.CONFIGS, default="vm")
    build.add_argument("--base-only", action="store_true", help="the base without the series")
    measured = add("bench", verb_bench)
    measured.add_argument("--peers", choices=(*peers.PEERS, "all"), default="6.1",
                          help="the newer kernels to measure as well")
    shell = add("shell", verb_shell)
    shell.add_argument("--machine", default="q35-intel", metavar="NAME", help="the machine to start")
    return top


def _interrupted(number, _frame):
    raise KeyboardInterrupt(number)


def run(argv):
    """Runs one verb; returns the exit status. Every failure is one line."""
    top = parser()
    options = top.parse_args(argv)
    if not options.verb:
        top.print_help()
        return 2
    layout = Layout(ROOT)
    if options.action is verb_shell:    # holds the lock only while it builds
        return verb_shell(layout, options)
    with locked(layout):
        packages.ensure(layout, packages.FOR_TREE, "to make the kernel tree")
        return options.action(layout, options)


def _crash(layout):
    """The one line for a fault of the machinery itself."""
    log = layout.log("crash")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return f"a fault of the machinery itself: see {log}"


def system_line(error):
    """The one line for an OSError, which need not name a file."""
    what = ": ".join(filter(None, (error.strerror or str(error), error.filename)))
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"{what}: {'free some space' if full else 'see to it'} and run the same command again"


def main():
    """Entry point: maps every way to end to a line and an exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    line, status = None, 1
    try:
        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        line, status = "interrupted: run the same command again to go on", 130
    except Stop as stop:
        line = str(stop)
    except BrokenPipeError:
        status = 141
    except OSError as error:
        line = system_line(error)
    except Exception:   # pylint: disable=broad-except
        line = _crash(Layout(ROOT))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    proc.stop_all()
    if line:
        console.note(f"dma-owner: {line}")
    sys.stdout = None if status == 141 else sys.stdout
    os._exit(status) if status in (130, 141) else sys.exit(status)


if __name__ == "__main__":
    main()
