# SPDX-License-Identifier: GPL-2.0-only
"""Kernel configurations: what was asked for must survive."""

import unittest

from kernel import kconfig


class Kconfig(unittest.TestCase):
    """What was asked for must survive."""

    def test_lost(self):
        wanted = kconfig.requested(["CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n", "CONFIG_B=y\nCONFIG_D=n\n"])
        got = kconfig.parse("CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=y\n")
        self.assertEqual(kconfig.lost(wanted, got), ["CONFIG_B=y (is m)", "CONFIG_C=n (is y)"])

    def test_without(self):
        text = "# words\nCONFIG_A=y\nCONFIG_NEW=y\n# CONFIG_NEW is not set\n"
        self.assertEqual(kconfig.without(text, {"CONFIG_NEW"}), "# words\nCONFIG_A=y\n")


if __name__ == "__main__":
    unittest.main()
