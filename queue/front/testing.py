# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner test: the checks, the tests of the machinery, and the machines."""

import sys

from check import checks, machinery
from give import stockboot
from ground import console
from ground.errors import Interrupted, Stop
from ground.results import Report
from kernel import kernels
from machine import outcomes, races, vm
from patches import bases, trees
from prove import mutants


def _host(options):
    """Whether the checks and the tests of the machinery are to run."""
    return not options.suite and (not options.machine or "host" in options.machine)


def _machines(options):
    """The machines that the user named."""
    return [name for name in options.machine if name != "host"]


def _list(layout, source, options):
    """Prints the names of the cases that `test` would run."""
    if _host(options):
        for name in checks.names(layout) + machinery.names():
            console.say(name)
    if _machines(options) or options.suite or not options.machine:
        vm.listing(trees.prepare(layout, source), _machines(options), options.suite)
    return 0


def _run_host(layout, source, options, report):
    """The tests of the machinery, and the checks."""
    machinery.run(layout, report)
    ident = outcomes.of_tree(trees.prepare(layout, source, quiet=True))
    checks.run(layout, source, report)
    if ident:
        outcomes.record(layout, source.title, ident, options.config, report.results)


def _boot(layout, source, options, report):
    """Builds the kernels that it takes and runs the machines."""
    tree, machines = trees.prepare(layout, source), _machines(options)
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
    ident = outcomes.of_tree(tree)
    vm.test(tree, builds, machines, options.suite, report, extra)
    if ident and not options.suite and not options.base_only:
        outcomes.record(layout, source.title, ident, options.config, report.results)


def _run_machines(layout, source, options, report):
    """_boot(); what stops it is a failure."""
    try:
        _boot(layout, source, options, report)
    except Interrupted:
        raise
    except Stop as stop:
        report.fail("vm:harness:prepare", str(stop))


def verb_test(layout, options):
    """everything a submission must pass; --machine host is check and self-tests"""
    if options.table:
        sys.stdout.write(outcomes.text(layout))
        return 0
    layout, source = bases.choose(layout)
    if options.list:
        return _list(layout, source, options)
    report = Report()
    if options.mutants is not None:
        mutants.run(layout, source, options.mutants, report)
        return report.total()
    if options.stock_tool is not None:
        stockboot.run(trees.prepare(layout, source), options.stock_tool, report)
        return report.total()
    if _host(options):
        _run_host(layout, source, options, report)
    if options.suite or not options.machine or _machines(options):
        _run_machines(layout, source, options, report)
    return report.total()
