/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations of dma_owner_fail_nth_test, and the way back from each of them.
 */
#ifndef SELFTESTS_IOMMU_FAIL_NTH_H
#define SELFTESTS_IOMMU_FAIL_NTH_H

#include "scene.h"

/* What is to be failed. Each function returns 0 or -errno. */
struct operation {
	const char *name;
	/* Prepares; without it the group is free and B has no driver. */
	int (*prepare)(struct scene *scene);
	/* The operation itself, during which an allocation fails. */
	int (*run)(struct scene *scene);
	/* Is everything as it must be after run() has returned @ret? */
	int (*check)(struct scene *scene, int ret);
	/* What run() returns when nothing fails. */
	int expect;
	/* Fewer allocations than these would be a test of nothing. */
	int least;
};

extern const struct operation user_op;
extern const struct operation map_op;
extern const struct operation info_op;
extern const struct operation window_op;
extern const struct operation msi_op;
extern const struct operation unset_op;
extern const struct operation bind_op;
extern const struct operation bind_refused_op;
extern const struct operation unbind_op;
extern const struct operation bind_vfio_op;
extern const struct operation unbind_vfio_op;
extern const struct operation remove_op;
extern const struct operation remove_owned_op;
extern const struct operation rescan_op;
extern const struct operation rescan_owned_op;
extern const struct operation attach_op;
extern const struct operation detach_op;

int keep_enabled(struct scene *scene, bool keep);
int own(struct scene *scene);
int prepare_msi(struct scene *scene);
int run_msi(struct scene *scene);
int settle(struct scene *scene);
int prove(struct scene *scene);
bool is_sane(int ret);

#endif
