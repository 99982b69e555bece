// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which processes have a group open? Where the kernel tells who claimed it, the
 * descriptor can have been inherited, or sent to another process, since then.
 * Elsewhere nothing else tells.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "iommu-groups.h"

/* What /proc shows for the descriptor of a device that VFIO gave */
#define VFIO_DEVICE	"anon_inode:[vfio-device]"

/* The PID namespace that has every process; the kernel fixes its number. */
#define INITIAL_NAMESPACE	"pid:[4026531836]"

/* The number in "vfio12" or "noiommu-3"; -1 if there is none */
static int number_after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(text, prefix, length))
		return -1;
	text += length;
	if (!*text || text[strspn(text, "0123456789")])
		return -1;
	return atoi(text);
}

/*
 * Processes choose their own names. What could end a word or a line, or is no
 * character everywhere, is written in octal, as the kernel does it in its table.
 */
void escape_name(char *to, size_t size, const char *name, size_t length)
{
	size_t i, n = 0;

	to[0] = '\0';
	for (i = 0; i < length && n + 5 <= size; i++)
		n += sprintf(to + n, isgraph((unsigned char)name[i]) &&
			     !strchr("\"\\", name[i]) ? "%c" : "\\%03o",
			     (unsigned char)name[i]);
}

static void read_name(char *name, size_t size, const char *proc, int pid)
{
	char path[PATH_MAX], raw[32];
	FILE *file;
	size_t n;

	make_path(path, "%s/%d/comm", proc, pid);
	file = fopen(path, "re");
	n = file ? fread(raw, 1, sizeof(raw), file) : 0;
	if (file)
		fclose(file);
	if (n && raw[n - 1] == '\n')
		n--;
	escape_name(name, size, raw, n);
}

/* The group of the device called @name, -1 if it is in none */
static int group_of_device(const struct machine *machine, const char *name)
{
	const struct group *group = find_group(machine, name);

	return group ? group->id : -1;
}

/* The group of what "/dev/vfio/devices/vfioN" opens */
static int group_of_cdev(const struct machine *machine, const char *node)
{
	char name[NAME_LEN];

	if (!read_link(name, "%s/class/vfio-dev/%s/device", machine->sysfs, node))
		return -1;
	return group_of_device(machine, name);
}

/* The group by the name that a file in /dev/vfio has, -1 if it is no such name */
static int group_of_node(const struct machine *machine, const char *node)
{
	int id;

	if (number_after(node, "vfio") >= 0)
		return group_of_cdev(machine, node);
	id = number_after(node, "noiommu-");
	return id >= 0 ? id : number_after(node, "");
}

struct node_search {
	const struct machine *machine;
	dev_t dev;
	int group;
};

static bool match_node(const char *folder, const char *node, void *data)
{
	struct node_search *search = data;
	unsigned int major, minor;
	char value[32];

	if (!read_value(value, sizeof(value), "%s/%s/dev", folder, node) ||
	    sscanf(value, "%u:%u", &major, &minor) != 2 ||
	    makedev(major, minor) != search->dev)
		return true;
	search->group = group_of_node(search->machine, node);
	return false;
}

static bool has_nodes(const struct machine *machine)
{
	return exists("%s/class/vfio", machine->sysfs) ||
	       exists("%s/class/vfio-dev", machine->sysfs);
}

/* Which one of VFIO's files is this, whatever it is called, as in a container? */
static int group_of_dev(const struct machine *machine, dev_t dev)
{
	struct node_search search = { machine, dev, -1 };

	walk_folder(match_node, &search, "%s/class/vfio", machine->sysfs);
	if (search.group < 0)
		walk_folder(match_node, &search, "%s/class/vfio-dev",
			    machine->sysfs);
	return search.group;
}

/* The same by the name, where the file itself cannot be looked at */
static int group_of_path(const struct machine *machine, const char *path)
{
	const char *end = strrchr(path, '/');
	const char *folder = strstr(path, "/vfio/");

	return end && folder ? group_of_node(machine, end + 1) : -1;
}

/* On the newest kernels a device's descriptor tells which one it is. */
static int group_of_descriptor(const struct machine *machine, const char *pid,
			       const char *fd)
{
	static const char key[] = "vfio-device-syspath:";
	char path[PATH_MAX], line[PATH_MAX + 32];
	int group = -1;
	FILE *file;

	make_path(path, "%s/%s/fdinfo/%s", machine->proc, pid, fd);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (group < 0 && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, key, strlen(key)) && strchr(line, '/'))
			group = group_of_device(machine, strrchr(line, '/') + 1);
	}
	fclose(file);
	return group;
}

