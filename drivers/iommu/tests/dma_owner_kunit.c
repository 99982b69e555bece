// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the DMA ownership of IOMMU groups
 *
 * The IOMMU core and the driver core under test are the real ones, on the
 * mock IOMMU of mock_iommu.h. group_fixture.h tells what each test begins and ends
 * with.
 *
 * Attaches can be made to fail, but nothing here provokes a warning, so that
 * the suite runs with panic_on_warn.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kmsg_dump.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../iommu-group.h"
#include "group_fixture.h"
#include "mock_iommu.h"

/* Cookie of another owner than Alice */
static int bob;

static void expect_owned_by(struct kunit *test, void *owner)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, f->group->owner, owner);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	KUNIT_EXPECT_TRUE(test, f->group->domain != f->group->default_domain);
	KUNIT_EXPECT_TRUE(test, iommu_group_dma_owner_claimed(f->group));
}

/* Claims by hand */

static void dma_owner_test_owner_waits_for_all_devices(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	KUNIT_EXPECT_EQ(test, use(f, 1), 0);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 2U);
	KUNIT_EXPECT_TRUE(test, iommu_group_dma_owner_claimed(f->group));
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	unuse(f, 0);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	expect_all_on(test, f->group->default_domain);
	unuse(f, 1);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	expect_owned_by(test, &alice);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

static void dma_owner_test_kernel_waits_for_owner(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, use(f, 0), -EBUSY);
	expect_owned_by(test, &alice);
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	unuse(f, 0);
	expect_free(test);
}

static void dma_owner_test_one_owner_only(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &bob),
			-EPERM);
	expect_owned_by(test, &alice);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

static void dma_owner_test_bad_claims(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, NULL),
			-EINVAL);
	expect_free(test);

	del_all_devices(f);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-ENODEV);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 0U);
}

static void dma_owner_test_use_is_idempotent(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	unuse(f, 0);
	expect_free(test);
}

static void dma_owner_test_stray_unuse_spares_owner(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	unuse(f, 0);
	expect_owned_by(test, &alice);
	KUNIT_EXPECT_EQ(test, use(f, 0), -EBUSY);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

static void dma_owner_test_double_unuse_spares_others(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	KUNIT_EXPECT_EQ(test, use(f, 1), 0);
	unuse(f, 0);
	unuse(f, 0);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	unuse(f, 1);
	expect_free(test);
}

static void dma_owner_test_claim_leaves_with_device(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	KUNIT_EXPECT_EQ(test, use(f, 1), 0);
	del_device(f, 1);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	unuse(f, 0);
	expect_free(test);
}

/* Domains */

static void dma_owner_test_domains_of_an_owner(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	expect_all_on(test, f->group->blocking_domain);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	expect_all_on(test, domain);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), -EBUSY);

	iommu_detach_group(domain, f->group);
	expect_all_on(test, f->group->blocking_domain);
	iommu_domain_free(domain);
	expect_owned_by(test, &alice);

	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

static void dma_owner_test_release_detaches(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	iommu_group_release_dma_owner(f->group);
	expect_all_on(test, f->group->default_domain);
	iommu_domain_free(domain);
	expect_free(test);
}

static void dma_owner_test_retired_owner_detaches_once(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	iommu_group_retire_dma_owner(f->group);
	expect_all_on(test, domain);

	mock_iommu.attaches = 0;
	iommu_detach_group(domain, f->group);
	expect_all_on(test, f->group->default_domain);
	iommu_domain_free(domain);
	KUNIT_EXPECT_PTR_EQ(test, f->group->owner, (void *)&alice);
	KUNIT_EXPECT_EQ(test, iommu_device_use_dma_api(&f->dev[0]->dev),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &bob), -EPERM);

	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, (unsigned int)NR_DEVICES);
	expect_free(test);
}

/* The group stays cut off until the release. */
static void dma_owner_test_retired_owner_without_domain(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	iommu_group_retire_dma_owner(f->group);
	expect_all_on(test, f->group->blocking_domain);
	expect_owned_by(test, &alice);

	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

/* Nobody detaches it, as when the user's domain is gone already. */
static void dma_owner_test_retired_owner_does_not_detach(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	iommu_group_retire_dma_owner(f->group);
	iommu_group_release_dma_owner(f->group);
	expect_all_on(test, f->group->default_domain);
	iommu_domain_free(domain);
	expect_free(test);
}

/* Alice claims the group, and has the domain that its devices are on then. */
static struct iommu_domain *claim_and_take(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	return iommu_group_take_blocking_domain(f->group);
}

/* All that an owner does with a domain, and no device is attached before it leaves. */
static void dma_owner_test_take_blocking_domain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mock_iommu.attaches = 0;
	domain = iommu_group_take_blocking_domain(f->group);
	expect_all_on(test, domain);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, f->group->blocking_domain);
	KUNIT_EXPECT_PTR_NE(test, f->group->blocking_domain, domain);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, 0U);

	iommu_detach_group(domain, f->group);
	expect_all_on(test, f->group->blocking_domain);
	iommu_domain_free(domain);
	expect_owned_by(test, &alice);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

/* As VFIO does: two attaches for each device, from the claim to the release. */
static void dma_owner_test_retired_owner_took_domain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain;

	mock_iommu.attaches = 0;
	domain = claim_and_take(test);
	iommu_group_retire_dma_owner(f->group);
	expect_all_on(test, domain);
	iommu_detach_group(domain, f->group);
	expect_all_on(test, f->group->default_domain);
	iommu_domain_free(domain);
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, 2U * NR_DEVICES);
	expect_free(test);
}

static void dma_owner_test_release_detaches_taken_domain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain;

	domain = claim_and_take(test);
	iommu_group_release_dma_owner(f->group);
	expect_all_on(test, f->group->default_domain);
	iommu_domain_free(domain);
	expect_free(test);
}

/* The domain that comes after one is as good as the first. */
static void dma_owner_test_take_twice(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain, *next;

	domain = claim_and_take(test);
	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(f->group));
	expect_all_on(test, domain);
	iommu_detach_group(domain, f->group);
	iommu_domain_free(domain);

	next = iommu_group_take_blocking_domain(f->group);
	expect_all_on(test, next);
	iommu_detach_group(next, f->group);
	iommu_domain_free(next);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

