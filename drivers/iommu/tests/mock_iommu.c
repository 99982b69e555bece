// SPDX-License-Identifier: GPL-2.0-only
/* A mock IOMMU on a private bus. See mock_iommu.h. */

#include <kunit/test.h>
#include <linux/device.h>
#include <linux/dma-iommu.h>
#include <linux/ioasid.h>
#include <linux/klist.h>
#include <linux/notifier.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "../../base/base.h"
#include "../iommu-group.h"
#include "mock_iommu.h"

struct mock_iommu mock_iommu;
static struct iommu_device mock_iommu_device;

/* Domains */

static struct iommu_domain *mock_domain_alloc(unsigned int type)
{
	struct iommu_domain *domain;

	if (mock_iommu.fail_alloc)
		return NULL;
	if (mock_iommu.no_default_domains && type != IOMMU_DOMAIN_UNMANAGED)
		return NULL;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL);
	if (domain)
		mock_iommu.domains++;
	return domain;
}

static int mock_count_attached(struct device *dev, void *domain)
{
	if (to_mock_device(dev)->attached == domain)
		mock_iommu.errors++;
	return 0;
}

static struct bus_type mock_bus;

static void mock_domain_free(struct iommu_domain *domain)
{
	bus_for_each_dev(&mock_bus, NULL, domain, mock_count_attached);
	mock_iommu.domains--;
	iommu_put_dma_cookie(domain);
	kfree(domain);
}

static int mock_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
		    size_t size, int prot, gfp_t gfp)
{
	if (mock_iommu.fail_map)
		return -EIO;
	mock_iommu.mapped += size / SZ_4K;
	mock_iommu.last_prot = prot;
	return 0;
}

static size_t mock_unmap(struct iommu_domain *domain, unsigned long iova, size_t size,
			 struct iommu_iotlb_gather *gather)
{
	mock_iommu.mapped -= size / SZ_4K;
	return size;
}

static int mock_attach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	mock_iommu.attaches++;
	if (mock_iommu.fail_attach && !--mock_iommu.fail_attach) {
		if (mock_iommu.fail_detached)
			mdev->attached = NULL;
		return -EIO;
	}
	if (mdev->needs_direct_map && domain->type == IOMMU_DOMAIN_UNMANAGED)
		return -EPERM;
	if (mock_iommu.no_default_domains && mdev->attached)
		mock_iommu.errors++;

	mdev->attached = domain;
	mdev->attach_deferred = false;
	return 0;
}

static bool mock_is_attach_deferred(struct iommu_domain *domain,
				    struct device *dev)
{
	return to_mock_device(dev)->attach_deferred;
}

static void mock_detach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	mock_iommu.detaches++;
	if (mock_iommu.no_default_domains && mdev->attached != domain)
		mock_iommu.errors++;

	mdev->attached = NULL;
}

/* Devices */

static struct iommu_device *mock_probe_device(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	if (mdev->in_probe_device)
		mdev->in_probe_device(mdev);
	if (mock_iommu.fail_probe) {
		mock_iommu.fail_probe--;
		return ERR_PTR(-ENOMEM);
	}
	return mdev->group ? &mock_iommu_device : ERR_PTR(-ENODEV);
}

/* Nobody may attach the device any more, nor free what it is attached to. */
static void mock_check_delisted(struct iommu_group *group, struct device *dev)
{
	struct group_device *device;

	if (!mutex_is_locked(&group->mutex))
		mock_iommu.errors++;
	list_for_each_entry(device, &group->devices, list)
		if (device->dev == dev)
			mock_iommu.errors++;
}

static void mock_release_device(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	if (dev->iommu_group && dev->iommu_group->default_domain)
		mock_check_delisted(dev->iommu_group, dev);
	else if (mdev->attached)
		iommu_detach_device(mdev->attached, dev);
	mdev->attached = NULL;
}

static struct iommu_group *mock_device_group(struct device *dev)
{
	return iommu_group_ref_get(to_mock_device(dev)->group);
}

static void mock_probe_finalize(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);
	struct iommu_domain *domain;

	if (mdev->claimed_meanwhile)
		iommu_group_set_dma_owner(mdev->group, mdev->claimed_meanwhile);
	mdev->claimed_meanwhile = NULL;

	domain = iommu_get_domain_for_dev(dev);
	if (domain && domain->type != IOMMU_DOMAIN_UNMANAGED)
		mdev->finalized++;
}

