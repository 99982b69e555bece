// SPDX-License-Identifier: GPL-2.0-only
/*
 * The script that iommu-groups --plan writes, how devices are called, and what
 * the output looks like.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "lib/json.h"
#include "tool.h"
#include "tool_says.h"
#include "tree.h"

#define CARD		"0000:00:19.0"
#define SIBLING		"0000:00:19.1"
#define DRIVERS		SYS "/bus/pci/drivers"
#define DEVICES		SYS "/bus/pci/devices"

/* The tool's script, run by a shell on the tree instead of /sys */
#define PLAN_ON_TREE(word) \
	"iommu-groups --sysfs " SYS " --proc " PROC " --plan %s 2>&1 | " \
	"sed 's,/sys/," SYS "/,g' | sh -s " word " 2>&1"

static int run_plan(const char *format, const char *devices)
{
	char command[512];

	snprintf(command, sizeof(command), format, devices);
	return WEXITSTATUS(system(command));
}

/* What was written to a file of the tree last */
static bool wrote(const char *text, const char *path)
{
	char content[64] = "";
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	if (!fgets(content, sizeof(content), file))
		content[0] = '\0';
	fclose(file);
	content[strcspn(content, "\n")] = '\0';
	return !strcmp(content, text);
}

FIXTURE(plan)
{
};

/* Two cards in use, and the files that the commands write to */
FIXTURE_SETUP(plan)
{
	ASSERT_EQ(0, tree_new());
	ASSERT_EQ(0, tree_pci(7, CARD, "e1000", NETWORK_CARD));
	ASSERT_EQ(0, tree_pci(7, SIBLING, "8139cp", NETWORK_CARD));
	ASSERT_EQ(0, tree_file("", DRIVERS "/e1000/bind"));
	ASSERT_EQ(0, tree_file("", DRIVERS "/vfio-pci/unbind"));
	ASSERT_EQ(0, tree_file("", DRIVERS "/8139cp/bind"));
}

FIXTURE_TEARDOWN(plan)
{
	EXPECT_EQ(0, tree_remove(TREE));
}

/* All of it, in an order that works */
TEST_F(plan, steps)
{
	EXPECT_EQ(CAN, ask("--plan " CARD));
	EXPECT_TRUE(said("#!/bin/sh\n"));
	EXPECT_TRUE(said("# A program such as QEMU opens /dev/vfio/7 then.\n"));
	EXPECT_TRUE(said("\nset -e\n"
			 "echo " SIBLING " > /sys/bus/pci/devices/" SIBLING "/driver/unbind\n"
			 "echo " CARD " > /sys/bus/pci/devices/" CARD "/driver/unbind\n"
			 "echo vfio-pci > /sys/bus/pci/devices/" CARD "/driver_override\n"
			 "echo " CARD " > /sys/bus/pci/drivers_probe\n"));
	EXPECT_TRUE(said("  echo > /sys/bus/pci/devices/" CARD "/driver_override\n"
			 "  echo " CARD " > /sys/bus/pci/drivers/vfio-pci/unbind\n"
			 "  echo " CARD " > /sys/bus/pci/drivers/e1000/bind\n"
			 "  echo " SIBLING " > /sys/bus/pci/drivers/8139cp/bind\n"
			 "  exit\n"));
	EXPECT_TRUE(said_plain_text());
}

/* A shell takes it: what is not there after it is told. */
TEST_F(plan, run)
{
	EXPECT_EQ(1, run_plan(PLAN_ON_TREE(""), CARD));
	EXPECT_TRUE(wrote(SIBLING, DRIVERS "/8139cp/unbind"));
	EXPECT_TRUE(wrote(CARD, DRIVERS "/e1000/unbind"));
	EXPECT_TRUE(wrote("vfio-pci", DEVICES "/" CARD "/driver_override"));
	EXPECT_TRUE(wrote(CARD, SYS "/bus/pci/drivers_probe"));
	EXPECT_TRUE(wrote("", DRIVERS "/e1000/bind"));
	ASSERT_EQ(0, tree_link(DEVICES "/" CARD, DRIVERS "/vfio-pci/" CARD));
	EXPECT_EQ(0, run_plan(PLAN_ON_TREE(""), CARD));
}

