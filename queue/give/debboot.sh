#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What an administrator does with IOMMU groups, inside a Debian that booted the
# packages of `deb`. A line for each case: "ok CASE" or "not ok CASE (why)".
# shellcheck disable=SC2317 # cases are arguments of run()

pci=/sys/bus/pci
failed=''

# fail WHY...: for the running case to return.
fail()
{
	failed=$*
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
	local tries=$(($1 * 5))

	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.2
	done
}

driver_of()
{
	[ -e "$pci/devices/$1/driver" ] && basename "$(readlink "$pci/devices/$1/driver")"
}

bound_to()
{
	[ "$(driver_of "$1")" = "$2" ]
}

# Have both cards the driver, or soon?
both_bound_to()
{
	wait_for 30 bound_to "$card" "$1" && wait_for 30 bound_to "$sibling" "$1" && return
	fail "$card: $(driver_of "$card"), $sibling: $(driver_of "$sibling")"
}

owner()
{
	cat "/sys/kernel/iommu_groups/$group/dma_owner"
}

owned_by()
{
	[ "$(owner)" = "$1" ]
}

# The two e1000 cards behind a bridge: $card, $sibling, $bridge and their $group.
find_cards()
{
	local found

	mapfile -t found < <(lspci -D -d 8086:100e | cut -d ' ' -f 1)
	card=${found[0]}
	sibling=${found[1]}
	bridge=$(basename "$(dirname "$(realpath "$pci/devices/$card")")")
	group=$(basename "$(readlink "$pci/devices/$card/iommu_group")")
}

systemd_is_up()
{
	local state

	state=$(systemctl is-system-running --wait)
	[ "$state" = running ] || fail "$state: $(systemctl --failed --plain --no-legend | cut -d ' ' -f 1 | xargs)"
}

kernel_says_the_series()
{
	[[ $(uname -r) == *-dma-owner* ]] || fail "$(uname -r)"
}

udev_loads_the_driver()
{
	find_cards
	both_bound_to e1000 || return
	owned_by kernel || fail "owner is $(owner)"
}

driverctl_overrides()
{
	driverctl set-override "$card" vfio-pci || return
	bound_to "$card" vfio-pci || fail "$card: $(driver_of "$card")"
	owned_by kernel || fail "the sibling's driver is there, owner is $(owner)"
}

# QEMU asks whether the group is viable before it claims it.
qemu_is_refused()
{
	local said

	said=$(timeout 60 qemu-system-x86_64 "${guest[@]}" 2>&1) && fail "it started" && return
	[[ $said == *"group $group is not viable"* ]] || fail "$said" || return
	journalctl -k | grep -q "iommu: group $group: not viable: .*$sibling is bound to e1000" ||
		fail "not in the journal"
}

# The group's bridge has a driver that trusts it, as on Debian's own kernels.
bridge_is_in_the_way()
{
	modprobe -r e1000 || return
	bound_to "$bridge" shpchp || fail "$bridge: $(driver_of "$bridge")" || return
	owned_by kernel || fail "owner is $(owner)" || return
	echo "$bridge" > "$pci/devices/$bridge/driver/unbind" || return
	owned_by none || fail "owner is $(owner)"
}

qemu_owns_the_group()
{
	qemu-system-x86_64 "${guest[@]}" > /tmp/qemu.log 2>&1 &
	wait_for 120 owned_by user || fail "$(tail -n 1 /tmp/qemu.log)"
}

tool_shows_the_owner()
{
	local said

	said=$(iommu-groups | grep "^Group $group ")
	[[ $said == *"userspace: qemu-system-x86["* ]] || fail "$said"
}

# A process that a reader cannot see has no number for it.
table_is_for_its_reader()
{
	local said

	said=$(unshare --pid --fork cat /sys/kernel/debug/iommu/groups) || return
	[[ $said == *" qemu-system-x86[0] "* ]] || fail "$said"
}

module_is_refused()
{
	modprobe e1000 || return
	! driver_of "$sibling" || fail "$sibling got a driver" || return
	journalctl -k | grep -q "e1000 $sibling: probe refused: IOMMU group $group is owned by userspace (qemu-system-x86" ||
		fail "not in the journal"
}

driverctl_parks_the_sibling()
{
	driverctl set-override "$sibling" pci-stub || return
	bound_to "$sibling" pci-stub || fail "$(driver_of "$sibling")"
	owned_by user || fail "owner is $(owner)"
}

# libvirt may have the sibling for a guest, whoever owns the group.
libvirt_detaches_the_sibling()
{
	systemctl start libvirtd || return
	wait_for 30 virsh nodedev-info "$node" > /dev/null 2>&1 || fail "libvirt does not know $node" || return
	virsh nodedev-detach "$node" > /dev/null || return
	bound_to "$sibling" vfio-pci || fail "$sibling: $(driver_of "$sibling")"
}

# It cannot have its own driver again as long as the guest runs, and is told.
libvirt_is_refused()
{
	local said

	said=$(virsh nodedev-reattach "$node" 2>&1) && fail "it succeeded: $said" && return 1
	[[ $said == *"Device or resource busy"* ]] || fail "$said" || return
	! driver_of "$sibling" || fail "$sibling: $(driver_of "$sibling")"
}

driverctl_is_refused()
{
	driverctl unset-override "$sibling"
	! driver_of "$sibling" || fail "$sibling: $(driver_of "$sibling")" || return
	owned_by user || fail "owner is $(owner)"
}

# The rule of iommu-groups.rst
udev_rule_binds_the_sibling()
{
	mkdir -p /run/udev/rules.d
	cat > /run/udev/rules.d/90-dma-owner.rules <<- 'END'
		ACTION=="change", SUBSYSTEM=="pci", ENV{DMA_OWNER}=="none", \
		  RUN+="/bin/sh -c 'echo $kernel > /sys/bus/pci/drivers_probe'"
	END
	udevadm control --reload || return
	kill %1 && wait %1
	wait_for 30 owned_by kernel || fail "owner is $(owner)" || return
	bound_to "$sibling" e1000 || fail "$sibling: $(driver_of "$sibling")"
}

driver_returns()
{
	driverctl unset-override "$card" || return
	both_bound_to e1000
}

find_cards
node=pci_${sibling//[:.]/_}
guest=(-machine q35 -accel tcg -m 64 -nodefaults -display none -S -device "vfio-pci,host=$card")
run systemd_is_up
run kernel_says_the_series
run udev_loads_the_driver
run driverctl_overrides
run qemu_is_refused
run bridge_is_in_the_way
run qemu_owns_the_group
run tool_shows_the_owner
run table_is_for_its_reader
run module_is_refused
run libvirt_detaches_the_sibling
run libvirt_is_refused
run driverctl_parks_the_sibling
run driverctl_is_refused
run udev_rule_binds_the_sibling
run driver_returns
echo "ok end"
systemctl poweroff
