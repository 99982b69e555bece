# SPDX-License-Identifier: GPL-2.0-only
"""The kernel that the series applies to: pinned packages, or BASE=path."""

import configparser
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ground import apt, console, git, packages, proc
from ground.errors import Stop
from ground.layout import MAIN, remove


@dataclass(frozen=True)
class Pin:
    """A section of the file `base`."""
    name: str
    package: str
    version: str
    suite: str
    sha256: str
    file: str = ""      # the tarball of a source package; else a binary package

    @property
    def ident(self):
        """Identity of the content."""
        return f"{self.package} {self.version} {self.sha256}"

    @property
    def title(self):
        """For the user."""
        return f"{self.package} {self.version}"


def pins(layout):
    """The sections of `base`, by name. Raises Stop on a malformed file."""
    parser = configparser.ConfigParser()
    try:
        parser.read_string((layout.home / "base").read_text(encoding="utf-8"))
        by_name = {}
        for name in parser.sections():
            part = parser[name]
            package = part.get("package") or part["source"]
            by_name[name] = Pin(name, package, part["version"], part["suite"],
                              part["sha256"].lower(), part.get("file", ""))
        by_name["primary"]    # pylint: disable=pointless-statement
        return by_name
    except (OSError, configparser.Error, KeyError) as error:
        raise Stop(f"the file {layout.shown(layout.home / 'base')} cannot be read ({error}): restore it from git") from None


def sha256_of(path):
    """Hex sha256 of a file."""
    checksum = hashlib.sha256()
    with open(path, "rb") as data:
        while block := data.read(1 << 20):
            checksum.update(block)
    return checksum.hexdigest()


def fetch(layout, pin):
    """The pinned file, fetched once and verified by its sum; returns its path.

    Raises Stop when it cannot be fetched, and with both sums when they differ.
    """
    kept = layout.build / "dl" / pin.sha256[:12] / (pin.file or f"{pin.package}_{pin.version}.deb")
    if kept.is_file():
        return kept
    packages.ensure(layout, packages.FOR_TREE, "to fetch the kernel source")
    log = layout.log(f"fetch-{pin.name}")
    private = apt.PrivateApt(layout.cache / "apt", dict.fromkeys(
        p.suite for p in pins(layout).values()), "give a kernel tree or tarball with BASE=path")
    with console.stage(f"Fetching {pin.title} ({pin.suite}) from Debian", log):
        private.prepare()
        private.update(log)
        fresh = private.download(pin.package, pin.version, pin.file, log)
        actual = sha256_of(fresh)
    if actual != pin.sha256:
        remove(fresh)
        raise Stop(f"{fresh.name} has sha256 {actual}, `base` pins {pin.sha256}: "
                   "nothing was used; run again, or mend `base` if it is wrong")
    kept.parent.mkdir(parents=True, exist_ok=True)
    os.replace(fresh, kept)
    return kept


def tar_source(path):
    """A shell pipe that writes the kernel's tar, uncompressed, to stdout: a .deb is
    unwrapped first."""
    quoted = proc.quoted([path])
    if str(path).endswith(".deb"):
        return (f"dpkg-deb --fsys-tarfile {quoted} | "
                "tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | xz -dc")
    if str(path).endswith(".xz"):
        return f"xz -dc {quoted}"
    if str(path).endswith((".gz", ".tgz")):
        return f"gzip -dc {quoted}"
    if str(path).endswith(".bz2"):
        return f"bzip2 -dc {quoted}"
    if str(path).endswith(".zst"):
        return f"zstd -dc {quoted}"
    return f"cat {quoted}"


def shell(script, log, what, repeat, **options):
    """Runs a bash script with pipefail, or stops naming the log."""
    proc.must(["bash", "-o", "pipefail", "-c", script], log, what, repeat, **options)


def unpack(path, folder, log, repeat):
    """Unpacks a tarball or a package of Debian's into an empty folder."""
    script = f"{tar_source(path)} | tar -x --strip-components=1 -C {proc.quoted([folder])}"
    shell(script, log, f"unpacking {path.name}", repeat)


TREE_GIB = 4.0


class PinnedSource:
    """The primary pin. A source of a kernel has `ident` (content), `title`, `version`
    (of packages made of it) and `gib` (what a tree of it takes, in GiB), and can be
    fetched and unpacked."""
    gib = TREE_GIB

    def __init__(self, layout, pin):
        self.layout, self.pin = layout, pin
        self.title, self.version = pin.title, pin.version

    @property
    def ident(self):
        """Identity of the content."""
        return self.pin.ident

    def fetch(self):
        """Fetches the file that unpack() reads. Raises Stop when it cannot be had."""
        fetch(self.layout, self.pin)

    def unpack(self, folder, log):
        """Unpacks the kernel into an empty folder."""
        unpack(fetch(self.layout, self.pin), folder, log, self.layout.typed("tree"))


