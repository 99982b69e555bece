# SPDX-License-Identifier: GPL-2.0-only
"""The verbs of ./dma-owner and its command line."""
