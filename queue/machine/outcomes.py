# SPDX-License-Identifier: GPL-2.0-only
"""Which version of the series was tested on which base and machine.

`./dma-owner test` keeps the results of every machine that it ran as a whole, under
.build/tested, by the series as it was: what was tested before the last edit does
not count for what is there now. `./dma-owner test --table` prints them as the file
TESTED has them, where a release's table is committed.
"""

import hashlib
import re
import time
from dataclasses import astuple, dataclass

from ground import results
from ground.layout import write_file
from patches import changes, series

NAME = "TESTED"
HEADER = """# SPDX-License-Identifier: GPL-2.0-only
#
# What was tested, a line for each machine. Written by `./dma-owner test --table`.
# `series` is a sum over all patches and files of the series. On `host` run the
# checks and the tests of the machinery, the other machines are those of QEMU.
"""
_COLUMNS = ("version", "series", "base", "machine", "config", "passed", "failed", "skipped", "date")
_HARNESS, _HOST = "vm", "host"


@dataclass(frozen=True)
class Row:
    """One line of the table, all fields as text."""
    version: str
    series: str
    base: str
    machine: str
    config: str
    passed: str
    failed: str
    skipped: str
    date: str


def digest(entries):
    """What the table calls a series."""
    return entries[-1].key[:12] if entries else "-"


def of_tree(tree):
    """The digest of what is in a tree, None without one, or when it has work that the
    series lacks."""
    state = tree.state()
    if state is None or tree.unsaved(state) or not state.patches:
        return None
    return state.patches[-1][0][:12]


def _folder(layout, ident):
    return layout.build / "tested" / ident


def of_host(result):
    """Whether a Result is of the checks or of the machinery's tests, not of a machine."""
    return result.machine == _HOST


def by_machine(said):
    """Results by the machine in their names: {machine: [Result]}."""
    parts = {}
    for result in said:
        parts.setdefault(result.machine, []).append(result)
    return parts


def record(layout, title, ident, config, said):
    """Keeps the Results of a run, a file for each machine, which replaces the
    last one. Machines whose harness failed are left out.

    `title`: the base; `ident`: the digest of what ran.
    """
    parts = by_machine(said)
    stamp = time.strftime("%Y-%m-%d")
    base = hashlib.sha256(title.encode()).hexdigest()[:8]
    for machine, own in parts.items():
        if machine == _HARNESS or (machine != _HOST and _HARNESS in parts):
            continue
        shown = "-" if machine == _HOST else config
        head = [f"# base: {title}", f"# config: {shown}", f"# date: {stamp}"]
        write_file(_folder(layout, ident) / f"{machine}.{shown}.{base}".replace(".-.", "."),
                   "".join(f"{line}\n" for line in [*head, *own]).encode())


def reports(layout, entries):
    """[(file name, bytes)] of the kept results of this series."""
    folder = _folder(layout, digest(entries))
    return [(path.name, path.read_bytes()) for path in sorted(folder.glob("*")) if path.name[0] != "."]


def _row(number, ident, name, data):
    """The Row of one kept file."""
    lines = data.decode("utf-8", "replace").splitlines()
    fields = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    counts = map(str, results.count(results.parse_all(lines)))
    return Row(str(number), ident, fields["base"], name.partition(".")[0], fields["config"], *counts, fields["date"])


def parse(text):
    """Rows of a TESTED file. Lines of another form are passed over."""
    cells = [re.split(r" {2,}", line.strip()) for line in text.splitlines() if not line.startswith("#")]
    return [Row(*cell) for cell in cells if len(cell) == len(_COLUMNS) and tuple(cell) != _COLUMNS]


def rows(layout, entries):
    """Rows of the series as it is: of this .build, else of the file TESTED."""
    ident, number = digest(entries), changes.version(layout)
    own = [_row(number, ident, name, data) for name, data in reports(layout, entries)]
    return own or [row for row in _committed(layout) if row.series == ident]


def _committed(layout):
    path = layout.root / NAME
    return parse(path.read_text(encoding="utf-8")) if path.is_file() else []


def table(tested, columns=_COLUMNS):
    """Rows as aligned lines under their headings; '' without rows."""
    if not tested:
        return ""
    cells = [columns] + [tuple(getattr(row, name) for name in columns) for row in tested]
    widths = [max(len(cell[place]) for cell in cells) for place in range(len(columns))]
    lines = ["  ".join(word.ljust(width) for word, width in zip(cell, widths)).rstrip() for cell in cells]
    return "".join(f"{line}\n" for line in lines)


def text(layout):
    """The file TESTED as it should be: all series, then what it says of older versions."""
    own = [row for one in layout.every() for row in rows(one, series.load(one))]
    number = str(changes.version(layout))
    older = [row for row in _committed(layout) if row.version != number]
    return HEADER + "\n" + table(own + sorted(older, key=astuple, reverse=True))
