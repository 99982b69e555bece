// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers that attach devices of one group to a private domain, and what the DMA of
 * those devices reaches. The driver is that of
 * drivers/iommu/tests/private_domain_driver.c, which leaves an "edu" to the test.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/owner_table.h"
#include "lib/private.h"
#include "lib/tracefs.h"
#include "lib/uevent.h"
#include "scene_test.h"
#include "tool.h"

#define DRIVER		PRIVATE_DOMAIN_DRIVER

/* Where the driver maps its page, and where it maps nothing. */
#define PAGE_IOVA	0x5000000
#define HOLE_IOVA	0x7000000

#define FAULT_SECONDS	60

/* A kernel driver that does nothing, and how often each is to have the group. */
#define CONTEST_DRIVER		"pci-pf-stub"
#define CONTEST_TURNS		50
#define CONTEST_REFUSALS	10
#define CONTEST_SECONDS		200

static int open_page(const char *bdf)
{
	char path[96];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/page", bdf);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Put a pattern on the page that @bdf reaches. */
static int page_fill(const char *bdf, __u32 seed)
{
	char pattern[EDU_LEN];
	int fd, ret;

	fd = open_page(bdf);
	if (fd < 0)
		return -errno;
	pattern_fill(pattern, seed);
	ret = pwrite(fd, pattern, EDU_LEN, 0) == EDU_LEN ? 0 : -errno;
	close(fd);
	return ret;
}

/* How many words of a pattern are on that page. */
static int page_words(const char *bdf, __u32 seed)
{
	char mem[EDU_LEN];
	int fd, ret;

	fd = open_page(bdf);
	if (fd < 0)
		return -errno;
	ret = pread(fd, mem, EDU_LEN, 0) == EDU_LEN ? 0 : -errno;
	close(fd);
	return ret ? ret : pattern_words(mem, seed);
}

/*
 * Have one "edu" read what is at @from, and write it to @to, where something else
 * was written meanwhile. How many words arrive on the page of @bdf.
 */
static int dma_words(const char *bdf, __u64 from, __u64 to)
{
	static __u32 seed;
	struct edu edu;
	int ret;

	ret = edu_open_bar(&edu, bdf);
	if (ret)
		return ret;
	seed += 2;
	ret = page_fill(bdf, seed);
	if (!ret)
		ret = edu_pull(&edu, from);
	if (!ret)
		ret = page_fill(bdf, seed + 1);
	if (!ret)
		ret = edu_push(&edu, to);
	edu_close(&edu);
	return ret ? ret : page_words(bdf, seed);
}

/* The page at its address, and nothing where nothing is. */
#define expect_reach(_bdf) do {						\
	const char *__bdf = (_bdf);					\
									\
	EXPECT_EQ(EDU_WORDS, dma_words(__bdf, PAGE_IOVA, PAGE_IOVA));	\
	EXPECT_EQ(0, dma_words(__bdf, HOLE_IOVA, PAGE_IOVA));		\
	EXPECT_EQ(0, dma_words(__bdf, PAGE_IOVA, HOLE_IOVA));		\
} while (0)

/* The same by way of the DMA API. */
static int dma_api_words(const char *bdf)
{
	char path[96], text[32] = "";
	unsigned long long dma;
	FILE *file;
	int ret;

	ret = private_set(bdf, "dma_api", "1");
	if (ret)
		return ret;
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/dma_api", bdf);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (!fgets(text, sizeof(text), file))
		ret = -EIO;
	fclose(file);
	dma = strtoull(text, NULL, 16);
	if (!ret)
		ret = dma_words(bdf, dma, dma);
	if (private_set(bdf, "dma_api", "0"))
		return -EIO;
	return ret;
}

FIXTURE(private)
{
	struct scene scene;
	const char *a;
	const char *b;
	const char *c;
	int id;
};

FIXTURE_VARIANT(private)
{
	enum topology topology;
};

SCENE_VARIANT(private, aliased, ALIASED);
SCENE_VARIANT(private, distinct, DISTINCT);
SCENE_VARIANT(private, pcieport, PCIEPORT);

FIXTURE_SETUP(private)
{
	struct scene *scene = &self->scene;

	setup_scene(scene, variant->topology);
	self->a = scene->a;
	self->b = scene->b;
	self->c = scene->c;
	self->id = scene->group->id;
	ASSERT_EQ(0, pci_switch(self->a, DRIVER));
	if (self->c)
		ASSERT_EQ(0, pci_switch(self->c, DRIVER));
}

FIXTURE_TEARDOWN(private)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
	EXPECT_TRUE(group_owner_is(self->id, "none", "0"));
}

