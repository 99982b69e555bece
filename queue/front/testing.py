# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner test: the checks, the tests of the machinery, and the machines, all side
by side. Machines wait for much, and what is checked takes the time that they leave."""

import sys
from typing import NamedTuple

from check import checks, machinery, ports
from give import stockboot
from ground import console, proc
from ground.errors import Interrupted, Stop
from ground.layout import Layout
from ground.results import Report, total
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


def _boots(options):
    """Whether machines are to run."""
    return bool(options.suite or not options.machine or _machines(options))


def _list(runs, options):
    """Prints the names of the cases that `test` would run."""
    for run in runs if _host(options) else ():
        for name in checks.names(run.layout) + ([] if run.layout.port else machinery.names()):
            console.say(name)
    if _boots(options):
        for run in _booted(runs, options):
            vm.listing(trees.with_tests(run.layout, run.source), _machines(options), options.suite)
    return 0


class Run(NamedTuple):
    """A series that is tested, on a base, and what came of it."""
    layout: Layout
    source: object
    report: Report

    def record(self, ident, config, host):
        """Keeps the results of the host, or of the machines, unless the tree has work that
        the series lacks (no `ident`)."""
        if ident:
            said = [result for result in self.report.results if outcomes.of_host(result) == host]
            outcomes.record(self.layout, self.source.title, ident, config, said)


def _runs(layout, source, options):
    """The Runs that a test of a series takes: of itself first, then of the ports."""
    also = ports.due(layout, whole=options.all_ports)
    return [Run(*pair, vm.report(pair[0])) for pair in [(layout, source), *also]]


def _booted(runs, options):
    """Those of the runs whose machines are wanted."""
    return runs if options.all_ports else runs[:1]


def _check(run):
    """The checks of a series."""
    function = checks.run_port if run.layout.port else checks.run
    function(run.layout, run.source, run.report)


def _run_host(runs, options):
    """The checks of all series, and with those of that at the top the tests of the
    machinery, side by side: most of them run one process after the other."""
    work = [lambda run=run: _check(run) for run in runs]
    work += [lambda run=run: machinery.run(run.layout, run.report) for run in runs if not run.layout.port]
    proc.side_by_side(work)
    for run in runs:
        run.record(outcomes.of_tree(trees.Tree(run.layout)), options.config, host=True)


def _boot(run, options):
    """Builds the kernels that it takes and runs the machines."""
    tree, machines, report = trees.with_tests(run.layout, run.source), _machines(options), run.report
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
    if not options.suite and not options.base_only:
        run.record(ident, options.config, host=False)


def _run_machines(run, options):
    """_boot(); what stops it is a failure."""
    try:
        _boot(run, options)
    except Interrupted:
        raise
    except Stop as stop:
        run.report.fail("vm:harness:prepare", str(stop))


def _run_all_machines(runs, options):
    """The machines of each series that boots, one series after the other."""
    for run in _booted(runs, options):
        _run_machines(run, options)


def _instead(layout, source, options):
    """What is tested in place of the series, if that is asked for: a Report, else None."""
    report = Report()
    if options.mutants is not None:
        bases.main_only(layout, "test --mutants", "its rules are those of its code")
        mutants.run(layout, source, options.mutants, report)
    elif options.stock_tool is not None:
        bases.main_only(layout, "test --stock-tool", "it boots Debian's kernels of all releases")
        stockboot.run(trees.prepare(layout, source), options.stock_tool, report)
    else:
        return None
    return report


def verb_test(layout, options):
    """everything a submission must pass; --machine host is check and self-tests"""
    if options.table:
        sys.stdout.write(outcomes.text(layout))
        return 0
    if options.all_ports:
        bases.main_only(layout, "test --all-ports", "it is the series at the top, and then each port")
    layout, source = bases.choose(layout)
    instead = _instead(layout, source, options) if not options.list else None
    if instead:
        return instead.total()
    runs = _runs(layout, source, options)
    if options.list:
        return _list(runs, options)
    jobs = [lambda: _run_all_machines(runs, options)] if _boots(options) else []
    if _host(options):
        jobs.append(lambda: proc.step_back() or _run_host(runs, options))
    proc.side_by_side(jobs)
    return total([run.report for run in runs])
