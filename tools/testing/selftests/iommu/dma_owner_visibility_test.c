// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whoever looks can see who owns a group, and why a claim was refused: in
 * sysfs, in the table in debugfs, in trace events and in the log.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "lib/owner_table.h"
#include "lib/tracefs.h"
#include "lib/uevent.h"
#include "scene_test.h"
#include "table_contest.h"

#define NOBODY		65534
#define REPORT_BURST	10
#define REPORT_SECONDS	5
#define CLAIMS		2500

static bool row_is(const struct table_group *group, const char *bdf,
		   const char *driver, const char *claim)
{
	const struct table_dev *dev = table_find(group, bdf);

	return dev && !strcmp(dev->driver, driver) && !strcmp(dev->claim, claim);
}

FIXTURE(group)
{
	struct scene scene;
	struct scene *s;
	int id;
};

SCENE_VARIANTS(group);

FIXTURE_SETUP(group)
{
	self->s = &self->scene;
	setup_scene(self->s, variant->topology);
	self->id = self->s->group->id;
}

FIXTURE_TEARDOWN(group)
{
	EXPECT_EQ(0, scene_teardown(self->s));
}

/* Own the group while B's driver wants B. What the driver is told. */
static int refuse_once(struct scene *scene)
{
	int refused, ret;

	ret = vfio_user_set_container(&scene->user);
	if (ret)
		return ret;
	refused = pci_bind(scene->b, "e1000");
	ret = vfio_unset_container(scene->user.group);
	return ret ? ret : refused;
}

/* dma_owner and dma_owner_count follow each change. */
TEST_F(group, sysfs_tells_owner)
{
	EXPECT_TRUE(group_owner_is(self->id, "none", "0"));
	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	EXPECT_TRUE(group_owner_is(self->id, "kernel", "1"));
	ASSERT_EQ(0, scene_open_group(self->s));
	ASSERT_EQ(-EPERM, vfio_user_set_container(&self->s->user));
	EXPECT_TRUE(group_owner_is(self->id, "kernel", "1"));
	ASSERT_EQ(0, pci_unbind(self->s->b));
	EXPECT_TRUE(group_owner_is(self->id, "none", "0"));

	ASSERT_EQ(0, vfio_user_set_container(&self->s->user));
	EXPECT_TRUE(group_owner_is(self->id, "user", "1"));
	expect_refused(self->s);
	EXPECT_TRUE(group_owner_is(self->id, "user", "1"));
	ASSERT_EQ(0, vfio_unset_container(self->s->user.group));
	EXPECT_TRUE(group_owner_is(self->id, "none", "0"));
}

/* Each device whose driver may do DMA counts. */
TEST_F(group, sysfs_counts_claims)
{
	const struct pci_dev *card;

	card = find_dev(self->s->group, REALTEK_VENDOR, RTL8139_DEVICE);
	ASSERT_NE(NULL, card);
	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(0, system("modprobe 8139cp"));
	ASSERT_EQ(0, pci_switch(card->bdf, "8139cp"));
	EXPECT_TRUE(group_owner_is(self->id, "kernel", "2"));
	ASSERT_EQ(0, pci_unbind(self->s->b));
	EXPECT_TRUE(group_owner_is(self->id, "kernel", "1"));
	ASSERT_EQ(0, pci_switch(self->s->b, "pci-stub"));
	EXPECT_TRUE(group_owner_is(self->id, "kernel", "1"));
	ASSERT_EQ(0, pci_unbind(card->bdf));
	EXPECT_TRUE(group_owner_is(self->id, "none", "0"));
	EXPECT_EQ(0, system("modprobe -r 8139cp"));
}

static int as_nobody(int id)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(2);
		_exit(!group_owner_is(id, "user", "1") || !access(OWNER_TABLE, F_OK));
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Anyone may read them and nobody write; the table is for root. */
TEST_F(group, sysfs_is_for_everybody)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/dma_owner",
		 self->id);
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(0444, st.st_mode & 07777);
	strcat(path, "_count");
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(0444, st.st_mode & 07777);
	ASSERT_EQ(0, stat(OWNER_TABLE, &st));
	EXPECT_EQ(0400, st.st_mode & 07777);

	ASSERT_EQ(0, scene_claim(self->s));
	EXPECT_EQ(0, as_nobody(self->id));
}

