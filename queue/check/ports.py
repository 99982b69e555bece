# SPDX-License-Identifier: GPL-2.0-only
"""The checks of a port: that its series is in its form and applies, and its sources compile."""

from check import applies, each_patch, rules, style
from ground.errors import Stop
from kernel import warnings
from patches import bases, excerpt, series, trees

STYLE = ("recipients", "checkpatch")


def _read(port, whole):
    """(Layout, source) of what is read of a port: its tree, or an excerpt of its base where
    there is none and no `whole` one is wanted."""
    if whole or port.tree.exists():
        return port, bases.pinned(port)
    return port.for_base(excerpt.NAME), excerpt.Excerpt(port)


def due(layout, whole=False):
    """(Layout, source) of the ports that are checked along with a series: with that at the
    top, on the base that it pins, those that have patches. `whole`: as trees that can boot."""
    if layout.port or layout.alt:
        return []
    return [_read(other, whole) for other in layout.others() if series.begun(other)]


def cases(ctx):
    """All checks: [(name, function, key parts or None)]. Raises Stop without a patch."""
    if not ctx.entries:
        raise Stop(f"the series for {ctx.layout.release} is empty: there is nothing to check")
    return [*rules.cases(ctx), *applies.cases(ctx), *[case for case in style.cases(ctx) if case[0] in STYLE],
            ("compiles", compiles, each_patch.key(ctx, ctx.entries[-1]))]


def _warnings(ctx, log):
    """The warnings in a log that concern files of the series."""
    return warnings.of_files(log.read_text(encoding="utf-8", errors="replace"), set(ctx.touched((".c", ".h"))))


def _known(ctx, goals):
    """Warnings of the base in these objects."""
    base = trees.side_tree(ctx.tree, "base", ctx.base_commit)
    present = [goal for goal in goals if (base / goal).with_suffix(".c").is_file()]
    _, log = each_patch.make(ctx, base, "x86_64", present, each_patch.USUAL, "the base", "compiles-base", anew=True)
    return _warnings(ctx, log)


def compiles(ctx):
    """The sources that the series touches compile at its tip, and no file of it has a
    warning that the base lacks. All others are for `test --port`, which builds a kernel."""
    goals = each_patch.objects_of_all(ctx)
    if not goals:
        return "nothing to compile"
    built, log = each_patch.make(ctx, ctx.at_tip(), "x86_64", goals, each_patch.USUAL, "the series", "compiles")
    each_patch.judge(built, goals, _warnings(ctx, log), lambda: _known(ctx, goals), ctx.log("compiles-warnings"))
    left = each_patch.uncompiled(ctx.touched((".c",)), [built.out])
    return f"{len(goals)} objects" + (f"; not on x86_64: {' '.join(left)}" if left else "")
