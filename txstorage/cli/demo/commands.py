# -*- test-case-name: tests.cli.demo.test_commands -*-
"""
External commands, without blocking the reactor.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from ..._support.linux import SYSTEM_PATH
from ...errors import StorageError
from ..running import IReactor


class CommandFailed(StorageError):
    """
    A command could not be run, or failed.

    :ivar argv: the command.
    """

    remedy = "the command's own message says why"

    def __init__(self, argv: Sequence[str], problem: str) -> None:
        super().__init__("'{}' failed: {}".format(" ".join(argv), problem))
        self.argv = tuple(argv)


def find_program(name: str) -> str | None:
    """:return: the path of a program, or ``None``."""
    return shutil.which(name, path=_search_path())


def _search_path() -> str:
    return "{}:{}".format(os.environ.get("PATH", ""), SYSTEM_PATH).lstrip(":")


def own_session(argv: Sequence[str]) -> list[str]:
    """
    Return the arguments that run a command in its own session.  Ctrl-C in the terminal then does
    not reach the command; the caller ends it.
    """
    setsid = find_program("setsid")
    return list(argv) if setsid is None else [setsid, *argv]


class _OutputCollector(ProcessProtocol):
    """
    :ivar ended: fires with the exit code; negative for a signal.
    """

    def __init__(self) -> None:
        self.out = b""
        self.err = b""
        self.ended: Deferred[int] = Deferred()

    def outReceived(self, data: bytes) -> None:  # noqa: N802
        self.out += data

    def errReceived(self, data: bytes) -> None:  # noqa: N802
        self.err += data

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        ended: Any = reason.value
        code = ended.exitCode
        self.ended.callback(code if code is not None else -(ended.signal or 0))


async def command(reactor: IReactor, *argv: str, expected: Sequence[int] = (0,)) -> str:
    """
    Run a command.  On cancellation the command is killed, and has ended before the cancellation
    proceeds.

    :param reactor: provides ``IReactorProcess``.
    :param argv: the program, looked up in the path, and its arguments.
    :param expected: exit codes that mean success.
    :return: its standard output.
    :raises CommandFailed: with its standard error.
    """
    if find_program(argv[0]) is None:
        raise CommandFailed(argv, "there is no such program in the path")
    protocol, full = _OutputCollector(), own_session(argv)
    # Tests compare the messages, so their language is fixed.
    environment = dict(os.environ, LC_ALL="C", PATH=_search_path())
    process = reactor.spawnProcess(protocol, full[0], full, environment)
    code: Deferred[int] = Deferred()
    protocol.ended.addCallback(lambda ended: None if code.called else code.callback(ended))
    try:
        exit_code = await code
    except CancelledError:
        kill(process, "KILL")
        await protocol.ended
        raise
    if exit_code not in expected:
        said = protocol.err.decode("utf-8", "replace").strip()
        raise CommandFailed(argv, said or f"exit code {exit_code}")
    return protocol.out.decode("utf-8", "replace")


def kill(process: IProcessTransport, signal: str) -> None:
    """Send a signal to a process that may have ended."""
    try:
        process.signalProcess(signal)
    except ProcessExitedAlready:
        pass
