/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sequences of operations on a machine: drawn at random, taken one by one with a
 * look at what the model expects, and shortened.
 */
#ifndef SELFTESTS_IOMMU_RANDOM_STEPS_H
#define SELFTESTS_IOMMU_RANDOM_STEPS_H

#include "random_machine.h"

#define MAX_STEPS	100

/* An operation, and what it is done to. */
struct step {
	unsigned int op;
	struct model_args args;
	unsigned int nth;	/* which allocation fails in it; 0 for none */
};

/* A sequence from the state of model_reset(), and what became of it. */
struct sequence {
	int len;
	struct step steps[MAX_STEPS];
	int failed;		/* the step that did, or -1 */
	char why[192];
};

/* What was done in all, by operation. */
struct tally {
	unsigned int done;
	unsigned int refused;
	unsigned int faults;
};

struct walk {
	struct machine machine;
	int fault;		/* see fault.h; -1 for no failing allocations */
	unsigned int seed;
	int focus;		/* the group that most steps are about */
	struct tally *tally;
};

unsigned int step_kinds(void);
const char *step_name(unsigned int op);
void step_print(const struct walk *walk, const struct step *step, char *text,
		size_t len);
int walk_random(struct walk *walk, struct sequence *sequence,
		unsigned int seed, int len);
int walk_again(struct walk *walk, struct sequence *sequence);
int walk_shorten(struct walk *walk, struct sequence *sequence, int seconds);

#endif
