// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver of the endpoint of ../qemu/sva_endpoint.c as a module, for a kernel that
 * does not have it: see what that one does.
 */
#define SVA_ENDPOINT_WITHOUT_CLAIMS
#include "../../../../../drivers/iommu/tests/sva_queue.c"
#include "../../../../../drivers/iommu/tests/sva_endpoint_driver.c"

MODULE_LICENSE("GPL v2");