TEST_F(plan, undo)
{
	EXPECT_EQ(0, run_plan(PLAN_ON_TREE("undo"), CARD));
	EXPECT_TRUE(wrote("", DEVICES "/" CARD "/driver_override"));
	EXPECT_TRUE(wrote(CARD, DRIVERS "/vfio-pci/unbind"));
	EXPECT_TRUE(wrote(CARD, DRIVERS "/e1000/bind"));
	EXPECT_TRUE(wrote(SIBLING, DRIVERS "/8139cp/bind"));
	EXPECT_TRUE(wrote("", DRIVERS "/e1000/unbind"));
}

/* Several devices: nothing twice, and no sibling that is given itself */
TEST_F(plan, several)
{
	EXPECT_EQ(CAN, ask("--plan " CARD " 00:19.1 " CARD));
	EXPECT_TRUE(said("set -e\n"
			 "echo " SIBLING " > /sys/bus/pci/devices/" SIBLING "/driver/unbind\n"
			 "echo " CARD " > /sys/bus/pci/devices/" CARD "/driver/unbind\n"
			 "echo vfio-pci > /sys/bus/pci/devices/" CARD "/driver_override\n"
			 "echo " CARD " > /sys/bus/pci/drivers_probe\n"
			 "echo vfio-pci > /sys/bus/pci/devices/" SIBLING "/driver_override\n"
			 "echo " SIBLING " > /sys/bus/pci/drivers_probe\n"
			 "[ -e"));
	EXPECT_TRUE(said("  echo " SIBLING " > /sys/bus/pci/drivers/vfio-pci/unbind\n"));
}

/* What the kernel loses is in it, before the commands. */
TEST_F(plan, warnings)
{
	ASSERT_EQ(0, tree_file("1\n", DEVICES "/" CARD "/boot_vga"));
	EXPECT_EQ(CAN, ask("--plan " CARD));
	EXPECT_TRUE(said("# CAREFUL: " CARD ": it is the graphics card that the machine"));
}

TEST_F(plan, virtual_functions)
{
	ASSERT_EQ(0, tree_link("../0000:00:19.7", DEVICES "/" CARD "/virtfn0"));
	EXPECT_EQ(CAN, ask("--plan " CARD));
	EXPECT_TRUE(said("\necho 0 > /sys/bus/pci/devices/" CARD "/sriov_numvfs\n"
			 "echo " CARD " > /sys/bus/pci/devices/" CARD "/driver/unbind\n"));
	EXPECT_TRUE(said("  echo " CARD " > /sys/bus/pci/drivers/e1000/bind\n"
			 "  echo 1 > /sys/bus/pci/devices/" CARD "/sriov_numvfs\n"));
}

TEST_F(plan, modules)
{
	ASSERT_EQ(0, tree_remove(DRIVERS "/vfio-pci"));
	EXPECT_EQ(CAN, ask("--plan " CARD));
	EXPECT_TRUE(said("\nmodprobe vfio-pci\n"));
}

/* pci-stub takes only what is forced on it. */
TEST_F(plan, former_stub)
{
	ASSERT_EQ(0, tree_driver("pci", CARD, "pci-stub"));
	EXPECT_EQ(CAN, ask("--plan " CARD));
	EXPECT_TRUE(said("  echo pci-stub > /sys/bus/pci/devices/" CARD "/driver_override\n"
			 "  echo " CARD " > /sys/bus/pci/drivers_probe\n"));
}

TEST_F(plan, nothing_to_do)
{
	ASSERT_EQ(0, tree_driver("pci", CARD, "vfio-pci"));
	ASSERT_EQ(0, tree_driver("pci", SIBLING, ""));
	EXPECT_EQ(CAN, ask("--plan " CARD));
	EXPECT_TRUE(said("# Nothing has to be done.\n"));
	EXPECT_EQ(NULL, strstr(output, "echo"));
}

