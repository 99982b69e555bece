# SPDX-License-Identifier: GPL-2.0-only
"""Mutation testing: take one rule of the kernel's code away, see a test fail.

A mutation that its tests do not notice has survived, and is a failure. The
kernels are built and booted one after the other, in a work tree of their own.
Before them the kernel as it is has to pass the same tests. Where no machine
can show the fault, as without a barrier on x86, the model has to: the mutation
then names a rule of the model, which spin must refute.
"""

import re
import time
from typing import NamedTuple

import console
import kernels
import model
import packages
import proc
import tree as trees
import vm
from checkbase import Failed, first_of
from errors import Stop
from layout import write_file
from mutations import MUTATIONS, Suite

_RESULT = re.compile(r"(ok|not ok|skip) [^:]+:([^:]+):(\S+)(?: \((.*)\))?")


class Verdict(NamedTuple):
    """What a machine made of a suite: its cases that failed, what the kernel
    complained of or '', and how many of its cases passed."""
    killers: list
    death: str
    passed: int


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
    found = [m for m in MUTATIONS if not words or any(w in part for w in words for part in (m.name, *_killer(m)))]
    if not found:
        raise Stop(f"no mutation, and no test that kills one, is named like {' or '.join(words)}: "
                   "see queue/mutations.py")
    return found


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
    built = kernels.of_source(tree, side, "x86_64", "vm")
    built.repeat = "./dma-owner test --mutants"
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
    killers, death, _ = boot(tree, built, suite, "mutant")
    if killers or death:
        report.fail(title, f"fails without a mutation: {' '.join([*killers, death])}", tree.layout.log("mutant"))
        return False
    report.ok(title, time.monotonic() - start)
    return True


def _one(tree, built, side, mutation, report):
    """One mutant, from its source to its verdict; the source is put back."""
    name, path, old, new, suite = mutation
    target, start = side / path, time.monotonic()
    text = target.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise Stop(f"the mutation '{name}' does not fit {path}: mend queue/mutations.py")
    write_file(target, text.replace(old, new).encode())
    try:
        built.build()
        killers, death, _ = boot(tree, built, suite, "mutant")
    finally:
        write_file(target, text.encode())
    if not killers and not death:
        report.fail(_title(suite.name, name), "survived: no test noticed")
        return
    words = killers + ([f"the kernel itself: {death}"] if death else [])
    report.ok(_title(suite.name, name), time.monotonic() - start, "killed by " + ", and ".join(words))


def results(lines):
    """[(outcome, suite, case, words)] of the lines that are results."""
    return [match.groups() for match in map(_RESULT.fullmatch, lines) if match]


def _failed(result, suite):
    """Whether a case of the suite failed; one that did not come to run noticed
    nothing."""
    outcome, where, _, words = result
    return outcome == "not ok" and where == suite and _reason(words) != "did not run"


def _reason(words):
    """The reason in a result, without the log's name."""
    return (words or "").partition("; log ")[0]


def verdict(found, suite):
    """The Verdict on a suite of the harness's results.

    Raises Stop when nothing was said of the suite or the kernel.
    """
    complaints = [_reason(words) for outcome, where, _, words in found
                  if outcome == "not ok" and where in ("machine", "dmesg")]
    if not any(where == suite or outcome == "not ok" for outcome, where, *_ in found):
        raise Stop("the machine said nothing of the suite")
    return Verdict([result[2] for result in found if _failed(result, suite)], next(filter(None, complaints), ""),
                   sum(outcome == "ok" and where == suite for outcome, where, *_ in found))


def judge(argv, suite, log, cwd=None):
    """Runs the harness until a case of the suite fails, which is enough: a mutant
    may hang in each that follows. See verdict()."""
    found = []

    def seen(line):
        if found and _failed(found[-1], suite):
            return
        found.extend(results([line]))
        if found and _failed(found[-1], suite):
            proc.end_children()

    with console.stage(f"Booting for {suite}"):
        proc.streamed(argv, seen, log, cwd=cwd)
    try:
        return verdict(found, suite)
    except Stop as stop:
        raise Stop(f"{stop}: see {log}") from None


def boot(tree, built, suite, name):
    """Boots a kernel on the suite's machine; see judge(). `name`: of the logs."""
    argv = [vm.harness(tree), "--machine", suite.machine, "--suite", suite.name,
            *vm.arguments(tree, [built], name)]
    return judge(argv, suite.name, tree.layout.log(name), tree.path)
