# SPDX-License-Identifier: GPL-2.0-only
"""How kernels are configured and built: of the series, of its base, and newer ones."""
