// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users, drivers and hot-plug race for one group, and never share it.
 *
 * Each actor knows for certain what it has from when the call that gave it
 * returned until it makes the call that takes it away, and says so in between:
 * "owned" for a user, "bound" for B's driver. Both at once would be a mixture.
 * As each first says what it has and then looks at the other, one of the two
 * sees it. A user who owns the group also looks at the links to the siblings'
 * drivers, which are there for no longer than the kernel's claim.
 *
 * What the kernel tells of the race has to agree: the table in debugfs and the
 * log while it goes on, and afterwards the trace events, replayed one by one.
 *
 * VMTEST_SOAK in the environment: minutes for each topology, if not 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "edu.h"
#include "owner_table.h"
#include "scene.h"
#include "tracefs.h"

#define CHANGES		10000	/* a run ends when it has made so many, */
#define SLOW_CHANGES	2000	/* or, on a kernel that checks all memory, these, */
#define MIN_SECONDS	25	/* but not before this, */
#define MAX_SECONDS	900	/* and, with fewer, fails after this */
#define GRACE_SECONDS	60
#define TELL_SECONDS	30	/* or the machine seems to hang */
#define TRACE_KB	8192	/* for each CPU: all the events of such a run */
#define TRACE_KB_USUAL	1408
#define LINK_SECONDS	10
/*
 * A kernel driver that does nothing: to enable a device evaluates ACPI methods,
 * which takes longer than all the rest of a bind.
 */
#define B_DRIVER	"pci-pf-stub"

/* What is counted. Each of the first four changes who owns the group. */
enum event {
	CLAIMED,
	RELEASED,
	BOUND,
	UNBOUND,
	CLAIM_REFUSED,
	BIND_REFUSED,
	FOUND,
	READ,
	CLAIM_LOGGED,
	BIND_LOGGED,
	NEVENTS,
};

struct race {
	struct scene *scene;
	const char *card;
	int group;
	int kmsg;
	/* Write-locked by who closes the group's descriptor. */
	pthread_rwlock_t group_lock;
	atomic_bool owned;
	atomic_bool bound;
	atomic_bool stop;
	atomic_ulong count[NEVENTS];
	/* The first thing that went wrong. */
	pthread_mutex_t fault_lock;
	char fault[256];
};

static void fail(struct race *race, const char *format, ...)
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

static unsigned long changes(struct race *race)
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
		fail(race, "dma_owner cannot be read: %s", strerror(-ret));
	else if (strcmp(owner, expected))
		fail(race, "dma_owner is %s, not %s", owner, expected);
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
		fail(race, "owned while %s is bound", race->scene->b);
	for (i = 0; i < group->ndevs; i++) {
		if (!pci_driver(group->devs[i].bdf, driver, sizeof(driver)) &&
		    !is_harmless(driver))
			fail(race, "owned while %s is bound to %s",
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
		fail(race, "cannot use the group: %s", strerror(-ret));
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
		fail(race, "SET_CONTAINER: %s", strerror(-ret));
	return false;
}

static void release(struct race *race)
{
	int ret;

	race->owned = false;
	ret = vfio_unset_container(race->group);
	if (ret)
		fail(race, "UNSET_CONTAINER: %s", strerror(-ret));
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
		fail(race, "cannot open the group: %s", strerror(-race->group));
}

/* A user comes and goes. */
static void be_user(struct race *race, unsigned int *seed)
{
	int container, times;

	container = vfio_open_container();
	if (container < 0) {
		fail(race, "no container: %s", strerror(-container));
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
		fail(race, "bind of %s: %s", b, strerror(-ret));
		return;
	}
	race->bound = true;
	count(race, BOUND);
	if (race->owned)
		fail(race, "%s bound while owned", b);
	check_attribute(race, "kernel");
	race->bound = false;
	ret = pci_unbind(b);
	if (ret)
		fail(race, "unbind of %s: %s", b, strerror(-ret));
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
		fail(race, "bind of %s: %s", race->card, strerror(-ret));
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
		fail(race, "remove of %s: %s", race->card, strerror(-ret));
	pause_up_to(seed, 5000);
	pci_rescan();
	if (group_of(race->card) == race->scene->group->id)
		count(race, FOUND);
	else
		fail(race, "%s is not in its group again", race->card);
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
		fail(race, "%s: %s", OWNER_TABLE, strerror(-ret));
	else if (table_owner(&table) < 0)
		fail(race, "the table shows owner %s, task %s, domain %s, and %d claims",
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
		fail(race, "GET_STATUS: %s", strerror(-ret));
	pause_up_to(seed, 100000);
}

static void (*const actors[])(struct race *race, unsigned int *seed) = {
	be_user, be_user, bind_b, bind_card, plug_card, look_around,
};

#define NACTORS ARRAY_SIZE(actors)

struct thread {
	pthread_t id;
	struct race *race;
	unsigned int number;
};

static void *act(void *arg)
{
	struct thread *thread = arg;
	unsigned int seed = thread->number;

	while (!thread->race->stop)
		actors[thread->number](thread->race, &seed);
	return NULL;
}

static long seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec;
}

static int soak_seconds(void)
{
	const char *minutes = getenv("VMTEST_SOAK");

	return minutes ? atoi(minutes) * 60 : 0;
}

/* KASAN and kmemleak, which go together, make a kernel about ten times slower. */
static unsigned long changes_wanted(void)
{
	return access("/sys/kernel/debug/kmemleak", F_OK) ? CHANGES :
							    SLOW_CHANGES;
}

/* Wait until there was enough of it, or something went wrong. */
static void wait_for_end(struct race *race)
{
	unsigned long wanted = changes_wanted();
	int soak = soak_seconds();
	struct timespec start;
	long seconds, told = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!race->stop) {
		usleep(100000);
		seconds = seconds_since(&start);
		if (seconds >= told + TELL_SECONDS) {
			told = seconds;
			printf("# %lu changes in %ld s\n", changes(race), told);
			fflush(stdout);
		}
		if (soak ? seconds >= soak :
			   seconds >= MAX_SECONDS ||
			   (seconds >= MIN_SECONDS && changes(race) >= wanted))
			race->stop = true;
	}
}

