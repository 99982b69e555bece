// SPDX-License-Identifier: GPL-2.0-only
/*
 * The groups as a tree, for people.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iommu-groups.h"

#define RESET	"\033[0m"
#define BOLD	"\033[1m"
#define DIM	"\033[2m"
#define GREEN	"\033[32m"
#define YELLOW	"\033[33m"
#define CYAN	"\033[36m"

bool colourful(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && term &&
	       strcmp(term, "dumb");
}

static const char *colour(const char *code)
{
	return colourful() ? code : "";
}

/* May lines be drawn? A pipe gets what any program can read. */
static bool can_draw(void)
{
	const char *locale = getenv("LC_ALL");

	if (!locale || !*locale)
		locale = getenv("LC_CTYPE");
	if (!locale || !*locale)
		locale = getenv("LANG");
	return isatty(STDOUT_FILENO) && locale &&
	       (strstr(locale, "UTF-8") || strstr(locale, "utf8"));
}

static void show_owner(const struct group *group)
{
	switch (group->owner) {
	case OWNER_USER:
		printf("%suserspace%s", colour(BOLD YELLOW), colour(RESET));
		if (group->task[0])
			printf(": %s%s", group->task,
			       group->exited ? ", which has exited" : "");
		break;
	case OWNER_KERNEL:
		printf("%skernel%s", colour(GREEN), colour(RESET));
		break;
	case OWNER_PRIVATE:
		printf("%skernel%s, a domain of %s", colour(GREEN),
		       colour(RESET), domain_driver(group));
		break;
	case OWNER_NONE:
		printf("%sfree%s", colour(CYAN), colour(RESET));
		break;
	case OWNER_UNKNOWN:
		printf("%sowner not told%s", colour(DIM), colour(RESET));
		break;
	}
}

/* What the group is attached to, where that is not the usual thing */
static void show_domain(const struct group *group)
{
	const char *text = NULL;

	if (group->owner == OWNER_PRIVATE)
		return;
	if (!strcmp(group->domain, "blocking"))
		text = "DMA is blocked";
	else if (!strcmp(group->domain, "unmanaged"))
		text = group->owner == OWNER_USER ? "DMA to the user's mappings" :
						    "a driver's own mappings";
	else if (!strcmp(group->domain, "identity") ||
		 (!group->domain[0] && group->owner != OWNER_USER &&
		  !strcmp(group->type, "identity")))
		text = "DMA is not translated";
	if (text)
		printf("%s, %s%s", colour(DIM), text, colour(RESET));
}

static void show_driver(const struct group *group, const struct device *device)
{
	if (!device->driver[0])
		printf("%s-%s", colour(DIM), colour(RESET));
	else if (device_blocks(group, device))
		printf("%s%s%s", colour(GREEN), device->driver, colour(RESET));
	else if (driver_is_vfio(device->driver))
		printf("%s%s%s", colour(YELLOW), device->driver, colour(RESET));
	else
		printf("%s", device->driver);
}

static void show_device(const struct group *group, const struct device *device,
			bool last)
{
	const char *branch = last ? "`-" : "|-";

	if (can_draw())
		branch = last ? "└─" : "├─";
	printf("  %s%s%s %-12s  ", colour(DIM), branch, colour(RESET),
	       device->name);
	if (device->pci)
		printf("%-18s %s%04x:%04x%s  ", class_name(device->class),
		       colour(DIM), device->vendor, device->id, colour(RESET));
	else
		printf("%-18s %9s  ", "not PCI", "");
	show_driver(group, device);
	putchar('\n');
}

static void show_group(const struct group *group)
{
	int i;

	printf("%sGroup %-3d%s ", colour(BOLD), group->id, colour(RESET));
	show_owner(group);
	show_domain(group);
	putchar('\n');
	if (!group->ndevices)
		printf("  %s(no devices)%s\n", colour(DIM), colour(RESET));
	for (i = 0; i < group->ndevices; i++)
		show_device(group, &group->devices[i], i == group->ndevices - 1);
}

static int count_owned(const struct machine *machine, enum owner owner)
{
	int i, count = 0;

	for (i = 0; i < machine->ngroups; i++)
		count += machine->groups[i].owner == owner;
	return count;
}

static void show_totals(const struct machine *machine)
{
	printf("%d group%s", machine->ngroups, machine->ngroups == 1 ? "" : "s");
	if (machine->owners)
		printf(": %d in userspace, %d in kernel use, %d free",
		       count_owned(machine, OWNER_USER),
		       count_owned(machine, OWNER_KERNEL) +
		       count_owned(machine, OWNER_PRIVATE),
		       count_owned(machine, OWNER_NONE));
	putchar('\n');
}

void show_machine(const struct machine *machine)
{
	int i;

	for (i = 0; i < machine->ngroups; i++)
		show_group(&machine->groups[i]);
	show_totals(machine);
}

/* What could not be found out, and how it could; NULL if there is nothing */
static const char *missing(const struct machine *machine)
{
	if (!machine->ngroups && iommu_is_active(machine))
		return "no device is in a group; on some machines its first driver brings it";
	if (!machine->ngroups)
		return "no IOMMU is in use: is it on in the firmware, and on the command line?";
	if (!machine->owners)
		return "this kernel does not tell who owns a group";
	if (machine->table)
		return NULL;
	if (geteuid())
		return "root sees more: who the owners are, and what their groups are attached to";
	if (!exists("%s/kernel/debug/iommu", machine->sysfs))
		return "to see who the owners are: mount -t debugfs none /sys/kernel/debug";
	return NULL;
}

/* It goes beside the output, so that programs need not mind it. */
void show_missing(const struct machine *machine)
{
	const char *text = missing(machine);

	fflush(stdout);
	if (text)
		fprintf(stderr, "note: %s\n", text);
}
