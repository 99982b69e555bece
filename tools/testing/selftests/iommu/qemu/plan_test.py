#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of plan.py: python3 -B plan_test.py"""

import pathlib
import tempfile
import unittest

import plan

HERE = pathlib.Path(__file__).resolve().parent
MACHINES = ["pc-one", "pc-two", "arm"]
TEXT = """\
# about the file
[prog]
kind = kselftest
machines = *
cases =
	near.open
	near.close
	far.open
except =
	# The arm is short.
	arm	far.*

[unit]
kind = kunit
machines = pc-*
cases =
	first
"""

BRACES = """\
[topologies]
near = pc-*
far = * !*-two

[prog]
kind = kselftest
machines = *
cases =
	early
	sight.{near,far,there}:
		opens
		shuts
	sound:
		ends
"""


class PlanTest(unittest.TestCase):
    """What is in the file, and what must not be."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for name in MACHINES:
            self.path(f"{name}.conf").touch()

    def path(self, name):
        """A file beside tests.cfg."""
        return pathlib.Path(self.folder.name, name)

    def read(self, text=TEXT):
        """The suites of a text."""
        path = self.path("tests.cfg")
        path.write_text(text, encoding="utf-8")
        return plan.read(str(path), path.parent)

    def select(self, machine, kind="kselftest", chosen=(), text=TEXT):
        """plan.select() on a text."""
        return plan.select(self.read(text), machine, kind, list(chosen))

    def complaint(self, old, new, text=TEXT):
        """What is said of the text with one replacement."""
        self.assertIn(old, text)
        with self.assertRaises(plan.ConfigError) as caught:
            self.read(text.replace(old, new))
        return str(caught.exception)

    def test_everywhere(self):
        self.assertEqual(self.select("pc-one"), {
            "prog": (["near.open", "near.close", "far.open"], [])})

    def test_exception(self):
        self.assertEqual(self.select("arm"), {
            "prog": (["near.open", "near.close"], ["far.open"])})

    def test_kind_and_machines(self):
        self.assertEqual(list(self.select("pc-two", "kunit")), ["unit"])
        self.assertEqual(self.select("arm", "kunit"), {})

    def test_chosen(self):
        self.assertEqual(list(self.select("pc-one", chosen=["prog"])), ["prog"])
        self.assertEqual(self.select("pc-one", chosen=["unit"]), {})

    def test_no_machine(self):
        for words in ("", "machines =", "machines = arm !*"):
            self.assertIn("[prog]: on which machine?", self.complaint("machines = *", words))

    def test_case_is_listed_twice(self):
        self.assertIn("[prog]: 'far.open' is there twice",
                      self.complaint("near.open", "near.open far.open"))

    def test_exception_of_what_is_an_exception(self):
        self.assertIn("'far.open' is nowhere",
                      self.complaint("	arm	far.*\n", "	arm	far.*\n	arm	far.open\n"))

    def test_braces(self):
        self.assertEqual(self.select("pc-one", text=BRACES)["prog"].cases, [
            "early", "sight.near.opens", "sight.near.shuts", "sight.far.opens", "sight.far.shuts",
            "sight.there.opens", "sight.there.shuts", "sound.ends"])

    def test_machine_without_a_topology(self):
        for machine, lacking in (("pc-two", "far"), ("arm", "near")):
            cases, absent = self.select(machine, text=BRACES)["prog"]
            self.assertEqual(absent, [f"sight.{lacking}.opens", f"sight.{lacking}.shuts"])
            self.assertEqual(len(cases), 6)
            self.assertFalse(set(absent) & set(cases))

    def test_exception_of_a_topology(self):
        text = BRACES + "except =\n\t*\tsight.*.shuts\n"
        self.assertEqual(self.select("arm", text=text)["prog"].cases, [
            "early", "sight.far.opens", "sight.there.opens", "sound.ends"])
        self.assertIn("'*.near.*' is nowhere",
                      self.complaint("*\tsight.*.shuts", "arm\t*.near.*", text))

    def test_topology_that_is_not_right(self):
        for old, new, said in (
                ("near = pc-*", "near = tablet", "[topologies]: 'tablet' is nowhere"),
                ("near = pc-*", "near =", "[topologies]: on which machine?"),
                ("near,far", "near", "[topologies]: 'far' is in no suite"),
                ("near,far", "near,near,far", "[prog]: 'sight.near.opens' is there twice"),
                ("{near,far,there}", "{near,far", "[prog]: what is 'sight.{near,far:'?"),
                ("sound:\n", "sound: sight:\n", "[prog]: what is 'sound: sight:'?"),
                ("\t\tends\n", "", "[prog]: no case is below 'sound:'")):
            with self.subTest(new):
                self.assertEqual(self.complaint(old, new, BRACES), said)

    def test_file_of_this_directory(self):
        suites = plan.read(str(HERE / "tests.cfg"))
        for conf in HERE.glob("*.conf"):
            with self.subTest(conf.stem):
                self.assertTrue(list(plan.case_names(suites, conf.stem, [])))

    def test_cases_have_time(self):
        """Whoever takes the harness past harness.h has 30 s for a case."""
        sources = [*HERE.parent.glob("*.c"), *HERE.parent.glob("*.h")]
        self.assertEqual([HERE.parent / "harness.h"], [
            path for path in sources
            if '"../kselftest_harness.h"' in path.read_text(encoding="utf-8")])

    def test_summary(self):
        suites = self.read()
        lines = [line for name in MACHINES for line in plan.summary(suites, name, [])]
        self.assertEqual(lines, ["pc-one 4 prog", "pc-two 4 prog", "arm 2 prog"])
        self.assertEqual(list(plan.summary(suites, "pc-one", ["unit"])), ["pc-one 1 "])
        self.assertEqual(list(plan.summary(suites, "bench/pc", [])), ["bench/pc 0 "])

    def test_programs_have_a_comma_between_them(self):
        text = TEXT + TEXT.split("\n\n")[0].replace("prog", "more")
        self.assertEqual(list(plan.summary(self.read(text), "arm", [])), ["arm 4 prog,more"])

    def test_cases_in_the_order_in_which_they_run(self):
        self.assertEqual(list(plan.case_names(self.read(), "pc-one", [])), [
            "pc-one:unit:first", "pc-one:prog:near.open", "pc-one:prog:near.close",
            "pc-one:prog:far.open"])
        self.assertEqual(list(plan.case_names(self.read(), "arm", ["unit"])), [])

    def test_suite_without_a_list_of_cases(self):
        text = TEXT.replace("cases =\n\tfirst\n", "")
        self.assertEqual(list(plan.case_names(self.read(text), "pc-one", ["unit"])),
                         ["pc-one:unit:*"])

    def test_suite_that_no_machine_runs(self):
        plan.check_chosen(self.read(), ["arm", "pc-one"], ["unit", "prog"])
        for machines, name in ((["arm"], "unit"), (MACHINES, "none")):
            with self.subTest(name), self.assertRaises(plan.ChoiceError) as caught:
                plan.check_chosen(self.read(), machines, ["prog", name])
            self.assertEqual(str(caught.exception), f"no suite '{name}' on {' '.join(machines)}")

    def test_machine_is_taken_out(self):
        text = TEXT.replace("machines = pc-*", "machines = * !*-two !arm")
        self.assertEqual(list(self.select("pc-one", "kunit", text=text)), ["unit"])
        for machine in ("pc-two", "arm"):
            self.assertEqual(self.select(machine, "kunit", text=text), {})

    def test_nothing_is_selected(self):
        self.assertIn("'tablet' is nowhere",
                      self.complaint("machines = *", "machines = tablet"))
        self.assertIn("'pc-*' is nowhere",
                      self.complaint("machines = *", "machines = arm !pc-*"))
        self.assertIn("'far.shut' is nowhere", self.complaint("far.*", "far.shut"))
        self.assertIn("'leg' is nowhere", self.complaint("arm	far", "leg	far"))

    def test_exception_for_a_machine_without_the_suite(self):
        self.assertIn("'arm' is nowhere",
                      self.complaint("machines = *", "machines = pc-*"))

    def test_exception_of_no_case(self):
        self.assertIn("except which case on 'arm'", self.complaint("arm	far.*", "arm"))

    def test_unknown_words(self):
        self.assertIn("what is 'expect'", self.complaint("except", "expect"))
        self.assertIn("kind must be", self.complaint("kselftest", "selftest"))
        self.assertIn("already exists", self.complaint("[unit]", "[prog]"))


if __name__ == "__main__":
    unittest.main()
