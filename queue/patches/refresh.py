# SPDX-License-Identifier: GPL-2.0-only
"""From the tree's commits back to patches and whole files."""

from dataclasses import dataclass, replace

from ground import console
from ground.errors import Stop
from ground.layout import remove, write_file
from patches import patchmail, series, trees

MODES = {"100644": False, "100755": True}


@dataclass
class Plan:
    """What the repository is to hold: paths -> (bytes, executable)."""
    order: list
    patches: dict
    files: dict


def _refuse(tree):
    """Stops when the tree is not in a state that refresh can read."""
    shown, again = tree.layout.shown(tree.path), tree.layout.typed("refresh")
    busy = tree.git.busy()
    if busy:
        raise Stop(f"a {busy} is in progress in {shown}: finish or abort it, then {again}")
    dirt = tree.git.dirt()
    if dirt:
        raise Stop(f"{shown} has uncommitted changes ({dirt[0]}): commit them (git commit --fixup, git rebase "
                   f"-i --autosquash base), then {again}")
    if tree.git.text("rev-parse", "--abbrev-ref", "HEAD") != "series":
        raise Stop(f"{shown} is not on its branch series: git -C {shown} checkout series")


def _commits(tree, base_commit):
    """Commits of base..series; Stop on merges, and on fixups not yet squashed."""
    if not tree.git.ok("merge-base", "--is-ancestor", base_commit, "series"):
        raise Stop("the branch series no longer starts at the tag base: rebase it onto base")
    if tree.git.text("rev-list", "--merges", f"{base_commit}..series"):
        raise Stop("the branch series has a merge: git rebase base makes it a line of patches")
    commits = tree.git.commits(base_commit, "series")
    for commit in commits:
        subject = tree.git.message(commit).partition("\n")[0]
        if subject.startswith(("fixup!", "squash!", "amend!")):
            raise Stop(f"commit '{subject}' is not squashed: git -C {tree.layout.shown(tree.path)} "
                       f"rebase -i --autosquash base, then {tree.layout.typed('refresh')}")
    return commits


def _split(tree, commit, base_paths, claimed):
    """(patch, {new path: (bytes, executable)}) of one commit.

    `claimed`: new path -> subject of the commit that adds it; extended here.
    """
    message = tree.git.message(commit)
    subject = message.partition("\n")[0]
    new, changed = {}, []
    for status, mode, _, path in tree.git.changes(f"{commit}^", commit):
        if path in base_paths or path in series.GROWN:
            changed.append(path)
            continue
        if path in claimed:
            raise Stop(f"commit '{subject}' changes {path}, which commit '{claimed[path]}' adds: a new file "
                       "arrives whole: fixup the one into the other, or split the file")
        if status != "A" or mode not in MODES or not series.is_kernel_path(path):
            raise Stop(f"commit '{subject}': {path} (mode {mode}) cannot be a whole file of the repository")
        claimed[path] = subject
        new[path] = (tree.git.blob(commit, path), MODES[mode])
    diff = tree.git.diff(f"{commit}^", commit, changed)
    return patchmail.from_message(message, new, diff), new


def _place(patch, old_places, taken):
    """The patch's path: where a patch of that name was, else by its subject."""
    name = patchmail.slug(patch.subject) + ".patch"
    paths = patch.touched() + patch.new_files
    path = old_places.get(name) or f"{patchmail.folder(patch.subject, paths)}/{name}"
    if path in taken:
        raise Stop(f"two commits have the subject '{patch.subject}': reword one of them")
    return path


def plan(tree, base_commit, commits, old_order):
    """What the repository must hold for these commits, as a Plan."""
    base_paths, claimed = tree.git.paths(base_commit), {}
    old_places = {name.rpartition("/")[2]: name for name in old_order}
    result = Plan([], {}, {})
    for commit in commits:
        patch, new = _split(tree, commit, base_paths, claimed)
        path = _place(patch, old_places, result.patches)
        result.order.append(path)
        result.patches[path] = (patch.to_bytes(), False)
        result.files.update(new)
    return result


