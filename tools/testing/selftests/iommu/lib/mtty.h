/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mediated device: a serial port of the kernel's sample mtty, which is in a
 * group of its own and has no IOMMU. Errors are as in libvfio.h.
 */
#ifndef SELFTESTS_IOMMU_MTTY_H
#define SELFTESTS_IOMMU_MTTY_H

#include "libvfio.h"

#define MTTY_UUID	"83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
#define MTTY_ID		0x32534348
/* The scratch register of its port, in BAR 0. */
#define MTTY_SCRATCH	7

int mtty_load(void);
int mtty_create(void);
int mtty_remove(void);
int mtty_group(void);
int mtty_write(int device, __u8 value);
int mtty_read(int device, __u8 *value);

#endif
