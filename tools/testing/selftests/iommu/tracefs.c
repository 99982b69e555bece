// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tracefs.h"
#include "vfio_utils.h"

/* Where tracefs is mounted: by itself, or by debugfs. */
static const char *tracefs(void)
{
	return access("/sys/kernel/tracing/trace", F_OK) ?
	       "/sys/kernel/debug/tracing" : "/sys/kernel/tracing";
}

static int event_write(const char *event, const char *file, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/events/%s/%s", tracefs(), event, file);
	return sysfs_write(path, value);
}

/* Forget what was recorded. */
static int trace_clear(void)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/trace", tracefs());
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Record @event ("iommu/dma_owner_set") from now on, where @filter is true. */
int trace_start(const char *event, const char *filter)
{
	int ret;

	ret = trace_clear();
	if (!ret)
		ret = event_write(event, "filter", filter);
	return ret ? ret : event_write(event, "enable", "1");
}

int trace_stop(const char *event)
{
	int ret;

	ret = event_write(event, "enable", "0");
	return ret ? ret : event_write(event, "filter", "0");
}

/* How many recorded events end in @text? */
int trace_count(const char *text)
{
	char path[PATH_MAX], line[512];
	size_t length;
	int count = 0;
	FILE *trace;

	snprintf(path, sizeof(path), "%s/trace", tracefs());
	trace = fopen(path, "re");
	if (!trace)
		return -errno;
	while (fgets(line, sizeof(line), trace)) {
		line[strcspn(line, "\n")] = '\0';
		length = strlen(line);
		if (length >= strlen(text) &&
		    !strcmp(line + length - strlen(text), text))
			count++;
	}
	fclose(trace);
	return count;
}
