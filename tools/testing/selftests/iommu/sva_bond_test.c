// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is bound to a device that works on the memory of processes, under which PASID,
 * and what is left behind. The devices are those of the mock IOMMU, see
 * drivers/iommu/tests/sva_hooks.c, so this needs no hardware; sva_dma_test has some.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "lib/fault.h"
#include "lib/kmsg.h"
#include "lib/process.h"
#include "lib/sva.h"

#define STORM_TASKS	8
#define STORM_TURNS	100
#define GONE_SECONDS	60
#define FAULTS_MAX	2000

/* How often an error is provoked whose reference to the mm may be lost. */
#define ERROR_TURNS	8

/* The lowest PASID is the first that is given to anybody. */
#define FIRST_PASID	1

static unsigned int bonds(void)
{
	unsigned int count;

	return sva_mock_get("bonds", &count) ? ~0U : count;
}

/* Whether there are so many bonds, or will be soon. */
static bool bonds_become(unsigned int count)
{
	int tries;

	for (tries = 0; bonds() != count && tries < GONE_SECONDS * 20; tries++)
		usleep(50000);
	return bonds() == count;
}

static unsigned int mm_refs(void)
{
	unsigned int refs;

	return sva_mock_get("mm_refs", &refs) ? 0 : refs;
}

/*
 * Whether so many more are left after ERROR_TURNS errors that those lost some. The
 * idle task and other kernel threads borrow the mm of a CPU that they run on.
 */
static bool mm_refs_lost(unsigned int before)
{
	return mm_refs() > before + sysconf(_SC_NPROCESSORS_ONLN);
}

/* The PASID that a new process gets of a device, while it has it. */
static int pasid_of_child(const char *device)
{
	pid_t child;
	int queue;

	child = fork();
	if (!child) {
		queue = sva_open(device);
		_exit(queue < 0 ? 0 : sva_pasid(queue));
	}
	return child_status(child);
}

FIXTURE(bond)
{
	char first[64];
	char second[64];
	int kmsg;
};

FIXTURE_SETUP(bond)
{
	if (!sva_mock_exists())
		SKIP(_exit(255), "no mock devices in this kernel");
	ASSERT_EQ(0, sva_let_go());
	ASSERT_EQ(0, sva_mock_set("devices", 2));
	ASSERT_EQ(0, sva_mock_device(0, self->first, sizeof(self->first)));
	ASSERT_EQ(0, sva_mock_device(1, self->second, sizeof(self->second)));
	ASSERT_EQ(0U, bonds());
	self->kmsg = kmsg_open();
	ASSERT_LE(0, self->kmsg);
}

/*
 * Nothing is left behind, no bond and no PASID that somebody still has, and nothing
 * was given back twice.
 */
FIXTURE_TEARDOWN(bond)
{
	EXPECT_TRUE(bonds_become(0));
	EXPECT_EQ(0, kmsg_find(self->kmsg, "unknown IOASID"));
	close(self->kmsg);
	EXPECT_EQ(FIRST_PASID, pasid_of_child(self->first));
	EXPECT_TRUE(bonds_become(0));
	EXPECT_EQ(0, sva_mock_set("fail_bind", 0));
	EXPECT_EQ(0, sva_mock_set("foreign_pasid", 0));
	EXPECT_EQ(0, sva_mock_set("max_pasid", 0));
	EXPECT_EQ(0, sva_mock_set("devices", 0));
}

TEST_F(bond, opened_twice)
{
	int one, two;

	one = sva_open(self->first);
	ASSERT_LE(0, one);
	two = sva_open(self->first);
	ASSERT_LE(0, two);
	EXPECT_EQ(FIRST_PASID, sva_pasid(one));
	EXPECT_EQ(FIRST_PASID, sva_pasid(two));
	EXPECT_EQ(1U, bonds());
	close(one);
	EXPECT_EQ(1U, bonds());
	EXPECT_EQ(FIRST_PASID, sva_pasid(two));
	close(two);
	EXPECT_EQ(0U, bonds());
}

