// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "slots.h"

#define PCI_SLOTS	"/sys/bus/pci/slots"
#define PCI_DEVICES	"/sys/bus/pci/devices"

#define MONITOR_SECONDS	30
#define GREETING_SECONDS	3
#define GREETINGS	10
#define PLUG_SECONDS	60
#define EVENT_SECONDS	30

/*
 * The terminal that leads to QEMU's monitor. Until it is raw it may have sent
 * part of the monitor's greeting back: 0xff makes the monitor forget that.
 */
static int monitor_open(void)
{
	const char *name = getenv("VMTEST_MONITOR");
	struct termios raw;
	char path[64];
	int fd;

	if (!name || !*name)
		return -ENODEV;
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &raw))
		goto err_close;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSAFLUSH, &raw) || write(fd, "\xff\n", 2) != 2)
		goto err_close;
	return fd;

err_close:
	close(fd);
	return -EIO;
}

/* One more line of the monitor, soon, into @line, cut at @size; its length. */
static int monitor_line(int fd, int seconds, char *line, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	char c;

	while (poll(&ready, 1, seconds * 1000) > 0) {
		if (read(fd, &c, 1) != 1)
			return -EIO;
		if (c == '\n') {
			line[n] = '\0';
			return n;
		}
		if (n < size - 1)
			line[n++] = c;
	}
	return -ETIMEDOUT;
}

/*
 * Send one request and wait for its answer, which bears its number: 0 if that
 * is @good. Other lines are events, or answers to what a dead test asked.
 */
static int monitor_ask(int fd, int seconds, const char *good, const char *request, ...)
{
	static unsigned int count;
	char text[512], id[48], line[2048];
	va_list args;
	int ret;

	snprintf(id, sizeof(id), "\"id\": \"%d.%u\"", getpid(), ++count);
	va_start(args, request);
	vsnprintf(text, sizeof(text), request, args);
	va_end(args);
	if (dprintf(fd, "{%s, %s}\n", text, id) < 0)
		return -EIO;
	do {
		ret = monitor_line(fd, seconds, line, sizeof(line));
	} while (ret >= 0 && !strstr(line, id));
	if (ret < 0)
		return ret;
	if (strstr(line, good))
		return 0;
	fprintf(stderr, "# QEMU to '%s': %s\n", text, line);
	return -EREMOTEIO;
}

/* A monitor that has answered: that it knows us, from the second test on. */
static int monitor_greet(void)
{
	int fd, ret;

	fd = monitor_open();
	if (fd < 0)
		return fd;
	ret = monitor_ask(fd, GREETING_SECONDS, "", "\"execute\": \"qmp_capabilities\"");
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/*
 * Have QEMU do what somebody would type: 0, or -EREMOTEIO if it complains. On a busy
 * host an answer was seen to stay out. A greeting can be said again, a command not.
 */
static int monitor_do(const char *command)
{
	int fd, ret, tries = 0;

	do {
		fd = monitor_greet();
	} while (fd == -ETIMEDOUT && ++tries < GREETINGS);
	if (fd < 0)
		return fd;

	ret = monitor_ask(fd, MONITOR_SECONDS, "\"return\": \"\"",
			  "\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"%s\"}",
			  command);
	close(fd);
	return ret;
}

/* Has this machine the slot, and a monitor? */
bool slot_exists(int number)
{
	const char *name = getenv("VMTEST_MONITOR");
	char path[64];

	snprintf(path, sizeof(path), PCI_SLOTS "/%d", number);
	return name && *name && !access(path, F_OK);
}

/* The address of the port, which is the folder around those of its bus. */
static int find_port(struct slot *slot)
{
	char path[64], target[PATH_MAX];

	/* "0000:04:00" is on the bus "0000:04". */
	snprintf(path, sizeof(path), "/sys/class/pci_bus/%.7s/device",
		 slot->bus);
	if (!realpath(path, target))
		return -errno;
	snprintf(slot->port, sizeof(slot->port), "%s", basename(target));
	return 0;
}

/* Find the slot's port and bus; 0 or -errno. */
int slot_open(struct slot *slot, int number)
{
	char path[64];
	FILE *file;
	int ret;

	*slot = (struct slot){ .number = number };
	snprintf(path, sizeof(path), PCI_SLOTS "/%d/address", number);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	ret = fscanf(file, "%15s", slot->bus) == 1 ? 0 : -EIO;
	fclose(file);
	return ret ? ret : find_port(slot);
}

/* The address that a function of the slot has. */
void slot_function(const struct slot *slot, int function, char *bdf)
{
	snprintf(bdf, PCI_BDF_LEN, "%.12s.%d", slot->bus, function & 7);
}

static int read_byte(int fd, int where)
{
	__u8 value;

	return pread(fd, &value, 1, where) == 1 ? value : -EIO;
}

static int find_pcie_capability(int fd)
{
	int where = read_byte(fd, PCI_CAPABILITY_LIST);

	while (where > 0 && read_byte(fd, where) != PCI_CAP_ID_EXP)
		where = read_byte(fd, where + PCI_CAP_LIST_NEXT);
	return where > 0 ? where : -ENOENT;
}

/* The port's configuration space, and where its Slot Control register is. */
static int open_control(const struct slot *slot, int *where)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", slot->port);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = find_pcie_capability(fd);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	*where = ret + PCI_EXP_SLTCTL;
	return fd;
}

