#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A story, told in the virtual machine:
#   refusal  card A of an IOMMU group belongs to a user, and a kernel driver wants
#            card B of the same group
#   domain   a driver wants an I/O address space of its own for a device that
#            shares its group with a port
#   memory   a process hands its own pointers to a device
# Each step shows its commands and what they print, and ends in "ok" or
# "FAILED". Exit status 0 if every step is ok.
# shellcheck shell=sh disable=SC2317 # predicates are verdict's arguments

devices=/sys/bus/pci/devices
drivers=/sys/bus/pci/drivers
out=/tmp/demo.out
answers=/tmp/demo.answers
before=/tmp/demo.before
steps=0
failed=0

step()
{
	echo
	echo "$*"
}

# Show a command, run it, show what it prints; its status stays in $status.
run()
{
	echo "   \$ $1"
	eval "$1" > "$out" 2>&1
	status=$?
	show
}

# The shell puts its own name before an error; the errno's name says more.
show()
{
	sed -e 's/.*write error: Device or resource busy/EBUSY: Device or resource busy/' \
	    -e 's/.*write error: /error: /' -e 's/^/     /' "$out"
}

# verdict TEXT COMMAND...: the step is ok if the command says so.
verdict()
{
	text=$1
	steps=$((steps + 1))
	shift
	if "$@" > /dev/null 2>&1; then
		printf '   %-58s ok\n' "$text"
	else
		printf '   %-58s FAILED\n' "$text"
		failed=$((failed + 1))
	fi
}

driver_of()
{
	[ -e "$devices/$1/driver" ] && basename "$(readlink "$devices/$1/driver")"
}

what_is()
{
	case $(cat "$devices/$1/class") in
	0x0200*) echo "network card" ;;
	0x0604*) echo "PCI bridge" ;;
	0x0600*) echo "host bridge" ;;
	*) echo "other" ;;
	esac
}