/* Without a way back there is no domain to take, but there still is a way. */
static void dma_owner_test_take_without_memory(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_alloc = true;
	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(f->group));
	mock_iommu.fail_alloc = false;
	expect_all_on(test, f->group->blocking_domain);

	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	iommu_detach_group(domain, f->group);
	expect_all_on(test, f->group->blocking_domain);
	iommu_domain_free(domain);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

/* Who is no owner, or has a domain, or had its last one, gets none. */
static void dma_owner_test_nothing_to_take(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(f->group));
	expect_all_on(test, f->group->default_domain);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(f->group));
	expect_all_on(test, domain);

	iommu_group_retire_dma_owner(f->group);
	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(f->group));
	iommu_detach_group(domain, f->group);
	iommu_domain_free(domain);
	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(f->group));
	expect_all_on(test, f->group->default_domain);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

/* A device that is on none has to be attached, so no domain that is "there" will do. */
static void dma_owner_test_take_with_stranded_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	mock_iommu.fail_attach = 2;
	iommu_detach_group(domain, f->group);
	KUNIT_EXPECT_FALSE(test, f->dev[1]->attached);
	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(f->group));

	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	expect_all_on(test, domain);
	iommu_group_release_dma_owner(f->group);
	iommu_domain_free(domain);
	expect_free(test);
}

static void dma_owner_test_join_taken_domain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain;
	struct mock_device *mdev;

	domain = claim_and_take(test);
	mdev = mock_device_add(test, f->group);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, domain);
	iommu_detach_group(domain, f->group);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, f->group->blocking_domain);
	iommu_domain_free(domain);

	iommu_group_release_dma_owner(f->group);
	mock_device_del(mdev);
	expect_free(test);
}

/* There is no bus whose domains the group could be on. */
static void dma_owner_test_take_in_empty_group(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	del_all_devices(f);
	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(f->group));
	iommu_group_release_dma_owner(f->group);
}

static void expect_arriving(struct kunit *test, void *owner)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, f->group->owner, owner);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	KUNIT_EXPECT_FALSE(test, f->group->blocking_domain);
	expect_all_on(test, f->group->default_domain);
}

/* The group is Alice's from the claim on, and attached once. */
static void dma_owner_test_arriving_owner_attaches_once(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	mock_iommu.attaches = 0;
	KUNIT_EXPECT_EQ(test, iommu_group_set_arriving_dma_owner(f->group, &alice), 0);
	expect_arriving(test, &alice);
	KUNIT_EXPECT_EQ(test, use(f, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &bob), -EPERM);
	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(f->group));

	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, (unsigned int)NR_DEVICES);
	expect_all_on(test, domain);
	iommu_detach_group(domain, f->group);
	expect_all_on(test, f->group->blocking_domain);
	expect_owned_by(test, &alice);
	iommu_domain_free(domain);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

static void dma_owner_test_arriving_owner_turns_back(struct kunit *test)
{
	struct fixture *f = test->priv;

	mock_iommu.attaches = 0;
	KUNIT_EXPECT_EQ(test, iommu_group_set_arriving_dma_owner(f->group, &alice), 0);
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, 0U);
	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	unuse(f, 0);
	expect_free(test);
}

static void dma_owner_test_arriving_owner_fails_to_attach(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	int i;

	KUNIT_EXPECT_EQ(test, iommu_group_set_arriving_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_alloc = true;
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), -ENOMEM);
	mock_iommu.fail_alloc = false;
	expect_arriving(test, &alice);

	mock_iommu.fail_detached = true;
	for (i = 1; i <= NR_DEVICES; i++) {
		mock_iommu.fail_attach = i;
		KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), -EIO);
		expect_arriving(test, &alice);
	}

	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	expect_all_on(test, domain);
	iommu_group_release_dma_owner(f->group);
	iommu_domain_free(domain);
	expect_free(test);
}

/* Nothing is logged of a driver that refuses a domain, for there may be others. */
static void dma_owner_test_arriving_owner_needs_direct_mapping(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, iommu_group_set_arriving_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_attach = 1;
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), -EIO);
	KUNIT_EXPECT_EQ(test, log_lines(log, "claim refused: "), 0);

	f->dev[1]->needs_direct_map = true;
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), -EPERM);
	KUNIT_EXPECT_EQ(test, log_lines(log, "needs a direct mapping"), 1);
	expect_arriving(test, &alice);
	iommu_group_release_dma_owner(f->group);
	iommu_domain_free(domain);
}

/* Its DMA ops may have been set up while the group left the default domain. */
static void dma_owner_test_join_arriving_owner(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct mock_device *mdev;

	KUNIT_EXPECT_EQ(test, iommu_group_set_arriving_dma_owner(f->group, &alice), 0);
	mdev = mock_device_add(test, f->group);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, f->group->default_domain);
	KUNIT_EXPECT_EQ(test, mdev->finalized, 1U);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, domain);
	iommu_detach_group(domain, f->group);
	iommu_domain_free(domain);
	iommu_group_release_dma_owner(f->group);

	KUNIT_EXPECT_EQ(test, iommu_device_use_dma_api(&mdev->dev), 0);
	KUNIT_EXPECT_EQ(test, mdev->finalized, 2U);
	iommu_device_unuse_dma_api(&mdev->dev);
	mock_device_del(mdev);
	expect_free(test);
}

/* A domain that is kept for a stranded device is where the group goes at once. */
static void dma_owner_test_arriving_owner_of_stranded_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	mock_iommu_ops.detach_dev = NULL;
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_attach = 2;
	iommu_group_release_dma_owner(f->group);

	KUNIT_EXPECT_EQ(test, iommu_group_set_arriving_dma_owner(f->group, &alice), 0);
	expect_all_on(test, f->group->blocking_domain);
	expect_owned_by(test, &alice);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	expect_all_on(test, domain);
	iommu_group_release_dma_owner(f->group);
	iommu_domain_free(domain);
	expect_free(test);
}

