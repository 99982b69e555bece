// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include <linux/vfio.h>

#include "random_model.h"

/* What a write to drivers_probe returns whose driver was refused. */
#define PROBE_REFUSED	(-EBUSY)

bool model_may_do_dma(enum model_driver driver)
{
	return driver >= QUIET_DRIVER;
}

/* All devices are there, and a user can have any "edu" at once. */
void model_reset(struct model *model)
{
	int i;

	for (i = 0; i < model->ndevs; i++) {
		struct model_dev *dev = &model->devs[i];

		dev->present = true;
		dev->joined = true;
		dev->open = false;
		dev->driver = dev->edu ? VFIO_DRIVER : NO_DRIVER;
		dev->override = NO_DRIVER;
	}
	for (i = 0; i < model->ngroups; i++)
		model->groups[i] = (struct model_group){ .container = NOWHERE };
	memset(model->containers, 0, sizeof(model->containers));
	for (i = 0; i < MODEL_SLOTS; i++)
		model->slots[i] = NOWHERE;
	model->module = false;
}

/* How many devices of the group are like this? */
static int count(const struct model *model, int group,
		 bool (*is)(const struct model_dev *dev))
{
	int i, n = 0;

	for (i = 0; i < model->ndevs; i++)
		n += model->devs[i].group == group && is(&model->devs[i]);
	return n;
}

static bool is_joined(const struct model_dev *dev)
{
	return dev->joined;
}

static bool is_open(const struct model_dev *dev)
{
	return dev->open;
}

static bool is_vfio(const struct model_dev *dev)
{
	return dev->driver == VFIO_DRIVER;
}

static bool is_claimed(const struct model_dev *dev)
{
	return dev->joined && model_may_do_dma(dev->driver);
}

int model_claims(const struct model *model, int group)
{
	return count(model, group, is_claimed);
}

enum model_owner model_owner(const struct model *model, int group)
{
	if (model->groups[group].container != NOWHERE)
		return OWNER_USER;
	return model_claims(model, group) ? OWNER_KERNEL : OWNER_NONE;
}

/* How many devices have a driver whose probe takes a second, or will have one? */
int model_slow(const struct model *model)
{
	int i, n = 0;

	for (i = 0; i < model->ndevs; i++) {
		const struct model_dev *dev = &model->devs[i];

		n += dev->has_own && !dev->own_is_module &&
		     (!dev->present || dev->driver == OWN_DRIVER);
	}
	return n;
}

const char *model_owner_name(const struct model *model, int group)
{
	static const char * const names[] = {
		[OWNER_NONE] = "none",
		[OWNER_KERNEL] = "kernel",
		[OWNER_USER] = "user",
	};

	return names[model_owner(model, group)];
}

const char *model_domain_name(const struct model *model, int group)
{
	int container = model->groups[group].container;

	if (container == NOWHERE)
		return "DMA";
	return model->containers[container].iommu ? "unmanaged" : "blocking";
}

/* Does what @dev writes to the address of @page arrive in that container's? */
bool model_reaches(const struct model *model, int dev, int container, int page)
{
	int at = model->groups[model->devs[dev].group].container;

	return at == container && model->containers[at].mapped[page];
}

int model_status(const struct model *model, int group)
{
	switch (model_owner(model, group)) {
	case OWNER_USER:
		return VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET;
	case OWNER_NONE:
		return VFIO_GROUP_FLAGS_VIABLE;
	default:
		return 0;
	}
}

/* Descriptors, and the VM, that keep the group in its container. */
static int users(const struct model *model, int group)
{
	if (model->groups[group].container == NOWHERE)
		return 0;
	return model->groups[group].open + model->groups[group].kvm +
	       count(model, group, is_open);
}

static bool is_empty(const struct model *model, int container)
{
	int group;

	for (group = 0; group < model->ngroups; group++) {
		if (model->groups[group].container == container)
			return false;
	}
	return true;
}

