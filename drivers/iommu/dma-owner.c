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
 *  blocking domain	a domain without mappings: DMA reaches nothing. An owner
 *			has one to return to from when it has arrived until it is
 *			retired.
 *  present domain	the domain that the devices are attached to now.
 *  fallback domain	the one they return to when their user detaches: the
 *			blocking domain under an owner that has one, else the
 *			default domain.
 *  private domain	one that the drivers of some devices attached, each to its
 *			own device, with iommu_attach_device(). The whole group
 *			is on it. See private-domain.c.
 *  bond		an address space of a process, or the kernel's, that a device
 *			works on. See iommu-sva.c.
 *  taken domain	the blocking one that an owner maps into from now on, with
 *			all devices attached. Another is the blocking one then, and
 *			none is attached to it before the owner detaches.
 *  arriving owner	one that attaches a domain next. The group is on its default
 *			domain until then.
 *  retired owner	one that detaches for the last time, and releases the group
 *			next.
 *  stranded device	one that could not be attached to the domain that its
 *			group went back to. It gets no kernel driver until it
 *			is attached. Meanwhile its DMA goes nowhere if its
 *			IOMMU driver can detach a device. Some cannot, such as
 *			that of Arm's SMMUv2: there it may still reach its old
 *			domain.
 *
 * State, all of it under group->mutex:
 *
 *		owner_cnt	owner	present domain
 *  free	0		NULL	default
 *  kernel	devices flagged	NULL	default, or one attached without a claim
 *  private	devices flagged	NULL	the private one
 *  owned	1		cookie	blocking, or one that the owner attached
 *
 * Invariants, at every instant outside group->mutex:
 *
 *  - A group with an owner has no device with a kernel claim, no private domain, and
 *    no bonds.
 *  - A group has a private domain as long as one of its devices is attached to it,
 *    and is on it then. Meanwhile no other device gets a kernel claim.
 *  - A group with bonds is on its default domain: an IOMMU driver that takes a device
 *    to another one may take the PASIDs from under them.
 *  - owner_cnt is 1 with an owner, and the number of kernel claims without.
 *  - A group with an owner is never on its default domain, but before the first
 *    attach of an arriving one, and between the last detach of a retired one and its
 *    release; and never on none.
 *    It can always be cut off: its blocking domain was allocated before it left its
 *    present one, and nobody maps into it.
 *    Groups without a default domain (no IOMMU, or an IOMMU driver that
 *    expects paired attach and detach) are exempt: there a claim is
 *    bookkeeping, and no domain is touched.
 *  - A device that joins a group gets the group's present domain. One that
 *    cannot join its group is in none, and gets no driver until it can.
 *
 * One case breaks the first of them, and cannot be mended from here: a driver is
 * bound to a device before the IOMMU is known, and the group that the device
 * belongs to has an owner by the time that it is. The device is not let in, but
 * its driver goes on, beside the owner. That is logged as an error.
 *
 * Lock order: device_lock, then group->mutex. Never the other way around: a
 * claim is made with the device locked.
 */

#define pr_fmt(fmt)    "iommu: " fmt

#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <trace/events/iommu.h>
#include "iommu-group.h"

#define REPORT_DEVICES		8
#define REPORT_DEVICES_IN_LINE	4

/**
 * iommu_group_find_device() - A device in the list of its group
 * @group: the group
 * @dev: the device
 *
 * Context: group->mutex is held.
 * Return: what the group knows of the device; NULL if it is not on the list yet, or
 * not any more.
 */
