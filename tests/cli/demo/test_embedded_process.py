"""
Tests for ``txstorage.cli.demo.embedded_process``, with scripts instead of the service.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from txstorage.cli.demo import embedded_process as _embedded
from txstorage.cli.demo.embedded_process import (
    START_TIMEOUT,
    STOP_TIMEOUT,
    EmbeddedServiceProcess,
    ServiceNotStarted,
)


class Processes(Clock):
    """Real processes, and time that the test makes."""

    def spawnProcess(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        """See ``IReactorProcess``."""
        self.process = reactor.spawnProcess(*args, **kwargs)
        return self.process


READY = "print('txstorage ready: http://localhost:1/v3', flush=True)\n"


class EmbeddedServiceTests(TestCase):
    """``EmbeddedServiceProcess``."""

    timeout = 60

    def setUp(self) -> None:
        self.clock = Processes()
        self.service: EmbeddedServiceProcess | None = None
        self.addCleanup(self.end)

    async def end(self) -> None:
        """No child outlives its test."""
        if self.service is not None:
            call = Deferred.fromCoroutine(self.service.stop())
            self.clock.advance(STOP_TIMEOUT)
            await call

    def serving(self, script: str, *options: str) -> EmbeddedServiceProcess:
        """A service whose child runs a Python script."""
        self.service = EmbeddedServiceProcess(
            self.clock, "/state", ["a", "b"], options, [sys.executable, "-c", script]
        )
        return self.service

    async def test_arguments(self) -> None:
        """
        The child's arguments name the directory, a free port, the nodes and further options, and
        end the child with this process.
        """
        service = self.serving(
            "import sys; print('txstorage ready: ' + ' '.join(sys.argv[1:]))", "--more"
        )
        expected = "serve --state-dir /state --port 0 --until-input-ends --node a --node b --more"
        self.assertEqual((await service.start(), service.address), (expected, expected))
        self.assertIn("--state-dir", service.output)
        self.assertEqual(service.agent_yml("a"), "/state/agent-a.yml")

    async def test_ready(self) -> None:
        """The child is ready after its line of readiness, regardless of its other output."""
        service = self.serving(
            "import sys, time\n"
            "sys.stdout.write('version: 1\\ntxstorage rea')\n"
            "sys.stdout.flush()\n"
            "sys.stdout.write('dy: http://localhost:1/v3\\nmore\\n')\n"
            "sys.stdout.flush()\n"
            "sys.stdin.read()"
        )
        self.assertEqual(await service.start(), "http://localhost:1/v3")

    async def test_ends_at_once(self) -> None:
        """A child that ends before it is ready is an error with what it said."""
        service = self.serving("import sys; sys.exit('the port is taken')")
        error = await self.assertFailure(Deferred.fromCoroutine(service.start()), ServiceNotStarted)
        self.assertIn("the port is taken", error.message)

    async def test_ends_in_silence(self) -> None:
        """The error of a child without output contains its exit code or its signal."""
        error = await self.assertFailure(
            Deferred.fromCoroutine(self.serving("raise SystemExit(7)").start()),
            ServiceNotStarted,
        )
        self.assertIn("exit code 7", error.message)

    async def test_never_ready(self) -> None:
        """The start of a child that never becomes ready fails after a time limit."""
        call = Deferred.fromCoroutine(self.serving("import sys; sys.stdin.read()").start())
        self.clock.advance(START_TIMEOUT)
        error = await self.assertFailure(call, ServiceNotStarted)
        self.assertIn("not ready after 60 seconds", error.message)

    async def test_cancelled(self) -> None:
        """Cancelled while it starts, it can be stopped."""
        service = self.serving("import sys; sys.stdin.read()")
        call = Deferred.fromCoroutine(service.start())
        call.cancel()
        await self.assertFailure(call, CancelledError)
        await service.stop()
        self.assertIsNone(self.clock.process.pid)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    async def test_stop(self) -> None:
        """When it is stopped the child has ended, and it can be stopped again."""
        service = self.serving(READY + "import sys; sys.stdin.read()")
        await service.start()
        await service.stop()
        self.assertIsNone(self.clock.process.pid)
        await service.stop()

    async def test_stop_before_start(self) -> None:
        """A process that was never started can be stopped."""
        await self.serving("").stop()

    STUBBORN = (
        (
            "import os, signal, sys\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "if os.fork() == 0:\n"
            "    while True: signal.pause()\n"
        )
        + READY
        + "while True: signal.pause()\n"
    )

    async def kill_stubborn(self) -> None:
        """Stop a child that does not want to."""
        service = self.serving(self.STUBBORN)
        await service.start()
        call = Deferred.fromCoroutine(service.stop())
        self.assertNoResult(call)
        self.clock.advance(STOP_TIMEOUT)
        # This fires when nobody holds the other end of the pipe any more.
        await call

    async def test_kill(self) -> None:
        """A child that does not end is killed, and so are its own children."""
        await self.kill_stubborn()
        self.assertIsNone(self.clock.process.pid)

    async def test_straggler(self) -> None:
        """A child's child that outlives it is killed."""
        service = self.serving(
            "import os, signal\n"
            "if os.fork() == 0:\n"
            "    while True: signal.pause()\n" + READY + "while True: signal.pause()\n"
        )
        exited: Deferred[Any] = Deferred()
        self.patch(service._child, "processExited", lambda reason: exited.callback(None))
        await service.start()
        call = Deferred.fromCoroutine(service.stop())
        await exited
        self.assertNoResult(call)
        self.clock.advance(STOP_TIMEOUT)
        await call

    async def test_kill_without_session(self) -> None:
        """A child without its own process group is killed alone."""
        self.patch(_embedded, "own_session", list)
        self.STUBBORN = self.STUBBORN.replace("os.fork()", "1")
        await self.kill_stubborn()
        self.assertIsNone(self.clock.process.pid)
