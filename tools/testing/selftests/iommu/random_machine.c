// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/edu.h"
#include "lib/owner_table.h"
#include "lib/private.h"
#include "random_machine.h"
#include "scene.h"
#include "tool.h"

#define MODULE		"8139cp"

static const char * const driver_names[] = {
	[NO_DRIVER] = "",
	[VFIO_DRIVER] = "vfio-pci",
	[STUB_DRIVER] = "pci-stub",
	[PRIVATE_DRIVER] = PRIVATE_DOMAIN_DRIVER,
	[QUIET_DRIVER] = "pci-pf-stub",
	[UIO_DRIVER] = "uio_pci_generic",
};

const char *machine_driver_name(const struct machine *machine, int dev,
				enum model_driver driver)
{
	if (driver != OWN_DRIVER)
		return driver_names[driver];
	return machine->own[dev] ? machine->own[dev] : "its own";
}

/* What an operation returned, in words. */
const char *machine_error(int ret)
{
	switch (-ret) {
	case ELOST:
		return "DMA did not reach what is mapped";
	case ESTRAY:
		return "DMA reached what is not mapped";
	default:
		return ret < 0 ? strerror(-ret) : "success";
	}
}

/* The driver whose table has the device; NULL for none. */
static const char *own_driver(const struct pci_dev *dev)
{
	if (dev->vendor == INTEL_VENDOR && dev->device == E1000_DEVICE)
		return "e1000";
	if (dev->vendor == REALTEK_VENDOR && dev->device == RTL8139_DEVICE)
		return MODULE;
	return is_bridge(dev) && dev->driver[0] ? dev->driver : NULL;
}

static bool is_edu(const struct pci_dev *dev)
{
	return dev->vendor == EDU_VENDOR && dev->device == EDU_DEVICE;
}

/* A bridge that nobody drives has no part, nor has a port. */
static bool takes_part(const struct pci_dev *dev)
{
	const char *own = own_driver(dev);

	return is_edu(dev) || (own && strcmp(own, "pcieport"));
}

static int add_device(struct machine *machine, const struct pci_dev *dev)
{
	struct model *model = &machine->model;
	int i = model->ndevs++;

	if (i == MODEL_DEVS)
		return -E2BIG;
	machine->bdf[i] = dev->bdf;
	machine->own[i] = own_driver(dev);
	machine->devices[i] = -1;
	model->devs[i] = (struct model_dev){
		.group = model->ngroups - 1,
		.edu = is_edu(dev),
		.bridge = is_bridge(dev),
		.has_own = machine->own[i],
		.own_is_module = machine->own[i] &&
				 !strcmp(machine->own[i], MODULE),
	};
	return 0;
}

static int add_group(struct machine *machine, const struct group *group)
{
	int i = machine->model.ngroups++, ret = 0;

	if (i == MODEL_GROUPS)
		return -E2BIG;
	machine->id[i] = group->id;
	machine->groups[i] = -1;
	machine->vms[i] = -1;
	for (i = 0; !ret && i < group->ndevs; i++) {
		if (takes_part(&group->devs[i]))
			ret = add_device(machine, &group->devs[i]);
	}
	return ret;
}

/* Do devices join their group when they are found, or with their first driver? */
static int find_late(struct machine *machine)
{
	int dev = 0, ret;

	while (!machine->model.devs[dev].edu)
		dev++;
	ret = pci_autoprobe(false);
	if (!ret)
		ret = pci_remove(machine->bdf[dev]);
	if (!ret)
		ret = pci_rescan();
	machine->model.late = group_of(machine->bdf[dev]) < 0;
	return ret;
}

/*
 * Does the walk go here? Not where the firmware has memory mapped: it would be
 * reached without a mapping, or the group cannot be claimed at all.
 */
static bool is_suitable(const struct group *group)
{
	char type[32];
	__u64 start;

	return find_dev(group, EDU_VENDOR, EDU_DEVICE) &&
	       group_direct_region(group, &start, type) == -ENOENT;
}

/* Fill @machine with what there is, and go to the state of model_reset(). */
int machine_find(struct machine *machine)
{
	const struct group *group = NULL;
	char why[128];
	int i, ret;

	memset(machine, 0, sizeof(*machine));
	for (i = 0; i < MODEL_SLOTS; i++)
		machine->slots[i] = -1;
	machine->model.has_kvm = !access("/dev/kvm", F_OK);
	ret = machine_alloc_pages(machine);
	while (!ret && (group = scene_next_group(group))) {
		if (is_suitable(group))
			ret = add_group(machine, group);
	}
	if (!ret)
		ret = machine->model.ndevs ? find_late(machine) : -ENODEV;
	if (!ret)
		ret = machine_reset(machine, why, sizeof(why));
	for (i = 0; !ret && i < machine->model.ndevs; i++) {
		if (machine->model.devs[i].edu)
			ret = machine_teach(machine, i);
	}
	return ret;
}

static int close_fd(int *fd)
{
	int ret;

	if (*fd < 0)
		return 0;
	ret = close(*fd) ? -errno : 0;
	*fd = -1;
	return ret;
}

