// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often a device is attached to a domain while its group is a user's, and how many
 * domains the groups of a user take. Each attach costs as much as a device costs a user
 * otherwise, and each domain gets every mapping.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/tracefs.h"
#include "scene_test.h"

#define IOVA 0x1000000

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

/* A claim takes a device to the domain that is the user's later, the end takes it back. */
TEST_F(group, is_attached_twice)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;
	char line[64];

	snprintf(line, sizeof(line), "device=%s", scene->a);
	ASSERT_EQ(0, trace_attaches_start(scene->a));
	ASSERT_EQ(0, vfio_user_claim(user, scene->group->id));
	EXPECT_EQ(1, trace_count(line));
	ASSERT_EQ(0, vfio_user_start(user, scene->a));
	EXPECT_EQ(1, trace_count(line));
	EXPECT_EQ(0, edu_dma_check(user));
	vfio_user_close(user);
	EXPECT_EQ(2, trace_count(line));
	EXPECT_EQ(0, trace_attaches_stop());
}

/* How an IOMMU driver unmaps is found out by a mapping at 0, in its first domain alone. */
TEST_F(group, driver_is_tested_once)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	vfio_user_close(&scene->user);
	ASSERT_EQ(0, trace_maps_start(0));
	EXPECT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, trace_count(""));
	EXPECT_EQ(0, trace_maps_stop());
}

/* A container that has a group already, and another group. */
FIXTURE(joined)
{
	struct scene first;
	struct scene scene;
};

FIXTURE_SETUP(joined)
{
	setup_scene(&self->first, DISTINCT);
	setup_scene(&self->scene, PCIEPORT);
	ASSERT_EQ(0, vfio_user_open(&self->first.user, self->first.a));
}

FIXTURE_TEARDOWN(joined)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
	EXPECT_EQ(0, scene_teardown(&self->first));
}

/* It goes straight to the domain of the others, and back. */
TEST_F(joined, is_attached_twice)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;
	char line[64];

	snprintf(line, sizeof(line), "device=%s", scene->a);
	ASSERT_EQ(0, vfio_user_open_group(user, scene->group->id));
	ASSERT_EQ(0, trace_attaches_start(scene->a));
	ASSERT_EQ(0, vfio_set_container(user->group, self->first.user.container));
	EXPECT_EQ(1, trace_count(line));
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(2, trace_count(line));
	EXPECT_EQ(0, trace_attaches_stop());
	EXPECT_EQ(0, edu_dma_check(&self->first.user));
}

/* It has the domain of the others, not one like it. */
TEST_F(joined, shares_domain)
{
	int container = self->first.user.container;
	struct vfio_user *user = &self->scene.user;
	size_t page = sysconf(_SC_PAGESIZE);
	void *mem = aligned_alloc(page, page);

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, vfio_user_open_group(user, self->scene.group->id));
	ASSERT_EQ(0, vfio_set_container(user->group, container));
	ASSERT_EQ(0, trace_maps_start(IOVA));
	EXPECT_EQ(0, vfio_map(container, mem, IOVA, page));
	EXPECT_EQ(1, trace_count(""));
	EXPECT_EQ(0, trace_maps_stop());
	EXPECT_EQ(0, vfio_unmap(container, IOVA, page));
	free(mem);
}

TEST_HARNESS_MAIN
