// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the output can be: colours, lines and width on a terminal, plain ASCII
 * everywhere.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "iommu-groups.h"

/* Longer lines are hard to read. */
#define MAX_WIDTH	100

bool colourful(void)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (!no_color || !*no_color) && term &&
	       strcmp(term, "dumb");
}

const char *colour(const char *code)
{
	return colourful() ? code : "";
}

/* May lines be drawn? A pipe gets what any program can read. */
bool can_draw(void)
{
	const char *locale = getenv("LC_ALL");

	if (!locale || !*locale)
		locale = getenv("LC_CTYPE");
	if (!locale || !*locale)
		locale = getenv("LANG");
	return isatty(STDOUT_FILENO) && locale &&
	       (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
}

/* 0 if lines have no end, as in a pipe */
int terminal_width(FILE *file)
{
	struct winsize size;

	if (!isatty(fileno(file)))
		return 0;
	if (ioctl(fileno(file), TIOCGWINSZ, &size) || size.ws_col < 20)
		return 78;
	return size.ws_col;
}

/* Writes what is pending. Returns 0, or the first error that there was. */
int flush_output(void)
{
	static int error;

	if (fflush(stdout) && !error)
		error = errno;
	else if (ferror(stdout) && !error)
		error = EIO;
	return error;
}

/*
 * What is no character of ASCII is written in octal: a name must not steer the
 * terminal.
 */
void put_plain(FILE *file, const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		fprintf(file, text[i] < ' ' || text[i] > '~' ? "\\%03o" : "%c",
			(unsigned char)text[i]);
}

/*
 * Words from @column on, with further lines @indent columns in: a terminal
 * would break the line within a word.
 */
void print_wrapped(FILE *file, const char *text, int indent, int column)
{
	const char *word = text, *space;
	int width = terminal_width(file), length;

	if (width > MAX_WIDTH)
		width = MAX_WIDTH;
	for (; *word; word = space) {
		space = word + strspn(word, " ");
		space += strcspn(space, " ");
		length = space - word;
		if (width && column > indent && column + length > width) {
			fprintf(file, "\n%*s", indent, "");
			word += strspn(word, " ");
			length = space - word;
			column = indent;
		}
		put_plain(file, word, length);
		column += length;
	}
	fputc('\n', file);
}

/* Something went wrong: a sentence of its own beside the output */
void complain(const char *fmt, ...)
{
	char text[SENTENCE_LEN + 64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	print_wrapped(stderr, text, 0, 0);
}