static void add_holder(struct machine *machine, int pid, int group)
{
	char name[TASK_LEN - 13];
	struct holder *holder;
	int i;

	for (i = 0; i < machine->nholders; i++) {
		holder = &machine->holders[i];
		if (holder->pid == pid && holder->group == group)
			return;
	}
	machine->holders = grow(machine->holders, machine->nholders,
				sizeof(struct holder));
	holder = &machine->holders[machine->nholders++];
	memset(holder, 0, sizeof(*holder));
	holder->pid = pid;
	holder->group = group;
	read_name(name, sizeof(name), machine->proc, pid);
	snprintf(holder->task, TASK_LEN, "%s[%d]", name, pid);
}

struct scan {
	struct machine *machine;
	const char *pid;
};

/* One descriptor. A file is looked at only if it is VFIO's: others may hang. */
static bool take_descriptor(const char *folder, const char *fd, void *data)
{
	struct scan *scan = data;
	char path[PATH_MAX], target[PATH_MAX];
	struct stat stat_buf;
	int group = -1;
	ssize_t n;

	make_path(path, "%s/%s", folder, fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (!strcmp(target, VFIO_DEVICE)) {
		group = group_of_descriptor(scan->machine, scan->pid, fd);
		add_holder(scan->machine, atoi(scan->pid), group);
		return true;
	}
	if (!strstr(target, "vfio"))
		return true;
	if (stat(path, &stat_buf) || !has_nodes(scan->machine))
		group = group_of_path(scan->machine, target);
	else if (S_ISCHR(stat_buf.st_mode))
		group = group_of_dev(scan->machine, stat_buf.st_rdev);
	if (group >= 0)
		add_holder(scan->machine, atoi(scan->pid), group);
	return true;
}

static bool take_process(const char *folder, const char *pid, void *data)
{
	struct machine *machine = data;
	struct scan scan = { machine, pid };
	char path[PATH_MAX];
	DIR *dir;

	if (number_after(pid, "") < 0)
		return true;
	make_path(path, "%s/%s/fd", folder, pid);
	dir = opendir(path);
	if (dir)
		closedir(dir);
	else if (errno == EACCES)
		machine->all_seen = false;
	walk_folder(take_descriptor, &scan, "%s", path);
	return true;
}

static int by_pid(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* From within a container, the processes of the host cannot be seen. */
static bool is_whole(const char *proc)
{
	char namespace[NAME_LEN];

	return !read_link(namespace, "%s/self/ns/pid", proc) ||
	       !strcmp(namespace, INITIAL_NAMESPACE);
}

void find_holders(struct machine *machine)
{
	if (!machine->proc || !exists("%s", machine->proc))
		return;
	machine->all_seen = is_whole(machine->proc);
	walk_folder(take_process, machine, "%s", machine->proc);
	if (machine->nholders)
		qsort(machine->holders, machine->nholders,
		      sizeof(struct holder), by_pid);
}

/*
 * The next one that has @group after @last, which is NULL at first. -1 is for
 * those that have a device of which nothing tells the group.
 */
const struct holder *next_holder(const struct machine *machine, int group,
				 const struct holder *last)
{
	const struct holder *end = machine->holders + machine->nholders;
	const struct holder *holder = last ? last + 1 : machine->holders;

	for (; holder < end; holder++)
		if (holder->group == group)
			return holder;
	return NULL;
}

int count_holders(const struct machine *machine, int group)
{
	const struct holder *holder = NULL;
	int count = 0;

	while ((holder = next_holder(machine, group, holder)))
		count++;
	return count;
}

/* A device that is mapped stays open without a descriptor. */
static bool maps_device(const struct machine *machine, int pid)
{
	char path[PATH_MAX], line[PATH_MAX + 128];
	bool found = false;
	FILE *maps;

	make_path(path, "%s/%d/maps", machine->proc, pid);
	maps = fopen(path, "re");
	if (!maps)
		return false;
	while (!found && fgets(line, sizeof(line), maps))
		found = !!strstr(line, VFIO_DEVICE);
	fclose(maps);
	return found;
}

/* Has the process the group now, or a device that may be of it? */
bool process_holds(const struct machine *machine, int pid, int group)
{
	int i;

	for (i = 0; i < machine->nholders; i++)
		if (machine->holders[i].pid == pid &&
		    (machine->holders[i].group == group ||
		     machine->holders[i].group < 0))
			return true;
	return machine->proc && maps_device(machine, pid);
}
