/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver that attaches its devices to a private domain when it is told to, see
 * drivers/iommu/tests/private_domain_driver.c.
 *
 * Errors are as in libvfio.h.
 */
#ifndef SELFTESTS_IOMMU_PRIVATE_H
#define SELFTESTS_IOMMU_PRIVATE_H

#define PRIVATE_DOMAIN_DRIVER	"private-domain"

int private_set(const char *bdf, const char *attr, const char *value);
int private_attach(const char *bdf);
int private_detach(const char *bdf);

#endif
