# SPDX-License-Identifier: GPL-2.0-only
"""Where things are: the repository, and its cache under .build/."""

import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from ground import console
from ground.errors import Stop

GIB = 1 << 30

# Repository paths that never stand for a file of the kernel tree.
OWN_TOPS = ("README.md", "CHANGES", "COPYING", "COSTS", "TESTED", "cover-letter", "dma-owner", "base", "series",
            "queue", "out", ".build", ".ci", ".git", ".gitignore")


class Layout:
    """Paths of one repository. `alt` names a base other than the pinned one,
    whose tree and results stand apart so that bases never mix."""

    def __init__(self, root, alt=None):
        self.root = Path(root)
        self.build = self.root / ".build"
        self.alt = alt
        self.work = self.build / "alt" / alt if alt else self.build

    def for_base(self, alt):
        """The same repository, working on the base that `alt` names."""
        return Layout(self.root, alt)

    @property
    def tree(self):
        """The developer's git tree: base, and one commit per patch."""
        return self.work / "tree"

    @property
    def series(self):
        """The order of the patches."""
        return self.root / "series"

    def log(self, name):
        """The log file of a step."""
        return self.work / "log" / f"{name}.log"

    def shown(self, path):
        """A path as the user would type it from the repository's top."""
        try:
            return str(Path(path).relative_to(self.root))
        except ValueError:
            return str(path)


def write_file(path, data, executable=False):
    """Writes bytes to path through a temporary file; leaves an equal file alone.

    Returns whether the file changed.
    """
    mode = 0o755 if executable else 0o644
    path = Path(path)
    if path.is_file() and path.read_bytes() == data:
        if bool(path.stat().st_mode & 0o100) == executable:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(data)
    fresh.chmod(mode)
    os.replace(fresh, path)
    return True


def remove(path):
    """Deletes a file or a directory tree, if it is there."""
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def need_space(layout, gib, what):
    """Stops with one line when less than `gib` GiB are free under .build/."""
    layout.build.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(layout.build).free / GIB
    if free < gib:
        raise Stop(f"{what} needs {gib:.1f} GiB under {layout.build}, {free:.1f} GiB are free: "
                   "free some space and run the same command again")


@contextlib.contextmanager
def locked(layout):
    """One run at a time in this .build/: waits for another run to finish."""
    layout.build.mkdir(parents=True, exist_ok=True)
    with open(layout.build / "lock", "a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            pid = lock.read().strip() or "unknown"
            with console.stage(f"Waiting for another ./dma-owner (process {pid})"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
