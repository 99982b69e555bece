// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA ownership of IOMMU groups
 *
 * The devices of a group share one I/O address space and can reach each
 * other's registers by peer-to-peer DMA. Whoever may program one of them to do
 * DMA can therefore attack the driver of any other, so a group is either wholly
 * under kernel control or wholly under that of one user. This file keeps it so.
 *
 * Vocabulary:
 *
 *  kernel claim	held for one device while a driver that may program it to
 *			do DMA is bound. Drivers that manage their own DMA
 *			(&struct device_driver.driver_managed_dma) hold none.
 *  owner		whoever claimed the whole group, known by a cookie.
 *  default domain	what the kernel's DMA API maps into.
 *  blocking domain	a domain without mappings: DMA reaches nothing.
 *  present domain	the domain that the devices are attached to now.
 *  fallback domain	the one they return to when their user detaches: the
 *			default domain, or the blocking one under an owner.
 *  stranded device	one that could not be attached to the domain that its
 *			group went back to. It is detached, so its DMA goes
 *			nowhere, and it gets no kernel driver until it is
 *			attached.
 *
 * State, all of it under group->mutex:
 *
 *		owner_cnt	owner	present domain
 *  free	0		NULL	default
 *  kernel	devices flagged	NULL	default, or one that a driver attached
 *  owned	1		cookie	blocking, or one that the owner attached
 *
 * Invariants, at every instant outside group->mutex:
 *
 *  - A group with an owner has no device with a kernel claim.
 *  - owner_cnt is 1 with an owner, and the number of kernel claims without.
 *  - A group with an owner is never on its default domain, and never on none.
 *    Groups without a default domain (no IOMMU, or an IOMMU driver that
 *    expects paired attach and detach) are exempt: there a claim is
 *    bookkeeping, and no domain is touched.
 *  - A device that joins a group gets the group's present domain.
 *
 * Lock order: device_lock, then group->mutex. Never the other way around: a
 * claim is made with the device locked.
 */

#define pr_fmt(fmt)    "iommu: " fmt

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sysfs.h>
#include <trace/events/iommu.h>
#include "iommu-group.h"

#define REPORT_INTERVAL		(5 * HZ)
#define REPORT_BURST		10
#define REPORT_DEVICES		8

static struct group_device *find_device(struct iommu_group *group,
					struct device *dev)
{
	struct group_device *device;

	lockdep_assert_held(&group->mutex);

	list_for_each_entry(device, &group->devices, list)
		if (device->dev == dev)
			return device;
	return NULL;
}

/**
 * iommu_group_fallback_domain() - Where a group goes when its user detaches
 * @group: the group
 *
 * Context: group->mutex is held.
 * Return: the blocking domain while the group has an owner, else the default
 * domain; NULL for a group without a default domain.
 */
struct iommu_domain *iommu_group_fallback_domain(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	return group->owner ? group->blocking_domain : group->default_domain;
}

/**
 * iommu_dma_owner_driver() - Name of a device's driver
 * @dev: the device
 *
 * Context: the caller holds the device lock; or group->mutex while the device
 * has a kernel claim, which the driver core drops before the driver goes away;
 * or the RCU read lock, which keeps the module of the driver.
 * Return: the name, or "-" for none.
 */
const char *iommu_dma_owner_driver(struct device *dev)
{
	struct device_driver *drv = READ_ONCE(dev->driver);

	return drv ? drv->name : "-";
}

/*
 * Limits the log to REPORT_BURST refusals per group and REPORT_INTERVAL, so that
 * one group cannot silence another. A struct ratelimit_state would push struct
 * iommu_group into the next larger slab.
 */
static bool may_report(struct iommu_group *group)
{
	unsigned long end = group->reports_since + REPORT_INTERVAL;

	lockdep_assert_held(&group->mutex);

	if (!group->reports || time_after(jiffies, end)) {
		if (group->reports > REPORT_BURST)
			pr_warn("group %d: %u refusals were not logged\n",
				group->id, group->reports - REPORT_BURST);
		group->reports_since = jiffies;
		group->reports = 0;
	}

	return group->reports++ < REPORT_BURST;
}

