// SPDX-License-Identifier: GPL-2.0-only
/*
 * The windows for MSIs of a container with several groups: where all of them need
 * one, and where those that come first have no IOMMU. See vfio_msi_test.c.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio_msi.h"
#include "scene_test.h"

/* A place for windows, and memory elsewhere. */
#define FIRST		0x20000000ULL
#define MEMORY		0x5000000ULL
#define SIZE		0x10000ULL

/* The scene's group comes to a container that has one already, and its A is opened. */
static int join(struct scene *scene, int container, struct edu *edu)
{
	struct vfio_user *user = &scene->user;
	int ret;

	user->group = vfio_open_group(scene->group->id);
	if (user->group < 0)
		return user->group;
	ret = vfio_set_container(user->group, container);
	if (!ret)
		ret = vfio_user_open_device(user, scene->a);
	return ret ? ret : edu_open(edu, user->device);
}

/* The same container has another group, in a domain of the same kind. */
FIXTURE(msi_of_two)
{
	struct scene scene;
	struct scene other;
	struct edu edu;
	struct edu edu2;
	int container;
	int event;
	int event2;
	size_t page;
};

FIXTURE_SETUP(msi_of_two)
{
	struct scene *scene = &self->scene, *other = &self->other;
	struct resv_info info;

	self->page = sysconf(_SC_PAGESIZE);
	setup_scene(scene, DISTINCT);
	setup_scene(other, PCIEPORT);
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->event2 = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
	ASSERT_LE(0, self->event2);
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_open(&self->edu, scene->user.device));
	self->container = scene->user.container;
	if (resv_read(self->container, &info) ||
	    !resv_find(&info, VFIO_IOMMU_TYPE1_RESV_SW_MSI))
		SKIP_CASE("MSIs need no window");
}

