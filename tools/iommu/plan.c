// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a shell script that makes devices ready for userspace, and that takes
 * it back if it is called with "undo". It is written before anything changes, so
 * it knows the drivers that there were.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "iommu-groups.h"

/* All that is to be done, and what undoes it, in the order of its own */
struct plan {
	const struct machine *machine;
	int count;			/* of the devices that are to be given */
	char (*names)[NAME_LEN];
	struct warnings warnings;
	struct commands steps;
	struct commands undo;
	struct commands nodes;		/* files in /dev/vfio */
};

/* Is it one of the devices that are to be given? */
static bool is_wanted(const struct plan *plan, const char *name)
{
	int i;

	for (i = 0; i < plan->count; i++)
		if (!strcmp(plan->names[i], name))
			return true;
	return false;
}

/* The driver that the device has now gets it again. */
static void undo_driver(struct plan *plan, const struct device *device)
{
	const char *bus = quoted(device->bus), *name = quoted(device->name);

	if (!device->driver[0] || device->vfio)
		return;
	if (strcmp(device->driver, "pci-stub")) {
		add_command(&plan->undo, "echo %s > /sys/bus/%s/drivers/%s/bind",
			    name, bus, quoted(device->driver));
	} else {
		/* It has no devices of its own, but those that are forced on it. */
		add_command(&plan->undo,
			    "echo pci-stub > /sys/bus/pci/devices/%s/driver_override",
			    name);
		add_command(&plan->undo, "echo %s > /sys/bus/pci/drivers_probe",
			    name);
	}
	if (device->nvfs)
		add_command(&plan->undo,
			    "echo %d > /sys/bus/pci/devices/%s/sriov_numvfs",
			    device->nvfs, name);
}

static void undo_vfio(struct plan *plan, const struct device *device)
{
	const char *bus = quoted(device->bus), *name = quoted(device->name);

	if (device->vfio || !vfio_driver(device->bus))
		return;
	add_command(&plan->undo, "echo > /sys/bus/%s/devices/%s/driver_override",
		    bus, name);
	add_command(&plan->undo, "echo %s > /sys/bus/%s/drivers/%s/unbind", name,
		    bus, vfio_driver(device->bus));
}

/* Of a group, the drivers in the way that no device which is given has */
static void undo_others(struct plan *plan, const struct group *group)
{
	const struct device *one, *end = group->devices + group->ndevices;

	for (one = group->devices; one < end; one++)
		if (!is_wanted(plan, one->name) &&
		    !is_wanted(plan, one->behind) &&
		    device_blocks(plan->machine, group, one))
			undo_driver(plan, one);
}

/* Appends what is not there yet. */
static void take_commands(struct commands *to, const struct commands *from)
{
	int i;

	for (i = 0; i < from->count; i++)
		add_command(to, "%s", from->text[i]);
}

static void take_warnings(struct warnings *to, const struct warnings *from)
{
	int i, j;

	for (i = 0; i < from->count; i++) {
		for (j = 0; j < to->count; j++)
			if (!memcmp(&to->list[j], &from->list[i],
				    sizeof(struct warning)))
				break;
		if (j == to->count && j < MAX_WARNINGS)
			to->list[to->count++] = from->list[i];
	}
}

static int refuse(const struct verdict *verdict)
{
	complain("iommu-groups: %s", verdict->sentence);
	complain("iommu-groups: no commands are written for that; see --why %s",
		 verdict->device);
	return EXIT_CANNOT;
}

/* Adds what one device needs. Returns -1, or an exit status. */
static int plan_device(struct plan *plan, const char *name)
{
	static struct verdict verdict;
	const struct group *group;
	int ret;

	ret = why(plan->machine, name, &verdict);
	if (ret == -EINVAL)
		return wrong_name(plan->machine, name);
	group = find_group(plan->machine, verdict.device);
	if (ret || !group || (!verdict.possible && !verdict.changeable) ||
	    count_holders(plan->machine, group->id)) {
		refuse(&verdict);
		return ret ? EXIT_UNREADABLE : EXIT_CANNOT;
	}
	take_warnings(&plan->warnings, &verdict.warnings);
	take_commands(&plan->steps, &verdict.change);
	add_command(&plan->nodes, group->noiommu ? "/dev/vfio/noiommu-%d" :
		    "/dev/vfio/%d", group->id);
	return -1;
}

