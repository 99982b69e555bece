/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A group that changes hands, while somebody reads the table of owners.
 */
#ifndef SELFTESTS_IOMMU_TABLE_CONTEST_H
#define SELFTESTS_IOMMU_TABLE_CONTEST_H

#include <stdbool.h>

#include "lib/vfio_user.h"

/* Somebody who reads all the time while a group changes hands. */
struct reader {
	int id;
	int ndevs;
	bool stop;
	int tables;
	int owners[4];	/* by what table_owner() tells */
	int mixtures;
	char mixture[192];
};

/*
 * Two who want the group: one binds B to its driver and unbinds it, the other
 * claims and releases. A bind takes as long as hundreds of claims, so for every
 * bind that succeeds the claims get CLAIMS_PER_BIND turns.
 */
#define CLAIMS_PER_BIND	250

struct contest {
	const char *bdf;
	struct vfio_user *user;
	int claimed;
	int bound;
	int refused;
	int errors;
	bool stop;
};

void stop_thread(bool *stop);
void *reader_run(void *data);
void *contest_bind(void *data);
int contest_claim(struct contest *contest, int claims);

#endif
