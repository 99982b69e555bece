# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the machinery and of the harness as results `host:queue:<case>` and
`host:harness:<case>`."""

import time
import unittest
from pathlib import Path

import console
import packages

ROOT = Path(__file__).resolve().parent.parent
SUITES = {"queue": (ROOT / "queue/tests", "test_*.py"),
          "harness": (ROOT / "tools/testing/selftests/iommu/qemu", "*_test.py")}


def _suite(name):
    folder, pattern = SUITES[name]
    return unittest.TestLoader().discover(str(folder), pattern=pattern, top_level_dir=str(folder))


def _flat(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from _flat(one)
        else:
            yield one


def _name(suite, test):
    """host:<suite>:<module>-<method>, without the words that all share."""
    module, _, method = test.id().replace("test_", "").replace("_test.", ".").partition(".")
    return f"host:{suite}:{module}-{method.rpartition('.')[2].replace('_', '-')}"


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


def run(layout, report):
    """Runs the tests, some of which compile; results go to the report."""
    packages.ensure(layout, packages.FOR_BUILD, "to test the machinery")
    with console.quiet():
        for name in SUITES:
            _suite(name).run(_Relay(name, report))