static void report_probe_refused(struct iommu_group *group, struct device *dev)
{
	trace_dma_owner_refused(group->id, dev, iommu_dma_owner_driver(dev), -EBUSY);

	if (may_report(group))
		dev_warn(dev, "probe refused: IOMMU group %d is owned by userspace (%s[%d]): end that process, or bind vfio-pci or pci-stub\n",
			 group->id, group->owner_comm, group->owner_pid);
}

/* Names the devices in the way of an owner's claim, up to REPORT_DEVICES. */
static void report_devices_in_use(struct iommu_group *group, bool log)
{
	struct group_device *device;
	unsigned int named = 0;

	lockdep_assert_held(&group->mutex);

	list_for_each_entry(device, &group->devices, list) {
		if (!device->dma_api)
			continue;

		trace_dma_owner_refused(group->id, device->dev,
					iommu_dma_owner_driver(device->dev), -EPERM);
		if (log && named++ < REPORT_DEVICES)
			pr_warn("group %d: claim refused: %s is bound to %s\n",
				group->id, dev_name(device->dev),
				iommu_dma_owner_driver(device->dev));
	}

	if (named > REPORT_DEVICES)
		pr_warn("group %d: claim refused: so are %u more devices\n",
			group->id, named - REPORT_DEVICES);
}

/* Tells whoever may look why an owner's claim is refused. */
static void report_claim_refused(struct iommu_group *group)
{
	bool log = may_report(group);

	lockdep_assert_held(&group->mutex);

	if (!group->owner) {
		report_devices_in_use(group, log);
		return;
	}

	trace_dma_owner_refused(group->id, NULL, "-", -EPERM);
	if (log)
		pr_warn("group %d: claim refused: owned by userspace (%s[%d])\n",
			group->id, group->owner_comm, group->owner_pid);
}

/* The same for a claim that the domain of the group does not allow. */
static void report_domain_in_way(struct iommu_group *group, int error)
{
	lockdep_assert_held(&group->mutex);

	trace_dma_owner_refused(group->id, NULL, "-", error);
	if (!may_report(group))
		return;

	if (group->domain == group->default_domain)
		pr_warn("group %d: claim refused: DMA cannot be blocked (%d)\n",
			group->id, error);
	else
		pr_warn("group %d: claim refused: a driver attached its own domain\n",
			group->id);
}

static void claim_device(struct iommu_group *group, struct group_device *device)
{
	lockdep_assert_held(&group->mutex);

	if (device->dma_api)
		return;
	device->dma_api = true;
	group->owner_cnt++;
	trace_dma_owner_set(group->id, device->dev, iommu_dma_owner_driver(device->dev),
			    current->comm, task_tgid_nr(current));
}

static void unclaim_device(struct iommu_group *group,
			   struct group_device *device)
{
	lockdep_assert_held(&group->mutex);

	if (!device->dma_api)
		return;
	device->dma_api = false;
	group->owner_cnt--;
	trace_dma_owner_release(group->id, device->dev,
				iommu_dma_owner_driver(device->dev), current->comm,
				task_tgid_nr(current));
}

static int use_dma_api(struct iommu_group *group, struct group_device *device)
{
	lockdep_assert_held(&group->mutex);

	if (group->owner) {
		report_probe_refused(group, device->dev);
		return -EBUSY;
	}

	if (device->stranded) {
		int ret = __iommu_device_restore_domain(group, device, NULL,
							group->domain);

		if (ret)
			return ret;
	}

	claim_device(group, device);
	return 0;
}

/* Does what the IOMMU driver could not do while the group had an owner. */
static void finalize_device(struct device *dev)
{
	const struct iommu_ops *ops = dev->bus ? dev->bus->iommu_ops : NULL;

	if (ops && ops->probe_finalize)
		ops->probe_finalize(dev);
}

/**
 * iommu_device_use_dma_api() - Claim a device's group for the kernel
 * @dev: the device
 *
 * Says that the driver that is about to be bound to @dev may program it to do
 * DMA, through the DMA API or otherwise. The driver core calls this before
 * every probe, save for drivers with &struct device_driver.driver_managed_dma.
 * A second call for the same device changes nothing.
 *
 * Context: the caller holds the device lock; takes group->mutex. May sleep.
 * Return: 0, also for a device without a group; -EBUSY if the group has an
 * owner, which is logged; the IOMMU driver's error if the device cannot be
 * attached to its default domain.
 */
