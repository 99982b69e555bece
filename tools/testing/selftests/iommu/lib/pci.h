/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI devices and their drivers, through sysfs. */
#ifndef SELFTESTS_IOMMU_PCI_H
#define SELFTESTS_IOMMU_PCI_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define PCI_DEVICES	"/sys/bus/pci/devices"

#define PCI_BDF_LEN	16
#define PCI_DRIVER_LEN	32

/* One PCI device, as sysfs tells. An unbound device has the driver "". */
struct pci_dev {
	char bdf[PCI_BDF_LEN];
	char driver[PCI_DRIVER_LEN];
	__u16 vendor;
	__u16 device;
	__u32 class;
};

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

#endif