/* A process that has let go of all its bonds gets another PASID. */
TEST_F(bond, opened_again)
{
	pid_t child;
	int queue;

	queue = sva_open(self->first);
	ASSERT_LE(0, queue);
	close(queue);
	child = fork();
	if (!child)
		_exit(sva_open(self->first) < 0 || pause());
	ASSERT_TRUE(bonds_become(1));
	queue = sva_open(self->first);
	ASSERT_LE(0, queue);
	EXPECT_EQ(FIRST_PASID + 1, sva_pasid(queue));
	close(queue);
	EXPECT_EQ(0, stop_child(child));
}

TEST_F(bond, two_devices_share_a_pasid)
{
	int one, two;

	one = sva_open(self->first);
	ASSERT_LE(0, one);
	two = sva_open(self->second);
	ASSERT_LE(0, two);
	EXPECT_EQ(FIRST_PASID, sva_pasid(one));
	EXPECT_EQ(FIRST_PASID, sva_pasid(two));
	EXPECT_EQ(2U, bonds());
	/* The process keeps it until the last of them is closed. */
	close(one);
	EXPECT_NE(FIRST_PASID, pasid_of_child(self->first));
	EXPECT_EQ(FIRST_PASID, sva_pasid(two));
	close(two);
}

TEST_F(bond, child_has_another_pasid)
{
	pid_t child;
	int mine, own;

	mine = sva_open(self->first);
	ASSERT_LE(0, mine);
	child = fork();
	if (!child) {
		own = sva_open(self->first);
		if (own < 0 || sva_pasid(own) == FIRST_PASID)
			_exit(1);
		/* What was inherited is still the parent's. */
		_exit(sva_pasid(mine) != FIRST_PASID || bonds() != 2);
	}
	EXPECT_EQ(0, child_status(child));
	EXPECT_TRUE(bonds_become(1));
	close(mine);
}

static void *open_in_thread(void *device)
{
	return (void *)(long)sva_open(device);
}

TEST_F(bond, threads_share_a_pasid)
{
	pthread_t thread;
	void *theirs;
	int mine;

	mine = sva_open(self->first);
	ASSERT_LE(0, mine);
	ASSERT_EQ(0, pthread_create(&thread, NULL, open_in_thread, self->first));
	ASSERT_EQ(0, pthread_join(thread, &theirs));
	ASSERT_LE(0, (long)theirs);
	EXPECT_EQ(FIRST_PASID, sva_pasid((long)theirs));
	EXPECT_EQ(1U, bonds());
	close((long)theirs);
	close(mine);
}

/* The process that is bound exits, and its child closes the file later. */
TEST_F(bond, child_closes_after_exit)
{
	pid_t binder;
	int queue;

	binder = fork();
	if (!binder) {
		queue = sva_open(self->first);
		if (queue < 0)
			_exit(1);
		if (!fork()) {
			while (getppid() != 1)
				usleep(10000);
			usleep(300000);
			/* The process is gone, and its PASID is still its own. */
			_exit(sva_pasid(queue) != FIRST_PASID || close(queue));
		}
		_exit(0);
	}
	EXPECT_EQ(0, child_status(binder));
	EXPECT_EQ(1U, bonds());
	EXPECT_NE(FIRST_PASID, pasid_of_child(self->second));
	EXPECT_TRUE(bonds_become(0));
}

/* Another process is given the file, and is the last to close it. */
TEST_F(bond, stranger_closes_last)
{
	int ends[2], queue;
	pid_t stranger;
	char byte;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	stranger = fork();
	if (!stranger) {
		close(ends[0]);
		/* Only in the message is there a copy now. It is closed unread. */
		_exit(recv(ends[1], &byte, 1, MSG_PEEK) != 1 || bonds() != 1 ||
		      close(ends[1]));
	}
	close(ends[1]);
	queue = sva_open(self->first);
	ASSERT_LE(0, queue);
	EXPECT_EQ(1U, bonds());
	close(queue);
	EXPECT_EQ(0U, bonds());

	queue = sva_open(self->first);
	ASSERT_LE(0, queue);
	EXPECT_EQ(0, send_fd(ends[0], queue));
	close(queue);
	EXPECT_EQ(0, child_status(stranger));
	close(ends[0]);
	EXPECT_TRUE(bonds_become(0));
}

