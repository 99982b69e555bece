# SPDX-License-Identifier: GPL-2.0-only
"""Measurements: figures, aims, the picture, sizes, and the peers' kernels."""

import contextlib
import io
import json
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from tests.fake import Repository

from ground import layout as layouts
from ground.errors import Stop
from kernel import peers
from measure import aims, bench, chart, footprint

ROOT = Path(__file__).resolve().parents[3]
SAID = ["TAP version 13", "1..2", "boot_to_init 812345 us", "#  RUN  perf.claim_cycle ...",
        "claim_cycle.close_2 400 ns", "claim_cycle_2 1000 ns", "ok 1 perf.claim_cycle", "not a figure 12 at all"]
AIM = """[one]
what = the cycle
figures = cycle_?*
rule = {rule}
of = {of}
limit = {limit}
reason = {reason}
"""


class Figures(unittest.TestCase):
    """What the machines print, as tables."""

    table = {"base": {"cycle_2": (1000, "ns"), "boot": (5, "us")},
             "patched": {"cycle_2": (900, "ns"), "boot": (5, "us"), "refusal_2": (70, "ns")}}

    def test_parse(self):
        self.assertEqual(bench.parse(SAID), {"boot_to_init": (812345, "us"), "claim_cycle.close_2": (400, "ns"),
                                             "claim_cycle_2": (1000, "ns")})

    def test_rows(self):
        lines = [line.split() for line in bench.rows(self.table)]
        self.assertEqual(lines, [["figure", "unit", "base", "patched"], ["cycle_2", "ns", "1000", "900", "0.900"],
                                 ["boot", "us", "5", "5", "1.000"], ["refusal_2", "ns", "70"]])

    def test_each_machine_gives_its_own(self):
        said = {"groups": SAID, "boot": ["boot_to_init 7 us", "claim_cycle_128 3 ns"]}
        with mock.patch("machine.vm.bench", side_effect=lambda tree, built, machine, title: said[machine]):
            figures = bench.measure(None, None, "patched")
        self.assertEqual({name: value for name, (value, _) in figures.items()},
                         {"boot_to_init": 7, "claim_cycle.close_2": 400, "claim_cycle_2": 1000})

    def test_no_figure_is_an_error(self):
        tree = SimpleNamespace(layout=layouts.Layout("/nowhere"))
        with mock.patch("machine.vm.bench", return_value=["ok 1 all"]), self.assertRaises(Stop):
            bench.measure(tree, None, "base")

    def test_parts_are_not_drawn(self):
        table = {"base": {"claim_cycle_2": (10, "ns"), "claim_cycle_8": (20, "ns"), "claim_cycle.close_2": (4, "ns"),
                          "boot_to_init": (3, "us")}}
        self.assertEqual(bench.curves(table), {"base": [(2, 10), (8, 20)]})


