// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tool iommu-groups: does it say what is so, and do its commands help?
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
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
/* The device, the group, the driver, and which devices it attached */
#define PRIVATE \
	"%s cannot be given to userspace: group %d is on a domain of %s (%s).\n"
#define PRIVATE_FOR_BOTH \
	"%s can neither be given to userspace nor have a driver that uses the DMA API: group %d is on a domain of %s (%s).\n"
#define JSON_DEVICE \
	"{\"device\": \"%s\", \"class\": \"020000\", \"class_name\": \"network card\", \"id\": \"8086:100e\", \"driver\": null, \"claim\": false}"

/* The driver of drivers/iommu/tests/private_domain_driver.c */
#define PRIVATE_DRIVER	"private-domain"

/* It attaches the device to a domain of its own. */
static int attach(const char *bdf)
{
	char path[96];
	int ret;

	ret = pci_switch(bdf, PRIVATE_DRIVER);
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/attached", bdf);
	return ret ? ret : sysfs_write(path, "1");
}

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

/* B's driver has a domain of its own: the commands make way for A's user. */
TEST_F(why, names_driver_of_private_domain)
{
	ASSERT_EQ(0, attach(self->b));
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said(PRIVATE, self->a, self->id, PRIVATE_DRIVER, self->b));
	EXPECT_EQ(-EPERM, vfio_user_open(self->user, self->a));
	EXPECT_EQ(0, tool(""));
	EXPECT_TRUE(said("Group %-3d kernel, a domain of " PRIVATE_DRIVER "\n",
			 self->id));
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_EQ(1, follow_advice());
	EXPECT_EQ(CAN, tool_why(self->a));
	EXPECT_EQ(0, vfio_user_open(self->user, self->a));
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

#define WATCHED		"/tmp/iommu-groups-watch"

/* Start the tool as @user with its output in a file; returns its process. */
static pid_t start_watch(uid_t user, const char *sysfs)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(WATCHED, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (setuid(user))
		_exit(126);
	execlp("iommu-groups", "iommu-groups", "--watch", "--sysfs", sysfs,
	       NULL);
	_exit(127);
}

/* Returns how the tool ended. */
static int end_watch(pid_t pid)
{
	int status;

	if (kill(pid, SIGTERM) || waitpid(pid, &status, 0) != pid)
		return -errno;
	unlink(WATCHED);
	return status;
}

/* Wait until the tool says this, ten seconds at most. */
static bool watch_says(const char *fmt, ...)
{
	char text[256];
	va_list args;
	int i, fd;
	ssize_t n;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (i = 0; i < 1000; i++) {
		fd = open(WATCHED, O_RDONLY | O_CLOEXEC);
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
	const int id = self->s->group->id;
	char path[96];
	pid_t pid;

	pid = start_watch(0, "/sys");
	ASSERT_TRUE(watch_says("following the trace events"));
	usleep(300000);
	ASSERT_EQ(0, vfio_user_open(&self->s->user, self->s->a));
	expect_refused(self->s);
	vfio_user_close(&self->s->user);
	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));

	EXPECT_TRUE(watch_says("group %-3d claimed   by userspace: %s\n", id,
			       myself()));
	EXPECT_TRUE(watch_says("group %-3d refused   e1000 for %s: owned by userspace\n",
			       id, self->s->b));
	EXPECT_TRUE(watch_says("group %-3d released  by userspace: %s\n", id,
			       myself()));
	EXPECT_TRUE(watch_says("group %-3d claimed   by the kernel: e1000 for %s\n",
			       id, self->s->b));

	ASSERT_EQ(0, end_watch(pid));
	snprintf(path, sizeof(path),
		 "/sys/kernel/debug/tracing/instances/iommu-groups-%d", pid);
	EXPECT_NE(0, access(path, F_OK));
}

/* A refusal does not tell why; a domain of A's driver was told before it. */
TEST_F(groups, watch_private)
{
	const int id = self->s->group->id;
	pid_t pid;

	pid = start_watch(0, "/sys");
	ASSERT_TRUE(watch_says("following the trace events"));
	usleep(300000);
	ASSERT_EQ(0, attach(self->s->a));
	ASSERT_EQ(-EBUSY, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(0, pci_unbind(self->s->a));
	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(-EBUSY, attach(self->s->a));

	EXPECT_TRUE(watch_says("group %-3d claimed   by the kernel: a domain of %s for %s\n",
			       id, PRIVATE_DRIVER, self->s->a));
	EXPECT_TRUE(watch_says("group %-3d refused   e1000 for %s: on a domain of %s\n",
			       id, self->s->b, PRIVATE_DRIVER));
	EXPECT_TRUE(watch_says("group %-3d released  by the kernel: a domain of %s for %s\n",
			       id, PRIVATE_DRIVER, self->s->a));
	EXPECT_TRUE(watch_says("group %-3d refused   %s for %s: in kernel use\n",
			       id, PRIVATE_DRIVER, self->s->a));
	EXPECT_EQ(0, end_watch(pid));
}

/* Somebody who is not root is told as well, a second later. */
TEST_F(groups, watch_as_nobody)
{
	const int id = self->s->group->id;
	pid_t pid;

	pid = start_watch(65534, "/sys");
	ASSERT_TRUE(watch_says("note: no trace events"));
	usleep(300000);
	ASSERT_EQ(0, vfio_user_open(&self->s->user, self->s->a));
	EXPECT_TRUE(watch_says("group %-3d owner none -> user\n", id));
	ASSERT_EQ(0, pci_remove(self->s->b));
	EXPECT_TRUE(watch_says("group %-3d %s: driver - -> (absent)\n", id,
			       self->s->b));
	EXPECT_EQ(0, end_watch(pid));
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

	ret = make_file(OLD_GROUP "/dma_owner_count", count) ? :
	      make_file(OLD "/new", owner);
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
		 "%40s" ATTACHED " " PRIVATE_DRIVER " %s\n"
		 "%40s" OTHER " other-driver %s\n", owner, "", attached, "", other);
	if (system("mkdir -p " OLD "/kernel/debug/iommu"))
		return -EIO;
	return make_file(OLD "/kernel/debug/iommu/groups", text);
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
	ASSERT_EQ(0, set_driver(ATTACHED, PRIVATE_DRIVER));
}