/* What cannot be done is told, and no command is written. */
TEST_F(plan, impossible)
{
	ASSERT_EQ(0, tree_pci(8, "0000:00:1c.0", "pcieport", PCI_BRIDGE));
	EXPECT_EQ(CANNOT, ask("--plan " CARD " 0000:00:1c.0"));
	EXPECT_TRUE(said("iommu-groups: 0000:00:1c.0 is a bridge"));
	EXPECT_EQ(NULL, strstr(output, "echo"));
	ASSERT_EQ(0, tree_process(214, "qemu"));
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	EXPECT_EQ(CANNOT, ask("--plan " CARD));
	EXPECT_EQ(NULL, strstr(output, "echo"));
	EXPECT_EQ(WRONG_OPTIONS, ask("--plan"));
	EXPECT_EQ(WRONG_OPTIONS, ask("--plan 1f.7"));
	EXPECT_EQ(WRONG_OPTIONS, ask("--plan --json " CARD));
}

TEST_F(plan, not_on_pci)
{
	ASSERT_EQ(0, tree_device(9, "amba", SYS "/devices", "fd000000.dma"));
	ASSERT_EQ(0, tree_driver("amba", "fd000000.dma", "dma-pl330"));
	EXPECT_EQ(CAN, ask("--plan fd000000.dma"));
	EXPECT_TRUE(said("set -e\nmodprobe vfio-amba\n"
			 "echo fd000000.dma > /sys/bus/amba/devices/fd000000.dma/driver/unbind\n"
			 "echo vfio-amba > /sys/bus/amba/devices/fd000000.dma/driver_override\n"
			 "echo fd000000.dma > /sys/bus/amba/drivers_probe\n"));
}

/* The way back of a device without a driver */
TEST_F(plan, way_back)
{
	ASSERT_EQ(0, tree_folder(SYS "/class/vfio-dev"));
	ASSERT_EQ(0, tree_driver("pci", SIBLING, ""));
	ASSERT_EQ(0, tree_driver("pci", CARD, ""));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("The kernel does not take it back by itself; to have it do so, as root:\n"
			 "  echo > /sys/bus/pci/devices/" CARD "/driver_override\n"
			 "  echo " CARD " > /sys/bus/pci/drivers_probe\n"));
	EXPECT_EQ(CANNOT, ask("--json --why " CARD));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"commands_back\": [\n    \"echo > /sys"));
}

/* Before there were claims, a driver beside a user stopped the machine. */
TEST_F(plan, way_back_is_not_told_blindly)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, tree_driver("pci", SIBLING, ""));
	ASSERT_EQ(0, tree_driver("pci", CARD, ""));
	ASSERT_EQ(0, tree_file("", PROC "/kallsyms"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("The kernel does not take it back"));
	ASSERT_EQ(0, tree_process(214, "qemu"));
	ASSERT_EQ(0, chmod(PROC "/214/fd", 0));
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(10);
		if (ask_why(CARD) != CANNOT ||
		    !said("it is not bound to vfio-pci.\n"))
			_exit(11);
		_exit(strstr(output, "does not take it back") ? 12 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Names that people have for a device */
TEST_F(plan, names)
{
	static const char * const good[] = {
		CARD, "00:19.0", "0:0:19.0", "pci_0000_00_19_0",
		DEVICES "/" CARD, SYS "/devices/pci0000:00/" CARD,
		DEVICES "/" CARD "/driver_override",
	};
	static const char * const wrong[] = {
		"''", ".", "..", "'" CARD "/driver'", "../" CARD, "/", "/proc",
		"00:19.0.0", "00:20.0", "'00:19.0 '", "0000:00:19.0x",
	};
	size_t i;

	ASSERT_EQ(0, tree_file("", DEVICES "/" CARD "/driver_override"));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(CANNOT, ask_why("%s", good[i]));
		EXPECT_TRUE(said(CARD " cannot be given to userspace"));
	}
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(WRONG_OPTIONS, ask_why("%s", wrong[i]));
		EXPECT_TRUE(said("no device is called"));
	}
}

