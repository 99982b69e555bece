# SPDX-License-Identifier: GPL-2.0-only
"""Which kernel a verb builds: the patched tree's or the base's."""

import kbuild
import kconfig
import tree as trees


def _command(arch, config, base_only):
    """The command line that repeats a build."""
    words = ["./dma-owner build", f"--arch {arch}", f"--config {config}"]
    return " ".join(words + (["--base-only"] if base_only else []))


def of_tree(tree, arch, config, base_only=False):
    """The Build for a tree, not yet run. The base takes the series' fragments."""
    fragments = kconfig.fragments(tree.path, arch, config)
    source = tree.path
    if base_only:
        source = trees.side_tree(tree, "base", tree.base_commit())
    built = kbuild.Build(tree.layout, source, arch, f"{arch}-{config}", fragments,
                         skip_unknown=base_only)
    built.repeat = _command(arch, config, base_only)
    return built


def of_source(tree, source, arch, config, skip_unknown=False):
    """The Build for another work tree of the series, see trees.side_tree(), and
    kbuild.Build for skip_unknown."""
    return kbuild.Build(tree.layout, source, arch, f"{arch}-{config}", kconfig.fragments(tree.path, arch, config),
                        skip_unknown=skip_unknown)


def build(layout, source, arch, config, base_only=False):
    """Prepares the tree and builds; returns the Build."""
    tree = trees.prepare(layout, source)
    built = of_tree(tree, arch, config, base_only)
    built.build()
    return built
