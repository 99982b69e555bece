/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that use one group at the same time.
 */
#ifndef SELFTESTS_IOMMU_ABI_THREADS_H
#define SELFTESTS_IOMMU_ABI_THREADS_H

#include <pthread.h>
#include <stdbool.h>

#define RACERS		4

/* A thread that puts the group into a container of its own, at a signal. */
struct racer {
	pthread_t thread;
	pthread_barrier_t *start;
	int container;
	int group;
	int ret;
};

/* A thread that opens and closes A, whether there is a container or not. */
struct opener {
	pthread_t thread;
	const char *bdf;
	int group;
	bool stop;
	int opened;
	int error;
};

int race(struct racer *racers, pthread_barrier_t *start);
void *opener_run(void *data);
int unset_at_last(int group);

#endif
