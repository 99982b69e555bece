// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the private domains of IOMMU groups
 *
 * The IOMMU core and the driver core under test are the real ones, on the mock IOMMU
 * of mock_iommu.h. group_fixture.h tells what each test begins and ends with.
 *
 * Nothing here provokes a warning, so that the suite runs with panic_on_warn. Where a
 * driver would get one, the function that decides on it is asked.
 */

#include <kunit/test.h>
#include <linux/slab.h>
#include "../iommu-group.h"
#include "group_fixture.h"
#include "mock_iommu.h"

static int attach(struct fixture *f, int i, struct iommu_domain *domain)
{
	return iommu_attach_device(domain, &f->dev[i]->dev);
}

static void detach(struct fixture *f, int i, struct iommu_domain *domain)
{
	iommu_detach_device(domain, &f->dev[i]->dev);
}

/* What iommu_detach_device() warns about if it is false. */
static bool may_detach(struct fixture *f, int i, struct iommu_domain *domain)
{
	bool known;

	mutex_lock(&f->group->mutex);
	known = iommu_private_detach(f->group, &f->dev[i]->dev, domain);
	mutex_unlock(&f->group->mutex);
	return known;
}

static void expect_name(struct kunit *test, const char *name, unsigned int count)
{
	struct fixture *f = test->priv;

	mutex_lock(&f->group->mutex);
	KUNIT_EXPECT_STREQ(test, iommu_dma_owner_name(f->group), name);
	KUNIT_EXPECT_EQ(test, iommu_dma_owner_count(f->group), count);
	mutex_unlock(&f->group->mutex);
}

static void expect_private(struct kunit *test, struct iommu_domain *domain,
			   unsigned int count)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_PTR_EQ(test, f->group->private_domain, domain);
	expect_all_on(test, domain);
	expect_name(test, "private", count);
	KUNIT_EXPECT_TRUE(test, iommu_group_dma_owner_claimed(f->group));
}

static const char *name_of(struct fixture *f, int i)
{
	return dev_name(&f->dev[i]->dev);
}

/* Counts the lines since log_end() that tell why a device was not attached. */
static __printf(4, 5)
int log_attach(struct kmsg_dumper log, struct fixture *f, int i, const char *fmt, ...)
{
	char why[96];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return log_lines(log, "%s: cannot be attached to a domain of its own: %s",
			 name_of(f, i), why);
}

static void private_domain_test_of_one_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	del_device(f, 1);
	del_device(f, 2);
	f->dev[0]->private_attach = domain;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_kernel_driver), 1);
	expect_private(test, domain, 1);
	mock_unbind(f->dev[0]);
	iommu_domain_free(domain);
	expect_free(test);
}

/* A driver need not know of the siblings of its device. */
static void private_domain_test_of_claimed_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	f->dev[1]->private_attach = domain;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_kernel_driver), 1);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 1U);
	expect_private(test, domain, 1);
	mock_unbind(f->dev[1]);
	iommu_domain_free(domain);
	expect_free(test);
}

static void private_domain_test_shared(struct kunit *test)
{
	static const int orders[][NR_DEVICES] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	int i, n;

	for (n = 0; n < ARRAY_SIZE(orders); n++) {
		mock_iommu.attaches = 0;
		for (i = 0; i < NR_DEVICES; i++) {
			KUNIT_EXPECT_EQ(test, attach(f, i, domain), 0);
			expect_private(test, domain, i + 1);
		}
		KUNIT_EXPECT_EQ(test, mock_iommu.attaches,
				(unsigned int)NR_DEVICES);

		for (i = 0; i < NR_DEVICES - 1; i++) {
			detach(f, orders[n][i], domain);
			expect_private(test, domain, NR_DEVICES - 1 - i);
		}
		detach(f, orders[n][i], domain);
		expect_free(test);
	}
	iommu_domain_free(domain);
}

