// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps a device from userspace whatever its driver is, and what else than
 * a driver keeps it so far.
 */
#include <string.h>

#include "iommu-groups.h"

/* It makes DMA in the name of the device that makes its bus. */
static void why_behind(const struct question *q)
{
	const struct group *group = find_group(q->machine, q->device->behind);
	struct question whole = *q;

	say(q->verdict,
	    "%s cannot be given to userspace alone: it is behind %s, which can be given as a whole",
	    q->device->name, q->device->behind);
	if (!group)
		return;
	whole.group = group;
	whole.device = find_device(group, q->device->behind);
	if (!count_holders(q->machine, group->id))
		commands_to_give(&whole);
	q->verdict->changeable = false;
}

static void why_direct(const struct question *q)
{
	if (exists("%s/class/iommu/dmar0", q->machine->sysfs))
		say(q->verdict,
		    "%s cannot be given to userspace: the firmware reserves memory for its group, and Intel's IOMMU driver then refuses (RMRR)",
		    q->device->name);
	else
		say(q->verdict,
		    "%s cannot be given to userspace: the firmware reserves memory for its group, and this kernel then refuses",
		    q->device->name);
}

/* Returns whether the device can never be given. */
bool why_never(const struct question *q)
{
	const struct device *device = q->device;

	if (device->behind[0])
		why_behind(q);
	else if (device->bridge)
		say(q->verdict,
		    "%s is a bridge, and stays with the kernel: only what is behind it can be given to userspace",
		    device->name);
	else if (q->group->direct && q->group->owner != OWNER_USER &&
		 direct_is_refused(q->machine))
		why_direct(q);
	else
		return false;
	return true;
}

/* A part of a device that a driver of the kernel shares out */
static void why_mdev(const struct question *q)
{
	q->verdict->possible = q->device->vfio;
	if (q->device->vfio)
		say(q->verdict,
		    "%s can be given to userspace: it is a mediated device, which QEMU takes as -device vfio-pci,sysfsdev=/sys/bus/mdev/devices/%s",
		    q->device->name, q->device->name);
	else
		say(q->verdict,
		    "%s cannot be given to userspace yet: it is a mediated device without its VFIO driver",
		    q->device->name);
	if (!q->device->vfio && exists("%s/bus/mdev/drivers/vfio_mdev",
				       q->machine->sysfs))
		add_command(&q->verdict->change,
			    "echo %s > /sys/bus/mdev/drivers/vfio_mdev/bind",
			    quoted(q->device->name));
}

static void why_vfs(const struct question *q)
{
	say(q->verdict,
	    "%s cannot be given to userspace: its virtual functions are on (%d of them), and vfio-pci then refuses it; write 0 to its sriov_numvfs first",
	    q->device->name, q->device->nvfs);
	commands_to_give(q);
}

static void why_unsafe(const struct question *q)
{
	say(q->verdict,
	    "%s cannot be given to userspace: interrupts are not remapped here, so that a device could send any, and vfio refuses that unless its parameter allow_unsafe_interrupts is set",
	    q->device->name);
	commands_to_give(q);
}

/* Without an IOMMU, VFIO asks nobody, and nobody knows. */
static void why_noiommu(const struct question *q)
{
	say(q->verdict,
	    "%s can be given to userspace, but without an IOMMU: its user can reach all memory, nothing isolates it, and nobody keeps track of who has it",
	    q->device->name);
	q->verdict->possible = true;
}

/* Returns whether something else than the drivers of the group was said. */
bool why_not_yet(const struct question *q)
{
	const struct device *device = q->device;

	if (q->group->noiommu)
		why_noiommu(q);
	else if (is_mdev(device))
		why_mdev(q);
	else if (!vfio_driver(device->bus) && !device->vfio)
		say(q->verdict,
		    "%s is not a PCI device, and VFIO has no driver for its bus, %s",
		    device->name, device->bus);
	else if (device->nvfs && !device->vfio)
		why_vfs(q);
	else if (interrupts_are_unsafe(q->machine) &&
		 !count_blocking(q->machine, q->group))
		why_unsafe(q);
	else
		return false;
	return true;
}
