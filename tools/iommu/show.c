// SPDX-License-Identifier: GPL-2.0-only
/*
 * The groups as a tree, for people.
 */
#include <string.h>
#include <unistd.h>

#include "iommu-groups.h"

#define RESET	"\033[0m"
#define BOLD	"\033[1m"
#define DIM	"\033[2m"
#define GREEN	"\033[32m"
#define YELLOW	"\033[33m"
#define CYAN	"\033[36m"

/* What comes before a name, and the columns of class and ID */
#define BRANCH_WIDTH	5
#define CLASS_WIDTH	18
#define ID_WIDTH	9
#define DRIVER_WIDTH	12

/* How wide the columns are on this machine */
static struct {
	int group;
	int name;
	bool narrow;	/* there is no room for all of them */
} columns;

struct line {
	char text[SENTENCE_LEN];
};

/* The processes that have the group open, @before them if there are any */
static void add_holders(struct line *line, const char *before,
			const struct machine *machine, const struct group *group)
{
	int count = count_holders(machine, group->id);

	if (!count)
		return;
	add_text(line->text, "%s%s", before, next_holder(machine, group->id, NULL)->task);
	if (count > 1)
		add_text(line->text, " and %d more", count - 1);
}

struct word {
	const char *colour;
	const char *text;
};

/* Without the kernel's record: what the drivers and /proc show, if all of it */
static struct word guess_owner(const struct machine *machine,
			       const struct group *group)
{
	if (count_holders(machine, group->id))
		return (struct word){ BOLD YELLOW, "userspace" };
	if (!machine->all_seen)
		return (struct word){ DIM, "owner not told" };
	if (count_blocking(machine, group))
		return (struct word){ GREEN, "kernel" };
	return (struct word){ CYAN, "free" };
}

static struct word owner_word(const struct machine *machine,
			      const struct group *group)
{
	if (group->noiommu)
		return (struct word){ BOLD YELLOW, "no IOMMU" };
	switch (group->owner) {
	case OWNER_USER:
		return (struct word){ BOLD YELLOW, "userspace" };
	case OWNER_KERNEL:
	case OWNER_PRIVATE:
		return (struct word){ GREEN, "kernel" };
	case OWNER_NONE:
		return (struct word){ CYAN, "free" };
	case OWNER_UNKNOWN:
		break;
	}
	return guess_owner(machine, group);
}

static void add_owner(struct line *line, const struct machine *machine,
		      const struct group *group)
{
	if (group->name[0] && !group->noiommu)
		add_text(line->text, ", named %s", group->name);
	if (group->owner == OWNER_PRIVATE)
		add_text(line->text, ", a domain of %s", domain_driver(machine, group));
	else if (group->owner == OWNER_USER && group->task[0])
		add_text(line->text, ": %s%s", group->task,
			 group->exited ? ", which has exited" : "");
	if (group->owner != OWNER_USER)
		add_holders(line, ", held open by ", machine, group);
	else if (group->exited)
		add_holders(line, ", now held open by ", machine, group);
	else if (!group->task[0])
		add_holders(line, ": held open by ", machine, group);
}

/* What the group is attached to, where that is not the usual thing */
static void add_domain(struct line *line, const struct group *group)
{
	if (group->owner == OWNER_PRIVATE)
		return;
	if (!strcmp(group->domain, "blocking"))
		add_text(line->text, ", DMA is blocked");
	else if (!strcmp(group->domain, "unmanaged"))
		add_text(line->text, group->owner == OWNER_USER ?
			 ", DMA to the user's mappings" : ", a driver's own mappings");
	else if (!strcmp(group->domain, "identity") ||
		 (!group->domain[0] && group->owner != OWNER_USER &&
		  !strcmp(group->type, "identity")))
		add_text(line->text, ", DMA is not translated");
}

static const char *driver_colour(const struct machine *machine,
				 const struct group *group,
				 const struct device *device)
{
	if (!device->driver[0])
		return DIM;
	if (device_blocks(machine, group, device))
		return GREEN;
	return device->vfio ? YELLOW : "";
}

/* Text in a colour, which takes no room, and blanks up to @width */
static void put_column(const char *code, const char *text, int width)
{
	int length = strlen(text);

	fputs(colour(code), stdout);
	put_plain(stdout, text, length);
	fputs(*code ? colour(RESET) : "", stdout);
	printf("%*s", length < width ? width - length : 0, "");
}

/* What kind of device it is, if that is told */
static const char *kind_of(const struct device *device)
{
	if (!device->pci)
		return is_mdev(device) ? "mediated device" : "not PCI";
	if (!device->described)
		return "PCI device";
	return class_name(device->class);
}

static void put_wide(const struct device *device, const char *driver,
		     const char *code)
{
	char id[NAME_LEN] = "";

	if (device->described)
		snprintf(id, sizeof(id), "%04x:%04x", device->vendor,
			 device->id);
	printf("  ");
	put_column("", kind_of(device), CLASS_WIDTH);
	putchar(' ');
	put_column(DIM, id, ID_WIDTH);
	printf("  ");
	put_column(code, driver, 0);
}

/* How many characters of the text fit, without half a word */
static int whole_words(const char *text, int room)
{
	int length = strlen(text);

	while (length > room) {
		length--;
		while (length > 0 && text[length] != ' ')
			length--;
	}
	return length;
}

