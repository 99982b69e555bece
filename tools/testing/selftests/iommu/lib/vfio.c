// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>
#include <linux/vfio.h>

#include "error.h"
#include "vfio.h"

/* A fresh container's file descriptor. */
int vfio_open_container(void)
{
	return errno_of(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC));
}

static int open_group(const char *format, int id)
{
	char path[32];

	snprintf(path, sizeof(path), format, id);
	return errno_of(open(path, O_RDWR | O_CLOEXEC));
}

/* The file descriptor of group @id; -EBUSY where it is open already. */
int vfio_open_group(int id)
{
	return open_group("/dev/vfio/%d", id);
}

/* The same for a group that VFIO made up for a device without an IOMMU. */
int vfio_open_noiommu_group(int id)
{
	return open_group("/dev/vfio/noiommu-%d", id);
}

/* VFIO_GROUP_FLAGS_* of the group. */
int vfio_group_flags(int group, __u32 *flags)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status))
		return -errno;
	*flags = status.flags;
	return 0;
}

/* The same as a value; all bits are set where they cannot be read. */
__u32 vfio_flags_of(int group)
{
	__u32 flags = ~0;

	vfio_group_flags(group, &flags);
	return flags;
}

int vfio_set_container(int group, int container)
{
	return errno_of(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
}

int vfio_unset_container(int group)
{
	return errno_of(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
}

/* Give the container, which must have a group, an IOMMU of this type. */
int vfio_set_iommu_type(int container, int type)
{
	return errno_of(ioctl(container, VFIO_SET_IOMMU, type));
}

/* The type that is meant if none is named. */
int vfio_set_iommu(int container)
{
	return vfio_set_iommu_type(container, VFIO_TYPE1v2_IOMMU);
}

/* File descriptor of the device, which must be bound to a VFIO driver. */
int vfio_open_device(int group, const char *bdf)
{
	return errno_of(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf));
}

/*
 * Give the group to a new VM's VFIO device, so that KVM holds a reference of
 * its own. Returns the descriptor that holds the VM, or -errno.
 */
int vfio_hold_by_kvm(int group)
{
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_VFIO };
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = KVM_DEV_VFIO_GROUP_ADD,
		.addr = (uintptr_t)&group,
	};
	int kvm, vm, ret;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return -errno;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ret = vm < 0 ? -errno : 0;
	close(kvm);
	if (ret)
		return ret;
	ret = ioctl(vm, KVM_CREATE_DEVICE, &create) ? -errno : 0;
	close(vm);
	if (ret)
		return ret;
	ret = ioctl(create.fd, KVM_SET_DEVICE_ATTR, &attr) ? -errno : 0;
	if (!ret)
		return create.fd;
	close(create.fd);
	return ret;
}

/* Let the container's devices read and write @mem at @iova. */
int vfio_map(int container, void *mem, __u64 iova, size_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem,
		.iova = iova,
		.size = size,
	};

	return errno_of(ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
}

/* The converse; -ENOENT where less than @size was mapped at @iova. */
int vfio_unmap(int container, __u64 iova, size_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};

	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return -errno;
	return unmap.size == size ? 0 : -ENOENT;
}