class TarballSource:
    """BASE=tarball."""
    gib = TREE_GIB

    def __init__(self, path):
        self.path = path
        self.ident = f"tarball {sha256_of(path)}"
        self.title, self.version = str(path), "1"

    def fetch(self):
        """It is there."""

    def unpack(self, folder, log):
        """Unpacks the kernel into an empty folder."""
        unpack(self.path, folder, log, f"BASE={self.path} ./dma-owner tree")


class FolderSource:
    """BASE=tree: its tracked files when it is a git tree, else all files."""
    gib = TREE_GIB

    def __init__(self, path):
        self.path = path
        self.title, self.version = str(path), "1"
        self.files = self._list()
        checksum = hashlib.sha256()
        for name in self.files:
            stat = os.lstat(path / name)
            checksum.update(f"{name}\0{stat.st_size} {stat.st_mtime_ns} {stat.st_mode}\n"
                         .encode("utf-8", "surrogateescape"))
        self.ident = f"folder {checksum.hexdigest()}"

    def _list(self):
        """Relative paths that make up the tree, sorted."""
        if (self.path / ".git").exists():
            raw = git.Git(self.path).bytes("ls-files", "-z")
            names = set(raw.decode("utf-8", "surrogateescape").split("\0")) - {""}
            return sorted(n for n in names if os.path.lexists(self.path / n))
        paths = []
        for top, folders, files in os.walk(self.path):
            folders[:] = [f for f in folders if f != ".git"]
            links = [f for f in folders if os.path.islink(os.path.join(top, f))]
            paths += [os.path.relpath(os.path.join(top, f), self.path) for f in files + links]
        return sorted(paths)

    def fetch(self):
        """It is there."""

    def unpack(self, folder, log):
        """Copies the kernel into an empty folder."""
        names = log.with_suffix(".files")
        names.parent.mkdir(parents=True, exist_ok=True)
        names.write_bytes(b"\0".join(os.fsencode(n) for n in self.files))
        source, target, listed = (proc.quoted([p]) for p in (self.path, folder, names))
        shell(f"tar -C {source} --null --no-recursion --verbatim-files-from -T {listed} -c | "
              f"tar -x -C {target}", log, f"copying {self.path}", f"BASE={self.path} ./dma-owner tree")


def release(folder):
    """The three numbers of the kernel in a folder, as text. Stop when there is none."""
    try:
        text = (Path(folder) / "Makefile").read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise Stop(f"{folder} is no kernel tree: it has no Makefile") from None
    matches = [re.search(rf"^{key} *= *(\d+)", text, re.M)
             for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    return tuple(m.group(1) if m else "?" for m in matches)


def check_release(layout, folder):
    """Stops unless the folder holds the series' kernel; returns e.g. '5.10.262'."""
    numbers = release(folder)
    if ".".join(numbers[:2]) != layout.release:
        raise Stop(f"the base is Linux {'.'.join(numbers)}, the series is for {layout.release}.y: "
                   "give another one with BASE=path, or another series with --port")
    return ".".join(numbers)


def port(layout, name):
    """The Layout of a port. Raises Stop when there is none of this name."""
    if name not in layout.ports():
        raise Stop(f"there is no port {name}: there are {', '.join(layout.ports()) or 'none'}, and without one it is "
                   f"the series for {MAIN}")
    return layout.for_port(name)


def choose_port(layout, name=None):
    """The Layout of the series for this run: of the port that is named here or in BASE,
    else the given one. Raises Stop like port(), and when both name one."""
    given = os.environ.get("BASE")
    in_base = given if given in layout.ports() else None
    if name and in_base and name != in_base:
        raise Stop(f"--port {name} and BASE={in_base} are two series: give one of them")
    wanted = in_base if name is None else name
    return layout if wanted is None else port(layout, wanted)


def main_only(layout, what, why):
    """Stops when the series is a port, and `what` does not work with one."""
    if layout.port:
        raise Stop(f"{what} is for Linux {MAIN} alone, not for ports/{layout.port}: {why}")


def pinned(layout):
    """The source that the file `base` pins."""
    return PinnedSource(layout, pins(layout)["primary"])


def choose(layout):
    """(layout, source) for this run: the pin, or what BASE=path names."""
    given = os.environ.get("BASE")
    if not given or given == layout.port:
        return layout, pinned(layout)
    path = Path(given).expanduser().resolve()
    if path.is_dir():
        check_release(layout, path)
        source = FolderSource(path)
    elif path.is_file():
        source = TarballSource(path)
    else:
        raise Stop(f"BASE={given}: no such file or folder, nor one of the ports {', '.join(layout.ports())}")
    console.note(f"Base: {source.title} (from BASE=), not the pinned {pins(layout)['primary'].title}")
    return layout.for_base(hashlib.sha256(source.ident.encode()).hexdigest()[:12]), source
