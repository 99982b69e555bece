# SPDX-License-Identifier: GPL-2.0-only
"""What shows that the tests are worth something: mutations of the code, and a model
of it."""
