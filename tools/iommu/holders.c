// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which processes have a group open? The kernel knows who claimed it; a group
 * descriptor can be inherited, or sent to another process, and outlive that one.
 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iommu-groups.h"

/* What /proc shows for the descriptor of a device that VFIO gave */
#define VFIO_DEVICE	"anon_inode:[vfio-device]"

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

static void read_name(char *name, size_t size, int pid)
{
	char path[64], raw[32];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	n = file ? fread(raw, 1, sizeof(raw), file) : 0;
	if (file)
		fclose(file);
	if (n && raw[n - 1] == '\n')
		n--;
	escape_name(name, size, raw, n);
}

/* Has the process this open, by the name that /proc has for it? */
static bool has_open(const char *pid, const char *wanted)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, target,
			       sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		found = !strcmp(target, wanted);
	}
	closedir(dir);
	return found;
}

static int find_processes(const char *wanted, struct holder *holders, int max)
{
	char name[TASK_LEN - 13];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return 0;
	while (count < max && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !has_open(entry->d_name, wanted))
			continue;
		holders[count].pid = atoi(entry->d_name);
		read_name(name, sizeof(name), holders[count].pid);
		snprintf(holders[count].task, TASK_LEN, "%s[%d]", name,
			 holders[count].pid);
		count++;
	}
	closedir(dir);
	return count;
}

/* A copy of sysfs tells of another machine than /proc does. */
static bool is_this_machine(const struct machine *machine)
{
	return !strcmp(machine->sysfs, "/sys");
}

/* The processes that have the group itself open, @max at most. */
int find_holders(const struct machine *machine, int group,
		 struct holder *holders, int max)
{
	char path[32];

	if (!is_this_machine(machine))
		return 0;
	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	return find_processes(path, holders, max);
}

/* Those that have a device open through VFIO; of which group is not told. */
int find_vfio_users(const struct machine *machine, struct holder *holders,
		    int max)
{
	if (!is_this_machine(machine))
		return 0;
	return find_processes(VFIO_DEVICE, holders, max);
}
