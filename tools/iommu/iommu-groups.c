// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-groups: shows IOMMU groups, their devices and their owners
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iommu-groups.h"

static void show_help(void)
{
	printf("usage: iommu-groups [--json] [--sysfs DIR] [--proc DIR]\n"
	       "       iommu-groups --why DEVICE [--json] [--sysfs DIR] [--proc DIR]\n"
	       "       iommu-groups --plan [--sysfs DIR] [--proc DIR] DEVICE...\n"
	       "       iommu-groups --watch [--sysfs DIR] [--proc DIR]\n"
	       "\n"
	       "Shows IOMMU groups, their devices and drivers, and who owns them.\n"
	       "\n"
	       "  -y, --why DEVICE  say why a device can or cannot be given to userspace\n"
	       "                    now, and the commands that would change that\n"
	       "  -p, --plan        write a shell script that makes the devices ready for\n"
	       "                    userspace, and that takes it back if called with undo\n"
	       "  -w, --watch       show each change as it comes\n"
	       "  -j, --json        for programs\n"
	       "      --sysfs DIR   read DIR instead of /sys\n"
	       "      --proc DIR    read DIR instead of /proc, which belongs to that /sys\n"
	       "  -h, --help        this text\n"
	       "\n"
	       "Exit status: 0 done, or the device can be given; 1 it cannot; 2 wrong\n"
	       "options; 3 something cannot be read.\n");
}

static int wrong(const char *what)
{
	complain("iommu-groups: %s; see iommu-groups --help", what);
	return EXIT_USAGE;
}

static const struct option option_names[] = {
	{ "help",  no_argument,	      NULL, 'h' },
	{ "json",  no_argument,	      NULL, 'j' },
	{ "plan",  no_argument,	      NULL, 'p' },
	{ "proc",  required_argument, NULL, 'c' },
	{ "sysfs", required_argument, NULL, 's' },
	{ "watch", no_argument,	      NULL, 'w' },
	{ "why",   required_argument, NULL, 'y' },
	{ }
};

static bool take_option(struct options *options, int option)
{
	switch (option) {
	case 'c':
		options->proc = optarg;
		return true;
	case 'j':
		options->json = true;
		return true;
	case 'p':
		options->plan = true;
		return true;
	case 's':
		options->sysfs = optarg;
		return true;
	case 'w':
		options->watch = true;
		return true;
	case 'y':
		options->why = optarg;
		return true;
	}
	return false;
}

/* Returns -1 to go on, or an exit status. */
static int check_options(const struct options *options)
{
	if (options->plan && (options->why || options->json || options->watch))
		return wrong("--plan stands alone: leave the other option out");
	if (options->plan && !options->ndevices)
		return wrong("which devices? Name them after --plan");
	if (!options->plan && options->ndevices)
		return wrong("which device? Give it to --why");
	if (options->watch && (options->why || options->json))
		return wrong("--watch stands alone: leave the other option out");
	return -1;
}

/* The same. Only /sys is known to be of the same machine as /proc. */
static int parse_options(struct options *options, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "hjpwy:", option_names,
				     NULL)) != -1) {
		if (option == 'h') {
			show_help();
			return EXIT_FINE;
		}
		if (!take_option(options, option))
			return wrong("nothing done");
	}
	options->ndevices = argc - optind;
	options->devices = argv + optind;
	if (!options->proc && !strcmp(options->sysfs, "/sys"))
		options->proc = "/proc";
	return check_options(options);
}

/* What a device takes with it when it loses its driver, before the commands */
static void print_warnings(const struct warnings *warnings)
{
	char line[NAME_LEN + COMMAND_LEN + 64];
	int i;

	for (i = 0; i < warnings->count; i++) {
		snprintf(line, sizeof(line), "Careful: %s: %s.",
			 warnings->list[i].device, warnings->list[i].text);
		print_wrapped(stdout, line, 9, 0);
	}
}

/* Is this the command that ends what a warning is about? */
static bool is_dangerous(const struct warnings *warnings, const char *text)
{
	int i;

	if (!strstr(text, "/unbind") && !strstr(text, "sriov_numvfs"))
		return false;
	for (i = 0; i < warnings->count; i++)
		if (strstr(text, warnings->list[i].device))
			return true;
	return false;
}

static void print_commands(const char *title, const struct commands *commands,
			   const struct warnings *warnings)
{
	int i;

	if (!commands->count)
		return;
	printf("%s\n", title);
	for (i = 0; i < commands->count; i++) {
		printf("  ");
		put_plain(stdout, commands->text[i], strlen(commands->text[i]));
		puts(is_dangerous(warnings, commands->text[i]) ?
		     "  # careful" : "");
	}
}

static void print_verdict(const struct verdict *verdict)
{
	char sentence[SENTENCE_LEN + 1];

	snprintf(sentence, sizeof(sentence), "%s.", verdict->sentence);
	print_wrapped(stdout, sentence, 0, 0);
	print_warnings(&verdict->warnings);
	print_commands("To change that, as root:", &verdict->change,
		       &verdict->warnings);
	print_commands("To give it to the same owner, as root:", &verdict->join,
		       &verdict->warnings);
	print_commands("The kernel does not take it back by itself; to have it do so, as root:",
		       &verdict->back, &verdict->warnings);
}

static int show_why(const struct machine *machine, const struct options *options)
{
	static struct verdict verdict;
	int ret;

	ret = why(machine, options->why, &verdict);
	if (ret == -EINVAL)
		return wrong_name(machine, options->why);
	if (options->json)
		json_verdict(options->why, &verdict);
	else
		print_verdict(&verdict);
	if (ret)
		return EXIT_UNREADABLE;
	return verdict.possible ? EXIT_FINE : EXIT_CANNOT;
}

static int show(const struct machine *machine, const struct options *options)
{
	if (options->why)
		return show_why(machine, options);
	if (options->plan)
		return plan(machine, options->ndevices, options->devices);
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
	int error, ret;

	ret = parse_options(&options, argc, argv);
	if (ret >= 0)
		return ret;
	/* A note is whole, not letter by letter between the output of others. */
	setlinebuf(stderr);
	/* Whoever reads a part of the output, as head does, has seen enough. */
	signal(SIGPIPE, SIG_DFL);
	ret = machine_read(&machine, options.sysfs, options.proc);
	if (ret) {
		complain("iommu-groups: %s/kernel/iommu_groups: %s: %s",
			 options.sysfs, strerror(-ret),
			 "is sysfs mounted, and has the kernel IOMMU support?");
		return EXIT_UNREADABLE;
	}
	ret = show(&machine, &options);
	machine_free(&machine);
	error = flush_output();
	if (error) {
		complain("iommu-groups: output: %s", strerror(error));
		return EXIT_UNREADABLE;
	}
	return ret;
}
