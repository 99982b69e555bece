# SPDX-License-Identifier: GPL-2.0-only
"""The mutations: each takes one rule of DMA ownership away."""

from typing import NamedTuple, Union


class Suite(NamedTuple):
    """A suite of tests.cfg, on one of its machines."""
    machine: str
    name: str


UNIT = Suite("q35-intel", "iommu_dma_owner")
VFIO = Suite("q35-intel", "dma_owner_vfio_test")
ABI = Suite("q35-intel", "dma_owner_abi_test")
HOTPLUG = Suite("q35-intel", "dma_owner_hotplug_test")
HOTPLUG_AMD = Suite("q35-amd", "dma_owner_hotplug_test")
MDEV = Suite("q35-intel", "dma_owner_mdev_test")
NOIOMMU = Suite("q35-noiommu", "dma_owner_noiommu_test")
SHOWN = Suite("q35-intel", "dma_owner_visibility_test")
RACE = Suite("q35-intel", "dma_owner_race_test")


class Mutation(NamedTuple):
    """What goes wrong, and how. `killer`: the suite that notices it, or the rule
    (-DBREAK_...) without which spin refutes the model, where no machine would."""
    name: str
    path: str
    old: str        # stands in the file exactly once
    new: str
    killer: Union[Suite, str] = UNIT


OWNER = "drivers/iommu/dma-owner.c"
CORE = "drivers/iommu/iommu.c"
DMAR = "drivers/iommu/intel/dmar.c"
DRIVERS = "drivers/base/dd.c"
GROUPS = "drivers/vfio/vfio.c"
INTEL = "drivers/iommu/intel/iommu.c"
AMD = "drivers/iommu/amd/iommu.c"

