// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group of devices belongs to the kernel or to userspace, never to both.
 *
 * Every test works on one IOMMU group of a machine of qemu/: device A, an
 * "edu", goes to vfio-pci and does real DMA; device B, an e1000, is the one
 * that a kernel driver wants.
 *
 * A test that dies in an ASSERT skips its teardown, so each setup first brings
 * the group back to what it was when the program started.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <linux/kvm.h>
#include <linux/vfio.h>

#include "../kselftest_harness.h"
#include "vfio_utils.h"

#define INTEL_VENDOR	0x8086
#define E1000_DEVICE	0x100e
#define REALTEK_VENDOR	0x10ec
#define RTL8139_DEVICE	0x8139

#define PCI_CLASS_BRIDGE	0x0604
#define MAX_GROUPS		64
#define LINK_SECONDS		10

/* What makes the devices of a group inseparable. */
enum topology {
	ALIASED,	/* behind a PCI bridge, which speaks for all of them */
	DISTINCT,	/* functions of one slot, each with its requester id */
	PCIEPORT,	/* below a port without ACS, which is in the group too */
};

/* The machine as found. */
static struct group groups[MAX_GROUPS];
static int ngroups;

static bool is_bridge(const struct pci_dev *dev)
{
	return dev->class >> 8 == PCI_CLASS_BRIDGE;
}

static const struct pci_dev *find_dev(const struct group *group, __u16 vendor,
				      __u16 device)
{
	int i;

	for (i = 0; i < group->ndevs; i++) {
		if (group->devs[i].vendor == vendor &&
		    group->devs[i].device == device)
			return &group->devs[i];
	}
	return NULL;
}

static enum topology topology_of(const struct group *group)
{
	enum topology topology = DISTINCT;
	int i;

	for (i = 0; i < group->ndevs; i++) {
		if (!strcmp(group->devs[i].driver, "pcieport"))
			return PCIEPORT;
		if (is_bridge(&group->devs[i]))
			topology = ALIASED;
	}
	return topology;
}

/* The first group of this topology that has an A and a B; NULL for none. */
static const struct group *find_group(enum topology topology)
{
	const struct group *group;

	for (group = groups; group < groups + ngroups; group++) {
		if (topology_of(group) == topology &&
		    find_dev(group, EDU_VENDOR, EDU_DEVICE) &&
		    find_dev(group, INTEL_VENDOR, E1000_DEVICE))
			return group;
	}
	return NULL;
}

/* Take every device but the bridges from its driver, if it is not @keep. */
static int unbind_all(const struct group *group, bool keep)
{
	const struct pci_dev *dev;
	int i, ret;

	for (i = 0; i < group->ndevs; i++) {
		dev = &group->devs[i];
		if (is_bridge(dev) ||
		    (keep && pci_bound_to(dev->bdf, dev->driver)))
			continue;
		ret = pci_override(dev->bdf, NULL);
		if (!ret)
			ret = pci_unbind(dev->bdf);
		if (ret)
			return ret;
	}
	return 0;
}

/* Give every device of the group the driver with which it was found. */
static int restore(const struct group *group)
{
	bool lost = false;
	int i, ret;

	for (i = 0; i < group->ndevs; i++)
		lost |= !pci_present(group->devs[i].bdf);
	if (lost)
		pci_rescan();
	ret = unbind_all(group, true);
	for (i = 0; !ret && i < group->ndevs; i++) {
		if (!is_bridge(&group->devs[i]))
			ret = pci_switch(group->devs[i].bdf,
					 group->devs[i].driver);
	}
	return ret;
}

static void restore_machine(void)
{
	int i;

	for (i = 0; i < ngroups; i++) {
		if (find_dev(&groups[i], EDU_VENDOR, EDU_DEVICE))
			restore(&groups[i]);
	}
}

/* Runs in the harness itself, before main() and after the last test. */
static void __attribute__((constructor)) remember_machine(void)
{
	ngroups = group_list(groups, MAX_GROUPS);
	atexit(restore_machine);
}

/* The group under test, and A's user. */
struct scene {
	const struct group *group;
	const char *a;
	const char *b;
	struct vfio_user user;
	int kmsg;
};

/* Prepare: A is vfio-pci's, no other endpoint has a driver. 0 or -errno. */
static int scene_setup(struct scene *scene, enum topology topology)
{
	char text[32];
	int ret;

	scene->user = (struct vfio_user)VFIO_USER_NONE;
	scene->group = find_group(topology);
	if (!scene->group)
		return -ENODEV;
	scene->a = find_dev(scene->group, EDU_VENDOR, EDU_DEVICE)->bdf;
	scene->b = find_dev(scene->group, INTEL_VENDOR, E1000_DEVICE)->bdf;
	ret = restore(scene->group);
	if (!ret)
		ret = unbind_all(scene->group, false);
	if (!ret)
		ret = pci_switch(scene->a, "vfio-pci");
	snprintf(text, sizeof(text), "group %d", scene->group->id);
	if (!ret)
		ret = kmsg_wait_quiet(text);
	if (ret)
		return ret;
	scene->kmsg = kmsg_open();
	return scene->kmsg < 0 ? scene->kmsg : 0;
}

