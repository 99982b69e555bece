// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

static enum topology topology_of(const struct group *group)
{
	enum topology topology = DISTINCT;
	int i;

	for (i = 0; i < group->ndevs; i++) {
		if (!strcmp(group->devs[i].driver, "pcieport"))
			return PCIEPORT;
		if (is_bridge(&group->devs[i]))
			topology = ALIASED;
	}
	return topology;
}

/* The first group of this topology that has an A and a B; NULL for none. */
static const struct group *find_group(enum topology topology)
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

/* Take every device but the bridges from its driver, if it is not @keep. */
static int unbind_all(const struct group *group, bool keep)
{
	const struct pci_dev *dev;
	int i, ret;

	for (i = 0; i < group->ndevs; i++) {
		dev = &group->devs[i];
		if (is_bridge(dev) ||
		    (keep && pci_bound_to(dev->bdf, dev->driver)))
			continue;
		ret = pci_override(dev->bdf, NULL);
		if (!ret)
			ret = pci_unbind(dev->bdf);
		if (ret)
			return ret;
	}
	return 0;
}

/* Give every device of the group the driver with which it was found. */
static int restore(const struct group *group)
{
	bool lost = false;
	int i, ret;

	for (i = 0; i < group->ndevs; i++)
		lost |= !pci_present(group->devs[i].bdf);
	if (lost)
		pci_rescan();
	ret = unbind_all(group, true);
	for (i = 0; !ret && i < group->ndevs; i++) {
		if (!is_bridge(&group->devs[i]))
			ret = pci_switch(group->devs[i].bdf,
					 group->devs[i].driver);
	}
	return ret;
}

static void restore_machine(void)
{
	int i;

	for (i = 0; i < ngroups; i++) {
		if (find_dev(&groups[i], EDU_VENDOR, EDU_DEVICE))
			restore(&groups[i]);
	}
}

static bool is_actor(const struct pci_dev *dev)
{
	return (dev->vendor == EDU_VENDOR && dev->device == EDU_DEVICE) ||
	       (dev->vendor == INTEL_VENDOR && dev->device == E1000_DEVICE) ||
	       (dev->vendor == REALTEK_VENDOR && dev->device == RTL8139_DEVICE);
}

/*
 * On a devicetree machine a device is in no group until its first driver
 * probes. Give the devices of the tests one that does nothing.
 */
static int join_group(const struct pci_dev *dev)
{
	int ret;

	if (!is_actor(dev) || dev->driver[0] || group_of(dev->bdf) != -ENOENT)
		return 0;
	ret = pci_switch(dev->bdf, "pci-stub");
	return ret ? ret : pci_unbind(dev->bdf);
}

/* Runs in the harness itself, before main() and after the last test. */
static void __attribute__((constructor)) remember_machine(void)
{
	if (pci_for_each(join_group))
		return;
	ngroups = group_list(groups, MAX_GROUPS);
	atexit(restore_machine);
}

/* Has the machine a group for this scene? */
bool scene_exists(enum topology topology)
{
	return find_group(topology);
}

/* Prepare: A is vfio-pci's, no other endpoint has a driver. 0 or -errno. */
int scene_setup(struct scene *scene, enum topology topology)
{
	char text[32];
	int ret;

	scene->user = (struct vfio_user)VFIO_USER_NONE;
	scene->group = find_group(topology);
	if (!scene->group)
		return -ENODEV;
	scene->a = find_dev(scene->group, EDU_VENDOR, EDU_DEVICE)->bdf;
	scene->b = find_dev(scene->group, INTEL_VENDOR, E1000_DEVICE)->bdf;
	ret = restore(scene->group);
	if (!ret)
		ret = unbind_all(scene->group, false);
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
	return restore(scene->group);
}

/* Has the kernel told that it keeps @driver from @bdf, and because of whom? */
int refusal_logged(struct scene *scene, const char *driver,
			  const char *bdf)
{
	char comm[16], line[256];

	prctl(PR_GET_NAME, comm);
	snprintf(line, sizeof(line),
		 "%s %s: probe refused: IOMMU group %d is owned by userspace (%s[%d])",
		 driver, bdf, scene->group->id, comm, getpid());
	return kmsg_find(scene->kmsg, line);
}
