// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does iommu-groups say what ends with the driver that it tells to unbind?
 */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "lib/json.h"
#include "tool.h"
#include "tree.h"

#define DEVICE		"0000:00:17.0"
#define FOLDER		SYS "/devices/pci0000:00/" DEVICE
#define DISK		FOLDER "/ata1/host0/target0:0:0/0:0:0:0/block/sda"
#define OTHER_DISK	SYS "/devices/pci0000:00/0000:00:18.0/block/sdb"
#define VIRTUAL		SYS "/devices/virtual/block"
#define MARKED		"/driver/unbind  # careful\n"

/* A block device of the tree, with its number */
static int make_block(const char *folder, const char *number)
{
	char text[32];

	snprintf(text, sizeof(text), "%s\n", number);
	return tree_file(text, "%s/dev", folder) ? :
	       tree_link(folder, SYS "/dev/block/%s", number) ? :
	       tree_link(folder, SYS "/class/block/%s", strrchr(folder, '/') + 1);
}

static int make_partition(const char *disk, const char *name, const char *number)
{
	char folder[256];

	snprintf(folder, sizeof(folder), "%s/%s", disk, name);
	return tree_file("1\n", "%s/partition", folder) ? :
	       make_block(folder, number);
}

static int make_mount(const char *number, const char *where, const char *source)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "22 1 0:20 / /sys rw shared:5 - sysfs none rw\n"
		 "28 1 %s / %s rw,relatime shared:1 - ext4 %s rw\n",
		 number, where, source);
	return tree_file(text, PROC "/self/mountinfo");
}

FIXTURE(hangs)
{
};

FIXTURE_SETUP(hangs)
{
	ASSERT_EQ(0, tree_new());
	ASSERT_EQ(0, tree_pci(7, DEVICE, "ahci", 0x010601));
	ASSERT_EQ(0, make_block(DISK, "8:0"));
	ASSERT_EQ(0, make_partition(DISK, "sda1", "8:1"));
	ASSERT_EQ(0, make_block(OTHER_DISK, "8:16"));
}

FIXTURE_TEARDOWN(hangs)
{
	EXPECT_EQ(0, tree_remove(TREE));
}

