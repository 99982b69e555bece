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

/* A's user, and what the container says at first. */
struct desk {
	struct scene scene;
	struct edu edu;
	int container;
	int event;
	size_t page;
	char *mem;
	struct resv_info info;
	/* Where the host wants MSIs; NULL where they need no window. */
	const struct vfio_iommu_type1_resv_region *hole;
};

static void sit_down(struct __test_metadata *_metadata, struct desk *desk)
{
	struct scene *scene = &desk->scene;

	setup_scene(scene, DISTINCT);
	desk->page = sysconf(_SC_PAGESIZE);
	desk->mem = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, desk->mem);
	desk->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, desk->event);
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	desk->container = scene->user.container;
	ASSERT_EQ(0, edu_open(&desk->edu, scene->user.device));
	if (resv_read(desk->container, &desk->info) == -EOPNOTSUPP) {
		/* So it was before there were windows. */
		ASSERT_EQ(-EINVAL, window_add(desk->container, FIRST, SIZE));
		ASSERT_EQ(-EINVAL, window_remove(desk->container, FIRST, SIZE));
		SKIP_CASE("the kernel does not know windows");
	}
	desk->hole = resv_find(&desk->info, VFIO_IOMMU_TYPE1_RESV_SW_MSI);
}

static void stand_up(struct __test_metadata *_metadata, struct desk *desk)
{
	edu_close(&desk->edu);
	close(desk->event);
	EXPECT_EQ(0, scene_teardown(&desk->scene));
}

/* On any machine. */
FIXTURE(msi)
{
	struct desk desk;
};

FIXTURE_SETUP(msi)
{
	sit_down(_metadata, &self->desk);
}

FIXTURE_TEARDOWN(msi)
{
	stand_up(_metadata, &self->desk);
}

/* Where the IOMMU has to translate MSIs. */
FIXTURE(window)
{
	struct desk desk;
};

FIXTURE_SETUP(window)
{
	sit_down(_metadata, &self->desk);
	if (!self->desk.hole)
		SKIP_CASE("MSIs need no window");
}

FIXTURE_TEARDOWN(window)
{
	stand_up(_metadata, &self->desk);
}

/* The address of A's MSI, once it has one. */
#define EXPECT_MSI_AT(_first, _size) do {				\
	__u64 __first = (_first), __address = 0;			\
									\
	EXPECT_EQ(0, msi_address(desk->scene.a, &__address));		\
	EXPECT_LE(__first, __address);					\
	EXPECT_GT(__first + (_size), __address);			\
	EXPECT_EQ(1, edu_interrupts(&desk->edu, desk->event));		\
} while (0)

/* Nothing has changed since the container was opened. */
#define EXPECT_AS_BEFORE() do {						\
	struct resv_info __now;						\
									\
	EXPECT_EQ(0, resv_read(desk->container, &__now));		\
	EXPECT_TRUE(resv_same(&desk->info, &__now));			\
} while (0)

/* Have the device copy what is at one I/O address to another. */
static int copy(struct edu *edu, __u64 from, __u64 to)
{
	int ret;

	ret = edu_pull(edu, from);
	return ret ? ret : edu_push(edu, to);
}

TEST_F(msi, tells_regions)
{
	struct desk *desk = &self->desk;
	const struct vfio_iommu_type1_resv_region *msi;
	struct vfio_iommu_type1_info head = { .argsz = sizeof(head) };

	EXPECT_EQ(0, ioctl(desk->container, VFIO_IOMMU_GET_INFO, &head));
	EXPECT_LT(sizeof(head), head.argsz);
	EXPECT_EQ(0, head.cap_offset);
	EXPECT_EQ(desk->page, desk->info.granule);
	EXPECT_TRUE(resv_in_order(&desk->info));
	msi = resv_find(&desk->info, VFIO_IOMMU_TYPE1_RESV_MSI);
	if (desk->hole) {
		EXPECT_EQ(HOLE, desk->hole->start);
		EXPECT_EQ(HOLE + HOLE_SIZE - 1, desk->hole->last);
		EXPECT_EQ(VFIO_IOMMU_TYPE1_RESV_WRITE, desk->hole->flags);
		EXPECT_EQ(NULL, msi);
		EXPECT_EQ(MSI_WINDOWS_MAX, desk->info.windows_avail);
		return;
	}
	ASSERT_NE(NULL, msi);
	EXPECT_EQ(0, desk->info.windows_avail);
	if (desk->scene.group && iommu_is(desk->scene.a, "dmar")) {
		EXPECT_EQ(X86_MSI, msi->start);
		EXPECT_EQ(X86_MSI_LAST, msi->last);
	}
}

