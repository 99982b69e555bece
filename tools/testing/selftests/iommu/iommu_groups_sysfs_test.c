// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tool iommu-groups on a sysfs that the test wrote: what no machine here shows.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "lib/json.h"
#include "lib/private.h"
#include "tool.h"
#include "tool_says.h"
#include "tree.h"

/* A sysfs like that of a kernel that does not tell owners: one group. */
#define OLD		"/tmp/iommu-groups-old"
#define OLD_GROUP	OLD "/kernel/iommu_groups/7"
#define OLD_DEVICES	OLD_GROUP "/devices"

static int make_old_sysfs(void)
{
	return tree_folder(OLD "/class/iommu/dmar0") ? :
	       tree_folder(OLD "/bus/pci/drivers/vfio-pci") ? :
	       tree_folder(OLD "/bus/platform/drivers/vfio-platform") ? :
	       tree_link("../drivers/e1000e", OLD_DEVICES "/0000:00:19.1/driver") ? :
	       tree_file("DMA\n", OLD_GROUP "/type") ? :
	       tree_file("", OLD_DEVICES "/0000:00:19.0/config") ? :
	       tree_file("", OLD_DEVICES "/0000:00:19.1/config") ? :
	       tree_file("0x020000\n", OLD_DEVICES "/0000:00:19.0/class") ? :
	       tree_file("0x020000\n", OLD_DEVICES "/0000:00:19.1/class");
}

/* A kernel without the files: less to tell, and it says so. */
TEST(old_kernel)
{
	ASSERT_EQ(0, system("rm -rf " OLD));
	ASSERT_EQ(0, make_old_sysfs());
	EXPECT_EQ(0, tool("--sysfs " OLD));
	EXPECT_TRUE(said("Group 7   owner not told\n"));
	EXPECT_TRUE(said("`- 0000:00:19.1  network card       0000:0000  e1000e\n1 group\n"));
	EXPECT_TRUE(said("note: this kernel does not tell who owns a group"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why 00:19.0"));
	EXPECT_TRUE(said(BLOCKED, "0000:00:19.0", "0000:00:19.1",
			 "e1000e"));
	ASSERT_EQ(0, unlink(OLD_DEVICES "/0000:00:19.1/driver"));
	ASSERT_EQ(0, symlink("../drivers/vfio-pci",
			     OLD_DEVICES "/0000:00:19.0/driver"));
	EXPECT_EQ(CAN, tool("--sysfs " OLD " --why 00:19.0"));
	EXPECT_TRUE(said("whether a process has it already, this kernel does not tell.\n"));
	EXPECT_EQ(0, tool("--sysfs " OLD " --json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"owner\": null, \"claims\": null, \"task\": null"));
	EXPECT_EQ(0, system("rm -rf " OLD));
}

/* Whatever a table has in it, JSON is text: here a name that no kernel wrote. */
TEST(foreign_table)
{
	ASSERT_EQ(0, system("rm -rf " OLD));
	ASSERT_EQ(0, make_old_sysfs());
	ASSERT_EQ(0, tree_file("group owner task domain device driver claim\n"
			       "7 user \"\303\251\377\303\"[1] DMA 0000:00:19.0 - -\n",
			       OLD "/kernel/debug/iommu/groups"));
	EXPECT_EQ(0, tool("--sysfs " OLD " --json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"task\": \"\\\"\303\251\\\\377\\\\303\\\"[1]\", "));
	EXPECT_EQ(0, system("rm -rf " OLD));
}

/*
 * The same sysfs of a kernel that tells owners, as anybody can read it, with a
 * private group: a driver attached 0000:00:19.1.
 */
#define FREE		"0000:00:19.0"
#define ATTACHED	"0000:00:19.1"
#define OTHER		"0000:00:19.2"

/* A reader finds the old text or the new one. */
static int set_owner(const char *owner, const char *count)
{
	int ret;

	ret = tree_file(count, OLD_GROUP "/dma_owner_count") ? :
	      tree_file(owner, OLD "/new");
	return ret ? ret : rename(OLD "/new", OLD_GROUP "/dma_owner");
}

static int set_driver(const char *bdf, const char *driver)
{
	char link[96], target[96];

	snprintf(link, sizeof(link), OLD_DEVICES "/%s/driver", bdf);
	snprintf(target, sizeof(target), "../drivers/%s", driver);
	unlink(link);
	return symlink(target, link) ? -errno : 0;
}

static int add_device(const char *bdf, const char *driver)
{
	char path[96];

	snprintf(path, sizeof(path), OLD_DEVICES "/%s", bdf);
	return mkdir(path, 0755) ? -errno : set_driver(bdf, driver);
}

/* The table of the group: owner, task and domain, and two claims. */
static int write_table(const char *owner, const char *attached, const char *other)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "group owner   task            domain    device       driver       claim\n"
		 "7     %s " FREE " -            -\n"
		 "%40s" ATTACHED " " PRIVATE_DOMAIN_DRIVER " %s\n"
		 "%40s" OTHER " other-driver %s\n", owner, "", attached, "", other);
	return tree_file(text, OLD "/kernel/debug/iommu/groups");
}

