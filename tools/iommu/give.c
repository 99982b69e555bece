// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands that give a device to userspace, and those that give it back to
 * the kernel.
 */
#include <string.h>

#include "iommu-groups.h"

#define UNSAFE_MODULE	"/sys/module/vfio_iommu_type1"

/*
 * vfio-pci takes no device whose virtual functions are on, and only the driver
 * that turned them on can turn them off.
 */
static void turn_vfs_off(const struct device *device, struct commands *commands)
{
	const char *name = quoted(device->name);

	if (!device->driver[0])
		add_command(commands, "echo %s > /sys/bus/pci/drivers_probe", name);
	add_command(commands, "echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
		    name);
}

static void leave_driver(const struct device *device, struct commands *commands)
{
	if (device->nvfs && !device->vfio)
		turn_vfs_off(device, commands);
	if (device->driver[0] || device->nvfs)
		add_command(commands, "echo %s > /sys/bus/%s/devices/%s/driver/unbind",
			    quoted(device->name), quoted(device->bus),
			    quoted(device->name));
}

static bool is_behind(const struct device *one, const struct device *other)
{
	return one->behind[0] && !strcmp(one->behind, other->name);
}

/*
 * Unbinds the drivers in the way, but not that of the device itself, nor of
 * those that vanish together with its driver.
 */
void unbind_others(const struct question *q)
{
	const struct device *one, *end = q->group->devices + q->group->ndevices;

	for (one = q->group->devices; one < end; one++) {
		if (one == q->device || is_behind(one, q->device) ||
		    !device_blocks(q->machine, q->group, one))
			continue;
		what_hangs(q->machine, one, &q->verdict->warnings);
		leave_driver(one, &q->verdict->change);
	}
}

/* From whatever driver the device has to that of VFIO */
void bind_to_vfio(const struct machine *machine, const struct device *device,
		  struct commands *commands)
{
	const char *driver = vfio_driver(device->bus);

	if (!driver)
		return;
	if (!exists("%s/bus/%s/drivers/%s", machine->sysfs, device->bus, driver))
		add_command(commands, "modprobe %s", driver);
	leave_driver(device, commands);
	add_command(commands, "echo %s > /sys/bus/%s/devices/%s/driver_override",
		    driver, quoted(device->bus), quoted(device->name));
	add_command(commands, "echo %s > /sys/bus/%s/drivers_probe",
		    quoted(device->name), quoted(device->bus));
}

static void accept_interrupts(const struct machine *machine,
			      struct commands *commands)
{
	if (exists("%s/module/vfio_iommu_type1", machine->sysfs))
		add_command(commands, "echo Y > " UNSAFE_MODULE
			    "/parameters/allow_unsafe_interrupts");
	else
		add_command(commands, "modprobe vfio_iommu_type1 allow_unsafe_interrupts=1");
}

/* All that a claim of the device needs */
void commands_to_give(const struct question *q)
{
	q->verdict->changeable = true;
	unbind_others(q);
	if (interrupts_are_unsafe(q->machine))
		accept_interrupts(q->machine, &q->verdict->change);
	if (q->device->vfio)
		return;
	what_hangs(q->machine, q->device, &q->verdict->warnings);
	bind_to_vfio(q->machine, q->device, &q->verdict->change);
}

/*
 * May the kernel have a device of the group? Before there were claims, to bind
 * a driver beside a user stopped the machine.
 */
static bool may_have_driver(const struct question *q)
{
	if (q->group->owner == OWNER_UNKNOWN && !q->machine->all_seen &&
	    !bridges_are_claimed(q->machine))
		return false;
	return q->group->owner != OWNER_PRIVATE;
}

/* A device that has no driver gets none by itself: nothing tries again. */
void commands_back(const struct question *q)
{
	const struct device *device = q->device;
	struct commands *back = &q->verdict->back;

	if (device->driver[0] || !device->path[0] || !may_have_driver(q))
		return;
	add_command(back, "echo > /sys/bus/%s/devices/%s/driver_override",
		    quoted(device->bus), quoted(device->name));
	add_command(back, "echo %s > /sys/bus/%s/drivers_probe",
		    quoted(device->name), quoted(device->bus));
}
