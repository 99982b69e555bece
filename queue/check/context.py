# SPDX-License-Identifier: GPL-2.0-only
"""What the checks look at: the series as applied to one base."""

from dataclasses import dataclass
from functools import cached_property

from patches import series, trees


@dataclass
class Context:
    """What the checks look at: the series as applied to one base."""
    layout: object
    source: object
    tree: trees.Tree
    entries: list
    state: trees.State

    @property
    def git(self):
        """Git of the tree."""
        return self.tree.git

    @property
    def base_commit(self):
        """The untouched base."""
        return self.state.base_commit

    @property
    def tip(self):
        """The series as applied."""
        return self.state.tip

    @cached_property
    def base_paths(self):
        """Paths of the base."""
        return self.git.paths(self.base_commit)

    @cached_property
    def steps(self):
        """(entry, parent commit, commit) of each patch."""
        commits = [commit for _, commit in self.state.patches]
        return list(zip(self.entries, [self.base_commit, *commits], commits))

    @cached_property
    def repository(self):
        """Paths that the repository holds."""
        return series.repository_files(self.layout)

    @cached_property
    def own(self):
        """Those of them that are this series', as seen from its home."""
        return series.own_files(self.layout, self.repository)

    def touched(self, suffixes=""):
        """Paths with one of the suffixes that the series adds or changes, sorted."""
        return sorted({path for entry in self.entries for path in entry.paths() if path.endswith(suffixes)})

    def at_tip(self):
        """Path of the tree when it stands at the series' tip, else a side tree there."""
        if self.tree.tip() == self.tip and not self.git.dirt():
            return self.tree.path
        return trees.side_tree(self.tree, "tip", self.tip)

    def log(self, name):
        """Log of a check."""
        return self.layout.log(f"check-{name}")


def of_run(layout, source):
    """The Context of a run; the tree is made or brought up to date for it."""
    tree = trees.prepare(layout, source)
    return Context(layout, source, tree, series.load(layout), tree.state())


def of_names(layout):
    """A Context without a tree, for the names of the checks alone."""
    return Context(layout, None, trees.Tree(layout), series.load(layout), trees.State())
