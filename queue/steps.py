# SPDX-License-Identifier: GPL-2.0-only
"""Every patch builds the folders that it touches, without a warning there."""

import posixpath

import console
import kbuild
import kconfig
import lint
import proc
import tree as trees
from checkbase import Failed, first_of

NOT_BUILT = ("Documentation/", "tools/", "scripts/", "samples/")


def cases(ctx):
    """One case per patch, remembered by everything up to that patch."""
    found = []
    for number, entry in enumerate(ctx.entries):
        name = "builds-" + posixpath.basename(entry.name)[:-len(".patch")]
        key = None
        if ctx.source:
            key = [entry.key, ctx.state["base_commit"], lint.compiler(), *_fragment_texts(ctx)]
        found.append((name, lambda c, n=number: builds(c, n), key))
    return found


def _fragment_texts(ctx):
    """The configuration is the series' last, whichever patch is built with it."""
    names = [f"{kconfig.FRAGMENTS}/{n}" for n in kconfig.fragment_names(lint.ARCH, lint.CONFIG)]
    files = {path: data for e in ctx.entries for path, (data, _) in e.files.items()}
    return [files.get(name, b"").decode("utf-8", "replace") for name in names]


def _paths(entry):
    return sorted(set(entry.patch.touched()) | set(entry.files))


def folders(repo, commit, paths):
    """Build folders of the paths: the nearest with a Makefile, headers aside."""
    found = set()
    for path in paths:
        folder = posixpath.dirname(path)
        if path.startswith(NOT_BUILT + ("include/",)) or not folder or "/include/" in path:
            continue
        while folder and not repo.ok("cat-file", "-e", f"{commit}:{folder}/Makefile"):
            folder = posixpath.dirname(folder)
        if folder:
            found.add(folder + "/")
    return found


def _goals(ctx, number):
    """Folders that patch `number` may break: its own; all those of the series
    when it changes a header."""
    entry, _, commit = ctx.steps[number]
    if not any(p.endswith(".h") or "/include/" in p for p in _paths(entry)):
        return sorted(folders(ctx.git, commit, _paths(entry)))
    every = [p for e in ctx.entries[:number + 1] for p in _paths(e)]
    return sorted(folders(ctx.git, commit, every))


def _outermost(goals):
    """Without folders that lie in another of them."""
    return [g for g in goals if not any(g != o and g.startswith(o) for o in goals)]


def builds(ctx, number):
    """Builds the folders of one patch in .build/step."""
    entry, _, commit = ctx.steps[number]
    goals = _outermost([g for g in _goals(ctx, number) if not g.startswith("arch/")
                        or g.startswith("arch/x86/")])
    if not goals:
        return "nothing to compile"
    fragments = _fragment_files(ctx)
    source = trees.side_tree(ctx.tree, "step", commit)
    built = kbuild.Build(ctx.layout, source, lint.ARCH, "step", fragments, skip_unknown=True, quiet=True)
    built.repeat = "./dma-owner check"
    built.configure()
    log = ctx.log(f"builds-{number + 1:02}")
    with console.stage(f"Building patch {number + 1} of {len(ctx.entries)}: {' '.join(goals)}", log):
        status = proc.logged(built.make(*goals), log, cwd=source, env=built.environment())
    if status:
        raise Failed(f"patch {number + 1} does not build {' '.join(goals)}", log)
    found = lint.warnings(log.read_text(encoding="utf-8", errors="replace"), set(_paths(entry)))
    first_of([f"{path}: {what}" for path, what in sorted(found)], log.with_suffix(".warnings"))
    return _left_out(built, entry)


def _left_out(built, entry):
    """A remark on touched .c files that this configuration does not compile."""
    left = [p for p in _paths(entry) if p.endswith(".c") and not p.startswith(NOT_BUILT)
            and not (built.out / (p[:-2] + ".o")).is_file()]
    return f"not in this configuration: {' '.join(left)}" if left else ""


def _fragment_files(ctx):
    """The fragments as files, from the series as applied."""
    home = ctx.layout.work / "check" / "fragments"
    home.mkdir(parents=True, exist_ok=True)
    found = []
    names = kconfig.fragment_names(lint.ARCH, lint.CONFIG)
    for name, text in zip(names, _fragment_texts(ctx)):
        if not text:
            raise Failed(f"the series has no {kconfig.FRAGMENTS}/{name}: nothing to build with")
        (home / name).write_text(text, encoding="utf-8")
        found.append(home / name)
    return found
