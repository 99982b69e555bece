// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tool iommu-groups: does it say what is so, and do its commands help?
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/json.h"
#include "scene_test.h"
#include "tool.h"

/* What the tool says; the device, its owner or driver, and the group */
#define OWNED_ANEW \
	"%s cannot be given to userspace anew: %s owns group %d, and can have this device as well once it is bound to vfio-pci.\n"
#define BLOCKED \
	"%s cannot be given to userspace: %s of its group is in kernel use by %s.\n"
#define POSSIBLE \
	"%s can be given to userspace: it is bound to vfio-pci, and nothing in group %d is in kernel use.\n"
#define WRONG_DRIVER \
	"%s cannot be given to userspace yet: it is bound to %s, not to vfio-pci.\n"
#define JSON_DEVICE \
	"{\"device\": \"%s\", \"class\": \"020000\", \"class_name\": \"network card\", \"id\": \"8086:100e\", \"driver\": null, \"claim\": false}"

static const char *advice_to_kill(pid_t pid)
{
	static char text[32];

	snprintf(text, sizeof(text), "kill %d\n", pid);
	return text;
}

FIXTURE(why)
{
	struct scene scene;
	struct vfio_user *user;
	const char *a;
	const char *b;
	int id;
};

SCENE_VARIANTS(why);

FIXTURE_SETUP(why)
{
	setup_scene(&self->scene, variant->topology);
	self->user = &self->scene.user;
	self->a = self->scene.a;
	self->b = self->scene.b;
	self->id = self->scene.group->id;
}

FIXTURE_TEARDOWN(why)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* A is given: the owner is named, and B cannot go elsewhere. */
TEST_F(why, names_owner)
{
	ASSERT_EQ(0, vfio_user_open(self->user, self->a));
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said("%s is given to userspace already: %s owns group %d.\n",
			 self->a, myself(), self->id));
	EXPECT_TRUE(said("\n  kill %d\n", getpid()));
	expect_refused(&self->scene);
	EXPECT_EQ(CANNOT, tool_why(self->b));
	EXPECT_TRUE(said(OWNED_ANEW, self->b, myself(), self->id));
	EXPECT_TRUE(said("\n  kill %d\n", getpid()));
}

/* B has its driver: it is named, and the commands make way for A's user. */
TEST_F(why, names_driver_in_the_way)
{
	ASSERT_EQ(0, pci_bind(self->b, "e1000"));
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said(BLOCKED, self->a, self->b, "e1000"));
	EXPECT_EQ(-EPERM, vfio_user_open(self->user, self->a));
	EXPECT_EQ(1, follow_advice());
	EXPECT_EQ(CAN, tool_why(self->a));
	EXPECT_EQ(0, vfio_user_open(self->user, self->a));
}

/* The same for B itself, which has to change its driver. */
TEST_F(why, device_itself_in_kernel_use)
{
	ASSERT_EQ(0, pci_bind(self->b, "e1000"));
	EXPECT_EQ(CANNOT, tool_why(self->b));
	EXPECT_TRUE(said("%s cannot be given to userspace: it is in kernel use by e1000.\n",
			 self->b));
	EXPECT_EQ(3, follow_advice());
	EXPECT_EQ(CAN, tool_why(self->b));
	EXPECT_EQ(0, vfio_user_open(self->user, self->b));
}

/* pci-stub is not in the way; a device that has it must change to vfio-pci. */
TEST_F(why, pci_stub_is_not_in_the_way)
{
	ASSERT_EQ(0, pci_switch(self->b, "pci-stub"));
	EXPECT_EQ(CAN, tool_why(self->a));
	EXPECT_TRUE(said(POSSIBLE, self->a, self->id));
	EXPECT_EQ(CANNOT, tool_why(self->b));
	EXPECT_TRUE(said(WRONG_DRIVER, self->b, "pci-stub"));
	EXPECT_EQ(3, follow_advice());
	EXPECT_EQ(CAN, tool_why(self->b));
	EXPECT_EQ(0, vfio_user_open(self->user, self->b));
}

