# SPDX-License-Identifier: GPL-2.0-only
"""A newer QEMU: the user's own, or Debian's unpacked, or none."""

import contextlib
import io
import os
import subprocess
import unittest
from unittest import mock

from tests.fake import Repository

from ground.errors import Stop
from machine import qemu

# What mmdebstrap would leave behind: a loader that says what it is given.
UNPACK = """#!/bin/sh
for word; do last2=$last; last=$word; done
mkdir -p "$last2/usr/lib/x86_64-linux-gnu" "$last2/usr/bin"
printf '#!/bin/sh\\necho "$@"\\n' > "$last2/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
chmod +x "$last2/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
echo "$@" > "$last2/words"
"""


class Qemu(unittest.TestCase):
    """The variable for the harness."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.tools = self.repo.root / "tools"
        self.repo.write("tools/mmdebstrap", UNPACK)
        (self.tools / "mmdebstrap").chmod(0o755)
        patched = mock.patch.dict(os.environ, PATH=f"{self.tools}:{os.environ['PATH']}")
        patched.start()
        self.addCleanup(patched.stop)
        os.environ.pop(qemu.VARIABLE, None)

    def environment(self, missing=None):
        """What environment() gives, and what it says."""
        said = io.StringIO()
        with mock.patch("machine.qemu.packages.ensure", side_effect=missing), \
                mock.patch("machine.qemu.apt.PrivateApt.prepare"), contextlib.redirect_stderr(said):
            env = qemu.environment(self.repo.layout)
        return env, said.getvalue()

    def test_the_users_own(self):
        os.environ[qemu.VARIABLE] = "/mine"
        self.assertEqual(self.environment()[0], {qemu.VARIABLE: "/mine"})

    def test_unpacked_and_kept(self):
        env, _ = self.environment()
        said = subprocess.run([env[qemu.VARIABLE], "-M", "q35"], capture_output=True, check=True, text=True).stdout
        self.assertRegex(said, r"--library-path \S+ \S+/usr/bin/qemu-system-x86_64 -L .* -M q35")
        words = (self.repo.layout.build / "qemu/root/words").read_text(encoding="utf-8")
        self.assertIn('APT::Default-Release "trixie-backports"', words)
        (self.tools / "mmdebstrap").unlink()
        self.assertEqual(self.environment()[0], env)

    def test_goes_along_when_the_repository_is_moved(self):
        self.environment()
        moved = (self.repo.layout.build / "qemu").rename(self.repo.root / "moved")
        said = subprocess.run([moved / "qemu-system-x86_64", "-M", "q35"], capture_output=True, check=True, text=True)
        self.assertIn(f"{moved}/root/usr/bin/qemu-system-x86_64", said.stdout)

    def test_cannot_be_had(self):
        self.repo.write("tools/mmdebstrap", "#!/bin/sh\nexit 1\n")
        (self.tools / "mmdebstrap").chmod(0o755)
        self.assertEqual(self.environment()[0], {})
        self.assertEqual(self.environment(missing=Stop("no apt"))[0], {})
        self.assertFalse((self.repo.layout.build / "qemu/qemu-system-x86_64").exists())


if __name__ == "__main__":
    unittest.main()
