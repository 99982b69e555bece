# SPDX-License-Identifier: GPL-2.0-only
"""Mutation testing: take one rule of the kernel's code away, see a test fail.

A mutation that its tests do not notice has survived, and is a failure. The
kernels are built in a work tree of their own, each while the one before it is
booted. They come suite by suite, after the kernel as it is, which has to pass it.
Where no machine can show the fault, as without a barrier on x86, the model has to:
the mutation then names a rule of the model, which spin must refute. What was killed
is remembered, so that a run that was stopped goes on where it was.
"""

import shutil
import time
from pathlib import Path
from typing import NamedTuple

from ground import packages, proc
from ground.errors import Failed, Stop, first_of
from ground.layout import remove, write_file
from ground.memory import Memory, key
from kernel import kernels
from machine import judge, vm
from patches import trees
from prove import model
from prove.mutations import MUTATIONS, Suite


def cases(_):
    """The check that every mutation still has its place."""
    return [("mutations", fit, None)]


def fit(ctx):
    """Every mutation's text stands in its file once, is replaced by another, and
    somebody is there to notice."""
    rules = model.rules(model.text_of(ctx.layout))
    suites = {k for k in {m.killer for m in MUTATIONS}
              if isinstance(k, Suite) and vm.runs(ctx.tree, k.machine, k.name)}
    problems = []
    for name, path, old, new, killer in MUTATIONS:
        times = ctx.git.bytes("show", f"{ctx.tip}:{path}").decode().count(old)
        if times != 1:
            problems.append(f"'{name}': its text stands {times} times in {path}")
        if old == new:
            problems.append(f"'{name}' changes nothing")
        if killer not in suites and killer not in rules:
            problems.append(f"'{name}': there is no {killer}")
    first_of(problems)
    return f"{len(MUTATIONS)} mutations"


def _killer(mutation):
    """The names of what notices a mutation: its machine and suite, or its rule."""
    return mutation.killer if isinstance(mutation.killer, Suite) else (mutation.killer,)


def chosen(words):
    """The mutations with one of the words in their name or their killer's; all
    without words.

    Raises Stop when there is none.
    """
    picked = [m for m in MUTATIONS if not words or any(w in part for w in words for part in (m.name, *_killer(m)))]
    if not picked:
        raise Stop(f"no mutation, and no test that kills one, is named like {' or '.join(words)}: "
                   "see queue/prove/mutations.py")
    return picked


def run(layout, source, words, report):
    """Builds, boots and judges each mutant; results go to the report."""
    picked = chosen(words)
    tree = trees.prepare(layout, source)
    for mutation in picked:
        if not isinstance(mutation.killer, Suite):
            _refute(layout, mutation, report)
    booted = [m for m in picked if isinstance(m.killer, Suite)]
    if booted:
        _Mutants(tree, report).judge(booted)


def _title(suite, name):
    return f"mutant:{suite}:{name.replace(' ', '-')}"


def _refute(layout, mutation, report):
    """Has spin take the rule out of the model."""
    packages.ensure(layout, packages.FOR_MODEL, "to search the model of DMA ownership")
    title, start = _title("model", mutation.name), time.monotonic()
    try:
        fault = model.refute(layout, model.text_of(layout), mutation.killer)
    except Failed as failed:
        report.fail(title, str(failed), failed.log)
    else:
        report.ok(title, time.monotonic() - start, f"killed by the model: {fault}")


class _Kernel(NamedTuple):
    """A copy of what was built, which the next build leaves alone."""
    arch: str
    image: Path
    modules: Path


def _copy(built, folder):
    """The _Kernel in a folder, whose last one goes."""
    remove(folder)
    shutil.copytree(built.modules, folder / "modroot", symlinks=True)
    kernel = _Kernel(built.arch, folder / built.image.name, folder / "modroot")
    shutil.copyfile(built.image, kernel.image)
    return kernel


