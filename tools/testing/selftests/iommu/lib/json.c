// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <string.h>

#include "json.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/*
 * The rest of @text behind one JSON value, with blanks; NULL if it is none.
 * Strict enough to find a forgotten comma or quote.
 */
static const char *json_skip(const char *text);

static const char *json_blank(const char *text)
{
	return text + strspn(text, "\n ");
}

static const char *json_string(const char *text)
{
	if (*text++ != '"')
		return NULL;
	while (*text && *text != '"')
		text += *text == '\\' && text[1] ? 2 : 1;
	return *text ? json_blank(text + 1) : NULL;
}

/* The members of an object or array, from behind its bracket */
static const char *json_members(const char *text, char end)
{
	text = json_blank(text);
	if (*text == end)
		return json_blank(text + 1);
	for (;;) {
		if (end == '}') {
			text = json_string(text);
			if (!text || *text++ != ':')
				return NULL;
		}
		text = json_skip(json_blank(text));
		if (!text)
			return NULL;
		if (*text == end)
			return json_blank(text + 1);
		if (*text != ',')
			return NULL;
		text = json_blank(text + 1);
	}
}

static const char *json_skip(const char *text)
{
	static const char * const words[] = { "true", "false", "null" };
	size_t i, n;

	if (*text == '{' || *text == '[')
		return json_members(text + 1, *text == '{' ? '}' : ']');
	if (*text == '"')
		return json_string(text);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		n = strlen(words[i]);
		if (!strncmp(text, words[i], n))
			return json_blank(text + n);
	}
	n = strspn(text, "0123456789");
	return n ? json_blank(text + n) : NULL;
}

/* Is @text one JSON value and nothing else? */
bool is_json(const char *text)
{
	text = json_skip(text);
	return text && !*text;
}
