// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same for programs: one JSON object. What is not known is null.
 */
#include <stdio.h>

#include "iommu-groups.h"

/* How many bytes the character takes in UTF-8; 0 if these are none */
static int utf8_length(const unsigned char *text)
{
	int i, length = 1;

	if (text[0] < 0x80)
		return 1;
	if (text[0] >= 0xc2 && text[0] < 0xe0)
		length = 2;
	else if (text[0] >= 0xe0 && text[0] < 0xf0)
		length = 3;
	else if (text[0] >= 0xf0 && text[0] < 0xf5)
		length = 4;
	for (i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Too long a form, half of a pair, or beyond the last character */
	if ((text[0] == 0xe0 && text[1] < 0xa0) ||
	    (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) ||
	    (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length > 1 ? length : 0;
}

/* A byte that is no character becomes "\377", as the kernel writes it. */
static void json_string(const char *string)
{
	const unsigned char *text = (const unsigned char *)string;
	int length;

	putchar('"');
	for (; *text; text += length ? length : 1) {
		length = utf8_length(text);
		if (!length)
			printf("\\\\%03o", *text);
		else if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if (*text < ' ' || *text == 0x7f)
			printf("\\u%04x", *text);
		else
			fwrite(text, 1, length, stdout);
	}
	putchar('"');
}

/* "" stands for what is not known, or not there. */
static void json_field(const char *name, const char *value)
{
	printf("\"%s\": ", name);
	if (value[0])
		json_string(value);
	else
		printf("null");
}

static void json_device(const struct device *device)
{
	static const char * const claims[] = {
		[CLAIM_UNKNOWN] = "null",
		[CLAIM_NO] = "false",
		[CLAIM_YES] = "true",
		[CLAIM_PRIVATE] = "true",
		[CLAIM_SVA] = "true",
	};

	printf("        {");
	json_field("device", device->name);
	if (device->pci)
		printf(", \"class\": \"%06x\", \"class_name\": \"%s\", \"id\": \"%04x:%04x\"",
		       device->class, class_name(device->class), device->vendor,
		       device->id);
	printf(", ");
	json_field("driver", device->driver);
	printf(", \"claim\": %s}", claims[device->claim]);
}

static void json_group(const struct group *group)
{
	int i;

	printf("    {\"group\": %d, ", group->id);
	json_field("owner", group->owner ? owner_name(group->owner) : "");
	if (group->count < 0)
		printf(", \"claims\": null, ");
	else
		printf(", \"claims\": %d, ", group->count);
	json_field("task", group->task);
	if (group->task[0])
		printf(", \"task_exited\": %s, ",
		       group->exited ? "true" : "false");
	else
		printf(", \"task_exited\": null, ");
	json_field("type", group->type);
	printf(", ");
	json_field("domain", group->domain);
	printf(",\n      \"devices\": [");
	for (i = 0; i < group->ndevices; i++) {
		printf(i ? ",\n" : "\n");
		json_device(&group->devices[i]);
	}
	printf("]}");
}

void json_machine(const struct machine *machine)
{
	int i;

	printf("{\"tells_owners\": %s, \"tells_tasks\": %s,\n  \"groups\": [",
	       machine->owners ? "true" : "false",
	       machine->table ? "true" : "false");
	for (i = 0; i < machine->ngroups; i++) {
		printf(i ? ",\n" : "\n");
		json_group(&machine->groups[i]);
	}
	printf("]}\n");
}

void json_verdict(const char *device, const struct verdict *verdict)
{
	int i;

	printf("{");
	json_field("device", device);
	printf(", \"possible\": %s,\n  ", verdict->possible ? "true" : "false");
	json_field("reason", verdict->sentence);
	printf(",\n  \"commands\": [");
	for (i = 0; i < verdict->ncommands; i++) {
		printf(i ? ",\n    " : "\n    ");
		json_string(verdict->commands[i]);
	}
	printf("]}\n");
}