/* The rows of the group in each state. */
TEST_F(group, table_tells_owner)
{
	struct table_group table;
	char type[16];
	int i;

	ASSERT_EQ(0, group_value(self->id, "type", type, sizeof(type)));
	ASSERT_EQ(0, table_read(&table, self->id));
	EXPECT_STREQ("none", table.owner);
	EXPECT_STREQ("-", table.task);
	EXPECT_STREQ(type, table.domain);
	EXPECT_EQ(self->s->group->ndevs, table.ndevs);
	for (i = 0; i < self->s->group->ndevs; i++)
		EXPECT_NE(NULL,
			  table_find(&table, self->s->group->devs[i].bdf));
	EXPECT_TRUE(row_is(&table, self->s->a, "vfio-pci", "-"));
	EXPECT_TRUE(row_is(&table, self->s->b, "-", "-"));

	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(0, table_read(&table, self->id));
	EXPECT_STREQ("kernel", table.owner);
	EXPECT_STREQ("-", table.task);
	EXPECT_STREQ(type, table.domain);
	EXPECT_TRUE(row_is(&table, self->s->a, "vfio-pci", "-"));
	EXPECT_TRUE(row_is(&table, self->s->b, "e1000", "kernel"));
	ASSERT_EQ(0, pci_switch(self->s->b, "pci-stub"));

	ASSERT_EQ(0, scene_claim(self->s));
	ASSERT_EQ(0, table_read(&table, self->id));
	EXPECT_STREQ("user", table.owner);
	EXPECT_STREQ(myself(), table.task);
	EXPECT_STREQ("blocking", table.domain);
	EXPECT_TRUE(row_is(&table, self->s->b, "pci-stub", "-"));

	ASSERT_EQ(0, vfio_set_iommu(self->s->user.container));
	ASSERT_EQ(0, table_read(&table, self->id));
	EXPECT_STREQ("user", table.owner);
	EXPECT_STREQ("unmanaged", table.domain);

	vfio_user_close(&self->s->user);
	ASSERT_EQ(0, table_read(&table, self->id));
	EXPECT_STREQ("none", table.owner);
	EXPECT_STREQ("-", table.task);
	EXPECT_STREQ(type, table.domain);
}

/*
 * A process cannot choose a name that passes for a row, for two words or lines,
 * or that a terminal would obey.
 */
TEST_F(group, names_are_escaped)
{
	struct table_group table;
	char comm[16], task[64], line[192];

	prctl(PR_GET_NAME, comm);
	ASSERT_EQ(0, scene_open_group(self->s));
	ASSERT_EQ(0, prctl(PR_SET_NAME, "a b\n9\"\\\033\377\303\251z"));
	ASSERT_EQ(0, vfio_user_set_container(&self->s->user));
	ASSERT_EQ(0, prctl(PR_SET_NAME, comm));
	ASSERT_EQ(0, table_read(&table, self->id));
	snprintf(task, sizeof(task),
		 "a\\040b\\0129\\042\\134\\033\\377\\303\\251z[%d]", getpid());
	EXPECT_STREQ(task, table.task);
	EXPECT_EQ(self->s->group->ndevs, table.ndevs);

	/* The log escapes each backslash in /dev/kmsg once more. */
	ASSERT_EQ(-EBUSY, pci_bind(self->s->b, "e1000"));
	snprintf(line, sizeof(line),
		 "owned by userspace (a\\x5c040b\\x5c0129\\x5c042\\x5c134\\x5c033\\x5c377\\x5c303\\x5c251z[%d]): end that process",
		 getpid());
	EXPECT_EQ(1, kmsg_find(self->s->kmsg, line));
}

static void *claim_in_thread(void *user)
{
	prctl(PR_SET_NAME, "some-thread");
	return vfio_user_set_container(user) ? user : NULL;
}

/* The owner is a process, and not the thread that happened to ask. */
TEST_F(group, owner_is_a_process)
{
	struct table_group table;
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, scene_open_group(self->s));
	ASSERT_EQ(0, pthread_create(&thread, NULL, claim_in_thread,
				    &self->s->user));
	pthread_join(thread, &ret);
	ASSERT_EQ(NULL, ret);
	ASSERT_EQ(0, table_read(&table, self->id));
	EXPECT_STREQ(myself(), table.task);
	expect_refused(self->s);
}

/*
 * Who claimed the group has exited, and its number is another process's: that
 * one is not taken for the owner.
 */
