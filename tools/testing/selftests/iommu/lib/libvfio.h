/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small library for tests of VFIO and IOMMU groups: a header for each topic,
 * of which these are the ones that most tests need.
 *
 * Every function that returns int returns 0 (or what its comment says) or a
 * negative errno, and none prints: what an error means is for the test to say.
 * A device is named by its address as in sysfs, "0000:02:01.0".
 */
#ifndef SELFTESTS_IOMMU_LIBVFIO_H
#define SELFTESTS_IOMMU_LIBVFIO_H

#include "iommu_group.h"
#include "kmsg.h"
#include "memory.h"
#include "netdev.h"
#include "pci.h"
#include "process.h"
#include "sysfs.h"
#include "vfio.h"
#include "vfio_device.h"
#include "vfio_user.h"

#endif
