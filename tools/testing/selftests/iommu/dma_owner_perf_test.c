// SPDX-License-Identifier: GPL-2.0-only
/*
 * What DMA ownership of a group costs. A case prints its figures as lines of
 * "name value unit" and fails only if it cannot measure: what is too much is for
 * others to say, who have the figures of another kernel to compare. So this runs
 * on kernels of before and after DMA ownership as well.
 *
 * The names end in the group's size, which is how many devices of the group can
 * do work: a bridge is in the group, too, but does not count. Of several groups
 * of one size the first is measured. A figure is the least of some rounds, which
 * no timer interrupted, and a name with a dot is that of a part of the figure
 * without it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "scene_test.h"

#define ROUNDS		15
#define MAX_SIZES	16
#define MAX_LAPS	4

/* The kernel logs ten refusals of a group in five seconds. */
#define REFUSALS	8
#define QUIET_SECONDS	6

/* A group, its first device and, where there is one, another. */
struct stage {
	const struct group *group;
	const struct pci_dev *devs[GROUP_MAX_DEVS];
	int size;
	struct vfio_user user;
	int files[GROUP_MAX_DEVS];
	const char *driver;	/* to bind the first device to */
	long sleeps;		/* of the refusals so far */
};

/*
 * A part of a round; returns 0 or -errno. Without a name it is not timed, with
 * an empty one it is not told apart from the whole.
 */
struct lap {
	const char *name;
	int (*run)(struct stage *stage);
};

struct course {
	const char *name;
	int rounds;
	bool per_device;	/* the figure is for one of the group's devices */
	struct lap laps[MAX_LAPS + 1];
};

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static __u64 least(const __u64 *values, int n)
{
	__u64 found = ~0ULL;

	while (n--) {
		if (values[n] < found)
			found = values[n];
	}
	return found;
}

/* A test ends without flushing its output. */
static void print_figure(const char *name, const char *part, int size, __u64 ns)
{
	printf("%s%s%s_%d %llu ns\n", name, *part ? "." : "", part, size,
	       (unsigned long long)ns);
	fflush(stdout);
}

/* Run all laps once. Adds what they took to *@total, and puts it into @laps. */
static int run_round(const struct course *course, struct stage *stage,
		     __u64 *total, __u64 *laps)
{
	const struct lap *lap;
	__u64 start;
	int ret;

	*total = 0;
	for (lap = course->laps; lap->run; lap++) {
		start = now_ns();
		ret = lap->run(stage);
		laps[lap - course->laps] = now_ns() - start;
		if (ret)
			return ret;
		if (lap->name)
			*total += laps[lap - course->laps];
	}
	return 0;
}

/* Print the least of all rounds but the first, which warms up. */
static int run_course(const struct course *course, struct stage *stage)
{
	__u64 totals[ROUNDS], laps[MAX_LAPS][ROUNDS], round[MAX_LAPS] = {};
	int i, lap, ret, share = course->per_device ? stage->size : 1;

	for (i = -1; i < course->rounds; i++) {
		ret = run_round(course, stage, &totals[i < 0 ? 0 : i], round);
		if (ret)
			return ret;
		for (lap = 0; lap < MAX_LAPS; lap++)
			laps[lap][i < 0 ? 0 : i] = round[lap];
	}
	for (lap = 0; course->laps[lap].run; lap++) {
		if (course->laps[lap].name && *course->laps[lap].name)
			print_figure(course->name, course->laps[lap].name,
				     stage->size,
				     least(laps[lap], course->rounds));
	}
	print_figure(course->name, "", stage->size,
		     least(totals, course->rounds) / share);
	return 0;
}

static void stage_read(struct stage *stage, const struct group *group)
{
	int i;

	*stage = (struct stage){ .group = group, .user = VFIO_USER_NONE };
	for (i = 0; i < group->ndevs; i++) {
		if (!is_bridge(&group->devs[i]))
			stage->devs[stage->size++] = &group->devs[i];
	}
}

