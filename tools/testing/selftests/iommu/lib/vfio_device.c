// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "error.h"
#include "vfio_device.h"

static int region_info(int device, int index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	return errno_of(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info));
}

/* Map @bar of the device; the caller unmaps *@mem of *@size bytes. */
int vfio_map_bar(int device, int bar, void **mem, size_t *size)
{
	struct vfio_region_info info;
	int ret;

	ret = region_info(device, bar, &info);
	if (ret)
		return ret;
	*mem = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		    info.offset);
	if (*mem == MAP_FAILED) {
		*mem = NULL;
		return -errno;
	}
	*size = info.size;
	return 0;
}

/* Where in the device's file the region @index has its offset @where. */
static int region_offset(int device, int index, int where, off_t *offset)
{
	struct vfio_region_info info;
	int ret;

	ret = region_info(device, index, &info);
	*offset = info.offset + where;
	return ret;
}

/* Read @len bytes of a region of the device from @where. */
int vfio_region_read(int device, int index, int where, void *data, size_t len)
{
	off_t offset;
	int ret;

	ret = region_offset(device, index, where, &offset);
	return ret ? ret : all_of(pread(device, data, len, offset), len);
}

/* Write @len bytes to a region of the device at @where. */
int vfio_region_write(int device, int index, int where, const void *data,
		      size_t len)
{
	off_t offset;
	int ret;

	ret = region_offset(device, index, where, &offset);
	return ret ? ret : all_of(pwrite(device, data, len, offset), len);
}

int vfio_config_read(int device, int where, void *data, size_t len)
{
	return vfio_region_read(device, VFIO_PCI_CONFIG_REGION_INDEX, where,
				data, len);
}

int vfio_config_write(int device, int where, const void *data, size_t len)
{
	return vfio_region_write(device, VFIO_PCI_CONFIG_REGION_INDEX, where,
				 data, len);
}

/* Let the device answer MMIO and do DMA. */
int vfio_enable(int device)
{
	__u16 command;
	int ret;

	ret = vfio_config_read(device, PCI_COMMAND, &command, sizeof(command));
	if (ret)
		return ret;
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	return vfio_config_write(device, PCI_COMMAND, &command, sizeof(command));
}
