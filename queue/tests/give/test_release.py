# SPDX-License-Identifier: GPL-2.0-only
"""release, kabi, and the table of what was tested."""

import contextlib
import functools
import hashlib
import io
import lzma
import os
import tarfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from tests.fake import BASE, Repository

from front import command, testing
from give import cover, kabi, release
from ground import git, results
from ground.errors import Stop
from ground.results import Report
from machine import outcomes
from patches import refresh, series

OWNER = "drivers/iommu/dma-owner.c"
HEADER = "include/linux/iommu.h"
SIGNER = "A B <a@b.invalid>"
LINES = ["ok host:check:spdx (0.1 s)", "ok q35:vfio:bind (1.0 s)", "not ok q35:vfio:dma (no bytes)",
         "skip q35:vfio:hot (no slot)", "ok arm:kunit:all (2.0 s)"]
OLD = ("struct iommu {\n\tint count;\n\tint unused;\n\tint more;\n\tint and_more;\n};\n\n"
       "int iommu_stays(void);\nvoid iommu_changes(int x);\nint iommu_goes(void);\n")
NEW = OLD.replace("\tint and_more;\n", "\tint and_more;\n\tbool owned;\n").replace(
    "void iommu_changes(int x)", "int iommu_changes(int x)").replace("int iommu_goes(void);\n", "")

ABIDIFF = """Leaf changes summary: 4 artifacts changed

1 Removed function:

  [D] 'function int iommu_goes()'    {iommu_goes}

'struct device' changed:
  type size hasn't changed
  1 data member insertion:
    'u8 iommu_error', at offset 477 (in bytes)

'struct pci_dev' changed:
  type size hasn't changed
"""


@functools.cache
def series_of_one():
    """A Repository with a series of one patch, to be copied."""
    repo = Repository()
    repo.source.files = {**BASE, HEADER: OLD, "drivers/iommu/iommu.c":
                         BASE["drivers/iommu/iommu.c"] + "EXPORT_SYMBOL(iommu_stays);\n"
                         "EXPORT_SYMBOL(iommu_changes);\nEXPORT_SYMBOL_GPL(iommu_goes);\n"}
    core = repo.source.files["drivers/iommu/iommu.c"].replace("EXPORT_SYMBOL_GPL(iommu_goes);\n", "")
    repo.commit("iommu: Add the owner", {
        OWNER: "EXPORT_SYMBOL_GPL(iommu_comes);\n", HEADER: NEW, "drivers/iommu/iommu.c": core})
    refresh.refresh(repo.layout)
    return repo


class Base(unittest.TestCase):
    """A committed repository with a series of one patch."""

    def setUp(self):
        self.repo = series_of_one().copy()
        self.addCleanup(self.repo.close)
        self.commit()

    def commit(self):
        """Commits all of the repository."""
        repo = git.Git(self.repo.root, **git.IDENT)
        repo.bytes("add", "-A")
        repo.bytes("commit", "-q", "--allow-empty", "-m", "All")

    @property
    def entries(self):
        """The series as it is."""
        return series.load(self.repo.layout)

    def record(self, lines=None, title="fake 1", config="vm"):
        """A run of ./dma-owner test."""
        outcomes.record(self.repo.layout, title, outcomes.of_tree(self.repo.tree()), config, results.parse_all(lines or LINES))

    def rows(self):
        """What is known of this series: [(machine, config, passed, failed, skipped)]."""
        return sorted((r.machine, r.config, r.passed, r.failed, r.skipped)
                      for r in outcomes.rows(self.repo.layout, self.entries))