TEST_F(plan, hints)
{
	EXPECT_EQ(WRONG_OPTIONS, ask_why("00:19"));
	EXPECT_TRUE(said("that is a slot; its functions are:\n"));
	EXPECT_TRUE(said("  " CARD "\n"));
	EXPECT_TRUE(said("  " SIBLING "\n"));
	ASSERT_EQ(0, tree_folder(DEVICES "/" CARD "/net/eth0"));
	ASSERT_EQ(0, tree_link(DEVICES "/" CARD "/net/eth0", SYS "/class/net/eth0"));
	EXPECT_EQ(WRONG_OPTIONS, ask_why("eth0"));
	EXPECT_TRUE(said("eth0 belongs to the device " CARD "\n"));
}

/* A device on another bus: its own paths, and an answer */
TEST_F(plan, platform_device)
{
	ASSERT_EQ(0, tree_device(9, "platform", SYS "/devices/platform", "ffe0000.gpu"));
	ASSERT_EQ(0, tree_device(9, "fsl-mc", SYS "/devices/platform", "dpni.1"));
	ASSERT_EQ(0, tree_driver("platform", "ffe0000.gpu", "vfio-platform"));
	ASSERT_EQ(0, tree_driver("fsl-mc", "dpni.1", "fsl_dpaa2_eth"));
	EXPECT_EQ(CANNOT, ask_why("ffe0000.gpu"));
	EXPECT_TRUE(said("  echo dpni.1 > /sys/bus/fsl-mc/devices/dpni.1/driver/unbind\n"));
	ASSERT_EQ(0, tree_driver("fsl-mc", "dpni.1", ""));
	EXPECT_EQ(CAN, ask_why("ffe0000.gpu"));
	EXPECT_TRUE(said("can be given to userspace: it is bound to vfio-platform, and nothing"));
	ASSERT_EQ(0, tree_device(10, "virtio", SYS "/devices", "virtio3"));
	EXPECT_EQ(CANNOT, ask_why("virtio3"));
	EXPECT_TRUE(said("VFIO has no driver for its bus, virtio.\n"));
}

#define UUID "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"

TEST_F(plan, mediated_device)
{
	ASSERT_EQ(0, tree_device(9, "mdev", DEVICES "/" CARD, UUID));
	ASSERT_EQ(0, tree_driver("mdev", UUID, "vfio_mdev"));
	EXPECT_EQ(CAN, ask_why(UUID));
	EXPECT_TRUE(said("-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/" UUID));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("`- " UUID "  mediated device               vfio_mdev\n"));
	EXPECT_TRUE(said("|- %-36s  network card       8086:100e  e1000\n", CARD));
}

/* A device that is being removed, or of which a copy has no more than the link */
TEST_F(plan, dangling_link)
{
	ASSERT_EQ(0, tree_remove(SYS "/devices/pci0000:00/" SIBLING));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("`- " SIBLING "  PCI device                    -\n"));
	EXPECT_EQ(0, ask("--json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"" SIBLING "\", \"class\": null, \"class_name\": null, \"id\": null, "));
	EXPECT_EQ(CANNOT, ask_why(SIBLING));
	EXPECT_TRUE(said(BLOCKED, SIBLING, CARD, "e1000"));
	ASSERT_EQ(0, tree_remove(DEVICES "/" CARD "/class"));
	ASSERT_EQ(0, tree_remove(DEVICES "/" CARD "/subsystem"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("|- " CARD "  PCI device                    e1000\n"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("it is in kernel use by e1000.\n"));
}

/* Numbers of any length, and hundreds of groups */
TEST_F(plan, hundreds_of_groups)
{
	char bdf[16];
	int i;

	for (i = 0; i < 500; i++) {
		snprintf(bdf, sizeof(bdf), "0001:%02x:%02x.0", i / 32, i % 32);
		ASSERT_EQ(0, tree_pci(i + 600, bdf, "vfio-pci", NETWORK_CARD));
	}
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("Group 7    kernel\n"));
	EXPECT_TRUE(said("Group 1099 free\n"));
	EXPECT_TRUE(said("501 groups: 0 in userspace, 1 in kernel use, 500 free\n"));
}

TEST_HARNESS_MAIN
