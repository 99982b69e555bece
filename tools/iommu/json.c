// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same for programs: one JSON object. What is not known is null.
 */
#include <stdio.h>

#include "iommu-groups.h"

static void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
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
	printf(", ");
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
