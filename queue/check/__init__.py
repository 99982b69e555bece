# SPDX-License-Identifier: GPL-2.0-only
"""The mechanical checks of `./dma-owner check`."""
