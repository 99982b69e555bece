# SPDX-License-Identifier: GPL-2.0-only
"""./dma-owner deb: Debian packages of the patched kernel.

The kernel's own `bindeb-pkg` makes them. The release that the kernel reports,
and with it the package's name, ends in the version of the series, so that the
packages live beside Debian's own kernels. A small package has iommu-groups,
which any kernel will do for: `deb --tool` makes it alone.
"""

import os
from pathlib import Path

from ground import console, packages, proc
from ground.errors import Stop
from ground.layout import need_space, remove, write_file
from kernel import kbuild, kconfig, kernels
from patches import bases, changes, patchmail, trees

ARCH = "x86_64"
SPACE_GIB = 12.0
KEPT = ("linux-image", "linux-headers")
TOOL = "tools/iommu"
CONTROL = f"""Package: iommu-groups
Version: {{version}}
Architecture: {{arch}}
Maintainer: {patchmail.AUTHOR}
Section: admin
Priority: optional
Description: shows IOMMU groups and who has them
 Lists the IOMMU groups of this machine, their devices and drivers, and who
 has each; says why a device cannot be given to userspace and what would
 change that, and follows changes. It works on any kernel, and needs no
 library; where the kernel has DMA ownership it also tells the owners.
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
            seed, fragments = "tinyconfig", [*kconfig.fragments(tree.shared, ARCH, VM), layout.root / SMALL]
        else:
            seed, fragments = config_file(given), [layout.root / OWN]
        super().__init__(layout, folder, ARCH, "deb", [*fragments, *kernels.own_fragments(layout)], quiet=not small,
                         skip_unknown=bool(layout.port), seed=seed, repeat=layout.typed("deb"))
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


def architecture():
    """What dpkg calls this machine's architecture, for which the compiler builds."""
    return proc.call(["dpkg", "--print-architecture"])[1].decode().strip()


def install_tool(layout, folder, repeat):
    """Builds iommu-groups of the kernel tree `folder` without touching that, and installs
    it as its Makefile does; returns where its / is. The program is static: the host may
    be of another Debian. Raises Stop with the log's name; `repeat`: the command."""
    stage, objects, log = layout.work / "deb-tool", layout.work / "deb-tool-build", layout.log("build-iommu-groups")
    for fresh in (stage, objects):
        remove(fresh)
    objects.mkdir(parents=True)
    with console.stage("Building iommu-groups", log):
        proc.must(["make", "-C", folder / TOOL, f"OUTPUT={objects}/", "LDFLAGS=-static", f"DESTDIR={stage}", "install"],
                  log, "building iommu-groups", repeat)
    return stage


def tool_package(layout, folder, version, repeat="./dma-owner deb"):
    """Makes the package of iommu-groups, from the kernel tree `folder`; returns its path.
    Raises Stop like install_tool()."""
    arch = architecture()
    stage, log = install_tool(layout, folder, repeat), layout.log("pack-iommu-groups")
    made = stage.with_name(f"iommu-groups_{version}_{arch}.deb")
    write_file(stage / "DEBIAN" / "control", CONTROL.format(version=version, arch=arch).encode())
    proc.must(["dpkg-deb", "--root-owner-group", "--build", stage, made], log, "packing iommu-groups", repeat)
    return made


def _keep(layout, made):
    """Moves packages to out/deb/; returns their paths there."""
    out = layout.out / "deb"
    out.mkdir(parents=True, exist_ok=True)
    for path in made:
        os.replace(path, out / path.name)
    return [out / path.name for path in made]


def build_tool(tree, source):
    """Builds the package of iommu-groups alone; returns its path in out/deb/. Raises
    Stop with the log's name."""
    layout = tree.layout
    packages.ensure(layout, packages.FOR_TOOL, "to build iommu-groups")
    made = tool_package(layout, tree.path, package_version(source, layout), layout.typed("deb --tool"))
    return _keep(layout, [made])[0]


def needed_packages(layout):
    """Packages that a build takes."""
    return packages.FOR_BUILD + packages.FOR_DEB + (packages.FOR_NEWER_DEB if layout.port else ())


def build(tree, source, given, local):
    """Builds; returns [paths in out/deb/], the image's first. Raises Stop with the
    log's name."""
    layout = tree.layout
    packages.ensure(layout, needed_packages(layout), "to build Debian packages")
    need_space(layout, SPACE_GIB, "a build of packages")
    side = trees.side_tree(tree, "deb", tree.state().tip)
    release = bases.check_release(layout, side) + local_version(layout)
    built = Deb(tree, side, given, local)
    built.configure()
    version = package_version(source, layout)
    return _keep(layout, [*built.package(release, version), tool_package(layout, side, version)])
