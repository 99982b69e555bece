/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the unit tests of the claims on IOMMU groups begin and end with: a group of
 * three devices without drivers. Each test ends with a check that nothing is left
 * behind: no claim on the group, no domain leaked or freed under a device.
 */
#ifndef __GROUP_FIXTURE_H
#define __GROUP_FIXTURE_H

#include <kunit/test.h>
#include <linux/kmsg_dump.h>
#include <linux/kref.h>
#include <linux/string.h>
#include "../iommu-group.h"
#include "mock_iommu.h"

#define NR_DEVICES	3

struct fixture {
	struct iommu_group *group;
	struct mock_device *dev[NR_DEVICES];
};

/* Cookie of an owner */
static int alice;

static inline int group_fixture_init(struct kunit *test)
{
	struct fixture *f;
	int i;

	KUNIT_ASSERT_EQ(test, mock_iommu_init(test), 0);

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);

	f->group = iommu_group_alloc();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->group);
	for (i = 0; i < NR_DEVICES; i++)
		f->dev[i] = mock_device_add(test, f->group);

	test->priv = f;
	return 0;
}

static inline void del_device(struct fixture *f, int i)
{
	if (f->dev[i])
		mock_device_del(f->dev[i]);
	f->dev[i] = NULL;
}

static inline void del_all_devices(struct fixture *f)
{
	int i;

	for (i = 0; i < NR_DEVICES; i++)
		del_device(f, i);
}

static inline void group_fixture_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;

	del_all_devices(f);
	KUNIT_EXPECT_EQ(test, f->group->owner_cnt, 0U);
	KUNIT_EXPECT_FALSE(test, f->group->owner);
	KUNIT_EXPECT_FALSE(test, f->group->private_domain);
	KUNIT_EXPECT_FALSE(test, f->group->owner_pid);
	/* The devices are gone, so this reference is the last one. */
	KUNIT_EXPECT_EQ(test, kref_read(&f->group->devices_kobj->kref), 1U);
	iommu_group_put(f->group);
	KUNIT_EXPECT_EQ(test, mock_iommu.domains, 0U);
	KUNIT_EXPECT_EQ(test, mock_iommu.errors, 0U);
}

static inline int use(struct fixture *f, int i)
{
	return iommu_device_use_dma_api(&f->dev[i]->dev);
}

static inline void unuse(struct fixture *f, int i)
{
	iommu_device_unuse_dma_api(&f->dev[i]->dev);
}

static inline void expect_all_on(struct kunit *test, struct iommu_domain *domain)
{
	struct fixture *f = test->priv;
	int i;

	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, domain);
	KUNIT_EXPECT_PTR_EQ(test, f->group->domain, domain);
	for (i = 0; i < NR_DEVICES; i++)
		if (f->dev[i])
			KUNIT_EXPECT_PTR_EQ(test, f->dev[i]->attached, domain);
}

/* The group is free, and can be claimed by either side. */
static inline void expect_free(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_FALSE(test, iommu_group_dma_owner_claimed(f->group));
	KUNIT_EXPECT_FALSE(test, f->group->owner_pid);
	expect_all_on(test, f->group->default_domain);

	KUNIT_EXPECT_EQ(test, iommu_group_set_dma_owner(f->group, &alice), 0);
	iommu_group_release_dma_owner(f->group);
	KUNIT_EXPECT_EQ(test, use(f, 0), 0);
	unuse(f, 0);
	expect_all_on(test, f->group->default_domain);
}

static inline struct iommu_domain *alloc_domain(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iommu_domain *domain = iommu_domain_alloc(f->dev[0]->dev.bus);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, domain);
	return domain;
}

/* The end of the log: what comes from here on can be counted. */
static inline struct kmsg_dumper log_end(void)
{
	struct kmsg_dumper log = { .active = true };

	kmsg_dump_rewind(&log);
	log.cur_seq = log.next_seq;
	return log;
}

/* Counts the lines since log_end() with this text. */
static inline __printf(2, 3)
int log_lines(struct kmsg_dumper log, const char *fmt, ...)
{
	char text[192], line[256];
	int count = 0;
	va_list args;
	size_t len;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	while (kmsg_dump_get_line(&log, false, line, sizeof(line), &len))
		if (strnstr(line, text, len))
			count++;
	return count;
}

/* Counts the lines since log_end() that tell why the group was refused so. */
static inline __printf(3, 4)
int log_count(struct kmsg_dumper log, struct fixture *f, const char *fmt, ...)
{
	char why[64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return log_lines(log, "iommu: group %d: claim refused: %s",
			 f->group->id, why);
}

#endif /* __GROUP_FIXTURE_H */