TEST_F(group, owner_has_exited)
{
	struct table_group table;
	char task[64], line[256];
	pid_t pid;

	ASSERT_EQ(0, scene_open_group(self->s));
	pid = scene_claim_by_child(self->s, "the-primary");
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, start_as(pid));
	EXPECT_EQ(0, table_read(&table, self->id));
	EXPECT_EQ(-EBUSY, pci_bind(self->s->b, "e1000"));
	EXPECT_EQ(0, stop_child(pid));

	snprintf(task, sizeof(task), "the-primary[%d](exited)", pid);
	EXPECT_STREQ(task, table.task);
	EXPECT_STREQ("user", table.owner);
	snprintf(line, sizeof(line),
		 "probe refused: IOMMU group %d is owned by userspace (the-primary[%d], which has exited): end whoever has it now, or bind vfio-pci or pci-stub\n",
		 self->id, pid);
	EXPECT_EQ(1, kmsg_find(self->s->kmsg, line));
}

/* No reader sees an owner beside a kernel claim, however the group changes. */
TEST_F(group, table_shows_no_mixture)
{
	struct reader reader = {
		.id = self->id,
		.ndevs = self->s->group->ndevs,
	};
	struct contest contest = {
		.bdf = self->s->b,
		.user = &self->s->user,
	};
	pthread_t reading, binding;

	ASSERT_EQ(0, scene_open_group(self->s));
	ASSERT_EQ(0, pthread_create(&reading, NULL, reader_run, &reader));
	ASSERT_EQ(0, pthread_create(&binding, NULL, contest_bind, &contest));
	EXPECT_EQ(0, contest_claim(&contest, CLAIMS));
	stop_thread(&contest.stop);
	pthread_join(binding, NULL);
	stop_thread(&reader.stop);
	pthread_join(reading, NULL);

	TH_LOG("%d tables: %d none, %d kernel, %d user; %d binds, %d refused",
	       reader.tables, reader.owners[0], reader.owners[1],
	       reader.owners[2], contest.bound, contest.refused);
	EXPECT_EQ(0, reader.mixtures)
		TH_LOG("the first mixture: %s", reader.mixture);
	EXPECT_LT(0, reader.owners[1]);
	EXPECT_LT(0, reader.owners[2]);
	EXPECT_LT(1, contest.bound);
	EXPECT_EQ(0, contest.errors);
	EXPECT_TRUE(group_owner_is(self->id, "none", "0"));
	ASSERT_EQ(0, kmsg_wait_quiet("probe refused"));
}

/* A refused probe is one line: what, where, by whom, and what to do. */
TEST_F(group, log_tells_why_probe_refused)
{
	char line[256];

	ASSERT_EQ(0, scene_claim(self->s));
	ASSERT_EQ(-EBUSY, pci_bind(self->s->b, "e1000"));
	snprintf(line, sizeof(line),
		 ";e1000 %s: probe refused: IOMMU group %d is owned by userspace (%s): end that process, or bind vfio-pci or pci-stub\n",
		 self->s->b, self->id, myself());
	EXPECT_EQ(1, kmsg_find(self->s->kmsg, line));
	EXPECT_EQ(0, kmsg_find(self->s->kmsg, self->s->b));
}

/* A refused claim names each device in the way. */
TEST_F(group, log_tells_why_claim_refused)
{
	const struct pci_dev *card;
	char line[2][128];

	card = find_dev(self->s->group, REALTEK_VENDOR, RTL8139_DEVICE);
	ASSERT_NE(NULL, card);
	ASSERT_EQ(0, system("modprobe 8139cp"));
	ASSERT_EQ(0, pci_switch(card->bdf, "8139cp"));
	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	snprintf(line[0], sizeof(line[0]),
		 ";iommu: group %d: claim refused: %s is bound to e1000\n",
		 self->id, self->s->b);
	snprintf(line[1], sizeof(line[1]),
		 ";iommu: group %d: claim refused: %s is bound to 8139cp\n",
		 self->id, card->bdf);

	ASSERT_EQ(0, scene_open_group(self->s));
	ASSERT_EQ(-EPERM, vfio_user_set_container(&self->s->user));
	EXPECT_EQ(1, kmsg_find(self->s->kmsg, line[0]));
	ASSERT_EQ(-EPERM, vfio_user_set_container(&self->s->user));
	EXPECT_EQ(1, kmsg_find(self->s->kmsg, line[1]));
	ASSERT_EQ(0, pci_unbind(card->bdf));
	EXPECT_EQ(0, system("modprobe -r 8139cp"));
}

