// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "sysfs.h"

/*
 * Write @value to the sysfs file @path in one go. Returns 0 or what open() or
 * write() failed with.
 */
int sysfs_write(const char *path, const char *value)
{
	size_t len = strlen(value);
	int fd, ret;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = all_of(write(fd, value, len), len);
	close(fd);
	return ret;
}

/*
 * Last component of the symlink @path into @name, which is cut at @len.
 * -ENOENT where there is no such link.
 */
int sysfs_link(const char *path, char *name, size_t len)
{
	char target[PATH_MAX];
	ssize_t n;

	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	snprintf(name, len, "%s", basename(target));
	return 0;
}
