// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mediated device, whose group has no IOMMU: a claim of it is bookkeeping.
 */
#include <errno.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "lib/mtty.h"
#include "scene_test.h"

FIXTURE(mdev)
{
	struct vfio_user user;
	int group;
};

FIXTURE_SETUP(mdev)
{
	self->user = (struct vfio_user)VFIO_USER_NONE;
	ASSERT_EQ(0, mtty_load());
	ASSERT_EQ(0, mtty_create());
	self->group = mtty_group();
	ASSERT_LE(0, self->group);
}

FIXTURE_TEARDOWN(mdev)
{
	vfio_user_close(&self->user);
	EXPECT_EQ(0, mtty_remove());
}

static void expect_answers(struct __test_metadata *_metadata, int device)
{
	__u32 id = 0;
	__u8 value;

	EXPECT_EQ(0, vfio_config_read(device, 0, &id, sizeof(id)));
	EXPECT_EQ(MTTY_ID, id);
	EXPECT_EQ(0, mtty_write(device, 0x5a));
	EXPECT_EQ(0, mtty_read(device, &value));
	EXPECT_EQ(0x5a, value);
	EXPECT_EQ(0, mtty_write(device, 0xa5));
	EXPECT_EQ(0, mtty_read(device, &value));
	EXPECT_EQ(0xa5, value);
}

/* From the first descriptor to the last, and once more. */
TEST_F(mdev, used_and_used_again)
{
	struct vfio_user *user = &self->user;

	ASSERT_EQ(0, vfio_user_open_group(user, self->group));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, vfio_flags_of(user->group));
	ASSERT_EQ(0, vfio_user_set_container(user));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET,
		  vfio_flags_of(user->group));
	EXPECT_EQ(-EINVAL, vfio_open_device(user->group, MTTY_UUID));
	ASSERT_EQ(0, vfio_user_start(user, MTTY_UUID));
	expect_answers(_metadata, user->device);

	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));
	vfio_user_close_device(user);
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, vfio_flags_of(user->group));
	ASSERT_EQ(0, vfio_user_set_container(user));
	ASSERT_EQ(0, vfio_user_start(user, MTTY_UUID));
	expect_answers(_metadata, user->device);
}

/* A group that came and went is as new when it comes again. */
TEST_F(mdev, created_anew_is_claimed_anew)
{
	struct vfio_user *user = &self->user;

	ASSERT_EQ(0, vfio_user_claim(user, self->group));
	vfio_user_close(user);
	ASSERT_EQ(0, mtty_remove());
	EXPECT_EQ(-ENOENT, mtty_group());
	ASSERT_EQ(0, mtty_create());
	ASSERT_EQ(0, vfio_user_claim(user, mtty_group()));
	ASSERT_EQ(0, vfio_user_start(user, MTTY_UUID));
	expect_answers(_metadata, user->device);
}

/* In a container with a group that does have an IOMMU. */
FIXTURE(beside)
{
	struct scene scene;
	int mdev;
};

FIXTURE_SETUP(beside)
{
	ASSERT_EQ(0, scene_setup(&self->scene, DISTINCT));
	ASSERT_EQ(0, mtty_load());
	ASSERT_EQ(0, mtty_create());
	self->mdev = vfio_open_group(mtty_group());
	ASSERT_LE(0, self->mdev);
}

FIXTURE_TEARDOWN(beside)
{
	close(self->mdev);
	EXPECT_EQ(0, mtty_remove());
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* Each of the two groups has an owner of its own. */
TEST_F(beside, each_group_has_its_own_owner)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;
	int device;

	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	ASSERT_EQ(0, vfio_set_container(self->mdev, user->container));
	device = vfio_open_device(self->mdev, MTTY_UUID);
	ASSERT_LE(0, device);
	expect_answers(_metadata, device);
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	close(device);
	EXPECT_EQ(0, vfio_unset_container(self->mdev));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));

	ASSERT_EQ(0, vfio_set_container(self->mdev, user->container));
	vfio_user_close_device(user);
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
	device = vfio_open_device(self->mdev, MTTY_UUID);
	ASSERT_LE(0, device);
	expect_answers(_metadata, device);
	close(device);
}

TEST_HARNESS_MAIN
