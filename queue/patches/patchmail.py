# SPDX-License-Identifier: GPL-2.0-only
"""A patch of the repository: a mail with New-file lines, and its parts."""

import re
from dataclasses import dataclass

from ground.errors import Stop

AUTHOR = "dma-owner series <series@dma-owner.invalid>"
DATE = "Thu, 1 Jan 2026 00:00:00 +0000"
ENVELOPE = "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n"
MIME = ("MIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=UTF-8\n"
        "Content-Transfer-Encoding: 8bit\n")
NEW_FILE = "New-file: "

# Folders by the subject's prefix; else the common folder of what is touched.
FOLDERS = {
    "iommu": "drivers/iommu",
    "driver core": "drivers/base",
    "pci": "drivers/pci",
    "vfio": "drivers/vfio",
    "selftests": "tools/testing/selftests/iommu",
    "docs": "Documentation",
    "documentation": "Documentation",
    "maintainers": "Documentation",
}

# Lines of a message that a mail reader takes for the end of the message.
_CUTS = re.compile(r"^(---$|--- a/|diff -|Index: )", re.M)


@dataclass
class Patch:
    """Subject, body (both as in the commit), new files, and the diff in bytes."""
    subject: str
    body: str
    new_files: list
    diff: bytes

    @property
    def message(self):
        """The commit message."""
        return f"{self.subject}\n\n{self.body}\n" if self.body else f"{self.subject}\n"

    def touched(self):
        """Paths that the diff changes."""
        pairs = re.findall(rb"^diff --git a/(.*) b/(.*)$", self.diff, re.M)
        return sorted({b.decode("utf-8", "surrogateescape") for _, b in pairs})

    def to_bytes(self):
        """The file as it stands in the repository."""
        return mail(self.subject, self.body, "[PATCH]",
                    "".join(f"{NEW_FILE}{name}\n" for name in sorted(self.new_files)).encode(),
                    self.diff)


def mail(subject, body, tag, comment, diff, author=AUTHOR, headers=""):
    """A whole mail in bytes; `comment` goes between `---` and the diff, None is for a
    mail of text alone; `headers` (whole lines) come before the others."""
    text = f"{subject}{body}{author}"
    mime = "" if text.isascii() or MIME in headers else MIME
    head = f"{ENVELOPE}{headers}From: {author}\nDate: {DATE}\nSubject: {tag} {subject}\n{mime}\n"
    if comment is None:
        return f"{head}{body}\n".encode("utf-8", "surrogateescape")
    head += f"{body}\n---\n" if body else "---\n"
    tail = b"\n" + diff if diff else b""
    return head.encode("utf-8", "surrogateescape") + comment + tail


def from_message(message, new_files, diff):
    """A Patch from a commit's message. Raises Stop if a mail cannot carry it."""
    subject, _, body = message.partition("\n\n")
    if "\n" in subject.strip():
        raise Stop(f"commit '{subject.splitlines()[0]}': the second line of its message must be empty")
    subject, body = subject.strip(), body.strip("\n")
    cut = _CUTS.search(body)
    if cut:
        raise Stop(f"commit '{subject}': the line '{cut.group(0)}' of its message would end a mail's "
                   "text: indent it")
    if re.match(r"(From|Date|Subject):", body) or subject.startswith("["):
        raise Stop(f"commit '{subject}': a mail cannot carry this message: no leading [tag], and no "
                   "header as the first line")
    return Patch(subject, body, sorted(new_files), diff)


def parse(data, name):
    """A Patch from the bytes of a file; `name` is for the error's line."""
    text = data.decode("utf-8", "surrogateescape")
    head, blank, rest = text.partition("\n\n")
    subject = re.search(r"^Subject: *(?:\[[^]]*\] *)?(.+(?:\n[ \t].+)*)", head, re.M)
    if not blank or not subject:
        raise Stop(f"{name} is not a mail with a Subject: restore it from git, or run ./dma-owner refresh")
    title = re.sub(r"\n[ \t]+", " ", subject.group(1)).strip()
    if rest.startswith("---\n"):
        body, marker, comment = "", "---\n", rest[4:]
    else:
        body, marker, comment = rest.partition("\n---\n")
    if not marker:
        raise Stop(f"{name} has no `---` line after its text: restore it from git, or run ./dma-owner refresh")
    start = re.search(r"^diff --git ", comment, re.M)
    notes = comment[:start.start()] if start else comment
    diff = comment[start.start():] if start else ""
    new_files = [line[len(NEW_FILE):].strip() for line in notes.splitlines()
                 if line.startswith(NEW_FILE)]
    return Patch(title, body.strip("\n"), new_files, diff.encode("utf-8", "surrogateescape"))


def slug(subject):
    """File name of a subject, as git sanitises it, in lower case."""
    text = re.sub(r"[^A-Za-z0-9._]+", "-", subject)
    text = re.sub(r"\.\.+", ".", text)
    return text.strip("-").rstrip(".-").lower()


def folder(subject, paths):
    """The folder of a new patch: the subsystem's, else what its paths share."""
    prefix = subject.partition(":")[0].strip().lower()
    for name in (prefix, prefix.partition("/")[0]):
        if name in FOLDERS:
            return FOLDERS[name]
    split = [p.split("/")[:-1] for p in paths]
    shared = []
    for parts in zip(*split):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "/".join(shared) or "Documentation"
