# SPDX-License-Identifier: GPL-2.0-only
"""Every patch builds what it touches, without a warning there."""

import posixpath
from typing import NamedTuple, Optional

from ground import console, packages, proc
from ground.errors import Failed, first_of
from kernel import kbuild, kconfig, kernels, warnings
from patches import trees

CONFIG, NAME = "vm", "step"
NOT_BUILT = ("Documentation/", "tools/", "scripts/", "samples/")
EXTRA = "queue/check/step.config"
SHOWN = 8   # so many targets fit into a line
DEFCONFIGS = {"powerpc": "corenet32_smp_defconfig", "sparc": "sparc64_defconfig", "arm": "tegra_defconfig"}
# Drivers that only the machines of one architecture have.
HOMES = {"drivers/soc/fsl/": "powerpc", "drivers/gpu/": "arm", "drivers/staging/media/tegra-vde/": "arm"}


class Variant(NamedTuple):
    """A configuration for building patches: a name, what it starts from, and lines
    over the machines' configuration; none of that with `lines` None."""
    name: str = ""
    seed: str = "tinyconfig"
    lines: Optional[str] = ""


USUAL = Variant()


def cases(ctx):
    """One case per patch, remembered by everything up to that patch."""
    listed = []
    for number, entry in enumerate(ctx.entries):
        name = "builds-" + posixpath.basename(entry.name)[:-len(".patch")]
        listed.append((name, lambda c, n=number: builds(c, n), key(ctx, entry)))
    return listed


def key(ctx, entry):
    """What a build of all up to a patch depends on; None in a Context for names."""
    if not ctx.source:
        return None
    return [entry.key, ctx.state.base_commit, kbuild.compiler(), *_fragment_texts(ctx), *_fragment_texts(ctx, "arm64")]


def _fragment_texts(ctx, arch="x86_64"):
    """[(name, text)] of the fragments as the last patch leaves them, whichever patch
    is built with them, and of the machinery's own; '' for one that is missing."""
    root = ctx.layout.root
    paths = [root / kconfig.FRAGMENTS / name for name in kconfig.fragment_names(arch, CONFIG)]
    paths += [root / EXTRA, *kernels.own_fragments(ctx.layout)]
    return [(path.name, path.read_text(encoding="utf-8") if path.is_file() else "") for path in paths]


def folders(repo, commit, paths):
    """Build folders of the paths: the nearest with a Makefile, headers aside."""
    nearest = set()
    for path in paths:
        folder = posixpath.dirname(path)
        if path.startswith(NOT_BUILT + ("include/",)) or not folder or "/include/" in path:
            continue
        while folder and not repo.ok("cat-file", "-e", f"{commit}:{folder}/Makefile"):
            folder = posixpath.dirname(folder)
        if folder:
            nearest.add(folder + "/")
    return nearest


def takes_from_header(diff):
    """Whether a diff (bytes) takes lines out of a header; what is only added to one breaks
    nobody who did without it."""
    for changed in (b"\n" + diff).split(b"\ndiff --git "):
        about, _, hunks = changed.partition(b"\n@@ ")
        if about.partition(b"\n")[0].endswith(b".h") and b"\n-" in hunks:
            return True
    return False


def _paths(ctx, number):
    """Paths of the files that patch `number` may break: its own; all sources of the series
    so far when it takes something out of a header."""
    own = ctx.entries[number].paths()
    if not takes_from_header(ctx.entries[number].patch.diff):
        return sorted(own)
    return sorted({*own, *(p for e in ctx.entries[:number] for p in e.paths() if p.endswith(".c"))})


def outermost(goals):
    """Without folders that lie in another of them."""
    return [g for g in goals if not any(g != o and g.startswith(o) for o in goals)]


def _on_x86(goals):
    """Those of the paths that x86_64 has, without what lies in another of them."""
    elsewhere = ("arch/", *HOMES)
    return outermost([g for g in goals if not g.startswith(elsewhere) or g.startswith("arch/x86/")])


def goals_of(ctx, number):
    """Folders to build for a patch, as far as x86_64 has them."""
    return _on_x86(sorted(folders(ctx.git, ctx.steps[number][2], _paths(ctx, number))))


def targets_of(ctx, number, out):
    """What to build for a patch, as far as x86_64 has it: the folders of what it has of
    Kconfig and Makefiles, or adds; of other sources the objects, which an earlier build
    made in `out`, or their folders if it did not."""
    _, parent, commit = ctx.steps[number]
    known = ctx.git.paths(parent) & ctx.git.paths(commit)
    paths = [p for p in _paths(ctx, number) if not p.endswith(".h")]
    objects = {p: p[:-2] + ".o" for p in paths
               if p.endswith(".c") and p in known and (out / (p[:-2] + ".o")).is_file()}
    rest = folders(ctx.git, commit, [p for p in paths if p not in objects])
    return _on_x86(sorted({*objects.values(), *rest}))