static void run(struct race *race)
{
	struct thread threads[NACTORS];
	unsigned int i;

	for (i = 0; i < NACTORS; i++) {
		threads[i] = (struct thread){ .race = race, .number = i };
		if (pthread_create(&threads[i].id, NULL, act, &threads[i])) {
			fail(race, "no thread");
			break;
		}
	}
	wait_for_end(race);
	while (i--)
		pthread_join(threads[i].id, NULL);
}

static int record_events(int group)
{
	char filter[32];
	int ret;

	ret = trace_keep("counter", TRACE_KB);
	snprintf(filter, sizeof(filter), "gid == %d", group);
	return ret ? ret : trace_start(filter);
}

/* The race once more, as its events tell it. */
struct replay {
	struct race *race;
	bool owned;
	int claims;
	unsigned long count[NEVENTS];
};

static void replay_change(struct replay *replay, const char *line, bool set)
{
	if (strstr(line, "owner=user")) {
		if (replay->owned == set || replay->claims)
			fail(replay->race, "with %d claims: %s", replay->claims,
			     line);
		replay->owned = set;
		replay->count[set ? CLAIMED : RELEASED]++;
	} else {
		replay->claims += set ? 1 : -1;
		if (replay->owned || replay->claims < 0)
			fail(replay->race, "owned or not claimed: %s", line);
		replay->count[set ? BOUND : UNBOUND]++;
	}
}

static void replay_refusal(struct replay *replay, const char *line)
{
	if (strstr(line, "error=-16")) {
		if (!replay->owned)
			fail(replay->race, "without an owner: %s", line);
		replay->count[BIND_REFUSED]++;
	} else {
		if (!replay->owned && !replay->claims)
			fail(replay->race, "without a claim: %s", line);
		replay->count[CLAIM_REFUSED]++;
	}
}

static void replay_event(void *data, const char *line)
{
	if (strstr(line, ": dma_owner_refused: "))
		replay_refusal(data, line);
	else
		replay_change(data, line, strstr(line, ": dma_owner_set: "));
}

FIXTURE(race)
{
	struct scene scene;
	struct race race;
	struct replay replay;
};

FIXTURE_VARIANT(race)
{
	enum topology topology;
};

FIXTURE_VARIANT_ADD(race, aliased)
{
	.topology = ALIASED,
};

