// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommu-groups looks like on a terminal, and where its output cannot go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "tool.h"
#include "tool_says.h"
#include "tree.h"

#define CARD		"0000:00:19.0"
#define SIBLING		"0000:00:19.1"
#define ON_TREE		"iommu-groups --sysfs " SYS " --proc " PROC

/* The other end of a terminal with @columns, or -errno */
static int open_terminal(unsigned short columns, char *name, size_t size)
{
	struct winsize window = { .ws_row = 24, .ws_col = columns };
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	/* A small machine has no place for terminals yet. */
	if (fd < 0 && (mkdir("/dev/pts", 0755) || true) &&
	    !mount("devpts", "/dev/pts", "devpts", 0, NULL))
		fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || grantpt(fd) || unlockpt(fd) ||
	    ptsname_r(fd, name, size) || ioctl(fd, TIOCSWINSZ, &window))
		return -errno;
	return fd;
}

/* Everything that comes from the terminal into output[], without \r */
static void read_terminal(int fd)
{
	size_t length = 0;
	char c;

	while (length < OUTPUT_LEN - 1 && read(fd, &c, 1) == 1)
		if (c != '\r')
			output[length++] = c;
	output[length] = '\0';
}

/* Run the tool on a terminal of @columns, with @environment set. */
static int tool_on_terminal(unsigned short columns, const char *environment,
			    const char *options)
{
	char name[64], command[512];
	int status, fd;
	pid_t pid;

	fd = open_terminal(columns, name, sizeof(name));
	if (fd < 0)
		return fd;
	snprintf(command, sizeof(command),
		 "env TERM=xterm LC_ALL=C %s " ON_TREE " %s > %s 2>&1",
		 environment, options, name);
	pid = fork();
	if (!pid) {
		status = system(command);
		_exit(WEXITSTATUS(status));
	}
	read_terminal(fd);
	close(fd);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WEXITSTATUS(status);
}

static int longest_line(void)
{
	const char *line = output;
	size_t length, longest = 0;

	while (*line) {
		length = strcspn(line, "\n");
		if (length > longest)
			longest = length;
		line += length + (line[length] == '\n');
	}
	return longest;
}

FIXTURE(terminal)
{
};

FIXTURE_SETUP(terminal)
{
	ASSERT_EQ(0, tree_new());
	ASSERT_EQ(0, tree_pci(7, CARD, "vfio-pci", NETWORK_CARD));
	ASSERT_EQ(0, tree_pci(7, SIBLING, "", PCI_BRIDGE));
	ASSERT_EQ(0, tree_process(214, "qemu-system-x86"));
	ASSERT_EQ(0, tree_open(214, 9, "/dev/vfio/7"));
}

FIXTURE_TEARDOWN(terminal)
{
	EXPECT_EQ(0, tree_remove(TREE));
}

TEST_F(terminal, forty_columns)
{
	EXPECT_EQ(0, tool_on_terminal(40, "NO_COLOR=1", ""));
	EXPECT_TRUE(said("Group 7   userspace, held open by\n"
			 "          qemu-system-x86[214]\n"
			 "  |- " CARD "  vfio-pci      network\n"
			 "  `- " SIBLING "  -             PCI\n"
			 "1 group: 1 in userspace, 0 in kernel\n"
			 "use, 0 free\n"));
	EXPECT_GE(40, longest_line());
	EXPECT_EQ(CANNOT, tool_on_terminal(40, "", "--why " SIBLING));
	EXPECT_TRUE(said(SIBLING " is a bridge, and stays with\nthe kernel: only"));
	EXPECT_GE(40, longest_line());
}

/* A long name leaves the driver no room on its line. */
TEST_F(terminal, forty_columns_and_long_name)
{
	ASSERT_EQ(0, tree_device(8, "platform", SYS "/devices", "arm-smmu-v3-pmcg.12345"));
	ASSERT_EQ(0, tree_driver("platform", "arm-smmu-v3-pmcg.12345", "arm-smmu-v3-pmcg"));
	EXPECT_EQ(0, tool_on_terminal(40, "NO_COLOR=1", ""));
	EXPECT_TRUE(said("`- arm-smmu-v3-pmcg.12345\n     arm-smmu-v3-pmcg  not PCI\n"));
	EXPECT_GE(40, longest_line());
}

/* Sentences do not fill a wide one. */
TEST_F(terminal, wide)
{
	EXPECT_EQ(0, tool_on_terminal(160, "NO_COLOR=1", ""));
	EXPECT_TRUE(said("|- " CARD "  network card       8086:100e  vfio-pci\n"));
	EXPECT_EQ(CANNOT, tool_on_terminal(160, "", "--why " CARD));
	EXPECT_GE(100, longest_line());
}

