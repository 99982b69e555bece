# SPDX-License-Identifier: GPL-2.0-only
"""Turn what a test machine printed into verdicts, line by line.

Two streams come out of a machine. The result port carries the output of the
kselftest programs, framed by init ("# suite NAME", "# exit NAME STATUS",
"# done"): see ResultLog. The console carries the KUnit suites, which run at
boot, and whatever the kernel complains about: see ConsoleLog.

Nothing here is ever taken for a pass: a case that is expected and does not
come out, a plan that is missing or not kept, an exit status that contradicts
the cases, and a machine that ends too early are failures that name the reason.
A case that tests.cfg excepts for the machine is not heard of: the program must
find out for itself that it cannot run there, and skip it.
"""

import re
from typing import Dict, Iterator, List, NamedTuple, Optional

from plan import Expected


class Verdict(NamedTuple):
    """The outcome of one case: "ok", "not ok" or "skip", and why.

    The reason of an "ok" is what the case counted.
    """

    suite: str
    case: str
    outcome: str
    reason: str = ""
    seconds: Optional[float] = None

    def line(self, machine: str, log: str) -> str:
        """The verdict as a person and a script read it."""
        note = self.reason
        if self.outcome == "ok":
            time = "" if self.seconds is None else f"{self.seconds:.1f} s"
            note = "; ".join(word for word in (time, self.reason) if word)
        elif self.outcome == "not ok":
            note = f"{self.reason}; log {log}"
        tail = f" ({note})" if note else ""
        return f"{self.outcome} {machine}:{self.suite}:{self.case}{tail}"


Suites = Dict[str, Expected]

TAP_LINE = re.compile(r"(not ok|ok) \d+(?: -)?\s*([^#]*?)\s*(?:# SKIP ?(.*))?$")
PLAN_LINE = re.compile(r"1\.\.(\d+)$")


class Suite:
    """What one suite has said so far, held against what it must say."""

    def __init__(self, name: str, expected: Expected, listed: bool):
        """With `listed`, a case that is not in `expected` is a failure."""
        self.name = name
        self.expected = expected.cases
        self.absent = expected.absent
        self.listed = listed
        self.plan: Optional[int] = None
        self.running = ""
        self.since = 0.0
        self.reason = ""
        self.counted: List[str] = []
        self.seen: List[str] = []
        self.failed = False
        self.closed = False

    def start(self, case: str, now: float) -> None:
        """The case begins; what is said next is about it."""
        self.running = case
        self.since = now
        self.reason = ""
        self.counted = []

    def note(self, reason: str) -> None:
        """Why the running case fails, should it fail: the first word counts."""
        self.reason = self.reason or reason

    def result(self, text: str, now: float) -> Iterator[Verdict]:
        """A TAP result line ends the running case."""
        match = TAP_LINE.match(text)
        if not match:
            return
        case = match[2] or self.running or f"case {len(self.seen) + 1}"
        outcome, reason = match[1], "; ".join(self.counted)
        if match[1] == "not ok":
            reason = self.reason or "failed"
        elif match[3] is not None:
            outcome, reason = "skip", match[3] or "no reason given"
        if case in self.seen:
            outcome, reason = "not ok", "ran twice"
        elif case in self.absent and outcome != "skip":
            outcome, reason = "not ok", "ran, which tests.cfg says it cannot"
        elif case in self.absent:
            outcome = ""
        elif self.listed and case not in self.expected:
            outcome, reason = "not ok", "not listed in tests.cfg"
        self.seen.append(case)
        self.failed |= outcome == "not ok"
        if outcome:
            yield Verdict(self.name, case, outcome, reason, now - self.since)
        self.start("", now)

    def close(self, cause: str) -> Iterator[Verdict]:
        """The suite is over: complain about what is missing.

        `cause` says what ended the machine, "" for the ordinary end.
        """
        if self.closed:
            return
        self.closed = True
        missing = [case for case in self.expected if case not in self.seen]
        if cause and (self.running or (self.plan is not None and missing)):
            victim = self.running or missing[0]
            missing = [case for case in missing if case != victim]
            self.seen.append(victim)
            yield Verdict(self.name, victim, "not ok", cause)
        for case in missing:
            yield Verdict(self.name, case, "not ok", "did not run")
        yield from self.check_plan(len(missing), cause)

    def check_plan(self, missing: int, cause: str) -> Iterator[Verdict]:
        """A plan there must be, and it must be kept."""
        reason = ""
        if self.plan is None and self.seen:
            reason = "no plan"
        elif missing:
            return
        elif self.plan is None:
            reason = cause or "did not run"
        elif self.plan != len(self.seen):
            reason = cause or f"planned {self.plan}, saw {len(self.seen)}"
        if reason:
            yield Verdict(self.name, "plan", "not ok", reason)


