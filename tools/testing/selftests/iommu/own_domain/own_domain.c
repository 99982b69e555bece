// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least of a PCI driver whose device has an I/O address space of its own
 *
 * For the demonstration, of kernels with DMA ownership and without it: the calls are
 * the same for both. It takes "edu", QEMU's device for teaching, by its
 * "driver_override" alone. The device then copies a word from one place of a page to
 * another, at I/O addresses that the driver has chosen.
 */

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>

#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_CMD_RUN	BIT(0)
#define EDU_CMD_TO_RAM	BIT(1)
#define EDU_BUFFER	0x40000

#define IOVA		0x5000000
#define WORD		0x0123456789abcdefULL
#define FROM		0
#define TO		64

struct own_domain {
	struct iommu_domain *domain;
	u64 *page;
	void __iomem *regs;
};

/* The device moves a word between its buffer and the page. */
static int edu_move(struct own_domain *own, u64 src, u64 dst, u32 direction)
{
	u32 cmd;

	writeq(src, own->regs + EDU_DMA_SRC);
	writeq(dst, own->regs + EDU_DMA_DST);
	writeq(sizeof(u64), own->regs + EDU_DMA_COUNT);
	writeq(EDU_CMD_RUN | direction, own->regs + EDU_DMA_CMD);
	return readl_poll_timeout(own->regs + EDU_DMA_CMD, cmd,
				  !(cmd & EDU_CMD_RUN), 1000, 5 * USEC_PER_SEC);
}

static int copy_by_dma(struct own_domain *own)
{
	int ret;

	own->page[FROM / sizeof(u64)] = WORD;
	ret = edu_move(own, IOVA + FROM, EDU_BUFFER, 0);
	if (!ret)
		ret = edu_move(own, EDU_BUFFER, IOVA + TO, EDU_CMD_TO_RAM);
	if (!ret && own->page[TO / sizeof(u64)] != WORD)
		ret = -EIO;
	return ret;
}

static int own_domain_attach(struct own_domain *own, struct device *dev)
{
	int ret;

	own->domain = iommu_domain_alloc(dev->bus);
	if (!own->domain)
		return -ENOMEM;
	ret = iommu_attach_device(own->domain, dev);
	dev_info(dev, "iommu_attach_device() = %d\n", ret);
	if (ret)
		goto err_free;
	ret = iommu_map(own->domain, IOVA, virt_to_phys(own->page), PAGE_SIZE,
			IOMMU_READ | IOMMU_WRITE);
	if (ret)
		goto err_detach;
	return 0;

err_detach:
	iommu_detach_device(own->domain, dev);
err_free:
	iommu_domain_free(own->domain);
	return ret;
}

static void own_domain_detach(struct own_domain *own, struct device *dev)
{
	iommu_detach_device(own->domain, dev);
	iommu_domain_free(own->domain);
}

static int own_domain_prepare(struct own_domain *own, struct pci_dev *pdev)
{
	int ret;

	own->page = (u64 *)devm_get_free_pages(&pdev->dev, GFP_KERNEL | __GFP_ZERO, 0);
	if (!own->page)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_iomap_regions(pdev, BIT(0), pci_name(pdev));
	if (ret)
		return ret;
	own->regs = pcim_iomap_table(pdev)[0];
	return 0;
}

static int own_domain_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct own_domain *own;
	int ret;

	own = devm_kzalloc(&pdev->dev, sizeof(*own), GFP_KERNEL);
	if (!own)
		return -ENOMEM;
	ret = own_domain_prepare(own, pdev);
	if (ret)
		return ret;
	ret = own_domain_attach(own, &pdev->dev);
	if (ret)
		return ret;

	pci_set_master(pdev);
	pci_set_drvdata(pdev, own);
	ret = copy_by_dma(own);
	dev_info(&pdev->dev, "DMA at I/O addresses of its driver: %d\n", ret);
	if (!ret)
		return 0;

	pci_clear_master(pdev);
	own_domain_detach(own, &pdev->dev);
	return ret;
}

static void own_domain_remove(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
	own_domain_detach(pci_get_drvdata(pdev), &pdev->dev);
}

static struct pci_driver own_domain_driver = {
	.name = "own-domain",
	.probe = own_domain_probe,
	.remove = own_domain_remove,
};
module_pci_driver(own_domain_driver);

MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("A device with an I/O address space of its own, for a demonstration");
