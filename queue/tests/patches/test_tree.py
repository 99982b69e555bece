# SPDX-License-Identifier: GPL-2.0-only
"""tree and refresh: inverse, careful with unsaved work, resumable."""

import unittest
from dataclasses import replace

from tests.fake import BASE, changed_base, FakeSource, Repository

from ground import layout as layouts
from ground.errors import Stop
from patches import refresh, series, trees

OWNER = "drivers/iommu/dma-owner.c"


class Base(unittest.TestCase):
    """A repository with two patches; the second brings a script."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.repo.commit("iommu: Add the owner", {
            OWNER: "int owner;\n",
            "drivers/iommu/Makefile": BASE["drivers/iommu/Makefile"] + "obj-y += dma-owner.o\n",
            **changed_base("drivers/iommu/iommu.c", "line 20\n", "line twenty\n")})
        self.repo.commit("selftests/iommu: Add a script", {
            "tools/testing/selftests/iommu/run.sh": "#!/bin/sh\n"}, executable=(
                "tools/testing/selftests/iommu/run.sh",))
        refresh.refresh(self.repo.layout)

    def stops(self, words, function, *args):
        """The call must stop with one line that has the words in it."""
        with self.assertRaises(Stop) as caught:
            function(*args)
        self.assertIn(words, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))


class Inverse(Base):
    """tree then refresh changes nothing."""

    def test_refresh_twice(self):
        before = self.repo.snapshot()
        self.assertEqual(refresh.refresh(self.repo.layout), [])
        self.assertEqual(self.repo.snapshot(), before)

    def test_tree_anew_then_refresh(self):
        before = self.repo.snapshot()
        content = self.repo.tree().git.tree_of("HEAD")
        commit = self.repo.tree().tip()
        layouts.remove(self.repo.layout.tree)
        self.assertEqual(self.repo.tree().git.tree_of("HEAD"), content)
        self.assertEqual(self.repo.tree().tip(), commit)
        self.assertEqual(refresh.refresh(self.repo.layout), [])
        self.assertEqual(self.repo.snapshot(), before)

    def test_whole_file_keeps_its_mode(self):
        self.assertTrue(self.repo.snapshot()["tools/testing/selftests/iommu/run.sh"][1])
        layouts.remove(self.repo.layout.tree)
        tree = self.repo.tree()
        self.assertEqual(tree.git.text("ls-tree", "HEAD", "tools/testing/selftests/iommu/run.sh")[:6], "100755")

    def test_fixup_changes_only_its_files(self):
        before = self.repo.snapshot()
        tree = self.repo.tree()
        (tree.path / OWNER).write_text("int owner = 1;\n", encoding="utf-8")
        tree.git.bytes("commit", "-q", "-a", "--fixup", "HEAD~1")
        tree.git.with_env(GIT_SEQUENCE_EDITOR=":").bytes("rebase", "-q", "-i", "--autosquash", "base")
        self.assertEqual(refresh.refresh(self.repo.layout), [OWNER])
        after = self.repo.snapshot()
        self.assertEqual({p for p in after if after[p] != before.get(p)}, {OWNER})

    def test_grown_file_stays_in_its_patches(self):
        path = series.GROWN[0]
        self.repo.commit("iommu: Add a header", {path: "int a;\n"})
        self.repo.commit("iommu: Change the header", {path: "int b;\n"})
        refresh.refresh(self.repo.layout)
        self.assertNotIn(path, self.repo.snapshot())
        self.assertEqual([e.patch.touched() for e in series.load(self.repo.layout)[-2:]], [[path], [path]])
        self.test_tree_anew_then_refresh()
        self.assertEqual(self.repo.tree().git.blob("HEAD", path), b"int b;\n")

    def test_reword_moves_the_patch(self):
        tree = self.repo.tree()
        tree.git.bytes("commit", "-q", "--amend", "-m", "selftests/iommu: Add the script\n\nText.")
        refresh.refresh(self.repo.layout)
        names = self.repo.snapshot()
        folder = "tools/testing/selftests/iommu"
        self.assertIn(f"{folder}/selftests-iommu-add-the-script.patch", names)
        self.assertNotIn(f"{folder}/selftests-iommu-add-a-script.patch", names)

    def test_dropped_commit_takes_its_files_along(self):
        self.repo.tree().git.bytes("reset", "-q", "--hard", "HEAD^")
        refresh.refresh(self.repo.layout)
        self.assertFalse([p for p in self.repo.snapshot() if p.startswith("tools/")])

    def test_debian_ignore_rule_is_gone(self):
        tree = self.repo.tree()
        (tree.path / "drivers/iommu/seen.c").write_text("\n", encoding="utf-8")
        self.assertEqual(tree.git.dirt(), ["drivers/iommu/seen.c"])


class Unsaved(Base):
    """Work that the series does not have is never lost."""

    def test_edits_are_used_as_they_are(self):
        tree = self.repo.tree()
        (tree.path / OWNER).write_text("int mine;\n", encoding="utf-8")
        self.repo.tree()
        self.assertEqual((tree.path / OWNER).read_text(encoding="utf-8"), "int mine;\n")

    def test_edits_are_not_handed_out(self):
        tree = self.repo.tree()
        self.assertEqual(trees.of_series(self.repo.layout, self.repo.source, "export").path, tree.path)
        (tree.path / OWNER).write_text("int mine;\n", encoding="utf-8")
        self.stops("export takes the series as it is in the repository, and .build/tree has uncommitted "
                   f"edits ({OWNER})", trees.of_series, self.repo.layout, self.repo.source, "export")

    def test_edits_and_a_changed_series_stop(self):
        (self.repo.tree().path / OWNER).write_text("int mine;\n", encoding="utf-8")
        self.repo.write(OWNER, "int other;\n")
        self.stops("has unsaved work as well", self.repo.tree)

    def test_commits_and_a_changed_series_stop(self):
        self.repo.commit("iommu: More", {OWNER: "int mine;\n"})
        self.repo.write(OWNER, "int other;\n")
        self.stops("has unsaved work as well", self.repo.tree)

    def test_changed_series_moves_a_clean_tree(self):
        tree = self.repo.tree()
        untouched = (tree.path / "drivers/iommu/iommu.c").stat().st_mtime_ns
        self.repo.write(OWNER, "int other;\n")
        self.repo.tree()
        self.assertEqual((tree.path / OWNER).read_text(encoding="utf-8"), "int other;\n")
        self.assertEqual((tree.path / "drivers/iommu/iommu.c").stat().st_mtime_ns, untouched)

    def test_another_base_does_not_eat_work(self):
        (self.repo.tree().path / OWNER).write_text("int mine;\n", encoding="utf-8")
        self.repo.source = FakeSource("fake 2")
        self.stops("unsaved work", self.repo.tree)

    def test_another_base_makes_the_tree_anew(self):
        self.repo.tree()
        self.repo.source = FakeSource("fake 2", {**BASE, "Documentation/new.rst": "New\n"})
        self.assertTrue((self.repo.tree().path / "Documentation/new.rst").is_file())

    def test_foreign_tree_stops(self):
        (self.repo.layout.tree / ".git/dma-owner.json").write_text("{", encoding="utf-8")
        self.stops("rm -rf .build/tree", self.repo.tree)

    def test_cut_off_move_is_finished(self):
        tree = self.repo.tree()
        tree.save(replace(tree.state(), next=tree.tip()))
        (tree.path / OWNER).unlink()
        self.repo.tree()
        self.assertTrue((tree.path / OWNER).is_file())
        self.assertIsNone(tree.state().next)

    def test_cut_off_refresh_goes_on(self):
        tree = self.repo.tree()
        tree.git.bytes("reset", "-q", "--hard", "HEAD^")
        entries = series.load(self.repo.layout)
        tree.save(replace(tree.state(), refresh=[tree.tip(), [e.name for e in entries],
                                              [p for e in entries for p in e.files]]))
        (self.repo.root / entries[0].name).write_text("half", encoding="utf-8")
        refresh.refresh(self.repo.layout)
        self.assertFalse([p for p in self.repo.snapshot() if p.startswith("tools/")])


class Refuses(Base):
    """refresh says no in one line."""

    def refuse(self, words):
        """refresh must stop with these words."""
        self.stops(words, refresh.refresh, self.repo.layout)

    def test_uncommitted(self):
        (self.repo.tree().path / OWNER).write_text("int mine;\n", encoding="utf-8")
        self.refuse("uncommitted")

    def test_fixup_left(self):
        self.repo.commit("fixup! iommu: Add the owner", {OWNER: "int mine;\n"})
        self.refuse("autosquash")

    def test_file_changed_by_a_second_commit(self):
        self.repo.commit("iommu: Change the owner", {OWNER: "int mine;\n"})
        self.refuse("'iommu: Change the owner' changes drivers/iommu/dma-owner.c, which commit "
                    "'iommu: Add the owner' adds")

    def test_message_that_a_mail_cuts(self):
        self.repo.commit("iommu: Cut", {"drivers/iommu/cut.c": "\n"}, body="One\n---\nTwo")
        self.refuse("indent it")

    def test_same_subject_twice(self):
        self.repo.commit("iommu: Add the owner", {"drivers/iommu/again.c": "\n"})
        self.refuse("two commits")

    def test_reserved_path(self):
        self.repo.commit("queue: Add", {"queue/evil.py": "\n"})
        self.refuse("cannot be a whole file")

    def test_no_tree(self):
        layouts.remove(self.repo.layout.tree)
        self.refuse("./dma-owner tree")


class Applies(Base):
    """An unusable series is named."""

    def test_patch_that_does_not_fit(self):
        text = (self.repo.root / "drivers/iommu/iommu-add-the-owner.patch").read_text(encoding="utf-8")
        self.repo.write("drivers/iommu/iommu-add-the-owner.patch", text.replace(" line 19", " line xix"))
        self.stops("drivers/iommu/iommu-add-the-owner.patch does not apply", self.repo.tree)

    def test_base_that_has_the_series(self):
        tree = self.repo.tree()
        files = {path: tree.git.blob("HEAD", path).decode() for path in tree.git.paths("HEAD")}
        self.repo.source = FakeSource("patched 1", files)
        self.stops("patched 1 has the series already: all 2 files that it brings are there", self.repo.tree)

    def test_missing_whole_file(self):
        (self.repo.root / OWNER).unlink()
        self.stops(f"claims {OWNER}", self.repo.tree)

    def test_missing_patch(self):
        self.repo.write("series", "drivers/iommu/none.patch\n")
        self.stops("series names drivers/iommu/none.patch", self.repo.tree)

    def test_applied_tip_of_nothing_is_the_base(self):
        self.assertEqual(trees.State(base_commit="b").tip, "b")


if __name__ == "__main__":
    unittest.main()
