# SPDX-License-Identifier: GPL-2.0-only
"""Result lines: printed, read and counted."""

import contextlib
import io
import unittest

from ground import results
from ground.results import Report, Result


class Lines(unittest.TestCase):
    """A line and what is in it."""

    def reads(self, line, *fields):
        """The line must be read as these fields, and printed as it was."""
        result = results.parse(line)
        self.assertEqual(result, Result(*fields))
        self.assertEqual(str(result), line)

    def test_passed(self):
        self.reads("ok host:check:rule1 (0.1 s)", "ok", "host:check:rule1", "0.1 s")

    def test_note(self):
        self.reads("ok host:check:x (0.0 s) (unchanged since 2026-01-01) 3 mails", "ok", "host:check:x", "0.0 s",
                   "(unchanged since 2026-01-01) 3 mails")

    def test_reason_with_brackets_and_log(self):
        line = "not ok q35:suite:case (f(x) was 1; log /l/a.log)"
        self.reads(line, "not ok", "q35:suite:case", "f(x) was 1; log /l/a.log")
        result = results.parse(line)
        self.assertEqual((result.machine, result.suite, result.case, result.reason),
                         ("q35", "suite", "case", "f(x) was 1"))

    def test_skipped(self):
        self.reads("skip q35:suite:case (no kvm)", "skip", "q35:suite:case", "no kvm")

    def test_bare(self):
        self.reads("ok end", "ok", "end")

    def test_case_with_a_colon(self):
        self.assertEqual(results.parse("ok q35:suite:a:b").case, "a:b")

    def test_noise(self):
        for line in ("", "okay then", "notok a", "skipped a", "1 passed, 0 failed, 0 skipped", "ok", "not ok "):
            self.assertIsNone(results.parse(line), line)

    def test_totals(self):
        self.assertEqual(results.parse_totals("12 passed, 3 failed, 0 skipped"), [12, 3, 0])
        self.assertIsNone(results.parse_totals("12 passed, 3 failed"))


class Totals(unittest.TestCase):
    """Counting, and what CI makes of a skip."""

    def total(self, strict):
        """(status, text) of one result of each kind."""
        report, text = Report(strict=strict), io.StringIO()
        with contextlib.redirect_stdout(text):
            for line in ("ok q35:s1:a (1.2 s)", "skip q35:s1:b (no kvm)"):
                report.add(results.parse(line))
            return report.total(), text.getvalue()

    def test_skip(self):
        status, text = self.total(False)
        self.assertEqual((status, text.splitlines()[-1]), (0, "1 passed, 0 failed, 1 skipped"))

    def test_skip_under_ci(self):
        status, text = self.total(True)
        self.assertEqual((status, text.splitlines()[-1]), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertIn("not ok q35:s1:b", text)

    def test_nothing_ran(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(Report(strict=False).total(), 1)


if __name__ == "__main__":
    unittest.main()