struct group_device *iommu_group_find_device(struct iommu_group *group,
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
 * Return: the blocking domain while the group has an owner that has arrived and is not
 * retired, else the default domain; NULL for a group without a default domain.
 */
struct iommu_domain *iommu_group_fallback_domain(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	if (group->owner && group->blocking_domain)
		return group->blocking_domain;
	return group->default_domain;
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
 * Processes choose their own names. What could end a word or a line, or is no
 * character everywhere, is written in octal, as in /proc/mounts. Returns the
 * end of the text.
 */
static char *escape_name(char *to, const char *name)
{
	for (; *name; name++) {
		if (isascii(*name) && isgraph(*name) && !strchr("\"\\", *name))
			*to++ = *name;
		else
			to += sprintf(to, "\\%03o", (u8)*name);
	}

	return to;
}

/**
 * iommu_dma_owner_task() - The process that claimed a group
 * @group: the group, which has an owner or a private domain
 * @ns: PID namespace of whoever will read it
 * @task: where "name[number]" is written to. The number is 0 if the process
 *	cannot be seen in @ns. The name is escaped.
 *
 * Context: group->mutex is held.
 */
void iommu_dma_owner_task(struct iommu_group *group, struct pid_namespace *ns,
			  char task[IOMMU_DMA_OWNER_TASK_LEN])
{
	char *end;

	lockdep_assert_held(&group->mutex);

	end = escape_name(task, group->owner_comm);
	sprintf(end, "[%d]", pid_nr_ns(group->owner_pid, ns));
}

/*
 * The limit for one kind of report, made with the first of all kinds. NULL if
 * there is no memory for it: better a line too many than none.
 */
static struct ratelimit_state *report_limit(struct iommu_group *group,
					    enum iommu_report kind)
{
	int i;

	if (group->reports)
		return &group->reports[kind];

	group->reports = kcalloc(IOMMU_REPORTS, sizeof(*group->reports),
				 GFP_KERNEL);
	if (!group->reports)
		return NULL;

	for (i = 0; i < IOMMU_REPORTS; i++) {
		ratelimit_default_init(&group->reports[i]);
		/* What was not logged is told below, with the group's number. */
		ratelimit_set_flags(&group->reports[i],
				    RATELIMIT_MSG_ON_RELEASE);
	}
	return &group->reports[kind];
}

/**
 * iommu_dma_owner_may_report() - Whether to log one more report of a kind
 * @group: the group that it is about
 * @kind: which
 *
 * Limits the log for each group and kind of report, so that none can silence
 * another.
 *
 * Context: group->mutex is held. May sleep.
 * Return: true if it is to be logged.
 */
bool iommu_dma_owner_may_report(struct iommu_group *group,
				enum iommu_report kind)
{
	static const char * const names[] = {
		[IOMMU_REPORT_PROBE] = "refused probes",
		[IOMMU_REPORT_CLAIM] = "refused claims",
		[IOMMU_REPORT_CLAIMED] = "answers of \"not viable\"",
		[IOMMU_REPORT_ATTACH] = "refused attaches",
		[IOMMU_REPORT_BIND] = "refused binds",
	};
	struct ratelimit_state *limit;

	lockdep_assert_held(&group->mutex);

	limit = report_limit(group, kind);
	if (!limit)
		return true;
	if (!__ratelimit(limit))
		return false;

	if (limit->missed)
		pr_warn("group %d: %d more %s were not logged\n", group->id,
			limit->missed, names[kind]);
	limit->missed = 0;
	return true;
}

/**
 * iommu_dma_owner_for_log() - The owner of a group for the log
 * @group: the group, which has an owner
 * @task: as for iommu_dma_owner_task(); the initial PID namespace reads the log
 *
 * Others may hold the group for a process that has exited, for instance its
 * children.
 *
 * Context: group->mutex is held.
 * Return: text that follows the task and tells that it has exited, or "".
 */
const char *iommu_dma_owner_for_log(struct iommu_group *group,
				    char task[IOMMU_DMA_OWNER_TASK_LEN])
{
	iommu_dma_owner_task(group, &init_pid_ns, task);
	return thread_group_exited(group->owner_pid) ? ", which has exited" : "";
}

/**
 * iommu_group_attached_device() - A device that is attached to the private domain
 * @group: the group
 *
 * Context: group->mutex is held.
 * Return: the first that its driver attached; NULL without a private domain.
 */
struct device *iommu_group_attached_device(struct iommu_group *group)
{
	struct group_device *device;

	lockdep_assert_held(&group->mutex);

	list_for_each_entry(device, &group->devices, list)
		if (device->attached)
			return device->dev;
	return NULL;
}

/**
 * iommu_group_bonded_device() - A device that works on the memory of a process
 * @group: the group
 *
 * Context: group->mutex is held.
 * Return: the first with a bond; NULL if there is none.
 */
struct device *iommu_group_bonded_device(struct iommu_group *group)
{
	struct group_device *device;

	lockdep_assert_held(&group->mutex);

	list_for_each_entry(device, &group->devices, list)
		if (device->sva_bonds)
			return device->dev;
	return NULL;
}

/* The driver of an attached device need not have a claim that keeps its name. */
static void report_probe_refused_by_driver(struct iommu_group *group,
					   struct device *dev)
{
	struct device *attached = iommu_group_attached_device(group);

	rcu_read_lock();
	dev_warn(dev, "probe refused: IOMMU group %d is on a domain of %s (%s): unbind that driver first\n",
		 group->id, iommu_dma_owner_driver(attached), dev_name(attached));
	rcu_read_unlock();
}

static void report_probe_refused(struct iommu_group *group, struct device *dev)
{
	char task[IOMMU_DMA_OWNER_TASK_LEN];
	const char *exited;

	lockdep_assert_held(&group->mutex);

	trace_dma_owner_refused(group->id, dev, iommu_dma_owner_driver(dev), -EBUSY);

	if (!iommu_dma_owner_may_report(group, IOMMU_REPORT_PROBE))
		return;

	if (group->private_domain) {
		report_probe_refused_by_driver(group, dev);
		return;
	}

	exited = iommu_dma_owner_for_log(group, task);
	dev_warn(dev, "probe refused: IOMMU group %d is owned by userspace (%s%s): end %s, or bind vfio-pci or pci-stub\n",
		 group->id, task, exited, *exited ? "whoever has it now" : "that process");
}

static void report_join_refused_by_driver(struct iommu_group *group,
					  struct device *dev)
{
	struct device *attached = iommu_group_attached_device(group);

	rcu_read_lock();
	dev_err(dev, "isolation is broken: bound to %s before its IOMMU was known, and now IOMMU group %d is on a domain of %s (%s): unbind one of the two drivers\n",
		iommu_dma_owner_driver(dev), group->id,
		iommu_dma_owner_driver(attached), dev_name(attached));
	rcu_read_unlock();
}

static void report_join_refused(struct iommu_group *group, struct device *dev)
{
	char task[IOMMU_DMA_OWNER_TASK_LEN];
	const char *exited;

	lockdep_assert_held(&group->mutex);

	trace_dma_owner_refused(group->id, dev, iommu_dma_owner_driver(dev), -EBUSY);

	if (group->private_domain) {
		report_join_refused_by_driver(group, dev);
		return;
	}

	exited = iommu_dma_owner_for_log(group, task);
	dev_err(dev, "isolation is broken: bound to %s before its IOMMU was known, and now IOMMU group %d is owned by userspace (%s%s): unbind that driver, or end %s\n",
		iommu_dma_owner_driver(dev), group->id, task, exited,
		*exited ? "whoever has the group" : "that process");
}

/* Whether a device is in an owner's way, and why; its driver follows the text. */
static const char *why_in_use(struct group_device *device)
{
	if (device->attached)
		return "is on a domain of its driver";
	if (device->dma_api)
		return "is bound to";
	return device->sva_bonds ? "works on a process's memory for" : NULL;
}

/* Names the devices in the way of an owner's claim, up to REPORT_DEVICES. */
static void report_devices_in_use(struct iommu_group *group, bool log)
{
	struct group_device *device;
	unsigned int named = 0;
	const char *why;

	lockdep_assert_held(&group->mutex);

	rcu_read_lock();
	list_for_each_entry(device, &group->devices, list) {
		why = why_in_use(device);
		if (!why)
			continue;

		trace_dma_owner_refused(group->id, device->dev,
					iommu_dma_owner_driver(device->dev), -EPERM);
		if (log && named++ < REPORT_DEVICES)
			pr_warn("group %d: claim refused: %s %s %s\n",
				group->id, dev_name(device->dev), why,
				iommu_dma_owner_driver(device->dev));
	}
	rcu_read_unlock();

	if (named > REPORT_DEVICES)
		pr_warn("group %d: claim refused: so are %u more devices\n",
			group->id, named - REPORT_DEVICES);
}

/* Tells whoever may look why an owner's claim is refused. */
static void report_claim_refused(struct iommu_group *group)
{
	bool log = iommu_dma_owner_may_report(group, IOMMU_REPORT_CLAIM);
	char task[IOMMU_DMA_OWNER_TASK_LEN];
	const char *exited;

	lockdep_assert_held(&group->mutex);

	if (!group->owner) {
		report_devices_in_use(group, log);
		return;
	}

	trace_dma_owner_refused(group->id, NULL, "-", -EPERM);
	if (!log)
		return;

	exited = iommu_dma_owner_for_log(group, task);
	pr_warn("group %d: claim refused: owned by userspace (%s%s)\n",
		group->id, task, exited);
}

/* Writes which devices are in an owner's way to @names; how many there are. */
static unsigned int name_devices_in_use(struct iommu_group *group, char *names,
					size_t size)
{
	struct group_device *device;
	unsigned int named = 0;
	const char *why;
	int len = 0;

	lockdep_assert_held(&group->mutex);

	rcu_read_lock();
	list_for_each_entry(device, &group->devices, list) {
		why = why_in_use(device);
		if (!why || named++ >= REPORT_DEVICES_IN_LINE)
			continue;
		len += scnprintf(names + len, size - len, "%s%s %s %s",
				 len ? ", " : "", dev_name(device->dev), why,
				 iommu_dma_owner_driver(device->dev));
	}
	rcu_read_unlock();

	return named;
}

/* Names in one line what would be in the way of an owner's claim. */
static void report_claimed(struct iommu_group *group)
{
	char names[256] = "", task[IOMMU_DMA_OWNER_TASK_LEN];
	const char *exited;
	unsigned int named;

	lockdep_assert_held(&group->mutex);

	if (group->owner) {
		exited = iommu_dma_owner_for_log(group, task);
		pr_warn("group %d: not viable: owned by userspace (%s%s)\n",
			group->id, task, exited);
		return;
	}

	named = name_devices_in_use(group, names, sizeof(names));
	if (named > REPORT_DEVICES_IN_LINE)
		pr_warn("group %d: not viable: %s, and so are %u more devices\n",
			group->id, names, named - REPORT_DEVICES_IN_LINE);
	else
		pr_warn("group %d: not viable: %s\n", group->id, names);
}

static bool needs_direct_mapping(struct device *dev)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);
	bool found = false;

	iommu_get_resv_regions(dev, &regions);
	list_for_each_entry(region, &regions, list)
		found |= region->type == IOMMU_RESV_DIRECT;
	iommu_put_resv_regions(dev, &regions);

	return found;
}

