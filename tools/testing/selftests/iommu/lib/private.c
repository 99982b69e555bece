// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "pci.h"
#include "private.h"
#include "sysfs.h"

/* Write to a file that the driver has for each of its devices. */
int private_set(const char *bdf, const char *attr, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, attr);
	return sysfs_write(path, value);
}

int private_attach(const char *bdf)
{
	return private_set(bdf, "attached", "1");
}

int private_detach(const char *bdf)
{
	return private_set(bdf, "attached", "0");
}
