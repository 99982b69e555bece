/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of an IOMMU group, for the files that work on it: iommu.c (groups,
 * domains, attaching), dma-owner.c (who may program DMA) and its table in
 * debugfs, dma-owner-debugfs.c.
 * Everybody else uses <linux/iommu.h>.
 */
#ifndef __IOMMU_GROUP_H
#define __IOMMU_GROUP_H

#include <linux/iommu.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>

/**
 * struct iommu_group - the smallest set of devices that can be isolated
 * @kobj: /sys/kernel/iommu_groups/N
 * @devices_kobj: its "devices" folder; carries the group's reference count
 * @devices: list of struct group_device
 * @mutex: protects every member below, @devices, and each attach and detach
 * @iommu_data: private data of the IOMMU driver
 * @iommu_data_release: destructor of @iommu_data
 * @name: name given by the IOMMU driver, or NULL
 * @id: number of the group, as in sysfs
 * @owner_cnt: claims held: 1 for an owner, else the number of devices whose
 *	&struct group_device.dma_api is set
 * @default_domain: what the kernel's DMA API maps into; NULL with an IOMMU
 *	driver that has no default domains, or without an IOMMU
 * @domain: the present domain: the one that the devices are attached to
 * @entry: links groups that wait for their default domain
 * @blocking_domain: a domain without mappings, kept from the first owner's
 *	claim until the group is freed; NULL before
 * @owner: cookie of the owner; NULL while the group is free or in kernel use
 * @owner_comm: name of the process that claimed ownership, for messages
 * @owner_pid: its number
 * @reports: refusals since @reports_since, to limit what is logged of them
 * @reports_since: in jiffies
 */
struct iommu_group {
	struct kobject kobj;
	struct kobject *devices_kobj;
	struct list_head devices;
	struct mutex mutex;	/* see above */
	void *iommu_data;
	void (*iommu_data_release)(void *iommu_data);
	char *name;
	int id;
	unsigned int owner_cnt;
	struct iommu_domain *default_domain;
	struct iommu_domain *domain;
	struct list_head entry;
	struct iommu_domain *blocking_domain;
	void *owner;
	char owner_comm[TASK_COMM_LEN];
	pid_t owner_pid;
	unsigned int reports;
	unsigned long reports_since;
};

/**
 * struct group_device - one device of a group
 * @list: node in &struct iommu_group.devices
 * @dev: the device
 * @name: name of its link in the group's "devices" folder
 * @dma_api: the device's driver may program it to do DMA for the kernel
 * @stranded: the device could not be attached to the default domain when its
 *	group went back there; tried again before its next driver probes
 * @finalize: the group had an owner since the device joined, so the IOMMU
 *	driver may not have set up its DMA ops yet
 */
struct group_device {
	struct list_head list;
	struct device *dev;
	char *name;
	bool dma_api;
	bool stranded;
	bool finalize;
};

/**
 * struct iommu_group_attribute - a file in the folder of a group in sysfs
 * @attr: name and mode
 * @show: writes the value to a page; returns its length or an error
 * @store: takes a value; returns how much of it, or an error
 */
struct iommu_group_attribute {
	struct attribute attr;
	ssize_t (*show)(struct iommu_group *group, char *buf);
	ssize_t (*store)(struct iommu_group *group,
			 const char *buf, size_t count);
};

#define IOMMU_GROUP_ATTR(_name, _mode, _show, _store)		\
struct iommu_group_attribute iommu_group_attr_##_name =		\
	__ATTR(_name, _mode, _show, _store)

#define to_iommu_group_attr(_attr)	\
	container_of(_attr, struct iommu_group_attribute, attr)
#define to_iommu_group(_kobj)		\
	container_of(_kobj, struct iommu_group, kobj)

/* iommu.c, for dma-owner-debugfs.c */
struct iommu_group *iommu_group_get_from(int id);

/* iommu.c, for dma-owner.c; all with group->mutex held */
int __iommu_group_set_domain(struct iommu_group *group,
			     struct iommu_domain *domain);
void __iommu_group_restore_domain(struct iommu_group *group,
				  struct iommu_domain *domain);
int __iommu_device_restore_domain(struct iommu_group *group,
				  struct group_device *device,
				  struct iommu_domain *from,
				  struct iommu_domain *to);

/* dma-owner.c, for dma-owner-debugfs.c */
const char *iommu_dma_owner_driver(struct device *dev);
const char *iommu_dma_owner_name(struct iommu_group *group);

/* dma-owner.c, for iommu.c */
extern const struct attribute_group *iommu_dma_owner_groups[];

/* dma-owner.c, for iommu.c; all with group->mutex held */
struct iommu_domain *iommu_group_fallback_domain(struct iommu_group *group);
int iommu_dma_owner_join(struct iommu_group *group,
			 struct group_device *device);
void iommu_dma_owner_leave(struct iommu_group *group,
			   struct group_device *device);

#endif /* __IOMMU_GROUP_H */
