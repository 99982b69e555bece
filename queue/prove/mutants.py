# SPDX-License-Identifier: GPL-2.0-only
"""Mutation testing: take one rule of the kernel's code away, see a test fail.

A mutation that its tests do not notice has survived, and is a failure. The
kernels are built and booted one after the other, in a work tree of their own.
Before them the kernel as it is has to pass the same tests. Where no machine
can show the fault, as without a barrier on x86, the model has to: the mutation
then names a rule of the model, which spin must refute.
"""

import time

from ground import packages
from ground.errors import Failed, Stop, first_of
from ground.layout import write_file
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
    if not booted:
        return
    packages.ensure(layout, packages.FOR_BOOT["x86_64"], "to boot the mutants")
    side = trees.side_tree(tree, "mutant", tree.git.commit_of("HEAD"))
    built = kernels.of_source(tree, side, "x86_64", "vm", "./dma-owner test --mutants")
    built.build()
    sound = {suite: _sound(tree, built, suite, report) for suite in dict.fromkeys(m.killer for m in booted)}
    for mutation in booted:
        if sound[mutation.killer]:
            _one(tree, built, side, mutation, report)


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


def _sound(tree, built, suite, report):
    """Whether the kernel without a mutation passes the suite."""
    title, start = _title(suite.name, "none"), time.monotonic()
    verdict = judge.boot(tree, built, suite, "mutant")
    if not verdict.sound:
        report.fail(title, f"fails without a mutation: {verdict}", tree.layout.log("mutant"))
        return False
    report.ok(title, time.monotonic() - start)
    return True


def _one(tree, built, side, mutation, report):
    """One mutant, from its source to its verdict; the source is put back."""
    name, path, old, new, suite = mutation
    target, start = side / path, time.monotonic()
    text = target.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise Stop(f"the mutation '{name}' does not fit {path}: mend queue/prove/mutations.py")
    write_file(target, text.replace(old, new).encode())
    try:
        built.build()
        verdict = judge.boot(tree, built, suite, "mutant")
    finally:
        write_file(target, text.encode())
    if verdict.sound:
        report.fail(_title(suite.name, name), "survived: no test noticed")
        return
    words = verdict.killers + ([f"the kernel itself: {verdict.death}"] if verdict.death else [])
    report.ok(_title(suite.name, name), time.monotonic() - start, "killed by " + ", and ".join(words))
