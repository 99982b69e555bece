# SPDX-License-Identifier: GPL-2.0-only
"""Scratch repositories: where patches are tried before anything is changed."""

import os
import re

from ground import git, proc


def repository(folder, other, commit, paths, touched, **env):
    """A repository in an empty folder that stands at a commit of another one, whose
    objects it borrows; only the touched of its paths are checked out.

    `env`: for its Git, which is returned.
    """
    repo = git.Git(folder, **dict(git.IDENT, **env))
    repo.bytes("init", "-q", f"--object-format={other.text('rev-parse', '--show-object-format')}")
    borrow = os.path.abspath(os.path.join(other.path, other.text("rev-parse", "--git-path", "objects")))
    (folder / ".git/objects/info/alternates").write_text(f"{borrow}\n", encoding="utf-8")
    repo.bytes("update-ref", "HEAD", commit)
    repo.bytes("read-tree", "HEAD")
    out = set(touched) & paths
    repo.bytes("update-index", "--skip-worktree", "-z", "--stdin", data=_listed(paths - out))
    repo.bytes("checkout-index", "-q", "-z", "--stdin", data=_listed(out))
    return repo


def _listed(paths):
    """Paths as git's -z --stdin takes them."""
    return "".join(f"{path}\0" for path in sorted(paths)).encode("utf-8", "surrogateescape")


def git_am(repo, mails, log):
    """git am of mails in a scratch repository, without fuzz.

    Returns None, or (number of the mail, what, why) of the first that does not fit.
    """
    box = repo.path / ".git" / "mails"
    box.mkdir(exist_ok=True)
    for name, data in mails:
        (box / name).write_bytes(data)
    argv = ["git", "am", "-q", "--committer-date-is-author-date", *[str(box / name) for name, _ in mails]]
    if not proc.logged(argv, log, cwd=repo.path, env=repo.env):
        return None
    text = log.read_text(encoding="utf-8", errors="replace")
    if proc.log_says_disk_full(log):
        raise proc.disk_full(repo.path.parent)
    match = re.search(r"Patch failed at (\d+) (.*)", text)
    errors = re.findall(r"^error: (?:patch failed: )?(.*)", text, re.M)
    if not match:
        return 0, "git am failed", errors[0] if errors else "see the log"
    return int(match.group(1)), match.group(2), ": ".join(dict.fromkeys(errors[:2])) or "see the log"
