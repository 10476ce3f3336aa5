"""
Tests for ``txstorage.cli.running``.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, Callable

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.cli.running import CommandInterrupted, end_with_input, run, shielded


class FakeReactor:
    """
    Runs until it is stopped.

    :param script: called in turn while it runs; the last one has to lead to
        its stop.
    """

    def __init__(self, *script: Callable[[], Any]) -> None:
        self.script = script
        self.hooks: list[Callable[[], Any]] = []
        self.triggers: list[tuple[str, str, Callable[[], Any]]] = []
        self.stopped = False
        self.waited_for: Any = None

    def addSystemEventTrigger(self, *trigger: Any) -> None:  # noqa: N802
        """See ``IReactorCore``."""
        self.triggers.append(trigger)

    def callWhenRunning(self, hook: Callable[[], Any]) -> None:  # noqa: N802
        """See ``IReactorCore``."""
        self.hooks.append(hook)

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:  # noqa: N802
        """See ``IReactorFromThreads``."""
        function(*args)

    def stop(self) -> None:
        """See ``IReactorCore``."""
        self.stopped = True

    def run(self) -> None:
        """See ``IReactorCore``."""
        for action in [*self.hooks, *self.script]:
            if not self.stopped:
                action()
        assert self.stopped
        [(phase, event, trigger)] = self.triggers
        assert (phase, event) == ("before", "shutdown")
        self.waited_for = trigger()


class RunTests(SynchronousTestCase):
    """``run``."""

    def setUp(self) -> None:
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def test_result(self) -> None:
        """The coroutine's result is returned, and the reactor is stopped."""
        fake = FakeReactor()

        async def operation(given: Any) -> str:
            self.assertIs(given, fake)
            return "done"

        self.assertEqual(run(operation, fake), "done")

    def test_later_result(self) -> None:
        """The reactor runs for as long as the coroutine waits."""
        wait: Deferred[str] = Deferred()

        async def operation(given: Any) -> str:
            return await wait

        fake = FakeReactor(lambda: None, lambda: wait.callback("done"))
        self.assertEqual(run(operation, fake), "done")

    def test_error(self) -> None:
        """The coroutine's exception is raised."""

        async def operation(given: Any) -> None:
            raise KeyError("x")

        self.assertRaises(KeyError, run, operation, FakeReactor())

    def test_stopped(self) -> None:
        """When the reactor is stopped the coroutine is cancelled, and waited for."""
        cleaned: list[str] = []
        cleaning: Deferred[None] = Deferred()

        async def operation(given: Any) -> None:
            try:
                await Deferred()
            finally:
                cleaned.append("begun")
                await cleaning
                cleaned.append("done")

        fake = FakeReactor()
        fake.script = (fake.stop,)
        self.assertRaises(CommandInterrupted, run, operation, fake)
        self.assertEqual(cleaned, ["begun"])
        self.assertNoResult(fake.waited_for)
        cleaning.callback(None)
        self.assertEqual(cleaned, ["begun", "done"])
        self.successResultOf(fake.waited_for)

    def test_cancelled(self) -> None:
        """A coroutine that ends by its cancellation was interrupted."""

        async def operation(given: Any) -> None:
            raise CancelledError()

        self.assertRaises(CommandInterrupted, run, operation, FakeReactor())

    def test_stopped_before_it_began(self) -> None:
        """A reactor that is stopped at once never calls the operation."""
        fake = FakeReactor()
        fake.callWhenRunning(fake.stop)
        self.assertRaises(CommandInterrupted, run, self.fail, fake)
        self.assertIsNone(fake.waited_for)

    def test_hang_up(self) -> None:
        """The end of the terminal is an interruption, too."""

        async def operation(given: Any) -> None:
            await Deferred()

        fake = FakeReactor(lambda: signal.raise_signal(signal.SIGHUP))
        error = self.assertRaises(CommandInterrupted, run, operation, fake)
        self.assertEqual(error.exit_code, 129)

    def test_handlers_are_restored(self) -> None:
        """After the reactor has stopped, a signal does what it did before, such as end Python."""

        async def operation(given: Any) -> None:
            self.assertIsNot(signal.getsignal(signal.SIGTERM), before)

        before = signal.getsignal(signal.SIGTERM)
        run(operation, FakeReactor())
        self.assertIs(signal.getsignal(signal.SIGTERM), before)

    def test_nohup(self) -> None:
        """Under nohup, SIGHUP is ignored."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

        async def operation(given: Any) -> None:
            self.assertIs(signal.getsignal(signal.SIGHUP), signal.SIG_IGN)

        run(operation, FakeReactor())


class ShieldedTests(SynchronousTestCase):
    """``shielded``."""

    def setUp(self) -> None:
        self.waits: Deferred[str] = Deferred()

    async def work(self) -> str:
        """Something that takes a while."""
        return await self.waits

    def test_result(self) -> None:
        """
        Without a cancellation the result is that of the shielded work, even if it is ready at
        once.
        """
        for early in (True, False):
            self.setUp()
            if early:
                self.waits.callback("done")
            call = Deferred.fromCoroutine(shielded(self.work()))
            if not early:
                self.waits.callback("done")
            self.assertEqual(self.successResultOf(call), "done")

    def test_cancelled(self) -> None:
        """
        After one or two cancellations the work still completes, and then the cancellation is
        raised.
        """
        call = Deferred.fromCoroutine(shielded(self.work()))
        call.cancel()
        self.assertNoResult(call)
        call.cancel()
        self.assertNoResult(call)
        self.waits.callback("done")
        self.failureResultOf(call, CancelledError)

    def test_error(self) -> None:
        """The error of the work is raised."""
        call = Deferred.fromCoroutine(shielded(self.work()))
        call.cancel()
        self.waits.errback(KeyError())
        self.failureResultOf(call, KeyError)


SCRIPT = """
import sys
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from txstorage.cli.running import CommandInterrupted, run