/* Each with a driver that manages its own DMA. */
static void private_domain_test_of_several_drivers(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	int i;

	for (i = 0; i < NR_DEVICES; i++) {
		f->dev[i]->private_attach = domain;
		KUNIT_EXPECT_EQ(test, mock_bind(f->dev[i], &mock_managed_driver),
				1);
		expect_private(test, domain, i + 1);
	}
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 0U);
	for (i = 0; i < NR_DEVICES; i++)
		mock_unbind(f->dev[i]);
	iommu_domain_free(domain);
	expect_free(test);
}

static void private_domain_test_second_refused(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct iommu_domain *other = alloc_domain(test);
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);
	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), -EBUSY);
	KUNIT_EXPECT_EQ(test, attach(f, 0, other), -EBUSY);
	KUNIT_EXPECT_EQ(test, attach(f, 1, other), -EBUSY);
	expect_private(test, domain, 1);
	KUNIT_EXPECT_EQ(test, log_attach(log, f, 1, "%s of its IOMMU group %d is on a domain of",
					 name_of(f, 0), f->group->id), 1);
	detach(f, 0, domain);
	KUNIT_EXPECT_EQ(test, attach(f, 1, other), 0);
	detach(f, 1, other);
	iommu_domain_free(domain);
	iommu_domain_free(other);
	expect_free(test);
}

static void private_domain_test_sibling_in_use(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_kernel_driver), 1);
	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), -EBUSY);
	expect_all_on(test, f->group->default_domain);
	expect_name(test, "kernel", 1);
	KUNIT_EXPECT_EQ(test, log_attach(log, f, 0, "%s of its IOMMU group %d is bound to mock",
					 name_of(f, 1), f->group->id), 1);
	mock_unbind(f->dev[1]);

	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_managed_driver), 1);
	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);
	expect_private(test, domain, 1);
	mock_unbind(f->dev[1]);
	detach(f, 0, domain);
	iommu_domain_free(domain);
	expect_free(test);
}

static void private_domain_test_bind_refused(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct kmsg_dumper log = log_end();

	f->dev[0]->private_attach = domain;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_managed_driver), 1);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_kernel_driver), -EBUSY);
	KUNIT_EXPECT_EQ(test, f->dev[1]->probes, 0U);
	KUNIT_EXPECT_EQ(test, log_lines(log, "refused: IOMMU group %d is on a domain of %s (%s)",
					f->group->id, mock_managed_driver.name,
					name_of(f, 0)), 1);

	/* One that shares the domain, and one that does no DMA */
	f->dev[1]->private_attach = domain;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_managed_driver), 1);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[2], &mock_managed_driver), 1);
	expect_private(test, domain, 2);
	mock_unbind(f->dev[2]);
	mock_unbind(f->dev[0]);
	KUNIT_EXPECT_EQ(test, use(f, 0), -EBUSY);
	mock_unbind(f->dev[1]);

	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[2], &mock_kernel_driver), 1);
	mock_unbind(f->dev[2]);
	iommu_domain_free(domain);
	expect_free(test);
}

/* A driver may also be bound, and claim its device, after it was attached. */
static void private_domain_test_claim_of_attached_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);
	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	expect_private(test, domain, 1);
	KUNIT_EXPECT_EQ(test, use(f, 1), -EBUSY);
	detach(f, 0, domain);
	expect_name(test, "kernel", 1);
	KUNIT_EXPECT_EQ(test, use(f, 1), 0);
	unuse(f, 1);
	unuse(f, 0);
	iommu_domain_free(domain);
	expect_free(test);
}

