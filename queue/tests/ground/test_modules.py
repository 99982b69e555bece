# SPDX-License-Identifier: GPL-2.0-only
"""The rooms of the machinery: imports go one way, and what a result depends on."""

import unittest
from unittest import mock

from ground import modules

# What may be imported from further up: nothing.
ORDER = {room: place for place, room in enumerate(modules.ROOMS)}


def room_of(name):
    """The room of a module."""
    return name.partition(".")[0]


class Rooms(unittest.TestCase):
    """Each module is in a room, and leads only to rooms before its own."""

    def test_no_arrow_back(self):
        back = [f"{name} imports {other}" for name in modules.every() for other in modules.imports(name)
                if ORDER[room_of(other)] > ORDER[room_of(name)]]
        self.assertEqual(back, [])

    def test_no_cycle(self):
        self.assertEqual([name for name in modules.every()
                          if any(name in modules.behind(other) for other in modules.imports(name) if other != name)], [])

    def test_nothing_stands_in_the_corridor(self):
        self.assertEqual([path.name for path in modules.ROOT.glob("*.py")], ["main.py"])
        self.assertEqual({path.name for path in modules.ROOT.iterdir() if path.is_dir()} - {"__pycache__"},
                         {*modules.ROOMS, "tests"})

    def test_tests_are_in_the_room_of_their_subject(self):
        for path in (modules.ROOT / "tests").glob("*/test_*.py"):
            room = path.parent.name
            own = [name for name in modules.imports(f"tests.{room}.{path.stem}") if room_of(name) == room]
            self.assertTrue(own, f"{path.name} imports nothing of {room}")


class Digest(unittest.TestCase):
    """Changes with a module and with what that leads to, and with nothing else."""

    def changed_with(self, name, other):
        """Whether the digest of a module changes with another one."""
        before, path_of = modules.digest(name), modules.path_of

        def elsewhere(one):
            return mock.Mock(read_bytes=lambda: b"other") if one == other else path_of(one)

        modules.imports(name)       # as it was
        with mock.patch("ground.modules.path_of", elsewhere):
            return modules.digest(name) != before

    def test_itself(self):
        self.assertTrue(self.changed_with("check.lint", "check.lint"))

    def test_what_it_leads_to(self):
        self.assertIn("ground.errors", modules.behind("check.lint"))
        self.assertTrue(self.changed_with("check.lint", "ground.errors"))

    def test_another(self):
        for other in ("front.command", "check.checks", "give.am", "prove.mutations", "measure.bench"):
            self.assertFalse(self.changed_with("check.lint", other), other)


if __name__ == "__main__":
    unittest.main()