static void mock_get_resv_regions(struct device *dev, struct list_head *regions)
{
	struct iommu_resv_region *region;

	if (!to_mock_device(dev)->needs_direct_map)
		return;
	region = iommu_alloc_resv_region(SZ_1M, SZ_4K, IOMMU_READ,
					 IOMMU_RESV_DIRECT);
	if (region)
		list_add_tail(&region->list, regions);
}

/* Address spaces; the callers hold the lock of all bonds. */

#if IS_ENABLED(CONFIG_IOMMU_SVA)
#define MOCK_PASID_MAX	0xfffff

struct mock_bond {
	struct iommu_sva sva;
	struct list_head list;
	struct mm_struct *mm;
	u32 pasid;
	unsigned int users;
};

static LIST_HEAD(mock_bonds);

/* The bond of a device, or of any if @dev is NULL, with an address space. */
static struct mock_bond *mock_find_bond(struct device *dev, struct mm_struct *mm)
{
	struct mock_bond *bond;

	list_for_each_entry(bond, &mock_bonds, list)
		if (bond->mm == mm && (!dev || bond->sva.dev == dev))
			return bond;
	return NULL;
}

/* A reference to the PASID of an address space: an ID that is allocated, or -ENOSPC. */
static int mock_get_pasid(struct mock_device *mdev, struct mm_struct *mm)
{
	struct mock_bond *bond = mock_find_bond(NULL, mm);
	u32 max = mdev->max_pasid ?: MOCK_PASID_MAX;
	ioasid_t pasid;

	if (!bond || mock_iommu.foreign_pasid) {
		pasid = ioasid_alloc(NULL, 1, max, NULL);
		return pasid == INVALID_IOASID ? -ENOSPC : pasid;
	}
	if (bond->pasid > max)
		return -ENOSPC;
	return ioasid_get(bond->pasid) ?: bond->pasid;
}

static struct mock_bond *mock_new_bond(struct device *dev, struct mm_struct *mm)
{
	struct mock_bond *bond = kzalloc(sizeof(*bond), GFP_KERNEL);
	int pasid;

	if (!bond)
		return ERR_PTR(-ENOMEM);
	pasid = mock_get_pasid(to_mock_device(dev), mm);
	if (pasid < 0) {
		kfree(bond);
		return ERR_PTR(pasid);
	}

	bond->sva.dev = dev;
	bond->mm = mm;
	bond->pasid = pasid;
	list_add(&bond->list, &mock_bonds);
	mock_iommu.bonds++;
	return bond;
}

static struct iommu_sva *mock_sva_bind(struct device *dev, struct mm_struct *mm,
				       unsigned int flags)
{
	struct mock_bond *bond;

	mock_iommu.last_mm = mm;
	if (mock_iommu.fail_sva)
		return ERR_PTR(mock_iommu.fail_sva);
	if (!mm != !!(flags & IOMMU_SVA_BIND_SUPERVISOR))
		mock_iommu.errors++;

	bond = mock_find_bond(dev, mm) ?: mock_new_bond(dev, mm);
	if (IS_ERR(bond))
		return ERR_CAST(bond);
	bond->users++;
	return &bond->sva;
}

static void mock_sva_unbind(struct iommu_sva *sva)
{
	struct mock_bond *bond = container_of(sva, struct mock_bond, sva);

	if (--bond->users)
		return;
	list_del(&bond->list);
	mock_iommu.bonds--;
	ioasid_put(bond->pasid);
	kfree(bond);
}

static u32 mock_sva_get_pasid(struct iommu_sva *sva)
{
	return container_of(sva, struct mock_bond, sva)->pasid;
}

static int mock_dev_enable_feat(struct device *dev, enum iommu_dev_features feat)
{
	return feat == IOMMU_DEV_FEAT_SVA ? 0 : -ENODEV;
}
#endif

