"""Tests for :mod:`txstorage.docker.diagnosis.node`."""

from __future__ import annotations

import os
import subprocess

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from txstorage.docker.diagnosis import node
from txstorage.docker.diagnosis.node import (
    check_encryption,
    check_journal,
    check_programs,
    check_view,
    known_volumes,
    process_with,
    shares,
)
from txstorage.docker.diagnosis.results import CheckResult
from txstorage.docker.journal import Journal, KnownVolume
from txstorage.errors import ProgramMissing
from txstorage.filesystem import Options


class ProgramsTests(SynchronousTestCase):
    """The programs of file systems."""

    def found(self, missing: str, *used: str) -> CheckResult:
        """:return: the finding when a program is missing."""

        def installed(program: str) -> str:
            if program == missing:
                raise ProgramMissing(program, "a-package")
            return "/sbin/" + program

        self.patch(node, "installed", installed)
        return check_programs(used)

    def test_well(self) -> None:
        """With all programs, all kinds are possible."""
        found = self.found("")
        self.assertEqual(CheckResult("ok", "programs for: ext4, xfs, btrfs"), found)

    def test_missing(self) -> None:
        """A program that the volumes need is missing; the remedy names its package."""
        for program, used in (("mkfs.xfs", "xfs"), ("e2fsck", "ext4"), ("blkid", "ext4")):
            found = self.found(program, used)
            self.assertEqual("fail", found.outcome)
            self.assertIn(program, found.detail)
            self.assertEqual("install the package a-package", found.remedy)

    def test_not_needed(self) -> None:
        """The programs of a kind that no volume has are no failure; the kind is not possible."""
        self.assertEqual(
            CheckResult("ok", "programs for: ext4, btrfs"), self.found("mkfs.xfs", "ext4")
        )


class EncryptionTests(SynchronousTestCase):
    """The needs of encrypted volumes."""

    def test_none(self) -> None:
        """Without an encrypted volume and without a key, nothing is needed."""
        self.assertEqual("skipped", check_encryption([], None).outcome)

    def test_problems(self) -> None:
        """A missing program and a missing key are failures, each with its remedy."""

        def installed(program: str) -> str:
            raise ProgramMissing(program, "cryptsetup-bin")

        self.patch(node, "installed", installed)
        found = check_encryption(["pg"], None)
        self.assertEqual("fail", found.outcome)
        self.assertIn("cryptsetup", found.detail)
        self.assertIn("this node has no key", found.detail)
        self.assertIn("cryptsetup-bin", found.remedy)

    def test_well(self) -> None:
        """With all of it, encrypted volumes can be opened."""
        self.patch(node, "installed", lambda program: "/sbin/" + program)
        self.patch(node, "problem_of", lambda key_file: None)
        expected = CheckResult("ok", "encrypted volumes can be opened")
        self.assertEqual(expected, check_encryption([], "/key"))


class JournalTests(SynchronousTestCase):
    """The plugin's journal."""

    def setUp(self) -> None:
        self.path = os.path.abspath(self.mktemp())
        self.journal = Journal(self.path, "boot")
        self.addCleanup(self.journal.close)
        self.journal.keep([KnownVolume("pg", "id", 1, labels={"docker-fs": "xfs"})])

    def test_in_use(self) -> None:
        """A journal in use can be read, and is not changed."""
        self.assertEqual(("ok", True), (check_journal(self.path).outcome,
                                        "1 volume" in check_journal(self.path).detail))  # fmt: skip
        self.assertEqual({"pg": Options("xfs")}, known_volumes(self.path))
        self.assertEqual(1, len(self.journal.volumes()))

    def test_none(self) -> None:
        """Before the first start there is none."""
        self.assertEqual("skipped", check_journal(self.path + ".none").outcome)
        self.assertEqual({}, known_volumes(self.path + ".none"))
        self.assertFalse(os.path.exists(self.path + ".none"))

    def test_damaged(self) -> None:
        """A damaged journal is a failure; a former one that was moved away is a warning."""
        self.journal.close()
        with open(self.path + ".damaged", "w"):
            pass
        self.assertEqual("warning", check_journal(self.path).outcome)
        with open(self.path, "wb") as opened:
            opened.write(b"x" * 8192)
        found = check_journal(self.path)
        self.assertEqual("fail", found.outcome)
        self.assertIn("restart the plugin", found.remedy)
        self.assertEqual({}, known_volumes(self.path))


class ViewTests(SynchronousTestCase):
    """The engine's view of the plugin's mounts."""

    def setUp(self) -> None:
        if os.getuid() != 0:
            raise SkipTest("mount namespaces need root")

    def process(self, propagation: str | None) -> int:
        """:return: the id of a process, in a mount namespace of its own unless it is ``None``."""
        words = ["sh", "-c", "echo; cat"]
        if propagation is not None:
            words = ["unshare", "--mount", "--propagation", propagation, *words]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.communicate)
        assert process.stdout is not None
        process.stdout.readline()
        return process.pid

    def test_namespaces(self) -> None:
        """Mounts are seen in the same namespace, and in those that receive them."""
        directory = os.path.abspath(self.mktemp())
        os.mkdir(directory)
        subprocess.run(["mount", "--bind", directory, directory], check=True)
        self.addCleanup(subprocess.run, ["umount", directory], check=True)
        subprocess.run(["mount", "--make-shared", directory], check=True)
        for propagation, from_it, to_it in (
            (None, True, True),
            ("shared", True, True),
            ("slave", False, True),
            ("private", False, False),
        ):
            other, here = self.process(propagation), os.getpid()
            self.assertEqual(from_it, shares(directory, other, here), propagation)
            self.assertEqual(to_it, shares(directory, here, other), propagation)

    def test_process(self) -> None:
        """The plugin's process is the one that has the journal open."""
        path = os.path.abspath(self.mktemp())
        self.assertIsNone(process_with(path))
        with open(path, "w"):
            self.assertEqual(os.getpid(), process_with(path))

    def test_not_seen(self) -> None:
        """A plugin with a namespace of its own is a failure; the remedy names the settings."""
        private = self.process("private")
        self.patch(node, "engine_process", lambda pid_file, proc: private)
        path = os.path.abspath(self.mktemp())
        self.assertEqual("skipped", check_view("/m", path, "/none").outcome)
        with open(path, "w"):
            found = check_view("/m", path, "/none")
            self.assertEqual("fail", found.outcome)
            self.assertIn("PrivateTmp=", found.remedy)
            self.patch(node, "engine_process", lambda pid_file, proc: os.getpid())
            self.assertEqual("ok", check_view("/m", path, "/none").outcome)

    def test_no_engine(self) -> None:
        """The file of a process id counts only while the process is an engine's."""
        path = os.path.abspath(self.mktemp())
        for text in (str(os.getpid()), "x", ""):
            with open(path, "w") as opened:
                opened.write(text)
            self.assertEqual("skipped", check_view("/m", path, path).outcome)
