# SPDX-License-Identifier: GPL-2.0-only
"""Mutation testing: take one rule of the kernel's code away, see a unit test fail.

A mutation that no test notices has survived, and is a failure. The kernels are
built and booted one after the other, in a work tree of their own.
"""

import re
import time

import console
import kernels
import packages
import proc
import tree as trees
import vm
from checkbase import first_of
from errors import Stop
from layout import write_file
from mutations import MUTATIONS

SUITE = "iommu_dma_owner"
SHOWN = 3
_VERDICT = re.compile(rf"(not ok|ok) [^:]+:{SUITE}:(\S+)")


def cases(_):
    """The check that every mutation still has its place."""
    return [("mutations", fit, None)]


def fit(ctx):
    """Every mutation's text stands in its file once, and is replaced by another."""
    problems = []
    for name, path, old, new in MUTATIONS:
        times = ctx.git.bytes("show", f"{ctx.tip}:{path}").decode().count(old)
        if times != 1:
            problems.append(f"'{name}': its text stands {times} times in {path}")
        if old == new:
            problems.append(f"'{name}' changes nothing")
    first_of(problems)
    return f"{len(MUTATIONS)} mutations"


def chosen(words):
    """The mutations whose name has one of the words in it; all without words.

    Raises Stop when there is none.
    """
    found = [m for m in MUTATIONS if not words or any(w in m[0] for w in words)]
    if not found:
        raise Stop(f"no mutation is named like {' or '.join(words)}: see queue/mutations.py")
    return found


def run(layout, source, words, report):
    """Builds, boots and judges each mutant; results go to the report."""
    packages.ensure(layout, packages.FOR_BOOT["x86_64"], "to boot the mutants")
    picked = chosen(words)
    tree = trees.prepare(layout, source)
    side = trees.side_tree(tree, "mutant", tree.git.commit_of("HEAD"))
    built = kernels.of_source(tree, side, "x86_64", "vm")
    built.repeat = "./dma-owner test --mutants"
    for mutation in picked:
        _one(tree, built, side, mutation, report)


def _one(tree, built, side, mutation, report):
    """One mutant, from its source to its verdict; the source is put back."""
    name, path, old, new = mutation
    target, start = side / path, time.monotonic()
    text = target.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise Stop(f"the mutation '{name}' does not fit {path}: mend queue/mutations.py")
    write_file(target, text.replace(old, new).encode())
    try:
        built.build()
        killers = _killers(tree, built)
    finally:
        write_file(target, text.encode())
    title = f"mutant:{SUITE}:{name.replace(' ', '-')}"
    if killers:
        more = f" and {len(killers) - SHOWN} more" if len(killers) > SHOWN else ""
        report.ok(title, time.monotonic() - start, "killed by " + " ".join(killers[:SHOWN]) + more)
    else:
        report.fail(title, "survived: no test noticed")


def _killers(tree, built):
    """Names of the unit tests that fail on a kernel."""
    verdicts = []
    argv = [vm.harness(tree), "--machine", "q35-intel", "--suite", SUITE, *vm.arguments(tree, [built], "mutant")]
    with console.stage("Booting the mutant"):
        proc.streamed(argv, lambda line: verdicts.extend(_VERDICT.findall(line)),
                      tree.layout.log("mutant"), cwd=tree.path)
    if not verdicts:
        raise Stop(f"the mutant's machine said nothing: see {tree.layout.log('mutant')}")
    return [case for verdict, case in verdicts if verdict == "not ok"]