static const struct iommu_ops mock_all_ops = {
	.domain_alloc	= mock_domain_alloc,
	.domain_free	= mock_domain_free,
	.attach_dev	= mock_attach_dev,
	.detach_dev	= mock_detach_dev,
	.map		= mock_map,
	.unmap		= mock_unmap,
	.is_attach_deferred = mock_is_attach_deferred,
	.probe_device	= mock_probe_device,
	.release_device	= mock_release_device,
	.probe_finalize	= mock_probe_finalize,
	.device_group	= mock_device_group,
	.get_resv_regions = mock_get_resv_regions,
	.put_resv_regions = generic_iommu_put_resv_regions,
#if IS_ENABLED(CONFIG_IOMMU_SVA)
	.sva_bind	= mock_sva_bind,
	.sva_unbind	= mock_sva_unbind,
	.sva_get_pasid	= mock_sva_get_pasid,
	.dev_enable_feat = mock_dev_enable_feat,
#endif
	.pgsize_bitmap	= SZ_4K,
};

struct iommu_ops mock_iommu_ops;

/* Bus and drivers */

static int mock_match(struct device *dev, struct device_driver *drv)
{
	struct mock_device *mdev = to_mock_device(dev);

	return mdev->driver == drv || mdev->second == drv;
}

/* As that of devicetree machines, which ignores why there is no IOMMU */
static int mock_dma_configure(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	if (mdev->dma_configure_ret)
		return mdev->dma_configure_ret;
	if (mdev->join_in_dma_configure && !dev->iommu_group)
		iommu_probe_device(dev);

	mdev->dma_domain = iommu_get_default_domain_for_dev(dev);
	if (mdev->in_dma_configure)
		mdev->in_dma_configure(mdev);
	return 0;
}

static int mock_driver_probe(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	mdev->probes++;
	if (mdev->private_probe)
		return iommu_attach_group(mdev->private_probe,
					  dev->iommu_group);
	if (mdev->private_attach)
		return iommu_attach_device(mdev->private_attach, dev);
	return mdev->probe_ret;
}

static int mock_driver_remove(struct device *dev)
{
	struct mock_device *mdev = to_mock_device(dev);

	mdev->removes++;
	if (mdev->private_probe)
		iommu_detach_group(mdev->private_probe, dev->iommu_group);
	if (mdev->private_attach)
		iommu_detach_device(mdev->private_attach, dev);
	return 0;
}

static struct bus_type mock_bus = {
	.name		= "mock_iommu",
	.match		= mock_match,
	.dma_configure	= mock_dma_configure,
};

/* Without attributes in sysfs, CONFIG_DEBUG_TEST_DRIVER_REMOVE spares them. */
struct device_driver mock_kernel_driver = {
	.name		= "mock_kernel",
	.bus		= &mock_bus,
	.probe		= mock_driver_probe,
	.remove		= mock_driver_remove,
	.suppress_bind_attrs = true,
};

struct device_driver mock_reprobed_driver = {
	.name		= "mock_reprobed",
	.bus		= &mock_bus,
	.probe		= mock_driver_probe,
	.remove		= mock_driver_remove,
};

struct device_driver mock_managed_driver = {
	.name		= "mock_managed",
	.bus		= &mock_bus,
	.probe		= mock_driver_probe,
	.remove		= mock_driver_remove,
	.suppress_bind_attrs = true,
	.driver_managed_dma = true,
};

static int mock_notify(struct notifier_block *nb, unsigned long action,
		       void *dev)
{
	if (action == BUS_NOTIFY_DRIVER_NOT_BOUND)
		to_mock_device(dev)->not_bound++;
	return NOTIFY_OK;
}

static struct notifier_block mock_notifier = {
	.notifier_call	= mock_notify,
};

static struct device *mock_root;

static int mock_bus_init(void)
{
	int ret;

	ret = bus_register(&mock_bus);
	if (ret)
		return ret;

	mock_root = root_device_register("mock_iommu");
	if (IS_ERR(mock_root))
		return PTR_ERR(mock_root);

	ret = iommu_device_sysfs_add(&mock_iommu_device, mock_root, NULL,
				     "mock_iommu");
	if (ret)
		return ret;
	iommu_device_set_ops(&mock_iommu_device, &mock_iommu_ops);

	ret = bus_set_iommu(&mock_bus, &mock_iommu_ops);
	if (ret)
		return ret;

	ret = bus_register_notifier(&mock_bus, &mock_notifier);
	if (!ret)
		ret = driver_register(&mock_kernel_driver);
	if (!ret)
		ret = driver_register(&mock_reprobed_driver);
	return ret ?: driver_register(&mock_managed_driver);
}

