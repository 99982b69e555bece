// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "uevent.h"

#define KERNEL_GROUP	1
#define EVENTS_SIZE	(1024 * 1024)

/* A descriptor to which the kernel sends each event from now on. */
int uevent_open(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = KERNEL_GROUP,
	};
	int fd, size = EVENTS_SIZE;

	fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* Is it an event "action@path" with @text in its path or its environment? */
static int is_event(const char *event, size_t n, const char *action,
		    const char *text)
{
	size_t length = strlen(action);
	const char *word;

	if (strncmp(event, action, length) || event[length] != '@')
		return 0;
	for (word = event; word < event + n; word += strlen(word) + 1) {
		if (strstr(word, text))
			return 1;
	}
	return 0;
}

/*
 * How many events since the last call are an @action and contain @text? The
 * kernel sends them before the write that caused them returns.
 */
int uevent_count(int uevents, const char *action, const char *text)
{
	char event[8192];
	int count = 0;
	ssize_t n;

	for (;;) {
		n = recv(uevents, event, sizeof(event) - 1, 0);
		if (n < 0)
			return errno == EAGAIN ? count : -errno;
		event[n] = '\0';
		count += is_event(event, n, action, text);
	}
}
