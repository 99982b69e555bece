// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of PCI classes: the common ones by class and subclass, the others by
 * class alone.
 */
#include <stddef.h>

#include <linux/kernel.h>

#include "iommu-groups.h"

struct name {
	unsigned int class;
	const char *name;
};

static const struct name subclasses[] = {
	{ 0x0100, "SCSI controller" },
	{ 0x0101, "IDE controller" },
	{ 0x0104, "RAID controller" },
	{ 0x0106, "SATA controller" },
	{ 0x0107, "SAS controller" },
	{ 0x0108, "NVMe drive" },
	{ 0x0200, "network card" },
	{ 0x0207, "InfiniBand" },
	{ 0x0300, "VGA graphics" },
	{ 0x0302, "3D graphics" },
	{ 0x0401, "audio" },
	{ 0x0403, "audio" },
	{ 0x0600, "host bridge" },
	{ 0x0601, "ISA bridge" },
	{ 0x0604, "PCI bridge" },
	{ 0x0607, "CardBus bridge" },
	{ 0x0805, "SD controller" },
	{ 0x0c03, "USB controller" },
	{ 0x0c05, "SMBus" },
};

static const struct name classes[] = {
	{ 0x00, "unclassified" },
	{ 0x01, "storage" },
	{ 0x02, "network" },
	{ 0x03, "graphics" },
	{ 0x04, "multimedia" },
	{ 0x05, "memory" },
	{ 0x06, "bridge" },
	{ 0x07, "communication" },
	{ 0x08, "system device" },
	{ 0x09, "input" },
	{ 0x0b, "processor" },
	{ 0x0c, "serial bus" },
	{ 0x0d, "wireless" },
	{ 0x10, "encryption" },
	{ 0x11, "signal processing" },
	{ 0x12, "accelerator" },
};

static const char *look_up(const struct name *names, size_t count,
			   unsigned int class)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (names[i].class == class)
			return names[i].name;
	return NULL;
}

/* @class has three bytes: class, subclass, programming interface. */
const char *class_name(unsigned int class)
{
	const char *name;

	name = look_up(subclasses, ARRAY_SIZE(subclasses), class >> 8);
	if (!name)
		name = look_up(classes, ARRAY_SIZE(classes), class >> 16);
	return name ? name : "other";
}
