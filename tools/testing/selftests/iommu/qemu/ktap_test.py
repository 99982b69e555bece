#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of ktap.py on canned logs: python3 -B ktap_test.py"""

import unittest

import ktap
from plan import Expected

PASS = """\
# suite prog
TAP version 13
1..2
# Starting 2 tests from 1 test cases.
#  RUN           group.one ...
#            OK  group.one
ok 1 group.one
#  RUN           group.two ...
#            OK  group.two
ok 2 group.two
# PASSED: 2 / 2 tests passed.
# Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0
# exit prog 0
# done
"""

KUNIT = """\
[    0.100000] TAP version 14
[    0.100001] 1..1
[    0.200000]     # Subtest: mock
[    0.200001]     1..2
[    0.300000]     ok 1 - first
[    0.500000]     ok 2 - second
[    0.500001] ok 1 - mock
[    1.000000] Run /init as init process
"""

CRASH = """\
[    5.803002] ------------[ cut here ]------------
[    5.803245] kernel BUG at ../../base/drivers/vfio/vfio.c:698!
[    5.803500] invalid opcode: 0000 [#1] SMP PTI
[    5.805406] Call Trace:
[    5.808934] Kernel panic - not syncing: Fatal exception
"""

CASES = {"prog": ["group.one", "group.two"]}


def wanted(cases, absent=()):
    """{suite: cases} as the logs take it, the same cases absent from each."""
    return {name: Expected([one for one in listed if one not in absent], list(absent))
            for name, listed in cases.items()}


def without(text, *needles):
    """The text less the lines that contain one of the needles."""
    return "".join(line + "\n" for line in text.splitlines()
                   if not any(needle in line for needle in needles))


def result(text, cause="", cases=None, absent=()):
    """What a result log says: {case: (outcome, reason)}."""
    log = ktap.ResultLog(wanted(CASES if cases is None else cases, absent))
    verdicts = []
    for second, line in enumerate(text.splitlines()):
        verdicts += log.feed(line, float(second))
    verdicts += log.finish(cause)
    return {verdict.case: (verdict.outcome, verdict.reason)
            for verdict in verdicts}


def console(text, cause="", cases=None, every=False, watched=None):
    """What a console log says, in the same form."""
    log = ktap.ConsoleLog(wanted({"mock": []} if cases is None else cases), every, watched)
    verdicts = []
    for line in text.splitlines():
        verdicts += log.feed(line)
    verdicts += log.finish(cause)
    return {verdict.case: (verdict.outcome, verdict.reason)
            for verdict in verdicts}


OK = ("ok", "")
NOT_RUN = ("not ok", "did not run")


