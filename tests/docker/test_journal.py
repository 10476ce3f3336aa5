"""Tests for :mod:`txstorage.docker.journal`."""

from __future__ import annotations

import os
import stat

import attr
from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.journal import Journal, KnownVolume

PG = KnownVolume("pg", "id-1", 2**30, "node-1", {"docker-name": "pg"}, "2026-01-01T00:00:00")


class JournalTests(SynchronousTestCase):
    """The journal in a file."""

    def setUp(self) -> None:
        self.path = self.mktemp()
        self.journal = self.open()

    def open(self, boot: str = "boot-1") -> Journal:
        """Open the file once more; :return: the journal."""
        journal = Journal(self.path, boot)
        self.addCleanup(journal.close)
        return journal

    def test_kept(self) -> None:
        """Everything recorded is there after a crash."""
        other = attr.evolve(PG, name="a1", attached_to=None)
        self.journal.keep([PG, other])
        self.journal.claim("pg", "c1")
        again = self.open()
        self.assertEqual([other, PG], again.volumes())
        self.assertEqual(PG, again.volume("pg"))
        self.assertEqual({"c1"}, again.claims("pg"))
        self.assertIsNone(again.volume("b1"))
        self.assertIsNone(again.damaged)

    def test_replaced(self) -> None:
        """A later state replaces an earlier one."""
        self.journal.keep([PG])
        changed = attr.evolve(PG, size=2**31, attached_to=None, labels={"x": "y"})
        self.journal.keep([changed])
        self.assertEqual([changed], self.journal.volumes())

    def test_forgotten(self) -> None:
        """A forgotten volume has no claims left."""
        self.journal.keep([PG])
        self.journal.claim("pg", "c1")
        self.journal.forget("pg")
        self.assertEqual(([], frozenset()), (self.journal.volumes(), self.journal.claims("pg")))

    def test_claims(self) -> None:
        """Claims are a set: one may be made twice, and is given back once."""
        self.journal.claim("pg", "c1")
        self.journal.claim("pg", "c1")
        self.journal.claim("pg", "c2")
        self.journal.claim("a1", "c1")
        self.journal.give_back("pg", "c1")
        self.assertEqual({"c2"}, self.journal.claims("pg"))
        self.journal.give_back("pg", "c1")
        self.journal.give_back("pg")
        self.assertEqual((set(), {"c1"}), (self.journal.claims("pg"), self.journal.claims("a1")))

    def test_reboot(self) -> None:
        """A boot makes all claims void, but not the volumes."""
        self.journal.keep([PG])
        self.journal.claim("pg", "c1")
        again = self.open("boot-2")
        self.assertEqual(([PG], frozenset()), (again.volumes(), again.claims("pg")))

    def test_private(self) -> None:
        """Only root reads the file."""
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path).st_mode))

    def test_damaged(self) -> None:
        """A damaged journal is put aside, and another one begun."""
        self.journal.keep([PG])
        self.journal.close()
        with open(self.path, "r+b") as opened:
            opened.write(b"no database" * 1000)
        again = self.open()
        self.assertEqual([], again.volumes())
        self.assertEqual(self.path + ".damaged", again.damaged)
        with open(self.path + ".damaged", "rb") as opened:
            self.assertTrue(opened.read().startswith(b"no database"))
        again.keep([PG])
        self.assertEqual([PG], again.volumes())
