// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues that work on the memory of whoever opens them, as files of uacce
 *
 * /dev/sva_test-N is a device, and a file that is opened is one of its queues. uacce
 * binds the process. The device may be one that only tests know, without registers;
 * then there is nothing but the bond. See sva_test.h for what a queue can do.
 */

#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uacce.h>
#include "sva_queue.h"
#include "sva_test.h"

struct sva_queues {
	struct uacce_device *uacce;
	void __iomem *registers;
	phys_addr_t pages;
	/* Those in use; protected by uacce->mutex. */
	DECLARE_BITMAP(used, SVA_ENDPOINT_QUEUES);
};

static struct sva_queues *to_queues(struct uacce_queue *q)
{
	return q->uacce->priv;
}

static unsigned long to_number(struct uacce_queue *q)
{
	return (unsigned long)q->priv;
}

static void tell_pasid(struct sva_queues *queues, unsigned long number, u32 pasid)
{
	if (queues->registers)
		writeq(pasid, queues->registers + SVA_ENDPOINT_PASID(number));
}

static int sva_queue_get(struct uacce_device *uacce, unsigned long pasid,
			 struct uacce_queue *q)
{
	struct sva_queues *queues = uacce->priv;
	unsigned long number = find_first_zero_bit(queues->used, SVA_ENDPOINT_QUEUES);

	if (number >= SVA_ENDPOINT_QUEUES)
		return -EBUSY;
	__set_bit(number, queues->used);
	q->priv = (void *)number;
	tell_pasid(queues, number, pasid);
	return 0;
}

static void sva_queue_put(struct uacce_queue *q)
{
	struct sva_queues *queues = to_queues(q);

	tell_pasid(queues, to_number(q), 0);
	__clear_bit(to_number(q), queues->used);
}

static int sva_queue_mmap(struct uacce_queue *q, struct vm_area_struct *vma,
			  struct uacce_qfile_region *qfr)
{
	struct sva_queues *queues = to_queues(q);
	phys_addr_t page = queues->pages + (to_number(q) + 1) * SVA_ENDPOINT_PAGE;

	if (qfr->type != UACCE_QFRT_MMIO || !queues->registers)
		return -EINVAL;
	if (vma->vm_end - vma->vm_start != SVA_ENDPOINT_PAGE)
		return -EINVAL;
	vma->vm_flags |= VM_IO | VM_PFNMAP;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return remap_pfn_range(vma, vma->vm_start, page >> PAGE_SHIFT,
			       SVA_ENDPOINT_PAGE, vma->vm_page_prot);
}

static long sva_queue_ioctl(struct uacce_queue *q, unsigned int cmd,
			    unsigned long arg)
{
	return cmd == SVA_TEST_PASID ? q->pasid : -ENOTTY;
}

static const struct uacce_ops sva_queue_ops = {
	.get_queue	= sva_queue_get,
	.put_queue	= sva_queue_put,
	.mmap		= sva_queue_mmap,
	.ioctl		= sva_queue_ioctl,
};

/**
 * sva_queues_add() - Make the file of a device
 * @parent: the device, whose IOMMU driver knows SVA
 * @registers: page 0 of those of sva_test.h, or NULL
 * @pages: where they are in physical memory
 *
 * Context: may sleep.
 * Return: to be removed with sva_queues_remove(); or an ERR_PTR() of -ENODEV without
 * SVA, -ENOMEM, or another error of the driver core.
 */
struct sva_queues *sva_queues_add(struct device *parent, void __iomem *registers,
				  phys_addr_t pages)
{
	struct uacce_interface interface = {
		.name	= "sva_test",
		.flags	= UACCE_DEV_SVA,
		.ops	= &sva_queue_ops,
	};
	struct sva_queues *queues = kzalloc(sizeof(*queues), GFP_KERNEL);
	struct uacce_device *uacce;
	int ret;

	if (!queues)
		return ERR_PTR(-ENOMEM);
	uacce = uacce_alloc(parent, &interface);
	if (IS_ERR(uacce)) {
		ret = PTR_ERR(uacce);
		goto err_free;
	}

	queues->uacce = uacce;
	queues->registers = registers;
	queues->pages = pages;
	uacce->priv = queues;
	uacce->algs = "read\nwrite\n";
	uacce->api_ver = "sva_test";
	if (registers)
		uacce->qf_pg_num[UACCE_QFRT_MMIO] = 1;

	ret = uacce->flags & UACCE_DEV_SVA ? uacce_register(uacce) : -ENODEV;
	if (ret)
		goto err_remove;
	return queues;

err_remove:
	uacce_remove(uacce);
err_free:
	kfree(queues);
	return ERR_PTR(ret);
}

/**
 * sva_queues_remove() - Take back the file of a device
 * @queues: from sva_queues_add(); freed
 *
 * Queues that are open stay open, and can do nothing any more.
 *
 * Context: may sleep.
 */
void sva_queues_remove(struct sva_queues *queues)
{
	uacce_remove(queues->uacce);
	kfree(queues);
}