/* A work item lets go of a process that has exited. */
TEST_F(bond, work_item_unbinds)
{
	pid_t child;
	int queue;

	child = fork();
	if (!child) {
		queue = sva_open(self->first);
		_exit(queue < 0 || sva_hook("unbind_later", self->first) || bonds() != 1);
	}
	EXPECT_EQ(0, child_status(child));
	EXPECT_EQ(1U, bonds());
	EXPECT_EQ(0, sva_let_go());
	EXPECT_EQ(0U, bonds());
}

TEST_F(bond, work_item_unbinds_before)
{
	int queue;

	queue = sva_open(self->first);
	ASSERT_LE(0, queue);
	EXPECT_EQ(0, sva_hook("unbind_later", self->first));
	EXPECT_EQ(1U, bonds());
	EXPECT_EQ(0, sva_let_go());
	EXPECT_EQ(1U, bonds());
	EXPECT_EQ(FIRST_PASID, sva_pasid(queue));
	close(queue);
	EXPECT_EQ(0U, bonds());
}

TEST_F(bond, supervisor)
{
	int queue;

	queue = sva_open(self->first);
	ASSERT_LE(0, queue);
	EXPECT_EQ(0, sva_hook("supervisor", self->first));
	EXPECT_EQ(1U, bonds());
	EXPECT_EQ(FIRST_PASID, sva_pasid(queue));
	close(queue);
}

TEST_F(bond, driver_fails)
{
	unsigned int before = mm_refs();
	int i;

	ASSERT_LT(0U, before);
	ASSERT_EQ(0, sva_mock_set("fail_bind", EIO));
	for (i = 0; i < ERROR_TURNS; i++)
		EXPECT_EQ(-EIO, sva_open(self->first));
	EXPECT_FALSE(mm_refs_lost(before));
	ASSERT_EQ(0, sva_mock_set("fail_bind", 0));
}

/* An mm has one PASID, whatever the driver thinks. */
TEST_F(bond, driver_chooses_another_pasid)
{
	unsigned int before = mm_refs();
	int i, queue;

	ASSERT_EQ(0, sva_mock_set("foreign_pasid", 1));
	queue = sva_open(self->first);
	ASSERT_LE(0, queue);
	for (i = 0; i < ERROR_TURNS; i++)
		EXPECT_EQ(-EBUSY, sva_open(self->second));
	EXPECT_EQ(1U, bonds());
	EXPECT_EQ(FIRST_PASID, sva_pasid(queue));
	close(queue);
	EXPECT_FALSE(mm_refs_lost(before));

	queue = sva_open(self->second);
	ASSERT_LE(0, queue);
	close(queue);
}

TEST_F(bond, pasid_out_of_range)
{
	int other, mine, ends[2];
	char byte = 0;
	pid_t child;

	/* The third device has one PASID, and somebody else has that of the first. */
	ASSERT_EQ(0, sva_mock_set("max_pasid", FIRST_PASID));
	ASSERT_EQ(0, sva_mock_set("devices", 3));
	ASSERT_EQ(0, sva_mock_device(2, self->second, sizeof(self->second)));
	ASSERT_EQ(0, pipe(ends));
	child = fork();
	if (!child) {
		other = sva_open(self->first);
		if (write(ends[1], &byte, 1) != 1)
			_exit(1);
		pause();
		_exit(other);
	}
	ASSERT_EQ(1, read(ends[0], &byte, 1));

	mine = sva_open(self->first);
	ASSERT_LE(0, mine);
	EXPECT_EQ(FIRST_PASID + 1, sva_pasid(mine));
	EXPECT_EQ(-ENOSPC, sva_open(self->second));
	EXPECT_EQ(0, stop_child(child));
	EXPECT_TRUE(bonds_become(1));
	/* This process has another now, and keeps it. */
	EXPECT_EQ(-ENOSPC, sva_open(self->second));
	close(mine);
	mine = sva_open(self->second);
	ASSERT_LE(0, mine);
	EXPECT_EQ(FIRST_PASID, sva_pasid(mine));
	close(mine);
}

