// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the MSIs of a user's device go: to windows of I/O addresses that the user
 * registers, where the IOMMU translates them, and by themselves elsewhere.
 *
 * The host's own choice, until there is a window, is 1 MiB at 128 MiB.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/vfio_msi.h"
#include "scene_test.h"

#define HOLE		0x8000000ULL
#define HOLE_SIZE	0x100000ULL
#define X86_MSI		0xfee00000ULL
#define X86_MSI_LAST	0xfeefffffULL

/* Two places for windows, and memory elsewhere. */
#define FIRST		0x20000000ULL
#define SECOND		0x30000000ULL
#define MEMORY		0x5000000ULL
#define SIZE		0x10000ULL
#define EVERYTHING	(0ULL - 0x10000)

#define TURNS		200

FIXTURE(msi)
{
	struct scene scene;
	struct edu edu;
	int container;
	int event;
	size_t page;
	char *mem;
	/* What the container says at first. */
	struct resv_info info;
	const struct vfio_iommu_type1_resv_region *hole;
};

FIXTURE_SETUP(msi)
{
	struct scene *scene = &self->scene;

	setup_scene(scene, DISTINCT);
	self->page = sysconf(_SC_PAGESIZE);
	self->mem = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	self->container = scene->user.container;
	ASSERT_EQ(0, edu_open(&self->edu, scene->user.device));
	if (resv_read(self->container, &self->info) == -EOPNOTSUPP) {
		/* So it was before there were windows. */
		ASSERT_EQ(-EINVAL, window_add(self->container, FIRST, SIZE));
		ASSERT_EQ(-EINVAL, window_remove(self->container, FIRST, SIZE));
		SKIP_CASE("the kernel does not know windows");
	}
	self->hole = resv_find(&self->info, VFIO_IOMMU_TYPE1_RESV_SW_MSI);
}

FIXTURE_TEARDOWN(msi)
{
	edu_close(&self->edu);
	close(self->event);
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* The address of A's MSI, once it has one. */
#define EXPECT_MSI_AT(_first, _size) do {				\
	__u64 __first = (_first), __address = 0;			\
									\
	EXPECT_EQ(0, msi_address(self->scene.a, &__address));		\
	EXPECT_LE(__first, __address);					\
	EXPECT_GT(__first + (_size), __address);			\
	EXPECT_EQ(1, edu_interrupts(&self->edu, self->event));		\
} while (0)

/* Nothing has changed since the container was opened. */
#define EXPECT_AS_BEFORE() do {						\
	struct resv_info __now;						\
									\
	EXPECT_EQ(0, resv_read(self->container, &__now));		\
	EXPECT_TRUE(resv_same(&self->info, &__now));			\
} while (0)

/* Why a machine cannot show what becomes of windows. */
#define NO_HOLE		"MSIs need no window"

/* Have the device copy what is at one I/O address to another. */
static int copy(struct edu *edu, __u64 from, __u64 to)
{
	int ret;

	ret = edu_pull(edu, from);
	return ret ? ret : edu_push(edu, to);
}

TEST_F(msi, tells_regions)
{
	const struct vfio_iommu_type1_resv_region *msi;
	struct vfio_iommu_type1_info head = { .argsz = sizeof(head) };

	EXPECT_EQ(0, ioctl(self->container, VFIO_IOMMU_GET_INFO, &head));
	EXPECT_LT(sizeof(head), head.argsz);
	EXPECT_EQ(0, head.cap_offset);
	EXPECT_EQ(self->page, self->info.granule);
	EXPECT_TRUE(resv_in_order(&self->info));
	msi = resv_find(&self->info, VFIO_IOMMU_TYPE1_RESV_MSI);
	if (self->hole) {
		EXPECT_EQ(HOLE, self->hole->start);
		EXPECT_EQ(HOLE + HOLE_SIZE - 1, self->hole->last);
		EXPECT_EQ(VFIO_IOMMU_TYPE1_RESV_WRITE, self->hole->flags);
		EXPECT_EQ(NULL, msi);
		EXPECT_EQ(MSI_WINDOWS_MAX, self->info.windows_avail);
		return;
	}
	ASSERT_NE(NULL, msi);
	EXPECT_EQ(0, self->info.windows_avail);
	if (self->scene.group && iommu_is(self->scene.a, "dmar")) {
		EXPECT_EQ(X86_MSI, msi->start);
		EXPECT_EQ(X86_MSI_LAST, msi->last);
	}
}

