// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has a group, as iommu-groups finds out in /proc, and how that is ended.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "harness.h"
#include "lib/json.h"
#include "tool.h"
#include "tool_says.h"
#include "tree.h"

#define CARD		"0000:00:19.0"
#define SIBLING		"0000:00:19.1"
#define GROUP		7
#define GROUP_FOLDER	SYS "/kernel/iommu_groups/7"
#define VFIO_DEVICE	"anon_inode:[vfio-device]"

FIXTURE(holders)
{
};

/* A card that is ready, and a sibling without a driver */
FIXTURE_SETUP(holders)
{
	ASSERT_EQ(0, tree_new());
	ASSERT_EQ(0, tree_pci(GROUP, CARD, "vfio-pci", NETWORK_CARD));
	ASSERT_EQ(0, tree_pci(GROUP, SIBLING, "", NETWORK_CARD));
	ASSERT_EQ(0, tree_process(1, "init"));
	ASSERT_EQ(0, tree_open(1, 0, "/dev/null"));
	ASSERT_EQ(0, tree_process(214, "qemu"));
}

FIXTURE_TEARDOWN(holders)
{
	EXPECT_EQ(0, tree_remove(TREE));
}

TEST_F(holders, nobody)
{
	ASSERT_EQ(0, tree_open(214, 3, "/dev/vfio/vfio"));
	ASSERT_EQ(0, tree_open(214, 4, "/dev/vfio/77"));
	EXPECT_EQ(CAN, ask_why(CARD));
	EXPECT_TRUE(said(POSSIBLE, CARD, GROUP));
}

/* The holder is named, and the sibling is for it alone. */
TEST_F(holders, group)
{
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(HELD "To change that, as root:\n  kill 214\n", CARD,
			 "qemu[214]", GROUP));
	EXPECT_EQ(CANNOT, ask_why(SIBLING));
	EXPECT_TRUE(said(HELD_SIBLING, SIBLING, "qemu[214]", GROUP));
	EXPECT_TRUE(said("To give it to the same owner, as root:\n"
			 "  echo vfio-pci > /sys/bus/pci/devices/" SIBLING "/driver_override\n"
			 "  echo " SIBLING " > /sys/bus/pci/drivers_probe\n"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("Group 7   userspace, held open by qemu[214]\n"));
	EXPECT_TRUE(said("1 group: 1 in userspace, 0 in kernel use, 0 free\n"));
}

TEST_F(holders, json)
{
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	EXPECT_EQ(0, ask("--json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"tells_holders\": true"));
	EXPECT_TRUE(said("\"holders\": [{\"pid\": 214, \"task\": \"qemu[214]\", "));
	EXPECT_TRUE(said(", \"end\": \"kill 214\"}]"));
	EXPECT_EQ(CANNOT, ask("--json --why " SIBLING));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"commands_same_owner\": [\n    \"echo vfio-pci"));
}

TEST_F(holders, several)
{
	ASSERT_EQ(0, tree_process(99, "helper"));
	ASSERT_EQ(0, tree_open(99, 4, "/dev/vfio/7"));
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(HELD, CARD, "helper[99] together with 1 more", GROUP));
	EXPECT_TRUE(said("\n  kill 99\n  kill 214\n"));
}

/* A device of its own node, which newer kernels have */
TEST_F(holders, device_node)
{
	ASSERT_EQ(0, tree_link("../../bus/pci/devices/" CARD,
			       SYS "/class/vfio-dev/vfio3/device"));
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/devices/vfio4"));
	EXPECT_EQ(CAN, ask_why(CARD));
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/devices/vfio3"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(HELD, CARD, "qemu[214]", GROUP));
}

