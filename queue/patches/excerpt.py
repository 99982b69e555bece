# SPDX-License-Identifier: GPL-2.0-only
"""As much of a base as the checks of a series read: a fifth of its files.

A run that checks the series for other kernels along with its own needs a tree of each,
and those who have one machine for them all have neither the room for whole trees nor
the minutes that git takes for these.
"""

import posixpath
import tarfile
from functools import cached_property

from ground import proc
from ground.errors import Stop
from patches import bases, series

NAME = "excerpt"
# What configures a kernel and what every object needs first; checkpatch and
# get_maintainer read files at the top and in scripts.
_FRAME = ("arch/x86", "include", "kernel", "lib", "scripts", "tools/arch", "tools/build", "tools/include", "tools/lib",
          "tools/objtool", "tools/scripts")
_EVERYWHERE = ("Kconfig", "Makefile", "Kbuild")


def _everywhere(path):
    """Whether a file is in the excerpt wherever it is."""
    return "/" not in path or posixpath.basename(path).startswith(_EVERYWHERE)


def folders(entries):
    """The folders of which an excerpt has all because a series touches them, sorted."""
    paths = {path for entry in entries for path in entry.paths()}
    return sorted({posixpath.dirname(path) for path in paths if not _everywhere(path)})


class Excerpt(bases.PinnedSource):
    """The files of the primary pin that the checks of a series read. The series is read
    when it is asked for them, and may then raise Stop."""
    gib = 1.0

    def __init__(self, layout):
        super().__init__(layout, bases.pins(layout)["primary"])

    @cached_property
    def tops(self):
        """What the folders begin with of which it has all."""
        return tuple(f"{folder}/" for folder in (*_FRAME, *folders(series.load(self.layout))))

    @property
    def ident(self):
        """Identity of the content."""
        return f"{self.pin.ident} {' '.join(self.tops)}"

    def has(self, path):
        """Whether a file of the kernel is in the excerpt."""
        return _everywhere(path) or path.startswith(self.tops)

    def fetch(self):
        """PinnedSource.fetch(), if the series can be read."""
        if self.tops:
            super().fetch()

    def unpack(self, folder, log):
        """Unpacks the excerpt into an empty folder. Raises Stop when it cannot be read."""
        path = bases.fetch(self.layout, self.pin)
        with proc.piped(["bash", "-o", "pipefail", "-c", bases.tar_source(path)], log) as source:
            whole = self._extract(source.stdout, folder)
        if source.returncode or not whole:
            raise Stop(f"unpacking {path.name} failed: see {log}; to repeat: ./dma-owner check")

    def _extract(self, stream, folder):
        """Writes those files of a tar that the excerpt has, and reads the tar to its end;
        returns whether it is sound."""
        try:
            with tarfile.open(mode="r|", fileobj=stream) as tar:
                for member in tar:
                    member.name = member.name.partition("/")[2]
                    if not member.isdir() and self.has(member.name):
                        tar.extract(member, folder)
        except tarfile.TarError:
            return False
        finally:
            stream.read()
        return True
