# SPDX-License-Identifier: GPL-2.0-only
"""The mutations: each takes one rule of DMA ownership away.

(what goes wrong, file, text that stands in the file exactly once, replacement)
"""

OWNER = "drivers/iommu/dma-owner.c"
CORE = "drivers/iommu/iommu.c"
DRIVERS = "drivers/base/dd.c"

MUTATIONS = (
    ("a kernel claim ignores the owner", OWNER,
     "\tif (group->owner) {\n"
     "\t\treport_probe_refused(group, device->dev);\n"
     "\t\treturn -EBUSY;\n"
     "\t}\n",
     ""),
    ("an owner's claim ignores other claims", OWNER,
     "\t\treport_claim_refused(group);\n"
     "\t\treturn -EPERM;",
     "\t\treport_claim_refused(group);"),
    ("a repeated kernel claim counts twice", OWNER,
     "\tif (device->dma_api)\n"
     "\t\treturn;\n"
     "\tdevice->dma_api = true;",
     "\tdevice->dma_api = true;"),
    ("a stray release counts", OWNER,
     "\tif (!device->dma_api)\n"
     "\t\treturn;\n",
     ""),
    ("a device that leaves keeps its claim", OWNER,
     "\t\t\t   struct group_device *device)\n"
     "{\n"
     "\tunclaim_device(group, device);",
     "\t\t\t   struct group_device *device)\n"
     "{"),
    ("an owned group falls back to its default domain", OWNER,
     "return group->owner ? group->blocking_domain : group->default_domain;",
     "return group->default_domain;"),
    ("a claim takes a driver's own domain away", OWNER,
     "\tif (group->domain != group->default_domain)\n"
     "\t\treturn -EBUSY;\n",
     ""),
    ("a failed attach is not rolled back", CORE,
     "\tiommu_group_undo_attach(group, domain, device);\n",
     ""),
    ("the rollback leaves out the device that failed", CORE,
     "\t\tif (group->domain)\n"
     "\t\t\t__iommu_device_restore",
     "\t\tif (group->domain && device != failed)\n"
     "\t\t\t__iommu_device_restore"),
    ("a device that could not go back is forgotten", CORE,
     "\tdevice->stranded = ret;\n",
     "\tdevice->stranded = false;\n"),
    ("a device that could not go back is not cut off", CORE,
     "\tif (from)\n"
     "\t\t__iommu_detach_device(from, device->dev);\n",
     ""),
    ("a device that could not go back is never tried again", OWNER,
     "\tif (device->stranded) {",
     "\tif (0) {"),
    ("a device that joins is dragged to the default domain", CORE,
     "\tif (group->default_domain && group->domain == group->default_domain) {",
     "\tif (group->default_domain) {"),
    ("a device with a driver that joins late is not counted", OWNER,
     "\tclaim_device(group, device);\n"
     "\treturn 0;\n"
     "}\n"
     "\n"
     "/**\n"
     " * iommu_dma_owner_leave",
     "\treturn 0;\n"
     "}\n"
     "\n"
     "/**\n"
     " * iommu_dma_owner_leave"),
    ("a device with a driver may join an owned group", OWNER,
     "\t\t\tgroup->id, group->owner_comm, group->owner_pid);\n"
     "\t\treturn -EBUSY;",
     "\t\t\tgroup->id, group->owner_comm, group->owner_pid);\n"
     "\t\treturn 0;"),
    ("a device that joined an owned group never gets its DMA ops", OWNER,
     "\tdevice->finalize = group->owner;\n",
     ""),
    ("DMA ops are set up before every probe", OWNER,
     "\t\tswap(finalize, device->finalize);",
     "\t\tfinalize = device->finalize;"),
    ("a device is released while others can attach it", CORE,
     "\tdevice = iommu_group_delist(group, dev);\n"
     "\tdev->bus->iommu_ops->release_device(dev);\n",
     "\tdev->bus->iommu_ops->release_device(dev);\n"
     "\tdevice = iommu_group_delist(group, dev);\n"),
    ("the driver core does not claim", DRIVERS,
     "\tret = iommu_device_use_dma_api(dev);",
     "\tret = 0;"),
    ("the driver core does not release", DRIVERS,
     "\tiommu_device_unuse_dma_api(dev);",
     ""),
    ("the claim is released before managed resources are", DRIVERS,
     "\t\tdevres_release_all(dev);\n"
     "\t\tarch_teardown_dma_ops(dev);\n"
     "\t\tkfree(dev->dma_range_map);\n"
     "\t\tdev->dma_range_map = NULL;\n"
     "\t\tdevice_release_dma(dev);\n"
     "\t\tdev->driver = NULL;\n"
     "\t\tdev_set",
     "\t\tdevice_release_dma(dev);\n"
     "\t\tdevres_release_all(dev);\n"
     "\t\tarch_teardown_dma_ops(dev);\n"
     "\t\tkfree(dev->dma_range_map);\n"
     "\t\tdev->dma_range_map = NULL;\n"
     "\t\tdev->driver = NULL;\n"
     "\t\tdev_set"),
    ("a failed probe keeps its claim", DRIVERS,
     "\tdev->dma_range_map = NULL;\n"
     "\tdevice_release_dma(dev);\n"
     "\tdev->driver = NULL;\n",
     "\tdev->dma_range_map = NULL;\n"
     "\tdev->driver = NULL;\n"),
    ("a write to bind does not learn of the refusal", DRIVERS,
     "\t\t\tret = dev->p->dma_claim;",
     "\t\t\tret = 0;"),
    ("a write to bind learns of an earlier refusal", DRIVERS,
     "\t\tdev->p->dma_claim = 0;\n",
     ""),
    ("driver_managed_dma is ignored", DRIVERS,
     "\tif (dev->driver->driver_managed_dma)\n"
     "\t\treturn 0;\n",
     ""),
    ("the claim comes before dma_configure()", DRIVERS,
     "\tif (dev->bus->dma_configure) {\n"
     "\t\tret = dev->bus->dma_configure(dev);\n"
     "\t\tif (ret)\n"
     "\t\t\tgoto probe_failed;\n"
     "\t}\n"
     "\n"
     "\tret = device_claim_dma(dev);\n"
     "\tif (ret)\n"
     "\t\tgoto dma_claim_refused;\n"
     "\n",
     "\tret = device_claim_dma(dev);\n"
     "\tif (ret)\n"
     "\t\tgoto dma_claim_refused;\n"
     "\n"
     "\tif (dev->bus->dma_configure) {\n"
     "\t\tret = dev->bus->dma_configure(dev);\n"
     "\t\tif (ret)\n"
     "\t\t\tgoto probe_failed;\n"
     "\t}\n"
     "\n"),
    ("a refusal ends the search for a driver", DRIVERS,
     "\tret = 0;\n"
     "done:",
     "\tif (dev->p->dma_claim >= 0)\n"
     "\t\tret = 0;\n"
     "done:"),
    ("an owner needs no cookie", OWNER,
     "\tif (!owner)\n"
     "\t\treturn -EINVAL;\n",
     ""),
    ("an empty group can be claimed", OWNER,
     "\tif (list_empty(&group->devices))\n"
     "\t\treturn -ENODEV;\n",
     ""),
    ("groups without a default domain are blocked", OWNER,
     "\tif (group->default_domain) {\n"
     "\t\tint ret = block_group(group);",
     "\t{\n"
     "\t\tint ret = block_group(group);"),
    ("a release leaves the group where it is", OWNER,
     "\tif (group->default_domain)\n"
     "\t\t__iommu_group_restore_domain(group, group->default_domain);\n",
     ""),
    ("a release keeps the count", OWNER,
     "\tgroup->owner = NULL;\n"
     "\tgroup->owner_cnt = 0;\n",
     "\tgroup->owner = NULL;\n"),
    ("a missing blocking domain goes unnoticed", OWNER,
     "\t\tif (!group->blocking_domain)\n"
     "\t\t\treturn -ENOMEM;\n",
     ""),
    ("an owner cannot attach a domain", CORE,
     "\t    group->domain != iommu_group_fallback_domain(group))\n",
     "\t    group->domain != group->default_domain)\n"),
    ("a domain can be attached over another", CORE,
     "\t    group->domain != iommu_group_fallback_domain(group))\n",
     "\t    0)\n"),
    ("a group forgets that it went back", CORE,
     "\t\t__iommu_device_restore_domain(group, device, group->domain,\n"
     "\t\t\t\t\t      domain);\n"
     "\tgroup->domain = domain;",
     "\t\t__iommu_device_restore_domain(group, device, group->domain,\n"
     "\t\t\t\t\t      domain);"),
    ("the blocking domain leaks", CORE,
     "\tif (group->blocking_domain)\n"
     "\t\tiommu_domain_free(group->blocking_domain);\n",
     ""),
)
