/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues that work on the memory of whoever opens them, as files of uacce.
 */
#ifndef __SVA_QUEUE_H
#define __SVA_QUEUE_H

#include <linux/types.h>

struct device;
struct sva_queues;

struct sva_queues *sva_queues_add(struct device *parent, void __iomem *registers,
				  phys_addr_t pages);
void sva_queues_remove(struct sva_queues *queues);

#endif /* __SVA_QUEUE_H */
