/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The harness for tests that play in a scene: what their fixtures have in common,
 * and what they expect again and again.
 */
#ifndef SELFTESTS_IOMMU_SCENE_TEST_H
#define SELFTESTS_IOMMU_SCENE_TEST_H

#include <errno.h>

#include "harness.h"
#include "scene.h"

/*
 * For a setup on a machine that cannot show what the case is about. The harness
 * would run the test all the same after SKIP(return); 255 is its own way out.
 */
#define SKIP_CASE(reason)	SKIP(_exit(255), reason)

/*
 * A variant of a fixture, and the two that most have. Both end in a declaration,
 * as they are followed by a semicolon.
 */
#define SCENE_VARIANT(_fixture, _name, _topology)			\
	FIXTURE_VARIANT_ADD(_fixture, _name) { .topology = _topology };	\
	struct scene

#define SCENE_VARIANTS(_fixture...)					\
	FIXTURE_VARIANT(_fixture) { enum topology topology; };		\
	SCENE_VARIANT(_fixture, aliased, ALIASED);			\
	SCENE_VARIANT(_fixture, distinct, DISTINCT);			\
	struct scene

/* For a setup: the scene that the variant is about. */
#define setup_scene(_scene, _topology) do {				\
	enum topology __topology = (_topology);				\
									\
	if (!scene_exists(__topology))					\
		SKIP_CASE("no group of this kind");			\
	ASSERT_EQ(0, scene_setup(_scene, __topology));			\
} while (0)

/* Because this process owns the group, @_bdf is kept from @_driver. */
#define expect_bind_refused(_scene, _driver, _bdf) do {			\
	const char *__driver = (_driver), *__bdf = (_bdf);		\
									\
	EXPECT_EQ(-EBUSY, pci_bind(__bdf, __driver));			\
	EXPECT_TRUE(pci_bound_to(__bdf, ""));				\
	EXPECT_EQ(1, refusal_logged(_scene, __driver, __bdf));		\
} while (0)

/* The same for B and its driver. */
#define expect_refused(_scene) do {					\
	struct scene *__scene = (_scene);				\
									\
	expect_bind_refused(__scene, "e1000", __scene->b);		\
} while (0)

/* B was found again: it is in its group, and kept from its driver. */
#define expect_found_refused(_scene) do {				\
	struct scene *__scene = (_scene);				\
									\
	EXPECT_TRUE(pci_bound_to(__scene->b, ""));			\
	EXPECT_EQ(__scene->group->id, group_of(__scene->b));		\
	EXPECT_EQ(1, refusal_logged(__scene, "e1000", __scene->b));	\
} while (0)

#endif
