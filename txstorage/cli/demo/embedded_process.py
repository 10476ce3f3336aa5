# -*- test-case-name: tests.cli.demo.test_embedded_process -*-
"""
The embedded service as a child process.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from ...errors import StorageError
from ..running import IReactor
from .commands import kill, own_session

READY = b"txstorage ready: "

START_TIMEOUT = 60.0
"""Seconds until a child that says nothing is given up."""

STOP_TIMEOUT = 15.0
"""Seconds until a child that does not end when asked to is killed."""


class ServiceNotStarted(StorageError):
    """The embedded service did not start."""

    remedy = "try 'txstorage serve' by itself"


class _Child(ProcessProtocol):
    """
    :ivar ready: fires with the address that the child announces.
    :ivar ended: fires with ``None`` when the process has ended.
    :ivar out: the child's output so far.
    """

    def __init__(self) -> None:
        self.out = b""
        self._err = b""
        self.ready: Deferred[str] = Deferred()
        self.ended: Deferred[None] = Deferred()
        self.running = True

    def outReceived(self, data: bytes) -> None:  # noqa: N802
        self.out += data
        for line in self.out.splitlines(keepends=True):
            if line.startswith(READY) and line.endswith(b"\n") and not self.ready.called:
                self.ready.callback(line[len(READY) :].decode("ascii").strip())

    def errReceived(self, data: bytes) -> None:  # noqa: N802
        # Only the last lines matter, and a long-lived child may print many.
        self._err = (self._err + data)[-4096:]

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        self.running = False
        if not self.ready.called:
            said = self._err.decode("utf-8", "replace").strip() or reason.getErrorMessage()
            self.ready.errback(ServiceNotStarted(f"The embedded service ended at once: {said}"))
        self.ended.callback(None)


class EmbeddedServiceProcess:
    """
    A child process that serves one state directory.

    :param reactor: provides ``IReactorProcess``.
    :param directory: the state directory, which the child makes.
    :param nodes: the names of the nodes to declare.
    :param options: further options of ``txstorage serve``.
    :param argv: how to run the command ``txstorage``.
    :ivar address: the address of its Keystone, once it accepts connections.
    """

    address = ""

    def __init__(
        self,
        reactor: IReactor,
        directory: str,
        nodes: Sequence[str],
        options: Sequence[str] = (),
        argv: Sequence[str] = (sys.executable, "-m", "txstorage.cli"),
    ) -> None:
        self._reactor = reactor
        self._directory = directory
        self._argv = [*argv, "serve", "--state-dir", directory, "--port", "0"]
        # This process alone has this end of the pipe, and its end closes it in any case.
        self._argv.append("--until-input-ends")
        for name in nodes:
            self._argv += ["--node", name]
        self._argv += options
        self._child = _Child()
        self._process: IProcessTransport | None = None
        self._group = 0

    @property
    def output(self) -> str:
        """The child's output so far."""
        return self._child.out.decode("utf-8", "replace")

    def agent_yml(self, node: str) -> str:
        """The path of a node's ``agent.yml``."""
        return os.path.join(self._directory, f"agent-{node}.yml")

    async def start(self) -> str:
        """
        :return: the address of its Keystone, once it accepts connections.
        :raises ServiceNotStarted: the error contains the child's output.
        """
        argv = own_session(self._argv)
        process: Any = self._reactor.spawnProcess(self._child, argv[0], argv, os.environ)
        self._process, self._group = process, process.pid
        self._child.ready.addTimeout(START_TIMEOUT, self._reactor)
        try:
            self.address = await self._child.ready
        except TimeoutError:
            raise ServiceNotStarted(
                f"The embedded service was not ready after {START_TIMEOUT:g} seconds"
            )
        return self.address

    async def stop(self) -> None:
        """
        Request the child's end, and kill it with all its children if it does not end.
        """
        if self._process is None or not self._child.running:
            return
        kill(self._process, "TERM")
        timer = self._reactor.callLater(STOP_TIMEOUT, self._kill, self._process)
        await self._child.ended
        if timer.active():
            timer.cancel()

    def _kill(self, process: IProcessTransport) -> None:
        # The child or one of its children holds the pipe open, so the group still exists.
        try:
            os.killpg(self._group, signal.SIGKILL)
        except ProcessLookupError:
            kill(process, "KILL")


__all__ = ["EmbeddedServiceProcess", "ServiceNotStarted"]
