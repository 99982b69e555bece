# SPDX-License-Identifier: GPL-2.0-only
"""The mutations: each takes one rule of DMA ownership away."""

from typing import NamedTuple, Union


class Suite(NamedTuple):
    """A suite of tests.cfg, on one of its machines."""
    machine: str
    name: str


UNIT = Suite("q35-intel", "iommu_dma_owner")
UNIT_PRIVATE = Suite("q35-intel", "iommu_private_domain")
VFIO = Suite("q35-intel", "dma_owner_vfio_test")
ATTACH = Suite("q35-intel", "dma_owner_attach_test")
ABI = Suite("q35-intel", "dma_owner_abi_test")
HOTPLUG = Suite("q35-intel", "dma_owner_hotplug_test")
HOTPLUG_AMD = Suite("q35-amd", "dma_owner_hotplug_test")
PCIEHP = Suite("q35-intel", "dma_owner_pciehp_test")
HOTPLUG_SM = Suite("q35-intel-sm", "dma_owner_hotplug_test")
FAIL_NTH_SM = Suite("q35-intel-sm", "dma_owner_fail_nth_test")
MDEV = Suite("q35-intel", "dma_owner_mdev_test")
NOIOMMU = Suite("q35-noiommu", "dma_owner_noiommu_test")
SHOWN = Suite("q35-intel", "dma_owner_visibility_test")
RACE = Suite("q35-intel", "dma_owner_race_test")
PRIVATE_DMA = Suite("q35-intel", "dma_owner_private_test")
UNIT_MSI = Suite("q35-intel", "iommu_msi_windows")
MSI = Suite("virt-smmuv3", "vfio_msi_test")
MSI_HARDWARE = Suite("virt-virtio-iommu", "vfio_msi_test")
MSI_FAIL_NTH = Suite("virt-smmuv3", "vfio_msi_fail_nth_test")
MSI_FAIL_NTH_V2M = Suite("virt-smmuv3-v2m", "vfio_msi_fail_nth_test")
MSI_GROUPS = Suite("virt-smmuv3", "vfio_msi_groups_test")
UNIT_SVA = Suite("q35-intel", "iommu_sva")
BONDS = Suite("q35-intel", "sva_bond_test")
SVA_DMA = Suite("q35-intel-sva", "sva_dma_test")
DIRECT = Suite("q35-intel", "dma_owner_direct_test")
DIRECT_AMD = Suite("q35-amd", "dma_owner_direct_test")


class Mutation(NamedTuple):
    """What goes wrong, and how. `killer`: the suite that notices it, or the rule
    (-DBREAK_...) without which spin refutes the model, where no machine would."""
    name: str
    path: str
    old: str        # stands in the file exactly once
    new: str
    killer: Union[Suite, str] = UNIT


OWNER = "drivers/iommu/dma-owner.c"
PRIVATE = "drivers/iommu/private-domain.c"
CORE = "drivers/iommu/iommu.c"
DMAR = "drivers/iommu/intel/dmar.c"
DRIVERS = "drivers/base/dd.c"
GROUPS = "drivers/vfio/vfio.c"
INTEL = "drivers/iommu/intel/iommu.c"
INTEL_SVM = "drivers/iommu/intel/svm.c"
AMD = "drivers/iommu/amd/iommu.c"
SVA = "drivers/iommu/iommu-sva.c"
TABLE = "drivers/iommu/dma-owner-debugfs.c"
MSI_PAGES = "drivers/iommu/dma-iommu.c"
TYPE1 = "drivers/vfio/vfio_iommu_type1.c"
SLOTS = "drivers/pci/hotplug/pciehp_pci.c"