/* Who only asks whether the group is viable learns why it is not. */
TEST_F(group, log_tells_why_not_viable)
{
	const struct pci_dev *card;
	char names[2][64], line[192];
	struct table_group table;
	bool b_first;
	__u32 flags;

	card = find_dev(self->s->group, REALTEK_VENDOR, RTL8139_DEVICE);
	ASSERT_NE(NULL, card);
	ASSERT_EQ(0, scene_open_group(self->s));
	ASSERT_EQ(0, vfio_group_flags(self->s->user.group, &flags));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, flags);
	EXPECT_EQ(0, kmsg_find(self->s->kmsg, "not viable"));

	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(0, system("modprobe 8139cp"));
	ASSERT_EQ(0, pci_switch(card->bdf, "8139cp"));
	ASSERT_EQ(0, vfio_group_flags(self->s->user.group, &flags));
	EXPECT_EQ(0, flags);
	/* The order is that in which they joined. */
	ASSERT_EQ(0, table_read(&table, self->id));
	b_first = table_find(&table, self->s->b) < table_find(&table, card->bdf);
	snprintf(names[!b_first], sizeof(names[0]), "%s is bound to e1000", self->s->b);
	snprintf(names[b_first], sizeof(names[0]), "%s is bound to 8139cp", card->bdf);
	snprintf(line, sizeof(line), ";iommu: group %d: not viable: %s, %s\n",
		 self->id, names[0], names[1]);
	EXPECT_EQ(1, kmsg_find(self->s->kmsg, line));
	ASSERT_EQ(0, pci_unbind(card->bdf));
	EXPECT_EQ(0, system("modprobe -r 8139cp"));
}

static int kmsg_count_all(int kmsg, const char *text)
{
	int n = 0;

	while (kmsg_find(kmsg, text) == 1)
		n++;
	return n;
}

/* Who asks again and again cannot flood the log, and is not forgotten. */
TEST_F(group, log_is_limited)
{
	const int refusals = REPORT_BURST + 4;
	char line[64];
	int i;

	/* Begin a period of its own. */
	sleep(REPORT_SECONDS + 1);
	ASSERT_EQ(0, scene_claim(self->s));
	for (i = 0; i < refusals; i++)
		ASSERT_EQ(-EBUSY, pci_bind(self->s->b, "e1000"));
	snprintf(line, sizeof(line), "probe refused: IOMMU group %d is owned",
		 self->id);
	EXPECT_EQ(REPORT_BURST, kmsg_count_all(self->s->kmsg, line));

	sleep(REPORT_SECONDS + 1);
	ASSERT_EQ(-EBUSY, pci_bind(self->s->b, "e1000"));
	snprintf(line, sizeof(line),
		 ";iommu: group %d: 4 more refused probes were not logged\n",
		 self->id);
	EXPECT_EQ(1, kmsg_find(self->s->kmsg, line));
	EXPECT_EQ(1, kmsg_find(self->s->kmsg, "probe refused: "));
}

