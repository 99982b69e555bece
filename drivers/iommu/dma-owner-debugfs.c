// SPDX-License-Identifier: GPL-2.0-only
/*
 * All IOMMU groups as a table: /sys/kernel/debug/iommu/groups
 *
 * The rows of one group are read under its mutex, so they belong together: no
 * reader sees an owner beside a claim of the kernel or a private domain. Two groups need not have
 * looked so at the same time.
 */

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include "iommu-group.h"

/*
 * Blanks in a word are escaped, so that a row can be split at blanks, and no name
 * can pass for a row.
 */
static void print_word(struct seq_file *m, const char *word, size_t width)
{
	seq_setwidth(m, width);
	seq_escape(m, word, " \t\n\\");
	seq_pad(m, ' ');
}

static void print_group(struct seq_file *m, const char *group,
			const char *owner, const char *task, const char *domain)
{
	print_word(m, group, 5);
	print_word(m, owner, 7);
	seq_printf(m, "%-15s ", task); /* escaped already */
	print_word(m, domain, 9);
}

static void print_device(struct seq_file *m, const char *device,
			 const char *driver, const char *claim)
{
	print_word(m, device, 12);
	print_word(m, driver, 12);
	seq_printf(m, "%s\n", claim);
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
	/* Its owner attaches a domain next, or is retired, and releases the group next. */
	if (iommu_dma_owner_on_default(group))
		return "default";
	if (domain->type == IOMMU_DOMAIN_IDENTITY)
		return "identity";
	return domain->type == IOMMU_DOMAIN_DMA ? "DMA" : "unmanaged";
}

static void show_group_itself(struct seq_file *m, struct iommu_group *group)
{
	char number[12], task[IOMMU_DMA_OWNER_TASK_LEN + 8] = "-";

	lockdep_assert_held(&group->mutex);

	snprintf(number, sizeof(number), "%d", group->id);
	if (group->owner_pid) {
		iommu_dma_owner_task(group, task_active_pid_ns(current), task);
		if (thread_group_exited(group->owner_pid))
			strcat(task, "(exited)");
	}
	print_group(m, number, iommu_dma_owner_name(group), task,
		    domain_name(group));
}

/*
 * A driver that comes or goes has the device locked, and tells its claim under
 * group->mutex. So what stands in dev->driver between two looks at an unlocked
 * device is settled. To wait for the device lock here would be the wrong order,
 * and to try for it could make VFIO miss it, and a reset with it.
 */
static const char *settled_driver(struct group_device *device)
{
	struct device *dev = device->dev;
	const char *name;
	bool changing;

	changing = mutex_is_locked(&dev->mutex);
	smp_rmb(); /* the first look, then the driver */
	name = iommu_dma_owner_driver(dev);
	smp_rmb(); /* the driver, then the second look */
	changing |= mutex_is_locked(&dev->mutex);

	return changing && !device->dma_api ? "(changing)" : name;
}

static const char *claim_name(struct group_device *device)
{
	if (device->dma_api)
		return "kernel";
	if (device->attached)
		return "private";
	return device->sva_bonds ? "sva" : "-";
}

static void show_device(struct seq_file *m, struct group_device *device)
{
	/* A module is not freed while its driver's name is read. */
	rcu_read_lock();
	print_device(m, dev_name(device->dev), settled_driver(device),
		     claim_name(device));
	rcu_read_unlock();
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
			seq_printf(m, "%40s", "");
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
	struct dentry *found = debugfs_lookup("iommu", NULL);
	struct dentry *dir = found;

	/* Some IOMMU drivers have a folder of this name already. */
	if (!dir)
		dir = debugfs_create_dir("iommu", NULL);
	debugfs_create_file("groups", 0400, dir, NULL, &groups_fops);
	dput(found);
	return 0;
}
device_initcall(iommu_groups_debugfs_init);
