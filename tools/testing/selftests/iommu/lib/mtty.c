// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include <linux/vfio.h>

#include "mtty.h"

#define MTTY_TYPE	"/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-1"
#define MTTY_DEVICE	"/sys/bus/mdev/devices/" MTTY_UUID

/* Load the module afresh: what an earlier test left behind is gone. */
int mtty_load(void)
{
	system("modprobe -r mtty");
	return system("modprobe mtty") ? -ENODEV : 0;
}

int mtty_create(void)
{
	return sysfs_write(MTTY_TYPE "/create", MTTY_UUID);
}

/* Waits for the device's user. */
int mtty_remove(void)
{
	return sysfs_write(MTTY_DEVICE "/remove", "1");
}

/* Number of its group. */
int mtty_group(void)
{
	return group_link(MTTY_DEVICE "/iommu_group");
}

int mtty_write(int device, __u8 value)
{
	return vfio_region_write(device, VFIO_PCI_BAR0_REGION_INDEX,
				 MTTY_SCRATCH, &value, sizeof(value));
}

int mtty_read(int device, __u8 *value)
{
	return vfio_region_read(device, VFIO_PCI_BAR0_REGION_INDEX,
				MTTY_SCRATCH, value, sizeof(*value));
}
