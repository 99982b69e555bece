# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner deb: Debian packages of the patched kernel.

The kernel's own `bindeb-pkg` makes them. The release that the kernel reports,
and with it the package's name, ends in the version of the series, so that the
packages live beside Debian's own kernels. A small package has iommu-groups.
"""

import os
from pathlib import Path

from ground import console, packages, proc
from ground.errors import Stop
from ground.layout import need_space, remove, write_file
from kernel import kbuild, kconfig
from patches import bases, changes, patchmail, trees

ARCH = "x86_64"
SPACE_GIB = 12.0
KEPT = ("linux-image", "linux-headers")
TOOL = "tools/iommu"
CONTROL = f"""Package: iommu-groups
Version: {{version}}
Architecture: amd64
Maintainer: {patchmail.AUTHOR}
Section: admin
Priority: optional
Description: shows IOMMU groups and who owns them
 Lists the IOMMU groups of this machine, their devices and drivers, and the
 owner of each; says why a device cannot be given to userspace, and follows
 changes. It reads what a kernel with DMA ownership shows.
"""
VM = "vm"
SMALL = "queue/give/deb.config"      # over the machines' configuration
OWN = "queue/give/deb-own.config"    # over one of somebody else


def config_file(given, boot=Path("/boot")):
    """The configuration to start from: a file, or that of the running kernel.

    Raises Stop when there is no such file.
    """
    running = boot / f"config-{os.uname().release}"
    path = Path(given).expanduser().resolve() if given else running
    if path.is_file():
        return path
    if given:
        raise Stop(f"deb: {given}: no such file: give the configuration of a kernel")
    raise Stop(f"deb: the running kernel has no {path}: give --config FILE, or --config {VM} for a small kernel")


def local_version(layout):
    """What the kernel's release ends in."""
    return f"-dma-owner{changes.version(layout)}"


def package_version(source, layout):
    """Of the packages: that of the base, and of the series."""
    return f"{source.version}+dmaowner{changes.version(layout)}"


class Deb(kbuild.Build):
    """A kernel in packages; `local`: with the modules alone that are loaded now."""

    def __init__(self, tree, folder, given, local):
        layout = tree.layout
        small = given == VM
        if small:
            seed, fragments = "tinyconfig", kconfig.fragments(tree.path, ARCH, VM) + [layout.root / SMALL]
        else:
            seed, fragments = config_file(given), [layout.root / OWN]
        super().__init__(layout, folder, ARCH, "deb", fragments, quiet=not small, seed=seed,
                         repeat="./dma-owner deb")
        self.local = local

    def configure(self):
        super().configure()
        if self.local:
            with console.stage("Leaving out the modules that are not loaded"):
                self._must(["bash", "-c", 'exec "$@" < <(yes "")', "make", *self.make("localmodconfig")],
                           "configuring", f"config-{self.title}", append=True)

    def package(self, release, version):
        """Has the kernel make its packages; returns those to keep."""
        for old in self.source.glob("*.deb"):
            old.unlink()
        name = f"build-{self.title}"
        with console.stage(f"Building packages of {release}", self.layout.log(name)):
            self._must(self.make("bindeb-pkg", f"LOCALVERSION={local_version(self.layout)}",
                                 f"KDEB_PKGVERSION={version}", "KDEB_CHANGELOG_DIST=UNRELEASED",
                                 "DPKG_FLAGS=-d"), "packing", name)
        kept = [self.source / f"{kind}-{release}_{version}_amd64.deb" for kind in KEPT]
        missing = [path.name for path in kept if not path.is_file()]
        if missing:
            raise Stop(f"the build made no {missing[0]}: see {self.layout.log(name)}")
        return kept


def tool_package(layout, folder, version):
    """Makes the package of iommu-groups, from the kernel tree `folder`; returns its
    path. The program is static: the host may be of another Debian."""
    stage, log = layout.work / "deb-tool", layout.log("build-iommu-groups")
    made = stage.with_name(f"iommu-groups_{version}_amd64.deb")
    remove(stage)
    with console.stage("Building the package of iommu-groups", log):
        proc.must(["make", "-C", folder / TOOL, "LDFLAGS=-static", f"DESTDIR={stage}", "install"], log,
                  "building iommu-groups", "./dma-owner deb")
        write_file(stage / "DEBIAN" / "control", CONTROL.format(version=version).encode())
        proc.must(["dpkg-deb", "--root-owner-group", "--build", stage, made], log,
                  "packing iommu-groups", "./dma-owner deb", append=True)
    return made


def build(tree, source, given, local):
    """Builds; returns [paths in out/deb/], the image's first. Raises Stop with the
    log's name."""
    layout = tree.layout
    packages.ensure(layout, packages.FOR_BUILD + packages.FOR_DEB, "to build Debian packages")
    need_space(layout, SPACE_GIB, "a build of packages")
    side = trees.side_tree(tree, "deb", tree.state().tip)
    release = bases.check_release(side) + local_version(layout)
    built = Deb(tree, side, given, local)
    built.configure()
    out = layout.root / "out" / "deb"
    out.mkdir(parents=True, exist_ok=True)
    kept, version = [], package_version(source, layout)
    for path in (*built.package(release, version), tool_package(layout, side, version)):
        kept.append(out / path.name)
        os.replace(path, kept[-1])
    return kept
