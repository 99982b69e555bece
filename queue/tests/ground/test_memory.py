# SPDX-License-Identifier: GPL-2.0-only
"""Passes that are remembered."""

import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

from ground import memory


class Memory(unittest.TestCase):
    """By name and key."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.memory = memory.Memory(SimpleNamespace(work=Path(folder.name)), "seen")

    def test_is_said_with_its_note_and_time(self):
        self.memory.keep("a/b: c", "1", "of 5")
        self.assertRegex(self.memory.recall("a/b: c", "1"), r"^\(unchanged since \d{4}-\d\d-\d\d \d\d:\d\d\) of 5$")

    def test_of_another_key_or_name(self):
        self.memory.keep("a", "1", "")
        for name, key in (("a", "2"), ("b", "1")):
            self.assertIsNone(self.memory.recall(name, key))

    def test_file_that_was_cut_off(self):
        self.memory.keep("a", "1", "")
        (self.memory.folder / "a.json").write_text('{"key": "1"', encoding="utf-8")
        self.assertIsNone(self.memory.recall("a", "1"))

    def test_key_is_of_all_parts(self):
        keys = [memory.key("ground.memory", parts) for parts in ((), ("a",), ("a", "b"), ("ab",))]
        self.assertEqual(len(set(keys)), 4)
        self.assertNotEqual(memory.key("ground.memory", ()), memory.key("ground.proc", ()))


if __name__ == "__main__":
    unittest.main()