/* The same of a private group */
static int make_table(const char *attached, const char *other)
{
	return write_table("private modprobe[214](exited) unmanaged", attached, other);
}

FIXTURE(private)
{
};

FIXTURE_SETUP(private)
{
	ASSERT_EQ(0, system("rm -rf " OLD));
	ASSERT_EQ(0, make_old_sysfs());
	ASSERT_EQ(0, set_owner("private\n", "1\n"));
	ASSERT_EQ(0, set_driver(ATTACHED, PRIVATE_DOMAIN_DRIVER));
}

FIXTURE_TEARDOWN(private)
{
	EXPECT_EQ(0, system("rm -rf " OLD));
}

/* It is the kernel's, whatever its default domain is. */
TEST_F(private, list)
{
	ASSERT_EQ(0, tree_file("identity\n", OLD_GROUP "/type"));
	EXPECT_EQ(0, tool("--sysfs " OLD));
	EXPECT_TRUE(said_plain_text());
	EXPECT_TRUE(said("Group 7   kernel, a domain of " PRIVATE_DOMAIN_DRIVER "\n"));
	EXPECT_TRUE(said("1 group: 0 in userspace, 1 in kernel use, 0 free\n"));
}

/* One of two drivers attached its device: the table tells which. */
TEST_F(private, list_of_several)
{
	ASSERT_EQ(0, add_device(OTHER, PRIVATE_DOMAIN_DRIVER));
	EXPECT_EQ(0, tool("--sysfs " OLD));
	EXPECT_TRUE(said("Group 7   kernel, a domain of " PRIVATE_DOMAIN_DRIVER "\n"));
	ASSERT_EQ(0, set_driver(OTHER, "other-driver"));
	EXPECT_EQ(0, tool("--sysfs " OLD));
	EXPECT_TRUE(said("Group 7   kernel, a domain of a driver\n"));
	ASSERT_EQ(0, make_table("-", "private"));
	EXPECT_EQ(0, tool("--sysfs " OLD));
	EXPECT_TRUE(said("Group 7   kernel, a domain of other-driver\n"));
}

/* Whether the claim is "kernel" or "private", the device keeps users away. */
TEST_F(private, json)
{
	EXPECT_EQ(0, tool("--sysfs " OLD " --json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("{\"group\": 7, \"owner\": \"private\", \"claims\": 1, \"task\": null, "));
	ASSERT_EQ(0, add_device(OTHER, "other-driver"));
	ASSERT_EQ(0, make_table("private", "kernel"));
	EXPECT_EQ(0, tool("--sysfs " OLD " --json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"owner\": \"private\", \"claims\": 1, \"task\": "));
	EXPECT_TRUE(said("\"modprobe[214]\", \"task_exited\": true, "));
	EXPECT_TRUE(said("\"domain\": \"unmanaged\""));
	EXPECT_TRUE(said("\"driver\": null, \"claim\": false, "));
	EXPECT_TRUE(said("\"driver\": \"" PRIVATE_DOMAIN_DRIVER "\", \"claim\": true, "));
	EXPECT_TRUE(said("\"driver\": \"other-driver\", \"claim\": true, "));
}

/* What keeps users from the device keeps drivers from it as well. */
TEST_F(private, why_device_without_driver)
{
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said(PRIVATE_FOR_BOTH, FREE, 7, PRIVATE_DOMAIN_DRIVER, ATTACHED));
	EXPECT_TRUE(said("To change that, as root:\n"
			 "  echo %s > /sys/bus/pci/devices/%s/driver/unbind\n"
			 "  echo vfio-pci > /sys/bus/pci/devices/" FREE "/driver_override\n",
			 ATTACHED, ATTACHED));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --json --why " FREE));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"possible\": false,\n"));
}

