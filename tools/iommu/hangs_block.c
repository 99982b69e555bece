// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which file systems and swap space hang on a device? Between the two can be
 * partitions, md, dm, LVM, and the paths of an NVMe drive.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "iommu-groups.h"

/* Nobody stacks block devices higher. */
#define MAX_DEPTH	16

struct search {
	const struct device *device;
	const char *name;	/* of a device of btrfs */
	int depth;
	bool found;
};

static void look_at_block(struct search *search, const char *path);

static bool look_at_link(const char *folder, const char *name, void *data)
{
	struct search *search = data;
	char path[PATH_MAX];

	make_path(path, "%s/%s", folder, name);
	look_at_block(search, path);
	return !search->found;
}

/* The head of an NVMe drive is in a subsystem, beside links to its controllers. */
static bool look_at_controller(const char *folder, const char *name, void *data)
{
	struct search *search = data;
	char path[PATH_MAX], *real;

	if (strncmp(name, "nvme", 4))
		return true;
	make_path(path, "%s/%s", folder, name);
	real = realpath(path, NULL);
	if (real)
		search->found |= is_below(real, search->device->path);
	free(real);
	return !search->found;
}

/* Sets search->found if the block device is on the device that is looked for. */
static void look_at_block(struct search *search, const char *path)
{
	char *real = realpath(path, NULL), *slash;

	if (!real || search->depth == MAX_DEPTH) {
		free(real);
		return;
	}
	search->depth++;
	search->found |= is_below(real, search->device->path);
	walk_folder(look_at_link, search, "%s/slaves", real);
	/* The whole of a partition, or the subsystem of a drive */
	slash = strrchr(real, '/');
	if (slash && exists("%s/partition", real)) {
		*slash = '\0';
		walk_folder(look_at_link, search, "%s/slaves", real);
		slash = strrchr(real, '/');
	}
	if (slash)
		*slash = '\0';
	if (strstr(real, "/nvme-subsys"))
		walk_folder(look_at_controller, search, "%s", real);
	search->depth--;
	free(real);
}

static bool is_on(const struct device *device, const char *path)
{
	struct search search = { .device = device };

	look_at_block(&search, path);
	return search.found;
}

struct mapping {
	char wanted[NAME_LEN];
	char name[NAME_LEN];
};

/* The kernel's name of "/dev/mapper/root" is that of a dm device. */
static bool match_mapping(const char *folder, const char *name, void *data)
{
	struct mapping *mapping = data;
	char value[NAME_LEN];

	if (!read_value(value, sizeof(value), "%s/%s/dm/name", folder, name) ||
	    strcmp(value, mapping->wanted))
		return true;
	snprintf(mapping->name, NAME_LEN, "%.*s", NAME_LEN - 1, name);
	return false;
}

/* The folder in sysfs of what is called "/dev/..." */
static void path_of_node(const struct machine *machine, char *path,
			 const char *node)
{
	struct mapping mapping;

	snprintf(mapping.wanted, NAME_LEN, "%.*s", NAME_LEN - 1,
		 strrchr(node, '/') + 1);
	copy_text(mapping.name, mapping.wanted);
	if (!strncmp(node, "/dev/mapper/", 12))
		walk_folder(match_mapping, &mapping, "%s/class/block",
			    machine->sysfs);
	make_path(path, "%s/class/block/%s", machine->sysfs, mapping.name);
}

/* btrfs can have several devices, and has a number that is none of theirs. */
static bool look_at_btrfs(const char *folder, const char *uuid, void *data)
{
	struct search *search = data;

	if (exists("%s/%s/devices/%s", folder, uuid, search->name))
		walk_folder(look_at_link, search, "%s/%s/devices", folder, uuid);
	return !search->found;
}

static bool is_mounted_from(const struct machine *machine,
			    const struct device *device, const char *number,
			    const char *source)
{
	struct search search = { .device = device };
	char path[PATH_MAX];

	make_path(path, "%s/dev/block/%s", machine->sysfs, number);
	if (exists("%s", path))
		return is_on(device, path);
	if (strncmp(source, "/dev/", 5))
		return false;
	path_of_node(machine, path, source);
	if (is_on(device, path))
		return true;
	search.name = strrchr(path, '/') + 1;
	walk_folder(look_at_btrfs, &search, "%s/fs/btrfs", machine->sysfs);
	return search.found;
}

/* One line of mountinfo: where, if it is mounted from the device; else "" */
static const char *take_mount(const struct machine *machine,
			      const struct device *device, char *line)
{
	static char where[COMMAND_LEN / 4];
	char number[32], source[PATH_MAX];
	const char *end = strstr(line, " - ");

	if (!end || sscanf(line, "%*s %*s %31s %*s %127s", number, where) != 2 ||
	    sscanf(end, " - %*s %4095s", source) != 1)
		return "";
	return is_mounted_from(machine, device, number, source) ? where : "";
}

/* The first few places, and how many more */
static void warn_mounts(const struct device *device, const char *places,
			int count, struct warnings *warnings)
{
	if (count > 3)
		warn(warnings, device->name, "%s and %d more are mounted from it",
		     places, count - 3);
	else if (count)
		warn(warnings, device->name, "%s %s mounted from it", places,
		     count == 1 ? "is" : "are");
}

static void find_mounts(const struct machine *machine,
			const struct device *device, struct warnings *warnings)
{
	char path[PATH_MAX], line[2 * PATH_MAX], places[COMMAND_LEN / 2] = "";
	const char *where;
	int count = 0;
	FILE *mounts;

	make_path(path, "%s/self/mountinfo", machine->proc);
	mounts = fopen(path, "re");
	if (!mounts)
		return;
	while (fgets(line, sizeof(line), mounts)) {
		where = take_mount(machine, device, line);
		if (where[0] && count++ < 3)
			add_text(places, "%s%s", places[0] ? ", " : "", where);
	}
	fclose(mounts);
	warn_mounts(device, places, count, warnings);
}

static void find_swap(const struct machine *machine, const struct device *device,
		      struct warnings *warnings)
{
	char path[PATH_MAX], line[PATH_MAX], node[PATH_MAX];
	FILE *swaps;

	make_path(path, "%s/swaps", machine->proc);
	swaps = fopen(path, "re");
	if (!swaps)
		return;
	while (fgets(line, sizeof(line), swaps)) {
		if (sscanf(line, "%4095s", node) != 1 || strncmp(node, "/dev/", 5))
			continue;
		path_of_node(machine, path, node);
		if (is_on(device, path))
			warn(warnings, device->name, "%s is swap space on it", node);
	}
	fclose(swaps);
}

void what_is_mounted(const struct machine *machine, const struct device *device,
		     struct warnings *warnings)
{
	if (!machine->proc)
		return;
	find_mounts(machine, device, warnings);
	find_swap(machine, device, warnings);
}
