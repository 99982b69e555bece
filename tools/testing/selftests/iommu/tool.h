/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tool iommu-groups, run by a test: what it says, and whether its advice helps.
 */
#ifndef SELFTESTS_IOMMU_TOOL_H
#define SELFTESTS_IOMMU_TOOL_H

#include <stdbool.h>
#include <sys/types.h>

/* How it ends. */
#define CAN		0
#define CANNOT		1
#define WRONG_OPTIONS	2
#define UNREADABLE	3

#define OUTPUT_LEN	65536

extern char output[OUTPUT_LEN];

int tool(const char *fmt, ...);
int tool_why(const char *bdf);
bool said(const char *fmt, ...);
bool said_plain_text(void);
int follow_advice(void);
int follow_joining(void);
int follow_way_back(void);
int tool_plan(const char *bdf);
int tool_plan_undo(void);
pid_t tool_watch(uid_t user, const char *sysfs);
pid_t tool_watch_proc(uid_t user, const char *sysfs, const char *proc);
int tool_watch_end(pid_t pid);
bool watch_says(const char *fmt, ...);

#endif
