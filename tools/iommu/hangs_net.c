// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the machine reached through a network interface of the device? Either it
 * has an address or a route itself, or a bridge, a bond or a VLAN over it has.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "iommu-groups.h"

#define IFF_UP		1
#define MAX_DEPTH	8

/* How much depends on it */
enum use {
	USE_NONE,
	USE_ADDRESS,
	USE_DEFAULT_ROUTE,
};

/* A line of a file in /proc/net about an interface */
typedef enum use (*line_use)(const char *line, const char *name);

static enum use ipv4_use(const char *line, const char *name)
{
	unsigned int destination, mask;
	char iface[NAME_LEN];

	if (sscanf(line, "%63s %x %*s %*s %*s %*s %*s %x", iface, &destination,
		   &mask) != 3 || strcmp(iface, name))
		return USE_NONE;
	return destination || mask ? USE_ADDRESS : USE_DEFAULT_ROUTE;
}

static enum use ipv6_use(const char *line, const char *name)
{
	unsigned int length;
	char iface[NAME_LEN];

	if (sscanf(line, "%*s %x %*s %*s %*s %*s %*s %*s %*s %63s", &length,
		   iface) != 2 || strcmp(iface, name))
		return USE_NONE;
	return length ? USE_NONE : USE_DEFAULT_ROUTE;
}

/* An address of the link alone is what every interface has. */
static enum use inet6_use(const char *line, const char *name)
{
	unsigned int scope;
	char iface[NAME_LEN];

	if (sscanf(line, "%*s %*s %*s %x %*s %63s", &scope, iface) != 2 ||
	    strcmp(iface, name))
		return USE_NONE;
	return scope ? USE_NONE : USE_ADDRESS;
}

static enum use use_by_file(const struct machine *machine, const char *file,
			    line_use use_of, const char *name)
{
	char path[PATH_MAX], line[512];
	enum use use, most = USE_NONE;
	FILE *lines;

	make_path(path, "%s/net/%s", machine->proc, file);
	lines = fopen(path, "re");
	if (!lines)
		return USE_NONE;
	while (fgets(line, sizeof(line), lines)) {
		use = use_of(line, name);
		if (use > most)
			most = use;
	}
	fclose(lines);
	return most;
}

static enum use use_of_interface(const struct machine *machine, const char *name)
{
	enum use route = use_by_file(machine, "route", ipv4_use, name);
	enum use route6 = use_by_file(machine, "ipv6_route", ipv6_use, name);
	enum use address = use_by_file(machine, "if_inet6", inet6_use, name);

	if (route == USE_DEFAULT_ROUTE || route6 == USE_DEFAULT_ROUTE)
		return USE_DEFAULT_ROUTE;
	return route > address ? route : address;
}

struct search {
	const struct machine *machine;
	const struct device *device;
	struct warnings *warnings;
	char user[NAME_LEN];	/* the interface that has the address */
	enum use use;
	int depth;
};

static bool look_at_upper(const char *folder, const char *name, void *data);

/* Finds what most depends on: the interface itself, or one over it. */
static void look_at_interface(struct search *search, const char *name)
{
	enum use use = use_of_interface(search->machine, name);

	if (use > search->use) {
		search->use = use;
		snprintf(search->user, NAME_LEN, "%.*s", NAME_LEN - 1, name);
	}
	if (search->depth++ < MAX_DEPTH)
		walk_folder(look_at_upper, search, "%s/class/net/%s",
			    search->machine->sysfs, name);
	search->depth--;
}

static bool look_at_upper(const char *folder, const char *name, void *data)
{
	(void)folder;
	if (!strncmp(name, "upper_", 6))
		look_at_interface(data, name + 6);
	return true;
}

static void warn_interface(struct search *search, const char *name)
{
	const char *what = search->use == USE_DEFAULT_ROUTE ?
			   "has the default route" : "is up and has an address";

	if (search->use == USE_NONE)
		return;
	if (!strcmp(name, search->user))
		warn(search->warnings, search->device->name,
		     "its network interface %s %s", name, what);
	else
		warn(search->warnings, search->device->name,
		     "its network interface %s carries %s, which %s", name,
		     search->user, what);
}

static bool take_interface(const char *folder, const char *name, void *data)
{
	struct search *search = data;
	char path[PATH_MAX], flags[16], *real;

	make_path(path, "%s/%s", folder, name);
	real = realpath(path, NULL);
	search->use = USE_NONE;
	if (real && is_below(real, search->device->path) &&
	    read_value(flags, sizeof(flags), "%s/flags", real) &&
	    strtoul(flags, NULL, 16) & IFF_UP) {
		look_at_interface(search, name);
		warn_interface(search, name);
	}
	free(real);
	return true;
}

void what_is_up(const struct machine *machine, const struct device *device,
		struct warnings *warnings)
{
	struct search search = { machine, device, warnings, "", USE_NONE, 0 };

	if (machine->proc)
		walk_folder(take_interface, &search, "%s/class/net",
			    machine->sysfs);
}
