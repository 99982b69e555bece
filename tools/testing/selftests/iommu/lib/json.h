/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a program's output is JSON. */
#ifndef SELFTESTS_IOMMU_JSON_H
#define SELFTESTS_IOMMU_JSON_H

#include <stdbool.h>

bool is_json(const char *text);

#endif
