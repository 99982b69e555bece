// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which drivers keep their group from userspace?
 */
#include <string.h>

#include <linux/kernel.h>

#include "iommu-groups.h"

/* Drivers that hold no claim, for kernels or users that cannot see claims */
static const char * const managed_drivers[] = {
	"fsl-pci", "pci-stub", "pcieport",
};

bool driver_is_vfio(const char *driver)
{
	return !strncmp(driver, "vfio", 4);
}

static bool driver_manages_dma(const char *driver)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(managed_drivers); i++)
		if (!strcmp(driver, managed_drivers[i]))
			return true;
	return false;
}

/* Does the device keep its group from userspace? */
bool device_blocks(const struct machine *machine, const struct group *group,
		   const struct device *device)
{
	if (device->claim != CLAIM_UNKNOWN)
		return device->claim != CLAIM_NO;
	if (group->owner == OWNER_NONE || group->owner == OWNER_USER ||
	    group->noiommu)
		return false;
	if (!device->driver[0] || device->vfio ||
	    driver_manages_dma(device->driver))
		return false;
	/* Before claims, VFIO did not mind the driver of a bridge. */
	return !device->bridge || group->owner != OWNER_UNKNOWN ||
	       bridges_are_claimed(machine);
}

int count_blocking(const struct machine *machine, const struct group *group)
{
	int i, count = 0;

	for (i = 0; i < group->ndevices; i++)
		count += device_blocks(machine, group, &group->devices[i]);
	return count;
}

/* The first device that may be attached to the private domain; NULL for none */
static const struct device *attached_perhaps(const struct machine *machine,
					     const struct group *group)
{
	const struct device *device, *end = group->devices + group->ndevices;
	const struct device *found = NULL;

	for (device = group->devices; device < end; device++) {
		if (device->claim == CLAIM_PRIVATE)
			return device;
		if (!found && device_blocks(machine, group, device))
			found = device;
	}
	return found;
}

static bool all_have_driver(const struct machine *machine,
			    const struct group *group, const char *driver)
{
	int i;

	for (i = 0; i < group->ndevices; i++)
		if (device_blocks(machine, group, &group->devices[i]) &&
		    strcmp(group->devices[i].driver, driver))
			return false;
	return true;
}

/*
 * The first device that is attached to the private domain. NULL if that is not
 * certain: without the table there may be more drivers than devices attached.
 */
const struct device *attached_device(const struct machine *machine,
				     const struct group *group)
{
	const struct device *device = attached_perhaps(machine, group);

	if (device && device->claim == CLAIM_UNKNOWN &&
	    count_blocking(machine, group) > group->count)
		return NULL;
	return device;
}

/* Whose private domain the group is on, in words */
const char *domain_driver(const struct machine *machine,
			  const struct group *group)
{
	const struct device *device = attached_perhaps(machine, group);
	const char *driver = device ? device->driver : "";

	if (driver[0] && (attached_device(machine, group) ||
			  all_have_driver(machine, group, driver)))
		return driver;
	return "a driver";
}
