// SPDX-License-Identifier: GPL-2.0-only
/*
 * The owner of an IOMMU group in sysfs, for everybody to read
 *
 * Documentation/ABI/testing/sysfs-kernel-iommu_groups describes the files.
 * dma-owner.c has the vocabulary.
 */

#include <linux/mutex.h>
#include <linux/sysfs.h>
#include "iommu-group.h"

static ssize_t show_dma_owner(struct iommu_group *group, char *buf)
{
	const char *owner;

	mutex_lock(&group->mutex);
	owner = iommu_dma_owner_name(group);
	mutex_unlock(&group->mutex);

	return sysfs_emit(buf, "%s\n", owner);
}

static ssize_t show_dma_owner_count(struct iommu_group *group, char *buf)
{
	unsigned int count;

	mutex_lock(&group->mutex);
	count = iommu_dma_owner_count(group);
	mutex_unlock(&group->mutex);

	return sysfs_emit(buf, "%u\n", count);
}

static IOMMU_GROUP_ATTR(dma_owner, 0444, show_dma_owner, NULL);
static IOMMU_GROUP_ATTR(dma_owner_count, 0444, show_dma_owner_count, NULL);

static struct attribute *iommu_dma_owner_attrs[] = {
	&iommu_group_attr_dma_owner.attr,
	&iommu_group_attr_dma_owner_count.attr,
	NULL
};

static const struct attribute_group iommu_dma_owner_group = {
	.attrs = iommu_dma_owner_attrs,
};

/* The files of every group */
const struct attribute_group *iommu_dma_owner_groups[] = {
	&iommu_dma_owner_group,
	NULL
};