/* Which device its IOMMU driver did not let go of, if that is why it refused. */
static struct device *direct_mapped_device(struct iommu_group *group, int error)
{
	struct group_device *device;

	lockdep_assert_held(&group->mutex);

	if (error != -EPERM)
		return NULL;

	list_for_each_entry(device, &group->devices, list)
		if (needs_direct_mapping(device->dev))
			return device->dev;
	return NULL;
}

/* Tells why a claim is refused because of the domain of the group. */
static void report_domain_in_way(struct iommu_group *group, int error)
{
	struct device *dev;

	lockdep_assert_held(&group->mutex);

	trace_dma_owner_refused(group->id, NULL, "-", error);
	if (!iommu_dma_owner_may_report(group, IOMMU_REPORT_CLAIM))
		return;

	dev = direct_mapped_device(group, error);
	if (dev)
		pr_warn("group %d: claim refused: %s needs a direct mapping of the firmware (see reserved_regions): switch that off in the firmware's setup, or use another device\n",
			group->id, dev_name(dev));
	else if (group->domain == group->default_domain)
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
	trace_dma_owner_set(group->id, "kernel", device->dev,
			    iommu_dma_owner_driver(device->dev), current->comm,
			    task_tgid_nr(current));
}

static void unclaim_device(struct iommu_group *group,
			   struct group_device *device)
{
	lockdep_assert_held(&group->mutex);

