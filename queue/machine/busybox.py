# SPDX-License-Identifier: GPL-2.0-only
"""The userland of virtual machines of another architecture: Debian's static
busybox for it, downloaded and unpacked, not installed."""

import os
import shutil

from ground import apt, console, proc
from ground.errors import Stop
from ground.layout import remove

PACKAGE = "busybox-static"


def variable(arch):
    """The environment variable by which the harness takes a busybox."""
    return f"BUSYBOX_{arch}"


def environment(layout, arches):
    """The variables that the harness needs for machines of these architectures,
    the user's own first. Raises Stop when a busybox cannot be had."""
    return {variable(arch): os.environ.get(variable(arch)) or str(_kept(layout, arch))
            for arch in arches if arch != os.uname().machine}


def _kept(layout, arch):
    """Path of the busybox, fetched once."""
    kept = layout.build / "busybox" / arch
    if not kept.is_file():
        with console.stage(f"Fetching {PACKAGE} for {arch} from Debian", layout.log(f"busybox-{arch}")):
            _fetch(layout, arch, kept)
    return kept


def _fetch(layout, arch, kept):
    """Downloads the package, whose sum apt verifies, and takes the program out."""
    log = layout.log(f"busybox-{arch}")
    private = apt.PrivateApt(layout.build / f"apt-{arch}", [apt.codename()],
                             f"set {variable(arch)} to a static busybox for {arch}", arch)
    private.prepare()
    private.update(log)
    package = private.download(PACKAGE, "", "", log)
    unpacked = private.home / "unpacked"
    remove(unpacked)
    proc.must(["dpkg-deb", "-x", package, unpacked], log, f"unpacking {package.name}",
              "./dma-owner test", append=True)
    programs = [p for p in (unpacked / "bin/busybox", unpacked / "usr/bin/busybox") if p.is_file()]
    if not programs:
        raise Stop(f"{package.name} has no busybox in it: set {variable(arch)} to a static one for {arch}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(programs[0], kept.with_suffix(".new"))
    os.replace(kept.with_suffix(".new"), kept)
    remove(package)
