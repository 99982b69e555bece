// SPDX-License-Identifier: GPL-2.0-only
/*
 * How would its user end a process that has a group? A guest or a service is
 * ended by what started it, which its control group tells.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "iommu-groups.h"

/* systemd writes \x2d for a hyphen that is part of a name. */
static void unescape_unit(char *name)
{
	char *from = name, *to = name;
	unsigned int byte;

	while (*from) {
		if (sscanf(from, "\\x%2x", &byte) == 1) {
			*to++ = byte;
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* Cuts the suffix off; false if there is none. */
static bool cut_suffix(char *text, const char *suffix)
{
	size_t length = strlen(text), end = strlen(suffix);

	if (length <= end || strcmp(text + length - end, suffix))
		return false;
	text[length - end] = '\0';
	return true;
}

/*
 * The path of its control group: of the unified hierarchy, or of systemd's own
 * if that one is not in use.
 */
static bool read_cgroup(const struct machine *machine, int pid, char *path)
{
	char file[PATH_MAX], line[PATH_MAX];
	const char *found;
	FILE *cgroups;

	path[0] = '\0';
	make_path(file, "%s/%d/cgroup", machine->proc, pid);
	cgroups = fopen(file, "re");
	if (!cgroups)
		return false;
	while (fgets(line, sizeof(line), cgroups)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strncmp(line, "0::/", 4) ? line + 3 :
			strstr(line, ":name=systemd:/");
		if (found && strcmp(found, "/"))
			snprintf(path, PATH_MAX, "%s", strchr(found, '/'));
	}
	fclose(cgroups);
	return path[0];
}

/* QEMU's "-name guest=NAME,...", which has the name as libvirt knows it */
static bool guest_name(const struct machine *machine, int pid, char *name,
		       size_t size)
{
	char path[PATH_MAX], text[8192], *word, *end;
	bool found = false;
	FILE *file;
	size_t n;

	make_path(path, "%s/%d/cmdline", machine->proc, pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	for (word = text; word < text + n && !found; word += strlen(word) + 1) {
		found = !strncmp(word, "guest=", 6);
		end = strchr(word, ',');
		/* A comma within the name is doubled; leave that to the number. */
		if (found && end && end[1] != ',')
			*end = '\0';
		if (found)
			snprintf(name, size, "%s", word + 6);
	}
	return found && !strchr(name, ',');
}

/* "qemu-1-NAME" of a guest of libvirt */
static bool end_libvirt(const struct machine *machine, int pid, char *unit,
			char *text, size_t size)
{
	char name[COMMAND_LEN / 4];
	char *number, *rest;

	number = !strncmp(unit, "qemu-", 5) ? unit + 5 : NULL;
	if (!number || !strtol(number, &rest, 10) || *rest != '-')
		return false;
	if (!guest_name(machine, pid, name, sizeof(name)))
		snprintf(name, sizeof(name), "%s", rest + 1);
	snprintf(text, size, "virsh shutdown %s", quoted(name));
	return true;
}

static bool end_machine(const struct machine *machine, int pid, char *unit,
			char *text, size_t size)
{
	if (strncmp(unit, "machine-", 8) || !cut_suffix(unit, ".scope"))
		return false;
	unescape_unit(unit);
	if (!end_libvirt(machine, pid, unit + 8, text, size))
		snprintf(text, size, "machinectl poweroff %s", quoted(unit + 8));
	return true;
}

/* "docker-0123456789abcdef.scope" */
static bool end_container(char *unit, char *text, size_t size)
{
	const char *program = NULL;
	char *id = strchr(unit, '-');

	if (!strncmp(unit, "docker-", 7))
		program = "docker";
	else if (!strncmp(unit, "libpod-", 7))
		program = "podman";
	if (!program || !cut_suffix(unit, ".scope"))
		return false;
	snprintf(text, size, "%s stop %.12s", program, quoted(id + 1));
	return true;
}

/*
 * One part of the path. What a user's own service manager runs is ended as any
 * process: its system unit is all that the user does.
 */
static bool end_unit(const struct machine *machine, int pid, const char *path,
		     char *unit, char *text, size_t size)
{
	if (end_machine(machine, pid, unit, text, size) ||
	    end_container(unit, text, size))
		return true;
	if (!strncmp(path, "/user.slice/", 12) || !cut_suffix(unit, ".service"))
		return false;
	snprintf(text, size, "systemctl stop %s", quoted(unit));
	strncat(text, ".service", size - strlen(text) - 1);
	return true;
}

/*
 * Is it the first process of a namespace, and not prepared for SIGTERM? Then the
 * kernel lets no signal through from outside, but the one that nobody can catch.
 */
static bool ignores_term(const struct machine *machine, int pid)
{
	char path[PATH_MAX], line[256];
	unsigned long long caught = 0;
	const char *last = NULL;
	bool first = false;
	FILE *status;

	make_path(path, "%s/%d/status", machine->proc, pid);
	status = fopen(path, "re");
	if (!status)
		return false;
	while (fgets(line, sizeof(line), status)) {
		if (!strncmp(line, "NSpid:\t", 7)) {
			last = strrchr(line, '\t');
			first = last > line + 6 && atoi(last) == 1;
		}
		sscanf(line, "SigCgt: %llx", &caught);
	}
	fclose(status);
	return first && !(caught & 1ULL << (SIGTERM - 1));
}

/* The command that ends @pid, which has the group now */
void how_to_end(const struct machine *machine, int pid, char *text, size_t size)
{
	char path[PATH_MAX], copy[PATH_MAX], *part, *rest = copy;

	snprintf(text, size, "kill %s%d", ignores_term(machine, pid) ? "-9 " : "", pid);
	if (!read_cgroup(machine, pid, path))
		return;
	copy_text(copy, path);
	while ((part = strsep(&rest, "/")))
		if (end_unit(machine, pid, path, part, text, size))
			return;
}