	if (!device->dma_api)
		return;
	device->dma_api = false;
	group->owner_cnt--;
	trace_dma_owner_release(group->id, "kernel", device->dev,
				iommu_dma_owner_driver(device->dev), current->comm,
				task_tgid_nr(current));
}

static bool has_stranded_device(struct iommu_group *group)
{
	struct group_device *device;

	lockdep_assert_held(&group->mutex);

	list_for_each_entry(device, &group->devices, list)
		if (device->stranded)
			return true;
	return false;
}

/*
 * Frees the blocking domain, as each domain may take one of the few contexts that
 * an IOMMU has. A stranded device may still be on it.
 */
static void free_blocking_domain(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	if (has_stranded_device(group))
		return;

	if (group->blocking_domain)
		iommu_domain_free(group->blocking_domain);
	group->blocking_domain = NULL;
}

static int use_dma_api(struct iommu_group *group, struct group_device *device)
{
	lockdep_assert_held(&group->mutex);

	if (group->owner || (group->private_domain && !device->attached)) {
		device->refused = true;
		report_probe_refused(group, device->dev);
		return -EBUSY;
	}

	if (device->stranded) {
		int ret = __iommu_device_restore_domain(group, device, NULL,
							group->domain);

		if (ret)
			return ret;
		free_blocking_domain(group);
	}

	claim_device(group, device);
	return 0;
}

/* Whether to set up a device's DMA ops anew, once they can stay. */
static bool test_and_clear_dma_ops_stale(struct iommu_group *group,
					 struct group_device *device)
{
	lockdep_assert_held(&group->mutex);

	if (!device->dma_ops_stale || group->domain != group->default_domain)
		return false;
	device->dma_ops_stale = false;
	return true;
}

