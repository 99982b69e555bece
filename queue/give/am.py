# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner am: the series on a tree of the user's own.

Everything is tried first, by git am in a scratch repository under .build/. Only
when every mail went in is the user's tree touched, in one step that either happens
as a whole or is taken back. What the step needs to be undone later stays beside the
tree's own bookkeeping (amgit.py, amplain.py).

A whole file is a diff against nothing, so no base is fetched for this.
"""

import os
import re
import tempfile
from pathlib import Path

from give import amgit, amplain, export
from ground import console, proc
from ground.errors import Stop
from ground.layout import remove
from patches import bases, changes, patchmail, scratch, series, trees


def target_of(path):
    """The GitTree or PlainTree at a path. Raises Stop unless it is a kernel."""
    folder = Path(os.path.abspath(os.path.expanduser(path)))
    if not folder.is_dir():
        raise Stop(f"{path}: no such folder" + (": unpack it first" if folder.is_file() else ""))
    kind = amgit.GitTree if os.path.lexists(folder / ".git") else amplain.PlainTree
    return kind(folder, ".".join(bases.release(folder)))


def layout_for(layout, target):
    """The Layout of the series for the target's kernel. Raises Stop when there is none."""
    series_of = {other.release: other for other in layout.every()}
    release = ".".join(target.release.split(".")[:2])
    if release not in series_of:
        raise Stop(f"{target.path} is Linux {target.release}, there are series for {', '.join(series_of)}")
    return series_of[release]


def _new_files_diff(repo, files):
    """Whole files as a diff. `repo`: any scratch repository."""
    if not files:
        return b""
    index = repo.with_env(GIT_INDEX_FILE=str(repo.path / ".git" / "whole-files"))
    index.bytes("read-tree", "--empty")
    trees.add_files(index, files)
    return repo.diff(repo.text("mktree", data=b""), index.text("write-tree"))


def mails(layout, repo, entries, signoff):
    """The series as mails, made from the repository alone: [(file name, bytes)]."""
    made = []
    for number, entry in enumerate(entries, 1):
        diff = entry.patch.diff + _new_files_diff(repo, entry.files)
        data = export.sendable(entry.patch.subject, export.signed(entry.patch.body, signoff),
                               export.tag(layout, number, len(entries)), b"", diff, signoff)
        made.append((f"{number:04}-{patchmail.slug(entry.patch.subject)}.patch", data))
    return made


def _refusal(entries, target, refused):
    """The Stop for a mail that does not fit: patch, file and reason."""
    number, what, why = refused
    name = entries[number - 1].name if number else what
    match = re.match(r"(\S+:\d+): .*: patch does not apply$", why)
    if match:
        why = f"{match.group(1)}: the lines there are not those that it changes"
    return Stop(f"{name} does not fit {target.path}: {why}; nothing was changed")


def _already(target, entries):
    """Stops when a file that the series brings is there already."""
    new = [(path, entry) for entry in entries for path in entry.files]
    have = target.present([path for path, _ in new])
    if new and len(have) == len(new):
        raise Stop(f"{target.path} has the series already: all {len(have)} files that it brings are there")
    for path, entry in new:
        if path in have:
            raise Stop(f"{target.path} has {path}, which {entry.name} brings: "
                       "a part of the series, or another version of it, is in there")


def _unwritable(target, paths):
    """Stops when a folder in which something changes cannot be written."""
    folders = {target.path, *target.own_folders()}
    for path in paths:
        place = (target.path / path).parent
        while not place.is_dir():
            place = place.parent
        folders.add(place)
    for folder in sorted(folders):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Stop(f"{folder} cannot be written: make it writable, or use a copy of the tree")


def _room(target, entries, touched):
    """Stops when the disk has not the room to end what is begun."""
    whole = sum(len(data) for e in entries for data, _ in e.files.values())
    files = [target.path / path for path in touched]
    need = 2 * whole + 3 * sum(f.stat().st_size for f in files if f.is_file()) + target.overhead() + (1 << 20)
    for folder in (target.path, *target.own_folders()):
        state = os.statvfs(folder)
        free = state.f_bavail * state.f_frsize
        if free < need:
            raise Stop(f"{folder} has {free >> 10} KiB free, the series needs {(need >> 10) + 1}: free some space")


def check(target, entries):
    """Stops when something is in the way; reads only. Returns the touched paths."""
    touched = sorted({path for e in entries for path in e.patch.touched()})
    target.check_own()
    _already(target, entries)
    target.check_clean(touched)
    paths = touched + [path for e in entries for path in e.files]
    _unwritable(target, paths)
    _room(target, entries, touched)
    return touched


def _try(layout, target, entries, touched, signoff, folder):
    """git am of all mails in a scratch repository; returns its Git."""
    log = layout.log("am")
    with console.stage(f"Trying {len(entries)} patches on Linux {target.release}", log):
        repo = target.scratch(folder, touched)
        refused = scratch.git_am(repo, mails(layout, repo, entries, signoff), log)
    if refused:
        raise _refusal(entries, target, refused)
    return repo


def _scratch_folder(layout):
    """A new folder under .build/, those of runs that were cut off removed."""
    layout.build.mkdir(parents=True, exist_ok=True)
    for leftover in layout.build.glob("am.*"):
        remove(leftover)
    return Path(tempfile.mkdtemp(prefix="am.", dir=layout.build))


def apply(layout, path, signoff=None):
    """Puts the series on the tree at `path`, or stops and leaves it as it was.

    Returns the lines that say what was done.
    """
    if signoff:
        export.checked_signoff(signoff, "am DIR")
    target = target_of(path)
    layout = layout_for(layout, target)
    entries = series.load(layout)
    if not entries:
        raise Stop(f"the series for {layout.release} is empty: there is nothing to apply")
    touched = check(target, entries)
    folder = _scratch_folder(layout)
    try:
        repo = _try(layout, target, entries, touched, signoff, folder)
        with console.stage(f"Changing {path}"), proc.held() as caught:
            note = {"version": changes.version(layout), "series": entries[-1].key[:12]}
            done = target.deliver(repo, note)
            if caught:
                target.undo()
    except KeyboardInterrupt:
        proc.end_children()     # or they go on to write what is removed here
        raise
    finally:
        remove(folder)
    return [f"{len(entries)} patches on Linux {target.release}: {done}"]


def undo(layout, path):
    """Takes the series back; returns the lines that say so. Once begun it is ended,
    whoever interrupts."""
    target = target_of(path)
    layout_for(layout, target)
    with console.stage(f"Changing {path}"), proc.held() as caught:
        done = target.undo()
        caught.clear()
    return [done]
