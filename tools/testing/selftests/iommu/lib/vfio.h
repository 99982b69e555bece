/* SPDX-License-Identifier: GPL-2.0-only */
/* The system calls of VFIO's containers and groups, one by one. */
#ifndef SELFTESTS_IOMMU_VFIO_H
#define SELFTESTS_IOMMU_VFIO_H

#include <stddef.h>

#include <linux/types.h>

int vfio_open_container(void);
int vfio_open_group(int id);
int vfio_open_noiommu_group(int id);
int vfio_group_flags(int group, __u32 *flags);
__u32 vfio_flags_of(int group);
int vfio_set_container(int group, int container);
int vfio_unset_container(int group);
int vfio_set_iommu_type(int container, int type);
int vfio_set_iommu(int container);
int vfio_open_device(int group, const char *bdf);
int vfio_hold_by_kvm(int group);
int vfio_map(int container, void *mem, __u64 iova, size_t size);
int vfio_unmap(int container, __u64 iova, size_t size);

#endif
