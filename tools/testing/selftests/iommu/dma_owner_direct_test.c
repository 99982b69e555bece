// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the firmware wants a device to reach at all times, through a direct
 * mapping in the default domain of its group: an RMRR on Intel, a unity map on
 * AMD. What becomes of it when a user claims the group?
 *
 * For a group of two functions, one of them an "edu" without such memory, see
 * DIRECT in qemu/devices.inc. As the domain is one for the group, that "edu"
 * reaches the memory as well, and so can tell where the group is attached.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene_test.h"

#define USB_CLASS	0x0c03

/* DMA of a tenth of a second each, with many claims meanwhile. */
#define CONTESTED	20

/* Lines about refusals that are too many for the seconds that this takes. */
#define FLOOD		100

/* Pages of the firmware. */
enum { MAILBOX, TARGET, PAGES };

/* What stands in the target while nobody may read it. */
#define SECRET		0x5ec2e7

/* The kind of device for which the firmware wants memory mapped. */
enum kind { PLAIN, USB };

struct arena {
	const struct group *group;
	const char *device;	/* which has the memory */
	const char *sibling;	/* which has not */
	enum kind kind;
	bool strict;		/* it is needed at all times */
	bool keeps;		/* the IOMMU driver does not let go of it */
	__u64 start;
	size_t page;
	void *mem;
	struct vfio_user user;
	int kmsg;
	__u32 seed;
};

FIXTURE(direct)
{
	struct arena arena;
};

FIXTURE_VARIANT(direct)
{
	enum kind kind;
};

FIXTURE_VARIANT_ADD(direct, edu)
{
	.kind = PLAIN,
};

FIXTURE_VARIANT_ADD(direct, usb)
{
	.kind = USB,
};

static enum kind kind_of(const struct group *group)
{
	int i;

	for (i = 0; i < group->ndevs; i++) {
		if (group->devs[i].class >> 8 == USB_CLASS)
			return USB;
	}
	return PLAIN;
}

/* The last of the group's devices is that with the memory. */
static int find_devices(struct arena *arena)
{
	const struct group *group;
	char type[32];

	for (group = scene_next_group(NULL); group; group = scene_next_group(group)) {
		if (group->ndevs != 2 || kind_of(group) != arena->kind ||
		    group_direct_region(group, &arena->start, type))
			continue;
		arena->group = group;
		arena->sibling = group->devs[0].bdf;
		arena->device = group->devs[1].bdf;
		arena->strict = !strcmp(type, "direct");
		arena->keeps = arena->strict && iommu_is(arena->device, "/dmar");
		return 0;
	}
	return -ENODEV;
}

static int map_firmware(struct arena *arena)
{
	int fd;

	arena->page = sysconf(_SC_PAGESIZE);
	fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	arena->mem = mmap(NULL, PAGES * arena->page, PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd, arena->start);
	close(fd);
	return arena->mem == MAP_FAILED ? -errno : 0;
}

static __u64 address_of(const struct arena *arena, int page)
{
	return arena->start + page * arena->page;
}

static void *page_of(const struct arena *arena, int page)
{
	return arena->mem + page * arena->page;
}

/* Have the device copy the mailbox to the target: how many words arrive there. */
static int words_copied(struct arena *arena, struct edu *edu)
{
	__u32 seed = ++arena->seed;
	int ret;

	pattern_fill(page_of(arena, MAILBOX), seed);
	pattern_fill(page_of(arena, TARGET), SECRET);
	ret = edu_pull(edu, address_of(arena, MAILBOX));
	if (!ret)
		ret = edu_push(edu, address_of(arena, TARGET));
	return ret ? ret : pattern_words(page_of(arena, TARGET), seed);
}

/* The same, by the device's address, and behind its driver's back. */
static int words_copied_by(struct arena *arena, const char *bdf)
{
	struct edu edu;
	int ret;

	ret = edu_open_bar(&edu, bdf);
	if (ret)
		return ret;
	ret = words_copied(arena, &edu);
	edu_close(&edu);
	return ret;
}

/* Every "edu" of the group reaches the memory, or none does. */
static void expect_words(struct __test_metadata *_metadata,
			 struct arena *arena, int words)
{
	EXPECT_EQ(words, words_copied_by(arena, arena->sibling));
	if (arena->kind == PLAIN)
		EXPECT_EQ(words, words_copied_by(arena, arena->device));
}

FIXTURE_SETUP(direct)
{
	struct arena *arena = &self->arena;
	char text[32];

	arena->user = (struct vfio_user)VFIO_USER_NONE;
	arena->kind = variant->kind;
	ASSERT_EQ(0, find_devices(arena));
	ASSERT_EQ(0, map_firmware(arena));
	ASSERT_EQ(0, group_clear(arena->group));
	ASSERT_EQ(0, pci_switch(arena->sibling, "vfio-pci"));
	snprintf(text, sizeof(text), "group %d", arena->group->id);
	ASSERT_EQ(0, kmsg_wait_quiet(text));
	arena->kmsg = kmsg_open();
	ASSERT_LE(0, arena->kmsg);
}

/* Whatever happened to the group, in the end it is back on its default domain. */
FIXTURE_TEARDOWN(direct)
{
	struct arena *arena = &self->arena;

	vfio_user_close(&arena->user);
	expect_words(_metadata, arena, EDU_WORDS);
	close(arena->kmsg);
	EXPECT_EQ(0, group_clear(arena->group));
	EXPECT_EQ(0, pci_switch(arena->sibling, QUICK_DRIVER));
	EXPECT_EQ(0, pci_switch(arena->device, QUICK_DRIVER));
	EXPECT_EQ(0, group_clear(arena->group));
}

