// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the MSI windows of IOMMU domains
 *
 * dma-iommu.c and the descriptors are the real ones, on the mock IOMMU of
 * mock_iommu.h. The devices have as many doorbells as a test wants, which few
 * machines have. group_fixture.h tells what each test begins and ends with.
 */

#include <kunit/test.h>
#include <linux/dma-iommu.h>
#include <linux/msi.h>
#include <linux/sizes.h>
#include "group_fixture.h"
#include "mock_iommu.h"

#define NR_MSIS		4
#define FIRST		0x10000000ULL
#define SECOND		0x20000000ULL
/* Doorbells, that is registers, not all of which begin a page */
#define BELL(_n)	(0xa0000040ULL + (_n) * SZ_64K)

/* MSIs of the first device, in a domain of the test's */
struct msis {
	struct fixture *f;
	struct iommu_domain *domain;
	struct msi_desc *desc[NR_MSIS];
};

static void msis_init(struct kunit *test, struct msis *msis)
{
	int i;

	msis->f = test->priv;
	msis->domain = alloc_domain(test);
	KUNIT_ASSERT_EQ(test, iommu_attach_group(msis->domain, msis->f->group), 0);
	for (i = 0; i < NR_MSIS; i++) {
		msis->desc[i] = alloc_msi_entry(&msis->f->dev[0]->dev, 1, NULL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, msis->desc[i]);
	}
}

static void msi_free(struct msis *msis, int i)
{
	if (msis->desc[i])
		free_msi_entry(msis->desc[i]);
	msis->desc[i] = NULL;
}

static void domain_free(struct msis *msis)
{
	iommu_detach_group(msis->domain, msis->f->group);
	iommu_domain_free(msis->domain);
}

/* The MSIs first, as those of a driver that is removed */
static void msis_exit(struct kunit *test, struct msis *msis)
{
	int i;

	for (i = 0; i < NR_MSIS; i++)
		msi_free(msis, i);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 0U);
	domain_free(msis);
}

static int add_with(struct msis *msis, dma_addr_t base, size_t size, int prot)
{
	int ret;

	iommu_dma_lock_msi();
	ret = iommu_dma_add_msi_window(msis->domain, base, size, prot);
	iommu_dma_unlock_msi();
	return ret;
}

static int add(struct msis *msis, dma_addr_t base, size_t size)
{
	return add_with(msis, base, size, IOMMU_WRITE);
}

static int locked(struct msis *msis, int (*fn)(struct iommu_domain *domain, dma_addr_t base),
		  dma_addr_t base)
{
	int ret;

	iommu_dma_lock_msi();
	ret = fn(msis->domain, base);
	iommu_dma_unlock_msi();
	return ret;
}

/* What can be removed, and what not, is told before. */
static int remove(struct msis *msis, dma_addr_t base)
{
	int told = locked(msis, iommu_dma_test_msi_window, base);
	int ret = locked(msis, iommu_dma_remove_msi_window, base);

	return told == ret ? ret : -EPROTO;
}

static int close(struct msis *msis, dma_addr_t base)
{
	return locked(msis, iommu_dma_close_msi_window, base);
}

static void open(struct msis *msis, dma_addr_t base)
{
	iommu_dma_lock_msi();
	iommu_dma_open_msi_window(msis->domain, base);
	iommu_dma_unlock_msi();
}

static int prepare(struct msis *msis, int i, phys_addr_t bell)
{
	return iommu_dma_prepare_msi(msis->desc[i], bell);
}

/* Where the device is told to write: to the doorbell itself, without a page */
static u64 address(struct msis *msis, int i, phys_addr_t bell)
{
	struct msi_msg msg = {
		.address_lo = lower_32_bits(bell),
		.address_hi = upper_32_bits(bell),
	};

	iommu_dma_compose_msi_msg(msis->desc[i], &msg);
	return (u64)msg.address_hi << 32 | msg.address_lo;
}