static void close_all(struct machine *machine)
{
	int i;

	for (i = 0; i < machine->model.ndevs; i++)
		close_fd(&machine->devices[i]);
	for (i = 0; i < machine->model.ngroups; i++) {
		close_fd(&machine->vms[i]);
		close_fd(&machine->groups[i]);
	}
	for (i = 0; i < MODEL_SLOTS; i++)
		close_fd(&machine->slots[i]);
}

/* Was one of them removed, or not added to its group? */
static bool is_lost(struct machine *machine, int dev)
{
	return group_of(machine->bdf[dev]) != machine->id[machine->model.devs[dev].group];
}

static int find_lost(struct machine *machine)
{
	bool lost = false;
	int i, ret = 0;

	for (i = 0; i < machine->model.ndevs; i++) {
		/* It was found, but could not join: find it once more. */
		if (is_lost(machine, i) && !machine->model.late)
			pci_remove(machine->bdf[i]);
		lost |= !pci_present(machine->bdf[i]);
	}
	if (lost)
		ret = pci_rescan();
	for (i = 0; !ret && i < machine->model.ndevs; i++) {
		if (is_lost(machine, i))
			ret = pci_switch(machine->bdf[i], "pci-stub");
	}
	return ret;
}

/* An "edu" for the user; the others without driver. */
static int reset_device(struct machine *machine, int dev)
{
	const char *bdf = machine->bdf[dev];
	int ret;

	ret = pci_override(bdf, NULL);
	if (!ret)
		ret = pci_switch(bdf, machine->model.devs[dev].edu ? "vfio-pci" : "");
	return ret;
}

/*
 * Bring the machine to the state of model_reset(), whatever it is in. 0, or
 * -errno and what is in the way.
 */
int machine_reset(struct machine *machine, char *why, size_t len)
{
	int i, ret;

	snprintf(why, len, "devices do not get back their drivers");
	close_all(machine);
	ret = pci_autoprobe(false);
	if (!ret)
		ret = system("modprobe -r " MODULE) ? -ECHILD : 0;
	if (!ret)
		ret = find_lost(machine);
	for (i = 0; !ret && i < machine->model.ndevs; i++)
		ret = reset_device(machine, i);
	model_reset(&machine->model);
	return ret ? ret : machine_check(machine, why, len);
}

/* What is wrong with the device, if anything. 0 or -EBADE. */
static int check_device(struct machine *machine, int dev, char *why, size_t len)
{
	const struct model_dev *model = &machine->model.devs[dev];
	const char *bdf = machine->bdf[dev], *expected;
	char driver[PCI_DRIVER_LEN] = "";
	bool present, joined;

	present = !pci_driver(bdf, driver, sizeof(driver));
	joined = present && !is_lost(machine, dev);
	expected = machine_driver_name(machine, dev, model->driver);
	if (present != model->present)
		snprintf(why, len, "%s is %sthere", bdf, present ? "" : "not ");
	else if (strcmp(driver, expected))
		snprintf(why, len, "%s has driver '%s', not '%s'", bdf, driver, expected);
	else if (joined != model->joined)
		snprintf(why, len, "%s is %sin its group", bdf, joined ? "" : "not ");
	else
		return 0;
	return -EBADE;
}

static int check_value(const char *what, int id, const char *found,
		       const char *expected, char *why, size_t len)
{
	if (!strcmp(found, expected))
		return 0;
	snprintf(why, len, "group %d: %s is %s, not %s", id, what, found, expected);
	return -EBADE;
}

static int expected_count(const struct model *model, int group)
{
	switch (model_owner(model, group)) {
	case OWNER_USER:
		return 1;
	case OWNER_PRIVATE:
		return model_attached_devices(model, group);
	default:
		return model_claims(model, group);
	}
}

/* The number of claims, where the kernel shows it. */
static int check_count(struct machine *machine, int group, char *why, size_t len)
{
	char expected[16], value[16];
	int id = machine->id[group], ret;

	ret = group_value(id, "dma_owner_count", value, sizeof(value));
	if (ret == -ENOENT)
		return 0;
	if (ret)
		return ret;
	snprintf(expected, sizeof(expected), "%d",
		 expected_count(&machine->model, group));
	return check_value("dma_owner_count", id, value, expected, why, len);
}

static int check_group(struct machine *machine, int group, char *why, size_t len)
{
	const struct model *model = &machine->model;
	struct table_group table;
	int id = machine->id[group], ret;
	char value[16];

	ret = group_value(id, "dma_owner", value, sizeof(value));
	if (!ret)
		ret = check_value("dma_owner", id, value,
				  model_owner_name(model, group), why, len);
	if (!ret)
		ret = check_count(machine, group, why, len);
	if (!ret)
		ret = table_read(&table, id);
	if (!ret)
		ret = check_value("domain", id, table.domain,
				  model_domain_name(model, group), why, len);
	if (!ret && table_claims(&table) != model_claims(model, group)) {
		snprintf(why, len, "group %d: the table shows %d claims, not %d",
			 id, table_claims(&table), model_claims(model, group));
		ret = -EBADE;
	}
	return ret;
}

