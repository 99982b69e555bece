// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading sysfs and files like it: values, links and folders.
 */
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iommu-groups.h"

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

/* A path that is too long is cut, and then not found. */
void make_path(char *path, const char *fmt, ...)
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

/* The first line of a file into @value, "" if there is none. */
bool read_value(char *value, size_t size, const char *fmt, ...)
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
bool read_link(char *name, const char *fmt, ...)
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
	return name[0];
}

/* Until @each returns false: what is in the folder, without . and .. */
void walk_folder(entry_fn each, void *data, const char *fmt, ...)
{
	char path[PATH_MAX];
	struct dirent *entry;
	va_list args;
	DIR *dir;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);

	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !each(path, entry->d_name, data))
			break;
	closedir(dir);
}

void append(char *text, size_t size, const char *fmt, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + length, size - length, fmt, args);
	va_end(args);
}
