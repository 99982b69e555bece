// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of VFIO that says where the MSIs of its device go, as an example to copy from:
 * it reads what is reserved, registers a window, maps memory where the host would have
 * had its own, and takes an interrupt.
 *
 * The device is QEMU's "edu", bound to vfio-pci; which register makes it raise its
 * interrupt is all that is particular to it. Exit status 0 if all went well.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/vfio_msi.h"	/* what an older <linux/vfio.h> lacks */

#define WINDOW		0x20000000ULL
#define MEMORY_SIZE	0x10000ULL
#define EDU_IRQ_RAISE	0x60

static const char * const type_names[] = {
	"direct", "reserved", "msi", "sw-msi", "user-msi",
};

/* A container with the group, and the device. */
static int open_device(const char *group_id, const char *bdf, int *container)
{
	char path[64];
	int group, device;

	snprintf(path, sizeof(path), "/dev/vfio/%s", group_id);
	*container = open("/dev/vfio/vfio", O_RDWR);
	group = open(path, O_RDWR);
	if (*container < 0 || group < 0)
		err(1, "%s", path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, container) ||
	    ioctl(*container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err(1, "group %s", group_id);
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (device < 0)
		err(1, "%s", bdf);
	return device;
}

/* The answer is longer than one knows: ask how long, and ask again. */
static struct vfio_iommu_type1_info *get_info(int container)
{
	struct vfio_iommu_type1_info head = { .argsz = sizeof(head) }, *info;

	if (ioctl(container, VFIO_IOMMU_GET_INFO, &head))
		err(1, "VFIO_IOMMU_GET_INFO");
	info = calloc(1, head.argsz);
	if (!info)
		err(1, "memory");
	info->argsz = head.argsz;
	if (ioctl(container, VFIO_IOMMU_GET_INFO, info))
		err(1, "VFIO_IOMMU_GET_INFO");
	return info;
}

static struct vfio_iommu_type1_info_cap_resv_regions *
find_regions(struct vfio_iommu_type1_info *info)
{
	struct vfio_info_cap_header *cap;
	__u32 offset = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;

	for (; offset; offset = cap->next) {
		cap = (void *)info + offset;
		if (cap->id == VFIO_IOMMU_TYPE1_INFO_CAP_RESV_REGIONS)
			return (void *)cap;
	}
	errx(1, "this kernel does not tell what is reserved");
}

/* Prints what is reserved, and what the host has taken for MSIs to *@hole. */
static __u64 show_regions(int container, __u64 *hole)
{
	struct vfio_iommu_type1_info *info = get_info(container);
	struct vfio_iommu_type1_info_cap_resv_regions *cap = find_regions(info);
	struct vfio_iommu_type1_resv_region *region;
	__u64 granule = cap->granule;

	for (region = cap->regions; region < cap->regions + cap->nr_regions; region++) {
		printf("%#llx-%#llx %s\n", region->start, region->last,
		       region->type < 5 ? type_names[region->type] : "unknown");
		if (region->type == VFIO_IOMMU_TYPE1_RESV_SW_MSI)
			*hole = region->start;
	}
	printf("windows left: %u, granule: %#llx\n", cap->windows_avail, granule);
	free(info);
	return granule;
}

static void map(int container, __u32 flags, void *mem, __u64 iova, __u64 size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem,
		.iova = iova,
		.size = size,
	};

	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map))
		err(1, "%#llx", iova);
}

/* An eventfd that the device's first MSI signals. */
static int enable_msi(int device)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(int)];
	struct vfio_irq_set *set = (void *)buf;
	int event = eventfd(0, 0);

	*set = (struct vfio_irq_set) {
		.argsz = sizeof(buf),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSI_IRQ_INDEX,
		.count = 1,
	};
	memcpy(set->data, &event, sizeof(event));
	if (event < 0 || ioctl(device, VFIO_DEVICE_SET_IRQS, set))
		err(1, "MSI");
	return event;
}

/* Has the device raise its interrupt, as its own documentation says. */
static void raise_interrupt(int device)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	}, bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };
	__u16 command = 0x6;	/* memory, bus master */
	__u32 one = 1;

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config) ||
	    ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    pwrite(device, &command, sizeof(command), config.offset + 0x4) < 0 ||
	    pwrite(device, &one, sizeof(one), bar.offset + EDU_IRQ_RAISE) < 0)
		err(1, "registers");
}

int main(int argc, char **argv)
{
	int container, device, event;
	__u64 granule, count, hole = 0;
	void *mem;

	if (argc != 3)
		errx(2, "usage: %s GROUP DEVICE", argv[0]);
	device = open_device(argv[1], argv[2], &container);
	granule = show_regions(container, &hole);
	if (!hole)
		errx(1, "here MSIs need no window");

	map(container, VFIO_DMA_MAP_FLAG_RESERVED_MSI_IOVA, NULL, WINDOW, granule);
	mem = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		err(1, "memory");
	map(container, VFIO_DMA_MAP_FLAG_READ, mem, hole, MEMORY_SIZE);
	show_regions(container, &hole);

	event = enable_msi(device);
	raise_interrupt(device);
	if (read(event, &count, sizeof(count)) != sizeof(count))
		err(1, "interrupt");
	printf("interrupts: %llu\n", count);
	return count != 1;
}