/* Nor can the lines of one kind keep those of another from the log. */
TEST_F(group, log_limits_each_kind)
{
	const int times = REPORT_BURST + 4;
	__u32 flags;
	int i;

	sleep(REPORT_SECONDS + 1);
	ASSERT_EQ(0, scene_claim(self->s));
	for (i = 0; i < times; i++)
		ASSERT_EQ(-EBUSY, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(0, vfio_unset_container(self->s->user.group));

	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(0, kmsg_find(self->s->kmsg, "claim refused: "));
	for (i = 0; i < times; i++)
		ASSERT_EQ(0, vfio_group_flags(self->s->user.group, &flags));
	EXPECT_EQ(REPORT_BURST, kmsg_count_all(self->s->kmsg, "not viable: "));
	for (i = 0; i < times; i++)
		ASSERT_EQ(-EPERM, vfio_user_set_container(&self->s->user));
	EXPECT_EQ(REPORT_BURST, kmsg_count_all(self->s->kmsg, "claim refused: "));
}

/* A device that lost its driver to an owner is announced when that is gone. */
TEST_F(group, event_after_release)
{
	int uevents = uevent_open();

	ASSERT_LE(0, uevents);
	ASSERT_EQ(0, scene_claim(self->s));
	expect_refused(self->s);
	expect_refused(self->s);
	EXPECT_EQ(0, uevent_count(uevents, "change", "DMA_OWNER=none"));
	ASSERT_EQ(0, vfio_unset_container(self->s->user.group));
	EXPECT_EQ(1, uevent_count(uevents, "change", self->s->b));

	ASSERT_EQ(-EBUSY, refuse_once(self->s));
	EXPECT_EQ(1, uevent_count(uevents, "change", "DMA_OWNER=none"));
	EXPECT_EQ(0, pci_drivers_probe(self->s->b));
	EXPECT_TRUE(pci_bound_to(self->s->b, "e1000"));
	close(uevents);
}

/* Others are not: nobody wanted them, or they have a driver after all. */
TEST_F(group, no_event_without_need)
{
	int uevents = uevent_open();

	ASSERT_LE(0, uevents);
	ASSERT_EQ(0, scene_claim(self->s));
	ASSERT_EQ(0, vfio_unset_container(self->s->user.group));

	ASSERT_EQ(0, vfio_user_set_container(&self->s->user));
	expect_refused(self->s);
	ASSERT_EQ(0, pci_switch(self->s->b, "pci-stub"));
	ASSERT_EQ(0, vfio_unset_container(self->s->user.group));

	ASSERT_EQ(0, pci_unbind(self->s->b));
	ASSERT_EQ(0, vfio_user_set_container(&self->s->user));
	ASSERT_EQ(0, vfio_unset_container(self->s->user.group));
	EXPECT_EQ(0, uevent_count(uevents, "change", "DMA_OWNER=none"));
	close(uevents);
}

/* The trace events, with the group under test as their filter. */
FIXTURE(events)
{
	struct scene scene;
	struct scene *s;
	int id;
	char line[256];
};

SCENE_VARIANTS(events);

FIXTURE_SETUP(events)
{
	char filter[32];

	self->s = &self->scene;
	setup_scene(self->s, variant->topology);
	self->id = self->s->group->id;
	snprintf(filter, sizeof(filter), "gid == %d", self->id);
	ASSERT_EQ(0, trace_start(filter));
}

FIXTURE_TEARDOWN(events)
{
	EXPECT_EQ(0, trace_stop());
	EXPECT_EQ(0, scene_teardown(self->s));
}

static void event_line(char *line, size_t size, const char *event, int id,
		       const char *owner, const char *device, const char *driver)
{
	snprintf(line, size,
		 "%s: IOMMU: groupID=%d owner=%s device=%s driver=%s task=%s",
		 event, id, owner, device, driver, myself());
}

TEST_F(events, kernel_claim)
{
	event_line(self->line, sizeof(self->line), "dma_owner_set", self->id,
		   "kernel", self->s->b, "e1000");
	EXPECT_EQ(0, trace_count(self->line));
	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	EXPECT_LE(1, trace_count(self->line));

	event_line(self->line, sizeof(self->line), "dma_owner_release",
		   self->id, "kernel", self->s->b, "e1000");
	ASSERT_EQ(0, pci_unbind(self->s->b));
	EXPECT_LE(1, trace_count(self->line));
}

TEST_F(events, user_claim)
{
	ASSERT_EQ(0, scene_claim(self->s));
	event_line(self->line, sizeof(self->line), "dma_owner_set", self->id,
		   "user", "-", "-");
	EXPECT_EQ(1, trace_count(self->line));
	event_line(self->line, sizeof(self->line), "dma_owner_release",
		   self->id, "user", "-", "-");
	EXPECT_EQ(0, trace_count(self->line));
	ASSERT_EQ(0, vfio_unset_container(self->s->user.group));
	EXPECT_EQ(1, trace_count(self->line));
}

TEST_F(events, refusals)
{
	ASSERT_EQ(0, scene_claim(self->s));
	expect_refused(self->s);
	snprintf(self->line, sizeof(self->line),
		 "dma_owner_refused: IOMMU: groupID=%d device=%s driver=e1000 error=-%d",
		 self->id, self->s->b, EBUSY);
	EXPECT_EQ(1, trace_count(self->line));

	ASSERT_EQ(0, vfio_unset_container(self->s->user.group));
	ASSERT_EQ(0, pci_bind(self->s->b, "e1000"));
	ASSERT_EQ(-EPERM, vfio_user_set_container(&self->s->user));
	snprintf(self->line, sizeof(self->line),
		 "dma_owner_refused: IOMMU: groupID=%d device=%s driver=e1000 error=-%d",
		 self->id, self->s->b, EPERM);
	EXPECT_EQ(1, trace_count(self->line));
}

/* A filter for another group records nothing of this one. */
TEST_F(events, are_filtered_by_group)
{
	char filter[32];

	snprintf(filter, sizeof(filter), "gid != %d", self->id);
	ASSERT_EQ(0, trace_start(filter));
	ASSERT_EQ(0, scene_claim(self->s));
	expect_refused(self->s);
	event_line(self->line, sizeof(self->line), "dma_owner_set", self->id,
		   "user", "-", "-");
	EXPECT_EQ(0, trace_count(self->line));
}

TEST_HARNESS_MAIN
