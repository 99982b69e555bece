/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sva_endpoint.c uses of QEMU 11.1, of whose headers no package has a copy.
 *
 * Functions that the program exports to its modules, and the structures that they
 * take. What QEMU does not let others look into is declared but not defined.
 */
#ifndef __QEMU_ABI_H
#define __QEMU_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct AddressSpace;
struct DeviceClass;
struct Error;
struct IOMMUPRINotifier;
struct MemoryRegion;
struct ObjectClass;
struct PCIDevice;

/* Classes of objects: qom/object.h, qemu/module.h, hw/core/qdev.h */

struct InterfaceInfo {
	const char *type;
};

struct TypeInfo {
	const char *name;
	const char *parent;
	size_t instance_size;
	size_t instance_align;
	void (*instance_init)(void *obj);
	void (*instance_post_init)(void *obj);
	void (*instance_finalize)(void *obj);
	bool abstract;
	size_t class_size;
	void (*class_init)(struct ObjectClass *class, const void *data);
	void (*class_base_init)(struct ObjectClass *class, const void *data);
	const void *class_data;
	const struct InterfaceInfo *interfaces;
};

#define MODULE_INIT_QOM	4

typedef void realize_fn(struct PCIDevice *pdev, struct Error **error);

void register_module_init(void (*init)(void), int when) __attribute__((weak));
struct Type *type_register_static(const struct TypeInfo *info);
void *object_new(const char *type);
void device_class_set_parent_realize(struct ObjectClass *class, realize_fn *realize,
				     realize_fn **parent_realize);

/* Memory: system/memory.h */

struct MemoryRegionOps {
	uint64_t (*read)(void *opaque, uint64_t addr, unsigned int size);
	void (*write)(void *opaque, uint64_t addr, uint64_t data, unsigned int size);
	void *read_with_attrs;
	void *write_with_attrs;
	int endianness;
	struct {
		unsigned int min_access_size;
		unsigned int max_access_size;
		bool unaligned;
		void *accepts;
	} valid;
	struct {
		unsigned int min_access_size;
		unsigned int max_access_size;
		bool unaligned;
	} impl;
};

#define DEVICE_LITTLE_ENDIAN	2

struct IOMMUTLBEntry {
	struct AddressSpace *target_as;
	uint64_t iova;
	uint64_t translated_addr;
	uint64_t addr_mask;
	int perm;
	uint32_t pasid;
};

#define IOMMU_RO	1
#define IOMMU_WO	2

void memory_region_init_io(struct MemoryRegion *mr, void *owner,
			   const struct MemoryRegionOps *ops, void *opaque,
			   const char *name, uint64_t size);
/* The attributes of a transaction are not set: they are zeros that fit a word. */
int address_space_rw(struct AddressSpace *as, uint64_t addr, uint64_t attrs, void *buf,
		     uint64_t len, bool is_write);

/* Devices: hw/pci/pci.h, hw/pci/pcie.h */

struct IOMMUPRIResponse {
	int response_code;
	uint16_t prgi;
};

#define IOMMU_PRI_RESP_SUCCESS	0

struct IOMMUPRINotifier {
	void (*notify)(struct IOMMUPRINotifier *notifier,
		       struct IOMMUPRIResponse *response);
};

void pci_register_bar(struct PCIDevice *pdev, int bar, uint8_t type,
		      struct MemoryRegion *mr);
int pcie_endpoint_cap_init(struct PCIDevice *pdev, uint8_t offset);
int pcie_endpoint_cap_v1_init(struct PCIDevice *pdev, uint8_t offset);
void pcie_ats_init(struct PCIDevice *pdev, uint16_t offset, bool page_aligned);
void pcie_pasid_init(struct PCIDevice *pdev, uint16_t offset, uint8_t width,
		     bool exec, bool privileged);
void pcie_pri_init(struct PCIDevice *pdev, uint16_t offset, uint32_t requests,
		   bool pasid_in_response);
ssize_t pci_ats_request_translation(struct PCIDevice *pdev, uint32_t pasid,
				    bool privileged, bool exec, uint64_t addr,
				    size_t length, bool no_write,
				    struct IOMMUTLBEntry *result, size_t results,
				    uint32_t *errors);
int pci_pri_request_page(struct PCIDevice *pdev, uint32_t pasid, bool privileged,
			 bool exec, uint64_t addr, bool last, uint16_t prgi,
			 bool is_read, bool is_write);
int pci_pri_register_notifier(struct PCIDevice *pdev, uint32_t pasid,
			      struct IOMMUPRINotifier *notifier);
void pci_pri_unregister_notifier(struct PCIDevice *pdev, uint32_t pasid);

#endif /* __QEMU_ABI_H */
