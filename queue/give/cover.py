# SPDX-License-Identifier: GPL-2.0-only
"""The cover letter: the words of the file `cover-letter`, and what goes in between."""

import re

from ground.errors import Stop
from machine import outcomes
from patches import changes

NAME = "cover-letter"
_FIELDS = ("version", "base", "tested", "changes")
_UNTESTED = "Nothing: run `./dma-owner test`, which keeps what it found for this letter.\n"
_SHOWN = ("machine", "config", "passed", "failed", "skipped", "date")


def parse(text):
    """(subject, body) of the file; comments are left out.

    Raises Stop without a Subject, or on a {field} that is not known.
    """
    text = re.sub(r"^#.*\n", "", text, flags=re.M).lstrip("\n")
    match = re.match(r"Subject: (.+)\n\n", text)
    if not match:
        raise Stop(f"{NAME}: begins with `Subject: ...` and an empty line: mend it")
    unknown = set(re.findall(r"\{(\w+)\}", text)) - set(_FIELDS)
    if unknown:
        raise Stop(f"{NAME}: {{{min(unknown)}}} is none of {', '.join(_FIELDS)}: mend it")
    return match.group(1), text[match.end():].strip("\n")


def _tested(layout, entries):
    """What was tested, a table for each base."""
    tested = outcomes.rows(layout, entries)
    bases = list(dict.fromkeys(row.base for row in tested))
    parts = [f"On {base}:\n\n" + _indented(outcomes.table([r for r in tested if r.base == base], _SHOWN))
             for base in bases]
    return "\n".join(parts) or _UNTESTED


def _indented(text):
    return "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())


def _changes(layout):
    """All versions, the newest first."""
    return "\n".join(f"Version {number}:\n\n{text}\n" for number, text in changes.load(layout))


def text(layout, entries, title):
    """(subject, body) of the letter for the base `title`."""
    path = layout.home / NAME
    if not path.is_file():
        raise Stop(f"there is no {layout.shown(path)}: write one, or restore it from git")
    subject, body = parse(path.read_text(encoding="utf-8"))
    fields = {"version": str(changes.version(layout)), "base": title,
              "tested": _tested(layout, entries).rstrip(), "changes": _changes(layout).rstrip()}
    return subject, re.sub(r"\{(\w+)\}", lambda m: fields[m.group(1)], body)
