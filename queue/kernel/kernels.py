# SPDX-License-Identifier: GPL-2.0-only
"""Which kernels a verb builds: the patched tree's, the base's, another tree's."""

from kernel import kbuild, kconfig
from patches import trees

# What the fragments leave unsaid as 5.10 does not know it.
NEWER = "queue/kernel/newer.config"


def _command(layout, arch, config, base_only):
    """The command line that repeats a build."""
    words = ["build", f"--arch {arch}", f"--config {config}"]
    return layout.typed(" ".join(words + (["--base-only"] if base_only else [])))


def own_fragments(layout):
    """Paths of the machinery's own fragments, for all builds of a series."""
    return [layout.root / NEWER] if layout.port else []


def of_source(tree, source, arch, config, repeat, over=(), name="", **how):
    """The Build of a work tree with a configuration of the series, not yet run.

    `repeat`: the command that repeats it; `over`: further fragments; `name`: of
    the build, else by the configuration; `how`: see kbuild.Build.
    """
    fragments = [*kconfig.fragments(tree.shared, arch, config), *own_fragments(tree.layout), *over]
    return kbuild.Build(tree.layout, source, arch, name or f"{arch}-{config}", fragments, repeat=repeat, **how)


def of_tree(tree, arch, config, base_only=False, repeat="", **how):
    """The Build of the patched tree or of the base, see of_source(). The base, and a
    port, take the fragments of the series for 5.10 as far as they know them."""
    source = trees.side_tree(tree, "base", tree.base_commit()) if base_only else tree.path
    return of_source(tree, source, arch, config, repeat or _command(tree.layout, arch, config, base_only),
                     skip_unknown=base_only or bool(tree.layout.port), **how)


def pair(tree, config, repeat, **how):
    """(of the base, of the patched tree), both for x86_64; see of_tree()."""
    return tuple(of_tree(tree, "x86_64", config, base_only, repeat, **how) for base_only in (True, False))


def build(layout, source, arch, config, base_only=False):
    """Prepares the tree and builds; returns the Build."""
    built = of_tree(trees.prepare(layout, source), arch, config, base_only)
    built.build()
    return built