def objects_of_all(ctx):
    """Objects of the sources that the series as a whole touches, as far as x86_64 has them."""
    return [path[:-2] + ".o" for path in _on_x86(ctx.touched((".c",))) if not path.startswith(NOT_BUILT)]


def builds(ctx, number):
    """Builds what one patch touches in .build/step; what x86_64 does not compile
    of it, on arm64, powerpc, sparc or arm. Raises Failed when a file has a warning, does
    not compile, or no architecture compiles it."""
    entry, _, commit = ctx.steps[number]
    source = trees.side_tree(ctx.tree, "step", commit)
    goals = targets_of(ctx, number, source / f".out-{NAME}")
    outs = [_make(ctx, number, source, "x86_64", goals)] if goals else []
    for arch in ("arm64", *DEFCONFIGS):
        rest = [p for p in uncompiled(entry.paths(), outs) if suits(p, arch)]
        if rest:
            outs.append(_make(ctx, number, source, arch, [p[:-2] + ".o" for p in rest]))
    left = uncompiled(entry.paths(), outs)
    if left:
        raise Failed(f"no configuration compiles {' '.join(left)}")
    return "" if outs else "nothing to compile"


def suits(path, arch):
    """Whether a file that x86_64 does not compile is to be tried on `arch`."""
    if path.startswith("arch/"):
        return path.startswith(f"arch/{arch}/")
    return arch == next((home for top, home in HOMES.items() if path.startswith(top)), "arm64")


def uncompiled(paths, outs):
    """Those .c files among the paths that no output folder has an object of."""
    sources = [p for p in paths if p.endswith(".c") and not p.startswith(NOT_BUILT)]
    return [p for p in sources if not any((out / (p[:-2] + ".o")).is_file() for out in outs)]


def _make(ctx, number, source, arch, targets):
    """Builds targets on one architecture; Failed on errors, and on warnings in
    touched files. Returns the output folder."""
    entry = ctx.entries[number]
    title = f"patch {number + 1} of {len(ctx.entries)}"
    built, log = make(ctx, source, arch, targets, USUAL, title, f"builds-{number + 1:02}-{arch}")
    warned = warnings.of_files(log.read_text(encoding="utf-8", errors="replace"), entry.paths())
    first_of([f"{path}: {what}" for path, what in sorted(warned)], log.with_suffix(".warnings"))
    return built.out


def _fragments_of(ctx, arch, variant):
    """The fragments' files of a variant on an architecture."""
    if arch in DEFCONFIGS or variant.lines is None:
        return []
    return _fragment_files(ctx, arch, variant)


def make(ctx, source, arch, targets, variant, title, log_name, anew=False):
    """Builds targets of a source tree in a variant; returns (the Build, the log).

    `anew`: also what is up to date, whose warnings nobody would see. Raises Failed
    on errors.
    """
    packages.ensure(ctx.layout, kbuild.needed_packages(arch), f"to build for {arch}")
    name = "-".join([NAME] + [word for word in (arch, variant.name) if word not in ("x86_64", "")])
    built = kbuild.Build(ctx.layout, source, arch, name, _fragments_of(ctx, arch, variant), skip_unknown=True,
                         quiet=True, seed=DEFCONFIGS.get(arch, variant.seed), repeat=ctx.layout.typed("check"))
    built.configure()
    if anew:
        forget(built.out, targets)
    log = ctx.log(log_name)
    what = " ".join(targets) if len(targets) <= SHOWN else f"{len(targets)} targets"
    with console.stage(f"Building {title} ({name}): {what}", log):
        status = proc.logged(built.make(*targets), log, cwd=source, env=built.environment())
    if status:
        raise Failed(f"{title} does not build {' '.join(targets)} on {arch}", log)
    return built, log


def judge(built, goals, warned, known, log):
    """Raises Failed when there are warnings that known() does not give, and has the next
    run see them again. `log`: where all of them are written."""
    new = warned - known() if warned else warned
    if new:
        forget(built.out, goals)
    first_of([f"{path}: {what}" for path, what in sorted(new)], log)


def forget(out, targets):
    """Has the next build compile the targets, objects and folders of them, from scratch."""
    for target in targets:
        for path in [out / target] if target.endswith(".o") else (out / target).rglob("*.o"):
            path.unlink(missing_ok=True)


def _fragment_files(ctx, arch, variant):
    """Writes the fragments to files; returns their paths. Raises Failed when the series
    lacks one."""
    home = ctx.layout.work / "check" / f"fragments-{arch}"
    home.mkdir(parents=True, exist_ok=True)
    files = []
    own = [(f"config.{variant.name}", variant.lines)] if variant.lines else []
    for name, text in _fragment_texts(ctx, arch) + own:
        if not text:
            raise Failed(f"the series has no {kconfig.FRAGMENTS}/{name}: nothing to build with")
        (home / name).write_text(text, encoding="utf-8")
        files.append(home / name)
    return files
