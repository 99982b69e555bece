// SPDX-License-Identifier: GPL-2.0-only
/*
 * What hangs on a device that is in kernel use: what ends, or what nobody can
 * see or type any more, when it loses its driver.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "iommu-groups.h"

/* The keys from Escape to D: only a keyboard has them all. */
#define KEYBOARD_KEYS	0xfffffffeUL

void warn(struct warnings *warnings, const char *device, const char *fmt, ...)
{
	struct warning *warning = &warnings->list[warnings->count];
	va_list args;

	if (warnings->count == MAX_WARNINGS)
		return;
	snprintf(warning->device, sizeof(warning->device), "%s", device);
	va_start(args, fmt);
	vsnprintf(warning->text, sizeof(warning->text), fmt, args);
	va_end(args);
	warnings->count++;
}

/* Is this in the folder, at any depth? Both are real paths. */
bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return length && !strncmp(path, folder, length) && path[length] == '/';
}

static bool take_name(const char *folder, const char *name, void *data)
{
	(void)folder;
	snprintf(data, NAME_LEN, "%.*s", NAME_LEN - 1, name);
	return false;
}

/* A connector of a graphics card: is a picture on it? */
static bool is_lit(const char *folder, const char *name, void *data)
{
	char value[16];

	if (read_value(value, sizeof(value), "%s/%s/enabled", folder, name) &&
	    !strcmp(value, "enabled"))
		*(bool *)data = true;
	return !*(bool *)data;
}

static bool look_at_card(const char *folder, const char *name, void *data)
{
	walk_folder(is_lit, data, "%s/%s", folder, name);
	return !*(bool *)data;
}

static void what_is_on_screen(const struct device *device,
			      struct warnings *warnings)
{
	char framebuffer[NAME_LEN] = "", first[8];
	bool lit = false;

	walk_folder(take_name, framebuffer, "%s/graphics", device->path);
	walk_folder(look_at_card, &lit, "%s/drm", device->path);
	read_value(first, sizeof(first), "%s/boot_vga", device->path);
	if (framebuffer[0])
		warn(warnings, device->name, "the console is on its screen (%s)",
		     framebuffer);
	else if (lit)
		warn(warnings, device->name, "a screen shows its picture");
	else if (first[0] == '1')
		warn(warnings, device->name,
		     "it is the graphics card that the machine started with");
}

/* Has the last word of "B: KEY=..." the keys of a keyboard? */
static bool has_keyboard_keys(const char *line)
{
	const char *word = strrchr(line, ' ');

	if (strncmp(line, "B: KEY=", 7) || !word)
		return false;
	return (strtoul(word, NULL, 16) & KEYBOARD_KEYS) == KEYBOARD_KEYS;
}

/* /proc has a paragraph for each input device; its path is without /sys. */
static void what_is_typed_on(const struct machine *machine,
			     const struct device *device,
			     struct warnings *warnings)
{
	char path[PATH_MAX], line[1024], input[PATH_MAX] = "";
	const char *folder = strstr(device->path, "/devices/");
	FILE *devices;

	if (!machine->proc || !folder)
		return;
	make_path(path, "%s/bus/input/devices", machine->proc);
	devices = fopen(path, "re");
	if (!devices)
		return;
	while (fgets(line, sizeof(line), devices)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "S: Sysfs=", 9))
			snprintf(input, sizeof(input), "%s", line + 9);
		if (has_keyboard_keys(line) && is_below(input, folder)) {
			warn(warnings, device->name, "a keyboard is on it");
			break;
		}
	}
	fclose(devices);
}

struct list {
	char text[COMMAND_LEN / 2];
	int count;
};

/* The first three names, and how many more */
static void add_name(struct list *list, const char *name)
{
	if (list->count++ < 3)
		add_text(list->text, "%s%s", list->text[0] ? ", " : "", name);
}

static const char *rest_of(const struct list *list)
{
	static char text[32];

	snprintf(text, sizeof(text), " and %d more", list->count - 3);
	return list->count > 3 ? text : "";
}

struct behind_search {
	const struct machine *machine;
	const char *name;
	struct list list;
};

static bool add_behind(const char *folder, const char *name, void *data)
{
	struct behind_search *search = data;
	char text[2 * NAME_LEN];
	struct device device;

	read_device(&device, search->machine, folder, name);
	if (!strcmp(device.behind, search->name) && !device.bridge) {
		snprintf(text, sizeof(text), "%s (%s)", device.name,
			 class_name(device.class));
		add_name(&search->list, text);
	}
	free_device(&device);
	return true;
}

/* A device that makes a bus of its own, as VMD, takes along what is on it. */
static void what_is_behind(const struct machine *machine,
			   const struct device *device, struct warnings *warnings)
{
	struct behind_search search = { machine, device->name, { .count = 0 } };

	walk_folder(add_behind, &search, "%s/bus/pci/devices", machine->sysfs);
	if (search.list.count)
		warn(warnings, device->name, "these are behind it and vanish: %s%s",
		     search.list.text, rest_of(&search.list));
}

static bool add_vf(const char *folder, const char *name, void *data)
{
	char vf[NAME_LEN];

	if (!strncmp(name, "virtfn", 6) && read_link(vf, "%s/%s", folder, name))
		add_name(data, vf);
	return true;
}

static void what_is_virtual(const struct device *device,
			    struct warnings *warnings)
{
	struct list list = { .count = 0 };

	walk_folder(add_vf, &list, "%s", device->path);
	if (list.count)
		warn(warnings, device->name, "its virtual functions vanish: %s%s",
		     list.text, rest_of(&list));
}

void what_hangs(const struct machine *machine, const struct device *device,
		struct warnings *warnings)
{
	int i;

	for (i = 0; i < warnings->count; i++)
		if (!strcmp(warnings->list[i].device, device->name))
			return;
	if (device->nvfs)
		what_is_virtual(device, warnings);
	if (!device->driver[0] || !device->path[0])
		return;
	what_is_mounted(machine, device, warnings);
	what_is_up(machine, device, warnings);
	what_is_on_screen(device, warnings);
	what_is_typed_on(machine, device, warnings);
	if (device->pci)
		what_is_behind(machine, device, warnings);
}
