# SPDX-License-Identifier: GPL-2.0-only
"""The machinery's own modules, and which of them import which."""

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A module may import from its own room and from those before it.
ROOMS = ("ground", "patches", "kernel", "machine", "prove", "give", "check", "measure", "front")


def path_of(name):
    """The file of a module "room.module", or of a room; None when it is neither."""
    place = ROOT.joinpath(*name.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


@lru_cache(maxsize=None)
def imports(name):
    """Names of the machinery's modules that a module imports, sorted."""
    named = set()
    for node in ast.walk(ast.parse(path_of(name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
    return sorted(module for module in named if path_of(module))


def behind(name):
    """Names of the modules that a module imports, directly or not, and its own, sorted."""
    known, left = set(), [name]
    while left:
        module = left.pop()
        if module not in known:
            known.add(module)
            left += imports(module)
    return sorted(known)


def digest(name):
    """A sum over behind(): changes when one of these modules does."""
    checksum = hashlib.sha256()
    for module in behind(name):
        checksum.update(module.encode() + b"\0" + path_of(module).read_bytes())
    return checksum.hexdigest()


def every():
    """Names of all modules, tests aside, sorted."""
    paths = [path.relative_to(ROOT).with_suffix("") for room in ROOMS for path in (ROOT / room).glob("*.py")]
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in paths)