/* Owned until the last descriptor is closed. */
TEST_F(why, owned_until_last_descriptor_closed)
{
	ASSERT_EQ(0, vfio_user_open(self->user, self->a));
	vfio_user_close_group(self->user);
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said("%s owns group %d", myself(), self->id));
	vfio_user_close(self->user);
	EXPECT_EQ(CAN, tool_why(self->a));
}

/*
 * Who claimed the group has exited, and its number is another process's: that
 * one must not be killed, but who has the group now.
 */
TEST_F(why, exited_owner_is_not_blamed)
{
	pid_t pid;

	ASSERT_EQ(0, scene_open_group(&self->scene));
	pid = scene_claim_by_child(&self->scene, "the-primary");
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, start_as(pid));
	EXPECT_EQ(CANNOT, tool_why(self->b));
	EXPECT_TRUE(said("anew: the-primary[%d], which claimed the group, has exited; ",
			 pid));
	EXPECT_TRUE(said("%s owns group %d, and", myself(), self->id));
	EXPECT_TRUE(said("\n  kill %d\n", getpid()));
	EXPECT_EQ(NULL, strstr(output, advice_to_kill(pid)));
	EXPECT_EQ(0, tool(""));
	EXPECT_TRUE(said("Group %-3d userspace: the-primary[%d], which has exited,",
			 self->id, pid));
	EXPECT_EQ(0, tool("--json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"task\": \"the-primary[%d]\", \"task_exited\": true, ",
			 pid));
	EXPECT_EQ(0, stop_child(pid));
}

/* The same, and only a device is left open, of which no group is told. */
TEST_F(why, exited_owner_with_device_left)
{
	struct vfio_user *user = self->user;
	pid_t pid;

	ASSERT_EQ(0, scene_open_group(&self->scene));
	pid = scene_claim_by_child(&self->scene, "the-primary");
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, vfio_set_iommu(user->container));
	ASSERT_EQ(0, vfio_user_open_device(user, self->a));
	vfio_user_close_group(user);
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said("perhaps %s, owns group %d.", myself(), self->id));
	EXPECT_EQ(NULL, strstr(output, advice_to_kill(pid)));
}

/* Claimed and released again and again: the last word counts. */
TEST_F(why, follows_claim_and_release)
{
	int i;

	ASSERT_EQ(0, scene_open_group(&self->scene));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, vfio_user_set_container(self->user));
		EXPECT_EQ(CANNOT, tool_why(self->a));
		ASSERT_EQ(0, vfio_unset_container(self->user->group));
		EXPECT_EQ(CAN, tool_why(self->a));
	}
}

/* No VFIO device left, and the way back. */
TEST_F(why, tells_way_back_to_vfio_pci)
{
	self->user->group = vfio_open_group(self->id);
	ASSERT_LE(0, self->user->group);
	ASSERT_EQ(0, pci_unbind(self->a));
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said("%s cannot be given to userspace yet: it is not bound to vfio-pci.\n",
			 self->a));
	EXPECT_EQ(2, follow_advice());
	EXPECT_EQ(CAN, tool_why(self->a));
}

static void *unbind(void *bdf)
{
	return (void *)(intptr_t)pci_unbind(bdf);
}

/* vfio-pci waits for the user to let go: the group is still owned. */
TEST_F(why, owned_while_unbind_waits)
{
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, vfio_user_open(self->user, self->a));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind, (void *)self->a));
	while (!pci_bound_to(self->a, ""))
		usleep(1000);
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said("%s owns group %d", myself(), self->id));
	vfio_user_close(self->user);
	pthread_join(thread, &ret);
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said("it is not bound to vfio-pci.\n"));
}

/* B is unplugged; it is found again, with its driver. */
TEST_F(why, tells_that_device_is_gone)
{
	ASSERT_EQ(0, pci_remove(self->b));
	EXPECT_EQ(UNREADABLE, tool_why(self->b));
	EXPECT_TRUE(said("%s is not there: no PCI device has this address now.\n",
			 self->b));
	EXPECT_EQ(CAN, tool_why(self->a));
	EXPECT_EQ(UNREADABLE, tool_why(self->b));
	EXPECT_EQ(1, follow_advice());
	ASSERT_TRUE(pci_present(self->b));
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said("%s of its group is in kernel use by e1000.\n",
			 self->b));
}

