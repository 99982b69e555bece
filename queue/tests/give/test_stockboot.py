# SPDX-License-Identifier: GPL-2.0-only
"""iommu-groups on Debian's own kernels: which, and what the machine's lines become."""

import contextlib
import io
import types
import unittest
from pathlib import Path
from unittest import mock

from tests.fake import Repository

from give import stockboot
from ground import results
from ground.errors import Stop
from ground.modules import ROOT
from ground.results import Report
from kernel.stock import Stock

JSON = b'{"groups": [{"group": 1, "devices": [{"device": "0000:00:01.0"}]}, {"group": 2, "devices": []}]}'


class Choice(unittest.TestCase):
    """The kernels and suites."""

    def test_all(self):
        self.assertEqual(stockboot.chosen([]), ["5.10", "6.1", "6.12", "newest"])

    def test_some_in_their_order(self):
        self.assertEqual(stockboot.chosen(["newest", "6.1"]), ["6.1", "newest"])

    def test_unknown(self):
        with self.assertRaisesRegex(Stop, "no kernel '6.2' .*: give some of 5.10 6.1 6.12 newest"):
            stockboot.chosen(["6.1", "6.2"])

    def test_the_script_has_each_suite(self):
        script = (ROOT.parent / stockboot.SCRIPT).read_text(encoding="utf-8")
        for suite in stockboot.SUITES:
            self.assertIn(f"\n{suite.replace('-', '_')}()\n", script)
            self.assertTrue(stockboot.words_of(suite).endswith(f" STOCK_CASES={suite.replace('-', '_')}"))
        self.assertIn(f'echo "{stockboot.JSON}', script)

    def test_the_script_runs_its_cases(self):
        script = (ROOT.parent / stockboot.SCRIPT).read_text(encoding="utf-8")
        names = {line.split()[1] for line in script.splitlines() if line.startswith("\trun ")}
        self.assertEqual([name for name in sorted(names) if f"\n{name}()\n{{" not in script], [])
        self.assertGreater(len(names), 30)


class Json(unittest.TestCase):
    """What the tool writes is read as a program would."""

    def test_good(self):
        self.assertEqual(stockboot.json_fault(JSON), "")

    def test_bad(self):
        for text, fault in ((b"{", "JSONDecodeError"), (b"[]", "TypeError"), (b'{"groups": []}', "no group"),
                            (b'{"groups": [{"group": 1}]}', "KeyError: 'devices'"), (b"\377", "UnicodeDecodeError"),
                            (JSON.replace(b'"group": 2', b'"group": 1'), r"no group, or one of them twice: \[1, 1\]")):
            self.assertRegex(stockboot.json_fault(text), fault)

    def test_is_a_case(self):
        report = Report(strict=False)
        heard = stockboot.Listener(report, "stock-6.1:tool:", Path("log"))
        with contextlib.redirect_stdout(io.StringIO()):
            for line in (f"# json json_is_valid {JSON.hex()}", "# json json_of_a_name 7b", "ok end"):
                heard.take(line)
        self.assertEqual([(one.outcome, one.name) for one in report.results],
                         [("ok", "stock-6.1:tool:json_is_valid"), ("not ok", "stock-6.1:tool:json_of_a_name"),
                          ("ok", "stock-6.1:tool:end")])


class Run(unittest.TestCase):
    """All suites on each kernel, and a kernel that cannot be had."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.tree = types.SimpleNamespace(layout=self.repo.layout, path=self.repo.root)

    def run_on(self, unpack, boot="ok one\nok end\n", arch="amd64"):
        """The report of run() where unpack() is this, and what QEMU was told."""
        report, told = Report(strict=False), []

        def streamed(argv, take, _log):
            told.append(argv)
            for line in boot.splitlines():
                take(line)

        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), \
                mock.patch.multiple("give.stockboot", _programs=mock.DEFAULT, _initramfs=mock.DEFAULT), \
                mock.patch("give.stockboot.packages.ensure"), \
                mock.patch("give.stockboot.deb.architecture", return_value=arch), \
                mock.patch("give.stockboot.stock.unpack", unpack), \
                mock.patch("give.stockboot.vm.command", return_value=["qemu"]), \
                mock.patch("give.stockboot.proc.streamed", streamed):
            stockboot.run(self.tree, ["6.1", "newest"], report)
        return report, told

    @staticmethod
    def kernel(_layout, which, _wanted):
        """A kernel that is there."""
        return Stock({"newest": "7.3"}.get(which, which), "release", Path("vmlinuz"), Path("root"))

    def test_names_and_command_lines(self):
        report, told = self.run_on(self.kernel)
        self.assertEqual([one.name for one in report.results if one.case == "one"],
                         [f"stock-{version}:{suite}:one" for version in ("6.1", "7.3") for suite in stockboot.SUITES])
        words = [argv[argv.index("-append") + 1] for argv in told]
        self.assertIn("intel_iommu=on intremap=off STOCK_CASES=no_intremap", words[1])

    def test_cannot_be_had(self):
        def unpack(layout, which, wanted):
            if which == "6.1":
                raise Stop("no archive")
            return self.kernel(layout, which, wanted)

        report, _ = self.run_on(unpack)
        self.assertEqual(str(report.results[0]), "not ok stock-6.1:tool:prepare (no archive)")
        self.assertEqual(results.count(report.results), [6, 1, 0])

    def test_on_another_architecture(self):
        with self.assertRaisesRegex(Stop, "which is not amd64"):
            self.run_on(self.kernel, arch="arm64")

    def test_machine_stops(self):
        report, _ = self.run_on(self.kernel, boot="ok one\n")
        self.assertEqual(results.count(report.results), [6, 6, 0])
        self.assertIn("the machine stopped after one", str(report.results[1]))


if __name__ == "__main__":
    unittest.main()
