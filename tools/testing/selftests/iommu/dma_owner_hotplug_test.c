// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices leave a group and join it while the group changes its owner.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene_test.h"

#define UNBIND_SECONDS	60
#define IOVA		0x2000000

FIXTURE(group)
{
	struct scene scene;
};

SCENE_VARIANTS(group);

FIXTURE_SETUP(group)
{
	setup_scene(&self->scene, variant->topology);
}

FIXTURE_TEARDOWN(group)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/*
 * Unbind a device that its user still has open, in a process that waits for the
 * user. Returns its number once the kernel has begun, or -errno.
 */
static pid_t unbind_begin(const char *bdf)
{
	pid_t pid;
	int ms;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		/* The user is the parent, and nobody else. */
		closefrom(STDERR_FILENO + 1);
		_exit(-pci_unbind(bdf));
	}
	for (ms = 0; ms < UNBIND_SECONDS * 1000; ms++) {
		if (pci_bound_to(bdf, ""))
			return pid;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* Whether the unbind is still waiting: then it is not reaped. */
static bool unbind_waits(pid_t pid)
{
	int status;

	return !waitpid(pid, &status, WNOHANG);
}

/* What the unbind ended with, 0 or -errno; -ETIMEDOUT if it does not end. */
static int unbind_end(pid_t pid)
{
	int status, ms;

	for (ms = 0; ms < UNBIND_SECONDS * 1000; ms++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* B has its driver, and its DMA works. */
static int b_works(struct scene *scene)
{
	if (!pci_bound_to(scene->b, "e1000"))
		return -ENODEV;
	return netdev_check(scene->b);
}

/* A user who is asked to leave can do so in good order. */
TEST_F(group, unbind_of_last_device_waits_for_user)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;
	size_t page = sysconf(_SC_PAGESIZE);
	void *mem;
	pid_t pid;

	if (scene_is_mainline(scene))
		SKIP(return, "VFIO waits for the device to be closed, not for the group");
	mem = aligned_alloc(page, page);
	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	ASSERT_EQ(0, vfio_map(user->container, mem, IOVA, page));
	pid = unbind_begin(scene->a);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	expect_refused(scene);
	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));
	EXPECT_TRUE(unbind_waits(pid));

	EXPECT_EQ(0, vfio_user_close_device(user));
	EXPECT_EQ(-ENODEV, vfio_open_device(user->group, scene->a));
	expect_refused(scene);
	EXPECT_EQ(0, vfio_unmap(user->container, IOVA, page));
	EXPECT_TRUE(unbind_waits(pid));
	EXPECT_EQ(0, vfio_unset_container(user->group));

	EXPECT_EQ(0, unbind_end(pid));
	EXPECT_EQ(-ENODEV, vfio_user_set_container(user));
	vfio_user_close(user);
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
	free(mem);
}

/* One of two devices goes back while the group stays with its owner. */
TEST_F(group, unbind_of_one_device_keeps_owner)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;
	pid_t pid;
	int b;

	ASSERT_EQ(0, pci_switch(scene->b, "vfio-pci"));
	ASSERT_EQ(0, vfio_user_open(user, scene->b));
	b = user->device;
	ASSERT_EQ(0, vfio_user_open_device(user, scene->a));
	pid = unbind_begin(scene->b);
	ASSERT_LT(0, pid);
	EXPECT_TRUE(unbind_waits(pid));
	EXPECT_EQ(0, close(b));
	EXPECT_EQ(0, unbind_end(pid));

	expect_refused(scene);
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	vfio_user_close(user);
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
}

/* B is away when the group is claimed, and finds it owned when it is back. */
TEST_F(group, removed_free_found_owned)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, pci_remove(scene->b));
	ASSERT_FALSE(pci_present(scene->b));
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, pci_rescan());
	expect_found_refused(scene);
	EXPECT_EQ(0, edu_dma_check(&scene->user));

	vfio_user_close(&scene->user);
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, b_works(scene));
}

