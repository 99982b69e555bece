# SPDX-License-Identifier: GPL-2.0-only
"""A private apt, derived from the machine's own Debian entry.

The machine's apt configuration is read (proxies, keys, mirrors) and never
written: lists, cache and sources of the private apt live under .build/apt.
No server is named anywhere here; whatever the machine uses is used.
"""

import os
import re
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

from ground import proc
from ground.errors import Stop

KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg",
            "/usr/share/keyrings/debian-archive-keyring.pgp")
POOLS = ("stable", "oldstable", "oldoldstable", "testing", "unstable", "sid")

# What apt says of an index: its archive, its suite, the source that names it, and who
# the archive says that it is.
_FORMAT = "\t".join(f"$({name})" for name in ("REPO_URI", "RELEASE", "SOURCESENTRY", "ORIGIN"))


@dataclass(frozen=True)
class Entry:
    """Where the component main of a suite is, its Signed-By or '', and whether what
    was fetched of it says that it is Debian."""
    uri: str
    suite: str
    signed_by: str = ""
    debian: bool = False


def _indexes(*options):
    """(apt-get's exit status, what it says on stderr, _FORMAT of each index of a
    component main as a list)."""
    status, out, err = proc.call(["apt-get", "indextargets", *options, "--format", _FORMAT, "Component: main"])
    return status, err, [line.split("\t") for line in out.decode("utf-8", "replace").splitlines()]


def _signed_by(source):
    """The Signed-By of a source, '' without one: apt tells only where it stands,
    "file:number", the number that of a line, or of a stanza in a *.sources file."""
    path, _, number = source.rpartition(":")
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    if path.endswith(".sources"):
        stanzas = re.split(r"\n\n+", re.sub(r"^#.*\n", "", text, flags=re.M).strip("\n"))
        return (message_from_string(stanzas[int(number) - 1])["Signed-By"] or "").strip()
    match = re.search(r"signed-by=([^]\s]+)", text.split("\n")[int(number) - 1])
    return match.group(1) if match else ""


def _quoted(uri):
    """A URI as it stands in a source: apt tells it unquoted."""
    return uri.replace("%", "%25").replace(" ", "%20")


def machine_entries(*options):
    """The Entries of the machine's apt, CDs aside, also those of which nothing was
    fetched. `options`: further ones for apt-get.

    Raises Stop when apt cannot read its sources.
    """
    status, err, indexes = _indexes("--no-release-info", *options)
    if status:
        raise Stop("apt cannot read this machine's sources: " + " ".join(err.decode("utf-8", "replace").split())[:300])
    debian = {(uri, suite) for uri, suite, _, origin in _indexes(*options)[2] if origin == "Debian"}
    named = dict.fromkeys((uri, suite, source) for uri, suite, source, _ in indexes if not uri.startswith("cdrom:"))
    return [Entry(_quoted(uri), suite, _signed_by(source), (uri, suite) in debian) for uri, suite, source in named]


def _score(entry):
    """How much an entry looks like Debian's own archive: by what it says of itself,
    else by its key and its address."""
    score = 4 if entry.debian else 0
    score += 2 if "debian-archive" in entry.signed_by else 0
    score += 1 if entry.uri.rstrip("/").rsplit("/", 1)[-1].startswith("debian") else 0
    return score - (1 if entry.signed_by and "debian-archive" not in entry.signed_by else 0)


def _best(entries, suites):
    """The likeliest Debian entry among those that carry one of the suites."""
    return max((entry for entry in entries if entry.suite in suites), key=_score, default=None)


def derive(entries, release, suite):
    """The entry that carries `suite`, modelled on the machine's own; None without
    a Debian entry. `release`: the machine's code name."""
    main = _best(entries, {release, *POOLS})
    if main is None:
        return None
    if not suite.endswith("-security"):
        return Entry(main.uri, suite, main.signed_by)
    own = _best(entries, {f"{name}-security" for name in (release, *POOLS)} |
                {f"{release}/updates"})
    if own:
        return Entry(own.uri, suite, own.signed_by)
    return Entry(main.uri.rstrip("/") + "-security/", suite, main.signed_by)


def codename(os_release=Path("/etc/os-release")):
    """The machine's release name, '' when it has none."""
    text = os_release.read_text(encoding="utf-8") if os_release.is_file() else ""
    match = re.search(r'^VERSION_CODENAME="?([^"\n]+)', text, re.M)
    return match.group(1) if match else ""


def source_lines(entry, keyring):
    """The one-line sources for binaries and sources of an entry."""
    key = f"signed-by={keyring} " if keyring else ""
    rest = f"{entry.uri} {entry.suite} main\n"
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

    def _cache(self, *args):
        """What apt-cache prints, as text."""
        return proc.call(["apt-cache", "-c", str(self.conf), *args])[1].decode("utf-8", "replace")

    def newest(self, what):
        """The highest version of a binary package in the suites, whatever their
        priorities; '' without one. After update()."""
        rows = (line.split(" | ") for line in self._cache("madison", what).splitlines())
        versions = [row[1].strip() for row in rows if row[0].strip() == what and not row[-1].endswith("Sources")]
        return versions[0] if versions else ""

    def alike(self, what, version):
        """Names of the binary packages that one depends on in exactly its own version,
        itself first, and of what those need in the same way."""
        names = [what]
        for name in names:    # which grows
            depends = re.findall(r"^(?:Pre-)?Depends: (.*)$", self._cache("show", f"{name}={version}"), re.M)
            found = re.findall(rf"(\S+) \(= {re.escape(version)}\)", " ".join(depends))
            names += [one for one in dict.fromkeys(found) if one not in names]
        return names

    def download(self, what, version, source_file, log):
        """Fetches a binary package, or with `source_file` the tarball of a source.

        No version is the newest. Returns the path of the file under .build/apt/download.
        """
        folder = self.home / "download"
        if source_file:
            argv = self._apt("source", "--download-only", "--tar-only", "--only-source",
                             f"{what}={version}")
        else:
            argv = self._apt("download", f"{what}={version}" if version else what)
        status = proc.logged(argv, log, cwd=folder, append=True)
        files = [folder / source_file] if source_file else list(folder.glob(f"{what}_{version or '*'}_*.deb"))
        if status or not files or not files[0].is_file():
            raise Stop(f"{what} {version} could not be fetched from Debian's archive: see {log}; run "
                       f"the same command again, or {self.instead}")
        return files[0]
