# SPDX-License-Identifier: GPL-2.0-only
"""Series for other kernels, beside that at the top of the repository."""

import contextlib
import io
import os
import unittest
from unittest import mock

from tests.fake import Repository, changed_base, quiet

from ground.errors import Stop
from patches import bases, refresh, series, trees

EDIT = changed_base("drivers/iommu/iommu.c", "line 7", "line seven")
PATCH = "drivers/iommu/iommu-share-a-tool.patch"
TOOL = "tools/iommu/tool.c"


class Layouts(unittest.TestCase):
    """Where things of a port are."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        for name in ("6.12", "7.3", "6.6"):
            self.repo.port(name)
        self.port = self.repo.layout.for_port("6.12")

    def test_oldest_first(self):
        self.assertEqual(self.repo.layout.ports(), ["6.6", "6.12", "7.3"])
        self.assertEqual([other.release for other in self.port.every()], ["5.10", "6.6", "6.12", "7.3"])
        self.assertEqual([other.release for other in self.port.others()], ["5.10", "6.6", "7.3"])

    def test_apart(self):
        root, port = self.repo.root, self.port
        self.assertEqual(port.series, root / "ports/6.12/series")
        self.assertEqual(port.tree, root / ".build/ports/6.12/tree")
        self.assertEqual(port.for_base("a").tree, root / ".build/ports/6.12/alt/a/tree")
        self.assertEqual((port.out, self.repo.layout.out), (root / "out/6.12", root / "out"))

    def test_mainline_is_the_newest(self):
        self.assertEqual([other.prefix for other in self.port.every()], ["5.10", "6.6", "6.12", ""])

    def test_command(self):
        self.assertEqual(self.port.typed("tree"), "./dma-owner tree --port 6.12")
        self.assertEqual(self.repo.layout.typed("tree"), "./dma-owner tree")

    def test_no_file_of_the_kernel(self):
        self.assertFalse(series.is_kernel_path("ports/6.1/drivers/iommu/new.c"))

    def test_own_files(self):
        names = ["README.md", "drivers/a.patch", "ports/6.1/b.patch", "ports/6.12/base", "ports/6.12/drivers/c.patch"]
        self.assertEqual(series.own_files(self.repo.layout, names), ["README.md", "drivers/a.patch"])
        self.assertEqual(series.own_files(self.port, names), ["base", "drivers/c.patch"])


class Choice(unittest.TestCase):
    """--port and BASE=."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.repo.port("6.1")
        self.repo.port("7.3")

    def chosen(self, base, port=None):
        """The Layout of a run."""
        with mock.patch.dict(os.environ, {"BASE": base} if base else {}), contextlib.redirect_stderr(io.StringIO()):
            return bases.choose_port(self.repo.layout, port)

    def test_chosen(self):
        self.assertEqual(self.chosen("").port, "")
        self.assertEqual(self.chosen("", "6.1").port, "6.1")
        self.assertEqual(self.chosen("7.3").port, "7.3")
        self.assertEqual(self.chosen("/a/path").port, "")
        self.assertEqual(self.chosen("/a/path", "6.1").port, "6.1")

    def test_refused(self):
        with self.assertRaisesRegex(Stop, "no port 6.6: there are 6.1, 7.3, and without one it is the series for 5.10"):
            self.chosen("", "6.6")
        with self.assertRaisesRegex(Stop, "--port 6.1 and BASE=7.3 are two series"):
            self.chosen("7.3", "6.1")
        with self.assertRaisesRegex(Stop, "demo is for Linux 5.10 alone, not for ports/6.1: because"):
            bases.main_only(self.chosen("6.1"), "demo", "because")

    def test_the_port_is_its_own_base(self):
        with mock.patch.dict(os.environ, {"BASE": "7.3"}):
            layout, source = bases.choose(self.chosen("7.3"))
        self.assertEqual((layout.port, layout.alt, source.version), ("7.3", None, "6.1.9-1"))

    def test_a_tree_of_another_release(self):
        (self.repo.root / "kernel").mkdir()
        self.repo.source.unpack(self.repo.root / "kernel", None)
        bases.check_release(self.repo.layout, self.repo.root / "kernel")
        with self.assertRaisesRegex(Stop, "the base is Linux 5.10.262, the series is for 6.1.y"):
            bases.check_release(self.chosen("6.1"), self.repo.root / "kernel")

    def test_an_apt_of_its_own(self):
        private = mock.Mock()
        private.download.return_value = self.repo.root / "package"
        self.repo.write("package", "a package")
        layout = self.chosen("6.1")
        with mock.patch("ground.apt.PrivateApt", return_value=private) as made, \
                mock.patch("ground.packages.ensure"), contextlib.redirect_stderr(io.StringIO()), \
                self.assertRaisesRegex(Stop, "has sha256"):
            bases.fetch(layout, bases.pins(layout)["primary"])
        self.assertEqual(made.call_args.args, (self.repo.root / ".build/ports/6.1/apt", {"bookworm": None}, mock.ANY))


