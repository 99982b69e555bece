# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completion of iommu-groups for bash: options, and devices that are in a group.

# The devices of all groups, in sysfs or a copy of it
_iommu_groups_devices()
{
	local device

	for device in "$1"/kernel/iommu_groups/*/devices/*; do
		[ -L "$device" ] && echo "${device##*/}"
	done
}

# What begins with $2 of the words $1. bash ends words at the colons of an
# address, so the answer begins behind the last one that is there already.
_iommu_groups_answer()
{
	local before=""

	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
	[[ $COMP_WORDBREAKS == *:* && $2 == *:* ]] && before=${2%:*}:
	COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

_iommu_groups()
{
	local line=${COMP_LINE:0:COMP_POINT} sysfs=/sys plan="" words i current

	read -ra words <<< "$line"
	[[ $line == *[[:blank:]] ]] && words+=("")
	current=${words[-1]}
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		case ${words[i]} in
		--sysfs)	sysfs=${words[i + 1]} ;;
		--plan | -p)	plan=1 ;;
		esac
	done
	case ${words[-2]} in
	--sysfs | --proc)
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		compopt -o filenames 2> /dev/null
		return ;;
	--why | -y)
		plan=1 ;;
	esac
	if [[ $current == -* || -z $plan ]]; then
		_iommu_groups_answer \
			"--help --json --plan --proc --sysfs --watch --why" "$current"
	else
		_iommu_groups_answer "$(_iommu_groups_devices "$sysfs")" "$current"
	fi
}

complete -F _iommu_groups iommu-groups