/* The newest kernels tell which device a descriptor is of. */
TEST_F(holders, device_descriptor)
{
	ASSERT_EQ(0, tree_open(214, 9, VFIO_DEVICE));
	EXPECT_EQ(CAN, ask_why(CARD));
	EXPECT_TRUE(said("; perhaps qemu[214] has it, which has some device open.\n"));
	ASSERT_EQ(0, tree_file("pos: 0\nvfio-device-syspath: /sys/devices/pci0000:00/" CARD "\n",
			       PROC "/214/fdinfo/9"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(HELD, CARD, "qemu[214]", GROUP));
}

/* In a container the file can have any name: its number is what counts. */
TEST_F(holders, node_of_container)
{
	const char *node = TREE "/container/dev/my-vfio-card";

	ASSERT_EQ(0, tree_folder(TREE "/container/dev"));
	if (mknod(node, S_IFCHR | 0600, makedev(243, 5)))
		SKIP(return, "only root makes nodes");
	ASSERT_EQ(0, tree_file("243:4\n", SYS "/class/vfio/8/dev"));
	ASSERT_EQ(0, tree_file("243:5\n", SYS "/class/vfio/7/dev"));
	ASSERT_EQ(0, tree_open(214, 9, node));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(HELD, CARD, "qemu[214]", GROUP));
	ASSERT_EQ(0, tree_file("243:6\n", SYS "/class/vfio/7/dev"));
	EXPECT_EQ(CAN, ask_why(CARD));
}

/* Whoever is not root sees nothing of others, and says so. */
TEST_F(holders, not_root)
{
	pid_t pid;
	int status;

	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	ASSERT_EQ(0, chmod(PROC "/214/fd", 0));
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(10);
		if (ask_why(CARD) != CAN ||
		    !said("; whether a process has it already, only root can see.\n"))
			_exit(11);
		_exit(ask_all() || !said("Group 7   owner not told\n") ||
		      !said("who owns a group; root sees who has one open\n"));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Nor does root within a container, of what is outside. */
TEST_F(holders, not_whole)
{
	ASSERT_EQ(0, tree_link("pid:[4026531836]", PROC "/self/ns/pid"));
	EXPECT_EQ(CAN, ask_why(CARD));
	EXPECT_TRUE(said(POSSIBLE, CARD, GROUP));
	ASSERT_EQ(0, tree_link("pid:[4026532500]", PROC "/self/ns/pid"));
	EXPECT_EQ(CAN, ask_why(CARD));
	EXPECT_TRUE(said("; whether a process has it already, cannot be seen from here, as"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("Group 7   owner not told\n"));
}

/* Drivers in the way are said first, and then the holder is to end as well. */
TEST_F(holders, beside_a_driver)
{
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	ASSERT_EQ(0, tree_driver("pci", SIBLING, "e1000"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("in kernel use by e1000, and qemu[214] holds group 7 open.\n"));
	EXPECT_TRUE(said("\n  kill 214\n"));
}

/* The names that processes give themselves do not steer a terminal. */
TEST_F(holders, names_are_escaped)
{
	ASSERT_EQ(0, tree_process(214, "a b\033[2J\377"));
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("a\\040b\\033[2J\\377[214] holds group 7 open"));
	EXPECT_TRUE(said_plain_text());
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said_plain_text());
	EXPECT_EQ(0, ask("--json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"task\": \"a\\\\040b\\\\033[2J\\\\377[214]\""));
}

/* So do those of devices, which commands quote. */
TEST_F(holders, names_of_devices_are_escaped)
{
	ASSERT_EQ(0, tree_device(8, "platform", SYS "/devices/platform", "a b\033[2J"));
	ASSERT_EQ(0, tree_driver("platform", "a b\033[2J", "x y"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said_plain_text());
	EXPECT_TRUE(said("a b\\033[2J"));
	EXPECT_EQ(CANNOT, ask_why("\"$(printf 'a b\\033[2J')\""));
	EXPECT_TRUE(said_plain_text());
	EXPECT_TRUE(said("  echo \"$(printf '\\141\\040\\142\\033\\133\\062\\112')\" > /sys/bus"));
	EXPECT_EQ(0, ask("--json"));
	EXPECT_TRUE(is_json(output));
}

/* A guest or a service is ended by what started it. */
TEST_F(holders, ended_by_what_started_them)
{
	static const struct {
		const char *cgroup;
		const char *command;
	} cases[] = {
		{ "0::/machine.slice/machine-qemu\\x2d12\\x2dweb\\x2d1.scope/libvirt/emulator\n",
		  "virsh shutdown web-1" },
		{ "1:name=systemd:/machine.slice/machine-qemu\\x2d1\\x2dold.scope\n",
		  "virsh shutdown old" },
		{ "5:devices:/\n"
		  "1:name=systemd:/machine.slice/machine-qemu\\x2d1\\x2dold.scope\n0::/\n",
		  "virsh shutdown old" },
		{ "0::/machine.slice/machine-qemu\\x2d1\\x2da\\x20b.scope\n",
		  "virsh shutdown 'a b'" },
		{ "0::/machine.slice/machine-debian.scope/payload\n",
		  "machinectl poweroff debian" },
		{ "0::/system.slice/dpdk-switch.service\n",
		  "systemctl stop dpdk-switch.service" },
		{ "0::/system.slice/docker-0123456789abcdef0123.scope\n",
		  "docker stop 0123456789ab" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/vm.service\n",
		  "kill 214" },
		{ "0::/user.slice/user-0.slice/session-3.scope\n", "kill 214" },
		{ "0::/\n", "kill 214" },
	};
	size_t i;

	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(0, tree_file(cases[i].cgroup, PROC "/214/cgroup"));
		EXPECT_EQ(CANNOT, ask_why(CARD));
		EXPECT_TRUE(said("To change that, as root:\n  %s\n",
				 cases[i].command));
	}
}

/* The scope has lost what systemd does not take; QEMU was told the name. */
TEST_F(holders, name_of_guest)
{
	FILE *file;

	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	ASSERT_EQ(0, tree_file("0::/machine.slice/machine-qemu\\x2d1\\x2dmyguest.scope\n",
			       PROC "/214/cgroup"));
	file = fopen(PROC "/214/cmdline", "we");
	ASSERT_NE(NULL, file);
	fwrite("qemu\0-name\0guest=my guest,debug-threads=on\0-S", 1, 46, file);
	ASSERT_EQ(0, fclose(file));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("\n  virsh shutdown 'my guest'\n"));
}