static void expect_at(struct kunit *test, struct msis *msis, int i, phys_addr_t bell,
		      u64 page)
{
	KUNIT_EXPECT_EQ(test, prepare(msis, i, bell), 0);
	KUNIT_EXPECT_EQ(test, address(msis, i, bell), page + offset_in_page(bell));
}

static void msi_window_test_lowest_free_page(struct kunit *test)
{
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_ASSERT_EQ(test, add(&msis, SECOND, 2 * PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, PAGE_SIZE), 0);
	expect_at(test, &msis, 0, BELL(0), SECOND);
	expect_at(test, &msis, 1, BELL(1), SECOND + PAGE_SIZE);
	expect_at(test, &msis, 2, BELL(2), FIRST);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 3U);
	KUNIT_EXPECT_EQ(test, prepare(&msis, 3, BELL(3)), -ENOSPC);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 3U);

	msi_free(&msis, 0);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 2U);
	expect_at(test, &msis, 3, BELL(3), SECOND);
	msis_exit(test, &msis);
}

static void msi_window_test_shared_page(struct kunit *test)
{
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, PAGE_SIZE), 0);
	expect_at(test, &msis, 0, BELL(0), FIRST);
	expect_at(test, &msis, 1, BELL(0) + 8, FIRST);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 1U);
	msi_free(&msis, 0);
	KUNIT_EXPECT_EQ(test, remove(&msis, FIRST), -EBUSY);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 1U);
	msi_free(&msis, 1);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 0U);
	KUNIT_EXPECT_EQ(test, remove(&msis, FIRST), 0);
	msis_exit(test, &msis);
}

/* A descriptor is one user, however often it is prepared. */
static void msi_window_test_prepared_again(struct kunit *test)
{
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, 2 * PAGE_SIZE), 0);
	expect_at(test, &msis, 0, BELL(0), FIRST);
	expect_at(test, &msis, 0, BELL(0), FIRST);
	msi_free(&msis, 0);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 0U);

	expect_at(test, &msis, 1, BELL(0), FIRST);
	expect_at(test, &msis, 1, BELL(1), FIRST + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 1U);
	msis_exit(test, &msis);
}

/* The device came to another domain before its MSI was freed, or asked for anew. */
static void msi_window_test_stale_page(struct kunit *test)
{
	struct iommu_domain *old;
	struct msis msis;

	msis_init(test, &msis);
	old = msis.domain;
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, PAGE_SIZE), 0);
	expect_at(test, &msis, 0, BELL(0), FIRST);
	expect_at(test, &msis, 1, BELL(0), FIRST);
	iommu_detach_group(old, msis.f->group);
	msis.domain = alloc_domain(test);
	KUNIT_ASSERT_EQ(test, iommu_attach_group(msis.domain, msis.f->group), 0);
	KUNIT_ASSERT_EQ(test, add(&msis, SECOND, PAGE_SIZE), 0);

	expect_at(test, &msis, 0, BELL(0), SECOND);
	KUNIT_EXPECT_EQ(test, mock_iommu.mapped, 2U);
	iommu_domain_free(old);
	expect_at(test, &msis, 2, BELL(0), SECOND);
	msi_free(&msis, 1);
	msi_free(&msis, 0);
	KUNIT_EXPECT_EQ(test, address(&msis, 2, BELL(0)), SECOND + offset_in_page(BELL(0)));
	KUNIT_EXPECT_EQ(test, remove(&msis, SECOND), -EBUSY);
	mock_iommu.mapped--;	/* what was freed with its domain */
	msis_exit(test, &msis);
}

/* Cut off, or on a domain without windows: the device has an MSI that goes nowhere. */
static void msi_window_test_without_windows(struct kunit *test)
{
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_EXPECT_EQ(test, prepare(&msis, 0, BELL(0)), 0);
	KUNIT_EXPECT_EQ(test, address(&msis, 0, BELL(0)), BELL(0));
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, address(&msis, 0, BELL(0)), BELL(0));
	expect_at(test, &msis, 0, BELL(0), FIRST);
	msis_exit(test, &msis);
}

