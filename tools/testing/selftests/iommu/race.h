/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The race of dma_owner_race_test: what its actors share, and who they are.
 */
#ifndef SELFTESTS_IOMMU_RACE_H
#define SELFTESTS_IOMMU_RACE_H

#include <pthread.h>
#include <stdatomic.h>

#include "scene.h"

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

/* Each takes a turn of its own, again and again, and goes on from @seed. */
typedef void race_actor(struct race *race, unsigned int *seed);

#define RACE_ACTORS	6

extern race_actor *const race_actors[RACE_ACTORS];

void race_fail(struct race *race, const char *format, ...);
unsigned long race_changes(struct race *race);
int race_refuse_both(struct race *race);

#endif
