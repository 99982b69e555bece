// SPDX-License-Identifier: GPL-2.0-only
/*
 * Follows changes without trace events: looks every second and compares.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "iommu-groups.h"

#define POLL_MS		1000

static void begin_line(const struct group *group)
{
	show_time();
	printf("group %-3d ", group->id);
}

/* A driver, or why there is none */
static const char *driver_of(const struct device *device)
{
	if (!device)
		return "(absent)";
	return device->driver[0] ? device->driver : "-";
}

static void compare_device(const struct group *before, const struct group *now,
			   const char *name)
{
	const char *from = driver_of(find_device(before, name));
	const char *to = driver_of(find_device(now, name));

	if (!strcmp(from, to))
		return;
	begin_line(now);
	put_plain(stdout, name, strlen(name));
	printf(": driver %s -> %s\n", from, to);
}

static void compare_owner(const struct machine *machine,
			  const struct group *before, const struct group *now)
{
	if (before->owner == now->owner)
		return;
	begin_line(now);
	printf("owner %s -> %s", owner_name(before->owner),
	       owner_name(now->owner));
	if (now->owner == OWNER_PRIVATE)
		printf(", a domain of %s", domain_driver(machine, now));
	else if (now->task[0])
		printf(" %s%s", now->task,
		       now->exited ? ", which has exited" : "");
	putchar('\n');
}

static void compare_group(const struct machine *machine,
			  const struct group *before, const struct group *now)
{
	const char *name;
	int i;

	compare_owner(machine, before, now);
	for (i = 0; i < now->ndevices; i++)
		compare_device(before, now, now->devices[i].name);
	for (i = 0; i < before->ndevices; i++) {
		name = before->devices[i].name;
		if (!find_device(now, name))
			compare_device(before, now, name);
	}
}

static bool is_holder(const struct machine *machine, const struct holder *wanted)
{
	const struct holder *holder = NULL;

	while ((holder = next_holder(machine, wanted->group, holder)))
		if (holder->pid == wanted->pid)
			return true;
	return false;
}

/* Those that are in one machine and not in the other opened or closed a group. */
static void compare_holders(const struct machine *one,
			    const struct machine *other, const char *word)
{
	const struct holder *holder, *end = one->holders + one->nholders;
	const struct group *group;

	for (holder = one->holders; holder < end; holder++) {
		group = group_by_id(one, holder->group);
		if (!group || (group->owner != OWNER_UNKNOWN && !group->noiommu))
			continue;
		if (is_holder(other, holder))
			continue;
		begin_line(group);
		printf("%s by %s\n", word, holder->task);
	}
}

/* Of a kernel that tells owners, those that come and go are told already. */
static void compare(const struct machine *before, const struct machine *now)
{
	const struct group *group, *end = now->groups + now->ngroups;
	struct group none = { .owner = OWNER_NONE };

	for (group = now->groups; group < end; group++) {
		none.owner = now->owners ? OWNER_NONE : OWNER_UNKNOWN;
		compare_group(now, group_by_id(before, group->id) ? : &none,
			      group);
	}
	end = before->groups + before->ngroups;
	for (group = before->groups; group < end; group++) {
		if (group_by_id(now, group->id))
			continue;
		/* It vanished with its last device. */
		none.id = group->id;
		none.owner = group->owner;
		compare_group(now, group, &none);
	}
	compare_holders(before, now, "closed");
	compare_holders(now, before, "opened");
	fflush(stdout);
}

/* Until a signal comes, or nobody reads any more. Returns an exit status. */
int follow_by_looking(const struct machine *first, int signals)
{
	struct pollfd fds[2] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	struct machine before = *first, now;

	while (!poll(fds, 2, POLL_MS) && !ferror(stdout)) {
		if (machine_read(&now, first->sysfs, first->proc))
			return EXIT_UNREADABLE;
		compare(&before, &now);
		if (before.groups != first->groups)
			machine_free(&before);
		before = now;
	}
	if (before.groups != first->groups)
		machine_free(&before);
	return EXIT_FINE;
}