/* Does what the IOMMU driver could not do while the group was elsewhere. */
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
 * Such a driver calls it if it uses the DMA API after all, before it does.
 * A second call for the same device changes nothing.
 *
 * Context: the caller holds the device lock, or is the driver that is bound; takes
 * group->mutex. May sleep.
 * Return: 0, also for a device without a group; -EBUSY if the group has an
 * owner, or is on a private domain that @dev was not attached to, which is logged;
 * the IOMMU driver's error if the device cannot be attached to its default domain.
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
	device = iommu_group_find_device(group, dev);
	if (device)
		ret = use_dma_api(group, device);
	if (device && !ret)
		finalize = test_and_clear_dma_ops_stale(group, device);
	mutex_unlock(&group->mutex);

	if (finalize)
		finalize_device(dev);

	iommu_group_put(group);
	return ret;
}
EXPORT_SYMBOL_GPL(iommu_device_use_dma_api);

/**
 * iommu_device_unuse_dma_api() - Drop a device's claim for the kernel
 * @dev: the device
 *
 * The converse of iommu_device_use_dma_api(), for when the driver is gone and
 * its managed resources are freed. Does nothing where no claim of @dev stands,
 * and never touches another device's claim or that of an owner.
 *
 * Context: the caller holds the device lock, or is the driver that is bound; takes
 * group->mutex. May sleep.
 */
void iommu_device_unuse_dma_api(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct group_device *device;

	if (!group)
		return;

	mutex_lock(&group->mutex);
	device = iommu_group_find_device(group, dev);
	if (device)
		unclaim_device(group, device);
	mutex_unlock(&group->mutex);

	iommu_group_put(group);
}
EXPORT_SYMBOL_GPL(iommu_device_unuse_dma_api);

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
 * owner or a private domain. The device stays out, but that does not stop its
 * driver: the owner can attack it, and is attacked by it, until one of them ends.
 * That is logged.
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

	device->dma_ops_stale = group->default_domain &&
				group->domain != group->default_domain;
	if (!device_uses_dma_api(dev))
		return 0;

	if (group->owner || group->private_domain) {
		report_join_refused(group, dev);
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
	lockdep_assert_held(&group->mutex);

	if (device->sva_bonds)
		dev_err(device->dev, "leaves IOMMU group %d while it works on a process's memory: its driver has to unbind that first\n",
			group->id);
	unclaim_device(group, device);
}

static struct iommu_domain *alloc_empty_domain(struct iommu_group *group)
{
	struct group_device *device;

	lockdep_assert_held(&group->mutex);

	/*
	 * A domain of type IOMMU_DOMAIN_BLOCKED would say it better, but most
	 * IOMMU drivers refuse to allocate one, and none maps into it.
	 */
	device = list_first_entry_or_null(&group->devices, struct group_device, list);
	return device ? iommu_domain_alloc(device->dev->bus) : NULL;
}

/* Allocates the blocking domain, if it is not kept from an earlier owner. */
static int alloc_blocking_domain(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	if (!group->blocking_domain)
		group->blocking_domain = alloc_empty_domain(group);
	return group->blocking_domain ? 0 : -ENOMEM;
}

/**
 * iommu_group_leave_default_domain() - Take a group from its default domain
 * @group: the group, which is on it
 * @domain: where it goes
 *
 * Context: group->mutex is held. May sleep.
 * Return: 0; or the IOMMU driver's error. All devices are back on the default
 * domain then.
 */
int iommu_group_leave_default_domain(struct iommu_group *group,
				     struct iommu_domain *domain)
{
	struct group_device *device;
	int ret;

	lockdep_assert_held(&group->mutex);

	ret = __iommu_group_set_domain(group, domain);
	if (ret)
		return ret;

	/*
	 * An IOMMU driver that is just setting up the DMA ops of a device that
	 * joined finds the wrong domain now.
	 */
	list_for_each_entry(device, &group->devices, list)
		device->dma_ops_stale = true;
	return 0;
}

/*
 * Takes a group from its default domain to a domain of its owner's, or to the blocking
 * one for want of that. From here on there is a way back to the latter.
 */
static int leave_for_owner(struct iommu_group *group, struct iommu_domain *domain)
{
	int ret;

	lockdep_assert_held(&group->mutex);

	ret = alloc_blocking_domain(group);
	if (!ret)
		ret = iommu_group_leave_default_domain(group, domain ?: group->blocking_domain);
	if (ret)
		free_blocking_domain(group);
	return ret;
}