FIXTURE_TEARDOWN(private)
{
	EXPECT_EQ(0, system("rm -rf " OLD));
}

/* It is the kernel's, whatever its default domain is. */
TEST_F(private, list)
{
	ASSERT_EQ(0, make_file(OLD_GROUP "/type", "identity\n"));
	EXPECT_EQ(0, tool("--sysfs " OLD));
	EXPECT_TRUE(said_plain_text());
	EXPECT_TRUE(said("Group 7   kernel, a domain of " PRIVATE_DRIVER "\n"));
	EXPECT_TRUE(said("1 group: 0 in userspace, 1 in kernel use, 0 free\n"));
}

/* One of two drivers attached its device: the table tells which. */
TEST_F(private, list_of_several)
{
	ASSERT_EQ(0, add_device(OTHER, PRIVATE_DRIVER));
	EXPECT_EQ(0, tool("--sysfs " OLD));
	EXPECT_TRUE(said("Group 7   kernel, a domain of " PRIVATE_DRIVER "\n"));
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
	EXPECT_TRUE(said("\"driver\": null, \"claim\": false}"));
	EXPECT_TRUE(said("\"driver\": \"" PRIVATE_DRIVER "\", \"claim\": true}"));
	EXPECT_TRUE(said("\"driver\": \"other-driver\", \"claim\": true}"));
}

/* What keeps users from the device keeps drivers from it as well. */
TEST_F(private, why_device_without_driver)
{
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said(PRIVATE_FOR_BOTH, FREE, 7, PRIVATE_DRIVER, ATTACHED));
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
			 FREE, 7, PRIVATE_DRIVER, ATTACHED, ATTACHED,
			 ATTACHED));
	EXPECT_EQ(NULL, strstr(output, "driver_override"));
	ASSERT_EQ(0, set_owner("none\n", "0\n"));
	EXPECT_EQ(CAN, tool("--sysfs " OLD " --why " FREE));
}

/* The device itself changes its driver last. */
TEST_F(private, why_attached_device)
{
	ASSERT_EQ(0, set_owner("private\n", "2\n"));
	ASSERT_EQ(0, set_driver(FREE, PRIVATE_DRIVER));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " ATTACHED));
	EXPECT_TRUE(said(PRIVATE "To change that, as root:\n"
			 "  echo %s > /sys/bus/pci/devices/%s/driver/unbind\n"
			 "  echo %s > /sys/bus/pci/devices/%s/driver/unbind\n"
			 "  echo vfio-pci > /sys/bus/pci/devices/" ATTACHED "/driver_override\n",
			 ATTACHED, 7, PRIVATE_DRIVER, FREE " and 1 more", FREE,
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
			 "  echo 54200000.dc > /sys/bus/platform/devices/54200000.dc/driver/unbind\n",
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
	EXPECT_TRUE(said(PRIVATE_FOR_BOTH, FREE, 7, PRIVATE_DRIVER,
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
			 ATTACHED, PRIVATE_DRIVER, ATTACHED, ATTACHED));
	EXPECT_EQ(0, tool("--sysfs " OLD " --json"));
	EXPECT_TRUE(said("\"driver\": \"" PRIVATE_DRIVER "\", \"claim\": true}"));
}

TEST_F(private, why_clear_with_table)
{
	ASSERT_EQ(0, add_device(OTHER, "other-driver"));
	ASSERT_EQ(0, make_table("-", "private"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said(PRIVATE_FOR_BOTH, FREE, 7, "other-driver", OTHER));
	ASSERT_EQ(0, make_table("kernel", "-"));
	EXPECT_EQ(CANNOT, tool("--sysfs " OLD " --why " FREE));
	EXPECT_TRUE(said(PRIVATE_FOR_BOTH, FREE, 7, PRIVATE_DRIVER, ATTACHED));
}

/* Without trace events: the driver is named with the change. */
TEST_F(private, watch)
{
	pid_t pid;

	pid = start_watch(0, OLD);
	ASSERT_TRUE(watch_says("note: no trace events"));
	usleep(300000);
	ASSERT_EQ(0, set_owner("none\n", "0\n"));
	EXPECT_TRUE(watch_says("group 7   owner private -> none\n"));
	ASSERT_EQ(0, set_owner("private\n", "1\n"));
	EXPECT_TRUE(watch_says("group 7   owner none -> private, a domain of %s\n",
			       PRIVATE_DRIVER));
	EXPECT_EQ(0, end_watch(pid));
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
