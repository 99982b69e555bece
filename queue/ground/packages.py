# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages that a verb lacks: found with dpkg-query, installed with apt."""

import os
import shutil
import threading

from ground import console, proc
from ground.errors import Stop

FOR_TREE = ("git", "ca-certificates", "xz-utils")
FOR_BUILD = ("gcc", "make", "flex", "bison", "bc", "libc6-dev", "libelf-dev", "libssl-dev",
             "ccache", "cpio", "kmod", "rsync", "xz-utils", "perl")
FOR_ARM64 = ("gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross")
FOR_POWERPC = ("gcc-powerpc-linux-gnu",)
FOR_SPARC = ("gcc-sparc64-linux-gnu",)
FOR_ARM = ("gcc-arm-linux-gnueabihf",)
FOR_BOOT = {"x86_64": ("qemu-system-x86", "busybox-static", "cpio"),
            "arm64": ("qemu-system-arm", "cpio")}
FOR_TOOL = ("gcc", "make", "libc6-dev")
FOR_STOCK = ("kmod", "cpio")
FOR_DEB = ("dpkg-dev", "fakeroot")
# The kernel's own packaging works with these from 6.12 on.
FOR_NEWER_DEB = ("debhelper",)
FOR_QEMU = ("mmdebstrap",)
FOR_DEBIAN = ("mmdebstrap", "genext2fs", "e2fsprogs")
FOR_CHECK = ("quilt", "patch", "sparse", "codespell", "shellcheck", "pyflakes3",
             "perl")
# The kernel's conf.py of Sphinx asks fc-list for fonts.
FOR_DOCS = ("python3-sphinx", "fontconfig", "groff-base", "perl")
# spin turns the model of DMA ownership into a C program, which gcc compiles.
FOR_MODEL = ("spin", "gcc", "libc6-dev")
FOR_BENCH = ("dwarves",)
FOR_KABI = ("abigail-tools",)

_GUARD = threading.Lock()
APT = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=300")


def missing(names):
    """Those of `names` that are not installed."""
    argv = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names]
    _, out, _ = proc.call(argv)
    have = {line.split()[0] for line in out.decode().splitlines()
            if line.endswith(" installed")}
    return [name for name in dict.fromkeys(names) if name not in have]


def _privileged(argv):
    """argv, through sudo when not root."""
    if os.geteuid() == 0:
        return list(argv)
    if not shutil.which("sudo"):
        raise Stop("packages are missing and there is no sudo; as root run: " + proc.quoted(argv))
    return ["sudo", *argv]


def _known(names):
    """Whether apt has a candidate for each of the packages."""
    for name in names:
        _, out, _ = proc.call(["apt-cache", "policy", name])
        if b"Candidate:" not in out or b"Candidate: (none)" in out:
            return False
    return True


def ensure(layout, names, why):
    """Installs those of `names` that are missing, after one line that says which and why.

    Raises Stop when apt cannot install them.
    """
    with _GUARD:
        absent = missing(names)
        if absent:
            _install(layout, absent, why)


def _install(layout, absent, why):
    """ensure() of packages that are missing."""
    console.note(f"Installing {' '.join(absent)} ({why})")
    log = layout.log("packages")
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = _privileged(["env", "DEBIAN_FRONTEND=noninteractive", *APT, "install", "-y",
                           "--no-install-recommends", *absent])
    update = _privileged([*APT, "update"])
    with console.stage("Installing packages", log):
        fresh = not _known(absent)
        if fresh:
            proc.logged(update, log, env=env)
        status = proc.logged(install, log, env=env, append=fresh)
        if status and not fresh:    # the lists may be stale
            proc.logged(update, log, env=env)
            status = proc.logged(install, log, env=env, append=True)
    if status:
        raise Stop(f"apt could not install {' '.join(absent)}: see {log}; "
                   f"to repeat: {proc.quoted(install)}")
