// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "memory.h"

#define PAGEMAP_PRESENT	0x8000000000000000ULL
#define PAGEMAP_FRAME	0x007fffffffffffffULL

/*
 * The physical address of @mem, which must be locked in memory. -EPERM for
 * those who may not know.
 */
int phys_addr(const void *mem, __u64 *phys)
{
	__u64 entry, page = sysconf(_SC_PAGESIZE);
	int fd, ret;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = all_of(pread(fd, &entry, sizeof(entry),
			   (uintptr_t)mem / page * sizeof(entry)),
		     sizeof(entry));
	close(fd);
	if (ret)
		return ret;
	if (!(entry & PAGEMAP_PRESENT))
		return -EFAULT;
	*phys = (entry & PAGEMAP_FRAME) * page + (uintptr_t)mem % page;
	return entry & PAGEMAP_FRAME ? 0 : -EPERM;
}

/* Behind the end of a writable page there is nothing. */
char *edge_of_memory(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *mem;

	mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED || mprotect(mem + page, page, PROT_NONE))
		return NULL;
	return mem + page;
}
