/* SPDX-License-Identifier: GPL-2.0-only */
/* A device that was opened through VFIO: its regions and registers. */
#ifndef SELFTESTS_IOMMU_VFIO_DEVICE_H
#define SELFTESTS_IOMMU_VFIO_DEVICE_H

#include <stddef.h>

int vfio_map_bar(int device, int bar, void **mem, size_t *size);
int vfio_region_read(int device, int index, int where, void *data, size_t len);
int vfio_region_write(int device, int index, int where, const void *data,
		      size_t len);
int vfio_config_read(int device, int where, void *data, size_t len);
int vfio_config_write(int device, int where, const void *data, size_t len);
int vfio_enable(int device);

#endif
