// SPDX-License-Identifier: GPL-2.0-only
#include <unistd.h>

#include "error.h"
#include "iommu_group.h"
#include "vfio.h"
#include "vfio_user.h"

/*
 * Open a container and, with @open_group, the group @id, without a claim yet.
 * After an error nothing is open.
 */
static int open_both(struct vfio_user *user, int (*open_group)(int id), int id)
{
	int ret = 0;

	*user = (struct vfio_user)VFIO_USER_NONE;
	user->container = vfio_open_container();
	user->group = open_group(id);
	if (user->container < 0)
		ret = user->container;
	else if (user->group < 0)
		ret = user->group;
	if (ret)
		vfio_user_close(user);
	return ret;
}

int vfio_user_open_group(struct vfio_user *user, int id)
{
	return open_both(user, vfio_open_group, id);
}

int vfio_user_open_noiommu_group(struct vfio_user *user, int id)
{
	return open_both(user, vfio_open_noiommu_group, id);
}

/* Own the group that is open. */
int vfio_user_set_container(struct vfio_user *user)
{
	return vfio_set_container(user->group, user->container);
}

/* Become the owner of group @id. After an error nothing is open. */
int vfio_user_claim(struct vfio_user *user, int id)
{
	int ret;

	ret = vfio_user_open_group(user, id);
	if (ret)
		return ret;
	ret = vfio_user_set_container(user);
	if (ret)
		vfio_user_close(user);
	return ret;
}

/* The device called @name, once the container has an IOMMU. */
int vfio_user_open_device(struct vfio_user *user, const char *name)
{
	user->device = vfio_open_device(user->group, name);
	return user->device < 0 ? user->device : 0;
}

/* The owner's next steps: type 1 IOMMU, and the device called @name. */
int vfio_user_start(struct vfio_user *user, const char *name)
{
	int ret;

	ret = vfio_set_iommu(user->container);
	return ret ? ret : vfio_user_open_device(user, name);
}

/*
 * Become the user of @bdf, which is bound to vfio-pci: container, group, type
 * 1 IOMMU and device. After an error nothing is open.
 */
int vfio_user_open(struct vfio_user *user, const char *bdf)
{
	int ret;

	*user = (struct vfio_user)VFIO_USER_NONE;
	ret = group_of(bdf);
	if (ret < 0)
		return ret;
	ret = vfio_user_claim(user, ret);
	if (!ret)
		ret = vfio_user_start(user, bdf);
	if (ret)
		vfio_user_close(user);
	return ret;
}

static int close_fd(int *fd)
{
	int ret = 0;

	if (*fd >= 0)
		ret = errno_of(close(*fd));
	*fd = -1;
	return ret;
}

int vfio_user_close_device(struct vfio_user *user)
{
	return close_fd(&user->device);
}

int vfio_user_close_group(struct vfio_user *user)
{
	return close_fd(&user->group);
}

/* Close what is open, the device first as a well-behaved user does. */
void vfio_user_close(struct vfio_user *user)
{
	close_fd(&user->device);
	close_fd(&user->group);
	close_fd(&user->container);
}
