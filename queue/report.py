# SPDX-License-Identifier: GPL-2.0-only
"""Results: one line each as they come, counted, the totals last."""

import os
import threading

import console


class Report:
    """Counts results and prints them as `ok`, `not ok` or `skip` lines.

    `strict`: a skip counts as a failure (CI=true). `lines`: all results so far.
    """

    def __init__(self, strict=None):
        self.lines = []
        self.passed = self.failed = self.skipped = 0
        self.strict = os.environ.get("CI") == "true" if strict is None else strict
        self._guard = threading.Lock()

    def _say(self, line):
        """Prints a result, and keeps it."""
        self.lines.append(line)
        console.say(line)

    def ok(self, name, seconds=0.0, note=""):
        """A case that passed."""
        with self._guard:
            self.passed += 1
        note = f" {note}" if note else ""
        self._say(f"ok {name} ({seconds:.1f} s){note}")

    def fail(self, name, reason, log=None):
        """A case that failed, with one line why."""
        with self._guard:
            self.failed += 1
        log = f"; log {log}" if log else ""
        self._say(f"not ok {name} ({reason}{log})")

    def skip(self, name, reason):
        """A case that could not run."""
        if self.strict:
            self.fail(name, f"skipped, which CI takes for a failure: {reason}")
            return
        with self._guard:
            self.skipped += 1
        self._say(f"skip {name} ({reason})")

    def relay(self, line):
        """Takes over a result line of another program; returns whether it was one.

        Under CI a skip is passed on as a failure.
        """
        if line.startswith("not ok "):
            self.failed += 1
        elif line.startswith("ok "):
            self.passed += 1
        elif line.startswith("skip "):
            name, _, reason = line[5:].partition(" ")
            self.skip(name, reason.strip("()") or "no reason given")
            return True
        else:
            return False
        self._say(line)
        return True

    def total(self):
        """Prints the last line; returns the exit status."""
        console.say(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed or not self.passed else 0