int iommu_device_use_dma_api(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct group_device *device;
	bool finalize = false;
	int ret = 0;

	if (!group)
		return 0;

	mutex_lock(&group->mutex);
	/* A device that is not on the list yet is counted when it joins. */
	device = find_device(group, dev);
	if (device)
		ret = use_dma_api(group, device);
	if (device && !ret)
		swap(finalize, device->finalize);
	mutex_unlock(&group->mutex);

	if (finalize)
		finalize_device(dev);

	iommu_group_put(group);
	return ret;
}

/**
 * iommu_device_unuse_dma_api() - Drop a device's claim for the kernel
 * @dev: the device
 *
 * The converse of iommu_device_use_dma_api(), for when the driver is gone and
 * its managed resources are freed. Does nothing where no claim of @dev stands,
 * and never touches another device's claim or that of an owner.
 *
 * Context: the caller holds the device lock; takes group->mutex. May sleep.
 */
void iommu_device_unuse_dma_api(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct group_device *device;

	if (!group)
		return;

	mutex_lock(&group->mutex);
	device = find_device(group, dev);
	if (device)
		unclaim_device(group, device);
	mutex_unlock(&group->mutex);

	iommu_group_put(group);
}

/**
 * iommu_dma_owner_join() - Account for a device that joins a group
 * @group: the group; dev->iommu_group points to it already
 * @device: the device, on the group's list
 *
 * A device may get its group after its driver was bound, for instance when an
 * IOMMU driver is loaded late. Such a device brings its claim along. The claim
 * of a device that joins inside its driver's dma_configure() is yet to come.
 *
 * Context: group->mutex is held.
 * Return: 0; -EBUSY if a device in kernel use would join a group that has an
 * owner, which is logged: the two must not be mixed.
 */
int iommu_dma_owner_join(struct iommu_group *group,
			 struct group_device *device)
{
	struct device *dev = device->dev;

	lockdep_assert_held(&group->mutex);

	/*
	 * Orders the store to dev->iommu_group before the load of the claim.
	 * Pairs with the barriers in the driver core, between its store to
	 * the claim and its load of dev->iommu_group: one of the two sees the
	 * other, whether a driver is being bound or unbound meanwhile.
	 */
	smp_mb();

	device->finalize = group->owner && group->default_domain;
	if (!device_uses_dma_api(dev))
		return 0;

	if (group->owner) {
		trace_dma_owner_refused(group->id, dev,
					iommu_dma_owner_driver(dev), -EBUSY);
		dev_err(dev, "cannot join IOMMU group %d: in use by the kernel, but the group is owned by userspace (%s[%d])\n",
			group->id, group->owner_comm, group->owner_pid);
		return -EBUSY;
	}

	claim_device(group, device);
	return 0;
}

/**
 * iommu_dma_owner_leave() - Account for a device that leaves a group
 * @group: the group
 * @device: the device, on the group's list
 *
 * Context: group->mutex is held.
 */
void iommu_dma_owner_leave(struct iommu_group *group,
			   struct group_device *device)
{
	unclaim_device(group, device);
}

/* Cuts off the DMA of a whole group that is on its default domain. */
static int block_group(struct iommu_group *group)
{
	struct group_device *device;
	int ret;

	lockdep_assert_held(&group->mutex);

	if (group->domain != group->default_domain)
		return -EBUSY;

	if (!group->blocking_domain) {
		/*
		 * A domain of type IOMMU_DOMAIN_BLOCKED would say it better,
		 * but most IOMMU drivers refuse to allocate one.
		 */
		device = list_first_entry(&group->devices,
					  struct group_device, list);
		group->blocking_domain = iommu_domain_alloc(device->dev->bus);
		if (!group->blocking_domain)
			return -ENOMEM;
	}

	ret = __iommu_group_set_domain(group, group->blocking_domain);
	if (ret)
		return ret;

	/*
	 * An IOMMU driver that is just setting up the DMA ops of a device that
	 * joined finds the wrong domain now.
	 */
	list_for_each_entry(device, &group->devices, list)
		device->finalize = true;
	return 0;
}

