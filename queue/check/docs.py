# SPDX-License-Identifier: GPL-2.0-only
"""What the documentation's own tools say to the files that the series touches:
ABI entries, pages and manual pages.

Building all of the kernel's documentation takes long, so the pages are built
alone, with the kernel's configuration and extensions.
"""

import os
import re
import shutil
from collections import Counter
from pathlib import PurePath

from ground import console, packages, proc
from ground.errors import Failed, first_of
from ground.layout import remove
from patches import trees

PAGES = "Documentation/"
INDEX = "index.rst"
_PLACE = re.compile(r"^(\S+?):(?:(?:docstring of )?\d+:)? (?:WARNING|ERROR|SEVERE|warning|error): (.*)")


def cases(ctx):
    """These checks; the pages are remembered by the series."""
    key = [entry.key for entry in ctx.entries][-1:] + [ctx.state.base_commit]
    return [("abi", abi, key), ("pages", pages, key), ("manual-pages", manual_pages, key)]


def new_lines(new, old):
    """Lines of one output that the other lacks, line numbers left out of the
    comparison."""
    def lines(text):
        return Counter(re.sub(r":\d+", "", line) for line in text.splitlines() if line.strip())
    return sorted((lines(new) - lines(old)).elements())


def _abi_complaints(source):
    status, out, err = proc.call(["perl", "scripts/get_abi.pl", "validate"], cwd=source)
    if status:
        raise Failed("scripts/get_abi.pl validate: " + " ".join(err.decode("utf-8", "replace").split())[:200])
    return (out + err).decode("utf-8", "replace")


def abi(ctx):
    """get_abi.pl has nothing to say to Documentation/ABI that it does not say of
    the base."""
    base = trees.side_tree(ctx.tree, "base", ctx.base_commit)
    first_of(new_lines(_abi_complaints(ctx.at_tip()), _abi_complaints(base)), ctx.log("abi"))
    files = [path for path in ctx.touched() if path.startswith(f"{PAGES}ABI/")]
    return f"{len(files)} files"


def complaints(text, folder, paths):
    """What Sphinx and kernel-doc complain of in the pages of a folder, or in
    sources among the paths: ["path: what"]."""
    problems = []
    for line in text.splitlines():
        match = _PLACE.match(line)
        if not match:
            continue
        path = match[1]
        if path.startswith(f"{folder}/"):
            problems.append(f"{PAGES}{os.path.relpath(path, folder)}: {match[2]}")
        else:
            problems += [f"{known}: {match[2]}" for known in paths if path.endswith(f"/{known}")]
    return problems


def unlisted(source, paths):
    """Pages that no index.rst of their folder names."""
    problems = []
    for path in paths:
        index = source / PurePath(path).parent / INDEX
        names = index.read_text(encoding="utf-8").split() if index.is_file() else []
        if PurePath(path).stem not in names:
            problems.append(f"{path}: not in {PurePath(path).parent / INDEX}")
    return problems


def unknown_functions(source, paths):
    """Functions that a page wants to show and that its source does not describe:
    kernel-doc leaves them out without a word."""
    problems = []
    for path in paths:
        text = (source / path).read_text(encoding="utf-8")
        for file, names in re.findall(r"^\.\. kernel-doc:: (\S+)\n\s+:functions: ((?:.+\n)+)", text, re.M):
            described = (source / file).read_text(encoding="utf-8")
            problems += [f"{path}: {file} does not describe {name}()" for name in names.split()
                      if f"\n * {name}() - " not in described]
    return problems


def _gather(source, paths, folder):
    """The pages alone, below an index of their own."""
    for path in paths:
        place = folder / path[len(PAGES):]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / path, place)
    entries = "".join(f"   {path[len(PAGES):-len('.rst')]}\n" for path in paths)
    (folder / INDEX).write_text(f"Pages\n=====\n\n.. toctree::\n\n{entries}", encoding="utf-8")


def _sphinx(source, folder, log):
    """Builds the pages of a folder; returns what was said."""
    env = dict(os.environ, srctree=str(source), BUILDDIR=str(folder), LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1")
    argv = ["sphinx-build", "-q", "-E", "-b", "html", "-c", source / "Documentation", "-d", folder / "doctrees",
            "-D", "version=5.10", "-D", "release=5.10", folder / "pages", folder / "html"]
    with console.stage("Building the pages", log):
        status = proc.logged(argv, log, cwd=source / "Documentation", env=env)
    if status:
        raise Failed("sphinx-build failed", log)
    return log.read_text(encoding="utf-8", errors="replace")


def pages(ctx):
    """Every page is in an index, and Sphinx builds it without a warning."""
    source = ctx.at_tip()
    paths = [path for path in ctx.touched((".rst",)) if PurePath(path).name != INDEX]
    first_of(unlisted(source, paths) + unknown_functions(source, paths))
    packages.ensure(ctx.layout, packages.FOR_DOCS, "to build the documentation")
    folder, log = ctx.layout.work / "check" / "pages", ctx.log("pages")
    remove(folder)
    (folder / "pages").mkdir(parents=True)
    _gather(source, paths, folder / "pages")
    text = _sphinx(source, folder, log)
    first_of(complaints(text, folder / "pages", ctx.touched((".c", ".h"))), log.with_name("check-pages-problems.log"))
    return f"{len(paths)} pages"


def manual_pages(ctx):
    """groff has nothing to say to a manual page."""
    packages.ensure(ctx.layout, packages.FOR_DOCS, "to format manual pages")
    source, problems = ctx.at_tip(), []
    paths = ctx.touched((".1", ".8"))
    for path in paths:
        _, _, err = proc.call(["groff", "-man", "-Tutf8", "-ww", "-z", path], cwd=source)
        problems += err.decode("utf-8", "replace").splitlines()
    first_of(problems, ctx.log("manual-pages"))
    return f"{len(paths)} pages"
