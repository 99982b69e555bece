# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner release: everything that a carrier needs, in one tarball.

The same commit, sign-off and test results give the same bytes, on any machine.
"""

import hashlib
import io
import tarfile

from give import export, kabi
from ground import console, git
from ground.errors import Stop
from ground.layout import write_file
from machine import outcomes
from patches import changes

MTIME = 1767225600      # that of the patches, see patchmail.DATE
TAKEN = ("README.md", "CHANGES", "COPYING", "COSTS")


def _clean(layout):
    """Stops unless all of the repository is committed; returns the commit."""
    repo = git.Git(layout.root)
    dirt = repo.dirt()
    if dirt:
        raise Stop(f"a release is made of what is committed, {dirt[0]} is not: commit it, or stash it")
    return repo.commit_of("HEAD")


def _version(layout, commit, entries, source, tree):
    """The file VERSION: what exactly this is."""
    lines = (f"version {changes.version(layout)}", f"commit {commit}", f"series {outcomes.digest(entries)}",
             f"base {source.title}", f"base-commit {tree.base_commit()}")
    return "".join(f"{line}\n" for line in lines).encode()


def contents(layout, source, entries, tree, signoff):
    """{path in the tarball: bytes}"""
    commit, state = _clean(layout), tree.state()
    files = {name: (layout.root / name).read_bytes() for name in TAKEN if (layout.root / name).is_file()}
    files["VERSION"] = _version(layout, commit, entries, source, tree)
    for folder, mails in (("mail", export.letter(layout, tree, entries, source.title, signoff)),
                          ("quilt", export.quilt_stack(tree, entries, signoff))):
        files.update({f"{folder}/{name}": data for name, data in mails})
    lines = kabi.by_sources(tree.git, state.base_commit, state.tip)
    files["KABI"] = "".join(f"{line}\n" for line in lines).encode()
    files[outcomes.NAME] = outcomes.text(layout).encode()
    files.update({f"tested/{name}": data for name, data in outcomes.reports(layout, entries)})
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return dict(files, SHA256SUMS=sums.encode())


def tarball(top, files):
    """A .tar.xz in bytes: sorted, one time, owner 0."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz", format=tarfile.GNU_FORMAT, preset=6) as tar:
        for name in sorted(files):
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size, member.mtime, member.mode = len(files[name]), MTIME, 0o644
            tar.addfile(member, io.BytesIO(files[name]))
    return out.getvalue()


def release(layout, source, entries, tree, signoff):
    """Writes out/dma-owner-5.10-vN.tar.xz and its sum; returns both paths."""
    signoff = export.checked_signoff(signoff, "release")
    export.applied(tree, entries)
    top = f"dma-owner-{layout.release}-v{changes.version(layout)}"
    with console.stage(f"Packing {top}"):
        data = tarball(top, contents(layout, source, entries, tree, signoff))
    path = layout.out / f"{top}.tar.xz"
    write_file(path, data)
    sums = path.with_name(f"{path.name}.sha256")
    write_file(sums, f"{hashlib.sha256(data).hexdigest()}  {path.name}\n".encode())
    if not outcomes.rows(layout, entries):
        console.note("No test results of this series are known: ./dma-owner test gives them")
    return [path, sums]
