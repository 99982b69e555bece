// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says in one sentence why a device can or cannot be given to userspace, and
 * the commands that would change that.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "iommu-groups.h"

void say(struct verdict *verdict, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(verdict->sentence, sizeof(verdict->sentence), fmt, args);
	va_end(args);
}

/* Of the others in the way, the first */
static const struct device *first_other(const struct question *q)
{
	const struct device *one, *end = q->group->devices + q->group->ndevices;

	for (one = q->group->devices; one < end; one++)
		if (one != q->device && device_blocks(q->machine, q->group, one))
			return one;
	return NULL;
}

/* Once the drivers are gone, a holder would be in the way. */
static void mention_holders(const struct question *q)
{
	const struct holder *holder = NULL;
	char text[COMMAND_LEN];

	while ((holder = next_holder(q->machine, q->group->id, holder))) {
		add_text(q->verdict->sentence, ", and %s holds group %d open",
			 holder->task, q->group->id);
		how_to_end(q->machine, holder->pid, text, sizeof(text));
		add_command(&q->verdict->change, "%s", text);
	}
}

/* The devices whose drivers are in the way, the device itself last */
static void why_blocked(const struct question *q, int blocking)
{
	const struct device *named = first_other(q);
	char more[48] = "";

	if (!named)
		named = q->device;
	if (blocking > 1)
		snprintf(more, sizeof(more), ", and so %s %d more",
			 blocking == 2 ? "is" : "are", blocking - 1);
	say(q->verdict, "%s cannot be given to userspace: %s%s %s %s%s",
	    q->device->name, named == q->device ? "it" : named->name,
	    named == q->device ? "" : " of its group",
	    named->claim == CLAIM_SVA ? "works on the memory of a process for" :
	    "is in kernel use by", named->driver, more);
	commands_to_give(q);
	mention_holders(q);
}

/* Kernel drivers are kept away as well, which matters to a device without. */
static const char *private_refusal(const struct device *device)
{
	return device->driver[0] ? "cannot be given to userspace" :
	       "can neither be given to userspace nor have a driver that uses the DMA API";
}

/* The devices that are attached to the private domain, the device itself last */
static void why_private(const struct question *q)
{
	const struct device *attached = attached_device(q->machine, q->group);
	int count = count_blocking(q->machine, q->group);
	char more[32] = "";

	if (!attached) {
		say(q->verdict,
		    "%s %s: group %d is on a domain of %s; run as root to see which devices are attached to it",
		    q->device->name, private_refusal(q->device), q->group->id,
		    domain_driver(q->machine, q->group));
		return;
	}
	if (count > 1)
		snprintf(more, sizeof(more), " and %d more", count - 1);
	say(q->verdict, "%s %s: group %d is on a domain of %s (%s%s)",
	    q->device->name, private_refusal(q->device), q->group->id,
	    domain_driver(q->machine, q->group), attached->name, more);
	commands_to_give(q);
}

/* Only root can see which of the drivers it is. */
static void why_in_use(const struct question *q)
{
	say(q->verdict,
	    "%s cannot be given to userspace: %d of the devices of group %d %s in kernel use; run as root to see which",
	    q->device->name, q->group->count, q->group->id,
	    q->group->count == 1 ? "is" : "are");
}

/* The driver of its physical function wants a secret from whoever opens it. */
static void mention_token(const struct question *q)
{
	char driver[NAME_LEN];

	if (q->device->pf[0] &&
	    read_link(driver, "%s/physfn/driver", q->device->path) &&
	    driver_is_vfio(driver))
		add_text(q->verdict->sentence, "; its user needs the VF token of the user of %s",
			 q->device->pf);
}

/* Nothing is in the way, as far as this kernel tells. */
static void why_possible(const struct question *q)
{
	say(q->verdict,
	    "%s can be given to userspace: it is bound to %s, and nothing in group %d is in kernel use",
	    q->device->name, q->device->driver, q->group->id);
	if (q->group->direct && !q->machine->proc)
		add_text(q->verdict->sentence,
			 "; the firmware reserves memory for the group, and from Linux 6.6 on that is refused");
	mention_token(q);
	if (q->group->owner == OWNER_UNKNOWN && !q->machine->proc)
		add_text(q->verdict->sentence,
			 "; whether a process has it already, this kernel does not tell");
	else if (q->group->owner == OWNER_UNKNOWN && !q->machine->all_seen)
		add_text(q->verdict->sentence, "; whether a process has it already, %s",
			 geteuid() ? "only root can see" :
			 "cannot be seen from here, as within a container");
	else if (q->group->owner == OWNER_UNKNOWN &&
		 count_holders(q->machine, -1))
		add_text(q->verdict->sentence, "; perhaps %s has it, which has some device open",
			 next_holder(q->machine, -1, NULL)->task);
	q->verdict->possible = true;
}

