/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What dma_owner_random_test expects of the kernel: the groups of a machine,
 * their devices and VFIO's containers, as far as the tests' operations change
 * them, and what each operation returns. It is a model: it does nothing.
 *
 * For each operation there is model_OP(), which changes the model as the kernel
 * has to change the machine, and returns what the system call has to return, a
 * descriptor as 0. Where an operation must not be tried in every state, there is
 * model_can_OP(), which tells: it would wait for the caller itself, or lead to
 * where the kernel promises nothing.
 */
#ifndef SELFTESTS_IOMMU_RANDOM_MODEL_H
#define SELFTESTS_IOMMU_RANDOM_MODEL_H

#include <stdbool.h>

#define MODEL_DEVS	32
#define MODEL_GROUPS	8
/* Descriptors of containers that the user can have open. */
#define MODEL_SLOTS	2
/* Where the last descriptor is closed, its groups keep the container. */
#define MODEL_CONTAINERS (MODEL_SLOTS + MODEL_GROUPS)
#define MODEL_PAGES	3
/* A container's number where there is none. */
#define NOWHERE		(-1)

enum model_driver {
	NO_DRIVER,
	/* These do no DMA for the kernel */
	VFIO_DRIVER,
	STUB_DRIVER,
	PRIVATE_DRIVER,	/* before it is told to attach the device */
	/* These may */
	QUIET_DRIVER,
	UIO_DRIVER,
	OWN_DRIVER,	/* the one whose table has the device */
	MODEL_DRIVERS,
};

enum model_owner {
	OWNER_NONE,
	OWNER_KERNEL,
	OWNER_PRIVATE,
	OWNER_USER,
};

struct model_dev {
	int group;
	/* What it is */
	bool bridge;
	bool edu;
	bool has_own;		/* there is an OWN_DRIVER, */
	bool own_is_module;	/* in the test's module */
	/* How it is */
	bool present;
	bool joined;		/* its group */
	bool open;		/* through VFIO */
	bool attached;		/* to the domain of its driver */
	enum model_driver driver;
	enum model_driver override;
};

struct model_group {
	bool open;
	bool kvm;		/* a VM holds a reference */
	int container;
};

struct model_container {
	bool held;		/* by a descriptor */
	bool iommu;
	bool mapped[MODEL_PAGES];
};

struct model {
	int ndevs;
	int ngroups;
	struct model_dev devs[MODEL_DEVS];
	struct model_group groups[MODEL_GROUPS];
	struct model_container containers[MODEL_CONTAINERS];
	int slots[MODEL_SLOTS];
	bool late;		/* devices join when their first driver comes */
	bool has_kvm;
	bool module;		/* is loaded */
};

/* What an operation is about; each uses one or two of them. */
struct model_args {
	int dev;
	int group;
	int slot;
	int page;
	enum model_driver driver;
	bool on;
};

typedef int model_op(struct model *model, const struct model_args *args);
typedef bool model_can(const struct model *model, const struct model_args *args);

/* The state in which every sequence starts */
void model_reset(struct model *model);

/* What can be seen of a state */
int model_claims(const struct model *model, int group);
int model_attached_devices(const struct model *model, int group);
int model_vfio_devices(const struct model *model, int group);
int model_open_devices(const struct model *model, int group);
enum model_owner model_owner(const struct model *model, int group);
const char *model_owner_name(const struct model *model, int group);
const char *model_domain_name(const struct model *model, int group);
bool model_reaches(const struct model *model, int dev, int container, int page);
bool model_may_do_dma(enum model_driver driver);
int model_slow(const struct model *model);
int model_status(const struct model *model, int group);

/* Operations on a device: args->dev */
model_op model_bind;
model_can model_can_bind;
model_op model_drivers_probe;
model_op model_unbind;
model_can model_can_unbind;
model_op model_override;
model_can model_can_override;
model_op model_attach;
model_can model_can_attach;
model_op model_detach;
model_op model_remove;
model_can model_can_remove;
model_op model_open_device;
model_can model_can_open_device;
model_op model_close_device;
model_can model_can_close_device;
model_op model_dma;
model_can model_can_dma;
model_op model_dma_unbound;
model_can model_can_dma_unbound;
model_op model_why;

/* Operations on the bus; args->on: is a new driver offered the devices? */
model_op model_rescan;
model_can model_can_rescan;
model_op model_load;
model_can model_can_load;
model_op model_unload;
model_can model_can_unload;

/* Operations on a group: args->group */
model_op model_open_group;
model_op model_close_group;
model_can model_can_use_group;
model_op model_get_status;
model_op model_set;
model_can model_can_set;
model_op model_unset;
model_op model_kvm_add;
model_can model_can_kvm_add;
model_op model_kvm_close;
model_can model_can_kvm_close;

/* Operations on a container: args->slot */
model_op model_open_container;
model_can model_can_open_container;
model_op model_close_container;
model_can model_can_use_container;
model_op model_set_iommu;
model_op model_map;
model_op model_unmap;

/* Can an allocation fail in it without consequences that nobody can tell? */
model_can model_spares_bind;
model_can model_spares_remove;
model_can model_spares_rescan;

/* After a failed allocation: the device is so, as far as it was lost before. */
void model_adopt(struct model *model, int dev, bool present, bool joined);

#endif
