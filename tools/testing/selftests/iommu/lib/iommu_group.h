/* SPDX-License-Identifier: GPL-2.0-only */
/* IOMMUs and their groups, through sysfs. */
#ifndef SELFTESTS_IOMMU_IOMMU_GROUP_H
#define SELFTESTS_IOMMU_IOMMU_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "pci.h"

#define GROUP_MAX_DEVS	160

/* An IOMMU group and its PCI devices. */
struct group {
	int id;
	int ndevs;
	struct pci_dev devs[GROUP_MAX_DEVS];
};

int group_link(const char *path);
int group_of(const char *bdf);
int group_read(struct group *group, int id);
int group_list(struct group *groups, int max);
int group_value(int id, const char *attr, char *value, size_t len);
bool group_owner_is(int id, const char *owner, const char *count);
bool iommu_is(const char *bdf, const char *part);
int iommu_fault_text(const char *bdf, __u64 iova, char *text, size_t len);

#endif
