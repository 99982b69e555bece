# SPDX-License-Identifier: GPL-2.0-only
"""What the series changes for modules: by its sources, or by Module.symvers.

The sources tell at once which exported symbols and structures change. With
CONFIG_MODVERSIONS a build has a sum for each symbol over all types that its
arguments lead to, so comparing two builds tells as well who has to be rebuilt.
"""

import re
from pathlib import Path

import console
import kbuild
import kconfig
import tree as trees
from errors import Stop

FRAGMENT = "queue/kabi.config"
SYMVERS = "Module.symvers"
_EXPORT = re.compile(r"^\s*(EXPORT_SYMBOL\w*)\((\w+)", re.M)
_HUNK = re.compile(r"^@@ [^@]* @@ ?(.*)\n((?:[ +\-\\].*\n?)*)", re.M)


def exports(repo, commit, paths):
    """{symbol: (macro, file)} of what the files export at a commit."""
    found = {}
    for path in sorted(set(paths) & repo.paths(commit)):
        text = repo.blob(commit, path).decode("utf-8", "replace")
        found.update({name: (macro, path) for macro, name in _EXPORT.findall(text)})
    return found


def _code(lines, sign):
    """Lines of a hunk that were added (+) or removed (-), comments aside."""
    own = [line[1:].strip() for line in lines.splitlines() if line.startswith(sign)]
    return [line for line in own if line and not re.match(r"(/\*|\*)", line)]


def structures(diff):
    """Structures whose fields change, by the heads of a diff's hunks."""
    found = set()
    for head, lines in _HUNK.findall(diff):
        match = re.match(r"((?:struct|union) \w+) \{", head)
        if match and (_code(lines, "+") or _code(lines, "-")):
            found.add(match.group(1))
    return sorted(found)


def prototypes(diff, symbols):
    """{symbol: new declaration} of those that headers declare in another way."""
    found = {}
    for _, lines in _HUNK.findall(diff):
        for name in symbols:
            old, new = ([line for line in _code(lines, sign) if re.search(rf"\b{name}\(", line)] for sign in "-+")
            if old and new and old != new:
                found[name] = new[0].rstrip(";")
    return found


def by_sources(repo, base, tip):
    """Lines that say what changes, read from the sources at two commits."""
    paths = [path for _, _, _, path in repo.changes(base, tip)]
    code = [path for path in paths if path.endswith((".c", ".S")) and not path.startswith("tools/")]
    headers = [path for path in paths if path.startswith("include/") or "/include/" in path]
    old, new = exports(repo, base, code), exports(repo, tip, code)
    diff = repo.diff(base, tip, headers).decode("utf-8", "replace")
    changed = prototypes(diff, set(old) & set(new))
    parts = (("Exported symbols that go", _named(old, set(old) - set(new))),
             ("Exported symbols that come", _named(new, set(new) - set(old))),
             ("Exported symbols with another declaration", [changed[name] for name in sorted(changed)]),
             ("Structures with other fields", structures(diff)))
    return [line for title, names in parts for line in (f"{title}:", *(f"  {n}" for n in names or ["none"]))]


def _named(found, names):
    return [f"{name} ({found[name][0]}, {found[name][1]})" for name in sorted(names)]


def parse(text):
    """Module.symvers as {symbol: (sum, module, macro)}."""
    rows = [line.split("\t") for line in text.splitlines()]
    return {row[1]: (row[0], row[2], row[3]) for row in rows if len(row) >= 4}


def load(path):
    """parse() of a file, or of the one in a build folder."""
    place = Path(path)
    place = place / SYMVERS if place.is_dir() else place
    if not place.is_file():
        raise Stop(f"{place}: no such file: build the kernel and its modules first")
    found = parse(place.read_text(encoding="utf-8", errors="replace"))
    if not found:
        raise Stop(f"{place} names no symbol: it is no {SYMVERS}")
    return found


def compare(old, new):
    """Lines that say in what two tables of symbols differ."""
    gone, fresh = sorted(set(old) - set(new)), sorted(set(new) - set(old))
    both = sorted(set(old) & set(new))
    lines = [f"- {name}" for name in gone] + [f"+ {name}" for name in fresh]
    lines += [f"! {name}" for name in both if old[name][0] != new[name][0] or old[name][2] != new[name][2]]
    count = len(lines) - len(gone) - len(fresh)
    note = "" if any(int(row[0], 16) for row in new.values()) else \
        "; without CONFIG_MODVERSIONS, so arguments and structures were not compared"
    return lines + [f"{len(gone)} symbols go, {len(fresh)} come, {count} of {len(both)} differ{note}"]


def build(layout, tree):
    """Builds the base and the series for x86_64; returns the two output folders."""
    fragments = kconfig.fragments(tree.path, "x86_64", "vm") + [layout.root / FRAGMENT]
    outs = []
    for source, base_only in ((trees.side_tree(tree, "base", tree.base_commit()), True), (tree.path, False)):
        built = kbuild.Build(layout, source, "x86_64", "x86_64-kabi", fragments, skip_unknown=base_only)
        built.repeat = "./dma-owner kabi --build"
        built.build()
        outs.append(built.out)
    return outs


def show(lines):
    """Prints lines as a result."""
    for line in lines:
        console.say(line)