static int by_size(const void *a, const void *b)
{
	const struct stage *x = a, *y = b;

	return x->size - y->size;
}

static bool has_size(const struct stage *stages, int n, int size)
{
	while (n--) {
		if (stages[n].size == size)
			return true;
	}
	return false;
}

/* The first group of each size into @stages, by size; returns how many. */
static int stages_read(struct stage *stages, int max)
{
	const struct group *group = NULL;
	int n = 0;

	while (n < max && (group = scene_next_group(group))) {
		stage_read(&stages[n], group);
		n += !has_size(stages, n, stages[n].size);
	}
	qsort(stages, n, sizeof(*stages), by_size);
	return n;
}

FIXTURE(perf)
{
	struct stage stages[MAX_SIZES];
	int nstages;
};

FIXTURE_SETUP(perf)
{
	int i;

	self->nstages = stages_read(self->stages, MAX_SIZES);
	if (!self->nstages)
		SKIP_CASE("no group of test devices");
	for (i = 0; i < self->nstages; i++)
		ASSERT_EQ(0, group_clear(self->stages[i].group));
}

FIXTURE_TEARDOWN(perf)
{
	int i;

	for (i = 0; i < self->nstages; i++) {
		vfio_user_close(&self->stages[i].user);
		EXPECT_EQ(0, group_clear(self->stages[i].group));
	}
}

static int claim(struct stage *stage)
{
	return vfio_user_claim(&stage->user, stage->group->id);
}

static int set_iommu(struct stage *stage)
{
	return vfio_set_iommu(stage->user.container);
}

static int get_device_fd(struct stage *stage)
{
	return vfio_user_open_device(&stage->user, stage->devs[0]->bdf);
}

static int close_all(struct stage *stage)
{
	vfio_user_close(&stage->user);
	return 0;
}

TEST_F(perf, claim_cycle)
{
	static const struct course course = {
		.name = "claim_cycle",
		.rounds = ROUNDS,
		.laps = {
			{ "claim", claim },
			{ "set_iommu", set_iommu },
			{ "get_device_fd", get_device_fd },
			{ "close", close_all },
		},
	};
	struct stage *stage;

	for (stage = self->stages; stage < self->stages + self->nstages; stage++) {
		ASSERT_EQ(0, pci_switch(stage->devs[0]->bdf, "vfio-pci"));
		ASSERT_EQ(0, run_course(&course, stage));
	}
}

static int claim_and_start(struct stage *stage)
{
	int ret;

	ret = claim(stage);
	return ret ? ret : set_iommu(stage);
}

static int open_each(struct stage *stage)
{
	int i;

	for (i = 0; i < stage->size; i++) {
		stage->files[i] = vfio_open_device(stage->user.group,
						   stage->devs[i]->bdf);
		if (stage->files[i] < 0)
			return stage->files[i];
	}
	return 0;
}

static int close_each(struct stage *stage)
{
	int i;

	for (i = 0; i < stage->size; i++)
		close(stage->files[i]);
	return close_all(stage);
}

/* Few rounds: between them the devices are reset, which takes a second. */
TEST_F(perf, open_each)
{
	static const struct course course = {
		.name = "open_each",
		.rounds = 3,
		.per_device = true,
		.laps = {
			{ NULL, claim_and_start },
			{ "", open_each },
			{ NULL, close_each },
		},
	};
	struct stage *stage;
	int i;

	for (stage = self->stages; stage < self->stages + self->nstages; stage++) {
		for (i = 0; i < stage->size; i++)
			ASSERT_EQ(0, pci_switch(stage->devs[i]->bdf, "vfio-pci"));
		ASSERT_EQ(0, run_course(&course, stage));
		ASSERT_EQ(0, group_clear(stage->group));
	}
}

static int bind_driver(struct stage *stage)
{
	return pci_bind(stage->devs[0]->bdf, stage->driver);
}

static int unbind_driver(struct stage *stage)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/unbind",
		 stage->driver);
	return sysfs_write(path, stage->devs[0]->bdf);
}

