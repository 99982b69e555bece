// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommu_group.h"
#include "sysfs.h"

#define IOMMU_GROUPS	"/sys/kernel/iommu_groups"

/* Number of the IOMMU group that the symlink @path leads to, or -ENOENT. */
int group_link(const char *path)
{
	char name[16];
	int ret;

	ret = sysfs_link(path, name, sizeof(name));
	return ret ? ret : atoi(name);
}

/* Number of the IOMMU group of @bdf; -ENOENT where it has none. */
int group_of(const char *bdf)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/iommu_group", bdf);
	return group_link(path);
}

/*
 * How the drivers of IOMMUs tell of a fault, by a part of the IOMMUs' paths. Of
 * the address only the page number counts: an access may come in pieces.
 */
static const struct {
	const char *iommu;
	const char *format;
} faults[] = {
	{ "/dmar",	"%llx000 [fault reason" },
	{ "/ivhd",	"address=0x%llx" },
	{ "/smmu3",	"0x%013llx" },
	{ "/virtio",	" at 0x%llx" },
	{ NULL },
};

/* Is the owner of the group @owner in sysfs, with @count claims? */
bool group_owner_is(int id, const char *owner, const char *count)
{
	char value[32];

	return !group_value(id, "dma_owner", value, sizeof(value)) &&
	       !strcmp(value, owner) &&
	       !group_value(id, "dma_owner_count", value, sizeof(value)) &&
	       !strcmp(value, count);
}

/* Has the path of @bdf's IOMMU @part in it? */
bool iommu_is(const char *bdf, const char *part)
{
	char path[PATH_MAX], target[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/iommu", bdf);
	return realpath(path, target) && strstr(target, part);
}

/*
 * What the log says of an access of @bdf to the page @iova, where nothing is
 * mapped, into @text. -ENOENT where the IOMMU's driver is not known to say
 * anything.
 */
int iommu_fault_text(const char *bdf, __u64 iova, char *text, size_t len)
{
	int i;

	for (i = 0; faults[i].iommu; i++) {
		if (!iommu_is(bdf, faults[i].iommu))
			continue;
		snprintf(text, len, faults[i].format,
			 (unsigned long long)iova >> 12);
		return 0;
	}
	return -ENOENT;
}

static int by_bdf(const void *a, const void *b)
{
	const struct pci_dev *x = a, *y = b;

	return strcmp(x->bdf, y->bdf);
}

/*
 * Fill @group with the PCI devices of group @id, sorted by address. -E2BIG
 * where it has more than GROUP_MAX_DEVS.
 */
int group_read(struct group *group, int id)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	memset(group, 0, sizeof(*group));
	group->id = id;
	snprintf(path, sizeof(path), IOMMU_GROUPS "/%d/devices", id);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !pci_present(entry->d_name))
			continue;
		ret = group->ndevs == GROUP_MAX_DEVS ? -E2BIG :
			pci_read(&group->devs[group->ndevs++], entry->d_name);
	}
	closedir(dir);
	qsort(group->devs, group->ndevs, sizeof(group->devs[0]), by_bdf);
	return ret;
}

static int by_id(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->id - y->id;
}

/* Read up to @max IOMMU groups, sorted by number; returns how many. */
int group_list(struct group *groups, int max)
{
	struct dirent *entry;
	int ret = 0, n = 0;
	DIR *dir;

	dir = opendir(IOMMU_GROUPS);
	if (!dir)
		return -errno;
	while (!ret && n < max && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			ret = group_read(&groups[n++], atoi(entry->d_name));
	}
	closedir(dir);
	qsort(groups, n, sizeof(groups[0]), by_id);
	return ret ? ret : n;
}

/*
 * The line in the file @attr of group @id ("type": "identity" or "DMA") into
 * @value, without its newline.
 */
int group_value(int id, const char *attr, char *value, size_t len)
{
	char path[PATH_MAX];
	FILE *file;
	int ret = 0;

	snprintf(path, sizeof(path), IOMMU_GROUPS "/%d/%s", id, attr);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fgets(value, len, file))
		value[strcspn(value, "\n")] = '\0';
	else
		ret = -EIO;
	fclose(file);
	return ret;
}
