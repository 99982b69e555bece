# SPDX-License-Identifier: GPL-2.0-only
"""The small parts: apt entries, mails, series, configurations, results, processes."""

import contextlib
import errno
import io
import os
import time
import unittest
from pathlib import Path
from unittest import mock

from fake import Repository

import apt
import git
import kconfig
import lint
import main
import patchmail
import proc
import selftest
import series
from errors import Stop
from report import Report

KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEB822 = f"""Types: deb
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
"""
CLASSIC = """# deb http://old.invalid/debian bookworm main
deb http://mirror.invalid/debian bookworm main contrib  # ours
deb-src [signed-by=/k.gpg arch=amd64] http://mirror.invalid/debian/ bookworm main
deb [arch=amd64] https://vendor.invalid/linux/debian bookworm stable
deb http://vendor.invalid/apt bookworm-pgdg main
"""


class Apt(unittest.TestCase):
    """The private source is modelled on the machine's."""

    def test_deb822(self):
        entries = apt.parse_deb822(DEB822)
        self.assertEqual([(e.uri, e.suite) for e in entries],
                         [("http://mirror.invalid/debian", "bookworm"),
                          ("http://mirror.invalid/debian", "bookworm-updates"),
                          ("http://mirror.invalid/debian-security", "bookworm-security")])
        self.assertEqual(entries[0].signed_by, KEY)

    def test_deb822_security_keeps_its_own_place(self):
        got = apt.derive(apt.parse_deb822(DEB822), "bookworm", "bullseye-security")
        self.assertEqual((got.uri, got.suite), ("http://mirror.invalid/debian-security", "bullseye-security"))

    def test_one_line(self):
        entries = apt.parse_list(CLASSIC)
        self.assertEqual(len(entries), 4)
        self.assertEqual(entries[1].signed_by, "/k.gpg")

    def test_one_line_derived_security(self):
        got = apt.derive(apt.parse_list(CLASSIC), "bookworm", "bullseye-security")
        self.assertEqual(got.uri, "http://mirror.invalid/debian-security/")

    def test_main_suite(self):
        got = apt.derive(apt.parse_deb822(DEB822), "bookworm", "bullseye")
        self.assertEqual((got.uri, got.suite), ("http://mirror.invalid/debian", "bullseye"))

    def test_stable_by_name(self):
        entries = apt.parse_list("deb http://mirror.invalid/debian stable main\n")
        self.assertEqual(apt.derive(entries, "trixie", "bullseye").suite, "bullseye")

    def test_no_debian(self):
        entries = apt.parse_list("deb https://vendor.invalid/x noble main\n")
        self.assertIsNone(apt.derive(entries, "bookworm", "bullseye"))

    def test_lines(self):
        text = apt.source_lines(apt.Entry("http://m.invalid/debian", "bullseye", ("main",)), KEY)
        self.assertEqual(text.count("http://m.invalid/debian bullseye main\n"), 2)
        self.assertIn(f"deb-src [signed-by={KEY} ", text)


class Mails(unittest.TestCase):
    """Patch files there and back."""

    def test_round_trip(self):
        patch = patchmail.Patch("iommu: Say grüße", "One.\n\nTwo.", ["b.c", "a.c"], b"diff --git a/x b/x\n-a\n+b\n")
        data = patch.to_bytes()
        again = patchmail.parse(data, "x")
        self.assertEqual(again.to_bytes(), data)
        self.assertEqual((again.subject, again.body, again.new_files, again.diff),
                         (patch.subject, patch.body, ["a.c", "b.c"], patch.diff))

    def test_no_diff_and_no_body(self):
        data = patchmail.Patch("iommu: Add", "", ["a.c"], b"").to_bytes()
        again = patchmail.parse(data, "x")
        self.assertEqual((again.body, again.new_files, again.diff), ("", ["a.c"], b""))

    def test_new_file_lines_of_the_text_do_not_count(self):
        data = patchmail.Patch("iommu: Add", "New-file: not/this", ["a.c"], b"").to_bytes()
        self.assertEqual(patchmail.parse(data, "x").new_files, ["a.c"])

    def test_not_a_mail(self):
        with self.assertRaises(Stop):
            patchmail.parse(b"--- a/x\n+++ b/x\n", "x.patch")

    def test_slug(self):
        self.assertEqual(patchmail.slug("iommu: Add DMA ownership of groups"), "iommu-add-dma-ownership-of-groups")
        self.assertEqual(patchmail.slug("vfio/pci: Use a.b()..c."), "vfio-pci-use-a.b-.c")

    def test_folder(self):
        self.assertEqual(patchmail.folder("driver core: X", ["include/linux/device.h"]), "drivers/base")
        self.assertEqual(patchmail.folder("vfio/mdev: X", ["drivers/vfio/mdev/a.c"]), "drivers/vfio")
        self.assertEqual(patchmail.folder("powerpc/fsl_pci: X", ["arch/powerpc/sysdev/fsl_pci.c"]),
                         "arch/powerpc/sysdev")
        self.assertEqual(patchmail.folder("treewide: X", ["a/b.c", "c/d.c"]), "Documentation")


