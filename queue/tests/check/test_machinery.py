# SPDX-License-Identifier: GPL-2.0-only
"""The tests of the machinery, as ./dma-owner test runs them."""

import contextlib
import io
import tempfile
import unittest
from unittest import mock

from check import machinery
from ground.errors import Stop
from ground.layout import Layout


class SelfTests(unittest.TestCase):
    """The tests of the machinery, as ./dma-owner test runs them."""

    def test_what_compiles_is_installed_first(self):
        with mock.patch("ground.packages.ensure", side_effect=Stop("no apt")) as ensure, \
                mock.patch("check.machinery._suite") as suite:
            with self.assertRaisesRegex(Stop, "no apt"):
                machinery.run(None, None)
        self.assertLessEqual({"gcc", "make"}, set(ensure.call_args.args[1]))
        suite.assert_not_called()

    def ran(self, code):
        """The results of a child that runs this code, with a Report that says nothing."""
        argv, report = machinery.argv(), mock.Mock()
        with tempfile.TemporaryDirectory() as folder, mock.patch("ground.packages.ensure"), \
                mock.patch("check.machinery.argv", return_value=[*argv[:-1], code]):
            machinery.run(Layout(folder), report)
        return [str(call.args[0]) for call in report.add.call_args_list]

    def test_results_of_the_process(self):
        lines = "ok host:queue:a (0.1 s)\nnot ok host:queue:b (why)\n1 passed, 1 failed, 0 skipped\n"
        self.assertEqual(self.ran(f"import sys; sys.stdout.write({lines!r}); sys.exit(1)"), lines.splitlines()[:2])

    def test_a_process_that_does_not_end(self):
        with self.assertRaisesRegex(Stop, "the tests of the machinery did not end: see .*machinery.log"):
            self.ran("print('ok host:queue:a (0.1 s)'); raise SystemExit")

    def test_the_process_itself(self):
        with mock.patch.dict(machinery.SUITES, {"queue": None}, clear=True), \
                mock.patch("check.machinery._suite", return_value=unittest.TestSuite([Passes("test")])), \
                contextlib.redirect_stdout(io.StringIO()) as text:
            machinery.child()
        self.assertRegex(text.getvalue(), r"^ok host:queue:\S*machinery-test \(0.0 s\)\n1 passed, 0 failed, 0 skipped\n$")


class Passes(unittest.TestCase):
    """Something to run."""

    def test(self):
        """Passes."""


if __name__ == "__main__":
    unittest.main()
