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

from check import each_patch
from check.each_patch import Variant
from ground import packages
from ground.errors import Failed, Stop
from kernel import kbuild, kernels, warnings
from machine import judge
from patches import trees
from prove.mutations import UNIT

ARCHES = ("x86_64", "arm64")
VARIANTS = (
    Variant("as-is"),
    Variant("no-vfio", lines="# CONFIG_VFIO is not set\n"),
    Variant("modules", lines="CONFIG_VFIO=m\nCONFIG_VFIO_PCI=m\nCONFIG_VFIO_MDEV=m\nCONFIG_KUNIT=m\n"),
    Variant("no-kunit", lines="# CONFIG_KUNIT is not set\n"),
    Variant("no-iommu", lines="# CONFIG_IOMMU_SUPPORT is not set\n"),
    Variant("no-sva", lines="# CONFIG_INTEL_IOMMU_SVM is not set\n# CONFIG_IOMMU_SVA_KUNIT_TEST is not set\n"
                            "CONFIG_UACCE=m\n"),
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
    listed = []
    for variant in VARIANTS:
        for arch in ARCHES:
            sweep = Sweep(arch, variant)
            for number, entry in enumerate(ctx.entries):
                name = posixpath.basename(entry.name)[:-len(".patch")]
                listed.append((f"{sweep.name}:{name}", _building(number, sweep), _key(ctx, entry)))
            listed.append((f"{sweep.name}:links", _linking(sweep), _key(ctx, ctx.entries[-1])))
    for number, entry in enumerate(ctx.entries):
        name = posixpath.basename(entry.name)[:-len(".patch")]
        listed.append((f"boots:{name}", _booting(number), _key(ctx, entry)))
    return listed


def chosen(words):
    """cases() with one of the words in their name; all without words.

    Returns a function like checks.lanes(), of one list, which raises Stop when no case has
    such a name.
    """
    def named(ctx):
        matching = [case for case in cases(ctx) if not words or any(word in case[0] for word in words)]
        if not matching:
            raise Stop(f"no case is named like {' or '.join(words)}: give a variant ("
                       f"{', '.join(variant.name for variant in VARIANTS)}), an architecture, boots, or a patch")
        return [matching]
    return named


def _key(ctx, entry):
    return [entry.key, ctx.entries[-1].key, ctx.state.base_commit, kbuild.compiler()]


def _building(number, sweep):
    return lambda ctx: builds(ctx, number, sweep)


def _linking(sweep):
    return lambda ctx: links(ctx, sweep)


def _booting(number):
    return lambda ctx: boots(ctx, number)


def _goals(ctx, number, sweep):
    """Folders to build for a patch in a sweep."""
    return [g for g in each_patch.goals_of(ctx, number) if sweep.arch == "x86_64" or not g.startswith("arch/")]


def _warnings(ctx, log):
    """The warnings in a log of W=1 that concern files of the series."""
    return warnings.of_files(log.read_text(encoding="utf-8", errors="replace"), set(ctx.touched((".c", ".h"))))


def _known(ctx, sweep):
    """Warnings of the base in files of the series, from all folders of the series."""
    if sweep.known is None:
        base = trees.side_tree(ctx.tree, "base", ctx.base_commit)
        goals = each_patch.outermost(sorted({g for n in range(len(ctx.entries)) for g in _goals(ctx, n, sweep)}))
        _, log = each_patch.make(ctx, base, sweep.arch, ["W=1", *goals], sweep.variant, "the base",
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
    built, log = each_patch.make(ctx, step, sweep.arch, ["W=1", *goals], sweep.variant,
                                 f"patch {number + 1} of {len(ctx.entries)}", sweep.name)
    each_patch.judge(built, goals, _warnings(ctx, log), lambda: _known(ctx, sweep), ctx.log(f"{sweep.name}-warnings"))
    return ""


def links(ctx, sweep):
    """Builds and links the whole kernel at the last patch, with its modules if it
    has any."""
    step = trees.side_tree(ctx.tree, "step", ctx.tip)
    each_patch.make(ctx, step, sweep.arch, ["all"], sweep.variant, "the series", f"{sweep.name}-links")
    return ""


def boots(ctx, number):
    """Boots the kernel of one patch. Raises Failed when a unit test fails or the
    kernel complains."""
    packages.ensure(ctx.layout, packages.FOR_BOOT["x86_64"], "to boot kernels in virtual machines")
    step = trees.side_tree(ctx.tree, "step", ctx.steps[number][2])
    built = kernels.of_source(ctx.tree, step, "x86_64", "vm", "./dma-owner check --variants", skip_unknown=True)
    built.build()
    verdict = judge.boot(ctx.tree, built, UNIT, "boots")
    if not verdict.sound:
        raise Failed(f"patch {number + 1}: {verdict}", ctx.layout.log("boots"))
    return f"{verdict.passed} unit tests"
