# SPDX-License-Identifier: GPL-2.0-only
"""Virtual machines: the harness of the series is called here, and what it says is
judged and kept."""
