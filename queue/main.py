# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner: one verb per run."""

import argparse
import errno
import os
import signal
import sys
import traceback
from pathlib import Path

import base as bases
import console
import packages
import proc
import refresh
import tree as trees
from errors import Stop
from layout import Layout, locked
import kernels

ROOT = Path(__file__).resolve().parent.parent


def verb_tree(layout, _):
    """a git tree of the base plus one commit per patch; prints its path"""
    layout, source = bases.choose(layout)
    tree = trees.prepare(layout, source)
    console.say(str(tree.path))
    return 0


def verb_refresh(layout, _):
    """turns that tree's commits back into patches and whole files"""
    layout, _ = bases.choose(layout)
    changed = refresh.refresh(layout)
    for path in changed:
        console.say(path)
    console.note(f"{len(changed)} files changed" if changed else "Nothing to refresh")
    return 0


def verb_build(layout, options):
    """builds a kernel; prints the path of the bootable image"""
    layout, source = bases.choose(layout)
    built = kernels.build(layout, source, options.arch, options.config, options.base_only)
    console.say(str(built.image))
    return 0


def parser():
    """The command line."""
    top = argparse.ArgumentParser(prog="./dma-owner", add_help=True, description=
                                  "DMA ownership of IOMMU groups for Linux 5.10. "
                                  "BASE=path in the environment takes another 5.10 tree or tarball.")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", title="verbs")

    def add(name, action):
        one = verbs.add_parser(name, help=action.__doc__, description=action.__doc__)
        one.set_defaults(action=action)
        return one

    add("tree", verb_tree)
    add("refresh", verb_refresh)
    build = add("build", verb_build)
    build.add_argument("--arch", choices=("x86_64", "arm64"), default="x86_64")
    build.add_argument("--config", choices=("vm", "debug", "perf"), default="vm")
    build.add_argument("--base-only", action="store_true", help="the base without the series")
    return top


def _interrupted(number, _frame):
    raise KeyboardInterrupt(number)


def run(argv):
    """Runs one verb; returns the exit status. Every failure is one line."""
    top = parser()
    options = top.parse_args(argv)
    if not options.verb:
        top.print_help()
        return 2
    layout = Layout(ROOT)
    with locked(layout):
        packages.ensure(layout, packages.FOR_TREE, "to make the kernel tree")
        return options.action(layout, options)


def _crash(layout):
    """The one line for a fault of the machinery itself."""
    log = layout.log("crash")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return f"a fault of the machinery itself: see {log}"


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
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        line = f"{error.strerror}: {error.filename}: " + (
            "free some space and run the same command again" if full else
            "see to it and run the same command again")
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