MUTATIONS = tuple(Mutation(*words) for words in (
    ("a kernel claim ignores the owner", OWNER,
     "\tif (group->owner || (group->private_domain && !device->attached)) {\n",
     "\tif (group->private_domain && !device->attached) {\n"),
    ("an owner comes between a kernel claim and its check", OWNER,
     "\tclaim_device(group, device);\n"
     "\treturn 0;\n"
     "}\n"
     "\n"
     "/* Whether to",
     "\tmutex_unlock(&group->mutex);\n"
     "\tschedule_timeout_uninterruptible(1);\n"
     "\tmutex_lock(&group->mutex);\n"
     "\tclaim_device(group, device);\n"
     "\treturn 0;\n"
     "}\n"
     "\n"
     "/* Whether to",
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
     "\tunclaim_device(group, device);\n}\n", "}\n"),
    ("an owned group falls back to its default domain", OWNER,
     "\tif (group->owner && group->blocking_domain)\n"
     "\t\treturn group->blocking_domain;\n",
     ""),
    ("the last detach goes by way of the blocking domain", OWNER,
     "\tif (!WARN_ON(!group->owner) && group->domain != group->blocking_domain)\n"
     "\t\tfree_blocking_domain(group);\n",
     "\tWARN_ON(!group->owner);\n"),
    ("an owner without a domain is let go when it retires", OWNER,
     "\tif (!WARN_ON(!group->owner) && group->domain != group->blocking_domain)\n",
     "\tif (!WARN_ON(!group->owner))\n"),
    ("a retired owner loses its group before the release", OWNER,
     "\tif (!WARN_ON(!group->owner) && group->domain != group->blocking_domain)\n"
     "\t\tfree_blocking_domain(group);\n",
     "\tif (!WARN_ON(!group->owner) && group->domain != group->blocking_domain) {\n"
     "\t\tfree_blocking_domain(group);\n"
     "\t\tgroup->owner = NULL;\n"
     "\t\tgroup->owner_cnt = 0;\n"
     "\t}\n"),
    ("an owner that takes a domain has no way back", OWNER,
     "\t\tdomain = group->blocking_domain;\n"
     "\t\tgroup->blocking_domain = next;\n",
     "\t\tdomain = group->blocking_domain;\n"),
    ("a domain is taken without memory for another", OWNER,
     "\tif (next) {\n"
     "\t\tdomain = group->blocking_domain;\n",
     "\tif (is_blocked(group)) {\n"
     "\t\tdomain = group->blocking_domain;\n"),
    ("an owner takes a domain that its group is not on", OWNER,
     "\treturn group->blocking_domain && group->domain == group->blocking_domain &&\n",
     "\treturn group->blocking_domain &&\n"),
    ("a domain is taken that is none", OWNER,
     "\treturn group->blocking_domain && group->domain == group->blocking_domain &&\n",
     "\treturn group->domain == group->blocking_domain &&\n"),
    ("a stranded device is left out of a taken domain", OWNER,
     "group->blocking_domain &&\n"
     "\t       !has_stranded_device(group);\n",
     "group->blocking_domain;\n"),
    ("a domain is made for a group without devices", OWNER,
     "\tdevice = list_first_entry_or_null(&group->devices, struct group_device, list);\n",
     "\tdevice = list_first_entry(&group->devices, struct group_device, list);\n"),
    ("an arriving owner has no way back", OWNER,
     "\tret = alloc_blocking_domain(group);\n"
     "\tif (!ret)\n",
     "\tret = domain ? 0 : alloc_blocking_domain(group);\n"
     "\tif (!ret)\n"),
    ("an arriving owner's attach is as any other", CORE,
     "\tif (iommu_dma_owner_on_default(group))\n"
     "\t\treturn iommu_dma_owner_arrive(group, domain);\n",
     ""),
    ("an arriving owner is blocked first", OWNER,
     "\tif (arriving && !group->blocking_domain)\n"
     "\t\treturn 0;\n",
     ""),
    ("an arriving owner is not blocked where it would fall back to that", OWNER,
     "\tif (arriving && !group->blocking_domain)\n",
     "\tif (arriving)\n"),
    ("a direct mapping that an arriving owner meets is not told of", OWNER,
     "\tif (direct_mapped_device(group, ret))\n"
     "\t\treport_domain_in_way(group, ret);\n",
     ""),
    ("whatever an arriving owner meets is told of", OWNER,
     "\tif (direct_mapped_device(group, ret))\n",
     "\tif (ret)\n"),
    ("a group that joins a container is blocked first", GROUPS,
     "\tif (attach_follows)\n"
     "\t\treturn iommu_group_set_arriving_dma_owner(group->iommu_group, group);\n",
     "", ATTACH),
    ("a group is not blocked though no attach follows", GROUPS,
     "\tret = vfio_group_claim_dma(group, driver);\n",
     "\tret = vfio_group_claim_dma(group, true);\n", ATTACH),
    ("VFIO attaches a new domain to a group that is on one", TYPE1,
     "\tdomain->domain = iommu_group_take_blocking_domain(group->iommu_group);\n"
     "\treturn domain->domain;\n",
     "\treturn false;\n", ATTACH),
    ("a group that joins a container does not share its domain", TYPE1,
     "\t\tret = vfio_iommu_attach_group(d, group);\n",
     "\t\tret = -ENODEV;\n", ATTACH),
    ("each domain of a container is tried for a device that stays where it is", TYPE1,
     "\t\tif (ret == -EPERM)\n"
     "\t\t\treturn ERR_PTR(ret);\n",
     "", DIRECT),
    ("an IOMMU driver is tested with each domain", TYPE1,
     "\tif (tested != domain->domain->ops && !vfio_map_fgsp(domain, &fgsp))\n",
     "\tif (!vfio_map_fgsp(domain, &fgsp))\n", ATTACH),
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
    ("a device that could not go back is said to be cut off", CORE,
     "\t\tto->ops->detach_dev ? \"\" : \", nor cut off from its old one\");",
     "\t\t\"\");"),
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
     "\t\treport_join_refused(group, dev);\n"
     "\t\treturn -EBUSY;",
     "\t\treport_join_refused(group, dev);\n"
     "\t\treturn 0;"),
    ("a device that joined an owned group never gets its DMA ops", OWNER,
     "\tdevice->dma_ops_stale = group->default_domain &&\n"
     "\t\t\t\tgroup->domain != group->default_domain;\n",
     "\tdevice->dma_ops_stale = false;\n"),
    ("a device that joined a driver's own domain never gets its DMA ops", OWNER,
     "\t\t\t\tgroup->domain != group->default_domain;\n",
     "\t\t\t\tgroup->owner;\n"),
    ("DMA ops are set up while the group is on another domain", OWNER,
     "\tif (!device->dma_ops_stale || group->domain != group->default_domain)\n",
     "\tif (!device->dma_ops_stale)\n"),
    ("DMA ops are set up before every probe", OWNER,
     "\tdevice->dma_ops_stale = false;\n",
     ""),
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
     "\t\tdevice_unconfigure_dma(dev);\n"
     "\t\tdevice_release_dma(dev);\n"
     "\t\tdev->driver = NULL;\n"
     "\t\tdev_set",
     "\t\tdevice_release_dma(dev);\n"
     "\t\tdevres_release_all(dev);\n"
     "\t\tdevice_unconfigure_dma(dev);\n"
     "\t\tdev->driver = NULL;\n"
     "\t\tdev_set"),
    ("a failed probe keeps its claim", DRIVERS,
     "\tdevice_unconfigure_dma(dev);\n"
     "\tdevice_release_dma(dev);\n"
     "\tdev->driver = NULL;\n"
     "\tdev_set",
     "\tdevice_unconfigure_dma(dev);\n"
     "\tdev->driver = NULL;\n"
     "\tdev_set"),
    ("a write to bind does not learn of the refusal", DRIVERS,
     "\t\t\tret = dev->p->dma_claim_error;",
     "\t\t\tret = 0;"),
    ("a write to bind learns of an earlier refusal", DRIVERS,
     "\tdev->p->dma_claim_error = 0;\n",
     ""),
    ("a write to drivers_probe does not learn of the refusal", DRIVERS,
     "\treturn ret ? ret : refused;\n",
     "\treturn ret;\n"),
    ("a write to drivers_probe learns of the last refusal only", DRIVERS,
     "\tif (dev->p->dma_claim_error)\n"
     "\t\tdata->refused = dev->p->dma_claim_error;\n",
     "\tdata->refused = dev->p->dma_claim_error;\n"),
    ("a write to drivers_probe fails though a driver was bound", DRIVERS,
     "\treturn ret ? ret : refused;\n",
     "\treturn refused ? refused : ret;\n"),
    ("a refusal ends a walk over devices", DRIVERS,
     "\treturn __device_attach(dev, false, &refused);\n",
     "\tint ret = __device_attach(dev, false, &refused);\n"
     "\n"
     "\treturn ret ? ret : refused;\n"),
    ("driver_managed_dma is ignored", DRIVERS,
     "\tif (!ret && !dev->driver->driver_managed_dma) {\n",
     "\tif (!ret) {\n"),
    ("a group that is known is claimed after dma_configure()", DRIVERS,
     "\tin_group = device_iommu_mapped(dev);\n",
     "\tin_group = false;\n"),
    ("a group that is joined in dma_configure() is not claimed", DRIVERS,
     "\tif (!in_group) {\n",
     "\tif (0) {\n"),
    ("DMA ops stay that were chosen by an owner's domain", DRIVERS,
     "\tdevice_unconfigure_dma(dev);\n"
     "\treturn dev->bus->dma_configure(dev);\n",
     "\treturn 0;\n"),
    ("a refusal ends the search for a driver", DRIVERS,
     "\tret = 0;\n"
     "done:",
     "\tif (!dev->p->dma_claim_error)\n"
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
     "\tif (ret || !group->default_domain)\n"
     "\t\treturn ret;\n",
     "\tif (ret)\n"
     "\t\treturn ret;\n"),
    ("a new group is claimed before it has its default domain", OWNER,
     "\tif (!group->default_domain)\n"
     "\t\tret = __iommu_group_init_domain(group);\n",
     ""),
    ("a release leaves the group where it is", OWNER,
     "\t\t__iommu_group_restore_domain(group, group->default_domain);\n"
     "\t\tfree_blocking_domain(group);\n",
     ""),
    ("a release keeps the blocking domain", OWNER,
     "\t\t__iommu_group_restore_domain(group, group->default_domain);\n"
     "\t\tfree_blocking_domain(group);\n",
     "\t\t__iommu_group_restore_domain(group, group->default_domain);\n"),
    ("a refused claim keeps the blocking domain", OWNER,
     "\tif (ret)\n"
     "\t\tfree_blocking_domain(group);\n",
     ""),
    ("the blocking domain is freed under a stranded device", OWNER,
     "\tif (has_stranded_device(group))\n"
     "\t\treturn;\n",
     ""),
    ("a release keeps the count", OWNER,
     "\tgroup->owner = NULL;\n"
     "\tgroup->owner_cnt = 0;\n",
     "\tgroup->owner = NULL;\n"),
    ("a missing blocking domain goes unnoticed", OWNER,
     "\treturn group->blocking_domain ? 0 : -ENOMEM;\n",
     "\treturn 0;\n"),
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
     "\tret = take_group_from_kernel(group, arriving);\n"
     "\tif (ret) {\n"
     "\t\treport_domain_in_way(group, ret);\n"
     "\t\treturn ret;\n"
     "\t}\n",
     ""),
    ("a refusal names every device that is in the way", OWNER,
     "#define REPORT_DEVICES\t\t8\n",
     "#define REPORT_DEVICES\t\t100\n"),
    ("the log of a group is not limited", OWNER,
     "\tif (!__ratelimit(limit))\n"
     "\t\treturn false;\n",
     "\t__ratelimit(limit);\n"),
    ("all kinds of reports share one limit", OWNER,
     "\tif (group->reports)\n"
     "\t\treturn &group->reports[kind];\n",
     "\tif (group->reports)\n"
     "\t\treturn &group->reports[0];\n"),
    ("a claim that the domain does not allow is not told of", OWNER,
     "\tif (ret) {\n"
     "\t\treport_domain_in_way(group, ret);\n",
     "\tif (ret) {\n"),
    ("an owner is not counted", OWNER,
     "\tgroup->owner_cnt = 1;\n",
     ""),
    ("a kernel claim does not count as a claim", OWNER,
     "\tclaimed = iommu_dma_owner_count(group);",
     "\tclaimed = group->owner || group->private_domain;"),
    ("a driver's own domain keeps drivers from its siblings", OWNER,
     "\tif (group->owner || (group->private_domain && !device->attached)) {\n",
     "\tif (group->owner || group->domain != group->default_domain) {\n"),
    ("DMA ops that a claim overtook are never set up", OWNER,
     "\tlist_for_each_entry(device, &group->devices, list)\n"
     "\t\tdevice->dma_ops_stale = true;\n",
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
     "\tif (in_group) {\n"
     "\t\tret = device_claim_dma(dev);\n"
     "\t\tif (ret)\n"
     "\t\t\tgoto dma_claim_refused;\n",
     "\tif (in_group) {\n"
     "\t\tret = device_claim_dma(dev);\n"
     "\t\tif (ret)\n"
     "\t\t\tgoto probe_failed;\n"),
    ("a driver is bound before the group of its device is known", DRIVERS,
     "\tret = -READ_ONCE(dev->iommu_error);\n",
     "\tret = 0;\n"),
    ("a device that could not join its group is not tried again", CORE,
     "\tset_iommu_error(dev, 0);\n"
     "\tiommu_probe_device(dev);\n",
     ""),
    ("only a lack of memory keeps a driver from a device without its group", CORE,
     "\t/* It belongs to that group, whether it could join or not. */\n"
     "\tset_iommu_error(dev, ret);\n",
     ""),
    ("a device that could not be attached to its default domain gets a driver", CORE,
     "\tiommu_release_device(dev);\n"
     "\tset_iommu_error(dev, ret);\n",
     "\tiommu_release_device(dev);\n"),
    ("a device is added to its group twice at once", CORE,
     "\tif (iommu_device_probed(dev))\n"
     "\t\tgoto out_unlock;\n",
     ""),
    ("a default domain is made behind an owner's back", CORE,
     "\tif (!group->default_domain && !group->owner && !group->private_domain) {\n",
     "\tif (!group->default_domain && !group->private_domain) {\n"),
    # Order in memory, and a race without an opening for a test
    ("no barrier between a claim and the look for a group", DRIVERS,
     "\t\tsmp_mb();\n"
     "\t\tret = iommu_device_use_dma_api(dev);",
     "\t\tret = iommu_device_use_dma_api(dev);",
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
     "\t\t\tdevice_drop_dma_claim(dev);\n",
     "\t\t\tWRITE_ONCE(dev->p->uses_dma_api, false);\n",
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
    ("a refused probe is logged twice", DRIVERS,
     "\t\tif (dev->p->dma_claim_error == ret)\n"
     "\t\t\tbreak;\n",
     "",
     SHOWN),
    ("a group that is not viable is not logged", GROUPS,
     "\telse\n"
     "\t\tiommu_group_report_claimed(group->iommu_group);\n",
     "",
     SHOWN),
    ("an owner that has exited is taken for a living one", OWNER,
     "thread_group_exited(group->owner_pid) ? \", which has exited\" : \"\";",
     "\"\";",
     SHOWN),
    ("the table takes an owner that has exited for a living one",
     "drivers/iommu/dma-owner-debugfs.c",
     "\t\tif (thread_group_exited(group->owner_pid))\n"
     "\t\t\tstrcat(task, \"(exited)\");\n",
     "",
     SHOWN),
    ("the owner has the name of a thread", OWNER,
     "\tget_task_comm(group->owner_comm, current->group_leader);\n",
     "\tget_task_comm(group->owner_comm, current);\n",
     SHOWN),
    ("a name is not escaped", OWNER,
     "\t\tif (isascii(*name) && isgraph(*name) && ",
     "\t\tif (*name != '\\n' && ",
     SHOWN),
    ("no event after a release", OWNER,
     "\tiommu_dma_owner_announce(group);\n",
     "",
     SHOWN),
    ("an event for a device that has a driver", OWNER,
     "\t\tif (READ_ONCE(device->dev->driver))\n"
     "\t\t\tcontinue;\n",
     "",
     SHOWN),
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
     "\tret = vfio_group_claim_dma(group, driver);\n"
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
     "\tret = vfio_group_claim_dma(group, driver);\n"
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
     "\tif (attach_follows)\n",
     "\tif (attach_follows)\n",
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
    ("claims are not counted for show", "drivers/iommu/dma-owner-sysfs.c",
     "\tcount = iommu_dma_owner_count(group);",
     "\tcount = 0;",
     SHOWN),
    ("an owner's claim is no event", OWNER,
     "\ttrace_dma_owner_set(group->id, \"user\", NULL, \"-\", group->owner_comm,\n"
     "\t\t\t    pid_nr(group->owner_pid));\n",
     "",
     SHOWN),
    ("an owner's release is no event", OWNER,
     "\ttrace_dma_owner_release(group->id, \"user\", NULL, \"-\", group->owner_comm,\n"
     "\t\t\t\tpid_nr(group->owner_pid));\n",
     "",
     SHOWN),
    ("a refused probe is no event", OWNER,
     "\ttrace_dma_owner_refused(group->id, dev, iommu_dma_owner_driver(dev), -EBUSY);\n"
     "\n"
     "\tif (!iommu_dma_owner_may_report",
     "\tif (!iommu_dma_owner_may_report",
     SHOWN),
    ("the table of groups shows no claims", "drivers/iommu/dma-owner-debugfs.c",
     "\tif (device->dma_api)\n"
     "\t\treturn \"kernel\";\n",
     "",
     SHOWN),
    # Hot-plug
    ("Intel's driver forgets where a device is before it is released", DMAR,
     "\t.notifier_call = dmar_pci_bus_del_notifier,\n"
     "\t.priority = -1,\n",
     "\t.notifier_call = dmar_pci_bus_del_notifier,\n"
     "\t.priority = 1,\n",
     HOTPLUG),
    ("Intel's driver cuts off who shares a removed device's requester ID", INTEL,
     "\tif (!test_bit(alias, shared_ids))\n",
     "\tif (1)\n",
     HOTPLUG),
    ("Intel's driver frees a PASID table that the IOMMU still walks", INTEL,
     "\tstays = !context || !context_serves(context, info) ||\n",
     "\tstays = !context || sm_supported(iommu) ||\n",
     HOTPLUG_SM),
    ("Intel's IOMMU still has the PASID table that it walked before", INTEL,
     "\t\tdomain_context_flush(iommu, info_domain_id(info), id);\n",
     "",
     HOTPLUG_SM),
    ("Intel's driver clears the entry of a PASID table that others have", INTEL,
     "\t\their = other;\n"
     "\t\tif (heir->domain == info->domain)\n"
     "\t\t\treturn;\n",
     "",
     HOTPLUG_SM),
    ("Intel's driver clears an entry of a PASID table that is not there", INTEL,
     "\t\tif (info->pasid_table)\n",
     "\t\tif (sm_supported(iommu))\n",
     FAIL_NTH_SM),
    ("AMD's driver cuts off who shares a removed device's requester ID", AMD,
     "\tif (!test_bit(id, shared_ids))\n",
     "\tif (1)\n",
     HOTPLUG_AMD),
    ("a function found again does not know its siblings", "drivers/pci/probe.c",
     "\tif (multifunction)\n"
     "\t\tdev->multifunction = 1;\n",
     "",
     HOTPLUG),
    ("a card that is plugged in keeps resets of its slot waiting", SLOTS,
     "\tup_read(&ctrl->reset_lock);\n"
     "\tpci_lock_rescan_remove();\n"
     "\n"
     "\tdev = pci_get_slot",
     "\tpci_lock_rescan_remove();\n"
     "\tup_read(&ctrl->reset_lock);\n"
     "\n"
     "\tdev = pci_get_slot",
     PCIEHP),
    ("a card that is unplugged keeps resets of its slot waiting", SLOTS,
     "\tup_read(&ctrl->reset_lock);\n"
     "\tif (!presence)\n"
     "\t\tpci_walk_bus(parent, pci_dev_set_disconnected, NULL);\n"
     "\n"
     "\tpci_lock_rescan_remove();\n",
     "\tif (!presence)\n"
     "\t\tpci_walk_bus(parent, pci_dev_set_disconnected, NULL);\n"
     "\n"
     "\tpci_lock_rescan_remove();\n"
     "\tup_read(&ctrl->reset_lock);\n",
     PCIEHP),
    # Direct mappings
    ("Intel's driver lets go of an RMRR", INTEL,
     "\tif (domain->type == IOMMU_DOMAIN_UNMANAGED &&\n"
     "\t    device_is_rmrr_locked(dev)) {",
     "\tif (0) {",
     DIRECT),
    ("Intel's driver attaches a device that it did not let go of anew", INTEL,
     "\tif (find_domain(dev) == to_dmar_domain(domain))\n"
     "\t\treturn 0;\n",
     "",
     DIRECT),
    ("Intel's driver logs each attempt to take an RMRR away", INTEL,
     "dev_warn_ratelimited(dev, \"Device is ineligible",
     "dev_warn(dev, \"Device is ineligible",
     DIRECT),
    ("the rollback leaves out the devices that had moved", CORE,
     "\t\tif (group->domain)\n"
     "\t\t\t__iommu_device_restore",
     "\t\tif (group->domain && device == failed)\n"
     "\t\t\t__iommu_device_restore",
     DIRECT),
    ("AMD's driver refuses what has a unity map", AMD,
     "\tdev_data->defer_attach = false;\n"
     "\n"
     "\tiommu = amd_iommu_rlookup_table",
     "\tdev_data->defer_attach = false;\n"
     "\tif (dom->type == IOMMU_DOMAIN_UNMANAGED) {\n"
     "\t\tstruct unity_map_entry *map;\n"
     "\n"
     "\t\tlist_for_each_entry(map, &amd_iommu_unity_map, list)\n"
     "\t\t\tif (dev_data->devid >= map->devid_start &&\n"
     "\t\t\t    dev_data->devid <= map->devid_end)\n"
     "\t\t\t\treturn -EPERM;\n"
     "\t}\n"
     "\n"
     "\tiommu = amd_iommu_rlookup_table",
     DIRECT_AMD),
    ("a refusal for a direct mapping is logged as any failure", OWNER,
     "\tif (error != -EPERM)\n"
     "\t\treturn NULL;\n",
     "\tif (error == -EPERM)\n"
     "\t\treturn NULL;\n"),
    # Private domains
    ("a kernel claim ignores a private domain", OWNER,
     "\tif (group->owner || (group->private_domain && !device->attached)) {\n",
     "\tif (group->owner) {\n",
     UNIT_PRIVATE),
    ("a driver cannot claim the device that it attached", OWNER,
     "\tif (group->owner || (group->private_domain && !device->attached)) {\n",
     "\tif (group->owner || group->private_domain) {\n",
     UNIT_PRIVATE),
    ("an owner's claim ignores a private domain", OWNER,
     "\tif (group->owner_cnt || group->private_domain ||\n",
     "\tif (group->owner_cnt ||\n",
     UNIT_PRIVATE),
    ("a device in use joins a private domain", OWNER,
     "\tif (group->owner || group->private_domain) {\n"
     "\t\treport_join_refused",
     "\tif (group->owner) {\n"
     "\t\treport_join_refused",
     UNIT_PRIVATE),
    ("attached devices do not count", OWNER,
     "\t\tcount += group->private_domain ? device->attached :\n",
     "\t\tcount += group->private_domain ? device->dma_api :\n",
     UNIT_PRIVATE),
    ("a device is attached under an owner", PRIVATE,
     "\tif (group->owner)\n"
     "\t\treturn false;\n",
     "",
     UNIT_PRIVATE),
    ("an attach ignores the claims of siblings", PRIVATE,
     "\tif (claimed_sibling(group, device) || iommu_group_bonded_device(group))\n",
     "\tif (iommu_group_bonded_device(group))\n",
     UNIT_PRIVATE),
    ("a driver's own claim is in the way of its attach", PRIVATE,
     "\t\tif (sibling != device && sibling->dma_api)\n",
     "\t\tif (sibling->dma_api)\n",
     UNIT_PRIVATE),
    ("a second domain passes for attached", PRIVATE,
     "\t\treturn group->private_domain == domain && !device->attached;\n",
     "\t\treturn !device->attached;\n",
     UNIT_PRIVATE),
    ("a device is attached twice", PRIVATE,
     "\t\treturn group->private_domain == domain && !device->attached;\n",
     "\t\treturn group->private_domain == domain;\n",
     UNIT_PRIVATE),
    ("an attach takes over a group that was attached as a whole", PRIVATE,
     "\treturn group->domain == group->default_domain || !group->default_domain;\n",
     "\treturn true;\n",
     UNIT_PRIVATE),
    ("the default domain of a group becomes private", PRIVATE,
     "\tif (domain == group->default_domain)\n"
     "\t\treturn attach_to_default(group, device);\n",
     "",
     UNIT_PRIVATE),
    ("a detach from the default domain is not known", PRIVATE,
     "\t\treturn domain == group->default_domain;\n",
     "\t\treturn false;\n",
     UNIT_PRIVATE),
    ("a device is detached from a stranger's domain", PRIVATE,
     "\tif (device->attached && domain == group->private_domain) {\n",
     "\tif (device->attached) {\n",
     UNIT_PRIVATE),
    ("a device that is not attached is detached", PRIVATE,
     "\tif (device->attached && domain == group->private_domain) {\n",
     "\tif (domain == group->private_domain) {\n",
     UNIT_PRIVATE),
    ("the first detach takes all devices along", PRIVATE,
     "\tif (iommu_dma_owner_count(group))\n"
     "\t\treturn;\n",
     "",
     UNIT_PRIVATE),
    ("the last detach leaves the group where it is", PRIVATE,
     "\t__iommu_detach_group(domain, group);\n",
     "",
     UNIT_PRIVATE),
    ("the process of a private domain is not forgotten", PRIVATE,
     "\tiommu_dma_owner_forget_task(group);\n",
     "",
     UNIT_PRIVATE),
    ("what an IOMMU driver releases is not detached", PRIVATE,
     "\t__iommu_detach_device(domain, dev);\n"
     "\treturn true;\n",
     "\treturn true;\n",
     UNIT_PRIVATE),
    ("a device that leaves stays attached", CORE,
     "\t\t\tlist_del(&device->list);\n"
     "\t\t\tiommu_private_leave(group, device);\n",
     "\t\t\tlist_del(&device->list);\n",
     UNIT_PRIVATE),
    ("a group is attached as a whole while it is private", CORE,
     "\tif (group->private_domain || iommu_group_bonded_device(group))\n",
     "\tif (iommu_group_bonded_device(group))\n",
     UNIT_PRIVATE),
    ("a default domain is made behind a private one", CORE,
     "\tif (!group->default_domain && !group->owner && !group->private_domain) {\n",
     "\tif (!group->default_domain && !group->owner) {\n",
     UNIT_PRIVATE),
    ("a deferred attach is done again and again", CORE,
     "\tif (likely(!iommu_is_attach_deferred(domain, dev)))\n"
     "\t\treturn 0;\n",
     "",
     UNIT_PRIVATE),
    ("a deferred attach to a private domain is forgotten", PRIVATE,
     "\t\tret = iommu_attach_deferred_device(domain, dev);\n",
     "\t\tret = 0;\n",
     UNIT_PRIVATE),
    ("a group stays where it is as it becomes private", PRIVATE,
     "\t\tret = iommu_group_leave_default_domain(group, domain);\n",
     "\t\tret = 0;\n",
     PRIVATE_DMA),
    ("no event after the last detach", CORE,
     "\tif (!WARN_ON_ONCE(!known))\n"
     "\t\tiommu_dma_owner_announce(group);\n",
     "\tWARN_ON_ONCE(!known);\n",
     PRIVATE_DMA),
    ("a private domain is shown as a claim of the kernel", PRIVATE,
     "\ttrace_dma_owner_set(group->id, \"private\", dev,",
     "\ttrace_dma_owner_set(group->id, \"kernel\", dev,",
     PRIVATE_DMA),
    ("the table shows no attached device", TABLE,
     "\tif (device->attached)\n"
     "\t\treturn \"private\";\n",
     "",
     PRIVATE_DMA),
    ("a doorbell takes a page that another has", MSI_PAGES,
     "\t\t\tif (!cookie_has_msi_page(cookie, *iova))\n"
     "\t\t\t\treturn 0;\n",
     "\t\t\treturn 0;\n", UNIT_MSI),
    ("a closed window gives out pages", MSI_PAGES,
     "\t\tif (window->closed)\n\t\t\tcontinue;\n", "", UNIT_MSI),
    ("a second MSI is no user of its page", MSI_PAGES,
     "\t\tmsi_page->users++;\n\t\treturn msi_page;\n", "\t\treturn msi_page;\n", UNIT_MSI),
    ("an MSI that is prepared again is another user", MSI_PAGES,
     "\tif (old)\n\t\tiommu_dma_put_msi_page(old);\n", "", UNIT_MSI),
    ("a page outlives its users", MSI_PAGES,
     "\t\tiommu_dma_unmap_msi_page(msi_page);\n", "\t\treturn;\n", UNIT_MSI),
    ("a descriptor that is freed keeps its page", "kernel/irq/msi.c",
     "\tiommu_dma_release_msi(entry);\n", "", UNIT_MSI),
    ("a window overlaps another", MSI_PAGES,
     "\tif (domain_has_msi_window(domain, first, last))\n\t\treturn -EEXIST;\n", "", UNIT_MSI),
    ("a window without write", MSI_PAGES,
     "\tif (!(prot & IOMMU_WRITE) || prot & ~(IOMMU_READ | IOMMU_WRITE))\n",
     "\tif (prot & ~(IOMMU_READ | IOMMU_WRITE))\n", UNIT_MSI),
    ("a window beyond the aperture", MSI_PAGES,
     "\treturn !domain->geometry.force_aperture ||\n", "\treturn true ||\n", UNIT_MSI),
    ("the protection of a window is not passed on", MSI_PAGES,
     "\twindow->prot = prot | IOMMU_NOEXEC | IOMMU_MMIO;\n",
     "\twindow->prot = IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO;\n", UNIT_MSI),
    ("an MSI without a page warns", MSI_PAGES,
     "\tif (!domain || !domain->iova_cookie || !msi_page)\n",
     "\tif (!domain || !domain->iova_cookie || WARN_ON(!msi_page))\n", UNIT_MSI),
    ("the host's window stays open beside the user's", TYPE1,
     "\tif (!iommu->nr_msi_windows)\n\t\tret = vfio_sw_msi_close(iommu);\n", "", MSI),
    ("the host's place stays reserved", TYPE1,
     "\tret = vfio_iommu_iova_rebuild(iommu, iova, true);\n",
     "\tret = vfio_iommu_iova_rebuild(iommu, iova, false);\n", MSI),
    ("the last window leaves with memory in the host's place", TYPE1,
     "\tif (all && vfio_sw_msi_is_mapped(iommu))\n\t\treturn -EBUSY;\n", "", MSI),
    ("the host's window is not opened again", TYPE1,
     "\tif (all)\n\t\tvfio_sw_msi_open(iommu);\n", "", MSI),
    ("windows go although one of them is in use", TYPE1,
     "\tret = vfio_walk_leaving_windows(iommu, iommu_dma_test_msi_window);\n"
     "\tif (ret)\n"
     "\t\tgoto out_unlock;\n",
     "\tret = 0;\n", MSI),
    ("a closed window is in the way of others", MSI_PAGES,
     "\t\t\tif (!window->closed && first <= window->last &&\n",
     "\t\t\tif (first <= window->last &&\n", UNIT_MSI),
    ("a closed window is mistaken for an open one", MSI_PAGES,
     "\t\t\tif (window->first == PHYS_PFN(base) && window->closed == closed)\n",
     "\t\t\tif (window->first == PHYS_PFN(base))\n", UNIT_MSI),
    ("a window is cut in two", TYPE1,
     "\t\tif (start > window->iova || last < window_last)\n\t\t\treturn -EINVAL;\n", "", MSI),
    ("a window is told to be free", TYPE1,
     "\treturn vfio_iommu_iova_exclude(iova, window->iova, last);\n", "\treturn 0;\n", MSI),
    ("a page of hardware's is taken for one of a window", MSI_PAGES,
     "\tif (!list_empty(&msi_page->list) && msi_page->domain &&\n",
     "\tif (!list_empty(&msi_page->list) &&\n", MSI_HARDWARE),
    ("an ITS chooses the interrupt before its doorbell is mapped", "drivers/irqchip/irq-gic-v3-its.c",
     "\terr = iommu_dma_prepare_msi(info->desc, its->get_msi_base(its_dev));\n"
     "\tif (err)\n"
     "\t\treturn err;\n"
     "\n"
     "\terr = its_alloc_device_irq(its_dev, nr_irqs, &hwirq);\n"
     "\tif (err)\n"
     "\t\treturn err;\n",
     "\terr = its_alloc_device_irq(its_dev, nr_irqs, &hwirq);\n"
     "\tif (err)\n"
     "\t\treturn err;\n"
     "\n"
     "\terr = iommu_dma_prepare_msi(info->desc, its->get_msi_base(its_dev));\n"
     "\tif (err)\n"
     "\t\treturn err;\n", MSI_FAIL_NTH),
    ("a v2m frame keeps the interrupt of a doorbell that fails", "drivers/irqchip/irq-gic-v2m.c",
     "\t\tgoto err_unalloc_msi;\n", "\t\treturn err;\n", MSI_FAIL_NTH_V2M),
    ("windows without number", TYPE1,
     "\tif (!ret && !vfio_msi_windows_avail(iommu))\n\t\tret = -ENOSPC;\n", "", MSI),
    ("a domain that comes later has no windows", TYPE1,
     "\t\tret = iommu_dma_add_msi_window(domain->domain, window->iova,\n"
     "\t\t\t\t\t       window->size, window->prot);\n"
     "\t}\n"
     "\tiommu_dma_unlock_msi();\n",
     "\t}\n\tiommu_dma_unlock_msi();\n", MSI_GROUPS),
    ("memory is mapped in a window of a container without an IOMMU", TYPE1,
     "\tif (vfio_msi_windows_overlap(iommu, start, end))\n\t\treturn false;\n", "", MSI_GROUPS),
    ("a process is bound to what an owner just gives back", SVA,
     "\tif (group->owner || group->domain != group->default_domain ||\n",
     "\tif (group->domain != group->default_domain ||\n", UNIT_SVA),
    ("a process is bound on any domain", SVA,
     "\tif (group->owner || group->domain != group->default_domain ||\n", "\tif (group->owner ||\n", UNIT_SVA),
    ("a process is bound to a stranded device", SVA, " ||\n\t    device->stranded) {\n", ") {\n", UNIT_SVA),
    ("a flag that nobody knows", SVA,
     "\tif (flags & ~IOMMU_SVA_BIND_SUPERVISOR)\n\t\treturn ERR_PTR(-EINVAL);\n", "", UNIT_SVA),
    ("a process is bound in place of the kernel", SVA,
     "\tif (!(flags & IOMMU_SVA_BIND_SUPERVISOR)) {\n", "\tif (true) {\n", UNIT_SVA),
    ("a process is bound in a group of several", SVA,
     "\tif (!device || !list_is_singular(&group->devices))\n", "\tif (!device)\n", UNIT_SVA),
    ("each user of a handle is its first", SVA,
     "\tif (handle->users++)\n\t\treturn;\n", "\thandle->users++;\n", UNIT_SVA),
    ("a bond does not hold its device", SVA, "\tget_device(handle->dev);\n", "", UNIT_SVA),
    ("a bond is not counted", SVA, "\tdevice->sva_bonds++;\n", "", UNIT_SVA),
    ("a bond is counted for ever", SVA,
     "\tif (device)\n\t\tdevice->sva_bonds--;\n", "", UNIT_SVA),
    ("an owner claims a group with a bond", OWNER,
     " ||\n\t    iommu_group_bonded_device(group)) {\n", ") {\n", UNIT_SVA),
    ("a bond is no kernel use", OWNER,
     "\t\t\t device->dma_api || device->sva_bonds;\n", "\t\t\t device->dma_api;\n", UNIT_SVA),
    ("a device leaves with a bond unseen", OWNER,
     "\tif (device->sva_bonds)\n\t\tdev_err(", "\tif (false)\n\t\tdev_err(", UNIT_SVA),
    ("a private domain pulls a device from under a bond", PRIVATE,
     "\tif (claimed_sibling(group, device) || iommu_group_bonded_device(group))\n",
     "\tif (claimed_sibling(group, device))\n", UNIT_SVA),
    ("an attach of the group pulls a device from under a bond", CORE,
     "\tif (group->private_domain || iommu_group_bonded_device(group))\n", "\tif (group->private_domain)\n", UNIT_SVA),
    ("a PASID goes with the first of two bonds", SVA,
     "\t\tif (handle->mm == mm)\n\t\t\treturn;\n", "\t\tif (false)\n\t\t\treturn;\n", BONDS),
    ("an mm keeps a PASID that is not its own any more", SVA, "\tmm->pasid = INIT_PASID;\n", "", BONDS),
    ("an mm has two PASIDs", SVA,
     "\t\treturn mm->pasid == pasid ? 0 : -EBUSY;\n", "\t\treturn 0;\n", BONDS),
    ("an mm has no reference to its PASID", SVA,
     "\tret = ioasid_get(pasid);\n", "\tret = 0;\n", BONDS),
    ("a bond with the wrong PASID stays", SVA, "\t\tops->sva_unbind(handle);\n\t\treturn ERR_PTR(ret);\n",
     "\t\treturn ERR_PTR(ret);\n", BONDS),
    ("a bond does not hold its mm", SVA, "\tif (mm)\n\t\tmmgrab(mm);\n", "", BONDS),
    ("a bond keeps the memory of its process", SVA, "\tif (mm)\n\t\tmmput(mm);\n", "", SVA_DMA),
    ("a device without PASIDs is bound", INTEL,
     "\tret = info->pasid_enabled ? 0 : -ENODEV;\n", "\tret = 0;\n", SVA_DMA),
    ("PASIDs are enabled after ATS", INTEL,
     "\tif (!info->pasid_enabled && !info->ats_enabled && !info->pri_enabled)\n",
     "\tif (!info->pasid_enabled)\n", SVA_DMA),
    ("the PASID table of a device that is gone", INTEL_SVM,
     "\t\t\tif (get_domain_info(dev)) {\n", "\t\t\tif (true) {\n", SVA_DMA),
    ("a reference to a PASID is taken with interrupts on", "drivers/iommu/ioasid.c",
     "\tspin_lock_irqsave(&ioasid_allocator_lock, flags);\n"
     "\tioasid_data = xa_load(&active_allocator->xa, ioasid);\n"
     "\tif (ioasid_data)\n"
     "\t\trefcount_inc(&ioasid_data->refs);\n",
     "\tspin_lock(&ioasid_allocator_lock);\n"
     "\tlocal_save_flags(flags);\n"
     "\tioasid_data = xa_load(&active_allocator->xa, ioasid);\n"
     "\tif (ioasid_data)\n"
     "\t\trefcount_inc(&ioasid_data->refs);\n", UNIT_SVA),
    ("the table does not tell of bonds", TABLE,
     "\treturn device->sva_bonds ? \"sva\" : \"-\";\n", "\treturn \"-\";\n", SVA_DMA),
))
