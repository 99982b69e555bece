// SPDX-License-Identifier: GPL-2.0-only
/*
 * A walk that nobody wrote down: operations on all groups at once, drawn at
 * random, and after each a look at all that the model of random_model.h expects.
 *
 * The walk has stages. Each starts anew, in the state of model_reset() and with a
 * seed of its own, one more than that of the stage before. What a failure tells
 * is the seed of its stage and the shortest sequence that still fails.
 *
 *   dma_owner_random_test [--seed NUMBER] [--steps NUMBER] [--faults 0]
 *
 * The same in the environment: VMTEST_SEED, VMTEST_STEPS and VMTEST_FAULTS. And
 * VMTEST_SOAK: minutes to walk, from a fresh seed if none is given. Without faults
 * no allocation fails, should what this does to a kernel hide the rest.
 *
 * Each step is in the kernel's log before it is taken, should it be the last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/fault.h"
#include "random_steps.h"
#include "scene_test.h"

#define STEPS		2000
#define MAX_SECONDS	1800
#define SHORTEN_SECONDS	240
#define GRACE_SECONDS	(60 + SHORTEN_SECONDS)
#define TELL_SECONDS	30

static unsigned long number_from(const char *name)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : 0;
}

static int soak_seconds(void)
{
	return number_from("VMTEST_SOAK") * 60;
}

static unsigned int first_seed(void)
{
	unsigned int seed = number_from("VMTEST_SEED");

	if (!seed && soak_seconds())
		seed = time(NULL) ^ getpid() << 16;
	return seed ? seed : 1;
}

static unsigned long steps_wanted(void)
{
	unsigned long steps = number_from("VMTEST_STEPS");

	return steps ? steps : STEPS;
}

static bool faults_wanted(void)
{
	return !getenv("VMTEST_FAULTS") || number_from("VMTEST_FAULTS");
}

struct run {
	struct walk walk;
	struct sequence sequence;
	unsigned int seed;	/* of the next stage */
	unsigned long steps;
	time_t start;
	time_t told;
	char fault[256];
};

FIXTURE(random)
{
	struct run run;
};

FIXTURE_SETUP(random)
{
	struct run *run = &self->run;
	struct walk *walk = &run->walk;

	walk->tally = calloc(step_kinds(), sizeof(*walk->tally));
	ASSERT_NE(NULL, walk->tally);
	walk->fault = faults_wanted() ? fault_open() : -1;
	ASSERT_TRUE(walk->fault >= 0 || !faults_wanted());
	ASSERT_EQ(0, machine_find(&walk->machine));
	run->seed = first_seed();
	run->start = time(NULL);
	run->told = run->start;
}

FIXTURE_TEARDOWN(random)
{
	char why[128];

	EXPECT_EQ(0, machine_reset(&self->run.walk.machine, why, sizeof(why)))
		TH_LOG("%s", why);
	EXPECT_EQ(0, pci_autoprobe(true));
	close(self->run.walk.fault);
	free(self->run.walk.tally);
}

static void print_sequence(const struct walk *walk, const struct sequence *sequence)
{
	char text[128];
	int i;

	for (i = 0; i < sequence->len; i++) {
		step_print(walk, &sequence->steps[i], text, sizeof(text));
		printf("#   %d: %s\n", i + 1, text);
	}
	printf("#   %s\n", sequence->why);
	fflush(stdout);
}

/* Find the shortest sequence that fails, where it does again. */
static void explain(struct walk *walk, const struct sequence *sequence)
{
	struct sequence again = *sequence;
	int ret, times;

	ret = walk_again(walk, &again);
	if (!ret || again.failed < 0) {
		printf("# %s: %s; all steps were:\n",
		       ret ? "no second try" : "not so in a second try",
		       ret ? again.why : "no step failed");
		print_sequence(walk, sequence);
		return;
	}
	times = walk_shorten(walk, &again, SHORTEN_SECONDS);
	printf("# the shortest sequence that fails, of %d that were tried:\n", times);
	print_sequence(walk, &again);
}

static void report(struct run *run)
{
	unsigned int op;

	for (op = 0; op < step_kinds(); op++) {
		const struct tally *tally = &run->walk.tally[op];

		printf("# %-16s %5u, refused %4u, with a failed allocation %4u\n",
		       step_name(op), tally->done, tally->refused, tally->faults);
	}
	printf("# steps: %lu (up to seed %u)\n", run->steps, run->seed - 1);
	fflush(stdout);
}

static void report_progress(struct run *run)
{
	if (time(NULL) < run->told + TELL_SECONDS)
		return;
	run->told = time(NULL);
	printf("# %lu steps, up to seed %u\n", run->steps, run->seed - 1);
	fflush(stdout);
}

/* How many steps the next stage has; 0 for no next stage. */
static unsigned long next_steps(struct run *run)
{
	unsigned long left = steps_wanted() - run->steps;

	if (soak_seconds())
		left = time(NULL) - run->start < soak_seconds() ? MAX_STEPS : 0;
	return left < MAX_STEPS ? left : MAX_STEPS;
}

/* One stage: 0, or -errno after it was told what failed. */
static int stage(struct run *run, int len)
{
	struct sequence *sequence = &run->sequence;
	unsigned int seed = run->seed++;
	char line[64];
	int ret;

	snprintf(line, sizeof(line), "random: seed %u\n", seed);
	sysfs_write("/dev/kmsg", line);
	ret = walk_random(&run->walk, sequence, seed, len);
	run->steps += sequence->len;
	if (!ret)
		return 0;
	snprintf(run->fault, sizeof(run->fault), "seed %u: step %d: %s", seed,
		 sequence->len, sequence->why);
	printf("# %s\n", run->fault);
	fflush(stdout);
	explain(&run->walk, sequence);
	return ret;
}

TEST_F_TIMEOUT(random, walk, MAX_SECONDS + GRACE_SECONDS)
{
	struct run *run = &self->run;
	unsigned int op;
	int len;

	printf("# from seed %u on\n", run->seed);
	fflush(stdout);
	do {
		len = next_steps(run);
		report_progress(run);
	} while (len && !stage(run, len));
	EXPECT_STREQ("", run->fault);
	report(run);
	for (op = 0; !len && run->steps >= STEPS && op < step_kinds(); op++)
		EXPECT_LT(0, run->walk.tally[op].done) TH_LOG("%s", step_name(op));
}

/* The harness takes constants for timeouts. */
static void __attribute__((constructor)) allow_for_soak(void)
{
	_random_walk_object.timeout += soak_seconds();
}

static int help(const char *self)
{
	fprintf(stderr, "%s takes [--seed NUMBER] [--steps NUMBER] [--faults 0]\n",
		self);
	return 2;
}

/* The harness knows no arguments, so they go into the environment. */
static int take_arguments(int argc, char **argv)
{
	static const char * const known[][2] = {
		{ "--seed", "VMTEST_SEED" },
		{ "--steps", "VMTEST_STEPS" },
		{ "--faults", "VMTEST_FAULTS" },
	};
	unsigned int k;
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		for (k = 0; k < ARRAY_SIZE(known); k++) {
			if (!strcmp(argv[i], known[k][0]))
				break;
		}
		if (k == ARRAY_SIZE(known))
			return help(argv[0]);
		setenv(known[k][1], argv[i + 1], 1);
	}
	return i < argc ? help(argv[0]) : 0;
}

#define main harness_main
TEST_HARNESS_MAIN
#undef main

int main(int argc, char **argv)
{
	int ret = take_arguments(argc, argv);

	return ret ? ret : harness_main(argc, argv);
}
