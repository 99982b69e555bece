// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-groups: shows IOMMU groups, their devices and their owners
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iommu-groups.h"

#define TERMINAL_WIDTH	78

static void show_help(void)
{
	printf("usage: iommu-groups [--json] [--sysfs DIR]\n"
	       "       iommu-groups --why DEVICE [--json] [--sysfs DIR]\n"
	       "       iommu-groups --watch [--sysfs DIR]\n"
	       "\n"
	       "Shows IOMMU groups, their devices and drivers, and who owns them.\n"
	       "\n"
	       "  -y, --why DEVICE  say why a device can or cannot be given to userspace\n"
	       "                    now, and the commands that would change that\n"
	       "  -w, --watch       show each change as it comes\n"
	       "  -j, --json        for programs\n"
	       "      --sysfs DIR   read DIR instead of /sys\n"
	       "  -h, --help        this text\n"
	       "\n"
	       "Exit status: 0 done, or the device can be given; 1 it cannot; 2 wrong\n"
	       "options; 3 something cannot be read.\n");
}

static int wrong(const char *what)
{
	fprintf(stderr, "iommu-groups: %s; see iommu-groups --help\n", what);
	return EXIT_USAGE;
}

/* Returns -1 to go on, or an exit status. */
static int parse_options(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {
		{ "help",  no_argument,	      NULL, 'h' },
		{ "json",  no_argument,	      NULL, 'j' },
		{ "sysfs", required_argument, NULL, 's' },
		{ "watch", no_argument,	      NULL, 'w' },
		{ "why",   required_argument, NULL, 'y' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "hjwy:", names, NULL)) != -1) {
		switch (option) {
		case 'h':
			show_help();
			return EXIT_FINE;
		case 'j':
			options->json = true;
			break;
		case 's':
			options->sysfs = optarg;
			break;
		case 'w':
			options->watch = true;
			break;
		case 'y':
			options->why = optarg;
			break;
		default:
			return wrong("nothing done");
		}
	}
	if (optind < argc)
		return wrong("which device? Give it to --why");
	if (options->watch && (options->why || options->json))
		return wrong("--watch stands alone: leave the other option out");
	return -1;
}

/* A terminal would break the line within a word. */
static void print_sentence(const char *text)
{
	const char *word = text, *space;
	int column = 0, length;

	for (; *word; word = space) {
		space = word + strspn(word, " ");
		space += strcspn(space, " ");
		length = space - word;
		if (column && column + length > TERMINAL_WIDTH &&
		    isatty(STDOUT_FILENO)) {
			putchar('\n');
			word++;
			length--;
			column = 0;
		}
		column += printf("%.*s", length, word);
	}
	printf(".\n");
}

static int show_why(const struct machine *machine, const struct options *options)
{
	struct verdict verdict;
	int i, ret;

	ret = why(machine, options->why, &verdict);
	if (ret == -EINVAL) {
		fprintf(stderr,
			"iommu-groups: no device is called '%s'; an address looks like 0000:02:01.0\n",
			options->why);
		return EXIT_USAGE;
	}
	if (options->json) {
		json_verdict(options->why, &verdict);
	} else {
		print_sentence(verdict.sentence);
		if (verdict.ncommands)
			printf("To change that, as root:\n");
		for (i = 0; i < verdict.ncommands; i++)
			printf("  %s\n", verdict.commands[i]);
	}
	if (ret)
		return EXIT_UNREADABLE;
	return verdict.possible ? EXIT_FINE : EXIT_CANNOT;
}

static int show(const struct machine *machine, const struct options *options)
{
	if (options->why)
		return show_why(machine, options);
	if (options->watch)
		return watch(machine);
	if (options->json)
		json_machine(machine);
	else
		show_machine(machine);
	if (!options->json)
		show_missing(machine);
	return EXIT_FINE;
}

int main(int argc, char **argv)
{
	struct options options = { .sysfs = "/sys" };
	struct machine machine;
	int ret;

	ret = parse_options(&options, argc, argv);
	if (ret >= 0)
		return ret;
	ret = machine_read(&machine, options.sysfs);
	if (ret) {
		fprintf(stderr, "iommu-groups: %s/kernel/iommu_groups: %s: %s\n",
			options.sysfs, strerror(-ret),
			"is sysfs mounted, and has the kernel IOMMU support?");
		return EXIT_UNREADABLE;
	}
	ret = show(&machine, &options);
	machine_free(&machine);
	if (fflush(stdout) || ferror(stdout)) {
		perror("iommu-groups: output");
		return EXIT_UNREADABLE;
	}
	return ret;
}
