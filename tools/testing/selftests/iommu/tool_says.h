/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sentences of iommu-groups that more than one test expects.
 */
#ifndef SELFTESTS_IOMMU_TOOL_SAYS_H
#define SELFTESTS_IOMMU_TOOL_SAYS_H

/* The device, its owner or driver, and the group */
#define OWNED_ANEW \
	"%s cannot be given to userspace anew: %s owns group %d, and can have this device as well once it is bound to vfio-pci.\n"
#define HELD \
	"%s cannot be given to userspace anew: %s holds group %d open, and everybody else gets EBUSY.\n"
#define HELD_SIBLING \
	"%s cannot be given to userspace anew: %s holds group %d open, and can have this device as well once it is bound to vfio-pci.\n"
#define BLOCKED \
	"%s cannot be given to userspace: %s of its group is in kernel use by %s.\n"
#define POSSIBLE \
	"%s can be given to userspace: it is bound to vfio-pci, and nothing in group %d is in kernel use.\n"
#define WRONG_DRIVER \
	"%s cannot be given to userspace yet: it is bound to %s, not to vfio-pci.\n"
/* The device, the group, the driver, and which devices it attached */
#define PRIVATE \
	"%s cannot be given to userspace: group %d is on a domain of %s (%s).\n"
#define PRIVATE_FOR_BOTH \
	"%s can neither be given to userspace nor have a driver that uses the DMA API: group %d is on a domain of %s (%s).\n"

#endif
