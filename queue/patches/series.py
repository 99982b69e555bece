# SPDX-License-Identifier: GPL-2.0-only
"""The file `series`, and the patches and whole files of the repository."""

import hashlib
import os
from dataclasses import dataclass

from ground.errors import Stop
from ground.git import Git
from ground.layout import OWN_TOPS, PORTS
from patches import patchmail


def parse(text):
    """Entries of a series file: [(patch path, [comment and blank lines before it])],
    and the lines after the last entry.

    Raises Stop on words after a name: quilt takes them for options.
    """
    entries, before = [], []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if not word or word.startswith("#"):
            before.append(line.rstrip())
            continue
        if len(word.split()) > 1:
            raise Stop(f"series:{number}: '{word}': one patch per line, comments on lines of their own")
        entries.append((word, before))
        before = []
    return entries, before


HEADER = "# SPDX-License-Identifier: GPL-2.0-only"


def _split_header(lines):
    """(header, rest): the comments before the first blank line stay on top,
    whatever patch comes first."""
    blank = next((n for n, line in enumerate(lines) if not line), None)
    if blank is None:
        blank = next((n for n, line in enumerate(lines) if not line.startswith("# SPDX")),
                     len(lines)) - 1
    return lines[:blank + 1], lines[blank + 1:]


def compose(names, old_text):
    """The text of `series` for these patches: the header on top, each other
    comment with the patch that follows it."""
    entries, rest = parse(old_text or f"{HEADER}\n\n")
    if entries:
        header, first = _split_header(entries[0][1])
        entries[0] = (entries[0][0], first)
    else:
        header, rest = _split_header(rest)
    comments = dict(entries)
    lines = list(header)
    for name in names:
        lines += comments.get(name, []) + [name]
    lines += rest
    return "".join(f"{line}\n" for line in lines)


@dataclass
class Entry:
    """A patch of the series with what it needs to be applied."""
    name: str               # path of the .patch in the repository
    data: bytes
    patch: patchmail.Patch
    files: dict             # new path -> (bytes, executable)
    key: str                # hash of this and all entries before it

    def paths(self):
        """What it changes or brings, sorted."""
        return sorted({*self.patch.touched(), *self.files})


# New files that later patches of the series change. Their text is in the patches.
GROWN = ("drivers/iommu/iommu-group.h", "drivers/iommu/iommu-sva.c", "drivers/iommu/tests/Kconfig", "drivers/iommu/tests/Makefile")


def series_text(layout):
    """Text of `series`, '' when there is none yet."""
    return layout.series.read_text(encoding="utf-8") if layout.series.is_file() else ""


def begun(layout):
    """Whether the series names a patch, well or badly."""
    return any(line.strip() and not line.startswith("#") for line in series_text(layout).splitlines())


def names(layout):
    """Paths of the patches that the series names, in order."""
    return [name for name, _ in parse(series_text(layout))[0]]


def is_kernel_path(path):
    """Whether a new file may stand at this path of the repository."""
    parts = path.split("/")
    return (parts[0] not in OWN_TOPS and "" not in parts and ".." not in parts
            and "." not in parts and ".git" not in parts and not path.endswith(".patch"))


def _patch_file(layout, name):
    """The bytes of a patch that the series names."""
    place = layout.home / name
    if not place.is_file():
        raise Stop(f"{layout.shown(layout.series)} names {name}, which is not in the repository: "
                   "restore it from git, or remove the line")
    return place.read_bytes()


def _whole_file(layout, patch_name, path):
    """(bytes, executable) of a whole file that a patch claims."""
    if not is_kernel_path(path):
        raise Stop(f"{patch_name}: New-file: {path}: not a path that a whole file may have")
    place = layout.place(path)
    if layout.port and (layout.home / path).exists() and (layout.root / path).exists():
        raise Stop(f"{path} is in {layout.shown(layout.home)} and at the top of the repository: nothing overrides "
                   "anything, so keep one of them, or give one another name")
    if place.is_symlink() or not place.is_file():
        raise Stop(f"{patch_name} claims {path}, which is not in the repository: "
                   "restore it from git, or remove the New-file line")
    return place.read_bytes(), os.access(place, os.X_OK)


def load(layout):
    """All entries of the series, in order. Raises Stop on the first that is unusable."""
    entries, key, claimed = [], hashlib.sha256(b"dma-owner 1\n").hexdigest(), {}
    for name in names(layout):
        data = _patch_file(layout, name)
        patch = patchmail.parse(data, name)
        checksum = hashlib.sha256(f"{key}\n{len(data)}\n".encode() + data)
        files = {}
        for path in patch.new_files:
            if path in claimed:
                raise Stop(f"{path} is claimed by {claimed[path]} and by {name}: "
                           "keep the New-file line in one of them")
            claimed[path] = name
            content, executable = files[path] = _whole_file(layout, name, path)
            checksum.update(f"{path} {executable} {len(content)}\n".encode() + content)
        key = checksum.hexdigest()
        entries.append(Entry(name, data, patch, files, key))
    return entries


def claims(layout):
    """Where the whole files stand that the patches of a series claim: a set of paths.
    Raises Stop on the first patch that is unusable."""
    patches = [patchmail.parse(_patch_file(layout, name), name) for name in names(layout)]
    return {layout.place(path) for patch in patches for path in patch.new_files}


def repository_files(layout):
    """Paths of the repository that git tracks or would, as a sorted list."""
    raw = Git(layout.root).bytes("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = set(raw.decode("utf-8", "surrogateescape").split("\0")) - {""}
    return sorted(n for n in names if os.path.lexists(layout.root / n))


def own_files(layout, repository):
    """Those of the repository's paths that are the series' own, as seen from its home:
    another series' are not."""
    if not layout.port:
        return [path for path in repository if path.split("/")[0] != PORTS]
    top = f"{layout.shown(layout.home)}/"
    return [path.removeprefix(top) for path in repository if path.startswith(top)]
