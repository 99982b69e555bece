# SPDX-License-Identifier: GPL-2.0-only
"""Packages: which configuration, which names, and what a booted Debian says."""

import contextlib
import io
import os
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

from tests.fake import FakeSource, Repository

from give import deb, debboot
from ground import modules, proc
from ground.errors import Stop
from kernel import kconfig
from patches import bases

PIN = types.SimpleNamespace(version="5.10.262-1")


class Config(unittest.TestCase):
    """The configuration to start from."""

    def setUp(self):
        self.keep = tempfile.TemporaryDirectory()
        self.boot = Path(self.keep.name)
        self.running = self.boot / f"config-{os.uname().release}"

    def tearDown(self):
        self.keep.cleanup()

    def test_given(self):
        path = self.boot / "mine"
        path.touch()
        self.assertEqual(deb.config_file(str(path), self.boot), path.resolve())

    def test_given_is_missing(self):
        self.running.touch()
        with self.assertRaisesRegex(Stop, "mine: no such file"):
            deb.config_file(str(self.boot / "mine"), self.boot)

    def test_running(self):
        self.running.touch()
        self.assertEqual(deb.config_file(None, self.boot), self.running)

    def test_running_has_none(self):
        with self.assertRaisesRegex(Stop, "--config FILE"):
            deb.config_file(None, self.boot)


class Small(unittest.TestCase):
    """The small kernel of `deb --config vm`."""

    def test_has_none_of_the_tests(self):
        root = modules.ROOT.parent
        config, perf = (kconfig.parse((root / kconfig.FRAGMENTS / name).read_text(encoding="utf-8"))
                        for name in ("config", "config.perf"))
        small = kconfig.parse((root / deb.SMALL).read_text(encoding="utf-8"))
        tests = {name for name, value in config.items() if value != "n" and perf.get(name) == "n"}
        self.assertIn("CONFIG_KUNIT", tests)
        self.assertEqual({name for name in tests if small.get(name) != "n"}, set())


class Names(unittest.TestCase):
    """The version of the series is in the release and in the packages' version."""

    def setUp(self):
        self.repo = Repository()
        self.repo.write("CHANGES", "Version 3\n\n- More.\n\nVersion 2\n\n- Some.\n")

    def tearDown(self):
        self.repo.close()

    def test_local_version(self):
        self.assertEqual(deb.local_version(self.repo.layout), "-dma-owner3")

    def test_package_version(self):
        self.assertEqual(deb.package_version(PIN, self.repo.layout), "5.10.262-1+dmaowner3")

    def test_of_a_port(self):
        port = self.repo.port("6.1")
        self.repo.write("config", "CONFIG_A=y\n")
        built = deb.Deb(port.tree(), self.repo.root, self.repo.root / "config", False)
        self.assertEqual([path.name for path in built.fragments], ["deb-own.config", "newer.config"])
        self.assertTrue(built.skip_unknown)
        self.assertEqual(built.repeat, "./dma-owner deb --port 6.1")
        self.assertEqual(set(deb.needed_packages(port.layout)) - set(deb.needed_packages(self.repo.layout)), {"debhelper"})
        self.assertEqual(bases.check_release(port.layout, port.tree().path) + deb.local_version(port.layout),
                         "6.1.9-dma-owner3")

    def test_package_version_of_another_base(self):
        self.assertEqual(deb.package_version(FakeSource(), self.repo.layout), "1+dmaowner3")


class Packing(unittest.TestCase):
    """What `bindeb-pkg` left is looked for, not taken for granted."""

    def setUp(self):
        self.repo = Repository()
        self.built = deb.Deb.__new__(deb.Deb)
        self.built.layout, self.built.source, self.built.name = self.repo.layout, self.repo.root, "deb"
        self.built.out = self.repo.root / ".out-deb"
        self.built.arch, self.made = "x86_64", []
        self.built._must = lambda *_: [self.repo.write(name, "") for name in self.made]

    def tearDown(self):
        self.repo.close()

    def test_image_and_headers(self):
        self.made = [f"{kind}_1+dmaowner1_amd64.deb" for kind in
                     ("linux-image-5.10.262-dma-owner1", "linux-headers-5.10.262-dma-owner1", "linux-libc-dev")]
        kept = self.built.package("5.10.262-dma-owner1", "1+dmaowner1")
        self.assertEqual([path.name for path in kept], self.made[:2])

    def test_an_old_package_does_not_count(self):
        self.repo.write("linux-image-5.10.262-dma-owner1_1+dmaowner1_amd64.deb", "")
        with self.assertRaisesRegex(Stop, "the build made no linux-image"):
            self.built.package("5.10.262-dma-owner1", "1+dmaowner1")


