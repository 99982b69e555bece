// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the DMA of a device in a user's hands reaches: what the user has mapped
 * and nothing else, whatever becomes of the other devices of the group.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene_test.h"

#define FAULT_SECONDS	60
#define REFUSED_US	5000

/* Pages of the user. Nothing may ever change those that have no name. */
enum { MAILBOX = 1, TARGET = 3, PAGES = 5 };

#define CANARY		0xc5

#define MAILBOX_IOVA	0x5000000
#define TARGET_IOVA	0x6000000
/* Where the target was mapped, too, but is not any more. */
#define HOLE_IOVA	0x7000000

/* A's user, and what his device can reach or not. */
struct arena {
	struct scene scene;
	struct edu edu;
	size_t page;
	void *mem;
	__u32 seed;
};

FIXTURE(dma)
{
	struct arena arena;
};

SCENE_VARIANTS(dma);

static void *page_of(struct arena *arena, int page)
{
	return arena->mem + page * arena->page;
}

static int map_page(struct arena *arena, int page, __u64 iova)
{
	return vfio_map(arena->scene.user.container, page_of(arena, page), iova,
			arena->page);
}

/* Have a device write to @iova: how many words arrive in the target page. */
static int dma_write(struct arena *arena, struct edu *edu, __u64 iova)
{
	void *target = page_of(arena, TARGET);
	__u32 seed = arena->seed += 2;
	int ret;

	pattern_fill(page_of(arena, MAILBOX), seed);
	pattern_fill(target, seed + 1);
	ret = edu_pull(edu, MAILBOX_IOVA);
	if (!ret)
		ret = edu_push(edu, iova);
	if (!ret)
		ret = pattern_words(target, seed);
	if (!ret && pattern_words(target, seed + 1) != EDU_WORDS)
		ret = -EBADMSG;
	return ret;
}

/* Have it read from @iova: how many words of the target page it gets. */
static int dma_read(struct arena *arena, struct edu *edu, __u64 iova)
{
	__u32 seed = arena->seed += 2;
	int ret;

	pattern_fill(page_of(arena, MAILBOX), seed);
	pattern_fill(page_of(arena, TARGET), seed + 1);
	ret = edu_pull(edu, MAILBOX_IOVA);
	if (!ret)
		ret = edu_pull(edu, iova);
	if (!ret)
		ret = edu_push(edu, MAILBOX_IOVA);
	return ret ? ret : pattern_words(page_of(arena, MAILBOX), seed + 1);
}

/* The device reaches what is mapped, and not what is not. */
static void expect_reach(struct __test_metadata *_metadata,
			 struct arena *arena, struct edu *edu)
{
	EXPECT_EQ(EDU_WORDS, dma_write(arena, edu, TARGET_IOVA));
	EXPECT_EQ(EDU_WORDS, dma_read(arena, edu, TARGET_IOVA));
	EXPECT_EQ(0, dma_write(arena, edu, HOLE_IOVA));
	EXPECT_EQ(0, dma_read(arena, edu, HOLE_IOVA));
}

FIXTURE_SETUP(dma)
{
	struct arena *arena = &self->arena;
	struct scene *scene = &arena->scene;

	arena->page = sysconf(_SC_PAGESIZE);
	arena->mem = mmap(NULL, PAGES * arena->page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, arena->mem);
	memset(arena->mem, CANARY, PAGES * arena->page);
	setup_scene(scene, variant->topology);
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_open(&arena->edu, scene->user.device));
	ASSERT_EQ(0, map_page(arena, MAILBOX, MAILBOX_IOVA));
	ASSERT_EQ(0, map_page(arena, TARGET, TARGET_IOVA));
	ASSERT_EQ(0, map_page(arena, TARGET, HOLE_IOVA));
	ASSERT_EQ(EDU_WORDS, dma_write(arena, &arena->edu, HOLE_IOVA));
	ASSERT_EQ(0, vfio_unmap(scene->user.container, HOLE_IOVA, arena->page));
}

