# SPDX-License-Identifier: GPL-2.0-only
"""Read tests.cfg: which suite runs on which machine, with which cases.

A word that selects nothing is an error, so that neither a slip of the pen nor
a case that was renamed takes a test away unseen.
"""

import configparser
import pathlib
from fnmatch import fnmatchcase
from typing import Dict, List, NamedTuple, Set

KINDS = ("kselftest", "kunit")
KEYS = {"kind", "machines", "cases", "except"}


class ConfigError(Exception):
    """tests.cfg is not what it should be."""


class Expected(NamedTuple):
    """What a suite must say on one machine, and what it must not."""

    cases: List[str]
    absent: List[str]


def matching(names: List[str], pattern: str, where: str) -> List[str]:
    """The names that the pattern selects; ConfigError if there are none."""
    found = [name for name in names if fnmatchcase(name, pattern)]
    if not found:
        raise ConfigError(f"{where}: '{pattern}' is nowhere")
    return found


class Suite:
    """A section of tests.cfg, with its patterns resolved."""

    def __init__(self, section: configparser.SectionProxy, machines: List[str]):
        self.name = section.name
        where = f"[{self.name}]"
        unknown = set(section) - KEYS
        if unknown:
            raise ConfigError(f"{where}: what is '{min(unknown)}'?")
        self.kind = section.get("kind", "")
        if self.kind not in KINDS:
            raise ConfigError(f"{where}: kind must be {' or '.join(KINDS)}")
        self.cases = section.get("cases", "").split()
        chosen = self.choose(section.get("machines", "").split(), machines, where)
        self.absent: Dict[str, List[str]] = {name: [] for name in chosen}
        for line in section.get("except", "").strip().splitlines():
            self.take_exception(line.split(), where)

    @staticmethod
    def choose(patterns: List[str], machines: List[str], where: str) -> Set[str]:
        """The machines that the patterns name, less those with a "!"."""
        chosen: Set[str] = set()
        for pattern in patterns:
            if pattern.startswith("!"):
                chosen.difference_update(matching(sorted(chosen), pattern[1:], where))
            else:
                chosen.update(matching(machines, pattern, where))
        return chosen

    def take_exception(self, words: List[str], where: str) -> None:
        """A machine, and the cases that it does not run."""
        if len(words) < 2:
            raise ConfigError(f"{where}: except which case on '{' '.join(words)}'?")
        for machine in matching(sorted(self.absent), words[0], where):
            for pattern in words[1:]:
                self.absent[machine] += matching(self.cases, pattern, where)

    def expected(self, machine: str) -> Expected:
        """What is to come out on a machine that runs the suite."""
        absent = self.absent[machine]
        return Expected([case for case in self.cases if case not in absent], absent)


def read(path: str, machines: List[str]) -> List[Suite]:
    """The suites of a file; `machines` are all that there are."""
    config = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as text:
            config.read_file(text)
    except configparser.Error as error:
        raise ConfigError(" ".join(str(error).split())) from None
    return [Suite(config[name], machines) for name in config.sections()]


def select(path: str, machine: str, kind: str,
           chosen: List[str]) -> Dict[str, Expected]:
    """What the suites of a kind must say on a machine. `chosen` names those
    that are wanted, all if it is empty. The machines are the *.conf beside
    the file."""
    here = pathlib.Path(path).parent
    machines = sorted(conf.stem for conf in here.glob("*.conf"))
    return {suite.name: suite.expected(machine)
            for suite in read(path, machines)
            if suite.kind == kind and machine in suite.absent
            and (not chosen or suite.name in chosen)}
