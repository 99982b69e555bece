// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

#define PCI_CLASS_BRIDGE	0x0604
#define MAX_GROUPS		64

/* The machine as found. */
static struct group groups[MAX_GROUPS];
static int ngroups;

bool is_bridge(const struct pci_dev *dev)
{
	return dev->class >> 8 == PCI_CLASS_BRIDGE;
}

const struct pci_dev *find_dev(const struct group *group, __u16 vendor,
			       __u16 device)
{
	int i;

	for (i = 0; i < group->ndevs; i++) {
		if (group->devs[i].vendor == vendor &&
		    group->devs[i].device == device)
			return &group->devs[i];
	}
	return NULL;
}

/* The device after @dev that is of the same kind; NULL for none. */
const struct pci_dev *find_next_dev(const struct group *group,
				    const struct pci_dev *dev)
{
	const struct pci_dev *end = group->devs + group->ndevs, *next;

	for (next = dev + 1; next < end; next++) {
		if (next->vendor == dev->vendor && next->device == dev->device)
			return next;
	}
	return NULL;
}

/* The group's bridge, or NULL. */
const struct pci_dev *find_bridge(const struct group *group)
{
	int i;

	for (i = 0; i < group->ndevs; i++) {
		if (is_bridge(&group->devs[i]))
			return &group->devs[i];
	}
	return NULL;
}

/* The driver of PCI Express ports stays bound, whoever owns the group. */
static bool is_port(const struct pci_dev *dev)
{
	return !strcmp(dev->driver, "pcieport");
}

static enum topology topology_of(const struct group *group)
{
	const struct pci_dev *bridge = find_bridge(group);
	const struct pci_dev *a = find_dev(group, EDU_VENDOR, EDU_DEVICE);

	if (!bridge)
		return DISTINCT;
	if (is_port(bridge))
		return PCIEPORT;
	if (!a || !pci_is_below(a->bdf, bridge->bdf))
		return BESIDE;
	/* A bridge of PCI Express stands behind a port. */
	return strncmp(bridge->bdf, "0000:00:", 8) ? ALIASED : LENT;
}

/* The first group of just this topology that has an A and a B; NULL for none. */
static const struct group *find_exactly(enum topology topology)
{
	const struct group *group;

	for (group = groups; group < groups + ngroups; group++) {
		if (topology_of(group) == topology &&
		    find_dev(group, EDU_VENDOR, EDU_DEVICE) &&
		    find_dev(group, INTEL_VENDOR, E1000_DEVICE))
			return group;
	}
	return NULL;
}

/* The group for this topology: one that is LENT is ALIASED, too. */
static const struct group *find_group(enum topology topology)
{
	const struct group *group = find_exactly(topology);

	return group || topology != ALIASED ? group : find_exactly(LENT);
}

/* Where the group has a direct mapping, and of which type. 0, or -ENOENT without. */
int group_direct_region(const struct group *group, __u64 *start, char type[32])
{
	unsigned long long first = 0;
	char path[64];
	FILE *file;
	int ret = -ENOENT;

	snprintf(path, sizeof(path),
		 "/sys/kernel/iommu_groups/%d/reserved_regions", group->id);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (ret && fscanf(file, "%llx %*x %31s", &first, type) == 2) {
		if (!strncmp(type, "direct", strlen("direct")))
			ret = 0;
	}
	fclose(file);
	*start = first;
	return ret;
}

/* Find lost devices again, and take every device from its driver, ports aside. */
int group_clear(const struct group *group)
{
	const struct pci_dev *end = group->devs + group->ndevs;
	const struct pci_dev *dev;
	bool lost = false;
	int ret = 0;

	for (dev = group->devs; dev < end; dev++)
		lost |= !pci_present(dev->bdf);
	if (lost)
		pci_rescan();
	for (dev = group->devs; !ret && dev < end; dev++) {
		if (is_port(dev))
			continue;
		ret = pci_override(dev->bdf, NULL);
		if (!ret)
			ret = pci_unbind(dev->bdf);
	}
	return ret;
}

/* Give every device of the group the driver with which it was found. */
static int restore(const struct group *group)
{
	int i, ret;

	ret = group_clear(group);
	for (i = 0; !ret && i < group->ndevs; i++) {
		if (!is_port(&group->devs[i]))
			ret = pci_switch(group->devs[i].bdf,
					 group->devs[i].driver);
	}
	return ret;
}

static bool is_actor(const struct pci_dev *dev)
{
	return (dev->vendor == EDU_VENDOR && dev->device == EDU_DEVICE) ||
	       (dev->vendor == INTEL_VENDOR && dev->device == E1000_DEVICE) ||
	       (dev->vendor == REALTEK_VENDOR && dev->device == RTL8139_DEVICE);
}

/*
 * Are the group's devices there for tests? There is an "edu" among them, or,
 * bridges aside, all are of the tests' kinds and nobody used them at first.
 */