/* The driver is what matters; of the class as much as there is room for. */
static void put_narrow(const struct device *device, const char *driver,
		       const char *code)
{
	int column = BRANCH_WIDTH + columns.name;
	int length, width = terminal_width(stdout);

	if (column + 2 + (int)strlen(driver) > width) {
		printf("\n%*s", BRANCH_WIDTH, "");
		column = BRANCH_WIDTH;
	} else {
		column += printf("  ");
	}
	length = strlen(driver) < DRIVER_WIDTH ? DRIVER_WIDTH : strlen(driver);
	column += length + 2;
	put_column(code, driver, column < width ? length + 2 : 0);
	length = whole_words(kind_of(device), width - column);
	if (length > 0)
		printf("%.*s", length, kind_of(device));
}

static void show_device(const struct machine *machine, const struct group *group,
			const struct device *device, bool last)
{
	const char *driver = device->driver[0] ? device->driver : "-";
	const char *code = driver_colour(machine, group, device);
	const char *branch = last ? "`-" : "|-";

	if (can_draw())
		branch = last ? "└─" : "├─";
	printf("  %s%s%s ", colour(DIM), branch, colour(RESET));
	put_column("", device->name, columns.name);
	if (columns.narrow)
		put_narrow(device, driver, code);
	else
		put_wide(device, driver, code);
	putchar('\n');
}

static void show_group(const struct machine *machine, const struct group *group)
{
	const int indent = sizeof("Group ") + columns.group;
	struct word owner = owner_word(machine, group);
	struct line line = { "" };
	int i;

	printf("%sGroup %-*d%s ", colour(BOLD), columns.group, group->id,
	       colour(RESET));
	put_column(owner.colour, owner.text, 0);
	add_owner(&line, machine, group);
	add_domain(&line, group);
	print_wrapped(stdout, line.text, indent, indent + strlen(owner.text));
	if (!group->ndevices)
		printf("  %s(no devices)%s\n", colour(DIM), colour(RESET));
	for (i = 0; i < group->ndevices; i++)
		show_device(machine, group, &group->devices[i],
			    i == group->ndevices - 1);
}

static void measure(const struct machine *machine)
{
	const struct group *group, *end = machine->groups + machine->ngroups;
	int i, length, width = terminal_width(stdout);

	columns.group = 3;
	columns.name = 12;
	for (group = machine->groups; group < end; group++) {
		length = snprintf(NULL, 0, "%d", group->id);
		if (length > columns.group)
			columns.group = length;
		for (i = 0; i < group->ndevices; i++) {
			length = strlen(group->devices[i].name);
			if (length > columns.name)
				columns.name = length;
		}
	}
	columns.narrow = width && width < BRANCH_WIDTH + columns.name + 2 +
			 CLASS_WIDTH + 1 + ID_WIDTH + 2 + DRIVER_WIDTH;
}

static int count_word(const struct machine *machine, const char *text)
{
	int i, count = 0;

	for (i = 0; i < machine->ngroups; i++)
		count += !strcmp(owner_word(machine, &machine->groups[i]).text,
				 text);
	return count;
}

static void show_totals(const struct machine *machine)
{
	int without = count_word(machine, "no IOMMU");
	bool known = machine->owners || machine->all_seen;
	struct line line = { "" };

	add_text(line.text, "%d group%s", machine->ngroups,
		 machine->ngroups == 1 ? "" : "s");
	if (known)
		add_text(line.text, ": %d in userspace, %d in kernel use, %d free",
			 count_word(machine, "userspace"),
			 count_word(machine, "kernel"), count_word(machine, "free"));
	if (without)
		add_text(line.text, "%s %d without IOMMU", known ? "," : ":", without);
	print_wrapped(stdout, line.text, 0, 0);
}

void show_machine(const struct machine *machine)
{
	int i;

	measure(machine);
	for (i = 0; i < machine->ngroups; i++)
		show_group(machine, &machine->groups[i]);
	show_totals(machine);
}

/* Why there is no table, as root */
static const char *missing_table(const struct machine *machine)
{
	if (!exists("%s/kernel/debug/tracing", machine->sysfs) &&
	    !exists("%s/kernel/debug/bdi", machine->sysfs) &&
	    !exists("%s/kernel/debug/iommu", machine->sysfs))
		return "to see who the owners are: mount -t debugfs none /sys/kernel/debug";
	if (!exists("%s/kernel/debug/iommu/groups", machine->sysfs))
		return "who the owners are is not told: the kernel has no CONFIG_IOMMU_DEBUGFS";
	return "who the owners are cannot be read in debugfs: is the kernel locked down?";
}

/* What a kernel without owners does not show */
static const char *missing_owners(const struct machine *machine)
{
	if (machine->all_seen)
		return "this kernel does not tell who owns a group; drivers and /proc do, as shown";
	if (machine->proc && geteuid())
		return "this kernel does not tell who owns a group; root sees who has one open";
	if (machine->proc)
		return "this kernel does not tell owners, and not all processes can be seen";
	return "this kernel does not tell who owns a group";
}

/* What could not be found out, and how it could; NULL if there is nothing */
static const char *missing(const struct machine *machine)
{
	if (!machine->ngroups && iommu_is_active(machine))
		return "no device is in a group; on some machines its first driver brings it";
	if (!machine->ngroups)
		return "no IOMMU is in use: is it on in the firmware, and on the command line?";
	if (!machine->owners)
		return missing_owners(machine);
	if (machine->table)
		return NULL;
	if (geteuid())
		return "root sees more: who the owners are, and what their groups are attached to";
	return missing_table(machine);
}

/* It goes beside the output, so that programs need not mind it. */
void show_missing(const struct machine *machine)
{
	const char *text = missing(machine);

	flush_output();
	if (text)
		complain("note: %s", text);
}
