/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices that work on the memory of whoever opens them: those of the mock IOMMU, see
 * drivers/iommu/tests/sva_hooks.c, and the endpoint of ../qemu/sva_endpoint.c.
 *
 * Errors are as in libvfio.h.
 */
#ifndef SELFTESTS_IOMMU_SVA_H
#define SELFTESTS_IOMMU_SVA_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include <linux/types.h>

#include "../../../../../drivers/iommu/tests/sva_test.h"

#define SVA_DRIVER	"sva-endpoint"

int sva_file(const char *device, char *name, size_t len);
int sva_open(const char *device);
int sva_pasid(int queue);

int sva_mock_set(const char *file, unsigned int value);
int sva_mock_get(const char *file, unsigned int *value);
int sva_hook(const char *file, const char *device);
int sva_let_go(void);
int sva_mock_device(unsigned int n, char *name, size_t len);
bool sva_mock_exists(void);

int sva_map(int queue, __u64 **registers);
void sva_unmap(__u64 *registers);
int sva_read(__u64 *registers, const void *from, __u64 *value);
int sva_write(__u64 *registers, void *to, __u64 value);
__u64 sva_requests(__u64 *registers);

#endif