MUTATIONS = tuple(Mutation(*words) for words in (
    ("a kernel claim ignores the owner", OWNER,
     "\tif (group->owner) {\n"
     "\t\treport_probe_refused(group, device->dev);\n"
     "\t\treturn -EBUSY;\n"
     "\t}\n",
     ""),
    ("an owner comes between a kernel claim and its check", OWNER,
     "\tclaim_device(group, device);\n"
     "\treturn 0;\n"
     "}\n"
     "\n"
     "/* Does what",
     "\tmutex_unlock(&group->mutex);\n"
     "\tschedule_timeout_uninterruptible(1);\n"
     "\tmutex_lock(&group->mutex);\n"
     "\tclaim_device(group, device);\n"
     "\treturn 0;\n"
     "}\n"
     "\n"
     "/* Does what",
     RACE),
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
     "\tdevice->finalize = group->owner && group->default_domain;\n",
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

    # More of the state machine
    ("a device without a group cannot have a driver", OWNER,
     "\tif (!group)\n"
     "\t\treturn 0;\n"
     "\n"
     "\tmutex_lock(&group->mutex);\n"
     "\t/* A device that is not on the list yet",
     "\tif (!group)\n"
     "\t\treturn -ENODEV;\n"
     "\n"
     "\tmutex_lock(&group->mutex);\n"
     "\t/* A device that is not on the list yet"),
    ("an owner gets the group with DMA on its default domain", OWNER,
     "\tif (group->default_domain) {\n"
     "\t\tint ret = block_group(group);\n"
     "\n"
     "\t\tif (ret) {\n"
     "\t\t\treport_domain_in_way(group, ret);\n"
     "\t\t\treturn ret;\n"
     "\t\t}\n"
     "\t}\n",
     ""),
    ("a refusal names every device that is in the way", OWNER,
     "#define REPORT_DEVICES\t\t8\n",
     "#define REPORT_DEVICES\t\t100\n"),
    ("the log of a group is not limited", OWNER,
     "#define REPORT_BURST\t\t10\n",
     "#define REPORT_BURST\t\t100\n"),
    ("a claim that the domain does not allow is not told of", OWNER,
     "\t\t\treport_domain_in_way(group, ret);\n",
     ""),
    ("an owner is not counted", OWNER,
     "\tgroup->owner_cnt = 1;\n",
     ""),
    ("a kernel claim does not count as a claim", OWNER,
     "\tclaimed = group->owner_cnt;",
     "\tclaimed = group->owner;"),
    ("a driver's own domain keeps drivers from its siblings", OWNER,
     "\tif (group->owner) {\n"
     "\t\treport_probe_refused(group, device->dev);",
     "\tif (group->owner || group->domain != group->default_domain) {\n"
     "\t\treport_probe_refused(group, device->dev);"),
    ("DMA ops that a claim overtook are never set up", OWNER,
     "\tlist_for_each_entry(device, &group->devices, list)\n"
     "\t\tdevice->finalize = true;\n",
     ""),
    ("a group gets a default domain under its owner", CORE,
     "\tif (group->default_domain || group->owner)\n",
     "\tif (group->default_domain)\n"),
    ("a device that could not join stays counted", CORE,
     "\tmutex_lock(&group->mutex);\n"
     "\tiommu_dma_owner_leave(group, device);\n"
     "\tlist_del(&device->list);\n",
     "\tmutex_lock(&group->mutex);\n"
     "\tlist_del(&device->list);\n"),
    ("device_bind_driver() does not claim", DRIVERS,
     "\tret = device_claim_dma(dev);\n"
     "\tif (ret)\n"
     "\t\treturn ret;\n"
     "\n",
     ""),
    ("a refused probe is taken back like a failed one", DRIVERS,
     "\t\tgoto dma_claim_refused;\n",
     "\t\tgoto probe_failed;\n"),
    ("a driver is bound before the group of its device is known", DRIVERS,
     "\tret = iommu_device_find_group(dev);\n",
     "\tret = 0;\n"),
    # Order in memory, and a race without an opening for a test
    ("no barrier between a claim and the look for a group", DRIVERS,
     "\tsmp_mb();\n"
     "\tret = iommu_device_use_dma_api(dev);",
     "\tret = iommu_device_use_dma_api(dev);",
     "CLAIM_BARRIER"),
    ("no barrier between a dropped claim and the look for a group", DRIVERS,
     "\tsmp_mb();\n"
     "\tiommu_device_unuse_dma_api(dev);",
     "\tiommu_device_unuse_dma_api(dev);",
     "RELEASE_BARRIER"),
    ("no barrier between joining a group and the look for a claim", OWNER,
     "\tsmp_mb();\n",
     "",
     "JOIN_BARRIER"),
    ("a refused claim is not taken back from a group joined meanwhile", DRIVERS,
     "\t\tdevice_drop_dma_claim(dev, ret);\n",
     "\t\tWRITE_ONCE(dev->p->dma_claim, ret);\n",
     "REFUSED_DROPPED"),
    # Messages
    ("a refused probe is not logged", OWNER,
     "\t\treport_probe_refused(group, device->dev);\n",
     "",
     VFIO),
    ("a refused claim is not logged", OWNER,
     "\t\treport_claim_refused(group);\n"
     "\t\treturn -EPERM;",
     "\t\treturn -EPERM;",
     VFIO),
    # VFIO
    ("VFIO does not claim", GROUPS,
     "\treturn iommu_group_set_dma_owner(group->iommu_group, group);",
     "\treturn 0;",
     VFIO),
    ("VFIO does not release", GROUPS,
     "\tif (!group->noiommu)\n"
     "\t\tiommu_group_release_dma_owner(group->iommu_group);\n",
     "",
     VFIO),
    ("a container is set and unset without the lock", GROUPS,
     "\tmutex_lock(&group->container_lock);\n"
     "\tif (atomic_read(&group->container_users))\n"
     "\t\tret = -EINVAL;\n"
     "\telse if (group->noiommu && !capable(CAP_SYS_RAWIO))\n"
     "\t\tret = -EPERM;\n"
     "\telse\n"
     "\t\tret = __vfio_group_set_container(group, container_fd);\n"
     "\tmutex_unlock(&group->container_lock);\n",
     "\tif (atomic_read(&group->container_users))\n"
     "\t\tret = -EINVAL;\n"
     "\telse if (group->noiommu && !capable(CAP_SYS_RAWIO))\n"
     "\t\tret = -EPERM;\n"
     "\telse\n"
     "\t\tret = __vfio_group_set_container(group, container_fd);\n",
     VFIO),
    ("a group in kernel use is called viable", GROUPS,
     "\telse if (!iommu_group_dma_owner_claimed(group->iommu_group))\n",
     "\telse\n",
     VFIO),
    ("a group in a container is not called viable", GROUPS,
     "\t\tflags = VFIO_GROUP_FLAGS_CONTAINER_SET |\n"
     "\t\t\tVFIO_GROUP_FLAGS_VIABLE;\n",
     "\t\tflags = VFIO_GROUP_FLAGS_CONTAINER_SET;\n",
     VFIO),
    ("a group without a VFIO device can be put into a container", GROUPS,
     "\tif (list_empty(&group->device_list))\n"
     "\t\tret = -ENODEV;\n"
     "\telse\n"
     "\t\tgroup->container = container;\n",
     "\tgroup->container = container;\n",
     VFIO),
    ("a group whose claim failed stays in the container", GROUPS,
     "\t\tgoto err_leave_container;\n",
     "\t\treturn ret;\n",
     VFIO),
    ("pci-stub is taken for a user of the DMA API", "drivers/pci/pci-stub.c",
     "\t\t.driver_managed_dma = true,\n",
     "",
     VFIO),
    ("pcieport is taken for a user of the DMA API", "drivers/pci/pcie/portdrv_pci.c",
     "\t\t.driver_managed_dma = true,\n",
     "",
     VFIO),
    ("vfio-pci is taken for a user of the DMA API", "drivers/vfio/pci/vfio_pci.c",
     "\t\t.driver_managed_dma = true,\n",
     "",
     VFIO),
    ("VFIO attaches a group before it claims it", GROUPS,
     "\tret = vfio_group_claim_dma(group);\n"
     "\tif (ret)\n"
     "\t\tgoto err_leave_container;\n"
     "\n"
     "\tif (driver) {\n"
     "\t\tret = driver->ops->attach_group(container->iommu_data,\n"
     "\t\t\t\t\t\tgroup->iommu_group);\n"
     "\t\tif (ret)\n"
     "\t\t\tgoto err_release_dma;\n"
     "\t}\n",
     "\tif (driver) {\n"
     "\t\tret = driver->ops->attach_group(container->iommu_data,\n"
     "\t\t\t\t\t\tgroup->iommu_group);\n"
     "\t\tif (ret)\n"
     "\t\t\tgoto err_release_dma;\n"
     "\t}\n"
     "\n"
     "\tret = vfio_group_claim_dma(group);\n"
     "\tif (ret)\n"
     "\t\tgoto err_leave_container;\n",
     ABI),
    ("a user stays in the container after a device was not opened", GROUPS,
     "\tif (ret < 0)\n"
     "\t\tvfio_group_try_dissolve_container(group);\n"
     "\n"
     "\treturn ret;\n"
     "}\n"
     "\n"
     "static u32",
     "\treturn ret;\n"
     "}\n"
     "\n"
     "static u32",
     ABI),
    ("a group without an IOMMU is claimed", GROUPS,
     "\tif (group->noiommu)\n"
     "\t\treturn 0;\n"
     "\n"
     "\treturn iommu_group_set",
     "\treturn iommu_group_set",
     NOIOMMU),
    ("vfio_mdev is taken for a user of the DMA API", "drivers/vfio/mdev/vfio_mdev.c",
     "\t\t.driver_managed_dma = true,\n",
     "",
     MDEV),
    ("shpchp is not taken for a user of the DMA API", "drivers/pci/hotplug/shpchp_core.c",
     "\t.remove =\tshpc_remove,\n",
     "\t.remove =\tshpc_remove,\n"
     "\t.driver.driver_managed_dma = true,\n",
     VFIO),
    # What the kernel shows
    ("an owner is shown as the kernel", OWNER,
     "\tif (group->owner)\n"
     "\t\treturn \"user\";\n",
     "",
     SHOWN),
    ("claims are not counted for show", OWNER,
     "\tcount = group->owner_cnt;",
     "\tcount = 0;",
     SHOWN),
    ("an owner's claim is no event", OWNER,
     "\ttrace_dma_owner_set(group->id, NULL, \"-\", group->owner_comm,\n"
     "\t\t\t    group->owner_pid);\n",
     "",
     SHOWN),
    ("an owner's release is no event", OWNER,
     "\ttrace_dma_owner_release(group->id, NULL, \"-\", group->owner_comm,\n"
     "\t\t\t\tgroup->owner_pid);\n",
     "",
     SHOWN),
    ("a refused probe is no event", OWNER,
     "\ttrace_dma_owner_refused(group->id, dev, iommu_dma_owner_driver(dev), -EBUSY);\n",
     "",
     SHOWN),
    ("the table of groups shows no claims", "drivers/iommu/dma-owner-debugfs.c",
     "device->dma_api ? \"kernel\" : \"-\"",
     "\"-\"",
     SHOWN),
    # Hot-plug
    ("Intel's driver forgets where a device is before it is released", DMAR,
     "\t.notifier_call = dmar_pci_bus_del_notifier,\n"
     "\t.priority = -1,\n",
     "\t.notifier_call = dmar_pci_bus_del_notifier,\n"
     "\t.priority = 1,\n",
     HOTPLUG),
    ("Intel's driver cuts off who shares a removed device's requester ID", INTEL,
     "\tif (!domain_shares_alias(info, pdev, alias))\n",
     "",
     HOTPLUG),
    ("AMD's driver cuts off who shares a removed device's requester ID", AMD,
     "\tif (alias != pci_dev_id(pdev) && !domain_uses_alias(domain, alias))\n",
     "\tif (alias != pci_dev_id(pdev))\n",
     HOTPLUG_AMD),
    ("a function found again does not know its siblings", "drivers/pci/probe.c",
     "\tif (multifunction)\n"
     "\t\tdev->multifunction = 1;\n",
     "",
     HOTPLUG),
))
