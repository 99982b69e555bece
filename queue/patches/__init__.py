# SPDX-License-Identifier: GPL-2.0-only
"""The series as the repository keeps it, the kernel that it applies to, and the git
tree in between."""
