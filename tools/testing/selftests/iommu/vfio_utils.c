// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_packet.h>
#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "vfio_utils.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define PCI_DRIVERS	"/sys/bus/pci/drivers"
#define IOMMU_GROUPS	"/sys/kernel/iommu_groups"

#define PAGEMAP_PRESENT	0x8000000000000000ULL
#define PAGEMAP_FRAME	0x007fffffffffffffULL

static int errno_of(int ret)
{
	return ret < 0 ? -errno : ret;
}

/* What became of a transfer of @len bytes of which @n were done. */
static int all_of(ssize_t n, size_t len)
{
	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -EIO;
}

/*
 * Write @value to the sysfs file @path in one go. Returns 0 or what open() or
 * write() failed with.
 */
int sysfs_write(const char *path, const char *value)
{
	size_t len = strlen(value);
	int fd, ret;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = all_of(write(fd, value, len), len);
	close(fd);
	return ret;
}

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

/*
 * Last component of the symlink @path into @name, which is cut at @len.
 * -ENOENT where there is no such link.
 */
static int link_name(const char *path, char *name, size_t len)
{
	char target[PATH_MAX];
	ssize_t n;

	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	snprintf(name, len, "%s", basename(target));
	return 0;
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
	ret = link_name(path, name, len);
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

/* Number of the IOMMU group that the symlink @path leads to, or -ENOENT. */
int group_link(const char *path)
{
	char name[16];
	int ret;

	ret = link_name(path, name, sizeof(name));
	return ret ? ret : atoi(name);
}

/* Number of the IOMMU group of @bdf; -ENOENT where it has none. */
int group_of(const char *bdf)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/iommu_group", bdf);
	return group_link(path);
}

/*
 * How the drivers of IOMMUs tell of a fault, by a part of the IOMMUs' paths. Of
 * the address only the page number counts: an access may come in pieces.
 */
static const struct {
	const char *iommu;
	const char *format;
} faults[] = {
	{ "/dmar",	"fault addr %llx" },
	{ "/ivhd",	"address=0x%llx" },
	{ "/smmu3",	"0x%013llx" },
	{ "/virtio",	" at 0x%llx" },
	{ NULL },
};

/* Has the path of @bdf's IOMMU @part in it? */
bool iommu_is(const char *bdf, const char *part)
{
	char path[PATH_MAX], target[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/iommu", bdf);
	return realpath(path, target) && strstr(target, part);
}

/*
 * What the log says of an access of @bdf to the page @iova, where nothing is
 * mapped, into @text. -ENOENT where the IOMMU's driver is not known to say
 * anything.
 */
int iommu_fault_text(const char *bdf, __u64 iova, char *text, size_t len)
{
	int i;

	for (i = 0; faults[i].iommu; i++) {
		if (!iommu_is(bdf, faults[i].iommu))
			continue;
		snprintf(text, len, faults[i].format,
			 (unsigned long long)iova >> 12);
		return 0;
	}
	return -ENOENT;
}

static int by_bdf(const void *a, const void *b)
{
	const struct pci_dev *x = a, *y = b;

	return strcmp(x->bdf, y->bdf);
}

/*
 * Fill @group with the PCI devices of group @id, sorted by address. -E2BIG
 * where it has more than GROUP_MAX_DEVS.
 */
int group_read(struct group *group, int id)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	memset(group, 0, sizeof(*group));
	group->id = id;
	snprintf(path, sizeof(path), IOMMU_GROUPS "/%d/devices", id);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !pci_present(entry->d_name))
			continue;
		ret = group->ndevs == GROUP_MAX_DEVS ? -E2BIG :
			pci_read(&group->devs[group->ndevs++], entry->d_name);
	}
	closedir(dir);
	qsort(group->devs, group->ndevs, sizeof(group->devs[0]), by_bdf);
	return ret;
}

static int by_id(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->id - y->id;
}

