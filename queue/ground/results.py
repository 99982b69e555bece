# SPDX-License-Identifier: GPL-2.0-only
"""Results: a line for each, `ok`, `not ok` or `skip`, its name `machine:suite:case`
and what there is to say. Everything that prints or reads such a line does it here.
"""

import os
import re
import threading
from typing import NamedTuple

from ground import console

OK, FAILED, SKIPPED = "ok", "not ok", "skip"
_PASSED = re.compile(r"(ok) (\S+)(?: \(([^)]*)\))?(?: (.+))?")
_OTHER = re.compile(r"(not ok|skip) (\S+)(?: \((.*)\))?")
_TOTALS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


class Result(NamedTuple):
    """One result. `words`: how long it took, or the reason and the log; `note`: a
    remark on what passed. str() is the line."""
    outcome: str
    name: str
    words: str = ""
    note: str = ""

    def __str__(self):
        words = f" ({self.words})" if self.words else ""
        note = f" {self.note}" if self.note else ""
        return f"{self.outcome} {self.name}{words}{note}"

    @property
    def machine(self):
        """Where it ran."""
        return self.name.partition(":")[0]

    @property
    def suite(self):
        """The suite, '' when the name has none."""
        return (self.name.split(":") + [""])[1]

    @property
    def case(self):
        """The case within its suite, or the whole of a name without one."""
        return self.name.split(":", 2)[-1]

    @property
    def reason(self):
        """Why it did not pass, without the log's name."""
        return self.words.partition("; log ")[0]


def parse(line):
    """The Result in a line, None when it is none."""
    match = _PASSED.fullmatch(line) or _OTHER.fullmatch(line)
    return Result(*(part or "" for part in match.groups())) if match else None


def parse_all(lines):
    """The Results among lines."""
    return [result for result in map(parse, lines) if result]


def parse_totals(line):
    """[passed, failed, skipped] of a last line, None when it is none."""
    match = _TOTALS.fullmatch(line)
    return [int(number) for number in match.groups()] if match else None


def count(results):
    """[passed, failed, skipped] of results."""
    outcomes = [result.outcome for result in results]
    return [outcomes.count(outcome) for outcome in (OK, FAILED, SKIPPED)]


class Report:
    """Prints results as they come and counts them, the totals last.

    `strict`: a skip counts as a failure (CI=true); `why`: who wants it so.
    `results`: all of them so far.
    """

    def __init__(self, strict=None, why="which CI takes for a failure"):
        self.results = []
        self.strict = os.environ.get("CI") == "true" if strict is None else strict
        self.why = why
        self._guard = threading.Lock()

    def add(self, result):
        """Prints a Result, and keeps it. With `strict` a skip becomes a failure."""
        if result.outcome == SKIPPED and self.strict:
            result = Result(FAILED, result.name,
                            f"skipped, {self.why}: {result.words or 'no reason given'}")
        with self._guard:
            self.results.append(result)
        console.say(str(result))

    def ok(self, name, seconds=0.0, note=""):
        """A case that passed."""
        self.add(Result(OK, name, f"{seconds:.1f} s", note))

    def fail(self, name, reason, log=None):
        """A case that failed, with one line why."""
        self.add(Result(FAILED, name, reason + (f"; log {log}" if log else "")))

    def skip(self, name, reason):
        """A case that could not run."""
        self.add(Result(SKIPPED, name, reason))

    def total(self):
        """Prints the last line; returns the exit status."""
        return total([self])


def total(reports):
    """Prints the last line of several Reports; returns the exit status."""
    passed, failed, skipped = count([result for report in reports for result in report.results])
    console.say(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0
