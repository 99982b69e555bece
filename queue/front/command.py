# SPDX-License-Identifier: GPL-2.0-only
"""The command line of ./dma-owner: its verbs, by who wants them, and their options."""

import argparse

from front import testing, verbs
from ground.layout import MAIN
from kernel import kconfig, stock

WIDTH = 100
DESCRIPTION = (f"DMA ownership of IOMMU groups for Linux {MAIN}, and for other kernels with --port N.\n"
               f"BASE=path in the environment takes another {MAIN} tree or tarball, BASE=N is --port N.")


def _none(_):
    """A verb without options of its own."""


def _port(sub):
    sub.add_argument("--port", metavar="N", help="the series for another kernel, which is in ports/N; or BASE=N")


def _demo(sub):
    sub.add_argument("--compare", action="store_true", help="show the untouched base crash first")
    sub.add_argument("--sva", action="store_true", help="show a device that works on the memory of a process instead")


def _shell(sub):
    sub.add_argument("--machine", default="q35-intel", metavar="NAME", help="the machine to start")


def _test(sub):
    sub.add_argument("--list", action="store_true", help="print the names of the cases")
    sub.add_argument("--table", action="store_true", help="print what was tested where, as the file TESTED")
    sub.add_argument("--machine", action="append", default=[], metavar="NAME", help="only this machine (or: host)")
    sub.add_argument("--suite", action="append", default=[], metavar="NAME", help="only this suite")
    sub.add_argument("--config", choices=("vm", "debug", "kcsan"), default="vm",
                     help="debug: KASAN, kmemleak and more; kcsan: data races, on x86 machines only")
    sub.add_argument("--base-only", action="store_true", help="boot the base without the series")
    sub.add_argument("--all-ports", action="store_true", help="boot the kernels of the ports as well")
    sub.add_argument("--soak", type=int, default=0, metavar="MINUTES",
                     help="let the race test run so long for each kind of group, and the random test in all, from "
                          "a fresh seed")
    sub.add_argument("--seed", type=int, default=0, metavar="NUMBER", help="where the random test begins instead")
    sub.add_argument("--mutants", nargs="*", metavar="WORD",
                     help="take one rule after the other away and see a test fail; with words only the rules with "
                          "one of them in their name or their test's")
    sub.add_argument("--stock-tool", nargs="*", metavar="KERNEL",
                     help=f"instead: boot Debian's own kernels, or of {', '.join(stock.SUITES)} those that are named, "
                          "and see whether iommu-groups is right there")


def _check(sub):
    sub.add_argument("--variants", nargs="*", metavar="WORD",
                     help="instead: build each patch in other configurations, with W=1, and boot it; with words "
                          "only the cases with one of them in their name, such as no-pci-arm64 or boots")


def _signed(sub):
    sub.add_argument("setting", nargs="*", metavar="SIGNOFF='Name <mail>'")


def _am(sub):
    sub.add_argument("folder", metavar="DIR", help="a git tree, or a plain folder")
    _signed(sub)
    sub.add_argument("--undo", action="store_true", help="take it back")


def _kabi(sub):
    sub.add_argument("files", nargs="*", metavar="Module.symvers", help="compare these two, old and new")
    sub.add_argument("--build", action="store_true", help="build base and series with MODVERSIONS, and compare")


def _deb(sub):
    sub.add_argument("--config", metavar="FILE",
                     help="the configuration to start from, or vm for a small kernel; else the running kernel's")
    sub.add_argument("--localmodconfig", action="store_true", help="leave out the modules that are not loaded now")
    sub.add_argument("--tool", action="store_true", help="instead: the package of iommu-groups alone, for any kernel")
    sub.add_argument("--boot", action="store_true", help="install it into a Debian of its own, and boot that in QEMU")


def _build(sub):
    sub.add_argument("--arch", choices=("x86_64", "arm64"), default="x86_64")
    sub.add_argument("--config", choices=kconfig.CONFIGS, default="vm")
    sub.add_argument("--base-only", action="store_true", help="the base without the series")


def _bench(sub):
    sub.add_argument("--peers", default="6.1", metavar="N",
                     help="the newer kernel to measure as well: the base of ports/N, or all")
    sub.add_argument("--table", action="store_true", help="print what was last measured, as the file COSTS")


# Who wants them: {verb: (what it does, what adds its options)}.
VERBS = {
    "to see it": {
        "demo": (verbs.verb_demo, _demo),
        "test": (testing.verb_test, _test),
        "shell": (verbs.verb_shell, _shell)},
    "to have it in a 5.10 tree": {
        "am": (verbs.verb_am, _am),
        "export": (verbs.verb_export, _signed),
        "release": (verbs.verb_release, _signed),
        "kabi": (verbs.verb_kabi, _kabi)},
    "to run it on a machine": {
        "deb": (verbs.verb_deb, _deb)},
    "to work on it": {
        "tree": (verbs.verb_tree, _none),
        "refresh": (verbs.verb_refresh, _none),
        "build": (verbs.verb_build, _build),
        "check": (verbs.verb_check, _check),
        "bench": (verbs.verb_bench, _bench)},
}


# Verbs that pick the series by the tree that they are given.
BY_TREE = ("am",)


def overview():
    """Each verb with one line, grouped by who wants it."""
    lines = []
    for who, group in VERBS.items():
        lines += ["", f"{who}:", *(f"  {name:8} {action.__doc__}" for name, (action, _) in group.items())]
    return "\n".join(lines[1:])


def parser():
    """The command line."""
    top = argparse.ArgumentParser(
        prog="./dma-owner", usage="./dma-owner VERB ...", description=DESCRIPTION,
        epilog=f"{overview()}\n\n./dma-owner VERB --help has the options of a verb.",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=WIDTH))
    subparsers = top.add_subparsers(dest="verb", metavar="VERB", help=argparse.SUPPRESS)
    for group in VERBS.values():
        for name, (action, options) in group.items():
            sub = subparsers.add_parser(name, description=action.__doc__)
            sub.set_defaults(action=action)
            options(sub)
            if name not in BY_TREE:
                _port(sub)
    return top
