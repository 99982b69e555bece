// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_nth.h"
#include "lib/private.h"
#include "lib/vfio_msi.h"

#define MAP_IOVA	0x40000000
#define MAP_SIZE	0x10000
#define WINDOW_IOVA	0x20000000

/*
 * A driver that enables its device has ACPI look up the route of its interrupt.
 * The interpreter of stock 5.10 does not stand failing allocations: it loses
 * references to the table of routes ("Could not update object reference count")
 * and locks of the methods that it gives up. So have the devices enabled before,
 * and do without ACPI's view of their slots (see qemu/q35.inc), which has
 * methods that are called when a device comes or goes.
 */
int keep_enabled(struct scene *scene, bool keep)
{
	int ret;

	ret = pci_switch(scene->a, "");
	if (!ret)
		ret = pci_switch(scene->b, "");
	if (!ret)
		ret = pci_keep_enabled(scene->a, keep);
	if (!ret)
		ret = pci_keep_enabled(scene->b, keep);
	if (ret == -EIO && !keep)	/* plugged since */
		ret = 0;
	return ret ? ret : pci_switch(scene->a, "vfio-pci");
}

/* Can B's group be owned now? 0, or the errno of SET_CONTAINER. */
static int try_claim(struct scene *scene)
{
	struct vfio_user user;
	int ret;

	if (vfio_user_open_group(&user, scene->group->id))
		return -ENXIO;
	ret = vfio_user_set_container(&user);
	vfio_user_close(&user);
	return ret;
}

/* Either the kernel has the group through B's driver or nobody does. */
static int check_driver(struct scene *scene, const char *driver)
{
	int ret;

	if (!pci_bound_to(scene->b, driver))
		return -EBADE;
	ret = try_claim(scene);
	if (driver[0])
		return ret == -EPERM ? 0 : -EBADR;
	return ret;
}

/* The user is not disturbed, and B belongs to nobody else. */
static int check_owned(struct scene *scene)
{
	__u16 vendor;
	int ret;

	if (pci_present(scene->b) && !pci_bound_to(scene->b, ""))
		return -EBADE;
	ret = vfio_config_read(scene->user.device, 0, &vendor, sizeof(vendor));
	if (ret)
		return ret;
	return vendor == EDU_VENDOR ? 0 : -EBADMSG;
}

int own(struct scene *scene)
{
	return vfio_user_open(&scene->user, scene->a);
}

/* Let the user map memory, and unmap it again. */
static int map_memory(struct scene *scene)
{
	void *mem;
	int ret, err;

	mem = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	ret = vfio_map(scene->user.container, mem, MAP_IOVA, MAP_SIZE);
	if (!ret) {
		err = vfio_unmap(scene->user.container, MAP_IOVA, MAP_SIZE);
		if (err)
			ret = err;
	}
	munmap(mem, MAP_SIZE);
	return ret;
}

/* A user comes and goes. */
static int run_user(struct scene *scene)
{
	int ret;

	ret = own(scene);
	vfio_user_close(&scene->user);
	return ret;
}

static int check_user(struct scene *scene, int ret)
{
	vfio_user_close(&scene->user);
	return check_driver(scene, "");
}

const struct operation user_op = {
	.name = "user",
	.run = run_user,
	.check = check_user,
	.least = 20,
};

const struct operation map_op = {
	.name = "map",
	.prepare = own,
	.run = map_memory,
	.check = check_user,
};

/* The user asks what is reserved. */
static int run_info(struct scene *scene)
{
	struct resv_info info;

	return resv_read(scene->user.container, &info);
}

const struct operation info_op = {
	.name = "info",
	.prepare = own,
	.run = run_info,
	.check = check_user,
};

/* The user says where MSIs go. */
static int run_window(struct scene *scene)
{
	return window_add(scene->user.container, WINDOW_IOVA, MAP_SIZE);
}

/* Either there is a window, or all is as before: then there is one at the next try. */
static int check_window(struct scene *scene, int ret)
{
	int container = scene->user.container, err;
	struct resv_info info;

	err = resv_read(container, &info);
	if (err)
		return err;
	if (!resv_find(&info, VFIO_IOMMU_TYPE1_RESV_USER_MSI) != !!ret ||
	    !resv_find(&info, VFIO_IOMMU_TYPE1_RESV_SW_MSI) != !ret)
		return -EBADE;
	if (ret)
		err = run_window(scene);
	if (!err)
		err = window_remove(container, WINDOW_IOVA, MAP_SIZE);
	return err ? err : check_user(scene, ret);
}

const struct operation window_op = {
	.name = "window",
	.prepare = own,
	.run = run_window,
	.check = check_window,
};

