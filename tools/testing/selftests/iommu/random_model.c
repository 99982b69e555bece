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
		dev->attached = false;
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

static bool is_attached(const struct model_dev *dev)
{
	return dev->attached;
}

static bool is_vfio(const struct model_dev *dev)
{
	return dev->driver == VFIO_DRIVER;
}

static bool is_claimed(const struct model_dev *dev)
{
	return dev->joined && model_may_do_dma(dev->driver);
}

/* How many devices of the group are the kernel's, */
int model_claims(const struct model *model, int group)
{
	return count(model, group, is_claimed);
}

/* on a domain of their driver, */
int model_attached_devices(const struct model *model, int group)
{
	return count(model, group, is_attached);
}

/* can be a user's, */
int model_vfio_devices(const struct model *model, int group)
{
	return count(model, group, is_vfio);
}

/* or are in use? */
int model_open_devices(const struct model *model, int group)
{
	return count(model, group, is_open);
}

enum model_owner model_owner(const struct model *model, int group)
{
	if (model->groups[group].container != NOWHERE)
		return OWNER_USER;
	if (model_attached_devices(model, group))
		return OWNER_PRIVATE;
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
		[OWNER_PRIVATE] = "private",
		[OWNER_USER] = "user",
	};

	return names[model_owner(model, group)];
}

const char *model_domain_name(const struct model *model, int group)
{
	int container = model->groups[group].container;

	if (model_owner(model, group) == OWNER_PRIVATE)
		return "unmanaged";
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
	enum model_owner owner = model_owner(model, dev->group);

	dev->joined = true;
	if (model_may_do_dma(driver) &&
	    (owner == OWNER_USER || owner == OWNER_PRIVATE))
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
	dev->attached = false;
	return 0;
}

/* VFIO waits for the user of the device, and for the group's with its last. */
bool model_can_unbind(const struct model *model, const struct model_args *args)
{
	const struct model_dev *dev = &model->devs[args->dev];

	if (dev->driver != VFIO_DRIVER)
		return true;
	return !dev->open && (model_owner(model, dev->group) != OWNER_USER ||
			      model_vfio_devices(model, dev->group) > 1);
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

/* All drivers of this kind attach to one domain, which takes the whole group. */
int model_attach(struct model *model, const struct model_args *args)
{
	struct model_dev *dev = &model->devs[args->dev];

	if (dev->attached || model_owner(model, dev->group) == OWNER_USER ||
	    model_claims(model, dev->group))
		return -EBUSY;
	dev->attached = true;
	return 0;
}

bool model_can_attach(const struct model *model, const struct model_args *args)
{
	return model->devs[args->dev].driver == PRIVATE_DRIVER;
}

int model_detach(struct model *model, const struct model_args *args)
{
	model->devs[args->dev].attached = false;
	return 0;
}

static void lose(struct model_dev *dev)
{
	dev->present = false;
	dev->joined = false;
	dev->attached = false;
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
		enum model_owner owner = model_owner(model, dev->group);

		if (!dev->present && own_matches(model, dev) &&
		    owner != OWNER_USER && owner != OWNER_PRIVATE)
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
