/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel log. */
#ifndef SELFTESTS_IOMMU_KMSG_H
#define SELFTESTS_IOMMU_KMSG_H

#include <linux/types.h>

int kmsg_open(void);
int kmsg_find(int kmsg, const char *text);
int kmsg_wait(int kmsg, const char *text, int seconds);
int kmsg_wait_quiet(const char *text);
int kmsg_time(const char *text, __u64 *us);

#endif