class Aims(unittest.TestCase):
    """Figures held against aims."""

    def judge(self, rule, limit, patched, base=(100, 100, 100), reason=""):
        """The Verdict on the figures of three sizes; the base's are 100 each."""
        figures = {kernel: dict(zip(("cycle_2", "cycle_8", "cycle_32"), values))
                   for kernel, values in (("patched", patched), ("base", base))}
        of = "" if rule in aims.ALONE else "base"
        text = AIM.format(rule=rule, of=of, limit=limit, reason=reason)
        if not of:
            text = text.replace("of = \n", "")
        return aims.judge(self.load(text), figures)[0]

    def load(self, text):
        """The aims of a file with this text."""
        repo = Repository()
        self.addCleanup(repo.close)
        repo.write("aims", text)
        return aims.load(repo.root / "aims")

    def test_rules(self):
        for rule, limit, good, bad in (("ratio", 1.0, (100, 90, 100), (90, 101, 90)),
                                       ("below", 1.0, (99, 90, 99), (90, 100, 90)),
                                       ("added", 30, (130, 90, 100), (90, 131, 100)),
                                       ("falls", 1.0, (100, 99, 98), (100, 99, 99)),
                                       ("even", 10, (100, 110, 105), (100, 111, 105)),
                                       ("flat", 1.1, (100, 110, 105), (100, 111, 100)),
                                       ("most", 100, (100, 1, 2), (1, 2, 101))):
            with self.subTest(rule):
                self.assertTrue(self.judge(rule, limit, good).holds)
                self.assertFalse(self.judge(rule, limit, bad).holds)

    def test_each_further_device(self):
        one = self.load(AIM.format(rule="slope", of="base", limit=0.5, reason=""))
        figures = {"patched": {"cycle_32": 400, "cycle_2": 100, "cycle_8": 900},
                   "base": {"cycle_2": 50, "cycle_32": 650, "cycle_8": 60}}
        verdict = aims.judge(one, figures)[0]
        self.assertEqual((verdict.measured, verdict.holds), ("10 each: 0.500", True))
        figures["patched"]["cycle_32"] = 430
        self.assertFalse(aims.judge(one, figures)[0].holds)

    def test_against_another_figure(self):
        one = self.load(AIM.format(rule="even", of="base", limit=10, reason="") + "figure = find\n")
        figures = {"patched": {"cycle_2": 100, "cycle_8": 205}, "base": {"find_2": 10, "find_8": 110}}
        self.assertEqual(aims.judge(one, figures)[0].measured, "+90 to +95")
        with self.assertRaises(Stop):
            aims.judge(one, dict(figures, base={"find_2": 10}))

    def test_worst_is_named(self):
        self.assertEqual(self.judge("ratio", 1.0, (90, 120, 110)).measured, "1.200 (cycle_8)")
        self.assertEqual(self.judge("falls", 1.0, (100, 90, 95)).measured, "1.000 0.900 0.950")

    def test_a_reason_excuses(self):
        self.assertFalse(self.judge("most", 1, (2, 2, 2)).good())
        verdict = self.judge("most", 1, (2, 2, 2), reason="it takes two")
        self.assertTrue(verdict.good())
        self.assertIn("excused one: the cycle: 2 (cycle_2); it takes two", bench.verdict_line(verdict))

    def test_peer_that_was_not_measured(self):
        wanted = self.load(AIM.format(rule="ratio", of="9.9", limit=1, reason=""))
        self.assertEqual(aims.judge(wanted, {"patched": {"cycle_2": 1}, "base": {"cycle_2": 1}}), [])

    def test_figure_that_was_not_measured(self):
        wanted = self.load(AIM.format(rule="ratio", of="base", limit=1, reason=""))
        with self.assertRaisesRegex(Stop, "not measured"):
            aims.judge(wanted, {"patched": {"boot": 1}, "base": {"cycle_2": 1}})
        with self.assertRaisesRegex(Stop, "base has no figure cycle_8"):
            aims.judge(wanted, {"patched": {"cycle_2": 1, "cycle_8": 1}, "base": {"cycle_2": 1}})

    def test_mistakes_in_the_file(self):
        for old, new, word in (("ratio", "rato", "rule must be"), ("limit", "limt", "what is 'limt'"),
                               ("of = base", "", "takes an `of`"), ("limit = 1", "limit = x", "could not convert"),
                               ("what = the cycle", "", "what")):
            with self.subTest(word), self.assertRaisesRegex(Stop, word):
                self.load(AIM.format(rule="ratio", of="base", limit=1, reason="").replace(old, new))

    def test_the_file_of_the_repository(self):
        self.assertTrue(aims.load(ROOT / bench.AIMS))


class Chart(unittest.TestCase):
    """The picture."""

    def test_a_line_for_each_kernel(self):
        text = chart.draw("Cost", "instructions", {"base": [(1, 100), (128, 9000)], "<new>": [(128, 800), (1, 150)]})
        root = xml.fromstring(text)
        names = [node.tag.rpartition("}")[2] for node in root]
        self.assertEqual((names.count("polyline"), names.count("circle")), (2, 4))
        self.assertIn("<new>", [node.text for node in root])

    def test_more_is_higher_and_larger_is_further_right(self):
        root = xml.fromstring(chart.draw("Cost", "n", {"base": [(2, 10), (8, 1000)]}))
        (left, low), (right, high) = [(float(c.get("cx")), float(c.get("cy"))) for c in root if c.tag.endswith("circle")]
        self.assertLess(left, right)
        self.assertGreater(low, high)

    def test_ticks(self):
        self.assertEqual(chart.ticks(120, 900), [100, 200, 500, 1000])
        self.assertEqual(chart.ticks(100, 100), [100])
        self.assertEqual([chart.amount(n) for n in (500, 2000, 1500000)], ["500", "2 k", "1.5 M"])


