"""
Tests for ``txstorage.cli.demo.commands``, with real processes.
"""

from __future__ import annotations

import os
import shutil

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.cli.demo.commands import CommandFailed, command, find_program, kill, own_session


class CommandTests(TestCase):
    """``command``."""

    timeout = 60

    async def test_output(self) -> None:
        """The function returns the command's standard output."""
        self.assertEqual(await command(reactor, "sh", "-c", "echo out; echo err >&2"), "out\n")

    async def test_own_session(self) -> None:
        """The terminal's Ctrl-C does not reach it: it is in another session."""
        session = await command(reactor, "sh", "-c", "cut -d' ' -f6 /proc/self/stat")
        self.assertNotEqual(int(session), os.getsid(0))

    async def test_failure(self) -> None:
        """The error of a failed command contains its standard error."""
        error = await self.failed("sh", "-c", "echo this is why >&2; exit 3")
        self.assertIn("this is why", error.message)
        self.assertEqual(error.argv[0], "sh")

    async def test_silent_failure(self) -> None:
        """The error of a command without output contains its exit code or its signal."""
        self.assertIn("exit code 3", (await self.failed("sh", "-c", "exit 3")).message)
        self.assertIn("exit code -9", (await self.failed("sh", "-c", "kill -9 $$")).message)

    async def test_expected(self) -> None:
        """Other exit codes may be success."""
        self.assertEqual(await command(reactor, "sh", "-c", "exit 3", expected=(0, 3)), "")

    async def test_no_such_program(self) -> None:
        """A program that is not there is named."""
        self.assertIn("no such program", (await self.failed("no-such-program")).message)

    async def failed(self, *argv: str) -> CommandFailed:
        """The error that a command ends with."""
        try:
            await command(reactor, *argv)
        except CommandFailed as error:
            return error
        self.fail("it did not fail")

    async def test_cancelled(self) -> None:
        """When it is cancelled, the command has ended before anybody hears of it."""
        fifo = self.mktemp()
        os.mkfifo(fifo)
        call = Deferred.fromCoroutine(
            command(reactor, "sh", "-c", f"echo $$ > {fifo}; read x < {fifo}")
        )
        opened = await command(reactor, "cat", fifo)
        call.cancel()
        await self.assertFailure(call, CancelledError)
        self.assertFalse(os.path.exists("/proc/" + opened.strip()))
        # It has ended, so that it can't be killed.
        self.assertRaises(ProcessLookupError, os.kill, int(opened), 0)


class HelperTests(SynchronousTestCase):
    """``find_program``, ``own_session`` and ``kill``."""

    def test_system_programs(self) -> None:
        """Root's programs are found with any PATH."""
        self.patch(os, "environ", {"PATH": "/nowhere"})
        self.assertEqual(os.path.basename(find_program("losetup") or ""), "losetup")
        self.patch(os, "environ", {})
        self.assertIsNotNone(find_program("losetup"))

    def test_without_setsid(self) -> None:
        """Without setsid, the command is run unchanged."""

        def nothing(name: str, path: str | None = None) -> None:
            """Finds no program."""

        self.patch(shutil, "which", nothing)
        self.assertEqual(own_session(["a", "b"]), ["a", "b"])


class KillTests(TestCase):
    """``kill``."""

    timeout = 60

    async def test_ended(self) -> None:
        """A process that has ended already is left alone."""
        ended: Deferred[None] = Deferred()
        protocol = ProcessProtocol()
        protocol.processEnded = lambda reason: ended.callback(None)  # type: ignore
        process = reactor.spawnProcess(protocol, "/bin/true", ["true"])
        await ended
        kill(process, "KILL")
