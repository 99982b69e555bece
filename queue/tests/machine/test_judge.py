# SPDX-License-Identifier: GPL-2.0-only
"""What a machine made of a suite, by what the harness printed."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from ground import results
from ground.errors import Stop
from machine import judge

OK = "ok q35:suite:one (0.1 s)"
FAILED = "not ok q35:suite:two (a.c:7: Expected 0 == -16; log /l/result.log)"
UNSEEN = "not ok q35:suite:three (did not run; log /l/result.log)"
QUIET = "ok q35:dmesg:no_splat"
SPLAT = "not ok q35:dmesg:no_splat (kernel BUG at a.c:9!; log /l/console.log)"
ENDS = "not ok q35:machine:ends (timed out after 240 s; log /l/console.log)"


class Verdict(unittest.TestCase):
    """The cases that failed, and the kernel's own complaint."""

    def killed_by(self, lines, killers, death):
        """What verdict() must make of the lines."""
        self.assertEqual(judge.verdict(results.parse_all(lines), "suite"), (killers, death, lines.count(OK)))

    def test_survived(self):
        self.killed_by([OK, QUIET, "1 passed, 0 failed, 0 skipped"], [], "")

    def test_a_case_failed(self):
        self.killed_by([OK, FAILED, QUIET], ["two"], "")

    def test_the_machine_died_in_a_case(self):
        self.killed_by([OK, FAILED, UNSEEN, SPLAT], ["two"], "kernel BUG at a.c:9!")

    def test_the_machine_died_before(self):
        self.killed_by([UNSEEN, SPLAT, ENDS], [], "kernel BUG at a.c:9!")

    def test_it_hung(self):
        self.killed_by([OK, UNSEEN, QUIET, ENDS], [], "timed out after 240 s")

    def test_another_suite_does_not_count(self):
        self.killed_by([OK, "not ok q35:other:two (x; log /l)", QUIET], [], "")

    def test_silence_is_no_verdict(self):
        for lines in ([], [QUIET], ["# noise"]):
            with self.assertRaises(Stop):
                judge.verdict(results.parse_all(lines), "suite")


class Judge(unittest.TestCase):
    """The harness is run as far as its first failure."""

    def judged(self, script):
        """What judge() makes of the harness `script`."""
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            return judge.judge(["sh", "-c", script], "suite", Path(folder) / "log")

    def test_ends_a_harness_that_hangs_after_a_failure(self):
        script = f"trap 'echo \"{ENDS}\"; exit 1' TERM; echo '{OK}'; echo '{FAILED}'; while :; do sleep 0.1; done"
        self.assertEqual(self.judged(script), (["two"], "", 1))

    def test_lets_others_finish(self):
        self.assertEqual(self.judged(f"echo '{OK}'; echo '{SPLAT}'"), ([], "kernel BUG at a.c:9!", 1))

    def test_names_the_log_when_nothing_was_said(self):
        with self.assertRaisesRegex(Stop, "said nothing of the suite: see .*log"):
            self.judged("exit 1")

    def test_boots_with_what_the_architecture_needs(self):
        with tempfile.TemporaryDirectory() as folder:
            layout = mock.Mock(log=lambda name: Path(folder) / name)
            tree = mock.Mock(layout=layout, path=folder)
            suite = mock.Mock()
            suite.configure_mock(machine="virt", name="suite")
            with mock.patch.multiple("machine.vm", harness=lambda _: "/bin/sh", arguments=lambda *_: [],
                                     environment=lambda _, builds, machines: {
                                         "SAID": f"ok {machines[0]}:suite:{builds[0]}"}), \
                    mock.patch("machine.judge.proc.streamed", side_effect=self.streamed), \
                    contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(judge.boot(tree, "arm64", suite, "log").passed, 1)

    @staticmethod
    def streamed(_, seen, _log, cwd, env):
        """A harness that says what its environment has."""
        seen(env["SAID"])


if __name__ == "__main__":
    unittest.main()
