// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tool iommu-groups: does it say what is so, and do its commands help?
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/private.h"
#include "scene_test.h"
#include "tool.h"
#include "tool_says.h"

#define JSON_DEVICE \
	"{\"device\": \"%s\", \"class\": \"020000\", \"class_name\": \"network card\", \"id\": \"8086:100e\", \"driver\": null, \"claim\": false, "

/* It attaches the device to a domain of its own. */
static int attach(const char *bdf)
{
	int ret = pci_switch(bdf, PRIVATE_DOMAIN_DRIVER);

	return ret ? ret : private_attach(bdf);
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
		EXPECT_EQ(CANNOT, tool_why(self->a));
		EXPECT_TRUE(said(HELD, self->a, myself(), self->id));
	}
	vfio_user_close(self->user);
	EXPECT_EQ(CAN, tool_why(self->a));
}

/* Without a claim it is nobody's, but nobody else can open it. */
TEST_F(why, names_holder_without_claim)
{
	ASSERT_EQ(0, scene_open_group(&self->scene));
	EXPECT_EQ(CANNOT, tool_why(self->a));
	EXPECT_TRUE(said(HELD, self->a, myself(), self->id));
	EXPECT_TRUE(said("\n  kill %d\n", getpid()));
	EXPECT_EQ(-EBUSY, vfio_open_group(self->id));
	EXPECT_EQ(CANNOT, tool_why(self->b));
	EXPECT_TRUE(said(HELD_SIBLING, self->b, myself(), self->id));
	EXPECT_EQ(0, tool(""));
	EXPECT_TRUE(said("Group %-3d free, held open by %s\n", self->id,
			 myself()));
	vfio_user_close(self->user);
	EXPECT_EQ(CAN, tool_why(self->a));
}

/* The owner of A gets B as well. */
TEST_F(why, tells_how_owner_gets_sibling)
{
	int device;

	ASSERT_EQ(0, vfio_user_open(self->user, self->a));
	EXPECT_EQ(CANNOT, tool_why(self->b));
	EXPECT_EQ(2, follow_joining());
	device = vfio_open_device(self->user->group, self->b);
	EXPECT_LE(0, device);
	close(device);
}

/* The kernel gets B by what is said below the rest. */
TEST_F(why, tells_way_back_to_kernel)
{
	EXPECT_EQ(CANNOT, tool_why(self->b));
	EXPECT_EQ(2, follow_way_back());
	EXPECT_TRUE(pci_bound_to(self->b, "e1000"));
}

/* B leaves its driver for a user, and comes back to it. */
TEST_F(why, plan_is_done_and_undone)
{
	ASSERT_EQ(0, pci_bind(self->b, "e1000"));
	ASSERT_EQ(0, tool_plan(self->b));
	EXPECT_EQ(CAN, tool_why(self->b));
	EXPECT_EQ(0, vfio_user_open(self->user, self->b));
	vfio_user_close(self->user);
	EXPECT_EQ(0, tool_plan_undo());
	EXPECT_TRUE(pci_bound_to(self->b, "e1000"));
}

/* The same for A, whose sibling is in the way. */
TEST_F(why, plan_makes_way)
{
	ASSERT_EQ(0, pci_bind(self->b, "e1000"));
	ASSERT_EQ(0, pci_unbind(self->a));
	ASSERT_EQ(0, tool_plan(self->a));
	EXPECT_EQ(0, vfio_user_open(self->user, self->a));
	vfio_user_close(self->user);
	EXPECT_EQ(0, tool_plan_undo());
	EXPECT_TRUE(pci_bound_to(self->a, ""));
	EXPECT_TRUE(pci_bound_to(self->b, "e1000"));
}

/* No VFIO device left, and the way back. */
TEST_F(why, tells_way_back_to_vfio_pci)
{
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
	EXPECT_TRUE(said(PRIVATE, self->a, self->id, PRIVATE_DOMAIN_DRIVER, self->b));
	EXPECT_EQ(-EPERM, vfio_user_open(self->user, self->a));
	EXPECT_EQ(0, tool(""));
	EXPECT_TRUE(said("Group %-3d kernel, a domain of " PRIVATE_DOMAIN_DRIVER "\n",
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

/* The changes of ownership, by the trace events, and nothing left behind. */
TEST_F(groups, watch)
{
	const int id = self->s->group->id;
	char path[96];
	pid_t pid;

	pid = tool_watch(0, "/sys");
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

	ASSERT_EQ(0, tool_watch_end(pid));
	snprintf(path, sizeof(path),
		 "/sys/kernel/debug/tracing/instances/iommu-groups-%d", pid);
	EXPECT_NE(0, access(path, F_OK));
}

/* A refusal does not tell why; a domain of A's driver was told before it. */
TEST_F(groups, watch_private)
{
	const int id = self->s->group->id;
	pid_t pid;

	pid = tool_watch(0, "/sys");
	ASSERT_TRUE(watch_says("following the trace events"));
	usleep(300000);
	ASSERT_EQ(0, attach(self->s->a));
	ASSERT_EQ(-EBUSY, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(0, pci_unbind(self->s->a));
	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(-EBUSY, attach(self->s->a));

	EXPECT_TRUE(watch_says("group %-3d claimed   by the kernel: a domain of %s for %s\n",
			       id, PRIVATE_DOMAIN_DRIVER, self->s->a));
	EXPECT_TRUE(watch_says("group %-3d refused   e1000 for %s: on a domain of %s\n",
			       id, self->s->b, PRIVATE_DOMAIN_DRIVER));
	EXPECT_TRUE(watch_says("group %-3d released  by the kernel: a domain of %s for %s\n",
			       id, PRIVATE_DOMAIN_DRIVER, self->s->a));
	EXPECT_TRUE(watch_says("group %-3d refused   %s for %s: in kernel use\n",
			       id, PRIVATE_DOMAIN_DRIVER, self->s->a));
	EXPECT_EQ(0, tool_watch_end(pid));
}

/* Somebody who is not root is told as well, a second later. */
TEST_F(groups, watch_as_nobody)
{
	const int id = self->s->group->id;
	pid_t pid;

	pid = tool_watch(65534, "/sys");
	ASSERT_TRUE(watch_says("note: no trace events"));
	usleep(300000);
	ASSERT_EQ(0, vfio_user_open(&self->s->user, self->s->a));
	EXPECT_TRUE(watch_says("group %-3d owner none -> user\n", id));
	ASSERT_EQ(0, pci_remove(self->s->b));
	EXPECT_TRUE(watch_says("group %-3d %s: driver - -> (absent)\n", id,
			       self->s->b));
	EXPECT_EQ(0, tool_watch_end(pid));
}

TEST_HARNESS_MAIN
