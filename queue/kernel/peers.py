# SPDX-License-Identifier: GPL-2.0-only
"""Newer kernels, which the series is measured against: the bases of the ports, without
their patches, built with the fragments of the series as far as they ask for them."""

from kernel import kernels
from patches import bases, trees


def build(layout, release, config):
    """Builds the base of a port for x86_64 with a configuration of the series; returns
    the Build. Raises Stop when it cannot be had."""
    port = layout.for_port(release)
    tree = trees.of_base(port, bases.pinned(port))
    built = kernels.of_tree(tree, "x86_64", config, base_only=True, repeat="./dma-owner bench")
    built.build()
    return built
