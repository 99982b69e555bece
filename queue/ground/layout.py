# SPDX-License-Identifier: GPL-2.0-only
"""Where things are: the repository, its ports, and its cache under .build/.

The top of the repository is the series for MAIN. Each folder of ports/ has one for
another kernel, named by its release, in the same form: `base`, `series`, patches.
"""

import contextlib
import fcntl
import os
import re
import shutil
import threading
from collections import defaultdict
from pathlib import Path

from ground import console
from ground.errors import Stop

GIB = 1 << 30
_LOCKS = defaultdict(threading.RLock)
MAIN = "5.10"
PORTS = "ports"

# Repository paths that never stand for a file of the kernel tree.
OWN_TOPS = ("README.md", "CHANGES", "COPYING", "COSTS", "TESTED", "cover-letter", "dma-owner", "base", "series",
            "queue", PORTS, "out", ".build", ".ci", ".git", ".gitignore")


class Layout:
    """Paths of one series of a repository: of the one at its top, or of a port.
    `alt` names a base other than the pinned one, whose tree and results stand apart
    so that bases never mix.

    `port`: the port's name, "" for the series at the top; `home`: where base, series
    and patches stand; `cache`: what is made of them, whatever the base; `work`: what
    is made of them and the base.
    """

    def __init__(self, root, alt=None, port=""):
        self.root, self.alt, self.port = Path(root), alt, port
        self.build = self.root / ".build"
        self.home = self.root / PORTS / port if port else self.root
        self.cache = self.build / PORTS / port if port else self.build
        self.work = self.cache / "alt" / alt if alt else self.cache

    def for_base(self, alt):
        """The same series, working on the base that `alt` names."""
        return Layout(self.root, alt, self.port)

    def for_port(self, port):
        """Another series of this repository, on the base that it pins."""
        return Layout(self.root, port=port)

    def ports(self):
        """Names of the ports, the oldest kernel first."""
        found = [path.parent.name for path in (self.root / PORTS).glob("*/base")]
        return sorted(found, key=lambda name: [int(word) for word in re.findall(r"\d+", name)])

    def every(self):
        """The Layouts of all series of this repository, that at its top first."""
        return [self.for_port(port) for port in ("", *self.ports())]

    def others(self):
        """The Layouts of all series but this."""
        return [other for other in self.every() if other.port != self.port]

    @property
    def release(self):
        """The kernel that the series is for, as in "5.10"."""
        return self.port or MAIN

    @property
    def main(self):
        """The Layout of the series at the top, which has what all share: this, if it is."""
        return self.for_port("") if self.port else self

    @property
    def suite(self):
        """What the checks of the series are called in results."""
        return f"port-{self.port}" if self.port else "check"

    @property
    def prefix(self):
        """What mails have in front of their numbers, as those who carry several kernels
        want it: the release, but nothing for mainline, which the newest port is for."""
        return "" if self.port and self.port == self.ports()[-1] else self.release

    @property
    def out(self):
        """What is made for others."""
        return self.root / "out" / self.port

    @property
    def tree(self):
        """The developer's git tree: base, and one commit per patch."""
        return self.work / "tree"

    @property
    def series(self):
        """The order of the patches."""
        return self.home / "series"

    def place(self, path):
        """Where a whole file of the series stands: at the top of the repository if it
        is there, as it is for what several series claim, else beside the patches."""
        own, shared = self.home / path, self.root / path
        return shared if shared.is_file() and not own.is_file() else own

    def typed(self, words):
        """The command line of a verb for this series."""
        return f"./dma-owner {words}" + (f" --port {self.port}" if self.port else "")

    def log(self, name):
        """The log file of a step."""
        return self.work / "log" / f"{name}.log"

    def shown(self, path):
        """A path as the user would type it from the repository's top."""
        try:
            return str(Path(path).relative_to(self.root))
        except ValueError:
            return str(path)


def one_at_a_time(path):
    """The lock that keeps two threads from making the same thing; see locked() for
    processes."""
    return _LOCKS[str(path)]


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