static void dma_owner_test_arriving_owner_is_refused(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_arriving_dma_owner(f->group, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	KUNIT_EXPECT_EQ(test, iommu_group_set_arriving_dma_owner(f->group, &alice), -EPERM);
	unuse(f, 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	KUNIT_EXPECT_EQ(test, iommu_group_set_arriving_dma_owner(f->group, &alice), -EBUSY);
	iommu_detach_group(domain, f->group);
	iommu_domain_free(domain);
	expect_free(test);
}

static void dma_owner_test_failed_claim_rolls_back(struct kunit *test)
{
	struct fixture *f = test->priv;
	int i;

	mock_iommu.fail_detached = true;
	for (i = 1; i <= NR_DEVICES; i++) {
		mock_iommu.fail_attach = i;
		KUNIT_EXPECT_EQ(test,
				iommu_group_set_dma_owner(f->group, &alice),
				-EIO);
		KUNIT_EXPECT_EQ(test, mock_iommu.fail_attach, 0U);
		expect_free(test);
	}
}

static void dma_owner_test_failed_attach_rolls_back(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	int i;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_detached = true;
	for (i = 1; i <= NR_DEVICES; i++) {
		mock_iommu.fail_attach = i;
		KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group),
				-EIO);
		expect_all_on(test, f->group->blocking_domain);
	}
	expect_owned_by(test, &alice);

	iommu_domain_free(domain);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

static void dma_owner_test_failed_detach_cuts_off(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	mock_iommu.fail_attach = 2;
	iommu_detach_group(domain, f->group);
	KUNIT_EXPECT_FALSE(test, f->dev[1]->attached);
	iommu_domain_free(domain);

	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

/* IOMMUs have few contexts: an owner's is not kept when it is gone. */
static void dma_owner_test_blocking_domain_is_freed(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int domains = mock_iommu.domains;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_iommu.domains, domains + 1);
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_EQ(test, mock_iommu.domains, domains);

	mock_iommu.fail_attach = 2;
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EIO);
	KUNIT_EXPECT_EQ(test, mock_iommu.domains, domains);
	expect_free(test);
}

/* A device that cannot be detached must not find its domain freed. */
static void dma_owner_test_stranded_without_detach(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kmsg_dumper log = log_end();

	mock_iommu_ops.detach_dev = NULL;
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_attach = 2;
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_PTR_EQ(test, f->dev[1]->attached,
			    f->group->blocking_domain);
	KUNIT_EXPECT_EQ(test, log_lines(log, ", nor cut off from its old one"),
			1);

	KUNIT_EXPECT_EQ(test, use(f, 1), 0);
	KUNIT_EXPECT_FALSE(test, f->group->blocking_domain);
	unuse(f, 1);
	expect_free(test);
}

/* The domain that is kept for a stranded device goes with the group at the latest. */
static void dma_owner_test_stranded_device_is_removed(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_attach = 2;
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_FALSE(test, f->dev[1]->attached);
	KUNIT_EXPECT_TRUE(test, f->group->blocking_domain);

	/* The end of each test looks for domains that are left. */
	del_all_devices(f);
}

static void dma_owner_test_failed_release_recovers(struct kunit *test)
{
	struct fixture *f = test->priv;
	int i;

	for (i = 0; i < NR_DEVICES; i++) {
		KUNIT_EXPECT_EQ(test,
				iommu_group_set_dma_owner(f->group, &alice), 0);
		mock_iommu.fail_attach = i + 1;
		iommu_group_release_dma_owner(f->group);
		KUNIT_EXPECT_FALSE(test,
				   iommu_group_dma_owner_claimed(f->group));
		KUNIT_EXPECT_FALSE(test, f->dev[i]->attached);

		/* It still fails: no kernel driver. */
		mock_iommu.fail_attach = 1;
		KUNIT_EXPECT_EQ(test, use(f, i), -EIO);
		KUNIT_EXPECT_FALSE(test,
				   iommu_group_dma_owner_claimed(f->group));

		KUNIT_EXPECT_EQ(test, use(f, i), 0);
		expect_all_on(test, f->group->default_domain);
		unuse(f, i);
		expect_free(test);
	}
}

static void dma_owner_test_no_blocking_domain(struct kunit *test)
{
	struct fixture *f = test->priv;

	mock_iommu.fail_alloc = true;
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-ENOMEM);
	KUNIT_EXPECT_FALSE(test, iommu_group_dma_owner_claimed(f->group));
	mock_iommu.fail_alloc = false;
	expect_free(test);
}

static void dma_owner_test_direct_mapping_refuses(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->dev[1]->needs_direct_map = true;
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	KUNIT_EXPECT_FALSE(test, iommu_group_dma_owner_claimed(f->group));
	expect_all_on(test, f->group->default_domain);
}

static void dma_owner_test_private_domain_of_a_driver(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	f->dev[0]->private_probe = domain;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver), 1);
	expect_all_on(test, domain);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_kernel_driver), 1);
	mock_unbind(f->dev[1]);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	mock_unbind(f->dev[0]);
	iommu_domain_free(domain);
	expect_free(test);
}

/* A device that joins meanwhile gets its DMA ops when the group is back. */
static void dma_owner_test_join_private_domain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct mock_device *mdev;

	f->dev[0]->private_probe = domain;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver), 1);
	mdev = mock_device_add(test, f->group);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, domain);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);
	KUNIT_EXPECT_EQ(test, mdev->finalized, 0U);
	mock_unbind(mdev);
	mock_unbind(f->dev[0]);

	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);
	KUNIT_EXPECT_EQ(test, mdev->finalized, 1U);
	mock_unbind(mdev);
	mock_device_del(mdev);
	iommu_domain_free(domain);
	expect_free(test);
}

static void dma_owner_test_foreign_domain_refuses(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EBUSY);
	expect_all_on(test, domain);
	iommu_detach_group(domain, f->group);
	iommu_domain_free(domain);
	expect_free(test);
}