FIXTURE_VARIANT_ADD(race, distinct)
{
	.topology = DISTINCT,
};

FIXTURE_SETUP(race)
{
	struct race *race = &self->race;
	const struct pci_dev *card;

	if (!scene_exists(variant->topology))
		SKIP_CASE("no group of this kind");
	ASSERT_EQ(0, scene_setup(&self->scene, variant->topology));
	card = find_dev(self->scene.group, REALTEK_VENDOR, RTL8139_DEVICE);
	ASSERT_NE(NULL, card);
	ASSERT_EQ(0, system("modprobe 8139cp"));
	ASSERT_EQ(0, pci_switch(card->bdf, ""));
	ASSERT_EQ(0, pci_override(self->scene.b, B_DRIVER));
	race->scene = &self->scene;
	race->card = card->bdf;
	race->group = vfio_open_group(self->scene.group->id);
	ASSERT_LE(0, race->group);
	pthread_rwlock_init(&race->group_lock, NULL);
	pthread_mutex_init(&race->fault_lock, NULL);
	self->replay.race = race;
	race->kmsg = kmsg_open();
	ASSERT_LE(0, race->kmsg);
	ASSERT_EQ(0, record_events(self->scene.group->id));
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_EQ(0, trace_stop());
	EXPECT_EQ(0, trace_keep("local", TRACE_KB_USUAL));
	close(self->race.kmsg);
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/*
 * Refusals of binds and of claims share a limit, so in the race the log may have
 * told of the one kind only. Refuse one of each when it is quiet. 0 or -errno.
 */
static int refuse_both(struct race *race)
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

static void report(struct race *race)
{
	printf("# ownership changes: %lu (%lu claims, %lu releases, %lu binds, %lu unbinds)\n",
	       changes(race), race->count[CLAIMED], race->count[RELEASED],
	       race->count[BOUND], race->count[UNBOUND]);
	printf("# refused: %lu claims, %lu binds; of these logged: %lu and %lu\n",
	       race->count[CLAIM_REFUSED], race->count[BIND_REFUSED],
	       race->count[CLAIM_LOGGED], race->count[BIND_LOGGED]);
	printf("# the card was found again: %lu, files were read: %lu\n",
	       race->count[FOUND], race->count[READ]);
	fflush(stdout);
}

/* Of a longer run the first events are overwritten. */
static bool events_fit(void)
{
	return !soak_seconds();
}

TEST_F_TIMEOUT(race, no_mixture, MAX_SECONDS + GRACE_SECONDS)
{
	const unsigned long *told = self->replay.count;
	struct race *race = &self->race;
	struct scene *scene = &self->scene;
	int i;

	run(race);
	EXPECT_STREQ("", race->fault);
	/* The last to come may have got its driver */
	ASSERT_EQ(0, pci_switch(race->card, ""));
	ASSERT_EQ(0, refuse_both(race));
	close(race->group);
	report(race);
	EXPECT_STREQ("", race->fault);
	EXPECT_LE(changes_wanted(), changes(race));
	for (i = 0; i < NEVENTS; i++)
		EXPECT_LT(0, race->count[i]);

	ASSERT_EQ(0, trace_stop());
	if (events_fit()) {
		ASSERT_EQ(0, trace_for_each(replay_event, &self->replay));
		EXPECT_STREQ("", race->fault);
		EXPECT_EQ(race->count[CLAIMED], told[CLAIMED]);
		EXPECT_EQ(race->count[RELEASED], told[RELEASED]);
		EXPECT_EQ(told[BOUND], told[UNBOUND]);
		/* A bind may probe twice, and many be in the way of a claim */
		EXPECT_LE(race->count[BOUND], told[BOUND]);
		EXPECT_LE(race->count[BIND_REFUSED], told[BIND_REFUSED]);
		EXPECT_LE(race->count[CLAIM_REFUSED], told[CLAIM_REFUSED]);
	}

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	vfio_user_close(&scene->user);
	ASSERT_EQ(0, pci_switch(scene->b, "e1000"));
	EXPECT_EQ(0, netdev_check(scene->b, LINK_SECONDS));
}

/* The harness takes constants for timeouts. */
static void __attribute__((constructor)) allow_for_soak(void)
{
	_race_no_mixture_object.timeout += soak_seconds();
}

TEST_HARNESS_MAIN
