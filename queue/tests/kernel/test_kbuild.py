# SPDX-License-Identifier: GPL-2.0-only
"""Kernel builds: what ccache may remember and what not, and where none is possible."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

from ground.errors import Stop
from kernel import kbuild


class Compiler(unittest.TestCase):
    """What comes out when the same is compiled again."""

    def setUp(self):
        self.top = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.top)
        layout = SimpleNamespace(build=self.top, work=self.top)
        self.built = kbuild.Build(layout, self.top, "x86_64", "test", [])

    def compiled(self, name, text):
        """The object of a source, made as the kernel's Makefile has it made."""
        (self.top / name).write_text(text, encoding="utf-8")
        [cc] = [word[len("CC="):] for word in self.built.make() if word.startswith("CC=")]
        subprocess.run([*cc.split(), "-Wp,-MMD,file.d", "-c", "-o", "file.o", name], cwd=self.top, check=True,
                       env=self.built.environment(), stdout=subprocess.DEVNULL)
        return (self.top / "file.o").read_bytes()

    def hits(self):
        """How often ccache had what was asked for."""
        lines = subprocess.run(["ccache", "--print-stats"], check=True, capture_output=True, text=True,
                               env=self.built.environment()).stdout.splitlines()
        return int(dict(line.split("\t") for line in lines)["direct_cache_hit"])

    def test_what_an_assembler_file_takes_in_is_looked_at(self):
        payload = self.top / "payload"
        payload.write_bytes(b"an old kernel")
        self.assertIn(b"an old kernel", self.compiled("piggy.S", '.incbin "payload"\n'))
        payload.write_bytes(b"a new kernel!")
        self.assertIn(b"a new kernel!", self.compiled("piggy.S", '.incbin "payload"\n'))

    def test_the_rest_is_remembered(self):
        first = self.compiled("file.c", "int x;\n")
        self.assertEqual(self.hits(), 0)
        os.remove(self.top / "file.o")
        self.assertEqual(self.compiled("file.c", "int x;\n"), first)
        self.assertEqual(self.hits(), 1)


class Place(unittest.TestCase):
    """Where the source may stand."""

    def test_make_takes_no_blank(self):
        top = Path("/home/me/my work")
        built = kbuild.Build(SimpleNamespace(root=top), top / ".build/tree", "x86_64", "test", [])
        with self.assertRaisesRegex(Stop, "no path with a blank or a colon, as /home/me/my work has: move the clone"):
            built.configure()


if __name__ == "__main__":
    unittest.main()
