// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "sva.h"
#include "sysfs.h"

#define UACCE	"/sys/class/uacce"
#define HOOKS	"/sys/kernel/debug/sva_test"

/* A page request is answered by a thread of the kernel. */
#define ANSWER_MS	20000

/* The name of the file in /dev that uacce made for a device; -ENODEV without one. */
int sva_file(const char *device, char *name, size_t len)
{
	char path[300], parent[64];
	struct dirent *entry;
	int ret = -ENODEV;
	DIR *dir;

	dir = opendir(UACCE);
	if (!dir)
		return -errno;
	while (ret && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), UACCE "/%s/device", entry->d_name);
		if (sysfs_link(path, parent, sizeof(parent)) || strcmp(parent, device))
			continue;
		snprintf(name, len, "/dev/%s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

/*
 * A queue of a device, which works on the memory of this process. -ENODEV where the
 * device has no file.
 */
int sva_open(const char *device)
{
	char name[300];
	int ret;

	ret = sva_file(device, name, sizeof(name));
	return ret ? ret : errno_of(open(name, O_RDWR | O_CLOEXEC));
}

int sva_pasid(int queue)
{
	return errno_of(ioctl(queue, SVA_TEST_PASID));
}

bool sva_mock_exists(void)
{
	return access(HOOKS, F_OK) == 0;
}

int sva_mock_set(const char *file, unsigned int value)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), HOOKS "/%s", file);
	snprintf(text, sizeof(text), "%u", value);
	return sysfs_write(path, text);
}

int sva_mock_get(const char *file, unsigned int *value)
{
	char path[96];
	FILE *stream;
	int ret;

	snprintf(path, sizeof(path), HOOKS "/%s", file);
	stream = fopen(path, "r");
	if (!stream)
		return -errno;
	ret = fscanf(stream, "%u", value) == 1 ? 0 : -EIO;
	fclose(stream);
	return ret;
}

/* Write the name of a device to the hook @file. */
int sva_hook(const char *file, const char *device)
{
	char path[96];

	snprintf(path, sizeof(path), HOOKS "/%s", file);
	return sysfs_write(path, device);
}

/* What the hook "unbind_later" bound is bound no more when this returns. */
int sva_let_go(void)
{
	return sva_mock_set("let_go", 1);
}

/* The name of the n-th of the mock's devices that have a file, in their order. */
int sva_mock_device(unsigned int n, char *name, size_t len)
{
	char path[300], parent[64];
	struct dirent **entries;
	int i, count, ret = -ENODEV;

	count = scandir(UACCE, &entries, NULL, versionsort);
	if (count < 0)
		return -errno;
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), UACCE "/%s/device", entries[i]->d_name);
		if (ret && !sysfs_link(path, parent, sizeof(parent)) &&
		    !strncmp(parent, "mock", 4) && !n--) {
			snprintf(name, len, "%s", parent);
			ret = 0;
		}
		free(entries[i]);
	}
	free(entries);
	return ret;
}

/* The registers of a queue, for as long as it is open in this process. */
int sva_map(int queue, __u64 **registers)
{
	void *mem;

	mem = mmap(NULL, SVA_ENDPOINT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   queue, 0);
	if (mem == MAP_FAILED)
		return -errno;
	*registers = mem;
	return 0;
}

void sva_unmap(__u64 *registers)
{
	munmap(registers, SVA_ENDPOINT_PAGE);
}

static __u64 get(__u64 *registers, unsigned int offset)
{
	return __atomic_load_n(&registers[offset / 8], __ATOMIC_SEQ_CST);
}

static void set(__u64 *registers, unsigned int offset, __u64 value)
{
	__atomic_store_n(&registers[offset / 8], value, __ATOMIC_SEQ_CST);
}

static int run(__u64 *registers, const void *address, __u64 command)
{
	int ms;

	set(registers, SVA_QUEUE_ADDRESS, (uintptr_t)address);
	set(registers, SVA_QUEUE_COMMAND, command);
	for (ms = 0; ms < ANSWER_MS; ms++) {
		switch (get(registers, SVA_QUEUE_STATUS)) {
		case SVA_DONE:
			return 0;
		case SVA_FAULT:
			return -EFAULT;
		case SVA_OFF:
			return -ENXIO;
		}
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* Have the device read 8 bytes at an address of the process that opened the queue. */
int sva_read(__u64 *registers, const void *from, __u64 *value)
{
	int ret;

	ret = run(registers, from, SVA_READ);
	if (!ret)
		*value = get(registers, SVA_QUEUE_DATA);
	return ret;
}

/* Have the device write 8 bytes there. */
int sva_write(__u64 *registers, void *to, __u64 value)
{
	set(registers, SVA_QUEUE_DATA, value);
	return run(registers, to, SVA_WRITE);
}

/* How many pages the device has asked the kernel for, by this queue. */
__u64 sva_requests(__u64 *registers)
{
	return get(registers, SVA_QUEUE_REQUESTS);
}
