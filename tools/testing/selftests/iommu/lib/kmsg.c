// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"
#include "sysfs.h"

#define KMSG_BURST		10
#define KMSG_QUIET_SECONDS	6

/* A descriptor of the kernel log that shows all of it. */
static int kmsg_open_all(void)
{
	int fd;

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A descriptor of the kernel log that shows what is logged from now on. */
int kmsg_open(void)
{
	int fd, ret;

	fd = kmsg_open_all();
	if (fd < 0)
		return fd;
	if (lseek(fd, 0, SEEK_END) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

/*
 * The next record of the log into @record: its length, or 0 at the present end.
 * Records that were overwritten before they were read are passed over.
 */
static ssize_t kmsg_next(int kmsg, char *record, size_t size)
{
	ssize_t n;

	do {
		n = read(kmsg, record, size - 1);
	} while (n < 0 && errno == EPIPE);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	record[n] = '\0';
	return n;
}

/*
 * Read the log to its present end: 1 if a record of it contains @text, else 0.
 * What was read is gone, so look for the earliest line first.
 */
int kmsg_find(int kmsg, const char *text)
{
	char record[8192];
	ssize_t n;

	while ((n = kmsg_next(kmsg, record, sizeof(record))) > 0) {
		if (strstr(record, text))
			return 1;
	}
	return n;
}

/* The same, but give the log some time to say it. */
int kmsg_wait(int kmsg, const char *text, int seconds)
{
	int ret, tries;

	for (tries = 0; tries < seconds * 20; tries++) {
		ret = kmsg_find(kmsg, text);
		if (ret)
			return ret;
		usleep(50000);
	}
	return 0;
}

/*
 * Are fewer than KMSG_BURST of the records that contain @text from the last
 * KMSG_QUIET_SECONDS before the newest record of all? 1, 0 or -errno; 0 also
 * where the log does not reach so far back. A record begins with priority,
 * number and microseconds.
 */
static int kmsg_was_quiet(const char *text)
{
	unsigned long long first = 0, now = 0, last[KMSG_BURST];
	unsigned int count = 0;
	char record[8192];
	ssize_t n;
	int kmsg;

	kmsg = kmsg_open_all();
	if (kmsg < 0)
		return kmsg;
	while ((n = kmsg_next(kmsg, record, sizeof(record))) > 0) {
		if (sscanf(record, "%*u,%*u,%llu", &now) != 1)
			continue;
		if (!first)
			first = now;
		if (strstr(record, text))
			last[count++ % KMSG_BURST] = now;
	}
	close(kmsg);
	if (n < 0)
		return n;
	if (count >= KMSG_BURST)
		first = last[count % KMSG_BURST];
	return now - first > KMSG_QUIET_SECONDS * 1000000;
}

/*
 * Refusals of one group are logged ten times in five seconds at most. Wait
 * until the kernel would log another one that contains @text: not so many of
 * the last few seconds do. The log has a clock of its own, which a new record
 * tells.
 */
int kmsg_wait_quiet(const char *text)
{
	int ret;

	for (;;) {
		ret = sysfs_write("/dev/kmsg", "libvfio: has it been quiet?\n");
		if (!ret)
			ret = kmsg_was_quiet(text);
		if (ret)
			return ret < 0 ? ret : 0;
		usleep(500000);
	}
}

/*
 * When the oldest record that contains @text was logged, in microseconds since
 * boot. -ENOENT where the log has none.
 */
int kmsg_time(const char *text, __u64 *us)
{
	unsigned long long stamp;
	char record[8192];
	ssize_t n;
	int kmsg;

	kmsg = kmsg_open_all();
	if (kmsg < 0)
		return kmsg;
	do {
		n = kmsg_next(kmsg, record, sizeof(record));
	} while (n > 0 && !strstr(record, text));
	close(kmsg);
	if (n <= 0)
		return n ? n : -ENOENT;
	if (sscanf(record, "%*u,%*u,%llu", &stamp) != 1)
		return -EIO;
	*us = stamp;
	return 0;
}
