# SPDX-License-Identifier: GPL-2.0-only
"""What has passed and need not be done again, over runs.

What passed is remembered under a key over everything it depends on; as long as the
key is that of the last pass, the pass is repeated from memory, and says so.
"""

import hashlib
import json
import time

from ground import modules
from ground.layout import write_file


def key(module, parts):
    """What a pass is remembered by: all that it depends on, and the code that does it,
    which is in the module named `module`."""
    words = [modules.digest(module), *map(str, parts)]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


class Memory:
    """Passes by name and key, under .build/NAME."""

    def __init__(self, layout, name):
        self.folder = layout.work / name

    def _file(self, name):
        return self.folder / f"{name.replace('/', '-')}.json"

    def recall(self, name, wanted):
        """What there is to say of the pass with this key, or None."""
        try:
            kept = json.loads(self._file(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if kept.get("key") != wanted:
            return None
        return f"(unchanged since {kept['time']})" + (f" {kept['note']}" if kept["note"] else "")

    def keep(self, name, wanted, note):
        """Remembers a pass, and what was said of it."""
        data = {"key": wanted, "time": time.strftime("%Y-%m-%d %H:%M"), "note": note}
        write_file(self._file(name), json.dumps(data).encode())