class Refresh(unittest.TestCase):
    """Patches go to the port, whole files stay where they are."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        quiet(self)
        self.port = self.repo.port("6.1")

    def share(self, text="int tool;\n"):
        """Has both series claim one file."""
        self.repo.commit("iommu: Share a tool", {TOOL: "int tool;\n"})
        refresh.refresh(self.repo.layout)
        self.port.commit("iommu: Share a tool", {TOOL: text})
        return refresh.refresh(self.port.layout)

    def drop(self, repo):
        """Takes the last commit away."""
        tree = repo.tree()
        tree.git.bytes("reset", "-q", "--hard", "HEAD^")
        return refresh.refresh(repo.layout)

    def test_from_nothing(self):
        self.assertEqual(self.port.tree().git.text("rev-parse", "--abbrev-ref", "HEAD"), "series")
        self.assertEqual(refresh.refresh(self.port.layout), [])

    def test_below_the_port(self):
        before = self.repo.snapshot()
        self.port.commit("iommu: Edit", dict(EDIT, **{"drivers/iommu/new.c": "int one;\n"}))
        refresh.refresh(self.port.layout)
        self.assertEqual(set(self.repo.snapshot()) - set(before), {
            f"ports/6.1/{path}" for path in ("series", "drivers/iommu/iommu-edit.patch", "drivers/iommu/new.c")})
        self.assertEqual(refresh.refresh(self.port.layout), [])

    def test_shared_file_stands_once(self):
        self.assertEqual(self.share(), [f"ports/6.1/{PATCH}", "ports/6.1/series"])
        self.assertEqual(self.port.layout.place(TOOL), self.repo.root / TOOL)
        self.assertEqual(trees.prepare(self.port.layout, self.port.source).git.blob("HEAD", TOOL), b"int tool;\n")

    def test_an_edit_of_a_shared_file_is_for_all(self):
        with mock.patch("ground.console.note") as note:
            self.assertIn(TOOL, self.share("int better;\n"))
        self.assertEqual((self.repo.root / TOOL).read_text(encoding="utf-8"), "int better;\n")
        said = [call.args[0] for call in note.call_args_list]
        self.assertTrue([line for line in said if f"The series for 5.10 has these as well: {TOOL}" in line], said)

    def test_what_another_series_claims_is_kept(self):
        self.share()
        self.assertEqual(self.drop(self.port), ["ports/6.1/series", f"ports/6.1/{PATCH} (removed)"])
        self.assertTrue((self.repo.root / TOOL).is_file())
        self.port.commit("iommu: Share a tool", {TOOL: "int tool;\n"})
        refresh.refresh(self.port.layout)
        self.assertEqual(self.drop(self.repo), ["series", f"{PATCH} (removed)"])
        self.assertEqual(self.drop(self.port), ["ports/6.1/series", f"ports/6.1/{PATCH} (removed)", f"{TOOL} (removed)"])

    def test_unknown_claims_stop_it(self):
        self.share()
        self.repo.write("ports/6.1/series", "drivers/none.patch\n")
        before = self.repo.snapshot()
        with self.assertRaisesRegex(Stop, "ports/6.1/series names drivers/none.patch"):
            self.drop(self.repo)
        self.assertEqual(self.repo.snapshot(), before)

    def test_tests_are_those_of_the_top(self):
        with mock.patch("patches.bases.pinned", return_value=self.repo.source):
            tree = trees.with_tests(self.port.layout, self.port.source)
        self.assertEqual((tree.path, tree.tests), (self.port.layout.tree, self.repo.layout.tree))
        self.assertTrue((tree.tests / "drivers").is_dir())
        self.assertEqual((tree.shared, self.repo.tree().shared), (self.repo.root, self.repo.layout.tree))

    def test_in_both_places(self):
        self.share()
        self.repo.write(f"ports/6.1/{TOOL}", "int other;\n")
        with self.assertRaisesRegex(Stop, "is in ports/6.1 and at the top of the repository"):
            series.load(self.port.layout)
        series.load(self.repo.layout)

    def test_base_without_the_series(self):
        self.port.write("ports/6.1/series", "drivers/none.patch\n")
        tree = trees.of_base(self.port.layout, self.port.source)
        self.assertEqual(tree.tip(), tree.base_commit())


if __name__ == "__main__":
    unittest.main()
