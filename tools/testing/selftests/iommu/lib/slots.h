/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI Express hot-plug slots of qemu/devices.inc, which are empty at first. To
 * plug a card in, or to press the button of a slot, a test asks QEMU's monitor,
 * on the terminal that VMTEST_MONITOR names.
 *
 * Errors are as in libvfio.h.
 */
#ifndef SELFTESTS_IOMMU_SLOTS_H
#define SELFTESTS_IOMMU_SLOTS_H

#include <sys/types.h>

#include "libvfio.h"

/* The numbers of the slots. */
enum {
	SLOT_APART = 101,	/* its port has ACS: a card has its own group */
	SLOT_JOINED = 102,	/* its port has not, and is the one of PCIEPORT */
	SLOT_OTHER = 103,	/* like the first */
};

/* What makes the kernel part with a card. */
enum removal {
	BUTTON,		/* somebody presses the button, and waits 5 seconds */
	POWER,		/* root switches the slot off in sysfs */
	SURPRISE,	/* somebody pulls the card */
};

struct slot {
	int number;
	char port[PCI_BDF_LEN];
	char bus[PCI_BDF_LEN];		/* "0000:04:00" */
	char card[32];			/* QEMU's name for its function 0 */
	pid_t writer;
};

bool slot_exists(int number);
int slot_open(struct slot *slot, int number);
void slot_function(const struct slot *slot, int function, char *bdf);
int slot_plug(struct slot *slot, const char *const *functions);
int slot_remove(struct slot *slot, enum removal how);
int slot_wait_empty(struct slot *slot, int seconds);
int slot_clear(struct slot *slot);

#endif