# One line a device; where the kernel tells, one line for the group's owner.
show_group()
{
	for dev in "/sys/kernel/iommu_groups/$1/devices/"*; do
		bdf=${dev##*/}
		driver=$(driver_of "$bdf")
		printf 'group %-3s %s  %-13s %s\n' "$1" "$bdf" \
			"$(what_is "$bdf")" "${driver:--}"
	done
}

show_owner()
{
	owner=/sys/kernel/iommu_groups/$group/dma_owner
	[ -e "$owner" ] && run "cat $owner"
}

# The rows of the group in the table of all groups, which begin with its number
# or with a blank.
show_table()
{
	table=/sys/kernel/debug/iommu/groups
	[ -e "$table" ] && run "awk '/^[^ ]/ { on = \$1 == $group } on' $table"
}

show_groups()
{
	find /sys/kernel/iommu_groups -mindepth 1 -maxdepth 1 | sed 's/.*\///' |
	sort -n | while read -r id; do
		show_group "$id"
	done
}

# The two cards of one group: sets $a, $b and $group.
find_cards()
{
	for dev in "$drivers"/e1000/0*; do
		bdf=${dev##*/}
		if [ -z "${a:-}" ]; then
			a=$bdf
		else
			b=$bdf
		fi
	done
	group=$(basename "$(readlink "$devices/$a/iommu_group")")
}

same_group()
{
	[ "$(readlink -f "$devices/$a/iommu_group")" = \
	  "$(readlink -f "$devices/$b/iommu_group")" ]
}

# Start vfioctl for a card, with its commands on descriptor 3.
start_vfioctl()
{
	echo "   \$ vfioctl $1 &"
	mkfifo /tmp/commands
	: > "$answers"
	vfioctl "$1" < /tmp/commands >> "$answers" 2>&1 &
	user=$!
	exec 3> /tmp/commands
	show_answer
}

# Wait until vfioctl has said something, ten seconds at most.
show_answer()
{
	tries=0
	while [ ! -s "$answers" ] && [ "$tries" -lt 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	cp "$answers" "$out"
	show
}

# Send a command to vfioctl and show its answer.
ask()
{
	echo "   vfioctl> $1"
	: > "$answers"
	echo "$1" >&3
	show_answer
}

# Show the last kernel message that contains the text, without its time.
log_says()
{
	echo "   \$ dmesg | grep '$1' | tail -n 1"
	dmesg | grep "$1" | tail -n 1 | sed 's/^\[[^]]*\] //' > "$out"
	show
}

# Wait for the link of an interface, ten seconds at most.
link_is_up()
{
	tries=0
	while [ "$tries" -lt 100 ]; do
		grep -q 1 "/sys/class/net/$1/carrier" 2> /dev/null && return 0
		sleep 0.1
		tries=$((tries + 1))
	done
	return 1
}

is()
{
	[ "$1" = "$2" ]
}

refused()
{
	[ "$status" != 0 ] && grep -q 'Device or resource busy' "$out"
}

tell_refusal()
{
	find_cards
	step "1. The machine's IOMMU groups"
	show_groups > "$out"
	show
	verdict "cards A = $a and B = $b share group $group" same_group

	step "2. A goes to a user; the others are without a driver"
	for dev in "/sys/kernel/iommu_groups/$group/devices/"*; do
		bdf=${dev##*/}
		driver=$(driver_of "$bdf")
		[ -n "$driver" ] && run "echo $bdf > $drivers/$driver/unbind"
	done
	run "echo vfio-pci > $devices/$a/driver_override"
	run "echo $a > /sys/bus/pci/drivers_probe"
	start_vfioctl "$a"
	show_owner
	show_table
	verdict "vfioctl[$user] holds A" grep -q "$a: open, IOMMU group $group " "$answers"
	ask read
	cp "$answers" "$before"
	verdict "A answers" grep -q "8086:100e status .* address 52:54" "$before"

	step "3. The kernel's own driver wants B"
	run "echo $b > $drivers/e1000/bind"
	verdict "the bind is refused with EBUSY" refused
	log_says "probe refused"
	verdict "and the log says which device, driver and owner" \
		grep -q "e1000 $b: probe refused: IOMMU group $group .*(vfioctl\[$user\])" "$out"
	verdict "B has no driver" is "$(driver_of "$b")" ""
	run "iommu-groups --why $b"
	verdict "and a tool says the same, and what would help" \
		grep -q "kill $user" "$out"

	step "4. A still answers its user"
	ask read
	verdict "A's registers read as before" cmp "$before" "$answers"

	step "5. The user closes A"
	echo "   vfioctl> quit"
	echo quit >&3
	exec 3>&-
	wait "$user"
	verdict "vfioctl is gone" is "$?" 0
	show_owner

	step "6. The same bind again"
	run "echo $b > $drivers/e1000/bind"
	verdict "B has its driver" is "$(driver_of "$b")" e1000
	net=$(ls "$devices/$b/net" 2>/dev/null)
	run "ip link set ${net:-none} up"
	link_is_up "$net"
	run "cat /sys/class/net/${net:-none}/carrier"
	verdict "and its link is up" link_is_up "$net"
}

# The port that the device shares its group with is none of its driver's business:
# its own driver does no DMA.
tell_domain()
{
	a=$(dirname "$(grep -lx 0x11e8 "$devices"/*/device)")
	a=${a##*/}
	group=$(basename "$(readlink "$devices/$a/iommu_group")")
	step "1. A device that computes shares its group with a port"
	show_group "$group" > "$out"
	show
	verdict "$a is not alone in group $group" is "$(wc -l < "$out")" 2

	step "2. Its driver wants an I/O address space of its own for it"
	run "echo own-domain > $devices/$a/driver_override"
	run "insmod /lib/own_domain.ko"
	log_says "own-domain $a: iommu_attach_device"
	if [ -e "/sys/kernel/iommu_groups/$group/dma_owner" ]; then
		domain_is_granted
	else
		verdict "the kernel does not do it in a group of two: EINVAL" \
			grep -q " = -22" "$out"
		verdict "and the device has no driver" is "$(driver_of "$a")" ""
	fi
}

domain_is_granted()
{
	verdict "the kernel does it" grep -q " = 0" "$out"
	log_says "own-domain $a: DMA"
	verdict "the device copies a word through it" grep -q ": 0" "$out"
	show_owner
	verdict "the group is its driver's, says the kernel" grep -q "^private" "$out"

	step "3. The driver goes"
	run "rmmod own_domain"
	show_owner
	verdict "the group is nobody's" grep -q "^none" "$out"
}

# The steps that end the stock kernel come last.
tell_memory()
{
	a=$(dirname "$(grep -lx 0x0013 "$devices"/*/device | head -n 1)")
	a=${a##*/}
	step "1. A device that works on the memory of processes has its driver"
	[ ! -e /lib/sva_endpoint.ko ] || run "insmod /lib/sva_endpoint.ko"
	run "echo sva-endpoint > $devices/$a/driver_override"
	run "echo $a > /sys/bus/pci/drivers_probe"
	verdict "a process can open it" test -c /dev/sva_test-0

	step "2. A process hands its own pointer to the device"
	run "svactl $a pointer"
	verdict "the device has read and written the process's variable" is "$status" 0

	step "3. Nobody has touched the page yet"
	run "svactl $a cold"
	verdict "the device had the page made, and wrote to it" is "$status" 0

	step "4. A pointer to nowhere"
	run "svactl $a wild"
	verdict "the device is refused" is "$status" 0

	step "5. A child has the same address, and another page there"
	run "svactl $a fork"
	verdict "the device of the child has not touched the parent's" is "$status" 0

	step "6. The parent exits, and the child closes its file"
	run "svactl $a orphan"
	verdict "the kernel is as well as before" is "$status" 0
}

"tell_$1"

echo
if [ "$failed" = 0 ]; then
	echo "All $steps checks of the story are ok."
else
	echo "$failed of $steps checks of the story FAILED."
fi
exit $((failed != 0))
