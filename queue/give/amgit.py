# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner am on a git tree: a commit per patch, on the branch that is checked out.

The commits are made elsewhere. They come in as one pack, which changes nothing that
anybody sees; then git moves the files, the index and the branch to them, in this
order. It is noted beforehand, so that whatever a move that is cut off leaves can be
taken back.
"""

import contextlib
import json
import os
import re

from ground import git, proc
from ground.errors import Stop
from ground.layout import write_file
from patches import scratch

STATE = "dma-owner-am.json"
INDEX = "dma-owner-am.index"


def _committer(folder):
    """The user's own name as variables for git am, {} when git knows none."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith("GIT_COMMITTER_")}
    status, out, _ = proc.call(["git", "var", "GIT_COMMITTER_IDENT"], cwd=folder, env=env)
    match = re.match(r"(.+) <(.+)> \d+ ", out.decode("utf-8", "replace"))
    return {"GIT_COMMITTER_NAME": match.group(1), "GIT_COMMITTER_EMAIL": match.group(2)} if not status and match else {}


class GitTree:
    """The work tree of a git repository, `path` its top. Nothing is written before
    deliver(), not even git's index."""

    def __init__(self, path, release):
        self.path, self.release = path, release
        self.git = git.Git(path, GIT_OPTIONAL_LOCKS="0", GIT_LITERAL_PATHSPECS="1", **git.synced())
        top = self.git.call("rev-parse", "--show-toplevel")[1].decode("utf-8", "surrogateescape").rstrip("\n")
        if not top or os.path.realpath(top) != os.path.realpath(path):
            raise Stop(f"{path} has a .git, but is no work tree to git: git -C {path} status says why")

    def _place(self, name):
        return self.path / self.git.text("rev-parse", "--git-path", name)

    def own_folders(self):
        """Further folders that are written."""
        return [self._place("HEAD").parent, self._place("objects")]

    def overhead(self):
        """Bytes that git needs besides the files: the index anew, and objects."""
        index = self._place("index")
        return 2 * (index.stat().st_size if index.is_file() else 0)

    def _state(self):
        """What an earlier run noted, or None."""
        try:
            state = json.loads(self._place(STATE).read_text(encoding="utf-8"))
            return state if {"head", "tip", "branch", "paths"} <= set(state) else None
        except (OSError, ValueError):
            return None

    def _branch(self):
        status, out, _ = self.git.call("symbolic-ref", "-q", "HEAD")
        return out.decode().strip() if status == 0 else ""

    def check_own(self):
        """Stops when an earlier run's commits are here, or half here."""
        state = self._state()
        if not state:
            return
        if self.git.ok("merge-base", "--is-ancestor", state["tip"], "HEAD"):
            raise Stop(f"{self.path} has the series already: ./dma-owner am --undo {self.path} takes it back")
        if state.get("moving") and self.git.commit_of("HEAD") == state["head"] and (
                self._locks() or self.git.dirt("-uno")):
            raise Stop(f"{self.path}: an earlier run was cut off: ./dma-owner am --undo {self.path}")

    def check_clean(self, touched):
        """Stops unless the work tree is as committed, the touched paths also where git is
        told not to look, and no operation is half done."""
        busy = self.git.busy()
        if busy:
            raise Stop(f"{self.path} has a {busy} in progress: end it first")
        if not self.git.commit_of("HEAD"):
            raise Stop(f"{self.path} has no commit: commit the kernel first")
        dirt = self.git.dirt("-uno")
        if dirt:
            more = f" and {len(dirt) - 1} more" if len(dirt) > 1 else ""
            raise Stop(f"{self.path} has uncommitted changes ({dirt[0]}{more}): commit or stash them")
        hidden = self._hidden(touched)
        if hidden:
            raise Stop(f"{self.path} has a changed {hidden[0]}, which git is told to pass over (git update-index "
                       "--no-assume-unchanged, --no-skip-worktree): put it back, or commit it")

    def _hidden(self, paths):
        """Those of the paths whose file is not what the index has, whatever flag is set."""
        listed = self.git.bytes("ls-files", "-s", "-z", "--", *paths) if paths else b""
        rows = [line.partition("\t") for line in listed.decode("utf-8", "surrogateescape").split("\0") if line]
        blobs = {path: meta.split()[1] for meta, _, path in rows}
        there = [path for path in blobs if (self.path / path).is_file()]
        sums = self.git.text("hash-object", "--stdin-paths", data="\n".join(there).encode()).split()
        return [path for path, blob in zip(there, sums) if blobs[path] != blob]

    def present(self, paths):
        """Those of the paths that are committed or lie about."""
        out = self.git.bytes("ls-files", "-z", "--", *paths) if paths else b""
        listed = set(out.decode("utf-8", "surrogateescape").split("\0"))
        return [path for path in paths if path in listed or os.path.lexists(self.path / path)]

    def scratch(self, folder, touched):
        """A repository that stands where HEAD does, to try things in."""
        commit = self.git.commit_of("HEAD")
        repo = scratch.repository(folder, self.git, commit, self.git.paths(commit), touched, **_committer(self.path))
        repo.bytes("tag", "base")
        return repo

    def deliver(self, repo, note):
        """Takes over the commits of `repo`; returns a phrase that says which.

        Raises Stop with everything as it was, or what to do. `note`: kept for undo().
        """
        head, tip = repo.commit_of("base"), repo.commit_of("HEAD")
        changes = repo.changes(head, tip)
        state = dict(note, head=head, tip=tip, branch=self._branch(),
                     paths=[[status, path] for status, _, _, path in changes],
                     absent=[path for status, _, _, path in changes if not os.path.lexists(self.path / path)])
        pack = repo.bytes("pack-objects", "-q", "--revs", "--stdout", data=f"{tip}\n^{head}\n".encode())
        self.git.bytes("index-pack", "--stdin", data=pack)
        self.git.bytes("update-index", "-q", "--refresh")
        if self.git.commit_of("HEAD") != head:
            raise Stop(f"{self.path}: HEAD moved meanwhile: run the same command again; nothing was changed")
        write_file(self._place(STATE), json.dumps(dict(state, moving=True)).encode())
        try:
            self._move(tip)
        except Stop as stop:
            raise self._given_up(state, stop) from None
        with contextlib.suppress(OSError):      # HEAD tells as well
            write_file(self._place(STATE), json.dumps(state).encode())
        where = f"the branch {state['branch'].removeprefix('refs/heads/')}" if state["branch"] else "a detached HEAD"
        return f"{head[:12]}..{tip[:12]} on {where}"

    def _move(self, commit):
        """Moves the files that differ, the index and the branch; local changes are kept."""
        self.git.bytes("reset", "-q", "--keep", commit)

    def _given_up(self, state, stop):
        """The Stop for a move that failed. All is put back, if the disk lets it."""
        try:
            self._restore(state)
        except (OSError, Stop):
            return Stop(f"{stop}; {self.path} is half changed until ./dma-owner am --undo {self.path}")
        return Stop(f"{stop}; {self.path} is as it was")

    def _locks(self):
        """The locks that git has left where it was killed in deliver() or undo()."""
        places = [self._place(f"{name}.lock") for name in ("index", INDEX, "ORIG_HEAD", "HEAD", self._branch()) if name]
        return [place for place in places if place.exists()]

    def _restore(self, state):
        """Puts files, index and branch back, from wherever a move or this got to."""
        for lock in self._locks():
            lock.unlink()
        for status, path in state["paths"]:
            if status == "A":
                self._remove_new(path)
        self._restore_files(state)
        self._restore_index(state)
        if self.git.commit_of("HEAD") != state["head"]:
            self.git.bytes("update-ref", "-m", "dma-owner am: taken back", "HEAD", state["head"], state["tip"])
        self.git.call("update-index", "-q", "--refresh")
        self._place(STATE).unlink(missing_ok=True)

    def _restore_index(self, state):
        """Puts the series' paths of the index back, and writes nothing when they are."""
        paths = [path for _, path in state["paths"]]
        if not self.git.ok("diff-index", "--cached", "--quiet", state["head"], "--", *paths):
            self.git.bytes("reset", "-q", state["head"], "--", *paths)

    def _restore_files(self, state):
        """Writes the old files, but those that a sparse work tree had not: by way of a
        small index of their own, for the tree's may be that of either side."""
        place = self._place(INDEX)
        paths = [path for status, path in state["paths"] if status != "A" and path not in state.get("absent", ())]
        if paths:
            index = self.git.with_env(GIT_INDEX_FILE=str(place))
            index.bytes("read-tree", "--empty")
            index.bytes("update-index", "-z", "--index-info",
                        data=self.git.bytes("ls-tree", "-r", "-z", state["head"], "--", *paths))
            index.bytes("checkout-index", "-f", "-q", "-a")
            place.unlink()

    def _remove_new(self, path):
        """Removes a file, and the folders that it leaves empty."""
        place = self.path / path
        place.unlink(missing_ok=True)
        try:
            os.removedirs(place.parent)
        except OSError:
            pass

    def undo(self):
        """Takes the commits back, and what a move that was cut off left of them; returns
        a phrase. Stops when the branch has moved on, or other files are changed."""
        state, head = self._state(), self.git.commit_of("HEAD")
        moving = state and state.get("moving")
        if not state or (head == state["head"] and not moving):
            raise Stop(f"{self.path}: ./dma-owner am has put nothing here that could be taken back")
        if head != state["head"] and (head != state["tip"] or self._branch() != state["branch"]):
            raise Stop(f"{self.path} has moved on since: to keep what came after, "
                       f"git rebase --onto {state['head'][:12]} {state['tip'][:12]}")
        ours = {path for _, path in state["paths"]} if moving else set()
        foreign = set(self.git.dirt("-uno")) - ours
        if foreign:
            raise Stop(f"{self.path} has uncommitted changes ({min(foreign)}): commit or stash them")
        write_file(self._place(STATE), json.dumps(dict(state, moving=True)).encode())
        self._restore(state)
        return f"{self.path} is at {state['head'][:12]} again"
