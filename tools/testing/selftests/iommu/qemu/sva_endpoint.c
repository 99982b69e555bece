// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI Express endpoint with PASID, ATS and page requests, for QEMU 11.1
 *
 * QEMU's IOMMU can translate with PASIDs and pass page requests on, but none of its
 * devices asks it to. This file is a shared object that is loaded into the program
 * with LD_PRELOAD, and adds two:
 *
 *	sva-endpoint		to be put behind a pcie-root-port
 *	sva-endpoint-v1		the same with version 1 of the PCI Express capability:
 *				Linux does not enable PASID there, as no path to it
 *				carries the prefix that a PASID travels in
 *
 * They are QEMU's "ufs", which is a PCI Express device without a capability of that
 * name, and more. What a driver or a process sees is in drivers/iommu/tests/sva_test.h.
 *
 * A command translates the address with the queue's PASID. If the page is not there,
 * or not for writing, the device requests it, and tries once more when the answer has
 * come. The group index of the request is the queue, so that queues with one PASID
 * get each its own answers.
 */

#include <stdlib.h>
#include <string.h>
#include "qemu_abi.h"
#include "../../../../../drivers/iommu/tests/sva_test.h"

#define BAR_SIZE	(16 * SVA_ENDPOINT_PAGE)
#define PASID_WIDTH	20
#define OUTSTANDING_REQUESTS	64

struct queue {
	uint32_t pasid;
	uint64_t address;
	uint64_t data;
	uint64_t command;
	uint64_t status;
	uint64_t requests;
};

struct endpoint {
	struct qemu_pri_notifier notifier; /* first, so that it is the endpoint */
	struct qemu_pci_device *pdev;
	struct queue queues[SVA_ENDPOINT_QUEUES];
};

static realize_fn *parent_realize;

/* Whether the queue's address can be reached, and where it is. */
static bool translate(struct endpoint *e, struct queue *q, struct qemu_tlb_entry *to)
{
	bool write = q->command == SVA_WRITE;
	struct qemu_tlb_entry result[4] = {};
	uint64_t page = q->address & ~(uint64_t)(SVA_ENDPOINT_PAGE - 1);
	uint32_t errors = 0;
	ssize_t count;

	count = pci_ats_request_translation(e->pdev, q->pasid, false, false, page,
					    SVA_ENDPOINT_PAGE, !write, result, 4, &errors);
	*to = result[0];
	return count > 0 && !errors && (to->perm & (write ? IOMMU_WO : IOMMU_RO));
}

static uint64_t access_memory(struct queue *q, struct qemu_tlb_entry *to)
{
	uint64_t addr = (to->translated_addr & ~to->addr_mask) |
			(q->address & to->addr_mask);

	return address_space_rw(to->target_as, addr, 0, &q->data, sizeof(q->data),
				q->command == SVA_WRITE) ? SVA_FAULT : SVA_DONE;
}

static uint64_t request_page(struct endpoint *e, struct queue *q)
{
	bool write = q->command == SVA_WRITE;

	q->requests++;
	return pci_pri_request_page(e->pdev, q->pasid, false, false, q->address, true,
				    q - e->queues, true, write) ? SVA_FAULT : SVA_BUSY;
}

/* The answer may come before pci_pri_request_page() returns: then it counts. */
static void run(struct endpoint *e, struct queue *q)
{
	struct qemu_tlb_entry to;
	uint64_t status;

	if (!q->pasid) {
		q->status = SVA_OFF;
	} else if (translate(e, q, &to)) {
		q->status = access_memory(q, &to);
	} else {
		q->status = SVA_BUSY;
		status = request_page(e, q);
		if (status != SVA_BUSY)
			q->status = status;
	}
}

static void answered(struct qemu_pri_notifier *notifier,
		     struct qemu_pri_response *response)
{
	struct endpoint *e = (struct endpoint *)notifier;
	struct qemu_tlb_entry to;
	struct queue *q;

	if (response->prgi >= SVA_ENDPOINT_QUEUES)
		return;
	q = &e->queues[response->prgi];
	if (q->status != SVA_BUSY)
		return;

	if (response->response_code == IOMMU_PRI_RESP_SUCCESS && translate(e, q, &to))
		q->status = access_memory(q, &to);
	else
		q->status = SVA_FAULT;
}

static bool has_queue_with(struct endpoint *e, uint32_t pasid)
{
	for (int i = 0; i < SVA_ENDPOINT_QUEUES; i++)
		if (e->queues[i].pasid == pasid)
			return true;
	return false;
}

/* QEMU has one notifier for a PASID of a device, whatever its queues. */
static void set_pasid(struct endpoint *e, struct queue *q, uint32_t pasid)
{
	uint32_t old = q->pasid;

	if (pasid == old)
		return;
	if (pasid && !has_queue_with(e, pasid))
		pci_pri_register_notifier(e->pdev, pasid, &e->notifier);
	memset(q, 0, sizeof(*q));
	q->pasid = pasid;
	if (old && !has_queue_with(e, old))
		pci_pri_unregister_notifier(e->pdev, old);
}

