# SPDX-License-Identifier: GPL-2.0-only
"""What each verb of ./dma-owner does; its first line is what the user reads of it.

A verb takes the Layout and the options of the command line, and returns the exit
status. `test` has a module of its own.
"""

import os
import sys

from check import checks, configurations, ports
from give import am, deb, debboot, export, kabi, release
from ground import console, packages
from ground.errors import Stop
from ground.layout import locked
from ground.results import Report
from kernel import kernels
from machine import vm
from measure import bench
from patches import bases, refresh, series, trees


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
    report, wanted = Report(), checks.lanes
    if options.variants is not None:
        bases.main_only(layout, "check --variants", "a port's folders are compiled once, at the tip")
        wanted = configurations.chosen(options.variants)
    checks.run(layout, source, report, wanted)
    for pair in ports.due(layout) if options.variants is None else ():
        checks.run_port(*pair, report)
    return report.total()


def verb_demo(layout, options):
    """builds, boots, and shows a driver refused in a group that userspace owns"""
    bases.main_only(layout, "demo", "it shows how stock 5.10 stops; newer kernels refuse")
    layout, source = bases.choose(layout)
    tree = trees.prepare(layout, source)
    vm.harness(tree)
    built = kernels.of_tree(tree, "x86_64", "vm")
    compare = kernels.of_tree(tree, "x86_64", "vm", base_only=True) if options.compare else None
    for kernel in (built, compare):
        if kernel:
            kernel.build()
    return vm.demo(tree, built, compare, options.sva)


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
        outs = kabi.build(layout, tree)
        kabi.show(kabi.compare(*map(kabi.load, outs)) + kabi.types(layout, tree, outs))
    else:
        tree = trees.of_series(layout, source, options.verb)
        kabi.show(kabi.by_sources(tree.git, tree.base_commit(), tree.state().tip))
    return 0


def _deb_tool(layout, source, options):
    """The package of iommu-groups alone."""
    if options.config or options.localmodconfig or options.boot:
        raise Stop("deb: --tool builds no kernel: leave out --config, --localmodconfig and --boot")
    made = deb.build_tool(trees.of_series(layout, source, options.verb), source)
    console.say(str(made))
    console.note(f"To install: dpkg -i {made}")
    return 0


def verb_deb(layout, options):
    """builds installable packages; prints their paths"""
    if options.boot:
        bases.main_only(layout, "deb --boot", "it tries what that kernel says and does")
    layout, source = bases.choose(layout)
    if options.tool:
        return _deb_tool(layout, source, options)
    tree = trees.of_series(layout, source, options.verb)
    files = deb.build(tree, source, options.config, options.localmodconfig)
    for path in files:
        console.say(str(path))
    if not options.boot:
        console.note(f"To install: dpkg -i {files[0]} {files[-1]}")
        return 0
    report = Report()
    debboot.boot(tree, files[0], files[-1], report)
    return report.total()


def verb_am(layout, options):
    """puts the series on a kernel tree of your own, as a whole or not at all"""
    lines = am.undo(layout, options.folder) if options.undo else am.apply(layout, options.folder, _signoff(options))
    for line in lines:
        console.say(line)
    if not options.undo:
        console.note(f"To take it back: ./dma-owner am --undo {options.folder}")
    return 0


def verb_bench(layout, options):
    """measures base, series and newer kernels side by side; holds them to the aims"""
    if options.table:
        sys.stdout.write(bench.text(layout))
        return 0
    bases.main_only(layout, "bench", "--peers has it measure the bases of the ports")
    wanted = layout.ports() if options.peers == "all" else [bases.port(layout, options.peers).port]
    layout, source = bases.choose(layout)
    return bench.run(layout, source, wanted)


def verb_shell(layout, options):
    """an interactive machine with the patched kernel"""
    with locked(layout):
        layout, source = bases.choose(layout)
        packages.ensure(layout, packages.FOR_TREE, "to make the kernel tree")
        tree = trees.with_tests(layout, source)
        built = kernels.of_tree(tree, vm.arches(tree, [options.machine])[0], "vm")
        built.build()
        env = vm.environment(tree, [built], [options.machine])
    return vm.shell(tree, built, options.machine, env)