class Release(Base):
    """One tarball, the same each time."""

    def release(self, signoff=SIGNER):
        """./dma-owner release; returns the bytes of the tarball and of its sum."""
        repo = self.repo
        paths = release.release(repo.layout, repo.source, self.entries, repo.tree(), signoff)
        self.assertEqual(paths[0].name, "dma-owner-5.10-v1.tar.xz")
        return [path.read_bytes() for path in paths]

    def unpacked(self):
        """{path: bytes} of the tarball without its top folder, and its members."""
        with tarfile.open(fileobj=io.BytesIO(self.release()[0])) as tar:
            members = tar.getmembers()
            return {m.name.partition("/")[2]: tar.extractfile(m).read() for m in members}, members

    def test_two_runs_one_sum(self):
        self.record()
        data, total = self.release()
        os.utime(self.repo.root / "CHANGES", (1, 1))
        for name in ("out", ".build/tree"):
            (self.repo.root / name).rename(self.repo.root / ".build" / f"old-{os.path.basename(name)}")
        with mock.patch("time.time", return_value=1.0):
            self.assertEqual(self.release(), [data, total])
        self.assertEqual(total.decode(), f"{hashlib.sha256(data).hexdigest()}  dma-owner-5.10-v1.tar.xz\n")

    def test_no_trace_of_the_machine(self):
        files, members = self.unpacked()
        self.assertEqual([m.name for m in members], sorted(m.name for m in members))
        self.assertEqual({(m.uid, m.gid, m.uname, m.gname, m.mtime, m.mode) for m in members},
                         {(0, 0, "", "", release.MTIME, 0o644)})
        self.assertNotIn(str(self.repo.root).encode(), b"".join(files.values()))

    def test_contents(self):
        self.record()
        files, _ = self.unpacked()
        for name in ("CHANGES", "KABI", "TESTED", "VERSION", "mail/0000-cover-letter.patch",
                     "mail/0001-iommu-add-the-owner.patch", "quilt/series", "quilt/iommu-add-the-owner.patch"):
            self.assertIn(name, files)
        self.assertIn(f"base-commit {self.repo.tree().base_commit()}\n", files["VERSION"].decode())
        self.assertEqual(files["TESTED"].decode(), outcomes.text(self.repo.layout))
        self.assertEqual(sum(name.startswith("tested/") for name in files), 3)

    def test_sums_are_those_of_the_files(self):
        files, _ = self.unpacked()
        want = dict(line.split("  ")[::-1] for line in files.pop("SHA256SUMS").decode().splitlines())
        self.assertEqual(want, {name: hashlib.sha256(data).hexdigest() for name, data in files.items()})

    def test_says_when_nothing_was_tested(self):
        for record, said in ((False, True), (True, False)):
            if record:
                self.record()
                self.repo.write("TESTED", outcomes.text(self.repo.layout))
                (self.repo.layout.build / "tested").rename(self.repo.layout.build / "gone")
                self.commit()
            with mock.patch("ground.console.note") as note:
                self.release()
            self.assertEqual(any("No test results" in call.args[0] for call in note.call_args_list), said)

    def test_uncommitted(self):
        self.repo.write("CHANGES", "Version 2\n\n- b\n\nVersion 1\n\n- a\n")
        with self.assertRaises(Stop) as caught:
            self.release()
        self.assertIn("CHANGES is not", str(caught.exception))
        self.assertFalse((self.repo.root / "out").exists())

    def test_signoff(self):
        with self.assertRaises(Stop) as caught:
            self.release(None)
        self.assertIn("./dma-owner release SIGNOFF=", str(caught.exception))

    def test_cut_off_leaves_the_old_one(self):
        old = self.release()
        with mock.patch("lzma.LZMAFile.write", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            self.release("C D <c@d.invalid>")
        self.assertEqual(sorted(p.name for p in (self.repo.root / "out").iterdir()),
                         ["dma-owner-5.10-v1.tar.xz", "dma-owner-5.10-v1.tar.xz.sha256"])
        self.assertEqual(self.release(), old)
        self.assertTrue(lzma.decompress(old[0]))


class Tested(Base):
    """Which results count, and for what."""

    def test_counts(self):
        self.record()
        self.assertEqual(self.rows(), [("arm", "vm", "1", "0", "0"), ("host", "-", "1", "0", "0"),
                                       ("q35", "vm", "1", "1", "1")])

    def test_a_machine_again_replaces_its_row(self):
        self.record()
        self.record(["ok q35:vfio:bind (1.0 s)"])
        self.record(["ok q35:vfio:bind (1.0 s)"], config="debug")
        self.assertEqual(self.rows(), [("arm", "vm", "1", "0", "0"), ("host", "-", "1", "0", "0"),
                                       ("q35", "debug", "1", "0", "0"), ("q35", "vm", "1", "0", "0")])

    def test_another_base_has_its_own_row(self):
        self.record()
        self.record(title="my tree")
        self.assertEqual({row.base for row in outcomes.rows(self.repo.layout, self.entries)}, {"fake 1", "my tree"})
        self.assertEqual(len(self.rows()), 6)

    def test_harness_that_failed_counts_for_no_machine(self):
        self.record(LINES + ["not ok vm:harness:verdict (no totals)"])
        self.assertEqual(self.rows(), [("host", "-", "1", "0", "0")])

    def test_another_series_does_not_count(self):
        self.record()
        self.repo.write(OWNER, "int other;\n")
        self.assertEqual(self.rows(), [])

    def test_edits_are_no_series(self):
        tree = self.repo.tree()
        (tree.path / OWNER).write_text("int mine;\n", encoding="utf-8")
        self.assertIsNone(outcomes.of_tree(tree))

    def test_table_there_and_back(self):
        self.record()
        text = outcomes.text(self.repo.layout)
        self.assertEqual(len(outcomes.parse(text)), 3)
        self.assertIn("fake 1", text)
        self.repo.write("TESTED", text)
        (self.repo.layout.build / "tested").rename(self.repo.layout.build / "gone")
        self.assertEqual(outcomes.text(self.repo.layout), text)

    def test_ports_are_in_the_table(self):
        self.record()
        port = self.repo.port("6.1")
        port.commit("iommu: Edit", {"drivers/iommu/iommu.c": "int one;\n"})
        refresh.refresh(port.layout)
        ident = outcomes.of_tree(port.tree())
        outcomes.record(port.layout, "fake 6.1", ident, "vm", results.parse_all(LINES[:1]))
        self.assertEqual([row.base for row in outcomes.parse(outcomes.text(self.repo.layout))],
                         ["fake 1"] * 3 + ["fake 6.1"])
        self.assertEqual(outcomes.text(port.layout), outcomes.text(self.repo.layout))

    def test_older_versions_stay_in_the_table(self):
        self.record()
        self.repo.write("TESTED", outcomes.text(self.repo.layout))
        self.repo.write("CHANGES", "Version 2\n\n- b\n\nVersion 1\n\n- a\n")
        self.repo.write(OWNER, "int other;\n")
        self.repo.tree()
        self.record(LINES[:1])
        self.assertEqual([row.version for row in outcomes.parse(outcomes.text(self.repo.layout))], ["2", "1", "1", "1"])

    def test_letter(self):
        _, text = cover.text(self.repo.layout, self.entries, "fake 1")
        self.assertIn("Nothing: run `./dma-owner test`", text)
        self.record()
        _, text = cover.text(self.repo.layout, self.entries, "fake 1")
        self.assertIn("On fake 1:\n\n  machine  config  passed  failed  skipped  date\n  arm      vm      1 ", text)

    def test_report_keeps_what_it_prints(self):
        report, text = Report(strict=False), io.StringIO()
        with contextlib.redirect_stdout(text):
            report.ok("host:check:a", 1.0)
            report.fail("host:check:b", "why")
            report.skip("host:check:c", "why")
            for result in results.parse_all(LINES):
                report.add(result)
        self.assertEqual(list(map(str, report.results)), text.getvalue().splitlines())
        self.assertEqual(len(report.results), 3 + len(LINES))


class Runs(Base):
    """What `test` keeps, by its options."""

    def run_test(self, *words):
        """./dma-owner test with the words; machines and checks are made up."""
        options = command.parser().parse_args(["test", *words])
        host, *machines = results.parse_all(LINES)

        def relay(*args):
            for result in machines:
                args[4].add(result)

        with contextlib.ExitStack() as stack:
            for name, what in (("bases.choose", lambda layout: (layout, self.repo.source)),
                               ("vm.harness", mock.Mock()), ("vm.arches", lambda *_: []), ("vm.test", relay),
                               ("checks.run", lambda _l, _s, report: report.add(host)),
                               ("machinery.run", mock.Mock())):
                stack.enter_context(mock.patch(f"front.testing.{name}", what))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            testing.verb_test(self.repo.layout, options)
        return self.rows()

    def test_all(self):
        self.assertEqual(len(self.run_test()), 3)
        repo = git.Git(self.repo.root)
        self.assertEqual(repo.dirt(), [])

    def test_host_alone(self):
        self.assertEqual([row[0] for row in self.run_test("--machine", "host")], ["host"])

    def test_parts_do_not_count(self):
        self.assertEqual(self.run_test("--suite", "vfio"), [])
        self.assertEqual(self.run_test("--machine", "q35", "--base-only"), [])

    def test_edits_do_not_count(self):
        (self.repo.tree().path / OWNER).write_text("int mine;\n", encoding="utf-8")
        self.assertEqual(self.run_test(), [])


class Kabi(Base):
    """What changes for modules."""

    def test_by_sources(self):
        tree = self.repo.tree()
        self.assertEqual(kabi.by_sources(tree.git, "base", "series"), [
            "Exported symbols that go:", "  iommu_goes (EXPORT_SYMBOL_GPL, drivers/iommu/iommu.c)",
            "Exported symbols that come:", f"  iommu_comes (EXPORT_SYMBOL_GPL, {OWNER})",
            "Exported symbols with another declaration:", "  int iommu_changes(int x)",
            "Structures with other fields:", "  struct iommu"])

    def test_debugging_information_of_a_port(self):
        self.assertEqual(kabi._types_fragments(self.repo.layout), [kabi.FRAGMENT, kabi.TYPES_FRAGMENT])
        self.assertEqual(kabi._types_fragments(self.repo.port("6.1").layout)[2:], [kabi.NEWER_FRAGMENT])

    def test_a_comment_is_no_field(self):
        diff = "@@ -1,2 +1,3 @@ struct device {\n  int a;\n+ /* more */\n+ * of it\n"
        self.assertEqual(kabi.structures(diff), [])
        self.assertEqual(kabi.structures(diff + "+ int b;\n"), ["struct device"])

    def test_symvers(self):
        old = kabi.parse("0x1\ta\tvmlinux\tEXPORT_SYMBOL\t\n0x2\tb\tvmlinux\tEXPORT_SYMBOL\t\n"
                         "0x3\tc\tvmlinux\tEXPORT_SYMBOL\t\n0x5\te\tvmlinux\tEXPORT_SYMBOL\t\n")
        new = kabi.parse("0x1\ta\tvmlinux\tEXPORT_SYMBOL\t\n0x9\tb\tvmlinux\tEXPORT_SYMBOL\t\n"
                         "0x4\td\tdrivers/d\tEXPORT_SYMBOL_GPL\t\n0x5\te\tvmlinux\tEXPORT_SYMBOL_GPL\t\n")
        self.assertEqual(kabi.compare(old, new), ["- c", "+ d", "! b", "! e", "1 symbols go, 1 come, 2 of 3 differ"])

    def test_symvers_without_sums(self):
        table = kabi.parse("0x00000000\ta\tvmlinux\tEXPORT_SYMBOL\t\n")
        self.assertIn("without CONFIG_MODVERSIONS", kabi.compare(table, table)[-1])

    def test_files(self):
        self.repo.write("build/Module.symvers", "0x1\ta\tvmlinux\tEXPORT_SYMBOL\t\n")
        self.assertEqual(list(kabi.load(self.repo.root / "build")), ["a"])
        for path, words in (("none", "no such file"), ("CHANGES", "names no symbol")):
            with self.assertRaises(Stop) as caught:
                kabi.load(self.repo.root / path)
            self.assertIn(words, str(caught.exception))

    def test_build_lays_the_fragment_over_both(self):
        self.repo.write(kabi.FRAGMENT, "CONFIG_MODVERSIONS=y\n")
        seen = []

        def build(layout, source, arch, name, fragments, **options):
            seen.append((source.name, arch, name, fragments[-1].name, options["skip_unknown"]))
            return SimpleNamespace(build=lambda: None, out=source / f".out-{name}")

        with mock.patch("kernel.kbuild.Build", build), mock.patch("kernel.kconfig.fragments", return_value=[]):
            outs = kabi.build(self.repo.layout, self.repo.tree())
        self.assertEqual(seen, [("base", "x86_64", "x86_64-kabi", "kabi.config", True),
                                ("tree", "x86_64", "x86_64-kabi", "kabi.config", False)])
        self.assertEqual([out.name for out in outs], [".out-x86_64-kabi"] * 2)

    def types(self, script):
        """types() of the tree where abidiff is this script; keeps what was compiled."""
        tree, self.compiled = self.repo.tree(), []
        program = self.repo.root / "bin" / "abidiff"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        program.chmod(0o755)
        pair = [SimpleNamespace(source=Path(side), out=self.repo.root / side,
                                compile=lambda *names: self.compiled.append(names)) for side in ("old", "new")]
        for built in pair:
            for path in ("drivers/iommu/iommu.o", OWNER[:-2] + ".o"):
                (built.out / path).parent.mkdir(parents=True, exist_ok=True)
                (built.out / path).touch()
        with mock.patch("kernel.kernels.pair", return_value=pair), mock.patch("ground.packages.ensure"), \
                mock.patch.dict(os.environ, PATH=f"{program.parent}:{os.environ['PATH']}"):
            return kabi.types(self.repo.layout, tree, [built.out for built in pair])

    def test_types(self):
        lines = self.types(f"echo \"$@\" > {self.repo.root}/words\ncat <<'END'\n{ABIDIFF}END\nexit 12\n")
        self.assertEqual(lines, ["How types change that modules see:", "  struct device:",
                                 "    type size hasn't changed", "    1 data member insertion:",
                                 "      'u8 iommu_error', at offset 477 (in bytes)",
                                 "  struct pci_dev:", "    type size hasn't changed"])
        self.assertEqual(self.compiled, [("drivers/iommu/iommu.o",)] * 2)
        words = (self.repo.root / "words").read_text(encoding="utf-8").split()
        self.assertIn("new/include", words)
        self.assertEqual(words[-2:], [f"{self.repo.root}/{side}/drivers/iommu/iommu.o" for side in ("old", "new")])

    def test_types_that_stay(self):
        self.assertEqual(self.types("exit 0\n"), ["How types change that modules see:", "  none"])

    def test_types_that_cannot_be_read(self):
        with self.assertRaisesRegex(Stop, "^abidiff cannot compare drivers/iommu/iommu.o: no type$"):
            self.types("echo no type >&2\nexit 1\n")


if __name__ == "__main__":
    unittest.main()
