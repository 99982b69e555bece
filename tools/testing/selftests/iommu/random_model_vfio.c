// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO's part of the model: containers, groups, and who has a device open.
 */
#include <errno.h>

#include "random_model.h"

/* Descriptors, and the VM, that keep the group in its container. */
static int users(const struct model *model, int group)
{
	if (model->groups[group].container == NOWHERE)
		return 0;
	return model->groups[group].open + model->groups[group].kvm +
	       model_open_devices(model, group);
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

/* VFIO knows a group while it has a device there, or somebody has it open. */
/*
 * Can somebody else have the device now? What iommu-groups says has to be what a
 * claim would. A group's file is for one process at a time.
 */
int model_why(struct model *model, const struct model_args *args)
{
	const struct model_dev *dev = &model->devs[args->dev];

	if (!dev->present)
		return -ENOENT;
	if (dev->bridge || dev->driver != VFIO_DRIVER ||
	    model->groups[dev->group].open ||
	    model_owner(model, dev->group) != OWNER_NONE)
		return -EPERM;
	return 0;
}

int model_open_group(struct model *model, const struct model_args *args)
{
	struct model_group *group = &model->groups[args->group];

	if (group->open || group->container != NOWHERE)
		return -EBUSY;
	if (!model_vfio_devices(model, args->group))
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
	if (!model_vfio_devices(model, args->group))
		return -ENODEV;
	if (model_owner(model, args->group) != OWNER_NONE)
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
	       (dev->driver == NO_DRIVER || dev->driver == STUB_DRIVER ||
		dev->driver == PRIVATE_DRIVER);
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