/*
 * First all of them leave VFIO, then the drivers come back: in a group that is
 * still open, none of them could.
 */
static void plan_undo(struct plan *plan)
{
	const struct group *group;
	int i;

	for (i = 0; i < plan->count; i++) {
		group = find_group(plan->machine, plan->names[i]);
		undo_vfio(plan, find_device(group, plan->names[i]));
	}
	for (i = 0; i < plan->count; i++) {
		group = find_group(plan->machine, plan->names[i]);
		undo_driver(plan, find_device(group, plan->names[i]));
		undo_others(plan, group);
	}
	if (interrupts_are_unsafe(plan->machine))
		add_command(&plan->undo,
			    "echo N > /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
}

__printf(1, 2) static void put_comment(const char *fmt, ...)
{
	char text[2 * COMMAND_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("# ");
	put_plain(stdout, text, strlen(text));
	putchar('\n');
}

static void put_steps(const struct commands *commands, const char *indent)
{
	int i;

	for (i = 0; i < commands->count; i++) {
		fputs(indent, stdout);
		put_plain(stdout, commands->text[i], strlen(commands->text[i]));
		putchar('\n');
	}
}

static void put_head(const struct plan *plan)
{
	int i;

	printf("#!/bin/sh\n");
	put_comment("Makes these devices ready for userspace:");
	for (i = 0; i < plan->count; i++)
		put_comment("  %s", plan->names[i]);
	for (i = 0; i < plan->nodes.count; i++)
		put_comment("A program such as QEMU opens %s then.",
			    plan->nodes.text[i]);
	put_comment("Called with the word undo, as in 'sh FILE undo', it takes that back.");
	for (i = 0; i < plan->warnings.count; i++)
		put_comment("CAREFUL: %s: %s.", plan->warnings.list[i].device,
			    plan->warnings.list[i].text);
}

/* Did the driver take the devices? They are links in its folder then. */
static void put_checks(const struct plan *plan)
{
	const struct device *device;
	int i;

	for (i = 0; i < plan->count; i++) {
		device = find_device(find_group(plan->machine, plan->names[i]),
				     plan->names[i]);
		if (device->vfio)
			continue;
		printf("[ -e /sys/bus/%s/drivers/%s/%s ] || {\n",
		       quoted(device->bus), vfio_driver(device->bus),
		       quoted(device->name));
		printf("  echo %s: %s did not take it, see dmesg >&2\n",
		       quoted(device->name), vfio_driver(device->bus));
		printf("  exit 1\n}\n");
	}
}

static void put_plan(const struct plan *plan)
{
	put_head(plan);
	if (!plan->steps.count) {
		put_comment("Nothing has to be done.");
		return;
	}
	printf("if [ \"$1\" = undo ]; then\n");
	printf("  # Whoever uses a device has to end first: to leave VFIO waits for that.\n");
	put_steps(&plan->undo, "  ");
	printf("  exit\nfi\nset -e\n");
	put_steps(&plan->steps, "");
	put_checks(plan);
}

/* Returns an exit status; what cannot be done is told, and nothing written. */
int plan(const struct machine *machine, int count, char **names)
{
	static struct plan all;
	int i, ret = -1;

	all.machine = machine;
	all.names = calloc(count, NAME_LEN);
	if (!all.names)
		return EXIT_UNREADABLE;
	for (i = 0; i < count; i++)
		if (full_name(machine, all.names[all.count], names[i]) &&
		    !is_wanted(&all, all.names[all.count]))
			all.count++;
	for (i = 0; ret < 0 && i < count; i++)
		ret = plan_device(&all, names[i]);
	if (ret < 0) {
		plan_undo(&all);
		put_plan(&all);
	}
	free(all.names);
	return ret < 0 ? EXIT_FINE : ret;
}