/* Without windows all is as it was: MSIs where the host wants them. */
TEST_F(msi, goes_where_the_host_wants)
{
	EXPECT_EQ(-EINVAL, vfio_map(self->container, self->mem,
				    self->hole ? HOLE : self->info.regions[0].start, SIZE));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	if (self->hole)
		EXPECT_MSI_AT(HOLE, HOLE_SIZE);
	else
		EXPECT_EQ(1, edu_interrupts(&self->edu, self->event));
	EXPECT_AS_BEFORE();
}

/* A window, and memory where the host would have had its own. */
TEST_F(msi, goes_to_window)
{
	const struct vfio_iommu_type1_resv_region *window;
	struct resv_info now;

	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	ASSERT_EQ(0, window_add(self->container, SECOND, self->page));
	ASSERT_EQ(0, resv_read(self->container, &now));
	EXPECT_EQ(MSI_WINDOWS_MAX - 2, now.windows_avail);
	EXPECT_EQ(self->info.nr + 1, now.nr);
	EXPECT_TRUE(resv_in_order(&now));
	EXPECT_EQ(NULL, resv_find(&now, VFIO_IOMMU_TYPE1_RESV_SW_MSI));
	window = resv_find(&now, VFIO_IOMMU_TYPE1_RESV_USER_MSI);
	ASSERT_NE(NULL, window);
	EXPECT_EQ(FIRST, window[0].start);
	EXPECT_EQ(FIRST + SIZE - 1, window[0].last);
	EXPECT_EQ(VFIO_IOMMU_TYPE1_RESV_WRITE, window[0].flags);
	EXPECT_EQ(SECOND + self->page - 1, window[1].last);

	ASSERT_EQ(0, vfio_map(self->container, self->mem, HOLE, SIZE));
	EXPECT_EQ(-EINVAL, vfio_map(self->container, self->mem, FIRST, SIZE));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(FIRST, self->page);
	pattern_fill(self->mem, 1);
	EXPECT_EQ(0, copy(&self->edu, HOLE, HOLE + EDU_LEN));
	EXPECT_EQ(EDU_WORDS, pattern_words(self->mem + EDU_LEN, 1));
	EXPECT_MSI_AT(FIRST, self->page);
}

/* One of the two can be at the host's place. */
TEST_F(msi, window_at_the_hole)
{
	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(self->container, HOLE, SIZE));
	ASSERT_EQ(0, vfio_map(self->container, self->mem, HOLE + SIZE, SIZE));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(HOLE, self->page);
	ASSERT_EQ(0, msi_disable(self->scene.user.device));
	EXPECT_EQ(-EBUSY, window_remove(self->container, HOLE, SIZE));
	ASSERT_EQ(0, vfio_unmap(self->container, HOLE + SIZE, SIZE));
	EXPECT_EQ(0, window_remove(self->container, HOLE, SIZE));
	EXPECT_AS_BEFORE();
}

/* At address 0, which is not the lack of one. */
TEST_F(msi, window_at_zero)
{
	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(self->container, 0, self->page));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(0, self->page);
}

/* Old programs unmap whatever there is, and mean what they mapped. */
TEST_F(msi, survives_unmap_of_everything)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.size = 0ULL - self->page,
	};

	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	ASSERT_EQ(0, vfio_map(self->container, self->mem, MEMORY, SIZE));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(FIRST, self->page);
	EXPECT_EQ(0, ioctl(self->container, VFIO_IOMMU_UNMAP_DMA, &unmap));
	EXPECT_EQ(SIZE, unmap.size);
	EXPECT_MSI_AT(FIRST, self->page);
	EXPECT_EQ(-EEXIST, window_add(self->container, FIRST, SIZE));
}