/* Bind the first device on each of @n stages to @driver, and unbind it. */
static int run_driver(struct stage *stages, int n, const char *name,
		      const char *driver)
{
	const struct course course = {
		.name = name,
		.rounds = ROUNDS,
		.laps = {
			{ "bind", bind_driver },
			{ "unbind", unbind_driver },
		},
	};
	struct stage *stage;
	int ret = 0;

	for (stage = stages; !ret && stage < stages + n; stage++) {
		stage->driver = driver;
		ret = pci_override(stage->devs[0]->bdf, driver);
		if (!ret)
			ret = run_course(&course, stage);
	}
	return ret;
}

TEST_F(perf, vfio_pci)
{
	EXPECT_EQ(0, run_driver(self->stages, self->nstages, "vfio_pci",
				"vfio-pci"));
}

TEST_F(perf, pci_stub)
{
	EXPECT_EQ(0, run_driver(self->stages, self->nstages, "pci_stub",
				"pci-stub"));
}

TEST_F(perf, kernel_driver)
{
	EXPECT_EQ(0, run_driver(self->stages, self->nstages, "kernel_driver",
				QUICK_DRIVER));
}

/* The driver's "bind" is open already: what is asked for is the refusal. */
static int refused_bind(struct stage *stage)
{
	const char *bdf = stage->devs[1]->bdf;

	if (write(stage->files[0], bdf, strlen(bdf)) >= 0)
		return -EPROTO;
	return errno == EBUSY ? 0 : -errno;
}

/* How often this thread gave up the CPU by itself. */
static long sleeps(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? -1 : usage.ru_nvcsw;
}

static int before_refusal(struct stage *stage)
{
	stage->sleeps -= sleeps();
	return 0;
}

static int after_refusal(struct stage *stage)
{
	stage->sleeps += sleeps();
	return 0;
}

/* How many records of the log, up to its end, tell of a refusal. */
static int count_refusals(int kmsg)
{
	int n = 0, ret;

	while ((ret = kmsg_find(kmsg, "probe refused")) > 0)
		n++;
	return ret ? ret : n;
}

/* A kernel that does not know owners would crash. */
static bool knows_owners(const struct group *group)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/dma_owner",
		 group->id);
	return !access(path, F_OK);
}

TEST_F(perf, refusal)
{
	static const struct course course = {
		.name = "refusal",
		.rounds = REFUSALS,
		.laps = {
			{ NULL, before_refusal },
			{ "", refused_bind },
			{ NULL, after_refusal },
		},
	};
	struct stage *stage;
	int bind, kmsg;

	if (!knows_owners(self->stages[0].group))
		SKIP(return, "the kernel does not refuse");
	sleep(QUIET_SECONDS);
	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	bind = open("/sys/bus/pci/drivers/" QUICK_DRIVER "/bind", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, bind);
	for (stage = self->stages; stage < self->stages + self->nstages; stage++) {
		if (stage->size < 2)
			continue;
		ASSERT_EQ(0, pci_switch(stage->devs[0]->bdf, "vfio-pci"));
		ASSERT_EQ(0, pci_override(stage->devs[1]->bdf, QUICK_DRIVER));
		ASSERT_EQ(0, claim_and_start(stage));
		stage->files[0] = bind;
		ASSERT_EQ(0, run_course(&course, stage));
		printf("sleeps_in_refusal_%d %ld times\n", stage->size,
		       stage->sleeps);
		fflush(stdout);
		EXPECT_EQ(REFUSALS + 1, count_refusals(kmsg));
	}
	close(bind);
	close(kmsg);
}

TEST(boot)
{
	__u64 us;
	int ret;

	ret = kmsg_time("as init process", &us);
	if (ret == -ENOENT)
		SKIP(return, "the log no longer reaches back to it");
	ASSERT_EQ(0, ret);
	printf("boot_to_init %llu us\n", (unsigned long long)us);
	fflush(stdout);
}

TEST_HARNESS_MAIN
