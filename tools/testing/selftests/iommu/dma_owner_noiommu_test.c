// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices without any IOMMU, which VFIO hands out when it is told to: in a
 * group of VFIO's own making each, which nobody claims.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/vfio.h>

#include "lib/mtty.h"
#include "scene_test.h"

#define NOIOMMU_MODE	"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

/* The first "edu" and the first e1000 of the machine. */
static struct pci_dev a, b;

FIXTURE(noiommu)
{
	struct vfio_user user;
	int id;
};

static int find_devices(const struct pci_dev *dev)
{
	if (dev->vendor == EDU_VENDOR && dev->device == EDU_DEVICE && !a.bdf[0])
		a = *dev;
	if (dev->vendor == INTEL_VENDOR && dev->device == E1000_DEVICE &&
	    !b.bdf[0])
		b = *dev;
	return 0;
}

FIXTURE_SETUP(noiommu)
{
	self->user = (struct vfio_user)VFIO_USER_NONE;
	ASSERT_EQ(0, pci_for_each(find_devices));
	ASSERT_NE(0, a.bdf[0]);
	ASSERT_NE(0, b.bdf[0]);
	ASSERT_EQ(0, sysfs_write(NOIOMMU_MODE, "Y"));
	ASSERT_EQ(0, pci_unbind(a.bdf));
	ASSERT_EQ(-ENOENT, group_of(a.bdf));
	ASSERT_EQ(0, pci_switch(b.bdf, "e1000"));
	ASSERT_EQ(-ENOENT, group_of(b.bdf));

	ASSERT_EQ(0, pci_switch(a.bdf, "vfio-pci"));
	self->id = group_of(a.bdf);
	ASSERT_LE(0, self->id);
	ASSERT_EQ(0, vfio_user_open_noiommu_group(&self->user, self->id));
}

FIXTURE_TEARDOWN(noiommu)
{
	vfio_user_close(&self->user);
	EXPECT_EQ(0, pci_unbind(a.bdf));
	EXPECT_EQ(-ENOENT, group_of(a.bdf));
	EXPECT_EQ(0, sysfs_write(NOIOMMU_MODE, "N"));
}

/* The device copies from one page to another by their physical addresses. */
static int dma_check(int device)
{
	size_t page = sysconf(_SC_PAGESIZE);
	__u64 from, to;
	struct edu edu;
	void *mem;
	int ret;

	mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	pattern_fill(mem, 1);
	pattern_fill(mem + page, 2);
	ret = phys_addr(mem, &from);
	if (!ret)
		ret = phys_addr(mem + page, &to);
	if (!ret)
		ret = edu_open(&edu, device);
	if (ret)
		return ret;
	ret = edu_pull(&edu, from);
	if (!ret)
		ret = edu_push(&edu, to);
	if (!ret && pattern_words(mem + page, 1) != EDU_WORDS)
		ret = -EBADMSG;
	edu_close(&edu);
	munmap(mem, 2 * page);
	return ret;
}

/* From the first descriptor to the last, with a driver bound to B all along. */
TEST_F(noiommu, used_beside_kernel_driver)
{
	struct vfio_user *user = &self->user;

	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, vfio_flags_of(user->group));
	ASSERT_EQ(0, vfio_user_set_container(user));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET,
		  vfio_flags_of(user->group));
	EXPECT_EQ(-ENODEV, vfio_set_iommu(user->container));
	EXPECT_EQ(-EINVAL, vfio_open_device(user->group, a.bdf));
	ASSERT_EQ(0, vfio_set_iommu_type(user->container, VFIO_NOIOMMU_IOMMU));
	ASSERT_EQ(0, vfio_user_open_device(user, a.bdf));
	EXPECT_EQ(0, dma_check(user->device));
	EXPECT_EQ(0, netdev_check(b.bdf));
	EXPECT_EQ(0, pci_unbind(b.bdf));
	EXPECT_EQ(0, pci_bind(b.bdf, "e1000"));
	EXPECT_EQ(0, dma_check(user->device));

	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));
	vfio_user_close_device(user);
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, vfio_flags_of(user->group));
	EXPECT_EQ(0, vfio_user_set_container(user));
}

/* Take away or give back the capability without which nothing works. */
static int set_rawio(bool on)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[0].effective &= ~(1 << CAP_SYS_RAWIO);
	data[0].effective |= on << CAP_SYS_RAWIO;
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

TEST_F(noiommu, needs_rawio)
{
	struct vfio_user *user = &self->user;

	ASSERT_EQ(0, set_rawio(false));
	EXPECT_EQ(-EPERM, vfio_user_set_container(user));
	close(user->group);
	EXPECT_EQ(-EPERM, vfio_open_noiommu_group(self->id));
	ASSERT_EQ(0, set_rawio(true));
	user->group = vfio_open_noiommu_group(self->id);
	ASSERT_LE(0, user->group);
	ASSERT_EQ(0, vfio_user_set_container(user));
	ASSERT_EQ(0, set_rawio(false));
	EXPECT_EQ(-EPERM,
		  vfio_set_iommu_type(user->container, VFIO_NOIOMMU_IOMMU));
	ASSERT_EQ(0, set_rawio(true));
	EXPECT_EQ(0, vfio_set_iommu_type(user->container, VFIO_NOIOMMU_IOMMU));
	ASSERT_EQ(0, set_rawio(false));
	EXPECT_EQ(-EPERM, vfio_open_device(user->group, a.bdf));
	ASSERT_EQ(0, set_rawio(true));
	ASSERT_EQ(0, vfio_user_open_device(user, a.bdf));
	EXPECT_EQ(0, dma_check(user->device));
}

/* Nor does such a group share a container with any other kind. */
TEST_F(noiommu, shares_no_container)
{
	struct vfio_user *user = &self->user;
	int mdev;

	ASSERT_EQ(0, mtty_load());
	ASSERT_EQ(0, mtty_create());
	mdev = vfio_open_group(mtty_group());
	ASSERT_LE(0, mdev);

	ASSERT_EQ(0, vfio_user_set_container(user));
	EXPECT_EQ(-EPERM, vfio_set_container(mdev, user->container));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, vfio_flags_of(mdev));
	ASSERT_EQ(0, vfio_unset_container(user->group));
	ASSERT_EQ(0, vfio_set_container(mdev, user->container));
	EXPECT_EQ(-EPERM, vfio_user_set_container(user));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, vfio_flags_of(user->group));
	EXPECT_EQ(0, vfio_unset_container(mdev));
	close(mdev);
	EXPECT_EQ(0, mtty_remove());
}

TEST_HARNESS_MAIN