static void msi_window_test_bad_windows(struct kunit *test)
{
	struct msis msis;
	int ret;

	msis_init(test, &msis);
	KUNIT_EXPECT_EQ(test, add(&msis, FIRST, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(&msis, FIRST + 1, PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(&msis, FIRST, PAGE_SIZE + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(&msis, -(dma_addr_t)PAGE_SIZE, 2 * PAGE_SIZE), -EINVAL);

	msis.domain->geometry.aperture_start = FIRST;
	msis.domain->geometry.aperture_end = SECOND - 1;
	msis.domain->geometry.force_aperture = true;
	KUNIT_EXPECT_EQ(test, add(&msis, FIRST - PAGE_SIZE, 2 * PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(&msis, SECOND - PAGE_SIZE, 2 * PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(&msis, FIRST, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, add(&msis, FIRST + PAGE_SIZE, PAGE_SIZE), -EEXIST);
	KUNIT_EXPECT_EQ(test, add(&msis, FIRST, 3 * PAGE_SIZE), -EEXIST);

	KUNIT_EXPECT_EQ(test, add_with(&msis, FIRST + SZ_1M, PAGE_SIZE, IOMMU_READ), -EINVAL);
	KUNIT_EXPECT_EQ(test, add_with(&msis, FIRST + SZ_1M, PAGE_SIZE,
				       IOMMU_WRITE | IOMMU_CACHE), -EINVAL);
	iommu_dma_lock_msi();
	ret = iommu_dma_add_msi_window(msis.f->group->default_domain, FIRST, PAGE_SIZE,
				       IOMMU_WRITE);
	iommu_dma_unlock_msi();
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);

	KUNIT_EXPECT_EQ(test, remove(&msis, FIRST + PAGE_SIZE), -ENOENT);
	KUNIT_EXPECT_EQ(test, close(&msis, SECOND), -ENOENT);
	open(&msis, SECOND);
	msis_exit(test, &msis);
}

static void msi_window_test_protection(struct kunit *test)
{
	const int fixed = IOMMU_NOEXEC | IOMMU_MMIO;
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, add_with(&msis, SECOND, PAGE_SIZE,
				       IOMMU_READ | IOMMU_WRITE), 0);
	expect_at(test, &msis, 0, BELL(0), FIRST);
	KUNIT_EXPECT_EQ(test, mock_iommu.last_prot, IOMMU_WRITE | fixed);
	expect_at(test, &msis, 1, BELL(1), SECOND);
	KUNIT_EXPECT_EQ(test, mock_iommu.last_prot, IOMMU_READ | IOMMU_WRITE | fixed);
	msis_exit(test, &msis);
}

static void msi_window_test_closed(struct kunit *test)
{
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, PAGE_SIZE), 0);
	expect_at(test, &msis, 0, BELL(0), FIRST);
	KUNIT_EXPECT_EQ(test, close(&msis, FIRST), -EBUSY);
	msi_free(&msis, 0);
	KUNIT_EXPECT_EQ(test, close(&msis, FIRST), 0);
	KUNIT_EXPECT_EQ(test, prepare(&msis, 1, BELL(0)), -ENOSPC);
	KUNIT_EXPECT_EQ(test, close(&msis, FIRST), -ENOENT);
	KUNIT_EXPECT_EQ(test, remove(&msis, FIRST), -ENOENT);
	KUNIT_ASSERT_EQ(test, add(&msis, SECOND, PAGE_SIZE), 0);
	expect_at(test, &msis, 1, BELL(0), SECOND);
	open(&msis, FIRST);
	expect_at(test, &msis, 2, BELL(1), FIRST);
	msis_exit(test, &msis);
}

/* What is closed is not in the way of another in the same place, nor mistaken for it. */
static void msi_window_test_over_a_closed_one(struct kunit *test)
{
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, 2 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, close(&msis, FIRST), 0);
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, add(&msis, FIRST, PAGE_SIZE), -EEXIST);
	expect_at(test, &msis, 0, BELL(0), FIRST);
	KUNIT_EXPECT_EQ(test, prepare(&msis, 1, BELL(1)), -ENOSPC);
	KUNIT_EXPECT_EQ(test, remove(&msis, FIRST), -EBUSY);
	msi_free(&msis, 0);
	KUNIT_EXPECT_EQ(test, remove(&msis, FIRST), 0);
	KUNIT_EXPECT_EQ(test, prepare(&msis, 1, BELL(1)), -ENOSPC);
	open(&msis, FIRST);
	expect_at(test, &msis, 1, BELL(1), FIRST);
	expect_at(test, &msis, 2, BELL(2), FIRST + PAGE_SIZE);
	msis_exit(test, &msis);
}

