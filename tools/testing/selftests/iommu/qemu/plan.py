#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Plan by tests.cfg which suites a machine runs, and which cases must come out.

vmtest.sh calls this once for all machines. A word that selects nothing is an
error, so that neither a slip of the pen nor a case that was renamed takes a test
away unseen.
"""

import argparse
import configparser
import pathlib
import re
import sys
from fnmatch import fnmatchcase
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

HERE = pathlib.Path(__file__).resolve().parent
# In the order in which they run.
KINDS = ("kunit", "kselftest")
KEYS = {"kind", "machines", "cases", "except"}
# The section that is no suite.
TOPOLOGIES = "topologies"
HEAD = re.compile(r"(\w+)(?:\.\{(\w+(?:,\w+)*)\})?:")


class ConfigError(Exception):
    """tests.cfg is not what it should be."""


class ChoiceError(Exception):
    """A suite is asked for that none of the machines runs."""


class Case(NamedTuple):
    """A case, and which of the words in braces it has in its name, or ""."""

    name: str
    topology: str


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


def choose(patterns: List[str], machines: List[str], where: str) -> Set[str]:
    """The machines that the patterns name, less those with a "!"; ConfigError if
    none is left."""
    chosen: Set[str] = set()
    for pattern in patterns:
        if pattern.startswith("!"):
            chosen.difference_update(matching(sorted(chosen), pattern[1:], where))
        else:
            chosen.update(matching(machines, pattern, where))
    if not chosen:
        raise ConfigError(f"{where}: on which machine?")
    return chosen


def beginnings(head: str, where: str) -> List[Case]:
    """How the names below a head begin: "group.{a,b}:" is "group.a." and "group.b.".
    Without a head they begin with nothing. Raises ConfigError."""
    if not head:
        return [Case("", "")]
    match = HEAD.fullmatch(head)
    if not match:
        raise ConfigError(f"{where}: what is '{head}'?")
    if not match[2]:
        return [Case(f"{match[1]}.", "")]
    return [Case(f"{match[1]}.{one}.", one) for one in match[2].split(",")]


def block(head: str, names: List[str], where: str) -> List[Case]:
    """The cases of a head and the names below it, one topology after the other."""
    if head and not names:
        raise ConfigError(f"{where}: no case is below '{head}'")
    return [Case(start.name + name, start.topology)
            for start in beginnings(head, where) for name in names]


def read_cases(text: str, where: str) -> List[Case]:
    """The cases in the order in which they run. Raises ConfigError."""
    blocks: List[Tuple[str, List[str]]] = [("", [])]
    for line in text.split("\n"):
        if line.endswith(":"):
            blocks.append((line, []))
        else:
            blocks[-1][1].extend(line.split())
    return [case for head, names in blocks for case in block(head, names, where)]


def check_names(cases: List[Case], where: str) -> None:
    """Raises ConfigError for a case that is listed twice."""
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}: '{name}' is there twice")


def check_keys(section: configparser.SectionProxy, where: str) -> None:
    """Raises ConfigError for a key or a kind that there is not."""
    unknown = set(section) - KEYS
    if unknown:
        raise ConfigError(f"{where}: what is '{min(unknown)}'?")
    if section.get("kind") not in KINDS:
        raise ConfigError(f"{where}: kind must be {' or '.join(KINDS)}")


def without(cases: List[Case], lacking: Set[str]) -> Expected:
    """What comes of the cases on a machine that lacks these topologies."""
    return Expected([case.name for case in cases if case.topology not in lacking],
                    [case.name for case in cases if case.topology in lacking])


class Suite:
    """A section of tests.cfg, with its patterns resolved.

    `expected` has the machines that run it, `topologies` the words in its braces.
    """

    def __init__(self, section: configparser.SectionProxy, machines: List[str],
                 topologies: Dict[str, Set[str]]):
        self.name = section.name
        where = f"[{self.name}]"
        check_keys(section, where)
        self.kind = section["kind"]
        cases = read_cases(section.get("cases", ""), where)
        check_names(cases, where)
        self.topologies = {case.topology for case in cases}
        self.expected: Dict[str, Expected] = {}
        for machine in choose(section.get("machines", "").split(), machines, where):
            lacking = {name for name, having in topologies.items() if machine not in having}
            self.expected[machine] = without(cases, lacking)
        for line in section.get("except", "").strip().splitlines():
            self.take_exception(line.split(), where)

    def take_exception(self, words: List[str], where: str) -> None:
        """A machine, and the cases that it does not run. Raises ConfigError, also
        for a case that it would not run anyway."""
        if len(words) < 2:
            raise ConfigError(f"{where}: except which case on '{' '.join(words)}'?")
        for machine in matching(sorted(self.expected), words[0], where):
            expected = self.expected[machine]
            for pattern in words[1:]:
                for case in matching(expected.cases, pattern, where):
                    expected.cases.remove(case)
                    expected.absent.append(case)


def parse(path: str) -> configparser.ConfigParser:
    """The sections of a file. Raises ConfigError."""
    config = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as text:
            config.read_file(text)
    except configparser.Error as error:
        raise ConfigError(" ".join(str(error).split())) from None
    return config


def read_topologies(config: configparser.ConfigParser,
                    machines: List[str]) -> Dict[str, Set[str]]:
    """Which machines have those that not all have. Raises ConfigError."""
    if not config.has_section(TOPOLOGIES):
        return {}
    return {name: choose(words.split(), machines, f"[{TOPOLOGIES}]")
            for name, words in config[TOPOLOGIES].items()}


def read(path: str, home: pathlib.Path = HERE) -> List[Suite]:
    """The suites of a file. The machines are the *.conf in the folder `home`. Raises
    ConfigError."""
    machines = sorted(conf.stem for conf in home.glob("*.conf"))
    config = parse(path)
    topologies = read_topologies(config, machines)
    suites = [Suite(config[name], machines, topologies)
              for name in config.sections() if name != TOPOLOGIES]
    unused = topologies.keys() - set().union(*(suite.topologies for suite in suites))
    if unused:
        raise ConfigError(f"[{TOPOLOGIES}]: '{min(unused)}' is in no suite")
    return suites


def select(suites: List[Suite], machine: str, kind: str,
           chosen: List[str]) -> Dict[str, Expected]:
    """What the suites of a kind must say on a machine. `chosen` names those
    that are wanted, all if it is empty."""
    return {suite.name: suite.expected[machine] for suite in suites
            if suite.kind == kind and machine in suite.expected
            and (not chosen or suite.name in chosen)}


def check_chosen(suites: List[Suite], machines: List[str], chosen: List[str]) -> None:
    """Raises ChoiceError for a suite that none of the machines runs."""
    for name in chosen:
        if not any(suite.name == name and not suite.expected.keys().isdisjoint(machines)
                   for suite in suites):
            raise ChoiceError(f"no suite '{name}' on {' '.join(machines)}")


def case_names(suites: List[Suite], machine: str, chosen: List[str]) -> Iterator[str]:
    """MACHINE:SUITE:CASE for all that would run; a suite without a list of its
    cases has the case "*"."""
    for kind in KINDS:
        for suite, expected in select(suites, machine, kind, chosen).items():
            for case in expected.cases or ["*"]:
                yield f"{machine}:{suite}:{case}"


def summary(suites: List[Suite], machine: str, chosen: List[str]) -> Iterator[str]:
    """One line: MACHINE, the number of its cases, its test programs with commas."""
    programs = select(suites, machine, "kselftest", chosen)
    number = len(list(case_names(suites, machine, chosen)))
    yield f"{machine} {number} {','.join(programs)}"


def main() -> None:
    """Prints the plan."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--config", required=True, help="tests.cfg")
    parser.add_argument("--suite", action="append", default=[])
    parser.add_argument("--list", action="store_true",
                        help="print the names of the cases, not a line a machine")
    parser.add_argument("machines", nargs="+", metavar="MACHINE")
    args = parser.parse_args()
    suites = read(args.config)
    check_chosen(suites, args.machines, args.suite)
    for machine in args.machines:
        lines = case_names if args.list else summary
        for text in lines(suites, machine, args.suite):
            print(text)


if __name__ == "__main__":
    try:
        main()
    except ConfigError as mistake:
        sys.exit(f"tests.cfg: {mistake}")
    except ChoiceError as mistake:
        print(f"vmtest: {mistake}", file=sys.stderr)
        sys.exit(2)
