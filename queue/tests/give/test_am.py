# SPDX-License-Identifier: GPL-2.0-only
"""am: the series on a tree of somebody else's, as a whole or not at all, and back."""

import contextlib
import errno
import functools
import hashlib
import os
import signal
import unittest
from unittest import mock

from tests.fake import BASE, changed_base, FakeSource, makefile, Repository

from give import am, amgit, amplain
from ground import git
from ground.errors import Stop
from patches import refresh

OWNER = "drivers/iommu/dma-owner.c"
TEST = "drivers/iommu/tests/run.sh"
CORE = "drivers/iommu/iommu.c"
USER = {"GIT_COMMITTER_NAME": "User", "GIT_COMMITTER_EMAIL": "user@u.invalid",
        "GIT_AUTHOR_NAME": "User", "GIT_AUTHOR_EMAIL": "user@u.invalid"}


def content(folder):
    """{path: (sum or link, mode)} of all files but git's own, and all folders."""
    states = {}
    for top, folders, files in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
        for name in files:
            path = os.path.join(top, name)
            with open(path, "rb") as data:
                states[path] = (hashlib.sha256(data.read()).hexdigest(), os.stat(path).st_mode)
        states[top] = os.stat(top).st_mode
    return states


@functools.cache
def series_of_two():
    """A Repository with a series of two patches, to be copied."""
    repo = Repository()
    repo.commit("iommu: Add the owner", {
        OWNER: "int owner;\n", **changed_base(CORE, "line 20\n", "line twenty\n")})
    repo.commit("iommu: Test the owner", {
        TEST: "#!/bin/sh\n", **changed_base("drivers/iommu/Kconfig", "bool", "tristate")}, executable=(TEST,))
    refresh.refresh(repo.layout)
    return repo


class Base(unittest.TestCase):
    """A series of two patches, and a tree of the user's, outside of the repository."""

    def setUp(self):
        self.repo = series_of_two().copy()
        self.addCleanup(self.repo.close)
        self.user = self.repo.root / "user's tree"
        self.user.mkdir()
        self.fill({})

    def fill(self, changed):
        """Writes the user's tree: the base, with some files of other content."""
        FakeSource(files={**BASE, **changed}).unpack(self.user, None)

    def state(self):
        """Everything of the user's tree that must be as it was."""
        return content(self.user)

    def apply(self, signoff=None):
        """./dma-owner am"""
        return am.apply(self.repo.layout, str(self.user), signoff)

    def refused(self, *words, action=None):
        """The action (apply) must stop with these words, and change nothing."""
        before = self.state()
        with self.assertRaises(Stop) as caught:
            (action or self.apply)()
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        self.assertEqual(self.state(), before)
        self.assertEqual(list(self.repo.layout.build.glob("am.*")), [])

    def undo(self):
        """./dma-owner am --undo"""
        return am.undo(self.repo.layout, str(self.user))

    def series_is_there(self):
        """The tree has what the series makes of it."""
        want = self.repo.tree().path
        for path in (OWNER, TEST, CORE, "drivers/iommu/Kconfig"):
            self.assertEqual((self.user / path).read_bytes(), (want / path).read_bytes(), path)
        self.assertTrue(os.access(self.user / TEST, os.X_OK))