/* One command helps, and then nothing is in the way. */
TEST_F(private, why_device_of_vfio)
{
	ASSERT_EQ(0, set_driver(FREE, "vfio-pci"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said(PRIVATE "To change that, as root:\n"
			 "  echo %s > /sys/bus/pci/devices/%s/driver/unbind\n",
			 FREE, 7, PRIVATE_DOMAIN_DRIVER, ATTACHED, ATTACHED,
			 ATTACHED));
	EXPECT_EQ(NULL, strstr(output, "driver_override"));
	ASSERT_EQ(0, set_owner("none\n", "0\n"));
	EXPECT_EQ(CAN, tool("--sysfs " OLD " --why " FREE));
}

/* The device itself changes its driver last. */
TEST_F(private, why_attached_device)
{
	ASSERT_EQ(0, set_owner("private\n", "2\n"));
	ASSERT_EQ(0, set_driver(FREE, PRIVATE_DOMAIN_DRIVER));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " ATTACHED));
	EXPECT_TRUE(said(PRIVATE "To change that, as root:\n"
			 "  echo %s > /sys/bus/pci/devices/%s/driver/unbind\n"
			 "  echo %s > /sys/bus/pci/devices/%s/driver/unbind\n"
			 "  echo vfio-pci > /sys/bus/pci/devices/" ATTACHED "/driver_override\n",
			 ATTACHED, 7, PRIVATE_DOMAIN_DRIVER, FREE " and 1 more", FREE,
			 FREE, ATTACHED, ATTACHED));
}

/* Neither is a platform device left out, nor is it called possible. */
TEST_F(private, why_device_not_on_pci)
{
	ASSERT_EQ(0, set_driver(ATTACHED, "pci-stub"));
	ASSERT_EQ(0, add_device("54200000.dc", "tegra-dc"));
	ASSERT_EQ(0, add_device("54240000.dc", "vfio-platform"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why 54240000.dc"));
	EXPECT_TRUE(said(PRIVATE, "54240000.dc", 7, "tegra-dc", "54200000.dc"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why 54200000.dc"));
	EXPECT_TRUE(said(PRIVATE "To change that, as root:\n"
			 "  echo 54200000.dc > /sys/bus/platform/devices/54200000.dc/driver/unbind\n"
			 "  echo vfio-platform > /sys/bus/platform/devices/54200000.dc/driver_override\n"
			 "  echo 54200000.dc > /sys/bus/platform/drivers_probe\n",
			 "54200000.dc", 7, "tegra-dc", "54200000.dc"));
}

/* Nobody is told to unbind a driver that is not in the way. */
TEST_F(private, why_unclear_without_table)
{
	ASSERT_EQ(0, add_device(OTHER, "other-driver"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said("on a domain of a driver; run as root to see which devices"));
	EXPECT_EQ(NULL, strstr(output, "unbind"));
	ASSERT_EQ(0, set_owner("private\n", "2\n"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said(PRIVATE_FOR_BOTH, FREE, 7, PRIVATE_DOMAIN_DRIVER,
			 ATTACHED " and 1 more"));
}

/* A device that works for a process is in kernel use without a claim. */
TEST_F(private, why_memory_of_a_process)
{
	ASSERT_EQ(0, set_owner("kernel\n", "1\n"));
	ASSERT_EQ(0, write_table("kernel  -               DMA      ", "sva", "-"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said("%s of its group works on the memory of a process for %s.\n"
			 "To change that, as root:\n"
			 "  echo %s > /sys/bus/pci/devices/%s/driver/unbind\n",
			 ATTACHED, PRIVATE_DOMAIN_DRIVER, ATTACHED, ATTACHED));
	EXPECT_EQ(0, tool("--sysfs " OLD " --json"));
	EXPECT_TRUE(said("\"driver\": \"" PRIVATE_DOMAIN_DRIVER "\", \"claim\": true, "));
}

TEST_F(private, why_clear_with_table)
{
	ASSERT_EQ(0, add_device(OTHER, "other-driver"));
	ASSERT_EQ(0, make_table("-", "private"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said(PRIVATE_FOR_BOTH, FREE, 7, "other-driver", OTHER));
	ASSERT_EQ(0, make_table("kernel", "-"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said(PRIVATE_FOR_BOTH, FREE, 7, PRIVATE_DOMAIN_DRIVER, ATTACHED));
}

/* Without trace events: the driver is named with the change. */
TEST_F(private, watch)
{
	pid_t pid;

	pid = tool_watch(0, OLD);
	ASSERT_TRUE(watch_says("note: no trace events"));
	usleep(300000);
	ASSERT_EQ(0, set_owner("none\n", "0\n"));
	EXPECT_TRUE(watch_says("group 7   owner private -> none\n"));
	ASSERT_EQ(0, set_owner("private\n", "1\n"));
	EXPECT_TRUE(watch_says("group 7   owner none -> private, a domain of %s\n",
			       PRIVATE_DOMAIN_DRIVER));
	EXPECT_EQ(0, tool_watch_end(pid));
}

TEST(options)
{
	EXPECT_EQ(0, tool("--help"));
	EXPECT_TRUE(said("usage: iommu-groups"));
	EXPECT_EQ(WRONG_OPTIONS, tool("--colour"));
	EXPECT_TRUE(said("see iommu-groups --help\n"));
	EXPECT_EQ(WRONG_OPTIONS, tool("0000:00:19.0"));
	EXPECT_TRUE(said("Give it to --why"));
	EXPECT_EQ(WRONG_OPTIONS, tool("--watch --json"));
	EXPECT_TRUE(said("--watch stands alone"));
	EXPECT_EQ(UNREADABLE, tool("--sysfs /nowhere"));
	EXPECT_TRUE(said("/nowhere/kernel/iommu_groups: No such file or directory"));
	EXPECT_EQ(UNREADABLE, tool("--why 0000:ff:1f.7"));
	EXPECT_EQ(WRONG_OPTIONS, tool("--why 1f.7"));
	EXPECT_TRUE(said("no device is called '1f.7'; an address looks like 0000:02:01.0"));
}

TEST_HARNESS_MAIN
