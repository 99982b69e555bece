# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner am on a git tree: a commit per patch, on the branch that is checked out.

The commits are made elsewhere. They come in as one pack, which changes nothing that
anybody sees; then the branch and the work tree move to them.
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
        self.git = git.Git(path, GIT_OPTIONAL_LOCKS="0", **git.synced())
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
        if state.get("moving") and self.git.commit_of("HEAD") == state["head"] and self.git.dirt("-uno"):
            raise Stop(f"{self.path}: an earlier run was cut off: ./dma-owner am --undo {self.path}")

    def check_clean(self):
        """Stops unless the work tree is as committed, and no operation is half done."""
        busy = self.git.busy()
        if busy:
            raise Stop(f"{self.path} has a {busy} in progress: end it first")
        if not self.git.commit_of("HEAD"):
            raise Stop(f"{self.path} has no commit: commit the kernel first")
        dirt = self.git.dirt("-uno")
        if dirt:
            more = f" and {len(dirt) - 1} more" if len(dirt) > 1 else ""
            raise Stop(f"{self.path} has uncommitted changes ({dirt[0]}{more}): commit or stash them")

    def present(self, paths):
        """Those of the paths that are committed or lie about."""
        out = self.git.bytes("ls-files", "-z", "--", *[f":(literal){path}" for path in paths]) if paths else b""
        listed = set(out.decode("utf-8", "surrogateescape").split("\0"))
        return [path for path in paths if path in listed or os.path.lexists(self.path / path)]

    def scratch(self, folder, touched):
        """A repository that stands where HEAD does, to try things in."""
        commit = self.git.commit_of("HEAD")
        return scratch.repository(folder, self.git, commit, self.git.paths(commit), touched, **_committer(self.path))

    def deliver(self, repo, note):
        """Takes over the commits of `repo`; returns a phrase that says which.

        Raises Stop with everything as it was. `note`: to be kept for undo().
        """
        head, tip = self.git.commit_of("HEAD"), repo.commit_of("HEAD")
        changes = repo.changes(head, tip)
        state = dict(note, head=head, tip=tip, branch=self._branch(),
                     paths=[[status, path] for status, _, _, path in changes])
        pack = repo.bytes("pack-objects", "-q", "--revs", "--stdout", data=f"{tip}\n^{head}\n".encode())
        self.git.bytes("index-pack", "--stdin", data=pack)
        write_file(self._place(STATE), json.dumps(dict(state, moving=True)).encode())
        try:
            self._move(head, tip)
        except Stop as stop:
            self._restore(state)
            raise Stop(f"{stop}; {self.path} is as it was") from None
        with contextlib.suppress(OSError):      # HEAD tells as well
            write_file(self._place(STATE), json.dumps(state).encode())
        where = f"the branch {state['branch'].removeprefix('refs/heads/')}" if state["branch"] else "a detached HEAD"
        return f"{head[:12]}..{tip[:12]} on {where}"

    def _move(self, old, new):
        """Moves the branch and the files that differ; local changes are kept."""
        if self.git.commit_of("HEAD") != old:
            raise Stop("HEAD moved meanwhile")
        self.git.bytes("update-index", "-q", "--refresh")
        self.git.bytes("reset", "-q", "--keep", new)

    def _restore(self, state):
        """Puts the files back after a move that did not get to its end."""
        self._place("index.lock").unlink(missing_ok=True)
        for status, path in state["paths"]:
            if status == "A":
                self._remove_new(path)
        old = "".join(f"{path}\0" for status, path in state["paths"] if status != "A")
        self.git.bytes("checkout-index", "-f", "-q", "-z", "--stdin", data=old.encode("utf-8", "surrogateescape"))
        self._place(STATE).unlink(missing_ok=True)

    def _remove_new(self, path):
        """Removes a file, and the folders that it leaves empty."""
        place = self.path / path
        place.unlink(missing_ok=True)
        try:
            os.removedirs(place.parent)
        except OSError:
            pass

    def undo(self):
        """Moves the branch back; returns a phrase. Stops when it has moved on."""
        state, head = self._state(), self.git.commit_of("HEAD")
        if not state or (head == state["head"] and not state.get("moving")):
            raise Stop(f"{self.path}: ./dma-owner am has put nothing here that could be taken back")
        dirt = self.git.dirt("-uno")
        if head == state["head"]:
            return self._undo_half(state, dirt)
        if head != state["tip"] or self._branch() != state["branch"]:
            raise Stop(f"{self.path} has moved on since: to keep what came after, "
                       f"git rebase --onto {state['head'][:12]} {state['tip'][:12]}")
        if dirt:
            raise Stop(f"{self.path} has uncommitted changes ({dirt[0]}): commit or stash them")
        self._move(state["tip"], state["head"])
        self._place(STATE).unlink()
        return f"{self.path} is at {state['head'][:12]} again"

    def _undo_half(self, state, dirt):
        """Undoes a move that was cut off, if nothing but that made the dirt."""
        foreign = set(dirt) - {path for _, path in state["paths"]}
        if foreign:
            raise Stop(f"{self.path} has uncommitted changes ({min(foreign)}): commit or stash them")
        self._restore(state)
        return f"{self.path} is at {state['head'][:12]} again"
