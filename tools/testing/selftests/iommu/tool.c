// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tool.h"

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

/* Run the commands that the tool gave last, which are indented. */
int follow_advice(void)
{
	char *line, *rest = output;
	int n = 0;

	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "  ", 2))
			continue;
		if (system(line))
			return -EIO;
		n++;
	}
	return n;
}
