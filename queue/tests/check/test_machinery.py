# SPDX-License-Identifier: GPL-2.0-only
"""The tests of the machinery, as ./dma-owner test runs them."""

import unittest
from unittest import mock

from check import machinery
from ground.errors import Stop


class SelfTests(unittest.TestCase):
    """The tests of the machinery, as ./dma-owner test runs them."""

    def test_what_compiles_is_installed_first(self):
        with mock.patch("ground.packages.ensure", side_effect=Stop("no apt")) as ensure, \
                mock.patch("check.machinery._suite") as suite:
            with self.assertRaisesRegex(Stop, "no apt"):
                machinery.run(None, None)
        self.assertLessEqual({"gcc", "make"}, set(ensure.call_args.args[1]))
        suite.assert_not_called()


if __name__ == "__main__":
    unittest.main()