/**
 * mock_iommu_init() - Reset the mock, to be called before each test
 * @test: the test
 *
 * The first call registers the bus, the mock IOMMU and the drivers. They stay
 * until the machine stops: the IOMMU core cannot forget a bus.
 *
 * Return: 0 or an error.
 */
int mock_iommu_init(struct kunit *test)
{
	static bool registered;
	int ret;

	memset(&mock_iommu, 0, sizeof(mock_iommu));
	mock_iommu_ops = mock_all_ops;
	if (registered)
		return 0;

	ret = mock_bus_init();
	registered = !ret;
	return ret;
}

static void mock_device_release(struct device *dev)
{
	kfree(to_mock_device(dev));
}

/**
 * mock_device_new() - Make a device outside of a test
 *
 * Return: the device, not registered; NULL without memory.
 */
struct mock_device *mock_device_new(void)
{
	struct mock_device *mdev = kzalloc(sizeof(*mdev), GFP_KERNEL);
	static unsigned int id;

	if (!mdev)
		return NULL;
	device_initialize(&mdev->dev);
	mdev->dev.bus = &mock_bus;
	mdev->dev.parent = mock_root;
	mdev->dev.release = mock_device_release;
	dev_set_name(&mdev->dev, "mock%u", id++);
	return mdev;
}

/**
 * mock_device_alloc() - Make a device, to be set up before it is registered
 * @test: the test
 *
 * Return: the device; never NULL, the test ends instead.
 */
struct mock_device *mock_device_alloc(struct kunit *test)
{
	struct mock_device *mdev = mock_device_new();

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mdev);
	return mdev;
}

/**
 * mock_device_register() - Add a device to the bus
 * @test: the test
 * @mdev: a device from mock_device_alloc()
 */
void mock_device_register(struct kunit *test, struct mock_device *mdev)
{
	KUNIT_ASSERT_EQ(test, device_add(&mdev->dev), 0);
}

/**
 * mock_device_add() - Make a device in a group and add it to the bus
 * @test: the test
 * @group: the group that the device joins
 *
 * Return: the device, without a driver; never NULL.
 */
struct mock_device *mock_device_add(struct kunit *test,
				    struct iommu_group *group)
{
	struct mock_device *mdev = mock_device_alloc(test);

	mdev->group = group;
	mock_device_register(test, mdev);
	KUNIT_EXPECT_PTR_EQ(test, mdev->dev.iommu_group, group);
	return mdev;
}

/**
 * mock_device_del() - Unplug a device
 * @mdev: the device; freed
 */
void mock_device_del(struct mock_device *mdev)
{
	device_unregister(&mdev->dev);
}

/**
 * mock_bind() - Do what a write to a driver's "bind" attribute does
 * @mdev: the device
 * @drv: the driver
 *
 * Return: 1 if the driver was bound, 0 if it rejected the device, or an error.
 */
int mock_bind(struct mock_device *mdev, struct device_driver *drv)
{
	mdev->driver = drv;
	return device_driver_attach(drv, &mdev->dev);
}

/**
 * mock_bind_by_hand() - Bind a driver to a device without a probe
 * @mdev: the device
 * @drv: the driver
 *
 * Return: 0 or an error.
 */
int mock_bind_by_hand(struct mock_device *mdev, struct device_driver *drv)
{
	struct device *dev = &mdev->dev;
	int ret;

	device_lock(dev);
	dev->driver = drv;
	ret = device_bind_driver(dev);
	if (ret)
		dev->driver = NULL;
	device_unlock(dev);
	return ret;
}

/**
 * mock_drivers_probe() - Do what a write to "drivers_probe" does
 * @mdev: the device
 *
 * Return: 1 if a driver was bound, 0 if none wanted the device, or an error.
 */
int mock_drivers_probe(struct mock_device *mdev)
{
	return device_attach_or_refuse(&mdev->dev);
}

/**
 * mock_unbind() - Unbind a device's driver
 * @mdev: the device
 */
void mock_unbind(struct mock_device *mdev)
{
	device_release_driver(&mdev->dev);
}
