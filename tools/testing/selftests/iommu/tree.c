// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"
#include "tree.h"

#define PCI_ROOT	SYS "/devices/pci0000:00"

/* Makes the folders of a path, up to its last slash. */
static int make_parents(const char *path)
{
	char part[PATH_MAX], *slash;

	snprintf(part, sizeof(part), "%s", path);
	for (slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

int tree_folder(const char *fmt, ...)
{
	char path[PATH_MAX - 1], folder[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	snprintf(folder, sizeof(folder), "%s/", path);
	return make_parents(folder);
}

int tree_file(const char *text, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;
	FILE *file;
	int ret;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	ret = make_parents(path);
	if (ret)
		return ret;
	file = fopen(path, "we");
	if (!file)
		return -errno;
	fputs(text, file);
	return fclose(file) ? -errno : 0;
}

/* A link that is there already is replaced. */
int tree_link(const char *target, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;
	int ret;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	ret = make_parents(path);
	if (ret)
		return ret;
	unlink(path);
	return symlink(target, path) ? -errno : 0;
}

int tree_remove(const char *fmt, ...)
{
	char path[PATH_MAX - 16], command[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	return system(command) ? -EIO : 0;
}

/* A machine with Intel's IOMMU, vfio-pci and no group */
int tree_new(void)
{
	return tree_remove(TREE) ? :
	       tree_folder(SYS "/kernel/iommu_groups") ? :
	       tree_folder(SYS "/class/iommu/dmar0") ? :
	       tree_folder(SYS "/bus/pci/drivers/vfio-pci") ? :
	       tree_file("", SYS "/bus/pci/drivers_probe") ? :
	       tree_folder(PROC);
}

/* A device in @folder of sysfs, on @bus, and in @group unless that is negative. */
int tree_device(int group, const char *bus, const char *folder, const char *name)
{
	char path[PATH_MAX / 4], target[PATH_MAX / 2];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(target, sizeof(target), SYS "/bus/%s", bus);
	ret = tree_folder("%s", path) ? :
	      tree_folder("%s", target) ? :
	      tree_link(target, "%s/subsystem", path) ? :
	      tree_link(path, SYS "/bus/%s/devices/%s", bus, name);
	if (ret || group < 0)
		return ret;
	return tree_file("DMA\n", SYS "/kernel/iommu_groups/%d/type", group) ? :
	       tree_link(path, SYS "/kernel/iommu_groups/%d/devices/%s", group,
			 name);
}

static int write_pci(const char *bdf, unsigned int class)
{
	const char *path = SYS "/bus/pci/devices";
	bool bridge = class == PCI_BRIDGE;
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "0x%06x\n", class);
	ret = tree_file(text, "%s/%s/class", path, bdf) ? :
	      tree_file("0x8086\n", "%s/%s/vendor", path, bdf) ? :
	      tree_file("0x100e\n", "%s/%s/device", path, bdf);
	if (!ret && bridge)
		ret = tree_file("1\n", "%s/%s/secondary_bus_number", path, bdf);
	return ret;
}

/* A PCI device on bus 0; no @driver is "" */
int tree_pci(int group, const char *bdf, const char *driver, unsigned int class)
{
	return tree_device(group, "pci", PCI_ROOT, bdf) ? :
	       write_pci(bdf, class) ? :
	       tree_driver("pci", bdf, driver);
}

int tree_driver(const char *bus, const char *name, const char *driver)
{
	char target[PATH_MAX];

	if (!driver[0])
		return tree_remove(SYS "/bus/%s/devices/%s/driver", bus, name);
	snprintf(target, sizeof(target), SYS "/bus/%s/drivers/%s", bus, driver);
	return tree_file("", "%s/unbind", target) ? :
	       tree_link(target, SYS "/bus/%s/devices/%s/driver", bus, name);
}

int tree_process(int pid, const char *comm)
{
	char text[64];

	snprintf(text, sizeof(text), "%s\n", comm);
	return tree_folder(PROC "/%d/fd", pid) ? :
	       tree_file(text, PROC "/%d/comm", pid);
}

int tree_open(int pid, int fd, const char *target)
{
	return tree_link(target, PROC "/%d/fd/%d", pid, fd);
}

/* Run the tool on the tree. */
int ask(const char *fmt, ...)
{
	char options[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(options, sizeof(options), fmt, args);
	va_end(args);
	return tool("--sysfs " SYS " --proc " PROC " %s", options);
}

int ask_all(void)
{
	return ask("%s", "");
}

int ask_why(const char *fmt, ...)
{
	char name[192];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	return ask("--why %s", name);
}
