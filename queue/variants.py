# SPDX-License-Identifier: GPL-2.0-only
"""Each patch in other configurations, and a boot at each: `check --variants`.

A carrier bisects, and with a configuration that nobody here has thought of. So
what the series touches is built at every patch with VFIO, IOMMU_API, PCI and
KUnit as yes, module and no, and with W=1; at the last patch the whole kernel is
linked; and the kernel of every patch boots. It takes hours.
"""

import posixpath
from collections import Counter
from dataclasses import dataclass
from typing import Optional

import kernels
import lint
import mutants
import packages
import steps
import tree as trees
from checkbase import Failed, first_of
from errors import Stop
from mutations import UNIT
from steps import Variant

ARCHES = ("x86_64", "arm64")
VARIANTS = (
    Variant("as-is"),
    Variant("no-vfio", lines="# CONFIG_VFIO is not set\n"),
    Variant("modules", lines="CONFIG_VFIO=m\nCONFIG_VFIO_PCI=m\nCONFIG_VFIO_MDEV=m\nCONFIG_KUNIT=m\n"),
    Variant("no-kunit", lines="# CONFIG_KUNIT is not set\n"),
    Variant("no-iommu", lines="# CONFIG_IOMMU_SUPPORT is not set\n"),
    Variant("no-pci", lines="# CONFIG_PCI is not set\n"),
    Variant("allnoconfig", seed="allnoconfig", lines=None),
)


@dataclass
class Sweep:
    """A variant on an architecture, patch after patch. `known`: the base's warnings,
    when they have been asked for."""
    arch: str
    variant: Variant
    known: Optional[Counter] = None

    @property
    def name(self):
        """For results and logs."""
        return f"{self.variant.name}-{self.arch}"


def cases(ctx):
    """A case per patch and variant, one per linked kernel, one per boot."""
    found = []
    for variant in VARIANTS:
        for arch in ARCHES:
            sweep = Sweep(arch, variant)
            for number, entry in enumerate(ctx.entries):
                name = posixpath.basename(entry.name)[:-len(".patch")]
                found.append((f"{sweep.name}:{name}", _building(number, sweep), _key(ctx, entry)))
            found.append((f"{sweep.name}:links", _linking(sweep), _key(ctx, ctx.entries[-1])))
    for number, entry in enumerate(ctx.entries):
        name = posixpath.basename(entry.name)[:-len(".patch")]
        found.append((f"boots:{name}", _booting(number), _key(ctx, entry)))
    return found


def chosen(words):
    """cases() with one of the words in their name; all without words.

    The function that it returns raises Stop when there is none.
    """
    def some(ctx):
        found = [case for case in cases(ctx) if not words or any(word in case[0] for word in words)]
        if not found:
            raise Stop(f"no case is named like {' or '.join(words)}: give a variant ("
                       f"{', '.join(variant.name for variant in VARIANTS)}), an architecture, boots, or a patch")
        return found
    return some


def _key(ctx, entry):
    return [entry.key, ctx.entries[-1].key, ctx.state["base_commit"], lint.compiler()]


def _building(number, sweep):
    return lambda ctx: builds(ctx, number, sweep)


def _linking(sweep):
    return lambda ctx: links(ctx, sweep)


def _booting(number):
    return lambda ctx: boots(ctx, number)


def _goals(ctx, number, sweep):
    """Folders to build for a patch in a sweep."""
    return [g for g in steps.goals_of(ctx, number) if sweep.arch == "x86_64" or not g.startswith("arch/")]


def _warnings(ctx, log):
    """The warnings in a log of W=1 that concern files of the series."""
    return lint.warnings(log.read_text(encoding="utf-8", errors="replace"), set(lint.touched(ctx, (".c", ".h"))))


def _known(ctx, sweep):
    """Warnings of the base in files of the series, from all folders of the series."""
    if sweep.known is None:
        base = trees.side_tree(ctx.tree, "base", ctx.base_commit)
        goals = steps.outermost(sorted({g for n in range(len(ctx.entries)) for g in _goals(ctx, n, sweep)}))
        _, log = steps.make(ctx, base, sweep.arch, ["W=1", *goals], sweep.variant, "the base",
                            f"{sweep.name}-base", anew=True)
        sweep.known = _warnings(ctx, log)
    return sweep.known


def builds(ctx, number, sweep):
    """Builds the folders of one patch with W=1; Failed on errors, and on warnings
    in files of the series that the base has not."""
    goals = _goals(ctx, number, sweep)
    if not goals:
        return "nothing to compile"
    step = trees.side_tree(ctx.tree, "step", ctx.steps[number][2])
    built, log = steps.make(ctx, step, sweep.arch, ["W=1", *goals], sweep.variant,
                            f"patch {number + 1} of {len(ctx.entries)}", sweep.name)
    found = _warnings(ctx, log)
    new = found - _known(ctx, sweep) if found else found
    if new:
        steps.forget(built.out, goals)      # or the next run would not see them
    first_of([f"{path}: {what}" for path, what in sorted(new)], ctx.log(f"{sweep.name}-warnings"))
    return ""


def links(ctx, sweep):
    """Builds and links the whole kernel at the last patch, with its modules if it
    has any."""
    step = trees.side_tree(ctx.tree, "step", ctx.tip)
    steps.make(ctx, step, sweep.arch, ["all"], sweep.variant, "the series", f"{sweep.name}-links")
    return ""


def boots(ctx, number):
    """Boots the kernel of one patch to its end, without a word of complaint."""
    packages.ensure(ctx.layout, packages.FOR_BOOT["x86_64"], "to boot kernels in virtual machines")
    step = trees.side_tree(ctx.tree, "step", ctx.steps[number][2])
    built = kernels.of_source(ctx.tree, step, "x86_64", "vm", skip_unknown=True)
    built.repeat = "./dma-owner check --variants"
    built.build()
    killers, death, passed = mutants.boot(ctx.tree, built, UNIT, "boots")
    if killers or death:
        raise Failed(f"patch {number + 1}: {' '.join([*killers[:3], death]).strip()}", ctx.layout.log("boots"))
    return f"{passed} unit tests"
