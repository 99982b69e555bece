# SPDX-License-Identifier: GPL-2.0-only
"""A private apt, derived from the machine's own Debian entry.

The machine's apt configuration is read (proxies, keys, mirrors) and never
written: lists, cache and sources of the private apt live under .build/apt.
No server is named anywhere here; whatever the machine uses is used.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import proc
from errors import Stop

KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg",
            "/usr/share/keyrings/debian-archive-keyring.pgp")
POOLS = ("stable", "oldstable", "oldoldstable", "testing", "unstable", "sid")


@dataclass(frozen=True)
class Entry:
    """One line of an apt source: where, which suite and components, whose key."""
    uri: str
    suite: str
    components: tuple
    signed_by: str = ""


def parse_deb822(text):
    """Entries of a *.sources file."""
    found = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields, last = {}, None
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in " \t" and last:
                fields[last] += "\n" + line.strip()
            elif ":" in line:
                last, _, value = line.partition(":")
                last = last.strip().lower()
                fields[last] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        if not {"deb", "deb-src"} & set(fields.get("types", "").split()):
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                found.append(Entry(uri, suite, tuple(fields.get("components", "").split()),
                                   fields.get("signed-by", "")))
    return found


def parse_list(text):
    """Entries of a classic one-line sources.list."""
    found = []
    for line in text.splitlines():
        match = re.match(r"\s*deb(?:-src)?\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)([^#]*)", line)
        if match:
            options, uri, suite, components = match.groups()
            signed = re.search(r"signed-by=(\S+)", options or "")
            found.append(Entry(uri, suite, tuple(components.split()),
                               signed.group(1) if signed else ""))
    return found


def machine_entries(etc=Path("/etc/apt")):
    """Every entry of the machine's apt sources."""
    parts = sorted((etc / "sources.list.d").glob("*"))
    found = []
    for path in [etc / "sources.list", *parts]:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".sources":
            found += parse_deb822(text)
        elif path.suffix == ".list":
            found += parse_list(text)
    return found


def _score(entry):
    """How much an entry looks like Debian's own archive."""
    score = 2 if "debian-archive" in entry.signed_by else 0
    score += 1 if entry.uri.rstrip("/").rsplit("/", 1)[-1].startswith("debian") else 0
    return score - (1 if entry.signed_by and "debian-archive" not in entry.signed_by else 0)


def _best(entries, suites):
    """The likeliest Debian entry among those that carry one of the suites."""
    fit = [e for e in entries if e.suite in suites and "main" in e.components]
    return max(fit, key=_score, default=None)


def derive(entries, release, suite):
    """The entry that carries `suite`, modelled on the machine's own; None without
    a Debian entry. `release`: the machine's code name."""
    main = _best(entries, {release, *POOLS})
    if main is None:
        return None
    if not suite.endswith("-security"):
        return Entry(main.uri, suite, ("main",), main.signed_by)
    own = _best(entries, {f"{name}-security" for name in (release, *POOLS)} |
                {f"{release}/updates"})
    if own:
        return Entry(own.uri, suite, ("main",), own.signed_by)
    return Entry(main.uri.rstrip("/") + "-security/", suite, ("main",), main.signed_by)


def codename(os_release=Path("/etc/os-release")):
    """The machine's release name, '' when it has none."""
    text = os_release.read_text(encoding="utf-8") if os_release.is_file() else ""
    match = re.search(r'^VERSION_CODENAME="?([^"\n]+)', text, re.M)
    return match.group(1) if match else ""


def source_lines(entry, keyring):
    """The one-line sources for binaries and sources of an entry."""
    key = f"signed-by={keyring} " if keyring else ""
    rest = f"{entry.uri} {entry.suite} {' '.join(entry.components)}\n"
    return f"deb [{key}targets=Packages] {rest}deb-src [{key}targets=Sources] {rest}"


def _keyring(entry):
    """The key file to check the archive with: the entry's own, else Debian's."""
    for path in (entry.signed_by, *KEYRINGS):
        if path.startswith("/") and os.path.isfile(path):
            return path
    return ""


def _configuration(home, arch):
    """The private apt.conf, read after the machine's. What is fetched stays the
    same, so an archive that stopped renewing its date will do."""
    text = (f'Dir::Etc::sourcelist "{home}/sources.list";\n'
            'Dir::Etc::sourceparts "-";\n'
            f'Dir::State::lists "{home}/lists";\n'
            f'Dir::Cache "{home}/cache";\n'
            'Dir::Cache::archives "archives";\n'
            'Acquire::Languages "none";\n'
            'Acquire::Check-Valid-Until "false";\n'
            'Acquire::Retries "2";\n'
            'APT::Update::Error-Mode "any";\n'
            '#clear APT::Update::Pre-Invoke;\n'
            '#clear APT::Update::Post-Invoke;\n'
            '#clear APT::Update::Post-Invoke-Success;\n')
    if arch:
        text += (f'APT::Architecture "{arch}";\n'
                 '#clear APT::Architectures;\n'
                 f'APT::Architectures {{ "{arch}"; }};\n'
                 'Dir::State::status "/dev/null";\n')
    if os.geteuid() == 0:
        text += 'APT::Sandbox::User "root";\n'
    return text


class PrivateApt:
    """An apt of our own, for the given suites, and an architecture other than the
    machine's. `instead`: what a user without Debian's archive can do."""

    def __init__(self, home, suites, instead, arch=""):
        self.home = Path(home)
        self.suites = tuple(suites)
        self.instead = instead
        self.arch = arch
        self.conf = self.home / "apt.conf"

    def prepare(self):
        """Writes configuration and sources under .build/apt."""
        for name in ("lists/partial", "cache/archives/partial", "download"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        entries, release = machine_entries(), codename()
        lines = ""
        for suite in self.suites:
            entry = derive(entries, release, suite)
            if entry is None:
                raise Stop(f"no Debian archive among this machine's apt sources: {self.instead}")
            lines += source_lines(entry, _keyring(entry))
        (self.home / "sources.list").write_text(lines, encoding="utf-8")
        self.conf.write_text(_configuration(self.home, self.arch), encoding="utf-8")

    def _apt(self, *args):
        return ["apt-get", "-q", "-c", str(self.conf), *args]

    def update(self, log):
        """Fetches the package lists; Stop without network or archive."""
        if proc.logged(self._apt("update"), log):
            raise Stop("Debian's package lists could not be fetched: check the network, then run "
                       f"the same command again (log: {log}), or {self.instead}")

    def download(self, what, version, source_file, log):
        """Fetches a binary package, or with `source_file` the tarball of a source.

        No version is the newest. Returns the path of the file under .build/apt/download.
        """
        spot = self.home / "download"
        if source_file:
            argv = self._apt("source", "--download-only", "--tar-only", "--only-source",
                             f"{what}={version}")
        else:
            argv = self._apt("download", f"{what}={version}" if version else what)
        status = proc.logged(argv, log, cwd=spot, append=True)
        found = [spot / source_file] if source_file else list(spot.glob(f"{what}_{version or '*'}_*.deb"))
        if status or not found or not found[0].is_file():
            raise Stop(f"{what} {version} could not be fetched from Debian's archive: see {log}; run "
                       f"the same command again, or {self.instead}")
        return found[0]