static uint64_t read_control(struct endpoint *e, uint64_t addr)
{
	uint64_t q = (addr - SVA_ENDPOINT_PASID(0)) / 8;

	if (addr == SVA_ENDPOINT_MAGIC)
		return SVA_ENDPOINT_MAGIC_VALUE;
	return q < SVA_ENDPOINT_QUEUES ? e->queues[q].pasid : 0;
}

static uint64_t read_register(void *opaque, uint64_t addr, unsigned int size)
{
	struct endpoint *e = opaque;
	struct queue *q = &e->queues[addr / SVA_ENDPOINT_PAGE - 1];

	(void)size;
	if (addr < SVA_ENDPOINT_PAGE)
		return read_control(e, addr);

	switch (addr % SVA_ENDPOINT_PAGE) {
	case SVA_QUEUE_ADDRESS:
		return q->address;
	case SVA_QUEUE_DATA:
		return q->data;
	case SVA_QUEUE_COMMAND:
		return q->command;
	case SVA_QUEUE_STATUS:
		return q->status;
	case SVA_QUEUE_REQUESTS:
		return q->requests;
	}
	return 0;
}

static void write_queue(struct endpoint *e, struct queue *q, uint64_t addr,
			uint64_t value)
{
	/* What is outstanding keeps its address. */
	if (q->status == SVA_BUSY)
		return;

	switch (addr) {
	case SVA_QUEUE_ADDRESS:
		q->address = value;
		break;
	case SVA_QUEUE_DATA:
		q->data = value;
		break;
	case SVA_QUEUE_COMMAND:
		q->command = value;
		if (value == SVA_READ || value == SVA_WRITE)
			run(e, q);
		break;
	}
}

static void write_register(void *opaque, uint64_t addr, uint64_t value,
			   unsigned int size)
{
	struct endpoint *e = opaque;
	uint64_t q = (addr - SVA_ENDPOINT_PASID(0)) / 8;

	(void)size;
	if (addr >= SVA_ENDPOINT_PAGE)
		write_queue(e, &e->queues[addr / SVA_ENDPOINT_PAGE - 1],
			    addr % SVA_ENDPOINT_PAGE, value);
	else if (q < SVA_ENDPOINT_QUEUES)
		set_pasid(e, &e->queues[q], value);
}

static const struct qemu_region_ops registers = {
	.read = read_register,
	.write = write_register,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 8, .max_access_size = 8 },
	.impl = { .min_access_size = 8, .max_access_size = 8 },
};

static void add_endpoint(struct qemu_pci_device *pdev)
{
	struct endpoint *e = calloc(1, sizeof(*e));
	/* It is initialised below; how much there is of it, only QEMU knows. */
	struct qemu_region *mr = object_new("memory-region");

	if (!e)
		abort();
	e->notifier.notify = answered;
	e->pdev = pdev;
	/* In this order in configuration space. */
	pcie_pasid_init(pdev, 0x100, PASID_WIDTH, false, false);
	pcie_ats_init(pdev, 0x110, true);
	pcie_pri_init(pdev, 0x120, OUTSTANDING_REQUESTS, true);
	memory_region_init_io(mr, pdev, &registers, e, "sva-endpoint", BAR_SIZE);
	pci_register_bar(pdev, SVA_ENDPOINT_BAR, 0, mr);
}

static void realize(struct qemu_pci_device *pdev, struct qemu_error **error)
{
	parent_realize(pdev, error);
	if (*error)
		return;
	pcie_endpoint_cap_init(pdev, 0);
	add_endpoint(pdev);
}

static void realize_v1(struct qemu_pci_device *pdev, struct qemu_error **error)
{
	parent_realize(pdev, error);
	if (*error)
		return;
	pcie_endpoint_cap_v1_init(pdev, 0);
	add_endpoint(pdev);
}

static void class_init(struct qemu_class *class, const void *data)
{
	device_class_set_parent_realize(class, (realize_fn *)data, &parent_realize);
}

static const struct qemu_type_info endpoint = {
	.name = "sva-endpoint",
	.parent = "ufs",
	.class_init = class_init,
	.class_data = realize,
};

static const struct qemu_type_info endpoint_v1 = {
	.name = "sva-endpoint-v1",
	.parent = "ufs",
	.class_init = class_init,
	.class_data = realize_v1,
};

static void register_types(void)
{
	type_register_static(&endpoint);
	type_register_static(&endpoint_v1);
}

/* A program that QEMU is started by, such as a shell, has no such function. */
static void __attribute__((constructor)) register_module(void)
{
	if (register_module_init)
		register_module_init(register_types, MODULE_INIT_QOM);
}
