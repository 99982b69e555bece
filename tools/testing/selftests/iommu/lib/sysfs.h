/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of sysfs, and others that take and give text. */
#ifndef SELFTESTS_IOMMU_SYSFS_H
#define SELFTESTS_IOMMU_SYSFS_H

#include <stddef.h>

int sysfs_write(const char *path, const char *value);
int sysfs_link(const char *path, char *name, size_t len);

#endif
