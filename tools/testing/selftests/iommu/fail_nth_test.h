/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The harness for tests that fail one allocation after the other.
 *
 * Each test takes one operation and runs it again and again, with its first,
 * second, ... allocation failing, until there are no more. The operation may
 * succeed or fail each time, but must leave what its result says. Splats are
 * for others to find: best run with panic_on_warn, where the last line of the
 * log that this program wrote tells which allocation did it.
 */
#ifndef SELFTESTS_IOMMU_FAIL_NTH_TEST_H
#define SELFTESTS_IOMMU_FAIL_NTH_TEST_H

#include "fail_nth.h"
#include "lib/fault.h"
#include "scene_test.h"

FIXTURE(fail_nth)
{
	struct scene scene;
	int fd;
};

SCENE_VARIANTS(fail_nth);

FIXTURE_SETUP(fail_nth)
{
	setup_scene(&self->scene, variant->topology);
	self->fd = fault_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, keep_enabled(&self->scene, true));
	ASSERT_EQ(0, pci_override(self->scene.b, QUICK_DRIVER));
}

FIXTURE_TEARDOWN(fail_nth)
{
	close(self->fd);
	EXPECT_EQ(0, keep_enabled(&self->scene, false));
	EXPECT_EQ(0, scene_teardown(&self->scene));
}

/* One run of @op with its @nth allocation failing: was there one? */
static int fail_one(struct __test_metadata *_metadata, struct scene *scene,
		    int fd, const struct operation *op, int nth)
{
	char line[64];
	int ret, hit;

	snprintf(line, sizeof(line), "fail_nth: %s, allocation %d\n", op->name,
		 nth);
	sysfs_write("/dev/kmsg", line);
	if (op->prepare)
		ASSERT_EQ(0, op->prepare(scene));
	ASSERT_EQ(0, fault_arm(fd, nth));
	ret = op->run(scene);
	hit = fault_disarm(fd);
	ASSERT_LE(0, hit);
	if (!hit)
		EXPECT_EQ(op->expect, ret);
	EXPECT_TRUE(is_sane(ret)) TH_LOG("%s %d: %d", op->name, nth, ret);
	EXPECT_EQ(0, op->check(scene, ret)) TH_LOG("%s %d: %d", op->name, nth, ret);
	EXPECT_EQ(0, settle(scene)) TH_LOG("%s %d: %d", op->name, nth, ret);
	return hit;
}

static void fail_each(struct __test_metadata *_metadata, struct scene *scene,
		      int fd, const struct operation *op)
{
	int faults = 0;

	while (_metadata->passed &&
	       fail_one(_metadata, scene, fd, op, faults + 1))
		faults++;
	EXPECT_EQ(0, prove(scene));
	EXPECT_LE(op->least, faults);
	printf("# faults injected: %d\n", faults);
	fflush(stdout);
}

#endif
