// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user's memory, and what the DMA of devices does to it.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/edu.h"
#include "random_machine.h"

#define CANARY		0xc5
#define IOVA		0x5000000
#define IOVA_STEP	0x100000

static void *page_of(struct machine *machine, int container, int page)
{
	return machine->mem +
	       (container * MODEL_PAGES + page) * machine->page;
}

int machine_alloc_pages(struct machine *machine)
{
	machine->page = sysconf(_SC_PAGESIZE);
	/* Shared, so that a fork changes no page under the devices. */
	machine->mem = mmap(NULL, MODEL_CONTAINERS * MODEL_PAGES * machine->page,
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	return machine->mem == MAP_FAILED ? -errno : 0;
}

/* Fill the buffer of an "edu" with a pattern that no other has. */
int machine_teach(struct machine *machine, int dev)
{
	struct vfio_user user;
	struct edu edu;
	int ret;

	pattern_fill(machine->mem, dev);
	ret = vfio_user_open(&user, machine->bdf[dev]);
	if (ret)
		return ret;
	ret = vfio_map(user.container, machine->mem, IOVA, machine->page);
	if (!ret)
		ret = edu_open(&edu, user.device);
	if (!ret) {
		ret = edu_pull(&edu, IOVA);
		edu_close(&edu);
	}
	vfio_user_close(&user);
	return ret;
}

static __u64 iova_of(int page)
{
	return IOVA + page * IOVA_STEP;
}

int machine_map(struct machine *machine, const struct model_args *args)
{
	int container = machine->model.slots[args->slot];

	return vfio_map(machine->slots[args->slot],
			page_of(machine, container, args->page),
			iova_of(args->page), machine->page);
}

int machine_unmap(struct machine *machine, const struct model_args *args)
{
	return vfio_unmap(machine->slots[args->slot], iova_of(args->page),
			  machine->page);
}

static void paint_pages(struct machine *machine)
{
	int page;

	for (page = 0; page < MODEL_CONTAINERS * MODEL_PAGES; page++)
		memset(machine->mem + page * machine->page, CANARY, EDU_LEN);
}

static bool is_painted(const __u8 *mem)
{
	return mem[0] == CANARY && !memcmp(mem, mem + 1, EDU_LEN - 1);
}

/* Has what the device wrote to the address of @page come there, and only there? */
static int check_pages(struct machine *machine, const struct model_args *args)
{
	int i, container, page;
	bool expected;
	void *mem;

	for (i = 0; i < MODEL_CONTAINERS * MODEL_PAGES; i++) {
		container = i / MODEL_PAGES;
		page = i % MODEL_PAGES;
		mem = page_of(machine, container, page);
		expected = page == args->page &&
			   model_reaches(&machine->model, args->dev, container, page);
		if (expected && pattern_words(mem, args->dev) != EDU_WORDS)
			return -ELOST;
		if (!expected && !is_painted(mem))
			return -ESTRAY;
	}
	return 0;
}

static int write_page(struct machine *machine, const struct model_args *args,
		      struct edu *edu)
{
	int ret;

	paint_pages(machine);
	ret = edu_push(edu, iova_of(args->page));
	edu_close(edu);
	return ret ? ret : check_pages(machine, args);
}

int machine_dma(struct machine *machine, const struct model_args *args)
{
	struct edu edu;
	int ret;

	ret = edu_open(&edu, machine->devices[args->dev]);
	return ret ? ret : write_page(machine, args, &edu);
}

int machine_dma_unbound(struct machine *machine, const struct model_args *args)
{
	struct edu edu;
	int ret;

	ret = edu_open_bar(&edu, machine->bdf[args->dev]);
	return ret ? ret : write_page(machine, args, &edu);
}
