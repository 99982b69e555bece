// SPDX-License-Identifier: GPL-2.0-only
/*
 * What selftests of shared virtual addressing cannot do from outside
 *
 * The unit tests have no process to bind. So here are devices of the mock IOMMU that
 * have files, see sva_queue.c, and no hardware: what they show is who is bound to what,
 * and what is left behind. And here are ways to use the API as no driver that has such
 * files does. Files in /sys/kernel/debug/sva_test:
 *
 *   devices	how many there are, up to MOCK_SVA_DEVICES; takes another number
 *   max_pasid	the highest PASID that the next devices can use; 0 for all
 *   fail_bind	an errno with which every bond fails; 0 for none
 *   foreign_pasid	"Y" has the driver give each bond a PASID of its own
 *   let_go	takes any number: what "unbind_later" bound is bound no more
 *   bonds	how many there are
 *   mm_refs	references to the mm_struct and to the memory of whoever reads it
 *
 * and some that take the name of a device, of the mock or of PCI:
 *
 *   supervisor	binds the kernel's address space to it, and lets go again
 *   unbind_later	binds whoever writes, and has a work item let go at "let_go"
 *   own	claims its group for userspace
 *   disown	releases the group
 */

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include "mock_iommu.h"
#include "sva_queue.h"

#define MOCK_SVA_DEVICES	4

static struct mock_sva_device {
	struct mock_device *mdev;
	struct sva_queues *queues;
} devices[MOCK_SVA_DEVICES];
static unsigned int nr_devices;
/* Protects the two above. */
static DEFINE_MUTEX(devices_mutex);
static LIST_HEAD(kept_bonds);
/* Protects that list. */
static DEFINE_MUTEX(kept_mutex);
static u32 max_pasid;
static u32 fail_bind;

static int add_device(struct mock_sva_device *device)
{
	struct mock_device *mdev = mock_device_new();
	int ret = -ENOMEM;

	if (!mdev)
		return -ENOMEM;
	mdev->max_pasid = max_pasid;
	mdev->group = iommu_group_alloc();
	if (IS_ERR(mdev->group)) {
		put_device(&mdev->dev);
		return ret;
	}

	ret = device_add(&mdev->dev);
	/* The device has its own reference now. */
	iommu_group_put(mdev->group);
	if (ret) {
		put_device(&mdev->dev);
		return ret;
	}

	device->mdev = mdev;
	device->queues = sva_queues_add(&mdev->dev, NULL, 0);
	if (!IS_ERR(device->queues))
		return 0;
	ret = PTR_ERR(device->queues);
	mock_device_del(mdev);
	return ret;
}

static void remove_device(struct mock_sva_device *device)
{
	sva_queues_remove(device->queues);
	mock_device_del(device->mdev);
}

static int devices_set(void *data, u64 wanted)
{
	int ret = 0;

	if (wanted > MOCK_SVA_DEVICES)
		return -EINVAL;

	mutex_lock(&devices_mutex);
	while (nr_devices > wanted)
		remove_device(&devices[--nr_devices]);
	while (!ret && nr_devices < wanted) {
		ret = add_device(&devices[nr_devices]);
		if (!ret)
			nr_devices++;
	}
	mutex_unlock(&devices_mutex);
	return ret;
}

