/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that owns groups until it is killed. Errors are as in libvfio.h.
 */
#ifndef SELFTESTS_IOMMU_OWNER_H
#define SELFTESTS_IOMMU_OWNER_H

#include <sys/types.h>

pid_t owner_begin(const char *const *devices);
int owner_kill(pid_t pid);
int owner_reap(pid_t pid, int seconds);

#endif
