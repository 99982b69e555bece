# SPDX-License-Identifier: GPL-2.0-only
"""The private apt, modelled on the machine's own entries, as the real apt tells them."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from ground import apt
from ground.errors import Stop

KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEB822 = f"""# One stanza of comments alone does not count.

Types: deb
# a comment
URIs: http://mirror.invalid/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: {KEY}

Types: deb
URIs: http://mirror.invalid/debian-security
Suites: bookworm-security
Components: main
Signed-By: {KEY}

Enabled: no
Types: deb
URIs: http://off.invalid/debian
Suites: bookworm
Components: main
Signed-By: /off.gpg


types: deb deb-src
uris: http://inline.invalid/debian
suites: sid
components: main contrib
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 # no comment
 -----END PGP PUBLIC KEY BLOCK-----
"""
CLASSIC = """# deb http://old.invalid/debian bookworm main
deb http://mirror.invalid/debian bookworm main contrib  # ours
deb-src [signed-by=/k.gpg arch=amd64] http://mirror.invalid/debian/ bookworm main
deb [arch=amd64] https://vendor.invalid/linux/debian bookworm stable
deb http://vendor.invalid/apt bookworm-pgdg main
deb cdrom:[Debian GNU/Linux 12 _Bookworm_]/ bookworm main
deb [arch=riscv64] http://two%20words.invalid/100%25 trixie main
"""


class Apt(unittest.TestCase):
    """The private source is modelled on the machine's."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in ("parts", "lists"):
            (self.folder / name).mkdir()

    def entries(self, text, name="a.list"):
        """What apt knows when a file with sources is all that the machine has."""
        (self.folder / "parts" / name).write_text(text, encoding="utf-8")
        settings = ("Dir::Etc::sourcelist=/dev/null", f"Dir::Etc::sourceparts={self.folder}/parts",
                    f"Dir::State::lists={self.folder}/lists", f"Dir::Cache={self.folder}",
                    "Dir::State::status=/dev/null", "APT::Architecture=amd64", "APT::Architectures=amd64")
        return apt.machine_entries(*(word for setting in settings for word in ("-o", setting)))

    def fetched(self, uri, suite, origin):
        """Has a suite's lists look as if `apt update` had fetched them."""
        stem = f"{uri}dists/{suite}/".partition("//")[2].replace("/", "_")
        release = f"Origin: {origin}\nSuite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\n"
        (self.folder / "lists" / f"{stem}Release").write_text(release, encoding="utf-8")
        (self.folder / "lists" / f"{stem}main_binary-amd64_Packages").write_text("", encoding="utf-8")

    def test_deb822(self):
        entries = self.entries(DEB822, "a.sources")
        self.assertEqual([(e.uri, e.suite) for e in entries],
                         [("http://mirror.invalid/debian/", "bookworm"),
                          ("http://mirror.invalid/debian/", "bookworm-updates"),
                          ("http://mirror.invalid/debian-security/", "bookworm-security"),
                          ("http://inline.invalid/debian/", "sid")])
        self.assertEqual([e.signed_by for e in entries[:3]], [KEY] * 3)
        self.assertEqual(entries[3].signed_by, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n # no comment\n"
                                               " -----END PGP PUBLIC KEY BLOCK-----")

    def test_deb822_security_keeps_its_own_place(self):
        entry = apt.derive(self.entries(DEB822, "a.sources"), "bookworm", "bullseye-security")
        self.assertEqual((entry.uri, entry.suite, entry.signed_by),
                         ("http://mirror.invalid/debian-security/", "bullseye-security", KEY))

    def test_one_line(self):
        entries = {(e.uri, e.suite): e.signed_by for e in self.entries(CLASSIC)}
        self.assertEqual(entries, {("http://mirror.invalid/debian/", "bookworm"): "",
                                   ("http://vendor.invalid/apt/", "bookworm-pgdg"): "",
                                   ("http://two%20words.invalid/100%25/", "trixie"): ""})

    def test_one_line_signed_by(self):
        for options in ("signed-by=/k.gpg", "arch=amd64 signed-by=/k.gpg", "signed-by=/k.gpg arch=amd64"):
            entries = self.entries(f"\n# a comment\ndeb-src [{options}] http://mirror.invalid/debian bookworm main\n")
            self.assertEqual([(e.suite, e.signed_by) for e in entries], [("bookworm", "/k.gpg")])

    def test_one_line_derived_security(self):
        entry = apt.derive(self.entries(CLASSIC), "bookworm", "bullseye-security")
        self.assertEqual(entry.uri, "http://mirror.invalid/debian-security/")

    def test_main_suite(self):
        entry = apt.derive(self.entries(DEB822, "a.sources"), "bookworm", "bullseye")
        self.assertEqual((entry.uri, entry.suite, entry.signed_by), ("http://mirror.invalid/debian/", "bullseye", KEY))

    def test_stable_by_name(self):
        entries = self.entries("deb http://mirror.invalid/debian stable main\n")
        self.assertEqual(apt.derive(entries, "trixie", "bullseye").suite, "bullseye")

    def test_no_debian(self):
        entries = self.entries("deb https://vendor.invalid/x noble main\n")
        self.assertEqual(len(entries), 1)
        self.assertIsNone(apt.derive(entries, "bookworm", "bullseye"))

    def test_no_sources(self):
        self.assertEqual(self.entries(""), [])

    def test_what_was_fetched_tells_debian(self):
        places = ("http://vendor.invalid/debian/", "http://mirror.invalid/archive/")
        for uri, origin in zip(places, ("Vendor", "Debian")):
            self.fetched(uri, "bookworm", origin)
        entries = self.entries("".join(f"deb {uri} bookworm main\n" for uri in places))
        self.assertEqual([(e.uri, e.debian) for e in entries], list(zip(places, (False, True))))
        self.assertEqual(apt.derive(entries, "bookworm", "bullseye").uri, places[1])

    def test_unreadable(self):
        with self.assertRaisesRegex(Stop, "^apt cannot read this machine's sources: .*/parts/a.list"):
            self.entries("deb http://mirror.invalid/debian\n")

    def test_lines(self):
        text = apt.source_lines(apt.Entry("http://m.invalid/debian", "bullseye"), KEY)
        self.assertEqual(text.count("http://m.invalid/debian bullseye main\n"), 2)
        self.assertIn(f"deb-src [signed-by={KEY} ", text)

    def test_inline_key_is_not_written(self):
        private = apt.PrivateApt(self.folder / "home", ["bullseye"], "")
        entries = [e for e in self.entries(DEB822, "a.sources") if e.suite == "sid"]
        with mock.patch("ground.apt.machine_entries", return_value=entries):
            private.prepare()
        text = (private.home / "sources.list").read_text(encoding="utf-8")
        self.assertEqual(text.count("http://inline.invalid/debian/ bullseye main\n"), 2)
        self.assertNotIn("PGP", text)


