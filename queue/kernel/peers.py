# SPDX-License-Identifier: GPL-2.0-only
"""Debian's newer kernels, which the series is measured against: fetched, unpacked
and built with the fragments of the series, as far as they know them."""

import os
from pathlib import Path

from ground import apt, console, git, packages
from ground.errors import Stop
from ground.layout import need_space, remove, write_file
from kernel import kbuild, kconfig
from patches import bases, trees

# Release -> the suites that carry its linux-source package.
PEERS = {"6.1": ("bookworm", "bookworm-security"), "6.12": ("trixie", "trixie-security")}
SPACE_GIB = 3.0
STAMP = ".dma-owner-peer"

# What these kernels leave to the options that need them.
NO_LONGER_ASKED = ("CONFIG_VFIO_MDEV",)


def _kept(layout, release):
    """The package as it was fetched, or None."""
    files = sorted((layout.build / "dl" / f"peer-{release}").glob("*.deb"))
    return files[0] if files else None


def fetch(layout, release):
    """Debian's newest linux-source package of a release, fetched once; returns its
    path. apt verifies its sum. Raises Stop when it cannot be had."""
    kept = _kept(layout, release)
    if kept:
        return kept
    packages.ensure(layout, packages.FOR_TREE, "to fetch the kernel source")
    log, name = layout.log(f"fetch-{release}"), f"linux-source-{release}"
    private = apt.PrivateApt(layout.build / f"apt-{release}", PEERS[release], f"do without Linux {release}")
    with console.stage(f"Fetching {name} from Debian", log):
        private.prepare()
        private.update(log)
        fresh = private.download(name, "", "", log)
    kept = layout.build / "dl" / f"peer-{release}" / fresh.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    os.replace(fresh, kept)
    return kept


def unpack(layout, release):
    """The source of a release under .build/peer; returns its folder."""
    package = fetch(layout, release)
    folder = layout.build / "peer" / release
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == package.name:
        return folder
    need_space(layout, SPACE_GIB, f"Linux {release}")
    remove(folder)
    folder.mkdir(parents=True)
    log = layout.log(f"unpack-{release}")
    with console.stage(f"Unpacking {package.name}", log):
        bases.unpack(package, folder, log, "./dma-owner bench")
    # Nothing is committed there: it has kconfig.kconfig_files() list the files.
    trees.show_new_files(folder)
    git.Git(folder).bytes("init", "-q")
    write_file(folder / ".git" / "info" / "exclude", b"/.out-*/\n")
    write_file(stamp, package.name.encode())
    return folder


def check_config(title, texts, known, config):
    """Stops unless what the fragments ask for and the kernel knows is in its
    configuration."""
    if not known:
        raise Stop(f"{title}: its source has no Kconfig file")
    wanted = {name: value for name, value in kconfig.requested(texts).items()
              if name in known and name not in NO_LONGER_ASKED}
    gone = kconfig.lost(wanted, kconfig.parse(config))
    if gone:
        raise Stop(f"{title} cannot be configured like the others: {', '.join(gone)}")


def build(layout, tree, release, config):
    """Builds a release for x86_64 with a configuration of the series; returns the Build."""
    source = unpack(layout, release)
    fragments = kconfig.fragments(tree.path, "x86_64", config)
    built = kbuild.Build(layout, source, "x86_64", f"x86_64-{config}", fragments, skip_unknown=True, quiet=True,
                         repeat="./dma-owner bench")
    built.configure()
    check_config(built.title, [Path(p).read_text(encoding="utf-8") for p in fragments],
                 kconfig.known_symbols(source), built.config.read_text(encoding="utf-8"))
    built.build()
    return built
