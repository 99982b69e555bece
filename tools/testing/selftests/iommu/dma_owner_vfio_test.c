// SPDX-License-Identifier: GPL-2.0-only
/*
 * A group of devices belongs to the kernel or to userspace, never to both.
 */
#include <pthread.h>

#include <linux/vfio.h>

#include "scene_test.h"

#define CLAIMS			100
#define BINDS			8
#define AGAIN_US		200
#define PAUSE_US		5000

FIXTURE(group)
{
	struct scene scene;
};

SCENE_VARIANTS(group);

FIXTURE_SETUP(group)
{
	setup_scene(&self->scene, variant->topology);
}

FIXTURE_TEARDOWN(group)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* A write to "bind" tells EBUSY, and A's user does not notice. */
TEST_F(group, bind_refused)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_dma_check(&scene->user));
	expect_refused(scene);
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/* Nor does anything come of an offer to all drivers, which tells EBUSY too. */
TEST_F(group, drivers_probe_refused)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_dma_check(&scene->user));
	EXPECT_EQ(drivers_probe_refusal(scene),
		  pci_drivers_probe(scene->b));
	EXPECT_TRUE(pci_bound_to(scene->b, ""));
	EXPECT_EQ(1, refusal_logged(scene, "e1000", scene->b));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/* As libvirt gives a sibling back: it may go to vfio-pci, but not to e1000. */
TEST_F(group, reattach_refused)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(drivers_probe_refusal(scene),
		  pci_drivers_probe(scene->b));
	ASSERT_EQ(0, pci_override(scene->b, "vfio-pci"));
	EXPECT_EQ(0, pci_drivers_probe(scene->b));
	EXPECT_TRUE(pci_bound_to(scene->b, "vfio-pci"));

	ASSERT_EQ(0, pci_override(scene->b, NULL));
	ASSERT_EQ(0, pci_unbind(scene->b));
	EXPECT_EQ(drivers_probe_refusal(scene),
		  pci_drivers_probe(scene->b));
	EXPECT_TRUE(pci_bound_to(scene->b, ""));
	vfio_user_close(&scene->user);
	EXPECT_EQ(0, pci_drivers_probe(scene->b));
	EXPECT_TRUE(pci_bound_to(scene->b, "e1000"));
	EXPECT_EQ(0, pci_drivers_probe(scene->b));
}

/* No driver matches: nothing was refused, whatever was before. */
TEST_F(group, drivers_probe_without_driver_succeeds)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(drivers_probe_refusal(scene),
		  pci_drivers_probe(scene->b));
	ASSERT_EQ(0, pci_override(scene->b, "none"));
	EXPECT_EQ(0, pci_drivers_probe(scene->b));
	EXPECT_TRUE(pci_bound_to(scene->b, ""));
	EXPECT_EQ(0, pci_override(scene->b, NULL));
}

/* Nor of taking B out and finding it again. */
TEST_F(group, driver_refused_after_rescan)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, pci_remove(scene->b));
	ASSERT_FALSE(pci_present(scene->b));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, pci_rescan());
	expect_found_refused(scene);
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/* Once A's user is gone, B binds and exchanges frames. */
TEST_F(group, binds_after_release)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	expect_refused(scene);
	vfio_user_close(&scene->user);
	ASSERT_EQ(0, pci_bind(scene->b, "e1000"));
	EXPECT_EQ(0, netdev_check(scene->b));
}

/* The other way round: while B has its driver, nobody can have A. */
TEST_F(group, claim_refused_while_bound)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;
	__u32 flags;

	ASSERT_EQ(0, pci_bind(scene->b, "e1000"));
	ASSERT_EQ(0, scene_open_group(scene));

	ASSERT_EQ(0, vfio_group_flags(user->group, &flags));
	EXPECT_EQ(0, flags & VFIO_GROUP_FLAGS_VIABLE);
	EXPECT_EQ(-EPERM, vfio_user_set_container(user));
	EXPECT_EQ(1, claim_refusal_logged(scene, scene->b, "e1000"));
	EXPECT_TRUE(pci_bound_to(scene->b, "e1000"));

	ASSERT_EQ(0, pci_unbind(scene->b));
	ASSERT_EQ(0, vfio_group_flags(user->group, &flags));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE, flags & VFIO_GROUP_FLAGS_VIABLE);
	vfio_user_close(user);
	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, vfio_group_flags(user->group, &flags));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET,
		  flags);
}

/* A driver that does no DMA may have B at any time. */
TEST_F(group, pci_stub_binds_while_owned)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, pci_switch(scene->b, "pci-stub"));
	EXPECT_TRUE(pci_bound_to(scene->b, "pci-stub"));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	EXPECT_EQ(0, pci_unbind(scene->b));
	expect_refused(scene);
}

/* So may vfio-pci, for the same user. */
TEST_F(group, vfio_pci_binds_while_owned)
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

