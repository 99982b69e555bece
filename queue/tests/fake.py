# SPDX-License-Identifier: GPL-2.0-only
"""A miniature repository and base for the tests."""

import contextlib
import copy
import io
import os
import shutil
import tempfile
from pathlib import Path

from check import context
from ground import git, layout as layouts
from patches import series, trees


def quiet(case):
    """Keeps what is said on stderr to itself until a TestCase ends."""
    held = contextlib.redirect_stderr(io.StringIO())
    held.__enter__()
    case.addCleanup(held.__exit__, None, None, None)


def makefile(*numbers):
    """The first lines of a kernel's Makefile."""
    return "VERSION = {}\nPATCHLEVEL = {}\nSUBLEVEL = {}\n".format(*numbers)


MAKEFILE = makefile(5, 10, 262)
BASE = {
    "Makefile": MAKEFILE,
    ".gitignore": "*.o\n/*\n!/debian/\n",
    "drivers/iommu/Makefile": "obj-y += iommu.o\n",
    "drivers/iommu/iommu.c": "".join(f"line {n}\n" for n in range(40)),
    "drivers/iommu/Kconfig": "config IOMMU_API\n\tbool\n",
    "Documentation/index.rst": "Index\n",
}
PORT_BASE = """# SPDX-License-Identifier: GPL-2.0-only
[primary]
package = linux-source-6.1
version = 6.1.9-1
suite = bookworm
sha256 = 00
"""
LETTER = """# SPDX-License-Identifier: GPL-2.0-only
Subject: Owners for Linux 5.10

Why, and how, on {base}.

{tested}

{changes}
"""


class FakeSource:
    """Stands for a base: writes BASE into the folder."""
    gib = 0.0

    def __init__(self, ident="fake 1", files=None):
        self.ident, self.title, self.version = ident, ident, "1"
        self.files = files or BASE

    def fetch(self):
        """It is there."""

    def unpack(self, folder, _log):
        """Writes the files."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")


class Repository:
    """A repository of our kind in a temporary folder, with a base of few files."""

    def __init__(self):
        self.keep = tempfile.TemporaryDirectory(prefix="dma-owner-test-")
        self.root = Path(self.keep.name)
        git.Git(self.root).bytes("init", "-q")
        self.write(".gitignore", "/.build/\n/out/\n")
        self.write("CHANGES", "# SPDX-License-Identifier: GPL-2.0-only\n\nVersion 1\n\n- All of it.\n")
        self.write("cover-letter", LETTER)
        self.layout = layouts.Layout(self.root)
        self.source = FakeSource()

    def close(self):
        """Removes it."""
        self.keep.cleanup()

    def copy(self):
        """Another one that is as this one is, trees included."""
        other = copy.copy(self)
        other.keep = tempfile.TemporaryDirectory(prefix="dma-owner-test-")
        other.root = Path(other.keep.name)
        shutil.copytree(self.root, other.root, symlinks=True, dirs_exist_ok=True)
        other.layout = layouts.Layout(other.root)
        other.source = copy.deepcopy(self.source)
        return other

    def write(self, path, text):
        """Writes a file of the repository."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def port(self, name):
        """This repository, and the port that it makes for this in it."""
        self.write(f"ports/{name}/base", PORT_BASE)
        self.write(f"ports/{name}/cover-letter", LETTER)
        other = copy.copy(self)
        other.layout = self.layout.for_port(name)
        other.source = FakeSource(f"fake {name}", dict(BASE, Makefile=makefile(*name.split("."), "9")))
        return other

    def tree(self):
        """./dma-owner tree."""
        return trees.prepare(self.layout, self.source, quiet=True)

    def commit(self, subject, files, body="Text.", executable=()):
        """Writes files into the tree and commits them; returns the Tree."""
        tree = self.tree()
        for path, text in files.items():
            (tree.path / path).parent.mkdir(parents=True, exist_ok=True)
            (tree.path / path).write_text(text, encoding="utf-8")
            if path in executable:
                (tree.path / path).chmod(0o755)
        tree.git.bytes("add", "-A", "-f")
        tree.git.bytes("commit", "-q", "--allow-empty", "-m", f"{subject}\n\n{body}")
        return tree

    def snapshot(self):
        """{path: (bytes, executable)} of what the repository holds."""
        return {p: ((self.root / p).read_bytes(), os.access(self.root / p, os.X_OK))
                for p in series.repository_files(self.layout)}

    def context(self):
        """What the checks look at."""
        return context.of_run(self.layout, self.source)


def changed_base(path, old, new):
    """A base file with one replacement."""
    return {path: BASE[path].replace(old, new)}
