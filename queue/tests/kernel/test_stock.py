# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own kernels: which of their modules are taken, and from which packages."""

import contextlib
import io
import lzma
import unittest
from pathlib import Path
from unittest import mock

from tests.fake import Repository

from ground import proc
from ground.errors import Stop
from kernel import stock

TABLE = """kernel/vfio/pci/vfio-pci.ko.xz: kernel/vfio/pci/vfio-pci-core.ko.xz kernel/vfio/vfio.ko.xz
kernel/vfio/pci/vfio-pci-core.ko.xz: kernel/vfio/vfio.ko.xz
kernel/vfio/vfio.ko.xz:
kernel/vfio/vfio_iommu_type1.ko.xz: kernel/vfio/vfio.ko.xz
kernel/net/can/can.ko.xz:
"""
# What depmod would do, but for the dependencies.
DEPMOD = """#!/bin/sh
cd "$2/lib/modules/$3" && find kernel -name '*.ko*' | sort | sed 's/$/:/' > modules.dep
"""


class Modules(unittest.TestCase):
    """Those that are wanted, and what they need."""

    def test_names(self):
        self.assertEqual(stock.module_name("kernel/drivers/vfio/pci/vfio-pci.ko.xz"), "vfio_pci")
        self.assertEqual(stock.module_name("e1000.ko"), "e1000")

    def test_with_what_they_need(self):
        taken = [stock.module_name(path) for path in stock.closure(TABLE, ["vfio-pci", "vfio_iommu_type1"])]
        self.assertEqual(sorted(taken), ["vfio", "vfio_iommu_type1", "vfio_pci", "vfio_pci_core"])

    def test_built_in_or_absent(self):
        self.assertEqual(stock.closure(TABLE, ["pci-stub"]), [])


class Fetch(unittest.TestCase):
    """The newest in the suites, with the packages that belong to it."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)

    def fetch(self, version, names=("linux-image-amd64", "linux-image-6.1.0-9-amd64")):
        """fetch() where the archive has these packages."""
        private = mock.Mock(**{"newest.return_value": version, "alike.return_value": list(names)})
        private.download.side_effect = self.download
        with contextlib.redirect_stderr(io.StringIO()), mock.patch("kernel.stock.packages.ensure"), \
                mock.patch("kernel.stock.apt.PrivateApt", return_value=private) as apt:
            return stock.fetch(self.repo.layout, "6.1"), apt

    def download(self, name, version, *_):
        """A package as apt leaves it behind."""
        self.repo.write(f".build/{name}_{version}_amd64.deb", "")
        return self.repo.layout.build / f"{name}_{version}_amd64.deb"

    def test_fetched_once(self):
        files, apt = self.fetch("6.1.9-1")
        self.assertEqual([path.name for path in files],
                         ["linux-image-6.1.0-9-amd64_6.1.9-1_amd64.deb", "linux-image-amd64_6.1.9-1_amd64.deb"])
        self.assertEqual(apt.call_args[0][1], ("bookworm", "bookworm-security"))
        again, apt = self.fetch("6.1.10-1")
        self.assertEqual(again, files)
        apt.assert_not_called()

    def test_not_in_the_archive(self):
        with self.assertRaisesRegex(Stop, "bookworm and bookworm-security have no linux-image-amd64"):
            self.fetch("")
        self.assertEqual(self.fetch("6.1.9-1")[0][0].parent, self.repo.layout.build / "dl/stock-6.1")


class Unpack(unittest.TestCase):
    """A package becomes an image and some modules."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.repo.write("depmod", DEPMOD)
        (self.repo.root / "depmod").chmod(0o755)
        patched = mock.patch("kernel.stock.DEPMOD", self.repo.root / "depmod")
        patched.start()
        self.addCleanup(patched.stop)

    def package(self, files, name="linux-image"):
        """Makes a package of {path: bytes} where fetch() keeps them."""
        self.repo.write("package/DEBIAN/control", f"Package: {name}\nVersion: 1\nArchitecture: all\n"
                        "Maintainer: Nobody <nobody@localhost>\nDescription: a test\n")
        for path, data in files.items():
            (self.repo.root / "package" / path).parent.mkdir(parents=True, exist_ok=True)
            (self.repo.root / "package" / path).write_bytes(data)
        kept = self.repo.layout.build / "dl/stock-newest"
        kept.mkdir(parents=True, exist_ok=True)
        proc.call(["dpkg-deb", "--build", self.repo.root / "package", kept / f"{name}.deb"])

    def unpack(self, *wanted):
        """unpack() of the newest kernel."""
        with contextlib.redirect_stderr(io.StringIO()):
            return stock.unpack(self.repo.layout, "newest", wanted)

    def test_as_in_older_packages(self):
        self.package({"boot/vmlinuz-6.1.0-9-amd64": b"image", "lib/modules/6.1.0-9-amd64/kernel/vfio.ko": b"vfio",
                      "lib/modules/6.1.0-9-amd64/kernel/can.ko": b"can"})
        made = self.unpack("vfio")
        self.assertEqual((made.version, made.release, made.image.read_bytes()), ("6.1", "6.1.0-9-amd64", b"image"))
        self.assertEqual([path.name for path in made.root.rglob("*.ko")], ["vfio.ko"])
        self.assertFalse((made.root.parent / "unpacked").exists())

    def test_as_in_newer_packages(self):
        folder = "usr/lib/modules/7.3.4+deb13-amd64"
        self.package({f"{folder}/vmlinuz": b"image", f"{folder}/kernel/vfio-pci.ko.xz": lzma.compress(b"module")})
        made = self.unpack("vfio-pci")
        self.assertEqual((made.version, made.image.read_bytes()), ("7.3", b"image"))
        module = made.root / "lib/modules/7.3.4+deb13-amd64/kernel/vfio-pci.ko"
        self.assertEqual(module.read_bytes(), b"module")
        self.assertIn("vfio-pci.ko:", (module.parent.parent / "modules.dep").read_text(encoding="utf-8"))

    def test_once_for_the_same_modules(self):
        files = {f"lib/modules/6.1.0-9-amd64/kernel/{name}.ko": b"" for name in ("can", "vfio")}
        self.package({"boot/vmlinuz-6.1.0-9-amd64": b"image", **files})
        made = self.unpack("vfio")
        made.image.write_bytes(b"kept")
        self.assertEqual(self.unpack("vfio").image.read_bytes(), b"kept")
        self.assertEqual(self.unpack("vfio", "can").image.read_bytes(), b"image")

    def test_no_kernel_in_it(self):
        self.package({"usr/share/doc/readme": b""})
        with self.assertRaisesRegex(Stop, "there is no kernel in"):
            self.unpack("vfio")

    def test_no_image_in_it(self):
        self.package({"lib/modules/6.1.0-9-amd64/kernel/vfio.ko": b""})
        with self.assertRaisesRegex(Stop, "6.1.0-9-amd64 have no image"):
            self.unpack("vfio")
        self.assertFalse((self.repo.layout.build / "stock/newest/stamp").exists())

    def test_unknown_compression(self):
        with self.assertRaisesRegex(Stop, "vfio.ko.zst is compressed"):
            stock._copy_module(Path("vfio.ko.zst"), Path("vfio.ko"))


if __name__ == "__main__":
    unittest.main()