class ResultTest(unittest.TestCase):
    """The result port."""

    def test_pass(self):
        self.assertEqual(result(PASS), {"group.one": OK, "group.two": OK})

    def test_seconds_run_from_start_to_result(self):
        log = ktap.ResultLog(wanted(CASES))
        verdicts = [verdict for second, line in enumerate(PASS.splitlines())
                    for verdict in log.feed(line, float(second))]
        self.assertEqual([verdict.seconds for verdict in verdicts], [2, 2])

    def test_failure_names_the_first_assertion(self):
        text = PASS.replace("ok 1", "not ok 1").replace(
            "#            OK  group.one",
            "# prog.c:12:one:Expected 0 (0) == ret (-16)\n"
            "# prog.c:13:one:Expected 1 (1) == x (2)\n"
            "# one: Test terminated by assertion")
        self.assertEqual(result(text)["group.one"],
                         ("not ok", "prog.c:12: Expected 0 (0) == ret (-16)"))
        self.assertEqual(result(text)["group.two"], OK)

    def test_pass_tells_what_was_counted(self):
        text = PASS.replace("#            OK  group.one",
                            "# faults injected: 87\n# 12 is: no count\n"
                            "# refused: 3 claims")
        self.assertEqual(result(text)["group.one"], ("ok", "faults injected: 87"))
        self.assertEqual(result(text)["group.two"], OK)

    def test_failure_of_a_script(self):
        text = PASS.replace("ok 1", "not ok 1").replace(
            "#            OK  group.one", "# x.sh:one:only 0 files came")
        self.assertEqual(result(text)["group.one"],
                         ("not ok", "x.sh: only 0 files came"))

    def test_timeout_is_named(self):
        text = PASS.replace("ok 2", "not ok 2").replace(
            "#            OK  group.two", "# two: Test terminated by timeout")
        self.assertEqual(result(text)["group.two"],
                         ("not ok", "Test terminated by timeout"))

    def test_skip_takes_its_name_from_the_run_line(self):
        text = PASS.replace("ok 2 group.two", "ok 2 # SKIP no such group")
        self.assertEqual(result(text)["group.two"], ("skip", "no such group"))

    def test_absent_case_is_not_heard_of(self):
        skipped = PASS.replace("ok 2 group.two", "ok 2 # SKIP no such group")
        for text in (skipped, without(PASS, "group.two").replace("1..2", "1..1")):
            with self.subTest(text):
                self.assertEqual(result(text, absent=["group.two"]),
                                 {"group.one": OK})

    def test_absent_case_that_runs(self):
        failed = PASS.replace("ok 2", "not ok 2").replace("prog 0", "prog 1")
        for text in (PASS, failed):
            with self.subTest(text):
                self.assertEqual(result(text, absent=["group.two"]), {
                    "group.one": OK,
                    "group.two": ("not ok", "ran, which tests.cfg says it cannot")})

    def test_death_blames_the_case_under_way(self):
        text = "\n".join(PASS.splitlines()[:5])
        self.assertEqual(result(text, "kernel BUG at x.c:1!"),
                         {"group.one": ("not ok", "kernel BUG at x.c:1!"),
                          "group.two": NOT_RUN})

    def test_death_between_cases_blames_the_next(self):
        text = "\n".join(PASS.splitlines()[:7])
        self.assertEqual(result(text, "Oops: 0002"),
                         {"group.one": OK, "group.two": ("not ok", "Oops: 0002")})

    def test_hang(self):
        text = "\n".join(PASS.splitlines()[:8])
        self.assertEqual(result(text, "said nothing for 240 s")["group.two"],
                         ("not ok", "said nothing for 240 s"))

    def test_nothing_came(self):
        self.assertEqual(result("", "Kernel panic - not syncing: VFS"),
                         {"group.one": NOT_RUN, "group.two": NOT_RUN})

    def test_program_missing(self):
        text = "# suite prog\nsh: prog: not found\n# exit prog 127\n# done\n"
        self.assertEqual(result(text), {"group.one": NOT_RUN,
                                        "group.two": NOT_RUN,
                                        "exit": ("not ok", "exit status 127")})

    def test_missing_plan(self):
        self.assertEqual(result(without(PASS, "1..2"))["plan"],
                         ("not ok", "no plan"))

    def test_plan_not_kept(self):
        text = PASS.replace("1..2", "1..3")
        self.assertEqual(result(text)["plan"], ("not ok", "planned 3, saw 2"))

    def test_missing_case(self):
        text = without(PASS, "group.two").replace("1..2", "1..1")
        self.assertEqual(result(text), {"group.one": OK, "group.two": NOT_RUN})

    def test_unlisted_case(self):
        self.assertEqual(result(PASS, cases={"prog": ["group.one"]})["group.two"],
                         ("not ok", "not listed in tests.cfg"))

    def test_case_twice(self):
        text = PASS.replace("group.two", "group.one")
        self.assertEqual(result(text)["group.one"], ("not ok", "ran twice"))

    def test_status_contradicts_the_cases(self):
        text = PASS.replace("# exit prog 0", "# exit prog 1")
        self.assertEqual(result(text)["exit"], ("not ok", "exit status 1"))

    def test_killed_program(self):
        text = PASS.replace("# exit prog 0", "# exit prog 139")
        self.assertEqual(result(text)["exit"], ("not ok", "exit status 139"))


