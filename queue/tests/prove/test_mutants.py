# SPDX-License-Identifier: GPL-2.0-only
"""Which mutations the words of the command line choose."""

import unittest

from ground.errors import Stop
from prove import mutants


class Chosen(unittest.TestCase):
    """The words on the command line."""

    def test_by_rule_and_by_test(self):
        every = mutants.chosen([])
        of_rule, of_test = mutants.chosen(["claims are not counted"]), mutants.chosen(["visibility"])
        self.assertEqual([m.killer.name for m in of_rule], ["dma_owner_visibility_test"])
        self.assertIn(of_rule[0], of_test)
        self.assertLess(len(of_test), len(every))
        self.assertEqual(mutants.chosen(["BARRIER", "visibility"]),
                         [m for m in every if "BARRIER" in m.killer or m in of_test])

    def test_neither(self):
        with self.assertRaisesRegex(Stop, "no mutation.* is named like nonsense or humbug"):
            mutants.chosen(["nonsense", "humbug"])


if __name__ == "__main__":
    unittest.main()