/* A device that comes while the group is owned comes into its user's domain. */
TEST_F(group, newcomer_serves_user)
{
	struct scene *scene = &self->scene;
	const struct pci_dev *edu;
	struct vfio_user other;

	edu = find_dev(scene->group, EDU_VENDOR, EDU_DEVICE);
	edu = find_next_dev(scene->group, edu);
	ASSERT_NE(NULL, edu);
	ASSERT_EQ(0, pci_remove(edu->bdf));
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, pci_rescan());
	ASSERT_EQ(0, pci_switch(edu->bdf, "vfio-pci"));
	EXPECT_EQ(scene->group->id, group_of(edu->bdf));
	other = scene->user;
	ASSERT_EQ(0, vfio_user_open_device(&other, edu->bdf));
	EXPECT_EQ(0, edu_dma_check(&other));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	close(other.device);
}

/* The group is owned until the last of its descriptors is closed. */
TEST_F(group, last_descriptor_releases)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;

	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	vfio_user_close_group(user);
	expect_refused(scene);
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	vfio_user_close_device(user);
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
}

/* The same with the group descriptor as the last. */
TEST_F(group, unset_container_releases)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;

	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	EXPECT_EQ(-EBUSY, vfio_unset_container(user->group));
	vfio_user_close_device(user);
	expect_refused(scene);
	EXPECT_EQ(0, vfio_unset_container(user->group));
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
}

/* A reference that KVM took counts as much as a descriptor. */
TEST_F(group, kvm_reference_holds_group)
{
	struct scene *scene = &self->scene;
	int vm;

	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	vm = vfio_hold_by_kvm(scene->user.group);
	ASSERT_LE(0, vm);
	vfio_user_close(&scene->user);
	expect_refused(scene);
	close(vm);
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
}