/* Read up to @max IOMMU groups, sorted by number; returns how many. */
int group_list(struct group *groups, int max)
{
	struct dirent *entry;
	int ret = 0, n = 0;
	DIR *dir;

	dir = opendir(IOMMU_GROUPS);
	if (!dir)
		return -errno;
	while (!ret && n < max && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			ret = group_read(&groups[n++], atoi(entry->d_name));
	}
	closedir(dir);
	qsort(groups, n, sizeof(groups[0]), by_id);
	return ret ? ret : n;
}

/*
 * The line in the file @attr of group @id ("type": "identity" or "DMA") into
 * @value, without its newline.
 */
int group_value(int id, const char *attr, char *value, size_t len)
{
	char path[PATH_MAX];
	FILE *file;
	int ret = 0;

	snprintf(path, sizeof(path), IOMMU_GROUPS "/%d/%s", id, attr);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fgets(value, len, file))
		value[strcspn(value, "\n")] = '\0';
	else
		ret = -EIO;
	fclose(file);
	return ret;
}

/*
 * The physical address of @mem, which must be locked in memory. -EPERM for
 * those who may not know.
 */
int phys_addr(const void *mem, __u64 *phys)
{
	__u64 entry, page = sysconf(_SC_PAGESIZE);
	int fd, ret;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = all_of(pread(fd, &entry, sizeof(entry),
			   (uintptr_t)mem / page * sizeof(entry)),
		     sizeof(entry));
	close(fd);
	if (ret)
		return ret;
	if (!(entry & PAGEMAP_PRESENT))
		return -EFAULT;
	*phys = (entry & PAGEMAP_FRAME) * page + (uintptr_t)mem % page;
	return entry & PAGEMAP_FRAME ? 0 : -EPERM;
}

/* A fresh container's file descriptor. */
int vfio_open_container(void)
{
	return errno_of(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC));
}

/* The file descriptor of group @id; -EBUSY where it is open already. */
int vfio_open_group(int id)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/vfio/%d", id);
	return errno_of(open(path, O_RDWR | O_CLOEXEC));
}

/* VFIO_GROUP_FLAGS_* of the group. */
int vfio_group_flags(int group, __u32 *flags)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status))
		return -errno;
	*flags = status.flags;
	return 0;
}

int vfio_set_container(int group, int container)
{
	return errno_of(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
}

int vfio_unset_container(int group)
{
	return errno_of(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
}

/* Give the container, which must have a group, an IOMMU of this type. */
int vfio_set_iommu_type(int container, int type)
{
	return errno_of(ioctl(container, VFIO_SET_IOMMU, type));
}

/* The type that is meant if none is named. */
int vfio_set_iommu(int container)
{
	return vfio_set_iommu_type(container, VFIO_TYPE1v2_IOMMU);
}

/* File descriptor of the device, which must be bound to a VFIO driver. */
int vfio_open_device(int group, const char *bdf)
{
	return errno_of(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf));
}

/* Become the owner of group @id. After an error nothing is open. */
int vfio_user_claim(struct vfio_user *user, int id)
{
	int ret;

	*user = (struct vfio_user)VFIO_USER_NONE;
	user->container = vfio_open_container();
	user->group = vfio_open_group(id);
	if (user->container < 0)
		ret = user->container;
	else if (user->group < 0)
		ret = user->group;
	else
		ret = vfio_set_container(user->group, user->container);
	if (ret)
		vfio_user_close(user);
	return ret;
}

/* The owner's next steps: type 1 IOMMU, and the device called @name. */
int vfio_user_start(struct vfio_user *user, const char *name)
{
	int ret;

	ret = vfio_set_iommu(user->container);
	if (ret)
		return ret;
	user->device = vfio_open_device(user->group, name);
	return user->device < 0 ? user->device : 0;
}

/*
 * Become the user of @bdf, which is bound to vfio-pci: container, group, type
 * 1 IOMMU and device. After an error nothing is open.
 */
int vfio_user_open(struct vfio_user *user, const char *bdf)
{
	int ret;

	*user = (struct vfio_user)VFIO_USER_NONE;
	ret = group_of(bdf);
	if (ret < 0)
		return ret;
	ret = vfio_user_claim(user, ret);
	if (!ret)
		ret = vfio_user_start(user, bdf);
	if (ret)
		vfio_user_close(user);
	return ret;
}

/* Close what is open, the device first as a well-behaved user does. */
void vfio_user_close(struct vfio_user *user)
{
	if (user->device >= 0)
		close(user->device);
	if (user->group >= 0)
		close(user->group);
	if (user->container >= 0)
		close(user->container);
	*user = (struct vfio_user)VFIO_USER_NONE;
}

/*
 * Give the group to a new VM's VFIO device, so that KVM holds a reference of
 * its own. Returns the descriptor that holds the VM, or -errno.
 */
int vfio_hold_by_kvm(int group)
{
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_VFIO };
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = KVM_DEV_VFIO_GROUP_ADD,
		.addr = (uintptr_t)&group,
	};
	int kvm, vm, ret;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return -errno;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ret = vm < 0 ? -errno : 0;
	close(kvm);
	if (ret)
		return ret;
	ret = ioctl(vm, KVM_CREATE_DEVICE, &create) ? -errno : 0;
	close(vm);
	if (ret)
		return ret;
	ret = ioctl(create.fd, KVM_SET_DEVICE_ATTR, &attr) ? -errno : 0;
	if (!ret)
		return create.fd;
	close(create.fd);
	return ret;
}