/* Without windows all is as it was: MSIs where the host wants them. */
TEST_F(msi, goes_where_the_host_wants)
{
	struct desk *desk = &self->desk;

	EXPECT_EQ(-EINVAL, vfio_map(desk->container, desk->mem,
				    desk->hole ? HOLE : desk->info.regions[0].start, SIZE));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	if (desk->hole)
		EXPECT_MSI_AT(HOLE, HOLE_SIZE);
	else
		EXPECT_EQ(1, edu_interrupts(&desk->edu, desk->event));
	EXPECT_AS_BEFORE();
}

/* A window, and memory where the host would have had its own. */
TEST_F(window, goes_to_window)
{
	struct desk *desk = &self->desk;
	const struct vfio_iommu_type1_resv_region *window;
	struct resv_info now;

	ASSERT_EQ(0, window_add(desk->container, FIRST, SIZE));
	ASSERT_EQ(0, window_add(desk->container, SECOND, desk->page));
	ASSERT_EQ(0, resv_read(desk->container, &now));
	EXPECT_EQ(MSI_WINDOWS_MAX - 2, now.windows_avail);
	EXPECT_EQ(desk->info.nr + 1, now.nr);
	EXPECT_TRUE(resv_in_order(&now));
	EXPECT_EQ(NULL, resv_find(&now, VFIO_IOMMU_TYPE1_RESV_SW_MSI));
	window = resv_find(&now, VFIO_IOMMU_TYPE1_RESV_USER_MSI);
	ASSERT_NE(NULL, window);
	EXPECT_EQ(FIRST, window[0].start);
	EXPECT_EQ(FIRST + SIZE - 1, window[0].last);
	EXPECT_EQ(VFIO_IOMMU_TYPE1_RESV_WRITE, window[0].flags);
	EXPECT_EQ(SECOND + desk->page - 1, window[1].last);

	ASSERT_EQ(0, vfio_map(desk->container, desk->mem, HOLE, SIZE));
	EXPECT_EQ(-EINVAL, vfio_map(desk->container, desk->mem, FIRST, SIZE));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(FIRST, desk->page);
	pattern_fill(desk->mem, 1);
	EXPECT_EQ(0, copy(&desk->edu, HOLE, HOLE + EDU_LEN));
	EXPECT_EQ(EDU_WORDS, pattern_words(desk->mem + EDU_LEN, 1));
	EXPECT_MSI_AT(FIRST, desk->page);
}

/* One of the two can be at the host's place. */
TEST_F(window, at_the_hole)
{
	struct desk *desk = &self->desk;

	ASSERT_EQ(0, window_add(desk->container, HOLE, SIZE));
	ASSERT_EQ(0, vfio_map(desk->container, desk->mem, HOLE + SIZE, SIZE));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(HOLE, desk->page);
	ASSERT_EQ(0, msi_disable(desk->scene.user.device));
	EXPECT_EQ(-EBUSY, window_remove(desk->container, HOLE, SIZE));
	ASSERT_EQ(0, vfio_unmap(desk->container, HOLE + SIZE, SIZE));
	EXPECT_EQ(0, window_remove(desk->container, HOLE, SIZE));
	EXPECT_AS_BEFORE();
}

/* At address 0, which is not the lack of one. */
TEST_F(window, at_zero)
{
	struct desk *desk = &self->desk;

	ASSERT_EQ(0, window_add(desk->container, 0, desk->page));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(0, desk->page);
}

