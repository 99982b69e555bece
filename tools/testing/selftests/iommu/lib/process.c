// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

#include "process.h"

const char *myself(void)
{
	static char text[32];
	char comm[16];

	prctl(PR_GET_NAME, comm);
	snprintf(text, sizeof(text), "%s[%d]", comm, getpid());
	return text;
}

/*
 * A child with just this number, which nobody has now. It only waits, and has
 * nothing open.
 */
pid_t start_as(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	pid_t child;

	child = syscall(__NR_clone3, &args, sizeof(args));
	if (!child)
		syscall(__NR_close_range, 0, ~0U, 0);
	while (!child)
		pause();
	return child < 0 ? -errno : child;
}

/* End a child. 0, or -ECHILD where it had ended already. */
int stop_child(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGTERM)
		return -ECHILD;
	return 0;
}

/* Wait for a child: its exit status, or 255 where it has none. */
int child_status(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

/* Give another process a copy of a descriptor. */
int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}
