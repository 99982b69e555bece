// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device reaches that works on the memory of a process, and what it does not.
 * The device is the endpoint of qemu/sva_endpoint.c, behind a real IOMMU driver.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "lib/libvfio.h"
#include "lib/owner_table.h"
#include "lib/sva.h"

#define ENDPOINT_VENDOR	0x1b36
#define ENDPOINT_DEVICE	0x0013

#define VALUE		0x1122334455667788ULL
#define OTHER		0x99aabbccddeeff00ULL
#define PAGE		4096

#define STORM_TASKS	4
#define STORM_TURNS	20

/* For the program that exec() starts: the queue of what it was before. */
#define OLD_QUEUE	"SVA_DMA_TEST_OLD_QUEUE"

struct endpoint {
	char bdf[PCI_BDF_LEN];
	bool v1;
};

static struct endpoint endpoints[4];
static unsigned int nr_endpoints;

/* The version of the PCI Express capability, which is the first of the device. */
static bool is_v1(const char *bdf)
{
	char path[96];
	__u8 at, flags = 0;
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (pread(fd, &at, 1, 0x34) != 1 || pread(fd, &flags, 1, at + 2) != 1)
		flags = 0;
	close(fd);
	return (flags & 0xf) == 1;
}

static int find_endpoint(const struct pci_dev *dev)
{
	struct endpoint *endpoint = &endpoints[nr_endpoints];

	if (dev->vendor != ENDPOINT_VENDOR || dev->device != ENDPOINT_DEVICE ||
	    nr_endpoints == 4)
		return 0;
	snprintf(endpoint->bdf, sizeof(endpoint->bdf), "%s", dev->bdf);
	endpoint->v1 = is_v1(dev->bdf);
	nr_endpoints++;
	return 0;
}

/* The n-th endpoint, or the n-th of version 1; NULL where there is none. */
static const char *endpoint_bdf(unsigned int n, bool v1)
{
	unsigned int i;

	nr_endpoints = 0;
	if (pci_for_each(find_endpoint))
		return NULL;
	for (i = 0; i < nr_endpoints; i++)
		if (endpoints[i].v1 == v1 && !n--)
			return endpoints[i].bdf;
	return NULL;
}

