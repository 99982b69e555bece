#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# First process of a machine with a kernel of Debian's own: is iommu-groups right there?
# STOCK_CASES, which the kernel passes on from its command line, names a function below. A
# line for each case: "ok CASE" or "not ok CASE (why)", and for some "# json CASE BYTES" with
# what the tool wrote for programs, in hexadecimal.
#
# What --why says by its exit status, a claim by vfioctl has to meet: container, group, type
# 1 IOMMU and device, of which the kernel refuses one if the group is not viable.
# shellcheck shell=sh disable=SC2317 # cases are arguments of run()

/bin/busybox mkdir -p /proc /sys /dev /tmp /sbin /usr/bin /usr/sbin
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin

mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev 2> /dev/null
mount -t tmpfs none /tmp
mount -t debugfs none /sys/kernel/debug 2> /dev/null

pci=/sys/bus/pci
port=/dev/ttyS1
failed=''
holder=''

# fail WHY...: for the running case to return.
fail()
{
	failed=$(echo "$*" | tr '\n' ' ')
	return 1
}

# run CASE: the function of that name.
run()
{
	failed=''
	if "$1"; then
		echo "ok $1"
	else
		echo "not ok $1 (${failed:-failed})"
	fi
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for()
{
	tries=$(($1 * 5))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.2
	done
}

# find_pci ATTRIBUTE=VALUE...: addresses of the devices that have them all.
find_pci()
{
	for dir in "$pci"/devices/*; do
		for pair; do
			[ "$(cat "$dir/${pair%%=*}")" = "${pair#*=}" ] || continue 2
		done
		basename "$dir"
	done
}

group_of()
{
	basename "$(readlink "$pci/devices/$1/iommu_group")"
}

driver_of()
{
	[ -e "$pci/devices/$1/driver" ] && basename "$(readlink "$pci/devices/$1/driver")"
}

bound_to()
{
	[ "$(driver_of "$1")" = "$2" ] || fail "$1 is bound to '$(driver_of "$1")', not '$2'"
}

# give DEVICE [DRIVER]: that driver alone, or none.
give()
{
	[ ! -e "$pci/devices/$1/driver" ] || echo "$1" > "$pci/devices/$1/driver/unbind"
	echo "${2:-none}" > "$pci/devices/$1/driver_override"
	[ -z "${2:-}" ] || echo "$1" > "$pci/drivers_probe"
	bound_to "$1" "${2:-}"
}

# give_back DEVICE: its own driver, as at first.
give_back()
{
	give "$1" && echo > "$pci/devices/$1/driver_override" && echo "$1" > "$pci/drivers_probe"
}

# ask DEVICE: what the tool says goes to $said, its exit status to $verdict.
ask()
{
	said=$(iommu-groups --why "$1" 2>&1)
	verdict=$?
}

# The commands in $said, as root would paste them.
follow()
{
	echo "$said" | sed -n 's/^  //p' > /tmp/commands
	[ -s /tmp/commands ] || fail "no commands in: $said" || return
	sh /tmp/commands > /tmp/commands.log 2>&1
	sleep 0.2
}

# said_to_be STATUS WORD...: $verdict, and $said with these words in it.
said_to_be()
{
	[ "$verdict" = "$1" ] || fail "--why exits $verdict, not $1: $said" || return
	shift
	for word; do
		case $said in
		*"$word"*) ;;
		*) fail "'$word' is not in: $said"; return ;;
		esac
	done
}

# claim DEVICE: what a user meets goes to $met, the exit status to $claim.
claim()
{
	met=$(echo quit | vfioctl "$1" 2>&1)
	claim=$?
}

# agree_on DEVICE: does --why say, to people and to programs, what a claim meets?
agree_on()
{
	ask "$1"
	claim "$1"
	[ "$verdict" = $claim ] || fail "--why exits $verdict: $said; a claim: $met" || return
	possible=$([ $claim != 0 ] || echo true)
	iommu-groups --json --why "$1" | grep -q "\"possible\": ${possible:-false}," ||
		fail "its JSON says something else"
}

# agrees DEVICE STATUS: agree_on(), and a claim ends as is known.
agrees()
{
	agree_on "$1" || return
	[ "$claim" = "$2" ] || fail "a claim was expected to exit $2: $met"
}

# All devices with their drivers, and what keeps those away
drivers()
{
	for dir in "$pci"/devices/*; do
		name=$(basename "$dir")
		echo "$name $(driver_of "$name") $(cat "$dir/driver_override")"
	done
}

# plan_for DEVICE...: in a shell it leads to claims that succeed, and back.
plan_for()
{
	before=$(drivers)
	iommu-groups --plan "$@" > /tmp/plan 2> /tmp/plan.log || fail "no plan: $(cat /tmp/plan.log)" || return
	sh < /tmp/plan > /tmp/plan.log 2>&1 || fail "$(cat /tmp/plan.log)" || return
	for device; do
		agrees "$device" 0 || return
	done
	sh /tmp/plan undo > /tmp/plan.log 2>&1
	[ "$(drivers)" = "$before" ] || fail "$(drivers) after undo, before: $before; $(cat /tmp/plan.log)"
}

# has_every_device TEXT: each device that is in a group has its name in the text.
has_every_device()
{
	for link in "$pci"/devices/*/iommu_group; do
		name=$(basename "$(dirname "$link")")
		case $1 in
		*"$name"*) ;;
		*) fail "$name is missing in: $1"; return ;;
		esac
	done
}

