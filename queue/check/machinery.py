# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the machinery and of the harness as results `host:queue:<case>` and
`host:harness:<case>`.

They run in a process of their own, so that what they put in the place of functions
and of the environment is not in the way of what runs beside them.
"""

import sys
import time
import unittest

from ground import console, modules, packages, proc, results
from ground.errors import Stop

QUEUE = modules.ROOT
HARNESS = QUEUE.parent / "tools/testing/selftests/iommu/qemu"
# {suite: (its folder, the files, what their imports start from)}
SUITES = {"queue": (QUEUE / "tests", "test_*.py", QUEUE), "harness": (HARNESS, "*_test.py", HARNESS)}


def _suite(name):
    folder, pattern, top = map(str, SUITES[name])
    return unittest.TestLoader().discover(folder, pattern=pattern, top_level_dir=top)


def _flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _flat(test)
        else:
            yield test


def _name(suite, test):
    """host:<suite>:<module>-<method>, without the words that all share."""
    *_, module, _, method = test.id().split(".")
    words = f"{module.removeprefix('test_').removesuffix('_test')}-{method.removeprefix('test_')}"
    return f"host:{suite}:{words}".replace("_", "-")


class _Relay(unittest.TestResult):
    """Hands each result to a Report as it comes."""

    def __init__(self, suite, report):
        super().__init__()
        self.suite, self.report, self.began = suite, report, 0.0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def _fault(self, test, error):
        reason = f"{error[0].__name__}: {error[1]}"
        self.report.fail(_name(self.suite, test), " ".join(reason.split())[:300])

    def addSuccess(self, test):
        super().addSuccess(test)
        self.report.ok(_name(self.suite, test), time.monotonic() - self.began)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fault(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._fault(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.report.skip(_name(self.suite, test), reason)


def names():
    """Names of the cases."""
    return [_name(name, test) for name in SUITES for test in _flat(_suite(name))]


def argv():
    """The process that runs the tests, in the folder of the machinery."""
    return [sys.executable, "-B", "-c", "from check import machinery; machinery.child()"]


def run(layout, report):
    """Runs the tests, some of which compile; results go to the report. Raises Stop when
    they end before their end."""
    packages.ensure(layout, packages.FOR_BUILD, "to test the machinery")
    log, last = layout.log("machinery"), ""

    def seen(line):
        nonlocal last
        result, last = results.parse(line), line
        if result:
            report.add(result)

    proc.streamed(argv(), seen, log, cwd=QUEUE)
    if not results.parse_totals(last):
        raise Stop(f"the tests of the machinery did not end: see {log}")


def child():
    """What run() starts: prints the results and their totals."""
    report = results.Report()
    with console.quiet():
        for name in SUITES:
            _suite(name).run(_Relay(name, report))
    report.total()
