// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel and its IOMMU do, found out by what they show. A version is
 * asked for only where no file tells.
 */
#include <limits.h>
#include <string.h>

#include <linux/kernel.h>

#include "iommu-groups.h"

#define VERSION(major, minor)	((major) * 1000 + (minor))

/* What tests of the kernel register is no IOMMU. */
static const char * const mocks[] = { "mock_iommu", "iommufd_selftest_iommu" };

static bool is_real_iommu(const char *folder, const char *name, void *data)
{
	size_t i;

	(void)folder;
	for (i = 0; i < ARRAY_SIZE(mocks); i++)
		if (!strncmp(name, mocks[i], strlen(mocks[i])))
			return true;
	*(bool *)data = true;
	return false;
}

/* Is there an IOMMU that translates? */
bool iommu_is_active(const struct machine *machine)
{
	bool found = false;

	walk_folder(is_real_iommu, &found, "%s/class/iommu", machine->sysfs);
	return found;
}

/* Does a line of the file have this in it? -1 if there is no such file. */
static int file_has(const char *path, const char *text)
{
	char line[1024];
	int found = 0;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return -1;
	while (!found && fgets(line, sizeof(line), file))
		found = !!strstr(line, text);
	fclose(file);
	return found;
}

/* 0 if it is not told */
static int kernel_version(const struct machine *machine)
{
	char value[NAME_LEN];
	int major, minor;

	if (!machine->proc ||
	    !read_value(value, sizeof(value), "%s/sys/kernel/osrelease",
			machine->proc) ||
	    sscanf(value, "%d.%d", &major, &minor) != 2)
		return 0;
	return VERSION(major, minor);
}

/*
 * Does a driver of a bridge keep its group from userspace? It does since the
 * driver core makes the claims, the function for which is in the kernel then.
 */
bool bridges_are_claimed(const struct machine *machine)
{
	char path[PATH_MAX];
	int found = -1;

	if (machine->owners || exists("%s/class/vfio-dev", machine->sysfs))
		return true;
	if (machine->proc) {
		make_path(path, "%s/kallsyms", machine->proc);
		found = file_has(path, " iommu_group_claim_dma_owner");
	}
	if (found >= 0)
		return found;
	return !kernel_version(machine) ||
	       kernel_version(machine) >= VERSION(5, 19);
}

/*
 * Is a group refused if the firmware wants memory mapped for it at all times?
 * The driver of Intel's IOMMU does so; from 6.6 on the core does it for all.
 */
bool direct_is_refused(const struct machine *machine)
{
	if (exists("%s/class/iommu/dmar0", machine->sysfs))
		return true;
	return kernel_version(machine) >= VERSION(6, 6);
}

static bool unsafe_is_allowed(const struct machine *machine)
{
	char value[8];

	read_value(value, sizeof(value),
		   "%s/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
		   machine->sysfs);
	return value[0] == 'Y';
}

/*
 * Does VFIO refuse everything because a device could send any interrupt? On a
 * PC the names of remapped interrupts begin with IR; other machines have no
 * IO-APIC.
 */
bool interrupts_are_unsafe(const struct machine *machine)
{
	char path[PATH_MAX];

	if (!machine->proc || unsafe_is_allowed(machine))
		return false;
	make_path(path, "%s/interrupts", machine->proc);
	return file_has(path, "IO-APIC") == 1 && file_has(path, " IR-") == 0;
}

/* May VFIO give devices without an IOMMU? */
bool noiommu_is_on(const struct machine *machine)
{
	char value[8];

	read_value(value, sizeof(value),
		   "%s/module/vfio/parameters/enable_unsafe_noiommu_mode",
		   machine->sysfs);
	return value[0] == 'Y';
}
