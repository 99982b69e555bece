# SPDX-License-Identifier: GPL-2.0-only
"""A newer QEMU than the machine's own, for the virtual machines that ask for one:
Debian's packages of it and of what it needs, unpacked under .build/, not installed."""

import os

from ground import apt, console, packages, proc
from ground.errors import Stop
from ground.layout import remove, write_file

# The variable by which the harness takes it, and what it must be.
VARIABLE, RELEASE = "QEMU_SVA", "11.1"
SUITES = ("trixie", "trixie-backports")
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
# By the loader of its own Debian, as the machine's may be older.
_PROGRAM = b"""#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
usr=${0%/*}/root/usr
export QEMU_MODULE_DIR=$usr/lib/x86_64-linux-gnu/qemu
exec $usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path $usr/lib/x86_64-linux-gnu \\
	$usr/bin/qemu-system-x86_64 -L $usr/share/qemu -L $usr/share/seabios "$@"
"""


def environment(layout):
    """The variable for the harness, the user's own first. Empty, after a line that says
    why, where such a QEMU cannot be had: the harness does without those machines."""
    if os.environ.get(VARIABLE):
        return {VARIABLE: os.environ[VARIABLE]}
    try:
        return {VARIABLE: str(_kept(layout))}
    except Stop as stop:
        console.note(f"no QEMU {RELEASE}: {stop}")
        return {}


def _kept(layout):
    """Path of the program, fetched once. Raises Stop when it cannot be."""
    home = layout.build / "qemu"
    program = home / "qemu-system-x86_64"
    if not program.is_file():
        packages.ensure(layout, packages.FOR_QEMU, f"to unpack QEMU {RELEASE}")
        with console.stage(f"Fetching QEMU {RELEASE} from Debian", layout.log("qemu")):
            _unpack(layout, home)
        write_file(program, _PROGRAM, executable=True)
    return program


def _unpack(layout, home):
    """Makes home/root of the packages. Raises Stop."""
    private = apt.PrivateApt(layout.build / "apt-qemu", SUITES, f"name one in {VARIABLE}")
    private.prepare()
    fresh, log = home / "root.new", layout.log("qemu")
    remove(fresh)
    home.mkdir(parents=True, exist_ok=True)
    argv = ["mmdebstrap", "--variant=extract", "--include=qemu-system-x86",
            f'--aptopt=APT::Default-Release "{SUITES[-1]}"', '--aptopt=APT::Install-Recommends "false"',
            '--aptopt=Acquire::Check-Valid-Until "false"', SUITES[0], fresh, private.home / "sources.list"]
    if proc.logged(argv, log) or not (fresh / _LIBRARIES).is_dir():
        raise Stop(f"Debian's packages of it could not be unpacked: see {log}")
    remove(home / "root")
    os.replace(fresh, home / "root")
