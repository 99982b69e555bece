/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fault injection into a task's own allocations, with any flags and size.
 *
 * Errors are as in libvfio.h.
 */
#ifndef SELFTESTS_IOMMU_FAULT_H
#define SELFTESTS_IOMMU_FAULT_H

int fault_open(void);
int fault_arm(int fd, unsigned int nth);
int fault_disarm(int fd);

#endif
