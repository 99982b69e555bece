# SPDX-License-Identifier: GPL-2.0-only
"""Boots the packages of `deb` as an administrator would: installed by dpkg into
Debian, under systemd, with Debian's own tools at work.

The machine is the harness's q35-intel, with the devices of the demo. Inside,
queue/give/debboot.sh says of each thing that it tried "ok" or "not ok".
"""

from ground import apt, console, packages, proc
from ground.layout import remove
from machine import relay, vm

MACHINE = "q35-intel"
SCRIPT = "queue/give/debboot.sh"
INSIDE = ("systemd-sysv", "udev", "kmod", "initramfs-tools", "zstd", "iproute2", "pciutils", "driverctl",
          "qemu-system-x86", "seabios", "libvirt-daemon-system", "libvirt-clients")
ROOT_GIB = 3
SECONDS = 900
UNIT = """[Unit]
Description=What an administrator does with IOMMU groups
After=multi-user.target
[Service]
ExecStart=/usr/local/sbin/debboot.sh
StandardOutput=file:/dev/ttyS1
[Install]
WantedBy=multi-user.target
"""
TITLE = "deb:debian:"


def _hooks(folder, image, tool):
    """argv of mmdebstrap's hooks: the packages, the script, and out with the kernel."""
    copies = (*(f"upload {path} /tmp/{path.name}" for path in (image, tool)),
              f"upload {folder / 'debboot.sh'} /usr/local/sbin/debboot.sh",
              f"upload {folder / 'unit'} /etc/systemd/system/debboot.service")
    inside = (f"dpkg -i /tmp/{image.name} /tmp/{tool.name}", "chmod 755 /usr/local/sbin/debboot.sh",
              "systemctl enable debboot.service")
    release = image.name.split("_")[0].partition("image-")[2]
    out = (f"download /boot/vmlinuz-{release} {folder}/vmlinuz", f"download /boot/initrd.img-{release} {folder}/initrd")
    commands = [*copies, *(f'chroot "$1" {words}' for words in inside), *out]
    return [f"--customize-hook={command}" for command in commands]


def _root(layout, folder, image, tool):
    """Makes Debian with the packages in it: folder/root.img, vmlinuz and initrd."""
    private = apt.PrivateApt(layout.build / "apt-debian", [apt.codename()], "boot the packages by hand")
    private.prepare()
    (folder / "debboot.sh").write_bytes((layout.root / SCRIPT).read_bytes())
    (folder / "unit").write_text(UNIT, encoding="utf-8")
    root, log = folder / "root.img", layout.log("debian")
    remove(root)
    argv = ["mmdebstrap", "--variant=minbase", "--format=ext2", f"--include={','.join(INSIDE)}",
            *_hooks(folder, image, tool), apt.codename(), root, private.home / "sources.list"]
    with console.stage(f"Installing {image.name} into Debian", log):
        proc.must(argv, log, "making a Debian", "./dma-owner deb --boot")
        proc.must(["truncate", "-s", f"{ROOT_GIB}G", root], log, "growing", "./dma-owner deb --boot", append=True)
        proc.must(["resize2fs", "-f", root], log, "growing", "./dma-owner deb --boot", append=True)


def _qemu(tree, folder):
    """argv that boots the root; the results come on standard output."""
    words = ("root=/dev/vda rw console=ttyS0 intel_iommu=on no_timer_check "
             "panic=-1 oops=panic panic_on_warn=1 systemd.show_status=0")
    disk = f"file={folder / 'root.img'},if=virtio,format=raw,snapshot=on"
    return [*relay.command(vm.command(tree, MACHINE), folder / "vmlinuz", folder / "initrd", words,
                           folder / "console.log", seconds=SECONDS, memory="2048"), "-drive", disk]


def boot(tree, image, tool, report):
    """Installs the packages of the kernel and of iommu-groups, boots, and reports
    what was tried; a machine that does not come to its end is a failure.

    Raises Stop when Debian cannot be made.
    """
    layout = tree.layout
    packages.ensure(layout, packages.FOR_DEBIAN + packages.FOR_BOOT["x86_64"], "to boot the packages in Debian")
    folder = layout.work / "debian"
    folder.mkdir(parents=True, exist_ok=True)
    _root(layout, folder, image, tool)
    log = folder / "console.log"
    heard = relay.Relay(report, TITLE, log)
    with console.stage(f"Booting Debian with {image.name}", log):
        proc.streamed(_qemu(tree, folder), heard.take, layout.log("debian-qemu"))
    heard.end()
