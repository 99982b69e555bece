# SPDX-License-Identifier: GPL-2.0-only
"""Each patch in other configurations: which are asked for, and what is held against it."""

import unittest
from unittest import mock

from fake import Repository, changed_base

import refresh
import steps
import variants
from checkbase import Failed

PATH = "drivers/iommu/iommu.c"
WARNING = f"{PATH}:7:1: warning: unused variable 'x'\n"


class Variants(unittest.TestCase):
    """One patch to a file of the base."""

    def setUp(self):
        self.repo = Repository()
        self.repo.commit("iommu: Change a line", changed_base(PATH, "line 7\n", "line seven\n"))
        refresh.refresh(self.repo.layout)
        self.ctx = self.repo.context()

    def tearDown(self):
        self.repo.close()

    def built(self, said):
        """builds() of the patch when the compiler says said[source folder]."""
        def make(ctx, source, arch, targets, variant, title, log_name):
            log = ctx.log(log_name)
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(said[source.name], encoding="utf-8")
            self.targets = targets
            return None, log
        with mock.patch.object(steps, "make", make):
            return variants.builds(self.ctx, 0, "x86_64", variants.VARIANTS[0])

    def test_cases(self):
        names = [name for name, _, _ in variants.cases(self.ctx)]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(names), len(variants.VARIANTS) * len(variants.ARCHES) * 2 + 1)
        self.assertIn("no-pci-arm64:iommu-change-a-line", names)
        self.assertIn("no-pci-arm64:links", names)
        self.assertIn("boots:iommu-change-a-line", names)

    def test_builds_with_w1(self):
        self.assertEqual(self.built({"step": ""}), "")
        self.assertEqual(self.targets, ["W=1", "drivers/iommu/"])

    def test_new_warning(self):
        with self.assertRaisesRegex(Failed, "unused variable"):
            self.built({"step": WARNING, "base": ""})

    def test_warning_of_the_base(self):
        self.assertEqual(self.built({"step": WARNING, "base": WARNING}), "")


if __name__ == "__main__":
    unittest.main()
