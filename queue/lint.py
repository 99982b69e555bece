# SPDX-License-Identifier: GPL-2.0-only
"""sparse, W=1 and kernel-doc on what the series touches: nothing that the base
does not say already."""

import re
from collections import Counter

import console
import kbuild
import kconfig
import packages
import proc
import tree as trees
from checkbase import Failed, first_of

ARCH, CONFIG = "x86_64", "vm"
WARNING = re.compile(r"^(?:\.\./)?([\w./+-]+\.[chS]):(\d+)(?::\d+)?: ((?:warning|error|note|fatal error):? .*|warning.*)")


def compiler():
    """The compiler's first line, for keys."""
    return proc.call(["gcc", "--version"])[1].decode().partition("\n")[0]


def tool_versions():
    """Compiler and sparse, for keys."""
    names = packages.missing(("sparse",))
    sparse = "" if names else proc.call(["sparse", "--version"])[1].decode().strip()
    return [compiler(), sparse]


def touched(ctx, suffixes):
    """Paths with one of the suffixes that the series adds or changes."""
    found = set()
    for entry in ctx.entries:
        found.update(p for p in entry.patch.touched() + list(entry.files) if p.endswith(suffixes))
    return sorted(found)


def cases(ctx):
    """Both checks, remembered by the series and the tools."""
    key = [entry.key for entry in ctx.entries][-1:] + [ctx.state["base_commit"]]
    return [("kernel-doc", kernel_doc, key),
            ("sparse-and-w1", sparse_and_w1, key + (tool_versions() if ctx.source else []))]


def warnings(text, paths):
    """Warnings of a compiler's log that concern the paths, lines and columns left
    out so that two trees can be compared: a Counter of (path, text)."""
    found = Counter()
    for line in text.splitlines():
        match = WARNING.match(line)
        if match and match.group(1) in paths:
            found[(match.group(1), match.group(3))] += 1
    return found


def at_tip(ctx):
    """Path of the tree when it stands at the series' tip, else a side tree there."""
    if ctx.tree.tip() == ctx.tip and not ctx.git.dirt():
        return ctx.tree.path
    return trees.side_tree(ctx.tree, "step", ctx.tip)


def _lint(ctx, source, which, paths, base):
    """Builds the objects of `paths` with sparse and W=1; returns the log's text."""
    fragments = kconfig.fragments(at_tip(ctx), ARCH, CONFIG)
    built = kbuild.Build(ctx.layout, source, ARCH, "lint", fragments, skip_unknown=base, quiet=True)
    built.repeat = "./dma-owner check"
    built.configure()
    log = ctx.log(f"lint-{which}")
    objects = [p[:-2] + ".o" for p in paths]
    for one in objects:     # their warnings are wanted again
        (built.out / one).unlink(missing_ok=True)
    with console.stage(f"sparse and W=1 on the {which}", log):
        status = proc.logged(built.make("C=2", "CHECK=sparse", "W=1", "-k", *objects), log,
                             cwd=source, env=built.environment())
    if status:
        raise Failed(f"a touched file of the {which} does not compile with C=2 W=1", log)
    return log.read_text(encoding="utf-8", errors="replace")


def sparse_and_w1(ctx):
    """No warning of sparse or gcc W=1 in a touched file that the base lacks."""
    ordinary = kbuild.Build(ctx.layout, at_tip(ctx), ARCH, f"{ARCH}-{CONFIG}",
                            kconfig.fragments(at_tip(ctx), ARCH, CONFIG))
    ordinary.build()
    base = trees.side_tree(ctx.tree, "base", ctx.base_commit)
    paths = set(touched(ctx, (".c", ".h")))
    everything = {p for p in touched(ctx, (".c",)) if not p.startswith("tools/")}
    sources = [p for p in sorted(everything) if (ordinary.out / (p[:-2] + ".o")).is_file()]
    new = warnings(_lint(ctx, ordinary.source, "series", sources, False), paths)
    known = [p for p in sources if p in ctx.base_paths]
    if known:
        new -= warnings(_lint(ctx, base, "base", known, True), paths)
    first_of([f"{path}: {what}" for path, what in sorted(new)], ctx.log("lint-new"))
    left = sorted(everything - set(sources))
    return f"{len(sources)} files" + (f"; not in this configuration: {' '.join(left)}" if left else "")


def kernel_doc(ctx):
    """No kernel-doc warning in a touched file that the base lacks."""
    source = at_tip(ctx)
    base = trees.side_tree(ctx.tree, "base", ctx.base_commit)
    paths = [p for p in touched(ctx, (".c", ".h")) if not p.startswith("tools/")]
    new = _doc_warnings(source, paths) - _doc_warnings(base, [p for p in paths if p in ctx.base_paths])
    first_of([f"{path}: {what}" for path, what in sorted(new)], ctx.log("kernel-doc"))
    return f"{len(paths)} files"


def _doc_warnings(source, paths):
    present = [p for p in paths if (source / p).is_file()]
    if not present:
        return Counter()
    _, out, err = proc.call(["perl", "scripts/kernel-doc", "-none", *present], cwd=source)
    return warnings((out + err).decode("utf-8", "replace"), set(present))