static void *map_pages(unsigned int count, int prot)
{
	void *mem = mmap(NULL, count * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

FIXTURE(dma)
{
	const char *bdf;
	int group;
	int queue;
	__u64 *registers;
	__u64 *mem;
};

FIXTURE_SETUP(dma)
{
	self->bdf = endpoint_bdf(0, false);
	if (!self->bdf)
		SKIP(_exit(255), "no endpoint that works on the memory of processes");
	self->group = group_of(self->bdf);
	ASSERT_LE(0, self->group);
	ASSERT_EQ(0, pci_switch(self->bdf, SVA_DRIVER));
	self->queue = sva_open(self->bdf);
	ASSERT_LE(0, self->queue);
	ASSERT_EQ(0, sva_map(self->queue, &self->registers));
	self->mem = map_pages(2, PROT_READ | PROT_WRITE);
	ASSERT_NE(NULL, self->mem);
	self->mem[0] = VALUE;
}

FIXTURE_TEARDOWN(dma)
{
	if (self->registers)
		sva_unmap(self->registers);
	if (self->queue >= 0)
		close(self->queue);
	EXPECT_TRUE(group_owner_is(self->group, "none", "0"));
	EXPECT_EQ(0, pci_switch(self->bdf, ""));
}

TEST_F(dma, reads_and_writes)
{
	__u64 value = 0;

	EXPECT_EQ(0, sva_read(self->registers, &self->mem[0], &value));
	EXPECT_EQ(VALUE, value);
	EXPECT_EQ(0, sva_write(self->registers, &self->mem[1], OTHER));
	EXPECT_EQ(OTHER, self->mem[1]);
	EXPECT_EQ(VALUE, self->mem[0]);
}

TEST_F(dma, stack_and_data)
{
	static __u64 data = VALUE;
	__u64 local = VALUE;

	EXPECT_EQ(0, sva_write(self->registers, &data, OTHER));
	EXPECT_EQ(OTHER, data);
	EXPECT_EQ(0, sva_write(self->registers, &local, OTHER));
	EXPECT_EQ(OTHER, local);
}

/* Nobody has touched the page: the device asks for it. */
TEST_F(dma, cold_page)
{
	__u64 before = sva_requests(self->registers);
	__u64 *cold = self->mem + PAGE / 8;

	EXPECT_EQ(0, sva_write(self->registers, cold, OTHER));
	EXPECT_EQ(before + 1, sva_requests(self->registers));
	EXPECT_EQ(OTHER, *cold);
	/* And does not ask again. */
	EXPECT_EQ(0, sva_write(self->registers, cold, VALUE));
	EXPECT_EQ(before + 1, sva_requests(self->registers));
	EXPECT_EQ(VALUE, *cold);
}

TEST_F(dma, cold_page_of_a_file)
{
	__u64 *shared;
	__u64 value = 0;
	int fd;

	fd = memfd_create("sva", MFD_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	value = VALUE;
	ASSERT_EQ(8, pwrite(fd, &value, 8, 0));
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, shared);
	value = 0;
	EXPECT_EQ(0, sva_read(self->registers, shared, &value));
	EXPECT_EQ(VALUE, value);
	EXPECT_EQ(0, sva_write(self->registers, shared, OTHER));
	ASSERT_EQ(8, pread(fd, &value, 8, 0));
	EXPECT_EQ(OTHER, value);
	close(fd);
}

TEST_F(dma, read_only_page)
{
	__u64 *page = map_pages(1, PROT_READ);
	__u64 value = VALUE;

	ASSERT_NE(NULL, page);
	EXPECT_EQ(-EFAULT, sva_write(self->registers, page, OTHER));
	EXPECT_EQ(0, sva_read(self->registers, page, &value));
	EXPECT_EQ(0ULL, value);
	EXPECT_EQ(0ULL, *page);
}

TEST_F(dma, wild_address)
{
	__u64 value = VALUE;

	EXPECT_EQ(-EFAULT, sva_read(self->registers, (void *)0x10000, &value));
	EXPECT_EQ(-EFAULT, sva_write(self->registers, NULL, OTHER));
	/* Where the kernel has all memory mapped, and no address at all. */
	EXPECT_EQ(-EFAULT, sva_read(self->registers, (void *)0xffff888000000000, &value));
	EXPECT_EQ(-EFAULT, sva_read(self->registers, (void *)0x8000000000000000, &value));
	EXPECT_EQ(VALUE, value);
	EXPECT_EQ(0, sva_read(self->registers, &self->mem[0], &value));
}

TEST_F(dma, page_is_unmapped)
{
	__u64 value = 0;

	EXPECT_EQ(0, sva_read(self->registers, self->mem, &value));
	EXPECT_EQ(VALUE, value);
	ASSERT_EQ(0, munmap(self->mem, PAGE));
	EXPECT_EQ(-EFAULT, sva_write(self->registers, self->mem, OTHER));
}

TEST_F(dma, page_becomes_read_only)
{
	EXPECT_EQ(0, sva_write(self->registers, self->mem, OTHER));
	ASSERT_EQ(0, mprotect(self->mem, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, sva_write(self->registers, self->mem, VALUE));
	EXPECT_EQ(OTHER, self->mem[0]);
}

/* Parent and child begin with the same pages, and each device writes to its own. */
TEST_F(dma, fork_parts_them)
{
	__u64 *registers;
	__u64 value = 0;
	pid_t child;
	int queue;

	child = fork();
	if (!child) {
		queue = sva_open(self->bdf);
		if (queue < 0 || sva_map(queue, &registers) ||
		    sva_write(registers, self->mem, OTHER) || self->mem[0] != OTHER)
			_exit(1);
		_exit(sva_pasid(queue) == sva_pasid(self->queue));
	}
	EXPECT_EQ(0, child_status(child));
	EXPECT_EQ(VALUE, self->mem[0]);
	EXPECT_EQ(0, sva_read(self->registers, self->mem, &value));
	EXPECT_EQ(VALUE, value);

	EXPECT_EQ(0, sva_write(self->registers, self->mem, OTHER + 1));
	EXPECT_EQ(OTHER + 1, self->mem[0]);
}

/* What a child does with a queue that it inherited is about its parent's memory. */
TEST_F(dma, child_uses_parents_queue)
{
	__u64 *registers;
	pid_t child;
	int queue;

	/* The registers of a queue can be mapped once. */
	queue = sva_open(self->bdf);
	ASSERT_LE(0, queue);
	child = fork();
	if (!child) {
		self->mem[0] = OTHER;
		_exit(sva_map(queue, &registers) ||
		      sva_write(registers, &self->mem[1], OTHER) ||
		      self->mem[1] == OTHER);
	}
	EXPECT_EQ(0, child_status(child));
	close(queue);
	EXPECT_EQ(VALUE, self->mem[0]);
	EXPECT_EQ(OTHER, self->mem[1]);
}

/* In the program that exec() starts: 0 if all is as it should be. */
static int after_exec(int old)
{
	__u64 mine = VALUE, *registers;
	const char *bdf = endpoint_bdf(0, false);
	int queue;

	queue = bdf ? sva_open(bdf) : -1;
	if (queue < 0 || sva_pasid(queue) == sva_pasid(old))
		return 1;
	if (sva_map(queue, &registers) || sva_write(registers, &mine, OTHER) || mine != OTHER)
		return 2;
	sva_unmap(registers);
	close(queue);
	/* The memory that the old queue is about is gone. */
	if (sva_map(old, &registers))
		return 3;
	return sva_write(registers, &mine, VALUE) == -EFAULT ? 0 : 4;
}

static void __attribute__((constructor)) begin_after_exec(void)
{
	const char *old = getenv(OLD_QUEUE);

	if (old)
		_exit(after_exec(atoi(old)));
}

TEST_F(dma, exec_parts_them)
{
	char text[sizeof(OLD_QUEUE) + 16];
	pid_t child;
	int queue;

	child = fork();
	if (!child) {
		queue = sva_open(self->bdf);
		if (queue < 0 || fcntl(queue, F_SETFD, 0))
			_exit(100);
		snprintf(text, sizeof(text), "%d", queue);
		setenv(OLD_QUEUE, text, 1);
		execl("/proc/self/exe", "sva_dma_test", NULL);
		_exit(101);
	}
	EXPECT_EQ(0, child_status(child));
}

/* The last to close the file is a child of the process that it is about. */
TEST_F(dma, child_closes_after_exit)
{
	__u64 *registers;
	pid_t binder;
	int queue, ends[2];
	char byte = 1;
	__u64 value;

	ASSERT_EQ(0, pipe(ends));
	binder = fork();
	if (!binder) {
		close(self->queue);
		queue = sva_open(self->bdf);
		if (queue < 0)
			_exit(1);
		if (!fork()) {
			while (getppid() != 1)
				usleep(10000);
			usleep(300000);
			byte = sva_map(queue, &registers) ||
			       sva_read(registers, self->mem, &value) != -EFAULT;
			sva_unmap(registers);
			close(queue);
			_exit(write(ends[1], &byte, 1) != 1);
		}
		_exit(0);
	}
	EXPECT_EQ(0, child_status(binder));
	close(ends[1]);
	ASSERT_EQ(1, read(ends[0], &byte, 1));
	EXPECT_EQ(0, byte);
	close(ends[0]);
}

TEST_F(dma, supervisor_refused)
{
	__u64 value = 0;

	EXPECT_EQ(-EINVAL, sva_hook("supervisor", self->bdf));
	EXPECT_EQ(0, sva_read(self->registers, self->mem, &value));
	EXPECT_EQ(VALUE, value);
}

/* Two devices have one PASID for one process. */
TEST_F(dma, two_devices)
{
	const char *second = endpoint_bdf(1, false);
	__u64 *registers;
	__u64 value = 0;
	int queue;

	ASSERT_NE(NULL, second);
	ASSERT_EQ(0, pci_switch(second, SVA_DRIVER));
	queue = sva_open(second);
	ASSERT_LE(0, queue);
	EXPECT_EQ(sva_pasid(self->queue), sva_pasid(queue));
	ASSERT_EQ(0, sva_map(queue, &registers));
	EXPECT_EQ(0, sva_write(self->registers, self->mem, OTHER));
	EXPECT_EQ(0, sva_read(registers, self->mem, &value));
	EXPECT_EQ(OTHER, value);
	sva_unmap(registers);
	close(queue);
	EXPECT_EQ(0, sva_read(self->registers, self->mem, &value));
	EXPECT_EQ(0, pci_switch(second, ""));
}

/* A path that carries no PASIDs */
TEST_F(dma, no_pasid_on_the_way)
{
	const char *v1 = endpoint_bdf(0, true);
	int queue;

	ASSERT_NE(NULL, v1);
	ASSERT_EQ(0, pci_switch(v1, SVA_DRIVER));
	queue = sva_open(v1);
	EXPECT_EQ(-ENODEV, queue);
	if (queue >= 0)
		close(queue);
	EXPECT_EQ(0, pci_switch(v1, ""));
}

/* Whoever unbinds the driver or takes the device away takes the bond with it. */
TEST_F(dma, driver_unbound)
{
	__u64 value = VALUE;

	ASSERT_EQ(0, sva_read(self->registers, self->mem, &value));
	sva_unmap(self->registers);
	self->registers = NULL;
	EXPECT_EQ(0, pci_unbind(self->bdf));
	EXPECT_EQ(-ENXIO, sva_pasid(self->queue));
	close(self->queue);
	self->queue = -1;
	EXPECT_TRUE(group_owner_is(self->group, "none", "0"));
}

/* A driver that does not unbind: nothing of the device is touched when it is gone. */
TEST_F(dma, device_removed_under_a_bond)
{
	char line[96], bdf[PCI_BDF_LEN];
	int kmsg;

	snprintf(bdf, sizeof(bdf), "%s", self->bdf);
	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	sva_unmap(self->registers);
	self->registers = NULL;
	close(self->queue);
	self->queue = -1;
	ASSERT_EQ(0, sva_hook("unbind_later", bdf));
	ASSERT_EQ(0, pci_remove(bdf));
	snprintf(line, sizeof(line),
		 "%s: leaves IOMMU group %d while it works on a process's memory",
		 bdf, self->group);
	EXPECT_EQ(1, kmsg_find(kmsg, line));
	EXPECT_EQ(0, sva_let_go());
	ASSERT_EQ(0, pci_rescan());

	self->bdf = endpoint_bdf(0, false);
	ASSERT_NE(NULL, self->bdf);
	self->group = group_of(self->bdf);
	ASSERT_EQ(0, pci_switch(self->bdf, SVA_DRIVER));
	self->queue = sva_open(self->bdf);
	ASSERT_LE(0, self->queue);
	ASSERT_EQ(0, sva_map(self->queue, &self->registers));
	EXPECT_EQ(0, sva_write(self->registers, self->mem, OTHER));
	EXPECT_EQ(OTHER, self->mem[0]);
}

TEST_F(dma, bond_refuses_owner)
{
	struct table_group table;
	__u64 value = 0;
	char line[160];
	int kmsg;

	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	EXPECT_EQ(-EPERM, sva_hook("own", self->bdf));
	snprintf(line, sizeof(line),
		 "group %d: claim refused: %s works on a process's memory for " SVA_DRIVER,
		 self->group, self->bdf);
	EXPECT_EQ(1, kmsg_find(kmsg, line));
	close(kmsg);

	EXPECT_TRUE(group_owner_is(self->group, "kernel", "1"));
	ASSERT_EQ(0, table_read(&table, self->group));
	EXPECT_STREQ("sva", table_find(&table, self->bdf)->claim);
	EXPECT_EQ(0, sva_read(self->registers, self->mem, &value));
	EXPECT_EQ(VALUE, value);
}

TEST_F(dma, owner_refuses_bond)
{
	__u64 value = 0;
	char line[160];
	int kmsg;

	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	sva_unmap(self->registers);
	close(self->queue);
	ASSERT_EQ(0, sva_hook("own", self->bdf));
	EXPECT_TRUE(group_owner_is(self->group, "user", "1"));
	EXPECT_EQ(-EBUSY, sva_open(self->bdf));
	snprintf(line, sizeof(line),
		 "%s: cannot work on a process's memory: its IOMMU group %d is owned by userspace (%s)",
		 self->bdf, self->group, myself());
	EXPECT_EQ(1, kmsg_find(kmsg, line));
	close(kmsg);
	ASSERT_EQ(0, sva_hook("disown", self->bdf));

	self->queue = sva_open(self->bdf);
	ASSERT_LE(0, self->queue);
	ASSERT_EQ(0, sva_map(self->queue, &self->registers));
	EXPECT_EQ(0, sva_read(self->registers, self->mem, &value));
	EXPECT_EQ(VALUE, value);
}

/* Open a queue, have the device work, and close it, many times; 0 if it always did. */
static int storm(const char *bdf, __u64 *mem)
{
	__u64 *registers;
	__u64 i, value;
	int queue;

	for (i = 1; i <= STORM_TURNS; i++) {
		queue = sva_open(bdf);
		if (queue < 0 || sva_map(queue, &registers))
			return 1;
		if (sva_write(registers, mem, i) || *mem != i ||
		    sva_read(registers, mem, &value) || value != i)
			return 2;
		sva_unmap(registers);
		close(queue);
	}
	return 0;
}

TEST_F(dma, storm)
{
	pid_t children[STORM_TASKS];
	__u64 value = 0;
	int i;

	for (i = 0; i < STORM_TASKS; i++) {
		children[i] = fork();
		if (!children[i])
			_exit(storm(self->bdf, self->mem + PAGE / 8));
	}
	for (i = 0; i < STORM_TASKS; i++)
		EXPECT_EQ(0, child_status(children[i]));
	EXPECT_EQ(0ULL, self->mem[PAGE / 8]);
	EXPECT_EQ(0, sva_read(self->registers, self->mem, &value));
	EXPECT_EQ(VALUE, value);
}

TEST_HARNESS_MAIN
