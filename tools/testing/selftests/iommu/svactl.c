// SPDX-License-Identifier: GPL-2.0-only
/*
 * svactl DEVICE STEP - have a device work on the memory of this process
 *
 * DEVICE is bound to the driver of drivers/iommu/tests/sva_endpoint_driver.c. A STEP
 * says what the device did, and ends with 0 if it was as it should be:
 *
 *   pointer	it reads and writes a variable, by the process's own pointer
 *   cold	it writes to a page that nobody has touched
 *   wild	it follows a pointer to nowhere
 *   fork	parent and child have a page of their own each, at one address
 *   orphan	a child closes the device's file when its parent, whose memory it was,
 *		has exited
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sva.h"

#define BEFORE	0x1111ULL
#define AFTER	0xfeedfacecafeULL

static const char *device;

struct queue {
	int fd;
	__u64 *registers;
};

/* Ends the program when the device cannot be used. */
static struct queue open_queue(void)
{
	struct queue queue;
	int ret;

	queue.fd = sva_open(device);
	ret = queue.fd < 0 ? queue.fd : sva_map(queue.fd, &queue.registers);
	if (ret) {
		printf("%s: %s\n", device, strerror(-ret));
		exit(1);
	}
	return queue;
}

static __u64 *new_page(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return page;
}

static int pointer(void)
{
	struct queue queue = open_queue();
	__u64 variable = BEFORE;
	__u64 seen = 0;
	int ret;

	ret = sva_read(queue.registers, &variable, &seen);
	printf("the device reads %#llx at %p\n", (unsigned long long)seen, &variable);
	if (!ret)
		ret = sva_write(queue.registers, &variable, AFTER);
	printf("the device writes %#llx there, and the process sees %#llx\n",
	       AFTER, (unsigned long long)variable);
	return ret || seen != BEFORE || variable != AFTER;
}

static int cold(void)
{
	struct queue queue = open_queue();
	__u64 *page = new_page();
	int ret;

	ret = sva_write(queue.registers, page, AFTER);
	printf("the device requests %llu page, writes to it, and the process sees %#llx\n",
	       (unsigned long long)sva_requests(queue.registers),
	       (unsigned long long)*page);
	return ret || sva_requests(queue.registers) != 1 || *page != AFTER;
}

static int wild(void)
{
	struct queue queue = open_queue();
	__u64 seen;
	int ret;

	ret = sva_read(queue.registers, (void *)0xbad000, &seen);
	printf("the device reads at 0xbad000: %s\n", ret ? strerror(-ret) : "done");
	return ret != -EFAULT;
}

static int parted(void)
{
	struct queue queue;
	__u64 *page = new_page();
	int status;

	*page = BEFORE;
	if (!fork()) {
		queue = open_queue();
		sva_write(queue.registers, page, AFTER);
		printf("the child's device writes at %p, and the child sees %#llx\n", page,
		       (unsigned long long)*page);
		fflush(stdout);
		_exit(*page != AFTER);
	}
	wait(&status);
	printf("the parent sees %#llx there\n", (unsigned long long)*page);
	return status || *page != BEFORE;
}

static int orphan(void)
{
	struct queue queue;
	int status;

	if (!fork()) {
		queue = open_queue();
		if (!fork()) {
			while (getppid() != 1)
				usleep(10000);
			usleep(500000);
			close(queue.fd);
			_exit(0);
		}
		_exit(0);
	}
	wait(&status);
	sleep(2);
	puts("the parent has exited, and the child has closed the file");
	return status;
}

static const struct {
	const char *name;
	int (*run)(void);
} steps[] = {
	{ "pointer", pointer },
	{ "cold", cold },
	{ "wild", wild },
	{ "fork", parted },
	{ "orphan", orphan },
	{ NULL }
};

int main(int argc, char *argv[])
{
	int i;

	for (i = 0; argc == 3 && steps[i].name; i++) {
		device = argv[1];
		if (!strcmp(argv[2], steps[i].name))
			return steps[i].run();
	}
	fputs("usage: svactl DEVICE pointer|cold|wild|fork|orphan\n", stderr);
	return 2;
}