machine_has_its_devices()
{
	[ -n "$card" ] && [ -n "$sibling" ] && [ -n "$edu" ] && [ -n "$isa" ] && [ -n "$smbus" ] ||
		fail "cards '$cards', edu '$edu', ISA bridge '$isa', SMBus '$smbus'" || return
	[ "$(group_of "$card")" = "$(group_of "$sibling")" ] || fail "the cards are in two groups" || return
	[ "$(group_of "$isa")" = "$(group_of "$smbus")" ] || fail "ISA bridge and SMBus are in two groups"
}

# show_json CASE: what the tool writes now, for the reader of the port.
show_json()
{
	echo "# json $1 $(iommu-groups --json 2> /dev/null | hexdump -v -e '1/1 "%02x"')"
}

tree_has_every_device()
{
	shown=$(iommu-groups 2> /tmp/note) || fail "exit status $?: $(cat /tmp/note)" || return
	has_every_device "$shown" || return
	case $shown in
	*"Group $(group_of "$card") "*) ;;
	*) fail "no group $(group_of "$card") in: $shown" ;;
	esac
}

ordinary_user_has_the_tree()
{
	mkdir -p /etc
	echo 'nobody:x:65534:65534::/tmp:/bin/sh' > /etc/passwd
	shown=$(su nobody -c iommu-groups 2> /tmp/note) || fail "exit status $?: $(cat /tmp/note)" || return
	has_every_device "$shown"
}

json_has_every_device()
{
	written=$(iommu-groups --json) || fail "exit status $?" || return
	show_json json_is_valid
	has_every_device "$written"
}

# Nobody loaded vfio-pci. The group has a port, whose driver is no hindrance.
free_device_needs_vfio_pci()
{
	[ ! -e "$pci/drivers/vfio-pci" ] || fail "vfio-pci is loaded" || return
	ask "$edu"
	said_to_be 1 "modprobe vfio-pci" "$edu" || return
	agrees "$edu" 1
}

free_device_gets_vfio_pci()
{
	ask "$edu"
	follow || return
	bound_to "$edu" vfio-pci || return
	agrees "$edu" 0
}

port_is_no_hindrance()
{
	bound_to "${edu%.*}.0" pcieport || return
	agrees "$edu" 0
}

plan_beside_a_port()
{
	give_back "$edu"
	plan_for "$edu"
}