/* Cuts off the DMA of a whole group, unless its owner arrives. */
static int take_group_from_kernel(struct iommu_group *group, bool arriving)
{
	int ret = 0;

	lockdep_assert_held(&group->mutex);

	/* It may be too new to be on its default domain. */
	if (!group->default_domain)
		ret = __iommu_group_init_domain(group);
	if (ret || !group->default_domain)
		return ret;

	if (group->domain != group->default_domain)
		return -EBUSY;
	/* With a stranded device there is a blocking domain, and it is the fallback. */
	if (arriving && !group->blocking_domain)
		return 0;
	return leave_for_owner(group, NULL);
}

/**
 * iommu_dma_owner_on_default() - Whether a group is an owner's on its default domain
 * @group: the group
 *
 * Context: group->mutex is held.
 * Return: true under an arriving owner, and under a retired one that has detached.
 */
bool iommu_dma_owner_on_default(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	return group->owner && group->default_domain && !group->blocking_domain &&
	       group->domain == group->default_domain;
}

/**
 * iommu_dma_owner_arrive() - Attach a group to the first domain of an arriving owner
 * @group: the group
 * @domain: the owner's domain
 *
 * A device whose IOMMU driver keeps a direct mapping is logged, as in a claim.
 *
 * Context: group->mutex is held. May sleep.
 * Return: 0; -ENOMEM; or the IOMMU driver's error. All devices are on the default
 * domain then, and the owner is arriving still.
 */
int iommu_dma_owner_arrive(struct iommu_group *group, struct iommu_domain *domain)
{
	int ret;

	lockdep_assert_held(&group->mutex);

	ret = leave_for_owner(group, domain);
	if (direct_mapped_device(group, ret))
		report_domain_in_way(group, ret);
	return ret;
}

/**
 * iommu_dma_owner_record_task() - Remember which process a group is claimed in
 * @group: the group, which had neither an owner nor a private domain before
 *
 * Context: group->mutex is held.
 */
void iommu_dma_owner_record_task(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	group->owner_pid = get_pid(task_tgid(current));
	get_task_comm(group->owner_comm, current->group_leader);
}

/**
 * iommu_dma_owner_forget_task() - Drop what was remembered of that process
 * @group: the group, which has neither an owner nor a private domain any more
 *
 * Context: group->mutex is held.
 */
void iommu_dma_owner_forget_task(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	put_pid(group->owner_pid);
	group->owner_pid = NULL;
}

static int set_dma_owner(struct iommu_group *group, void *owner, bool arriving)
{
	int ret;

	lockdep_assert_held(&group->mutex);

	if (list_empty(&group->devices))
		return -ENODEV;

	if (group->owner_cnt || group->private_domain ||
	    iommu_group_bonded_device(group)) {
		report_claim_refused(group);
		return -EPERM;
	}

	ret = take_group_from_kernel(group, arriving);
	if (ret) {
		report_domain_in_way(group, ret);
		return ret;
	}

	group->owner = owner;
	group->owner_cnt = 1;
	iommu_dma_owner_record_task(group);
	trace_dma_owner_set(group->id, "user", NULL, "-", group->owner_comm,
			    pid_nr(group->owner_pid));
	return 0;
}

static int claim_group(struct iommu_group *group, void *owner, bool arriving)
{
	int ret;

	if (!owner)
		return -EINVAL;

	mutex_lock(&group->mutex);
	ret = set_dma_owner(group, owner, arriving);
	mutex_unlock(&group->mutex);

	return ret;
}

/**
 * iommu_group_set_dma_owner() - Claim a group for a user
 * @group: the group; the caller holds a reference to it
 * @owner: cookie that tells owners apart; not NULL, never dereferenced
 *
 * From here until iommu_group_release_dma_owner() no driver that programs DMA
 * for the kernel can be bound to a device of the group. DMA is blocked until
 * the owner attaches a domain of its own with iommu_attach_group(), or takes the
 * blocking one with iommu_group_take_blocking_domain(), and again after it detaches
 * that, unless it is retired. Called by VFIO before it lets userspace near a group.
 *
 * Memory that the firmware wants mapped for a device (%IOMMU_RESV_DIRECT) is
 * mapped in the default domain alone. Whether the device can be cut off from it
 * is for the IOMMU driver to decide: Intel's does not let go of an RMRR unless it
 * is relaxable, AMD's lets go of all. It is mapped again after the release.
 *
 * The calling process is recorded as the owner for messages. Whether it has
 * exited since, and others hold the group for it, is told with it.
 *
 * Context: takes group->mutex. May sleep.
 * Return: 0; -EINVAL without a cookie; -ENODEV if the group has no device;
 * -EPERM if the group is claimed already, by an owner or by the driver of one
 * of its devices, or is on a private domain, or if a device works on the memory of a
 * process, or if the IOMMU driver keeps a direct mapping that a device needs; -EBUSY
 * if a domain was attached to the group without a claim; -ENOMEM;
 * or another error of the IOMMU driver that would not let go of the default
 * domain. All devices are back on it then. All but the first two are logged.
 */
