# SPDX-License-Identifier: GPL-2.0-only
"""The git tree under .build/: the base, and one commit per patch.

The commits are made in an index of their own, without a work tree; then the
work tree moves from the old tip to the new one, so that a file which is the
same in both keeps its time and `make` has little to do.

The tree's state (.git/dma-owner.json) records the base and the commit of each
patch as applied. Whatever differs from it is the developer's unsaved work.
"""

import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Optional

from ground import console, git
from ground.errors import Stop
from ground.layout import need_space, one_at_a_time, remove, write_file
from patches import bases, series

STATE = "dma-owner.json"


@dataclass(frozen=True)
class State:
    """What was applied: the base's identity and commit, and [key, commit] of each
    patch. `next`: where a move of the work tree goes that is not over yet;
    `refresh`: [tip, patches, files] that a refresh which is not over began with."""
    base: str = ""
    base_commit: str = ""
    patches: list = field(default_factory=list)
    title: str = "another base"
    next: Optional[str] = None
    refresh: Optional[list] = None

    @property
    def tip(self):
        """The commit at which the applied series ends."""
        return self.patches[-1][1] if self.patches else self.base_commit

    @property
    def keys(self):
        """The keys of the applied patches, in their order."""
        return [key for key, _ in self.patches]

    def text(self):
        """As it stands in the file; what is not there is left out."""
        return json.dumps({key: value for key, value in asdict(self).items() if value is not None}, indent=1).encode()

    @classmethod
    def parse(cls, text):
        """The State of a file's text, None when it is not one."""
        try:
            fields = json.loads(text)
            return cls(**fields) if {"base", "base_commit", "patches"} <= set(fields) else None
        except (TypeError, ValueError):
            return None


class Tree:
    """The git tree of one base."""

    def __init__(self, layout):
        self.layout = layout
        self.path = layout.tree
        self.git = git.Git(layout.tree)
        self.state_path = layout.tree / ".git" / STATE

    @property
    def tests(self):
        """The folder of the tree that has the tests and their harness: see with_tests()."""
        return self.layout.main.tree

    @property
    def shared(self):
        """Where the files are that all series share: the tree, but a port's tree need
        not have them, and the repository has."""
        return self.layout.root if self.layout.port else self.path

    def state(self):
        """The State of the tree, None without a whole one."""
        return State.parse(self.state_path.read_text(encoding="utf-8")) if self.state_path.is_file() else None

    def save(self, state):
        """Records the state, whole or not at all."""
        write_file(self.state_path, state.text())

    def base_commit(self):
        """The commit of the untouched base."""
        return self.state().base_commit

    def tip(self):
        """The commit that the tree is at."""
        return self.git.commit_of("HEAD")

    def unsaved(self, state):
        """One phrase that says what work the series does not have, or None."""
        busy = self.git.busy()
        if busy:
            return f"a {busy} in progress"
        status, out, _ = self.git.call("symbolic-ref", "-q", "--short", "HEAD")
        branch = out.decode().strip() if status == 0 else "a detached HEAD"
        if branch != "series":
            return f"{branch} checked out instead of the branch series"
        if self.git.commit_of("series") != state.tip:
            return "commits not yet in the series"
        dirt = self.git.dirt()
        if dirt:
            return f"uncommitted edits ({dirt[0]}{' and more' if len(dirt) > 1 else ''})"
        return None


def _create(tree, source):
    """Unpacks the base into a new git repository and moves it into place."""
    layout = tree.layout
    need_space(layout, source.gib, "the kernel tree")
    layout.work.mkdir(parents=True, exist_ok=True)
    for leftover in layout.work.glob("tree.new.*"):
        remove(leftover)
    source.fetch()
    fresh = Path(tempfile.mkdtemp(prefix="tree.new.", dir=layout.work))
    fresh.chmod(0o755)
    with console.stage(f"Unpacking {source.title}", layout.log("unpack")):
        source.unpack(fresh, layout.log("unpack"))
        release = bases.check_release(layout, fresh)
    with console.stage(f"Making a git tree of Linux {release}"):
        commit = _first_commit(fresh, release)
    state = State(source.ident, commit, title=source.title)
    write_file(fresh / ".git" / STATE, state.text())
    os.rename(fresh, tree.path)


