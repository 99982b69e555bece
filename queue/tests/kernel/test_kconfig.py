# SPDX-License-Identifier: GPL-2.0-only
"""Kernel configurations: what was asked for must survive."""

import unittest
from unittest import mock

from tests.fake import Repository

from kernel import kbuild, kconfig, kernels
from patches import trees


class Kconfig(unittest.TestCase):
    """What was asked for must survive."""

    def test_composed_is_parsed(self):
        symbols = {"CONFIG_A": "y", "CONFIG_B": '"words"', "CONFIG_C": "n"}
        self.assertEqual(kconfig.compose(symbols), 'CONFIG_A=y\nCONFIG_B="words"\n# CONFIG_C is not set\n')
        self.assertEqual(kconfig.parse(kconfig.compose(symbols)), symbols)

    def test_lost(self):
        wanted = kconfig.requested(["CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n", "CONFIG_B=y\nCONFIG_D=n\n"])
        got = kconfig.parse("CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=y\n")
        self.assertEqual(kconfig.lost(wanted, got), ["CONFIG_B=y (is m)", "CONFIG_C=n (is y)"])

    def test_without(self):
        text = "# words\nCONFIG_A=y\nCONFIG_NEW=y\n# CONFIG_NEW is not set\n"
        self.assertEqual(kconfig.without(text, {"CONFIG_NEW"}), "# words\nCONFIG_A=y\n")

    def test_asked_are_those_with_a_prompt(self):
        text = ("config A\n\tbool \"a\" if EXPERT\n\nconfig B\n\ttristate\n\tdefault n\n\nmenuconfig C\n\tbool\n"
                "\tprompt \"c\"\n\nconfig D\n\tdef_bool y\n\thelp\n\t  A bool \"d\".\n")
        self.assertEqual(kconfig.asked(text), {"CONFIG_A", "CONFIG_C"})


class Told(unittest.TestCase):
    """What a kernel does not have of the fragments is said when it is configured."""

    def test_lost_ones_alone(self):
        repo = Repository()
        self.addCleanup(repo.close)
        repo.write("fragment", "CONFIG_A=y\nCONFIG_B=y\n")
        built = kbuild.Build(repo.layout, repo.root, "x86_64", "vm", [repo.root / "fragment"], skip_unknown=True)
        repo.write(".out-vm/.config", "CONFIG_A=y\n")
        with mock.patch("ground.console.note") as note:
            built._tell_lost()
        said, = note.call_args[0]
        self.assertIn("vm-dma-owner-test", said)
        self.assertTrue(said.endswith("left out: CONFIG_B"), said)

    def test_fragments_of_a_port(self):
        repo = Repository()
        self.addCleanup(repo.close)
        port = repo.port("6.1")
        for name in kconfig.fragment_names("x86_64", "vm"):
            repo.write(f"{kconfig.FRAGMENTS}/{name}", "CONFIG_A=y\n")
        built = kernels.of_tree(trees.Tree(port.layout), "x86_64", "vm")
        self.assertEqual(built.fragments, [*kconfig.fragments(repo.root, "x86_64", "vm"), repo.root / kernels.NEWER])
        self.assertTrue(built.skip_unknown)
        self.assertEqual(built.repeat, "./dma-owner build --arch x86_64 --config vm --port 6.1")


if __name__ == "__main__":
    unittest.main()