int iommu_group_set_dma_owner(struct iommu_group *group, void *owner)
{
	return claim_group(group, owner, false);
}
EXPORT_SYMBOL_GPL(iommu_group_set_dma_owner);

/**
 * iommu_group_set_arriving_dma_owner() - Claim a group for a user that attaches next
 * @group: the group; the caller holds a reference to it
 * @owner: as for iommu_group_set_dma_owner()
 *
 * The same as iommu_group_set_dma_owner(), but the group stays on its default domain
 * until iommu_attach_group() takes it straight to the owner's: half the work of going by
 * way of the blocking one, to which it returns all the same. The caller attaches a domain
 * or releases the group before anybody may make its devices do DMA. Called by VFIO when a
 * group joins a container that has an IOMMU.
 *
 * Context: takes group->mutex. May sleep.
 * Return: as iommu_group_set_dma_owner(). What the IOMMU driver says to leaving the
 * default domain, and that there is no memory for a blocking one, the attach returns.
 */
int iommu_group_set_arriving_dma_owner(struct iommu_group *group, void *owner)
{
	return claim_group(group, owner, true);
}
EXPORT_SYMBOL_GPL(iommu_group_set_arriving_dma_owner);

/* Whether all devices of a group are on a blocking domain, which takes an owner. */
static bool is_blocked(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	return group->blocking_domain && group->domain == group->blocking_domain &&
	       !has_stranded_device(group);
}

/**
 * iommu_group_take_blocking_domain() - Let an owner map into the domain that is there
 * @group: the group, claimed with iommu_group_set_dma_owner()
 *
 * For an owner that would allocate a domain next and attach the group to it: the
 * blocking one is as new as that, and every device is attached to it already. It is
 * the owner's from here on, to map into, to detach with iommu_detach_group() and then
 * to free. The group gets another blocking domain to return to at once, lest it could
 * not be cut off later for want of memory. Called by VFIO in SET_IOMMU.
 *
 * Context: takes group->mutex. May sleep.
 * Return: the domain; NULL if there is none to take, and nothing is changed then: the
 * group has no default domain, or is not on its blocking one, or a device of it is
 * stranded, or there is no memory. The owner can attach a domain of its own.
 */
struct iommu_domain *iommu_group_take_blocking_domain(struct iommu_group *group)
{
	struct iommu_domain *next, *domain = NULL;

	mutex_lock(&group->mutex);
	next = is_blocked(group) ? alloc_empty_domain(group) : NULL;
	if (next) {
		domain = group->blocking_domain;
		group->blocking_domain = next;
	}
	mutex_unlock(&group->mutex);

	return domain;
}
EXPORT_SYMBOL_GPL(iommu_group_take_blocking_domain);

/*
 * A device of a free group that has no driver because one was kept from it; NULL
 * if there is none. Each is returned once. The caller puts it.
 */
static struct device *take_refused_device(struct iommu_group *group)
{
	struct group_device *device;
	struct device *dev = NULL;

	mutex_lock(&group->mutex);
	list_for_each_entry(device, &group->devices, list) {
		if (!device->refused || group->owner || group->private_domain)
			continue;
		device->refused = false;
		if (READ_ONCE(device->dev->driver))
			continue;
		dev = get_device(device->dev);
		break;
	}
	mutex_unlock(&group->mutex);

	return dev;
}

/**
 * iommu_dma_owner_announce() - Tell of devices that can have a driver again
 * @group: the group
 *
 * Nobody tries to bind drivers that were refused again, so let udev know that it
 * can be done now.
 *
 * Context: takes group->mutex, but not while an event calls back into the bus. May
 * sleep.
 */
void iommu_dma_owner_announce(struct iommu_group *group)
{
	char *env[2] = { "DMA_OWNER=none" };
	struct device *dev;

	while ((dev = take_refused_device(group))) {
		if (device_is_registered(dev))
			kobject_uevent_env(&dev->kobj, KOBJ_CHANGE, env);
		put_device(dev);
	}
}

/**
 * iommu_group_retire_dma_owner() - Say that an owner's next detach is its last
 * @group: the group, claimed with iommu_group_set_dma_owner()
 *
 * The detach that follows takes the group straight to its default domain, and
 * iommu_group_release_dma_owner() finds it there: half the work of going by way of
 * the blocking one. The group is the owner's until that release, which has to
 * follow, and nobody may make its devices do DMA any more. Changes nothing if no
 * domain of the owner is attached. Warns if the group has no owner.
 *
 * Context: takes group->mutex. May sleep.
 */