class _Mutants:
    """The kernels of a tree: as it is, and with a mutation each."""

    def __init__(self, tree, report):
        self.tree, self.report = tree, report
        self.commit = tree.git.commit_of("HEAD")
        self.memory = Memory(tree.layout, "mutants")
        self.side, self.built, self.unmutated = None, {}, {}

    def judge(self, mutations):
        """Reports on each, suite by suite, but those first that are remembered."""
        left = [m for m in mutations if not self._recalled(_title(m.killer.name, m.name), m)]
        if not left:
            return
        self._prepare()
        with proc.threads(1) as pool:
            for suite in dict.fromkeys(mutation.killer for mutation in left):
                if self._sound(suite):
                    self._in_turn(pool, [m for m in left if m.killer == suite])

    def _key(self, what):
        return key("machine.judge", [self.commit, what])

    def _recalled(self, title, what):
        """Whether this was seen before; then says so."""
        kept = self.memory.recall(title, self._key(what))
        if kept:
            self.report.ok(title, 0.0, kept)
        return bool(kept)

    def _passed(self, title, what, start, note=""):
        self.memory.keep(title, self._key(what), note)
        self.report.ok(title, time.monotonic() - start, note)

    def _prepare(self):
        self.side = trees.side_tree(self.tree, "mutant", self.commit)

    def _build_for(self, machine):
        """Builds what there is in the source, for the architecture of a machine."""
        arch, = vm.arches(self.tree, [machine])
        if arch not in self.built:
            packages.ensure(self.tree.layout, packages.FOR_BOOT[arch], "to boot the mutants")
            self.built[arch] = kernels.of_source(self.tree, self.side, arch, "vm", "./dma-owner test --mutants")
        self.built[arch].build()
        return self.built[arch]

    def _without_one(self, machine):
        """The _Kernel without a mutation for a machine, which is kept: to build it again
        after each suite's mutants would take longer."""
        arch, = vm.arches(self.tree, [machine])
        if arch not in self.unmutated:
            self.unmutated[arch] = _copy(self._build_for(machine), self.tree.layout.work / f"mutant-none-{arch}")
        return self.unmutated[arch]

    def _sound(self, suite):
        """Whether the kernel without a mutation passes the suite."""
        title, start = _title(suite.name, f"none-on-{suite.machine}"), time.monotonic()
        if self._recalled(title, suite):
            return True
        verdict = judge.boot(self.tree, self._without_one(suite.machine), suite, "mutant")
        if verdict.sound:
            self._passed(title, suite, start)
        else:
            self.report.fail(title, f"fails without a mutation: {verdict}", self.tree.layout.log("mutant"))
        return verdict.sound

    def _in_turn(self, pool, mutations):
        """Builds each while the one before it boots."""
        booting = None
        for mutation in mutations:
            start = time.monotonic()
            built = self._build_mutant(mutation)
            self._await(booting)
            kernel = _copy(built, self.tree.layout.work / "mutant-booting")
            booting = (mutation, start, pool.submit(judge.boot, self.tree, kernel, mutation.killer, "mutant"))
        self._await(booting)

    def _build_mutant(self, mutation):
        """Its Build; the source is put back."""
        target = self.side / mutation.path
        text = target.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            raise Stop(f"the mutation '{mutation.name}' does not fit {mutation.path}: "
                       "mend queue/prove/mutations.py")
        write_file(target, text.replace(mutation.old, mutation.new).encode())
        try:
            return self._build_for(mutation.killer.machine)
        finally:
            write_file(target, text.encode())

    def _await(self, booting):
        """The verdict on a mutant that boots, if there is one."""
        if not booting:
            return
        mutation, start, future = booting
        title, verdict = _title(mutation.killer.name, mutation.name), future.result()
        if verdict.sound:
            self.report.fail(title, "survived: no test noticed")
            return
        words = verdict.killers + ([f"the kernel itself: {verdict.death}"] if verdict.death else [])
        self._passed(title, mutation, start, "killed by " + ", and ".join(words))
