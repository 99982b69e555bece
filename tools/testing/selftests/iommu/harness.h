/* SPDX-License-Identifier: GPL-2.0-only */
/* The harness of the kselftests, with patience for a slow machine. */
#ifndef SELFTESTS_IOMMU_HARNESS_H
#define SELFTESTS_IOMMU_HARNESS_H

#include "../kselftest_harness.h"

/* Seconds for a case, with KASAN and lockdep, in an emulator, on a busy host. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 300

#endif
