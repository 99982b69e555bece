// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the machine: sysfs for everybody, debugfs and /proc for root.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "iommu-groups.h"

#define NOIOMMU		"vfio-noiommu"

const char *owner_name(enum owner owner)
{
	static const char * const names[] = {
		[OWNER_UNKNOWN] = "unknown",
		[OWNER_NONE] = "none",
		[OWNER_KERNEL] = "kernel",
		[OWNER_PRIVATE] = "private",
		[OWNER_USER] = "user",
	};

	return names[owner];
}

enum owner parse_owner(const char *name)
{
	enum owner owner;

	for (owner = OWNER_USER; owner > OWNER_UNKNOWN; owner--)
		if (!strcmp(name, owner_name(owner)))
			break;
	return owner;
}

static int by_name(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_number(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

struct reading {
	struct machine *machine;
	struct group *group;
};

static bool add_device(const char *folder, const char *name, void *data)
{
	struct reading *reading = data;
	struct group *group = reading->group;

	group->devices = grow(group->devices, group->ndevices,
			      sizeof(struct device));
	read_device(&group->devices[group->ndevices++], reading->machine, folder,
		    name);
	return true;
}

static bool wants_direct_map(const char *folder)
{
	char path[PATH_MAX], line[128];
	bool found = false;
	FILE *regions;

	make_path(path, "%s/reserved_regions", folder);
	regions = fopen(path, "re");
	if (!regions)
		return false;
	while (fgets(line, sizeof(line), regions))
		if (strstr(line, " direct\n"))
			found = true;
	fclose(regions);
	return found;
}

static void read_group(struct machine *machine, struct group *group,
		       const char *folder)
{
	struct reading reading = { machine, group };
	char value[NAME_LEN];

	group->count = -1;
	read_value(group->name, sizeof(group->name), "%s/name", folder);
	group->noiommu = !strcmp(group->name, NOIOMMU);
	read_value(group->type, sizeof(group->type), "%s/type", folder);
	if (read_value(value, sizeof(value), "%s/dma_owner", folder))
		group->owner = parse_owner(value);
	if (read_value(value, sizeof(value), "%s/dma_owner_count", folder))
		group->count = atoi(value);
	group->direct = wants_direct_map(folder);
	walk_folder(add_device, &reading, "%s/devices", folder);
	qsort(group->devices, group->ndevices, sizeof(struct device), by_name);
}

static bool add_group(const char *folder, const char *name, void *data)
{
	struct machine *machine = data;
	char path[PATH_MAX];
	struct group *group;

	machine->groups = grow(machine->groups, machine->ngroups,
			       sizeof(struct group));
	group = &machine->groups[machine->ngroups++];
	memset(group, 0, sizeof(*group));
	group->id = atoi(name);
	make_path(path, "%s/%s", folder, name);
	read_group(machine, group, path);
	machine->owners |= group->owner != OWNER_UNKNOWN;
	return true;
}

/*
 * Reads all groups. @proc is that of the same machine, or NULL. Returns 0 or
 * -errno.
 */
int machine_read(struct machine *machine, const char *sysfs, const char *proc)
{
	char path[PATH_MAX];
	DIR *dir;

	memset(machine, 0, sizeof(*machine));
	machine->sysfs = sysfs;
	machine->proc = proc;
	make_path(path, "%s/kernel/iommu_groups", sysfs);
	dir = opendir(path);
	if (!dir)
		return -errno;
	closedir(dir);
	walk_folder(add_group, machine, "%s", path);
	qsort(machine->groups, machine->ngroups, sizeof(struct group), by_number);
	read_table(machine);
	find_holders(machine);
	return 0;
}

void machine_free(struct machine *machine)
{
	int i, j;

	for (i = 0; i < machine->ngroups; i++) {
		for (j = 0; j < machine->groups[i].ndevices; j++)
			free_device(&machine->groups[i].devices[j]);
		free(machine->groups[i].devices);
	}
	free(machine->groups);
	free(machine->holders);
}

const struct group *group_by_id(const struct machine *machine, int id)
{
	int i;

	for (i = 0; i < machine->ngroups; i++)
		if (machine->groups[i].id == id)
			return &machine->groups[i];
	return NULL;
}

const struct device *find_device(const struct group *group, const char *name)
{
	int i;

	for (i = 0; i < group->ndevices; i++)
		if (!strcmp(group->devices[i].name, name))
			return &group->devices[i];
	return NULL;
}

/* The group of a device; NULL if it is in none. */
const struct group *find_group(const struct machine *machine, const char *name)
{
	int i;

	for (i = 0; i < machine->ngroups; i++)
		if (find_device(&machine->groups[i], name))
			return &machine->groups[i];
	return NULL;
}
