#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boot one machine, follow its console and its result port, and judge them.

vmtest.sh calls this once for each machine; the QEMU command is what stands
after "--". QEMU dies with this process, however that ends.
"""

import argparse
import ctypes
import os
import re
import signal
import subprocess
import sys
import time

import ktap
import plan

POLL_SECONDS = 0.05
PR_SET_PDEATHSIG = 1


class Tail:
    """The complete lines that a growing file has gained."""

    def __init__(self, path):
        open(path, "wb").close()
        self.file = open(path, "rb")
        self.rest = b""

    def lines(self):
        """What came since the last call."""
        *lines, self.rest = (self.rest + self.file.read()).split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in lines]

    def last(self):
        """The line that the machine did not live to end."""
        return [self.rest.decode(errors="replace")] if self.rest else []


def die_with_parent(number=signal.SIGKILL):
    """Get this signal when the parent is gone, whatever ended it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


class Machine:
    """A running QEMU and the tails of its logs."""

    def __init__(self, command, logs, timeout):
        self.console = Tail(os.path.join(logs, "console.log"))
        self.result = Tail(os.path.join(logs, "result.log"))
        self.errors = os.path.join(logs, "qemu.log")
        self.timeout = timeout
        self.cause = ""
        with open(self.errors, "wb") as errors:
            self.qemu = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=errors,
                stderr=errors, preexec_fn=die_with_parent,
                start_new_session=True)

    def stop(self):
        """End QEMU if it still runs."""
        if self.qemu.poll() is None:
            os.killpg(self.qemu.pid, signal.SIGKILL)
            self.qemu.wait()

    def follow(self, console, result):
        """Hand over each line until the machine ends, or is silent for long.

        Kernels with many checks are slow, but they are never silent.
        """
        end = time.monotonic() + self.timeout
        running = True
        while running:
            running = self.qemu.poll() is None
            results, messages = self.result.lines(), self.console.lines()
            for line in results:
                result(line)
            for line in messages:
                console(line)
            if results or messages:
                end = time.monotonic() + self.timeout
            elif running and time.monotonic() > end:
                self.cause = f"said nothing for {self.timeout} s"
                self.stop()
            time.sleep(POLL_SECONDS if running else 0)
        for line in self.result.last():
            result(line)
        for line in self.console.last():
            console(line)

    def complaint(self):
        """What QEMU itself said, if it failed."""
        if not self.qemu.returncode or self.cause:
            return ""
        with open(self.errors, encoding="utf-8", errors="replace") as errors:
            lines = errors.read().split("\n")
        return f"QEMU: {lines[0] or 'exit status %d' % self.qemu.returncode}"


def read_words(path):
    """The words of a file, None without one."""
    if not path:
        return None
    with open(path, encoding="utf-8") as text:
        return text.read().split()


class TestRun:
    """One machine's suites: prints the verdicts as they come, and counts."""

    def __init__(self, args):
        self.machine = args.machine
        self.log = os.path.join(args.logs, "console.log")
        self.result_log = os.path.join(args.logs, "result.log")
        self.counts = {"ok": 0, "not ok": 0, "skip": 0}
        suites = plan.read(args.config)
        self.results = ktap.ResultLog(
            plan.select(suites, args.machine, "kselftest", args.suite))
        self.console = ktap.ConsoleLog(
            plan.select(suites, args.machine, "kunit", args.suite),
            not args.suite, read_words(args.races))

    def report(self, verdicts, log):
        """Print verdicts and count them."""
        for verdict in verdicts:
            self.counts[verdict.outcome] += 1
            # In one piece: other machines write to the same pipe.
            sys.stdout.write(verdict.line(self.machine, log) + "\n")
            sys.stdout.flush()

    def run(self, machine):
        """Follow the machine to its end; returns the counts."""
        machine.follow(
            lambda line: self.report(self.console.feed(line), self.log),
            lambda line: self.report(self.results.feed(line, time.monotonic()),
                                     self.result_log))
        cause = ""
        if not self.results.done:
            cause = (self.console.splat or machine.cause or
                     machine.complaint() or "the machine ended too early")
        self.report(self.results.finish(cause), self.log)
        self.report(self.console.finish(cause), self.log)
        if cause and not self.console.splat:
            self.report([ktap.Verdict("machine", "ends", "not ok", cause)],
                        self.log)
        return self.counts


