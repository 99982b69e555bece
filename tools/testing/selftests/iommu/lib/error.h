/* SPDX-License-Identifier: GPL-2.0-only */
/* What a system call returned, as a result of this library. */
#ifndef SELFTESTS_IOMMU_ERROR_H
#define SELFTESTS_IOMMU_ERROR_H

#include <errno.h>
#include <sys/types.h>

static inline int errno_of(int ret)
{
	return ret < 0 ? -errno : ret;
}

/* What became of a transfer of @len bytes of which @n were done. */
static inline int all_of(ssize_t n, size_t len)
{
	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -EIO;
}

#endif
