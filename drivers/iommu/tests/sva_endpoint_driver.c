// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver of the endpoint with PASID, ATS and page requests that selftests have QEMU
 * emulate, see tools/testing/selftests/iommu/qemu/sva_endpoint.c
 *
 * It is bound by "driver_override" alone: "sva-endpoint". What processes do with it is
 * in sva_queue.c. It does DMA for them alone, so it has no kernel claim.
 *
 * For a kernel without claims, this and sva_queue.c can be built as a module: see
 * tools/testing/selftests/iommu/sva_endpoint.
 */

#include <linux/err.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/module.h>
#include <linux/pci.h>
#include "sva_queue.h"
#include "sva_test.h"

static int sva_endpoint_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct sva_queues *queues;
	void __iomem *registers;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	registers = pcim_iomap(pdev, SVA_ENDPOINT_BAR, 0);
	if (!registers)
		return -ENOMEM;
	if (readq(registers + SVA_ENDPOINT_MAGIC) != SVA_ENDPOINT_MAGIC_VALUE)
		return -ENODEV;

	pci_set_master(pdev);
	queues = sva_queues_add(&pdev->dev, registers,
				pci_resource_start(pdev, SVA_ENDPOINT_BAR));
	if (IS_ERR(queues)) {
		pci_clear_master(pdev);
		return PTR_ERR(queues);
	}
	pci_set_drvdata(pdev, queues);
	return 0;
}

static void sva_endpoint_remove(struct pci_dev *pdev)
{
	sva_queues_remove(pci_get_drvdata(pdev));
	pci_clear_master(pdev);
}

static struct pci_driver sva_endpoint_driver = {
	.name		= "sva-endpoint",
	.probe		= sva_endpoint_probe,
	.remove		= sva_endpoint_remove,
#ifndef SVA_ENDPOINT_WITHOUT_CLAIMS
	.driver = {
		.driver_managed_dma = true,
	},
#endif
};
module_pci_driver(sva_endpoint_driver);
