# SPDX-License-Identifier: GPL-2.0-only
"""Kernel configurations: fragments beside the selftests, over tinyconfig."""

import re

from ground.errors import Stop
from ground.git import Git

FRAGMENTS = "tools/testing/selftests/iommu"
ARCHES = {"x86_64": "x86_64", "arm64": "aarch64"}       # kernel name -> fragment suffix
CONFIGS = ("vm", "debug", "kcsan", "perf")

_SET = re.compile(r"^(CONFIG_\w+)=(.*)$")
_SYMBOL = re.compile(r"^\s*(?:menu)?config\s+(\w+)", re.M)
_PROMPT = re.compile(r"^\s+(?:(?:bool|tristate|string|int|hex)\s+[\"']|prompt\b)", re.M)
_UNSET = re.compile(r"^# (CONFIG_\w+) is not set$")


def fragment_names(arch, config):
    """Fragments of a configuration, later ones override earlier ones."""
    names = ["config", f"config.{ARCHES[arch]}", "config.vm"]
    return names if config == "vm" else names + [f"config.{config}"]


def fragments(folder, arch, config):
    """Paths of a configuration's fragments. Raises Stop naming a missing one."""
    paths = [folder / FRAGMENTS / name for name in fragment_names(arch, config)]
    for path in paths:
        if not path.is_file():
            raise Stop(f"{path} is missing: the configuration {arch}-{config} needs it; "
                       "it is part of the series")
    return paths


def parse(text):
    """Symbols of a fragment or .config: {CONFIG_X: value}, 'n' for not set."""
    symbols = {}
    for line in text.splitlines():
        if match := _SET.match(line.strip()):
            symbols[match.group(1)] = match.group(2)
        elif match := _UNSET.match(line.strip()):
            symbols[match.group(1)] = "n"
    return symbols


def compose(symbols):
    """The text that parse() reads."""
    return "".join(f"# {name} is not set\n" if value == "n" else f"{name}={value}\n"
                   for name, value in symbols.items())


def requested(texts):
    """What the fragments ask for together, the later fragment's word last."""
    wanted = {}
    for text in texts:
        wanted.update(parse(text))
    return wanted


def lost(wanted, got):
    """Lines for the options of `wanted` that `got` does not have as asked for."""
    return [f"{name}={value} (is {got.get(name, 'n')})" for name, value in sorted(wanted.items())
            if got.get(name, "n") != value]


def kconfig_files(folder):
    """All Kconfig files of a kernel tree (a git work tree)."""
    raw = Git(folder).bytes("ls-files", "-z", "--cached", "--others", "--exclude-standard",
                            "--", "Kconfig*", "*/Kconfig*")
    names = sorted(set(raw.decode("utf-8", "surrogateescape").split("\0")) - {""})
    return [folder / n for n in names if (folder / n).is_file()]


def asked(text):
    """CONFIG_ names that a Kconfig file lets the user choose: those with a prompt."""
    _, *parts = _SYMBOL.split(text)
    return {f"CONFIG_{name}" for name, lines in zip(parts[::2], parts[1::2]) if _PROMPT.search(lines)}


def known_symbols(folder):
    """CONFIG_ names that some Kconfig file of the tree asks for."""
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in kconfig_files(folder))
    return set().union(*map(asked, texts))


def without(text, unknown):
    """A fragment's text without the lines that set one of the symbols."""
    kept = []
    for line in text.splitlines():
        match = _SET.match(line.strip()) or _UNSET.match(line.strip())
        if not match or match.group(1) not in unknown:
            kept.append(line)
    return "".join(f"{line}\n" for line in kept)
