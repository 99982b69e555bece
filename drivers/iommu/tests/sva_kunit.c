// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of devices that work on the memory of processes
 *
 * The IOMMU core under test is the real one, on the mock IOMMU of mock_iommu.h.
 * group_fixture.h tells what each test begins and ends with.
 *
 * A unit test runs in a kernel thread, which has no memory to share. So most of them
 * bind the kernel's address space. What is about processes is tested with the devices
 * of mock_sva.c, from userspace.
 */

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/ioasid.h>
#include <linux/rcupdate.h>
#include "../iommu-group.h"
#include "group_fixture.h"
#include "mock_iommu.h"

/* What the log says of a device with a bond, and of one that leaves with it. */
#define WORKS	"works on a process's memory for mock_managed"
#define LEAVES	"leaves IOMMU group %d while it works on a process's memory"

/* With its own driver, a device has no kernel claim. */
static int sva_test_init(struct kunit *test)
{
	int ret = group_fixture_init(test);
	struct fixture *f = test->priv;

	if (ret)
		return ret;
	del_device(f, 1);
	del_device(f, 2);
	KUNIT_ASSERT_EQ(test, mock_bind(f->dev[0], &mock_managed_driver), 1);
	return 0;
}

static void sva_test_exit(struct kunit *test)
{
	group_fixture_exit(test);
	KUNIT_EXPECT_EQ(test, mock_iommu.bonds, 0U);
}

static struct iommu_sva *try_bind(struct fixture *f)
{
	return iommu_sva_bind_device(&f->dev[0]->dev, IOMMU_SVA_BIND_SUPERVISOR);
}

static struct iommu_sva *bind(struct kunit *test)
{
	struct iommu_sva *handle = try_bind(test->priv);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, handle);
	return handle;
}

static void expect_refused(struct kunit *test, int error)
{
	struct iommu_sva *handle = try_bind(test->priv);

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(handle), error);
	if (!IS_ERR(handle))
		iommu_sva_unbind_device(handle);
	KUNIT_EXPECT_EQ(test, mock_iommu.bonds, 0U);
}

/* Counts the lines since log_end() that tell why no bond was made. */
static __printf(3, 4)
int log_refused(struct kmsg_dumper log, struct fixture *f, const char *fmt, ...)
{
	char why[96];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return log_lines(log, "%s: cannot work on a process's memory: %s",
			 dev_name(&f->dev[0]->dev), why);
}

static void sva_test_kernel_thread(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_sva *handle = iommu_sva_bind_device(&f->dev[0]->dev, 0);

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(handle), -EINVAL);
	KUNIT_EXPECT_EQ(test, mock_iommu.bonds, 0U);
	expect_free(test);
}

static void sva_test_unknown_flag(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *dev = &f->dev[0]->dev;

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(iommu_sva_bind_device(dev, 2)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(iommu_sva_bind_device(dev, 3)), -EINVAL);
	KUNIT_EXPECT_EQ(test, mock_iommu.bonds, 0U);
}

static void sva_test_supervisor(struct kunit *test)
{
	struct iommu_sva *handle;

	mock_iommu.last_mm = (void *)1;
	handle = bind(test);
	KUNIT_EXPECT_FALSE(test, mock_iommu.last_mm);
	KUNIT_EXPECT_NE(test, iommu_sva_get_pasid(handle), 0U);
	iommu_sva_unbind_device(handle);
	expect_free(test);
}

static void sva_test_same_handle_twice(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_sva *handle = bind(test);

	KUNIT_EXPECT_PTR_EQ(test, bind(test), handle);
	KUNIT_EXPECT_EQ(test, mock_iommu.bonds, 1U);
	iommu_sva_unbind_device(handle);
	KUNIT_EXPECT_EQ(test, mock_iommu.bonds, 1U);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), -EPERM);
	iommu_sva_unbind_device(handle);
	expect_free(test);
}

static void sva_test_driver_fails(struct kunit *test)
{
	mock_iommu.fail_sva = -EIO;
	expect_refused(test, -EIO);
	mock_iommu.fail_sva = 0;
	expect_free(test);
}

static void sva_test_no_way_to_bind(struct kunit *test)
{
	mock_iommu_ops.sva_get_pasid = NULL;
	expect_refused(test, -ENODEV);
	mock_iommu_ops.sva_bind = NULL;
	expect_refused(test, -ENODEV);
}

