/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of devices, as udev gets them from the kernel, for tests. Every
 * function returns a negative errno if it fails.
 */
#ifndef SELFTESTS_IOMMU_UEVENT_H
#define SELFTESTS_IOMMU_UEVENT_H

int uevent_open(void);
int uevent_count(int uevents, const char *action, const char *text);

#endif