port_itself_stays()
{
	agrees "${edu%.*}.0" 1
}

# Both cards, in a group with a bridge
kernel_drivers_are_in_the_way()
{
	modprobe e1000
	bound_to "$card" e1000 && bound_to "$sibling" e1000 || return
	agrees "$card" 1
}

driver_of_the_sibling_is_named()
{
	give "$card" vfio-pci && give "$bridge" || return
	ask "$card"
	said_to_be 1 "$sibling" e1000 || return
	agrees "$card" 1
}

# On 6.1 and newer the bridge's own driver is, on 5.10 it is not.
bridge_with_a_driver()
{
	give "$sibling" && give_back "$bridge" || return
	[ -n "$(driver_of "$bridge")" ] || fail "$bridge has no driver" || return
	agree_on "$card"
}

# From the beginning, in one go
commands_give_the_card()
{
	give_back "$sibling" && bound_to "$sibling" e1000 || return
	give_back "$card" && bound_to "$card" e1000 || return
	ask "$card"
	follow || return
	agrees "$card" 0
}

plan_for_the_cards()
{
	give_back "$card" && give_back "$sibling" && give_back "$bridge" || return
	bound_to "$card" e1000 && bound_to "$sibling" e1000 || return
	plan_for "$card" "$sibling" && plan_for "$card"
}

bridge_without_a_driver()
{
	give "$card" vfio-pci && give "$sibling" && give "$bridge" || return
	agrees "$card" 0
}

sibling_on_pci_stub()
{
	modprobe pci-stub
	give "$sibling" pci-stub || return
	agrees "$card" 0
}

stub_itself()
{
	agrees "$sibling" 1
}

# What it does not tell anybody is whether its user does DMA.
sibling_on_uio()
{
	modprobe uio_pci_generic
	give "$sibling" uio_pci_generic || return
	agrees "$card" 1
}

# Kernels differ about this one.
sibling_on_pf_stub()
{
	modprobe pci-pf-stub
	give "$sibling" pci-pf-stub || return
	agree_on "$card"
}

sibling_on_vfio_pci()
{
	give "$sibling" vfio-pci || return
	agrees "$card" 0 && agrees "$sibling" 0
}

somebody_holds()
{
	ls -l /proc/[0-9]*/fd > /tmp/open 2> /dev/null
	grep -q "/dev/vfio/$(group_of "$card")$" /tmp/open
}

nobody_holds()
{
	! somebody_holds
}

# What a case above may have left behind
free_the_group()
{
	killall -9 vfioctl sleep 2> /dev/null
	[ -z "$holder" ] || kill -9 "$holder" 2> /dev/null
	holder=''
	wait_for 10 nobody_holds || fail "somebody still holds the group: $(cat /tmp/open)"
}

holds_the_group()
{
	grep -q open /tmp/holder.log
}

# own COMMAND...: a process of that program claims the group, and has a device of it. Its
# number goes to $holder.
own()
{
	free_the_group || return
	: > /tmp/holder.log
	sleep 1000 | "$@" "$card" > /tmp/holder.log 2>&1 &
	wait_for 30 holds_the_group || fail "$(cat /tmp/holder.log)" || return
	holder=$(sed 's/.*\[\(.*\)\]/\1/' /tmp/holder.log)
}

owner_is_in_the_way()
{
	own vfioctl || return
	agrees "$card" 1 && agrees "$sibling" 1
}

owner_is_named()
{
	ask "$card"
	said_to_be 1 "vfioctl[$holder]"
}

owner_is_named_for_the_sibling()
{
	ask "$sibling"
	said_to_be 1 "vfioctl[$holder]"
}

# Nobody else can have it, whatever its driver.
owner_is_named_for_a_free_sibling()
{
	give "$sibling" || return
	ask "$sibling"
	said_to_be 1 "vfioctl[$holder]" || return
	agrees "$sibling" 1
}

