// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cards are plugged into PCI Express slots and removed while their group is
 * free, owned, or just left by a killed owner.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/owner.h"
#include "lib/slots.h"
#include "scene_test.h"

/* A removal that nobody's user delays, on a busy host. */
#define REMOVAL_SECONDS	60
/* Until a removal has reached the driver: the button's 5 seconds, and more. */
#define BEGIN_SECONDS	30

/* Variants of fixtures; both end in a declaration, for their semicolon. */
#define REMOVAL_VARIANT(_fixture, _name, _how)				\
	FIXTURE_VARIANT_ADD(_fixture, _name) { .how = _how };		\
	struct slot

#define CARD_VARIANT(_name, _functions, _how)				\
	FIXTURE_VARIANT_ADD(card, _name) {				\
		.functions = _functions, .how = _how			\
	};								\
	struct slot

#define EDU		"edu,dma_mask=0xffffffffffff"

static const char * const edu_card[] = { EDU, NULL };

static const char * const two_functions[] = {
	EDU, "e1000,netdev=net7,romfile=", NULL
};

static const char * const network_card[] = {
	"e1000e,netdev=net7,romfile=", NULL
};

/* A slot with an "edu" as function 0, which is to be userspace's. */
struct place {
	struct slot slot;
	char a[PCI_BDF_LEN];
	char b[PCI_BDF_LEN];	/* what is function 1, if the card has one */
	int group;
};

/* Plug in a card, and give A to vfio-pci; nothing else has a driver. */
static int place_plug(struct place *place, const char *const *functions)
{
	int ret;

	ret = slot_plug(&place->slot, functions);
	if (ret)
		return ret;
	if (functions[1])
		ret = pci_unbind(place->b);
	if (!ret)
		ret = pci_switch(place->a, "vfio-pci");
	if (ret)
		return ret;
	place->group = group_of(place->a);
	return place->group < 0 ? place->group : 0;
}

/* Find the slot, and see that it is empty. */
static int place_open(struct place *place, int number)
{
	int ret;

	ret = slot_open(&place->slot, number);
	if (ret)
		return ret;
	slot_function(&place->slot, 0, place->a);
	slot_function(&place->slot, 1, place->b);
	return slot_clear(&place->slot);
}

static int place_setup(struct place *place, int number,
		       const char *const *functions)
{
	int ret;

	ret = place_open(place, number);
	return ret ? ret : place_plug(place, functions);
}

/* Does the group say so? A group that is gone has no owner. */
static bool owner_is(int group, const char *owner)
{
	char value[16];
	int ret;

	ret = group_value(group, "dma_owner", value, sizeof(value));
	if (ret == -ENOENT)
		return !strcmp(owner, "none");
	return !ret && !strcmp(value, owner);
}

static bool group_exists(int group)
{
	char value[16];

	return group_value(group, "type", value, sizeof(value)) != -ENOENT;
}