/* Whatever the other devices of the group are, among them a port. */
TEST_F(private, device_reaches_its_domain)
{
	EXPECT_TRUE(group_owner_is(self->id, "none", "0"));
	ASSERT_EQ(0, private_attach(self->a));
	EXPECT_TRUE(group_owner_is(self->id, "private", "1"));
	expect_reach(self->a);
	ASSERT_EQ(0, private_detach(self->a));
	EXPECT_TRUE(group_owner_is(self->id, "none", "0"));
	EXPECT_EQ(EDU_WORDS, dma_api_words(self->a));
	ASSERT_EQ(0, private_attach(self->a));
	expect_reach(self->a);
}

/* What one device writes the other reads: they share an I/O address space. */
TEST_F(private, devices_share_domain)
{
	struct edu a, c;

	if (!self->c)
		SKIP(return, "one edu only");
	ASSERT_EQ(0, private_attach(self->a));
	ASSERT_EQ(0, private_attach(self->c));
	EXPECT_TRUE(group_owner_is(self->id, "private", "2"));
	EXPECT_EQ(-EBUSY, private_attach(self->c));

	ASSERT_EQ(0, edu_open_bar(&a, self->a));
	ASSERT_EQ(0, edu_open_bar(&c, self->c));
	ASSERT_EQ(0, page_fill(self->a, 1));
	ASSERT_EQ(0, edu_pull(&a, PAGE_IOVA));
	ASSERT_EQ(0, page_fill(self->a, 2));
	ASSERT_EQ(0, edu_push(&a, PAGE_IOVA));
	ASSERT_EQ(0, edu_pull(&c, PAGE_IOVA));
	ASSERT_EQ(0, page_fill(self->c, 3));
	ASSERT_EQ(0, edu_push(&c, PAGE_IOVA));
	EXPECT_EQ(EDU_WORDS, page_words(self->a, 1));
	edu_close(&c);
	edu_close(&a);

	ASSERT_EQ(0, private_detach(self->a));
	EXPECT_TRUE(group_owner_is(self->id, "private", "1"));
	expect_reach(self->c);
	EXPECT_EQ(-EBUSY, private_set(self->a, "dma_api", "1"));
	ASSERT_EQ(0, private_detach(self->c));
	EXPECT_EQ(EDU_WORDS, dma_api_words(self->a));
	EXPECT_EQ(EDU_WORDS, dma_api_words(self->c));
}

TEST_F(private, fault_is_logged)
{
	int second, logged = 0;
	char text[64];

	if (!scene_logs_faults())
		SKIP(return, "the IOMMU does not tell of faults");
	ASSERT_EQ(0, private_attach(self->a));
	ASSERT_EQ(0, iommu_fault_text(self->a, HOLE_IOVA, text, sizeof(text)));
	for (second = 0; !logged && second < FAULT_SECONDS; second++) {
		EXPECT_EQ(0, dma_words(self->a, PAGE_IOVA, HOLE_IOVA));
		logged = kmsg_wait(self->scene.kmsg, text, 1);
	}
	EXPECT_EQ(1, logged);
}

/* A driver that uses the DMA API has B: the log tells so. */
TEST_F(private, waits_for_sibling)
{
	char line[192];

	ASSERT_EQ(0, pci_switch(self->b, QUICK_DRIVER));
	ASSERT_EQ(-EBUSY, private_attach(self->a));
	EXPECT_TRUE(group_owner_is(self->id, "kernel", "1"));
	snprintf(line, sizeof(line),
		 "%s: cannot be attached to a domain of its own: %s of its IOMMU group %d is bound to %s",
		 self->a, self->b, self->id, QUICK_DRIVER);
	EXPECT_EQ(1, kmsg_find(self->scene.kmsg, line));
	ASSERT_EQ(0, pci_unbind(self->b));
	EXPECT_EQ(0, private_attach(self->a));
	expect_reach(self->a);
}

/* B is kept from its driver, as long as A is attached. */
TEST_F(private, sibling_waits)
{
	int uevents = uevent_open();
	char line[192];

	ASSERT_LE(0, uevents);
	ASSERT_EQ(0, private_attach(self->a));
	ASSERT_EQ(-EBUSY, pci_bind(self->b, "e1000"));
	snprintf(line, sizeof(line),
		 "e1000 %s: probe refused: IOMMU group %d is on a domain of %s (%s): unbind that driver first",
		 self->b, self->id, DRIVER, self->a);
	EXPECT_EQ(1, kmsg_find(self->scene.kmsg, line));
	expect_reach(self->a);

	EXPECT_EQ(0, uevent_count(uevents, "change", "DMA_OWNER=none"));
	ASSERT_EQ(0, pci_unbind(self->a));
	EXPECT_EQ(1, uevent_count(uevents, "change", "DMA_OWNER=none"));
	EXPECT_EQ(0, pci_bind(self->b, "e1000"));
	EXPECT_TRUE(group_owner_is(self->id, "kernel", "1"));
	close(uevents);
}