tree_names_the_owner()
{
	shown=$(iommu-groups 2> /dev/null | grep -A 4 "^Group $(group_of "$card") ")
	case $shown in
	*"vfioctl[$holder]"*) ;;
	*) fail "$shown" ;;
	esac
}

json_names_the_owner()
{
	written=$(iommu-groups --json | tr '\n' ' ')
	written=${written#*\"group\": "$(group_of "$card"),"}
	case ${written%%\"group\":*} in
	*"vfioctl[$holder]"*) ;;
	*) fail "${written%%\"group\":*}" ;;
	esac
}

# Its commands name that process and no other.
ended_by_the_command()
{
	ask "$card"
	follow || return
	grep -q "kill $holder" /tmp/commands || fail "$(cat /tmp/commands)" || return
	wait_for 10 nobody_holds || fail "$holder still holds the group" || return
	agrees "$card" 0
}

owner_is_ended_by_the_command()
{
	ended_by_the_command
}

# It has another number for itself.
owner_in_a_pid_namespace()
{
	# shellcheck disable=SC2016 # for the inner shell
	own unshare -p -f sh -c 'vfioctl "$0"; true' || return
	holder=$(pidof vfioctl)
	ask "$card"
	said_to_be 1 "vfioctl[$holder]" || return
	ended_by_the_command
}

# As in a container without an init: no signal that it does not handle ends it but SIGKILL.
owner_that_is_init_of_its_namespace()
{
	own unshare -p -f vfioctl || return
	holder=$(pidof vfioctl)
	ask "$card"
	said_to_be 1 "vfioctl[$holder]" || return
	follow || return
	wait_for 10 nobody_holds || fail "$holder still holds the group after: $(cat /tmp/commands)" || return
	agrees "$card" 0
}

# No byte of it may reach a terminal.
owner_with_a_wild_name()
{
	wild=/tmp/$(printf 'a b"\\\033[31m\377')
	cp /bin/vfioctl "$wild"
	own "$wild" || return
	show_json json_of_a_wild_name
	ask "$card"
	said_to_be 1 "[$holder]" || return
	[ "$(echo "$said" | tr -d '\040-\176\n' | wc -c)" = 0 ] || fail "$(echo "$said" | hexdump -C)" || return
	ended_by_the_command
}

# Without trace events it looks every second.
watch_sees_a_claim()
{
	iommu-groups --watch > /tmp/watch.log 2>&1 &
	watcher=$!
	sleep 3
	own vfioctl
	wait_for 5 grep -qF "vfioctl[$holder]" /tmp/watch.log || fail "after the claim: $(cat /tmp/watch.log)"
	seen=$?
	kill "$watcher" "$holder"
	return $seen
}

# Who has only opened the group file keeps all others out: they get EBUSY.
opener_is_in_the_way()
{
	free_the_group || return
	(exec 3< "/dev/vfio/$(group_of "$card")" && exec sleep 1000) &
	holder=$!
	wait_for 10 somebody_holds || fail "nobody has it open" || return
	agrees "$card" 1
}

opener_is_named()
{
	ask "$card"
	said_to_be 1 "sleep[$holder]"
}

opener_is_ended_by_the_command()
{
	ended_by_the_command
}

group_is_free_again()
{
	free_the_group || return
	agrees "$card" 0
}

plan_beside_an_isa_bridge()
{
	modprobe lpc_ich
	bound_to "$isa" lpc_ich && plan_for "$smbus" && plan_for "$isa"
}

# A bridge by its class, but with the header of an endpoint: its driver counts.
isa_bridge_with_a_driver()
{
	modprobe lpc_ich
	bound_to "$isa" lpc_ich || return
	give "$smbus" vfio-pci || return
	agrees "$smbus" 1
}

isa_bridge_without_a_driver()
{
	give "$isa" || return
	agrees "$smbus" 0
}

isa_bridge_itself()
{
	give "$smbus" && give "$isa" vfio-pci || return
	agrees "$isa" 0
}

