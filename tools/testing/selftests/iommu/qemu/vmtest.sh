#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot virtual machines with an IOMMU and run the suites of tests.cfg in them.

set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

self=${0##*/}

usage()
{
	cat <<-EOF
	usage: $self [options] --kernel ARCH=IMAGE... --work DIR --logs DIR
	       $self --list | --machines | --command

	  --kernel ARCH=IMAGE  kernel to boot, built with ../config, ../config.vm
	                       and ../config.<arch>; ARCH is x86_64 or arm64
	  --modules ARCH=DIR   its modules: DIR/lib/modules/<release>
	  --work DIR           where test programs and initramfs are built
	  --logs DIR           where the machines' consoles are kept
	  --config FILE        what runs where, in place of tests.cfg: for a kernel that
	                       has less, or more
	  --machine NAME       only this machine, may be repeated
	  --suite NAME         only this suite, may be repeated
	  --jobs N             machines to run at a time, else five for two CPUs
	  --soak MINUTES       let dma_owner_race_test run so long on each topology, and
	                       dma_owner_random_test in all, from a fresh seed
	  --seed NUMBER        where dma_owner_random_test begins instead
	  --races FILE         of a kernel with KCSAN: the functions in which a data
	                       race is a failure; races elsewhere are but named
	  --list               print the names of the cases, run nothing
	  --machines           print the machines that have a case, their ARCH, and the
	                       variable that has to name QEMU, if it is one of those below
	  --command            print QEMU's command for a machine with the devices of
	                       the demo, an argument a line (with --machine NAME)
	  --demo               tell the story of one refusal instead of testing
	  --example MODULE     with --demo: a second story, of ../own_domain, which is
	                       built for the kernel
	  --compare IMAGE      with --demo: show first what this kernel does
	  --compare-example MODULE  ../own_domain, built for that kernel
	  --shell              an interactive machine (with --machine NAME)
	  --bench              print the figures of dma_owner_perf_test on a machine
	                       of bench/ (with --machine bench/NAME)

	Of the environment, for an ARCH that is not this machine's:
	  BUSYBOX_ARCH         a static busybox for it, which there must be
	  CROSS_COMPILE_ARCH   prefix of the compiler
	And for q35-intel-sva, which is not run without:
	  QEMU_SVA             qemu-system-x86_64 of QEMU 11.1
	EOF
}

die()
{
	echo "vmtest: $*" >&2
	exit 2
}

# Values of the command line.
machines=() suite_options=() mode=tests config=$here/tests.cfg
# A machine waits more than it works: for a link, for a slot, for quiet in the log.
jobs=$(($(nproc) * 5 / 2))
declare -A kernels=() modules=()
soak=0 seed=0 races='' work='' logs='' story='' example='' compare='' compare_example=''
# What plan.py says: a line for each machine. The test programs of one of them.
plan='' programs=''
# Architectures whose programs and initramfs are built.
declare -A ready=()

parse_arguments()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--list | --machines | --command | --demo | --shell | --bench) mode=${1#--} ;;
		--help) usage; exit 0 ;;
		--machine | --suite | --kernel | --modules | --config | --jobs | \
			--soak | --seed | --races | --work | --logs | --example | \
			--compare | --compare-example)
			[ $# -ge 2 ] || die "$1 needs a value"
			take_value "${1#--}" "$2"
			shift
			;;
		*) usage >&2; die "unknown argument '$1'" ;;
		esac
		shift
	done
}

take_value()
{
	case $1 in
	machine) machines+=("$2") ;;
	suite) suite_options+=("--suite=$2") ;;
	kernel) kernels[${2%%=*}]=${2#*=} ;;
	modules) modules[${2%%=*}]=${2#*=} ;;
	config) config=$(realpath "$2") ;;
	jobs) jobs=$2 ;;
	soak) soak=$2 ;;
	seed) seed=$2 ;;
	races) races=$(realpath "$2") ;;
	work) work=$2 ;;
	logs) logs=$2 ;;
	example) example=$2 ;;
	compare) compare=$2 ;;
	compare-example) compare_example=$2 ;;
	esac
}

