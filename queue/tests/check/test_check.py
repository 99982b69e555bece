# SPDX-License-Identifier: GPL-2.0-only
"""Each rule of `check`, violated once and named."""

import contextlib
import io
import shutil
import tempfile
import threading
import unittest
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from tests.fake import BASE, Repository

from check import applies, checks, each_patch, lint, rules, style
from ground.errors import Failed
from ground.results import Report
from patches import refresh

PATCH = "drivers/iommu/iommu-add-the-owner.patch"
OWNER = "drivers/iommu/dma-owner.c"
SPDX = "// SPDX-License-Identifier: GPL-2.0-only\n"


class Rules(unittest.TestCase):
    """A sound miniature series, then one thing wrong in it."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.repo.commit("iommu: Add the owner", {
            OWNER: f"{SPDX}int owner;\n",
            "drivers/iommu/Makefile": BASE["drivers/iommu/Makefile"] + "obj-y += dma-owner.o\n"})
        refresh.refresh(self.repo.layout)
        self.repo.write(".gitignore", "# SPDX-License-Identifier: GPL-2.0-only\n/.build/\n/out/\n")

    def names(self, words, check, ctx=None):
        """The check must fail with these words."""
        with self.assertRaises(Failed) as caught:
            check(ctx or self.repo.context())
        self.assertIn(words, str(caught.exception))

    def edit(self, path, old, new):
        """Replaces text in a file of the repository."""
        text = (self.repo.root / path).read_text(encoding="utf-8")
        self.assertIn(old, text)
        self.repo.write(path, text.replace(old, new))

    def test_sound_series_passes(self):
        ctx = self.repo.context()
        for _, check, _ in rules.cases(ctx):
            check(ctx)
        applies.am(ctx, "given")
        style.spdx(ctx)

    def test_series_twice(self):
        ctx = self.repo.context()
        self.repo.write("series", f"{PATCH}\n{PATCH}\n")
        self.names("twice", rules.series_format, ctx)

    def test_series_empty(self):
        ctx = self.repo.context()
        self.repo.write("series", "# nothing\n")
        self.names("no patch", rules.series_format, ctx)

    def test_rule1_whole_file_that_the_base_has(self):
        self.repo.write("drivers/iommu/iommu.c", "mine\n")
        self.names("drivers/iommu/iommu.c is a whole file", rules.rule1)

    def test_rule1_patch_of_a_file_that_the_base_lacks(self):
        ctx = self.repo.context()
        ctx.entries[0].patch.diff += b"diff --git a/lib/none.c b/lib/none.c\n"
        self.names("changes lib/none.c", rules.rule1, ctx)

    def test_rule2_name(self):
        (self.repo.root / PATCH).rename(self.repo.root / "drivers/iommu/0001-owner.patch")
        self.edit("series", PATCH, "drivers/iommu/0001-owner.patch")
        self.names("should be named iommu-add-the-owner.patch", rules.rule2)

    def test_rule2_patch_not_listed(self):
        self.repo.write("drivers/iommu/stray.patch", "x\n")
        self.names("drivers/iommu/stray.patch is not in series", rules.rule2)

    def test_rule3_unclaimed(self):
        self.repo.write("drivers/iommu/stray.c", SPDX)
        self.names("drivers/iommu/stray.c is claimed by no patch", rules.rule3)

    def test_rule3_no_makefile_line(self):
        self.repo.commit("iommu: Add a lone file", {"drivers/iommu/lone.c": SPDX})
        refresh.refresh(self.repo.layout)
        self.names("lone.c arrives without a line", rules.rule3)

    def test_rule3_no_kconfig(self):
        text = BASE["drivers/iommu/Makefile"] + "obj-y += dma-owner.o\nobj-$(CONFIG_NONE) += late.o\n"
        self.repo.commit("iommu: Add a late file", {"drivers/iommu/late.c": SPDX, "drivers/iommu/Makefile": text})
        refresh.refresh(self.repo.layout)
        self.names("hangs on CONFIG_NONE", rules.rule3)

    def test_rule4_form(self):
        self.edit(PATCH, "Date: Thu, 1 Jan", "Date: Fri, 2 Jan")
        self.names("not in the form", rules.rule4)

    def test_rule4_subject(self):
        self.edit(PATCH, "iommu: Add the owner", "iommu: add the owner")
        self.names("Capitalised imperative", rules.rule4)

    def test_rule4_imperative(self):
        self.edit(PATCH, "iommu: Add the owner", "iommu: Added the owner")
        self.names("not in the imperative", rules.rule4)

    def test_rule4_no_text(self):
        self.edit(PATCH, "\nText.\n---", "\n---")
        self.names("no text", rules.rule4)

    def test_rule4_trailer(self):
        self.edit(PATCH, "Text.", "Text.\n\nSigned-off-by: A <a@b.invalid>")
        self.names("trailer", rules.rule4)

    def test_rule5_other_tree(self):
        ctx = self.repo.context()
        other = ctx.git.with_env(GIT_INDEX_FILE=str(self.repo.root / ".build/index"))
        other.bytes("read-tree", "base")
        key = ctx.state.keys[0]
        made = other.text("commit-tree", other.text("write-tree"), "-p", "base", "-m", "iommu: Add the owner\n\nText.")
        honest = applies.am_full
        self.addCleanup(setattr, applies, "am_full", honest)
        applies.am_full = lambda c, mails, log: (honest(c, mails, log),
                                                 setattr(c, "state", replace(c.state, patches=[[key, made]])))[0]
        self.names("gives another tree", rules.rule5, ctx)

    def test_letter_without_changes(self):
        (self.repo.root / "CHANGES").unlink()
        self.names("there is no CHANGES", rules.letter)

    def test_letter_too_wide(self):
        self.repo.write("CHANGES", "Version 1\n\n" + "x" * 76 + "\n")
        self.names("a line of 76 characters", rules.letter)

    def test_am_new_file_in_the_way(self):
        ctx = self.repo.context()
        ctx.base_paths.add(OWNER)
        self.names(f"has {OWNER}", lambda c: applies.am(c, "given"), ctx)

    def test_spdx_missing(self):
        self.repo.write("drivers/iommu/bare.c", "int x;\n")
        self.names("drivers/iommu/bare.c has no SPDX", style.spdx)


class Parsers(unittest.TestCase):
    """What tools print, read right."""

    def test_words_of_a_mail(self):
        mail = "Subject: all\n\nText.\n---\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n kept\n-gone\n+come\n"
        self.assertEqual(style.own_words(mail), "Subject: all\n\nText.\n---\n" + "\n" * 6 + "+come\n")

    def test_checkpatch_findings(self):
        text = ("drivers/iommu/a.c:7: WARNING:LONG_LINE: line length of 120 exceeds 100 columns\n"
                "0001-x.patch:12: CHECK:SPACING: spaces\nnoise\n")
        self.assertEqual([f[:3] for f in style.findings(text)],
                         [("WARNING", "LONG_LINE", "drivers/iommu/a.c"), ("CHECK", "SPACING", "0001-x.patch")])

    def test_subsystems(self):
        text = "A B <a@b.invalid>\nlist@l.invalid\nIOMMU DRIVERS\nTHE REST\nMaintained\nBuried alive\n"
        known = style.states("IOMMU DRIVERS\nS:\tMaintained\nF:\ta\n\nTHE REST\nS:\tBuried alive\n")
        self.assertEqual(style.subsystems(text, known), {"IOMMU DRIVERS"})

    def test_patch_sent_to_others(self):
        folders = {"drivers/iommu/a.patch": "drivers/iommu", "drivers/iommu/b.patch": "drivers/iommu"}
        asked = {"drivers/iommu": {"IOMMU DRIVERS"}, "drivers/iommu/a.patch": {"TRACING", "IOMMU DRIVERS"},
                 "drivers/iommu/b.patch": {"TRACING"}}
        self.assertEqual(style.strays(folders, asked), [
            "drivers/iommu/b.patch: get_maintainer.pl sends it to TRACING, not to those of drivers/iommu"])

    def test_allow_needs_a_reason(self):
        self.assertEqual(style.allowed("# c\nSPACING a.c because\n"), {("SPACING", "a.c")})
        with self.assertRaises(Failed):
            style.allowed("SPACING a.c\n")

    def test_outermost_folders(self):
        goals = ["drivers/vfio/", "drivers/vfio/pci/", "drivers/iommu/"]
        self.assertEqual(each_patch.outermost(goals),
                         ["drivers/vfio/", "drivers/iommu/"])

    def test_architecture_of_a_file(self):
        arches = ("arm64", *each_patch.DEFCONFIGS)
        for path, arch in (("arch/arm/mm/dma-mapping.c", "arm"), ("arch/powerpc/sysdev/fsl_pci.c", "powerpc"),
                           ("drivers/gpu/host1x/dev.c", "arm"), ("drivers/soc/fsl/qbman/qman_portal.c", "powerpc"),
                           ("drivers/vfio/platform/vfio_amba.c", "arm64")):
            with self.subTest(path=path):
                self.assertEqual([a for a in arches if each_patch.suits(path, a)], [arch])


class Root(unittest.TestCase):
    """What checkpatch sees of the tree."""

    def test_all_but_get_maintainer(self):
        top = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, top)
        for name in ("tree/Makefile", "tree/scripts/checkpatch.pl", "tree/scripts/get_maintainer.pl", "tree/mm/slub.c"):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(name, encoding="utf-8")
        ctx = SimpleNamespace(layout=SimpleNamespace(work=top), tree=SimpleNamespace(path=top / "tree"))
        for _ in range(2):
            root = style._root(ctx)     # pylint: disable=protected-access
            seen = {str(path.relative_to(root)) for path in [*root.iterdir(), *(root / "scripts").iterdir()]}
            self.assertEqual(seen, {"Makefile", "mm", "scripts", "scripts/checkpatch.pl"})
            self.assertEqual((root / "mm/slub.c").read_text(encoding="utf-8"), "tree/mm/slub.c")


class Lint(unittest.TestCase):
    """Which files of the base are compiled to see what it says already."""

    def test_files_that_are_warned_of(self):
        sources = ["a.c", "b.c", "c.c"]
        self.assertEqual(lint.to_ask({}, sources), [])
        self.assertEqual(lint.to_ask({("b.c", "warning: x"): 2, ("new.c", "warning: y"): 1}, sources), ["b.c"])
        self.assertEqual(lint.to_ask({("b.c", "warning: x"): 1, ("d.h", "warning: y"): 1}, sources), sources)


class Lanes(unittest.TestCase):
    """What runs side by side, and what one after the other."""

    def test_lists_side_by_side(self):
        order, second = [], threading.Event()

        def waits(_):
            order.append(second.wait(10))

        layout, report = SimpleNamespace(suite="check", work=Path("unused")), Report()
        lanes = [[("waits", waits, None), ("last", lambda _: order.append("last"), None)],
                 [("sets", lambda _: second.set(), None)]]
        ctx = SimpleNamespace(layout=layout)
        with mock.patch.object(checks.context, "of_run", return_value=ctx), \
                mock.patch.object(checks.packages, "ensure"), contextlib.redirect_stdout(io.StringIO()):
            checks.run(layout, None, report, lambda _: lanes)
        self.assertEqual(order, [True, "last"])
        self.assertEqual({result.name for result in report.results},
                         {"host:check:waits", "host:check:last", "host:check:sets"})


class Targets(unittest.TestCase):
    """What is built for a patch: of three, of which the last changes a header."""
    CORE, OTHER, NEW = "drivers/iommu/iommu.c", "drivers/pci/probe.c", "drivers/iommu/new.c"
    PATCHES = ([CORE, OTHER], [NEW, "drivers/iommu/Makefile"], [CORE, "include/linux/iommu.h"])

    def setUp(self):
        self.out = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.out)
        folders = {f"{n}:{folder}/Makefile" for n in range(4) for folder in ("drivers/iommu", "drivers/pci")}
        paths = {"0": {self.CORE, self.OTHER}, "1": {self.CORE, self.OTHER}}
        paths["2"] = paths["3"] = {self.CORE, self.OTHER, self.NEW}
        diffs = (b"", b"", self.diff("include/linux/iommu.h", b"-int x;\n+long x;\n"))
        entries = [SimpleNamespace(paths=lambda own=own: own, patch=SimpleNamespace(diff=diff))
                   for own, diff in zip(self.PATCHES, diffs)]
        self.ctx = SimpleNamespace(
            entries=entries, steps=[(entry, str(n), str(n + 1)) for n, entry in enumerate(entries)],
            git=SimpleNamespace(paths=paths.get, ok=lambda *words: words[-1] in folders))

    @staticmethod
    def diff(path, lines):
        """A diff of one file."""
        name = path.encode()
        return b"diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n@@ -1 +1 @@\n%s" % (name, name, name, name, lines)

    def targets(self, number, *built):
        """targets_of() the patch when objects of these sources were built."""
        for path in built:
            made = self.out / (path[:-2] + ".o")
            made.parent.mkdir(parents=True, exist_ok=True)
            made.touch()
        return each_patch.targets_of(self.ctx, number, self.out)

    def test_folders_at_first(self):
        self.assertEqual(self.targets(0), ["drivers/iommu/", "drivers/pci/"])

    def test_objects_that_are_there(self):
        self.assertEqual(self.targets(0, self.CORE), ["drivers/iommu/iommu.o", "drivers/pci/"])

    def test_folder_of_a_new_file(self):
        self.assertEqual(self.targets(1, self.CORE, self.NEW), ["drivers/iommu/"])

    def test_header_reaches_all_so_far(self):
        self.assertEqual(self.targets(2, self.CORE, self.OTHER, self.NEW),
                         ["drivers/iommu/iommu.o", "drivers/iommu/new.o", "drivers/pci/probe.o"])

    def test_only_added_to_a_header(self):
        self.ctx.entries[2].patch.diff = self.diff("include/linux/iommu.h", b"+int y;\n")
        self.assertEqual(self.targets(2, self.CORE, self.OTHER, self.NEW), ["drivers/iommu/iommu.o"])

    def test_lines_that_look_like_names(self):
        source = self.diff("mm/slub.c", b"--- old/mm.h\n-int x;\n")
        header = self.diff("mm/slab.h", b"--- a/slub.c\n-int x;\n")
        added = self.diff("mm/slab.h", b"+int y;\n")
        self.assertEqual([each_patch.takes_from_header(d) for d in (source, header, added + source, source + header)],
                         [False, True, False, True])


if __name__ == "__main__":
    unittest.main()