/* Let the container's devices read and write @mem at @iova. */
int vfio_map(int container, void *mem, __u64 iova, size_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem,
		.iova = iova,
		.size = size,
	};

	return errno_of(ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
}

/* The converse; -ENOENT where less than @size was mapped at @iova. */
int vfio_unmap(int container, __u64 iova, size_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};

	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return -errno;
	return unmap.size == size ? 0 : -ENOENT;
}

static int region_info(int device, int index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	return errno_of(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info));
}

/* Map @bar of the device; the caller unmaps *@mem of *@size bytes. */
int vfio_map_bar(int device, int bar, void **mem, size_t *size)
{
	struct vfio_region_info info;
	int ret;

	ret = region_info(device, bar, &info);
	if (ret)
		return ret;
	*mem = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
		    info.offset);
	if (*mem == MAP_FAILED) {
		*mem = NULL;
		return -errno;
	}
	*size = info.size;
	return 0;
}

/* Where in the device's file the region @index has its offset @where. */
static int region_offset(int device, int index, int where, off_t *offset)
{
	struct vfio_region_info info;
	int ret;

	ret = region_info(device, index, &info);
	*offset = info.offset + where;
	return ret;
}

/* Read @len bytes of a region of the device from @where. */
int vfio_region_read(int device, int index, int where, void *data, size_t len)
{
	off_t offset;
	int ret;

	ret = region_offset(device, index, where, &offset);
	return ret ? ret : all_of(pread(device, data, len, offset), len);
}

/* Write @len bytes to a region of the device at @where. */
int vfio_region_write(int device, int index, int where, const void *data,
		      size_t len)
{
	off_t offset;
	int ret;

	ret = region_offset(device, index, where, &offset);
	return ret ? ret : all_of(pwrite(device, data, len, offset), len);
}

int vfio_config_read(int device, int where, void *data, size_t len)
{
	return vfio_region_read(device, VFIO_PCI_CONFIG_REGION_INDEX, where,
				data, len);
}

int vfio_config_write(int device, int where, const void *data, size_t len)
{
	return vfio_region_write(device, VFIO_PCI_CONFIG_REGION_INDEX, where,
				 data, len);
}

/* Let the device answer MMIO and do DMA. */
int vfio_enable(int device)
{
	__u16 command;
	int ret;

	ret = vfio_config_read(device, PCI_COMMAND, &command, sizeof(command));
	if (ret)
		return ret;
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	return vfio_config_write(device, PCI_COMMAND, &command, sizeof(command));
}

#define KMSG_BURST		10
#define KMSG_QUIET_SECONDS	6