class ResultLog:
    """The result port: kselftest programs, one after the other."""

    RUN = re.compile(r"#\s+RUN\s+(\S+) \.\.\.")
    FAILED = re.compile(r"# (\S+\.(?:[ch]:\d+|sh)):\w+:(.*)")
    TIMEOUT = re.compile(r"# \S+: (Test terminated .*)")
    COUNTED = re.compile(r"# ([a-z ]+: \d+)(?: \(|$)")
    EXIT = re.compile(r"# exit (\S+) (\d+)")

    def __init__(self, suites: Suites):
        self.suites = {name: Suite(name, expected, True)
                       for name, expected in suites.items()}
        self.current: Optional[Suite] = None
        self.done = False

    def feed(self, line: str, now: float) -> Iterator[Verdict]:
        """Take one line that arrived at `now`; yield what it decides."""
        line = line.rstrip()
        if line.startswith("# suite "):
            self.current = self.suites.get(line[len("# suite "):])
        elif line == "# done":
            self.done = True
        elif self.EXIT.match(line):
            yield from self.exit(int(self.EXIT.match(line)[2]))
        elif self.current:
            yield from self.feed_suite(self.current, line, now)

    def feed_suite(self, suite: Suite, line: str, now: float) -> Iterator[Verdict]:
        """A line of a test program."""
        if PLAN_LINE.match(line):
            suite.plan = int(PLAN_LINE.match(line)[1])
        elif self.RUN.match(line):
            suite.start(self.RUN.match(line)[1], now)
        elif self.FAILED.match(line):
            suite.note(": ".join(self.FAILED.match(line).groups()))
        elif self.TIMEOUT.match(line):
            suite.note(self.TIMEOUT.match(line)[1])
        elif self.COUNTED.match(line):
            suite.counted.append(self.COUNTED.match(line)[1])
        else:
            yield from suite.result(line, now)

    def exit(self, status: int) -> Iterator[Verdict]:
        """The program ended; its status must agree with its cases."""
        if not self.current:
            return
        yield from self.current.close("")
        if status > 1 or (status and not self.current.failed):
            yield Verdict(self.current.name, "exit", "not ok",
                          f"exit status {status}")
        self.current = None

    def finish(self, cause: str) -> Iterator[Verdict]:
        """The machine is off: by itself, or because of `cause`."""
        for suite in self.suites.values():
            hit = suite is self.current
            yield from suite.close(cause if hit else "")


SPLATS = [re.compile(pattern) for pattern in (
    r"kernel BUG at \S+",
    r"BUG: .*",
    r"WARNING: .*",
    r"INFO: possible .*",
    r"INFO: task .* blocked for more than .*",
    r"Oops: .*",
    r"general protection fault.*",
    r"Unable to handle kernel .*",
    r"rcu: INFO: .* stall.*",
    r"UBSAN: .*",
    r"ODEBUG: .*",
    r"list_(add|del) corruption.*",
    r"kmemleak: [1-9]\d* new suspected memory leaks.*",
    r"unreferenced object 0x.*",
    r"Kernel panic - not syncing: .*",
    r"Call Trace:.*",
)]


# Without memory for a table of sysctls the kernel dumps its stack, and goes on.
CHATTER = re.compile(r"sysctl could not get directory: .* -12$")

# How far a source path is from the build tree says nothing about the fault.
BUILD_PREFIX = re.compile(
    r"(?<=\s)[./]\S*?/(?=(?:arch|block|crypto|drivers|fs|include|init|ipc|"
    r"kernel|lib|mm|net|security|sound|virt)/)")


# What the race detector found: where, and perhaps against what.
RACE = re.compile(r"BUG: KCSAN: \S+ in (\S+)(?: / (\S+))?$")


