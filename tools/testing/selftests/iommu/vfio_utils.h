/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small library for tests of VFIO and IOMMU groups: devices through sysfs,
 * groups and containers through /dev/vfio, the kernel log, and network
 * interfaces.
 *
 * Every function that returns int returns 0 (or what its comment says) or a
 * negative errno, and none prints: what an error means is for the test to say.
 * A device is named by its address as in sysfs, "0000:02:01.0".
 */
#ifndef SELFTESTS_IOMMU_VFIO_UTILS_H
#define SELFTESTS_IOMMU_VFIO_UTILS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define PCI_BDF_LEN	16
#define PCI_DRIVER_LEN	32
#define GROUP_MAX_DEVS	160

/* One PCI device, as sysfs tells. An unbound device has the driver "". */
struct pci_dev {
	char bdf[PCI_BDF_LEN];
	char driver[PCI_DRIVER_LEN];
	__u16 vendor;
	__u16 device;
	__u32 class;
};

/* An IOMMU group and its PCI devices. */
struct group {
	int id;
	int ndevs;
	struct pci_dev devs[GROUP_MAX_DEVS];
};

/* PCI devices and drivers through sysfs. */
int sysfs_write(const char *path, const char *value);
int pci_read(struct pci_dev *dev, const char *bdf);
int pci_for_each(int (*visit)(const struct pci_dev *dev));
int pci_driver(const char *bdf, char *name, size_t len);
bool pci_bound_to(const char *bdf, const char *driver);
bool pci_present(const char *bdf);
bool pci_is_below(const char *bdf, const char *bridge);
int pci_bind(const char *bdf, const char *driver);
int pci_unbind(const char *bdf);
int pci_override(const char *bdf, const char *driver);
int pci_drivers_probe(const char *bdf);
int pci_remove(const char *bdf);
int pci_rescan(void);
int pci_keep_enabled(const char *bdf, bool keep);
int pci_autoprobe(bool on);
int pci_switch(const char *bdf, const char *driver);
int pci_map_bar(const char *bdf, int bar, void **mem, size_t *size);
int pci_enable(const char *bdf);

/* IOMMU groups through sysfs. */
int group_link(const char *path);
int group_of(const char *bdf);
int group_read(struct group *group, int id);
int group_list(struct group *groups, int max);
int group_value(int id, const char *attr, char *value, size_t len);
bool iommu_is(const char *bdf, const char *part);
int iommu_fault_text(const char *bdf, __u64 iova, char *text, size_t len);

/* A VFIO user: three file descriptors, each -1 when closed. */
struct vfio_user {
	int container;
	int group;
	int device;
};

#define VFIO_USER_NONE { .container = -1, .group = -1, .device = -1 }

int vfio_open_container(void);
int vfio_open_group(int id);
int vfio_group_flags(int group, __u32 *flags);
int vfio_set_container(int group, int container);
int vfio_unset_container(int group);
int vfio_set_iommu_type(int container, int type);
int vfio_set_iommu(int container);
int vfio_open_device(int group, const char *bdf);
int vfio_user_claim(struct vfio_user *user, int id);
int vfio_user_start(struct vfio_user *user, const char *name);
int vfio_user_open(struct vfio_user *user, const char *bdf);
void vfio_user_close(struct vfio_user *user);
int vfio_hold_by_kvm(int group);
int vfio_map(int container, void *mem, __u64 iova, size_t size);
int vfio_unmap(int container, __u64 iova, size_t size);
int vfio_map_bar(int device, int bar, void **mem, size_t *size);
int vfio_region_read(int device, int index, int where, void *data, size_t len);
int vfio_region_write(int device, int index, int where, const void *data,
		      size_t len);
int vfio_config_read(int device, int where, void *data, size_t len);
int vfio_config_write(int device, int where, const void *data, size_t len);
int vfio_enable(int device);

/* Memory as the machine sees it. */
int phys_addr(const void *mem, __u64 *phys);

/* The kernel log. */
int kmsg_open(void);
int kmsg_find(int kmsg, const char *text);
int kmsg_wait(int kmsg, const char *text, int seconds);
int kmsg_wait_quiet(const char *text);
int kmsg_time(const char *text, __u64 *us);

/* Network interfaces. */
int netdev_name(const char *bdf, char *name, size_t len);
int netdev_up(const char *name);
int netdev_carrier(const char *name, int seconds);
int netdev_traffic(const char *name, int seconds);
int netdev_check(const char *bdf, int seconds);

#endif
