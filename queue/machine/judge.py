# SPDX-License-Identifier: GPL-2.0-only
"""Boots a kernel for one suite and says what the machine made of it."""

from typing import NamedTuple

from ground import console, proc, results
from ground.errors import Stop
from machine import vm

# Suites of the harness's own: what the kernel said, and whether the machine ended.
_KERNEL = ("machine", "dmesg")


class Verdict(NamedTuple):
    """What a machine made of a suite: its cases that failed, what the kernel
    complained of or '', and how many of its cases passed."""
    killers: list
    death: str
    passed: int

    @property
    def sound(self):
        """Whether nothing failed."""
        return not self.killers and not self.death

    def __str__(self):
        return " ".join([*self.killers, self.death]).strip()


def _failed(result, suite):
    """Whether a case of the suite failed; one that did not come to run noticed
    nothing."""
    return result.outcome == results.FAILED and result.suite == suite and result.reason != "did not run"


def verdict(said, suite):
    """The Verdict on a suite by the harness's Results.

    Raises Stop when nothing was said of the suite or the kernel.
    """
    own = [result for result in said if result.suite == suite]
    failures = [result for result in said if result.outcome == results.FAILED]
    if not own and not failures:
        raise Stop("the machine said nothing of the suite")
    complaints = [result.reason for result in failures if result.suite in _KERNEL and result.reason]
    return Verdict([result.case for result in own if _failed(result, suite)], complaints[0] if complaints else "",
                   sum(result.outcome == results.OK for result in own))


def judge(argv, suite, log, cwd=None, env=None):
    """Runs the harness until a case of the suite fails, which is enough: a mutant
    may hang in each that follows. See verdict()."""
    said = []

    def seen(line):
        if said and _failed(said[-1], suite):
            return None
        said.extend(results.parse_all([line]))
        return proc.ENOUGH if said and _failed(said[-1], suite) else None

    with console.stage(f"Booting for {suite}"):
        proc.streamed(argv, seen, log, cwd=cwd, env=env)
    try:
        return verdict(said, suite)
    except Stop as stop:
        raise Stop(f"{stop}: see {log}") from None


def boot(tree, built, suite, name):
    """Boots a kernel on the suite's machine; see judge(). `name`: of the logs."""
    argv = [vm.harness(tree), "--machine", suite.machine, "--suite", suite.name,
            *vm.arguments(tree, [built], name)]
    return judge(argv, suite.name, tree.layout.log(name), tree.path, vm.environment(tree, [built], [suite.machine]))