/* The last group takes the IOMMU and what is mapped with it. */
static void leave_container(struct model *model, int group)
{
	int container = model->groups[group].container;
	bool held = model->containers[container].held;

	model->groups[group].container = NOWHERE;
	if (is_empty(model, container))
		model->containers[container] =
			(struct model_container){ .held = held };
}

/* After a close: nobody left? */
static void settle_group(struct model *model, int group)
{
	if (model->groups[group].container != NOWHERE && !users(model, group))
		leave_container(model, group);
}

static bool own_matches(const struct model *model, const struct model_dev *dev)
{
	return dev->has_own && (!dev->own_is_module || model->module);
}

/* The driver that a device without one is offered to; there is one at most. */
static enum model_driver match(const struct model *model,
			       const struct model_dev *dev)
{
	if (dev->override)
		return dev->override;
	return own_matches(model, dev) ? OWN_DRIVER : NO_DRIVER;
}

/* A driver that matches comes to a device that has none. */
static int probe(struct model *model, struct model_dev *dev,
		 enum model_driver driver)
{
	dev->joined = true;
	if (model_may_do_dma(driver) &&
	    model_owner(model, dev->group) == OWNER_USER)
		return -EBUSY;
	dev->driver = driver;
	return 0;
}

int model_bind(struct model *model, const struct model_args *args)
{
	struct model_dev *dev = &model->devs[args->dev];

	if (args->driver == OWN_DRIVER && !own_matches(model, dev))
		return -ENOENT;	/* no such driver */
	if (!dev->present || dev->driver || match(model, dev) != args->driver)
		return -ENODEV;
	return probe(model, dev, args->driver);
}

bool model_can_bind(const struct model *model, const struct model_args *args)
{
	const struct model_dev *dev = &model->devs[args->dev];

	if (args->driver == OWN_DRIVER)
		return dev->has_own;
	return args->driver != NO_DRIVER && !dev->bridge;
}

int model_drivers_probe(struct model *model, const struct model_args *args)
{
	struct model_dev *dev = &model->devs[args->dev];

	if (!dev->present)
		return -ENODEV;
	if (dev->driver || !match(model, dev))
		return 0;
	return probe(model, dev, match(model, dev)) ? PROBE_REFUSED : 0;
}

int model_unbind(struct model *model, const struct model_args *args)
{
	struct model_dev *dev = &model->devs[args->dev];

	if (!dev->present)
		return -ENODEV;
	dev->driver = NO_DRIVER;
	return 0;
}

/* VFIO waits for the user of the device, and for the group's with its last. */
bool model_can_unbind(const struct model *model, const struct model_args *args)
{
	const struct model_dev *dev = &model->devs[args->dev];

	if (dev->driver != VFIO_DRIVER)
		return true;
	return !dev->open && (model_owner(model, dev->group) != OWNER_USER ||
			      count(model, dev->group, is_vfio) > 1);
}

int model_override(struct model *model, const struct model_args *args)
{
	struct model_dev *dev = &model->devs[args->dev];

	if (!dev->present)
		return -ENOENT;
	dev->override = args->driver;
	return 0;
}

bool model_can_override(const struct model *model, const struct model_args *args)
{
	return !model->devs[args->dev].bridge && args->driver != OWN_DRIVER;
}

static void lose(struct model_dev *dev)
{
	dev->present = false;
	dev->joined = false;
	dev->driver = NO_DRIVER;
	dev->override = NO_DRIVER;
}

int model_remove(struct model *model, const struct model_args *args)
{
	struct model_dev *dev = &model->devs[args->dev];

	if (!dev->present)
		return -ENOENT;
	lose(dev);
	return 0;
}

/* A group whose last device goes is not there any more. */
bool model_can_remove(const struct model *model, const struct model_args *args)
{
	const struct model_dev *dev = &model->devs[args->dev];

	return !dev->bridge && model_can_unbind(model, args) &&
	       count(model, dev->group, is_joined) > dev->joined;
}

/* What matches a device without driver, and does not have to wait, gets it. */
static void probe_own(struct model *model, struct model_dev *dev)
{
	if (dev->present && !dev->driver && match(model, dev) == OWN_DRIVER)
		probe(model, dev, OWN_DRIVER);
}

