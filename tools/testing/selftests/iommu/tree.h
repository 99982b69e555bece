/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sysfs and a /proc that a test writes, by the rules of the kernel: what the
 * tool iommu-groups makes of machines that are not here.
 *
 * Every function that returns int returns 0 or a negative errno.
 */
#ifndef SELFTESTS_IOMMU_TREE_H
#define SELFTESTS_IOMMU_TREE_H

#define TREE		"/tmp/iommu-groups-tree"
#define SYS		TREE "/sys"
#define PROC		TREE "/proc"

/* Classes of PCI devices */
#define NETWORK_CARD	0x020000
#define NVME_DRIVE	0x010802
#define VGA_GRAPHICS	0x030000
#define ISA_BRIDGE	0x060100
#define PCI_BRIDGE	0x060400
#define OTHER_BRIDGE	0x068000
#define USB_CONTROLLER	0x0c0330

int tree_folder(const char *fmt, ...);
int tree_file(const char *text, const char *fmt, ...);
int tree_link(const char *target, const char *fmt, ...);
int tree_remove(const char *fmt, ...);

int tree_new(void);
int tree_device(int group, const char *bus, const char *folder, const char *name);
int tree_pci(int group, const char *bdf, const char *driver, unsigned int class);
int tree_driver(const char *bus, const char *name, const char *driver);
int tree_process(int pid, const char *comm);
int tree_open(int pid, int fd, const char *target);

int ask(const char *fmt, ...);
int ask_all(void);
int ask_why(const char *fmt, ...);

#endif
