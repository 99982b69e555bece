# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner am on a plain folder.

All new content is first written beside the tree, in .dma-owner/new of it. Then files
change places by renames alone, which need no room and can be taken back: the old ones
wait in .dma-owner/old, with their times, until they are asked for again.
"""

import hashlib
import json
import os
import stat

from ground import git
from ground.errors import Stop
from ground.layout import remove, write_file

HOME = ".dma-owner"


def _sum(data):
    return hashlib.sha256(data).hexdigest()


class PlainTree:
    """A kernel tree without a .git of its own."""

    def __init__(self, path, release):
        self.path, self.release = path, release
        self.home = path / HOME
        self.note = self.home / "state.json"

    def own_folders(self):
        """Further folders that are written: none."""
        return []

    def overhead(self):
        """Bytes needed besides the files."""
        return 0

    def check_own(self):
        """Stops when an earlier run's files are here, or half here."""
        if self.note.is_file():
            raise Stop(f"{self.path} has the series already: ./dma-owner am --undo {self.path} takes it back")

    def check_clean(self, _touched):
        """Any content will do: whether the series fits is seen when it is tried."""

    def present(self, paths):
        """Those of the paths that are there."""
        return [path for path in paths if os.path.lexists(self.path / path)]

    def scratch(self, folder, touched):
        """A repository with a copy of the touched files, to try things in."""
        for path in touched:
            if (self.path / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes((self.path / path).read_bytes())
        repo = git.Git(folder, **git.IDENT)
        repo.bytes("init", "-q")
        repo.bytes("add", "-A", "-f")
        repo.bytes("commit", "-q", "--allow-empty", "-m", f"Linux {self.release}")
        repo.bytes("tag", "base")
        return repo

    def deliver(self, repo, note):
        """Changes the files to what they are in `repo`; returns a phrase.

        Raises Stop or OSError with everything as it was. `note`: kept for undo().
        """
        remove(self.home)
        changes = repo.changes("base", "HEAD")
        state = dict(note, made=self._missing_folders(changes), files=[])
        try:
            for status, mode, blob, path in changes:
                data = b"" if status == "D" else repo.bytes("cat-file", "blob", blob)
                self._compare(repo, status, path)
                state["files"].append([status, path, _sum(data)])
                self._stage(status, path, data, mode == "100755")
            write_file(self.note, json.dumps(state).encode())
            for folder in state["made"]:
                (self.path / folder).mkdir()
            self._swap(state)
        except (OSError, Stop):
            self._back(state)
            raise
        return f"{len(changes)} files changed, the old ones are in {HOME}/old"

    def _missing_folders(self, changes):
        """Folders that the new files need, the outer ones first."""
        missing = set()
        for _, _, _, path in changes:
            for parent in (self.path / path).relative_to(self.path).parents:
                if not (self.path / parent).is_dir():
                    missing.add(str(parent))
        return sorted(missing)

    def _compare(self, repo, status, path):
        """Stops when a file is not any more what was tried."""
        place = self.path / path
        same = not os.path.lexists(place) if status == "A" else place.read_bytes() == repo.blob("base", path)
        if not same:
            raise Stop(f"{place} changed meanwhile: run the same command again; nothing was changed")

    def _stage(self, status, path, data, executable):
        """Writes a file's new content under .dma-owner, and makes room for the old."""
        (self.home / "old" / path).parent.mkdir(parents=True, exist_ok=True)
        if status == "D":
            return
        fresh = self.home / "new" / path
        fresh.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(data)
        like = (self.path / path) if status != "A" else self.path
        kept = os.stat(like)
        if status != "A":
            fresh.chmod(stat.S_IMODE(kept.st_mode) | (0o111 if executable else 0))
        elif executable:
            fresh.chmod(fresh.stat().st_mode | 0o111)
        if os.geteuid() == 0:
            os.chown(fresh, kept.st_uid, kept.st_gid)

    def _swap(self, state):
        """Renames: the old files out, the new ones in."""
        for status, path, _ in state["files"]:
            if status != "A":
                os.rename(self.path / path, self.home / "old" / path)
            if status != "D":
                os.rename(self.home / "new" / path, self.path / path)

    def _back(self, state):
        """The converse, from wherever _swap() or _back() got to."""
        for status, path, _ in state["files"]:
            if os.path.lexists(self.home / "old" / path):
                os.replace(self.home / "old" / path, self.path / path)
            elif status == "A" and not os.path.lexists(self.home / "new" / path):
                (self.path / path).unlink(missing_ok=True)
        for folder in reversed(state["made"]):
            try:
                (self.path / folder).rmdir()
            except OSError:     # not there yet, or somebody built something in it
                pass
        self.note.unlink(missing_ok=True)
        remove(self.home)

    def undo(self):
        """Puts the old files back; returns a phrase. Stops when one of them was edited."""
        if self.home.is_dir() and not self.note.is_file():      # cut off while nothing of the tree was changed
            remove(self.home)
            return f"{self.path} is as it was"
        try:
            state = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise Stop(f"{self.path}: ./dma-owner am has put nothing here that could be taken back") from None
        for status, path, checksum in state["files"]:
            place, ours = self.path / path, status == "A" or os.path.lexists(self.home / "old" / path)
            if ours and place.is_file() and _sum(place.read_bytes()) != checksum:
                raise Stop(f"{place} was edited since: save it elsewhere and put back what it was, or delete it")
        self._back(state)
        return f"{len(state['files'])} files are as they were"