static int devices_get(void *data, u64 *value)
{
	*value = READ_ONCE(nr_devices);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(devices_fops, devices_get, devices_set, "%llu\n");

static int fail_bind_set(void *data, u64 error)
{
	fail_bind = error;
	mock_iommu.fail_sva = -(int)error;
	return 0;
}

static int fail_bind_get(void *data, u64 *error)
{
	*error = fail_bind;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(fail_bind_fops, fail_bind_get, fail_bind_set, "%llu\n");

static int mm_refs_get(void *data, u64 *refs)
{
	struct mm_struct *mm = current->mm;

	*refs = mm ? atomic_read(&mm->mm_count) + atomic_read(&mm->mm_users) : 0;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mm_refs_fops, mm_refs_get, NULL, "%llu\n");

/* A bond that "unbind_later" made */
struct kept_bond {
	struct list_head list;
	struct iommu_sva *handle;
};

static void unbind_kept(struct work_struct *work)
{
	struct kept_bond *bond, *next;
	LIST_HEAD(bonds);

	mutex_lock(&kept_mutex);
	list_splice_init(&kept_bonds, &bonds);
	mutex_unlock(&kept_mutex);
	list_for_each_entry_safe(bond, next, &bonds, list) {
		iommu_sva_unbind_device(bond->handle);
		kfree(bond);
	}
}

static DECLARE_WORK(unbind_kept_work, unbind_kept);

static int unbind_later(struct device *dev)
{
	struct kept_bond *bond = kzalloc(sizeof(*bond), GFP_KERNEL);

	if (!bond)
		return -ENOMEM;
	bond->handle = iommu_sva_bind_device(dev, 0);
	if (IS_ERR(bond->handle)) {
		int ret = PTR_ERR(bond->handle);

		kfree(bond);
		return ret;
	}
	mutex_lock(&kept_mutex);
	list_add_tail(&bond->list, &kept_bonds);
	mutex_unlock(&kept_mutex);
	return 0;
}

static int let_go_set(void *data, u64 unused)
{
	schedule_work(&unbind_kept_work);
	flush_work(&unbind_kept_work);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(let_go_fops, NULL, let_go_set, "%llu\n");

static int bind_supervisor(struct device *dev)
{
	struct iommu_sva *handle;

	handle = iommu_sva_bind_device(dev, IOMMU_SVA_BIND_SUPERVISOR);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	iommu_sva_unbind_device(handle);
	return 0;
}

static int own(struct device *dev)
{
	return iommu_group_set_dma_owner(dev->iommu_group, devices);
}

static int disown(struct device *dev)
{
	iommu_group_release_dma_owner(dev->iommu_group);
	return 0;
}

/* A device of the mock, or of PCI; the caller puts it. */
static struct device *find_device(const char *name)
{
	struct device *dev = NULL;
	unsigned int i;

	mutex_lock(&devices_mutex);
	for (i = 0; i < nr_devices && !dev; i++)
		if (!strcmp(dev_name(&devices[i].mdev->dev), name))
			dev = get_device(&devices[i].mdev->dev);
	mutex_unlock(&devices_mutex);
	return dev ?: bus_find_device_by_name(&pci_bus_type, NULL, name);
}

static ssize_t action_write(struct file *file, const char __user *buf, size_t count,
			    loff_t *pos)
{
	int (*action)(struct device *dev) = file->private_data;
	char name[32] = {};
	struct device *dev;
	ssize_t ret;

	ret = simple_write_to_buffer(name, sizeof(name) - 1, pos, buf, count);
	if (ret < 0)
		return ret;
	dev = find_device(strim(name));
	if (!dev)
		return -ENODEV;
	ret = dev->iommu_group ? action(dev) : -ENODEV;
	put_device(dev);
	return ret ?: count;
}

static const struct file_operations action_fops = {
	.open	= simple_open,
	.write	= action_write,
};

static void add_action(struct dentry *dir, const char *name,
		       int (*action)(struct device *dev))
{
	debugfs_create_file(name, 0200, dir, action, &action_fops);
}

/* The unit tests come after this, and reset the mock; nobody has a device then. */
static int __init sva_hooks_init(void)
{
	struct dentry *dir;
	int ret = mock_iommu_init(NULL);

	if (ret)
		return ret;
	dir = debugfs_create_dir("sva_test", NULL);
	debugfs_create_file_unsafe("devices", 0600, dir, NULL, &devices_fops);
	debugfs_create_u32("max_pasid", 0600, dir, &max_pasid);
	debugfs_create_file_unsafe("fail_bind", 0600, dir, NULL, &fail_bind_fops);
	debugfs_create_bool("foreign_pasid", 0600, dir, &mock_iommu.foreign_pasid);
	debugfs_create_file_unsafe("let_go", 0200, dir, NULL, &let_go_fops);
	debugfs_create_u32("bonds", 0400, dir, &mock_iommu.bonds);
	debugfs_create_file_unsafe("mm_refs", 0400, dir, NULL, &mm_refs_fops);
	add_action(dir, "supervisor", bind_supervisor);
	add_action(dir, "unbind_later", unbind_later);
	add_action(dir, "own", own);
	add_action(dir, "disown", disown);
	return 0;
}
late_initcall_sync(sva_hooks_init);
