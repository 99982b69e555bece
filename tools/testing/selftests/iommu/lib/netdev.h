/* SPDX-License-Identifier: GPL-2.0-only */
/* Network interfaces. */
#ifndef SELFTESTS_IOMMU_NETDEV_H
#define SELFTESTS_IOMMU_NETDEV_H

int netdev_check(const char *bdf);

#endif
