# SPDX-License-Identifier: GPL-2.0-only
"""What the user sees: results on stdout, progress with elapsed time on stderr.

On a terminal the running stages share one line that is rewritten in place.
Anywhere else each stage prints a line at its start, every half minute, and at
its end.
"""

import contextlib
import os
import shutil
import sys
import threading
import time

BEAT_TERMINAL = 0.5
BEAT_PIPE = 30.0

_START = time.monotonic()
_LOCK = threading.RLock()
_STAGES = []
_shown = 0
_ticking = False
_quiet = False


class Stage:
    """One piece of long work: its title, start, and the log that it writes."""

    def __init__(self, title, log):
        self.title = title
        self.log = log
        self.start = time.monotonic()
        self.next_line = self.start + BEAT_PIPE

    def seconds(self):
        """How long the stage has run so far."""
        return time.monotonic() - self.start


def clock(seconds):
    """12 -> '12 s', 83 -> '1 min 23 s'."""
    seconds = int(seconds + 0.5)
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min {seconds % 60:02d} s"


def _stamp():
    seconds = int(time.monotonic() - _START)
    return f"[{seconds // 60:02d}:{seconds % 60:02d}]"


def _terminal():
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _last_line(path):
    """The last whole line of a log that grows, '' when there is none."""
    try:
        with open(path, "rb") as log:
            log.seek(max(0, os.path.getsize(path) - 400))
            lines = log.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    last = lines[-2] if len(lines) > 1 else ""
    return "" if last.startswith("$ ") else " ".join(last.split())


def _clear():
    global _shown
    if _shown:
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()
        _shown = 0


def _draw():
    """Rewrites the status line of a terminal from the stages that run."""
    global _shown
    _clear()
    if not _STAGES or _quiet:
        return
    text = "; ".join(f"{s.title} ({clock(s.seconds())})" for s in _STAGES)
    detail = _last_line(_STAGES[-1].log) if _STAGES[-1].log else ""
    width = shutil.get_terminal_size((80, 24)).columns - 1
    text = f"{_stamp()} {text}  {detail}".rstrip()[:width]
    sys.stderr.write(text)
    sys.stderr.flush()
    _shown = len(text)


def _remind():
    """In a pipe: one line for each stage whose half minute is over."""
    for stage in _STAGES:
        if time.monotonic() >= stage.next_line:
            stage.next_line += BEAT_PIPE
            detail = _last_line(stage.log) if stage.log else ""
            detail = f": {detail[:100]}" if detail else ""
            _write(sys.stderr, f"{_stamp()} {stage.title}, {clock(stage.seconds())} so far{detail}")


def _write(stream, line):
    stream.write(line + "\n")
    stream.flush()


def _beat():
    """The ticker's thread: redraws or reminds for as long as the program runs."""
    while True:
        time.sleep(BEAT_TERMINAL)
        with _LOCK:
            if _terminal():
                _draw()
            else:
                _remind()


def say(line):
    """A result: one line on stdout."""
    with _LOCK:
        _clear()
        _write(sys.stdout, line)


def note(line):
    """Something worth knowing that is no result: one line on stderr."""
    with _LOCK:
        _clear()
        if _quiet:
            return
        _write(sys.stderr, line)


@contextlib.contextmanager
def quiet():
    """No notes and no stages while the body runs."""
    global _quiet
    _quiet = True
    try:
        yield
    finally:
        _quiet = False


@contextlib.contextmanager
def stage(title, log=None):
    """Shows `title` with elapsed time while the body runs.

    `log`: a file that the work writes; its last line is shown beside the time.
    """
    global _ticking
    this = Stage(title, log)
    with _LOCK:
        _STAGES.append(this)
        if not _terminal():
            note(f"{_stamp()} {title}")
        if not _ticking:
            _ticking = True
            threading.Thread(target=_beat, daemon=True).start()
    done = False
    try:
        yield this
        done = True
    finally:
        with _LOCK:
            _STAGES.remove(this)
            _clear()
            if done and this.seconds() >= 1:
                note(f"{_stamp()} {title}: done in {clock(this.seconds())}")
