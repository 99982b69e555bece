/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSIs of a device that was opened through VFIO, the windows of I/O addresses that a
 * container's user gives for them, and what the container says is reserved.
 *
 * Errors are as in libvfio.h.
 */
#ifndef SELFTESTS_IOMMU_VFIO_MSI_H
#define SELFTESTS_IOMMU_VFIO_MSI_H

#include <stdbool.h>

#include <linux/types.h>
#include <linux/vfio.h>

/* For a build without the headers of the kernel that has them. */
#ifndef VFIO_IOMMU_TYPE1_INFO_CAP_RESV_REGIONS
#define VFIO_IOMMU_TYPE1_INFO_CAP_RESV_REGIONS	4
#define VFIO_IOMMU_TYPE1_RESV_DIRECT		0
#define VFIO_IOMMU_TYPE1_RESV_RESERVED		1
#define VFIO_IOMMU_TYPE1_RESV_MSI		2
#define VFIO_IOMMU_TYPE1_RESV_SW_MSI		3
#define VFIO_IOMMU_TYPE1_RESV_USER_MSI		4
#define VFIO_IOMMU_TYPE1_RESV_READ		0x1
#define VFIO_IOMMU_TYPE1_RESV_WRITE		0x2
#define VFIO_DMA_MAP_FLAG_RESERVED_MSI_IOVA	0x8
#define VFIO_DMA_UNMAP_FLAG_RESERVED_MSI_IOVA	0x8

struct vfio_iommu_type1_resv_region {
	__u64 start;
	__u64 last;
	__u32 type;
	__u32 flags;
};

struct vfio_iommu_type1_info_cap_resv_regions {
	struct vfio_info_cap_header header;
	__u32 nr_regions;
	__u32 windows_avail;
	__u64 granule;
	struct vfio_iommu_type1_resv_region regions[];
};
#endif

#define MSI_WINDOWS_MAX	16
#define RESV_MAX	64

/* What a container says of its reserved regions, and the ranges that are left. */
struct resv_info {
	__u32 nr;
	__u32 windows_avail;
	__u64 granule;
	struct vfio_iommu_type1_resv_region regions[RESV_MAX];
	__u32 nr_ranges;
	struct vfio_iova_range ranges[RESV_MAX];
};

int resv_read(int container, struct resv_info *info);
bool resv_same(const struct resv_info *one, const struct resv_info *other);
const struct vfio_iommu_type1_resv_region *
resv_find(const struct resv_info *info, __u32 type);
bool resv_in_order(const struct resv_info *info);

int window_map(int container, __u32 flags, __u64 vaddr, __u64 iova, __u64 size);
int window_add(int container, __u64 iova, __u64 size);
int window_unmap(int container, __u32 flags, __u64 iova, __u64 size,
		 __u64 *removed);
int window_remove(int container, __u64 iova, __u64 size);

int msi_enable(int device, int event);
int msi_disable(int device);
int msi_address(const char *bdf, __u64 *address);

#endif
