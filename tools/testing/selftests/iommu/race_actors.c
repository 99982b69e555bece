// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/owner_table.h"
#include "race.h"

void race_fail(struct race *race, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&race->fault_lock);
	if (!race->fault[0]) {
		va_start(args, format);
		vsnprintf(race->fault, sizeof(race->fault), format, args);
		va_end(args);
	}
	pthread_mutex_unlock(&race->fault_lock);
	race->stop = true;
}

static void count(struct race *race, enum event event)
{
	atomic_fetch_add_explicit(&race->count[event], 1, memory_order_relaxed);
}

unsigned long race_changes(struct race *race)
{
	return race->count[CLAIMED] + race->count[RELEASED] +
	       race->count[BOUND] + race->count[UNBOUND];
}

static bool one_in(unsigned int *seed, int n)
{
	return rand_r(seed) % n == 0;
}

static void pause_up_to(unsigned int *seed, int us)
{
	usleep(rand_r(seed) % us);
}

static void check_attribute(struct race *race, const char *expected)
{
	char owner[16];
	int ret;

	ret = group_value(race->scene->group->id, "dma_owner", owner,
			  sizeof(owner));
	if (ret)
		race_fail(race, "dma_owner cannot be read: %s", strerror(-ret));
	else if (strcmp(owner, expected))
		race_fail(race, "dma_owner is %s, not %s", owner, expected);
}

/* May this driver be bound in a group that userspace owns? */
static bool is_harmless(const char *driver)
{
	return !driver[0] || !strcmp(driver, "vfio-pci") ||
	       !strcmp(driver, "pci-stub") || !strcmp(driver, "pcieport");
}

/* The caller owns the group: nobody else may have any of it. */
static void check_owned(struct race *race)
{
	const struct group *group = race->scene->group;
	char driver[PCI_DRIVER_LEN];
	int i;

	if (race->bound)
		race_fail(race, "owned while %s is bound", race->scene->b);
	for (i = 0; i < group->ndevs; i++) {
		if (!pci_driver(group->devs[i].bdf, driver, sizeof(driver)) &&
		    !is_harmless(driver))
			race_fail(race, "owned while %s is bound to %s",
				  group->devs[i].bdf, driver);
	}
	check_attribute(race, "user");
}

/* The container's IOMMU and A, on the way to real use. */
static void use_group(struct race *race, int container)
{
	int ret;

	ret = vfio_set_iommu(container);
	if (!ret)
		ret = vfio_open_device(race->group, race->scene->a);
	if (ret < 0)
		race_fail(race, "cannot use the group: %s", strerror(-ret));
	else
		close(ret);
}

/* With the group's descriptor locked. Returns whether the caller owns it now. */
static bool claim(struct race *race, int container)
{
	int ret;

	ret = vfio_set_container(race->group, container);
	if (!ret) {
		race->owned = true;
		count(race, CLAIMED);
		return true;
	}
	/* EINVAL: the other user has it */
	if (ret == -EPERM)
		count(race, CLAIM_REFUSED);
	else if (ret != -EINVAL)
		race_fail(race, "SET_CONTAINER: %s", strerror(-ret));
	return false;
}

static void release(struct race *race)
{
	int ret;

	race->owned = false;
	ret = vfio_unset_container(race->group);
	if (ret)
		race_fail(race, "UNSET_CONTAINER: %s", strerror(-ret));
	else
		count(race, RELEASED);
}

/* Release by closing, which also shuts out the other user. */
static void claim_and_close(struct race *race, int container)
{
	if (claim(race, container)) {
		check_owned(race);
		race->owned = false;
		count(race, RELEASED);
	}
	close(race->group);
	race->group = vfio_open_group(race->scene->group->id);
	if (race->group < 0)
		race_fail(race, "cannot open the group: %s", strerror(-race->group));
}

/* A user comes and goes. */
static void be_user(struct race *race, unsigned int *seed)
{
	int container, times;

	container = vfio_open_container();
	if (container < 0) {
		race_fail(race, "no container: %s", strerror(-container));
		return;
	}
	pthread_rwlock_rdlock(&race->group_lock);
	for (times = 0; times < 16; times++) {
		if (!claim(race, container)) {
			pause_up_to(seed, 12000);
			continue;
		}
		check_owned(race);
		if (one_in(seed, 8))
			use_group(race, container);
		check_owned(race);
		release(race);
	}
	pthread_rwlock_unlock(&race->group_lock);
	if (one_in(seed, 8)) {
		pthread_rwlock_wrlock(&race->group_lock);
		claim_and_close(race, container);
		pthread_rwlock_unlock(&race->group_lock);
	}
	close(container);
	pause_up_to(seed, 2000);
}

