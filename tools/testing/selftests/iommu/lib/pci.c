// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "error.h"
#include "pci.h"
#include "sysfs.h"

#define PCI_DRIVERS	"/sys/bus/pci/drivers"

static int pci_write(const char *bdf, const char *attr, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, attr);
	return sysfs_write(path, value);
}

static int pci_read_hex(const char *bdf, const char *attr, __u32 *value)
{
	char path[PATH_MAX];
	FILE *file;
	int ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, attr);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	ret = fscanf(file, "%x", value) == 1 ? 0 : -EIO;
	fclose(file);
	return ret;
}

/* Fill @dev from sysfs. -ENOENT where there is no device @bdf. */
int pci_read(struct pci_dev *dev, const char *bdf)
{
	__u32 vendor, device;
	int ret;

	memset(dev, 0, sizeof(*dev));
	snprintf(dev->bdf, sizeof(dev->bdf), "%s", bdf);
	ret = pci_read_hex(bdf, "vendor", &vendor);
	if (!ret)
		ret = pci_read_hex(bdf, "device", &device);
	if (!ret)
		ret = pci_read_hex(bdf, "class", &dev->class);
	if (ret)
		return ret;
	dev->vendor = vendor;
	dev->device = device;
	return pci_driver(bdf, dev->driver, sizeof(dev->driver));
}

/* Call @visit for every PCI device until it returns an error; returns that. */
int pci_for_each(int (*visit)(const struct pci_dev *dev))
{
	struct dirent *entry;
	struct pci_dev dev;
	int ret = 0;
	DIR *dir;

	dir = opendir(PCI_DEVICES);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		ret = pci_read(&dev, entry->d_name);
		if (!ret)
			ret = visit(&dev);
	}
	closedir(dir);
	return ret;
}

/* Name of the driver that @bdf is bound to into @name, "" where none is. */
int pci_driver(const char *bdf, char *name, size_t len)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", bdf);
	ret = sysfs_link(path, name, len);
	if (ret != -ENOENT)
		return ret;
	name[0] = '\0';
	return pci_present(bdf) ? 0 : -ENODEV;
}

/* Is @bdf bound to @driver, or, for "", present and not bound? */
bool pci_bound_to(const char *bdf, const char *driver)
{
	char name[PCI_DRIVER_LEN];

	return !pci_driver(bdf, name, sizeof(name)) && !strcmp(name, driver);
}

bool pci_present(const char *bdf)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s", bdf);
	return !access(path, F_OK);
}

/* Is @bdf on a bus below the bridge @bridge? */
bool pci_is_below(const char *bdf, const char *bridge)
{
	char path[PATH_MAX], target[PATH_MAX], *part;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s", bdf);
	if (!realpath(path, target))
		return false;
	part = strstr(target, bridge);
	return part && part[strlen(bridge)] == '/';
}

/* Write @bdf to the "bind" of @driver: the kernel's own errno comes back. */
int pci_bind(const char *bdf, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DRIVERS "/%s/bind", driver);
	return sysfs_write(path, bdf);
}

/* Take @bdf from its driver. 0 also where it has none. */
int pci_unbind(const char *bdf)
{
	char name[PCI_DRIVER_LEN];
	int ret;

	ret = pci_driver(bdf, name, sizeof(name));
	if (ret || !name[0])
		return ret;
	return pci_write(bdf, "driver/unbind", bdf);
}

/* Let only @driver match @bdf; NULL lets the drivers' own tables decide. */
int pci_override(const char *bdf, const char *driver)
{
	return pci_write(bdf, "driver_override", driver ? driver : "\n");
}

/*
 * Offer @bdf to the drivers that match it. 0 also where none wants it, and where
 * it has one already.
 */
int pci_drivers_probe(const char *bdf)
{
	return sysfs_write("/sys/bus/pci/drivers_probe", bdf);
}

int pci_remove(const char *bdf)
{
	return pci_write(bdf, "remove", "1");
}

int pci_rescan(void)
{
	return sysfs_write("/sys/bus/pci/rescan", "1");
}

/*
 * Take a reference that keeps the device enabled whatever its drivers do, or
 * drop it. -EBUSY while a driver is bound.
 */
int pci_keep_enabled(const char *bdf, bool keep)
{
	return pci_write(bdf, "enable", keep ? "1" : "0");
}

/* Is a driver that is loaded offered the devices that match it? */
int pci_autoprobe(bool on)
{
	return sysfs_write("/sys/bus/pci/drivers_autoprobe", on ? "1" : "0");
}

/*
 * Unbind @bdf and bind it to @driver ("" for none) whether its table matches
 * or not; the override is gone afterwards. Does nothing for a device that is
 * bound as wanted.
 */
int pci_switch(const char *bdf, const char *driver)
{
	int ret;

	if (pci_bound_to(bdf, driver))
		return 0;
	ret = pci_unbind(bdf);
	if (ret || !driver[0])
		return ret;
	ret = pci_override(bdf, driver);
	if (ret)
		return ret;
	ret = pci_bind(bdf, driver);
	pci_override(bdf, NULL);
	return ret;
}

/* Map @bar of the device through sysfs; the caller unmaps *@mem of *@size bytes. */
int pci_map_bar(const char *bdf, int bar, void **mem, size_t *size)
{
	char path[PATH_MAX];
	struct stat stat;
	int fd, ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource%d", bdf, bar);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = errno_of(fstat(fd, &stat));
	if (!ret) {
		*size = stat.st_size;
		*mem = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);
		if (*mem == MAP_FAILED) {
			*mem = NULL;
			ret = -errno;
		}
	}
	close(fd);
	return ret;
}

/* Let the device answer MMIO and do DMA, whatever its driver thinks of it. */
int pci_enable(const char *bdf)
{
	char path[PATH_MAX];
	__u16 command;
	int fd, ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = all_of(pread(fd, &command, sizeof(command), PCI_COMMAND),
		     sizeof(command));
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (!ret)
		ret = all_of(pwrite(fd, &command, sizeof(command), PCI_COMMAND),
			     sizeof(command));
	close(fd);
	return ret;
}
