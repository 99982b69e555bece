# SPDX-License-Identifier: GPL-2.0-only
"""The checks of a port, and what those of the series at the top see of it."""

import contextlib
import io
import os
import unittest
from types import SimpleNamespace
from unittest import mock

from tests.fake import BASE, Repository, changed_base, quiet

from check import applies, checks, each_patch, ports, rules, style
from ground.errors import Failed, Stop
from ground.results import Report
from patches import bases, excerpt, refresh

EDIT = changed_base("drivers/iommu/iommu.c", "line 7", "line seven")
TOOL = "tools/iommu/tool.c"
WARNING = "drivers/iommu/iommu.c:3:1: warning: unused variable"


class Base(unittest.TestCase):
    """A port with a patch, beside an empty series."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        quiet(self)
        self.port = self.repo.port("6.1")
        # One that grows in the series for 5.10 is in newer bases.
        self.port.source.files.update({"drivers/iommu/iommu-sva.c": "int sva;\n", "tools/Makefile": "none:\n"})
        self.port.commit("iommu: Edit", dict(EDIT, **{TOOL: "int tool;\n"}))
        refresh.refresh(self.port.layout)

    def named(self, words, check, ctx):
        """The check must fail with these words."""
        with self.assertRaisesRegex(Failed, words):
            check(ctx)


class Cases(Base):
    """Which checks there are, and that they look at the right files."""

    def test_names(self):
        names = checks.names(self.port.layout)
        self.assertEqual({name.rpartition(":")[0] for name in names}, {"host:port-6.1"})
        self.assertEqual([name.rpartition(":")[2] for name in names][-5:], [
            "am-primary", "quilt-primary", "recipients", "checkpatch", "compiles"])

    def test_sound_port_passes(self):
        ctx = self.port.context()
        for _, check, _ in rules.cases(ctx):
            check(ctx)
        applies.am(ctx, "primary")

    def test_the_base_has_what_grows_elsewhere(self):
        ctx = self.port.context()
        folder = applies._from_tree(ctx)
        (folder / "drivers/iommu/iommu.c").write_text(EDIT["drivers/iommu/iommu.c"], encoding="utf-8")
        (folder / TOOL).parent.mkdir(parents=True)
        (folder / TOOL).write_text("int tool;\n", encoding="utf-8")
        applies._compare(ctx, folder, None)

    def test_the_top_does_not_see_it(self):
        self.repo.commit("iommu: Edit", EDIT)
        refresh.refresh(self.repo.layout)
        ctx = self.repo.context()
        for check in (rules.rule1, rules.rule2, rules.rule3):
            check(ctx)

    def test_unclaimed_below_the_port(self):
        self.repo.write("ports/6.1/drivers/iommu/more.c", "int more;\n")
        self.named("drivers/iommu/more.c is claimed by no patch", rules.rule3, self.port.context())

    def test_at_the_top_for_the_port_alone(self):
        (self.repo.root / "tools/iommu").mkdir(parents=True)
        os.rename(self.repo.root / "ports/6.1" / TOOL, self.repo.root / TOOL)
        self.repo.source.files = dict(BASE, **{"tools/Makefile": "none:\n"})
        rules.rule3(self.repo.context())
        rules.rule3(self.port.context())
        self.repo.write("tools/iommu/more.c", "int more;\n")
        self.named("tools/iommu/more.c is claimed by no patch", rules.rule3, self.repo.context())

    def test_the_same_in_two_ports(self):
        other = self.repo.port("7.3")
        other.source.files.update(self.port.source.files, Makefile=other.source.files["Makefile"])
        other.commit("iommu: Edit", dict(EDIT, **{TOOL: "int tool;\n"}))
        refresh.refresh(other.layout)
        self.named(f"{TOOL} is the same in ports/6.1: move it to the top", rules.rule3, other.context())
        self.repo.write(f"ports/6.1/{TOOL}", "int other;\n")
        rules.rule3(other.context())

    def test_allowances_of_both(self):
        self.assertEqual([self.repo.layout.shown(path) for path in style._allow_files(self.port.layout)],
                         ["ports/6.1/checkpatch-allow", style.ALLOW])


class Run(Base):
    """Which ports are checked, and what stops a check."""

    def test_due(self):
        self.repo.port("7.3")
        self.repo.write("ports/7.3/series", "# nothing yet\n\n")
        self.assertEqual([layout.port for layout, _ in ports.due(self.repo.layout)], ["6.1"])
        self.assertEqual(ports.due(self.repo.layout.for_base("mine")), [])
        self.assertEqual(ports.due(self.port.layout), [])

    def test_what_is_read(self):
        def read(whole=False):
            (layout, source), = ports.due(self.repo.layout, whole)
            return layout.alt, type(source)

        self.assertEqual(read(), (None, bases.PinnedSource))    # the port has a tree
        os.rename(self.port.layout.tree, self.port.layout.work / "away")
        self.assertEqual(read(), (excerpt.NAME, excerpt.Excerpt))
        self.assertEqual(read(whole=True), (None, bases.PinnedSource))

    def test_an_excerpt_has_the_same_checks(self):
        layout = self.port.layout
        self.assertEqual(checks.names(layout.for_base(excerpt.NAME)), checks.names(layout))

    def test_nothing_to_check(self):
        with self.assertRaisesRegex(Stop, "the series for 7.3 is empty: there is nothing to check"):
            checks.names(self.repo.port("7.3").layout)

    def test_what_stops_it_is_a_failure(self):
        self.repo.write("ports/6.1/series", "drivers/none.patch\n")
        os.rename(self.port.layout.tree, self.port.layout.work / "away")
        (pair,), report, text = ports.due(self.repo.layout), Report(strict=False), io.StringIO()
        with mock.patch("ground.packages.ensure"), contextlib.redirect_stdout(text):
            checks.run_port(*pair, report)
        self.assertEqual(text.getvalue().split(" (")[0], "not ok host:port-6.1:tree")
        self.assertIn("ports/6.1/series names drivers/none.patch", text.getvalue())


class Compiles(Base):
    """The sources that a port touches."""

    def compiled(self, series, base="", left=""):
        """What the check says when the compiler says this of the series, and of the base."""
        ctx, made = self.port.context(), []

        def make(_ctx, source, arch, targets, *_, anew=False):
            made.append((source.name, arch, targets, anew))
            out = ctx.layout.work / "out"
            for path in ctx.touched((".c",)):
                (out / path).parent.mkdir(parents=True, exist_ok=True)
                if path != left:
                    (out / path).with_suffix(".o").touch()
            log = ctx.log("compiler")
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(base if source.name == "base" else series, encoding="utf-8")
            return SimpleNamespace(out=out), log

        with mock.patch.object(each_patch, "make", make):
            try:
                return ports.compiles(ctx), made
            except Failed as failed:
                return str(failed), made

    def test_once(self):
        said, made = self.compiled("")
        self.assertEqual(made, [("tree", "x86_64", ["drivers/iommu/iommu.o"], False)])
        self.assertEqual(said, "1 objects")

    def test_new_warning(self):
        said, made = self.compiled(WARNING)
        self.assertIn("unused variable", said)
        self.assertEqual(made[1], ("base", "x86_64", ["drivers/iommu/iommu.o"], True))

    def test_warning_of_the_base(self):
        self.assertEqual(self.compiled(WARNING, WARNING)[0], "1 objects")

    def test_warning_elsewhere(self):
        self.assertEqual(self.compiled(WARNING.replace("iommu.c", "other.c"))[0], "1 objects")

    def test_what_is_not_compiled_is_told(self):
        said, _ = self.compiled("", left="drivers/iommu/iommu.c")
        self.assertEqual(said, "1 objects; not on x86_64: drivers/iommu/iommu.c")


if __name__ == "__main__":
    unittest.main()
