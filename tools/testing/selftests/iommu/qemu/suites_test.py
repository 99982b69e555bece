#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of suites.py: python3 -B suites_test.py"""

import pathlib
import tempfile
import unittest

import suites

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


class SuitesTest(unittest.TestCase):
    """What is in the file, and what must not be."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for name in MACHINES:
            self.path(f"{name}.conf").touch()

    def path(self, name):
        """A file beside tests.cfg."""
        return pathlib.Path(self.folder.name, name)

    def select(self, machine, kind="kselftest", chosen=(), text=TEXT):
        """suites.select() on a text."""
        path = self.path("tests.cfg")
        path.write_text(text, encoding="utf-8")
        return suites.select(str(path), machine, kind, list(chosen))

    def complaint(self, old, new):
        """What is said of the text with one replacement."""
        self.assertIn(old, TEXT)
        with self.assertRaises(suites.ConfigError) as caught:
            self.select("arm", text=TEXT.replace(old, new))
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
