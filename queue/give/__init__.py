# SPDX-License-Identifier: GPL-2.0-only
"""The series as others take it: mails, trees, packages, a release."""