static bool is_stage(const struct group *group)
{
	const struct pci_dev *end = group->devs + group->ndevs;
	const struct pci_dev *dev;
	bool free = false;

	if (find_dev(group, EDU_VENDOR, EDU_DEVICE))
		return true;
	for (dev = group->devs; dev < end; dev++) {
		if (is_bridge(dev))
			continue;
		if (!is_actor(dev) || dev->driver[0])
			return false;
		free = true;
	}
	return free;
}

static void restore_machine(void)
{
	int i;

	for (i = 0; i < ngroups; i++) {
		if (is_stage(&groups[i]))
			restore(&groups[i]);
	}
}

/* The next group of test devices after @group, or, for NULL, the first. */
const struct group *scene_next_group(const struct group *group)
{
	for (group = group ? group + 1 : groups; group < groups + ngroups; group++) {
		if (is_stage(group))
			return group;
	}
	return NULL;
}

/*
 * On a devicetree machine a device is in no group until its first driver
 * probes. Give @bdf, which has none, one that does nothing.
 */
int join_group(const char *bdf)
{
	int ret;

	if (group_of(bdf) != -ENOENT)
		return 0;
	ret = pci_switch(bdf, "pci-stub");
	return ret ? ret : pci_unbind(bdf);
}

static int group_actor(const struct pci_dev *dev)
{
	return is_actor(dev) && !dev->driver[0] ? join_group(dev->bdf) : 0;
}

/* Runs in the harness itself, before main() and after the last test. */
static void __attribute__((constructor)) remember_machine(void)
{
	if (pci_for_each(group_actor))
		return;
	ngroups = group_list(groups, MAX_GROUPS);
	atexit(restore_machine);
}

/* Has the machine a group for this scene? */
bool scene_exists(enum topology topology)
{
	return find_group(topology);
}

/*
 * Prepare: A is vfio-pci's, no other device has a driver, ports aside. 0 or
 * -errno.
 */
int scene_setup(struct scene *scene, enum topology topology)
{
	const struct pci_dev *a, *c;
	char text[32];
	int ret;

	scene->user = (struct vfio_user)VFIO_USER_NONE;
	scene->group = find_group(topology);
	if (!scene->group)
		return -ENODEV;
	a = find_dev(scene->group, EDU_VENDOR, EDU_DEVICE);
	c = find_next_dev(scene->group, a);
	scene->a = a->bdf;
	scene->b = find_dev(scene->group, INTEL_VENDOR, E1000_DEVICE)->bdf;
	scene->c = c ? c->bdf : NULL;
	ret = group_clear(scene->group);
	if (!ret)
		ret = pci_switch(scene->a, "vfio-pci");
	snprintf(text, sizeof(text), "group %d", scene->group->id);
	if (!ret)
		ret = kmsg_wait_quiet(text);
	if (ret)
		return ret;
	scene->kmsg = kmsg_open();
	return scene->kmsg < 0 ? scene->kmsg : 0;
}

int scene_teardown(struct scene *scene)
{
	vfio_user_close(&scene->user);
	close(scene->kmsg);
	return group_clear(scene->group);
}

/* Does the log tell of an access to where the IOMMU has nothing mapped? */
bool scene_logs_faults(void)
{
	const char *silent = getenv("VMTEST_NO_FAULT_LOG");

	return !silent || !*silent;
}

/*
 * Is the owner that of Linux 5.19 and later? There a group's default domain can be
 * changed, in a file that 5.10 has for reading alone.
 */
bool scene_is_mainline(const struct scene *scene)
{
	struct stat type;
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/type",
		 scene->group->id);
	return !stat(path, &type) && (type.st_mode & 0200);
}

/* What a write to drivers_probe says if the driver is refused, there for any reason. */
int drivers_probe_refusal(const struct scene *scene)
{
	return scene_is_mainline(scene) ? -EINVAL : -EBUSY;
}

/* Has the kernel told that it keeps @driver from @bdf, and because of whom? */
int refusal_logged(struct scene *scene, const char *driver, const char *bdf)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "%s %s: probe refused: IOMMU group %d is owned by userspace (%s)",
		 driver, bdf, scene->group->id, myself());
	return kmsg_find(scene->kmsg, line);
}

/* Has it told that the group cannot be claimed because @driver has @bdf? */
int claim_refusal_logged(struct scene *scene, const char *bdf,
			 const char *driver)
{
	char line[128];

	snprintf(line, sizeof(line),
		 "group %d: claim refused: %s is bound to %s",
		 scene->group->id, bdf, driver);
	return kmsg_find(scene->kmsg, line);
}

/* Open container and group, without a claim yet. 0 or -errno. */
int scene_open_group(struct scene *scene)
{
	return vfio_user_open_group(&scene->user, scene->group->id);
}

/* The same with the claim. */
int scene_claim(struct scene *scene)
{
	return vfio_user_claim(&scene->user, scene->group->id);
}

/*
 * A child called @name claims the group that is open here, and is gone. Its
 * number, or -errno of its claim. This process has the group then.
 */
pid_t scene_claim_by_child(struct scene *scene, const char *name)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, name);
		_exit(-vfio_user_set_container(&scene->user));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return WEXITSTATUS(status) ? -WEXITSTATUS(status) : pid;
}
