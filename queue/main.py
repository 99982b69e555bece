# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner: one verb per run."""

import errno
import os
import signal
import sys
import traceback
from pathlib import Path

from front import command, verbs
from ground import console, packages, proc
from ground.errors import Stop
from ground.layout import Layout, locked
from patches import bases

ROOT = Path(__file__).resolve().parent.parent


def _interrupted(number, _frame):
    raise KeyboardInterrupt(number)


def run(argv):
    """Runs one verb; returns the exit status. Every failure is one line."""
    top = command.parser()
    options = top.parse_args(argv)
    if not options.verb:
        top.print_help()
        return 2
    layout = bases.choose_port(Layout(ROOT), getattr(options, "port", None))
    if options.action is verbs.verb_shell:    # holds the lock only while it builds
        return verbs.verb_shell(layout, options)
    with locked(layout):
        packages.ensure(layout, packages.FOR_TREE, "to make the kernel tree")
        return options.action(layout, options)


def _crash(layout):
    """The one line for a fault of the machinery itself."""
    log = layout.log("crash")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return f"a fault of the machinery itself: see {log}"


def system_line(error):
    """The one line for an OSError, which need not name a file."""
    what = ": ".join(filter(None, (error.strerror or str(error), error.filename)))
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"{what}: {'free some space' if full else 'see to it'} and run the same command again"


def main():
    """Entry point: maps every way to end to a line and an exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    line, status = None, 1
    try:
        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        line, status = "interrupted: run the same command again to go on", 130
    except Stop as stop:
        line = str(stop)
    except BrokenPipeError:
        status = 141
    except OSError as error:
        line = system_line(error)
    except Exception:   # pylint: disable=broad-except
        line = _crash(Layout(ROOT))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    proc.stop_all()
    if line:
        console.note(f"dma-owner: {line}")
    sys.stdout = None if status == 141 else sys.stdout
    os._exit(status) if status in (130, 141) else sys.exit(status)


if __name__ == "__main__":
    main()