static int scene_teardown(struct scene *scene)
{
	vfio_user_close(&scene->user);
	close(scene->kmsg);
	return restore(scene->group);
}

/* Has the kernel told that it keeps @driver from @bdf, and because of whom? */
static int refusal_logged(struct scene *scene, const char *driver,
			  const char *bdf)
{
	char comm[16], line[256];

	prctl(PR_GET_NAME, comm);
	snprintf(line, sizeof(line),
		 "%s %s: probe refused: IOMMU group %d is owned by userspace (%s[%d])",
		 driver, bdf, scene->group->id, comm, getpid());
	return kmsg_find(scene->kmsg, line);
}

FIXTURE(group)
{
	struct scene scene;
};

FIXTURE_VARIANT(group)
{
	enum topology topology;
};

FIXTURE_VARIANT_ADD(group, aliased)
{
	.topology = ALIASED,
};

FIXTURE_VARIANT_ADD(group, distinct)
{
	.topology = DISTINCT,
};

FIXTURE_SETUP(group)
{
	ASSERT_EQ(0, scene_setup(&self->scene, variant->topology));
}

FIXTURE_TEARDOWN(group)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* A write to "bind" tells EBUSY, and A's user does not notice. */
TEST_F(group, S1_bind_refused)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_dma_check(&scene->user));
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	EXPECT_TRUE(pci_bound_to(scene->b, ""));
	EXPECT_EQ(1, refusal_logged(scene, "e1000", scene->b));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/* Nor does anything come of an offer to all drivers. */
TEST_F(group, S1_drivers_probe_refused)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_dma_check(&scene->user));
	pci_drivers_probe(scene->b);
	EXPECT_TRUE(pci_bound_to(scene->b, ""));
	EXPECT_EQ(1, refusal_logged(scene, "e1000", scene->b));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/* Nor of taking B out and finding it again. */
TEST_F(group, S1_rescan_refused)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, pci_remove(scene->b));
	ASSERT_FALSE(pci_present(scene->b));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, pci_rescan());
	EXPECT_TRUE(pci_bound_to(scene->b, ""));
	EXPECT_EQ(scene->group->id, group_of(scene->b));
	EXPECT_EQ(1, refusal_logged(scene, "e1000", scene->b));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/* Once A's user is gone, B binds and exchanges frames. */
TEST_F(group, S1_binds_after_release)
{
	struct scene *scene = &self->scene;
	char name[32];

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	vfio_user_close(&scene->user);
	ASSERT_EQ(0, pci_bind(scene->b, "e1000"));
	ASSERT_EQ(0, netdev_name(scene->b, name, sizeof(name)));
	EXPECT_EQ(0, netdev_traffic(name, LINK_SECONDS));
}

/* The other way round: while B has its driver, nobody can have A. */
TEST_F(group, S2_claim_refused)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;
	char line[128];
	__u32 flags;

	ASSERT_EQ(0, pci_bind(scene->b, "e1000"));
	user->container = vfio_open_container();
	ASSERT_LE(0, user->container);
	user->group = vfio_open_group(scene->group->id);
	ASSERT_LE(0, user->group);

	ASSERT_EQ(0, vfio_group_flags(user->group, &flags));
	EXPECT_EQ(0, flags & VFIO_GROUP_FLAGS_VIABLE);
	EXPECT_EQ(-EPERM, vfio_set_container(user->group, user->container));
	snprintf(line, sizeof(line),
		 "group %d: claim refused: %s is bound to e1000",
		 scene->group->id, scene->b);
	EXPECT_EQ(1, kmsg_find(scene->kmsg, line));
	EXPECT_TRUE(pci_bound_to(scene->b, "e1000"));

	ASSERT_EQ(0, pci_unbind(scene->b));
	ASSERT_EQ(0, vfio_group_flags(user->group, &flags));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, flags & VFIO_GROUP_FLAGS_VIABLE);
	vfio_user_close(user);
	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	EXPECT_EQ(0, edu_dma_check(user));
	ASSERT_EQ(0, vfio_group_flags(user->group, &flags));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET,
		  flags);
}

/* A driver that does no DMA may have B at any time. */
TEST_F(group, S3_pci_stub_binds)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, pci_switch(scene->b, "pci-stub"));
	EXPECT_TRUE(pci_bound_to(scene->b, "pci-stub"));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	EXPECT_EQ(0, pci_unbind(scene->b));
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
}

