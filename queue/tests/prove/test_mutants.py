# SPDX-License-Identifier: GPL-2.0-only
"""Which mutations the words of the command line choose, and what becomes of them."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from ground.errors import Stop
from ground.results import Report
from machine.judge import Verdict
from prove import mutants
from prove.mutations import Mutation, Suite

SUITE, OTHER = Suite("q35", "suite"), Suite("q35-other", "suite")
KILLED, SURVIVED = Verdict(["case"], "", 1), Verdict([], "", 2)


class Chosen(unittest.TestCase):
    """The words on the command line."""

    def test_by_rule_and_by_test(self):
        every = mutants.chosen([])
        of_rule, of_test = mutants.chosen(["claims are not counted"]), mutants.chosen(["visibility"])
        self.assertEqual([m.killer.name for m in of_rule], ["dma_owner_visibility_test"])
        self.assertIn(of_rule[0], of_test)
        self.assertLess(len(of_test), len(every))
        self.assertEqual(mutants.chosen(["BARRIER", "visibility"]),
                         [m for m in every if "BARRIER" in m.killer or m in of_test])

    def test_neither(self):
        with self.assertRaisesRegex(Stop, "no mutation.* is named like nonsense or humbug"):
            mutants.chosen(["nonsense", "humbug"])


class Judged(unittest.TestCase):
    """Each is built from its own source, and judged by the kernel that came of it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        self.side = self.top / "mutant"
        self.source = self.side / "a.c"
        self.side.mkdir()
        self.source.write_text("one two three\n", encoding="utf-8")
        layout = SimpleNamespace(work=self.top, log=lambda name: self.top / name)
        git = SimpleNamespace(commit_of=lambda _: "c0ffee")
        self.tree = SimpleNamespace(layout=layout, git=git)
        self.built = SimpleNamespace(arch="x86_64", image=self.side / "bzImage", modules=self.side / "modroot",
                                     build=self.build)
        self.built.modules.mkdir()
        self.verdicts, self.booted, self.builds = {"ONE": KILLED, "TWO": SURVIVED}, [], 0

    def side_tree(self, _tree, name, _commit):
        """The work tree of the mutants, where the machinery has it."""
        self.assertEqual(self.top / name, self.side)
        return self.side

    def build(self):
        """A kernel is what its source is."""
        self.builds += 1
        self.built.image.write_text(self.source.read_text(encoding="utf-8"), encoding="utf-8")

    def boot(self, _tree, kernel, _suite, _name):
        """A mutant is told by its word in capitals."""
        text = kernel.image.read_text(encoding="utf-8")
        self.booted.append(text.strip())
        return next((verdict for word, verdict in self.verdicts.items() if word in text), SURVIVED)

    def judged(self, *words, suites=(SUITE, SUITE)):
        """The lines of a run on mutations that put these words into capitals."""
        out = io.StringIO()
        mutations = [Mutation(word, "a.c", word, word.upper(), suite) for word, suite in zip(words, suites)]
        with contextlib.redirect_stdout(out), mock.patch("prove.mutants.judge.boot", self.boot), \
                mock.patch("prove.mutants.packages.ensure"), \
                mock.patch("prove.mutants.vm.arches", return_value=["x86_64"]), \
                mock.patch("prove.mutants.trees.side_tree", side_effect=self.side_tree), \
                mock.patch("prove.mutants.kernels.of_source", return_value=self.built):
            mutants._Mutants(self.tree, Report(False)).judge(mutations)    # pylint: disable=protected-access
        return [line.partition(" (")[0] for line in out.getvalue().splitlines()]

    def test_by_their_own_kernels(self):
        self.assertEqual(self.judged("one", "two"), ["ok mutant:suite:none-on-q35", "ok mutant:suite:one",
                                                     "not ok mutant:suite:two"])
        self.assertEqual(self.booted, ["one two three", "ONE two three", "one TWO three"])
        self.assertEqual(self.source.read_text(encoding="utf-8"), "one two three\n")

    def test_suite_by_suite(self):
        lines = ["ok mutant:suite:none-on-q35", "ok mutant:suite:one", "ok mutant:suite:none-on-q35-other",
                 "not ok mutant:suite:two"]
        self.assertEqual(self.judged("one", "two", suites=(SUITE, OTHER)), lines)
        self.assertEqual(self.booted, ["one two three", "ONE two three", "one two three", "one TWO three"])
        self.assertEqual(self.builds, 3)
        self.assertEqual(self.judged("two", "one", suites=(OTHER, SUITE)), [lines[1], lines[2], lines[3]])

    def test_what_was_killed_is_not_booted_again(self):
        self.judged("one", "two")
        self.booted.clear()
        self.assertEqual(self.judged("one"), ["ok mutant:suite:one"])
        self.assertEqual(self.booted, [])
        self.judged("one", "two")
        self.assertEqual(self.booted, ["one TWO three"])

    def test_another_series_is_judged_anew(self):
        self.judged("one")
        self.tree.git.commit_of = lambda _: "decaf"
        self.booted.clear()
        self.judged("one")
        self.assertEqual(self.booted, ["one two three", "ONE two three"])

    def test_kernel_that_fails_without_one(self):
        self.verdicts = {"one": KILLED}
        self.assertEqual(self.judged("two"), ["not ok mutant:suite:none-on-q35"])

    def test_mutation_that_does_not_fit(self):
        with self.assertRaisesRegex(Stop, "'four' does not fit a.c"):
            self.judged("four")


if __name__ == "__main__":
    unittest.main()
