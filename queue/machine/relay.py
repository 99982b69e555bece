# SPDX-License-Identifier: GPL-2.0-only
"""A machine in which a script does what somebody would do, and says of each thing
that it tried "ok CASE", "not ok CASE (why)" or "skip CASE (why)", and last "ok end".

The script writes to the second serial port, whose lines become results here.
"""

import time

from ground import results


def command(machine, kernel, initrd, words, log, *, seconds, memory):
    """argv that boots a kernel with `words` on a machine (argv of vm.command()), for so
    many seconds at most. Results come on standard output, the console goes to `log`."""
    return ["timeout", seconds, *machine, "-m", memory, "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-kernel", kernel, "-initrd", initrd, "-append", words,
            "-serial", f"file:{log}", "-serial", "stdio"]


class Relay:
    """Makes results of the machine's lines, in the report under `title` and the name
    of the case. `log`: what to look at after a failure; `seen`: the cases so far."""

    def __init__(self, report, title, log):
        self.report, self.title, self.log, self.seen = report, title, log, []
        self.since = time.monotonic()

    def take(self, line):
        """One line; what is no result is passed over."""
        result = results.parse(line.strip())
        if not result:
            return
        self.seen.append(result.name)
        name, now = self.title + result.name, time.monotonic()
        if result.outcome == results.OK:
            self.report.ok(name, now - self.since)
        elif result.outcome == results.SKIPPED:
            self.report.skip(name, result.words or "no reason given")
        else:
            self.report.fail(name, result.words or "failed", self.log)
        self.since = now

    def end(self):
        """A machine that did not come to its end is a failure."""
        if "end" not in self.seen:
            last = (self.seen or ["nothing"])[-1]
            self.report.fail(self.title + "end", f"the machine stopped after {last}", self.log)
