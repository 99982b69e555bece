# SPDX-License-Identifier: GPL-2.0-only
"""Kernel builds: configure, make, install modules.

Each output folder stands directly under its source tree (.out-<arch>-<config>),
so that the compiler sees the same relative paths in every tree and ccache
serves the base and the patched kernel from one store.
"""

import hashlib
import os
import re
import shutil
from pathlib import Path

from ground import console, packages, proc
from ground.errors import Stop
from ground.layout import need_space, one_at_a_time, write_file
from kernel import kconfig

SPACE_GIB = 2.0
CACHED = Path(__file__).with_name("cached-gcc")
IMAGES = {"x86_64": "arch/x86/boot/bzImage", "arm64": "arch/arm64/boot/Image"}
CROSS = {"arm64": "aarch64-linux-gnu-", "powerpc": "powerpc-linux-gnu-", "sparc": "sparc64-linux-gnu-",
         "arm": "arm-linux-gnueabihf-"}
COMPILERS = {"arm64": packages.FOR_ARM64, "powerpc": packages.FOR_POWERPC, "sparc": packages.FOR_SPARC,
             "arm": packages.FOR_ARM}
GOALS = {"x86_64": ("bzImage", "modules"), "arm64": ("Image", "modules")}


def compiler():
    """The compiler's first line, for keys."""
    return proc.call(["gcc", "--version"])[1].decode().partition("\n")[0]


def needed_packages(arch):
    """Packages that a build for `arch` takes."""
    return packages.FOR_BUILD + COMPILERS.get(arch, ())


