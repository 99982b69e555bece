# SPDX-License-Identifier: GPL-2.0-only
"""Which functions' data races count."""

import unittest
from types import SimpleNamespace
from unittest import mock

from tests.fake import Repository

from ground.errors import Stop
from machine import races, vm


class Races(unittest.TestCase):
    """A tree with two object files, one of them of a file that the series touches."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.built = SimpleNamespace(out=self.repo.root / "out")
        self.tree = SimpleNamespace(path=self.repo.root, tests=self.repo.root, layout=self.repo.layout)
        for name in ("ours", "other"):
            self.repo.write(f"out/{name}.o", "")

    def functions(self, touched, said):
        """races.functions() where nm says this."""
        with mock.patch("machine.races.sources", return_value=touched), \
                mock.patch("ground.proc.call", return_value=(0, said.encode(), b"")) as call:
            names = races.functions(self.tree, self.built)
        self.assertEqual(call.call_args.args[0][1:], [self.built.out / "ours.o"])
        return names

    def test_functions_of_what_is_built(self):
        said = "0 T claim\n0 t claim_device.isra.0\n0 d data\n         U printk\n"
        self.assertEqual(self.functions(["ours.c", "not/built.c"], said), ["claim", "claim_device"])

    def test_nothing_is_built(self):
        with mock.patch("machine.races.sources", return_value=["not/built.c"]), self.assertRaises(Stop):
            races.functions(self.tree, self.built)

    def test_file_for_the_harness(self):
        with mock.patch("machine.races.functions", return_value=["b", "a"]):
            option, path = races.options(self.tree, [self.built])
        self.assertEqual((option, path.read_text(encoding="utf-8")), ("--races", "a\nb\n"))

    def test_machines_of_the_architecture(self):
        with mock.patch("machine.vm._ask", return_value=["pc x86_64", "virt arm64"]):
            self.assertEqual(vm.of_arches(self.tree, [], [], races.ARCHES), ["pc"])
        with mock.patch("machine.vm._ask", return_value=["virt arm64"]), self.assertRaises(Stop):
            vm.of_arches(self.tree, [], [], races.ARCHES)


if __name__ == "__main__":
    unittest.main()
