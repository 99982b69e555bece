#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of vmtest.sh with a script for QEMU: python3 -B vmtest_test.py"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ARCH = os.uname().machine.replace("aarch64", "arm64")

# Does what its first argument says, and notes how many do so at a time.
QEMU = """#!/bin/sh
answer=ok status=0
for word; do
	case $word in
	file,id=console,*) console=${word##*path=} ;;
	file,id=result,*) result=${word##*path=} ;;
	esac
done
crowd() { find running -type f | wc -l; }
echo $$ > "running/$$"
echo "$@" >> commands
crowd >> crowds
echo "[    1.0] a kernel" > "$console"
case $1 in
hang) exec sleep 60 ;;
orphan) kill -KILL "$PPID" ;;
bad) answer="not ok" status=1 ;;
slow) sleep 2 ;;
tale)
	printf 'cost_2 5 ns\n# exit demo 0\n# done\n' > "$result"
	rm "running/$$"
	exit
	;;
social)
	tries=100
	while [ "$(crowd)" -lt 2 ] && [ "$((tries -= 1))" -gt 0 ]; do sleep 0.2; done
	sleep 2
	;;
esac
printf '# suite prog\\n1..1\\n%s 1 one\\n# exit prog %s\\n# done\\n' "$answer" $status > "$result"
rm "running/$$"
"""

# Notes what it is asked to run.
PYTHON = f"""#!/bin/sh
echo "${{1##*/}}" >> python
exec {sys.executable} "$@"
"""

CONF = """
ARCH={arch}
QEMU=./qemu
MACHINE=({what})
PORTS=()
CONSOLE=ttyS0
RESULT=ttyS1
CMDLINE=()
NO_FAULT_LOG=
TIMEOUT=60
TEST_DEVICES=()
DEMO_DEVICES=()
"""

TESTS = """
[prog]
kind = kselftest
machines = *
cases = one
"""


