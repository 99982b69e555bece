/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommu-groups: what sysfs, debugfs and /proc tell about IOMMU groups, and the
 * ways to show it.
 *
 * A machine is read once and then only looked at; watch_poll.c reads another one
 * and compares. Whatever the kernel did not tell is "" or UNKNOWN.
 */
#ifndef IOMMU_GROUPS_H
#define IOMMU_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <linux/compiler.h>

#define NAME_LEN	64
#define TASK_LEN	96
#define SENTENCE_LEN	1024
#define COMMAND_LEN	512
#define MAX_COMMANDS	256
#define MAX_WARNINGS	32

/* Exit statuses, as in the manual page */
enum {
	EXIT_FINE,	/* done; with --why: the device can be given */
	EXIT_CANNOT,	/* with --why, --plan: it cannot be given (now) */
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
	char *path;		/* its folder in sysfs; "" if it is not there */
	char bus[NAME_LEN];	/* "pci" */
	char driver[NAME_LEN];	/* "" for none */
	bool pci;
	bool described;		/* vendor, id and class are known */
	bool bridge;		/* by its header type */
	bool vfio;		/* its driver is one of VFIO's */
	bool changing;		/* the table says that its driver comes or leaves */
	char behind[NAME_LEN];	/* the PCI device that makes its bus, as VMD */
	char pf[NAME_LEN];	/* if it is a virtual function: whose */
	int nvfs;		/* virtual functions that are on */
	unsigned int vendor;
	unsigned int id;
	unsigned int class;
	enum claim claim;
};