static void sva_test_no_group(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_sva *handle;

	f->dev[1] = mock_device_alloc(test);
	mock_device_register(test, f->dev[1]);
	handle = iommu_sva_bind_device(&f->dev[1]->dev, IOMMU_SVA_BIND_SUPERVISOR);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(handle), -ENODEV);
}

static void sva_test_group_of_several(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->dev[1] = mock_device_add(test, f->group);
	expect_refused(test, -EINVAL);
	expect_free(test);
}

static void sva_test_owner_refuses_bond(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	expect_refused(test, -EBUSY);
	KUNIT_EXPECT_EQ(test, log_refused(log, f, "its IOMMU group %d is owned by userspace (",
					  f->group->id), 1);
	iommu_group_release_dma_owner(f->group);
	iommu_sva_unbind_device(bind(test));
	expect_free(test);
}

/* The group is on its default domain again, and the owner's until the release. */
static void sva_test_retired_owner_refuses_bond(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	iommu_group_retire_dma_owner(f->group);
	iommu_detach_group(domain, f->group);
	expect_all_on(test, f->group->default_domain);
	expect_refused(test, -EBUSY);
	iommu_group_release_dma_owner(f->group);
	iommu_domain_free(domain);
	expect_free(test);
}

static void sva_test_stranded_device(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	mock_iommu.fail_attach = 1;
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_PTR_EQ(test, f->group->domain, f->group->default_domain);
	expect_refused(test, -EBUSY);
	KUNIT_EXPECT_EQ(test, log_refused(log, f, "it or its IOMMU group %d is not on",
					  f->group->id), 1);
	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	unuse(f, 0);
	iommu_sva_unbind_device(bind(test));
	expect_free(test);
}

static void sva_test_other_domain_refuses_bond(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct device *dev = &f->dev[0]->dev;
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, dev), 0);
	expect_refused(test, -EBUSY);
	iommu_detach_device(domain, dev);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), 0);
	expect_refused(test, -EBUSY);
	iommu_detach_group(domain, f->group);
	KUNIT_EXPECT_EQ(test, log_refused(log, f, "it or its IOMMU group %d is not on",
					  f->group->id), 2);
	iommu_domain_free(domain);
	expect_free(test);
}

static void sva_test_bond_refuses_owner(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_sva *handle = bind(test);
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), -EPERM);
	KUNIT_EXPECT_EQ(test, log_count(log, f, "%s " WORKS, dev_name(&f->dev[0]->dev)), 1);
	expect_all_on(test, f->group->default_domain);
	iommu_sva_unbind_device(handle);
	expect_free(test);
}

static void sva_test_bond_refuses_other_domain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct device *dev = &f->dev[0]->dev;
	struct iommu_sva *handle = bind(test);
	struct kmsg_dumper log = log_end();

	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, dev), -EBUSY);
	KUNIT_EXPECT_EQ(test, log_lines(log, "%s of its IOMMU group %d " WORKS,
					dev_name(dev), f->group->id), 1);
	KUNIT_EXPECT_EQ(test, iommu_attach_group(domain, f->group), -EBUSY);
	expect_all_on(test, f->group->default_domain);
	iommu_sva_unbind_device(handle);
	iommu_domain_free(domain);
	expect_free(test);
}

static void sva_test_bond_is_kernel_use(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_sva *handle = bind(test);
	struct kmsg_dumper log = log_end();

	mutex_lock(&f->group->mutex);
	KUNIT_EXPECT_STREQ(test, iommu_dma_owner_name(f->group), "kernel");
	KUNIT_EXPECT_EQ(test, iommu_dma_owner_count(f->group), 1U);
	mutex_unlock(&f->group->mutex);
	KUNIT_EXPECT_TRUE(test, iommu_group_dma_owner_claimed(f->group));
	iommu_group_report_claimed(f->group);
	KUNIT_EXPECT_EQ(test, log_lines(log, "group %d: not viable: %s " WORKS,
					f->group->id, dev_name(&f->dev[0]->dev)), 1);

	/* A claim beside it counts the device once. */
	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	mutex_lock(&f->group->mutex);
	KUNIT_EXPECT_EQ(test, iommu_dma_owner_count(f->group), 1U);
	mutex_unlock(&f->group->mutex);
	unuse(f, 0);
	KUNIT_EXPECT_TRUE(test, iommu_group_dma_owner_claimed(f->group));
	iommu_sva_unbind_device(handle);
	expect_free(test);
}

