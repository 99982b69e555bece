// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libvfio.h"
#include "owner.h"

/*
 * Open @devices one after the other; those of one group are neighbours. What
 * was opened is never closed.
 */
static int open_all(const char *const *devices)
{
	struct vfio_user user = VFIO_USER_NONE;
	int id, last = -1, ret = 0;

	for (; !ret && *devices; devices++) {
		id = group_of(*devices);
		if (id == last)
			user.device = vfio_open_device(user.group, *devices);
		else
			ret = vfio_user_open(&user, *devices);
		if (user.device < 0)
			ret = user.device;
		last = id;
	}
	return ret;
}

static void own_until_killed(const char *const *devices, int ready)
{
	int ret;

	ret = open_all(devices);
	if (write(ready, &ret, sizeof(ret)) != sizeof(ret))
		_exit(1);
	for (;;)
		pause();
}

/*
 * Begin a process that has all @devices open, up to NULL: its number or -errno.
 */
pid_t owner_begin(const char *const *devices)
{
	int ready[2], ret;
	pid_t pid;

	if (pipe(ready))
		return -errno;
	pid = fork();
	if (!pid)
		own_until_killed(devices, ready[1]);
	close(ready[1]);
	if (pid < 0 || read(ready[0], &ret, sizeof(ret)) != sizeof(ret))
		ret = -ECHILD;
	close(ready[0]);
	return ret ? ret : pid;
}

int owner_kill(pid_t pid)
{
	return kill(pid, SIGKILL) ? -errno : 0;
}

/* It is gone with all that it had, or hangs. */
int owner_reap(pid_t pid, int seconds)
{
	int ms;

	for (ms = 0; ms < seconds * 1000; ms += 10) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}
