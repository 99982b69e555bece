// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says in one sentence why a device can or cannot be given to userspace, and
 * the commands that would change that.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "iommu-groups.h"

__printf(2, 3) static void say(struct verdict *verdict, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(verdict->sentence, sizeof(verdict->sentence), fmt, args);
	va_end(args);
}

__printf(2, 3) static void command(struct verdict *verdict, const char *fmt, ...)
{
	va_list args;

	if (verdict->ncommands == MAX_COMMANDS)
		return;
	va_start(args, fmt);
	vsnprintf(verdict->commands[verdict->ncommands++], SENTENCE_LEN, fmt,
		  args);
	va_end(args);
}

/* From whatever driver a PCI device has to vfio-pci */
static void commands_to_vfio(const struct machine *machine,
			     const char *name, const char *driver,
			     struct verdict *verdict)
{
	if (!exists("%s/bus/pci/drivers/vfio-pci", machine->sysfs))
		command(verdict, "modprobe vfio-pci");
	if (driver[0])
		command(verdict, "echo %s > /sys/bus/pci/devices/%s/driver/unbind",
			name, name);
	command(verdict, "echo vfio-pci > /sys/bus/pci/devices/%s/driver_override",
		name);
	command(verdict, "echo %s > /sys/bus/pci/drivers_probe", name);
}

/* The process in "vfioctl[214]" */
static int task_pid(const char *task)
{
	const char *bracket = strrchr(task, '[');
	int pid = 0;

	if (!bracket || sscanf(bracket, "[%d]", &pid) != 1)
		return 0;
	return pid;
}

/*
 * The process that claimed the group has exited, and its number may be that of
 * another one now. Who has the group open instead, and how to end that?
 */
static void owner_exited(const struct machine *machine,
			 const struct group *group, char *who, size_t size,
			 struct verdict *verdict)
{
	struct holder holders[MAX_HOLDERS];
	size_t len;
	int i, count;

	len = snprintf(who, size, "%s, which claimed the group, has exited; ",
		       group->task);
	count = find_holders(machine, group->id, holders, MAX_HOLDERS);
	for (i = 0; i < count; i++)
		command(verdict, "kill %d", holders[i].pid);
	if (count == 1) {
		snprintf(who + len, size - len, "%s", holders[0].task);
		return;
	}
	if (count) {
		snprintf(who + len, size - len, "%s together with %d more",
			 holders[0].task, count - 1);
		return;
	}
	count = find_vfio_users(machine, holders, MAX_HOLDERS);
	if (count == 1) {
		snprintf(who + len, size - len,
			 "a process with a device of it, perhaps %s,",
			 holders[0].task);
		return;
	}
	snprintf(who + len, size - len, "a process with a device of it");
	command(verdict, "find /proc/[0-9]*/fd -lname 'anon_inode:.vfio-device.'");
}

static void why_owned(const struct machine *machine, const struct group *group,
		      const struct device *device, struct verdict *verdict)
{
	char who[3 * TASK_LEN] = "a process";

	if (group->exited)
		owner_exited(machine, group, who, sizeof(who), verdict);
	else if (group->task[0])
		snprintf(who, sizeof(who), "%s", group->task);
	if (driver_is_vfio(device->driver))
		say(verdict, "%s is given to userspace already: %s owns group %d",
		    device->name, who, group->id);
	else
		say(verdict,
		    "%s cannot be given to userspace anew: %s owns group %d, and can have this device as well once it is bound to vfio-pci",
		    device->name, who, group->id);
	/* 0 is a process that cannot be seen from here, as in a container. */
	if (!group->exited && task_pid(group->task) > 0)
		command(verdict, "kill %d", task_pid(group->task));
}

/* Unbinds drivers in the way, but not @device's. Returns the first device. */
static const struct device *unbind_others(const struct group *group,
					  const struct device *device,
					  struct verdict *verdict)
{
	const struct device *one, *first = NULL;
	int i;