/* The siblings of a device with a bond are not taken from under it, either. */
static void sva_test_device_joins(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = alloc_domain(test);
	struct iommu_sva *handle = bind(test);

	f->dev[1] = mock_device_add(test, f->group);
	expect_all_on(test, f->group->default_domain);
	KUNIT_EXPECT_EQ(test, iommu_attach_device(domain, &f->dev[1]->dev), -EBUSY);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(try_bind(f)), -EINVAL);
	iommu_sva_unbind_device(handle);
	iommu_domain_free(domain);
	expect_free(test);
}

static void sva_test_device_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct device *dev = get_device(&f->dev[0]->dev);
	struct kmsg_dumper log = log_end();
	struct iommu_sva *handle = bind(test);
	unsigned int refs;

	refs = kref_read(&dev->kobj.kref);
	f->dev[1] = mock_device_add(test, f->group);
	del_device(f, 0);
	KUNIT_EXPECT_EQ(test, log_lines(log, "%s: " LEAVES, dev_name(dev), f->group->id), 1);
	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	iommu_group_release_dma_owner(f->group);

	KUNIT_EXPECT_EQ(test, mock_iommu.bonds, 1U);
	KUNIT_EXPECT_LT(test, kref_read(&dev->kobj.kref), refs);
	refs = kref_read(&dev->kobj.kref);
	iommu_sva_unbind_device(handle);
	KUNIT_EXPECT_EQ(test, mock_iommu.bonds, 0U);
	KUNIT_EXPECT_EQ(test, kref_read(&dev->kobj.kref), refs - 1);
	put_device(dev);
}

struct pasid_holder {
	struct rcu_head rcu;
	ioasid_t pasid;
};

static void put_pasid(struct rcu_head *rcu)
{
	ioasid_put(container_of(rcu, struct pasid_holder, rcu)->pasid);
}

/* A reference is dropped in a softirq: lockdep sees whether the lock is for that. */
static void sva_test_pasid_put_by_rcu(struct kunit *test)
{
	struct pasid_holder *holder = kunit_kzalloc(test, sizeof(*holder), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, holder);
	holder->pasid = ioasid_alloc(NULL, 1, 100, NULL);
	KUNIT_ASSERT_NE(test, holder->pasid, INVALID_IOASID);
	KUNIT_EXPECT_EQ(test, ioasid_get(holder->pasid), 0);
	call_rcu(&holder->rcu, put_pasid);
	rcu_barrier();

	/* One is left. */
	KUNIT_EXPECT_EQ(test, ioasid_get(holder->pasid), 0);
	ioasid_put(holder->pasid);
	ioasid_put(holder->pasid);
	KUNIT_EXPECT_EQ(test, ioasid_get(holder->pasid), -ENOENT);
}

static struct kunit_case sva_cases[] = {
	KUNIT_CASE(sva_test_kernel_thread),
	KUNIT_CASE(sva_test_unknown_flag),
	KUNIT_CASE(sva_test_supervisor),
	KUNIT_CASE(sva_test_same_handle_twice),
	KUNIT_CASE(sva_test_driver_fails),
	KUNIT_CASE(sva_test_no_way_to_bind),
	KUNIT_CASE(sva_test_no_group),
	KUNIT_CASE(sva_test_group_of_several),
	KUNIT_CASE(sva_test_owner_refuses_bond),
	KUNIT_CASE(sva_test_retired_owner_refuses_bond),
	KUNIT_CASE(sva_test_stranded_device),
	KUNIT_CASE(sva_test_other_domain_refuses_bond),
	KUNIT_CASE(sva_test_bond_refuses_owner),
	KUNIT_CASE(sva_test_bond_refuses_other_domain),
	KUNIT_CASE(sva_test_bond_is_kernel_use),
	KUNIT_CASE(sva_test_device_joins),
	KUNIT_CASE(sva_test_device_leaves),
	KUNIT_CASE(sva_test_pasid_put_by_rcu),
	{}
};

static struct kunit_suite sva_suite = {
	.name = "iommu_sva",
	.init = sva_test_init,
	.exit = sva_test_exit,
	.test_cases = sva_cases,
};

kunit_test_suite(sva_suite);
