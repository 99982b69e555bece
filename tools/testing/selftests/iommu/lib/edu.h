/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's "edu" device, as something that does DMA: it copies EDU_LEN bytes
 * between memory and a buffer of its own, in a tenth of a second.
 *
 * What is copied are patterns. Two patterns have no word in common, so that a
 * single word tells whether any of one went where it must not go.
 *
 * Errors are as in libvfio.h.
 */
#ifndef SELFTESTS_IOMMU_EDU_H
#define SELFTESTS_IOMMU_EDU_H

#include "libvfio.h"

#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8

#define EDU_LEN		1024
#define EDU_WORDS	(EDU_LEN / 8)

struct edu {
	void *bar;
	size_t size;
};

#define EDU_NONE { .bar = NULL }

int edu_open(struct edu *edu, int device);
int edu_open_bar(struct edu *edu, const char *bdf);
void edu_close(struct edu *edu);
int edu_pull(struct edu *edu, __u64 addr);
int edu_push(struct edu *edu, __u64 addr);
int edu_interrupts(struct edu *edu, int event);
int edu_dma_check(struct vfio_user *user);
int edu_answers(struct vfio_user *user);

void pattern_fill(void *mem, __u32 seed);
int pattern_words(const void *mem, __u32 seed);

#endif