class Build:
    """One source tree, architecture and configuration.

    `fragments`: paths of the configuration's fragments; `skip_unknown`: leave
    out symbols that the tree does not ask for, for another kernel than theirs; `quiet`:
    without a word about them, and without asking what survived; `seed`: the
    configuration that the fragments are laid over, a goal of make or a file;
    `repeat`: the command that repeats just this, for the line about a failure.
    """

    def __init__(self, layout, source, arch, name, fragments, skip_unknown=False, quiet=False,
                 seed="tinyconfig", repeat="./dma-owner build"):
        self.layout, self.source, self.arch, self.name = layout, Path(source), arch, name
        self.fragments, self.skip_unknown, self.quiet = fragments, skip_unknown, quiet
        self.seed = seed
        self.out = self.source / f".out-{name}"
        self.repeat = repeat

    @property
    def image(self):
        """The bootable kernel, by way of the link under .build/out."""
        return self.layout.work / "out" / self.title / IMAGES[self.arch]

    @property
    def title(self):
        """Name of the build, for the user and for .build/out."""
        return self.name if self.source.name == "tree" else f"{self.name}-{self.source.name}"

    @property
    def modules(self):
        """Where modules_install puts the modules."""
        return self.layout.work / "out" / self.title / "modroot"

    @property
    def config(self):
        """The effective configuration."""
        return self.out / ".config"

    def environment(self):
        """Variables of every make: ccache, and a build that can be repeated. By what the
        compiler says an object depends on, ccache needs no preprocessor, which takes a
        third of a build from nothing."""
        return dict({k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")},
                    LC_ALL="C.UTF-8", CCACHE_DEPEND="1",
                    CCACHE_DIR=str(self.layout.build / "ccache"),
                    CCACHE_BASEDIR=str(self.layout.build),
                    CCACHE_NOHASHDIR="1", CCACHE_MAXSIZE="5G",
                    KBUILD_BUILD_TIMESTAMP="2026-01-01", KBUILD_BUILD_VERSION="1",
                    KBUILD_BUILD_USER="dma-owner", KBUILD_BUILD_HOST="localhost")

    def make(self, *goals):
        """argv of a make in the output folder."""
        cross = CROSS.get(self.arch, "")
        jobs = len(os.sched_getaffinity(0))
        argv = ["make", "-C", str(self.source), f"O={self.out}", f"ARCH={self.arch}",
                f"CC={CACHED} {cross}gcc", "HOSTCC=ccache gcc", "LOCALVERSION=", f"-j{jobs}"]
        return argv + ([f"CROSS_COMPILE={cross}"] if cross else []) + list(goals)

    def _must(self, argv, what, log, append=False):
        proc.must(argv, self.layout.log(log), f"{what} {self.title}", self.repeat,
                  cwd=self.source, env=self.environment(), append=append)

    def _config_key(self, texts):
        """A sum over the seed, the fragments, the Kconfig files and the compiler."""
        seed = self.seed.read_text(encoding="utf-8") if isinstance(self.seed, Path) else self.seed
        checksum = hashlib.sha256(b"\0".join(t.encode() for t in [seed, *texts]))
        compiler = proc.call([CROSS.get(self.arch, "") + "gcc", "--version"])[1]
        checksum.update(compiler)
        for path in kconfig.kconfig_files(self.source):
            stat = path.stat()
            checksum.update(f"{path.relative_to(self.source)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        return checksum.hexdigest()

    def _texts(self):
        """The fragments' texts, without what another kernel does not ask for."""
        texts = [p.read_text(encoding="utf-8") for p in self.fragments]
        if not self.skip_unknown:
            return texts
        unknown = set(kconfig.requested(texts)) - kconfig.known_symbols(self.source)
        return [kconfig.without(t, unknown) for t in texts]

    def configure(self):
        """Makes .config from the seed and the fragments, unless nothing changed.

        Raises Stop naming the options that did not survive, or a path that make cannot take.
        """
        if re.search(r"[\s:]", str(self.source)):
            raise Stop(f"the kernel's make takes no path with a blank or a colon, as {self.layout.root} has: "
                       "move the clone to another folder")
        texts = self._texts()
        key, stamp = self._config_key(texts), self.out / ".dma-owner-config"
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == key and self.config.is_file():
            return
        stamp.unlink(missing_ok=True)
        self.out.mkdir(parents=True, exist_ok=True)
        name, wanted = f"config-{self.title}", kconfig.requested(texts)
        with console.stage(f"Configuring {self.title}", self.layout.log(name)):
            self._merge(wanted, name)
        if not self.quiet:
            self._check_survivors(wanted)
            self._tell_lost()
        write_file(stamp, key.encode())

    def _merge(self, wanted, log):
        """Makes .config of the seed, what is wanted and olddefconfig, for which the last
        word counts; keeps its time when it is the same as before."""
        old = self.config.read_bytes() if self.config.is_file() else None
        times = self.config.stat() if old is not None else None
        if isinstance(self.seed, Path):
            shutil.copyfile(self.seed, self.config)
        else:
            self._must(self.make(self.seed), "configuring", log)
        with open(self.config, "a", encoding="utf-8") as config:
            config.write("\n" + kconfig.compose(wanted))
        self._must(self.make("olddefconfig"), "configuring", log, append=True)
        if old is not None and self.config.read_bytes() == old:
            os.utime(self.config, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _check_survivors(self, wanted):
        gone = kconfig.lost(wanted, kconfig.parse(self.config.read_text(encoding="utf-8")))
        if gone:
            raise Stop(f"{self.title}: these options did not survive olddefconfig: {', '.join(gone)}: "
                       f"mend the fragments in {kconfig.FRAGMENTS}")

    def _tell_lost(self):
        """Says what of the fragments this kernel does not have: it was left out of them."""
        wanted = kconfig.requested([path.read_text(encoding="utf-8") for path in self.fragments])
        gone = kconfig.lost(wanted, kconfig.parse(self.config.read_text(encoding="utf-8")))
        if gone:
            console.note(f"{self.title}: not for this tree, left out: {' '.join(one.split('=')[0] for one in gone)}")

    def build(self):
        """Configures and builds image and modules; returns the image's path. Raises Stop,
        naming the log, when it fails."""
        packages.ensure(self.layout, needed_packages(self.arch), "to build kernels")
        need_space(self.layout, SPACE_GIB, "a kernel build")
        with one_at_a_time(self.out):
            self.configure()
            name = f"build-{self.title}"
            with console.stage(f"Building {self.title}", self.layout.log(name)):
                self._must(self.make(*GOALS[self.arch]), "building", name)
                self._link()
                self._install_modules()
        return self.image

    def module(self, folder):
        """Makes the one module of a folder outside of the kernel's tree, for the kernel
        that was built; returns its path. Raises Stop like build()."""
        own = self.out / f".{folder.name}"
        own.mkdir(exist_ok=True)
        for path in folder.iterdir():
            shutil.copyfile(path, own / path.name)
        name = f"module-{self.title}"
        self._must(self.make(f"M={own}", "modules"), f"building {folder.name} for", name)
        return own / f"{folder.name}.ko"

    def compile(self, *objects):
        """Configures and makes single objects; returns their paths. Raises Stop like
        build()."""
        packages.ensure(self.layout, needed_packages(self.arch), "to build kernels")
        need_space(self.layout, SPACE_GIB, "a kernel build")
        self.configure()
        name = f"build-{self.title}"
        with console.stage(f"Compiling {len(objects)} objects of {self.title}", self.layout.log(name)):
            self._must(self.make(*objects), "compiling", name)
        return [self.out / path for path in objects]

    def _link(self):
        """.build/out/<title> leads to the output folder."""
        link = self.layout.work / "out" / self.title
        link.parent.mkdir(parents=True, exist_ok=True)
        target = os.path.relpath(self.out, link.parent)
        if not link.is_symlink() or os.readlink(link) != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)

    def _install_modules(self):
        """modules_install, when some module is newer than the last one."""
        order = self.out / "modules.order"
        listed = order.read_text(encoding="utf-8").split() if order.is_file() else []
        paths = [self.out / name for name in listed]
        key = "\n".join(f"{path} {path.stat().st_mtime_ns}" for path in paths if path.is_file())
        stamp = self.out / ".dma-owner-modules"
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == key:
            return
        self.modules.mkdir(exist_ok=True)
        if listed:
            self._must(self.make("INSTALL_MOD_STRIP=1", f"INSTALL_MOD_PATH={self.modules}",
                                 "modules_install"), "installing modules of", f"modules-{self.title}")
        write_file(stamp, key.encode())
