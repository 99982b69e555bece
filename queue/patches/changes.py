# SPDX-License-Identifier: GPL-2.0-only
"""The file CHANGES: the versions of the series, the newest first."""

import re

from ground.errors import Stop

NAME = "CHANGES"
_HEADING = re.compile(r"^Version (\d+)$", re.M)


def parse(text):
    """[(number, text)] of the versions, as they stand in the file.

    Raises Stop when there is none, one has no text, or the order is not descending.
    """
    parts = _HEADING.split(re.sub(r"^#.*\n", "", text, flags=re.M))
    versions = [(int(number), body.strip("\n")) for number, body in zip(parts[1::2], parts[2::2])]
    numbers = [number for number, _ in versions]
    if parts[0].strip() or not versions or not all(body.strip() for _, body in versions):
        raise Stop(f"{NAME}: a line `Version N`, then what changed, is the form: mend it")
    if numbers != sorted(set(numbers), reverse=True):
        raise Stop(f"{NAME}: the newest version comes first, each once: mend it")
    return versions


def load(layout):
    """parse() of the repository's file."""
    path = layout.root / NAME
    if not path.is_file():
        raise Stop(f"there is no {NAME}: restore it from git")
    return parse(path.read_text(encoding="utf-8"))


def version(layout):
    """The number of the version in the repository."""
    return load(layout)[0][0]