static void private_domain_test_userspace(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), -EBUSY);
	expect_all_on(test, f->group->blocking_domain);
	KUNIT_EXPECT_EQ(test, log_attach(log, f, 0, "its IOMMU group %d is owned by userspace (",
					 f->group->id), 1);

	/* A retired owner is back on the default domain, and there still. */
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	iommu_group_retire_dma_owner(f->group);
	iommu_detach_group(domain, f->group);
	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), -EBUSY);
	iommu_group_release_dma_owner(f->group);

	f->dev[0]->private_attach = domain;
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[0], &mock_managed_driver), 1);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice),
			-EPERM);
	iommu_group_report_claimed(f->group);
	expect_private(test, domain, 1);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "%s is on a domain of its driver mock_managed",
					name_of(f, 0)), 1);
	KUNIT_EXPECT_EQ(test, log_lines(log, "group %d: not viable: %s is on a domain of",
					f->group->id, name_of(f, 0)), 1);
	mock_unbind(f->dev[0]);
	iommu_domain_free(domain);
	expect_free(test);
}

static void private_domain_test_failed_attach_rolls_back(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	int i;

	for (i = 0; i < 2 * NR_DEVICES; i++) {
		mock_iommu.fail_detached = i % 2;
		mock_iommu.fail_attach = i / 2 + 1;
		KUNIT_EXPECT_EQ(test, attach(f, 1, domain), -EIO);
		KUNIT_EXPECT_EQ(test, mock_iommu.fail_attach, 0U);
		expect_name(test, "none", 0);
		expect_free(test);
	}
	KUNIT_EXPECT_EQ(test, attach(f, 1, domain), 0);
	expect_private(test, domain, 1);
	detach(f, 1, domain);
	iommu_domain_free(domain);
	expect_free(test);
}

static void private_domain_test_failed_detach_strands(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);
	mock_iommu.fail_attach = 2;
	detach(f, 0, domain);
	/* Nothing is left on it, not even the device that could not go back. */
	iommu_domain_free(domain);
	expect_name(test, "none", 0);
	KUNIT_EXPECT_PTR_EQ(test, f->dev[1]->attached,
			    (struct iommu_domain *)NULL);

	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_kernel_driver), 1);
	expect_all_on(test, f->group->default_domain);
	mock_unbind(f->dev[1]);
	expect_free(test);
}

static void private_domain_test_device_joins(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	del_device(f, 2);
	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);
	f->dev[2] = mock_device_add(test, f->group);
	expect_private(test, domain, 1);
	KUNIT_EXPECT_EQ(test, f->dev[2]->finalized, 0U);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[2], &mock_kernel_driver), -EBUSY);

	detach(f, 0, domain);
	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[2], &mock_kernel_driver), 1);
	KUNIT_EXPECT_EQ(test, f->dev[2]->finalized, 1U);
	mock_unbind(f->dev[2]);
	iommu_domain_free(domain);
	expect_free(test);
}

/* Its driver was bound before its IOMMU was known. */
static void private_domain_test_device_in_use_joins(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct mock_device *late = mock_device_alloc(test);
	struct kmsg_dumper log;

	mock_device_register(test, late);
	KUNIT_EXPECT_EQ(test, mock_bind(late, &mock_kernel_driver), 1);
	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);

	log = log_end();
	KUNIT_EXPECT_EQ(test, iommu_group_add_device(f->group, &late->dev),
			-EBUSY);
	KUNIT_EXPECT_FALSE(test, late->dev.iommu_group);
	KUNIT_EXPECT_EQ(test, log_lines(log, "now IOMMU group %d is on a domain of - (%s)",
					f->group->id, name_of(f, 0)), 1);
	expect_private(test, domain, 1);
	mock_unbind(late);
	mock_device_del(late);
	detach(f, 0, domain);
	iommu_domain_free(domain);
	expect_free(test);
}

/* Removed without being detached, which no driver should let happen. */
static void private_domain_test_device_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, attach(f, 1, domain), 0);
	KUNIT_EXPECT_EQ(test, attach(f, 2, domain), 0);
	del_device(f, 2);
	expect_private(test, domain, 1);

	/* Its driver has it still, and detaches it too late. */
	get_device(&f->dev[1]->dev);
	mock_device_del(f->dev[1]);
	detach(f, 1, domain);
	put_device(&f->dev[1]->dev);
	f->dev[1] = NULL;
	expect_name(test, "none", 0);
	expect_all_on(test, f->group->default_domain);
	iommu_domain_free(domain);
	expect_free(test);
}