def function(symbol: str) -> str:
    """The function of "name.isra.0+0x1/0x2"."""
    return re.split(r"[.+]", symbol)[0]


class ConsoleLog:
    """The console: KUnit suites, and the kernel's complaints."""

    STAMP = re.compile(r"\[\s*(\d+\.\d+)\](?:\[[^]]*\])? ?")
    SUBTEST = re.compile(r"\s+# Subtest: (\S+)$")
    FAILED = re.compile(r"\s+# \S+: ((?:EXPECTATION|ASSERTION) FAILED at \S+)")
    MORE = 2

    def __init__(self, suites: Suites, every: bool, watched: Optional[List[str]] = None):
        """With `every`, suites that are not in `suites` are reported as well.

        With `watched`, a data race is a complaint only if it is in one of these
        functions; those elsewhere are named.
        """
        self.watched = watched
        self.races: List[str] = []
        self.suites = {name: Suite(name, expected, False)
                       for name, expected in suites.items()}
        self.every = every
        self.current: Optional[Suite] = None
        self.reported: List[str] = []
        self.stamp = 0.0
        self.more = 0
        self.splat = ""
        self.chatter = False
        self.silent = True

    def feed(self, line: str) -> Iterator[Verdict]:
        """Take one line; yield what it decides."""
        self.silent = False
        match = self.STAMP.match(line)
        if match:
            self.stamp = float(match[1])
            line = line[match.end():]
        line = line.rstrip()
        self.look_for_splat(line)
        if self.SUBTEST.match(line):
            self.begin(self.SUBTEST.match(line)[1])
        elif self.current:
            yield from self.feed_suite(self.current, line)

    def look_for_splat(self, line: str) -> None:
        """Remember the first complaint: what follows is its consequence."""
        if self.splat:
            return
        if CHATTER.match(line):
            self.chatter = True
        if self.chatter and line == "Call Trace:":
            self.chatter = False
            return
        if self.is_race_elsewhere(line):
            return
        for pattern in SPLATS:
            match = pattern.search(line)
            if match:
                self.splat = BUILD_PREFIX.sub("", match[0])
                return

    def is_race_elsewhere(self, line: str) -> bool:
        """Is this a data race in none of the watched functions?"""
        match = RACE.match(line)
        if not match or self.watched is None:
            return False
        places = [function(symbol) for symbol in match.groups() if symbol]
        if any(place in self.watched for place in places):
            return False
        self.races.append(" / ".join(places))
        return True

    def begin(self, name: str) -> None:
        """A KUnit suite starts."""
        if self.every and name not in self.suites:
            self.suites[name] = Suite(name, Expected([], []), False)
        self.current = self.suites.get(name)
        if self.current:
            self.current.start("", self.stamp)

    def feed_suite(self, suite: Suite, line: str) -> Iterator[Verdict]:
        """A line while a KUnit suite runs, its own or another's."""
        text = line.strip()
        if self.FAILED.match(line):
            self.more = 0 if suite.reason else self.MORE
            suite.note(BUILD_PREFIX.sub("", self.FAILED.match(line)[1]))
        elif line.startswith("    ") and PLAN_LINE.match(text):
            suite.plan = int(PLAN_LINE.match(text)[1])
        elif line.startswith("    ") and TAP_LINE.match(text):
            self.more = 0
            yield from suite.result(text, self.stamp)
        elif TAP_LINE.match(line) and TAP_LINE.match(line)[2] == suite.name:
            yield from suite.close("")
            self.current = None
        elif self.more and line.startswith("    "):
            suite.reason += f" {text}"
            self.more -= 1

    def finish(self, cause: str) -> Iterator[Verdict]:
        """The machine is off: by itself, or because of `cause`."""
        for suite in self.suites.values():
            hit = suite is self.current
            yield from suite.close((cause or "the suite did not end") if hit else "")
        reason = self.splat or ("no console output" if self.silent else "")
        if self.races and not reason:
            reason = f"races elsewhere: {len(self.races)}: " + ", ".join(sorted(set(self.races)))
            yield Verdict("dmesg", "no_splat", "ok", reason)
            return
        yield Verdict("dmesg", "no_splat", "not ok" if reason else "ok", reason)
