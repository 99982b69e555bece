# SPDX-License-Identifier: GPL-2.0-only
"""The checks of the documentation: what counts as a complaint, and what not."""

import tempfile
import unittest
from pathlib import Path

from check import docs

SAID = """\
WARNING: The kernel documentation build process
/w/pages/driver-api/owner.rst:12: WARNING: Title underline too short.
/w/pages/driver-api/owner.rst: WARNING: document isn't included in any toctree
/k/drivers/iommu/dma-owner.c:40: warning: Function parameter 'x' not described
/k/include/linux/other.h:40: warning: Function parameter 'y' not described
"""


class Complaints(unittest.TestCase):
    """Texts of the tools, as they are and with something amiss."""

    def test_pages_and_sources_of_the_series(self):
        self.assertEqual(docs.complaints(SAID, "/w/pages", ["drivers/iommu/dma-owner.c"]), [
            "Documentation/driver-api/owner.rst: Title underline too short.",
            "Documentation/driver-api/owner.rst: document isn't included in any toctree",
            "drivers/iommu/dma-owner.c: Function parameter 'x' not described"])

    def test_nothing_to_complain_of(self):
        self.assertEqual(docs.complaints(SAID, "/elsewhere", []), [])

    def test_only_what_is_new(self):
        old = "Warning: a is defined 2 times:  f:1  g:2\n"
        self.assertEqual(docs.new_lines("Warning: a is defined 2 times:  f:7  g:2\n", old), [])
        self.assertEqual(docs.new_lines(old + "Warning: b\n", old), ["Warning: b"])

    def test_page_without_index(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "Documentation" / "driver-api"
            folder.mkdir(parents=True)
            (folder / "index.rst").write_text(".. toctree::\n\n   owner\n", encoding="utf-8")
            paths = [f"Documentation/driver-api/{page}.rst" for page in ("owner", "lost")]
            self.assertEqual(docs.unlisted(Path(name), paths),
                             ["Documentation/driver-api/lost.rst: not in Documentation/driver-api/index.rst"])

    def test_function_without_description(self):
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "a.c").write_text("/**\n * one() - does it\n */\n", encoding="utf-8")
            (Path(name) / "a.rst").write_text(".. kernel-doc:: a.c\n   :functions: one\n               two\n",
                                              encoding="utf-8")
            self.assertEqual(docs.unknown_functions(Path(name), ["a.rst"]), ["a.rst: a.c does not describe two()"])
