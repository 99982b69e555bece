# SPDX-License-Identifier: GPL-2.0-only
"""What the series costs, held against what it may cost."""
