// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the DMA of a device reaches before its user has mapped anything.
 *
 * For a machine that was booted with iommu.passthrough=1: there the kernel lets
 * devices use physical addresses, so that a device reaches any memory unless
 * something keeps it from that. The device is driven through sysfs, because
 * VFIO hands it out only after its IOMMU is set up.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene_test.h"

/* What stands in the target while nobody may read it. */
#define SECRET		0x5ec2e7

/* A page, and where the machine has it. */
struct page {
	void *mem;
	__u64 phys;
};

struct arena {
	struct scene scene;
	struct edu edu;
	struct page mailbox;
	struct page target;
	__u32 seed;
};

FIXTURE(passthrough)
{
	struct arena arena;
};

SCENE_VARIANTS(passthrough);

static int page_alloc(struct page *page)
{
	size_t size = sysconf(_SC_PAGESIZE);

	page->mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	if (page->mem == MAP_FAILED)
		return -errno;
	pattern_fill(page->mem, 0);
	return phys_addr(page->mem, &page->phys);
}

static bool page_stayed(const struct page *page)
{
	__u64 phys;

	return !phys_addr(page->mem, &phys) && phys == page->phys;
}

FIXTURE_SETUP(passthrough)
{
	struct arena *arena = &self->arena;
	struct scene *scene = &arena->scene;
	char type[16];

	ASSERT_EQ(0, page_alloc(&arena->mailbox));
	ASSERT_EQ(0, page_alloc(&arena->target));
	setup_scene(scene, variant->topology);
	ASSERT_EQ(0, group_value(scene->group->id, "type", type,
				 sizeof(type)));
	ASSERT_STREQ("identity", type);
	ASSERT_EQ(0, edu_open_bar(&arena->edu, scene->a));
}

FIXTURE_TEARDOWN(passthrough)
{
	struct arena *arena = &self->arena;

	EXPECT_TRUE(page_stayed(&arena->mailbox));
	EXPECT_TRUE(page_stayed(&arena->target));
	edu_close(&arena->edu);
	EXPECT_EQ(0, scene_teardown(&arena->scene));
}

/* The device reads the mailbox and writes it to the target. */
static void expect_reach(struct __test_metadata *_metadata,
			 struct arena *arena, struct edu *edu)
{
	__u32 seed = ++arena->seed;

	pattern_fill(arena->mailbox.mem, seed);
	pattern_fill(arena->target.mem, SECRET);
	EXPECT_EQ(0, edu_pull(edu, arena->mailbox.phys));
	EXPECT_EQ(0, edu_push(edu, arena->target.phys));
	EXPECT_EQ(EDU_WORDS, pattern_words(arena->target.mem, seed));
}

/* It cannot write the target. Whether it can read it will be seen later. */
static void expect_blocked(struct __test_metadata *_metadata,
			   struct arena *arena, struct edu *edu)
{
	pattern_fill(arena->target.mem, SECRET);
	EXPECT_EQ(0, edu_push(edu, arena->target.phys));
	EXPECT_EQ(EDU_WORDS, pattern_words(arena->target.mem, SECRET));
	EXPECT_EQ(0, edu_pull(edu, arena->target.phys));
}

/* Now that it can write again: what has it got? */
static void expect_no_leak(struct __test_metadata *_metadata,
			   struct arena *arena, struct edu *edu)
{
	__u32 seed = ++arena->seed;

	pattern_fill(arena->mailbox.mem, seed);
	EXPECT_EQ(0, edu_push(edu, arena->mailbox.phys));
	EXPECT_EQ(0, pattern_words(arena->mailbox.mem, seed));
	EXPECT_EQ(0, pattern_words(arena->mailbox.mem, SECRET));
}

/* From the claim on, DMA reaches nothing; after the release it works again. */
TEST_F(passthrough, claim_blocks_dma)
{
	struct arena *arena = &self->arena;
	struct scene *scene = &arena->scene;

	expect_reach(_metadata, arena, &arena->edu);
	ASSERT_EQ(0, vfio_user_claim(&scene->user, scene->group->id));
	expect_blocked(_metadata, arena, &arena->edu);
	ASSERT_EQ(0, vfio_unset_container(scene->user.group));
	expect_no_leak(_metadata, arena, &arena->edu);
	expect_reach(_metadata, arena, &arena->edu);
}

/* The domain that replaces the blocking one has no more in it at first. */
TEST_F(passthrough, set_iommu_keeps_dma_blocked)
{
	struct arena *arena = &self->arena;
	struct scene *scene = &arena->scene;

	expect_reach(_metadata, arena, &arena->edu);
	ASSERT_EQ(0, vfio_user_claim(&scene->user, scene->group->id));
	ASSERT_EQ(0, vfio_set_iommu(scene->user.container));
	expect_blocked(_metadata, arena, &arena->edu);
	vfio_user_close(&scene->user);
	expect_no_leak(_metadata, arena, &arena->edu);
}

/* Neither a refused driver nor a device that joins opens the way. */
TEST_F(passthrough, siblings_keep_dma_blocked)
{
	struct arena *arena = &self->arena;
	struct scene *scene = &arena->scene;
	struct edu c;

	ASSERT_NE(NULL, scene->c);
	ASSERT_EQ(0, edu_open_bar(&c, scene->c));
	expect_reach(_metadata, arena, &c);
	edu_close(&c);
	expect_reach(_metadata, arena, &arena->edu);
	ASSERT_EQ(0, vfio_user_claim(&scene->user, scene->group->id));

	expect_refused(scene);
	expect_blocked(_metadata, arena, &arena->edu);
	ASSERT_EQ(0, pci_remove(scene->b));
	ASSERT_EQ(0, pci_remove(scene->c));
	expect_blocked(_metadata, arena, &arena->edu);
	ASSERT_EQ(0, pci_rescan());
	ASSERT_EQ(0, pci_switch(scene->c, "pci-stub"));
	ASSERT_EQ(scene->group->id, group_of(scene->c));
	ASSERT_EQ(0, edu_open_bar(&c, scene->c));
	expect_blocked(_metadata, arena, &c);
	expect_blocked(_metadata, arena, &arena->edu);

	vfio_user_close(&scene->user);
	expect_no_leak(_metadata, arena, &c);
	expect_no_leak(_metadata, arena, &arena->edu);
	edu_close(&c);
	ASSERT_EQ(0, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, netdev_check(scene->b));
}

TEST_HARNESS_MAIN
