# SPDX-License-Identifier: GPL-2.0-only
"""sparse, W=1 and kernel-doc on what the series touches: nothing that the base
does not say already."""

from collections import Counter

from ground import console, packages, proc
from ground.errors import Failed, first_of
from kernel import kbuild, kconfig, warnings
from patches import trees

ARCH, CONFIG = "x86_64", "vm"


def tool_versions():
    """Compiler and sparse, for keys."""
    names = packages.missing(("sparse",))
    sparse = "" if names else proc.call(["sparse", "--version"])[1].decode().strip()
    return [kbuild.compiler(), sparse]


def cases(ctx):
    """Both checks, remembered by the series and the tools."""
    key = [entry.key for entry in ctx.entries][-1:] + [ctx.state.base_commit]
    return [("kernel-doc", kernel_doc, key),
            ("sparse-and-w1", sparse_and_w1, key + (tool_versions() if ctx.source else []))]


def _lint(ctx, source, which, paths, base):
    """Builds the objects of `paths` with sparse and W=1; returns the log's text."""
    fragments = kconfig.fragments(ctx.at_tip(), ARCH, CONFIG)
    built = kbuild.Build(ctx.layout, source, ARCH, "lint", fragments, skip_unknown=base, quiet=True,
                         repeat="./dma-owner check")
    built.configure()
    log = ctx.log(f"lint-{which}")
    objects = [p[:-2] + ".o" for p in paths]
    for path in objects:     # their warnings are wanted again
        (built.out / path).unlink(missing_ok=True)
    with console.stage(f"sparse and W=1 on the {which}", log):
        status = proc.logged(built.make("C=2", "CHECK=sparse", "W=1", "-k", *objects), log,
                             cwd=source, env=built.environment())
    if status:
        raise Failed(f"a touched file of the {which} does not compile with C=2 W=1", log)
    return log.read_text(encoding="utf-8", errors="replace")


def to_ask(warned, sources):
    """Those of the base's sources that can tell whether it has the same warnings: the files
    of these, or all that may include a header of them."""
    files = {path for path, _ in warned}
    headers = any(path.endswith(".h") for path in files)
    return [path for path in sources if headers or path in files]


def sparse_and_w1(ctx):
    """No warning of sparse or gcc W=1 in a touched file that the base lacks."""
    ordinary = kbuild.Build(ctx.layout, ctx.at_tip(), ARCH, f"{ARCH}-{CONFIG}",
                            kconfig.fragments(ctx.at_tip(), ARCH, CONFIG))
    ordinary.build()
    base = trees.side_tree(ctx.tree, "base", ctx.base_commit)
    paths = set(ctx.touched((".c", ".h")))
    everything = {p for p in ctx.touched((".c",)) if not p.startswith("tools/")}
    sources = [p for p in sorted(everything) if (ordinary.out / (p[:-2] + ".o")).is_file()]
    new = warnings.of_files(_lint(ctx, ordinary.source, "series", sources, False), paths)
    known = to_ask(new, [p for p in sources if p in ctx.base_paths])
    if known:
        new -= warnings.of_files(_lint(ctx, base, "base", known, True), paths)
    first_of([f"{path}: {what}" for path, what in sorted(new)], ctx.log("lint-new"))
    left = sorted(everything - set(sources))
    return f"{len(sources)} files" + (f"; not in this configuration: {' '.join(left)}" if left else "")


def kernel_doc(ctx):
    """No kernel-doc warning in a touched file that the base lacks."""
    source = ctx.at_tip()
    base = trees.side_tree(ctx.tree, "base", ctx.base_commit)
    paths = [p for p in ctx.touched((".c", ".h")) if not p.startswith("tools/")]
    new = _doc_warnings(source, paths)
    new -= _doc_warnings(base, [p for p in {path for path, _ in new} if p in ctx.base_paths])
    first_of([f"{path}: {what}" for path, what in sorted(new)], ctx.log("kernel-doc"))
    return f"{len(paths)} files"


def _doc_warnings(source, paths):
    present = [p for p in paths if (source / p).is_file()]
    if not present:
        return Counter()
    _, out, err = proc.call(["perl", "scripts/kernel-doc", "-none", *present], cwd=source)
    return warnings.of_files((out + err).decode("utf-8", "replace"), set(present))