TEST_F(msi, windows_go_one_by_one)
{
	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	ASSERT_EQ(0, window_add(self->container, SECOND, SIZE));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_EQ(0, window_remove(self->container, SECOND, SIZE));
	EXPECT_EQ(-EBUSY, window_remove(self->container, FIRST, SIZE));
	EXPECT_MSI_AT(FIRST, self->page);
	ASSERT_EQ(0, msi_disable(self->scene.user.device));
	EXPECT_EQ(0, window_remove(self->container, FIRST, SIZE));
	EXPECT_AS_BEFORE();
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(HOLE, HOLE_SIZE);
}

/* Several at once: all of them, or if one is in use, none. */
TEST_F(msi, windows_go_together)
{
	struct resv_info before, now;
	__u64 removed = 1;

	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	ASSERT_EQ(0, window_add(self->container, SECOND, SIZE));
	ASSERT_EQ(0, resv_read(self->container, &before));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_EQ(-EBUSY, window_unmap(self->container, 0, 0, EVERYTHING, NULL));
	ASSERT_EQ(0, resv_read(self->container, &now));
	EXPECT_TRUE(resv_same(&before, &now));
	EXPECT_MSI_AT(FIRST, self->page);
	/* The one that was spared gives out pages as before. */
	ASSERT_EQ(0, msi_disable(self->scene.user.device));
	EXPECT_EQ(0, window_remove(self->container, FIRST, SIZE));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(SECOND, self->page);
	ASSERT_EQ(0, msi_disable(self->scene.user.device));
	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	EXPECT_EQ(0, window_unmap(self->container, 0, 0, EVERYTHING, &removed));
	EXPECT_EQ(2 * SIZE, removed);
	EXPECT_EQ(0, window_unmap(self->container, 0, 0, EVERYTHING, &removed));
	EXPECT_EQ(0, removed);
	EXPECT_AS_BEFORE();
}

/* By the IOMMU's drivers it may be that a device can read, too. */
TEST_F(msi, readable_window)
{
	const struct vfio_iommu_type1_resv_region *window;
	struct resv_info now;

	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_map(self->container, VFIO_DMA_MAP_FLAG_WRITE |
				VFIO_DMA_MAP_FLAG_READ, 0, FIRST, SIZE));
	ASSERT_EQ(0, resv_read(self->container, &now));
	window = resv_find(&now, VFIO_IOMMU_TYPE1_RESV_USER_MSI);
	ASSERT_NE(NULL, window);
	EXPECT_EQ(VFIO_IOMMU_TYPE1_RESV_READ | VFIO_IOMMU_TYPE1_RESV_WRITE,
		  window->flags);
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(FIRST, self->page);
}

/* The host's own window is in use: it stays, until that ends. */
TEST_F(msi, registered_too_late)
{
	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_EQ(-EBUSY, window_add(self->container, FIRST, SIZE));
	EXPECT_AS_BEFORE();
	EXPECT_MSI_AT(HOLE, HOLE_SIZE);
	ASSERT_EQ(0, msi_disable(self->scene.user.device));
	EXPECT_EQ(0, window_add(self->container, FIRST, SIZE));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(FIRST, self->page);
}

TEST_F(msi, memory_in_the_hole_keeps_the_last_window)
{
	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	ASSERT_EQ(0, window_add(self->container, SECOND, SIZE));
	ASSERT_EQ(0, vfio_map(self->container, self->mem, HOLE + SIZE, SIZE));
	EXPECT_EQ(0, window_remove(self->container, FIRST, SIZE));
	EXPECT_EQ(-EBUSY, window_remove(self->container, SECOND, SIZE));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(SECOND, self->page);
	ASSERT_EQ(0, msi_disable(self->scene.user.device));
	ASSERT_EQ(0, vfio_unmap(self->container, HOLE + SIZE, SIZE));
	EXPECT_EQ(0, window_remove(self->container, SECOND, SIZE));
	EXPECT_AS_BEFORE();
}

