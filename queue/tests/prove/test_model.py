# SPDX-License-Identifier: GPL-2.0-only
"""What spin's searches print, read right, and the model's own names."""

import unittest
from pathlib import Path

from tests.fake import Repository

from ground.errors import Failed
from prove import model

CLEAN = """State-vector 76 byte, depth reached 90, errors: 0
     1234 states, stored
unreached in proctype user
\tdma_owner.pml:627, state 370, "-end-"
\t(1 of 370 states)
"""
FAULT = ("pan:1: assertion violated (owner_cnt==1) (at depth 41)\n" +
         CLEAN.replace("errors: 0", "errors: 1"))


class Searches(unittest.TestCase):
    """A search that did not end, or that says two things, is no result."""

    @staticmethod
    def read(text):
        """The Search of a log with this text."""
        return model.Search(text, Path("/nonexistent"), 1.0)

    def test_clean(self):
        search = self.read(CLEAN)
        self.assertEqual((search.errors, search.states, search.unreached()), (0, 1234, []))

    def test_fault(self):
        search = self.read(FAULT)
        self.assertEqual((search.errors, search.fault[1], search.fault[2]),
                         (1, "assertion violated (owner_cnt==1)", "41"))

    def test_unreached(self):
        search = self.read(CLEAN + '\tdma_owner.pml:9, state 3, "owner = 0"\n')
        self.assertEqual(search.unreached(), ["line 9 is never reached: owner = 0"])

    def test_too_shallow(self):
        with self.assertRaises(Failed):
            self.read("error: max search depth too small\n" + CLEAN)

    def test_cut_off(self):
        with self.assertRaises(Failed):
            self.read("pan: out of memory\n")

    def test_errors_without_a_fault(self):
        with self.assertRaises(Failed):
            self.read(CLEAN.replace("errors: 0", "errors: 1"))


class Names(unittest.TestCase):
    """Rules come from the model itself."""

    def test_names(self):
        text = "#ifndef BREAK_Y\n#endif\n#ifdef BREAK_X\n#ifndef BREAK_Y\n * -DBREAK_Z in a comment\n"
        self.assertEqual(model.rules(text), ["X", "Y"])

    def test_series_without_a_model(self):
        repo = Repository()
        self.addCleanup(repo.close)
        self.assertEqual(model.cases(repo.context()), [])


if __name__ == "__main__":
    unittest.main()