/* B goes while the group is owned, and comes back when it is free. */
TEST_F(group, removed_owned_found_free)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, pci_remove(scene->b));
	ASSERT_FALSE(pci_present(scene->b));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	vfio_user_close(&scene->user);

	ASSERT_EQ(0, pci_rescan());
	EXPECT_EQ(scene->group->id, group_of(scene->b));
	EXPECT_EQ(0, b_works(scene));
}

/* B goes and comes back while the group is owned. */
TEST_F(group, removed_owned_found_owned)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, pci_remove(scene->b));
	ASSERT_EQ(0, pci_rescan());
	expect_found_refused(scene);
	EXPECT_EQ(0, edu_dma_check(&scene->user));

	vfio_user_close(&scene->user);
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, b_works(scene));
}

/* The same when B had its driver, which goes with it, before the claim. */
TEST_F(group, removed_bound_leaves_group_free)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(-EPERM, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, pci_remove(scene->b));
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	vfio_user_close(&scene->user);
	ASSERT_EQ(0, pci_rescan());
	EXPECT_TRUE(pci_bound_to(scene->b, "e1000"));
}

/* How the devices of a group that have no driver come and go beside A's user. */
FIXTURE(sibling)
{
	struct scene scene;
};

FIXTURE_VARIANT(sibling)
{
	enum topology topology;
};

SCENE_VARIANT(sibling, aliased, ALIASED);
SCENE_VARIANT(sibling, lent, LENT);
SCENE_VARIANT(sibling, distinct, DISTINCT);

FIXTURE_SETUP(sibling)
{
	setup_scene(&self->scene, variant->topology);
}

FIXTURE_TEARDOWN(sibling)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* Whether a device can be taken out and found again beside @other. */
static bool is_sibling(const struct pci_dev *dev, const char *other)
{
	return !is_bridge(dev) && strcmp(dev->bdf, other);
}

/* Find lost devices again, before the claim: none but A has a driver. */
static int join_again(struct scene *scene)
{
	int ret;

	ret = group_clear(scene->group);
	return ret ? ret : pci_switch(scene->a, "vfio-pci");
}

/* Have all devices but @bdf leave the group and join it again. */
static int others_join_again(struct scene *scene, const char *bdf)
{
	const struct pci_dev *end = scene->group->devs + scene->group->ndevs;
	const struct pci_dev *dev;
	int ret = 0;

	for (dev = scene->group->devs; !ret && dev < end; dev++) {
		if (is_sibling(dev, bdf))
			ret = pci_remove(dev->bdf);
	}
	return ret ? ret : join_again(scene);
}

/* B leaves A's user, and comes back. */
static void expect_dma_without_b(struct __test_metadata *_metadata,
				 struct scene *scene)
{
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, pci_remove(scene->b));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, pci_rescan());
	EXPECT_EQ(scene->group->id, group_of(scene->b));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/* Also, it is the first time that those others are given to a user. */
TEST_F(sibling, dma_goes_on_without_first_to_join)
{
	ASSERT_EQ(0, others_join_again(&self->scene, self->scene.b));
	expect_dma_without_b(_metadata, &self->scene);
}

TEST_F(sibling, dma_goes_on_without_last_to_join)
{
	ASSERT_EQ(0, pci_remove(self->scene.b));
	ASSERT_EQ(0, join_again(&self->scene));
	expect_dma_without_b(_metadata, &self->scene);
}

TEST_F(sibling, dma_goes_on_without_all_others)
{
	struct scene *scene = &self->scene;
	const struct pci_dev *end = scene->group->devs + scene->group->ndevs;
	const struct pci_dev *dev;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	for (dev = scene->group->devs; dev < end; dev++) {
		if (!is_sibling(dev, scene->a))
			continue;
		ASSERT_EQ(0, pci_remove(dev->bdf));
		EXPECT_EQ(0, edu_dma_check(&scene->user));
	}
	ASSERT_EQ(0, pci_rescan());
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

TEST_HARNESS_MAIN