class VmtestTest(unittest.TestCase):
    """A harness of its own, whose machines do as they are told."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        for name in ("qemu", "tools", "running"):
            (self.top / name).mkdir()
        for path in HERE.iterdir():
            if path.suffix in (".sh", ".py"):
                shutil.copy(path, self.top / "qemu")
        self.write("qemu/tests.cfg", TESTS)
        self.write("kernel", "")
        self.program("tools/qemu", QEMU)
        # Not every machine has a kill beside the shell's own.
        for name in ("cpio", "make", "readelf", "busybox", "kill"):
            self.program(f"tools/{name}", "#!/bin/sh\ncat > /dev/null\n")

    def write(self, name, text):
        """A file under the top."""
        path = self.top / name
        path.write_text(text, encoding="utf-8")
        return path

    def program(self, name, text):
        """The same, to be run."""
        self.write(name, text).chmod(0o755)

    def machine(self, name, what, arch=ARCH):
        """A machine that does what it is told; returns its *.conf."""
        conf = self.write(f"qemu/{name}.conf", CONF.format(what=what, arch=arch).replace(
            "./qemu", str(self.top / "tools/qemu")))
        # In place of what the compiler would make.
        (self.top / "work" / arch / "bin").mkdir(parents=True, exist_ok=True)
        self.write(f"work/{arch}/bin/prog", "")
        return conf

    def start(self, *options, kernel=f"{ARCH}=kernel"):
        """vmtest.sh, running."""
        path = f"{self.top / 'tools'}:{os.environ['PATH']}"
        argv = [self.top / "qemu/vmtest.sh", "--work", "work", "--logs", "logs", *options]
        return subprocess.Popen(argv + (["--kernel", kernel] if kernel else []),
                                cwd=self.top, stdin=subprocess.DEVNULL, env=dict(os.environ, PATH=path),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run_it(self, *options, **keywords):
        """Exit status, lines of output and complaints."""
        with self.start(*options, **keywords) as child:
            out, err = child.communicate(timeout=60)
        return child.returncode, out.splitlines(), err

    def test_totals(self):
        self.machine("a", "good")
        self.machine("b", "good")
        status, lines, err = self.run_it()
        self.assertEqual((status, lines[-1]), (0, "4 passed, 0 failed, 0 skipped"), err)
        self.assertEqual([line.split(" (")[0] for line in sorted(lines[:-1])],
                         ["ok a:dmesg:no_splat", "ok a:prog:one",
                          "ok b:dmesg:no_splat", "ok b:prog:one"])

    def test_another_file_of_tests(self):
        self.machine("a", "good")
        self.machine("b", "good")
        self.write("fewer.cfg", TESTS.replace("*", "b"))
        status, lines, err = self.run_it("--config", "fewer.cfg")
        self.assertEqual((status, lines[-1]), (0, "2 passed, 0 failed, 0 skipped"), err)
        self.assertEqual(self.run_it("--config", "fewer.cfg", "--list")[1], ["b:prog:one"])
        self.assertIn("no file", self.run_it("--config", "none.cfg")[2])

    def test_failure(self):
        self.machine("a", "bad")
        self.machine("b", "good")
        status, lines, _ = self.run_it()
        self.assertEqual((status, lines[-1]), (1, "3 passed, 1 failed, 0 skipped"))
        self.assertEqual(self.run_it("--machine", "b")[0], 0)

    def test_jobs_at_a_time(self):
        for jobs, what in ((1, "slow"), (2, "social")):
            with self.subTest(jobs):
                self.write("crowds", "")
                for name in "abcd":
                    self.machine(name, what)
                self.assertEqual(self.run_it("--jobs", str(jobs))[0], 0)
                crowds = (self.top / "crowds").read_text(encoding="utf-8").split()
                self.assertEqual((len(crowds), max(map(int, crowds))), (4, jobs))

    def test_most_cases_first(self):
        self.write("qemu/tests.cfg", TESTS + TESTS.replace("prog", "more").replace("*", "b"))
        for name in "abc":
            self.machine(name, "good")
        lines = self.run_it("--jobs", "1")[1]
        order = [line.split(":")[0] for line in lines if ":prog:" in line]
        self.assertEqual(order, ["ok b", "ok a", "ok c"])

    def test_machine_without_a_verdict(self):
        self.machine("a", "good")
        self.machine("b", "orphan")
        status, lines, _ = self.run_it()
        self.assertEqual((status, lines[-1]), (1, "2 passed, 0 failed, 0 skipped"))

    def test_interrupted(self):
        self.machine("a", "hang")
        self.machine("b", "hang")
        with self.start("--jobs", "2") as child:
            running = self.wait_for(lambda: len(list((self.top / "running").iterdir())) == 2)
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=60)
        self.assertTrue(running)
        self.assertEqual(child.returncode, 130)
        for path in (self.top / "running").iterdir():
            self.assertFalse(self.alive(int(path.name)))

    @staticmethod
    def alive(pid):
        """Is there such a process, and has it not ended?"""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                return stat.read().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    @staticmethod
    def wait_for(question):
        """Whether it becomes true within two minutes: the host may be busy."""
        end = time.monotonic() + 120
        while not question() and time.monotonic() < end:
            time.sleep(0.05)
        return question()

    def test_soak_takes_minutes(self):
        self.machine("a", "good")
        for word in ("x", "08", "-1"):
            with self.subTest(word):
                status, _, err = self.run_it("--soak", word)
                self.assertEqual(status, 2)
                self.assertIn(f"minutes, not '{word}'", err)
        self.assertEqual(self.run_it("--soak", "8")[0], 0)

    def test_seed_is_a_number(self):
        self.machine("a", "good")
        for word in ("x", "08", "-1", "10000000000"):
            with self.subTest(word):
                status, _, err = self.run_it("--seed", word)
                self.assertEqual(status, 2)
                self.assertIn(f"a number, not '{word}'", err)
        self.assertEqual(self.run_it("--seed", "4294967295")[0], 0)

    def test_no_kernel(self):
        self.machine("a", "good")
        status, _, err = self.run_it(kernel=None)
        self.assertEqual(status, 2)
        self.assertIn(f"(--kernel {ARCH}=IMAGE)", err)

    def test_no_busybox_for_another_architecture(self):
        self.machine("a", "good", "sparc")
        status, _, err = self.run_it(kernel="sparc=kernel")
        self.assertEqual(status, 2)
        self.assertIn("set BUSYBOX_sparc to a static busybox", err)

    def test_monitor_where_the_machine_has_a_terminal_for_it(self):
        with open(self.machine("a", "good"), "a", encoding="utf-8") as conf:
            conf.write("MONITOR=hvc0\n")
        self.machine("b", "good")
        self.assertEqual(self.run_it("--jobs", "1")[0], 0)
        wired, plain = (self.top / "commands").read_text(encoding="utf-8").splitlines()
        self.assertIn("VMTEST_MONITOR=hvc0 ", wired)
        self.assertEqual(wired.count(f"path={self.top.resolve()}/logs/a/monitor"), 2)
        self.assertIn("VMTEST_MONITOR= ", plain)
        self.assertNotIn("-mon ", plain)

    def test_bench_prints_what_the_machine_says(self):
        (self.top / "qemu/bench").mkdir()
        self.machine("bench/a", "tale")
        self.machine("b", "good")
        status, lines, err = self.run_it("--bench", "--machine", "bench/a")
        self.assertEqual((status, lines), (0, ["cost_2 5 ns"]), err)
        self.assertEqual(self.run_it("--machines", kernel=None)[1], [f"b {ARCH}"])

    def test_bench_that_says_nothing(self):
        (self.top / "qemu/bench").mkdir()
        self.machine("bench/a", "good")
        status, lines, _ = self.run_it("--bench", "--machine", "bench/a")
        self.assertEqual(status, 1)
        self.assertIn("the machine ended early", lines[-1])

    def test_machines(self):
        self.machine("a", "good")
        self.machine("b", "good", "sparc")
        self.assertEqual(self.run_it("--machines", kernel=None)[:2],
                         (0, [f"a {ARCH}", "b sparc"]))
        self.write("qemu/tests.cfg", TESTS.replace("*", "b"))
        self.assertEqual(self.run_it("--machines", kernel=None)[:2], (0, ["b sparc"]))

    def test_list(self):
        self.machine("a", "good")
        self.machine("b", "good", "sparc")
        self.assertEqual(self.run_it("--list", kernel=None)[:2],
                         (0, ["a:prog:one", "b:prog:one"]))
        self.assertEqual(self.run_it("--list", "--machine", "b", "--machine", "a", kernel=None)[1],
                         ["b:prog:one", "a:prog:one"])

    def test_machine_is_told_its_programs(self):
        self.machine("a", "good")
        self.write("qemu/tests.cfg", TESTS + TESTS.replace("prog", "more"))
        self.run_it()
        self.assertIn(" VMTEST_SUITES=prog,more ", (self.top / "commands").read_text(encoding="utf-8"))

    def test_command(self):
        self.machine("q35-intel", "good")
        with open(self.machine("a", "-machine 'p c'"), "a", encoding="utf-8") as conf:
            conf.write("TEST_DEVICES=(-device no)\nDEMO_DEVICES=(-device e,x=1)\n")
        qemu = str(self.top / "tools/qemu")
        self.assertEqual(self.run_it("--command", "--machine", "a", kernel=None),
                         (0, [qemu, "-machine", "p c", "-device", "e,x=1"], ""))
        self.assertEqual(self.run_it("--command", kernel=None), (0, [qemu, "good"], ""))
        self.assertEqual(self.run_it("--command", "--machine", "b", kernel=None),
                         (2, [], "vmtest: no machine 'b'; there are: a q35-intel\n"))
        self.assertFalse((self.top / "logs").exists())

    def test_command_needs_no_plan(self):
        self.machine("a", "good")
        self.write("qemu/tests.cfg", "[prog]\n")
        self.assertEqual(self.run_it("--command", "--machine", "a", kernel=None)[0], 0)

    def test_suite_that_no_machine_runs(self):
        self.machine("a", "good")
        for mode in ("--list", "--machines", "--demo --machine a", "--jobs 1"):
            with self.subTest(mode):
                status, lines, err = self.run_it(*mode.split(), "--suite", "prog", "--suite", "none")
                self.assertEqual((status, lines, err), (2, [], "vmtest: no suite 'none' on a\n"))

    def test_case_that_is_lost(self):
        self.machine("a", "good")
        self.machine("b", "good")
        self.write("qemu/tests.cfg", "[topologies]\nfar = b\n" +
                   TESTS.replace("one", "one\n\tsight.{far}:\n\t\topens"))
        status, lines, _ = self.run_it("--suite", "prog")
        self.assertEqual((status, lines[-1]), (1, "4 passed, 1 failed, 0 skipped"))
        self.assertIn("not ok b:prog:sight.far.opens (did not run; log ", "\n".join(lines))

    def test_is_planned_once(self):
        self.program("tools/python3", PYTHON)
        for name in "abc":
            self.machine(name, "good")
        self.write("qemu/tests.cfg", TESTS.replace("*", "a b") + TESTS.replace("prog", "more"))
        for mode, boots in (("--list", 0), ("--machines", 0), ("--jobs 1", 2)):
            with self.subTest(mode):
                self.write("python", "")
                self.run_it(*mode.split(), "--suite", "prog")
                asked = (self.top / "python").read_text(encoding="utf-8").split()
                self.assertEqual(asked, ["plan.py"] + ["boot.py"] * boots)

    def test_mistake_in_tests_cfg(self):
        self.machine("a", "good")
        self.machine("b", "good")
        self.write("qemu/tests.cfg", TESTS.replace("machines = *", "machines = c"))
        for words in ([], ["--list"], ["--machines"], ["--list", "--suite", "prog"]):
            with self.subTest(words):
                self.assertEqual(self.run_it(*words),
                                 (1, [], "tests.cfg: [prog]: 'c' is nowhere\n"))


if __name__ == "__main__":
    unittest.main()
