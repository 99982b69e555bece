/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace events of DMA ownership, or of attaches to domains, or of mappings,
 * through the files of tracefs, for tests.
 * Every function returns a negative errno if it fails.
 */
#ifndef SELFTESTS_IOMMU_TRACEFS_H
#define SELFTESTS_IOMMU_TRACEFS_H

#include <linux/types.h>

int trace_start(const char *filter);
int trace_stop(void);
int trace_attaches_start(const char *bdf);
int trace_attaches_stop(void);
int trace_maps_start(__u64 iova);
int trace_maps_stop(void);
int trace_count(const char *text);
int trace_keep(const char *clock, int kilobytes);
int trace_for_each(void (*visit)(void *data, const char *line), void *data);

#endif
