// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

/* What "iommu-groups --watch" has said so far. */
#define WATCHED		"/tmp/iommu-groups-watch"

/* What "iommu-groups --plan" has written. */
#define PLAN		"/tmp/iommu-groups-plan"

char output[OUTPUT_LEN];

static void __attribute__((constructor)) find_tool(void)
{
	char path[1024];

	/* kselftests run in their folder. */
	snprintf(path, sizeof(path), ".:%s", getenv("PATH") ? : "");
	setenv("PATH", path, 1);
}

/* Run the tool into output[], its complaints as well; returns its status. */
int tool(const char *fmt, ...)
{
	char options[256], command[512];
	va_list args;
	FILE *pipe;
	size_t n;
	int ret;

	va_start(args, fmt);
	vsnprintf(options, sizeof(options), fmt, args);
	va_end(args);
	snprintf(command, sizeof(command), "iommu-groups %s 2>&1", options);

	pipe = popen(command, "re");
	if (!pipe)
		return -errno;
	n = fread(output, 1, sizeof(output) - 1, pipe);
	output[n] = '\0';
	ret = pclose(pipe);
	return WIFEXITED(ret) ? WEXITSTATUS(ret) : -ECHILD;
}

/* The same for the question that is asked most. */
int tool_why(const char *bdf)
{
	return tool("--why %s", bdf);
}

/* Is this in what the tool said last? */
bool said(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (strstr(output, text))
		return true;
	fprintf(stderr, "# not '%s' but:\n%s", text, output);
	return false;
}

/* Was that nothing but characters that every terminal has, and lines? */
bool said_plain_text(void)
{
	const char *c = output;

	while (*c == '\n' || (*c >= ' ' && *c < 127))
		c++;
	return !*c;
}

/* Run the commands that the tool gave last under a title; how many there were. */
static int follow(const char *title)
{
	char *line, *rest = strstr(output, title);
	int n = 0;

	rest += rest ? strlen(title) : 0;
	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "  ", 2))
			break;
		if (system(line))
			return -EIO;
		n++;
	}
	return n;
}

/* To change what it said */
int follow_advice(void)
{
	return follow("To change that, as root:\n");
}

/* To give the device to the owner of its group */
int follow_joining(void)
{
	return follow("To give it to the same owner, as root:\n");
}

/* To have the kernel take the device */
int follow_way_back(void)
{
	return follow("to have it do so, as root:\n");
}

/* Have the tool plan for a device, and a shell do that; returns its status. */
int tool_plan(const char *bdf)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "iommu-groups --plan %s > " PLAN " && sh " PLAN, bdf);
	return system(command);
}

/* Take the last plan back. */
int tool_plan_undo(void)
{
	int ret = system("sh " PLAN " undo");

	unlink(PLAN);
	return ret;
}

/*
 * Start the tool as @user with its output in a file; returns its process. Without
 * @proc it takes the usual one, if any.
 */
pid_t tool_watch_proc(uid_t user, const char *sysfs, const char *proc)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(WATCHED, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (setuid(user))
		_exit(126);
	execlp("iommu-groups", "iommu-groups", "--watch", "--sysfs", sysfs,
	       proc ? "--proc" : NULL, proc, NULL);
	_exit(127);
}

pid_t tool_watch(uid_t user, const char *sysfs)
{
	return tool_watch_proc(user, sysfs, NULL);
}

/* Returns how the tool ended. */
int tool_watch_end(pid_t pid)
{
	int status;

	if (kill(pid, SIGTERM) || waitpid(pid, &status, 0) != pid)
		return -errno;
	unlink(WATCHED);
	return status;
}

/* Wait until the tool says this, ten seconds at most. */
bool watch_says(const char *fmt, ...)
{
	char text[256];
	va_list args;
	int i, fd;
	ssize_t n;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (i = 0; i < 1000; i++) {
		fd = open(WATCHED, O_RDONLY | O_CLOEXEC);
		n = read(fd, output, sizeof(output) - 1);
		close(fd);
		output[n > 0 ? n : 0] = '\0';
		if (strstr(output, text))
			return true;
		usleep(10000);
	}
	return said("%s", text);
}
