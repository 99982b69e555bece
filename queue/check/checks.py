# SPDX-License-Identifier: GPL-2.0-only
"""The mechanical checks: their order, their results, and what is remembered.

Each check is a function of a Context that returns a note ('' or a remark for
the result's line) or raises Failed with one line and, if there is one, a log.
A check that is expensive has a key over everything it depends on, by which its pass
is remembered.
"""

import time

from check import applies, context, docs, each_patch, lint, ports, rules, style
from ground import packages, proc
from ground.errors import Failed, Interrupted, Stop
from ground.memory import Memory, key
from prove import model, mutants


def lanes(ctx):
    """The checks of a series as lists of (name, function, key parts or None): those of one
    list run in its order, the lists side by side. To build each patch has a tree of its own."""
    return [ports.cases(ctx)] if ctx.layout.port else [_at_the_tip(ctx), each_patch.cases(ctx)]


def _at_the_tip(ctx):
    """The checks of the series at the top that see it as a whole."""
    listed = list(rules.cases(ctx))
    listed += applies.cases(ctx)
    listed += style.cases(ctx)
    listed += mutants.cases(ctx)
    listed += model.cases(ctx)
    listed += lint.cases(ctx)
    listed += docs.cases(ctx)
    return listed


def _title(layout, name):
    """A check's name in the results; a colon in it separates a suite of its own."""
    return f"host:{name}" if ":" in name else f"host:{layout.suite}:{name}"


def _run_one(ctx, memory, report, case):
    name, function, parts = case
    title, start = _title(ctx.layout, name), time.monotonic()
    pass_key = key(function.__module__, parts) if parts else None
    kept = memory.recall(name, pass_key) if parts else None
    if kept:
        report.ok(title, 0.0, kept)
        return
    try:
        note = function(ctx) or ""
    except Failed as failed:
        report.fail(title, str(failed), failed.log)
        return
    except Interrupted:
        raise
    except Stop as stop:
        report.fail(title, str(stop))
        return
    if parts:
        memory.keep(name, pass_key, note)
    report.ok(title, time.monotonic() - start, note)


def run(layout, source, report, wanted=lanes):
    """Runs every check, or those that `wanted` gives, as lanes() does; results go to the
    report."""
    packages.ensure(layout, packages.FOR_CHECK + packages.FOR_BUILD, "to check the series")
    ctx = context.of_run(layout, source)
    memory = Memory(layout, "check")

    def run_lane(lane):
        for case in lane:
            _run_one(ctx, memory, report, case)

    proc.side_by_side([lambda lane=lane: run_lane(lane) for lane in wanted(ctx)])


def run_port(layout, source, report):
    """Runs every check of a port; what stops them is a failure."""
    try:
        run(layout, source, report)
    except Interrupted:
        raise
    except Stop as stop:
        report.fail(_title(layout, "tree"), str(stop))


def names(layout):
    """Names of the checks without running them: those of the steps need the
    series alone."""
    return [_title(layout, name) for lane in lanes(context.of_names(layout)) for name, _, _ in lane]
