# SPDX-License-Identifier: GPL-2.0-only
"""Measures the series against its base and against newer kernels, side by side.

The machines count time in instructions, so the figures are those of the code and
not of the host: see tools/testing/selftests/iommu/qemu/bench/.
"""

import json
import re
import time

from ground import console, git, proc
from ground.errors import Stop
from ground.layout import write_file
from kernel import kernels, peers
from machine import outcomes, vm
from measure import aims, chart, footprint
from patches import trees

AIMS = "queue/measure/aims"
FOLDER = "out/bench"
TABLE = "bench.txt"
HEADER = """# SPDX-License-Identifier: GPL-2.0-only
#
# What the series costs: instructions (printed as ns), and their ratio to the base.
# Written by `./dma-owner bench`, printed again by `./dma-owner bench --table`. The
# number in a name is the size of a group: how many of its devices are no bridges.
"""
CONFIG = "perf"
BASE = "base"

# Machines, and the figures that count of what is measured on them.
MACHINES = {"groups": re.compile(r"(?!boot_to_init)"), "boot": re.compile(r"boot_to_init$")}
CURVE = "claim_cycle"

_FIGURE = re.compile(r"([a-z][\w.]*) (\d+) ([a-z]+)$")


def parse(lines):
    """{figure: (value, unit)} of lines "name value unit" among others."""
    figures = {}
    for match in filter(None, map(_FIGURE.match, lines)):
        figures[match.group(1)] = (int(match.group(2)), match.group(3))
    return figures


def builds(layout, tree, releases):
    """{kernel: Build} of all kernels to measure, built."""
    made = dict(zip((BASE, aims.PATCHED), kernels.pair(tree, CONFIG, "./dma-owner bench")))
    for built in made.values():
        built.build()
    for release in releases:
        made[release] = peers.build(layout, release, CONFIG)
    return made


def measure(tree, built, title):
    """{figure: (value, unit)} of a kernel on all machines. Raises Stop when one gives no
    figure."""
    measured = {}
    for machine, wanted in MACHINES.items():
        figures = {name: figure for name, figure in parse(vm.bench(tree, built, machine, title)).items()
                   if wanted.match(name)}
        if not figures:
            raise Stop(f"{title} printed no figure on {machine}: see {tree.layout.log(f'bench-{title}').with_suffix('')}")
        measured.update(figures)
    return measured


def measure_all(tree, made):
    """{kernel: what measure() gives} of all kernels, side by side: a machine counts its
    own instructions, whatever else there is to do."""
    with proc.threads() as pool:
        return dict(zip(made, pool.map(lambda kernel: measure(tree, made[kernel], kernel), made)))


def add_sizes(layout, tree, made, table):
    """Adds what base and series take of memory to the table of figures."""
    sizes = footprint.binaries(tree, made[BASE], made[aims.PATCHED])
    sizes.update(footprint.structures(layout, tree))
    for name, pair in sizes.items():
        unit = "structures" if name == "structures_resized" else "bytes"
        for kernel, value in zip((BASE, aims.PATCHED), pair):
            table[kernel][name] = (value, unit)


def _cell(figure, base):
    """A value and, beside the base's, its ratio to that."""
    if not figure:
        return ""
    return f"{figure[0]}" if not base or not base[0] else f"{figure[0]} {figure[0] / base[0]:6.3f}"


def rows(table):
    """Lines of a table: a figure each, a column for each kernel, the base first."""
    lines = [["figure", "unit", *table]]
    names = dict.fromkeys(name for figures in table.values() for name in figures)
    for name in names:
        base = table[BASE].get(name)
        unit = next(figures[name][1] for figures in table.values() if name in figures)
        cells = [_cell(figures.get(name), base if kernel != BASE else None) for kernel, figures in table.items()]
        lines.append([name, unit, *cells])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                      for i, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines]


def curves(table):
    """{kernel: [(size, value)]} of the figure that is drawn."""
    return {kernel: [(aims.size_of(name), value) for name, (value, _) in figures.items()
                     if re.fullmatch(rf"{CURVE}_\d+", name)] for kernel, figures in table.items()}


def verdict_line(verdict):
    """An aim and what became of it."""
    state = "holds" if verdict.holds else "excused" if verdict.aim.reason else "missed"
    reason = f"; {verdict.aim.reason}" if state == "excused" else ""
    return f"{state:7} {verdict.aim.name}: {verdict.aim.what}: {verdict.measured}{reason}"


def _record(table, made, verdicts):
    """What is kept as JSON."""
    return {"unit_of_time": "1 ns is 1 instruction",
            "kernels": {kernel: {"build": made[kernel].title, "source": git.Git(made[kernel].source).commit_of("HEAD"),
                                 "figures": {name: {"value": value, "unit": unit}
                                             for name, (value, unit) in figures.items()}}
                        for kernel, figures in table.items()},
            "aims": [{"name": v.aim.name, "measured": v.measured, "holds": v.holds, "reason": v.aim.reason}
                     for v in verdicts]}


def _heading(source, tree):
    """What was measured, and when, in front of the figures."""
    return f"{HEADER}# {source.title}, series {outcomes.of_tree(tree) or 'with edits'}, {time.strftime('%Y-%m-%d')}\n\n"


def text(layout):
    """The table as it was last measured. Raises Stop when it was not."""
    path = layout.root / FOLDER / TABLE
    if not path.is_file():
        raise Stop("nothing was measured yet: ./dma-owner bench does")
    return path.read_text(encoding="utf-8")


def keep(layout, heading, table, made, verdicts):
    """Writes the figures and the picture under out/bench; returns the paths."""
    folder = layout.root / FOLDER
    picture = chart.draw("Claim, SET_IOMMU, GET_DEVICE_FD and close", "instructions", curves(table))
    files = {"bench.json": json.dumps(_record(table, made, verdicts), indent=1) + "\n",
             TABLE: heading + "".join(f"{line}\n" for line in [*rows(table), "", *map(verdict_line, verdicts)]),
             "claim_cycle.svg": picture}
    for name, text in files.items():
        write_file(folder / name, text.encode())
    return [folder / name for name in files]


def run(layout, source, releases):
    """Builds, boots, measures and judges; returns the exit status."""
    wanted = aims.load(layout.root / AIMS)
    tree = trees.prepare(layout, source)
    vm.harness(tree)
    made = builds(layout, tree, releases)
    table = measure_all(tree, made)
    add_sizes(layout, tree, made, table)
    values = {kernel: {name: value for name, (value, _) in figures.items()} for kernel, figures in table.items()}
    verdicts = aims.judge(wanted, values)
    for line in rows(table) + [""] + [verdict_line(v) for v in verdicts]:
        console.say(line)
    for path in keep(layout, _heading(source, tree), table, made, verdicts):
        console.say(layout.shown(path))
    missed = sum(not v.good() for v in verdicts)
    console.say(f"{sum(v.holds for v in verdicts)} of {len(verdicts)} aims hold, {missed} are missed without a reason")
    return 1 if missed else 0