TEST_F(hangs, nothing)
{
	ASSERT_EQ(0, make_mount("8:16", "/", "/dev/sdb"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("/driver/unbind\n"));
	EXPECT_EQ(NULL, strstr(output, "areful"));
}

TEST_F(hangs, partition)
{
	ASSERT_EQ(0, make_mount("8:1", "/", "/dev/sda1"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("is in kernel use by ahci.\n"
			 "Careful: " DEVICE ": / is mounted from it.\n"
			 "To change that"));
	EXPECT_TRUE(said(MARKED));
	EXPECT_EQ(CANNOT, ask("--json --why " DEVICE));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("{\"device\": \"" DEVICE "\", \"text\": \"/ is mounted from it\"}"));
}

/* What VFIO has is in no use of the kernel. */
TEST_F(hangs, nothing_on_vfio)
{
	ASSERT_EQ(0, make_mount("8:1", "/", "/dev/sda1"));
	ASSERT_EQ(0, tree_driver("pci", DEVICE, "vfio-pci"));
	EXPECT_EQ(CAN, ask_why(DEVICE));
	EXPECT_EQ(NULL, strstr(output, "areful"));
}

/* LVM on dm-crypt on md on a partition */
TEST_F(hangs, stack)
{
	ASSERT_EQ(0, make_block(VIRTUAL "/md0", "9:0"));
	ASSERT_EQ(0, tree_link(OTHER_DISK, VIRTUAL "/md0/slaves/sdb"));
	ASSERT_EQ(0, make_block(VIRTUAL "/dm-0", "253:0"));
	ASSERT_EQ(0, tree_link(VIRTUAL "/md0", VIRTUAL "/dm-0/slaves/md0"));
	ASSERT_EQ(0, make_block(VIRTUAL "/dm-1", "253:1"));
	ASSERT_EQ(0, tree_link(VIRTUAL "/dm-0", VIRTUAL "/dm-1/slaves/dm-0"));
	ASSERT_EQ(0, make_mount("253:1", "/srv", "/dev/mapper/vg-srv"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_EQ(NULL, strstr(output, "areful"));
	ASSERT_EQ(0, tree_link(DISK "/sda1", VIRTUAL "/md0/slaves/sda1"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("/srv is mounted from it.\n"));
}

/* A partition of an array */
TEST_F(hangs, partition_of_array)
{
	ASSERT_EQ(0, make_block(VIRTUAL "/md0", "9:0"));
	ASSERT_EQ(0, make_partition(VIRTUAL "/md0", "md0p1", "259:3"));
	ASSERT_EQ(0, tree_link(DISK "/sda1", VIRTUAL "/md0/slaves/sda1"));
	ASSERT_EQ(0, make_mount("259:3", "/srv", "/dev/md0p1"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("/srv is mounted from it.\n"));
}

TEST_F(hangs, swap)
{
	ASSERT_EQ(0, tree_file("Filename Type Size Used Priority\n"
			       "/swapfile file 1 0 -2\n"
			       "/dev/sda1 partition 1 0 -2\n", PROC "/swaps"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("Careful: " DEVICE ": /dev/sda1 is swap space on it.\n"));
}

TEST_F(hangs, swap_on_lvm)
{
	ASSERT_EQ(0, make_block(VIRTUAL "/dm-5", "253:5"));
	ASSERT_EQ(0, tree_file("vg-swap\n", VIRTUAL "/dm-5/dm/name"));
	ASSERT_EQ(0, tree_link(DISK "/sda1", VIRTUAL "/dm-5/slaves/sda1"));
	ASSERT_EQ(0, tree_file("/dev/mapper/vg-swap partition 1 0 -2\n",
			       PROC "/swaps"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("/dev/mapper/vg-swap is swap space on it.\n"));
}

/* btrfs has a number of its own, and names one of its devices. */
TEST_F(hangs, btrfs)
{
	ASSERT_EQ(0, make_mount("0:31", "/home", "/dev/sdb"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_EQ(NULL, strstr(output, "areful"));
	ASSERT_EQ(0, tree_link(OTHER_DISK, SYS "/fs/btrfs/1234-5678/devices/sdb"));
	ASSERT_EQ(0, tree_link(DISK "/sda1", SYS "/fs/btrfs/1234-5678/devices/sda1"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("/home is mounted from it.\n"));
}

/* The head of a drive with several paths is in no device. */
TEST_F(hangs, nvme_with_paths)
{
	const char *subsystem = SYS "/devices/virtual/nvme-subsystem/nvme-subsys0";

	ASSERT_EQ(0, tree_folder(FOLDER "/nvme/nvme0"));
	ASSERT_EQ(0, make_block(SYS "/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1",
				"259:0"));
	ASSERT_EQ(0, make_mount("259:0", "/", "/dev/nvme0n1"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_EQ(NULL, strstr(output, "areful"));
	ASSERT_EQ(0, tree_link(FOLDER "/nvme/nvme0", "%s/nvme0", subsystem));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("/ is mounted from it.\n"));
}

/* A network interface, and what is over it */
static int make_interface(const char *flags)
{
	return tree_file(flags, FOLDER "/net/eth0/flags") ? :
	       tree_link(FOLDER "/net/eth0", SYS "/class/net/eth0");
}

#define ROUTES "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"

TEST_F(hangs, address)
{
	ASSERT_EQ(0, make_interface("0x1003\n"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_EQ(NULL, strstr(output, "areful"));
	ASSERT_EQ(0, tree_file(ROUTES "eth0 0002A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n",
			       PROC "/net/route"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("its network interface eth0 is up and has an address.\n"));
	ASSERT_EQ(0, make_interface("0x1002\n"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_EQ(NULL, strstr(output, "areful"));
}

TEST_F(hangs, default_route)
{
	ASSERT_EQ(0, make_interface("0x1003\n"));
	ASSERT_EQ(0, tree_file(ROUTES "eth0 0002A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"
			       "eth0 00000000 0102A8C0 0003 0 0 0 00000000 0 0 0\n",
			       PROC "/net/route"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("its network interface eth0 has the default route.\n"));
}

#define NO_ADDRESS "00000000000000000000000000000000"

/* Of IPv6, an address of the link alone does not count. */
TEST_F(hangs, ipv6)
{
	ASSERT_EQ(0, make_interface("0x1003\n"));
	ASSERT_EQ(0, tree_file("fe80000000000000021122fffe334455 02 40 20 80 eth0\n",
			       PROC "/net/if_inet6"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_EQ(NULL, strstr(output, "areful"));
	ASSERT_EQ(0, tree_file("20010db8000000000000000000000001 02 40 00 80 eth0\n",
			       PROC "/net/if_inet6"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("eth0 is up and has an address.\n"));
	ASSERT_EQ(0, tree_file(NO_ADDRESS " 00 " NO_ADDRESS " 00 " NO_ADDRESS
			       " 00000400 00000001 00000000 00000003 eth0\n",
			       PROC "/net/ipv6_route"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("eth0 has the default route.\n"));
}

/* A VLAN in a bridge has the address. */
TEST_F(hangs, bridge_over_vlan)
{
	ASSERT_EQ(0, make_interface("0x1003\n"));
	ASSERT_EQ(0, tree_folder(SYS "/class/net/eth0.5"));
	ASSERT_EQ(0, tree_folder(SYS "/class/net/br0"));
	ASSERT_EQ(0, tree_link(SYS "/class/net/eth0.5", FOLDER "/net/eth0/upper_eth0.5"));
	ASSERT_EQ(0, tree_link(SYS "/class/net/br0", SYS "/class/net/eth0.5/upper_br0"));
	ASSERT_EQ(0, tree_file(ROUTES "br0 00000000 0102A8C0 0003 0 0 0 00000000 0 0 0\n",
			       PROC "/net/route"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("its network interface eth0 carries br0, which has the default route.\n"));
}

TEST_F(hangs, console)
{
	ASSERT_EQ(0, tree_file("1\n", FOLDER "/boot_vga"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("it is the graphics card that the machine started with.\n"));
	ASSERT_EQ(0, tree_file("enabled\n", FOLDER "/drm/card0/card0-HDMI-A-1/enabled"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("a screen shows its picture.\n"));
	ASSERT_EQ(0, tree_folder(FOLDER "/graphics/fb0"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("the console is on its screen (fb0).\n"));
	ASSERT_EQ(0, tree_driver("pci", DEVICE, ""));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_EQ(NULL, strstr(output, "areful"));
}

/* A mouse has a few keys; a keyboard has all letters. */
#define INPUT(device, keys) \
	"N: Name=\"x\"\nS: Sysfs=/devices/pci0000:00/" device "/usb1/1-1/input/input3\n" \
	"H: Handlers=kbd event3\nB: KEY=" keys "\n\n"

TEST_F(hangs, keyboard)
{
	ASSERT_EQ(0, tree_file(INPUT("0000:00:18.0", "10000 fffffffffffffffe")
			       INPUT(DEVICE, "70000 0 0 0 0"),
			       PROC "/bus/input/devices"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_EQ(NULL, strstr(output, "areful"));
	ASSERT_EQ(0, tree_file(INPUT(DEVICE, "10000 7 ff9f207ac14057ff fffffffffffffffe"),
			       PROC "/bus/input/devices"));
	EXPECT_EQ(CANNOT, ask_why(DEVICE));
	EXPECT_TRUE(said("Careful: " DEVICE ": a keyboard is on it.\n"));
}

/* What hangs on a sibling counts as well, and its command is marked. */
TEST_F(hangs, sibling)
{
	ASSERT_EQ(0, make_mount("8:1", "/", "/dev/sda1"));
	ASSERT_EQ(0, tree_pci(7, "0000:00:17.1", "vfio-pci", NETWORK_CARD));
	EXPECT_EQ(CANNOT, ask_why("0000:00:17.1"));
	EXPECT_TRUE(said("Careful: " DEVICE ": / is mounted from it.\n"));
	EXPECT_TRUE(said("/" DEVICE MARKED));
}

TEST_HARNESS_MAIN
