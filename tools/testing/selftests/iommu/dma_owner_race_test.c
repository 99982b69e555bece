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
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/tracefs.h"
#include "race.h"
#include "scene_test.h"

#define CHANGES		3000	/* a run ends when it has made so many, */
#define SLOW_CHANGES	2000	/* or, on a kernel that checks all memory, these, */
#define MIN_SECONDS	25	/* but not before this, */
#define MAX_SECONDS	900	/* and, with fewer, fails after this */
#define GRACE_SECONDS	60
#define TELL_SECONDS	30	/* or the machine seems to hang */
#define TRACE_KB	8192	/* for each CPU: all the events of such a run */
#define TRACE_KB_USUAL	1408

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
		race_actors[thread->number](thread->race, &seed);
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
			printf("# %lu changes in %ld s\n", race_changes(race), told);
			fflush(stdout);
		}
		if (soak ? seconds >= soak :
			   seconds >= MAX_SECONDS ||
			   (seconds >= MIN_SECONDS && race_changes(race) >= wanted))
			race->stop = true;
	}
}

static void run(struct race *race)
{
	struct thread threads[RACE_ACTORS];
	unsigned int i;

	for (i = 0; i < RACE_ACTORS; i++) {
		threads[i] = (struct thread){ .race = race, .number = i };
		if (pthread_create(&threads[i].id, NULL, act, &threads[i])) {
			race_fail(race, "no thread");
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
			race_fail(replay->race, "with %d claims: %s",
				  replay->claims, line);
		replay->owned = set;
		replay->count[set ? CLAIMED : RELEASED]++;
	} else {
		replay->claims += set ? 1 : -1;
		if (replay->owned || replay->claims < 0)
			race_fail(replay->race, "owned or not claimed: %s", line);
		replay->count[set ? BOUND : UNBOUND]++;
	}
}

static void replay_refusal(struct replay *replay, const char *line)
{
	if (strstr(line, "error=-16")) {
		if (!replay->owned)
			race_fail(replay->race, "without an owner: %s", line);
		replay->count[BIND_REFUSED]++;
	} else {
		if (!replay->owned && !replay->claims)
			race_fail(replay->race, "without a claim: %s", line);
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

SCENE_VARIANTS(race);

FIXTURE_SETUP(race)
{
	struct race *race = &self->race;
	const struct pci_dev *card;

	setup_scene(&self->scene, variant->topology);
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

static void report(struct race *race)
{
	printf("# ownership changes: %lu (%lu claims, %lu releases, %lu binds, %lu unbinds)\n",
	       race_changes(race), race->count[CLAIMED], race->count[RELEASED],
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
	ASSERT_EQ(0, race_refuse_both(race));
	close(race->group);
	report(race);
	EXPECT_STREQ("", race->fault);
	EXPECT_LE(changes_wanted(), race_changes(race));
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
	EXPECT_EQ(0, netdev_check(scene->b));
}

/* The harness takes constants for timeouts. */
static void __attribute__((constructor)) allow_for_soak(void)
{
	_race_no_mixture_object.timeout += soak_seconds();
}

TEST_HARNESS_MAIN