/* The user, who has a window, enables an MSI. */
int prepare_msi(struct scene *scene)
{
	int ret;

	ret = own(scene);
	return ret ? ret : run_window(scene);
}

int run_msi(struct scene *scene)
{
	int event, ret;

	event = eventfd(0, EFD_CLOEXEC);
	if (event < 0)
		return -errno;
	ret = msi_enable(scene->user.device, event);
	close(event);
	return ret;
}

/* The window is in use for as long as the MSI is enabled. */
static int check_msi(struct scene *scene, int ret)
{
	int container = scene->user.container, err;

	err = window_remove(container, WINDOW_IOVA, MAP_SIZE);
	if (err != (ret ? 0 : -EBUSY))
		return -EBADE;
	if (!ret)
		err = msi_disable(scene->user.device);
	if (!ret && !err)
		err = window_remove(container, WINDOW_IOVA, MAP_SIZE);
	return err ? err : check_user(scene, ret);
}

const struct operation msi_op = {
	.name = "msi",
	.prepare = prepare_msi,
	.run = run_msi,
	.check = check_msi,
};

/* The user takes the group out of the container by itself. */
static int prepare_unset(struct scene *scene)
{
	int ret;

	ret = own(scene);
	vfio_user_close_device(&scene->user);
	return ret;
}

static int run_unset(struct scene *scene)
{
	return vfio_unset_container(scene->user.group);
}

static int check_unset(struct scene *scene, int ret)
{
	return ret ? -EBADR : check_user(scene, ret);
}

const struct operation unset_op = {
	.name = "unset",
	.prepare = prepare_unset,
	.run = run_unset,
	.check = check_unset,
};

/* A driver binds to B. */
static int run_bind(struct scene *scene)
{
	return pci_bind(scene->b, QUICK_DRIVER);
}

static int check_bind(struct scene *scene, int ret)
{
	return check_driver(scene, ret ? "" : QUICK_DRIVER);
}

const struct operation bind_op = {
	.name = "bind",
	.run = run_bind,
	.check = check_bind,
	.least = 20,
};

static int check_bind_refused(struct scene *scene, int ret)
{
	return ret ? check_owned(scene) : -EBADR;
}

const struct operation bind_refused_op = {
	.name = "bind_refused",
	.prepare = own,
	.run = run_bind,
	.check = check_bind_refused,
	.expect = -EBUSY,
};

static int run_unbind(struct scene *scene)
{
	return pci_unbind(scene->b);
}

static int check_unbind(struct scene *scene, int ret)
{
	return check_driver(scene, ret ? QUICK_DRIVER : "");
}

const struct operation unbind_op = {
	.name = "unbind",
	.prepare = run_bind,
	.run = run_unbind,
	.check = check_unbind,
};

/* VFIO's driver comes to A, and goes. */
static int leave_vfio(struct scene *scene)
{
	return pci_unbind(scene->a);
}

static int run_bind_vfio(struct scene *scene)
{
	return pci_switch(scene->a, "vfio-pci");
}

/* The driver core binds a driver even if devtmpfs has no memory for its node. */
static int check_bind_vfio(struct scene *scene, int ret)
{
	char node[32];
	int err;

	err = pci_switch(scene->a, "vfio-pci");
	snprintf(node, sizeof(node), "/dev/vfio/%d", scene->group->id);
	if (!err && access(node, F_OK)) {
		err = pci_unbind(scene->a);
		if (!err)
			err = pci_switch(scene->a, "vfio-pci");
	}
	return err ? err : check_driver(scene, "");
}

const struct operation bind_vfio_op = {
	.name = "bind_vfio",
	.prepare = leave_vfio,
	.run = run_bind_vfio,
	.check = check_bind_vfio,
	.least = 20,
};

const struct operation unbind_vfio_op = {
	.name = "unbind_vfio",
	.run = leave_vfio,
	.check = check_bind_vfio,
};

/* B is pulled. */
static int run_remove(struct scene *scene)
{
	return pci_remove(scene->b);
}

static int check_remove(struct scene *scene, int ret)
{
	if (pci_present(scene->b) != !!ret)
		return -EBADE;
	return try_claim(scene);
}

const struct operation remove_op = {
	.name = "remove",
	.run = run_remove,
	.check = check_remove,
};

/* B is pulled from the user's group. */
static int check_remove_owned(struct scene *scene, int ret)
{
	if (pci_present(scene->b) != !!ret)
		return -EBADE;
	return check_owned(scene);
}

const struct operation remove_owned_op = {
	.name = "remove_owned",
	.prepare = own,
	.run = run_remove,
	.check = check_remove_owned,
};