/* Wait until the kernel takes A from its driver; -ETIMEDOUT if it does not. */
static int removal_begins(const char *a)
{
	int ms;

	for (ms = 0; ms < BEGIN_SECONDS * 1000; ms++) {
		if (!pci_bound_to(a, "vfio-pci"))
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* A new user can have the group, and does DMA. */
static int user_works(const char *a)
{
	struct vfio_user user;
	int ret;

	ret = vfio_user_open(&user, a);
	if (ret)
		return ret;
	ret = edu_dma_check(&user);
	vfio_user_close(&user);
	return ret;
}

FIXTURE(card)
{
	struct place place;
	struct vfio_user user;
	const char *a;
};

FIXTURE_VARIANT(card)
{
	const char *const *functions;
	enum removal how;
};

CARD_VARIANT(apart_button, edu_card, BUTTON);
CARD_VARIANT(apart_power, edu_card, POWER);
CARD_VARIANT(apart_surprise, edu_card, SURPRISE);
CARD_VARIANT(functions_power, two_functions, POWER);
CARD_VARIANT(functions_surprise, two_functions, SURPRISE);

FIXTURE_SETUP(card)
{
	struct place *place = &self->place;

	self->user = (struct vfio_user)VFIO_USER_NONE;
	self->a = place->a;
	if (!slot_exists(SLOT_APART))
		SKIP_CASE("no slot");
	ASSERT_EQ(0, place_setup(place, SLOT_APART, variant->functions));
}

FIXTURE_TEARDOWN(card)
{
	vfio_user_close(&self->user);
	EXPECT_EQ(0, slot_clear(&self->place.slot));
	EXPECT_FALSE(pci_present(self->a));
}

/* What is plugged in again serves a new user, in a group that is free. */
TEST_F(card, removed_while_free)
{
	struct place *place = &self->place;

	ASSERT_EQ(0, user_works(self->a));
	ASSERT_EQ(0, slot_remove(&place->slot, variant->how));
	ASSERT_EQ(0, slot_wait_empty(&place->slot, REMOVAL_SECONDS));
	EXPECT_FALSE(pci_present(self->a));
	EXPECT_FALSE(group_exists(place->group));

	ASSERT_EQ(0, place_plug(place, variant->functions));
	EXPECT_TRUE(owner_is(place->group, "none"));
	EXPECT_EQ(0, user_works(self->a));
}

/*
 * The kernel waits for the user, who ends in good order and keeps a group
 * without devices. What is plugged in again has another one.
 */
TEST_F(card, removed_while_owned)
{
	struct place *place = &self->place;
	struct vfio_user *user = &self->user;
	int id = place->group;

	ASSERT_EQ(0, vfio_user_open(user, self->a));
	EXPECT_EQ(0, edu_dma_check(user));
	ASSERT_EQ(0, slot_remove(&place->slot, variant->how));
	ASSERT_EQ(0, removal_begins(self->a));
	if (variant->how != SURPRISE)
		EXPECT_EQ(0, edu_dma_check(user));
	ASSERT_EQ(0, vfio_user_close_device(user));
	EXPECT_TRUE(owner_is(id, "user"));
	EXPECT_TRUE(pci_present(self->a));

	ASSERT_EQ(0, vfio_unset_container(user->group));
	ASSERT_EQ(0, slot_wait_empty(&place->slot, REMOVAL_SECONDS));
	EXPECT_FALSE(pci_present(self->a));
	EXPECT_TRUE(owner_is(id, "none"));
	EXPECT_EQ(-ENODEV, vfio_user_set_container(user));

	ASSERT_EQ(0, place_plug(place, variant->functions));
	EXPECT_NE(id, place->group);
	EXPECT_EQ(0, user_works(self->a));
	EXPECT_EQ(-ENODEV, vfio_user_set_container(user));
	vfio_user_close(user);
	EXPECT_FALSE(group_exists(id));
	EXPECT_EQ(0, user_works(self->a));
}

/*
 * Right after its owner was killed. VFIO resets the card then, and a slot that is
 * being reset does not see that its card is pulled.
 */
TEST_F(card, removed_after_owner_killed)
{
	const char * const devices[] = { self->a, NULL };
	struct place *place = &self->place;
	pid_t owner;

	owner = owner_begin(devices);
	ASSERT_LT(0, owner);
	EXPECT_TRUE(owner_is(place->group, "user"));
	ASSERT_EQ(0, owner_kill(owner));
	if (variant->how == SURPRISE)
		EXPECT_EQ(0, owner_reap(owner, REMOVAL_SECONDS));
	ASSERT_EQ(0, slot_remove(&place->slot, variant->how));
	if (variant->how != SURPRISE)
		EXPECT_EQ(0, owner_reap(owner, REMOVAL_SECONDS));
	ASSERT_EQ(0, slot_wait_empty(&place->slot, REMOVAL_SECONDS));
	EXPECT_TRUE(owner_is(place->group, "none"));

	ASSERT_EQ(0, place_plug(place, variant->functions));
	EXPECT_EQ(0, user_works(self->a));
}

/* Its owner dies while the kernel waits for it. */
TEST_F(card, owner_killed_during_removal)
{
	const char * const devices[] = { self->a, NULL };
	struct place *place = &self->place;
	pid_t owner;

	owner = owner_begin(devices);
	ASSERT_LT(0, owner);
	ASSERT_EQ(0, slot_remove(&place->slot, variant->how));
	ASSERT_EQ(0, removal_begins(self->a));
	EXPECT_TRUE(owner_is(place->group, "user"));
	ASSERT_EQ(0, owner_kill(owner));
	EXPECT_EQ(0, owner_reap(owner, REMOVAL_SECONDS));
	ASSERT_EQ(0, slot_wait_empty(&place->slot, REMOVAL_SECONDS));
	EXPECT_TRUE(owner_is(place->group, "none"));

	ASSERT_EQ(0, place_plug(place, variant->functions));
	EXPECT_EQ(0, user_works(self->a));
}

/* A slot whose cards join a group of other devices; A of these is vfio-pci's. */
FIXTURE(joined)
{
	struct scene scene;
	struct place place;
	const char *card;
};

FIXTURE_VARIANT(joined)
{
	enum removal how;
};

REMOVAL_VARIANT(joined, power, POWER);
REMOVAL_VARIANT(joined, surprise, SURPRISE);

FIXTURE_SETUP(joined)
{
	struct place *place = &self->place;

	if (!slot_exists(SLOT_JOINED) || !scene_exists(PCIEPORT))
		SKIP_CASE("no slot whose port is in a group");
	ASSERT_EQ(0, scene_setup(&self->scene, PCIEPORT));
	ASSERT_EQ(0, place_open(place, SLOT_JOINED));
	self->card = place->a;
}

FIXTURE_TEARDOWN(joined)
{
	EXPECT_EQ(0, scene_teardown(&self->scene));
	EXPECT_EQ(0, slot_clear(&self->place.slot));
}

/*
 * An SMMU translates interrupts as other DMA, so those of a port in an owned
 * group are lost, and its slot is deaf.
 */
static bool hears_while_owned(const struct scene *scene)
{
	return !iommu_is(scene->a, "/smmu");
}

/* A kernel's card finds an owner, and one of the user's serves him. */
TEST_F(joined, plugged_in_while_owned)
{
	struct vfio_user *user = &self->scene.user;
	struct slot *slot = &self->place.slot;
	int id = self->scene.group->id, a;

	if (!hears_while_owned(&self->scene))
		SKIP_CASE("the port hears nothing");
	ASSERT_EQ(0, vfio_user_open(user, self->scene.a));
	a = user->device;
	ASSERT_EQ(0, slot_plug(slot, network_card));
	EXPECT_TRUE(pci_bound_to(self->card, ""));
	EXPECT_EQ(1, refusal_logged(&self->scene, "e1000e", self->card));
	EXPECT_EQ(0, edu_dma_check(user));
	ASSERT_EQ(0, slot_remove(slot, variant->how));
	ASSERT_EQ(0, slot_wait_empty(slot, REMOVAL_SECONDS));
	EXPECT_EQ(0, edu_dma_check(user));

	ASSERT_EQ(0, place_plug(&self->place, edu_card));
	EXPECT_EQ(id, self->place.group);
	ASSERT_EQ(0, vfio_user_open_device(user, self->card));
	EXPECT_EQ(0, edu_dma_check(user));
	ASSERT_EQ(0, slot_remove(slot, variant->how));
	ASSERT_EQ(0, removal_begins(self->card));
	EXPECT_TRUE(pci_present(self->card));
	EXPECT_EQ(0, close(user->device));
	user->device = a;
	ASSERT_EQ(0, slot_wait_empty(slot, REMOVAL_SECONDS));
	EXPECT_TRUE(owner_is(id, "user"));
	EXPECT_EQ(0, edu_dma_check(user));
}

/* The claim of a kernel's card goes with it, and comes with it. */
TEST_F(joined, removed_in_kernel_use)
{
	struct vfio_user *user = &self->scene.user;
	struct slot *slot = &self->place.slot;
	int id = self->scene.group->id;

	ASSERT_EQ(0, slot_plug(slot, network_card));
	EXPECT_EQ(id, group_of(self->card));
	EXPECT_TRUE(pci_bound_to(self->card, "e1000e"));
	EXPECT_TRUE(owner_is(id, "kernel"));
	EXPECT_EQ(-EPERM, vfio_user_open(user, self->scene.a));
	ASSERT_EQ(0, slot_remove(slot, variant->how));
	ASSERT_EQ(0, slot_wait_empty(slot, REMOVAL_SECONDS));
	EXPECT_TRUE(owner_is(id, "none"));
	EXPECT_EQ(0, user_works(self->scene.a));

	ASSERT_EQ(0, slot_plug(slot, network_card));
	EXPECT_EQ(0, netdev_check(self->card));
}

/* The owner has more than the card, and dies. */
TEST_F(joined, owner_killed_during_removal)
{
	const char * const devices[] = { self->scene.a, self->card, NULL };
	struct slot *slot = &self->place.slot;
	int id = self->scene.group->id;
	pid_t owner;

	if (!hears_while_owned(&self->scene))
		SKIP_CASE("the port hears nothing");
	ASSERT_EQ(0, place_plug(&self->place, edu_card));
	owner = owner_begin(devices);
	ASSERT_LT(0, owner);
	ASSERT_EQ(0, slot_remove(slot, variant->how));
	ASSERT_EQ(0, removal_begins(self->card));
	ASSERT_EQ(0, owner_kill(owner));
	EXPECT_EQ(0, owner_reap(owner, REMOVAL_SECONDS));
	ASSERT_EQ(0, slot_wait_empty(slot, REMOVAL_SECONDS));
	EXPECT_TRUE(owner_is(id, "none"));
	EXPECT_EQ(0, user_works(self->scene.a));
}

FIXTURE(network)
{
	struct slot slot;
	char bdf[PCI_BDF_LEN];
};

FIXTURE_VARIANT(network)
{
	enum removal how;
};

REMOVAL_VARIANT(network, button, BUTTON);
REMOVAL_VARIANT(network, power, POWER);
REMOVAL_VARIANT(network, surprise, SURPRISE);

FIXTURE_SETUP(network)
{
	if (!slot_exists(SLOT_APART))
		SKIP_CASE("no slot");
	ASSERT_EQ(0, slot_open(&self->slot, SLOT_APART));
	slot_function(&self->slot, 0, self->bdf);
	ASSERT_EQ(0, slot_clear(&self->slot));
	ASSERT_EQ(0, slot_plug(&self->slot, network_card));
}

FIXTURE_TEARDOWN(network)
{
	EXPECT_EQ(0, slot_clear(&self->slot));
}

/* A card of the kernel goes, with its claim, and works when it is back. */
TEST_F(network, removed_in_kernel_use)
{
	int id;

	ASSERT_TRUE(pci_bound_to(self->bdf, "e1000e"));
	EXPECT_EQ(0, netdev_check(self->bdf));
	id = group_of(self->bdf);
	ASSERT_LE(0, id);
	EXPECT_TRUE(owner_is(id, "kernel"));
	ASSERT_EQ(0, slot_remove(&self->slot, variant->how));
	ASSERT_EQ(0, slot_wait_empty(&self->slot, REMOVAL_SECONDS));
	EXPECT_FALSE(pci_present(self->bdf));
	EXPECT_TRUE(owner_is(id, "none"));

	ASSERT_EQ(0, slot_plug(&self->slot, network_card));
	ASSERT_TRUE(pci_bound_to(self->bdf, "e1000e"));
	EXPECT_TRUE(owner_is(group_of(self->bdf), "kernel"));
	EXPECT_EQ(0, netdev_check(self->bdf));
}

FIXTURE(pair)
{
	struct place held;
	struct place next;
};

FIXTURE_VARIANT(pair)
{
	bool held_first;
};

FIXTURE_VARIANT_ADD(pair, held_opened_first)
{
	.held_first = true,
};

FIXTURE_VARIANT_ADD(pair, held_opened_last)
{
	.held_first = false,
};

FIXTURE_SETUP(pair)
{
	if (!slot_exists(SLOT_APART) || !slot_exists(SLOT_OTHER))
		SKIP_CASE("no two slots");
	ASSERT_EQ(0, place_setup(&self->held, SLOT_APART, edu_card));
	ASSERT_EQ(0, place_setup(&self->next, SLOT_OTHER, edu_card));
}

FIXTURE_TEARDOWN(pair)
{
	EXPECT_EQ(0, slot_clear(&self->held.slot));
	EXPECT_EQ(0, slot_clear(&self->next.slot));
}

/*
 * The removal of one card waits for the user, and that of the other one for
 * the first. The user ends, and VFIO resets each card that it closes.
 */
TEST_F(pair, owner_of_both_killed_during_removal)
{
	bool held_first = variant->held_first;
	const char * const devices[] = {
		held_first ? self->held.a : self->next.a,
		held_first ? self->next.a : self->held.a,
		NULL
	};
	pid_t owner;

	owner = owner_begin(devices);
	ASSERT_LT(0, owner);
	ASSERT_EQ(0, slot_remove(&self->held.slot, POWER));
	ASSERT_EQ(0, removal_begins(self->held.a));
	ASSERT_EQ(0, slot_remove(&self->next.slot, POWER));
	/* It shows nothing of itself until it can go on. */
	sleep(1);
	EXPECT_TRUE(pci_bound_to(self->next.a, "vfio-pci"));

	ASSERT_EQ(0, owner_kill(owner));
	ASSERT_EQ(0, owner_reap(owner, REMOVAL_SECONDS));
	EXPECT_EQ(0, slot_wait_empty(&self->held.slot, REMOVAL_SECONDS));
	EXPECT_EQ(0, slot_wait_empty(&self->next.slot, REMOVAL_SECONDS));
}

TEST_HARNESS_MAIN
