# SPDX-License-Identifier: GPL-2.0-only
"""Does the series apply at fuzz 0: git am and quilt, on each base."""

import os
import re

from give import export
from ground import console, git, proc
from ground.errors import Failed
from ground.layout import remove
from patches import bases, excerpt, patchmail, scratch, series

WHICH = ("primary", "second", "pristine")


def cases(ctx):
    """git am and quilt on the pinned bases. With BASE= only on that one."""
    key = [entry.key for entry in ctx.entries][-1:]
    pins = bases.pins(ctx.layout)
    which = [name for name in WHICH if name in pins] if ctx.layout.alt in (None, excerpt.NAME) else ["given"]
    listed = []
    for name in which:
        pin = pins.get(name)
        part = [*key, pin.ident if pin else ctx.state.base, git_version()]
        listed.append((f"am-{name}", lambda c, n=name: am(c, n), part))
        listed.append((f"quilt-{name}", lambda c, n=name: quilt(c, n), part))
    return listed


def git_version():
    """For the keys: another git may judge differently."""
    return proc.call(["git", "--version"])[1].decode()


def _touched(ctx):
    """Paths of the base that the series changes, sorted."""
    return sorted({path for entry in ctx.entries for path in entry.patch.touched()} & ctx.base_paths)


def _fresh(ctx, name):
    folder = ctx.layout.work / "check" / name
    remove(folder)
    folder.mkdir(parents=True)
    return folder


def am_full(ctx, mails, log):
    """git am of mails on the whole base. Returns the Git of the scratch repository."""
    repo = scratch.repository(_fresh(ctx, "am-full"), ctx.git, ctx.base_commit, ctx.base_paths, _touched(ctx))
    _must_am(repo, mails, log)
    return repo


def _must_am(repo, mails, log):
    """scratch.git_am(), and Failed when a mail does not fit."""
    refused = scratch.git_am(repo, mails, log)
    if refused:
        raise Failed(f"git am: {refused[1]}: {refused[2]}", log)


def _extract(ctx, name):
    """(folder with the touched files of a base, set of all its paths)."""
    if name in ("primary", "given"):
        return _from_tree(ctx), ctx.base_paths
    pin = bases.pins(ctx.layout)[name]
    path = bases.fetch(ctx.layout, pin)
    home = ctx.layout.build / "bases" / pin.sha256[:12]
    files, listing = home / "files", home / "listing"
    files.mkdir(parents=True, exist_ok=True)
    if not listing.is_file():
        _list_tarball(ctx, name, path, listing)
    paths = set(listing.read_text(encoding="utf-8", errors="surrogateescape").splitlines())
    gone = [p for p in _touched(ctx) if p not in paths]
    if gone:
        raise Failed(f"{pin.title} ({name}) has no {gone[0]}, which the series changes")
    want = [p for p in _touched(ctx) if not (files / p).is_file()]
    if want:
        _read_tarball(ctx, name, path, want, files)
    return _copy(ctx, files, name), paths


def _from_tree(ctx):
    folder = _fresh(ctx, "files-tree")
    paths = _touched(ctx)
    if paths:
        archive = ctx.git.bytes("archive", "--format=tar", ctx.base_commit, "--", *paths)
        proc.call(["tar", "-x", "-C", str(folder)], data=archive)
    return folder


def _copy(ctx, files, name):
    folder = _fresh(ctx, f"files-{name}")
    for path in _touched(ctx):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes((files / path).read_bytes())
    return folder


def _list_tarball(ctx, name, path, listing):
    """Writes the paths of a tarball, without its top folder, to `listing`."""
    fresh = listing.with_name("listing.new")
    log = ctx.log(f"read-{name}")
    script = f"{bases.tar_source(path)} | tar -t | sed 's,^[^/]*/,,' > {proc.quoted([fresh])}"
    with console.stage(f"Listing {path.name}", log):
        bases.shell(script, log, f"reading {path.name}", ctx.layout.typed("check"))
    os.replace(fresh, listing)


def _read_tarball(ctx, name, path, want, files):
    """Extracts the wanted files of a tarball, all of which it has, under `files`."""
    names = files.with_name("wanted")
    names.write_text("".join(f"*/{p}\n" for p in want), encoding="utf-8")
    fresh, log = files.with_name("files.new"), ctx.log(f"read-{name}")
    remove(fresh)
    fresh.mkdir()
    script = (f"{bases.tar_source(path)} | tar -x --strip-components=1 --anchored --wildcards "
              f"--no-wildcards-match-slash -C {proc.quoted([fresh])} -T {proc.quoted([names])}")
    with console.stage(f"Reading {len(want)} files of {path.name}", log):
        bases.shell(script, log, f"reading {path.name}", ctx.layout.typed("check"))
    for file in want:
        (files / file).parent.mkdir(parents=True, exist_ok=True)
        os.replace(fresh / file, files / file)
    remove(fresh)


def am(ctx, name):
    """git am at fuzz 0 (git knows no other), and no new file in the way."""
    log = ctx.log(f"am-{name}")
    signer = patchmail.AUTHOR
    mails = export.mails(ctx.tree, ctx.entries, signer, export.Thread(signer))
    folder, paths = _extract(ctx, name)
    taken = [p for e in ctx.entries for p in e.files if p in paths]
    if taken:
        raise Failed(f"the base '{name}' has {taken[0]}, which the series adds")
    repo = git.Git(folder, **git.IDENT)
    repo.bytes("init", "-q")
    repo.bytes("add", "-A", "-f")
    repo.bytes("commit", "-q", "--allow-empty", "-m", "base")
    _must_am(repo, mails, log)
    return f"{len(mails)} mails"


def quilt(ctx, name):
    """quilt push -a --fuzz=0 of the stack that `export` writes."""
    log = ctx.log(f"quilt-{name}")
    folder, _ = _extract(ctx, name)
    stack = _fresh(ctx, f"stack-{name}")
    for file, data in export.quilt_stack(ctx.tree, ctx.entries):
        (stack / file).write_bytes(data)
    env = dict(os.environ, QUILT_PATCHES=str(stack), QUILT_SERIES="series", LC_ALL="C.UTF-8", QUILT_PC=".pc")
    argv = ["quilt", "--quiltrc", "-", "push", "-a", "--fuzz=0"]
    if proc.logged(argv, log, cwd=folder, env=env):
        text = log.read_text(encoding="utf-8", errors="replace")
        match = re.search(r"^Patch .*(?:does not apply|enforced|exists).*", text, re.M)
        raise Failed(f"quilt: {match.group(0) if match else 'push failed'}", log)
    if name in ("primary", "given"):
        _compare(ctx, folder, log)
    return f"{len(ctx.entries)} patches"


def _compare(ctx, folder, log):
    """What quilt made must be what the tree has."""
    grown = [path for path in series.GROWN if path not in ctx.base_paths]
    for path in _touched(ctx) + grown + [p for e in ctx.entries for p in e.files]:
        status, want, _ = ctx.git.call("cat-file", "blob", f"{ctx.tip}:{path}")
        have = (folder / path).read_bytes() if (folder / path).is_file() else None
        if have != (want if status == 0 else None):
            raise Failed(f"quilt gives another {path} than the tree has", log)