static int set_dma_owner(struct iommu_group *group, void *owner)
{
	lockdep_assert_held(&group->mutex);

	if (list_empty(&group->devices))
		return -ENODEV;

	if (group->owner_cnt) {
		report_claim_refused(group);
		return -EPERM;
	}

	if (group->default_domain) {
		int ret = block_group(group);

		if (ret) {
			report_domain_in_way(group, ret);
			return ret;
		}
	}

	group->owner = owner;
	group->owner_cnt = 1;
	group->owner_pid = task_tgid_nr(current);
	get_task_comm(group->owner_comm, current);
	trace_dma_owner_set(group->id, NULL, "-", group->owner_comm,
			    group->owner_pid);
	return 0;
}

/**
 * iommu_group_set_dma_owner() - Claim a group for a user
 * @group: the group; the caller holds a reference to it
 * @owner: cookie that tells owners apart; not NULL, never dereferenced
 *
 * From here until iommu_group_release_dma_owner() no driver that programs DMA
 * for the kernel can be bound to a device of the group. DMA is blocked until
 * the owner attaches a domain of its own with iommu_attach_group(), and again
 * after it detaches it. Called by VFIO before it lets userspace near a group.
 *
 * The calling process is recorded as the owner for messages.
 *
 * Context: takes group->mutex. May sleep.
 * Return: 0; -EINVAL without a cookie; -ENODEV if the group has no device;
 * -EPERM if the group is claimed already, by an owner or by the driver of one
 * of its devices; -EBUSY if a driver attached a domain of its own to it;
 * -ENOMEM; or the error of the IOMMU driver that would not let go of the default
 * domain, with all devices back on it. All but the first two are logged.
 */
int iommu_group_set_dma_owner(struct iommu_group *group, void *owner)
{
	int ret;

	if (!owner)
		return -EINVAL;

	mutex_lock(&group->mutex);
	ret = set_dma_owner(group, owner);
	mutex_unlock(&group->mutex);

	return ret;
}
EXPORT_SYMBOL_GPL(iommu_group_set_dma_owner);

/**
 * iommu_group_release_dma_owner() - Give a group back to the kernel
 * @group: the group, claimed with iommu_group_set_dma_owner()
 *
 * The group returns to its default domain, also from a domain that the owner
 * failed to detach. Warns if the group has no owner, and does nothing then.
 *
 * Context: takes group->mutex. May sleep.
 */
void iommu_group_release_dma_owner(struct iommu_group *group)
{
	mutex_lock(&group->mutex);
	if (WARN_ON(!group->owner))
		goto out_unlock;

	trace_dma_owner_release(group->id, NULL, "-", group->owner_comm,
				group->owner_pid);
	group->owner = NULL;
	group->owner_cnt = 0;
	if (group->default_domain)
		__iommu_group_restore_domain(group, group->default_domain);
out_unlock:
	mutex_unlock(&group->mutex);
}
EXPORT_SYMBOL_GPL(iommu_group_release_dma_owner);

/**
 * iommu_group_dma_owner_claimed() - Whether anybody holds a claim on a group
 * @group: the group
 *
 * The answer may be outdated by the time that the caller looks at it.
 *
 * Context: takes group->mutex. May sleep.
 * Return: true if the group has an owner or a device in kernel use.
 */
bool iommu_group_dma_owner_claimed(struct iommu_group *group)
{
	bool claimed;

	mutex_lock(&group->mutex);
	claimed = group->owner_cnt;
	mutex_unlock(&group->mutex);

	return claimed;
}
EXPORT_SYMBOL_GPL(iommu_group_dma_owner_claimed);

/**
 * iommu_dma_owner_name() - Who has a group, in one word
 * @group: the group
 *
 * Context: group->mutex is held.
 * Return: "none", "kernel" or "user".
 */
const char *iommu_dma_owner_name(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	if (group->owner)
		return "user";
	return group->owner_cnt ? "kernel" : "none";
}

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
	count = group->owner_cnt;
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