TEST_F(bond, device_removed)
{
	int queue;

	queue = sva_open(self->second);
	ASSERT_LE(0, queue);
	ASSERT_EQ(0, sva_mock_set("devices", 1));
	EXPECT_EQ(0U, bonds());
	EXPECT_EQ(-ENXIO, sva_pasid(queue));
	close(queue);
}

/* The driver goes without unbinding: the bond ends when its last user does. */
TEST_F(bond, device_removed_under_a_bond)
{
	int kmsg, queue;
	char line[128];

	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	queue = sva_open(self->second);
	ASSERT_LE(0, queue);
	ASSERT_EQ(0, sva_hook("unbind_later", self->second));
	ASSERT_EQ(0, sva_mock_set("devices", 1));
	EXPECT_EQ(1U, bonds());
	snprintf(line, sizeof(line), "%s: leaves IOMMU group", self->second);
	EXPECT_EQ(1, kmsg_find(kmsg, line));
	close(queue);
	close(kmsg);
	EXPECT_EQ(1U, bonds());
	EXPECT_EQ(0, sva_let_go());
	EXPECT_EQ(0U, bonds());
}

/* Open and close both devices again and again; 0 if it could, and always. */
static int storm(const char *first, const char *second)
{
	int i, one, two, ret = 0;

	for (i = 0; i < STORM_TURNS && !ret; i++) {
		one = sva_open(i & 1 ? first : second);
		two = sva_open(i & 2 ? first : second);
		ret = one < 0 || two < 0 || sva_pasid(one) != sva_pasid(two);
		if (i % 10 == 5)
			ret |= sva_hook("unbind_later", first);
		if (i % 10 == 8)
			ret |= sva_let_go();
		close(one);
		close(two);
	}
	return ret;
}

TEST_F(bond, storm)
{
	pid_t children[STORM_TASKS];
	int i;

	for (i = 0; i < STORM_TASKS; i++) {
		children[i] = fork();
		if (!children[i])
			_exit(storm(self->first, self->second));
	}
	for (i = 0; i < STORM_TASKS; i++)
		EXPECT_EQ(0, child_status(children[i]));
	EXPECT_EQ(0, sva_let_go());
}

/*
 * Open a file with its nth allocation failing: there is a bond and a file, or neither.
 * Was there such an allocation? *failed counts the opens that failed.
 */
static int open_with_fault(struct __test_metadata *_metadata, const char *file,
			   int fault, unsigned int nth, unsigned int *failed)
{
	int queue, injected;

	ASSERT_EQ(0, fault_arm(fault, nth));
	queue = open(file, O_RDWR | O_CLOEXEC);
	injected = fault_disarm(fault);
	ASSERT_LE(0, injected);
	EXPECT_EQ(queue >= 0 ? 1U : 0U, bonds());
	if (queue >= 0)
		close(queue);
	ASSERT_EQ(0U, bonds());
	*failed += queue < 0;
	return injected;
}

TEST_F(bond, allocations_fail)
{
	unsigned int before = mm_refs(), nth, failed = 0;
	int i, fault, injected = 1;
	char file[300];

	ASSERT_EQ(0, sva_file(self->first, file, sizeof(file)));
	fault = fault_open();
	ASSERT_LE(0, fault);
	for (nth = 1; injected && nth < FAULTS_MAX; nth++)
		for (i = 0; i < ERROR_TURNS; i++)
			injected = open_with_fault(_metadata, file, fault, nth, &failed);
	EXPECT_FALSE(mm_refs_lost(before));
	EXPECT_LT(nth, (unsigned int)FAULTS_MAX);
	/* Those of the queue, of the bond and of its PASID, at least. */
	EXPECT_LE(3U * ERROR_TURNS, failed);
	close(fault);
}

TEST_HARNESS_MAIN