def _write(layout, wanted, old_patches, old_files, elsewhere):
    """Writes the plan, series last, then deletes what went stale; returns changed paths.
    `elsewhere`: {release: files that its series claims}, which are not deleted."""
    everything = {layout.place(path): file for path, file in wanted.files.items()}
    everything.update({layout.home / path: file for path, file in wanted.patches.items()})
    stale = {*(layout.home / path for path in old_patches), *map(layout.place, old_files)}
    changed = [path for path, (data, executable) in sorted(everything.items()) if write_file(path, data, executable)]
    _tell_shared(layout, changed, elsewhere)
    text = series.compose(wanted.order, series.series_text(layout))
    if (wanted.order or layout.series.exists()) and write_file(layout.series, text.encode()):
        changed.append(layout.series)
    return [layout.shown(path) for path in changed] + _delete(layout, stale.difference(everything, *elsewhere.values()))


def _tell_shared(layout, changed, elsewhere):
    """Says which of the changed files other series have as well."""
    for release, claimed in elsewhere.items():
        shared = sorted(claimed & set(changed))
        if shared:
            console.note(f"The series for {release} has these as well: {' '.join(map(layout.shown, shared))}")


def _delete(layout, stale):
    """Deletes files; returns lines for those that were there."""
    gone = sorted(path for path in stale if path.exists())
    for path in gone:
        remove(path)
    return [f"{layout.shown(path)} (removed)" for path in gone]


def _settle(tree, state):
    """Applies the new series and moves the branch onto those commits.

    The tree they give must be the one that was refreshed: Stop otherwise.
    """
    entries = series.load(tree.layout)
    patches = trees.commit_series(tree.git, state.base_commit, entries, state.patches,
                                  tree.layout.log("apply"))
    fresh = replace(state, patches=patches, refresh=None)
    tip = fresh.tip
    if tree.git.tree_of(tip) != tree.git.tree_of("series"):
        raise Stop("the refreshed series does not give the tree back (compare "
                   f"`git -C {tree.layout.shown(tree.path)} diff {tip[:12]}`): restore the repository with git")
    tree.git.bytes("reset", "-q", "--soft", tip)
    tree.save(fresh)


def _old_names(tree, state):
    """(patches, whole files) that the repository had before this refresh.

    Stops when the series changed since the tree was made from it; a refresh that
    was cut off has changed it too, and may go on.
    """
    cut_off = state.refresh
    if cut_off and cut_off[0] == tree.tip():
        return cut_off[1], cut_off[2]
    entries = series.load(tree.layout)
    if [e.key for e in entries] != state.keys:
        if tree.unsaved(state):
            raise trees.both_moved(tree, state)
        raise Stop("the series changed since the tree was made, and the tree did not: "
                   f"{tree.layout.typed('tree')}")
    return [e.name for e in entries], [path for e in entries for path in e.files]


def refresh(layout):
    """Turns base..series into patches and whole files; returns changed paths.

    Raises Stop when the tree or the repository is not fit for it.
    """
    tree = trees.Tree(layout)
    state = tree.state()
    if state is None:
        raise Stop(f"there is no tree to refresh from: {layout.typed('tree')} makes one")
    if state.next:
        raise Stop(f"the last {layout.typed('tree')} was cut off: run it again first")
    _refuse(tree)
    old_patches, old_files = _old_names(tree, state)
    commits = _commits(tree, state.base_commit)
    elsewhere = {other.release: series.claims(other) for other in layout.others()}
    with console.stage("Refreshing the patches"):
        wanted = plan(tree, state.base_commit, commits, old_patches)
        tree.save(replace(state, refresh=[tree.tip(), old_patches, old_files]))
        changed = _write(layout, wanted, old_patches, old_files, elsewhere)
        _settle(tree, state)
    return changed
