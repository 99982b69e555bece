// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "owner_table.h"

static const char title[] =
	"group owner   task            domain    device       driver       claim\n";

/* One row of the table: 0, or -EINVAL where it is none. */
static int table_parse_row(struct table_group *group, const char *row)
{
	struct table_dev *dev;

	if (row[0] != ' ') {
		group->ndevs = 0;
		if (sscanf(row, "%d %15s %95s %15s", &group->id, group->owner,
			   group->task, group->domain) != 4)
			return -EINVAL;
	}
	if (group->ndevs == GROUP_MAX_DEVS)
		return -E2BIG;
	dev = &group->devs[group->ndevs++];
	return sscanf(row, row[0] == ' ' ? "%63s %63s %15s" :
		      "%*s %*s %*s %*s %63s %63s %15s", dev->device,
		      dev->driver, dev->claim) == 3 ? 0 : -EINVAL;
}

/* What the table tells about group @id: 0, -ENOENT, or another -errno. */
int table_read(struct table_group *found, int id)
{
	struct table_group group = { .id = -1 };
	char row[512];
	FILE *table;
	int ret = 0;

	found->id = -1;
	table = fopen(OWNER_TABLE, "re");
	if (!table)
		return -errno;
	if (!fgets(row, sizeof(row), table) || strcmp(row, title))
		ret = -EINVAL;
	while (!ret && fgets(row, sizeof(row), table)) {
		ret = table_parse_row(&group, row);
		if (group.id == id)
			*found = group;
	}
	fclose(table);
	if (ret)
		return ret;
	return found->id == id ? 0 : -ENOENT;
}

/* The row of a device, or NULL. */
const struct table_dev *table_find(const struct table_group *group,
				   const char *bdf)
{
	int i;

	for (i = 0; i < group->ndevs; i++) {
		if (!strcmp(group->devs[i].device, bdf))
			return &group->devs[i];
	}
	return NULL;
}

static int count_claims(const struct table_group *group, const char *claim)
{
	int i, n = 0;

	for (i = 0; i < group->ndevs; i++)
		n += !strcmp(group->devs[i].claim, claim);
	return n;
}

/* How many devices have a kernel claim? */
int table_claims(const struct table_group *group)
{
	return count_claims(group, "kernel");
}

/*
 * Which owner the rows tell of if they fit together: 0 for none, 1 for the
 * kernel, 2 for a user, 3 for a private domain; else -EINVAL.
 */
int table_owner(const struct table_group *group)
{
	int attached = count_claims(group, "private");
	bool task = strcmp(group->task, "-");
	int n = table_claims(group);

	/* An attached device may have a claim, which is shown then. */
	if (!strcmp(group->owner, "private"))
		return !task || !(n + attached) ||
		       strcmp(group->domain, "unmanaged") ? -EINVAL : 3;
	if (attached)
		return -EINVAL;
	if (!strcmp(group->owner, "none"))
		return task || n ? -EINVAL : 0;
	if (!strcmp(group->owner, "kernel"))
		return task || !n ? -EINVAL : 1;
	if (!strcmp(group->owner, "user"))
		return !task || n || !strcmp(group->domain, "DMA") ? -EINVAL : 2;
	return -EINVAL;
}