/* The group is free; is the device with a VFIO driver? */
static void why_unbound(const struct question *q)
{
	const struct device *device = q->device;
	const char *driver = vfio_driver(device->bus);

	if (device->driver[0])
		say(q->verdict,
		    "%s cannot be given to userspace yet: it is bound to %s, not to %s",
		    device->name, device->driver, driver);
	else
		say(q->verdict,
		    "%s cannot be given to userspace yet: it is not bound to %s",
		    device->name, driver);
	commands_to_give(q);
	commands_back(q);
}

static void why_in_group(const struct question *q)
{
	int blocking = count_blocking(q->machine, q->group);

	if (why_never(q) || why_owned(q))
		return;
	if (q->group->owner == OWNER_PRIVATE)
		why_private(q);
	else if (why_not_yet(q))
		return;
	else if (blocking)
		why_blocked(q, blocking);
	else if (q->group->owner == OWNER_KERNEL)
		why_in_use(q);
	else if (!q->device->vfio)
		why_unbound(q);
	else
		why_possible(q);
}

/* A device that VFIO gives without an IOMMU, if asked to */
static void why_no_iommu(const struct question *q)
{
	say(q->verdict,
	    "%s cannot be given to userspace: no IOMMU is in use; switch it on in the firmware, and boot with intel_iommu=on if it is Intel's",
	    q->device->name);
	if (!noiommu_is_on(q->machine))
		return;
	add_text(q->verdict->sentence,
		 "; vfio is set to give devices without one, and then nothing isolates them");
	bind_to_vfio(q->machine, q->device, &q->verdict->change);
}

static void why_no_group(const struct question *q)
{
	const struct device *device = q->device;

	if (device->behind[0]) {
		why_never(q);
	} else if (!iommu_is_active(q->machine)) {
		why_no_iommu(q);
	} else if (device->bridge) {
		why_never(q);
	} else if (device->driver[0]) {
		say(q->verdict,
		    "%s cannot be given to userspace: the IOMMU does not translate for it",
		    device->name);
	} else {
		say(q->verdict,
		    "%s cannot be given to userspace yet: it is in no group before its first driver comes",
		    device->name);
		bind_to_vfio(q->machine, device, &q->verdict->change);
	}
}

static void why_absent(const char *name, struct verdict *verdict)
{
	say(verdict, "%s is not there: no PCI device has this address now",
	    name);
	add_command(&verdict->change, "echo 1 > /sys/bus/pci/rescan");
}

/* A PCI device that is in no group */
static void why_alone(const struct machine *machine, const char *name,
		      struct verdict *verdict)
{
	struct group none = { .id = -1, .count = -1 };
	struct question q = { machine, &none, NULL, verdict };
	char folder[PATH_MAX];
	struct device device;

	make_path(folder, "%s/bus/pci/devices", machine->sysfs);
	read_device(&device, machine, folder, name);
	q.device = &device;
	why_no_group(&q);
	free_device(&device);
}

/*
 * Fills in the verdict for a device. Returns 0; -ENOENT where there is no such
 * device, with a verdict; -EINVAL where there cannot be one.
 */
int why(const struct machine *machine, const char *name, struct verdict *verdict)
{
	struct question q = { machine, NULL, NULL, verdict };

	memset(verdict, 0, sizeof(*verdict));
	if (!full_name(machine, verdict->device, name))
		return -EINVAL;
	q.group = find_group(machine, verdict->device);
	if (q.group) {
		q.device = find_device(q.group, verdict->device);
		why_in_group(&q);
		return 0;
	}
	if (exists("%s/bus/pci/devices/%s", machine->sysfs, verdict->device)) {
		why_alone(machine, verdict->device, verdict);
		return 0;
	}
	why_absent(verdict->device, verdict);
	return -ENOENT;
}
