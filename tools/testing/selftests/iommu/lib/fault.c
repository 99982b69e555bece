// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fault.h"
#include "libvfio.h"

#define DEBUGFS		"/sys/kernel/debug"

static const char * const settings[][2] = {
	{ DEBUGFS "/failslab/ignore-gfp-wait", "N" },
	{ DEBUGFS "/failslab/verbose", "0" },
	{ DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUGFS "/fail_page_alloc/min-order", "0" },
	{ DEBUGFS "/fail_page_alloc/verbose", "0" },
	{ NULL },
};

/* A descriptor with which this task's allocations can be made to fail. */
int fault_open(void)
{
	int i, fd, ret = 0;

	for (i = 0; !ret && settings[i][0]; i++)
		ret = sysfs_write(settings[i][0], settings[i][1]);
	if (ret)
		return ret;
	fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* From now on, the @nth allocation of this task fails; 0 for none. */
int fault_arm(int fd, unsigned int nth)
{
	char text[16];
	int len;

	len = snprintf(text, sizeof(text), "%u", nth);
	return pwrite(fd, text, len, 0) == len ? 0 : -errno;
}

/* No more faults. 1 if there was one since fault_arm(), 0 if not. */
int fault_disarm(int fd)
{
	char text[16] = "";
	int ret;

	ret = pread(fd, text, sizeof(text) - 1, 0) > 0 ? !atoi(text) : -errno;
	return fault_arm(fd, 0) ? -EIO : ret;
}