/* What is asked for in the wrong way changes nothing. */
#define EXPECT_REFUSED(_errno, _call) do {				\
	struct resv_info __before, __after;				\
									\
	EXPECT_EQ(0, resv_read(self->container, &__before));		\
	EXPECT_EQ(-(_errno), (_call));					\
	EXPECT_EQ(0, resv_read(self->container, &__after));		\
	EXPECT_TRUE(resv_same(&__before, &__after));			\
} while (0)

static int map_argsz(int container, __u32 argsz)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = argsz,
		.flags = VFIO_DMA_MAP_FLAG_RESERVED_MSI_IOVA | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = FIRST,
		.size = SIZE,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

static int map_nothing(int container)
{
	return ioctl(container, VFIO_IOMMU_MAP_DMA, NULL) ? -errno : 0;
}

TEST_F(msi, bad_map)
{
	const __u32 write = VFIO_DMA_MAP_FLAG_WRITE, read = VFIO_DMA_MAP_FLAG_READ;
	int fd = self->container;
	__u64 end = self->info.ranges[self->info.nr_ranges - 1].end;

	EXPECT_REFUSED(EINVAL, window_map(fd, write | 1 << 2, 0, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_map(fd, write | 1 << 4, 0, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, map_argsz(fd, 8));
	EXPECT_REFUSED(EFAULT, map_nothing(fd));
	EXPECT_REFUSED(EINVAL, window_map(fd, write, (__u64)self->mem, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_map(fd, 0, 0, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_map(fd, read, 0, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_add(fd, FIRST, 0));
	EXPECT_REFUSED(EINVAL, window_add(fd, FIRST, SIZE + 1));
	EXPECT_REFUSED(EINVAL, window_add(fd, FIRST, self->page / 2));
	EXPECT_REFUSED(EINVAL, window_add(fd, FIRST + self->page / 2, SIZE));
	EXPECT_REFUSED(EINVAL, window_add(fd, 0ULL - SIZE, 2 * SIZE));
	if (end + 1)
		EXPECT_REFUSED(EINVAL, window_add(fd, end + 1 - SIZE, 2 * SIZE));
}

TEST_F(msi, bad_place)
{
	const struct vfio_iommu_type1_resv_region *region;
	int fd = self->container;
	unsigned int i;

	for (i = 0; i < self->info.nr; i++) {
		region = &self->info.regions[i];
		if (region != self->hole)
			EXPECT_REFUSED(EINVAL, window_add(fd, region->start, self->page));
	}
	ASSERT_EQ(0, vfio_map(fd, self->mem, MEMORY, SIZE));
	EXPECT_REFUSED(EEXIST, window_add(fd, MEMORY + SIZE - self->page, SIZE));
	if (!self->hole) {
		EXPECT_REFUSED(ENOSPC, window_add(fd, FIRST, SIZE));
		return;
	}
	ASSERT_EQ(0, window_add(fd, FIRST, SIZE));
	EXPECT_REFUSED(EEXIST, window_add(fd, FIRST, SIZE));
	EXPECT_REFUSED(EEXIST, window_add(fd, FIRST - self->page, SIZE));
	EXPECT_REFUSED(EEXIST, window_add(fd, FIRST + SIZE - self->page, SIZE));
	EXPECT_REFUSED(EINVAL, vfio_map(fd, self->mem, FIRST + SIZE - self->page, SIZE));
	for (i = 1; i < MSI_WINDOWS_MAX; i++)
		ASSERT_EQ(0, window_add(fd, SECOND + 2 * i * SIZE, SIZE));
	EXPECT_REFUSED(ENOSPC, window_add(fd, SECOND, SIZE));
	ASSERT_EQ(0, window_remove(fd, FIRST, SIZE));
	EXPECT_EQ(0, window_add(fd, SECOND, SIZE));
}

TEST_F(msi, bad_unmap)
{
	int fd = self->container;
	__u64 removed = 1;

	EXPECT_REFUSED(EINVAL, window_unmap(fd, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
					    FIRST, SIZE, NULL));
	EXPECT_REFUSED(EINVAL, window_unmap(fd, 1 << 4, FIRST, SIZE, NULL));
	EXPECT_REFUSED(EINVAL, window_remove(fd, FIRST, 0));
	EXPECT_REFUSED(EINVAL, window_remove(fd, FIRST + 1, SIZE));
	EXPECT_REFUSED(EINVAL, window_remove(fd, FIRST, SIZE + 1));
	EXPECT_REFUSED(EINVAL, window_remove(fd, 0ULL - SIZE, 2 * SIZE));
	EXPECT_EQ(0, window_unmap(fd, 0, FIRST, SIZE, &removed));
	EXPECT_EQ(0, removed);
	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(fd, FIRST, 2 * SIZE));
	EXPECT_REFUSED(EINVAL, window_remove(fd, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_remove(fd, FIRST + SIZE, SIZE));
	EXPECT_REFUSED(EINVAL, window_remove(fd, FIRST - SIZE, 2 * SIZE));
	EXPECT_EQ(0, window_remove(fd, FIRST, 2 * SIZE));
}

/* A window pins nobody's memory: whoever has the container may remove it. */
TEST_F(msi, another_process_removes_window)
{
	int status;
	pid_t pid;

	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(window_remove(self->container, FIRST, SIZE) ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_AS_BEFORE();
}

/* The example does what it is an example of. */
TEST_F(msi, example)
{
	struct scene *scene = &self->scene;
	char id[16];
	int status;
	pid_t pid;

	if (!self->hole)
		SKIP(return, NO_HOLE);
	edu_close(&self->edu);
	vfio_user_close(&scene->user);
	snprintf(id, sizeof(id), "%d", scene->group->id);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		execlp("msi_window", "msi_window", id, scene->a, NULL);
		_exit(127);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Whoever closes with an MSI enabled leaves nothing to the next one. */
TEST_F(msi, nothing_stays)
{
	struct scene *scene = &self->scene;

	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	ASSERT_EQ(0, msi_enable(scene->user.device, self->event));
	EXPECT_MSI_AT(FIRST, self->page);
	edu_close(&self->edu);
	vfio_user_close(&scene->user);
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_open(&self->edu, scene->user.device));
	self->container = scene->user.container;
	EXPECT_AS_BEFORE();
	ASSERT_EQ(0, msi_enable(scene->user.device, self->event));
	EXPECT_MSI_AT(HOLE, HOLE_SIZE);
}

/* Somebody who enables the MSI and disables it, again and again. */
struct toggler {
	pthread_t thread;
	int device;
	int event;
	bool stop;
	int turns;
	int ret;
};

static void *toggler_run(void *data)
{
	struct toggler *toggler = data;

	while (!toggler->ret && !__atomic_load_n(&toggler->stop, __ATOMIC_ACQUIRE)) {
		toggler->ret = msi_enable(toggler->device, toggler->event);
		if (!toggler->ret)
			toggler->ret = msi_disable(toggler->device);
		toggler->turns++;
	}
	return NULL;
}

/* There is a place for an MSI at any time, whoever changes it meanwhile. */
TEST_F(msi, windows_come_and_go)
{
	struct toggler toggler = {
		.device = self->scene.user.device,
		.event = self->event,
	};
	int turn, ret, done = 0;

	if (!self->hole)
		SKIP(return, NO_HOLE);
	ASSERT_EQ(0, pthread_create(&toggler.thread, NULL, toggler_run, &toggler));
	for (turn = 0; turn < TURNS || !done; turn++) {
		ret = window_add(self->container, FIRST, SIZE);
		if (!ret)
			done++;
		if (ret != -EBUSY)
			ASSERT_EQ(0, ret);
		if (ret)
			continue;
		do {
			ret = window_remove(self->container, FIRST, SIZE);
		} while (ret == -EBUSY);
		ASSERT_EQ(0, ret);
	}
	__atomic_store_n(&toggler.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(toggler.thread, NULL));
	EXPECT_EQ(0, toggler.ret);
	EXPECT_LT(1, toggler.turns);
	EXPECT_AS_BEFORE();
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	EXPECT_MSI_AT(HOLE, HOLE_SIZE);
}

TEST_HARNESS_MAIN