static void dma_owner_test_group_without_iommu(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = mock_device_alloc(test);
	struct iommu_group *group = iommu_group_alloc();
	struct device *late = root_device_register("dma_owner");
	unsigned int attaches = mock_iommu.attaches;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, group);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, late);
	mock_device_register(test, mdev);
	KUNIT_ASSERT_EQ(test, iommu_group_add_device(group, &mdev->dev), 0);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_device_use_dma_api(&mdev->dev), -EBUSY);
	KUNIT_EXPECT_FALSE(test, iommu_group_take_blocking_domain(group));
	KUNIT_EXPECT_FALSE(test, group->blocking_domain);
	KUNIT_ASSERT_EQ(test, iommu_group_add_device(group, late), 0);
	iommu_group_release_dma_owner(group);
	KUNIT_EXPECT_EQ(test, iommu_device_use_dma_api(&mdev->dev), 0);
	KUNIT_EXPECT_EQ(test, iommu_device_use_dma_api(late), 0);
	iommu_device_unuse_dma_api(&mdev->dev);
	iommu_device_unuse_dma_api(late);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, attaches);

	iommu_group_remove_device(&mdev->dev);
	iommu_group_remove_device(late);
	iommu_group_put(group);
	mock_device_del(mdev);
	root_device_unregister(late);
	expect_all_on(test, f->group->default_domain);
}

static void dma_owner_test_no_default_domain(struct kunit *test)
{
	struct iommu_group *group = iommu_group_alloc();
	struct iommu_domain *domain = alloc_domain(test);
	struct mock_device *a, *b;
	unsigned int attaches, detaches;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, group);
	mock_iommu.no_default_domains = true;
	a = mock_device_add(test, group);
	b = mock_device_add(test, group);
	KUNIT_EXPECT_FALSE(test, group->default_domain);
	attaches = mock_iommu.attaches;
	detaches = mock_iommu.detaches;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, attaches);
	mock_iommu.fail_attach = 2;
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, group), -EIO);
	KUNIT_EXPECT_FALSE(test, a->attached);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, group), 0);
	KUNIT_EXPECT_PTR_EQ(test, b->attached, domain);
	iommu_detach_group(domain, group);
	iommu_group_release_dma_owner(group);
	KUNIT_EXPECT_FALSE(test, group->domain);
	/* One of the four attaches failed. */
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches - attaches, 4U);
	KUNIT_EXPECT_EQ(test, mock_iommu.detaches - detaches, 3U);

	iommu_domain_free(domain);
	mock_device_del(a);
	mock_device_del(b);
	iommu_group_put(group);
	mock_iommu.no_default_domains = false;
}

/* A group that could not be given a default domain does not get one later. */
static void dma_owner_test_no_default_domain_yet(struct kunit *test)
{
	struct iommu_group *group = iommu_group_alloc();
	struct iommu_domain *domain = alloc_domain(test);
	struct mock_device *a, *b;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, group);
	mock_iommu.fail_alloc = true;
	a = mock_device_add(test, group);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(group, &alice), 0);
	mock_iommu.fail_alloc = false;
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, group), 0);

	b = mock_device_add(test, group);
	KUNIT_EXPECT_FALSE(test, group->default_domain);
	KUNIT_EXPECT_PTR_EQ(test, b->attached, domain);
	iommu_detach_group(domain, group);
	KUNIT_EXPECT_FALSE(test, a->attached);
	KUNIT_EXPECT_FALSE(test, b->attached);
	iommu_group_release_dma_owner(group);

	iommu_domain_free(domain);
	mock_device_del(a);
	mock_device_del(b);
	iommu_group_put(group);
}

static void dma_owner_test_driver_detaches_what_it_releases(struct kunit *test)
{
	struct iommu_group *group = iommu_group_alloc();
	struct iommu_domain *domain = alloc_domain(test);
	struct mock_device *mdev;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, group);
	mock_iommu.no_default_domains = true;
	mdev = mock_device_add(test, group);
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, &mdev->dev), 0);
	mock_device_del(mdev);
	KUNIT_EXPECT_EQ(test, mock_iommu.detaches, 1U);
	KUNIT_EXPECT_FALSE(test, group->domain);

	iommu_domain_free(domain);
	iommu_group_put(group);
	mock_iommu.no_default_domains = false;
}

/* Devices that come and go */

static void dma_owner_test_join_owned_group(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	unsigned int finalized;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	del_device(f, 1);
	f->dev[1] = mock_device_add(test, f->group);
	expect_all_on(test, domain);
	KUNIT_EXPECT_EQ(test, f->dev[1]->finalized, 0U);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_kernel_driver),
			-EBUSY);

	iommu_detach_group(domain, f->group);
	iommu_domain_free(domain);
	iommu_group_release_dma_owner(f->group);
	expect_all_on(test, f->group->default_domain);

	/* Its DMA ops are set up once, before its first driver probes. */
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_kernel_driver), 1);
	finalized = f->dev[1]->finalized;
	mock_unbind(f->dev[1]);
	KUNIT_EXPECT_EQ(test, finalized, 1U);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_kernel_driver), 1);
	mock_unbind(f->dev[1]);
	KUNIT_EXPECT_EQ(test, f->dev[1]->finalized, 1U);
	expect_free(test);
}

/* The device had joined a free group, but its DMA ops came too late. */
static void dma_owner_test_claim_before_dma_ops(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = mock_device_alloc(test);

	mdev->group = f->group;
	mdev->claimed_meanwhile = &alice;
	mock_device_register(test, mdev);
	expect_owned_by(test, &alice);
	KUNIT_EXPECT_EQ(test, mdev->finalized, 0U);

	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);
	KUNIT_EXPECT_EQ(test, mdev->finalized, 1U);
	mock_unbind(mdev);
	mock_device_del(mdev);
	expect_free(test);
}

static void dma_owner_test_leave_owned_group(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	del_device(f, 1);
	expect_owned_by(test, &alice);
	del_all_devices(f);
	expect_owned_by(test, &alice);

	iommu_detach_group(domain, f->group);
	iommu_domain_free(domain);
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_FALSE(test, iommu_group_dma_owner_claimed(f->group));

	f->dev[0] = mock_device_add(test, f->group);
	expect_free(test);
}

static void dma_owner_test_late_group(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = mock_device_alloc(test);

	mock_device_register(test, mdev);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);

	mdev->group = f->group;
	KUNIT_EXPECT_EQ(test, iommu_probe_device(&mdev->dev), 0);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	mock_unbind(mdev);
	expect_free(test);
	mock_device_del(mdev);
}