/* So may vfio-pci, for the same user. */
TEST_F(group, S3_vfio_pci_binds)
{
	struct scene *scene = &self->scene;
	__u16 vendor = 0;
	int device;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, pci_switch(scene->b, "vfio-pci"));
	device = vfio_open_device(scene->user.group, scene->b);
	ASSERT_LE(0, device);
	EXPECT_EQ(0, vfio_config_read(device, 0, &vendor, sizeof(vendor)));
	EXPECT_EQ(INTEL_VENDOR, vendor);
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	close(device);
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/* The group is owned until the last of its descriptors is closed. */
TEST_F(group, S4_last_fd_releases)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;

	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	close(user->group);
	user->group = -1;
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, edu_dma_check(user));
	close(user->device);
	user->device = -1;
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
}

/* The same with the group descriptor as the last. */
TEST_F(group, S4_unset_releases)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;

	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));
	close(user->device);
	user->device = -1;
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
}

/*
 * Give the group to a new VM's VFIO device, so that KVM holds a reference of
 * its own. Returns the descriptor that holds the VM, or -errno.
 */
static int kvm_hold_group(int group)
{
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_VFIO };
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = KVM_DEV_VFIO_GROUP_ADD,
		.addr = (uintptr_t)&group,
	};
	int kvm, vm, ret;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return -errno;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ret = vm < 0 ? -errno : 0;
	close(kvm);
	if (ret)
		return ret;
	ret = ioctl(vm, KVM_CREATE_DEVICE, &create) ? -errno : 0;
	close(vm);
	if (ret)
		return ret;
	ret = ioctl(create.fd, KVM_SET_DEVICE_ATTR, &attr) ? -errno : 0;
	if (!ret)
		return create.fd;
	close(create.fd);
	return ret;
}

/* A reference that KVM took counts as much as a descriptor. */
TEST_F(group, S4_kvm_reference_holds)
{
	struct scene *scene = &self->scene;
	int vm;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	vm = kvm_hold_group(scene->user.group);
	ASSERT_LE(0, vm);
	vfio_user_close(&scene->user);
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	close(vm);
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
}

/* No VFIO device left: there is nothing to own, until A comes back. */
TEST_F(group, S6_no_device_left)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;

	user->container = vfio_open_container();
	ASSERT_LE(0, user->container);
	user->group = vfio_open_group(scene->group->id);
	ASSERT_LE(0, user->group);
	ASSERT_EQ(0, pci_unbind(scene->a));
	EXPECT_EQ(-ENODEV, vfio_set_container(user->group, user->container));
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
	ASSERT_EQ(0, pci_unbind(scene->b));

	ASSERT_EQ(0, pci_switch(scene->a, "vfio-pci"));
	ASSERT_EQ(0, vfio_set_container(user->group, user->container));
	ASSERT_EQ(0, vfio_set_iommu(user->container));
	user->device = vfio_open_device(user->group, scene->a);
	ASSERT_LE(0, user->device);
	EXPECT_EQ(0, edu_dma_check(user));
}

/* A group with a conventional PCI card whose driver is a module. */
FIXTURE(aliased)
{
	struct scene scene;
	const char *card;
};

FIXTURE_SETUP(aliased)
{
	const struct pci_dev *card;

	ASSERT_EQ(0, scene_setup(&self->scene, ALIASED));
	card = find_dev(self->scene.group, REALTEK_VENDOR, RTL8139_DEVICE);
	ASSERT_NE(NULL, card);
	self->card = card->bdf;
	system("modprobe -r 8139cp");
}

FIXTURE_TEARDOWN(aliased)
{
	system("modprobe -r 8139cp");
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* Loading a driver does not bind it; loading it again after release does. */
TEST_F(aliased, S1_modprobe_refused)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, system("modprobe 8139cp"));
	EXPECT_TRUE(pci_bound_to(self->card, ""));
	EXPECT_EQ(1, refusal_logged(scene, "8139cp", self->card));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	vfio_user_close(&scene->user);
	ASSERT_EQ(0, system("modprobe -r 8139cp"));
	ASSERT_EQ(0, system("modprobe 8139cp"));
	EXPECT_TRUE(pci_bound_to(self->card, "8139cp"));
}

/* A group that a PCI Express port is part of. */
FIXTURE(pcieport)
{
	struct scene scene;
};

FIXTURE_SETUP(pcieport)
{
	ASSERT_EQ(0, scene_setup(&self->scene, PCIEPORT));
}

FIXTURE_TEARDOWN(pcieport)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* The port's driver does no DMA for itself, so the group can be owned. */
TEST_F(pcieport, S3_claim)
{
	struct scene *scene = &self->scene;
	const struct pci_dev *port = NULL;
	int i;

	for (i = 0; i < scene->group->ndevs; i++) {
		if (is_bridge(&scene->group->devs[i]))
			port = &scene->group->devs[i];
	}
	ASSERT_NE(NULL, port);
	ASSERT_TRUE(pci_bound_to(port->bdf, "pcieport"));
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	EXPECT_EQ(-EBUSY, pci_bind(scene->b, "e1000"));
	EXPECT_TRUE(pci_bound_to(port->bdf, "pcieport"));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

TEST_HARNESS_MAIN
