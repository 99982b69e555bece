# SPDX-License-Identifier: GPL-2.0-only
"""The lines of a machine become results."""

import contextlib
import io
import unittest
from pathlib import Path

from ground import results
from ground.results import Report
from machine import relay


class Relay(unittest.TestCase):
    """What a script inside says."""

    def said(self, *lines):
        """The report and the relay when the machine said these lines and stopped."""
        report = Report(strict=False)
        heard = relay.Relay(report, "deb:debian:", Path("console.log"))
        with contextlib.redirect_stdout(io.StringIO()):
            for line in lines:
                heard.take(line)
            heard.end()
        return report, heard

    def test_results(self):
        report, heard = self.said("ok one", "not ok two (owner is none)", "noise", "skip three (no file)", "ok end")
        self.assertEqual(results.count(report.results), [2, 1, 1])
        self.assertEqual(heard.seen, ["one", "two", "three", "end"])
        self.assertEqual(str(report.results[1]), "not ok deb:debian:two (owner is none; log console.log)")
        self.assertEqual(str(report.results[2]), "skip deb:debian:three (no file)")

    def test_machine_stops_early(self):
        for lines, last in (((), "nothing"), (("ok one",), "one")):
            report, _ = self.said(*lines)
            self.assertIn(f"the machine stopped after {last};", str(report.results[-1]))

    def test_results_are_apart_from_the_console(self):
        argv = relay.command(["qemu", "-m", "512"], "k", "i", "quiet", "/l", seconds=60, memory="1024")
        self.assertEqual(argv[:5], ["timeout", 60, "qemu", "-m", "512"])
        # The last -m counts.
        self.assertEqual(argv[5:7], ["-m", "1024"])
        self.assertEqual(argv[-6:], ["-append", "quiet", "-serial", "file:/l", "-serial", "stdio"])


if __name__ == "__main__":
    unittest.main()
