// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/libvfio.h"
#include "lib/owner_table.h"
#include "table_contest.h"

void stop_thread(bool *stop)
{
	__atomic_store_n(stop, true, __ATOMIC_RELAXED);
}

static bool stopped(bool *stop)
{
	return __atomic_load_n(stop, __ATOMIC_RELAXED);
}

static void judge(struct reader *reader, const struct table_group *table)
{
	int owner = table_owner(table);

	if (owner >= 0 && table->ndevs == reader->ndevs) {
		reader->owners[owner]++;
		return;
	}
	if (!reader->mixtures++)
		snprintf(reader->mixture, sizeof(reader->mixture),
			 "%s, task %s, domain %s, %d claims, %d devices",
			 table->owner, table->task, table->domain,
			 table_claims(table), table->ndevs);
}

/* A thread that reads until it is stopped. @data: its struct reader. */
void *reader_run(void *data)
{
	struct reader *reader = data;
	struct table_group table;

	while (!stopped(&reader->stop)) {
		if (table_read(&table, reader->id))
			strcpy(table.owner, "unreadable");
		judge(reader, &table);
		reader->tables++;
		usleep(500);
	}
	return NULL;
}

static int claimed(struct contest *contest)
{
	return __atomic_load_n(&contest->claimed, __ATOMIC_RELAXED);
}

/* A thread that binds until it is stopped. @data: the struct contest. */
void *contest_bind(void *data)
{
	struct contest *contest = data;
	int ret, until;

	while (!stopped(&contest->stop)) {
		ret = pci_bind(contest->bdf, "e1000");
		contest->refused += ret == -EBUSY;
		contest->errors += ret && ret != -EBUSY;
		pci_unbind(contest->bdf);
		if (ret)
			continue;
		contest->bound++;
		until = claimed(contest) + CLAIMS_PER_BIND;
		while (claimed(contest) < until && !stopped(&contest->stop))
			usleep(1000);
	}
	return NULL;
}

/* Until the user owned the group @claims times; returns the errors. */
int contest_claim(struct contest *contest, int claims)
{
	int ret, errors = 0;

	while (claimed(contest) < claims && errors < 10) {
		ret = vfio_user_set_container(contest->user);
		if (ret) {
			errors += ret != -EPERM;
			usleep(1000);
			continue;
		}
		__atomic_add_fetch(&contest->claimed, 1, __ATOMIC_RELAXED);
		/* Now and then long enough to be met by the others. */
		usleep(contest->claimed % 20 ? 0 : 2000);
		errors += vfio_unset_container(contest->user->group) != 0;
	}
	return errors;
}
