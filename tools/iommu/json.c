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

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

/* What the device is for others, and others for it */
static void json_relations(const struct device *device)
{
	printf(", ");
	json_field("bus", device->bus);
	printf(", \"vfio\": %s", json_bool(device->vfio));
	if (!device->pci)
		return;
	printf(", \"bridge\": %s, \"virtual_functions\": %d, ",
	       json_bool(device->bridge), device->nvfs);
	json_field("physical_function", device->pf);
	printf(", ");
	json_field("behind", device->behind);
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
	if (device->pci && !device->described)
		printf(", \"class\": null, \"class_name\": null, \"id\": null");
	else if (device->pci)
		printf(", \"class\": \"%06x\", \"class_name\": \"%s\", \"id\": \"%04x:%04x\"",
		       device->class, class_name(device->class), device->vendor,
		       device->id);
	printf(", ");
	json_field("driver", device->driver);
	printf(", \"claim\": %s", claims[device->claim]);
	json_relations(device);
	printf("}");
}

/* Those that have it open, as far as they could be seen */
static void json_holders(const struct machine *machine,
			 const struct group *group)
{
	const struct holder *holder = NULL;
	char text[COMMAND_LEN];
	const char *comma = "";

	printf(",\n      \"holders\": [");
	while ((holder = next_holder(machine, group->id, holder))) {
		how_to_end(machine, holder->pid, text, sizeof(text));
		printf("%s{\"pid\": %d, ", comma, holder->pid);
		json_field("task", holder->task);
		printf(", ");
		json_field("end", text);
		printf("}");
		comma = ", ";
	}
	printf("]");
}

/* Who owns the group, as far as the kernel tells */
static void json_owner(const struct group *group)
{
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
}

static void json_group(const struct machine *machine, const struct group *group)
{
	int i;

	printf("    {\"group\": %d, ", group->id);
	json_owner(group);
	json_field("type", group->type);
	printf(", ");
	json_field("domain", group->domain);
	printf(", ");
	json_field("name", group->name);
	printf(", \"noiommu\": %s, \"direct\": %s", json_bool(group->noiommu),
	       json_bool(group->direct));
	json_holders(machine, group);
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

	printf("{\"tells_owners\": %s, \"tells_tasks\": %s, ",
	       json_bool(machine->owners), json_bool(machine->table));
	printf("\"tells_holders\": %s,\n  \"groups\": [",
	       json_bool(machine->all_seen));
	for (i = 0; i < machine->ngroups; i++) {
		printf(i ? ",\n" : "\n");
		json_group(machine, &machine->groups[i]);
	}
	printf("]}\n");
}

static void json_commands(const char *name, const struct commands *commands)
{
	int i;

	printf(",\n  \"%s\": [", name);
	for (i = 0; i < commands->count; i++) {
		printf(i ? ",\n    " : "\n    ");
		json_string(commands->text[i]);
	}
	printf("]");
}

static void json_warnings(const struct warnings *warnings)
{
	int i;

	printf(",\n  \"warnings\": [");
	for (i = 0; i < warnings->count; i++) {
		printf(i ? ",\n    {" : "\n    {");
		json_field("device", warnings->list[i].device);
		printf(", ");
		json_field("text", warnings->list[i].text);
		printf("}");
	}
	printf("]");
}

/* @asked is the device as the user called it. */
void json_verdict(const char *asked, const struct verdict *verdict)
{
	printf("{");
	json_field("device", asked);
	printf(", \"possible\": %s,\n  ", json_bool(verdict->possible));
	json_field("reason", verdict->sentence);
	json_commands("commands", &verdict->change);
	printf(",\n  ");
	json_field("name", verdict->device);
	json_warnings(&verdict->warnings);
	json_commands("commands_same_owner", &verdict->join);
	json_commands("commands_back", &verdict->back);
	printf("}\n");
}