	for (i = 0; i < group->ndevices; i++) {
		one = &group->devices[i];
		if (one == device || !device_blocks(group, one))
			continue;
		if (!first)
			first = one;
		if (one->driver[0])
			command(verdict, "echo %s > /sys/bus/%s/devices/%s/driver/unbind",
				one->name, one->pci ? "pci" : "platform",
				one->name);
	}
	return first;
}

/* The devices whose drivers are in the way, @device itself last */
static void why_blocked(const struct machine *machine,
			const struct group *group, const struct device *device,
			int blocking, struct verdict *verdict)
{
	const struct device *named = unbind_others(group, device, verdict);
	char more[48] = "";

	if (!named)
		named = device;
	if (blocking > 1)
		snprintf(more, sizeof(more), ", and so %s %d more",
			 blocking == 2 ? "is" : "are", blocking - 1);
	say(verdict, "%s cannot be given to userspace: %s%s %s %s%s",
	    device->name, named == device ? "it" : named->name,
	    named == device ? "" : " of its group",
	    named->claim == CLAIM_SVA ? "works on the memory of a process for" :
	    "is in kernel use by", named->driver, more);
	if (!driver_is_vfio(device->driver))
		commands_to_vfio(machine, device->name, device->driver, verdict);
}

/* Kernel drivers are kept away as well, which matters to a device without. */
static const char *private_refusal(const struct device *device)
{
	return device->driver[0] ? "cannot be given to userspace" :
	       "can neither be given to userspace nor have a driver that uses the DMA API";
}

/* The devices that are attached to the private domain, @device itself last */
static void why_private(const struct machine *machine,
			const struct group *group, const struct device *device,
			struct verdict *verdict)
{
	const struct device *attached = attached_device(group);
	int count = count_blocking(group);
	char more[32] = "";

	if (!attached) {
		say(verdict,
		    "%s %s: group %d is on a domain of %s; run as root to see which devices are attached to it",
		    device->name, private_refusal(device), group->id,
		    domain_driver(group));
		return;
	}
	if (count > 1)
		snprintf(more, sizeof(more), " and %d more", count - 1);
	say(verdict, "%s %s: group %d is on a domain of %s (%s%s)",
	    device->name, private_refusal(device), group->id,
	    domain_driver(group), attached->name, more);
	unbind_others(group, device->pci ? device : NULL, verdict);
	if (device->pci && !driver_is_vfio(device->driver))
		commands_to_vfio(machine, device->name, device->driver, verdict);
}

/* Only root can see which of the drivers it is. */
static void why_in_use(const struct group *group, const struct device *device,
		       struct verdict *verdict)
{
	say(verdict,
	    "%s cannot be given to userspace: %d of the devices of group %d %s in kernel use; run as root to see which",
	    device->name, group->count, group->id,
	    group->count == 1 ? "is" : "are");
}

/* Nothing is in the way, as far as this kernel tells. */
static void why_possible(const struct group *group, const struct device *device,
			 struct verdict *verdict)
{
	say(verdict,
	    "%s can be given to userspace: it is bound to %s, and nothing in group %d is in kernel use%s",
	    device->name, device->driver, group->id,
	    group->owner == OWNER_UNKNOWN ?
	    "; whether a process has it already, this kernel does not tell" : "");
	verdict->possible = true;
}

/* The group is free; is the device with a VFIO driver? */
static void why_unbound(const struct machine *machine,
			const struct device *device, struct verdict *verdict)
{
	if (device->driver[0])
		say(verdict,
		    "%s cannot be given to userspace yet: it is bound to %s, not to vfio-pci",
		    device->name, device->driver);
	else
		say(verdict, "%s cannot be given to userspace yet: it is not bound to vfio-pci",
		    device->name);
	commands_to_vfio(machine, device->name, device->driver, verdict);
}