absent_device_is_an_error()
{
	ask 0000:77:00.0
	said_to_be 3
}

# vfio_iommu_type1 refuses a group whose interrupts nobody checks.
without_remapping()
{
	give "$edu" vfio-pci || return
	agrees "$edu" 1
}

parameter_is_named()
{
	ask "$edu"
	said_to_be 1 allow_unsafe_interrupts
}

plan_allows_unsafe_interrupts()
{
	plan_for "$edu" || return
	allowed=$(cat /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts)
	[ "$allowed" = N ] || fail "allow_unsafe_interrupts is $allowed after undo"
}

unsafe_interrupts_allowed()
{
	echo 1 > /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts || return
	agrees "$edu" 0
}

without_groups()
{
	[ ! -e "$pci/devices/$edu/iommu_group" ] || fail "there are groups" || return
	shown=$(iommu-groups 2>&1) || fail "exit status $?: $shown" || return
	case $shown in
	*"no IOMMU is in use"*) ;;
	*) fail "$shown" ;;
	esac
}

without_groups_json_is_valid()
{
	written=$(iommu-groups --json) || fail "exit status $?" || return
	[ "$(echo "$written" | tr -d ' \n' | grep -o '"groups":.*')" = '"groups":[]}' ] || fail "$written"
}

device_without_a_group()
{
	give "$edu" vfio-pci
	failed=''
	ask "$edu"
	said_to_be 1 intel_iommu=on || return
	agrees "$edu" 1
}

# What a machine with its IOMMU on shows
tool()
{
	run machine_has_its_devices
	run tree_has_every_device
	run ordinary_user_has_the_tree
	run json_has_every_device
	run absent_device_is_an_error
	run free_device_needs_vfio_pci
	run free_device_gets_vfio_pci
	run port_is_no_hindrance
	run plan_beside_a_port
	run port_itself_stays
	run kernel_drivers_are_in_the_way
	run driver_of_the_sibling_is_named
	run bridge_with_a_driver
	run commands_give_the_card
	run plan_for_the_cards
	run bridge_without_a_driver
	run sibling_on_pci_stub
	run stub_itself
	run sibling_on_uio
	run sibling_on_pf_stub
	run sibling_on_vfio_pci
	run owner_is_in_the_way
	run owner_is_named
	run owner_is_named_for_the_sibling
	run owner_is_named_for_a_free_sibling
	run tree_names_the_owner
	run json_names_the_owner
	run owner_is_ended_by_the_command
	run owner_in_a_pid_namespace
	run owner_that_is_init_of_its_namespace
	run owner_with_a_wild_name
	run watch_sees_a_claim
	run opener_is_in_the_way
	run opener_is_named
	run opener_is_ended_by_the_command
	run group_is_free_again
	run plan_beside_an_isa_bridge
	run isa_bridge_with_a_driver
	run isa_bridge_without_a_driver
	run isa_bridge_itself
}

# With intremap=off
no_intremap()
{
	modprobe vfio-pci
	run without_remapping
	run parameter_is_named
	run plan_allows_unsafe_interrupts
	run unsafe_interrupts_allowed
}

# Without an IOMMU
no_iommu()
{
	modprobe vfio-pci
	run without_groups
	run without_groups_json_is_valid
	run device_without_a_group
}

[ -c "$port" ] && stty -F "$port" -opost -echo
cards=$(find_pci vendor=0x8086 device=0x100e)
card=${cards%%
*}
sibling=${cards##*
}
bridge=$(basename "$(dirname "$(realpath "$pci/devices/$card")")")
edu=$(find_pci vendor=0x1234 device=0x11e8)
isa=$(find_pci class=0x060100)
smbus=$(find_pci class=0x0c0500)
# modprobe of kmod would do so for vfio, which asks for it to come after.
modprobe vfio_iommu_type1
{ "$STOCK_CASES"; echo "ok end"; } > "$port"
sync
poweroff -f
sleep 60
