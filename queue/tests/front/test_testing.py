# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner test: which series it tests, and which machines boot."""

import contextlib
import io
import os
import threading
import unittest
from unittest import mock

from tests.fake import Repository, changed_base

from front import command, testing
from ground import proc
from ground.errors import Stop
from ground.results import Result
from patches import refresh


class Series(unittest.TestCase):
    """A series with a port that has a patch, and one that has none."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        with contextlib.redirect_stderr(io.StringIO()):
            self.port = self.repo.port("6.1")
            self.port.commit("iommu: Edit", changed_base("drivers/iommu/iommu.c", "line 7", "line seven"))
            refresh.refresh(self.port.layout)
        self.repo.port("7.3")

    def did(self, *words, layout=None, outcome="ok"):
        """The exit status of a test, and what was run: the checks, in any order, and the
        machines in theirs. A machine waits for the first check, so they run side by side."""
        def ran(what):
            def run(layout, *args):
                done.append((what, layout.port))
                background.add(proc.niceness())
                begun.set()
                args[-1].add(Result("ok", f"host:{what}:a"))
            return run

        def boot(run, options):
            self.assertTrue(options.machine or begun.wait(10))
            done.append(("boot", run.layout.port))
            self.assertEqual(proc.niceness(), here)
            self.assertLessEqual(background, {proc.BACKGROUND})
            run.report.add(Result(outcome, "pc:suite:a"))

        done, background, begun, here = [], set(), threading.Event(), proc.niceness()
        options = command.parser().parse_args(["test", *words])
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, {"CI": ""}))
            for name, what in (("front.testing.checks.run", ran("check")), ("front.testing.checks.run_port", ran("check")),
                               ("front.testing.machinery.run", ran("machinery")), ("front.testing._boot", boot),
                               ("patches.bases.choose", lambda layout: (layout, self.repo.source)),
                               ("patches.bases.pinned", lambda layout: self.port.source)):
                stack.enter_context(mock.patch(name, what))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            status = testing.verb_test(layout or self.repo.layout, options)
        boots = [what for what in done if what[0] == "boot"]
        return status, sorted(set(done) - set(boots)) + boots

    def test_ports_are_checked_along(self):
        self.assertEqual(self.did(), (0, [("check", ""), ("check", "6.1"), ("machinery", ""), ("boot", "")]))

    def test_all_ports_boot_after_it(self):
        self.assertEqual(self.did("--all-ports")[1], [
            ("check", ""), ("check", "6.1"), ("machinery", ""), ("boot", ""), ("boot", "6.1")])

    def test_a_port_alone(self):
        self.assertEqual(self.did(layout=self.port.layout)[1], [("check", "6.1"), ("boot", "6.1")])
        with self.assertRaisesRegex(Stop, "test --all-ports is for Linux 5.10 alone"):
            self.did("--all-ports", layout=self.port.layout)

    def test_a_skip_of_a_port_is_a_failure(self):
        self.assertEqual(self.did("--machine", "pc", outcome="skip")[0], 1)     # nothing passed
        self.assertEqual(self.did(outcome="skip")[0], 0)
        self.assertEqual(self.did(layout=self.port.layout, outcome="skip")[0], 1)

    def test_what_makes_no_sense_with_a_port(self):
        for words in (["--mutants"], ["--stock-tool"]):
            with self.assertRaisesRegex(Stop, f"test {words[0]} is for Linux 5.10 alone, not for ports/6.1: i"):
                self.did(*words, layout=self.port.layout)


class Line(unittest.TestCase):
    """The command line."""

    def test_port(self):
        for verb in ("tree", "refresh", "build", "check", "export", "release", "kabi", "deb", "test", "shell", "demo"):
            self.assertEqual(command.parser().parse_args([verb, "--port", "6.1"]).port, "6.1", verb)

    def test_am_goes_by_its_tree(self):
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
            command.parser().parse_args(["am", "DIR", "--port", "6.1"])


if __name__ == "__main__":
    unittest.main()
