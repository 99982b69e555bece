# SPDX-License-Identifier: GPL-2.0-only
"""How ./dma-owner ends."""

import errno
import unittest

import main


class SystemLine(unittest.TestCase):
    """The one line for an error of the system."""

    def test_full_disk(self):
        no_room = OSError(errno.ENOSPC, "No space left on device", "/t/a")
        self.assertEqual(main.system_line(no_room),
                         "No space left on device: /t/a: free some space and run the same command again")

    def test_without_a_file(self):
        self.assertEqual(main.system_line(OSError(errno.EIO, "Input/output error")),
                         "Input/output error: see to it and run the same command again")


if __name__ == "__main__":
    unittest.main()
