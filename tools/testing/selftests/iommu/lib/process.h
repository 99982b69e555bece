/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes: the caller's name and number as the kernel prints those of an owner,
 * children, and what is handed to others.
 */
#ifndef SELFTESTS_IOMMU_PROCESS_H
#define SELFTESTS_IOMMU_PROCESS_H

#include <sys/types.h>

const char *myself(void);
pid_t start_as(pid_t pid);
int stop_child(pid_t pid);
int child_status(pid_t pid);
int send_fd(int sock, int fd);

#endif