class Series(unittest.TestCase):
    """The file `series`."""

    def test_no_series_yet(self):
        repo = Repository()
        self.addCleanup(repo.close)
        self.assertEqual(series.load(repo.layout), [])

    def test_words_after_a_name(self):
        with self.assertRaises(Stop):
            series.parse("a.patch -p1\n")

    def test_comments_stay_with_their_patch(self):
        old = "# SPDX-License-Identifier: GPL-2.0-only\n\n# core\na.patch\n\n# vfio\nb.patch\n"
        self.assertEqual(series.compose(["a.patch", "b.patch"], old), old)
        self.assertEqual(series.compose(["b.patch", "a.patch"], old),
                         "# SPDX-License-Identifier: GPL-2.0-only\n\n\n# vfio\nb.patch\n# core\na.patch\n")

    def test_header_stays_when_the_first_patch_goes(self):
        old = "# SPDX-License-Identifier: GPL-2.0-only\na.patch\nb.patch\n"
        self.assertEqual(series.compose(["b.patch"], old), "# SPDX-License-Identifier: GPL-2.0-only\nb.patch\n")

    def test_new_series_has_a_header(self):
        self.assertTrue(series.compose(["a.patch"], "").startswith("# SPDX"))

    def test_kernel_paths(self):
        self.assertTrue(series.is_kernel_path("drivers/iommu/x.c"))
        for path in ("queue/x.py", "../x", "a//b", "base", "drivers/x.patch", "a/.git/x"):
            self.assertFalse(series.is_kernel_path(path), path)


class Kconfig(unittest.TestCase):
    """What was asked for must survive."""

    def test_lost(self):
        wanted = kconfig.requested(["CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n", "CONFIG_B=y\nCONFIG_D=n\n"])
        got = kconfig.parse("CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=y\n")
        self.assertEqual(kconfig.lost(wanted, got), ["CONFIG_B=y (is m)", "CONFIG_C=n (is y)"])

    def test_without(self):
        text = "# words\nCONFIG_A=y\nCONFIG_NEW=y\n# CONFIG_NEW is not set\n"
        self.assertEqual(kconfig.without(text, {"CONFIG_NEW"}), "# words\nCONFIG_A=y\n")


class Warnings(unittest.TestCase):
    """Logs of compilers and checkers, compared without their line numbers."""

    def test_only_touched_and_without_numbers(self):
        text = ("../drivers/iommu/a.c:10:5: warning: odd\n../drivers/iommu/a.c:12:5: warning: odd\n"
                "../drivers/iommu/b.c:1:1: warning: odd\n")
        self.assertEqual(dict(lint.warnings(text, {"drivers/iommu/a.c"})),
                         {("drivers/iommu/a.c", "warning: odd"): 2})

    def test_kernel_doc_form(self):
        text = "drivers/iommu/a.c:10: warning: Function parameter or member 'x' not described in 'f'\n"
        self.assertEqual(len(lint.warnings(text, {"drivers/iommu/a.c"})), 1)


class Results(unittest.TestCase):
    """Counting, and what CI makes of a skip."""

    def total(self, strict):
        """(status, text) of one result of each kind."""
        report, text = Report(strict=strict), io.StringIO()
        with contextlib.redirect_stdout(text):
            for line in ("ok q35:s1:a (1.2 s)", "skip q35:s1:b (no kvm)", "noise"):
                report.relay(line)
            return report.total(), text.getvalue()

    def test_skip(self):
        status, text = self.total(False)
        self.assertEqual((status, text.splitlines()[-1]), (0, "1 passed, 0 failed, 1 skipped"))

    def test_skip_under_ci(self):
        status, text = self.total(True)
        self.assertEqual((status, text.splitlines()[-1]), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertIn("not ok q35:s1:b", text)

    def test_nothing_ran(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(Report(strict=False).total(), 1)


class Processes(unittest.TestCase):
    """Children end with the run."""

    def test_sessions_are_found(self):
        child = proc._spawn(["sh", "-c", "timeout 60 sleep 60"])   # pylint: disable=protected-access
        try:
            deadline = time.monotonic() + 5
            while len(proc._members(child.pid)) < 3 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertGreaterEqual(len(proc._members(child.pid)), 2)
            proc._signal_all([child.pid], 9)
        finally:
            child.wait()
            proc._reap(child)
        deadline = time.monotonic() + 5
        while proc._members(child.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(proc._members(child.pid), [])

    def test_logged(self):
        log = Path(os.environ.get("TMPDIR", "/tmp")) / f"dma-owner-test-{os.getpid()}.log"
        try:
            self.assertEqual(proc.logged(["sh", "-c", "echo out; echo err >&2; exit 3"], log), 3)
            self.assertEqual(log.read_text(encoding="utf-8").splitlines()[1:], ["out", "err"])
        finally:
            log.unlink(missing_ok=True)


class SelfTests(unittest.TestCase):
    """The tests of the machinery, as ./dma-owner test runs them."""

    def test_what_compiles_is_installed_first(self):
        with mock.patch("packages.ensure", side_effect=Stop("no apt")) as ensure, \
                mock.patch("selftest._suite") as suite:
            with self.assertRaisesRegex(Stop, "no apt"):
                selftest.run(None, None)
        self.assertLessEqual({"gcc", "make"}, set(ensure.call_args.args[1]))
        suite.assert_not_called()


class SystemLine(unittest.TestCase):
    """The one line for an error of the system."""

    def test_full_disk_of_git(self):
        words = b"fatal: sha1 file '/t/.git/index.lock' write error. Out of diskspace\n"
        with mock.patch.object(proc, "call", return_value=(128, b"", words)):
            with self.assertRaisesRegex(Stop, "^the disk is full: free some space under /t, then run"):
                git.Git("/t").bytes("status")

    def test_full_disk(self):
        no_room = OSError(errno.ENOSPC, "No space left on device", "/t/a")
        self.assertEqual(main.system_line(no_room),
                         "No space left on device: /t/a: free some space and run the same command again")

    def test_without_a_file(self):
        self.assertEqual(main.system_line(OSError(errno.EIO, "Input/output error")),
                         "Input/output error: see to it and run the same command again")


if __name__ == "__main__":
    unittest.main()