/* B's driver comes and goes. */
static void bind_b(struct race *race, unsigned int *seed)
{
	const char *b = race->scene->b;
	int ret;

	ret = pci_bind(b, B_DRIVER);
	if (ret == -EBUSY) {
		count(race, BIND_REFUSED);
		pause_up_to(seed, 5000);
		return;
	}
	if (ret) {
		race_fail(race, "bind of %s: %s", b, strerror(-ret));
		return;
	}
	race->bound = true;
	count(race, BOUND);
	if (race->owned)
		race_fail(race, "%s bound while owned", b);
	check_attribute(race, "kernel");
	race->bound = false;
	ret = pci_unbind(b);
	if (ret)
		race_fail(race, "unbind of %s: %s", b, strerror(-ret));
	else
		count(race, UNBOUND);
	pause_up_to(seed, 10000);
}

/*
 * The card's driver, while the card itself comes and goes: ENODEV if it is not
 * there, or has a driver since it was found.
 */
static void bind_card(struct race *race, unsigned int *seed)
{
	int ret;

	ret = pci_bind(race->card, "8139cp");
	if (!ret)
		count(race, BOUND);
	else if (ret == -EBUSY)
		count(race, BIND_REFUSED);
	else if (ret != -ENODEV)
		race_fail(race, "bind of %s: %s", race->card, strerror(-ret));
	/* Not counted: the card may have been pulled in between */
	sysfs_write("/sys/bus/pci/drivers/8139cp/unbind", race->card);
	pause_up_to(seed, 100000);
}

/* The card joins the group, whoever owns that, and gets its driver if it can. */
static void plug_card(struct race *race, unsigned int *seed)
{
	int ret;

	ret = pci_remove(race->card);
	if (ret)
		race_fail(race, "remove of %s: %s", race->card, strerror(-ret));
	pause_up_to(seed, 5000);
	pci_rescan();
	if (group_of(race->card) == race->scene->group->id)
		count(race, FOUND);
	else
		race_fail(race, "%s is not in its group again", race->card);
	pause_up_to(seed, 1000000);
}

static void read_file(struct race *race, const char *name)
{
	char path[PATH_MAX], text[4096];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/%s",
		 race->scene->group->id, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
	count(race, READ);
}

/* The rows of the group in debugfs, which are all of one instant. */
static void check_table(struct race *race)
{
	struct table_group table;
	int ret;

	ret = table_read(&table, race->scene->group->id);
	if (ret)
		race_fail(race, "%s: %s", OWNER_TABLE, strerror(-ret));
	else if (table_owner(&table) < 0)
		race_fail(race, "the table shows owner %s, task %s, domain %s, and %d claims",
			  table.owner, table.task, table.domain,
			  table_claims(&table));
	else
		count(race, READ);
}

/* What is new in the log about refusals that begin like this. */
static void read_log(struct race *race, int kmsg, const char *format,
		     enum event event)
{
	char text[64];

	snprintf(text, sizeof(text), format, race->scene->group->id);
	while (kmsg_find(kmsg, text) == 1)
		count(race, event);
}

/* Read along: when all is over, most of it is overwritten. */
static void read_logs(struct race *race)
{
	read_log(race, race->kmsg, "iommu: group %d: claim refused: ",
		 CLAIM_LOGGED);
	read_log(race, race->scene->kmsg,
		 "probe refused: IOMMU group %d is owned by userspace (",
		 BIND_LOGGED);
}

/* Somebody looks around in the group, and at its state through VFIO. */
static void look_around(struct race *race, unsigned int *seed)
{
	struct group group;
	__u32 flags;
	int ret;

	read_file(race, "type");
	read_file(race, "reserved_regions");
	read_file(race, "dma_owner");
	read_file(race, "dma_owner_count");
	check_table(race);
	read_logs(race);
	group_read(&group, race->scene->group->id);
	pthread_rwlock_rdlock(&race->group_lock);
	ret = vfio_group_flags(race->group, &flags);
	pthread_rwlock_unlock(&race->group_lock);
	if (ret)
		race_fail(race, "GET_STATUS: %s", strerror(-ret));
	pause_up_to(seed, 100000);
}

race_actor *const race_actors[] = {
	be_user, be_user, bind_b, bind_card, plug_card, look_around,
};

/*
 * Refusals of binds and of claims share a limit, so in the race the log may have
 * told of the one kind only. Refuse one of each when it is quiet. 0 or -errno.
 */
int race_refuse_both(struct race *race)
{
	unsigned int seed = 0;
	int container, ret;
	char text[32];

	container = vfio_open_container();
	if (container < 0)
		return container;
	snprintf(text, sizeof(text), "group %d", race->scene->group->id);
	ret = kmsg_wait_quiet(text);
	if (!ret)
		ret = pci_bind(race->scene->b, B_DRIVER);
	if (ret)
		goto close_container;
	claim(race, container);
	ret = pci_unbind(race->scene->b);
	if (!ret && claim(race, container)) {
		bind_b(race, &seed);
		release(race);
	}
	read_logs(race);
close_container:
	close(container);
	return ret;
}
