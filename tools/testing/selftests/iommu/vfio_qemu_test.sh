#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU, as the distribution ships it, drives a network card through VFIO.
#
# No test program is quite like the userspace that VFIO was made for. So give
# one of two e1000 cards of an IOMMU group to QEMU. Its guest is no more than
# iPXE, the boot code of such a card, which brings the card up with a driver of
# its own, gets an address by DHCP, and fetches again.ipxe by TFTP. That is a
# script, which makes it fetch the file over and over.
#
# The network has to offer the file, as it does to the first card of the
# machines of qemu/. There QEMU comes from the host, which shares its /usr.
# shellcheck disable=SC2317 # cases are arguments of run()

ksft_skip=4
self=${0##*/}
pci=/sys/bus/pci
root=/tmp/host
output=/tmp/qemu.log
errors=/tmp/qemu.errors
chroot=''
qemu=''
number=0
failed=0

skip()
{
	echo "1..0 # SKIP $*"
	exit $ksft_skip
}

# fail WHY...: for the running case to return.
fail()
{
	echo "# $self:$case:$*"
	return 1
}

# run CASE: the function of that name.
run()
{
	case=$1
	number=$((number + 1))
	echo "#  RUN           $case ..."
	if "$case"; then
		echo "ok $number $case"
	else
		failed=1
		echo "not ok $number $case"
	fi
}

is_e1000()
{
	[ "$(cat "$1/vendor")" = 0x8086 ] && [ "$(cat "$1/device")" = 0x100e ]
}

# The first two cards of a group: $group, $card and $sibling.
find_cards()
{
	for group in /sys/kernel/iommu_groups/*; do
		card=''
		for dev in "$group"/devices/*; do
			is_e1000 "$dev" || continue
			sibling=${dev##*/}
			[ -z "$card" ] || return 0
			card=$sibling
		done
	done 2> /dev/null
	return 1
}

driver_of()
{
	basename "$(readlink "$pci/devices/$1/driver")"
}

# The devices of the group, save for ports: their driver may stay.
devices()
{
	for dev in "$group"/devices/*; do
		[ "$(driver_of "${dev##*/}")" = pcieport ] || echo "${dev##*/}"
	done
}

has_driver()
{
	[ -e "$pci/devices/$1/driver" ]
}

unbind()
{
	! has_driver "$1" || echo "$1" > "$pci/devices/$1/driver/unbind"
}

bind_sibling()
{
	echo "$sibling" > "$pci/drivers/e1000/bind"
}

# A root for the programs of the host, whose /usr comes read-only.
enter_host()
{
	mkdir -p "$root"
	mount -t tmpfs none "$root" || return
	mkdir "$root/usr" "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
	for name in bin lib lib64 sbin; do
		ln -s "usr/$name" "$root/$name"
	done
	mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 \
		usr "$root/usr" 2> /dev/null || return
	for name in dev proc sys; do
		mount -o bind "/$name" "$root/$name" || return
	done
	chroot="chroot $root"
}

leave_host()
{
	for name in sys proc dev usr .; do
		umount "$root/$name" 2> /dev/null
	done
}

find_qemu()
{
	command -v qemu-system-x86_64 > /dev/null || enter_host
	$chroot qemu-system-x86_64 -version > /dev/null
}

# Without a display the boot code speaks through the serial port.
start_qemu()
{
	$chroot qemu-system-x86_64 -nodefaults -no-user-config \
		-machine pc,graphics=off -accel tcg -m 64 \
		-display none -serial stdio \
		-device "vfio-pci,host=$card,romfile=pxe-e1000.rom,bootindex=0" \
		< /dev/null > "$output" 2> "$errors" &
	qemu=$!
}

qemu_runs()
{
	kill -0 "$qemu" 2> /dev/null || fail "QEMU has ended"
}

stop_qemu()
{
	[ -n "$qemu" ] || return
	kill "$qemu" 2> /dev/null
	wait "$qemu"
	qemu=''
}

files_fetched()
{
	grep -c 'again.ipxe is here' "$output"
}

# wait_files NUMBER SECONDS: until the guest has fetched so many.
wait_files()
{
	for second in $(seq "$2"); do
		[ "$(files_fetched)" -lt "$1" ] || return 0
		qemu_runs || break
		sleep 1
	done
	tail -n 5 "$output" "$errors" | sed 's/^/# /'
	fail "only $(files_fetched) files came in $second seconds"
}

guest_drives_card()
{
	start_qemu
	wait_files 2 120 || return
	[ ! -s "$errors" ] || fail "QEMU complains: $(head -n 1 "$errors")"
}

# The guest does not notice either.
sibling_refused()
{
	qemu_runs || return
	if error=$(bind_sibling 2>&1); then
		fail "no error"
		return
	fi
	case $error in
	*'Device or resource busy') ;;
	*) fail "$error" || return ;;
	esac
	! has_driver "$sibling" || fail "$sibling has a driver" || return
	wait_files $(($(files_fetched) + 2)) 60
}

sibling_binds_after()
{
	qemu_runs || return
	stop_qemu
	bind_sibling && has_driver "$sibling"
}

prepare()
{
	for dev in $(devices); do
		unbind "$dev"
	done
	echo vfio-pci > "$pci/devices/$card/driver_override"
	echo "$card" > "$pci/drivers/vfio-pci/bind"
}

restore()
{
	stop_qemu
	unbind "$card"
	echo > "$pci/devices/$card/driver_override"
	for dev in $(devices); do
		echo "$dev" > "$pci/drivers_probe"
	done
	leave_host
}

find_cards || skip "no IOMMU group has two e1000"
find_qemu || skip "no qemu-system-x86_64, nor a host that shares its own"
trap restore EXIT
prepare
echo "1..3"
run guest_drives_card
run sibling_refused
run sibling_binds_after
exit $failed
