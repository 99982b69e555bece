/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scene of the tests: one IOMMU group of a machine of qemu/. Its device A,
 * an "edu", goes to vfio-pci and does real DMA; device B, an e1000, is the one
 * that a kernel driver wants. Where there is a device C, it is a second "edu".
 *
 * A test that dies in an ASSERT skips its teardown, so each setup starts from
 * whatever it finds. When the program ends, every device gets back the driver
 * that it had at first.
 */
#ifndef SELFTESTS_IOMMU_SCENE_H
#define SELFTESTS_IOMMU_SCENE_H

#include <sys/types.h>

#include "lib/edu.h"
#include "lib/libvfio.h"

#define INTEL_VENDOR	0x8086
#define E1000_DEVICE	0x100e
#define REALTEK_VENDOR	0x10ec
#define RTL8139_DEVICE	0x8139

/*
 * A driver that uses the DMA API, takes any PCI device, and probes soon, for
 * what is done many times: that of an e1000 takes seconds.
 */
#define QUICK_DRIVER	"uio_pci_generic"

/* What makes the devices of a group inseparable. */
enum topology {
	ALIASED,	/* behind a PCI bridge, which speaks for all of them */
	LENT,		/* the same, with a requester id that is the bridge's own */
	DISTINCT,	/* functions of one slot, each with its requester id */
	PCIEPORT,	/* the same, and one of them is a PCI Express port */
	BESIDE,		/* the same, and one of them is another bridge */
};

/* The group under test, and A's user. */
struct scene {
	const struct group *group;
	const char *a;
	const char *b;
	const char *c;	/* NULL where there is none */
	struct vfio_user user;
	int kmsg;
};

bool is_bridge(const struct pci_dev *dev);
const struct pci_dev *find_bridge(const struct group *group);
const struct pci_dev *find_dev(const struct group *group, __u16 vendor,
			       __u16 device);
const struct pci_dev *find_next_dev(const struct group *group,
				    const struct pci_dev *dev);
int join_group(const char *bdf);
const struct group *scene_next_group(const struct group *group);
int group_direct_region(const struct group *group, __u64 *start, char type[32]);
int group_clear(const struct group *group);
bool scene_exists(enum topology topology);
int scene_setup(struct scene *scene, enum topology topology);
int scene_teardown(struct scene *scene);
bool scene_logs_faults(void);
bool scene_is_mainline(const struct scene *scene);
int drivers_probe_refusal(const struct scene *scene);
int refusal_logged(struct scene *scene, const char *driver, const char *bdf);
int claim_refusal_logged(struct scene *scene, const char *bdf,
			 const char *driver);
int scene_open_group(struct scene *scene);
int scene_claim(struct scene *scene);
pid_t scene_claim_by_child(struct scene *scene, const char *name);

#endif
