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
from dataclasses import dataclass, field
from functools import cached_property

import applies
import docs
import lint
import model
import mutants
import packages
import rules
import series
import steps
import style
import tree as trees
from checkbase import Failed
from errors import Stop
from layout import write_file


@dataclass
class Context:
    """What the checks look at: the series as applied to one base."""
    layout: object
    source: object
    tree: trees.Tree
    entries: list
    state: dict = field(default_factory=dict)

    @property
    def git(self):
        """Git of the tree."""
        return self.tree.git

    @property
    def base_commit(self):
        """The untouched base."""
        return self.state["base_commit"]

    @property
    def tip(self):
        """The series as applied."""
        return trees.applied_tip(self.state)

    @cached_property
    def base_paths(self):
        """Paths of the base."""
        return self.git.paths(self.base_commit)

    @cached_property
    def steps(self):
        """(entry, parent commit, commit) of each patch."""
        commits = [commit for _, commit in self.state["patches"]]
        return list(zip(self.entries, [self.base_commit, *commits], commits))

    @cached_property
    def repository(self):
        """Paths that the repository holds."""
        return series.repository_files(self.layout)

    def log(self, name):
        """Log of a check."""
        return self.layout.log(f"check-{name}")


def machinery_key(layout):
    """Changes with the machinery's own code."""
    total = hashlib.sha256()
    for path in sorted((layout.root / "queue").glob("*.py")):
        total.update(path.read_bytes())
    return total.hexdigest()


class Memory:
    """Passes of expensive checks, by name and key, under .build/check."""

    def __init__(self, layout):
        self.folder = layout.work / "check"
        self.code = machinery_key(layout)

    def _key(self, parts):
        return hashlib.sha256("\0".join([self.code, *map(str, parts)]).encode()).hexdigest()

    def recall(self, name, parts):
        """(time, note) of the pass with this key, or None."""
        try:
            kept = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return (kept["time"], kept["note"]) if kept.get("key") == self._key(parts) else None

    def keep(self, name, parts, note):
        """Remembers a pass."""
        now = time.strftime("%Y-%m-%d %H:%M")
        data = {"key": self._key(parts), "time": now, "note": note}
        write_file(self.folder / f"{name}.json", json.dumps(data).encode())


def context(layout, source):
    """The Context of a run; the tree is made or brought up to date for it."""
    tree = trees.prepare(layout, source)
    entries = series.load(layout)
    return Context(layout, source, tree, entries, tree.state())


def cases(ctx):
    """All checks: [(name, function, key parts or None)]."""
    found = list(rules.cases(ctx))
    found += applies.cases(ctx)
    found += style.cases(ctx)
    found += mutants.cases(ctx)
    found += model.cases(ctx)
    found += lint.cases(ctx)
    found += docs.cases(ctx)
    found += steps.cases(ctx)
    return found


def _title(name):
    """A check's name in the results; a colon in it separates a suite of its own."""
    return f"host:{name}" if ":" in name else f"host:check:{name}"


def _run_one(ctx, memory, report, case):
    name, function, key = case
    title, start = _title(name), time.monotonic()
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
    except Stop as stop:
        if str(stop) == "interrupted":
            raise
        report.fail(title, str(stop))
        return
    if key:
        memory.keep(name, key, note)
    report.ok(title, time.monotonic() - start, note)


def run(layout, source, report, wanted=cases):
    """Runs every check, or the cases that `wanted` gives; results go to the report."""
    packages.ensure(layout, packages.FOR_CHECK + packages.FOR_BUILD, "to check the series")
    ctx = context(layout, source)
    memory = Memory(layout)
    for case in wanted(ctx):
        _run_one(ctx, memory, report, case)


def names(layout):
    """Names of the checks without running them: those of the steps need the
    series alone."""
    ctx = Context(layout, None, trees.Tree(layout), series.load(layout), {"patches": [], "base_commit": ""})
    return [_title(name) for name, _, _ in cases(ctx)]