static void private_domain_test_default_domain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct iommu_domain *home = f->group->default_domain;

	f->dev[1]->attached = NULL;
	f->dev[1]->attach_deferred = true;
	mock_iommu.attaches = 0;
	KUNIT_EXPECT_EQ(test, attach(f, 1, home), 0);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, 1U);
	KUNIT_EXPECT_PTR_EQ(test, f->dev[1]->attached, home);
	expect_name(test, "none", 0);
	detach(f, 1, home);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, 1U);
	expect_all_on(test, home);

	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);
	KUNIT_EXPECT_EQ(test, attach(f, 1, home), -EBUSY);
	detach(f, 1, home);
	expect_private(test, domain, 1);
	detach(f, 0, domain);
	iommu_domain_free(domain);
	expect_free(test);
}

/* As the DMA API does in a kdump kernel, whatever the size of the group. */
static void private_domain_test_deferred_attach(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *home = f->group->default_domain;

	KUNIT_EXPECT_EQ(test, mock_bind(f->dev[1], &mock_kernel_driver), 1);
	f->dev[1]->attached = NULL;
	f->dev[1]->attach_deferred = true;
	mock_iommu.attaches = 0;
	KUNIT_EXPECT_EQ(test, iommu_attach_deferred_device(home, &f->dev[1]->dev),
			0);
	KUNIT_EXPECT_EQ(test, iommu_attach_deferred_device(home, &f->dev[1]->dev),
			0);
	KUNIT_EXPECT_EQ(test, iommu_attach_deferred_device(home, &f->dev[0]->dev),
			0);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, 1U);
	mock_unbind(f->dev[1]);
	expect_free(test);
}

/* One that joined a private group, and was not attached then. */
static void private_domain_test_deferred_attach_to_it(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);
	f->dev[1]->attached = NULL;
	f->dev[1]->attach_deferred = true;
	mock_iommu.attaches = 0;
	KUNIT_EXPECT_EQ(test, attach(f, 1, domain), 0);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, 1U);
	expect_private(test, domain, 2);
	detach(f, 1, domain);
	detach(f, 0, domain);
	iommu_domain_free(domain);
	expect_free(test);
}

static void private_domain_test_no_default_domain(struct kunit *test)
{
	struct iommu_domain *domain, *raw;
	struct iommu_group *group;
	struct mock_device *mdev[2];
	int i;

	mock_iommu.no_default_domains = true;
	group = iommu_group_alloc();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, group);
	for (i = 0; i < 2; i++)
		mdev[i] = mock_device_add(test, group);
	domain = alloc_domain(test);
	raw = alloc_domain(test);

	mock_iommu.attaches = 0;
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, &mdev[0]->dev), 0);
	/* One that could be had now would come too late. */
	mock_iommu.no_default_domains = false;
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, &mdev[1]->dev), 0);
	mock_iommu.no_default_domains = true;
	KUNIT_EXPECT_PTR_EQ(test, group->default_domain,
			    (struct iommu_domain *)NULL);
	KUNIT_EXPECT_PTR_EQ(test, group->domain, domain);
	KUNIT_EXPECT_EQ(test, iommu_device_use_dma_api(&mdev[1]->dev), 0);
	iommu_device_unuse_dma_api(&mdev[1]->dev);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(group, &alice), -EPERM);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(raw, group), -EBUSY);
	iommu_detach_device(domain, &mdev[0]->dev);
	KUNIT_EXPECT_EQ(test, iommu_device_use_dma_api(&mdev[0]->dev), -EBUSY);
	iommu_detach_device(domain, &mdev[1]->dev);
	KUNIT_EXPECT_PTR_EQ(test, group->domain, (struct iommu_domain *)NULL);
	KUNIT_EXPECT_PTR_EQ(test, group->private_domain,
			    (struct iommu_domain *)NULL);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, mock_iommu.detaches);

	/* The IOMMU driver lets go of one that is released. */
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, &mdev[0]->dev), 0);
	mock_device_del(mdev[1]);
	KUNIT_EXPECT_PTR_EQ(test, group->private_domain, domain);
	mock_device_del(mdev[0]);
	KUNIT_EXPECT_PTR_EQ(test, group->private_domain,
			    (struct iommu_domain *)NULL);
	KUNIT_EXPECT_EQ(test, mock_iommu.attaches, mock_iommu.detaches);

	iommu_domain_free(domain);
	iommu_domain_free(raw);
	iommu_group_put(group);
	mock_iommu.no_default_domains = false;
	expect_free(test);
}