def show_new_files(folder):
    """Takes Debian's rule "ignore everything" out of the kernel's .gitignore:
    with it `git status` and `git add` pass over every new file. This is the one
    thing in which the base commit differs from the package."""
    path = folder / ".gitignore"
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.strip() not in ("/*", "!/debian/")]
        path.write_text("".join(kept), encoding="utf-8")


def _first_commit(folder, release):
    """Makes folder a git repository: one commit, tag base, branch series."""
    show_new_files(folder)
    repo = git.Git(folder, **git.IDENT)
    repo.bytes("init", "-q", "-b", "series")
    repo.bytes("config", "gc.auto", "0")
    write_file(folder / ".git" / "info" / "exclude", b"/.out-*/\n")
    repo.bytes("add", "-A", "-f")
    repo.bytes("commit", "-q", "--no-verify", "-m", f"Linux {release}, the base of the series")
    repo.bytes("tag", "base")
    return repo.commit_of("HEAD")


def add_files(repo, files):
    """Puts whole files into the index of `repo`."""
    lines = b""
    for path, (content, executable) in sorted(files.items()):
        blob = repo.text("hash-object", "-w", "--stdin", data=content)
        mode = "100755" if executable else "100644"
        lines += f"{mode} {blob}\t{path}\0".encode()
    repo.bytes("update-index", "-z", "--index-info", data=lines)


def _commit_one(repo, entry, parent, log):
    """Applies one patch to the index at fuzz 0 and commits it; returns the commit."""
    if entry.patch.diff:
        status, _, err = repo.call("apply", "--cached", "-", data=entry.patch.diff)
        if status:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_bytes(err)
            first = re.sub(r"^error: ", "", err.decode("utf-8", "replace")).splitlines()
            raise Stop(f"{entry.name} does not apply ({first[0] if first else 'git apply failed'}): "
                       f"mend the patch or the order in series, then run again; log: {log}")
    if entry.files:
        there = repo.text("ls-files", "--", *(f":(literal){path}" for path in entry.files)).splitlines()
        if there:
            raise Stop(f"{entry.name} claims {there[0]} as a new file, but the base has it: "
                       "make it part of the diff")
        add_files(repo, entry.files)
    made = repo.with_env(**git.IDENT).text("commit-tree", repo.text("write-tree"), "-p", parent,
                                           "-F", "-", data=entry.patch.message.encode())
    return made


def commit_series(repo, base_commit, entries, known, log):
    """Commits of all entries upon base_commit, without touching a work tree.

    `known`: [[key, commit]] of an earlier run, reused as far as the keys agree.
    Returns the new [[key, commit]]. Raises Stop at the patch that does not apply.
    """
    done = []
    for entry, (key, commit) in zip(entries, known):
        if entry.key != key or not repo.commit_of(commit):
            break
        done.append([key, commit])
    rest = entries[len(done):]
    if not rest:
        return done
    parent = done[-1][1] if done else base_commit
    index = os.path.join(repo.path, repo.text("rev-parse", "--git-path", "dma-owner.index"))
    scratch = repo.with_env(GIT_INDEX_FILE=os.path.abspath(index))
    try:
        scratch.bytes("read-tree", parent)
        for entry in rest:
            parent = _commit_one(scratch, entry, parent, log)
            done.append([entry.key, parent])
    finally:
        remove(index)
    return done


def _move(tree, state, patches):
    """Moves the clean work tree to the newly applied series and records it."""
    moved = replace(state, patches=patches, next=None)
    tree.save(replace(tree.state(), next=moved.tip))
    tree.git.bytes("reset", "-q", "--hard", moved.tip)
    tree.save(moved)


def _recover(tree, state):
    """Ends a move of the work tree that was cut off: the tree was clean then.
    Returns the State."""
    remove(tree.path / ".git" / "index.lock")
    tree.git.bytes("reset", "-q", "--hard", state.tip)
    state = replace(state, next=None)
    tree.save(state)
    return state


