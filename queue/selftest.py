# SPDX-License-Identifier: GPL-2.0-only
"""The machinery's own tests (queue/tests) as results `host:queue:<case>`."""

import time
import unittest
from pathlib import Path

import console

TESTS = Path(__file__).resolve().parent / "tests"


def _suite():
    return unittest.TestLoader().discover(str(TESTS), pattern="test_*.py", top_level_dir=str(TESTS))


def _flat(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from _flat(one)
        else:
            yield one


def _name(test):
    """host:queue:<module>-<method>, without the words that all share."""
    module, _, method = test.id().replace("test_", "").partition(".")
    return f"host:queue:{module}-{method.rpartition('.')[2].replace('_', '-')}"


class _Relay(unittest.TestResult):
    """Hands each result to a Report as it comes."""

    def __init__(self, report):
        super().__init__()
        self.report, self.began = report, 0.0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def _fault(self, test, error):
        reason = f"{error[0].__name__}: {error[1]}"
        self.report.fail(_name(test), " ".join(reason.split())[:300])

    def addSuccess(self, test):
        super().addSuccess(test)
        self.report.ok(_name(test), time.monotonic() - self.began)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fault(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._fault(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.report.skip(_name(test), reason)


def names():
    """Names of the cases."""
    return [_name(test) for test in _flat(_suite())]


def run(report):
    """Runs the tests; results go to the report."""
    with console.quiet():
        _suite().run(_Relay(report))
