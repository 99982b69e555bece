/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of groups and their owners in debugfs, for tests.
 */
#ifndef SELFTESTS_IOMMU_OWNER_TABLE_H
#define SELFTESTS_IOMMU_OWNER_TABLE_H

#include "libvfio.h"

#define OWNER_TABLE	"/sys/kernel/debug/iommu/groups"

/* What the table tells about one group. */
struct table_group {
	int id;
	char owner[16];
	char task[96];
	char domain[16];
	int ndevs;
	struct table_dev {
		char device[64];
		char driver[64];
		char claim[16];
	} devs[GROUP_MAX_DEVS];
};

int table_read(struct table_group *found, int id);
const struct table_dev *table_find(const struct table_group *group,
				   const char *bdf);
int table_claims(const struct table_group *group);
int table_owner(const struct table_group *group);

#endif
