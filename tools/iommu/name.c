// SPDX-License-Identifier: GPL-2.0-only
/*
 * How people call a device, and how the kernel does.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "iommu-groups.h"

/*
 * An address in hexadecimal numbers, without the domain if that is 0000. libvirt
 * writes it as pci_0000_02_01_0.
 */
static bool full_address(char *full, const char *name)
{
	unsigned int domain = 0, bus, slot, function;
	int end = 0;

	/* sscanf() would take blanks, signs and 0x as well. */
	if (name[strspn(name, "0123456789abcdefABCDEF:._pi")])
		return false;
	if (sscanf(name, "pci_%x_%x_%x_%x%n", &domain, &bus, &slot, &function,
		   &end) != 4 &&
	    sscanf(name, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function,
		   &end) != 4) {
		domain = 0;
		end = 0;
		if (sscanf(name, "%x:%x.%x%n", &bus, &slot, &function,
			   &end) != 3)
			return false;
	}
	if (!end || name[end] || bus > 0xff || slot > 0x1f || function > 7)
		return false;
	snprintf(full, NAME_LEN, "%04x:%02x:%02x.%x", domain, bus, slot,
		 function);
	return true;
}

/* The last part of a path under /sys that is a device in a group, or may be */
static bool name_in_path(const struct machine *machine, char *full,
			 const char *path)
{
	char *real = realpath(path, NULL), *part, *rest;
	bool found = false;

	rest = real;
	while (rest && (part = strsep(&rest, "/"))) {
		if (!is_address(part) && !find_group(machine, part))
			continue;
		found = true;
		snprintf(full, NAME_LEN, "%.*s", NAME_LEN - 1, part);
	}
	free(real);
	return found;
}

/*
 * The full name of a device. Returns whether there can be one of that name: a
 * device that is no PCI device is called by its name, or by its path.
 */
bool full_name(const struct machine *machine, char *full, const char *name)
{
	snprintf(full, NAME_LEN, "%.*s", NAME_LEN - 1, name);
	if (name[0] == '/')
		return name_in_path(machine, full, name);
	if (full_address(full, name))
		return true;
	return !strchr(name, '/') && find_group(machine, name);
}

static bool print_function(const char *folder, const char *name, void *data)
{
	const char *slot = data;

	(void)folder;
	if (!strncmp(name, slot, strlen(slot)))
		fprintf(stderr, "  %s\n", name);
	return true;
}

/* The functions of "01:00". Returns whether that is a slot. */
static bool hint_slot(const struct machine *machine, const char *name)
{
	unsigned int domain = 0, bus, slot;
	char start[NAME_LEN];
	int end = 0;

	if (sscanf(name, "%x:%x:%x%n", &domain, &bus, &slot, &end) != 3) {
		domain = 0;
		end = 0;
		if (sscanf(name, "%x:%x%n", &bus, &slot, &end) != 2)
			end = 0;
	}
	if (!end || name[end])
		return false;
	snprintf(start, sizeof(start), "%04x:%02x:%02x.", domain, bus, slot);
	complain("iommu-groups: that is a slot; its functions are:");
	walk_folder(print_function, start, "%s/bus/pci/devices",
		    machine->sysfs);
	return true;
}

/* A network interface or a disk has a device. */
static void hint_class(const struct machine *machine, const char *name)
{
	char path[PATH_MAX], device[NAME_LEN];

	if (!name[0] || name[0] == '.' || strchr(name, '/'))
		return;
	make_path(path, "%s/class/net/%s", machine->sysfs, name);
	if (!exists("%s", path))
		make_path(path, "%s/class/block/%s", machine->sysfs, name);
	if (name_in_path(machine, device, path))
		complain("iommu-groups: %s belongs to the device %s", name,
			 device);
}

/* Returns the exit status. */
int wrong_name(const struct machine *machine, const char *name)
{
	char escaped[4 * NAME_LEN];

	escape_name(escaped, sizeof(escaped), name, strlen(name));
	complain("iommu-groups: no device is called '%s'; an address looks like 0000:02:01.0",
		 escaped);
	if (!hint_slot(machine, name))
		hint_class(machine, name);
	return EXIT_USAGE;
}