class Tool(unittest.TestCase):
    """The package of iommu-groups, from what its Makefile installs."""

    def setUp(self):
        self.repo = Repository()
        self.repo.write("kernel/tools/iommu/Makefile", "install:\n\techo '$(LDFLAGS)' > $(OUTPUT)program\n"
                        "\tmkdir -p $(DESTDIR)/usr/bin $(DESTDIR)/usr/share/man/man8\n"
                        "\tcp $(OUTPUT)program $(DESTDIR)/usr/bin/iommu-groups\n"
                        "\techo manual > $(DESTDIR)/usr/share/man/man8/iommu-groups.8\n")
        self.arch = deb.architecture()

    def tearDown(self):
        self.repo.close()

    def package(self):
        """Makes it, as version 1+dmaowner2."""
        with contextlib.redirect_stderr(io.StringIO()):
            return deb.tool_package(self.repo.layout, self.repo.root / "kernel", "1+dmaowner2")

    def test_package(self):
        made = self.package()
        self.assertEqual(made.name, f"iommu-groups_1+dmaowner2_{self.arch}.deb")
        _, fields, _ = proc.call(["dpkg-deb", "--field", made, "Package", "Version"])
        self.assertEqual(fields.decode().splitlines(), ["Package: iommu-groups", "Version: 1+dmaowner2"])
        _, listing, _ = proc.call(["dpkg-deb", "--contents", made])
        self.assertRegex(listing.decode(), r"root/root .* ./usr/bin/iommu-groups\n")
        self.assertIn("./usr/share/man/man8/iommu-groups.8\n", listing.decode())

    def test_leaves_the_tree_alone(self):
        self.package()
        kept = sorted(path.name for path in (self.repo.root / "kernel").rglob("*") if path.is_file())
        self.assertEqual(kept, ["Makefile"])

    def test_asks_for_no_kernel_and_no_library(self):
        _, fields, _ = proc.call(["dpkg-deb", "--field", self.package()])
        self.assertNotIn("Depends", fields.decode())
        self.assertIn("works on any kernel", fields.decode())

    def test_alone(self):
        tree = types.SimpleNamespace(layout=self.repo.layout, path=self.repo.root / "kernel")
        with contextlib.redirect_stderr(io.StringIO()), mock.patch("give.deb.packages.ensure") as ensure:
            made = deb.build_tool(tree, FakeSource())
        self.assertEqual(made, self.repo.root / f"out/deb/iommu-groups_1+dmaowner1_{self.arch}.deb")
        self.assertTrue(made.is_file())
        # Nothing that builds a kernel.
        self.assertEqual(ensure.call_args[0][1], ("gcc", "make", "libc6-dev"))

    def test_is_static_and_made_anew(self):
        self.repo.write(".build/deb-tool/usr/bin/stale", "")
        made = self.package()
        proc.call(["dpkg-deb", "--extract", made, self.repo.root / "out"])
        self.assertEqual((self.repo.root / "out/usr/bin/iommu-groups").read_text(encoding="utf-8"), "-static\n")
        self.assertFalse((self.repo.root / "out/usr/bin/stale").exists())

    def test_does_not_build(self):
        (self.repo.root / "kernel/tools/iommu/Makefile").unlink()
        with self.assertRaisesRegex(Stop, "building iommu-groups failed: see .*to repeat: ./dma-owner deb"):
            self.package()


class Boot(unittest.TestCase):
    """A Debian with the packages in it."""

    def test_machine_is_the_harness_s(self):
        said = ["qemu", "-m", "512", "-device", "e1000"]
        with mock.patch("machine.vm.command", return_value=said) as command:
            argv = debboot._qemu("tree", Path("/f"))
        command.assert_called_once_with("tree", "q35-intel")
        # The last -m counts.
        self.assertEqual(argv[2:9], [*said, "-m", "2048"])
        self.assertEqual(argv[-2:], ["-drive", "file=/f/root.img,if=virtio,format=raw,snapshot=on"])

    def test_hooks_name_the_release(self):
        hooks = debboot._hooks(Path("/f"), Path("/o/linux-image-5.10.262-dma-owner1_1_amd64.deb"), Path("/o/tool.deb"))
        self.assertIn("--customize-hook=download /boot/vmlinuz-5.10.262-dma-owner1 /f/vmlinuz", hooks)
        self.assertIn('--customize-hook=chroot "$1" dpkg -i /tmp/linux-image-5.10.262-dma-owner1_1_amd64.deb '
                      "/tmp/tool.deb", hooks)


if __name__ == "__main__":
    unittest.main()