TEST_F(terminal, colours)
{
	EXPECT_EQ(0, tool_on_terminal(80, "", ""));
	EXPECT_TRUE(said("\033[33mvfio-pci\033[0m"));
	EXPECT_EQ(0, tool_on_terminal(80, "NO_COLOR=", ""));
	EXPECT_TRUE(said("\033[33mvfio-pci\033[0m"));
	EXPECT_EQ(0, tool_on_terminal(80, "NO_COLOR=0", ""));
	EXPECT_EQ(NULL, strchr(output, '\033'));
	EXPECT_EQ(0, tool_on_terminal(80, "TERM=dumb", ""));
	EXPECT_EQ(NULL, strchr(output, '\033'));
}

TEST_F(terminal, lines)
{
	EXPECT_EQ(0, tool_on_terminal(80, "NO_COLOR=1", ""));
	EXPECT_TRUE(said("  |- " CARD));
	EXPECT_EQ(0, tool_on_terminal(80, "NO_COLOR=1 LC_ALL=C.utf-8", ""));
	EXPECT_TRUE(said("  \342\224\234\342\224\200 " CARD));
	EXPECT_EQ(0, tool_on_terminal(80, "NO_COLOR=1 LC_ALL=de_DE.UTF8", ""));
	EXPECT_TRUE(said("  \342\224\234\342\224\200 " CARD));
}

/* Whoever reads only a part has seen enough. */
TEST_F(terminal, closed_pipe)
{
	FILE *pipe;

	pipe = popen("(" ON_TREE "; echo $? >&2) 2>&1 >&- | cat", "re");
	ASSERT_NE(NULL, pipe);
	output[fread(output, 1, OUTPUT_LEN - 1, pipe)] = '\0';
	pclose(pipe);
	EXPECT_TRUE(said("iommu-groups: output: Bad file descriptor\n3\n"));
	pipe = popen("(" ON_TREE " | true) 2>&1", "re");
	ASSERT_NE(NULL, pipe);
	output[fread(output, 1, OUTPUT_LEN - 1, pipe)] = '\0';
	pclose(pipe);
	EXPECT_EQ(NULL, strstr(output, "output"));
}

/* It does not go on for nobody, even if there is nothing to tell. */
TEST_F(terminal, watch_into_closed_pipe)
{
	FILE *pipe;

	pipe = popen("(" ON_TREE " --watch | true) 2>&1", "re");
	ASSERT_NE(NULL, pipe);
	output[fread(output, 1, OUTPUT_LEN - 1, pipe)] = '\0';
	EXPECT_EQ(0, pclose(pipe));
	EXPECT_TRUE(said("note: no trace events"));
}

TEST_F(terminal, full_disk)
{
	FILE *pipe;

	if (access("/dev/full", W_OK))
		SKIP(return, "no /dev/full");
	pipe = popen("(" ON_TREE " > /dev/full; echo $?) 2>&1", "re");
	ASSERT_NE(NULL, pipe);
	output[fread(output, 1, OUTPUT_LEN - 1, pipe)] = '\0';
	pclose(pipe);
	EXPECT_TRUE(said("iommu-groups: output: No space left on device\n3\n"));
}

/* Nothing is asked of a machine that is not there. */
TEST_F(terminal, missing_folders)
{
	EXPECT_EQ(UNREADABLE, tool("--sysfs " SYS "/nowhere --proc " PROC));
	EXPECT_TRUE(said("is sysfs mounted"));
	EXPECT_EQ(0, tool("--sysfs " SYS " --proc /nowhere"));
	EXPECT_TRUE(said("Group 7   owner not told\n"));
	ASSERT_EQ(0, tree_remove(SYS "/kernel/iommu_groups"));
	ASSERT_EQ(0, tree_folder(SYS "/kernel/iommu_groups"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("0 groups: "));
	EXPECT_TRUE(said("note: no device is in a group"));
}

/* Of a kernel that tells owners: why it does not tell who they are */
TEST_F(terminal, missing_table)
{
	ASSERT_EQ(0, tree_file("user\n", SYS "/kernel/iommu_groups/7/dma_owner"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("Group 7   userspace: held open by qemu-system-x86[214]\n"));
	if (geteuid())
		SKIP(return, "root is told more");
	EXPECT_TRUE(said("mount -t debugfs none /sys/kernel/debug\n"));
	ASSERT_EQ(0, tree_folder(SYS "/kernel/debug/bdi"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("the kernel has no CONFIG_IOMMU_DEBUGFS\n"));
	ASSERT_EQ(0, tree_folder(SYS "/kernel/debug/iommu/groups"));
	EXPECT_EQ(0, ask_all());
	EXPECT_TRUE(said("cannot be read in debugfs: is the kernel locked down?\n"));
}

TEST_HARNESS_MAIN
