# SPDX-License-Identifier: GPL-2.0-only
"""Warnings of gcc, sparse and kernel-doc, made comparable."""

import re
from collections import Counter

_WARNING = re.compile(r"^(?:\.\./)?([\w./+-]+\.[chS]):(\d+)(?::\d+)?: ((?:warning|error|note|fatal error):? .*|warning.*)")


def of_files(text, paths):
    """Warnings of a compiler's log that concern the paths, lines and columns left
    out so that two trees can be compared: a Counter of (path, text)."""
    counts = Counter()
    for line in text.splitlines():
        match = _WARNING.match(line)
        if match and match.group(1) in paths:
            counts[(match.group(1), match.group(3))] += 1
    return counts