TEST_F(direct, reached_without_user)
{
	struct arena *arena = &self->arena;

	expect_words(_metadata, arena, EDU_WORDS);
	ASSERT_EQ(0, pci_remove(arena->device));
	EXPECT_EQ(EDU_WORDS, words_copied_by(arena, arena->sibling));
	ASSERT_EQ(0, pci_rescan());
	expect_words(_metadata, arena, EDU_WORDS);
}

/* Find the next line that tells of a refusal because of the mapping: 1, or 0. */
static int find_refusal(struct arena *arena)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "group %d: claim refused: %s needs a direct mapping",
		 arena->group->id, arena->device);
	return kmsg_find(arena->kmsg, text);
}

TEST_F(direct, claim_refused)
{
	struct arena *arena = &self->arena;
	char owner[16];

	if (!arena->keeps)
		SKIP(return, "the IOMMU driver lets go of the mapping");
	EXPECT_EQ(-EPERM, vfio_user_claim(&arena->user, arena->group->id));
	EXPECT_EQ(1, find_refusal(arena));
	ASSERT_EQ(0, group_value(arena->group->id, "dma_owner", owner,
				 sizeof(owner)));
	EXPECT_STREQ("none", owner);
	expect_words(_metadata, arena, EDU_WORDS);
}

/* The same where there is a domain of others to try first: one refusal, one line. */
TEST_F(direct, joining_refused)
{
	struct arena *arena = &self->arena;
	struct scene first;

	if (!arena->keeps)
		SKIP(return, "the IOMMU driver lets go of the mapping");
	setup_scene(&first, DISTINCT);
	ASSERT_EQ(0, vfio_user_open(&first.user, first.a));
	ASSERT_EQ(0, vfio_user_open_group(&arena->user, arena->group->id));
	EXPECT_EQ(-EPERM, vfio_set_container(arena->user.group,
					     first.user.container));
	EXPECT_EQ(1, find_refusal(arena));
	EXPECT_EQ(0, find_refusal(arena));
	expect_words(_metadata, arena, EDU_WORDS);
	EXPECT_EQ(0, edu_dma_check(&first.user));
	EXPECT_EQ(0, scene_teardown(&first));
}

/* Somebody who claims the group again and again. */
struct claimer {
	struct vfio_user user;
	pthread_t thread;
	bool stop;
	int refusals;
	int other;
};

static void *claimer_run(void *data)
{
	struct claimer *claimer = data;
	struct vfio_user *user = &claimer->user;

	while (!__atomic_load_n(&claimer->stop, __ATOMIC_ACQUIRE)) {
		if (vfio_user_set_container(user) == -EPERM)
			claimer->refusals++;
		else
			claimer->other++;
	}
	return NULL;
}

/* The device never gets to know of it, and the log not too often. */
TEST_F(direct, reached_during_refused_claims)
{
	struct arena *arena = &self->arena;
	struct claimer claimer = {};
	struct edu edu;
	int i, lines = 0;

	if (!arena->keeps)
		SKIP(return, "the IOMMU driver lets go of the mapping");
	ASSERT_EQ(0, edu_open_bar(&edu, arena->device));
	ASSERT_EQ(0, vfio_user_open_group(&claimer.user, arena->group->id));
	ASSERT_EQ(0, pthread_create(&claimer.thread, NULL, claimer_run, &claimer));
	for (i = 0; i < CONTESTED; i++)
		EXPECT_EQ(EDU_WORDS, words_copied(arena, &edu));
	__atomic_store_n(&claimer.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(claimer.thread, NULL));
	vfio_user_close(&claimer.user);
	edu_close(&edu);
	EXPECT_LT(FLOOD, claimer.refusals);
	EXPECT_EQ(0, claimer.other);
	while (kmsg_find(arena->kmsg, arena->device) > 0)
		lines++;
	EXPECT_GT(FLOOD, lines);
}

/* As before DMA had owners: what attaches VFIO's domain loses the mapping. */
TEST_F(direct, cut_off_by_claim)
{
	struct arena *arena = &self->arena;

	if (arena->keeps)
		SKIP(return, "the IOMMU driver does not let go of the mapping");
	ASSERT_EQ(0, vfio_user_claim(&arena->user, arena->group->id));
	expect_words(_metadata, arena, 0);
	ASSERT_EQ(0, vfio_set_iommu(arena->user.container));
	expect_words(_metadata, arena, 0);
	ASSERT_EQ(0, vfio_unset_container(arena->user.group));
	expect_words(_metadata, arena, EDU_WORDS);
}

/* What the device writes there does not hit the user's memory by accident. */
TEST_F(direct, no_mapping_of_user_instead)
{
	struct arena *arena = &self->arena;
	void *mem;

	if (arena->keeps || !arena->strict)
		SKIP(return, "the mapping is kept, or it is the user's to lose");
	mem = mmap(NULL, arena->page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, vfio_user_open(&arena->user, arena->sibling));
	EXPECT_EQ(-EINVAL, vfio_map(arena->user.container, mem, arena->start,
				    arena->page));
	munmap(mem, arena->page);
}

/* A device that comes while its group is a user's gets its mapping afterwards. */
TEST_F(direct, reached_after_hotplug)
{
	struct arena *arena = &self->arena;

	if (arena->keeps)
		SKIP(return, "the IOMMU driver does not let go of the mapping");
	ASSERT_EQ(0, pci_remove(arena->device));
	ASSERT_EQ(0, vfio_user_claim(&arena->user, arena->group->id));
	ASSERT_EQ(0, pci_rescan());
	ASSERT_EQ(arena->group->id, group_of(arena->device));
	expect_words(_metadata, arena, 0);
	vfio_user_close(&arena->user);
	expect_words(_metadata, arena, EDU_WORDS);
}

TEST_HARNESS_MAIN