/* A device without a driver is found again: A, as B's would need ACPI. */
static int prepare_rescan(struct scene *scene)
{
	return pci_remove(scene->a);
}

static int run_rescan(struct scene *scene)
{
	return pci_rescan();
}

/*
 * The last device of the group that was VFIO's is gone, so no claim here. The
 * next rescan makes up for what this one had no memory for.
 */
static int check_rescan(struct scene *scene, int ret)
{
	if (pci_present(scene->a) && !pci_bound_to(scene->a, ""))
		return -EBADE;
	return pci_rescan();
}

const struct operation rescan_op = {
	.name = "rescan",
	.prepare = prepare_rescan,
	.run = run_rescan,
	.check = check_rescan,
	.least = 40,
};

/* B is found again in the user's group, where its driver has to wait. */
static int prepare_rescan_owned(struct scene *scene)
{
	int ret;

	ret = pci_remove(scene->b);
	return ret ? ret : own(scene);
}

static int check_rescan_owned(struct scene *scene, int ret)
{
	int err;

	err = check_owned(scene);
	if (!err)
		err = pci_rescan();
	return err ? err : check_owned(scene);
}

const struct operation rescan_owned_op = {
	.name = "rescan_owned",
	.prepare = prepare_rescan_owned,
	.run = run_rescan,
	.check = check_rescan_owned,
	.least = 40,
};

/* A driver attaches A to a domain of its own, and detaches it. */
static int prepare_attach(struct scene *scene)
{
	return pci_switch(scene->a, PRIVATE_DOMAIN_DRIVER);
}

static int run_attach(struct scene *scene)
{
	return private_attach(scene->a);
}

/* The group is private with the domain, and free without. */
static int check_attach(struct scene *scene, int ret)
{
	char owner[16];
	int err;

	err = group_value(scene->group->id, "dma_owner", owner, sizeof(owner));
	if (!err && strcmp(owner, ret ? "none" : "private"))
		err = -EBADE;
	if (!err)
		err = pci_switch(scene->a, "vfio-pci");
	return err ? err : check_driver(scene, "");
}

const struct operation attach_op = {
	.name = "attach",
	.prepare = prepare_attach,
	.run = run_attach,
	.check = check_attach,
};

static int prepare_detach(struct scene *scene)
{
	int ret;

	ret = prepare_attach(scene);
	return ret ? ret : run_attach(scene);
}

static int run_detach(struct scene *scene)
{
	return private_detach(scene->a);
}

/* A detach cannot fail, but the write that asks for it needs memory. */
static int check_detach(struct scene *scene, int ret)
{
	return check_attach(scene, ret ? 0 : -ENOENT);
}

const struct operation detach_op = {
	.name = "detach",
	.prepare = prepare_detach,
	.run = run_detach,
	.check = check_detach,
};

/* Find A and B again, but let B's own driver alone: its probe takes seconds. */
static int find_again(struct scene *scene)
{
	int ret, err;

	if (pci_present(scene->a) && pci_present(scene->b))
		return 0;
	ret = pci_autoprobe(false);
	if (!ret)
		ret = pci_rescan();
	err = pci_autoprobe(true);
	return ret ? ret : err;
}

/* Bring the group back to where each operation begins. */
int settle(struct scene *scene)
{
	int ret;

	vfio_user_close(&scene->user);
	ret = find_again(scene);
	if (!ret)
		ret = pci_switch(scene->b, "");
	if (!ret)
		ret = join_group(scene->b);
	if (!ret)
		ret = pci_override(scene->b, QUICK_DRIVER);
	if (!ret)
		ret = pci_switch(scene->a, "vfio-pci");
	if (!ret && (group_of(scene->a) != scene->group->id ||
		     group_of(scene->b) != scene->group->id))
		ret = -EXDEV;
	if (!ret)
		ret = own(scene);
	vfio_user_close(&scene->user);
	return ret;
}

/* Everything works: the user's DMA, then the kernel's. */
int prove(struct scene *scene)
{
	int ret;

	ret = own(scene);
	if (!ret)
		ret = edu_dma_check(&scene->user);
	vfio_user_close(&scene->user);
	if (!ret)
		ret = pci_switch(scene->b, "e1000");
	return ret ? ret : netdev_check(scene->b);
}

/* Nothing happened to the group, and the operation reports an errno of memory. */
bool is_sane(int ret)
{
	switch (ret) {
	case 0:
	case -EBUSY:
	case -EIO:
	case -ENODEV:
	case -ENOMEM:
	case -ENOSPC:	/* what PCI says of MSIs that there is no memory for */
		return true;
	default:
		return false;
	}
}
