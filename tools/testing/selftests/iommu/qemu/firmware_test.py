#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of firmware.py: python3 -B firmware_test.py"""

import struct
import unittest

import firmware

MAPPING = firmware.Mapping("8.1=0x10000000+0x4000")


def table(signature, revision=1):
    """A table of 48 bytes, as the firmware writes it."""
    text = bytearray(signature + struct.pack("<I", 48) + bytes(16) +
                     struct.pack("<I", revision) + bytes(20))
    text[firmware.CHECKSUM] = -sum(text) & 0xff
    return bytes(text)


class ExtendedTest(unittest.TestCase):
    """What Linux asks of a table that replaces another, and what is in it."""

    def check(self, signature, added):
        """The table has the bytes at its end, and is in order."""
        was = table(signature)
        now = firmware.extended(was, [MAPPING, MAPPING])
        self.assertEqual(now[:4], signature)
        self.assertEqual(now[48:], added * 2)
        self.assertEqual(struct.unpack("<I", now[firmware.LENGTH]), (len(now),))
        self.assertEqual(struct.unpack("<I", now[firmware.REVISION]), (2,))
        self.assertEqual(sum(now) & 0xff, 0)

    def test_intel(self):
        """A reserved memory region ends with its last byte."""
        self.check(b"DMAR", bytes.fromhex(
            "0100 2000 0000 0000 0000001000000000 ff3f001000000000 0108 0000 00 00 0801"))

    def test_amd(self):
        """A unity map has a length."""
        self.check(b"IVRS", bytes.fromhex(
            "21 07 2000 4100 0000 0000000000000000 0000001000000000 0040000000000000"))


class FindTest(unittest.TestCase):
    """Memory has more in it than the table."""

    def test_finds(self):
        """The first that is complete."""
        wanted = table(b"DMAR", 7)
        memory = b"DMAR" + bytes(99) + wanted + table(b"DMAR", 8)
        self.assertEqual(firmware.find(memory, b"DMAR"), wanted)

    def test_waits_for_checksum(self):
        """QEMU leaves that to the firmware."""
        early = bytearray(table(b"DMAR"))
        early[firmware.CHECKSUM] ^= 1
        self.assertIsNone(firmware.find(bytes(early), b"DMAR"))

    def test_finds_none(self):
        """Nor one of another kind, or one that does not end."""
        self.assertIsNone(firmware.find(table(b"IVRS"), b"DMAR"))
        self.assertIsNone(firmware.find(table(b"DMAR")[:-1], b"DMAR"))


class MachineTest(unittest.TestCase):
    """What QEMU may do instead."""

    def ask(self, script):
        """The answer of a QEMU that does as the script says."""
        machine = firmware.Machine(["sh", "-c", script])
        self.addCleanup(machine.stop)
        return machine.ask("anything")

    def test_answers(self):
        """Its greeting is no answer."""
        self.assertEqual(self.ask("""echo '{"QMP": 0}'; echo '{"return": 1}'; cat"""), 1)

    def test_refuses(self):
        """Then it says why."""
        with self.assertRaisesRegex(ValueError, "too old"):
            self.ask("""echo '{"error": {"desc": "too old"}}'; cat""")

    def test_ends(self):
        """Whichever of the pipes tells first."""
        with self.assertRaises((ValueError, BrokenPipeError)):
            self.ask("exit")


if __name__ == "__main__":
    unittest.main()