/* A namespace's first process gets no signal that it does not wait for. */
TEST_F(holders, first_of_its_namespace)
{
	static const struct {
		const char *status;
		const char *command;
	} cases[] = {
		{ "NSpid:\t214\t1\nSigCgt:\t0000000000000000\n", "kill -9 214" },
		{ "NSpid:\t214\t1\nSigCgt:\t0000000000004000\n", "kill 214" },
		{ "NSpid:\t214\t31\nSigCgt:\t0000000000000000\n", "kill 214" },
		{ "NSpid:\t214\nSigCgt:\t0000000000000000\n", "kill 214" },
	};
	size_t i;

	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(0, tree_file(cases[i].status, PROC "/214/status"));
		EXPECT_EQ(CANNOT, ask_why(CARD));
		EXPECT_TRUE(said("To change that, as root:\n  %s\n",
				 cases[i].command));
	}
}

/* The kernel's record against what the processes have open */
static int set_owner(const char *task)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "group owner   task            domain    device       driver       claim\n"
		 "7     user    %s unmanaged " CARD " vfio-pci -\n"
		 "%40s" SIBLING " - -\n", task, "");
	return tree_file("user\n", GROUP_FOLDER "/dma_owner") ? :
	       tree_file("1\n", GROUP_FOLDER "/dma_owner_count") ? :
	       tree_file(text, SYS "/kernel/debug/iommu/groups");
}

TEST_F(holders, record_is_right)
{
	ASSERT_EQ(0, set_owner("qemu[214]"));
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(CARD " is given to userspace already: qemu[214] owns group 7.\n"));
	EXPECT_TRUE(said("\n  kill 214\n"));
	EXPECT_EQ(CANNOT, ask_why(SIBLING));
	EXPECT_TRUE(said(OWNED_ANEW, SIBLING, "qemu[214]", 7));
	EXPECT_TRUE(said("To give it to the same owner, as root:\n  echo vfio-pci"));
}

/* A device is enough, even if it is only mapped. */
TEST_F(holders, record_is_right_without_group)
{
	ASSERT_EQ(0, set_owner("qemu[214]"));
	ASSERT_EQ(0, tree_open(214, 9, VFIO_DEVICE));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("\n  kill 214\n"));
	ASSERT_EQ(0, unlink(PROC "/214/fd/9"));
	ASSERT_EQ(0, tree_file("7f00-7f01 rw-s 0 00:0e 1 " VFIO_DEVICE "\n",
			       PROC "/214/maps"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("\n  kill 214\n"));
}