/* A program gets the same answer. */
TEST_F(why, json)
{
	ASSERT_EQ(0, pci_bind(self->b, "e1000"));
	EXPECT_EQ(CANNOT, tool("--json --why %s", self->a));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("{\"device\": \"%s\", \"possible\": false,\n", self->a));
	EXPECT_TRUE(said("\"commands\": [\n    \"echo %s > /sys/", self->b));
}

/* Somebody who is not root learns who, if not which process. */
TEST_F(why, as_nobody)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, vfio_user_open(self->user, self->a));
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(10);
		if (tool_why(self->a) != CANNOT ||
		    !said("%s is given to userspace already: a process owns group %d.\n",
			  self->a, self->id))
			_exit(11);
		_exit(tool("") || !said("note: root sees more: who the owners are"));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

FIXTURE(groups)
{
	struct scene scene;
	struct scene *s;
};

FIXTURE_SETUP(groups)
{
	self->s = &self->scene;
	ASSERT_EQ(0, scene_setup(self->s, DISTINCT));
}

FIXTURE_TEARDOWN(groups)
{
	EXPECT_EQ(0, scene_teardown(self->s));
}

/* The tree in a pipe: plain text, one line a device. */
TEST_F(groups, tree)
{
	ASSERT_EQ(0, vfio_user_open(&self->s->user, self->s->a));
	ASSERT_EQ(0, tool(""));
	EXPECT_TRUE(said_plain_text());
	EXPECT_TRUE(said("Group %-3d userspace: %s, DMA to the user's mappings\n",
			 self->s->group->id, myself()));
	EXPECT_TRUE(said("|- %s  unclassified       1234:11e8  vfio-pci\n",
			 self->s->a));
	EXPECT_TRUE(said("|- %s  network card       8086:100e  -\n",
			 self->s->b));
	EXPECT_TRUE(said(": 1 in userspace, "));
}

TEST_F(groups, json)
{
	ASSERT_EQ(0, vfio_user_open(&self->s->user, self->s->a));
	ASSERT_EQ(0, tool("--json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("{\"group\": %d, \"owner\": \"user\", \"claims\": 1, ",
			 self->s->group->id));
	EXPECT_TRUE(said("\"task\": \"%s\", \"task_exited\": false, ", myself()));
	EXPECT_TRUE(said("\"domain\": \"unmanaged\""));
	EXPECT_TRUE(said(JSON_DEVICE, self->s->b));
}

/* No name of a process ends a word or a line, or is no text. */
TEST_F(groups, names_are_escaped)
{
	char comm[16];

	prctl(PR_GET_NAME, comm);
	ASSERT_EQ(0, prctl(PR_SET_NAME, "a b\n9\"\\\033\377"));
	ASSERT_EQ(0, vfio_user_open(&self->s->user, self->s->a));
	ASSERT_EQ(0, prctl(PR_SET_NAME, comm));
	ASSERT_EQ(0, tool("--json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"task\": \"a\\\\040b\\\\0129\\\\042\\\\134\\\\033\\\\377[%d]\", ",
			 getpid()));
	ASSERT_EQ(0, tool(""));
	EXPECT_TRUE(said("userspace: a\\040b\\0129\\042\\134\\033\\377[%d], DMA",
			 getpid()));
	EXPECT_TRUE(said_plain_text());
}

/* Start the tool as @user with its output in a file; returns its process. */
static pid_t start_watch(const char *path, uid_t user)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (setuid(user))
		_exit(126);
	execlp("iommu-groups", "iommu-groups", "--watch", NULL);
	_exit(127);
}

/* Wait until the file says this, ten seconds at most. */
static bool file_says(const char *path, const char *text)
{
	int i, fd;
	ssize_t n;

	for (i = 0; i < 1000; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = read(fd, output, sizeof(output) - 1);
		close(fd);
		output[n > 0 ? n : 0] = '\0';
		if (strstr(output, text))
			return true;
		usleep(10000);
	}
	return said("%s", text);
}