static void private_domain_test_stray_detach(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct iommu_domain *other = alloc_domain(test);

	KUNIT_EXPECT_FALSE(test, may_detach(f, 0, domain));
	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);
	KUNIT_EXPECT_FALSE(test, may_detach(f, 1, domain));
	KUNIT_EXPECT_FALSE(test, may_detach(f, 0, other));
	expect_private(test, domain, 1);
	KUNIT_EXPECT_TRUE(test, may_detach(f, 0, domain));

	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	KUNIT_EXPECT_FALSE(test, may_detach(f, 0, domain));
	expect_all_on(test, domain);
	iommu_detach_group(domain, f->group);
	iommu_domain_free(domain);
	iommu_domain_free(other);
	expect_free(test);
}

static void private_domain_test_group_attached_as_a_whole(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct iommu_domain *raw = alloc_domain(test);
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(raw, f->group), -EBUSY);
	expect_private(test, domain, 1);
	detach(f, 0, domain);

	KUNIT_EXPECT_EQ(test, iommu_attach_group(raw, f->group), 0);
	KUNIT_EXPECT_EQ(test, attach(f, 0, domain), -EBUSY);
	KUNIT_EXPECT_EQ(test, attach(f, 0, raw), -EBUSY);
	expect_all_on(test, raw);
	KUNIT_EXPECT_EQ(test, log_attach(log, f, 0, "its IOMMU group %d was attached to another",
					 f->group->id), 2);
	iommu_detach_group(raw, f->group);
	iommu_domain_free(domain);
	iommu_domain_free(raw);
	expect_free(test);
}

static struct kunit_case private_domain_cases[] = {
	KUNIT_CASE(private_domain_test_of_one_device),
	KUNIT_CASE(private_domain_test_of_claimed_device),
	KUNIT_CASE(private_domain_test_shared),
	KUNIT_CASE(private_domain_test_of_several_drivers),
	KUNIT_CASE(private_domain_test_second_refused),
	KUNIT_CASE(private_domain_test_sibling_in_use),
	KUNIT_CASE(private_domain_test_bind_refused),
	KUNIT_CASE(private_domain_test_claim_of_attached_device),
	KUNIT_CASE(private_domain_test_userspace),
	KUNIT_CASE(private_domain_test_failed_attach_rolls_back),
	KUNIT_CASE(private_domain_test_failed_detach_strands),
	KUNIT_CASE(private_domain_test_device_joins),
	KUNIT_CASE(private_domain_test_device_in_use_joins),
	KUNIT_CASE(private_domain_test_device_leaves),
	KUNIT_CASE(private_domain_test_default_domain),
	KUNIT_CASE(private_domain_test_deferred_attach),
	KUNIT_CASE(private_domain_test_deferred_attach_to_it),
	KUNIT_CASE(private_domain_test_no_default_domain),
	KUNIT_CASE(private_domain_test_stray_detach),
	KUNIT_CASE(private_domain_test_group_attached_as_a_whole),
	{}
};

static struct kunit_suite private_domain_suite = {
	.name = "iommu_private_domain",
	.init = group_fixture_init,
	.exit = group_fixture_exit,
	.test_cases = private_domain_cases,
};

kunit_test_suite(private_domain_suite);