int model_rescan(struct model *model, const struct model_args *args)
{
	struct model_dev *dev, *end = model->devs + model->ndevs;

	for (dev = model->devs; dev < end; dev++) {
		if (dev->present)
			continue;
		dev->present = true;
		dev->joined = !model->late;
		probe_own(model, dev);
	}
	return 0;
}

bool model_can_rescan(const struct model *model, const struct model_args *args)
{
	int i;

	for (i = 0; i < model->ndevs; i++) {
		if (!model->devs[i].present)
			return true;
	}
	return false;
}

int model_load(struct model *model, const struct model_args *args)
{
	int i;

	model->module = true;
	for (i = 0; i < model->ndevs; i++) {
		if (args->on && model->devs[i].own_is_module)
			probe_own(model, &model->devs[i]);
	}
	return 0;
}

bool model_can_load(const struct model *model, const struct model_args *args)
{
	return !model->module;
}

int model_unload(struct model *model, const struct model_args *args)
{
	int i;

	model->module = false;
	for (i = 0; i < model->ndevs; i++) {
		struct model_dev *dev = &model->devs[i];

		if (dev->own_is_module && dev->driver == OWN_DRIVER)
			dev->driver = NO_DRIVER;
	}
	return 0;
}

bool model_can_unload(const struct model *model, const struct model_args *args)
{
	return model->module;
}

/* VFIO knows a group while it has a device there, or somebody has it open. */
int model_open_group(struct model *model, const struct model_args *args)
{
	struct model_group *group = &model->groups[args->group];

	if (group->open || group->container != NOWHERE)
		return -EBUSY;
	if (!count(model, args->group, is_vfio))
		return -ENOENT;
	group->open = true;
	return 0;
}

int model_close_group(struct model *model, const struct model_args *args)
{
	model->groups[args->group].open = false;
	settle_group(model, args->group);
	return 0;
}

bool model_can_use_group(const struct model *model,
			 const struct model_args *args)
{
	return model->groups[args->group].open;
}

int model_get_status(struct model *model, const struct model_args *args)
{
	return model_status(model, args->group);
}

int model_set(struct model *model, const struct model_args *args)
{
	struct model_group *group = &model->groups[args->group];

	if (group->container != NOWHERE)
		return -EINVAL;
	if (!count(model, args->group, is_vfio))
		return -ENODEV;
	if (model_claims(model, args->group))
		return -EPERM;
	group->container = model->slots[args->slot];
	return 0;
}

bool model_can_set(const struct model *model, const struct model_args *args)
{
	return model_can_use_group(model, args) &&
	       model_can_use_container(model, args);
}

int model_unset(struct model *model, const struct model_args *args)
{
	if (!users(model, args->group))
		return -EINVAL;
	if (users(model, args->group) > 1)
		return -EBUSY;
	leave_container(model, args->group);
	return 0;
}

/* What is needed of a group to use a device of it: 0 or -EINVAL. */
static int in_use(const struct model *model, int group)
{
	int container = model->groups[group].container;

	if (container == NOWHERE || !model->containers[container].iommu)
		return -EINVAL;
	return 0;
}

int model_kvm_add(struct model *model, const struct model_args *args)
{
	int ret = in_use(model, args->group);

	model->groups[args->group].kvm = !ret;
	return ret;
}

bool model_can_kvm_add(const struct model *model, const struct model_args *args)
{
	return model->has_kvm && model_can_use_group(model, args) &&
	       !model->groups[args->group].kvm;
}

int model_kvm_close(struct model *model, const struct model_args *args)
{
	model->groups[args->group].kvm = false;
	settle_group(model, args->group);
	return 0;
}

bool model_can_kvm_close(const struct model *model,
			 const struct model_args *args)
{
	return model->groups[args->group].kvm;
}

