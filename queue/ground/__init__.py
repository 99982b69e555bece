# SPDX-License-Identifier: GPL-2.0-only
"""What everything else stands on: lines, errors, processes, git, packages, results."""