/* A descriptor of the kernel log that shows all of it. */
static int kmsg_open_all(void)
{
	int fd;

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A descriptor of the kernel log that shows what is logged from now on. */
int kmsg_open(void)
{
	int fd;

	fd = kmsg_open_all();
	if (fd < 0)
		return fd;
	if (lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/*
 * The next record of the log into @record: its length, or 0 at the present end.
 * Records that were overwritten before they were read are passed over.
 */
static ssize_t kmsg_next(int kmsg, char *record, size_t size)
{
	ssize_t n;

	do {
		n = read(kmsg, record, size - 1);
	} while (n < 0 && errno == EPIPE);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	record[n] = '\0';
	return n;
}

/*
 * Read the log to its present end: 1 if a record of it contains @text, else 0.
 * What was read is gone, so look for the earliest line first.
 */
int kmsg_find(int kmsg, const char *text)
{
	char record[8192];
	ssize_t n;

	while ((n = kmsg_next(kmsg, record, sizeof(record))) > 0) {
		if (strstr(record, text))
			return 1;
	}
	return n;
}

/* The same, but give the log some time to say it. */
int kmsg_wait(int kmsg, const char *text, int seconds)
{
	int ret, tries;

	for (tries = 0; tries < seconds * 20; tries++) {
		ret = kmsg_find(kmsg, text);
		if (ret)
			return ret;
		usleep(50000);
	}
	return 0;
}

/*
 * Are fewer than KMSG_BURST of the records that contain @text from the last
 * KMSG_QUIET_SECONDS before the newest record of all? 1, 0 or -errno; 0 also
 * where the log does not reach so far back. A record begins with priority,
 * number and microseconds.
 */
static int kmsg_was_quiet(const char *text)
{
	unsigned long long first = 0, now = 0, last[KMSG_BURST];
	unsigned int count = 0;
	char record[8192];
	ssize_t n;
	int kmsg;

	kmsg = kmsg_open_all();
	if (kmsg < 0)
		return kmsg;
	while ((n = kmsg_next(kmsg, record, sizeof(record))) > 0) {
		if (sscanf(record, "%*u,%*u,%llu", &now) != 1)
			continue;
		if (!first)
			first = now;
		if (strstr(record, text))
			last[count++ % KMSG_BURST] = now;
	}
	close(kmsg);
	if (n < 0)
		return n;
	if (count >= KMSG_BURST)
		first = last[count % KMSG_BURST];
	return now - first > KMSG_QUIET_SECONDS * 1000000;
}

/*
 * Refusals of one group are logged ten times in five seconds at most. Wait
 * until the kernel would log another one that contains @text: not so many of
 * the last few seconds do. The log has a clock of its own, which a new record
 * tells.
 */
int kmsg_wait_quiet(const char *text)
{
	int ret;

	for (;;) {
		ret = sysfs_write("/dev/kmsg", "vfio_utils: has it been quiet?\n");
		if (!ret)
			ret = kmsg_was_quiet(text);
		if (ret)
			return ret < 0 ? ret : 0;
		usleep(500000);
	}
}

/*
 * When the oldest record that contains @text was logged, in microseconds since
 * boot. -ENOENT where the log has none.
 */
int kmsg_time(const char *text, __u64 *us)
{
	unsigned long long stamp;
	char record[8192];
	ssize_t n;
	int kmsg;

	kmsg = kmsg_open_all();
	if (kmsg < 0)
		return kmsg;
	do {
		n = kmsg_next(kmsg, record, sizeof(record));
	} while (n > 0 && !strstr(record, text));
	close(kmsg);
	if (n <= 0)
		return n ? n : -ENOENT;
	if (sscanf(record, "%*u,%*u,%llu", &stamp) != 1)
		return -EIO;
	*us = stamp;
	return 0;
}

/* Name of the network interface of @bdf into @name; -ENODEV for none. */
int netdev_name(const char *bdf, char *name, size_t len)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/net", bdf);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ENODEV : -errno;
	while (ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, len, "%s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

/* What "ip link set NAME up" does. */
int netdev_up(const char *name)
{
	struct ifreq req = {};
	int fd, ret;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	ret = errno_of(ioctl(fd, SIOCGIFFLAGS, &req));
	if (!ret) {
		req.ifr_flags |= IFF_UP;
		ret = errno_of(ioctl(fd, SIOCSIFFLAGS, &req));
	}
	close(fd);
	return ret;
}

/* Wait for the link of an interface that is up; -ETIMEDOUT without one. */
int netdev_carrier(const char *name, int seconds)
{
	char path[PATH_MAX], carrier;
	int fd, tries;

	snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", name);
	for (tries = 0; tries < seconds * 20; tries++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (read(fd, &carrier, 1) != 1)
			carrier = '0';
		close(fd);
		if (carrier == '1')
			return 0;
		usleep(50000);
	}
	return -ETIMEDOUT;
}

/* The frame that asks who has the address of QEMU's user-mode gateway. */
static void arp_request(struct ether_arp *arp, const __u8 *mac)
{
	static const __u8 self[4] = { 10, 0, 2, 15 };
	static const __u8 gateway[4] = { 10, 0, 2, 2 };

	memset(arp, 0, sizeof(*arp));
	arp->ea_hdr.ar_hrd = htons(ARPHRD_ETHER);
	arp->ea_hdr.ar_pro = htons(ETH_P_IP);
	arp->ea_hdr.ar_hln = ETH_ALEN;
	arp->ea_hdr.ar_pln = 4;
	arp->ea_hdr.ar_op = htons(ARPOP_REQUEST);
	memcpy(arp->arp_sha, mac, ETH_ALEN);
	memcpy(arp->arp_spa, self, 4);
	memcpy(arp->arp_tpa, gateway, 4);
}

/* Ask once and wait for half a second: 1 for a reply, 0 for none. */
static int arp_ask(int sock, struct sockaddr_ll *to, const __u8 *mac)
{
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	struct ether_arp arp, reply;

	arp_request(&arp, mac);
	if (sendto(sock, &arp, sizeof(arp), 0, (void *)to, sizeof(*to)) < 0)
		return -errno;
	while (poll(&ready, 1, 500) > 0) {
		if (recv(sock, &reply, sizeof(reply), 0) < (ssize_t)sizeof(reply))
			continue;
		if (reply.ea_hdr.ar_op == htons(ARPOP_REPLY))
			return 1;
	}
	return 0;
}

/* A socket for ARP frames of the interface; its broadcast address in @to. */
static int arp_socket(const char *name, struct sockaddr_ll *to, __u8 *mac)
{
	struct ifreq req = {};
	int sock, ret;

	*to = (struct sockaddr_ll) {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = if_nametoindex(name),
		.sll_halen = ETH_ALEN,
		.sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};
	sock = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP));
	if (sock < 0)
		return -errno;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	ret = errno_of(ioctl(sock, SIOCGIFHWADDR, &req));
	if (!ret)
		ret = errno_of(bind(sock, (void *)to, sizeof(*to)));
	if (ret) {
		close(sock);
		return ret;
	}
	memcpy(mac, req.ifr_hwaddr.sa_data, ETH_ALEN);
	return sock;
}

/*
 * Bring the interface up and exchange frames with the gateway of QEMU's
 * user-mode network: the device's DMA works in both directions. -ETIMEDOUT
 * where no link or no answer comes within @seconds.
 */
int netdev_traffic(const char *name, int seconds)
{
	struct sockaddr_ll addr;
	int sock, ret, tries;
	__u8 mac[ETH_ALEN];

	ret = netdev_up(name);
	if (!ret)
		ret = netdev_carrier(name, seconds);
	if (ret)
		return ret;
	sock = arp_socket(name, &addr, mac);
	if (sock < 0)
		return sock;
	for (tries = 0; !ret && tries < seconds * 2; tries++)
		ret = arp_ask(sock, &addr, mac);
	close(sock);
	if (ret < 0)
		return ret;
	return ret ? 0 : -ETIMEDOUT;
}

/* netdev_traffic() for the network interface of @bdf. */
int netdev_check(const char *bdf, int seconds)
{
	char name[32];
	int ret;

	ret = netdev_name(bdf, name, sizeof(name));
	return ret ? ret : netdev_traffic(name, seconds);
}