class ConsoleTest(unittest.TestCase):
    """The console."""

    def test_kunit_pass(self):
        self.assertEqual(console(KUNIT), {"first": OK, "second": OK,
                                          "no_splat": OK})

    def test_seconds_are_the_kernels(self):
        log = ktap.ConsoleLog(wanted({"mock": []}), False)
        seconds = [verdict.seconds for line in KUNIT.splitlines()
                   for verdict in log.feed(line)]
        self.assertEqual([round(second, 1) for second in seconds], [0.1, 0.2])

    def test_failure_names_the_expectation(self):
        text = KUNIT.replace("[    0.500000]     ok 2", """\
[    0.490000]     # second: EXPECTATION FAILED at ../../base/drivers/x.c:7
[    0.490000]     Expected ret == 0, but
[    0.490000]         ret == -16
[    0.490000]     # second: EXPECTATION FAILED at ../../base/drivers/x.c:9
[    0.490000]     Expected other to be true, but is false
[    0.490000]
[    0.500000]     not ok 2""")
        self.assertEqual(console(text)["second"], (
            "not ok", "EXPECTATION FAILED at drivers/x.c:7 "
            "Expected ret == 0, but ret == -16"))

    def test_suite_absent(self):
        self.assertEqual(console("", cases={"mock": []})["plan"], NOT_RUN)
        self.assertEqual(console("", cases={"mock": ["first"]})["first"], NOT_RUN)

    def test_required_case_absent(self):
        cases = {"mock": ["first", "second", "third"]}
        self.assertEqual(console(KUNIT, cases=cases)["third"], NOT_RUN)

    def test_unlisted_suite_is_reported_when_asked_for(self):
        self.assertNotIn("first", console(KUNIT, cases={}))
        self.assertEqual(console(KUNIT, cases={}, every=True)["first"], OK)

    def test_silence_is_no_clean_log(self):
        self.assertEqual(console("")["no_splat"], ("not ok", "no console output"))

    def test_kunit_plan_not_kept(self):
        text = without(KUNIT, "ok 2 - second")
        self.assertEqual(console(text)["plan"], ("not ok", "planned 2, saw 1"))

    def test_death_in_a_suite_of_unlisted_cases(self):
        text = "\n".join(KUNIT.splitlines()[:5]) + "\n" + CRASH
        self.assertEqual(console(text, "Oops: 0002")["plan"],
                         ("not ok", "Oops: 0002"))

    def test_death_in_a_suite(self):
        text = "\n".join(KUNIT.splitlines()[:5]) + "\n" + CRASH
        verdicts = console(text, "kernel BUG at drivers/vfio/vfio.c:698!",
                           {"mock": ["first", "second"]})
        self.assertEqual(verdicts["second"],
                         ("not ok", "kernel BUG at drivers/vfio/vfio.c:698!"))

    def test_splats(self):
        for line in ("WARNING: CPU: 0 PID: 1 at drivers/iommu/iommu.c:1 f+0x1/0x2",
                     "WARNING: possible circular locking dependency detected",
                     "BUG: KASAN: use-after-free in f+0x1/0x2",
                     "BUG: sleeping function called from invalid context",
                     "rcu: INFO: rcu_sched self-detected stall on CPU",
                     "Kernel panic - not syncing: Attempted to kill init!",
                     "general protection fault: 0000 [#1]",
                     "kmemleak: 3 new suspected memory leaks",
                     "unreferenced object 0xffff888003a6d000 (size 64):",
                     "Call Trace:"):
            with self.subTest(line):
                self.assertEqual(console(KUNIT + f"[    2.0] {line}\n")["no_splat"],
                                 ("not ok", line))

    def test_harmless_lines(self):
        for line in ("kmemleak: Kernel memory leak detector initialized",
                     "kmemleak: 0 new suspected memory leaks",
                     "rcu: Hierarchical RCU implementation.",
                     "e1000 0000:02:03.0: probe refused: IOMMU group 3 is "
                     "owned by userspace (vfioctl[88])"):
            with self.subTest(line):
                self.assertEqual(console(KUNIT + f"[    2.0] {line}\n")["no_splat"],
                                 OK)

    def test_one_stack_is_dumped_for_want_of_a_sysctl(self):
        text = KUNIT + ("[    2.0] sysctl could not get directory: "
                        "/net/ipv4/conf//eth1 -12\n"
                        "[    2.0] CPU: 0 PID: 83 Comm: test\n"
                        "[    2.0] Call Trace:\n")
        self.assertEqual(console(text)["no_splat"], OK)
        text += "[    2.1] Call Trace:\n"
        self.assertEqual(console(text)["no_splat"], ("not ok", "Call Trace:"))

    def test_data_races(self):
        ours = "BUG: KCSAN: data-race in claim_device.isra.0 / tick_sched_timer"
        other = "BUG: KCSAN: data-race in find_busiest_group+0x1/0x2"
        for watched, text, verdict in (
                (None, other, ("not ok", other)),
                ([], other, ("ok", "races elsewhere: 1: find_busiest_group")),
                (["claim_device"], other, ("ok", "races elsewhere: 1: find_busiest_group")),
                (["claim_device"], ours, ("not ok", ours)),
                (["tick_sched_timer"], ours, ("not ok", ours)),
                (["claim"], ours, ("ok", "races elsewhere: 1: claim_device / tick_sched_timer"))):
            with self.subTest(watched=watched, text=text):
                self.assertEqual(console(KUNIT + f"[    2.0] {text}\n", watched=watched)["no_splat"],
                                 verdict)

    def test_first_splat_counts_and_its_path_is_the_trees(self):
        self.assertEqual(console(KUNIT + CRASH)["no_splat"],
                         ("not ok", "kernel BUG at drivers/vfio/vfio.c:698!"))


class LineTest(unittest.TestCase):
    """What is printed."""

    def test_lines(self):
        for verdict, line in (
                (ktap.Verdict("s", "c", "ok", "", 1.23), "ok m:s:c (1.2 s)"),
                (ktap.Verdict("s", "c", "ok", "faults: 3", 1.23),
                 "ok m:s:c (1.2 s; faults: 3)"),
                (ktap.Verdict("s", "c", "ok"), "ok m:s:c"),
                (ktap.Verdict("s", "c", "not ok", "why"),
                 "not ok m:s:c (why; log /l)"),
                (ktap.Verdict("s", "c", "skip", "why"), "skip m:s:c (why)")):
            with self.subTest(line):
                self.assertEqual(verdict.line("m", "/l"), line)


if __name__ == "__main__":
    unittest.main()
