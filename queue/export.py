# SPDX-License-Identifier: GPL-2.0-only
"""The series as others take it: numbered mails, and a quilt stack."""

import os
import re

import console
import patchmail
import tree as trees
from errors import Stop
from layout import remove

_SIGNOFF = re.compile(r"[^<>]+ <[^<>@\s]+@[^<>@\s]+>")


def _parents(state):
    """(parent, commit) of each applied patch, in order."""
    commits = [commit for _, commit in state["patches"]]
    return list(zip([state["base_commit"], *commits], commits))


def _body(patch, signoff):
    if not signoff:
        return patch.body
    return f"{patch.body}\n\nSigned-off-by: {signoff}" if patch.body else f"Signed-off-by: {signoff}"


def mails(repo, state, entries, signoff=None):
    """The series as mails, whole files as diffs: [(file name, bytes)].

    `repo`: Git of the tree that holds the applied commits; `signoff`: fills
    From and Signed-off-by, else the mails stay neutral.
    """
    found, total = [], len(entries)
    width = len(str(total))
    for number, (entry, (parent, commit)) in enumerate(zip(entries, _parents(state)), 1):
        tag = f"[PATCH {number:0{width}}/{total}]"
        diff = repo.diff(parent, commit)
        comment = repo.stat(parent, commit)
        data = patchmail.mail(entry.patch.subject, _body(entry.patch, signoff), tag, comment, diff,
                              signoff or patchmail.AUTHOR)
        found.append((f"{number:04}-{patchmail.slug(entry.patch.subject)}.patch", data))
    return found


def quilt_stack(repo, state, entries, signoff=None):
    """The series as a quilt stack: [(file name, bytes)], `series` the last."""
    found = []
    for (name, data), entry in zip(mails(repo, state, entries, signoff), entries):
        plain = re.sub(rb"^Subject: \[PATCH [0-9/]+\]", b"Subject: [PATCH]", data, count=1, flags=re.M)
        found.append((f"{patchmail.slug(entry.patch.subject)}.patch", plain))
        del name
    order = "".join(f"{name}\n" for name, _ in found)
    return found + [("series", order.encode())]


def cover(repo, state, entries, title, signoff):
    """The cover letter: shortlog, diffstat, and what the series applies to."""
    total = len(entries)
    tip = trees.applied_tip(state)
    body = (f"{total} patches for {title}.\n\n" +
            "".join(f"  {entry.patch.subject}\n" for entry in entries)).rstrip()
    notes = repo.stat(state["base_commit"], tip) + (
        f"\nbase: {title}\nbase-commit: {state['base_commit']}\n").encode()
    return patchmail.mail("DMA ownership of IOMMU groups for Linux 5.10", body,
                          f"[PATCH {0:0{len(str(total))}}/{total}]", notes, b"", signoff)


def _replace(folder, files):
    """Makes folder hold just these files, by way of a new folder."""
    fresh = folder.with_name(folder.name + ".new")
    remove(fresh)
    fresh.mkdir(parents=True)
    for name, data in files:
        (fresh / name).write_bytes(data)
    remove(folder)
    os.rename(fresh, folder)


def export(layout, source, entries, tree, signoff):
    """Writes out/mail and out/quilt; returns their paths."""
    if not signoff or not _SIGNOFF.fullmatch(signoff):
        raise Stop("export signs the patches for you: ./dma-owner export SIGNOFF='Your Name <you@example.org>'")
    state = tree.state()
    if [e.key for e in entries] != [key for key, _ in state["patches"]]:
        raise Stop("the tree is not of this series: ./dma-owner tree says what to do")
    if not entries:
        raise Stop("the series is empty: there is nothing to export")
    out = layout.root / "out"
    with console.stage("Writing the mails"):
        letter = ("0000-cover-letter.patch", cover(tree.git, state, entries, source.title, signoff))
        _replace(out / "mail", [letter] + mails(tree.git, state, entries, signoff))
        _replace(out / "quilt", quilt_stack(tree.git, state, entries, signoff))
    return [out / "mail", out / "quilt"]