void iommu_group_retire_dma_owner(struct iommu_group *group)
{
	mutex_lock(&group->mutex);
	if (!WARN_ON(!group->owner) && group->domain != group->blocking_domain)
		free_blocking_domain(group);
	mutex_unlock(&group->mutex);
}
EXPORT_SYMBOL_GPL(iommu_group_retire_dma_owner);

/**
 * iommu_group_release_dma_owner() - Give a group back to the kernel
 * @group: the group, claimed with iommu_group_set_dma_owner()
 *
 * The group returns to its default domain, also from a domain that the owner
 * failed to detach. A device whose driver was refused meanwhile, and that still
 * has none, gets a "change" uevent with DMA_OWNER=none in its environment.
 * Warns if the group has no owner, and does nothing then.
 *
 * Context: takes group->mutex. May sleep. Device locks may be held, as by a
 * driver that waits for its user to release the group.
 */
void iommu_group_release_dma_owner(struct iommu_group *group)
{
	mutex_lock(&group->mutex);
	if (WARN_ON(!group->owner))
		goto out_unlock;

	trace_dma_owner_release(group->id, "user", NULL, "-", group->owner_comm,
				pid_nr(group->owner_pid));
	iommu_dma_owner_forget_task(group);
	group->owner = NULL;
	group->owner_cnt = 0;
	if (group->default_domain) {
		__iommu_group_restore_domain(group, group->default_domain);
		free_blocking_domain(group);
	}
out_unlock:
	mutex_unlock(&group->mutex);

	iommu_dma_owner_announce(group);
}
EXPORT_SYMBOL_GPL(iommu_group_release_dma_owner);

/**
 * iommu_dma_owner_count() - How many claims stand on a group
 * @group: the group
 *
 * Context: group->mutex is held.
 * Return: 1 with an owner; the number of attached devices with a private domain;
 * else that of the devices in kernel use, by a claim or by a bond.
 */
unsigned int iommu_dma_owner_count(struct iommu_group *group)
{
	struct group_device *device;
	unsigned int count = 0;

	lockdep_assert_held(&group->mutex);

	if (group->owner)
		return group->owner_cnt;

	list_for_each_entry(device, &group->devices, list)
		count += group->private_domain ? device->attached :
			 device->dma_api || device->sva_bonds;
	return count;
}

/**
 * iommu_group_dma_owner_claimed() - Whether anybody holds a claim on a group
 * @group: the group
 *
 * The answer may be outdated by the time that the caller looks at it.
 *
 * Context: takes group->mutex. May sleep.
 * Return: true if the group has an owner, a device in kernel use or with a bond, or a
 * private domain.
 */
bool iommu_group_dma_owner_claimed(struct iommu_group *group)
{
	bool claimed;

	mutex_lock(&group->mutex);
	claimed = iommu_dma_owner_count(group);
	mutex_unlock(&group->mutex);

	return claimed;
}
EXPORT_SYMBOL_GPL(iommu_group_dma_owner_claimed);

/**
 * iommu_group_report_claimed() - Log who is in the way of an owner
 * @group: the group
 *
 * For those who do not claim a group when they learn from
 * iommu_group_dma_owner_claimed() that they cannot, so that the log tells why
 * all the same: the devices in kernel use with their drivers, or the owner. It
 * is one line, with a limit of its own. Nothing is logged of a group that is
 * free by now. Called by VFIO when it tells a user that a group is not viable.
 *
 * Context: takes group->mutex. May sleep.
 */
void iommu_group_report_claimed(struct iommu_group *group)
{
	mutex_lock(&group->mutex);
	if (iommu_dma_owner_count(group) &&
	    iommu_dma_owner_may_report(group, IOMMU_REPORT_CLAIMED))
		report_claimed(group);
	mutex_unlock(&group->mutex);
}
EXPORT_SYMBOL_GPL(iommu_group_report_claimed);

/**
 * iommu_dma_owner_name() - Who has a group, in one word
 * @group: the group
 *
 * Context: group->mutex is held.
 * Return: "none", "kernel", "private" or "user".
 */
const char *iommu_dma_owner_name(struct iommu_group *group)
{
	lockdep_assert_held(&group->mutex);

	if (group->owner)
		return "user";
	if (group->private_domain)
		return "private";
	return iommu_dma_owner_count(group) ? "kernel" : "none";
}