/* The indicator that the driver sets last: PCI_EXP_SLTCTL_PWR_IND_*. */
static int power_indicator(const struct slot *slot)
{
	int fd, where, ret;
	__u16 control;

	fd = open_control(slot, &where);
	if (fd < 0)
		return fd;
	ret = pread(fd, &control, 2, where) == 2 ? 0 : -EIO;
	close(fd);
	return ret ? ret : control & PCI_EXP_SLTCTL_PIC;
}

static int wait_indicator(const struct slot *slot, int wanted, int seconds)
{
	int ms, ret;

	for (ms = 0; ms < seconds * 1000; ms += 10) {
		ret = power_indicator(slot);
		if (ret < 0 || ret == wanted)
			return ret < 0 ? ret : 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

/*
 * Plug a card in, and wait until the kernel knows it. @functions are its
 * functions as QEMU's "-device" takes them, up to NULL. They come in one by
 * one, and the first one last, as it is with it that the card is there.
 */
int slot_plug(struct slot *slot, const char *const *functions)
{
	static unsigned int count;
	char command[256];
	int i, n, ret = 0;

	for (n = 0; functions[n]; n++)
		;
	for (i = n - 1; !ret && i >= 0; i--) {
		snprintf(slot->card, sizeof(slot->card), "card%d.%u", getpid(),
			 ++count);
		snprintf(command, sizeof(command),
			 "device_add %s,id=%s,bus=slot%d,addr=0.%d%s",
			 functions[i], slot->card, slot->number, i,
			 n > 1 ? ",multifunction=on" : "");
		ret = monitor_do(command);
	}
	if (ret)
		return ret;
	return wait_indicator(slot, PCI_EXP_SLTCTL_PWR_IND_ON, PLUG_SECONDS);
}

static int press_button(const struct slot *slot)
{
	char command[64];

	snprintf(command, sizeof(command), "device_del %s", slot->card);
	return monitor_do(command);
}

/* The slot is not ready for this until its driver has finished. */
static int power_off(const struct slot *slot)
{
	char path[64];
	int ret, tries;

	snprintf(path, sizeof(path), PCI_SLOTS "/%d/power", slot->number);
	for (tries = 0; tries < 100; tries++) {
		ret = sysfs_write(path, "0");
		if (ret != -ENODEV)
			return ret;
		usleep(10000);
	}
	return ret;
}

/* In a process that waits for whoever uses the card, and holds nothing of it. */
static int begin_power_off(struct slot *slot)
{
	slot->writer = fork();
	if (slot->writer < 0)
		return -errno;
	if (!slot->writer) {
		closefrom(STDERR_FILENO + 1);
		_exit(-power_off(slot));
	}
	return 0;
}

/* The CPU that handles the first interrupt of the slot's port, or -errno. */
static int interrupt_cpu(const struct slot *slot)
{
	char path[80];
	FILE *file;
	glob_t irqs;
	int cpu, ret;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/msi_irqs/*", slot->port);
	if (glob(path, 0, NULL, &irqs))
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/irq/%s/effective_affinity_list",
		 basename(irqs.gl_pathv[0]));
	globfree(&irqs);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	ret = fscanf(file, "%d", &cpu) == 1 ? cpu : -EIO;
	fclose(file);
	return ret;
}

/* Run where the slot's interrupts are handled, so that none is while this runs. */
static int follow_interrupt(const struct slot *slot)
{
	int cpu = interrupt_cpu(slot);
	cpu_set_t set;

	if (cpu < 0)
		return cpu;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* Wait until the driver has heard of all that happened in the slot. */
static int wait_heard(int fd, int where)
{
	const __u16 events = PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC |
			     PCI_EXP_SLTSTA_CC | PCI_EXP_SLTSTA_DLLSC;
	__u16 status;
	int ms;

	where += PCI_EXP_SLTSTA - PCI_EXP_SLTCTL;
	for (ms = 0; ms < EVENT_SECONDS * 1000; ms++) {
		if (pread(fd, &status, 2, where) != 2)
			return -EIO;
		if (!(status & events))
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* QEMU takes the card away when the slot's power and indicator go off. */
static int switch_off_and_on(int fd, int where)
{
	__u16 control, off;

	if (pread(fd, &control, 2, where) != 2)
		return -EIO;
	off = control | PCI_EXP_SLTCTL_PWR_OFF | PCI_EXP_SLTCTL_PWR_IND_OFF;
	off &= ~PCI_EXP_SLTCTL_HPIE;
	if (pwrite(fd, &off, 2, where) != 2 ||
	    pwrite(fd, &control, 2, where) != 2)
		return -EIO;
	return 0;
}

/*
 * The driver must hear of it when both are on again: for it the card was pulled.
 * If it saw them off, it would take the slot for empty already, and wait for ever.
 */
static int pull(const struct slot *slot)
{
	int fd, where, ret;
	cpu_set_t before;

	if (sched_getaffinity(0, sizeof(before), &before))
		return -errno;
	fd = open_control(slot, &where);
	if (fd < 0)
		return fd;
	ret = follow_interrupt(slot);
	if (!ret)
		ret = wait_heard(fd, where);
	if (!ret)
		ret = switch_off_and_on(fd, where);
	sched_setaffinity(0, sizeof(before), &before);
	close(fd);
	return ret;
}

/* Begin to remove the card; slot_wait_empty() tells when that is done. */
int slot_remove(struct slot *slot, enum removal how)
{
	switch (how) {
	case BUTTON:
		return press_button(slot);
	case POWER:
		return begin_power_off(slot);
	case SURPRISE:
		return pull(slot);
	}
	return -EINVAL;
}

/* What the writer of begin_power_off() ended with; 0 where there was none. */
static int reap_writer(struct slot *slot)
{
	pid_t writer = slot->writer;
	int status;

	slot->writer = 0;
	if (!writer)
		return 0;
	if (waitpid(writer, &status, 0) != writer)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* Wait until the kernel has let go of the card; -ETIMEDOUT if it does not. */
int slot_wait_empty(struct slot *slot, int seconds)
{
	int ret;

	ret = wait_indicator(slot, PCI_EXP_SLTCTL_PWR_IND_OFF, seconds);
	return ret ? ret : reap_writer(slot);
}

/* Empty the slot, whatever an earlier test left in it. */
int slot_clear(struct slot *slot)
{
	int ret;

	ret = power_indicator(slot);
	if (ret < 0 || ret == PCI_EXP_SLTCTL_PWR_IND_OFF)
		return ret < 0 ? ret : 0;
	ret = power_off(slot);
	return ret ? ret : slot_wait_empty(slot, PLUG_SECONDS);
}
