// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the machine: sysfs for everybody, the table in debugfs for root.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kernel.h>

#include "iommu-groups.h"

/* Drivers that hold no claim, for kernels or users that cannot see claims */
static const char * const managed_drivers[] = {
	"fsl-pci", "pci-stub", "pcieport", "vfio-amba", "vfio-fsl-mc",
	"vfio-pci", "vfio-platform", "vfio_mdev",
};

/* A path that is too long is cut, and then not found. */
__printf(2, 3) static void make_path(char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(path, PATH_MAX, fmt, args);
	va_end(args);
}

bool exists(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);

	return !access(path, F_OK);
}

/* Is there an IOMMU that translates? */
bool iommu_is_active(const struct machine *machine)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	make_path(path, "%s/class/iommu", machine->sysfs);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.';
	closedir(dir);
	return found;
}

/* The first line of a file into @value, "" if there is none. */
__printf(3, 4) static bool read_value(char *value, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;
	FILE *file;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);

	value[0] = '\0';
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(value, size, file))
		value[0] = '\0';
	fclose(file);
	value[strcspn(value, "\n")] = '\0';
	return value[0];
}

/* The last component of a link's target into @name, "" if there is none. */
__printf(2, 3) static void read_link(char *name, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	va_list args;
	ssize_t n;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);

	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	last = strrchr(target, '/');
	snprintf(name, NAME_LEN, "%.*s", NAME_LEN - 1, last ? last + 1 : target);
}

static unsigned int read_hex(const char *folder, const char *file)
{
	char value[NAME_LEN];

	if (!read_value(value, sizeof(value), "%s/%s", folder, file))
		return 0;
	return strtoul(value, NULL, 16);
}

bool driver_manages_dma(const char *driver)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(managed_drivers); i++)
		if (!strcmp(driver, managed_drivers[i]))
			return true;
	return false;
}

bool driver_is_vfio(const char *driver)
{
	return !strncmp(driver, "vfio", 4);
}

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

static enum owner parse_owner(const char *name)
{
	enum owner owner;

	for (owner = OWNER_USER; owner > OWNER_UNKNOWN; owner--)
		if (!strcmp(name, owner_name(owner)))
			break;
	return owner;
}

/* Does the device keep its group from userspace? */
bool device_blocks(const struct group *group, const struct device *device)
{
	if (device->claim != CLAIM_UNKNOWN)
		return device->claim != CLAIM_NO;
	if (group->owner == OWNER_NONE || group->owner == OWNER_USER)
		return false;
	if (!device->driver[0] || driver_manages_dma(device->driver))
		return false;
	/* Stock VFIO does not mind the driver of a bridge. */
	return group->owner != OWNER_UNKNOWN || !device->bridge;
}

int count_blocking(const struct group *group)
{
	int i, count = 0;

	for (i = 0; i < group->ndevices; i++)
		count += device_blocks(group, &group->devices[i]);
	return count;
}

/* The first device that may be attached to the private domain; NULL for none */
static const struct device *attached_perhaps(const struct group *group)
{
	const struct device *device, *end = group->devices + group->ndevices;
	const struct device *found = NULL;

	for (device = group->devices; device < end; device++) {
		if (device->claim == CLAIM_PRIVATE)
			return device;
		if (!found && device_blocks(group, device))
			found = device;
	}
	return found;
}

static bool all_have_driver(const struct group *group, const char *driver)
{
	int i;

	for (i = 0; i < group->ndevices; i++)
		if (device_blocks(group, &group->devices[i]) &&
		    strcmp(group->devices[i].driver, driver))
			return false;
	return true;
}

/*
 * The first device that is attached to the private domain. NULL if that is not
 * certain: without the table there may be more drivers than devices attached.
 */
const struct device *attached_device(const struct group *group)
{
	const struct device *device = attached_perhaps(group);

	if (device && device->claim == CLAIM_UNKNOWN &&
	    count_blocking(group) > group->count)
		return NULL;
	return device;
}

/* Whose private domain the group is on, in words */
const char *domain_driver(const struct group *group)
{
	const struct device *device = attached_perhaps(group);
	const char *driver = device ? device->driver : "";

	if (driver[0] &&
	    (attached_device(group) || all_have_driver(group, driver)))
		return driver;
	return "a driver";
}

/*
 * Nothing is read here that waits for the device lock, as driver_override does:
 * who unbinds vfio-pci holds it until the user lets go.
 */
