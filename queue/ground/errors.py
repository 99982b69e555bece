# SPDX-License-Identifier: GPL-2.0-only
"""How things end that do not end well: a verb by Stop, a check by Failed."""


class Stop(Exception):
    """Ends the run. The text is shown to the user as one line, exit status 1."""


class Interrupted(Stop):
    """Ends the run because the user, or whoever started it, wants it to end."""

    def __init__(self):
        super().__init__("interrupted")


class Failed(Exception):
    """A check that did not pass: one line, and the log that tells more."""

    def __init__(self, line, log=None):
        super().__init__(line)
        self.log = log


def first_of(problems, log=None):
    """Raises Failed with the first problem and the number of the others; all of
    them go into the log, if one is given."""
    if not problems:
        return
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(f"{p}\n" for p in problems), encoding="utf-8")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise Failed(problems[0] + more, log)
