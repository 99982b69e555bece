/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that random_model.h is a model of: all its groups with an "edu".
 * For each operation there is machine_OP(), which returns what the kernel does;
 * see the model for what they are.
 *
 * Errors are as in libvfio.h.
 */
#ifndef SELFTESTS_IOMMU_RANDOM_MACHINE_H
#define SELFTESTS_IOMMU_RANDOM_MACHINE_H

#include <stddef.h>

#include "random_model.h"

/* What DMA can do wrong, and no system call returns: see machine_error(). */
enum {
	ELOST = 1001,
	ESTRAY,
};

struct machine {
	/* The state that is expected now */
	struct model model;
	/* Names of what the model has numbers for */
	const char *bdf[MODEL_DEVS];
	const char *own[MODEL_DEVS];
	int id[MODEL_GROUPS];
	/* Descriptors, -1 when closed */
	int devices[MODEL_DEVS];
	int groups[MODEL_GROUPS];
	int vms[MODEL_GROUPS];
	int slots[MODEL_SLOTS];
	/* For each container, the user's pages */
	void *mem;
	size_t page;
};

typedef int machine_op(struct machine *machine, const struct model_args *args);

int machine_find(struct machine *machine);
int machine_reset(struct machine *machine, char *why, size_t len);
int machine_check(struct machine *machine, char *why, size_t len);
void machine_adopt(struct machine *machine, const struct model *before);
const char *machine_driver_name(const struct machine *machine, int dev,
				enum model_driver driver);

const char *machine_error(int ret);

/* The user's memory: before anything else, and for each "edu" */
int machine_alloc_pages(struct machine *machine);
int machine_teach(struct machine *machine, int dev);

machine_op machine_bind;
machine_op machine_drivers_probe;
machine_op machine_unbind;
machine_op machine_override;
machine_op machine_attach;
machine_op machine_detach;
machine_op machine_remove;
machine_op machine_open_device;
machine_op machine_close_device;
machine_op machine_dma;
machine_op machine_dma_unbound;
machine_op machine_why;
machine_op machine_autoprobe;
machine_op machine_rescan;
machine_op machine_load;
machine_op machine_unload;
machine_op machine_open_group;
machine_op machine_close_group;
machine_op machine_get_status;
machine_op machine_set;
machine_op machine_unset;
machine_op machine_kvm_add;
machine_op machine_kvm_close;
machine_op machine_open_container;
machine_op machine_close_container;
machine_op machine_set_iommu;
machine_op machine_map;
machine_op machine_unmap;

#endif
