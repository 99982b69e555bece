// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "error.h"
#include "netdev.h"
#include "pci.h"

/* For a link, and for an answer, on a busy host. */
#define LINK_SECONDS	30

/* Name of the network interface of @bdf into @name; -ENODEV for none. */
static int netdev_name(const char *bdf, char name[IFNAMSIZ])
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/net", bdf);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ENODEV : -errno;
	while (ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, IFNAMSIZ, "%.15s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

/* What "ip link set NAME up" does. */
static int netdev_up(const char *name)
{
	struct ifreq req = {};
	int fd, ret;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	ret = errno_of(ioctl(fd, SIOCGIFFLAGS, &req));
	if (!ret) {
		req.ifr_flags |= IFF_UP;
		ret = errno_of(ioctl(fd, SIOCSIFFLAGS, &req));
	}
	close(fd);
	return ret;
}

/* Wait for the link of an interface that is up; -ETIMEDOUT without one. */
static int netdev_carrier(const char *name)
{
	char path[PATH_MAX], carrier;
	int fd, tries;

	snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", name);
	for (tries = 0; tries < LINK_SECONDS * 20; tries++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (read(fd, &carrier, 1) != 1)
			carrier = '0';
		close(fd);
		if (carrier == '1')
			return 0;
		usleep(50000);
	}
	return -ETIMEDOUT;
}

/* The frame that asks who has the address of QEMU's user-mode gateway. */
static void arp_request(struct ether_arp *arp, const __u8 *mac)
{
	static const __u8 self[4] = { 10, 0, 2, 15 };
	static const __u8 gateway[4] = { 10, 0, 2, 2 };

	memset(arp, 0, sizeof(*arp));
	arp->ea_hdr.ar_hrd = htons(ARPHRD_ETHER);
	arp->ea_hdr.ar_pro = htons(ETH_P_IP);
	arp->ea_hdr.ar_hln = ETH_ALEN;
	arp->ea_hdr.ar_pln = 4;
	arp->ea_hdr.ar_op = htons(ARPOP_REQUEST);
	memcpy(arp->arp_sha, mac, ETH_ALEN);
	memcpy(arp->arp_spa, self, 4);
	memcpy(arp->arp_tpa, gateway, 4);
}

/* Ask once and wait for half a second: 1 for a reply, 0 for none. */
static int arp_ask(int sock, struct sockaddr_ll *to, const __u8 *mac)
{
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	struct ether_arp arp, reply;

	arp_request(&arp, mac);
	if (sendto(sock, &arp, sizeof(arp), 0, (void *)to, sizeof(*to)) < 0)
		return -errno;
	while (poll(&ready, 1, 500) > 0) {
		if (recv(sock, &reply, sizeof(reply), 0) < (ssize_t)sizeof(reply))
			continue;
		if (reply.ea_hdr.ar_op == htons(ARPOP_REPLY))
			return 1;
	}
	return 0;
}

/* A socket for ARP frames of the interface; its broadcast address in @to. */
static int arp_socket(const char *name, struct sockaddr_ll *to, __u8 *mac)
{
	struct ifreq req = {};
	int sock, ret;

	*to = (struct sockaddr_ll) {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = if_nametoindex(name),
		.sll_halen = ETH_ALEN,
		.sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};
	sock = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP));
	if (sock < 0)
		return -errno;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	ret = errno_of(ioctl(sock, SIOCGIFHWADDR, &req));
	if (!ret)
		ret = errno_of(bind(sock, (void *)to, sizeof(*to)));
	if (ret) {
		close(sock);
		return ret;
	}
	memcpy(mac, req.ifr_hwaddr.sa_data, ETH_ALEN);
	return sock;
}

static int netdev_traffic(const char *name)
{
	struct sockaddr_ll addr;
	int sock, ret, tries;
	__u8 mac[ETH_ALEN];

	ret = netdev_up(name);
	if (!ret)
		ret = netdev_carrier(name);
	if (ret)
		return ret;
	sock = arp_socket(name, &addr, mac);
	if (sock < 0)
		return sock;
	for (tries = 0; !ret && tries < LINK_SECONDS * 2; tries++)
		ret = arp_ask(sock, &addr, mac);
	close(sock);
	if (ret < 0)
		return ret;
	return ret ? 0 : -ETIMEDOUT;
}

/*
 * Bring the interface of @bdf up and exchange frames with the gateway of QEMU's
 * user-mode network: the device's DMA works in both directions. -ENODEV without
 * an interface, -ETIMEDOUT where no link or no answer comes in time.
 */
int netdev_check(const char *bdf)
{
	char name[IFNAMSIZ];
	int ret;

	ret = netdev_name(bdf, name);
	return ret ? ret : netdev_traffic(name);
}