def run_tests(machine, args):
    """Exit status of a test run; the counts are appended to --totals."""
    counts = TestRun(args).run(machine)
    with open(args.totals, "a", encoding="utf-8") as totals:
        print(counts["ok"], counts["not ok"], counts["skip"], file=totals)
    return 1 if counts["not ok"] else 0


class StoryRun:
    """The demo: what the machine writes to its result port, as it comes."""

    EXIT = "# exit demo "
    EXCERPT = re.compile(r"kernel BUG at|WARNING: |RIP: |Call Trace:| \? ?\w+\+0x")
    EXCERPT_END = re.compile(r"---\[ end trace|Kernel panic")
    EXCERPT_LINES = 9

    def __init__(self, args):
        self.args = args
        self.status = None
        self.log = os.path.join(args.logs, "console.log")
        self.console = ktap.ConsoleLog({}, False)
        self.excerpt = []
        self.excerpt_ended = False

    def feed(self, line):
        """A line of the story, or the end of it."""
        if line.startswith(self.EXIT):
            self.status = int(line[len(self.EXIT):])
        elif line != "# done":
            print(line, flush=True)

    def feed_console(self, line):
        """Watch for the crash; keep the lines that tell most about it."""
        list(self.console.feed(line))
        if not self.console.splat or self.excerpt_ended:
            return
        text = ktap.BUILD_PREFIX.sub("", ktap.ConsoleLog.STAMP.sub("", line))
        if self.EXCERPT.match(text):
            self.excerpt.append("     " + text)
        self.excerpt_ended = (len(self.excerpt) == self.EXCERPT_LINES or
                              bool(self.EXCERPT_END.match(text)))

    def run(self, machine):
        """Follow the machine to its end; returns the exit status."""
        machine.follow(self.feed_console, self.feed)
        splat = self.console.splat
        if self.args.crash:
            print(*self.excerpt, sep="\n")
            return self.verdict(self.args.crash in splat,
                                "this kernel crashes" if splat else
                                "this kernel should have crashed")
        cause = splat or machine.cause or machine.complaint()
        if self.status is None:
            return self.verdict(False, "the machine ended early: "
                                f"{cause or 'no reason given'}; log {self.log}")
        if splat:
            return self.verdict(False, f"{splat}; log {self.log}")
        return self.status

    @staticmethod
    def verdict(good, text):
        """One closing line in the manner of demo.sh."""
        print(f"   {text:58} {'ok' if good else 'FAILED'}", flush=True)
        return 0 if good else 1


def parse(argv):
    """The command line: ours, and QEMU's after "--"."""
    split = argv.index("--") if "--" in argv else len(argv)
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--machine", required=True)
    parser.add_argument("--config", help="tests.cfg")
    parser.add_argument("--suite", action="append", default=[])
    parser.add_argument("--logs", help="directory for this machine's logs")
    parser.add_argument("--timeout", type=int,
                        help="seconds of silence after which it hangs")
    parser.add_argument("--races", help="file with the functions in which a data race is a failure")
    parser.add_argument("--totals", help="file to append the counts to")
    parser.add_argument("--story", action="store_true")
    parser.add_argument("--crash", help="with --story: the crash to expect")
    args = parser.parse_args(argv[:split])
    return args, argv[split + 1:]


def main():
    """Returns the exit status: 0 if everything was as it must be."""
    args, command = parse(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    die_with_parent(signal.SIGTERM)
    os.makedirs(args.logs, exist_ok=True)
    machine = Machine(command, args.logs, args.timeout)
    try:
        if args.story:
            return StoryRun(args).run(machine)
        return run_tests(machine, args)
    finally:
        machine.stop()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except plan.ConfigError as mistake:
        sys.exit(f"tests.cfg: {mistake}")
