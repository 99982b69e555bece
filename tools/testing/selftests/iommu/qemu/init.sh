#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# First process of the virtual machine. The kernel passes parameters that it
# does not know as environment:
#   VMTEST_MODE    tests, demo, bench or shell
#   VMTEST_STORY   what demo.sh is to tell
#   VMTEST_SUITES  names of test programs, separated by commas
#   VMTEST_RESULT  the port for results
#   VMTEST_SOAK    minutes for dma_owner_race_test and dma_owner_random_test
#   VMTEST_SEED    where the latter begins; both are read by those programs
#   VMTEST_MONITOR the port of QEMU's monitor, read by dma_owner_pciehp_test
#
# What goes to that port: for each suite "# suite NAME", the program's output
# and "# exit NAME STATUS", and after the last "# done".
# shellcheck shell=sh

/bin/busybox mkdir -p /proc /sys /dev /tmp /sbin /usr/bin /usr/sbin
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin

mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev 2>/dev/null
mount -t tmpfs none /tmp
mount -t debugfs none /sys/kernel/debug 2>/dev/null

# The machine ends here, not when this script does: that would be a panic.
finish()
{
	sync
	reboot -f
	sleep 60
}

# Have leaks reported on the console, where the scanner sees them.
scan_leaks()
{
	leaks=/sys/kernel/debug/kmemleak
	[ -e "$leaks" ] || return
	echo scan > "$leaks"
	sleep 6
	echo scan > "$leaks"
	cat "$leaks" > /dev/console
}

run_suites()
{
	for suite in $(echo "$VMTEST_SUITES" | tr , ' '); do
		echo "# suite $suite"
		"$suite" 2>&1
		echo "# exit $suite $?"
	done
	scan_leaks
	echo "# done"
}

# A program with a story to tell, whose end the reader of the port awaits.
tell()
{
	"$@" 2>&1
	echo "# exit demo $?"
	echo "# done"
}

port=/dev/$VMTEST_RESULT
[ -c "$port" ] && stty -F "$port" -opost -echo

case $VMTEST_MODE in
tests)
	run_suites > "$port"
	;;
demo)
	tell demo.sh "$VMTEST_STORY" > "$port"
	;;
bench)
	tell dma_owner_perf_test > "$port"
	;;
*)
	echo "The selftests and vfioctl are in /bin; 'exit' ends the machine."
	setsid cttyhack sh
	;;
esac
finish