/* It lives, and gave the group away. */
TEST_F(holders, claimer_has_it_no_longer)
{
	ASSERT_EQ(0, set_owner("qemu[214]"));
	ASSERT_EQ(0, tree_process(300, "heir"));
	ASSERT_EQ(0, tree_open(300, 3, "/dev/vfio/7"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("which claimed the group, no longer has it open; heir[300] owns"));
	EXPECT_TRUE(said("\n  kill 300\n"));
	EXPECT_EQ(NULL, strstr(output, "kill 214"));
}

/* Its number is another's, which has nothing to do with the group. */
TEST_F(holders, claimer_is_gone)
{
	ASSERT_EQ(0, set_owner("old[214](exited)"));
	ASSERT_EQ(0, tree_process(300, "heir"));
	ASSERT_EQ(0, tree_open(300, 3, "/dev/vfio/7"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("old[214], which claimed the group, has exited; heir[300] owns"));
	EXPECT_EQ(NULL, strstr(output, "kill 214"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("userspace: old[214], which has exited, now held open by heir[300], DMA"));
}

/* What /proc does not show is not offered. */
TEST_F(holders, record_cannot_be_checked)
{
	ASSERT_EQ(0, set_owner("qemu[214]"));
	EXPECT_EQ(CANNOT, tool("--sysfs " SYS " --why " CARD));
	EXPECT_TRUE(said("qemu[214] owns group 7.\n"));
	EXPECT_EQ(NULL, strstr(output, "kill"));
}

/* Its unbind waits for the user: nothing but that one's end helps. */
TEST_F(holders, device_that_is_leaving)
{
	ASSERT_EQ(0, tree_driver("pci", CARD, ""));
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said(HELD_SIBLING, CARD, "qemu[214]", GROUP));
	ASSERT_EQ(0, tree_folder(SYS "/bus/pci/devices/" CARD "/vfio-dev/vfio0"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("waits until the user lets go, and qemu[214] holds group 7 open.\n"));
	EXPECT_EQ(NULL, strstr(output, "same owner"));
}

/* The table tells that it is neither bound nor not. */
TEST_F(holders, device_that_is_leaving_by_table)
{
	ASSERT_EQ(0, set_owner("qemu[214]"));
	ASSERT_EQ(0, tree_driver("pci", CARD, ""));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_EQ(NULL, strstr(output, "leaving"));
	ASSERT_EQ(0, tree_file("group owner task domain device driver claim\n"
			       "7 user qemu[214] unmanaged " CARD " (changing) -\n",
			       SYS "/kernel/debug/iommu/groups"));
	EXPECT_EQ(CANNOT, ask_why(CARD));
	EXPECT_TRUE(said("it is leaving its driver, which waits until the user lets go, and "));
}

/* Without trace events, claims are seen by who opens and closes. */
TEST_F(holders, watch)
{
	pid_t pid;

	pid = tool_watch_proc(0, SYS, PROC);
	ASSERT_TRUE(watch_says("note: no trace events"));
	usleep(300000);
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
	EXPECT_TRUE(watch_says("group 7   opened by qemu[214]\n"));
	ASSERT_EQ(0, unlink(PROC "/214/fd/9"));
	EXPECT_TRUE(watch_says("group 7   closed by qemu[214]\n"));
	EXPECT_EQ(0, tool_watch_end(pid));
}

/* A group that vanishes with its only device is not passed over. */
TEST_F(holders, watch_group_vanish)
{
	pid_t pid;

	ASSERT_EQ(0, tree_pci(8, "0000:00:1a.0", "e1000", NETWORK_CARD));
	pid = tool_watch_proc(0, SYS, PROC);
	ASSERT_TRUE(watch_says("note: no trace events"));
	usleep(300000);
	ASSERT_EQ(0, tree_remove(SYS "/kernel/iommu_groups/8"));
	EXPECT_TRUE(watch_says("group 8   0000:00:1a.0: driver e1000 -> (absent)\n"));
	EXPECT_EQ(0, tool_watch_end(pid));
}

TEST_HARNESS_MAIN