static void dma_owner_test_late_group_is_owned(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = mock_device_alloc(test);
	struct kmsg_dumper log;

	mock_device_register(test, mdev);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mdev->group = f->group;
	log = log_end();
	KUNIT_EXPECT_EQ(test, iommu_probe_device(&mdev->dev), -EBUSY);
	KUNIT_EXPECT_EQ(test, log_lines(log, "%s: isolation is broken: bound to mock_kernel",
					dev_name(&mdev->dev)), 1);
	KUNIT_EXPECT_FALSE(test, mdev->dev.iommu_group);
	expect_owned_by(test, &alice);

	/* Its driver goes on, but there is no next one. */
	mock_unbind(mdev);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, f->group->blocking_domain);
	mock_device_del(mdev);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

/* A device that brings a claim and cannot be attached takes it along again. */
static void dma_owner_test_late_group_fails_to_attach(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = mock_device_alloc(test);

	mock_device_register(test, mdev);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);

	mdev->group = f->group;
	mock_iommu.fail_attach = 1;
	KUNIT_EXPECT_EQ(test, iommu_probe_device(&mdev->dev), -EIO);
	KUNIT_EXPECT_FALSE(test, mdev->dev.iommu_group);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 0U);

	mock_unbind(mdev);
	mock_device_del(mdev);
	expect_free(test);
}

/* Claims by the driver core */

static void dma_owner_test_bind(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver), 1);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	mock_unbind(f->dev[0]);
	expect_free(test);
}

#ifdef CONFIG_DEBUG_TEST_DRIVER_REMOVE
static void dma_owner_test_bind_probes_twice(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_reprobed_driver), 1);
	KUNIT_EXPECT_EQ(test, f->dev[0]->probes, 2U);
	KUNIT_EXPECT_EQ(test, f->dev[0]->removes, 1U);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	mock_unbind(f->dev[0]);
	expect_free(test);
}
#endif

static void dma_owner_test_bind_refused(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver),
			-EBUSY);
	KUNIT_EXPECT_FALSE(test, f->dev[0]->dev.driver);
	KUNIT_EXPECT_EQ(test, f->dev[0]->probes, 0U);
	KUNIT_EXPECT_EQ(test, f->dev[0]->removes, 0U);
	KUNIT_EXPECT_EQ(test, f->dev[0]->not_bound, 0U);
	expect_owned_by(test, &alice);

	/* Where other drivers may match, a refusal must not end the search. */
	KUNIT_EXPECT_EQ(test, device_attach(&f->dev[0]->dev), 0);
	KUNIT_EXPECT_EQ(test, f->dev[0]->probes, 0U);

	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

/* Whoever asks for a driver of one device learns that it was refused. */
static void dma_owner_test_drivers_probe_refused(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = f->dev[0];

	mdev->driver = &mock_kernel_driver;
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_drivers_probe(mdev), -EBUSY);
	KUNIT_EXPECT_EQ(test, mdev->probes, 0U);

	/* Not if a driver that comes later is bound; but if that one fails */
	mdev->second = &mock_managed_driver;
	mdev->probe_ret = -ENODEV;
	KUNIT_EXPECT_EQ(test, mock_drivers_probe(mdev), -EBUSY);
	KUNIT_EXPECT_EQ(test, mdev->probes, 1U);
	mdev->probe_ret = 0;
	KUNIT_EXPECT_EQ(test, mock_drivers_probe(mdev), 1);
	mock_unbind(mdev);

	/* Nor of an earlier refusal */
	mdev->driver = NULL;
	mdev->second = NULL;
	KUNIT_EXPECT_EQ(test, mock_drivers_probe(mdev), 0);
	iommu_group_release_dma_owner(f->group);
	mdev->driver = &mock_kernel_driver;
	mdev->probe_ret = -EIO;
	KUNIT_EXPECT_EQ(test, mock_drivers_probe(mdev), 0);
	expect_free(test);
}

/* device_bind_driver() probes nothing, but the driver does DMA all the same. */
static void dma_owner_test_bind_by_hand(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_bind_by_hand(f->dev[0], &mock_kernel_driver),
			-EBUSY);
	expect_owned_by(test, &alice);
	iommu_group_release_dma_owner(f->group);

	KUNIT_EXPECT_EQ(test, mock_bind_by_hand(f->dev[0], &mock_kernel_driver),
			0);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	mock_unbind(f->dev[0]);
	expect_free(test);
}

static void dma_owner_test_bind_managed(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_managed_driver), 1);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_managed_driver), 1);
	mock_unbind(f->dev[0]);
	mock_unbind(f->dev[1]);
	expect_owned_by(test, &alice);
	iommu_group_release_dma_owner(f->group);
	expect_free(test);
}

static void dma_owner_test_bind_fails_early(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->dev[0]->dma_configure_ret = -EIO;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver), 0);
	KUNIT_EXPECT_EQ(test, f->dev[0]->probes, 0U);
	expect_free(test);

	/* Not to be mistaken for a refused claim, nor after one */
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver),
			-EBUSY);
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver), 0);
	expect_free(test);
}

static void dma_owner_test_probe_defers_then_fails(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int tries;

	f->dev[0]->probe_ret = -EPROBE_DEFER;
	for (tries = 0; tries < 3; tries++) {
		mock_bind(f->dev[0], &mock_kernel_driver);
		expect_free(test);
	}

	f->dev[0]->probe_ret = -EIO;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver), 0);
	KUNIT_EXPECT_TRUE(test, f->dev[0]->probes >= 4);
	expect_free(test);
}

/* One of a devicetree machine: it joins the group in the dma_configure() of its bus. */
static struct mock_device *add_late_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = mock_device_alloc(test);

	mock_device_register(test, mdev);
	mdev->group = f->group;
	mdev->join_in_dma_configure = true;
	return mdev;
}

static void dma_owner_test_join_in_dma_configure(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = add_late_device(test);

	KUNIT_EXPECT_FALSE(test, mdev->dev.iommu_group);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);
	KUNIT_EXPECT_PTR_EQ(test, mdev->dev.iommu_group, f->group);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	mock_unbind(mdev);
	expect_free(test);
	mock_device_del(mdev);
}

static void dma_owner_test_join_owned_in_dma_configure(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = add_late_device(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, mdev->dev.iommu_group, f->group);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, f->group->blocking_domain);
	expect_all_on(test, f->group->blocking_domain);

	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, f->group->default_domain);
	expect_free(test);
	mock_device_del(mdev);
}