async def operation(reactor):
    print("ready", flush=True)
    try:
        await Deferred()
    finally:
        print("cleaning", flush=True)
        await deferLater(reactor, 0.2, lambda: None)
        print("clean", flush=True)

try:
    run(operation)
except CommandInterrupted as interrupted:
    print("interrupted", interrupted.exit_code, flush=True)
"""


class Interrupter(ProcessProtocol):
    """Sends the signal once it is ready, and again while it cleans up."""

    def __init__(self, signal_name: str) -> None:
        self.signal_name = signal_name
        self.said = b""
        self.ended: Deferred[bytes] = Deferred()

    def outReceived(self, data: bytes) -> None:  # noqa: N802
        """See ``IProcessProtocol``."""
        self.said += data
        if self.said.endswith((b"ready\n", b"cleaning\n")):
            self.transport.signalProcess(self.signal_name)

    def processEnded(self, reason: Any) -> None:  # noqa: N802
        """See ``IProcessProtocol``."""
        self.ended.callback(self.said)


class SignalTests(TestCase):
    """``run`` in a process of its own."""

    timeout = 60

    async def interrupt(self, signal_name: str) -> list[bytes]:
        """Return the lines that the script prints when it gets the signal twice."""
        child = Interrupter(signal_name)
        reactor.spawnProcess(
            child,
            sys.executable,
            [sys.executable, "-c", SCRIPT],
            dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
        )
        return (await child.ended).split()

    async def test_signals(self) -> None:
        """
        Each signal interrupts, with its exit code, and a second one does not stop the cleaning up.
        """
        for name, code in (("INT", b"130"), ("TERM", b"143"), ("HUP", b"129")):
            self.assertEqual(
                await self.interrupt(name),
                [b"ready", b"cleaning", b"clean", b"interrupted", code],
            )


class Stoppable:
    """The real reactor, except that it stops for a test only."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.stops: Deferred[None] = Deferred()

    def stop(self) -> None:
        """See ``IReactorCore``."""
        self.stops.callback(None)
        if self.error is not None:
            raise self.error

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


class EndWithInputTests(TestCase):
    """``end_with_input``."""

    timeout = 30

    async def check(self, stoppable: Stoppable) -> None:
        """Check that the end of the pipe stops the reactor, and that data in it does not."""
        ours, theirs = os.pipe()
        end_with_input(stoppable, ours)
        os.write(theirs, b"x")
        await deferLater(reactor, 0, lambda: None)
        self.assertNoResult(stoppable.stops)
        os.close(theirs)
        await stoppable.stops

    async def test_ends(self) -> None:
        """The reactor is stopped when the other end of the pipe is closed."""
        await self.check(Stoppable())

    async def test_stops_already(self) -> None:
        """A reactor that stops already, and so closes the pipe, does so in peace."""
        await self.check(Stoppable(ReactorNotRunning()))
        self.assertEqual(self.flushLoggedErrors(), [])
