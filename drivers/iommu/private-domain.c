// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private domains: a driver attaches its device to an I/O address space of its own
 *
 * The devices of a group share one I/O address space, so a driver that attaches its
 * device takes the siblings along. That is safe as long as nobody else counts on the
 * default domain, which is what this file sees to: the group becomes private with
 * the first device that is attached, other devices can be attached to the same
 * domain, and the group goes back to its default domain with the last. dma-owner.c
 * has the vocabulary, the state and the invariants.
 *
 * Meanwhile a sibling can only get a driver that manages its own DMA
 * (&struct device_driver.driver_managed_dma), which may attach it to the same domain.
 * A driver may well hold a claim for the very device that it attaches, and most do:
 * whoever has the device has the domain.
 *
 * IOMMU drivers without default domains expect attach and detach in pairs. There a
 * group is on no domain, or on one that the architecture's DMA API attached with
 * iommu_attach_group(), which the private domain replaces.
 */

#define pr_fmt(fmt)    "iommu: " fmt

#include <linux/bug.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <trace/events/iommu.h>
#include "iommu-group.h"

/* Another device of the group that a driver may program to do DMA, or NULL. */
static struct device *claimed_sibling(struct iommu_group *group,
				      struct group_device *device)
{
	struct group_device *sibling;

	lockdep_assert_held(&group->mutex);

	list_for_each_entry(sibling, &group->devices, list)
		if (sibling != device && sibling->dma_api)
			return sibling->dev;
	return NULL;
}

static void report_owner_in_way(struct iommu_group *group, struct device *dev)
{
	char task[IOMMU_DMA_OWNER_TASK_LEN];
	const char *exited = iommu_dma_owner_for_log(group, task);

	dev_warn(dev, "cannot be attached to a domain of its own: its IOMMU group %d is owned by userspace (%s%s)\n",
		 group->id, task, exited);
}

/* Tells what is in the way; the driver of @other need not have a claim. */
static void report_device_in_way(struct iommu_group *group, struct device *dev,
				 struct device *other, const char *why)
{
	rcu_read_lock();
	dev_warn(dev, "cannot be attached to a domain of its own: %s of its IOMMU group %d %s %s\n",
		 dev_name(other), group->id, why, iommu_dma_owner_driver(other));
	rcu_read_unlock();
}

static void report_attach_refused(struct iommu_group *group,
				  struct group_device *device)
{
	struct device *sibling = claimed_sibling(group, device);
	struct device *bonded = iommu_group_bonded_device(group);
	struct device *dev = device->dev;

	lockdep_assert_held(&group->mutex);

	trace_dma_owner_refused(group->id, dev, iommu_dma_owner_driver(dev), -EBUSY);
	if (!iommu_dma_owner_may_report(group, IOMMU_REPORT_ATTACH))
		return;

	if (group->owner)
		report_owner_in_way(group, dev);
	else if (group->private_domain)
		report_device_in_way(group, dev,
				     iommu_group_attached_device(group),
				     "is on a domain of its driver");
	else if (bonded)
		report_device_in_way(group, dev, bonded,
				     "works on a process's memory for");
	else if (sibling)
		report_device_in_way(group, dev, sibling, "is bound to");
	else
		dev_warn(dev, "cannot be attached to a domain of its own: its IOMMU group %d was attached to another one as a whole\n",
			 group->id);
}

/* Whether the group is on a domain that nobody else counts on. */
static bool may_attach(struct iommu_group *group, struct group_device *device,
		       struct iommu_domain *domain)
{
	lockdep_assert_held(&group->mutex);

	if (group->owner)
		return false;
	if (group->private_domain)
		return group->private_domain == domain && !device->attached;
	if (claimed_sibling(group, device) || iommu_group_bonded_device(group))
		return false;
	return group->domain == group->default_domain || !group->default_domain;
}

