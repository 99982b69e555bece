// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever allocation fails, a group ends free, claimable and unmixed.
 */
#include "fail_nth_test.h"

/* The longest ones: hundreds of rescans, of a second or two each under KASAN. */
#define RESCAN_SECONDS	1800

TEST_F(fail_nth, user)
{
	fail_each(_metadata, &self->scene, self->fd, &user_op);
}

TEST_F(fail_nth, map)
{
	/* To unmap takes memory with the driver of 5.10, and VFIO warns. */
	if (iommu_is(self->scene.a, "/virtio"))
		SKIP_CASE("virtio-iommu");
	fail_each(_metadata, &self->scene, self->fd, &map_op);
}

TEST_F(fail_nth, info)
{
	fail_each(_metadata, &self->scene, self->fd, &info_op);
}

TEST_F(fail_nth, unset)
{
	fail_each(_metadata, &self->scene, self->fd, &unset_op);
}

TEST_F(fail_nth, bind)
{
	fail_each(_metadata, &self->scene, self->fd, &bind_op);
}

TEST_F(fail_nth, bind_refused)
{
	fail_each(_metadata, &self->scene, self->fd, &bind_refused_op);
}

TEST_F(fail_nth, unbind)
{
	fail_each(_metadata, &self->scene, self->fd, &unbind_op);
}

TEST_F(fail_nth, bind_vfio)
{
	fail_each(_metadata, &self->scene, self->fd, &bind_vfio_op);
}

TEST_F(fail_nth, unbind_vfio)
{
	fail_each(_metadata, &self->scene, self->fd, &unbind_vfio_op);
}

TEST_F(fail_nth, remove)
{
	fail_each(_metadata, &self->scene, self->fd, &remove_op);
}

TEST_F(fail_nth, remove_owned)
{
	fail_each(_metadata, &self->scene, self->fd, &remove_owned_op);
}

TEST_F(fail_nth, attach)
{
	fail_each(_metadata, &self->scene, self->fd, &attach_op);
}

TEST_F(fail_nth, detach)
{
	fail_each(_metadata, &self->scene, self->fd, &detach_op);
}

TEST_F_TIMEOUT(fail_nth, rescan, RESCAN_SECONDS)
{
	fail_each(_metadata, &self->scene, self->fd, &rescan_op);
}

TEST_F_TIMEOUT(fail_nth, rescan_owned, RESCAN_SECONDS)
{
	fail_each(_metadata, &self->scene, self->fd, &rescan_owned_op);
}

TEST_HARNESS_MAIN