FIXTURE_TEARDOWN(msi_of_two)
{
	edu_close(&self->edu);
	edu_close(&self->edu2);
	close(self->event);
	close(self->event2);
	EXPECT_EQ(0, scene_teardown(&self->other));
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* One doorbell for both, in a window with room for no other. */
TEST_F(msi_of_two, share_a_page)
{
	struct vfio_user *other = &self->other.user;
	__u64 first = 0, second = 1;

	ASSERT_EQ(0, window_add(self->container, FIRST, self->page));
	ASSERT_EQ(0, join(&self->other, self->container, &self->edu2));
	ASSERT_EQ(0, msi_enable(self->scene.user.device, self->event));
	ASSERT_EQ(0, msi_enable(other->device, self->event2));
	EXPECT_EQ(0, msi_address(self->scene.a, &first));
	EXPECT_EQ(0, msi_address(self->other.a, &second));
	EXPECT_EQ(first, second);
	EXPECT_EQ(FIRST, first & ~(self->page - 1));
	EXPECT_EQ(1, edu_interrupts(&self->edu, self->event));
	EXPECT_EQ(1, edu_interrupts(&self->edu2, self->event2));

	/* The page is there for the one that is left. */
	ASSERT_EQ(0, msi_disable(other->device));
	EXPECT_EQ(-EBUSY, window_remove(self->container, FIRST, self->page));
	EXPECT_EQ(1, edu_interrupts(&self->edu, self->event));
	ASSERT_EQ(0, msi_disable(self->scene.user.device));
	EXPECT_EQ(0, window_remove(self->container, FIRST, self->page));
}

/* The first group goes, and takes nothing along that the other needs. */
TEST_F(msi_of_two, first_goes)
{
	struct vfio_user *other = &self->other.user, *first = &self->scene.user;
	struct resv_info before, now;

	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	ASSERT_EQ(0, join(&self->other, self->container, &self->edu2));
	ASSERT_EQ(0, resv_read(self->container, &before));
	ASSERT_EQ(0, msi_enable(first->device, self->event));
	ASSERT_EQ(0, msi_enable(other->device, self->event2));
	edu_close(&self->edu);
	ASSERT_EQ(0, vfio_user_close_device(first));
	ASSERT_EQ(0, vfio_unset_container(first->group));
	EXPECT_EQ(1, edu_interrupts(&self->edu2, self->event2));
	ASSERT_EQ(0, resv_read(self->container, &now));
	EXPECT_TRUE(resv_same(&before, &now));
	EXPECT_EQ(-EBUSY, window_remove(self->container, FIRST, SIZE));
	ASSERT_EQ(0, msi_disable(other->device));
	EXPECT_EQ(0, window_remove(self->container, FIRST, SIZE));
}

/* The container has a group without an IOMMU first. */
FIXTURE(msi_to_come)
{
	struct scene scene;
	struct vfio_user first;
	struct edu edu;
	int container;
	int event;
	size_t page;
	char *mem;
};

FIXTURE_SETUP(msi_to_come)
{
	struct resv_info info;

	setup_scene(&self->scene, DISTINCT);
	self->page = sysconf(_SC_PAGESIZE);
	self->mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
	ASSERT_EQ(0, mtty_load());
	ASSERT_EQ(0, mtty_create());
	ASSERT_EQ(0, vfio_user_claim(&self->first, mtty_group()));
	self->container = self->first.container;
	ASSERT_EQ(0, vfio_set_iommu(self->container));
	if (resv_read(self->container, &info) == -EOPNOTSUPP)
		SKIP_CASE("the kernel does not know windows");
	ASSERT_EQ(0, info.nr);
	ASSERT_EQ(MSI_WINDOWS_MAX, info.windows_avail);
}

FIXTURE_TEARDOWN(msi_to_come)
{
	edu_close(&self->edu);
	close(self->event);
	EXPECT_EQ(0, scene_teardown(&self->scene));
	vfio_user_close(&self->first);
	EXPECT_EQ(0, mtty_remove());
}

/* The window is kept for whoever needs one, and from what the user maps. */
TEST_F(msi_to_come, window_waits)
{
	struct scene *scene = &self->scene;
	struct resv_info info;
	__u64 address = 0;

	ASSERT_EQ(0, window_add(self->container, FIRST, SIZE));
	EXPECT_EQ(-EINVAL, vfio_map(self->container, self->mem, FIRST, SIZE));
	ASSERT_EQ(0, vfio_map(self->container, self->mem, MEMORY, SIZE));
	ASSERT_EQ(0, join(scene, self->container, &self->edu));
	ASSERT_EQ(0, resv_read(self->container, &info));
	EXPECT_TRUE(resv_in_order(&info));
	EXPECT_NE(NULL, resv_find(&info, VFIO_IOMMU_TYPE1_RESV_USER_MSI));
	EXPECT_EQ(NULL, resv_find(&info, VFIO_IOMMU_TYPE1_RESV_SW_MSI));
	ASSERT_EQ(0, msi_enable(scene->user.device, self->event));
	EXPECT_EQ(1, edu_interrupts(&self->edu, self->event));
	if (resv_find(&info, VFIO_IOMMU_TYPE1_RESV_MSI)) {
		EXPECT_EQ(0, info.windows_avail);
		return;
	}
	EXPECT_EQ(MSI_WINDOWS_MAX - 1, info.windows_avail);
	EXPECT_EQ(0, msi_address(scene->a, &address));
	EXPECT_EQ(FIRST, address & ~(self->page - 1));
}

/* A group does not come to where a window is in its way. */
TEST_F(msi_to_come, window_in_the_way)
{
	struct scene *scene = &self->scene;
	struct resv_info info;
	__u64 taken;

	ASSERT_EQ(0, join(scene, self->container, &self->edu));
	ASSERT_EQ(0, resv_read(self->container, &info));
	edu_close(&self->edu);
	vfio_user_close(&scene->user);
	if (!resv_find(&info, VFIO_IOMMU_TYPE1_RESV_MSI))
		SKIP(return, "the IOMMU has no region of its own");
	taken = resv_find(&info, VFIO_IOMMU_TYPE1_RESV_MSI)->start;

	ASSERT_EQ(0, window_add(self->container, taken, SIZE));
	EXPECT_EQ(-EINVAL, join(scene, self->container, &self->edu));
	vfio_user_close(&scene->user);
	ASSERT_EQ(0, window_remove(self->container, taken, SIZE));
	EXPECT_EQ(0, join(scene, self->container, &self->edu));
}

TEST_HARNESS_MAIN
