/* SPDX-License-Identifier: GPL-2.0-only */
/* Somebody who has a device through VFIO, or is on the way to it. */
#ifndef SELFTESTS_IOMMU_VFIO_USER_H
#define SELFTESTS_IOMMU_VFIO_USER_H

/* A VFIO user: three file descriptors, each -1 when closed. */
struct vfio_user {
	int container;
	int group;
	int device;
};

#define VFIO_USER_NONE { .container = -1, .group = -1, .device = -1 }

int vfio_user_open_group(struct vfio_user *user, int id);
int vfio_user_open_noiommu_group(struct vfio_user *user, int id);
int vfio_user_set_container(struct vfio_user *user);
int vfio_user_claim(struct vfio_user *user, int id);
int vfio_user_open_device(struct vfio_user *user, const char *name);
int vfio_user_start(struct vfio_user *user, const char *name);
int vfio_user_open(struct vfio_user *user, const char *bdf);
int vfio_user_close_device(struct vfio_user *user);
int vfio_user_close_group(struct vfio_user *user);
void vfio_user_close(struct vfio_user *user);

#endif
