// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands for a shell: words with anything in them, and lists of commands.
 */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "iommu-groups.h"

#define WORDS	8

/* A command that is there already is not added. */
void add_command(struct commands *commands, const char *fmt, ...)
{
	char text[COMMAND_LEN];
	va_list args;
	int i;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (i = 0; i < commands->count; i++)
		if (!strcmp(commands->text[i], text))
			return;
	if (commands->count < MAX_COMMANDS)
		copy_text(commands->text[commands->count++], text);
}

static bool is_plain(const char *word)
{
	for (; *word; word++)
		if (!isalnum((unsigned char)*word) && !strchr("-_.:,+/@%=", *word))
			return false;
	return true;
}

static bool is_printable(const char *word)
{
	for (; *word; word++)
		if (*word < ' ' || *word > '~')
			return false;
	return true;
}

/* What no terminal should get is written by printf. */
static void quote_bytes(char *to, size_t size, const char *word)
{
	size_t n = snprintf(to, size, "\"$(printf '");

	for (; *word && n + 8 < size; word++)
		n += sprintf(to + n, "\\%03o", (unsigned char)*word);
	snprintf(to + n, size - n, "')\"");
}

static void quote(char *to, size_t size, const char *word)
{
	size_t n = snprintf(to, size, "'");

	for (; *word && n + 8 < size; word++)
		n += sprintf(to + n, *word == '\'' ? "'\\''" : "%c", *word);
	snprintf(to + n, size - n, "'");
}

/* The word as a shell takes it; good for a few more calls */
const char *quoted(const char *word)
{
	static char words[WORDS][COMMAND_LEN];
	static int next;
	char *to = words[next++ % WORDS];

	if (is_plain(word))
		snprintf(to, COMMAND_LEN, "%s", word);
	else if (is_printable(word))
		quote(to, COMMAND_LEN, word);
	else
		quote_bytes(to, COMMAND_LEN, word);
	return to;
}