static void read_device(struct device *device, const char *folder,
			const char *name)
{
	char path[PATH_MAX];

	memset(device, 0, sizeof(*device));
	snprintf(device->name, sizeof(device->name), "%.*s", NAME_LEN - 1, name);
	make_path(path, "%s/%s", folder, name);
	read_link(device->driver, "%s/driver", path);
	device->pci = exists("%s/config", path) && exists("%s/class", path);
	device->vendor = read_hex(path, "vendor");
	device->id = read_hex(path, "device");
	device->class = read_hex(path, "class");
	device->bridge = device->pci && device->class >> 16 == 0x06 &&
			 device->class >> 8 != 0x0600;
}

static int by_name(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_number(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->id - y->id;
}

/* One more element at the end of an array; there is no way on without memory. */
void *grow(void *array, int count, size_t size)
{
	array = realloc(array, (count + 1) * size);
	if (!array) {
		perror("iommu-groups");
		exit(EXIT_UNREADABLE);
	}
	return array;
}

static void read_devices(struct group *group, const char *folder)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	make_path(path, "%s/devices", folder);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		group->devices = grow(group->devices, group->ndevices,
				      sizeof(struct device));
		read_device(&group->devices[group->ndevices++], path,
			    entry->d_name);
	}
	closedir(dir);
	qsort(group->devices, group->ndevices, sizeof(struct device), by_name);
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

static void read_group(struct group *group, const char *folder)
{
	char value[NAME_LEN];

	group->count = -1;
	read_value(group->type, sizeof(group->type), "%s/type", folder);
	if (read_value(value, sizeof(value), "%s/dma_owner", folder))
		group->owner = parse_owner(value);
	if (read_value(value, sizeof(value), "%s/dma_owner_count", folder))
		group->count = atoi(value);
	group->direct = wants_direct_map(folder);
	read_devices(group, folder);
}

static struct group *group_by_id(const struct machine *machine, int id)
{
	int i;

	for (i = 0; i < machine->ngroups; i++)
		if (machine->groups[i].id == id)
			return &machine->groups[i];
	return NULL;
}

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
	if (device)
		device->claim = parse_claim(claim);
}

/* Who claimed or attached the group: "cat[214]", "cat[214](exited)", or "-" */
static void take_task(struct group *group, const char *task)
{
	static const char exited[] = "(exited)";
	size_t length = strlen(task);

	if (!strcmp(task, "-"))
		return;
	strcpy(group->task, task);
	if (length < sizeof(exited) ||
	    strcmp(task + length - strlen(exited), exited))
		return;
	group->task[length - strlen(exited)] = '\0';
	group->exited = true;
}

/* Takes from the table in debugfs what sysfs does not tell. */
static void read_table(struct machine *machine)
{
	char path[PATH_MAX], row[512], owner[NAME_LEN], task[TASK_LEN];
	char domain[NAME_LEN];
	struct group *group = NULL;
	FILE *table;
	int id, n;

	make_path(path, "%s/kernel/debug/iommu/groups", machine->sysfs);
	table = fopen(path, "re");
	if (!table)
		return;
	machine->table = fgets(row, sizeof(row), table);
	while (fgets(row, sizeof(row), table)) {
		n = 0;
		if (row[0] != ' ') {
			if (sscanf(row, "%d %63s %95s %63s%n", &id, owner, task,
				   domain, &n) != 4)
				break;
			group = group_by_id(machine, id);
			if (!group)
				continue;
			group->owner = parse_owner(owner);
			take_task(group, task);
			strcpy(group->domain, domain);
		}
		if (group)
			take_device_row(group, row + n);
	}
	fclose(table);
}

/* Reads all groups. Returns 0 or -errno. */
int machine_read(struct machine *machine, const char *sysfs)
{
	char path[PATH_MAX], folder[PATH_MAX];
	struct dirent *entry;
	struct group *group;
	DIR *dir;

	memset(machine, 0, sizeof(*machine));
	machine->sysfs = sysfs;
	make_path(path, "%s/kernel/iommu_groups", sysfs);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		machine->groups = grow(machine->groups, machine->ngroups,
				       sizeof(struct group));
		group = &machine->groups[machine->ngroups++];
		memset(group, 0, sizeof(*group));
		group->id = atoi(entry->d_name);
		make_path(folder, "%s/%s", path, entry->d_name);
		read_group(group, folder);
		machine->owners |= group->owner != OWNER_UNKNOWN;
	}
	closedir(dir);
	qsort(machine->groups, machine->ngroups, sizeof(struct group), by_number);
	read_table(machine);
	return 0;
}

void machine_free(struct machine *machine)
{
	int i;

	for (i = 0; i < machine->ngroups; i++)
		free(machine->groups[i].devices);
	free(machine->groups);
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
