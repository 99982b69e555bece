/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mock IOMMU on a private bus, for unit tests of the IOMMU core.
 *
 * IOMMU operations are per bus, so the real IOMMU is not disturbed. Devices
 * and groups are real; only the hardware is missing. The mock remembers which
 * domain each device is attached to, fails on demand, and checks what no IOMMU
 * driver survives: a domain that is freed under a device.
 */
#ifndef __MOCK_IOMMU_H
#define __MOCK_IOMMU_H

#include <linux/device.h>
#include <linux/iommu.h>

struct kunit;

/**
 * struct mock_device - a device of the mock bus
 * @dev: the device
 * @driver: the driver that matches it, or NULL
 * @second: another that matches it, or NULL
 * @group: the group that it joins; without one it is in none
 * @join_in_dma_configure: it joins there, as on devicetree machines, and not
 *	when it is registered
 * @in_probe_device: called when the IOMMU driver is asked whether it knows it
 * @in_dma_configure: called when its bus's dma_configure() has set up its DMA ops
 * @needs_direct_map: it refuses every unmanaged domain, as Intel's IOMMU driver
 *	does for devices with reserved memory
 * @private_probe: @driver's probe attaches this domain to the group as a whole
 * @private_attach: @driver's probe attaches the device to this domain
 * @max_pasid: the highest PASID that it can use; 0 for all of 20 bits
 * @attach_deferred: the device is to stay as it is until it is attached by name
 * @claimed_meanwhile: an owner claims its group right before the IOMMU driver
 *	sets up its DMA ops for the first time
 * @dma_configure_ret: what its bus's dma_configure() returns
 * @probe_ret: what its driver's probe() returns
 * @probes: how often its driver was probed
 * @removes: how often its driver was removed
 * @not_bound: how often the bus was told that a driver was not bound after all
 * @finalized: how often the IOMMU driver set up its DMA ops
 * @dma_domain: the domain that its bus's dma_configure() found for the DMA API;
 *	NULL if it is to do without
 * @attached: the domain that it is attached to
 */
struct mock_device {
	struct device dev;
	struct device_driver *driver;
	struct device_driver *second;
	struct iommu_group *group;
	bool join_in_dma_configure;
	void (*in_probe_device)(struct mock_device *mdev);
	void (*in_dma_configure)(struct mock_device *mdev);
	bool needs_direct_map;
	struct iommu_domain *private_probe;
	struct iommu_domain *private_attach;
	u32 max_pasid;
	bool attach_deferred;
	void *claimed_meanwhile;
	int dma_configure_ret;
	int probe_ret;
	unsigned int probes;
	unsigned int removes;
	unsigned int not_bound;
	unsigned int finalized;
	struct iommu_domain *dma_domain;
	struct iommu_domain *attached;
};

#define to_mock_device(_dev)	container_of(_dev, struct mock_device, dev)

/**
 * struct mock_iommu - the state of the mock; reset before each test
 * @fail_attach: fails the attach that is so many away, 1 being the next one;
 *	never if 0
 * @fail_detached: that attach lets go of the device's old domain before it
 *	fails, as that of many IOMMU drivers does
 * @fail_alloc: no domain can be allocated
 * @fail_probe: finds so many devices no memory to be added
 * @fail_map: nothing can be mapped
 * @fail_sva: the error with which no address space can be bound; 0 for none
 * @foreign_pasid: each bond gets a PASID of its own, also one of an address space
 *	that has one
 * @no_default_domains: refuses domains of a type other than unmanaged, wants
 *	attach and detach in pairs, and detaches a device that it releases, as
 *	the drivers of ARM32 do
 * @attaches: calls of attach_dev()
 * @detaches: calls of detach_dev()
 * @domains: domains that exist
 * @mapped: pages that are mapped in domains, be they freed since
 * @last_prot: how the last of them was mapped
 * @bonds: address spaces that devices work on
 * @last_mm: the last that was to be bound
 * @errors: things that must never happen: a domain freed under a device,
 *	attaches and detaches that do not match, a device released while others
 *	can attach it
 */
struct mock_iommu {
	unsigned int fail_attach;
	bool fail_detached;
	bool fail_alloc;
	unsigned int fail_probe;
	bool fail_map;
	int fail_sva;
	bool foreign_pasid;
	bool no_default_domains;
	unsigned int attaches;
	unsigned int detaches;
	unsigned int domains;
	unsigned int mapped;
	int last_prot;
	unsigned int bonds;
	struct mm_struct *last_mm;
	unsigned int errors;
};

extern struct mock_iommu mock_iommu;

/*
 * The operations of the mock. It has more than any real IOMMU driver: a test can
 * take some away, which are there again in the next one.
 */
extern struct iommu_ops mock_iommu_ops;

/*
 * A driver that uses the DMA API; another, which CONFIG_DEBUG_TEST_DRIVER_REMOVE
 * has probed, removed and probed again; and one that manages its own DMA.
 */
extern struct device_driver mock_kernel_driver;
extern struct device_driver mock_reprobed_driver;
extern struct device_driver mock_managed_driver;

int mock_iommu_init(struct kunit *test);
struct mock_device *mock_device_new(void);
struct mock_device *mock_device_add(struct kunit *test,
				    struct iommu_group *group);
struct mock_device *mock_device_alloc(struct kunit *test);
void mock_device_register(struct kunit *test, struct mock_device *mdev);
void mock_device_del(struct mock_device *mdev);
int mock_bind(struct mock_device *mdev, struct device_driver *drv);
int mock_bind_by_hand(struct mock_device *mdev, struct device_driver *drv);
int mock_drivers_probe(struct mock_device *mdev);
void mock_unbind(struct mock_device *mdev);

#endif /* __MOCK_IOMMU_H */
