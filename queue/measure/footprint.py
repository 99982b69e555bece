# SPDX-License-Identifier: GPL-2.0-only
"""What the series takes of memory: code and data of the kernel, and structures."""

import re

from ground import packages, proc
from ground.errors import Stop
from kernel import kernels

METER = "scripts/bloat-o-meter"
FRAGMENT = "queue/measure/footprint.config"

# Of the kernel, what is compared with the base, by the name of its figure.
BINARIES = {"text_data": "vmlinux", "text_data_vfio": "drivers/vfio/vfio.o"}

# Objects whose debugging information has the structures that matter.
OBJECTS = ("drivers/iommu/iommu.o", "drivers/vfio/vfio.o", "drivers/base/dd.o")
STRUCTURES = ("iommu_group", "vfio_group", "device_driver", "device")

_TOTAL = re.compile(r"^Total: Before=(\d+), After=(\d+)", re.M)


def parse_meter(text):
    """Bytes before and after, as bloat-o-meter ends. Raises Stop without them."""
    match = _TOTAL.search(text)
    if not match:
        raise Stop(f"{METER} says no total: {' '.join(text.split())[-200:]}")
    return int(match.group(1)), int(match.group(2))


def binaries(tree, base, patched):
    """{figure: (bytes of the base, of the patched)} of two builds."""
    sizes = {}
    for figure, name in BINARIES.items():
        argv = ["python3", tree.path / METER, base.out / name, patched.out / name]
        _, out, err = proc.call(argv)
        sizes[figure] = parse_meter((out + err).decode("utf-8", "replace"))
    return sizes


def parse_sizes(text):
    """{structure: bytes} of what pahole --sizes says."""
    rows = [line.split("\t") for line in text.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) >= 2 and row[1].isdigit()}


def _structures(objects):
    """{structure: bytes} by the debugging information of the objects."""
    sizes = {}
    for path in objects:
        status, out, err = proc.call(["pahole", "--sizes", path])
        if status:
            raise Stop(f"pahole cannot read {path}: {err.decode('utf-8', 'replace').strip()[-200:]}")
        sizes.update(parse_sizes(out.decode("utf-8", "replace")))
    return sizes


def _public(repo, commit, name):
    """Whether a header that modules can include defines a structure; to stand for a private
    one it has an empty one, for configurations without."""
    return repo.ok("grep", "-qE", rf"^struct {name} \{{$", commit, "--", "include", "arch/x86/include")


def resized(repo, commit, old, new):
    """Structures of public headers that both have, in different sizes."""
    return [name for name in sorted(set(old) & set(new))
            if old[name] != new[name] and _public(repo, commit, name)]


def structures(layout, tree):
    """{figure: (bytes in the base, in the patched)}, from objects with debugging
    information."""
    packages.ensure(layout, packages.FOR_BENCH, "to see the sizes of structures")
    pair = kernels.pair(tree, "perf", "./dma-owner bench", over=[layout.root / FRAGMENT], name="x86_64-footprint")
    sizes = [_structures(built.compile(*OBJECTS)) for built in pair]
    figures = {f"sizeof_{name}": tuple(side[name] for side in sizes) for name in STRUCTURES}
    changed = resized(tree.git, tree.base_commit(), *sizes)
    return dict(figures, structures_resized=(0, len(changed)))
