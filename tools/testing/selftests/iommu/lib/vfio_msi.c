// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "error.h"
#include "pci.h"
#include "vfio_msi.h"

/* All that the container tells, in memory that the caller frees. */
static int read_info(int container, struct vfio_iommu_type1_info **info)
{
	struct vfio_iommu_type1_info head = { .argsz = sizeof(head) };
	int ret;

	if (ioctl(container, VFIO_IOMMU_GET_INFO, &head))
		return -errno;
	*info = calloc(1, head.argsz);
	if (!*info)
		return -ENOMEM;
	(*info)->argsz = head.argsz;
	ret = errno_of(ioctl(container, VFIO_IOMMU_GET_INFO, *info));
	if (ret)
		free(*info);
	return ret;
}

static void *find_cap(struct vfio_iommu_type1_info *info, __u16 id)
{
	struct vfio_info_cap_header *header;
	__u32 offset;

	if (!(info->flags & VFIO_IOMMU_INFO_CAPS))
		return NULL;
	for (offset = info->cap_offset; offset; offset = header->next) {
		header = (void *)info + offset;
		if (header->id == id)
			return header;
	}
	return NULL;
}

static int copy_caps(struct vfio_iommu_type1_info *info, struct resv_info *resv)
{
	struct vfio_iommu_type1_info_cap_resv_regions *cap;
	struct vfio_iommu_type1_info_cap_iova_range *left;

	cap = find_cap(info, VFIO_IOMMU_TYPE1_INFO_CAP_RESV_REGIONS);
	if (!cap)
		return -EOPNOTSUPP;
	if (cap->header.version != 1 || cap->nr_regions > RESV_MAX)
		return -EPROTO;
	resv->nr = cap->nr_regions;
	resv->windows_avail = cap->windows_avail;
	resv->granule = cap->granule;
	memcpy(resv->regions, cap->regions, cap->nr_regions * sizeof(*cap->regions));

	/* There is none for a container without an IOMMU. */
	left = find_cap(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	if (!left)
		return 0;
	if (left->nr_iovas > RESV_MAX)
		return -EPROTO;
	resv->nr_ranges = left->nr_iovas;
	memcpy(resv->ranges, left->iova_ranges,
	       left->nr_iovas * sizeof(*left->iova_ranges));
	return 0;
}

/* -EOPNOTSUPP where the kernel does not tell of reserved regions. */
int resv_read(int container, struct resv_info *resv)
{
	struct vfio_iommu_type1_info *info = NULL;
	int ret;

	memset(resv, 0, sizeof(*resv));
	ret = read_info(container, &info);
	if (ret)
		return ret;
	ret = copy_caps(info, resv);
	free(info);
	return ret;
}

bool resv_same(const struct resv_info *one, const struct resv_info *other)
{
	return !memcmp(one, other, sizeof(*one));
}

/* The first region of a type, or NULL. */
const struct vfio_iommu_type1_resv_region *
resv_find(const struct resv_info *info, __u32 type)
{
	const struct vfio_iommu_type1_resv_region *region;

	for (region = info->regions; region < info->regions + info->nr; region++)
		if (region->type == type)
			return region;
	return NULL;
}

static bool is_left(const struct resv_info *info, __u64 address)
{
	const struct vfio_iova_range *range;

	for (range = info->ranges; range < info->ranges + info->nr_ranges; range++)
		if (address >= range->start && address <= range->end)
			return true;
	return false;
}

/* Do the regions ascend, without an overlap, and can none of them be mapped? */
bool resv_in_order(const struct resv_info *info)
{
	const struct vfio_iommu_type1_resv_region *region;
	__u32 i;

	for (i = 0; i < info->nr; i++) {
		region = &info->regions[i];
		if (region->last < region->start)
			return false;
		if (i && region->start <= region[-1].last)
			return false;
		if (is_left(info, region->start) || is_left(info, region->last))
			return false;
	}
	return true;
}

int window_map(int container, __u32 flags, __u64 vaddr, __u64 iova, __u64 size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_RESERVED_MSI_IOVA | flags,
		.vaddr = vaddr,
		.iova = iova,
		.size = size,
	};

	return errno_of(ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
}

/* Register a window that devices can write to. */
int window_add(int container, __u64 iova, __u64 size)
{
	return window_map(container, VFIO_DMA_MAP_FLAG_WRITE, 0, iova, size);
}

/* What was removed, in bytes, is in *@removed if that is not NULL. */
int window_unmap(int container, __u32 flags, __u64 iova, __u64 size,
		 __u64 *removed)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.flags = VFIO_DMA_UNMAP_FLAG_RESERVED_MSI_IOVA | flags,
		.iova = iova,
		.size = size,
	};

	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return -errno;
	if (removed)
		*removed = unmap.size;
	return 0;
}

/* Remove all windows in the range; -ENOENT where they are not of that size. */
int window_remove(int container, __u64 iova, __u64 size)
{
	__u64 removed = 0;
	int ret;

	ret = window_unmap(container, 0, iova, size, &removed);
	if (ret)
		return ret;
	return removed == size ? 0 : -ENOENT;
}

static int set_msi(int device, __u32 data, __u32 count, int event)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(event)];
	struct vfio_irq_set *set = (void *)buf;

	*set = (struct vfio_irq_set) {
		.argsz = sizeof(*set) + (count ? sizeof(event) : 0),
		.flags = data | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSI_IRQ_INDEX,
		.count = count,
	};
	memcpy(set->data, &event, sizeof(event));
	return errno_of(ioctl(device, VFIO_DEVICE_SET_IRQS, set));
}

/* The device's first MSI signals the eventfd @event. */
int msi_enable(int device, int event)
{
	return set_msi(device, VFIO_IRQ_SET_DATA_EVENTFD, 1, event);
}

int msi_disable(int device)
{
	return set_msi(device, VFIO_IRQ_SET_DATA_NONE, 0, 0);
}

static int read_config(int config, int where, void *data, size_t len)
{
	return all_of(pread(config, data, len, where), len);
}

/* Where a capability is in the configuration space; -ENOENT if there is none. */
static int find_pci_cap(int config, __u8 id)
{
	__u8 where, cap[2];
	int ret;

	ret = read_config(config, PCI_CAPABILITY_LIST, &where, 1);
	while (!ret && where) {
		ret = read_config(config, where, cap, sizeof(cap));
		if (!ret && cap[0] == id)
			return where;
		where = cap[1];
	}
	return ret ? ret : -ENOENT;
}

/* Where the device writes its MSIs: not what VFIO shows, but what hardware has. */
int msi_address(const char *bdf, __u64 *address)
{
	char path[96];
	int config, cap, ret;
	__u32 low, high;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", bdf);
	config = open(path, O_RDONLY | O_CLOEXEC);
	if (config < 0)
		return -errno;
	cap = find_pci_cap(config, PCI_CAP_ID_MSI);
	ret = cap < 0 ? cap : read_config(config, cap + PCI_MSI_ADDRESS_LO, &low, 4);
	if (!ret)
		ret = read_config(config, cap + PCI_MSI_ADDRESS_HI, &high, 4);
	if (!ret)
		*address = (__u64)high << 32 | low;
	close(config);
	return ret;
}
