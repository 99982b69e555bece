// SPDX-License-Identifier: GPL-2.0-only
/*
 * Follows changes: by the trace events, for root and in a trace instance of its
 * own, so that nobody else's tracing is disturbed; else watch_poll.c looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/kernel.h>

#include "iommu-groups.h"

#define LINE_LEN	512

/* A descriptor that is readable once a signal asks to end, or -errno. */
static int catch_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* Whoever read the output may be gone; the instance must not stay. */
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void show_time(void)
{
	char text[16];
	time_t now = time(NULL);

	strftime(text, sizeof(text), "%H:%M:%S", localtime(&now));
	printf("%s  ", text);
}

/*
 * Who keeps drivers from a group: the event of a refusal does not tell, but
 * those before it did. Indexed by the number of the group.
 */
static struct keeper {
	bool user;
	int attached;
	char driver[NAME_LEN];	/* whose private domain it is */
} *keepers;
static int nkeepers;

static struct keeper *keeper_of(int group)
{
	if (group >= nkeepers) {
		keepers = grow(keepers, group, sizeof(*keepers));
		memset(keepers + nkeepers, 0,
		       (group + 1 - nkeepers) * sizeof(*keepers));
		nkeepers = group + 1;
	}
	return &keepers[group];
}

/* The events tell of changes, so there has to be a first state. */
static void remember_keepers(const struct machine *machine)
{
	const struct group *group, *end = machine->groups + machine->ngroups;
	struct keeper *keeper;

	for (group = machine->groups; group < end; group++) {
		keeper = keeper_of(group->id);
		keeper->user = group->owner == OWNER_USER;
		if (group->owner != OWNER_PRIVATE)
			continue;
		keeper->attached = group->count > 0 ? group->count : 1;
		copy_text(keeper->driver, domain_driver(machine, group));
	}
}

/* A change that was missed is made up for by the next owner. */
static void take_change(int group, const char *owner, const char *driver,
			bool set)
{
	struct keeper *keeper = keeper_of(group);

	if (!strcmp(owner, "user")) {
		keeper->user = set;
		keeper->attached = 0;
	} else if (!strcmp(owner, "private") && set) {
		keeper->attached++;
		copy_text(keeper->driver, driver);
	} else if (!strcmp(owner, "private") && keeper->attached) {
		keeper->attached--;
	}
}

/* A driver was refused the device, or a domain for it. */
static void show_driver_refused(int group, const char *device,
				const char *driver)
{
	const struct keeper *keeper = keeper_of(group);

	printf("%s for %s: ", driver, device);
	if (keeper->user)
		printf("owned by userspace\n");
	else if (keeper->attached)
		printf("on a domain of %s\n", keeper->driver);
	else
		printf("in kernel use\n");
}

/* Who was refused, from the words of an event */
static void show_refusal(const char *words)
{
	char device[NAME_LEN], driver[NAME_LEN];
	int group, error;

	if (sscanf(words, "groupID=%d device=%63s driver=%63s error=%d", &group,
		   device, driver, &error) != 4)
		return;
	show_time();
	printf("group %-3d %srefused%s   ", group, colour("\033[31m"),
	       colour("\033[0m"));
	if (error == -EBUSY && device[0] != '-')
		show_driver_refused(group, device, driver);
	else if (device[0] != '-')
		printf("userspace: %s is bound to %s\n", device, driver);
	else
		printf("userspace: %s\n", strerror(-error));
}

/* Who claimed a group, or gave it back */
static void show_change(const char *words, bool set)
{
	char owner[NAME_LEN], device[NAME_LEN], driver[NAME_LEN];
	char task[TASK_LEN], name[4 * TASK_LEN];
	int group;

	if (sscanf(words, "groupID=%d owner=%63s device=%63s driver=%63s task=%95[^\n]",
		   &group, owner, device, driver, task) != 5)
		return;
	take_change(group, owner, driver, set);
	show_time();
	printf("group %-3d %s  ", group, set ? "claimed " : "released");
	escape_name(name, sizeof(name), task, strlen(task));
	if (!strcmp(owner, "user"))
		printf("by userspace: %s\n", name);
	else if (!strcmp(owner, "private"))
		printf("by the kernel: a domain of %s for %s\n", driver,
		       device);
	else
		printf("by the kernel: %s for %s\n", driver, device);
}

