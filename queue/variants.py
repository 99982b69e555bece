# SPDX-License-Identifier: GPL-2.0-only
"""Each patch in other configurations, and a boot at each: `check --variants`.

A carrier bisects, and with a configuration that nobody here has thought of. So
what the series touches is built at every patch with VFIO, IOMMU_API, PCI and
KUnit as yes, module and no, and with W=1; at the last patch the whole kernel is
linked; and the kernel of every patch boots. It takes an hour or two.
"""

import posixpath

import kernels
import lint
import mutants
import packages
import proc
import steps
import tree as trees
import vm
from checkbase import Failed, first_of
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


def cases(ctx):
    """A case per patch and variant, one per linked kernel, one per boot."""
    found = []
    for variant in VARIANTS:
        for arch in ARCHES:
            where = f"{variant.name}-{arch}"
            for number, entry in enumerate(ctx.entries):
                name = posixpath.basename(entry.name)[:-len(".patch")]
                found.append((f"{where}:{name}", _building(number, arch, variant), _key(ctx, entry)))
            found.append((f"{where}:links", _linking(arch, variant), _key(ctx, ctx.entries[-1])))
    for number, entry in enumerate(ctx.entries):
        name = posixpath.basename(entry.name)[:-len(".patch")]
        found.append((f"boots:{name}", _booting(number), _key(ctx, entry)))
    return found


def _key(ctx, entry):
    return [entry.key, ctx.entries[-1].key, ctx.state["base_commit"], lint.compiler()]


def _building(number, arch, variant):
    return lambda ctx: builds(ctx, number, arch, variant)


def _linking(arch, variant):
    return lambda ctx: links(ctx, arch, variant)


def _booting(number):
    return lambda ctx: boots(ctx, number)


def _warnings(ctx, source, arch, variant, goals, title, log_name):
    """Warnings of a W=1 build in files of the series."""
    _, log = steps.make(ctx, source, arch, ["W=1", *goals], variant, title, log_name)
    return lint.warnings(log.read_text(encoding="utf-8", errors="replace"), set(lint.touched(ctx, (".c", ".h"))))


def builds(ctx, number, arch, variant):
    """Builds the folders of one patch with W=1; Failed on errors, and on warnings
    in files of the series that the base has not."""
    goals = [g for g in steps.goals_of(ctx, number) if arch == "x86_64" or not g.startswith("arch/")]
    if not goals:
        return "nothing to compile"
    title, log_name = f"patch {number + 1} of {len(ctx.entries)}", f"{variant.name}-{arch}"
    step = trees.side_tree(ctx.tree, "step", ctx.steps[number][2])
    found = _warnings(ctx, step, arch, variant, goals, title, log_name)
    if found:
        base = trees.side_tree(ctx.tree, "base", ctx.base_commit)
        found -= _warnings(ctx, base, arch, variant, goals, "the base", f"{log_name}-base")
    first_of([f"{path}: {what}" for path, what in sorted(found)], ctx.log(f"{log_name}-warnings"))
    return ""


def links(ctx, arch, variant):
    """Builds and links the whole kernel at the last patch, with its modules."""
    step = trees.side_tree(ctx.tree, "step", ctx.tip)
    steps.make(ctx, step, arch, ["vmlinux", "modules"], variant, "the series", f"{variant.name}-{arch}-links")
    return ""


def boots(ctx, number):
    """Boots the kernel of one patch to its end, without a word of complaint."""
    packages.ensure(ctx.layout, packages.FOR_BOOT["x86_64"], "to boot kernels in virtual machines")
    step = trees.side_tree(ctx.tree, "step", ctx.steps[number][2])
    built = kernels.of_source(ctx.tree, step, "x86_64", "vm", skip_unknown=True)
    built.repeat = "./dma-owner check --variants"
    built.build()
    lines, log = [], ctx.layout.log("boots")
    argv = [vm.harness(ctx.tree), "--machine", UNIT.machine, "--suite", UNIT.name,
            *vm.arguments(ctx.tree, [built], "boots")]
    proc.streamed(argv, lines.append, log, cwd=ctx.tree.path)
    killers, death = mutants.verdict(lines, UNIT.name)
    if killers or death:
        raise Failed(f"patch {number + 1}: {' '.join([*killers[:3], death])}", log)
    ran = sum(line.startswith("ok ") and f":{UNIT.name}:" in line for line in lines)
    return f"{ran} unit tests"
