// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sysfs tells about a device.
 *
 * Nothing is read here that waits for the device lock, as driver_override and
 * sriov_numvfs do: who unbinds vfio-pci holds it until the user lets go. Links
 * tell the same. Nor is anything read that wakes a device that sleeps.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kernel.h>

#include "iommu-groups.h"

/* In configuration space: where the header type is, and what it can be */
#define HEADER_TYPE	0x0e
#define HEADER_MASK	0x7f
#define HEADER_BRIDGE	1
#define HEADER_CARDBUS	2

static const struct {
	const char *bus;
	const char *driver;
} vfio_drivers[] = {
	{ "pci", "vfio-pci" },
	{ "platform", "vfio-platform" },
	{ "amba", "vfio-amba" },
	{ "fsl-mc", "vfio-fsl-mc" },
	{ "cdx", "vfio-cdx" },
};

/* The driver that gives devices of a bus to userspace; NULL if there is none */
const char *vfio_driver(const char *bus)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vfio_drivers); i++)
		if (!strcmp(bus, vfio_drivers[i].bus))
			return vfio_drivers[i].driver;
	return NULL;
}

bool is_mdev(const struct device *device)
{
	return !strcmp(device->bus, "mdev");
}

/* "0000:02:01.0", as the kernel writes it */
bool is_address(const char *name)
{
	unsigned int domain, bus, slot, function;
	int end = 0;

	if (name[strspn(name, "0123456789abcdef:.")])
		return false;
	if (sscanf(name, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function,
		   &end) != 4)
		return false;
	return !name[end] && slot <= 0x1f && function <= 7;
}

static unsigned int read_hex(const char *folder, const char *file)
{
	char value[NAME_LEN];

	if (!read_value(value, sizeof(value), "%s/%s", folder, file))
		return 0;
	return strtoul(value, NULL, 16);
}

static int header_type(const char *path)
{
	char file[PATH_MAX];
	FILE *config;
	int type = -1;

	make_path(file, "%s/config", path);
	config = fopen(file, "re");
	if (!config)
		return -1;
	if (!fseek(config, HEADER_TYPE, SEEK_SET))
		type = getc(config);
	fclose(config);
	return type < 0 ? -1 : type & HEADER_MASK;
}

/*
 * The kernel shows the number of a secondary bus by the header type alone. To
 * read that type itself would wake a bridge that sleeps, so it is looked at
 * only where that file is missing, as in a copy of sysfs.
 */
static bool is_bridge(const struct machine *machine, const struct device *device)
{
	int type = -1;

	if (exists("%s/secondary_bus_number", device->path))
		return true;
	if (strcmp(machine->sysfs, "/sys"))
		type = header_type(device->path);
	if (type >= 0)
		return type == HEADER_BRIDGE || type == HEADER_CARDBUS;
	return device->class >> 8 == 0x0604 || device->class >> 8 == 0x0607;
}

/*
 * A variant driver of VFIO has any name; its device has a folder for it from
 * Linux 6.1 on, and from 5.16 on its module uses that of vfio-pci.
 */
static bool has_vfio_driver(const struct machine *machine,
			    const struct device *device)
{
	char module[NAME_LEN];

	if (!device->driver[0])
		return false;
	if (driver_is_vfio(device->driver) || exists("%s/vfio-dev", device->path))
		return true;
	return read_link(module, "%s/driver/module", device->path) &&
	       exists("%s/module/vfio_pci_core/holders/%s", machine->sysfs, module);
}

static bool count_vf(const char *folder, const char *entry, void *data)
{
	(void)folder;
	*(int *)data += !strncmp(entry, "virtfn", 6);
	return true;
}

/*
 * The PCI device that makes the bus of this one, as VMD does: its name comes
 * right before that of the bus in the path. "" for the usual bus.
 */
static void find_behind(char *behind, const char *path)
{
	char copy[PATH_MAX], *part, *rest = copy;
	const char *last = "";

	behind[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", path);
	while ((part = strsep(&rest, "/"))) {
		if (!strncmp(part, "pci", 3) && strchr(part, ':') &&
		    is_address(last))
			snprintf(behind, NAME_LEN, "%.*s", NAME_LEN - 1, last);
		last = part;
	}
}

/* In a copy of sysfs the links of a group can lead nowhere. */
static char *device_path(const struct machine *machine, const char *folder,
			 const char *name)
{
	char path[PATH_MAX], *real;

	make_path(path, "%s/%s", folder, name);
	real = realpath(path, NULL);
	if (real)
		return real;
	make_path(path, "%s/bus/pci/devices/%s", machine->sysfs, name);
	real = realpath(path, NULL);
	return real ? real : strdup("");
}

/* The device's own bus; a device that is being removed has lost it. */
static void read_bus(struct device *device)
{
	if (!device->path[0] || !read_link(device->bus, "%s/subsystem", device->path))
		copy_text(device->bus, is_address(device->name) ? "pci" : "platform");
	device->pci = !strcmp(device->bus, "pci");
}

static void read_pci(struct device *device, const struct machine *machine)
{
	device->vendor = read_hex(device->path, "vendor");
	device->id = read_hex(device->path, "device");
	device->class = read_hex(device->path, "class");
	device->described = exists("%s/class", device->path);
	device->bridge = is_bridge(machine, device);
	find_behind(device->behind, device->path);
	read_link(device->pf, "%s/physfn", device->path);
	walk_folder(count_vf, &device->nvfs, "%s", device->path);
}

void read_device(struct device *device, const struct machine *machine,
		 const char *folder, const char *name)
{
	memset(device, 0, sizeof(*device));
	snprintf(device->name, sizeof(device->name), "%.*s", NAME_LEN - 1, name);
	device->path = device_path(machine, folder, name);
	if (!device->path) {
		perror("iommu-groups");
		exit(EXIT_UNREADABLE);
	}
	read_bus(device);
	if (!device->path[0])
		return;
	read_link(device->driver, "%s/driver", device->path);
	device->vfio = has_vfio_driver(machine, device);
	if (device->pci)
		read_pci(device, machine);
}

void free_device(struct device *device)
{
	free(device->path);
}
