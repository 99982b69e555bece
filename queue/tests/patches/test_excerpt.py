# SPDX-License-Identifier: GPL-2.0-only
"""What of a base the checks of a port read."""

import io
import lzma
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tests.fake import Repository, changed_base, quiet

from ground.errors import Stop
from patches import excerpt, refresh, series

FILES = {
    "Makefile": "all:\n",
    "MAINTAINERS": "F: x\n",
    "include/linux/a.h": "int a;\n",
    "arch/x86/kernel/a.c": "int b;\n",
    "arch/arm/kernel/a.c": "int c;\n",
    "sound/Kconfig": "config SOUND\n",
    "sound/core.c": "int d;\n",
    "drivers/iommu/sub/a.c": "int e;\n",
    "tools/other/a.c": "int f;\n",
}
LEFT_OUT = {"arch/arm/kernel/a.c", "sound/core.c", "tools/other/a.c"}


class Unpack(unittest.TestCase):
    """An excerpt for a port with a patch, from a tarball."""

    def setUp(self):
        quiet(self)
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        port = self.repo.port("6.1")
        port.source.files["tools/Makefile"] = "all:\n"
        port.commit("iommu: Edit", dict(changed_base("drivers/iommu/iommu.c", "line 7", "line seven"),
                                        **{"tools/Makefile": "all: iommu\n"}))
        refresh.refresh(port.layout)
        self.port = port.layout
        keep = tempfile.TemporaryDirectory()
        self.addCleanup(keep.cleanup)
        self.folder = Path(keep.name)

    def tar(self, path):
        """Writes FILES, below a folder as Debian has them, to a tarball."""
        with tarfile.open(path, "w") as tar:
            for name, text in FILES.items():
                member = tarfile.TarInfo(f"linux-source-6.1/{name}")
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))

    def unpack(self, path):
        """The files that an excerpt has of the tarball."""
        target = self.folder / "excerpt"
        target.mkdir(exist_ok=True)
        with mock.patch("patches.bases.fetch", return_value=path):
            excerpt.Excerpt(self.port).unpack(target, self.folder / "log")
        return {str(file.relative_to(target)): file.read_text(encoding="utf-8")
                for file in target.rglob("*") if file.is_file()}

    def test_what_is_read(self):
        self.tar(self.folder / "linux.tar")
        self.assertEqual(self.unpack(self.folder / "linux.tar"),
                         {path: text for path, text in FILES.items() if path not in LEFT_OUT})

    def test_cut_off(self):
        self.tar(self.folder / "linux.tar")
        data = (self.folder / "linux.tar").read_bytes()
        for name, part in (("linux.tar.xz", data), ("linux.tar.xz", lzma.compress(data)[:-8]), ("linux.tar", data[:700])):
            (self.folder / name).write_bytes(part)
            with self.assertRaisesRegex(Stop, f"unpacking {name} failed: see .*/log; to repeat: ./dma-owner check"):
                self.unpack(self.folder / name)

    def test_a_makefile_brings_no_folder(self):
        self.assertEqual(excerpt.folders(series.load(self.port)), ["drivers/iommu"])

    def test_another_folder_is_another_excerpt(self):
        before = excerpt.Excerpt(self.port).ident
        with mock.patch("patches.excerpt.folders", return_value=["drivers/iommu", "drivers/pci"]):
            self.assertNotEqual(excerpt.Excerpt(self.port).ident, before)


if __name__ == "__main__":
    unittest.main()
