# SPDX-License-Identifier: GPL-2.0-only
"""export: what mail programs, git am and b4 get to see; CHANGES and the letter."""

import email
import email.policy
import unittest

from tests.fake import BASE, changed_base, LETTER, Repository

from give import cover, export
from ground import git
from ground.errors import Stop
from patches import changes, refresh, series

OWNER = "drivers/iommu/dma-owner.c"
MAKEFILE = "drivers/iommu/Makefile"
SIGNER = "Jörg Müller <j@m.invalid>"


class Exported(unittest.TestCase):
    """A series of two patches, exported."""

    def setUp(self):
        self.repo = Repository()
        self.addCleanup(self.repo.close)
        self.repo.commit("iommu: Add the owner", {OWNER: "/* ├─ */\n", MAKEFILE: BASE[MAKEFILE] + "obj-y += dma-owner.o\n"})
        self.repo.commit("iommu: Say grüße", {"drivers/iommu/iommu.c": BASE["drivers/iommu/iommu.c"] + "more\n"})
        refresh.refresh(self.repo.layout)

    def export(self, signoff=SIGNER):
        """./dma-owner export; returns the mails as {name: bytes}."""
        repo = self.repo
        mail, _ = export.export(repo.layout, repo.source, series.load(repo.layout), repo.tree(), signoff)
        return {path.name: path.read_bytes() for path in sorted(mail.iterdir())}

    def parsed(self, signoff=SIGNER):
        """The mails as the standard library reads them, in order."""
        return [email.message_from_bytes(data, policy=email.policy.default) for data in self.export(signoff).values()]

    def test_of_ports(self):
        for name in ("6.1", "7.3"):
            self.repo.port(name)
        for name, tag in (("6.1", "[PATCH 6.1 1/1]"), ("7.3", "[PATCH 1/1]")):
            port = self.repo.port(name)
            port.commit("iommu: Edit", changed_base("drivers/iommu/iommu.c", "line 7", f"line {name}"))
            refresh.refresh(port.layout)
            folders = export.export(port.layout, port.source, series.load(port.layout), port.tree(), SIGNER)
            self.assertEqual(folders, [self.repo.root / f"out/{name}/mail", self.repo.root / f"out/{name}/quilt"])
            mail = (folders[0] / "0001-iommu-edit.patch").read_text(encoding="utf-8")
            self.assertIn(f"Subject: {tag} iommu: Edit\n", mail)

    def test_letter_of_a_port(self):
        port = self.repo.port("6.1")
        self.repo.write("ports/6.1/cover-letter", LETTER.replace("Why", "Whither"))
        self.assertIn("Whither", cover.text(port.layout, [], "fake")[1])
        self.assertIn("Why", cover.text(self.repo.layout, [], "fake")[1])

    def test_all_answer_the_cover_letter(self):
        letter, *rest = self.parsed()
        self.assertEqual(len({mail["Message-Id"] for mail in [letter, *rest]}), 3)
        self.assertIsNone(letter["In-Reply-To"])
        for mail in rest:
            self.assertEqual({mail["In-Reply-To"], mail["References"]}, {letter["Message-Id"]})

    def test_same_content_same_mails(self):
        first = self.export()
        self.assertEqual(self.export(), first)
        other = self.export("A B <a@b.invalid>")
        self.assertNotIn(b"m.invalid", other["0000-cover-letter.patch"])

    def test_another_letter_has_other_ids(self):
        before = self.parsed()[0]["Message-Id"]
        self.repo.write("cover-letter", LETTER.replace("Why", "Whither"))
        self.assertNotEqual(self.parsed()[0]["Message-Id"], before)

    def test_headers_are_ascii_and_read_back(self):
        for data in self.export().values():
            self.assertTrue(data.partition(b"\n\n")[0].isascii())
        mails = self.parsed()
        self.assertEqual(mails[2]["From"], SIGNER)
        self.assertEqual(mails[2]["Subject"], "[PATCH 5.10 2/2] iommu: Say grüße")

    def test_a_diff_in_utf8_is_declared(self):
        mail = self.parsed("A B <a@b.invalid>")[1]
        self.assertEqual(mail["Content-Transfer-Encoding"], "8bit")
        self.assertIn("├─", mail.get_content())

    def test_letter(self):
        letter = self.parsed()[0]
        text = letter.get_content()
        self.assertEqual(letter["Subject"], "[PATCH 5.10 0/2] Owners for Linux 5.10")
        for words in ("Why, and how, on fake 1.", "Version 1:\n\n- All of it.", "Jörg Müller (2):\n  iommu: Add the owner",
                      f"{OWNER} ", f"\nbase-commit: {self.repo.tree().base_commit()}\n"):
            self.assertIn(words, text)

    def test_version_in_the_subjects(self):
        self.repo.write("CHANGES", "Version 2\n\n- More.\n\nVersion 1\n\n- All of it.\n")
        mails = self.parsed()
        self.assertEqual(mails[1]["Subject"], "[PATCH 5.10 v2 1/2] iommu: Add the owner")
        self.assertIn("Version 2:\n\n- More.\n\nVersion 1:", mails[0].get_content())

    def test_mailsplit_and_am_give_the_tree(self):
        tree = self.repo.tree()
        box = self.repo.root / ".build/box"
        box.write_bytes(b"".join(self.export().values()))
        fresh = git.Git(self.repo.root / ".build/fresh", **git.IDENT)
        tree.git.bytes("clone", "-q", "-b", "base", str(tree.path), str(fresh.path))
        fresh.bytes("am", "-q", "--empty=drop", str(box))
        self.assertEqual(fresh.tree_of("HEAD"), tree.git.tree_of("HEAD"))
        self.assertEqual(fresh.message("HEAD"), f"iommu: Say grüße\n\nText.\n\nSigned-off-by: {SIGNER}\n")
        self.assertEqual(fresh.text("log", "-1", "--format=%an <%ae>"), SIGNER)

    def test_signoff(self):
        for bad in (None, "", "Name", "Name mail@x", "<a@b>", "A <a@b> <c@d>", "A\nB <a@b.invalid>"):
            with self.assertRaises(Stop, msg=repr(bad)) as caught:
                self.export(bad)
            self.assertIn("SIGNOFF='Your Name", str(caught.exception))
        self.assertFalse((self.repo.root / "out").exists())


class Words(unittest.TestCase):
    """The files CHANGES and cover-letter, misspelt."""

    def stops(self, words, function, text):
        """The call must stop with these words."""
        with self.assertRaises(Stop) as caught:
            function(text)
        self.assertIn(words, str(caught.exception))

    def test_changes(self):
        self.assertEqual(changes.parse("# c\n\nVersion 2\n\n- b\n\nVersion 1\n\n- a\n"), [(2, "- b"), (1, "- a")])
        self.stops("is the form", changes.parse, "Version one\n\n- a\n")
        self.stops("is the form", changes.parse, "Version 1\n")
        self.stops("newest version comes first", changes.parse, "Version 1\n\n- a\n\nVersion 2\n\n- b\n")

    def test_letter(self):
        self.assertEqual(cover.parse("# c\nSubject: S\n\nText {base}\n"), ("S", "Text {base}"))
        self.stops("begins with", cover.parse, "Text\n")
        self.stops("{bsae} is none of", cover.parse, "Subject: S\n\n{bsae}\n")


if __name__ == "__main__":
    unittest.main()
