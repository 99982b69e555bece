# SPDX-License-Identifier: GPL-2.0-only
"""Each patch in other configurations: which are asked for, and what is held against it."""

import unittest
from types import SimpleNamespace
from unittest import mock

from tests.fake import changed_base, Repository

from check import configurations, each_patch
from ground.errors import Failed, Stop
from patches import refresh

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

    def built(self, said, base):
        """builds() of the patch, twice, when the compiler says `said` of it, and `base`
        of the base; what is compiled already it does not speak of."""
        self.anew = []
        source = {"step": said, "base": base}

        def make(ctx, tree, arch, targets, variant, title, log_name, anew=False):
            log = ctx.log(log_name)
            log.parent.mkdir(parents=True, exist_ok=True)
            out = tree / ".out"
            if anew:
                each_patch.forget(out, targets)
                self.anew.append(tree.name)
            stale = (out / "drivers/iommu/iommu.o")
            log.write_text("" if stale.is_file() else source[tree.name], encoding="utf-8")
            stale.parent.mkdir(parents=True, exist_ok=True)
            stale.touch()
            self.targets = targets
            return SimpleNamespace(out=out), log

        sweep, outcomes = configurations.Sweep("x86_64", configurations.VARIANTS[0]), []
        with mock.patch.object(each_patch, "make", make):
            for _ in range(2):
                try:
                    outcomes.append(configurations.builds(self.ctx, 0, sweep))
                except Failed as failed:
                    outcomes.append(str(failed))
        return outcomes

    def test_cases(self):
        names = [name for name, _, _ in configurations.cases(self.ctx)]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len(names), len(configurations.VARIANTS) * len(configurations.ARCHES) * 2 + 1)
        self.assertIn("no-pci-arm64:iommu-change-a-line", names)
        self.assertIn("no-pci-arm64:links", names)
        self.assertIn("boots:iommu-change-a-line", names)

    def test_chosen(self):
        [lane] = configurations.chosen(["boots", "no-pci-arm64"])(self.ctx)
        names = [name for name, _, _ in lane]
        self.assertEqual(names, ["no-pci-arm64:iommu-change-a-line", "no-pci-arm64:links", "boots:iommu-change-a-line"])
        self.assertEqual(len(*configurations.chosen([])(self.ctx)), len(configurations.cases(self.ctx)))
        with self.assertRaisesRegex(Stop, "no case is named like nonsense: give a variant .as-is, no-vfio"):
            configurations.chosen(["nonsense"])(self.ctx)

    def test_builds_with_w1(self):
        self.assertEqual(self.built("", ""), ["", ""])
        self.assertEqual(self.targets, ["W=1", "drivers/iommu/"])

    def test_new_warning_is_told_each_time(self):
        for said in self.built(WARNING, ""):
            self.assertIn("unused variable", said)

    def test_warning_of_the_base(self):
        self.assertEqual(self.built(WARNING, WARNING), ["", ""])

    def test_the_base_is_compiled_anew_and_once(self):
        stale = self.repo.tree().path.parent / "base/.out/drivers/iommu/iommu.o"
        stale.parent.mkdir(parents=True)
        stale.touch()
        self.assertEqual(self.built(WARNING, WARNING), ["", ""])
        self.assertEqual(self.anew, ["base"])


if __name__ == "__main__":
    unittest.main()
