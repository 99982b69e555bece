// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group that a process has: who it is, and how to end that. A process is
 * offered to kill only if it has the group now; the one that claimed it may be
 * gone, and its number another's.
 */
#include <string.h>

#include "iommu-groups.h"

struct who {
	const struct question *q;
	char text[4 * TASK_LEN];
};

static void add_ending(struct who *who, int pid)
{
	char text[COMMAND_LEN];

	how_to_end(who->q->machine, pid, text, sizeof(text));
	add_command(&who->q->verdict->change, "%s", text);
}

/* The process in "vfioctl[214]" */
static int task_pid(const char *task)
{
	const char *bracket = strrchr(task, '[');
	int pid = 0;

	if (!bracket || sscanf(bracket, "[%d]", &pid) != 1)
		return 0;
	return pid;
}

/* Those that have the group itself open */
static void name_holders(struct who *who)
{
	const struct machine *machine = who->q->machine;
	int group = who->q->group->id;
	const struct holder *first = next_holder(machine, group, NULL);
	const struct holder *holder = NULL;

	add_text(who->text, "%s", first->task);
	if (count_holders(machine, group) > 1)
		add_text(who->text, " together with %d more",
			 count_holders(machine, group) - 1);
	while ((holder = next_holder(machine, group, holder)))
		add_ending(who, holder->pid);
}

/* Those that have any device open: of which group, nothing tells. */
static void name_users_of_devices(struct who *who)
{
	const struct machine *machine = who->q->machine;

	if (count_holders(machine, -1) == 1) {
		add_text(who->text, "a process with a device of it, perhaps %s,",
			 next_holder(machine, -1, NULL)->task);
		return;
	}
	add_text(who->text, "a process with a device of it");
	add_command(&who->q->verdict->change,
		    "find /proc/[0-9]*/fd -lname 'anon_inode:.vfio-device.'");
}

static void name_others(struct who *who)
{
	if (count_holders(who->q->machine, who->q->group->id))
		name_holders(who);
	else
		name_users_of_devices(who);
}

/* Who is it, as far as the kernel's record and /proc tell? */
static void find_who(struct who *who)
{
	const struct machine *machine = who->q->machine;
	const struct group *group = who->q->group;
	int pid = task_pid(group->task);

	if (!group->task[0] && !count_holders(machine, group->id)) {
		add_text(who->text, "a process");
	} else if (!group->task[0]) {
		name_holders(who);
	} else if (group->exited) {
		add_text(who->text, "%s, which claimed the group, has exited; ",
			 group->task);
		name_others(who);
	} else if (pid > 0 && process_holds(machine, pid, group->id)) {
		add_text(who->text, "%s", group->task);
		add_ending(who, pid);
	} else if (pid > 0 && machine->all_seen) {
		add_text(who->text, "%s, which claimed the group, no longer has it open; ",
			 group->task);
		name_others(who);
	} else {
		/* 0 cannot be seen from here, as in a container. */
		add_text(who->text, "%s", group->task);
	}
}

static int count_vfio(const struct group *group)
{
	int i, count = 0;

	for (i = 0; i < group->ndevices; i++)
		count += group->devices[i].vfio;
	return count;
}

/*
 * Does vfio-pci's unbind wait for the user? The driver's link is gone by then.
 * The table tells; elsewhere the folder of VFIO is still there, or the group
 * could not be owned without a device.
 */
static bool is_leaving(const struct question *q)
{
	const struct device *device = q->device;

	if (device->driver[0] || !device->path[0])
		return false;
	if (q->machine->table)
		return device->changing;
	return exists("%s/vfio-dev", device->path) ||
	       (q->group->ndevices == 1 && !count_vfio(q->group));
}

/* The kernel tells that there is an owner. */
static void say_owned(const struct question *q, const char *who)
{
	const char *name = q->device->name;
	int group = q->group->id;

	if (q->device->vfio)
		say(q->verdict, "%s is given to userspace already: %s owns group %d",
		    name, who, group);
	else if (is_leaving(q))
		say(q->verdict,
		    "%s cannot be given to userspace anew: it is leaving its driver, which waits until the user lets go, and %s owns group %d",
		    name, who, group);
	else
		say(q->verdict,
		    "%s cannot be given to userspace anew: %s owns group %d, and can have this device as well once it is bound to %s",
		    name, who, group, vfio_driver(q->device->bus) ? : "VFIO");
}

/* Somebody has it open, with a claim or without: nobody else can open it. */
static void say_held(const struct question *q, const char *who)
{
	const char *name = q->device->name;
	int group = q->group->id;

	if (q->device->vfio)
		say(q->verdict,
		    "%s cannot be given to userspace anew: %s holds group %d open, and everybody else gets EBUSY",
		    name, who, group);
	else if (is_leaving(q))
		say(q->verdict,
		    "%s cannot be given to userspace anew: it is leaving its driver, which waits until the user lets go, and %s holds group %d open",
		    name, who, group);
	else
		say(q->verdict,
		    "%s cannot be given to userspace anew: %s holds group %d open, and can have this device as well once it is bound to %s",
		    name, who, group, vfio_driver(q->device->bus) ? : "VFIO");
}

/* A sibling goes to the owner that there is, and to nobody else. */
static void commands_to_join(const struct question *q)
{
	if (q->device->vfio || is_leaving(q))
		return;
	what_hangs(q->machine, q->device, &q->verdict->warnings);
	bind_to_vfio(q->machine, q->device, &q->verdict->join);
}

/* Returns whether a process has the group. */
bool why_owned(const struct question *q)
{
	bool owned = q->group->owner == OWNER_USER;
	struct who who = { .q = q };

	if (!owned && !count_holders(q->machine, q->group->id))
		return false;
	/* With a driver in the way, that is what is to be said first. */
	if (!owned && count_blocking(q->machine, q->group))
		return false;
	find_who(&who);
	if (owned)
		say_owned(q, who.text);
	else
		say_held(q, who.text);
	commands_to_join(q);
	return true;
}