MADISON = """linux-image-amd64 | 7.3.4-1~bpo13+1 | http://mirror.invalid/debian trixie-backports/main amd64 Packages
linux-image-amd64 |   7.2.13-1 | http://mirror.invalid/debian sid/main amd64 Packages
linux-signed-amd64 | 7.2.13+1 | http://mirror.invalid/debian sid/main Sources
"""
SHOWN = {
    "linux-image-amd64=7.3-1": "Pre-Depends: linux-base (>= 4.17)\nDepends: linux-image-7.3-amd64 (= 7.3-1)\n",
    "linux-image-7.3-amd64=7.3-1": "Depends: kmod, linux-modules-7.3-amd64 (= 7.3-1), linux-base-7.3 (= 7.3-1)\n",
    "linux-modules-7.3-amd64=7.3-1": "Depends: kmod, linux-base-7.3 (= 7.3-1)\nSuggests: linux-doc (= 7.3-1)\n",
}


class Versions(unittest.TestCase):
    """What a private apt has of a package."""

    def setUp(self):
        self.private = apt.PrivateApt("/nowhere", ["sid"], "do without")

    def said(self, answer):
        """Has apt-cache answer."""
        patched = mock.patch("ground.apt.proc.call", lambda argv: (0, answer(argv).encode(), b""))
        patched.start()
        self.addCleanup(patched.stop)

    def test_newest_whatever_the_priority(self):
        self.said(lambda _: MADISON)
        self.assertEqual(self.private.newest("linux-image-amd64"), "7.3.4-1~bpo13+1")

    def test_a_source_is_no_package(self):
        self.said(lambda _: MADISON)
        self.assertEqual(self.private.newest("linux-signed-amd64"), "")

    def test_not_there(self):
        self.said(lambda _: "")
        self.assertEqual(self.private.newest("linux-image-amd64"), "")

    def test_alike(self):
        self.said(lambda argv: SHOWN.get(argv[-1], ""))
        self.assertEqual(self.private.alike("linux-image-amd64", "7.3-1"),
                         ["linux-image-amd64", "linux-image-7.3-amd64", "linux-modules-7.3-amd64", "linux-base-7.3"])


if __name__ == "__main__":
    unittest.main()
