# SPDX-License-Identifier: GPL-2.0-only
"""Warnings of compilers and checkers, made comparable."""

import unittest

from kernel import warnings


class Warnings(unittest.TestCase):
    """Logs of compilers and checkers, compared without their line numbers."""

    def test_only_touched_and_without_numbers(self):
        text = ("../drivers/iommu/a.c:10:5: warning: odd\n../drivers/iommu/a.c:12:5: warning: odd\n"
                "../drivers/iommu/b.c:1:1: warning: odd\n")
        self.assertEqual(dict(warnings.of_files(text, {"drivers/iommu/a.c"})),
                         {("drivers/iommu/a.c", "warning: odd"): 2})

    def test_kernel_doc_form(self):
        text = "drivers/iommu/a.c:10: warning: Function parameter or member 'x' not described in 'f'\n"
        self.assertEqual(len(warnings.of_files(text, {"drivers/iommu/a.c"})), 1)


if __name__ == "__main__":
    unittest.main()