static void why_in_group(const struct machine *machine,
			 const struct group *group, const struct device *device,
			 struct verdict *verdict)
{
	int blocking = count_blocking(group);

	if (group->owner == OWNER_USER) {
		why_owned(machine, group, device, verdict);
	} else if (device->bridge) {
		say(verdict,
		    "%s is a bridge, and stays with the kernel: only what is behind it can be given to userspace",
		    device->name);
	} else if (group->owner == OWNER_PRIVATE) {
		why_private(machine, group, device, verdict);
	} else if (!device->pci) {
		say(verdict,
		    "%s is not a PCI device: see the documentation of vfio-platform, vfio-amba, vfio-fsl-mc or vfio_mdev",
		    device->name);
		verdict->possible = driver_is_vfio(device->driver) && !blocking;
	} else if (blocking) {
		why_blocked(machine, group, device, blocking, verdict);
	} else if (group->owner == OWNER_KERNEL) {
		why_in_use(group, device, verdict);
	} else if (group->direct && exists("%s/class/iommu/dmar0", machine->sysfs)) {
		say(verdict,
		    "%s cannot be given to userspace: the firmware reserves memory for its group, and Intel's IOMMU driver then refuses (RMRR)",
		    device->name);
	} else if (!driver_is_vfio(device->driver)) {
		why_unbound(machine, device, verdict);
	} else {
		why_possible(group, device, verdict);
	}
}

static void why_no_group(const struct machine *machine, const char *name,
			 struct verdict *verdict)
{
	char driver[NAME_LEN] = "";

	if (!iommu_is_active(machine)) {
		say(verdict,
		    "%s cannot be given to userspace: no IOMMU is in use; switch it on in the firmware, and boot with intel_iommu=on if it is Intel's",
		    name);
		return;
	}
	if (exists("%s/bus/pci/devices/%s/driver", machine->sysfs, name)) {
		say(verdict, "%s cannot be given to userspace: the IOMMU does not translate for it",
		    name);
		return;
	}
	say(verdict,
	    "%s cannot be given to userspace yet: it is in no group before its first driver comes",
	    name);
	commands_to_vfio(machine, name, driver, verdict);
}

static void why_absent(const char *name, struct verdict *verdict)
{
	say(verdict, "%s is not there: no PCI device has this address now",
	    name);
	command(verdict, "echo 1 > /sys/bus/pci/rescan");
}

/*
 * "02:01.0" is short for "0000:02:01.0". Returns whether it is an address at
 * all; a device of another bus is called by its name.
 */
static bool full_name(char *full, const char *name)
{
	unsigned int domain = 0, bus, slot, function;
	int end = 0;

	if (sscanf(name, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function,
		   &end) != 4)
		domain = 0;
	if (!end && sscanf(name, "%x:%x.%x%n", &bus, &slot, &function,
			   &end) != 3)
		end = 0;
	snprintf(full, NAME_LEN, "%.*s", NAME_LEN - 1, name);
	if (!end || name[end] || bus > 0xff || slot > 0x1f || function > 7)
		return false;
	snprintf(full, NAME_LEN, "%04x:%02x:%02x.%x", domain, bus, slot,
		 function);
	return true;
}

/*
 * Fills in the verdict for a device. Returns 0; -ENOENT where there is no such
 * device, with a verdict; -EINVAL where there cannot be one.
 */
int why(const struct machine *machine, const char *name, struct verdict *verdict)
{
	const struct group *group;
	char full[NAME_LEN];
	bool address;

	memset(verdict, 0, sizeof(*verdict));
	address = full_name(full, name);
	group = find_group(machine, full);
	if (group) {
		why_in_group(machine, group, find_device(group, full), verdict);
		return 0;
	}
	if (exists("%s/bus/pci/devices/%s", machine->sysfs, full)) {
		why_no_group(machine, full, verdict);
		return 0;
	}
	if (!address)
		return -EINVAL;
	why_absent(full, verdict);
	return -ENOENT;
}