/* Without memory to add a device to its group, no driver gets near it. */
static void dma_owner_test_bind_waits_for_group(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = mock_device_alloc(test);

	mdev->group = f->group;
	mock_iommu.fail_probe = 2;
	mock_device_register(test, mdev);
	KUNIT_EXPECT_PTR_EQ(test, mdev->dev.iommu_group,
			    (struct iommu_group *)NULL);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), -ENOMEM);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), -EBUSY);
	KUNIT_EXPECT_EQ(test, mdev->probes, 0U);
	KUNIT_EXPECT_PTR_EQ(test, mdev->dev.iommu_group, f->group);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, f->group->blocking_domain);
	expect_owned_by(test, &alice);

	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);
	mock_unbind(mdev);
	expect_free(test);
	mock_device_del(mdev);
}

/* Nor if it knows the group, but the IOMMU driver cannot attach the device. */
static void dma_owner_test_bind_waits_for_join(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev;
	unsigned int nth;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mdev = mock_device_alloc(test);
	mdev->group = f->group;
	mock_iommu.fail_attach = 1;
	mock_device_register(test, mdev);
	KUNIT_EXPECT_FALSE(test, mdev->dev.iommu_group);
	mock_iommu.fail_attach = 1;
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), -EIO);
	mock_iommu.fail_attach = 1;
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_managed_driver), -EIO);
	KUNIT_EXPECT_EQ(test, mdev->probes, 0U);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, mdev->attached, f->group->blocking_domain);
	iommu_group_release_dma_owner(f->group);
	mock_device_del(mdev);

	/* The first attach is that of the group's domain, the second the default's */
	for (nth = 1; nth <= 2; nth++) {
		mdev = mock_device_alloc(test);
		mdev->group = f->group;
		mock_iommu.fail_attach = nth;
		mock_device_register(test, mdev);
		KUNIT_EXPECT_FALSE(test, mdev->dev.iommu_group);
		mock_iommu.fail_attach = 1;
		KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver),
				-EIO);
		KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);
		KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
		mock_device_del(mdev);
	}
	expect_free(test);
}

/* The same on a devicetree machine, where dma_configure() is the next try. */
static void dma_owner_test_bind_waits_for_join_in_dma_configure(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = add_late_device(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_attach = 1;
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), -EIO);
	KUNIT_EXPECT_FALSE(test, mdev->dev.iommu_group);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), -EBUSY);
	KUNIT_EXPECT_EQ(test, mdev->probes, 0U);
	iommu_group_release_dma_owner(f->group);
	mock_device_del(mdev);
	expect_free(test);
}

/* A probe that ends before the group is claimed is not refused, whatever was before. */
static void dma_owner_test_earlier_refusal(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = add_late_device(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_attach = 1;
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), -EIO);
	mock_iommu.fail_attach = 1;
	mdev->dma_configure_ret = -ENODEV;
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 0);
	KUNIT_EXPECT_EQ(test, mdev->probes, 0U);
	iommu_group_release_dma_owner(f->group);
	mock_device_del(mdev);
	expect_free(test);
}

static void release_owner(struct mock_device *mdev)
{
	if (mdev->group->owner)
		iommu_group_release_dma_owner(mdev->group);
}

static void try_to_own(struct mock_device *mdev)
{
	if (iommu_group_set_dma_owner(mdev->group, &alice) != -EPERM)
		mock_iommu.errors++;
}

/*
 * Most IOMMU drivers leave it to dma_configure() to choose the DMA ops. It must not
 * choose by the domain of a user who leaves before the claim.
 */
static void dma_owner_test_owner_leaves_in_dma_configure(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev;

	mock_iommu_ops.probe_finalize = NULL;
	mdev = add_late_device(test);
	mdev->in_dma_configure = release_owner;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, mock_bind(mdev, &mock_kernel_driver), 1);
	KUNIT_EXPECT_PTR_EQ(test, mdev->dma_domain, f->group->default_domain);
	mock_unbind(mdev);
	mock_device_del(mdev);
	expect_free(test);
}

/* Nor by one that a user is about to attach. */
static void dma_owner_test_no_owner_in_dma_configure(struct kunit *test)
{
	struct fixture *f = test->priv;

	mock_iommu_ops.probe_finalize = NULL;
	f->dev[0]->in_dma_configure = try_to_own;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver), 1);
	KUNIT_EXPECT_PTR_EQ(test, f->dev[0]->dma_domain,
			    f->group->default_domain);
	KUNIT_EXPECT_EQ(test, mock_iommu.errors, 0U);
	mock_unbind(f->dev[0]);
	expect_free(test);
}

/* Two at once */

static void own(struct mock_device *mdev)
{
	mdev->in_probe_device = NULL;
	if (iommu_group_set_dma_owner(mdev->group, &alice))
		mock_iommu.errors++;
}

/* Two devices that the IOMMU core does not know yet, in a group of their own */
static struct iommu_group *make_new_group(struct kunit *test,
					  struct mock_device *mdev[2])
{
	struct iommu_group *group = iommu_group_alloc();
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, group);
	for (i = 0; i < 2; i++) {
		mdev[i] = mock_device_alloc(test);
		mock_device_register(test, mdev[i]);
		mdev[i]->group = group;
	}
	return group;
}

static void del_new_group(struct iommu_group *group, struct mock_device *mdev[2])
{
	mock_device_del(mdev[0]);
	mock_device_del(mdev[1]);
	iommu_group_put(group);
}

/* The first device has its group, but there is no default domain yet. */
static void dma_owner_test_claim_of_new_group(struct kunit *test)
{
	struct mock_device *mdev[2];
	struct iommu_group *group = make_new_group(test, mdev);
	struct iommu_domain *domain = alloc_domain(test);

	mdev[1]->in_probe_device = own;
	KUNIT_EXPECT_EQ(test, bus_iommu_probe(mdev[0]->dev.bus), 0);
	KUNIT_EXPECT_PTR_EQ(test, group->owner, (void *)&alice);
	KUNIT_EXPECT_TRUE(test, group->default_domain);
	KUNIT_EXPECT_PTR_EQ(test, mdev[0]->attached, group->blocking_domain);
	KUNIT_EXPECT_PTR_EQ(test, mdev[1]->attached, group->blocking_domain);

	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, group), 0);
	iommu_detach_group(domain, group);
	KUNIT_EXPECT_PTR_EQ(test, mdev[1]->attached, group->blocking_domain);
	iommu_group_release_dma_owner(group);
	KUNIT_EXPECT_PTR_EQ(test, mdev[0]->attached, group->default_domain);
	KUNIT_EXPECT_PTR_EQ(test, mdev[1]->attached, group->default_domain);
	iommu_domain_free(domain);
	del_new_group(group, mdev);
}

