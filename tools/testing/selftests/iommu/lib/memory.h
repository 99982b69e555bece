/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory as the machine sees it, and where it ends. */
#ifndef SELFTESTS_IOMMU_MEMORY_H
#define SELFTESTS_IOMMU_MEMORY_H

#include <linux/types.h>

int phys_addr(const void *mem, __u64 *phys);
char *edge_of_memory(void);

#endif