class Both:
    """What holds for a git tree and for a plain folder."""

    def test_there_and_back(self):
        before = self.state()
        self.apply()
        self.series_is_there()
        self.undo()
        self.assertEqual(self.state(), before)
        self.apply()
        self.series_is_there()

    def test_the_series_of_its_release(self):
        port = self.repo.port("6.1")
        port.commit("iommu: Serve 6.1", changed_base(CORE, "line 9\n", "line nine\n"))
        refresh.refresh(port.layout)
        self.replace({"Makefile": makefile(6, 1, 192)})
        before = self.state()
        self.assertIn("1 patches on Linux 6.1.192", self.apply()[0])
        self.assertIn("line nine\n", (self.user / CORE).read_text(encoding="utf-8"))
        self.assertFalse((self.user / OWNER).exists())
        self.undo()
        self.assertEqual(self.state(), before)

    def test_a_release_without_patches(self):
        self.repo.port("6.1")
        self.replace({"Makefile": makefile(6, 1, 192)})
        self.refused("the series for 6.1 is empty")
        self.replace({"Makefile": makefile(6, 6, 1)})
        self.refused("is Linux 6.6.1, there are series for 5.10, 6.1")
        self.refused("there are series for 5.10, 6.1", action=self.undo)

    def test_lines_elsewhere_are_no_hindrance(self):
        self.replace({CORE: "new\n" * 9 + BASE[CORE]})
        self.apply()
        self.assertIn("new\nline 0\n", (self.user / CORE).read_text(encoding="utf-8"))

    def test_patch_that_does_not_fit(self):
        self.replace({CORE: BASE[CORE].replace("line 18\n", "line xviii\n")})
        self.refused("drivers/iommu/iommu-add-the-owner.patch does not fit", f"{CORE}:18: the lines there")

    def test_second_patch_that_does_not_fit(self):
        self.replace({"drivers/iommu/Kconfig": "config OTHER\n"})
        self.refused("drivers/iommu/iommu-test-the-owner.patch does not fit", "drivers/iommu/Kconfig:1: ")

    def test_file_that_is_missing(self):
        self.replace({}, gone=CORE)
        self.refused("iommu-add-the-owner.patch does not fit", f"{CORE}: does not exist")

    def test_has_it_already(self):
        self.apply()
        self.refused("has the series already", "am --undo")

    def test_has_it_from_elsewhere(self):
        self.replace({OWNER: "int owner;\n", TEST: "#!/bin/sh\n"})
        self.refused("has the series already: all 2 files")

    def test_has_a_part(self):
        self.replace({OWNER: "int other;\n"})
        self.refused(f"has {OWNER}, which drivers/iommu/iommu-add-the-owner.patch brings")

    def test_another_kernel(self):
        self.replace({"Makefile": "VERSION = 4\nPATCHLEVEL = 19\nSUBLEVEL = 316\n"})
        self.refused("is Linux 4.19.316, there are series for 5.10")

    def test_cannot_be_written(self):
        with mock.patch("os.access", lambda path, _: path != self.user / "drivers/iommu"):
            self.refused(f"{self.user}/drivers/iommu cannot be written")

    def test_no_room(self):
        full = mock.Mock(f_bavail=10, f_frsize=4096)
        with mock.patch("os.statvfs", return_value=full):
            self.refused("has 40 KiB free, the series needs ", "free some space")

    def test_nothing_to_undo(self):
        self.refused("nothing here that could be taken back", action=self.undo)

    def test_undo_twice(self):
        self.apply()
        self.undo()
        self.refused("nothing here that could be taken back", action=self.undo)

    def test_undo_of_a_file_edited_since(self):
        self.apply()
        (self.user / CORE).write_text("mine\n", encoding="utf-8")
        self.refused(CORE, self.EDITED, action=self.undo)

    def test_interrupted_while_trying(self):
        before = self.state()
        with mock.patch("patches.scratch.git_am", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            self.apply()
        self.assertEqual(self.state(), before)
        self.assertEqual(list(self.repo.layout.build.glob("am.*")), [])

    def test_interrupted_while_changing(self):
        before, kind = self.state(), type(am.target_of(str(self.user)))
        honest = kind.deliver

        def interrupted(target, *args):
            os.kill(os.getpid(), signal.SIGINT)
            done = honest(target, *args)
            self.series_is_there()
            return done

        with mock.patch.object(kind, "deliver", interrupted), self.assertRaises(KeyboardInterrupt):
            self.apply()
        self.assertEqual(self.state(), before)


    def test_undo_is_not_interrupted(self):
        before, kind = self.state(), type(am.target_of(str(self.user)))
        self.apply()
        honest = kind.undo

        def interrupted(target):
            os.kill(os.getpid(), signal.SIGINT)
            return honest(target)

        with mock.patch.object(kind, "undo", interrupted):
            self.assertEqual(len(self.undo()), 1)
        self.assertEqual(self.state(), before)


class Plain(Base, Both):
    """A plain folder."""

    EDITED = "was edited since"

    def replace(self, changed, gone=None):
        """Other content in the user's tree, or one file gone."""
        self.fill(changed)
        if gone:
            (self.user / gone).unlink()

    def test_times_come_back(self):
        os.utime(self.user / CORE, ns=(1, 12345))
        self.apply()
        self.undo()
        self.assertEqual((self.user / CORE).stat().st_mtime_ns, 12345)

    def test_nothing_is_left_behind(self):
        self.apply()
        self.undo()
        self.assertFalse((self.user / amplain.HOME).exists())
        self.assertFalse((self.user / "drivers/iommu/tests").exists())

    def test_products_of_a_build_stay(self):
        self.apply()
        (self.user / "drivers/iommu/tests/run.o").write_text("o", encoding="utf-8")
        self.undo()
        self.assertTrue((self.user / "drivers/iommu/tests/run.o").is_file())
        self.assertFalse((self.user / TEST).exists())

    def test_disk_full_at_any_write(self):
        """Whichever file cannot be written or renamed, nothing changes."""
        before, repo, number = self.state(), self.tried(), 0
        for name in ("os.rename", "pathlib.Path.write_bytes", "pathlib.Path.mkdir"):
            for number in range(1, 40):
                target = am.target_of(str(self.user))
                with failing(name, number, self.user) as calls:
                    try:
                        target.deliver(repo, {})
                    except OSError as error:
                        self.assertEqual(error.errno, errno.ENOSPC)
                if len(calls) < number:
                    break
                self.assertEqual(self.state(), before, f"{name} {number}")
            self.assertGreater(number, 3, name)
            self.undo()

    def tried(self):
        """The scratch repository of a run that gets as far as that."""
        kept = self.repo.layout.build / "kept"
        with mock.patch("give.am.remove"), mock.patch.object(amplain.PlainTree, "deliver", return_value=""):
            self.apply()
        next(self.repo.layout.build.glob("am.*")).rename(kept)
        return git.Git(kept)

    def test_cut_off_between_renames(self):
        before = self.state()
        with mock.patch.object(amplain.PlainTree, "_back"), failing("os.rename", 4, self.user):
            self.assertRaises(OSError, self.apply)
        self.assertNotEqual(self.state(), before)
        self.refused("am --undo")
        self.undo()
        self.assertEqual(self.state(), before)

    def test_killed_at_any_rename_or_folder(self):
        """Whatever a run that is killed leaves can be taken back, also in halves."""
        class Killed(BaseException):
            """Nobody catches it."""

        before, repo = self.state(), self.tried()
        for name in ("os.rename", "os.replace", "pathlib.Path.mkdir"):
            for number in range(1, 40):
                with failing(name, number, self.user, Killed()) as calls, contextlib.suppress(Killed):
                    am.target_of(str(self.user)).deliver(repo, {})
                again = (self.user / amplain.HOME).exists()
                with failing("os.replace", 1, self.user, Killed()), contextlib.suppress(Killed, Stop):
                    self.undo()
                if again and (self.user / amplain.HOME).exists():
                    self.undo()
                self.assertEqual(self.state(), before, f"{name} {number}")
                if len(calls) < number:
                    break
            self.assertGreater(number, 1, name)

    def test_no_such_folder(self):
        self.refused("no such folder", action=lambda: am.apply(self.repo.layout, f"{self.user}/none"))
        self.refused("no kernel tree", action=lambda: am.apply(self.repo.layout, f"{self.user}/drivers"))
        self.refused("unpack it", action=lambda: am.apply(self.repo.layout, f"{self.user}/Makefile"))


class failing:      # pylint: disable=invalid-name
    """Lets the n-th call of a function that is about `folder` fail, for want of space
    unless another error is given."""

    def __init__(self, name, number, folder, error=None):
        self.number, self.folder, self.calls = number, str(folder), []
        module, _, attribute = name.rpartition(".")
        honest = getattr(__import__("pathlib").Path if "Path" in module else os, attribute)

        def counted(*args, **options):
            if str(args[0]).startswith(self.folder):
                self.calls.append(args)
                if len(self.calls) == self.number:
                    raise error or OSError(errno.ENOSPC, "No space left on device", str(args[0]))
            return honest(*args, **options)

        self.patch = mock.patch(name, counted)

    def __enter__(self):
        self.patch.start()
        return self.calls

    def __exit__(self, *_):
        self.patch.stop()


class GitTree(Base, Both):
    """A git work tree with a branch of the user's."""

    EDITED = "has uncommitted changes"

    def setUp(self):
        super().setUp()
        self.git = git.Git(self.user, **USER)
        self.git.bytes("init", "-q", "-b", "mine")
        self.git.bytes("config", "user.name", "User X")
        self.git.bytes("config", "user.email", "x@u.invalid")
        self.commit("Linux")

    def commit(self, subject):
        """Commits all of the user's tree."""
        self.git.bytes("add", "-A", "-f")
        self.git.bytes("commit", "-q", "-m", subject)

    def replace(self, changed, gone=None):
        """Other content in the user's tree, committed."""
        self.fill(changed)
        if gone:
            (self.user / gone).unlink()
        self.commit("Change")

    def state(self):
        status = self.git.bytes("status", "--porcelain", "--branch")
        return super().state(), status, self.git.commit_of("HEAD"), self.git.call("symbolic-ref", "HEAD")

    def test_commits(self):
        self.apply("A B <a@b.invalid>")
        text = self.git.text("log", "--format=%s|%an <%ae>|%cn <%ce>", "-2")
        who = "A B <a@b.invalid>|User X <x@u.invalid>"
        self.assertEqual(text, f"iommu: Test the owner|{who}\niommu: Add the owner|{who}")
        self.assertIn("Signed-off-by: A B <a@b.invalid>", self.git.message("HEAD"))
        self.assertEqual(self.git.dirt(), [])

    def test_linked_work_tree(self):
        self.user = self.user.rename(self.repo.root / "main tree")
        linked = self.repo.root / "user's tree"
        self.git = git.Git(self.user, **USER)
        self.git.bytes("worktree", "add", "-q", "-b", "linked", str(linked))
        self.user, self.git = linked, git.Git(linked, **USER)
        self.test_there_and_back()

    def test_untracked_files_stay(self):
        (self.user / "debian").mkdir()
        (self.user / "debian/notes").write_text("mine\n", encoding="utf-8")
        self.assertIn(b"?? debian/", self.git.bytes("status", "--porcelain"))
        self.test_there_and_back()
        self.assertTrue((self.user / "debian/notes").is_file())

    def test_dirty(self):
        (self.user / CORE).write_text("mine\n", encoding="utf-8")
        self.refused("has uncommitted changes", CORE)

    def test_staged(self):
        (self.user / CORE).write_text("mine\n", encoding="utf-8")
        self.git.bytes("add", "-f", CORE)
        self.refused("has uncommitted changes", CORE)

    def test_untracked_file_in_the_way(self):
        (self.user / OWNER).write_text("mine\n", encoding="utf-8")
        self.refused(f"has {OWNER}")

    def test_busy(self):
        (self.user / ".git/MERGE_HEAD").write_text(self.git.commit_of("HEAD") + "\n", encoding="utf-8")
        self.refused("merge in progress")

    def test_no_commit(self):
        self.git.bytes("update-ref", "-d", "HEAD")
        self.refused("has no commit")

    def test_detached(self):
        self.git.bytes("checkout", "-q", "--detach")
        self.test_there_and_back()

    def test_shallow(self):
        self.commit_more()
        deep = self.user.rename(self.repo.root / "deep")
        git.Git(self.repo.root).bytes("clone", "-q", "--depth", "1", f"file://{deep}", str(self.user))
        self.test_there_and_back()
        self.assertEqual(self.git.text("fsck", "--connectivity-only"), "")

    def commit_more(self):
        """A second commit, so that there is history to cut off."""
        self.replace({"Documentation/index.rst": "More\n"})

    def test_work_on_top_is_not_undone(self):
        self.apply()
        self.commit_more()
        self.refused("has moved on since", "rebase --onto", action=self.undo)

    def test_taken_back_by_hand(self):
        head = self.git.commit_of("HEAD")
        self.apply()
        self.git.bytes("reset", "-q", "--hard", head)
        (self.user / CORE).write_text("mine\n", encoding="utf-8")
        self.refused("has uncommitted changes")
        self.refused("nothing here", action=self.undo)
        self.git.bytes("checkout", "-q", ".")
        self.test_there_and_back()

    def test_move_that_fails(self):
        """The files half changed, and git has given up: everything comes back."""
        def half(target, new):
            for path in (CORE, OWNER, TEST):
                (target.path / path).parent.mkdir(exist_ok=True)
                (target.path / path).write_bytes(target.git.blob(new, path)[:5])
            (target.path / ".git/index.lock").write_bytes(b"")
            raise Stop("git reset failed: No space left on device")

        with mock.patch.object(amgit.GitTree, "_move", half):
            self.refused("No space left on device", "is as it was")
            before = self.state()
            with mock.patch.object(amgit.GitTree, "_restore", side_effect=OSError), \
                    self.assertRaisesRegex(Stop, "No space left on device; .* is half changed until .* am --undo"):
                self.apply()
        self.undo()
        self.assertEqual(self.state(), before)
        self.apply()
        self.series_is_there()

    def test_cut_off_move(self):
        before = self.state()

        def cut(target, new):
            (target.path / CORE).write_bytes(target.git.blob(new, CORE))
            (target.path / OWNER).write_bytes(b"int")
            raise KeyboardInterrupt

        with mock.patch.object(amgit.GitTree, "_move", cut), self.assertRaises(KeyboardInterrupt):
            self.apply()
        with self.assertRaises(Stop) as caught:
            self.apply()
        self.assertIn("cut off", str(caught.exception))
        self.undo()
        self.assertEqual(self.state(), before)

    def cut_off(self, move):
        """am of a process that is killed while it moves; `move` gets target, new."""
        class Killed(BaseException):
            """Nobody catches it."""

        def moved(*args):
            move(*args)
            raise Killed

        with mock.patch.object(amgit.GitTree, "_move", moved), self.assertRaises(Killed):
            self.apply()

    def test_commit_meanwhile(self):
        """What the user commits while the series is tried stays."""
        honest = amgit.GitTree.deliver

        def late(target, *args):
            self.commit_more()
            return honest(target, *args)

        with mock.patch.object(amgit.GitTree, "deliver", late), self.assertRaisesRegex(Stop, "HEAD moved meanwhile"):
            self.apply()
        self.assertEqual(self.git.text("log", "-1", "--format=%s"), "Change")
        self.assertEqual(self.git.dirt(), [])
        self.test_there_and_back()

    def test_cut_off_before_the_branch(self):
        """git has written the files and the index, and the branch not."""
        before = self.state()

        def move(target, new):
            target.git.bytes("read-tree", "-m", "-u", "HEAD", new)
            (target.path / ".git/HEAD.lock").write_bytes(b"")
            (target.path / ".git/refs/heads/mine.lock").write_text(new, encoding="utf-8")

        self.cut_off(move)
        with self.assertRaisesRegex(Stop, "cut off"):
            self.apply()
        self.undo()
        self.assertEqual(self.state(), before)
        self.assertEqual(self.git.bytes("diff-index", "--cached", "HEAD"), b"")
        self.test_there_and_back()

    def test_cut_off_after_the_branch(self):
        """git has not yet removed its locks."""
        before = self.state()

        def move(target, new):
            target.git.bytes("reset", "-q", "--keep", new)
            (target.path / ".git/HEAD.lock").write_bytes(b"")

        self.cut_off(move)
        self.undo()
        self.assertEqual(self.state(), before)
        self.commit_more()

    def test_cut_off_before_anything_moved(self):
        before = self.state()
        self.cut_off(lambda target, new: (target.path / ".git/index.lock").write_bytes(b"DIRC"))
        with self.assertRaisesRegex(Stop, "cut off"):
            self.apply()
        self.undo()
        self.assertEqual(self.state(), before)

    def test_cut_off_undo(self):
        before = self.state()
        self.apply()
        for step in ("_remove_new", "_restore_files", "_restore_index"):
            with mock.patch.object(amgit.GitTree, step, side_effect=KeyboardInterrupt), \
                    self.assertRaises(KeyboardInterrupt):
                self.undo()
            (self.user / ".git/dma-owner-am.index.lock").write_bytes(b"")
        self.undo()
        self.assertEqual(self.state(), before)

    def test_what_is_changed_besides_a_cut_off_move_stays(self):
        self.cut_off(lambda target, new: target.git.bytes("read-tree", "-m", "-u", "HEAD", new))
        (self.user / "Documentation/index.rst").write_text("mine\n", encoding="utf-8")
        self.refused("has uncommitted changes (Documentation/index.rst)", action=self.undo)

    def test_skip_worktree(self):
        """A file that git is told to leave alone keeps what the user has in it."""
        self.git.bytes("update-index", "--skip-worktree", CORE, "Documentation/index.rst")
        (self.user / "Documentation/index.rst").write_text("mine\n", encoding="utf-8")
        before = self.state(), self.git.bytes("ls-files", "-t", "-s")
        self.apply()
        self.undo()
        self.assertEqual((self.state(), self.git.bytes("ls-files", "-t", "-s")), before)

    def test_hidden_change(self):
        """Where git is told not to look something may lie that nobody has a copy of."""
        for flag in ("skip-worktree", "assume-unchanged"):
            self.git.bytes("update-index", f"--{flag}", CORE)
            (self.user / CORE).write_text("mine\n", encoding="utf-8")
            self.refused(f"has a changed {CORE}", "put it back")
            self.git.bytes("update-index", f"--no-{flag}", CORE)
            self.git.bytes("checkout", "-q", "-f", ".")

    def test_flags_at_a_cut_off_move(self):
        self.git.bytes("update-index", "--skip-worktree", CORE)
        before = self.state(), self.git.bytes("ls-files", "-t", "-s")

        def move(target, new):
            (target.path / CORE).write_bytes(target.git.blob(new, CORE)[:7])
            (target.path / ".git/index.lock").write_bytes(b"")

        self.cut_off(move)
        self.undo()
        self.assertEqual((self.state(), self.git.bytes("ls-files", "-t", "-s")), before)

    def test_sparse(self):
        self.git.bytes("sparse-checkout", "set", "--cone", "Documentation")
        before = self.state(), self.git.bytes("ls-files", "-t", "-s")
        self.apply()
        self.assertFalse((self.user / "drivers").exists())
        self.undo()
        self.assertEqual((self.state(), self.git.bytes("ls-files", "-t", "-s")), before)

    def test_folder_inside_of_a_repository(self):
        outer = self.user.rename(self.repo.root / "outer")
        (outer / "kernel").mkdir()
        self.user = outer / "kernel"
        self.fill({})
        before = super().state()
        self.apply()
        self.assertTrue((self.user / amplain.HOME / "old" / CORE).is_file())
        self.undo()
        self.assertEqual(super().state(), before)


if __name__ == "__main__":
    unittest.main()
