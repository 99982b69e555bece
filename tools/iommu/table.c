// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes from the table in debugfs what sysfs does not tell.
 */
#include <limits.h>
#include <string.h>

#include "iommu-groups.h"

static enum claim parse_claim(const char *word)
{
	if (!strcmp(word, "private"))
		return CLAIM_PRIVATE;
	if (!strcmp(word, "sva"))
		return CLAIM_SVA;
	return strcmp(word, "kernel") ? CLAIM_NO : CLAIM_YES;
}

/* The last three columns of a row: device, driver, claim */
static void take_device_row(struct group *group, const char *row)
{
	char name[NAME_LEN], driver[NAME_LEN], claim[NAME_LEN];
	struct device *device;

	if (sscanf(row, "%63s %63s %63s", name, driver, claim) != 3)
		return;
	device = (struct device *)find_device(group, name);
	if (!device)
		return;
	device->claim = parse_claim(claim);
	device->changing = !strcmp(driver, "(changing)");
}

/* Who claimed or attached the group: "cat[214]", "cat[214](exited)", or "-" */
static void take_task(struct group *group, const char *task)
{
	static const char exited[] = "(exited)";
	size_t length = strlen(task);

	if (!strcmp(task, "-"))
		return;
	copy_text(group->task, task);
	if (length < sizeof(exited) ||
	    strcmp(task + length - strlen(exited), exited))
		return;
	group->task[length - strlen(exited)] = '\0';
	group->exited = true;
}

/*
 * The first row of a group, which begins with its number. Returns where its
 * first device is, -1 if the row is not one of these.
 */
static int take_group_row(const struct machine *machine, const char *row,
			  struct group **group)
{
	char owner[NAME_LEN], task[TASK_LEN], domain[NAME_LEN];
	int id, n = 0;

	if (sscanf(row, "%d %63s %95s %63s%n", &id, owner, task, domain,
		   &n) != 4)
		return -1;
	*group = (struct group *)group_by_id(machine, id);
	if (*group) {
		(*group)->owner = parse_owner(owner);
		take_task(*group, task);
		copy_text((*group)->domain, domain);
	}
	return n;
}

void read_table(struct machine *machine)
{
	char path[PATH_MAX], row[512];
	struct group *group = NULL;
	FILE *table;
	int n;

	make_path(path, "%s/kernel/debug/iommu/groups", machine->sysfs);
	table = fopen(path, "re");
	if (!table)
		return;
	machine->table = fgets(row, sizeof(row), table);
	while (fgets(row, sizeof(row), table)) {
		n = 0;
		if (row[0] != ' ')
			n = take_group_row(machine, row, &group);
		if (n < 0)
			break;
		if (group)
			take_device_row(group, row + n);
	}
	fclose(table);
}