/* Takes the whole group to a domain that is its first private one. */
static int become_private(struct iommu_group *group, struct iommu_domain *domain)
{
	int ret;

	lockdep_assert_held(&group->mutex);

	if (group->default_domain)
		ret = iommu_group_leave_default_domain(group, domain);
	else
		ret = __iommu_group_set_domain(group, domain);
	if (ret)
		return ret;

	group->private_domain = domain;
	iommu_dma_owner_record_task(group);
	return 0;
}

/*
 * Attaches a device whose attach was deferred, which changes nothing for its
 * siblings; one that is on the default domain already just stays there.
 */
static int attach_to_default(struct iommu_group *group,
			     struct group_device *device)
{
	lockdep_assert_held(&group->mutex);

	if (group->domain != group->default_domain)
		return -EBUSY;
	return __iommu_attach_device(group->default_domain, device->dev);
}

/**
 * iommu_private_attach() - Attach a device to a domain of its driver
 * @group: the device's group
 * @dev: the device
 * @domain: the domain; the group's default domain is no private one
 *
 * Context: group->mutex is held. May sleep.
 * Return: as iommu_attach_device().
 */
int iommu_private_attach(struct iommu_group *group, struct device *dev,
			 struct iommu_domain *domain)
{
	struct group_device *device = iommu_group_find_device(group, dev);
	int ret = 0;

	lockdep_assert_held(&group->mutex);

	if (!device)
		return -ENODEV;

	/* The group may be too new to be on its default domain. */
	if (!group->default_domain)
		ret = __iommu_group_init_domain(group);
	if (ret)
		return ret;
	if (domain == group->default_domain)
		return attach_to_default(group, device);

	if (!may_attach(group, device, domain)) {
		report_attach_refused(group, device);
		return -EBUSY;
	}
	if (group->private_domain)
		ret = iommu_attach_deferred_device(domain, dev);
	else
		ret = become_private(group, domain);
	if (ret)
		return ret;

	device->attached = true;
	trace_dma_owner_set(group->id, "private", dev, iommu_dma_owner_driver(dev),
			    current->comm, task_tgid_nr(current));
	return 0;
}

/* Lets a device go; with the last one the group goes where it came from. */
static void drop_device(struct iommu_group *group, struct group_device *device)
{
	struct iommu_domain *domain = group->private_domain;
	struct device *dev = device->dev;

	lockdep_assert_held(&group->mutex);

	device->attached = false;
	trace_dma_owner_release(group->id, "private", dev,
				iommu_dma_owner_driver(dev), current->comm,
				task_tgid_nr(current));
	if (iommu_dma_owner_count(group))
		return;

	group->private_domain = NULL;
	iommu_dma_owner_forget_task(group);
	__iommu_detach_group(domain, group);
}

/**
 * iommu_private_detach() - Take a device from a domain of its driver
 * @group: the device's group
 * @dev: the device
 * @domain: the domain
 *
 * Context: group->mutex is held. May sleep.
 * Return: true; or false if @dev was not attached to @domain, and nothing is changed.
 */
bool iommu_private_detach(struct iommu_group *group, struct device *dev,
			  struct iommu_domain *domain)
{
	struct group_device *device = iommu_group_find_device(group, dev);

	lockdep_assert_held(&group->mutex);

	/* It is just being taken out of the group. */
	if (!device)
		return true;
	if (device->attached && domain == group->private_domain) {
		drop_device(group, device);
		return true;
	}
	if (group->default_domain)
		return domain == group->default_domain;
	/*
	 * An IOMMU driver without default domains may detach a device that it
	 * releases from what somebody else attached.
	 */
	if (domain != group->domain)
		return false;
	__iommu_detach_device(domain, dev);
	return true;
}

/**
 * iommu_private_leave() - Account for an attached device that left its group
 * @group: the group
 * @device: the device, not on the group's list any more
 *
 * A driver should have detached the device before. If none did, and the device was
 * the last one, its siblings go back. It is released next itself.
 *
 * Context: group->mutex is held. May sleep.
 */
void iommu_private_leave(struct iommu_group *group, struct group_device *device)
{
	lockdep_assert_held(&group->mutex);

	if (device->attached)
		drop_device(group, device);
}
