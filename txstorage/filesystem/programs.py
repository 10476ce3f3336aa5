# -*- test-case-name: tests.filesystem.test_programs -*-
"""
The programs that make, check, mount and grow file systems.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import attr
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol

from .._support import linux
from ..errors import ProgramFailed, ProgramMissing

#: The Debian package of each program.
PACKAGES = {
    "blkid": "util-linux",
    "mount": "mount",
    "umount": "mount",
    "mkfs.ext4": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "resize2fs": "e2fsprogs",
    "mkfs.xfs": "xfsprogs",
    "xfs_growfs": "xfsprogs",
    "mkfs.btrfs": "btrfs-progs",
    "btrfs": "btrfs-progs",
    "cryptsetup": "cryptsetup-bin",
}

# The characters of a program's output that an error contains at most, from its end.
_SHOWN = 500
# The bytes of a program's output that are kept at most.
_KEPT = 2**20


@attr.s(auto_attribs=True, frozen=True)
class Finished:
    """
    A program that has ended.

    :ivar code: its exit code; minus the signal that ended it.
    :ivar output: what it printed on its standard output.
    """

    code: int
    output: str


class _Running(ProcessProtocol):
    """
    A program that runs.

    :ivar ended: fires with its output, its errors and its exit code, unless it is cancelled.
    :ivar gone: fires with ``None`` when the program has ended in any case.
    """

    def __init__(self) -> None:
        self.ended: Deferred[tuple[bytes, bytes, int]] = Deferred()
        self.gone: Deferred[None] = Deferred()
        self._output = b""
        self._errors = b""

    def outReceived(self, data: bytes) -> None:
        """See ``ProcessProtocol``."""
        self._output = (self._output + data)[:_KEPT]

    def errReceived(self, data: bytes) -> None:
        """See ``ProcessProtocol``."""
        self._errors = (self._errors + data)[-_KEPT:]

    def processEnded(self, reason: Any) -> None:
        """See ``ProcessProtocol``."""
        code = reason.value.exitCode
        if code is None:
            code = -reason.value.signal
        self.gone.callback(None)
        if not self.ended.called:
            self.ended.callback((self._output, self._errors, code))


def installed(program: str) -> str:
    """
    :param program: its name.
    :return: its path.
    :raises ProgramMissing: it is not installed.
    """
    path = shutil.which(program, path=linux.SYSTEM_PATH)
    if path is None:
        raise ProgramMissing(program, PACKAGES.get(program, ""))
    return path


async def run(reactor: Any, *command: str, accept: Collection[int] = (0,)) -> Finished:
    """
    Run a program to its end.  A cancelled one is killed, and no longer runs when the caller learns
    of it.

    :param reactor: provides ``IReactorProcess``.
    :param command: the program and its arguments.
    :param accept: the exit codes that are no failure.
    :return: a coroutine of the :class:`Finished` program.
    :raises ProgramMissing: it is not installed.
    :raises ProgramFailed: it ended with another code.
    """
    path = installed(command[0])
    running = _Running()
    environment = {"LC_ALL": "C", "PATH": linux.SYSTEM_PATH}
    transport = reactor.spawnProcess(running, path, [path, *command[1:]], env=environment)
    try:
        output, errors, code = await running.ended
    except CancelledError:
        with suppress(ProcessExitedAlready):
            transport.signalProcess("KILL")
        # Its children may still hold the pipes, which would otherwise keep it from ending.
        transport.loseConnection()
        await running.gone
        raise
    if code not in accept:
        text = (errors or output).decode("utf-8", "replace").strip()
        raise ProgramFailed(command, code, text[-_SHOWN:])
    return Finished(code, output.decode("utf-8", "replace"))


__all__ = ["PACKAGES", "Finished", "installed", "run"]