/* Nor can userspace have the group, which is told where people look. */
TEST_F(private, user_waits)
{
	struct vfio_user *user = &self->scene.user;
	const struct table_dev *row;
	struct table_group table;
	char line[192];

	ASSERT_EQ(0, private_attach(self->a));
	ASSERT_EQ(0, pci_switch(self->b, "vfio-pci"));
	ASSERT_EQ(0, scene_open_group(&self->scene));
	EXPECT_EQ(-EPERM, vfio_user_set_container(user));
	snprintf(line, sizeof(line),
		 "group %d: claim refused: %s is on a domain of its driver %s",
		 self->id, self->a, DRIVER);
	EXPECT_EQ(1, kmsg_find(self->scene.kmsg, line));
	expect_reach(self->a);

	ASSERT_EQ(0, table_read(&table, self->id));
	EXPECT_STREQ("private", table.owner);
	EXPECT_STREQ(myself(), table.task);
	row = table_find(&table, self->a);
	ASSERT_NE(NULL, row);
	EXPECT_STREQ("private", row->claim);
	EXPECT_EQ(CANNOT, tool_why(self->b));
	EXPECT_TRUE(said(DRIVER));

	ASSERT_EQ(0, private_detach(self->a));
	EXPECT_EQ(0, vfio_user_set_container(user));
	EXPECT_EQ(-EBUSY, private_attach(self->a));
	snprintf(line, sizeof(line),
		 "%s: cannot be attached to a domain of its own: its IOMMU group %d is owned by userspace (%s)",
		 self->a, self->id, myself());
	EXPECT_EQ(1, kmsg_find(self->scene.kmsg, line));
}

static void event_line(char *line, size_t size, const char *event, int id,
		       const char *device)
{
	snprintf(line, size,
		 "%s: IOMMU: groupID=%d owner=private device=%s driver=" DRIVER " task=%s",
		 event, id, device, myself());
}

TEST_F(private, events)
{
	char filter[32], line[192];

	snprintf(filter, sizeof(filter), "gid == %d", self->id);
	ASSERT_EQ(0, trace_start(filter));
	EXPECT_EQ(0, private_attach(self->a));
	event_line(line, sizeof(line), "dma_owner_set", self->id, self->a);
	EXPECT_EQ(1, trace_count(line));
	EXPECT_EQ(0, private_detach(self->a));
	event_line(line, sizeof(line), "dma_owner_release", self->id, self->a);
	EXPECT_EQ(1, trace_count(line));
	EXPECT_EQ(0, trace_stop());
}

/* B goes and comes, and A's DMA does not notice. */
TEST_F(private, sibling_is_replugged)
{
	ASSERT_EQ(0, private_attach(self->a));
	ASSERT_EQ(0, pci_remove(self->b));
	expect_reach(self->a);
	ASSERT_EQ(0, pci_rescan());
	EXPECT_TRUE(pci_present(self->b));
	EXPECT_TRUE(pci_bound_to(self->b, ""));
	EXPECT_EQ(self->id, group_of(self->b));
	expect_reach(self->a);
	ASSERT_EQ(0, private_detach(self->a));
	EXPECT_EQ(0, pci_bind(self->b, "e1000"));
	EXPECT_TRUE(group_owner_is(self->id, "kernel", "1"));
}

/* An attached device goes, and the other one does not notice. */
TEST_F(private, attached_device_is_unplugged)
{
	if (!self->c)
		SKIP(return, "one edu only");
	ASSERT_EQ(0, private_attach(self->a));
	ASSERT_EQ(0, private_attach(self->c));
	ASSERT_EQ(0, pci_remove(self->c));
	EXPECT_TRUE(group_owner_is(self->id, "private", "1"));
	expect_reach(self->a);
	ASSERT_EQ(0, pci_remove(self->a));
	EXPECT_TRUE(group_owner_is(self->id, "none", "0"));
	ASSERT_EQ(0, pci_rescan());
	ASSERT_EQ(0, pci_switch(self->a, DRIVER));
	EXPECT_EQ(EDU_WORDS, dma_api_words(self->a));
	EXPECT_EQ(0, private_attach(self->a));
	expect_reach(self->a);
}