/* Address 0 is one like any other. */
static void msi_window_test_at_zero(struct kunit *test)
{
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_ASSERT_EQ(test, add(&msis, 0, 2 * PAGE_SIZE), 0);
	expect_at(test, &msis, 0, BELL(0), 0);
	expect_at(test, &msis, 1, BELL(1), PAGE_SIZE);
	expect_at(test, &msis, 2, BELL(0), 0);
	msis_exit(test, &msis);
}

/* What cannot be mapped takes no page. */
static void msi_window_test_failed_map(struct kunit *test)
{
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_ASSERT_EQ(test, add(&msis, FIRST, PAGE_SIZE), 0);
	expect_at(test, &msis, 0, BELL(0), FIRST);
	mock_iommu.fail_map = true;
	KUNIT_EXPECT_EQ(test, remove(&msis, FIRST), -EBUSY);
	KUNIT_ASSERT_EQ(test, add(&msis, SECOND, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, prepare(&msis, 0, BELL(1)), -EIO);
	KUNIT_EXPECT_EQ(test, address(&msis, 0, BELL(1)), BELL(1));
	/* The descriptor has let go of the page that it had. */
	KUNIT_EXPECT_EQ(test, remove(&msis, FIRST), 0);
	mock_iommu.fail_map = false;
	expect_at(test, &msis, 0, BELL(1), SECOND);
	msis_exit(test, &msis);
}

/* For those who know but the beginning of their window */
static void msi_window_test_cookie(struct kunit *test)
{
	struct msis msis;

	msis_init(test, &msis);
	KUNIT_EXPECT_EQ(test, iommu_get_msi_cookie(msis.domain, FIRST), 0);
	KUNIT_EXPECT_EQ(test, iommu_get_msi_cookie(msis.domain, FIRST), -EEXIST);
	expect_at(test, &msis, 0, BELL(0), FIRST);
	expect_at(test, &msis, 1, BELL(1), FIRST + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, add(&msis, SECOND, PAGE_SIZE), -EEXIST);
	KUNIT_EXPECT_EQ(test, iommu_get_msi_cookie(msis.f->group->default_domain, FIRST),
			-EINVAL);
	msis_exit(test, &msis);
}

static struct kunit_case msi_window_cases[] = {
	KUNIT_CASE(msi_window_test_lowest_free_page),
	KUNIT_CASE(msi_window_test_shared_page),
	KUNIT_CASE(msi_window_test_prepared_again),
	KUNIT_CASE(msi_window_test_stale_page),
	KUNIT_CASE(msi_window_test_without_windows),
	KUNIT_CASE(msi_window_test_bad_windows),
	KUNIT_CASE(msi_window_test_protection),
	KUNIT_CASE(msi_window_test_closed),
	KUNIT_CASE(msi_window_test_over_a_closed_one),
	KUNIT_CASE(msi_window_test_at_zero),
	KUNIT_CASE(msi_window_test_failed_map),
	KUNIT_CASE(msi_window_test_cookie),
	{}
};

static struct kunit_suite msi_window_suite = {
	.name = "iommu_msi_windows",
	.init = group_fixture_init,
	.exit = group_fixture_exit,
	.test_cases = msi_window_cases,
};

kunit_test_suite(msi_window_suite);
