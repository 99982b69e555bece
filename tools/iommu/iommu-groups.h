/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-groups: what sysfs and debugfs tell about IOMMU groups, and the ways to
 * show it.
 *
 * A machine is read once and then only looked at; watch.c reads another one and
 * compares. Whatever the kernel did not tell is "" or UNKNOWN.
 */
#ifndef IOMMU_GROUPS_H
#define IOMMU_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <linux/compiler.h>

#define NAME_LEN	64
#define TASK_LEN	96
#define SENTENCE_LEN	512
#define MAX_COMMANDS	64
#define MAX_HOLDERS	8

/* Exit statuses, as in the manual page */
enum {
	EXIT_FINE,	/* done; with --why: the device can be given */
	EXIT_CANNOT,	/* with --why: it cannot be given now */
	EXIT_USAGE,	/* wrong options */
	EXIT_UNREADABLE,	/* something is not there, or must not be read */
};

enum owner {
	OWNER_UNKNOWN,	/* a kernel that does not tell */
	OWNER_NONE,
	OWNER_KERNEL,
	OWNER_PRIVATE,	/* the kernel, on a domain of a device's driver */
	OWNER_USER,
};

enum claim {
	CLAIM_UNKNOWN,
	CLAIM_NO,
	CLAIM_YES,	/* its driver may do DMA for the kernel */
	CLAIM_PRIVATE,	/* its driver attached it to the private domain */
	CLAIM_SVA,	/* it works on the memory of a process */
};

struct device {
	char name[NAME_LEN];	/* "0000:02:01.0" */
	char driver[NAME_LEN];	/* "" for none */
	bool pci;
	bool bridge;
	unsigned int vendor;
	unsigned int id;
	unsigned int class;
	enum claim claim;
};

struct group {
	int id;
	enum owner owner;
	int count;		/* claims, or attached; -1 if not told */
	char type[NAME_LEN];	/* of its default domain */
	char task[TASK_LEN];	/* who claimed or attached it, "cat[214]" */
	bool exited;		/* that process has, so others have the group */
	char domain[NAME_LEN];	/* what it is attached to */
	bool direct;		/* firmware wants memory mapped 1:1 */
	int ndevices;
	struct device *devices;	/* sorted by name */
};

/* A process that has a group open */
struct holder {
	int pid;
	char task[TASK_LEN];	/* "vfioctl[215]" */
};

struct machine {
	const char *sysfs;
	bool table;		/* debugfs could be read */
	bool owners;		/* the kernel tells owners */
	int ngroups;
	struct group *groups;	/* sorted by number */
};

/* Whether a device can be given to userspace, and what to do about it */
struct verdict {
	bool possible;
	char sentence[SENTENCE_LEN];
	int ncommands;
	char commands[MAX_COMMANDS][SENTENCE_LEN];
};

struct options {
	const char *sysfs;
	const char *why;
	bool json;
	bool watch;
};

/* machine.c */
int machine_read(struct machine *machine, const char *sysfs);
void machine_free(struct machine *machine);
void *grow(void *array, int count, size_t size);
const char *owner_name(enum owner owner);
__printf(1, 2) bool exists(const char *fmt, ...);
bool iommu_is_active(const struct machine *machine);
const struct group *find_group(const struct machine *machine, const char *name);
const struct device *find_device(const struct group *group, const char *name);
bool driver_manages_dma(const char *driver);
bool driver_is_vfio(const char *driver);
bool device_blocks(const struct group *group, const struct device *device);
int count_blocking(const struct group *group);
const struct device *attached_device(const struct group *group);
const char *domain_driver(const struct group *group);

/* holders.c */
void escape_name(char *to, size_t size, const char *name, size_t length);
int find_holders(const struct machine *machine, int group,
		 struct holder *holders, int max);
int find_vfio_users(const struct machine *machine, struct holder *holders,
		    int max);

/* class.c */
const char *class_name(unsigned int class);

/* show.c */
bool colourful(void);
void show_machine(const struct machine *machine);
void show_missing(const struct machine *machine);

/* json.c */
void json_machine(const struct machine *machine);
void json_verdict(const char *device, const struct verdict *verdict);

/* why.c */
int why(const struct machine *machine, const char *name, struct verdict *verdict);

/* watch.c */
int watch(const struct machine *machine);

#endif /* IOMMU_GROUPS_H */
