"""Tests for :mod:`txstorage.filesystem.programs`."""

from __future__ import annotations

import os
import signal

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txstorage.errors import ProgramFailed, ProgramMissing
from txstorage.filesystem.programs import PACKAGES, run


class RunTests(TestCase):
    """Running a program."""

    async def test_output(self) -> None:
        """The output and the exit code are returned, in the language of the code."""
        finished = await run(reactor, "sh", "-c", "echo $LC_ALL; exit 3", accept=(0, 3))
        self.assertEqual(("C\n", 3), (finished.output, finished.code))

    async def test_fails(self) -> None:
        """Another exit code is an error with the end of what the program printed."""
        command = ("sh", "-c", "echo out; seq 1000 >&2; echo why >&2; exit 4")
        error = await self.assertFailure(
            Deferred.fromCoroutine(run(reactor, *command)), ProgramFailed
        )
        self.assertEqual((command, 4), (error.command, error.code))
        self.assertTrue(error.output.endswith("why"))
        self.assertLessEqual(len(error.output), 500)
        self.assertIn("exit code 4", str(error))

    async def test_only_output(self) -> None:
        """A program that fails without an error message is quoted by its output."""
        d = Deferred.fromCoroutine(run(reactor, "sh", "-c", "echo out; exit 4"))
        self.assertEqual("out", (await self.assertFailure(d, ProgramFailed)).output)

    async def test_killed(self) -> None:
        """A program that a signal ended is an error with the signal."""
        d = Deferred.fromCoroutine(run(reactor, "sh", "-c", "kill -9 $$"))
        error = await self.assertFailure(d, ProgramFailed)
        self.assertEqual(-9, error.code)
        self.assertIn("signal 9", str(error))

    async def test_missing(self) -> None:
        """A missing program is an error that names its package, where it is known."""
        d = Deferred.fromCoroutine(run(reactor, "no-such-program"))
        error = await self.assertFailure(d, ProgramMissing)
        self.assertEqual("no-such-program", error.program)
        self.assertIn("e2fsprogs", ProgramMissing("mkfs.ext4", PACKAGES["mkfs.ext4"]).remedy)

    async def test_cancelled(self) -> None:
        """A cancelled program has ended when its caller continues."""
        pids = self.mktemp()
        os.mkfifo(pids)
        d = Deferred.fromCoroutine(
            run(reactor, "sh", "-c", f"echo $$ > {pids}; exec sleep 60"),
        )
        pid = int(await deferToThread(_read, pids))
        d.cancel()
        await self.assertFailure(d, CancelledError)
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    async def test_cancelled_with_child(self) -> None:
        """A cancelled program ends at once, although a child of it has its output open."""
        pids = self.mktemp()
        os.mkfifo(pids)
        d = Deferred.fromCoroutine(
            run(reactor, "sh", "-c", f"sleep 60 & echo $$ $! > {pids}; wait"),
        )
        pid, child = (await deferToThread(_read, pids)).split()
        self.addCleanup(os.kill, int(child), signal.SIGKILL)
        d.cancel()
        await self.assertFailure(d, CancelledError)
        self.assertFalse(os.path.exists(f"/proc/{pid}"))
        self.assertTrue(os.path.exists(f"/proc/{child}"))


def _read(path: str) -> str:
    with open(path) as opened:
        return opened.read()