struct group {
	int id;
	char name[NAME_LEN];
	bool noiommu;		/* made by VFIO for a device without IOMMU */
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

/* A process that has something of VFIO open */
struct holder {
	int pid;
	char task[TASK_LEN];	/* "vfioctl[215]" */
	int group;		/* -1: it has a device; of which group is not told */
};

struct machine {
	const char *sysfs;
	const char *proc;	/* NULL: not that of this sysfs */
	bool table;		/* debugfs could be read */
	bool owners;		/* the kernel tells owners */
	bool all_seen;		/* holders[] has whoever there is */
	int ngroups;
	struct group *groups;	/* sorted by number */
	int nholders;
	struct holder *holders;	/* sorted by process */
};

struct commands {
	int count;
	char text[MAX_COMMANDS][COMMAND_LEN];
};

/* What ends when a device loses its driver */
struct warnings {
	int count;
	struct warning {
		char device[NAME_LEN];
		char text[COMMAND_LEN];
	} list[MAX_WARNINGS];
};

/* Whether a device can be given to userspace, and what to do about it */
struct verdict {
	bool possible;
	bool changeable;		/* what @change has is all that it takes */
	char device[NAME_LEN];		/* its full name */
	char sentence[SENTENCE_LEN];
	struct warnings warnings;
	struct commands change;		/* then it can be given */
	struct commands join;		/* then its group's owner can have it */
	struct commands back;		/* then the kernel has it */
};

struct options {
	const char *sysfs;
	const char *proc;
	const char *why;
	bool json;
	bool watch;
	bool plan;
	int ndevices;
	char **devices;
};

/* sysfs.c */
typedef bool (*entry_fn)(const char *folder, const char *entry, void *data);

void *grow(void *array, int count, size_t size);
__printf(2, 3) void make_path(char *path, const char *fmt, ...);
__printf(1, 2) bool exists(const char *fmt, ...);
__printf(3, 4) bool read_value(char *value, size_t size, const char *fmt, ...);
__printf(2, 3) bool read_link(char *name, const char *fmt, ...);
__printf(3, 4) void walk_folder(entry_fn each, void *data, const char *fmt, ...);

__printf(3, 4) void append(char *text, size_t size, const char *fmt, ...);

/* At the end of what an array of characters has; what does not fit is cut off. */
#define add_text(array, fmt...)	append(array, sizeof(array), fmt)

/* Copies a text into an array, cut off if need be */
#define copy_text(array, text)	snprintf(array, sizeof(array), "%s", text)

/* device.c */
bool is_address(const char *name);
void read_device(struct device *device, const struct machine *machine,
		 const char *folder, const char *name);
void free_device(struct device *device);
const char *vfio_driver(const char *bus);
bool is_mdev(const struct device *device);

/* machine.c */
int machine_read(struct machine *machine, const char *sysfs, const char *proc);
void machine_free(struct machine *machine);
const char *owner_name(enum owner owner);
enum owner parse_owner(const char *name);
const struct group *group_by_id(const struct machine *machine, int id);
const struct group *find_group(const struct machine *machine, const char *name);
const struct device *find_device(const struct group *group, const char *name);

/* table.c */
void read_table(struct machine *machine);

/* kernel.c */
bool iommu_is_active(const struct machine *machine);
bool bridges_are_claimed(const struct machine *machine);
bool direct_is_refused(const struct machine *machine);
bool interrupts_are_unsafe(const struct machine *machine);
bool noiommu_is_on(const struct machine *machine);

/* viable.c */
bool driver_is_vfio(const char *driver);
bool device_blocks(const struct machine *machine, const struct group *group,
		   const struct device *device);
int count_blocking(const struct machine *machine, const struct group *group);
const struct device *attached_device(const struct machine *machine,
				     const struct group *group);
const char *domain_driver(const struct machine *machine,
			  const struct group *group);

/* holders.c */
void escape_name(char *to, size_t size, const char *name, size_t length);
void find_holders(struct machine *machine);
const struct holder *next_holder(const struct machine *machine, int group,
				 const struct holder *last);
int count_holders(const struct machine *machine, int group);
bool process_holds(const struct machine *machine, int pid, int group);

/* ending.c */
void how_to_end(const struct machine *machine, int pid, char *text, size_t size);

/* shell.c */
__printf(2, 3) void add_command(struct commands *commands, const char *fmt, ...);
const char *quoted(const char *word);

/* hangs.c, hangs_block.c, hangs_net.c */
__printf(3, 4) void warn(struct warnings *warnings, const char *device,
			 const char *fmt, ...);
bool is_below(const char *path, const char *folder);
void what_hangs(const struct machine *machine, const struct device *device,
		struct warnings *warnings);
void what_is_mounted(const struct machine *machine, const struct device *device,
		     struct warnings *warnings);
void what_is_up(const struct machine *machine, const struct device *device,
		struct warnings *warnings);

/* class.c */
const char *class_name(unsigned int class);

/* terminal.c */
bool colourful(void);
bool can_draw(void);
const char *colour(const char *code);
int terminal_width(FILE *file);
int flush_output(void);
void put_plain(FILE *file, const char *text, size_t length);
void print_wrapped(FILE *file, const char *text, int indent, int column);
__printf(1, 2) void complain(const char *fmt, ...);

/* show.c */
void show_machine(const struct machine *machine);
void show_missing(const struct machine *machine);

/* json.c */
void json_machine(const struct machine *machine);
void json_verdict(const char *asked, const struct verdict *verdict);

/* name.c */
bool full_name(const struct machine *machine, char *full, const char *name);
int wrong_name(const struct machine *machine, const char *name);

/* why.c, why_owned.c, why_never.c */
struct question {
	const struct machine *machine;
	const struct group *group;
	const struct device *device;
	struct verdict *verdict;
};

__printf(2, 3) void say(struct verdict *verdict, const char *fmt, ...);
int why(const struct machine *machine, const char *name, struct verdict *verdict);
bool why_owned(const struct question *q);
bool why_never(const struct question *q);
bool why_not_yet(const struct question *q);

/* give.c */
void unbind_others(const struct question *q);
void bind_to_vfio(const struct machine *machine, const struct device *device,
		  struct commands *commands);
void commands_to_give(const struct question *q);
void commands_back(const struct question *q);

/* plan.c */
int plan(const struct machine *machine, int count, char **names);

/* watch.c, watch_poll.c */
void show_time(void);
int watch(const struct machine *machine);
int follow_by_looking(const struct machine *first, int signals);

#endif /* IOMMU_GROUPS_H */
