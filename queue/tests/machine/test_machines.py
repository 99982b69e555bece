# SPDX-License-Identifier: GPL-2.0-only
"""The virtual machines as the machinery sees them: which kernels they take, what
the harness is given, and what becomes of its verdict."""

import contextlib
import io
import os
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from tests.fake import Repository

from ground import apt, proc, results
from ground.errors import Stop
from ground.results import Report
from machine import busybox, vm

HARNESS = """#!/bin/sh
case " $* " in
*" --machines "*)
    echo pc-one x86_64
    echo pc-two x86_64
    case " $* " in *" --machine pc-two "*) exit ;; esac
    echo pc-new x86_64 QEMU_SVA
    case " $* " in *" --suite "*) ;; *) echo arm arm64 ;; esac
    exit ;;
*" --command --machine pc-one "*) printf '%s\\n' qemu -device "e1000,id=a b"; exit ;;
*" --command "*) echo no such machine >&2; exit 2 ;;
*" --suite none "*) echo no such suite >&2; exit 2 ;;
esac
cat "$VERDICTS"
exit "$STATUS"
"""


class Machines(unittest.TestCase):
    """A tree whose harness says what the test wants."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.tree = SimpleNamespace(path=self.repo.root, tests=self.repo.root, layout=self.repo.layout)
        self.repo.write(vm.HARNESS, HARNESS)
        (self.repo.root / vm.HARNESS).chmod(0o755)
        self.report = Report(strict=False)

    def verdict(self, lines, status):
        """What is counted and printed when the harness says this."""
        path = self.repo.root / "verdicts"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        text = io.StringIO()
        env = {"VERDICTS": str(path), "STATUS": str(status), "PATH": os.environ["PATH"]}
        with mock.patch("machine.vm.environment", return_value=env), contextlib.redirect_stdout(text):
            vm.test(self.tree, [], [], [], self.report)
        return tuple(results.count(self.report.results)), text.getvalue()

    def test_arches_of_the_picked(self):
        self.assertEqual(vm.arches(self.tree, []), ["x86_64", "arm64"])
        self.assertEqual(vm.arches(self.tree, [], ["kvm"]), ["x86_64"])

    def of_port(self):
        """The tree of a port, whose tests are the same."""
        return SimpleNamespace(path=self.repo.root, tests=self.repo.root, layout=self.repo.port("6.1").layout)

    def test_a_port_has_a_plan_of_its_own(self):
        tree = self.of_port()
        with self.assertRaisesRegex(Stop, "there is no ports/6.1/tests.cfg, which says what runs on Linux 6.1"):
            vm.arches(tree, [])
        self.repo.write("ports/6.1/tests.cfg", "")
        with mock.patch("ground.proc.call", return_value=(0, b"pc x86_64\n", b"")) as call:
            vm.arches(tree, [])
        self.assertEqual(call.call_args.args[0][1:3], ["--config", self.repo.root / "ports/6.1/tests.cfg"])

    def test_a_port_lists_its_skips(self):
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            vm.report(self.of_port().layout).skip("m:s:a", "no debugfs")
        self.assertEqual(text.getvalue(), "not ok m:s:a (skipped, for which ports/6.1/tests.cfg has no exception: "
                                          "no debugfs)\n")

    def test_no_such_suite(self):
        with self.assertRaises(Stop) as caught:
            vm.listing(self.tree, [], ["none"])
        self.assertIn("no such suite", str(caught.exception))

    def test_command(self):
        self.assertEqual(vm.command(self.tree, "pc-one"), ["qemu", "-device", "e1000,id=a b"])
        with self.assertRaisesRegex(Stop, "vmtest.sh --command failed: no such machine"):
            vm.command(self.tree, "pc-none")

    def test_kernels_are_given_by_architecture(self):
        builds = [SimpleNamespace(arch=arch, image=f"/{arch}/Image", modules=f"/{arch}/mod")
                  for arch in ("x86_64", "arm64")]
        words = " ".join(str(word) for word in vm.arguments(self.tree, builds, "vm"))
        self.assertIn("--kernel x86_64=/x86_64/Image --modules x86_64=/x86_64/mod "
                      "--kernel arm64=/arm64/Image --modules arm64=/arm64/mod", words)

    def test_verdict(self):
        counts, _ = self.verdict(["ok m:s:a (1.0 s)", "skip m:s:b (why)", "1 passed, 0 failed, 1 skipped"], 0)
        self.assertEqual(counts, (1, 0, 1))

    def test_machine_that_is_not_run(self):
        with mock.patch("ground.console.note") as note:
            counts, _ = self.verdict(["# pc-new: not run: qemu is not QEMU 11.1", "ok m:s:a (1.0 s)",
                                      "1 passed, 0 failed, 0 skipped"], 0)
        self.assertEqual(counts, (1, 0, 0))
        note.assert_any_call("pc-new: not run: qemu is not QEMU 11.1")

    def test_newer_qemu_only_for_who_wants_it(self):
        with mock.patch("machine.vm.qemu.environment", return_value={"QEMU_SVA": "/q"}) as asked:
            self.assertEqual(vm.environment(self.tree, [], [])["QEMU_SVA"], "/q")
            asked.reset_mock()
            vm.environment(self.tree, [])
            vm.environment(self.tree, [], ["pc-two"])
            asked.assert_not_called()

    def test_no_totals(self):
        counts, text = self.verdict(["ok m:s:a (1.0 s)"], 1)
        self.assertEqual(counts, (1, 1, 0))
        self.assertIn("without its totals", text)

    def test_totals_of_other_lines(self):
        counts, text = self.verdict(["ok m:s:a (1.0 s)", "2 passed, 0 failed, 0 skipped"], 0)
        self.assertEqual(counts[1], 1)
        self.assertIn("its totals say [2, 0, 0]", text)

    def test_status_against_the_lines(self):
        counts, text = self.verdict(["ok m:s:a (1.0 s)", "1 passed, 0 failed, 0 skipped"], 1)
        self.assertEqual(counts[1], 1)
        self.assertIn("exit status 1 with 0 failures", text)


class Busybox(unittest.TestCase):
    """A busybox for machines of another architecture."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        patched = mock.patch.dict(os.environ)
        patched.start()
        self.addCleanup(patched.stop)
        os.environ.pop("BUSYBOX_riscv", None)

    def package(self, path):
        """A package with one program in it; stands for what apt downloads."""
        root = self.repo.root / "package"
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(
            "Package: busybox-static\nVersion: 1\nArchitecture: all\nMaintainer: none\nDescription: none\n",
            encoding="utf-8")
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text("program", encoding="utf-8")
        made = self.repo.root / "busybox-static_1_riscv.deb"
        status, _, err = proc.call(["dpkg-deb", "--build", root, made])
        self.assertEqual(status, 0, err)
        return made

    def environment(self, package):
        """busybox.environment() where apt downloads this package."""
        private = mock.Mock(home=self.repo.layout.build / "apt-riscv")
        private.download.return_value = package
        private.home.mkdir(parents=True)
        with mock.patch("ground.apt.PrivateApt", return_value=private):
            return busybox.environment(self.repo.layout, ["riscv", os.uname().machine])

    def test_the_machines_own_architecture_needs_none(self):
        self.assertEqual(busybox.environment(self.repo.layout, [os.uname().machine]), {})

    def test_the_users_own(self):
        os.environ["BUSYBOX_riscv"] = "/opt/busybox"
        self.assertEqual(busybox.environment(self.repo.layout, ["riscv"]), {"BUSYBOX_riscv": "/opt/busybox"})

    def test_fetched_once(self):
        env = self.environment(self.package("usr/bin/busybox"))
        self.assertEqual(list(env), ["BUSYBOX_riscv"])
        self.assertEqual(Path(env["BUSYBOX_riscv"]).read_text(encoding="utf-8"), "program")
        with mock.patch("ground.apt.PrivateApt", side_effect=AssertionError):
            self.assertEqual(busybox.environment(self.repo.layout, ["riscv"]), env)

    def test_package_without_it(self):
        with self.assertRaises(Stop) as caught:
            self.environment(self.package("usr/share/doc/busybox"))
        self.assertIn("set BUSYBOX_riscv", str(caught.exception))

    def test_no_debian(self):
        entries = [apt.Entry("https://vendor.invalid/x", "noble")]
        with mock.patch("ground.apt.machine_entries", return_value=entries), self.assertRaises(Stop) as caught:
            busybox.environment(self.repo.layout, ["riscv"])
        self.assertIn("set BUSYBOX_riscv to a static busybox", str(caught.exception))

    def test_apt_is_told_the_architecture(self):
        entries = [apt.Entry("http://mirror.invalid/debian", "stable")]
        private = apt.PrivateApt(self.repo.layout.build / "apt", ["stable"], "", "riscv")
        with mock.patch("ground.apt.machine_entries", return_value=entries):
            private.prepare()
        _, out, err = proc.call(["apt-config", "-c", private.conf, "dump", "APT::Architecture"])
        self.assertIn('APT::Architecture "riscv";', out.decode(), err)


if __name__ == "__main__":
    unittest.main()
