# SPDX-License-Identifier: GPL-2.0-only
"""The mechanical checks: their order, their results, and what is remembered.

Each check is a function of a Context that returns a note ('' or a remark for
the result's line) or raises Failed with one line and, if there is one, a log.
A check that is expensive has a key over everything it depends on; as long as
the key is that of the last pass, the pass is repeated from memory, and says so.
"""

import hashlib
import json
import time

from check import applies, context, docs, each_patch, lint, rules, style
from ground import modules, packages
from ground.errors import Failed, Interrupted, Stop
from ground.layout import write_file
from prove import model, mutants


class Memory:
    """Passes of expensive checks, by name and key, under .build/check."""

    def __init__(self, layout):
        self.folder = layout.work / "check"

    def recall(self, name, key):
        """(time, note) of the pass with this key, or None."""
        try:
            kept = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return (kept["time"], kept["note"]) if kept.get("key") == key else None

    def keep(self, name, key, note):
        """Remembers a pass."""
        data = {"key": key, "time": time.strftime("%Y-%m-%d %H:%M"), "note": note}
        write_file(self.folder / f"{name}.json", json.dumps(data).encode())


def cases(ctx):
    """All checks: [(name, function, key parts or None)]."""
    listed = list(rules.cases(ctx))
    listed += applies.cases(ctx)
    listed += style.cases(ctx)
    listed += mutants.cases(ctx)
    listed += model.cases(ctx)
    listed += lint.cases(ctx)
    listed += docs.cases(ctx)
    listed += each_patch.cases(ctx)
    return listed


def _title(name):
    """A check's name in the results; a colon in it separates a suite of its own."""
    return f"host:{name}" if ":" in name else f"host:check:{name}"


def memory_key(function, parts):
    """What a pass is remembered by: all that the check depends on, and the code that
    does it."""
    words = [modules.digest(function.__module__), *map(str, parts)]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _run_one(ctx, memory, report, case):
    name, function, parts = case
    title, start = _title(name), time.monotonic()
    key = memory_key(function, parts) if parts else None
    kept = memory.recall(name, key) if key else None
    if kept:
        note = f"(unchanged since {kept[0]})" + (f" {kept[1]}" if kept[1] else "")
        report.ok(title, 0.0, note)
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
    if key:
        memory.keep(name, key, note)
    report.ok(title, time.monotonic() - start, note)


def run(layout, source, report, wanted=cases):
    """Runs every check, or the cases that `wanted` gives; results go to the report."""
    packages.ensure(layout, packages.FOR_CHECK + packages.FOR_BUILD, "to check the series")
    ctx = context.of_run(layout, source)
    memory = Memory(layout)
    for case in wanted(ctx):
        _run_one(ctx, memory, report, case)


def names(layout):
    """Names of the checks without running them: those of the steps need the
    series alone."""
    return [_title(name) for name, _, _ in cases(context.of_names(layout))]