/*
 * Three who want the group: A's driver attaches A, a kernel driver is bound to B, and
 * a user opens the group by way of C. Each says what it has from when it got it until
 * it gives it back, and looks then whether another one has it as well.
 */
enum rival { PRIVATE, KERNEL, USER, RIVALS };

struct contest {
	const char *a;
	const char *b;
	int group;
	atomic_bool has[RIVALS];
	atomic_bool stop;
	atomic_ulong turns[RIVALS];
	atomic_ulong refusals[RIVALS];
	atomic_ulong faults;
};

struct turn {
	int (*take)(struct contest *contest, struct vfio_user *user);
	int (*give)(struct contest *contest, struct vfio_user *user);
	int refused;
};

static int take_private(struct contest *contest, struct vfio_user *user)
{
	return private_attach(contest->a);
}

static int give_private(struct contest *contest, struct vfio_user *user)
{
	return private_detach(contest->a);
}

static int take_kernel(struct contest *contest, struct vfio_user *user)
{
	return pci_bind(contest->b, CONTEST_DRIVER);
}

static int give_kernel(struct contest *contest, struct vfio_user *user)
{
	return pci_unbind(contest->b);
}

static int take_user(struct contest *contest, struct vfio_user *user)
{
	return vfio_user_set_container(user);
}

static int give_user(struct contest *contest, struct vfio_user *user)
{
	return vfio_unset_container(user->group);
}

static const struct turn turns[RIVALS] = {
	[PRIVATE] = { take_private, give_private, -EBUSY },
	[KERNEL] = { take_kernel, give_kernel, -EBUSY },
	[USER] = { take_user, give_user, -EPERM },
};

/* One turn of a rival; whether all went as it must. */
static bool have_turn(struct contest *contest, enum rival rival,
		      struct vfio_user *user)
{
	const struct turn *turn = &turns[rival];
	int other, ret;
	bool good = true;

	ret = turn->take(contest, user);
	if (ret) {
		contest->refusals[rival]++;
		return ret == turn->refused;
	}
	contest->has[rival] = true;
	contest->turns[rival]++;
	for (other = 0; other < RIVALS; other++)
		good &= other == rival || !contest->has[other];
	contest->has[rival] = false;
	return !turn->give(contest, user) && good;
}

struct rival_thread {
	pthread_t id;
	struct contest *contest;
	enum rival rival;
};

static void *be_rival(void *data)
{
	struct rival_thread *thread = data;
	struct contest *contest = thread->contest;
	unsigned int seed = thread->rival;
	struct vfio_user user = VFIO_USER_NONE;

	if (thread->rival == USER && vfio_user_open_group(&user, contest->group))
		contest->faults++;
	while (!contest->stop) {
		if (!have_turn(contest, thread->rival, &user))
			contest->faults++;
		usleep(rand_r(&seed) % 5000);
	}
	vfio_user_close(&user);
	return NULL;
}

/* Had each enough turns, and was each refused? */
static bool contest_over(struct contest *contest)
{
	int rival;

	for (rival = 0; rival < RIVALS; rival++) {
		if (contest->turns[rival] < CONTEST_TURNS ||
		    contest->refusals[rival] < CONTEST_REFUSALS)
			return false;
	}
	return true;
}

static void wait_for_end(struct contest *contest)
{
	int second;

	for (second = 0; second < CONTEST_SECONDS; second++) {
		if (contest->faults || contest_over(contest))
			break;
		sleep(1);
	}
	contest->stop = true;
}

TEST_F(private, no_mixture)
{
	struct contest contest = { .a = self->a, .b = self->b, .group = self->id };
	struct rival_thread threads[RIVALS];
	int rival;

	if (!self->c)
		SKIP(return, "no device for the user");
	ASSERT_EQ(0, pci_switch(self->c, "vfio-pci"));
	ASSERT_EQ(0, pci_override(self->b, CONTEST_DRIVER));
	for (rival = 0; rival < RIVALS; rival++) {
		threads[rival].contest = &contest;
		threads[rival].rival = rival;
		ASSERT_EQ(0, pthread_create(&threads[rival].id, NULL, be_rival,
					    &threads[rival]));
	}
	wait_for_end(&contest);
	for (rival = 0; rival < RIVALS; rival++)
		ASSERT_EQ(0, pthread_join(threads[rival].id, NULL));
	EXPECT_EQ(0, contest.faults);
	EXPECT_TRUE(contest_over(&contest));
	ASSERT_EQ(0, private_attach(self->a));
	expect_reach(self->a);
}

TEST_HARNESS_MAIN
