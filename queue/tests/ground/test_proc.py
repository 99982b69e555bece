# SPDX-License-Identifier: GPL-2.0-only
"""Child processes, which end with the run, and a disk that is full."""

import os
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

from ground import git, proc
from ground.errors import Stop


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


class Background(unittest.TestCase):
    """What lets others first, and what does not."""

    @staticmethod
    def _said(before):
        """What a child says of its niceness, and of that of its session if they have one,
        after before()."""
        with ThreadPoolExecutor(1) as pool:
            pool.submit(before).result()
            words = ["sh", "-c", "sleep 0.2; nice; ! [ -e /proc/$$/autogroup ] || cat /proc/$$/autogroup"]
            return pool.submit(proc.call, words).result()[1].decode().split()

    def test_what_steps_back(self):
        self.assertEqual(self._said(proc.step_back)[0], str(proc.BACKGROUND))

    def test_others_stay(self):
        self.assertEqual(self._said(lambda: None)[0], str(proc.niceness()))

    def test_session_that_steps_back(self):
        self.assertEqual(self._said(proc.step_back)[-1], str(proc.BACKGROUND))


class FullDisk(unittest.TestCase):
    """The one line for it."""

    def test_full_disk_of_git(self):
        words = b"fatal: sha1 file '/t/.git/index.lock' write error. Out of diskspace\n"
        with mock.patch.object(proc, "call", return_value=(128, b"", words)):
            with self.assertRaisesRegex(Stop, "^the disk is full: free some space under /t, then run"):
                git.Git("/t").bytes("status")


if __name__ == "__main__":
    unittest.main()
