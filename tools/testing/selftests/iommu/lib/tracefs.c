// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tracefs.h"
#include "libvfio.h"

static const char * const events[] = {
	"dma_owner_set",
	"dma_owner_release",
	"dma_owner_refused",
	NULL
};

static const char * const attaches[] = { "attach_device_to_domain", NULL };
static const char * const maps[] = { "map", NULL };

/* Where tracefs is mounted: by itself, or by debugfs. */
static const char *tracefs(void)
{
	return access("/sys/kernel/tracing/trace", F_OK) ?
	       "/sys/kernel/debug/tracing" : "/sys/kernel/tracing";
}

static int event_write(const char *event, const char *file, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/events/iommu/%s/%s", tracefs(), event,
		 file);
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

static int events_start(const char * const *event, const char *filter)
{
	int ret;

	ret = trace_clear();
	for (; !ret && *event; event++) {
		ret = event_write(*event, "filter", filter);
		if (!ret)
			ret = event_write(*event, "enable", "1");
	}
	return ret;
}

static int events_stop(const char * const *event)
{
	int ret = 0;

	for (; !ret && *event; event++) {
		ret = event_write(*event, "enable", "0");
		if (!ret)
			ret = event_write(*event, "filter", "0");
	}
	return ret;
}

/* Record what happens from now on, where @filter ("gid == 5") is true. */
int trace_start(const char *filter)
{
	return events_start(events, filter);
}

int trace_stop(void)
{
	return events_stop(events);
}

/* The same of each domain that a device is attached to. */
int trace_attaches_start(const char *bdf)
{
	char filter[64];

	snprintf(filter, sizeof(filter), "device == \"%s\"", bdf);
	return events_start(attaches, filter);
}

int trace_attaches_stop(void)
{
	return events_stop(attaches);
}

/* The same of each domain that gets a mapping at @iova. */
int trace_maps_start(__u64 iova)
{
	char filter[64];

	snprintf(filter, sizeof(filter), "iova == 0x%llx",
		 (unsigned long long)iova);
	return events_start(maps, filter);
}

int trace_maps_stop(void)
{
	return events_stop(maps);
}

/*
 * Stamp events with @clock ("counter" puts the events of all CPUs in one order),
 * and keep as many as fit into @kilobytes for each CPU. Forgets what was
 * recorded.
 */
int trace_keep(const char *clock, int kilobytes)
{
	char path[PATH_MAX], size[16];
	int ret;

	snprintf(path, sizeof(path), "%s/trace_clock", tracefs());
	ret = sysfs_write(path, clock);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/buffer_size_kb", tracefs());
	snprintf(size, sizeof(size), "%d", kilobytes);
	return sysfs_write(path, size);
}

/* Were there more events than are kept? */
static bool overwritten(const char *header)
{
	unsigned long kept, written;

	return sscanf(header, "# entries-in-buffer/entries-written: %lu/%lu",
		      &kept, &written) == 2 && kept < written;
}

/* Visit each recorded event, oldest first. -ENOBUFS if some are lost. */
int trace_for_each(void (*visit)(void *data, const char *line), void *data)
{
	char path[PATH_MAX], line[512];
	FILE *trace;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/trace", tracefs());
	trace = fopen(path, "re");
	if (!trace)
		return -errno;
	while (!ret && fgets(line, sizeof(line), trace)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '#')
			visit(data, line);
		else if (overwritten(line))
			ret = -ENOBUFS;
	}
	fclose(trace);
	return ret;
}

struct ending {
	const char *text;
	int count;
};

static void count_ending(void *data, const char *line)
{
	struct ending *ending = data;
	size_t length = strlen(line), end = strlen(ending->text);

	if (length >= end && !strcmp(line + length - end, ending->text))
		ending->count++;
}

/* How many recorded events end in @text? */
int trace_count(const char *text)
{
	struct ending ending = { .text = text };
	int ret;

	ret = trace_for_each(count_ending, &ending);
	return ret ? ret : ending.count;
}
