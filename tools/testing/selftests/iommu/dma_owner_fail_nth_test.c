// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever allocation fails, a group ends free, claimable and unmixed.
 *
 * Each test takes one operation and runs it again and again, with its first,
 * second, ... allocation failing, until there are no more. The operation may
 * succeed or fail each time, but must leave what its result says. Splats are
 * for others to find: best run with panic_on_warn, where the last line of the
 * log that this program wrote tells which allocation did it.
 */
#include <errno.h>
#include <string.h>

#include "fail_nth.h"
#include "lib/edu.h"
#include "lib/fault.h"
#include "lib/vfio_msi.h"
#include "scene_test.h"

#define LINK_SECONDS	10
/* The longest ones: hundreds of rescans, of a second or two each under KASAN. */
#define RESCAN_SECONDS	1800
/* More than a v2m frame of QEMU has interrupts, and fewer than there are faults. */
#define MSI_TURNS	40
#define MSI_LEAST	10

/*
 * A driver that enables its device has ACPI look up the route of its interrupt.
 * The interpreter of stock 5.10 does not stand failing allocations: it loses
 * references to the table of routes ("Could not update object reference count")
 * and locks of the methods that it gives up. So have the devices enabled before,
 * and do without ACPI's view of their slots (see qemu/q35.inc), which has
 * methods that are called when a device comes or goes.
 */
static int keep_enabled(struct scene *scene, bool keep)
{
	int ret;

	ret = pci_switch(scene->a, "");
	if (!ret)
		ret = pci_switch(scene->b, "");
	if (!ret)
		ret = pci_keep_enabled(scene->a, keep);
	if (!ret)
		ret = pci_keep_enabled(scene->b, keep);
	if (ret == -EIO && !keep)	/* plugged since */
		ret = 0;
	return ret ? ret : pci_switch(scene->a, "vfio-pci");
}

FIXTURE(fail_nth)
{
	struct scene scene;
	int fd;
};

SCENE_VARIANTS(fail_nth);

FIXTURE_SETUP(fail_nth)
{
	setup_scene(&self->scene, variant->topology);
	self->fd = fault_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, keep_enabled(&self->scene, true));
	ASSERT_EQ(0, pci_override(self->scene.b, QUICK_DRIVER));
}

FIXTURE_TEARDOWN(fail_nth)
{
	close(self->fd);
	EXPECT_EQ(0, keep_enabled(&self->scene, false));
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* Nothing happened to the group, and the operation reports an errno of memory. */
static bool is_sane(int ret)
{
	switch (ret) {
	case 0:
	case -EBUSY:
	case -EIO:
	case -ENODEV:
	case -ENOMEM:
	case -ENOSPC:	/* what PCI says of MSIs that there is no memory for */
		return true;
	default:
		return false;
	}
}

/* Everything works: the user's DMA, then the kernel's. */
static int prove(struct scene *scene)
{
	int ret;

	ret = own(scene);
	if (!ret)
		ret = edu_dma_check(&scene->user);
	vfio_user_close(&scene->user);
	if (!ret)
		ret = pci_switch(scene->b, "e1000");
	return ret ? ret : netdev_check(scene->b, LINK_SECONDS);
}

/* One run of @op with its @nth allocation failing: was there one? */
static int fail_one(struct __test_metadata *_metadata, struct scene *scene,
		    int fd, const struct operation *op, int nth)
{
	char line[64];
	int ret, hit;

	snprintf(line, sizeof(line), "fail_nth: %s, allocation %d\n", op->name,
		 nth);
	sysfs_write("/dev/kmsg", line);
	if (op->prepare)
		ASSERT_EQ(0, op->prepare(scene));
	ASSERT_EQ(0, fault_arm(fd, nth));
	ret = op->run(scene);
	hit = fault_disarm(fd);
	ASSERT_LE(0, hit);
	if (!hit)
		EXPECT_EQ(op->expect, ret);
	EXPECT_TRUE(is_sane(ret)) TH_LOG("%s %d: %d", op->name, nth, ret);
	EXPECT_EQ(0, op->check(scene, ret)) TH_LOG("%s %d: %d", op->name, nth, ret);
	EXPECT_EQ(0, settle(scene)) TH_LOG("%s %d: %d", op->name, nth, ret);
	return hit;
}

static void fail_each(struct __test_metadata *_metadata, struct scene *scene,
		      int fd, const struct operation *op)
{
	int faults = 0;

	while (_metadata->passed &&
	       fail_one(_metadata, scene, fd, op, faults + 1))
		faults++;
	EXPECT_EQ(0, prove(scene));
	EXPECT_LE(op->least, faults);
	printf("# faults injected: %d\n", faults);
	fflush(stdout);
}

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
