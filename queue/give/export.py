# SPDX-License-Identifier: GPL-2.0-only
"""The series as others take it: numbered mails, and a quilt stack."""

import hashlib
import os
import re
from email.header import Header
from email.utils import formataddr

from give import cover
from ground import console
from ground.errors import Stop
from ground.layout import remove
from patches import changes, patchmail

_SIGNOFF = re.compile(r"([^<>\r\n]+) <([^<>@\s]+@[^<>@\s]+)>")


def checked_signoff(signoff, verb="export"):
    """The sign-off, if it is a name and an address; else raises Stop."""
    if not signoff or not _SIGNOFF.fullmatch(signoff):
        raise Stop(f"{verb} signs the patches for you: ./dma-owner {verb} SIGNOFF='Your Name <you@example.org>'")
    return signoff


class Thread:
    """What makes single mails a thread: all answer the cover letter.

    The same content has the same ids, so that two exports are equal.
    """

    def __init__(self, signoff, *content):
        self.address = _SIGNOFF.fullmatch(signoff).group(2)
        self.ident = hashlib.sha256("\0".join([signoff, *content]).encode()).hexdigest()[:16]

    def _id(self, number):
        return f"<dma-owner.{self.ident}.{number}.{self.address}>"

    def headers(self, number):
        """Header lines of mail `number`, 0 is the cover letter."""
        lines = f"Message-Id: {self._id(number)}\n"
        if number:
            lines += f"In-Reply-To: {self._id(0)}\nReferences: {self._id(0)}\n"
        return lines


def _parents(state):
    """(parent, commit) of each applied patch, in order."""
    commits = [commit for _, commit in state.patches]
    return list(zip([state.base_commit, *commits], commits))


def signed(body, signoff):
    """A message's body with the sign-off, if there is one."""
    if not signoff:
        return body
    return f"{body}\n\nSigned-off-by: {signoff}" if body else f"Signed-off-by: {signoff}"


def _encoded(text):
    """A header's value as mail programs want it: encoded unless it is ASCII."""
    return text if text.isascii() else Header(text, "utf-8").encode()


def address(signoff):
    """'Name <mail>' as a header, the name quoted or encoded where it must be."""
    return formataddr(_SIGNOFF.fullmatch(signoff).groups()) if signoff else patchmail.AUTHOR


def sendable(subject, body, tag, comment, diff, signoff, headers=""):
    """A mail that programs pass on as it is: headers in ASCII, and the encoding
    declared also where only the diff is in need of it."""
    if not (body.isascii() and (comment or b"").isascii() and diff.isascii()):
        headers += patchmail.MIME
    return patchmail.mail(_encoded(subject), body, tag, comment, diff, address(signoff), headers)


def _signature(number):
    """Ends a mail's patch, so that no footer of a mailing list becomes part of it."""
    return f"-- \ndma-owner, version {number}\n".encode()


def tag(layout, number, total, version=1):
    """[PATCH 5.10 v2 03/31]"""
    words = ["PATCH", layout.prefix, f"v{version}" if version > 1 else "", f"{number:0{len(str(total))}}/{total}"]
    return f"[{' '.join(filter(None, words))}]"


def mails(tree, entries, signoff=None, thread=None, version=1):
    """The series as mails, whole files as diffs: [(file name, bytes)].

    `tree`: the Tree that holds the applied commits; `signoff`: fills From and
    Signed-off-by, else the mails stay neutral; `thread`: a Thread, for mails that are
    to be sent.
    """
    made, total = [], len(entries)
    for number, (entry, (parent, commit)) in enumerate(zip(entries, _parents(tree.state())), 1):
        data = sendable(entry.patch.subject, signed(entry.patch.body, signoff), tag(tree.layout, number, total, version),
                        tree.git.stat(parent, commit), tree.git.diff(parent, commit), signoff,
                        thread.headers(number) if thread else "")
        made.append((f"{number:04}-{patchmail.slug(entry.patch.subject)}.patch",
                      data + _signature(version) if thread else data))
    return made


def quilt_stack(tree, entries, signoff=None):
    """The series as a quilt stack: [(file name, bytes)], `series` the last."""
    stack = []
    for (_, data), entry in zip(mails(tree, entries, signoff), entries):
        plain = re.sub(rb"^Subject: \[PATCH [^]]*\]", b"Subject: [PATCH]", data, count=1, flags=re.M)
        stack.append((f"{patchmail.slug(entry.patch.subject)}.patch", plain))
    order = "".join(f"{name}\n" for name, _ in stack)
    return stack + [("series", order.encode())]


def letter(layout, tree, entries, title, signoff):
    """The mails to be sent, the cover letter first: [(file name, bytes)].

    The letter has no `---` line, so that `git am --empty=drop` passes over it.
    """
    state, number = tree.state(), changes.version(layout)
    base, tip = state.base_commit, state.tip
    subject, body = cover.text(layout, entries, title)
    thread = Thread(signoff, tip, subject, body)
    author = _SIGNOFF.fullmatch(signoff).group(1)
    body += f"\n\n{author} ({len(entries)}):\n" + "".join(f"  {e.patch.subject}\n" for e in entries)
    body += f"\n{tree.git.stat(base, tip).decode()}\nbase-commit: {base}"
    data = sendable(subject, body, tag(layout, 0, len(entries), number), None, b"", signoff, thread.headers(0))
    first = ("0000-cover-letter.patch", data + _signature(number))
    return [first] + mails(tree, entries, signoff, thread, number)


def _replace(folder, files):
    """Makes folder hold just these files, by way of a new folder."""
    fresh = folder.with_name(folder.name + ".new")
    remove(fresh)
    fresh.mkdir(parents=True)
    for name, data in files:
        (fresh / name).write_bytes(data)
    remove(folder)
    os.rename(fresh, folder)


def applied(tree, entries):
    """Stops when the tree is not of this series, or the series is empty."""
    if [e.key for e in entries] != tree.state().keys:
        raise Stop(f"the tree is not of this series: {tree.layout.typed('tree')} says what to do")
    if not entries:
        raise Stop("the series is empty: there is nothing to export")


def export(layout, source, entries, tree, signoff):
    """Writes out/mail and out/quilt; returns their paths."""
    signoff = checked_signoff(signoff)
    applied(tree, entries)
    out = layout.out
    with console.stage("Writing the mails"):
        _replace(out / "mail", letter(layout, tree, entries, source.title, signoff))
        _replace(out / "quilt", quilt_stack(tree, entries, signoff))
    return [out / "mail", out / "quilt"]