class Footprint(unittest.TestCase):
    """Sizes of binaries and structures."""

    def test_meter(self):
        self.assertEqual(footprint.parse_meter("add/remove: 1/0\nTotal: Before=1200, After=1100, chg -8.33%\n"),
                         (1200, 1100))
        with self.assertRaises(Stop):
            footprint.parse_meter("no such file")

    def test_pahole(self):
        self.assertEqual(footprint.parse_sizes("device\t680\t3\niommu_group\t208\t0\nodd line\n"),
                         {"device": 680, "iommu_group": 208})

    def test_only_public_structures_count(self):
        repo = Repository()
        self.addCleanup(repo.close)
        tree = repo.commit("A header", {"include/linux/x.h": "struct open {\n};\nstruct stub {};\n",
                                          "drivers/x.c": "struct own {\n};\nstruct stub {\n};\n"})
        old = {"open": 8, "own": 8, "stub": 8, "gone": 4}
        new = {"open": 16, "own": 16, "stub": 16, "fresh": 4}
        self.assertEqual(footprint.resized(tree.git, tree.tip(), old, new), ["open"])
        self.assertEqual(footprint.resized(tree.git, tree.tip(), old, old), [])


class Peers(unittest.TestCase):
    """Newer kernels."""

    def test_the_base_of_the_port(self):
        repo = Repository()
        self.addCleanup(repo.close)
        port = repo.port("6.1")
        with mock.patch("patches.bases.pinned", return_value=port.source), \
                mock.patch("kernel.kernels.of_tree") as of_tree, contextlib.redirect_stderr(io.StringIO()):
            built = peers.build(repo.layout, "6.1", "perf")
        self.assertEqual(of_tree.call_args.args[0].path, repo.root / ".build/ports/6.1/tree")
        self.assertTrue(of_tree.call_args.kwargs["base_only"])
        built.build.assert_called_once()


class Run(unittest.TestCase):
    """The verb, with machines that say what they are told."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.repo.write(bench.AIMS, AIM.format(rule="ratio", of="base", limit=1, reason="").replace("cycle_?*", "claim_cycle_2"))
        self.built = SimpleNamespace(title="x86_64-perf", source=self.repo.tree().path)

    def run_with(self, patched):
        """Exit status and output of a run in which the base takes 1000."""
        cost = {"base": 1000, "patched": patched}
        text = io.StringIO()
        with mock.patch("machine.vm.harness"), mock.patch("measure.bench.add_sizes"), \
                mock.patch("measure.bench.builds", return_value={name: self.built for name in cost}), \
                mock.patch("machine.vm.bench", side_effect=lambda tree, built, machine, title: [
                    f"claim_cycle_2 {cost[title]} ns", "boot_to_init 9 us"]), \
                contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
            status = bench.run(self.repo.layout, self.repo.source, [])
        return status, text.getvalue()

    def test_aims_decide(self):
        self.assertEqual(self.run_with(990)[0], 0)
        status, text = self.run_with(1010)
        self.assertEqual(status, 1)
        self.assertIn("missed  one: the cycle: 1.010 (claim_cycle_2)", text)
        self.assertIn("0 of 1 aims hold, 1 are missed without a reason", text)

    def test_kept(self):
        self.run_with(990)
        kept = json.loads((self.repo.root / "out/bench/bench.json").read_text(encoding="utf-8"))
        self.assertEqual(kept["kernels"]["patched"]["figures"]["claim_cycle_2"], {"value": 990, "unit": "ns"})
        self.assertTrue(kept["aims"][0]["holds"])
        self.assertIn("polyline", (self.repo.root / "out/bench/claim_cycle.svg").read_text(encoding="utf-8"))

    def test_table_says_what_was_measured(self):
        with self.assertRaisesRegex(Stop, "nothing was measured yet: ./dma-owner bench does"):
            bench.text(self.repo.layout)
        self.run_with(990)
        lines = bench.text(self.repo.layout).splitlines()
        self.assertRegex(lines[0], "SPDX")
        self.assertRegex(lines[5], r"^# fake 1, series (\w{12}|with edits), 20\d\d-")
        self.assertRegex("\n".join(lines), r"claim_cycle_2 +ns +1000 +990 +0.990")
        self.assertIn("holds   one: the cycle: 0.990 (claim_cycle_2)", lines)


if __name__ == "__main__":
    unittest.main()
