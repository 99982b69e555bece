# SPDX-License-Identifier: GPL-2.0-only
"""What the series changes for modules: by its sources, or by Module.symvers.

The sources tell at once which exported symbols and structures change. With
CONFIG_MODVERSIONS a build has a sum for each symbol over all types that its
arguments lead to, so comparing two builds tells as well who has to be rebuilt.
How those types changed, abidiff reads from debugging information.
"""

import re
import textwrap
from pathlib import Path

from ground import console, packages, proc
from ground.errors import Stop
from kernel import kernels

FRAGMENT = "queue/give/kabi.config"
TYPES_FRAGMENT = "queue/give/kabi-types.config"
NEWER_FRAGMENT = "queue/give/kabi-newer.config"
HEADERS = ("include", "arch/x86/include")       # with the types that modules see
SYMVERS = "Module.symvers"
_EXPORT = re.compile(r"^\s*(EXPORT_SYMBOL\w*)\((\w+)", re.M)
_HUNK = re.compile(r"^@@ [^@]* @@ ?(.*)\n((?:[ +\-\\].*\n?)*)", re.M)
# Types that changed themselves, of those that the headers define.
_ABIDIFF = ("abidiff", "--leaf-changes-only", "--drop-private-types", "--no-added-syms", "--no-show-locs",
            "--show-bytes")
_TYPE = re.compile(r"^'(.+)' changed:\n((?:  .*\n?)+)", re.M)


def exports(repo, commit, paths):
    """{symbol: (macro, file)} of what the files export at a commit."""
    symbols = {}
    for path in sorted(set(paths) & repo.paths(commit)):
        text = repo.blob(commit, path).decode("utf-8", "replace")
        symbols.update({name: (macro, path) for macro, name in _EXPORT.findall(text)})
    return symbols


def _code(lines, sign):
    """Lines of a hunk that were added (+) or removed (-), comments aside."""
    own = [line[1:].strip() for line in lines.splitlines() if line.startswith(sign)]
    return [line for line in own if line and not re.match(r"(/\*|\*)", line)]


def structures(diff):
    """Structures whose fields change, by the heads of a diff's hunks."""
    names = set()
    for head, lines in _HUNK.findall(diff):
        match = re.match(r"((?:struct|union) \w+) \{", head)
        if match and (_code(lines, "+") or _code(lines, "-")):
            names.add(match.group(1))
    return sorted(names)


def prototypes(diff, symbols):
    """{symbol: new declaration} of those that headers declare in another way."""
    declarations = {}
    for _, lines in _HUNK.findall(diff):
        for name in symbols:
            old, new = ([line for line in _code(lines, sign) if re.search(rf"\b{name}\(", line)] for sign in "-+")
            if old and new and old != new:
                declarations[name] = new[0].rstrip(";")
    return declarations


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


def _named(exported, names):
    """Lines for symbols, with the macro and the file that export them."""
    return [f"{name} ({exported[name][0]}, {exported[name][1]})" for name in sorted(names)]


def parse(text):
    """Module.symvers as {symbol: (sum, module, macro)}."""
    rows = [line.split("\t") for line in text.splitlines()]
    return {row[1]: (row[0], row[2], row[3]) for row in rows if len(row) >= 4}


def load(path):
    """parse() of a Module.symvers, or of the one in a build folder. Raises Stop when
    there is none, or it is empty."""
    place = Path(path)
    place = place / SYMVERS if place.is_dir() else place
    if not place.is_file():
        raise Stop(f"{place}: no such file: build the kernel and its modules first")
    table = parse(place.read_text(encoding="utf-8", errors="replace"))
    if not table:
        raise Stop(f"{place} names no symbol: it is no {SYMVERS}")
    return table


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
    pair = kernels.pair(tree, "vm", layout.typed("kabi --build"), over=[layout.root / FRAGMENT], name="x86_64-kabi")
    for built in pair:
        built.build()
    return [built.out for built in pair]


def objects(tree, outs):
    """Names of the objects that both output folders have of the files that the series
    changes."""
    raw = tree.git.bytes("diff", "--name-only", "--diff-filter=M", "-z", tree.base_commit(), "--", "*.c")
    names = [path[:-2] + ".o" for path in raw.decode("utf-8").split("\0") if path]
    return [name for name in names if all((out / name).is_file() for out in outs)]


def parse_types(text):
    """{type: how it changed, as lines} of what abidiff prints."""
    return dict(_TYPE.findall(text))


def _compare_object(old, new, name):
    """parse_types() of an object in two Builds. Raises Stop when abidiff cannot read it."""
    argv = list(_ABIDIFF)
    for number, built in enumerate((old, new), 1):
        argv += [word for folder in HEADERS for word in (f"--headers-dir{number}", built.source / folder)]
    status, out, err = proc.call([*argv, old.out / name, new.out / name])
    if status < 0 or status & 3:    # else the bits say that something changed
        raise Stop(f"abidiff cannot compare {name}: {' '.join(err.decode('utf-8', 'replace').split())[-200:]}")
    return parse_types(out.decode("utf-8", "replace"))


def _types_fragments(layout):
    """Fragments for debugging information, which newer kernels have other options for."""
    return [FRAGMENT, TYPES_FRAGMENT, *([NEWER_FRAGMENT] if layout.port else [])]


def types(layout, tree, outs):
    """Lines that say how the types changed that modules see. `outs`: what build() gives.

    Raises Stop when a tool fails.
    """
    packages.ensure(layout, packages.FOR_KABI, "to see how types change")
    names, changed = objects(tree, outs), {}
    old, new = kernels.pair(tree, "vm", layout.typed("kabi --build"), name="x86_64-kabi-types",
                            over=[layout.root / name for name in _types_fragments(layout)])
    for built in (old, new) if names else ():
        built.compile(*names)
    for name in names:
        changed = {**_compare_object(old, new, name), **changed}
    lines = [line for name in sorted(changed)
             for line in (f"  {name}:", *textwrap.indent(changed[name], "  ").splitlines())]
    return ["How types change that modules see:", *(lines or ["  none"])]


def show(lines):
    """Prints lines as a result."""
    for line in lines:
        console.say(line)
