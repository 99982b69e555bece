/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sva_endpoint.c uses of QEMU 11.1, of whose headers no package has a copy.
 *
 * Functions that the program exports to its modules, and the structures that they
 * take, by names of the kernel's style. What QEMU does not let others look into is
 * declared but not defined.
 */
#ifndef __QEMU_ABI_H
#define __QEMU_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct qemu_address_space;
struct qemu_class;
struct qemu_error;
struct qemu_pci_device;
struct qemu_region;
struct qemu_type;

/* Classes of objects: qom/object.h, qemu/module.h, hw/core/qdev.h */

struct qemu_interface {
	const char *type;
};

struct qemu_type_info {
	const char *name;
	const char *parent;
	size_t instance_size;
	size_t instance_align;
	void (*instance_init)(void *obj);
	void (*instance_post_init)(void *obj);
	void (*instance_finalize)(void *obj);
	bool abstract;
	size_t class_size;
	void (*class_init)(struct qemu_class *class, const void *data);
	void (*class_base_init)(struct qemu_class *class, const void *data);
	const void *class_data;
	const struct qemu_interface *interfaces;
};

#define MODULE_INIT_QOM	4

typedef void realize_fn(struct qemu_pci_device *pdev, struct qemu_error **error);

void register_module_init(void (*init)(void), int when) __attribute__((weak));
struct qemu_type *type_register_static(const struct qemu_type_info *info);
void *object_new(const char *type);
void device_class_set_parent_realize(struct qemu_class *class, realize_fn *realize,
				     realize_fn **parent_realize);

/* Memory: system/memory.h */

struct qemu_region_ops {
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

struct qemu_tlb_entry {
	struct qemu_address_space *target_as;
	uint64_t iova;
	uint64_t translated_addr;
	uint64_t addr_mask;
	int perm;
	uint32_t pasid;
};

#define IOMMU_RO	1
#define IOMMU_WO	2

void memory_region_init_io(struct qemu_region *mr, void *owner,
			   const struct qemu_region_ops *ops, void *opaque,
			   const char *name, uint64_t size);
/* The attributes of a transaction are not set: they are zeros that fit a word. */
int address_space_rw(struct qemu_address_space *as, uint64_t addr, uint64_t attrs, void *buf,
		     uint64_t len, bool is_write);

/* Devices: hw/pci/pci.h, hw/pci/pcie.h */

struct qemu_pri_response {
	int response_code;
	uint16_t prgi;
};

#define IOMMU_PRI_RESP_SUCCESS	0

struct qemu_pri_notifier {
	void (*notify)(struct qemu_pri_notifier *notifier,
		       struct qemu_pri_response *response);
};

void pci_register_bar(struct qemu_pci_device *pdev, int bar, uint8_t type,
		      struct qemu_region *mr);
int pcie_endpoint_cap_init(struct qemu_pci_device *pdev, uint8_t offset);
int pcie_endpoint_cap_v1_init(struct qemu_pci_device *pdev, uint8_t offset);
void pcie_ats_init(struct qemu_pci_device *pdev, uint16_t offset, bool page_aligned);
void pcie_pasid_init(struct qemu_pci_device *pdev, uint16_t offset, uint8_t width,
		     bool exec, bool privileged);
void pcie_pri_init(struct qemu_pci_device *pdev, uint16_t offset, uint32_t requests,
		   bool pasid_in_response);
ssize_t pci_ats_request_translation(struct qemu_pci_device *pdev, uint32_t pasid,
				    bool privileged, bool exec, uint64_t addr,
				    size_t length, bool no_write,
				    struct qemu_tlb_entry *result, size_t results,
				    uint32_t *errors);
int pci_pri_request_page(struct qemu_pci_device *pdev, uint32_t pasid, bool privileged,
			 bool exec, uint64_t addr, bool last, uint16_t prgi,
			 bool is_read, bool is_write);
int pci_pri_register_notifier(struct qemu_pci_device *pdev, uint32_t pasid,
			      struct qemu_pri_notifier *notifier);
void pci_pri_unregister_notifier(struct qemu_pci_device *pdev, uint32_t pasid);

#endif /* __QEMU_ABI_H */