/* What the line says of an event; NULL if it is another one's. */
static const char *event_words(const char *line, const char *event)
{
	const char *found = strstr(line, event);

	return found ? found + strlen(event) : NULL;
}

/*
 * One line for an event, from its line in the trace. That begins with the name
 * of a process, which is too short for what is looked for.
 */
static void show_event(const char *line)
{
	const char *set = event_words(line, "dma_owner_set: IOMMU: ");
	const char *release = event_words(line, "dma_owner_release: IOMMU: ");
	const char *refused = event_words(line, "dma_owner_refused: IOMMU: ");

	if (set)
		show_change(set, true);
	else if (release)
		show_change(release, false);
	else if (refused)
		show_refusal(refused);
	fflush(stdout);
}

static int write_file(const char *folder, const char *file, const char *value)
{
	char path[PATH_MAX];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int enable_events(const char *instance)
{
	int ret;

	ret = write_file(instance, "events/iommu/dma_owner_set/enable", "1");
	if (!ret)
		ret = write_file(instance, "events/iommu/dma_owner_release/enable", "1");
	if (!ret)
		ret = write_file(instance, "events/iommu/dma_owner_refused/enable", "1");
	return ret;
}

/* Makes a trace instance with the events into @path. Returns 0 or -errno. */
static int make_instance(const char *sysfs, char *path, size_t size)
{
	static const char * const places[] = {
		"kernel/tracing", "kernel/debug/tracing",
	};
	int ret = -ENOENT;
	size_t i;

	for (i = 0; ret && i < ARRAY_SIZE(places); i++) {
		snprintf(path, size, "%s/%s/instances/iommu-groups-%d", sysfs,
			 places[i], getpid());
		ret = mkdir(path, 0700) ? -errno : 0;
		if (ret)
			continue;
		ret = enable_events(path);
		if (ret)
			rmdir(path);
	}
	return ret;
}

/* Shows the whole lines of a text; returns the length of the rest. */
static size_t take_text(char *text, size_t length)
{
	char *end;

	text[length] = '\0';
	while ((end = strchr(text, '\n'))) {
		*end = '\0';
		show_event(text);
		memmove(text, end + 1, strlen(end + 1) + 1);
	}
	length = strlen(text);
	/* No event is that long. */
	return length < LINE_LEN - 1 ? length : 0;
}

/* Until a signal comes, or nobody reads any more. Returns an exit status. */
static int follow_events(const char *instance, int signals)
{
	struct pollfd fds[3] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	char path[PATH_MAX + 16], text[LINE_LEN];
	size_t length = 0;
	ssize_t n = 1;

	snprintf(path, sizeof(path), "%s/trace_pipe", instance);
	fds[2].fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	fds[2].events = POLLIN;
	while (fds[2].fd >= 0 && n > 0 && !ferror(stdout)) {
		/* Of the output, only that nobody reads it any more is told. */
		if (poll(fds, 3, -1) < 0 || fds[0].revents || fds[1].revents)
			break;
		n = read(fds[2].fd, text + length, LINE_LEN - 1 - length);
		if (n < 0 && errno == EAGAIN)
			n = 1;
		else if (n > 0)
			length = take_text(text, length + n);
	}
	close(fds[2].fd);
	return fds[2].fd < 0 || n <= 0 ? EXIT_UNREADABLE : EXIT_FINE;
}

/* Until a signal ends it; returns an exit status. */
int watch(const struct machine *machine)
{
	int ret, signals = catch_signals();
	char instance[PATH_MAX];

	if (signals < 0)
		return EXIT_UNREADABLE;
	if (make_instance(machine->sysfs, instance, sizeof(instance))) {
		complain("note: no trace events, so looking every second; Ctrl-C ends it");
		ret = follow_by_looking(machine, signals);
	} else {
		complain("note: following the trace events; Ctrl-C ends it");
		remember_keepers(machine);
		ret = follow_events(instance, signals);
		free(keepers);
		rmdir(instance);
	}
	close(signals);
	return ret;
}