/* Old programs unmap whatever there is, and mean what they mapped. */
TEST_F(window, survives_unmap_of_everything)
{
	struct desk *desk = &self->desk;
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.size = 0ULL - desk->page,
	};

	ASSERT_EQ(0, window_add(desk->container, FIRST, SIZE));
	ASSERT_EQ(0, vfio_map(desk->container, desk->mem, MEMORY, SIZE));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(FIRST, desk->page);
	EXPECT_EQ(0, ioctl(desk->container, VFIO_IOMMU_UNMAP_DMA, &unmap));
	EXPECT_EQ(SIZE, unmap.size);
	EXPECT_MSI_AT(FIRST, desk->page);
	EXPECT_EQ(-EEXIST, window_add(desk->container, FIRST, SIZE));
}

TEST_F(window, windows_go_one_by_one)
{
	struct desk *desk = &self->desk;

	ASSERT_EQ(0, window_add(desk->container, FIRST, SIZE));
	ASSERT_EQ(0, window_add(desk->container, SECOND, SIZE));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_EQ(0, window_remove(desk->container, SECOND, SIZE));
	EXPECT_EQ(-EBUSY, window_remove(desk->container, FIRST, SIZE));
	EXPECT_MSI_AT(FIRST, desk->page);
	ASSERT_EQ(0, msi_disable(desk->scene.user.device));
	EXPECT_EQ(0, window_remove(desk->container, FIRST, SIZE));
	EXPECT_AS_BEFORE();
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(HOLE, HOLE_SIZE);
}

/* Several at once: all of them, or if one is in use, none. */
TEST_F(window, windows_go_together)
{
	struct desk *desk = &self->desk;
	struct resv_info before, now;
	__u64 removed = 1;

	ASSERT_EQ(0, window_add(desk->container, FIRST, SIZE));
	ASSERT_EQ(0, window_add(desk->container, SECOND, SIZE));
	ASSERT_EQ(0, resv_read(desk->container, &before));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_EQ(-EBUSY, window_unmap(desk->container, 0, 0, EVERYTHING, NULL));
	ASSERT_EQ(0, resv_read(desk->container, &now));
	EXPECT_TRUE(resv_same(&before, &now));
	EXPECT_MSI_AT(FIRST, desk->page);
	/* The one that was spared gives out pages as before. */
	ASSERT_EQ(0, msi_disable(desk->scene.user.device));
	EXPECT_EQ(0, window_remove(desk->container, FIRST, SIZE));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(SECOND, desk->page);
	ASSERT_EQ(0, msi_disable(desk->scene.user.device));
	ASSERT_EQ(0, window_add(desk->container, FIRST, SIZE));
	EXPECT_EQ(0, window_unmap(desk->container, 0, 0, EVERYTHING, &removed));
	EXPECT_EQ(2 * SIZE, removed);
	EXPECT_EQ(0, window_unmap(desk->container, 0, 0, EVERYTHING, &removed));
	EXPECT_EQ(0, removed);
	EXPECT_AS_BEFORE();
}

/* By the IOMMU's drivers it may be that a device can read, too. */
TEST_F(window, readable_window)
{
	struct desk *desk = &self->desk;
	const struct vfio_iommu_type1_resv_region *window;
	struct resv_info now;

	ASSERT_EQ(0, window_map(desk->container, VFIO_DMA_MAP_FLAG_WRITE |
				VFIO_DMA_MAP_FLAG_READ, 0, FIRST, SIZE));
	ASSERT_EQ(0, resv_read(desk->container, &now));
	window = resv_find(&now, VFIO_IOMMU_TYPE1_RESV_USER_MSI);
	ASSERT_NE(NULL, window);
	EXPECT_EQ(VFIO_IOMMU_TYPE1_RESV_READ | VFIO_IOMMU_TYPE1_RESV_WRITE,
		  window->flags);
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(FIRST, desk->page);
}

/* The host's own window is in use: it stays, until that ends. */
TEST_F(window, registered_too_late)
{
	struct desk *desk = &self->desk;

	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_EQ(-EBUSY, window_add(desk->container, FIRST, SIZE));
	EXPECT_AS_BEFORE();
	EXPECT_MSI_AT(HOLE, HOLE_SIZE);
	ASSERT_EQ(0, msi_disable(desk->scene.user.device));
	EXPECT_EQ(0, window_add(desk->container, FIRST, SIZE));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(FIRST, desk->page);
}

