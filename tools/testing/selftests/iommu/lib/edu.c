// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"

#define EDU_LIVENESS	0x04
#define EDU_IRQ_RAISE	0x60
#define EDU_IRQ_ACK	0x64
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_CMD_RUN	0x1
#define EDU_CMD_TO_RAM	0x2
#define EDU_BUFFER	0x40000
#define EDU_TIMEOUT_MS	5000

/* Where edu_dma_check() maps its pages. */
#define EDU_IOVA	0x1000000

/* Through VFIO, as the user of the device. */
int edu_open(struct edu *edu, int device)
{
	int ret;

	ret = vfio_map_bar(device, 0, &edu->bar, &edu->size);
	if (ret)
		return ret;
	ret = vfio_enable(device);
	if (ret)
		edu_close(edu);
	return ret;
}

/* Behind the back of whatever driver the device has, or has not. */
int edu_open_bar(struct edu *edu, const char *bdf)
{
	int ret;

	ret = pci_map_bar(bdf, 0, &edu->bar, &edu->size);
	if (ret)
		return ret;
	ret = pci_enable(bdf);
	if (ret)
		edu_close(edu);
	return ret;
}

void edu_close(struct edu *edu)
{
	if (edu->bar)
		munmap(edu->bar, edu->size);
	edu->bar = NULL;
}

static void edu_write(struct edu *edu, int reg, __u64 value)
{
	__atomic_store_n((__u64 *)(edu->bar + reg), value, __ATOMIC_RELEASE);
}

static __u64 edu_read(struct edu *edu, int reg)
{
	return __atomic_load_n((__u64 *)(edu->bar + reg), __ATOMIC_ACQUIRE);
}

static int edu_copy(struct edu *edu, __u64 src, __u64 dst, __u64 cmd)
{
	int ms;

	edu_write(edu, EDU_DMA_SRC, src);
	edu_write(edu, EDU_DMA_DST, dst);
	edu_write(edu, EDU_DMA_COUNT, EDU_LEN);
	edu_write(edu, EDU_DMA_CMD, cmd | EDU_CMD_RUN);
	for (ms = 0; ms < EDU_TIMEOUT_MS; ms++) {
		if (!(edu_read(edu, EDU_DMA_CMD) & EDU_CMD_RUN))
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* Have the device read memory: 0 says that it tried, not that it succeeded. */
int edu_pull(struct edu *edu, __u64 addr)
{
	return edu_copy(edu, addr, EDU_BUFFER, 0);
}

/* Have the device write its buffer to memory: 0 says as little. */
int edu_push(struct edu *edu, __u64 addr)
{
	return edu_copy(edu, EDU_BUFFER, addr, EDU_CMD_TO_RAM);
}

/*
 * Have the device raise its interrupt: how often it signals the eventfd @event, which
 * does not block; 0 if it does not within seconds.
 */
int edu_interrupts(struct edu *edu, int event)
{
	struct pollfd pollfd = { .fd = event, .events = POLLIN };
	__u64 count = 0;

	__atomic_store_n((__u32 *)(edu->bar + EDU_IRQ_RAISE), 1, __ATOMIC_RELEASE);
	__atomic_store_n((__u32 *)(edu->bar + EDU_IRQ_ACK), 1, __ATOMIC_RELEASE);
	if (poll(&pollfd, 1, EDU_TIMEOUT_MS) < 0)
		return -errno;
	if (read(event, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	return count;
}

static __u64 pattern_word(__u32 seed, int i)
{
	/* Odd constants, so that no two words are equal. */
	return ((__u64)seed << 32 | i) * 0x9e3779b97f4a7c15 + 1;
}

void pattern_fill(void *mem, __u32 seed)
{
	__u64 *word = mem;
	int i;

	for (i = 0; i < EDU_WORDS; i++)
		word[i] = pattern_word(seed, i);
}

/* How many words of the pattern are in their place: EDU_WORDS for all. */
int pattern_words(const void *mem, __u32 seed)
{
	const __u64 *word = mem;
	int i, found = 0;

	for (i = 0; i < EDU_WORDS; i++)
		found += word[i] == pattern_word(seed, i);
	return found;
}

/* Copy the first page to the device and back to the second one. */
static int edu_round_trip(struct edu *edu, void *pages, size_t page)
{
	static __u32 seed;
	int ret;

	pattern_fill(pages, ++seed);
	pattern_fill(pages + page, ~seed);
	ret = edu_pull(edu, EDU_IOVA);
	if (!ret)
		ret = edu_push(edu, EDU_IOVA + page);
	if (!ret && pattern_words(pages + page, seed) != EDU_WORDS)
		ret = -EBADMSG;
	return ret;
}

static int edu_dma_mapped(struct vfio_user *user, void *pages, size_t page)
{
	struct edu edu;
	int ret;

	ret = edu_open(&edu, user->device);
	if (ret)
		return ret;
	ret = edu_round_trip(&edu, pages, page);
	edu_close(&edu);
	return ret;
}

/*
 * Have the user's edu device read memory and write it back through the IOMMU.
 * -ETIMEDOUT where the device does not finish, -EBADMSG for wrong bytes.
 */
int edu_dma_check(struct vfio_user *user)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *pages;
	int ret, err;

	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return -errno;
	ret = vfio_map(user->container, pages, EDU_IOVA, 2 * page);
	if (!ret) {
		ret = edu_dma_mapped(user, pages, page);
		err = vfio_unmap(user->container, EDU_IOVA, 2 * page);
		if (!ret)
			ret = err;
	}
	munmap(pages, 2 * page);
	return ret;
}

/* A register whose value is the inverse of what was written to it. */
static int edu_invert(struct edu *edu, __u32 value)
{
	__u32 *reg = edu->bar + EDU_LIVENESS;

	__atomic_store_n(reg, value, __ATOMIC_RELEASE);
	return __atomic_load_n(reg, __ATOMIC_ACQUIRE) == ~value ? 0 : -EBADMSG;
}

/* Has the user's edu device something to say, apart from DMA? */
int edu_answers(struct vfio_user *user)
{
	struct edu edu;
	int ret;

	ret = edu_open(&edu, user->device);
	if (ret)
		return ret;
	ret = edu_invert(&edu, 0x5a0ff0a5);
	if (!ret)
		ret = edu_invert(&edu, 0x12345678);
	edu_close(&edu);
	return ret;
}
