# SPDX-License-Identifier: GPL-2.0-only
"""Git as a library: no user configuration, no surprises from the environment."""

import os
import re

from ground import proc
from ground.errors import Stop

SETTINGS = {
    "safe.directory": "*",
    "core.autocrlf": "false",
    "core.fsync": "none",
    "core.looseCompression": "1",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "diff.algorithm": "myers",
    "diff.noprefix": "false",
    "diff.mnemonicPrefix": "false",
    "diff.indentHeuristic": "true",
    "apply.whitespace": "nowarn",
    "advice.detachedHead": "false",
    "user.name": "dma-owner series",
    "user.email": "series@dma-owner.invalid",
}

# Commits that the machinery makes: the same content gives the same hashes.
IDENT = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
         for what, value in (("NAME", "dma-owner series"),
                             ("EMAIL", "series@dma-owner.invalid"),
                             ("DATE", "1767225600 +0000"))}

_INDEX_LINE = re.compile(rb"^index ([0-9a-f]{12})[0-9a-f]+\.\.([0-9a-f]{12})[0-9a-f]+", re.M)


def environment(**extra):
    """The process environment without GIT_*, with SETTINGS, plus `extra`."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", LC_ALL="C.UTF-8",
               GIT_TERMINAL_PROMPT="0", GIT_CONFIG_COUNT=str(len(SETTINGS)))
    for number, (key, value) in enumerate(SETTINGS.items()):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    env.update(extra)
    return env


def synced():
    """Variables for a repository that is not ours to make again: git sees to it that
    what it writes is on the disk."""
    return {f"GIT_CONFIG_VALUE_{list(SETTINGS).index('core.fsync')}": "committed"}


class Git:
    """One work tree (or repository) and the commands run in it."""

    def __init__(self, path, **env):
        self.path = path
        self.env = environment(**env)

    def with_env(self, **env):
        """The same work tree with further environment variables."""
        other = Git(self.path)
        other.env = dict(self.env, **env)
        return other

    def call(self, *args, data=None):
        """Runs git; returns (status, stdout, stderr) in bytes."""
        return proc.call(["git", *args], cwd=self.path, env=self.env, data=data)

    def bytes(self, *args, data=None):
        """stdout of a git command. Raises Stop when it fails."""
        status, out, err = self.call(*args, data=data)
        if status and proc.says_disk_full(err):
            raise proc.disk_full(self.path)
        if status:
            raise Stop(f"git {args[0]} failed in {self.path}: " +
                       " ".join(err.decode("utf-8", "replace").split())[:300])
        return out

    def text(self, *args, data=None):
        """Stripped stdout of a git command, as text. Raises Stop when it fails."""
        return self.bytes(*args, data=data).decode("utf-8", "replace").strip()

    def ok(self, *args):
        """Whether a git command succeeds."""
        return self.call(*args)[0] == 0

    def commit_of(self, name):
        """The commit that a name stands for, None if there is none."""
        status, out, _ = self.call("rev-parse", "-q", "--verify", f"{name}^{{commit}}")
        return out.decode().strip() if status == 0 else None

    def tree_of(self, name):
        """The tree object of a commit."""
        return self.text("rev-parse", f"{name}^{{tree}}")

    def commits(self, old, new):
        """Commits of old..new, oldest first."""
        return self.text("rev-list", "--reverse", "--topo-order", f"{old}..{new}").split()

    def message(self, commit):
        """A commit's message, cleaned as `git commit` cleans it."""
        raw = self.bytes("show", "-s", "--format=%B", commit)
        return self.bytes("stripspace", data=raw).decode("utf-8", "replace")

    def paths(self, commit):
        """All paths of a commit's tree, as a set."""
        out = self.bytes("ls-tree", "-r", "-z", "--name-only", commit)
        return set(out.decode("utf-8", "surrogateescape").split("\0")) - {""}

    def changes(self, old, new):
        """Changed paths between two commits: [(status, new mode, blob, path)]."""
        raw = self.bytes("diff-tree", "-r", "--no-renames", "--raw", "-z", "--no-abbrev", old, new)
        fields = raw.decode("utf-8", "surrogateescape").split("\0")
        changed = []
        for meta, path in zip(fields[0::2], fields[1::2]):
            _, mode, _, blob, status = meta.split()
            changed.append((status, mode, blob, path))
        return changed

    def diff(self, old, new, paths=None):
        """The diff between two commits, limited to `paths` if given, index lines
        of exactly twelve digits so that any git prints the same bytes."""
        if paths is not None and not paths:
            return b""
        raw = self.bytes("diff-tree", "-p", "--no-renames", "--full-index", "--no-color",
                         "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/",
                         "-U3", old, new, "--", *(paths or ()))
        return _INDEX_LINE.sub(rb"index \1..\2", raw)

    def stat(self, old, new):
        """The diffstat between two commits, as format-patch prints it."""
        return self.bytes("diff-tree", "--no-renames", "--stat=72", "--summary", old, new)

    def blob(self, commit, path):
        """Content of a path in a commit."""
        return self.bytes("cat-file", "blob", f"{commit}:{path}")

    def busy(self):
        """What operation is half done in this work tree, or None."""
        for name, what in (("rebase-merge", "rebase"), ("rebase-apply", "rebase or am"),
                           ("CHERRY_PICK_HEAD", "cherry-pick"), ("REVERT_HEAD", "revert"),
                           ("MERGE_HEAD", "merge")):
            path = self.text("rev-parse", "--git-path", name)
            if os.path.exists(os.path.join(self.path, path)):
                return what
        return None

    def dirt(self, *words):
        """Uncommitted paths (changed or new, not ignored); `words`: more options of
        git status, such as -uno for the tracked ones."""
        out = self.bytes("status", "--porcelain", "-z", "--no-renames", *words)
        return [entry[3:] for entry in out.decode("utf-8", "surrogateescape").split("\0") if entry]
