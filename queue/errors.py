# SPDX-License-Identifier: GPL-2.0-only
"""The one exception that ends a verb: a line that says what to do next."""


class Stop(Exception):
    """Ends the run. The text is shown to the user as one line, exit status 1."""