def _fit_base(tree, source):
    """Makes sure that the tree exists and is of this base; returns its state."""
    if not tree.path.exists():
        _create(tree, source)
        return tree.state()
    state = tree.state()
    shown = tree.layout.shown(tree.path)
    if state is None or tree.git.commit_of(state.base_commit) is None:
        raise Stop(f"{shown} is damaged or was not made by ./dma-owner: save what you need of it, "
                   f"then rm -rf {shown} and run the same command again")
    if state.next:
        state = _recover(tree, state)
    if state.base == source.ident:
        return state
    if tree.unsaved(state):
        raise Stop(f"{shown} is of {state.title}, the base is now {source.title}, and the tree "
                   f"has unsaved work: refresh with the old `base`, or rm -rf {shown}")
    console.note(f"The base is now {source.title}: {shown} is made anew")
    old = tree.path.with_name("tree.old")
    remove(old)
    os.rename(tree.path, old)
    remove(old)
    remove(tree.layout.work / "base")
    remove(tree.layout.work / "step")
    _create(tree, source)
    return tree.state()


def both_moved(tree, state):
    """The line for a tree and a series that both moved on."""
    shown, tip = tree.layout.shown(tree.path), state.tip[:12]
    return Stop(f"the series changed, and {shown} has unsaved work as well: keep it with `git -C {shown} "
                f"branch mine`, then `git -C {shown} reset --hard {tip}`, "
                f"{tree.layout.typed('tree')}, and `git -C {shown} rebase --onto series {tip} mine`")


def _without_series(tree, state, source, entries):
    """Stops when the base has all files that the series brings."""
    new = {path for entry in entries for path in entry.files}
    if new and not state.patches and new <= tree.git.paths(state.base_commit):
        raise Stop(f"{source.title} has the series already: all {len(new)} files that it brings are there; "
                   "give another one with BASE=path")


def of_base(layout, source):
    """The Tree of a base, made if need be, whatever of the series is in it."""
    tree = Tree(layout)
    _fit_base(tree, source)
    return tree


def prepare(layout, source, quiet=False):
    """Brings the tree up to date with the repository; returns it as a Tree.

    A tree with unsaved work is left as it is, with one line that says so; when
    the series changed as well, raises Stop.
    """
    with one_at_a_time(layout.tree):
        return _prepare(layout, source, quiet)


def _prepare(layout, source, quiet):
    """prepare(), which nobody else does meanwhile."""
    tree = Tree(layout)
    state = _fit_base(tree, source)
    entries = series.load(layout)
    same = [e.key for e in entries] == state.keys
    unsaved = tree.unsaved(state)
    if unsaved and not same:
        raise both_moved(tree, state)
    if unsaved:
        if not quiet:
            console.note(f"The tree has edits not yet in the series ({unsaved}): used as it is; "
                         f"when they are committed: {layout.typed('refresh')}")
        return tree
    if not same:
        _without_series(tree, state, source, entries)
        with console.stage(f"Applying the series ({len(entries)} patches)"):
            patches = commit_series(tree.git, state.base_commit, entries, state.patches,
                                    layout.log("apply"))
            _move(tree, state, patches)
    return tree


def with_tests(layout, source):
    """prepare(), and the tree of the series at the top as well, whose tests run on the
    kernels of all series."""
    if layout.port:
        prepare(layout.main, bases.pinned(layout.main))
    return prepare(layout, source)


def of_series(layout, source, verb):
    """prepare() for a verb that hands out the series, and would leave out what only
    the tree has: raises Stop when there is such work."""
    tree = prepare(layout, source, quiet=True)
    unsaved = tree.unsaved(tree.state())
    if unsaved:
        shown = layout.shown(tree.path)
        raise Stop(f"{verb} takes the series as it is in the repository, and {shown} has {unsaved}: "
                   f"{layout.typed('refresh')} takes that in, git -C {shown} stash or branch keeps it apart")
    return tree


def side_tree(tree, name, commit):
    """A further work tree of the same repository (.build/<name>), at a commit.

    It belongs to the machinery: whatever stands there is overwritten.
    """
    path = tree.layout.work / name
    repo = git.Git(path)
    if not (path / ".git").is_file() or not repo.ok("rev-parse", "-q", "--verify", "HEAD"):
        remove(path)
        tree.git.bytes("worktree", "prune")
        with console.stage(f"Checking out {tree.layout.shown(path)}"):
            tree.git.bytes("worktree", "add", "-q", "-f", "--detach", str(path), commit)
    elif repo.commit_of("HEAD") != commit or repo.dirt():
        remove(Path(path, repo.text("rev-parse", "--git-path", "index.lock")))
        repo.bytes("reset", "-q", "--hard", commit)
        repo.bytes("clean", "-q", "-f", "-d")
    return path