all_machines()
{
	local conf

	for conf in "$here"/*.conf; do
		basename "$conf" .conf
	done
}

# One will do for those who only want to look.
default_machines()
{
	case $mode in
	command | demo | shell) machines=(q35-intel) ;;
	bench) machines=(bench/groups) ;;
	*) mapfile -t machines < <(all_machines) ;;
	esac
}

# make_plan [--list]: for all machines at once. Exit status 1 if the file has a
# mistake, 2 if none of them runs a suite.
make_plan()
{
	python3 "$here/plan.py" --config "$config" \
		"${suite_options[@]}" "$@" "${machines[@]}"
}

check_arguments()
{
	local name

	[ ${#machines[@]} -gt 0 ] || default_machines
	[ -f "$config" ] || die "no file '$config' (--config)"
	[ -z "$races" ] || [ -f "$races" ] || die "no file '$races' (--races)"
	[[ $soak =~ ^(0|[1-9][0-9]{0,3})$ ]] || die "--soak takes minutes, not '$soak'"
	[[ $seed =~ ^(0|[1-9][0-9]{0,9})$ ]] || die "--seed takes a number, not '$seed'"
	for name in "${machines[@]}"; do
		[ -e "$here/$name.conf" ] ||
			die "no machine '$name'; there are: $(all_machines | xargs)"
	done
	case $mode:${#suite_options[@]} in
	# A list has more than the plan, and one who only wants to look needs none of
	# it but that a suite is somewhere.
	list:* | command:0 | demo:0 | shell:0 | bench:0) ;;
	*) plan=$(make_plan) || exit ;;
	esac
	case $mode in
	list | machines | command) return ;;
	esac
	[ -n "$work" ] || die "no --work"
	[ -n "$logs" ] || die "no --logs"
	mkdir -p "$work" "$logs" || exit 2
	work=$(realpath "$work")
	logs=$(realpath "$logs")
}

# start MACHINE ARGUMENTS...: boot.py in the background.
start()
{
	local machine=$1

	shift
	python3 "$here/boot.py" --machine "$machine" --config "$config" \
		"${suite_options[@]}" "$@" &
}

# Wait for it in such a way that a signal reaches this shell's trap at once.
boot()
{
	start "$@"
	wait $!
}

# Whatever ends this shell ends the machines.
stop()
{
	local running

	trap '' INT TERM HUP
	mapfile -t running < <(jobs -p)
	[ ${#running[@]} = 0 ] || kill "${running[@]}" 2> /dev/null
	wait
}

# A machine's configuration into the shell.
read_machine()
{
	# What the last one said and this one may leave out.
	ACPI_TABLE='' MONITOR='' NO_FAULT_LOG='' PRELOAD=''
	QEMU_FROM='' QEMU_RELEASE=''
	# shellcheck source=/dev/null
	. "$here/$1.conf"
}

# What the machine needs of this one.
check_machine()
{
	[ -f "${kernels[$ARCH]:-}" ] ||
		die "no kernel image '${kernels[$ARCH]:-}' (--kernel $ARCH=IMAGE)"
	command -v "$QEMU" > /dev/null || die "$QEMU is not installed"
}

# Whether this QEMU can be the machine at all.
available()
{
	[ -z "$QEMU_RELEASE" ] ||
		"$QEMU" --version 2> /dev/null | grep -qF "version $QEMU_RELEASE."
}

native()
{
	[ "$(uname -m | sed s/aarch64/arm64/)" = "$ARCH" ]
}

find_busybox()
{
	local given=BUSYBOX_$ARCH busybox

	busybox=${!given:-}
	if [ -z "$busybox" ]; then
		native || die "set $given to a static busybox for $ARCH"
		busybox=$(command -v busybox)
	fi
	[ -x "$busybox" ] || die "no busybox '$busybox'; install busybox-static"
	readelf -lW "$busybox" | grep -q INTERP &&
		die "$busybox is not static; install busybox-static"
	echo "$busybox"
}

compiler_prefix()
{
	local given=CROSS_COMPILE_$ARCH

	if [ -n "${!given:-}" ]; then
		echo "${!given}"
	elif ! native; then
		echo "${ARCH/arm64/aarch64}-linux-gnu-"
	fi
}

build_programs()
{
	local log=$work/$ARCH/build.log

	mkdir -p "$work/$ARCH/bin"
	make -C "$here/.." OUTPUT="$work/$ARCH/bin" STATIC=1 \
		CROSS_COMPILE="$(compiler_prefix)" > "$log" 2>&1 ||
		die "the test programs do not build, see $log"
}

# build_preload NAME: what is loaded into QEMU, for this machine.
build_preload()
{
	local log=$work/preload.log

	"${HOSTCC:-cc}" -O2 -Wall -fPIC -shared -o "$work/$1.so" "$here/$1.c" \
		> "$log" 2>&1 || die "$1.c does not build, see $log"
}

# The modules proper and depmod's tables, without links into a build tree.
copy_modules()
{
	local from=${modules[$ARCH]:-}

	[ -n "$from" ] || return 0
	[ -d "$from/lib/modules" ] || die "no lib/modules in '$from'"
	(cd "$from" && find lib/modules -type f | cpio --quiet -pdm "$1") ||
		die "cannot copy the modules"
}

build_initramfs()
{
	local root=$work/$ARCH/root busybox

	busybox=$(find_busybox) || exit 2
	rm -rf "$root"
	mkdir -p "$root/bin"
	cp "$busybox" "$root/bin/busybox"
	cp "$here/init.sh" "$root/init"
	cp "$here/demo.sh" "$here"/../*_test.sh "$root/bin/"
	find "$work/$ARCH/bin" -maxdepth 1 -type f -exec cp -t "$root/bin" {} +
	copy_modules "$root"
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) |
		gzip -1 > "$work/$ARCH/initramfs.tmp" || die "cannot build the initramfs"
	# The kernel finds an archive behind it at a multiple of four.
	truncate -s %4 "$work/$ARCH/initramfs.tmp"
	mv "$work/$ARCH/initramfs.tmp" "$work/$ARCH/initramfs"
}

# The initramfs, after a table that the kernel takes for the firmware's.
build_initrd()
{
	local root=$work/$ARCH/firmware.$1
	local table=kernel/firmware/acpi/$ACPI_TABLE.aml

	mkdir -p "$root/${table%/*}"
	python3 "$here/firmware.py" --table "$ACPI_TABLE" "${DIRECT_MAPPINGS[@]}" -- \
		"${hardware[@]}" -chardev null,id=console -chardev null,id=result \
		-chardev null,id=operator > "$root/$table" ||
		die "cannot make the $ACPI_TABLE table of $1"
	(cd "$root" && echo "$table" | cpio --quiet -o -H newc -R 0:0) |
		cat - "$work/$ARCH/initramfs" > "$root/initrd" ||
		die "cannot build the initrd of $1"
}

# build_example_initrd MODULE DIR: the initramfs, and after it the module in /lib.
build_example_initrd()
{
	rm -rf "$2/example"
	mkdir -p "$2/example/lib"
	cp "$1" "$2/example/lib/" || die "no module '$1'"
	(cd "$2/example" && find lib | cpio --quiet -o -H newc -R 0:0) |
		cat "$work/$ARCH/initramfs" - > "$2/example/initrd" ||
		die "cannot build the initrd with $1"
}

# Give the machine's terminal to QEMU's monitor: they are the ends of a socket.
connect_monitor()
{
	command+=(
		-chardev "socket,id=monitor,path=$1,server=on,wait=off"
		-mon "chardev=monitor,mode=control"
		-chardev "socket,id=operator,path=$1"
	)
}

# prepare MACHINE IMAGE LOGS [MODULE]: the whole command into $command.
prepare()
{
	local initrd=$work/$ARCH/initramfs hardware
	local parameters=(
		"console=$CONSOLE" ignore_loglevel panic=-1 oops=panic
		# A data race is a warning, too, and may be no business of the tests.
		"panic_on_warn=$([ -n "$races" ]; echo $?)"
		"VMTEST_MODE=$mode" "VMTEST_STORY=$story"
		"VMTEST_RESULT=$RESULT" "VMTEST_SUITES=$programs"
		"VMTEST_SOAK=$soak" "VMTEST_SEED=$seed" "VMTEST_MONITOR=$MONITOR"
		"VMTEST_NO_FAULT_LOG=$NO_FAULT_LOG"
		"${CMDLINE[@]}"
	)

	mkdir -p "$3"
	hardware=(
		"$QEMU" "${MACHINE[@]}" -nodefaults -display none -no-reboot "${PORTS[@]}"
	)
	if [ -n "$PRELOAD" ]; then
		build_preload "$PRELOAD"
		hardware=(env "LD_PRELOAD=$work/$PRELOAD.so" "${hardware[@]}")
	fi
	if [ "$mode" = demo ]; then
		hardware+=("${DEMO_DEVICES[@]}")
	else
		hardware+=("${TEST_DEVICES[@]}")
	fi
	if [ "$mode" != demo ] && [ -n "$ACPI_TABLE" ]; then
		parameters+=("memmap=$DIRECT_MEMORY")
		build_initrd "$1"
		initrd=$work/$ARCH/firmware.$1/initrd
	fi
	if [ -n "${4:-}" ]; then
		build_example_initrd "$4" "$3"
		initrd=$3/example/initrd
	fi
	command=(
		"${hardware[@]}"
		-kernel "$2" -initrd "$initrd" -append "${parameters[*]}"
	)
	if [ "$mode" = shell ]; then
		command+=(-chardev "stdio,id=console,mux=on,signal=off" -mon console)
	else
		command+=(-chardev "file,id=console,path=$3/console.log")
	fi
	command+=(-chardev "file,id=result,path=$3/result.log")
	[ -z "$MONITOR" ] || connect_monitor "$3/monitor"
}

list_machines()
{
	local name cases

	while read -r name cases programs; do
		[ "$cases" -gt 0 ] || continue
		read_machine "$name"
		echo "$name $ARCH${QEMU_FROM:+ $QEMU_FROM}"
	done <<< "$plan"
}

print_command()
{
	read_machine "${machines[0]}"
	printf '%s\n' "$QEMU" "${MACHINE[@]}" "${DEMO_DEVICES[@]}"
}

make_ready()
{
	check_machine
	[ -z "${ready[$ARCH]:-}" ] || return 0
	build_programs
	build_initramfs
	ready[$ARCH]=yes
}

wait_for_slot()
{
	while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
}

# run_machine NAME CASES PROGRAMS: a line of the plan.
run_machine()
{
	local name=$1

	programs=${3:-}
	[ "$2" -gt 0 ] || return 0
	read_machine "$name"
	if ! available; then
		echo "# $name: not run: $QEMU is not QEMU $QEMU_RELEASE (name one in $QEMU_FROM)"
		return 0
	fi
	make_ready
	prepare "$name" "${kernels[$ARCH]}" "$logs/$name"
	wait_for_slot
	start "$name" --logs "$logs/$name" --timeout $((TIMEOUT + soak * 60)) \
		--totals "$work/totals" --races "$races" -- "${command[@]}"
	started=$((started + 1))
}

run_tests()
{
	local lines line words started=0

	: > "$work/totals"
	# What has the most cases first, or it ends last, and alone.
	mapfile -t lines < <(sort -k2,2nr -k1,1 <<< "$plan")
	for line in "${lines[@]}"; do
		read -ra words <<< "$line"
		run_machine "${words[@]}"
	done
	wait
	awk -v started="$started" '
		{ p += $1; f += $2; s += $3 }
		END { printf "%d passed, %d failed, %d skipped\n", p, f, s
		      exit f > 0 || p == 0 || NR != started }' "$work/totals"
}

run_shell()
{
	read_machine "${machines[0]}"
	make_ready
	prepare "${machines[0]}" "${kernels[$ARCH]}" "$logs/${machines[0]}"
	exec "${command[@]}"
}

# hear IMAGE LOGS MODULE ARGUMENTS...: what the machine has to say.
hear()
{
	local name=${machines[0]} image=$1 dir=$2 module=$3

	shift 3
	prepare "$name" "$image" "$dir" "$module"
	boot "$name" --story --logs "$dir" --timeout "$TIMEOUT" "$@" -- "${command[@]}"
}

# tell STORY ARGUMENTS...: by the other kernel first, if there is one; the
# arguments are for its boot alone.
tell()
{
	story=$1
	shift
	if [ -n "$compare" ]; then
		echo "The kernel without the series"
		hear "$compare" "$logs/demo-base" "$compare_example" "$@" || return 1
		echo
		echo "The kernel with the series"
	fi
	hear "${kernels[$ARCH]}" "$logs/demo" "$example"
}

run_demo()
{
	read_machine "${machines[0]}"
	available || die "$QEMU is not QEMU $QEMU_RELEASE (name one in $QEMU_FROM)"
	make_ready
	[ -z "$compare" ] || [ -f "$compare" ] || die "no kernel image '$compare' (--compare)"
	tell "$DEMO_STORY" --crash "$DEMO_CRASH" || return 1
	[ -n "$example" ] || return 0
	printf '\n%s\n\n' "Another story: a driver wants an I/O address space of its own"
	tell domain
}

run_bench()
{
	read_machine "${machines[0]}"
	make_ready
	hear "${kernels[$ARCH]}" "$logs/${machines[0]}" ""
}

parse_arguments "$@"
check_arguments
trap stop EXIT
trap 'exit 130' INT TERM HUP
case $mode in
list) make_plan --list ;;
machines) list_machines ;;
command) print_command ;;
tests) run_tests ;;
shell) run_shell ;;
demo) run_demo ;;
bench) run_bench ;;
esac