/* Is all as the model has it? 0, or -errno with the first thing that is not. */
int machine_check(struct machine *machine, char *why, size_t len)
{
	int i, ret = 0;

	snprintf(why, len, "cannot be read");
	for (i = 0; !ret && i < machine->model.ndevs; i++)
		ret = check_device(machine, i, why, len);
	for (i = 0; !ret && i < machine->model.ngroups; i++)
		ret = check_group(machine, i, why, len);
	return ret;
}

/* An allocation failed: what was in no group before may still be in none. */
void machine_adopt(struct machine *machine, const struct model *before)
{
	int i;

	for (i = 0; i < machine->model.ndevs; i++) {
		if (!before->devs[i].joined)
			model_adopt(&machine->model, i,
				    pci_present(machine->bdf[i]),
				    !is_lost(machine, i));
	}
}

int machine_bind(struct machine *machine, const struct model_args *args)
{
	return pci_bind(machine->bdf[args->dev],
			machine_driver_name(machine, args->dev, args->driver));
}

int machine_drivers_probe(struct machine *machine, const struct model_args *args)
{
	return pci_drivers_probe(machine->bdf[args->dev]);
}

int machine_unbind(struct machine *machine, const struct model_args *args)
{
	return pci_unbind(machine->bdf[args->dev]);
}

int machine_override(struct machine *machine, const struct model_args *args)
{
	return pci_override(machine->bdf[args->dev],
			    args->driver ? driver_names[args->driver] : NULL);
}

int machine_remove(struct machine *machine, const struct model_args *args)
{
	return pci_remove(machine->bdf[args->dev]);
}

int machine_attach(struct machine *machine, const struct model_args *args)
{
	return private_attach(machine->bdf[args->dev]);
}

int machine_detach(struct machine *machine, const struct model_args *args)
{
	return private_detach(machine->bdf[args->dev]);
}

int machine_autoprobe(struct machine *machine, const struct model_args *args)
{
	return pci_autoprobe(args->on);
}

int machine_rescan(struct machine *machine, const struct model_args *args)
{
	return pci_rescan();
}

int machine_load(struct machine *machine, const struct model_args *args)
{
	return system("modprobe " MODULE) ? -ECHILD : 0;
}

int machine_unload(struct machine *machine, const struct model_args *args)
{
	return system("modprobe -r " MODULE) ? -ECHILD : 0;
}

/* Keep a descriptor that is the result of an operation. */
static int keep_fd(int *fd, int ret)
{
	*fd = ret < 0 ? -1 : ret;
	return ret < 0 ? ret : 0;
}

int machine_open_group(struct machine *machine, const struct model_args *args)
{
	int fd = vfio_open_group(machine->id[args->group]);

	if (machine->groups[args->group] < 0)
		return keep_fd(&machine->groups[args->group], fd);
	/* There is one already; the kernel should not have let a second in. */
	return fd < 0 ? fd : close(fd);
}

int machine_close_group(struct machine *machine, const struct model_args *args)
{
	return close_fd(&machine->groups[args->group]);
}

int machine_get_status(struct machine *machine, const struct model_args *args)
{
	__u32 flags = 0;
	int ret;

	ret = vfio_group_flags(machine->groups[args->group], &flags);
	return ret ? ret : (int)flags;
}

int machine_set(struct machine *machine, const struct model_args *args)
{
	return vfio_set_container(machine->groups[args->group],
				  machine->slots[args->slot]);
}

int machine_unset(struct machine *machine, const struct model_args *args)
{
	return vfio_unset_container(machine->groups[args->group]);
}

int machine_kvm_add(struct machine *machine, const struct model_args *args)
{
	return keep_fd(&machine->vms[args->group],
		       vfio_hold_by_kvm(machine->groups[args->group]));
}

int machine_kvm_close(struct machine *machine, const struct model_args *args)
{
	return close_fd(&machine->vms[args->group]);
}

int machine_open_device(struct machine *machine, const struct model_args *args)
{
	int group = machine->model.devs[args->dev].group;

	return keep_fd(&machine->devices[args->dev],
		       vfio_open_device(machine->groups[group],
					machine->bdf[args->dev]));
}

int machine_close_device(struct machine *machine, const struct model_args *args)
{
	return close_fd(&machine->devices[args->dev]);
}

/* How the tool ends, as an errno */
int machine_why(struct machine *machine, const struct model_args *args)
{
	switch (tool_why(machine->bdf[args->dev])) {
	case CAN:
		return 0;
	case CANNOT:
		return -EPERM;
	case UNREADABLE:
		return -ENOENT;
	default:
		return -EIO;
	}
}

int machine_open_container(struct machine *machine, const struct model_args *args)
{
	return keep_fd(&machine->slots[args->slot], vfio_open_container());
}

int machine_close_container(struct machine *machine, const struct model_args *args)
{
	return close_fd(&machine->slots[args->slot]);
}

int machine_set_iommu(struct machine *machine, const struct model_args *args)
{
	return vfio_set_iommu(machine->slots[args->slot]);
}
