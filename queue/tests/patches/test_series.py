# SPDX-License-Identifier: GPL-2.0-only
"""The file `series`."""

import unittest

from tests.fake import Repository

from ground.errors import Stop
from patches import series


class Series(unittest.TestCase):
    """The file `series`."""

    def test_no_series_yet(self):
        repo = Repository()
        self.addCleanup(repo.close)
        self.assertEqual(series.load(repo.layout), [])

    def test_words_after_a_name(self):
        with self.assertRaises(Stop):
            series.parse("a.patch -p1\n")

    def test_comments_stay_with_their_patch(self):
        old = "# SPDX-License-Identifier: GPL-2.0-only\n\n# core\na.patch\n\n# vfio\nb.patch\n"
        self.assertEqual(series.compose(["a.patch", "b.patch"], old), old)
        self.assertEqual(series.compose(["b.patch", "a.patch"], old),
                         "# SPDX-License-Identifier: GPL-2.0-only\n\n\n# vfio\nb.patch\n# core\na.patch\n")

    def test_header_stays_when_the_first_patch_goes(self):
        old = "# SPDX-License-Identifier: GPL-2.0-only\na.patch\nb.patch\n"
        self.assertEqual(series.compose(["b.patch"], old), "# SPDX-License-Identifier: GPL-2.0-only\nb.patch\n")

    def test_new_series_has_a_header(self):
        self.assertTrue(series.compose(["a.patch"], "").startswith("# SPDX"))

    def test_kernel_paths(self):
        self.assertTrue(series.is_kernel_path("drivers/iommu/x.c"))
        for path in ("queue/x.py", "../x", "a//b", "base", "drivers/x.patch", "a/.git/x"):
            self.assertFalse(series.is_kernel_path(path), path)


if __name__ == "__main__":
    unittest.main()
