# SPDX-License-Identifier: GPL-2.0-only
"""Patches as mails, and where they stand."""

import unittest

from ground.errors import Stop
from patches import patchmail


class Mails(unittest.TestCase):
    """Patch files there and back."""

    def test_round_trip(self):
        patch = patchmail.Patch("iommu: Say grüße", "One.\n\nTwo.", ["b.c", "a.c"], b"diff --git a/x b/x\n-a\n+b\n")
        data = patch.to_bytes()
        again = patchmail.parse(data, "x")
        self.assertEqual(again.to_bytes(), data)
        self.assertEqual((again.subject, again.body, again.new_files, again.diff),
                         (patch.subject, patch.body, ["a.c", "b.c"], patch.diff))

    def test_no_diff_and_no_body(self):
        data = patchmail.Patch("iommu: Add", "", ["a.c"], b"").to_bytes()
        again = patchmail.parse(data, "x")
        self.assertEqual((again.body, again.new_files, again.diff), ("", ["a.c"], b""))

    def test_new_file_lines_of_the_text_do_not_count(self):
        data = patchmail.Patch("iommu: Add", "New-file: not/this", ["a.c"], b"").to_bytes()
        self.assertEqual(patchmail.parse(data, "x").new_files, ["a.c"])

    def test_not_a_mail(self):
        with self.assertRaises(Stop):
            patchmail.parse(b"--- a/x\n+++ b/x\n", "x.patch")

    def test_slug(self):
        self.assertEqual(patchmail.slug("iommu: Add DMA ownership of groups"), "iommu-add-dma-ownership-of-groups")
        self.assertEqual(patchmail.slug("vfio/pci: Use a.b()..c."), "vfio-pci-use-a.b-.c")

    def test_folder(self):
        self.assertEqual(patchmail.folder("driver core: X", ["include/linux/device.h"]), "drivers/base")
        self.assertEqual(patchmail.folder("vfio/mdev: X", ["drivers/vfio/mdev/a.c"]), "drivers/vfio")
        self.assertEqual(patchmail.folder("powerpc/fsl_pci: X", ["arch/powerpc/sysdev/fsl_pci.c"]),
                         "arch/powerpc/sysdev")
        self.assertEqual(patchmail.folder("treewide: X", ["a/b.c", "c/d.c"]), "Documentation")


if __name__ == "__main__":
    unittest.main()