static void own_without_memory(struct mock_device *mdev)
{
	mock_iommu.fail_alloc = true;
	own(mdev);
	mock_iommu.fail_alloc = false;
}

/* None is made behind the back of an owner who did without. */
static void dma_owner_test_no_default_domain_behind_owner(struct kunit *test)
{
	struct mock_device *mdev[2];
	struct iommu_group *group = make_new_group(test, mdev);
	struct iommu_domain *domain = alloc_domain(test);

	mdev[1]->in_probe_device = own_without_memory;
	KUNIT_EXPECT_EQ(test, bus_iommu_probe(mdev[0]->dev.bus), 0);
	KUNIT_EXPECT_FALSE(test, group->default_domain);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, group), 0);
	iommu_detach_group(domain, group);
	KUNIT_EXPECT_FALSE(test, mdev[1]->attached);
	iommu_group_release_dma_owner(group);
	iommu_domain_free(domain);
	del_new_group(group, mdev);
}

static DECLARE_COMPLETION(probed_too);

static int probe_too(void *mdev)
{
	if (iommu_probe_device(&((struct mock_device *)mdev)->dev))
		mock_iommu.errors++;
	complete(&probed_too);
	return 0;
}

static void be_probed_twice(struct mock_device *mdev)
{
	mock_iommu.errors++;
}

/* Lets another thread come as far, which must not ask the IOMMU driver again. */
static void start_another_probe(struct mock_device *mdev)
{
	mdev->in_probe_device = be_probed_twice;
	if (IS_ERR(kthread_run(probe_too, mdev, "probe_too")))
		mock_iommu.errors++;
	msleep(20);
}

static void dma_owner_test_probed_twice_at_once(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *mdev = mock_device_alloc(test);

	mock_device_register(test, mdev);
	mdev->group = f->group;
	mdev->in_probe_device = start_another_probe;
	KUNIT_EXPECT_EQ(test, iommu_probe_device(&mdev->dev), 0);
	wait_for_completion(&probed_too);
	KUNIT_EXPECT_PTR_EQ(test, mdev->dev.iommu_group, f->group);
	KUNIT_EXPECT_EQ(test, mock_iommu.errors, 0U);
	mock_device_del(mdev);
	expect_free(test);
}

/* Called when the device's managed resources are freed */
static void claim_during_unbind(void *group)
{
	if (iommu_group_set_dma_owner(group, &alice) != -EPERM)
		mock_iommu.errors++;
}

static void dma_owner_test_claim_during_unbind(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver), 1);
	KUNIT_ASSERT_EQ(test, devm_add_action(&f->dev[0]->dev,
					      claim_during_unbind, f->group),
			0);
	mock_unbind(f->dev[0]);
	KUNIT_EXPECT_EQ(test, mock_iommu.errors, 0U);
	expect_free(test);
}

/* What is logged of a refusal */

/* Counts the lines since log_end() that call the group not viable, and @why. */
static int log_not_viable(struct kmsg_dumper log, struct fixture *f, const char *why)
{
	char text[64], line[256];
	int count = 0;
	size_t len;

	snprintf(text, sizeof(text), "iommu: group %d: not viable: ",
		 f->group->id);
	while (kmsg_dump_get_line(&log, false, line, sizeof(line), &len))
		if (strnstr(line, text, len) && strnstr(line, why, len))
			count++;
	return count;
}

static void dma_owner_test_report_is_bounded(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mock_device *more[7];
	struct kmsg_dumper log;
	int i;

	for (i = 0; i < NR_DEVICES; i++)
		KUNIT_EXPECT_EQ(test, use(f, i), 0);
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		more[i] = mock_device_add(test, f->group);
		KUNIT_EXPECT_EQ(test, iommu_device_use_dma_api(&more[i]->dev), 0);
	}

	log = log_end();
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "%s is bound to -",
					dev_name(&f->dev[0]->dev)), 1);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "mock"), 8);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "so are 2 more devices"), 1);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "%s", ""), 9);

	log = log_end();
	iommu_group_report_claimed(f->group);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "%s", ""), 0);
	KUNIT_EXPECT_EQ(test, log_not_viable(log, f, "so are 6 more devices"), 1);

	for (i = 0; i < ARRAY_SIZE(more); i++)
		mock_device_del(more[i]);
	for (i = 0; i < NR_DEVICES; i++)
		unuse(f, i);
	expect_free(test);
}

static void dma_owner_test_reports_are_limited(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kmsg_dumper log;
	int i;

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	log = log_end();
	for (i = 0; i < 12; i++)
		KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &bob),
				-EPERM);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "owned by userspace (%s[%d])",
					current->comm, task_tgid_nr(current)), 10);

	/* Other kinds of lines have limits of their own. */
	for (i = 0; i < 12; i++)
		iommu_group_report_claimed(f->group);
	KUNIT_EXPECT_EQ(test, log_not_viable(log, f, "owned by userspace ("), 10);
	iommu_group_release_dma_owner(f->group);

	log = log_end();
	iommu_group_report_claimed(f->group);
	KUNIT_EXPECT_EQ(test, log_not_viable(log, f, ""), 0);
	expect_free(test);
}

static void dma_owner_test_report_names_domain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct kmsg_dumper log = log_end();

	mock_iommu.fail_alloc = true;
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-ENOMEM);
	mock_iommu.fail_alloc = false;
	KUNIT_EXPECT_EQ(test, log_count(log, f, "DMA cannot be blocked (%d)",
					-ENOMEM), 1);

	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "a driver attached its own domain"),
			1);
	iommu_detach_group(domain, f->group);
	iommu_domain_free(domain);
	expect_free(test);
}

/* It is the cause of a refusal, not of a failure. */
static void dma_owner_test_report_names_direct_mapping(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kmsg_dumper log = log_end();

	f->dev[1]->needs_direct_map = true;
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "%s needs a direct mapping",
					dev_name(&f->dev[1]->dev)), 1);

	mock_iommu.fail_attach = 1;
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EIO);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "DMA cannot be blocked (%d)",
					-EIO), 1);
	f->dev[1]->needs_direct_map = false;
	expect_free(test);
}