TEST_F(window, memory_in_the_hole_keeps_the_last_window)
{
	struct desk *desk = &self->desk;

	ASSERT_EQ(0, window_add(desk->container, FIRST, SIZE));
	ASSERT_EQ(0, window_add(desk->container, SECOND, SIZE));
	ASSERT_EQ(0, vfio_map(desk->container, desk->mem, HOLE + SIZE, SIZE));
	EXPECT_EQ(0, window_remove(desk->container, FIRST, SIZE));
	EXPECT_EQ(-EBUSY, window_remove(desk->container, SECOND, SIZE));
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(SECOND, desk->page);
	ASSERT_EQ(0, msi_disable(desk->scene.user.device));
	ASSERT_EQ(0, vfio_unmap(desk->container, HOLE + SIZE, SIZE));
	EXPECT_EQ(0, window_remove(desk->container, SECOND, SIZE));
	EXPECT_AS_BEFORE();
}

/* What is asked for in the wrong way changes nothing. */
#define EXPECT_REFUSED(_errno, _call) do {				\
	struct resv_info __before, __after;				\
									\
	EXPECT_EQ(0, resv_read(desk->container, &__before));		\
	EXPECT_EQ(-(_errno), (_call));					\
	EXPECT_EQ(0, resv_read(desk->container, &__after));		\
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
	struct desk *desk = &self->desk;
	const __u32 write = VFIO_DMA_MAP_FLAG_WRITE, read = VFIO_DMA_MAP_FLAG_READ;
	int fd = desk->container;
	__u64 end = desk->info.ranges[desk->info.nr_ranges - 1].end;

	EXPECT_REFUSED(EINVAL, window_map(fd, write | 1 << 2, 0, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_map(fd, write | 1 << 4, 0, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, map_argsz(fd, 8));
	EXPECT_REFUSED(EFAULT, map_nothing(fd));
	EXPECT_REFUSED(EINVAL, window_map(fd, write, (__u64)desk->mem, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_map(fd, 0, 0, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_map(fd, read, 0, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_add(fd, FIRST, 0));
	EXPECT_REFUSED(EINVAL, window_add(fd, FIRST, SIZE + 1));
	EXPECT_REFUSED(EINVAL, window_add(fd, FIRST, desk->page / 2));
	EXPECT_REFUSED(EINVAL, window_add(fd, FIRST + desk->page / 2, SIZE));
	EXPECT_REFUSED(EINVAL, window_add(fd, 0ULL - SIZE, 2 * SIZE));
	if (end + 1)
		EXPECT_REFUSED(EINVAL, window_add(fd, end + 1 - SIZE, 2 * SIZE));
}

TEST_F(msi, bad_place)
{
	struct desk *desk = &self->desk;
	const struct vfio_iommu_type1_resv_region *region;
	int fd = desk->container;
	unsigned int i;

	for (i = 0; i < desk->info.nr; i++) {
		region = &desk->info.regions[i];
		if (region != desk->hole)
			EXPECT_REFUSED(EINVAL, window_add(fd, region->start, desk->page));
	}
	ASSERT_EQ(0, vfio_map(fd, desk->mem, MEMORY, SIZE));
	EXPECT_REFUSED(EEXIST, window_add(fd, MEMORY + SIZE - desk->page, SIZE));
	if (!desk->hole) {
		EXPECT_REFUSED(ENOSPC, window_add(fd, FIRST, SIZE));
		return;
	}
	ASSERT_EQ(0, window_add(fd, FIRST, SIZE));
	EXPECT_REFUSED(EEXIST, window_add(fd, FIRST, SIZE));
	EXPECT_REFUSED(EEXIST, window_add(fd, FIRST - desk->page, SIZE));
	EXPECT_REFUSED(EEXIST, window_add(fd, FIRST + SIZE - desk->page, SIZE));
	EXPECT_REFUSED(EINVAL, vfio_map(fd, desk->mem, FIRST + SIZE - desk->page, SIZE));
	for (i = 1; i < MSI_WINDOWS_MAX; i++)
		ASSERT_EQ(0, window_add(fd, SECOND + 2 * i * SIZE, SIZE));
	EXPECT_REFUSED(ENOSPC, window_add(fd, SECOND, SIZE));
	ASSERT_EQ(0, window_remove(fd, FIRST, SIZE));
	EXPECT_EQ(0, window_add(fd, SECOND, SIZE));
}

TEST_F(msi, bad_unmap)
{
	struct desk *desk = &self->desk;
	int fd = desk->container;
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
}

TEST_F(window, not_cut_in_two)
{
	struct desk *desk = &self->desk;
	int fd = desk->container;

	ASSERT_EQ(0, window_add(fd, FIRST, 2 * SIZE));
	EXPECT_REFUSED(EINVAL, window_remove(fd, FIRST, SIZE));
	EXPECT_REFUSED(EINVAL, window_remove(fd, FIRST + SIZE, SIZE));
	EXPECT_REFUSED(EINVAL, window_remove(fd, FIRST - SIZE, 2 * SIZE));
	EXPECT_EQ(0, window_remove(fd, FIRST, 2 * SIZE));
}

/* A window pins nobody's memory: whoever has the container may remove it. */
TEST_F(window, another_process_removes_window)
{
	struct desk *desk = &self->desk;
	int status;
	pid_t pid;

	ASSERT_EQ(0, window_add(desk->container, FIRST, SIZE));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(window_remove(desk->container, FIRST, SIZE) ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_AS_BEFORE();
}

/* The example does what it is an example of. */
TEST_F(window, example)
{
	struct desk *desk = &self->desk;
	struct scene *scene = &desk->scene;
	char id[16];
	int status;
	pid_t pid;

	edu_close(&desk->edu);
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
TEST_F(window, nothing_stays)
{
	struct desk *desk = &self->desk;
	struct scene *scene = &desk->scene;

	ASSERT_EQ(0, window_add(desk->container, FIRST, SIZE));
	ASSERT_EQ(0, msi_enable(scene->user.device, desk->event));
	EXPECT_MSI_AT(FIRST, desk->page);
	edu_close(&desk->edu);
	vfio_user_close(&scene->user);
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_open(&desk->edu, scene->user.device));
	desk->container = scene->user.container;
	EXPECT_AS_BEFORE();
	ASSERT_EQ(0, msi_enable(scene->user.device, desk->event));
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
		__atomic_add_fetch(&toggler->turns, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* As many as are wanted, once the thread has ended. */
static int turns_of(struct toggler *toggler)
{
	return toggler->ret ? TURNS : __atomic_load_n(&toggler->turns, __ATOMIC_RELAXED);
}

/* There is a place for an MSI at any time, whoever changes it meanwhile. */
TEST_F(window, windows_come_and_go)
{
	struct desk *desk = &self->desk;
	struct toggler toggler = {
		.device = desk->scene.user.device,
		.event = desk->event,
	};
	int turn, ret, done = 0;

	ASSERT_EQ(0, pthread_create(&toggler.thread, NULL, toggler_run, &toggler));
	for (turn = 0; turn < TURNS || !done || turns_of(&toggler) < TURNS; turn++) {
		ret = window_add(desk->container, FIRST, SIZE);
		if (!ret)
			done++;
		if (ret != -EBUSY)
			ASSERT_EQ(0, ret);
		if (ret)
			continue;
		do {
			ret = window_remove(desk->container, FIRST, SIZE);
		} while (ret == -EBUSY);
		ASSERT_EQ(0, ret);
	}
	__atomic_store_n(&toggler.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(toggler.thread, NULL));
	EXPECT_EQ(0, toggler.ret);
	EXPECT_LE(TURNS, toggler.turns);
	EXPECT_AS_BEFORE();
	ASSERT_EQ(0, msi_enable(desk->scene.user.device, desk->event));
	EXPECT_MSI_AT(HOLE, HOLE_SIZE);
}

TEST_HARNESS_MAIN
