// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI driver whose devices do DMA in one I/O address space, for selftests
 *
 * It takes any device, by its "driver_override" alone, and leaves the device's
 * registers to userspace. All its devices that are attached see one page at
 * PRIVATE_IOVA, and nothing else. A device that is not attached may use the DMA API
 * instead, with a page of its own. Files in the folder of each device:
 *
 *   attached	"1" attaches the device to the private domain, "0" detaches it
 *   dma_api	"1" claims the device for the DMA API and allocates a page, "0" frees
 *		it; reads as the page's DMA address, or 0
 *   page	what the device reaches: the page of the DMA API, or the one of all
 *
 * Some of it is what each driver of several devices in one IOMMU group has to do:
 * see Documentation/driver-api/iommu-dma-ownership.rst.
 */

#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#define PRIVATE_IOVA	0x5000000

struct private_device {
	bool attached;
	void *coherent;
	dma_addr_t dma;
};

/* The I/O address space of all attached devices; there while there are any. */
static struct iommu_domain *private_domain;
static void *private_page;
static unsigned int private_users;
/* Protects all of the above, and each device's state. */
static DEFINE_MUTEX(private_mutex);

static int make_domain(struct bus_type *bus)
{
	private_page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!private_page)
		return -ENOMEM;

	private_domain = iommu_domain_alloc(bus);
	if (private_domain)
		return 0;
	free_page((unsigned long)private_page);
	private_page = NULL;
	return -ENOMEM;
}

static void free_domain(void)
{
	iommu_domain_free(private_domain);
	private_domain = NULL;
	free_page((unsigned long)private_page);
	private_page = NULL;
}

static int map_page(void)
{
	return iommu_map(private_domain, PRIVATE_IOVA, virt_to_phys(private_page),
			 PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);
}

static int attach(struct device *dev)
{
	struct private_device *private = dev_get_drvdata(dev);
	bool first = !private_users;
	int ret = 0;

	lockdep_assert_held(&private_mutex);

	if (private->coherent)
		return -EINVAL;
	if (first)
		ret = make_domain(dev->bus);
	if (ret)
		return ret;

	ret = iommu_attach_device(private_domain, dev);
	if (ret)
		goto err_free_domain;
	/* A domain of many IOMMU drivers has no page table before its first attach. */
	if (first)
		ret = map_page();
	if (ret)
		goto err_detach;
	private->attached = true;
	private_users++;
	return 0;

err_detach:
	iommu_detach_device(private_domain, dev);
err_free_domain:
	if (first)
		free_domain();
	return ret;
}

static void detach(struct device *dev)
{
	struct private_device *private = dev_get_drvdata(dev);

	lockdep_assert_held(&private_mutex);

	if (!private->attached)
		return;
	iommu_detach_device(private_domain, dev);
	private->attached = false;
	if (!--private_users)
		free_domain();
}

static int use_dma_api(struct device *dev)
{
	struct private_device *private = dev_get_drvdata(dev);
	int ret;

	lockdep_assert_held(&private_mutex);

	if (private->attached || private->coherent)
		return -EINVAL;
	ret = iommu_device_use_dma_api(dev);
	if (ret)
		return ret;

	private->coherent = dma_alloc_coherent(dev, PAGE_SIZE, &private->dma,
					       GFP_KERNEL);
	if (private->coherent)
		return 0;
	iommu_device_unuse_dma_api(dev);
	return -ENOMEM;
}

static void unuse_dma_api(struct device *dev)
{
	struct private_device *private = dev_get_drvdata(dev);

	lockdep_assert_held(&private_mutex);

	if (!private->coherent)
		return;
	dma_free_coherent(dev, PAGE_SIZE, private->coherent, private->dma);
	private->coherent = NULL;
	private->dma = 0;
	iommu_device_unuse_dma_api(dev);
}

static ssize_t attached_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct private_device *private = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%d\n", private->attached);
}

static ssize_t attached_store(struct device *dev, struct device_attribute *attr,
			      const char *buf, size_t count)
{
	int ret;
	bool on;

	ret = kstrtobool(buf, &on);
	if (ret)
		return ret;

	mutex_lock(&private_mutex);
	if (on)
		ret = attach(dev);
	else
		detach(dev);
	mutex_unlock(&private_mutex);
	return ret ? ret : count;
}
static DEVICE_ATTR_RW(attached);

static ssize_t dma_api_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct private_device *private = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%pad\n", &private->dma);
}

static ssize_t dma_api_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	int ret;
	bool on;

	ret = kstrtobool(buf, &on);
	if (ret)
		return ret;

	mutex_lock(&private_mutex);
	if (on)
		ret = use_dma_api(dev);
	else
		unuse_dma_api(dev);
	mutex_unlock(&private_mutex);
	return ret ? ret : count;
}
static DEVICE_ATTR_RW(dma_api);

/* The page that the device reaches now, or NULL. */
static void *page_of(struct device *dev)
{
	struct private_device *private = dev_get_drvdata(dev);

	lockdep_assert_held(&private_mutex);

	return private->coherent ? private->coherent : private_page;
}

static ssize_t page_read(struct file *file, struct kobject *kobj,
			 struct bin_attribute *attr, char *buf, loff_t pos,
			 size_t count)
{
	void *page;

	mutex_lock(&private_mutex);
	page = page_of(kobj_to_dev(kobj));
	if (page)
		memcpy(buf, page + pos, count);
	mutex_unlock(&private_mutex);
	return page ? count : -ENXIO;
}

static ssize_t page_write(struct file *file, struct kobject *kobj,
			  struct bin_attribute *attr, char *buf, loff_t pos,
			  size_t count)
{
	void *page;

	mutex_lock(&private_mutex);
	page = page_of(kobj_to_dev(kobj));
	if (page)
		memcpy(page + pos, buf, count);
	mutex_unlock(&private_mutex);
	return page ? count : -ENXIO;
}
static BIN_ATTR_RW(page, PAGE_SIZE);

static struct attribute *private_attrs[] = {
	&dev_attr_attached.attr,
	&dev_attr_dma_api.attr,
	NULL
};

static struct bin_attribute *private_bin_attrs[] = {
	&bin_attr_page,
	NULL
};

static const struct attribute_group private_group = {
	.attrs = private_attrs,
	.bin_attrs = private_bin_attrs,
};

static const struct attribute_group *private_groups[] = {
	&private_group,
	NULL
};

static int private_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct private_device *private;
	int ret;

	private = devm_kzalloc(&pdev->dev, sizeof(*private), GFP_KERNEL);
	if (!private)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (ret)
		return ret;

	pci_set_master(pdev);
	pci_set_drvdata(pdev, private);
	return 0;
}

static void private_remove(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
	mutex_lock(&private_mutex);
	detach(&pdev->dev);
	unuse_dma_api(&pdev->dev);
	mutex_unlock(&private_mutex);
}

static struct pci_driver private_driver = {
	.name		= "private-domain",
	.probe		= private_probe,
	.remove		= private_remove,
	.driver = {
		.dev_groups = private_groups,
		.driver_managed_dma = true,
	},
};
module_pci_driver(private_driver);

MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("DMA of several PCI devices in one private domain, for tests");