static struct kunit_case dma_owner_cases[] = {
	KUNIT_CASE(dma_owner_test_owner_waits_for_all_devices),
	KUNIT_CASE(dma_owner_test_kernel_waits_for_owner),
	KUNIT_CASE(dma_owner_test_one_owner_only),
	KUNIT_CASE(dma_owner_test_bad_claims),
	KUNIT_CASE(dma_owner_test_use_is_idempotent),
	KUNIT_CASE(dma_owner_test_stray_unuse_spares_owner),
	KUNIT_CASE(dma_owner_test_double_unuse_spares_others),
	KUNIT_CASE(dma_owner_test_claim_leaves_with_device),
	KUNIT_CASE(dma_owner_test_domains_of_an_owner),
	KUNIT_CASE(dma_owner_test_release_detaches),
	KUNIT_CASE(dma_owner_test_retired_owner_detaches_once),
	KUNIT_CASE(dma_owner_test_retired_owner_without_domain),
	KUNIT_CASE(dma_owner_test_retired_owner_does_not_detach),
	KUNIT_CASE(dma_owner_test_take_blocking_domain),
	KUNIT_CASE(dma_owner_test_retired_owner_took_domain),
	KUNIT_CASE(dma_owner_test_release_detaches_taken_domain),
	KUNIT_CASE(dma_owner_test_take_twice),
	KUNIT_CASE(dma_owner_test_take_without_memory),
	KUNIT_CASE(dma_owner_test_nothing_to_take),
	KUNIT_CASE(dma_owner_test_take_with_stranded_device),
	KUNIT_CASE(dma_owner_test_join_taken_domain),
	KUNIT_CASE(dma_owner_test_take_in_empty_group),
	KUNIT_CASE(dma_owner_test_arriving_owner_attaches_once),
	KUNIT_CASE(dma_owner_test_arriving_owner_turns_back),
	KUNIT_CASE(dma_owner_test_arriving_owner_fails_to_attach),
	KUNIT_CASE(dma_owner_test_arriving_owner_needs_direct_mapping),
	KUNIT_CASE(dma_owner_test_join_arriving_owner),
	KUNIT_CASE(dma_owner_test_arriving_owner_of_stranded_device),
	KUNIT_CASE(dma_owner_test_arriving_owner_is_refused),
	KUNIT_CASE(dma_owner_test_failed_claim_rolls_back),
	KUNIT_CASE(dma_owner_test_failed_attach_rolls_back),
	KUNIT_CASE(dma_owner_test_failed_detach_cuts_off),
	KUNIT_CASE(dma_owner_test_blocking_domain_is_freed),
	KUNIT_CASE(dma_owner_test_stranded_without_detach),
	KUNIT_CASE(dma_owner_test_stranded_device_is_removed),
	KUNIT_CASE(dma_owner_test_failed_release_recovers),
	KUNIT_CASE(dma_owner_test_no_blocking_domain),
	KUNIT_CASE(dma_owner_test_direct_mapping_refuses),
	KUNIT_CASE(dma_owner_test_private_domain_of_a_driver),
	KUNIT_CASE(dma_owner_test_join_private_domain),
	KUNIT_CASE(dma_owner_test_foreign_domain_refuses),
	KUNIT_CASE(dma_owner_test_group_without_iommu),
	KUNIT_CASE(dma_owner_test_no_default_domain),
	KUNIT_CASE(dma_owner_test_no_default_domain_yet),
	KUNIT_CASE(dma_owner_test_driver_detaches_what_it_releases),
	KUNIT_CASE(dma_owner_test_join_owned_group),
	KUNIT_CASE(dma_owner_test_claim_before_dma_ops),
	KUNIT_CASE(dma_owner_test_leave_owned_group),
	KUNIT_CASE(dma_owner_test_late_group),
	KUNIT_CASE(dma_owner_test_late_group_is_owned),
	KUNIT_CASE(dma_owner_test_late_group_fails_to_attach),
	KUNIT_CASE(dma_owner_test_bind),
#ifdef CONFIG_DEBUG_TEST_DRIVER_REMOVE
	KUNIT_CASE(dma_owner_test_bind_probes_twice),
#endif
	KUNIT_CASE(dma_owner_test_bind_refused),
	KUNIT_CASE(dma_owner_test_drivers_probe_refused),
	KUNIT_CASE(dma_owner_test_bind_by_hand),
	KUNIT_CASE(dma_owner_test_bind_managed),
	KUNIT_CASE(dma_owner_test_bind_fails_early),
	KUNIT_CASE(dma_owner_test_probe_defers_then_fails),
	KUNIT_CASE(dma_owner_test_join_in_dma_configure),
	KUNIT_CASE(dma_owner_test_join_owned_in_dma_configure),
	KUNIT_CASE(dma_owner_test_bind_waits_for_group),
	KUNIT_CASE(dma_owner_test_bind_waits_for_join),
	KUNIT_CASE(dma_owner_test_bind_waits_for_join_in_dma_configure),
	KUNIT_CASE(dma_owner_test_earlier_refusal),
	KUNIT_CASE(dma_owner_test_owner_leaves_in_dma_configure),
	KUNIT_CASE(dma_owner_test_no_owner_in_dma_configure),
	KUNIT_CASE(dma_owner_test_claim_of_new_group),
	KUNIT_CASE(dma_owner_test_no_default_domain_behind_owner),
	KUNIT_CASE(dma_owner_test_probed_twice_at_once),
	KUNIT_CASE(dma_owner_test_claim_during_unbind),
	KUNIT_CASE(dma_owner_test_report_is_bounded),
	KUNIT_CASE(dma_owner_test_reports_are_limited),
	KUNIT_CASE(dma_owner_test_report_names_domain),
	KUNIT_CASE(dma_owner_test_report_names_direct_mapping),
	{}
};

static struct kunit_suite dma_owner_suite = {
	.name = "iommu_dma_owner",
	.init = group_fixture_init,
	.exit = group_fixture_exit,
	.test_cases = dma_owner_cases,
};

kunit_test_suite(dma_owner_suite);