/* The changes of ownership, by the trace events, and nothing left behind. */
TEST_F(groups, watch)
{
	static const char path[] = "/tmp/iommu-groups-watch";
	char line[256];
	int status;
	pid_t pid;

	pid = start_watch(path, 0);
	ASSERT_TRUE(file_says(path, "following the trace events"));
	usleep(300000);
	ASSERT_EQ(0, vfio_user_open(&self->s->user, self->s->a));
	expect_refused(self->s);
	vfio_user_close(&self->s->user);
	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));

	snprintf(line, sizeof(line), "group %-3d claimed   by userspace: %s\n",
		 self->s->group->id, myself());
	EXPECT_TRUE(file_says(path, line));
	snprintf(line, sizeof(line), "group %-3d refused   e1000 for %s: owned by userspace\n",
		 self->s->group->id, self->s->b);
	EXPECT_TRUE(file_says(path, line));
	snprintf(line, sizeof(line), "group %-3d released  by userspace: %s\n",
		 self->s->group->id, myself());
	EXPECT_TRUE(file_says(path, line));
	snprintf(line, sizeof(line), "group %-3d claimed   by the kernel: e1000 for %s\n",
		 self->s->group->id, self->s->b);
	EXPECT_TRUE(file_says(path, line));

	ASSERT_EQ(0, kill(pid, SIGTERM));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	snprintf(line, sizeof(line),
		 "/sys/kernel/debug/tracing/instances/iommu-groups-%d", pid);
	EXPECT_NE(0, access(line, F_OK));
	unlink(path);
}

/* Somebody who is not root is told as well, a second later. */
TEST_F(groups, watch_as_nobody)
{
	static const char path[] = "/tmp/iommu-groups-watch";
	char line[256];
	int status;
	pid_t pid;

	pid = start_watch(path, 65534);
	ASSERT_TRUE(file_says(path, "note: no trace events"));
	usleep(300000);
	ASSERT_EQ(0, vfio_user_open(&self->s->user, self->s->a));
	snprintf(line, sizeof(line), "group %-3d owner none -> user",
		 self->s->group->id);
	EXPECT_TRUE(file_says(path, line));
	ASSERT_EQ(0, pci_remove(self->s->b));
	snprintf(line, sizeof(line), "group %-3d %s: driver - -> (absent)\n",
		 self->s->group->id, self->s->b);
	EXPECT_TRUE(file_says(path, line));

	ASSERT_EQ(0, kill(pid, SIGTERM));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	unlink(path);
}

static int make_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	fputs(text, file);
	fclose(file);
	return 0;
}

/* A sysfs like that of a kernel that does not tell owners: one group. */
#define OLD		"/tmp/iommu-groups-old"
#define OLD_GROUP	OLD "/kernel/iommu_groups/7"
#define OLD_DEVICES	OLD_GROUP "/devices"

static int make_old_sysfs(void)
{
	static const char * const folders[] = {
		OLD_DEVICES "/0000:00:19.0", OLD_DEVICES "/0000:00:19.1",
		OLD "/class/iommu/dmar0", OLD "/bus/pci/drivers/vfio-pci",
	};
	char command[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(command, sizeof(command), "mkdir -p %s", folders[i]);
		if (system(command))
			return -EIO;
	}
	if (symlink("../drivers/e1000e", OLD_DEVICES "/0000:00:19.1/driver"))
		return -errno;
	return make_file(OLD_GROUP "/type", "DMA\n") ? :
	       make_file(OLD_DEVICES "/0000:00:19.0/config", "") ? :
	       make_file(OLD_DEVICES "/0000:00:19.1/config", "") ? :
	       make_file(OLD_DEVICES "/0000:00:19.0/class", "0x020000\n") ? :
	       make_file(OLD_DEVICES "/0000:00:19.1/class", "0x020000\n");
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
	ASSERT_EQ(0, system("mkdir -p " OLD "/kernel/debug/iommu"));
	ASSERT_EQ(0, make_file(OLD "/kernel/debug/iommu/groups",
			       "group owner task domain device driver claim\n"
			       "7 user \"\303\251\377\303\"[1] DMA 0000:00:19.0 - -\n"));
	EXPECT_EQ(0, tool("--sysfs " OLD " --json"));
	EXPECT_TRUE(is_json(output));
	EXPECT_TRUE(said("\"task\": \"\\\"\303\251\\\\377\\\\303\\\"[1]\", "));
	EXPECT_EQ(0, system("rm -rf " OLD));
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