/* No VFIO device left: there is nothing to own, until A comes back. */
TEST_F(group, claim_refused_without_vfio_device)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;

	if (scene_is_mainline(scene))
		SKIP(return, "an open group has nothing to do with what comes later");
	ASSERT_EQ(0, scene_open_group(scene));
	ASSERT_EQ(0, pci_unbind(scene->a));
	EXPECT_EQ(-ENODEV, vfio_user_set_container(user));
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
	ASSERT_EQ(0, pci_unbind(scene->b));

	ASSERT_EQ(0, pci_switch(scene->a, "vfio-pci"));
	ASSERT_EQ(0, vfio_user_set_container(user));
	ASSERT_EQ(0, vfio_user_start(user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/*
 * Two that want the group: a user, who puts it into a container and takes it
 * out, and a kernel driver, which is bound to B and unbound. Each goes on until
 * both have had it often enough.
 */
struct contest {
	struct scene *scene;
	pthread_t user;
	bool held;
	int claims;
	int binds;
	int refusals;
	int mixtures;
	int error;
};

#define GET(x)			__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define SET(x, value)		__atomic_store_n(&(x), value, __ATOMIC_SEQ_CST)
#define COUNT(x)		__atomic_add_fetch(&(x), 1, __ATOMIC_SEQ_CST)

static bool contest_goes_on(struct contest *contest)
{
	return !GET(contest->error) && (GET(contest->claims) < CLAIMS ||
					GET(contest->binds) < BINDS);
}

/* A driver's link is there only while its claim of the group stands. */
static int contest_claim(struct contest *contest)
{
	struct scene *scene = contest->scene;
	int ret;

	ret = vfio_set_container(scene->user.group, scene->user.container);
	if (ret == -EPERM) {
		COUNT(contest->refusals);
		return usleep(AGAIN_US);
	}
	if (ret)
		return ret;
	SET(contest->held, true);
	if (!pci_bound_to(scene->b, ""))
		COUNT(contest->mixtures);
	SET(contest->held, false);
	COUNT(contest->claims);
	return vfio_unset_container(scene->user.group);
}

/*
 * From the end of the bind to the unbind nobody may hold the group. Leave the
 * user some time: a bind takes long, and a refusal costs a line of the log.
 */
static int contest_bind(struct contest *contest)
{
	struct scene *scene = contest->scene;
	int ret;

	ret = pci_bind(scene->b, "e1000");
	if (!ret) {
		if (GET(contest->held))
			COUNT(contest->mixtures);
		COUNT(contest->binds);
		ret = pci_unbind(scene->b);
	} else if (ret == -EBUSY) {
		COUNT(contest->refusals);
		ret = 0;
	}
	usleep(PAUSE_US);
	return ret;
}

static void *contest_user(void *data)
{
	struct contest *contest = data;
	int ret = 0;

	while (!ret && contest_goes_on(contest))
		ret = contest_claim(contest);
	if (ret)
		SET(contest->error, ret);
	return NULL;
}

static int contest_run(struct contest *contest)
{
	int ret;

	ret = -pthread_create(&contest->user, NULL, contest_user, contest);
	if (ret)
		return ret;
	while (!ret && contest_goes_on(contest))
		ret = contest_bind(contest);
	if (ret)
		SET(contest->error, ret);
	pthread_join(contest->user, NULL);
	return contest->error;
}

/* Whoever comes second is refused, however close they come. */
TEST_F(group, contest_never_mixes)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;
	struct contest contest = { .scene = scene };

	ASSERT_EQ(0, scene_open_group(scene));
	EXPECT_EQ(0, contest_run(&contest));
	EXPECT_EQ(0, contest.mixtures);
	EXPECT_LT(0, contest.refusals);
	vfio_user_close(user);

	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	expect_refused(scene);
	vfio_user_close(user);
	EXPECT_EQ(0, pci_bind(scene->b, "e1000"));
}

/* A group with a card whose driver is a module, which is not loaded. */
FIXTURE(module)
{
	struct scene scene;
	const char *card;
};

SCENE_VARIANTS(module);

FIXTURE_SETUP(module)
{
	const struct pci_dev *card;

	setup_scene(&self->scene, variant->topology);
	card = find_dev(self->scene.group, REALTEK_VENDOR, RTL8139_DEVICE);
	ASSERT_NE(NULL, card);
	self->card = card->bdf;
	ASSERT_EQ(0, pci_autoprobe(true));
	system("modprobe -r 8139cp");
}

FIXTURE_TEARDOWN(module)
{
	EXPECT_EQ(0, pci_autoprobe(true));
	system("modprobe -r 8139cp");
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* Loading a driver does not bind it; loading it again after release does. */
TEST_F(module, modprobe_binds_only_after_release)
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

/*
 * Where a device joins its group when its first driver comes, it may find the
 * group owned: it joins, and its driver has to wait.
 */
TEST_F(module, device_joins_owned_group)
{
	struct scene *scene = &self->scene;

	ASSERT_EQ(0, pci_remove(self->card));
	ASSERT_EQ(0, pci_rescan());
	if (group_of(self->card) >= 0)
		SKIP(return, "devices join their group before they have a driver");
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	ASSERT_EQ(0, edu_dma_check(&scene->user));
	ASSERT_EQ(0, pci_autoprobe(false));
	ASSERT_EQ(0, system("modprobe 8139cp"));
	ASSERT_EQ(-ENOENT, group_of(self->card));

	expect_bind_refused(scene, "8139cp", self->card);
	EXPECT_EQ(scene->group->id, group_of(self->card));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	expect_bind_refused(scene, "8139cp", self->card);
	EXPECT_EQ(0, edu_dma_check(&scene->user));

	vfio_user_close(&scene->user);
	ASSERT_EQ(0, pci_bind(self->card, "8139cp"));
	EXPECT_EQ(0, netdev_check(self->card));
}

/* A group that a PCI Express port is part of. */
FIXTURE(pcieport)
{
	struct scene scene;
};

FIXTURE_SETUP(pcieport)
{
	setup_scene(&self->scene, PCIEPORT);
}

FIXTURE_TEARDOWN(pcieport)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* The port's driver does no DMA for itself, so the group can be owned. */
TEST_F(pcieport, claim_leaves_port_bound)
{
	struct scene *scene = &self->scene;
	const struct pci_dev *port = find_bridge(scene->group);

	ASSERT_NE(NULL, port);
	ASSERT_TRUE(pci_bound_to(port->bdf, "pcieport"));
	ASSERT_EQ(0, vfio_user_open(&scene->user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	expect_refused(scene);
	EXPECT_TRUE(pci_bound_to(port->bdf, "pcieport"));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
}

/* A group that a bridge with a hot-plug controller is part of. */
FIXTURE(bridge)
{
	struct scene scene;
	const char *bridge;
};

FIXTURE_VARIANT(bridge)
{
	enum topology topology;
};

SCENE_VARIANT(bridge, above, ALIASED);
SCENE_VARIANT(bridge, beside, BESIDE);

FIXTURE_SETUP(bridge)
{
	const struct pci_dev *bridge;

	setup_scene(&self->scene, variant->topology);
	bridge = find_bridge(self->scene.group);
	ASSERT_NE(NULL, bridge);
	if (strcmp(bridge->driver, "shpchp"))
		SKIP_CASE("the bridge has no hot-plug controller");
	self->bridge = bridge->bdf;
}

FIXTURE_TEARDOWN(bridge)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/*
 * The controller's driver trusts registers that a user of A could write to, so
 * it is in the way like any other.
 */
TEST_F(bridge, shpchp_and_owner_exclude_each_other)
{
	struct scene *scene = &self->scene;
	struct vfio_user *user = &scene->user;

	ASSERT_EQ(0, pci_bind(self->bridge, "shpchp"));
	EXPECT_EQ(-EPERM, vfio_user_open(user, scene->a));
	EXPECT_EQ(1, claim_refusal_logged(scene, self->bridge, "shpchp"));
	EXPECT_TRUE(pci_bound_to(self->bridge, "shpchp"));

	ASSERT_EQ(0, pci_unbind(self->bridge));
	ASSERT_EQ(0, vfio_user_open(user, scene->a));
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	expect_bind_refused(scene, "shpchp", self->bridge);
	EXPECT_EQ(0, edu_dma_check(&scene->user));
	vfio_user_close(user);
	EXPECT_EQ(0, pci_bind(self->bridge, "shpchp"));
}

TEST_HARNESS_MAIN