int model_open_device(struct model *model, const struct model_args *args)
{
	struct model_dev *dev = &model->devs[args->dev];

	if (in_use(model, dev->group))
		return -EINVAL;
	if (dev->driver != VFIO_DRIVER)
		return -ENODEV;
	dev->open = true;
	return 0;
}

bool model_can_open_device(const struct model *model,
			   const struct model_args *args)
{
	const struct model_dev *dev = &model->devs[args->dev];

	return model->groups[dev->group].open && !dev->open;
}

int model_close_device(struct model *model, const struct model_args *args)
{
	struct model_dev *dev = &model->devs[args->dev];

	dev->open = false;
	settle_group(model, dev->group);
	return 0;
}

bool model_can_close_device(const struct model *model,
			    const struct model_args *args)
{
	return model->devs[args->dev].open;
}

/* What arrives is no result: see model_reaches(). */
int model_dma(struct model *model, const struct model_args *args)
{
	return 0;
}

bool model_can_dma(const struct model *model, const struct model_args *args)
{
	return model->devs[args->dev].edu && model->devs[args->dev].open;
}

int model_dma_unbound(struct model *model, const struct model_args *args)
{
	return 0;
}

/* Before it joins, only the IOMMU driver knows what a device reaches. */
bool model_can_dma_unbound(const struct model *model,
			   const struct model_args *args)
{
	const struct model_dev *dev = &model->devs[args->dev];

	return dev->edu && dev->joined &&
	       (dev->driver == NO_DRIVER || dev->driver == STUB_DRIVER);
}

int model_open_container(struct model *model, const struct model_args *args)
{
	int container = 0;

	while (model->containers[container].held || !is_empty(model, container))
		container++;
	model->containers[container].held = true;
	model->slots[args->slot] = container;
	return 0;
}

bool model_can_open_container(const struct model *model,
			      const struct model_args *args)
{
	return model->slots[args->slot] == NOWHERE;
}

int model_close_container(struct model *model, const struct model_args *args)
{
	model->containers[model->slots[args->slot]].held = false;
	model->slots[args->slot] = NOWHERE;
	return 0;
}

bool model_can_use_container(const struct model *model,
			     const struct model_args *args)
{
	return model->slots[args->slot] != NOWHERE;
}

int model_set_iommu(struct model *model, const struct model_args *args)
{
	int number = model->slots[args->slot];

	if (is_empty(model, number) || model->containers[number].iommu)
		return -EINVAL;
	model->containers[number].iommu = true;
	return 0;
}

int model_map(struct model *model, const struct model_args *args)
{
	struct model_container *container;

	container = &model->containers[model->slots[args->slot]];
	if (!container->iommu)
		return -EINVAL;
	if (container->mapped[args->page])
		return -EEXIST;
	container->mapped[args->page] = true;
	return 0;
}

int model_unmap(struct model *model, const struct model_args *args)
{
	struct model_container *container;

	container = &model->containers[model->slots[args->slot]];
	if (!container->iommu)
		return -EINVAL;
	if (!container->mapped[args->page])
		return -ENOENT;
	container->mapped[args->page] = false;
	return 0;
}

/* Others enable the device, and so call ACPI: see dma_owner_fail_nth_test. */
bool model_spares_bind(const struct model *model, const struct model_args *args)
{
	return args->driver == STUB_DRIVER || args->driver == QUIET_DRIVER;
}

bool model_spares_remove(const struct model *model,
			 const struct model_args *args)
{
	return model->devs[args->dev].driver == NO_DRIVER;
}

/* The same: drivers probe what is found, and all have to be refused. */
bool model_spares_rescan(const struct model *model,
			 const struct model_args *args)
{
	const struct model_dev *dev, *end = model->devs + model->ndevs;

	for (dev = model->devs; dev < end; dev++) {
		if (!dev->present && own_matches(model, dev) &&
		    model_owner(model, dev->group) != OWNER_USER)
			return false;
	}
	return true;
}

void model_adopt(struct model *model, int dev, bool present, bool joined)
{
	struct model_dev *lost = &model->devs[dev];

	if (!present)
		lose(lost);
	lost->present = present;
	lost->joined = joined;
}