static bool is_canary(const __u8 *mem, size_t len)
{
	while (len && *mem == CANARY) {
		mem++;
		len--;
	}
	return !len;
}

FIXTURE_TEARDOWN(dma)
{
	struct arena *arena = &self->arena;
	int page;

	edu_close(&arena->edu);
	EXPECT_EQ(0, scene_teardown(&arena->scene));
	for (page = 0; page < PAGES; page++) {
		if (page != MAILBOX && page != TARGET)
			EXPECT_TRUE(is_canary(page_of(arena, page), arena->page));
	}
}

TEST_F(dma, reaches_only_what_is_mapped)
{
	struct arena *arena = &self->arena;

	expect_reach(_metadata, arena, &arena->edu);
}

/* At once, or, because it is limited what is logged, in a few seconds. */
TEST_F(dma, fault_is_logged)
{
	struct arena *arena = &self->arena;
	struct scene *scene = &arena->scene;
	int second, logged = 0;
	char text[64];

	if (!scene_logs_faults())
		SKIP(return, "the IOMMU does not tell of faults");
	ASSERT_EQ(0, iommu_fault_text(scene->a, HOLE_IOVA, text, sizeof(text)));
	for (second = 0; !logged && second < FAULT_SECONDS; second++) {
		EXPECT_EQ(0, dma_write(arena, &arena->edu, HOLE_IOVA));
		logged = kmsg_wait(scene->kmsg, text, 1);
	}
	EXPECT_EQ(1, logged);
}

TEST_F(dma, hotplug_keeps_reach)
{
	struct arena *arena = &self->arena;
	struct scene *scene = &arena->scene;

	ASSERT_EQ(0, pci_remove(scene->b));
	ASSERT_FALSE(pci_present(scene->b));
	expect_reach(_metadata, arena, &arena->edu);
	ASSERT_EQ(0, pci_rescan());
	ASSERT_TRUE(pci_present(scene->b));
	EXPECT_TRUE(pci_bound_to(scene->b, ""));
	expect_reach(_metadata, arena, &arena->edu);
}

/* What joins the group reaches what its user has mapped, and no more. */
TEST_F(dma, joining_device_reaches_only_what_is_mapped)
{
	struct arena *arena = &self->arena;
	struct scene *scene = &arena->scene;
	struct edu c;

	ASSERT_NE(NULL, scene->c);
	ASSERT_EQ(0, pci_remove(scene->c));
	ASSERT_EQ(0, pci_rescan());
	ASSERT_EQ(0, pci_switch(scene->c, "pci-stub"));
	ASSERT_EQ(scene->group->id, group_of(scene->c));
	ASSERT_EQ(0, edu_open_bar(&c, scene->c));
	expect_reach(_metadata, arena, &c);
	edu_close(&c);
	expect_reach(_metadata, arena, &arena->edu);
}

/* Somebody who tries to bind B again and again. */
struct binder {
	const char *bdf;
	pthread_t thread;
	bool stop;
	int refusals;
	int other;
};

static void *binder_run(void *data)
{
	struct binder *binder = data;

	while (!__atomic_load_n(&binder->stop, __ATOMIC_ACQUIRE)) {
		if (pci_bind(binder->bdf, "e1000") == -EBUSY)
			binder->refusals++;
		else
			binder->other++;
		/* Each refusal costs a line of the log. */
		usleep(REFUSED_US);
	}
	return NULL;
}

TEST_F(dma, refused_bind_keeps_reach)
{
	struct arena *arena = &self->arena;
	struct binder binder = { .bdf = arena->scene.b };

	ASSERT_EQ(0, pthread_create(&binder.thread, NULL, binder_run, &binder));
	expect_reach(_metadata, arena, &arena->edu);
	__atomic_store_n(&binder.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(binder.thread, NULL));
	EXPECT_LT(0, binder.refusals);
	EXPECT_EQ(0, binder.other);
	EXPECT_TRUE(pci_bound_to(arena->scene.b, ""));
}

TEST_HARNESS_MAIN
