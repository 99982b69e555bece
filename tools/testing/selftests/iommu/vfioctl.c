// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hold a PCI device through VFIO and answer for it.
 *
 *	vfioctl 0000:02:02.0
 *
 * The device must be bound to vfio-pci. Each line of standard input is a
 * command: "read" reads identification and, where there is a first memory
 * BAR, its first registers; "quit" or the end of input closes the device.
 * Exit status 0, or 1 with one line on standard error.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/libvfio.h"

#define E1000_STATUS	0x0008
#define E1000_RAL	0x5400
#define E1000_ID	0x100e8086

static __u32 bar_read(void *bar, int reg)
{
	return __atomic_load_n((__u32 *)(bar + reg), __ATOMIC_ACQUIRE);
}

/* The e1000 keeps its station address in its registers. */
static int read_e1000(int device)
{
	__u32 low, high;
	size_t size;
	void *bar;
	int ret;

	ret = vfio_enable(device);
	if (!ret)
		ret = vfio_map_bar(device, 0, &bar, &size);
	if (ret)
		return ret;
	low = bar_read(bar, E1000_RAL);
	high = bar_read(bar, E1000_RAL + 4);
	printf("status %08x, address %02x:%02x:%02x:%02x:%02x:%02x\n",
	       bar_read(bar, E1000_STATUS), low & 0xff, low >> 8 & 0xff,
	       low >> 16 & 0xff, low >> 24, high & 0xff, high >> 8 & 0xff);
	munmap(bar, size);
	return 0;
}

static int answer_read(const char *bdf, int device)
{
	__u32 id;
	int ret;

	ret = vfio_config_read(device, 0, &id, sizeof(id));
	if (ret)
		return ret;
	printf("%s: %04x:%04x ", bdf, id & 0xffff, id >> 16);
	if (id == E1000_ID)
		return read_e1000(device);
	printf("\n");
	return 0;
}

static int serve(const char *bdf, int device)
{
	char line[64];
	int ret = 0;

	while (!ret && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "quit"))
			break;
		if (!strcmp(line, "read"))
			ret = answer_read(bdf, device);
		else
			printf("unknown command: %s\n", line);
		fflush(stdout);
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct vfio_user user;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: vfioctl DEVICE\n");
		return 1;
	}
	ret = vfio_user_open(&user, argv[1]);
	if (!ret) {
		printf("%s: open, IOMMU group %d is owned by vfioctl[%d]\n",
		       argv[1], group_of(argv[1]), getpid());
		fflush(stdout);
		ret = serve(argv[1], user.device);
	}
	vfio_user_close(&user);
	if (ret)
		fprintf(stderr, "vfioctl: %s: %s\n", argv[1], strerror(-ret));
	return ret ? 1 : 0;
}
