// SPDX-License-Identifier: GPL-2.0-only
/*
 * All IOMMU groups as a table: /sys/kernel/debug/iommu/groups
 *
 * The rows of one group are read under its mutex, so they belong together: no
 * reader sees an owner beside a claim of the kernel. Two groups need not have
 * looked so at the same time.
 */

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/seq_file.h>
#include "iommu-group.h"

static void print_group(struct seq_file *m, const char *group,
			const char *owner, const char *task, const char *domain)
{
	seq_printf(m, "%-6s%-7s%-24s%-10s", group, owner, task, domain);
}

static void print_device(struct seq_file *m, const char *device,
			 const char *driver, const char *claim)
{
	seq_printf(m, "%-16s%-20s%s\n", device, driver, claim);
}

/* Position 0 is the title; position n is the first group from number n - 1. */
static void *groups_start(struct seq_file *m, loff_t *pos)
{
	return *pos ? iommu_group_get_from(*pos - 1) : SEQ_START_TOKEN;
}

static void groups_stop(struct seq_file *m, void *v)
{
	struct iommu_group *group = v;

	if (v && v != SEQ_START_TOKEN)
		kobject_put(&group->kobj);
}

static void *groups_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct iommu_group *group = v;

	*pos = v == SEQ_START_TOKEN ? 1 : group->id + 2;
	groups_stop(m, v);
	return groups_start(m, pos);
}

static const char *domain_name(struct iommu_group *group)
{
	struct iommu_domain *domain = group->domain;

	lockdep_assert_held(&group->mutex);

	if (!domain)
		return "-";
	if (domain == group->blocking_domain)
		return "blocking";
	if (domain->type == IOMMU_DOMAIN_IDENTITY)
		return "identity";
	return domain->type == IOMMU_DOMAIN_DMA ? "DMA" : "unmanaged";
}

static void show_group_itself(struct seq_file *m, struct iommu_group *group)
{
	char number[12], task[TASK_COMM_LEN + 14] = "-";

	lockdep_assert_held(&group->mutex);

	snprintf(number, sizeof(number), "%d", group->id);
	if (group->owner)
		snprintf(task, sizeof(task), "%s[%d]", group->owner_comm,
			 group->owner_pid);
	print_group(m, number, iommu_dma_owner_name(group), task,
		    domain_name(group));
}

static void show_device(struct seq_file *m, struct group_device *device)
{
	struct device *dev = device->dev;
	bool locked = device_trylock(dev);
	const char *driver = "(changing)";

	/*
	 * Without a claim only the device lock keeps the driver's name. It
	 * comes before group->mutex, so it must not be waited for here.
	 */
	if (locked || device->dma_api)
		driver = iommu_dma_owner_driver(dev);
	print_device(m, dev_name(dev), driver,
		     device->dma_api ? "kernel" : "-");
	if (locked)
		device_unlock(dev);
}

static void show_group(struct seq_file *m, struct iommu_group *group)
{
	struct group_device *device;

	lockdep_assert_held(&group->mutex);

	show_group_itself(m, group);
	if (list_empty(&group->devices))
		print_device(m, "-", "-", "-");
	list_for_each_entry(device, &group->devices, list) {
		if (!list_is_first(&device->list, &group->devices))
			print_group(m, "", "", "", "");
		show_device(m, device);
	}
}

static int groups_show(struct seq_file *m, void *v)
{
	struct iommu_group *group = v;

	if (v == SEQ_START_TOKEN) {
		print_group(m, "group", "owner", "task", "domain");
		print_device(m, "device", "driver", "claim");
		return 0;
	}

	mutex_lock(&group->mutex);
	show_group(m, group);
	mutex_unlock(&group->mutex);
	return 0;
}

static const struct seq_operations groups_sops = {
	.start	= groups_start,
	.next	= groups_next,
	.stop	= groups_stop,
	.show	= groups_show,
};
DEFINE_SEQ_ATTRIBUTE(groups);

static int __init iommu_groups_debugfs_init(void)
{
	struct dentry *dir = debugfs_lookup("iommu", NULL);

	/* Some IOMMU drivers have a folder of this name already. */
	if (dir) {
		debugfs_create_file("groups", 0400, dir, NULL, &groups_fops);
		dput(dir);
		return 0;
	}

	dir = debugfs_create_dir("iommu", NULL);
	debugfs_create_file("groups", 0400, dir, NULL, &groups_fops);
	return 0;
}
device_initcall(iommu_groups_debugfs_init);
