// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever allocation fails, a window for MSIs is there or not, and no interrupt
 * is lost.
 */
#include "fail_nth_test.h"
#include "lib/vfio_msi.h"

/* More than a v2m frame of QEMU has interrupts, and fewer than there are faults. */
#define MSI_TURNS	40
#define MSI_LEAST	10

/* Does the IOMMU translate MSIs, so that they need a window? */
static bool needs_window(struct scene *scene)
{
	struct resv_info info = {};

	if (!own(scene))
		resv_read(scene->user.container, &info);
	vfio_user_close(&scene->user);
	return resv_find(&info, VFIO_IOMMU_TYPE1_RESV_SW_MSI);
}

TEST_F(fail_nth, window)
{
	if (!needs_window(&self->scene))
		SKIP_CASE("MSIs need no window");
	fail_each(_metadata, &self->scene, self->fd, &window_op);
}

TEST_F(fail_nth, msi)
{
	if (!needs_window(&self->scene))
		SKIP_CASE("MSIs need no window");
	fail_each(_metadata, &self->scene, self->fd, &msi_op);
}

/* The user of a window enables its MSI, which fails, many times: was there a fault? */
static int fail_msi_often(struct scene *scene, int fd, int nth)
{
	int i, ret, hit = 1;

	for (i = 0; i < MSI_TURNS && hit > 0; i++) {
		ret = fault_arm(fd, nth);
		if (ret)
			return ret;
		ret = run_msi(scene);
		hit = fault_disarm(fd);
		if (!is_sane(ret))
			return ret;
		if (!ret)
			msi_disable(scene->user.device);
	}
	return hit;
}

/* A chip of interrupts has few of them, and none is lost to a fault. */
TEST_F(fail_nth, msi_often)
{
	int nth = 0, hit;

	if (!needs_window(&self->scene))
		SKIP_CASE("MSIs need no window");
	ASSERT_EQ(0, prepare_msi(&self->scene));
	do {
		hit = fail_msi_often(&self->scene, self->fd, ++nth);
		ASSERT_LE(0, hit) TH_LOG("allocation %d: %d", nth, hit);
	} while (hit);
	EXPECT_LE(MSI_LEAST, nth);
	EXPECT_EQ(0, run_msi(&self->scene));
	EXPECT_EQ(0, msi_disable(self->scene.user.device));
	vfio_user_close(&self->scene.user);
}

TEST_HARNESS_MAIN
