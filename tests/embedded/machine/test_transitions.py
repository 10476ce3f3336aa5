"""Tests of the engine that carries out transitions."""

from __future__ import annotations

import errno
from typing import Any

from eliot import MemoryLogger
from eliot.testing import capture_logging
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.machine.devices import LoopDeviceBusy
from txstorage.embedded.machine.engine import Engine
from txstorage.embedded.machine.transitions import TRANSITIONS
from txstorage.embedded.store.records import NewVolume
from txstorage.embedded.store.store import Store

NEW = NewVolume("n", None, 1, "gold", {})


class SlowFiles:
    """Files that are only recorded."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.aside = maybeDeferred

    def create(self, volume_id: str, size: int) -> None:
        """Record a creation."""
        self.calls.append(("create", volume_id, size))

    def remove(self, volume_id: str) -> None:
        """Record a removal."""
        self.calls.append(("remove", volume_id))


class SlowDevices:
    """Devices whose operations wait for the test."""

    def __init__(self) -> None:
        self.files = SlowFiles()
        self.asked: dict[str, Deferred[Any]] = {}

    async def attach(self, volume_id: str) -> str:
        """Wait for the test."""
        self.asked["attach"] = Deferred()
        device: str = await self.asked["attach"]
        return device

    async def detach(self, volume_id: str) -> None:
        """Wait for the test."""
        self.asked["detach"] = Deferred()
        await self.asked["detach"]


class EngineTests(SynchronousTestCase):
    """Tests of :class:`Engine`."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.store = Store(":memory:", self.clock.seconds)
        self.addCleanup(self.store.close)
        self.devices = SlowDevices()
        self.engine = Engine(self.clock, self.store, self.devices, 1.0)
        self.server = self.store.declare_server("n1").server_id
        self.volume_id = self.store.add_volume(NEW).volume_id

    def status(self) -> str:
        """Return the volume's status."""
        volume = self.store.volume(self.volume_id)
        return "gone" if volume is None else volume.status

    def put(self, status: str) -> None:
        """Give the volume, which is attached, a status, and begin."""
        self.store.attachments.reserve(self.volume_id, self.server, "/dev/vdb")
        self.store.set_status(self.volume_id, status)
        self.engine.begin(self.volume_id)
        self.clock.advance(1)

    def test_table(self) -> None:
        """Each transition ends in a status at rest, or in the next transition."""
        rest = {"available", "error", "in-use", "error_deleting", "error_extending", "gone"}
        for status, transition in TRANSITIONS.items():
            self.assertIn(transition.done, rest | set(TRANSITIONS))
            self.assertIn(transition.failed, rest)
            self.assertNotEqual(transition.done, status)

    def test_delay(self) -> None:
        """Nothing happens before the delay is over."""
        self.engine.begin(self.volume_id)
        self.clock.advance(0.9)
        self.assertEqual((self.status(), self.devices.files.calls), ("creating", []))
        self.clock.advance(0.1)
        self.assertEqual(self.status(), "available")
        self.assertEqual(self.devices.files.calls, [("create", self.volume_id, 2**30)])

    def test_once(self) -> None:
        """A second beginning, while the first waits or runs, has no effect."""
        self.engine.begin(self.volume_id)
        self.engine.begin(self.volume_id)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(1)
        self.put("attaching")
        self.engine.begin(self.volume_id)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.devices.asked["attach"].callback("/dev/loop7")
        self.assertEqual(self.status(), "in-use")

    def test_busy(self) -> None:
        """A volume that can't be detached stays in use, with a message that gives the reason."""
        self.put("detaching")
        self.devices.asked["detach"].errback(LoopDeviceBusy("/dev/loop7 is in use"))
        self.assertEqual(self.status(), "in-use")
        volume = self.store.volume(self.volume_id)
        assert volume is not None and volume.attachment is not None
        (message,) = self.store.messages.listed(self.volume_id)
        self.assertEqual(message.text, "detach volume: /dev/loop7 is in use")

    @capture_logging(None)
    def test_logged(self, logger: MemoryLogger) -> None:
        """Each end of a transition is logged, with the reason of a failure."""
        self.put("detaching")
        self.devices.asked["detach"].errback(LoopDeviceBusy("/dev/loop7 is in use"))
        (message,) = logger.messages
        self.assertEqual(
            [message[key] for key in ("message_type", "volume_id", "status", "reason")],
            [
                "txstorage:server:transition",
                self.volume_id,
                "in-use",
                "detach volume: /dev/loop7 is in use",
            ],
        )

    def test_overtaken(self) -> None:
        """A status that was set in the meantime is kept, without a message."""
        self.put("detaching")
        self.store.set_status(self.volume_id, "maintenance")
        self.devices.asked["detach"].errback(LoopDeviceBusy("busy"))
        self.assertEqual((self.status(), self.store.messages.listed()), ("maintenance", []))

    def test_gone_meanwhile(self) -> None:
        """A volume that is gone, or at rest, when its transition is due needs no work."""
        self.engine.begin(self.volume_id)
        self.store.settle(self.volume_id, "creating", "gone")
        self.clock.advance(1)
        other = self.store.add_volume(NEW).volume_id
        self.engine.begin(other)
        self.store.set_status(other, "error")
        self.clock.advance(1)
        self.assertEqual(self.devices.files.calls, [])

    def test_no_place(self) -> None:
        """A volume that was reset to ``attaching`` becomes available."""
        self.store.set_status(self.volume_id, "attaching")
        self.engine.begin(self.volume_id)
        self.clock.advance(1)
        self.assertEqual(self.status(), "available")

    def test_bug(self) -> None:
        """A fault of the service itself is logged, and the transition is retried, after a delay."""
        self.engine = Engine(self.clock, self.store, self.devices, 0.0)
        self.put("attaching")
        self.devices.asked["attach"].errback(RuntimeError("bug"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.clock.getDelayedCalls()[0].getTime(), self.clock.seconds() + 1)
        self.clock.advance(1)
        self.devices.asked["attach"].callback("/dev/loop7")
        self.assertEqual(self.status(), "in-use")

    def test_shortage(self) -> None:
        """
        A transition that the service has no descriptors or memory for is logged and retried, at
        whatever depth the shortage was met; the volume keeps its status.
        """
        direct = OSError(errno.EMFILE, "Too many open files")
        wrapped = LoopDeviceBusy("/dev/loop7: Cannot allocate memory")
        wrapped.__cause__ = OSError(errno.ENOMEM, "Cannot allocate memory")
        self.put("deleting")
        for shortage in (direct, wrapped):
            self.devices.asked["detach"].errback(shortage)
            self.assertEqual(self.status(), "deleting")
            self.assertEqual(len(self.flushLoggedErrors(type(shortage))), 1)
            self.clock.advance(1)
        self.devices.asked["detach"].callback(None)
        self.assertEqual(self.status(), "gone")
        self.assertEqual(self.devices.files.calls, [("remove", self.volume_id)])

    def test_broken_file(self) -> None:
        """A file that can't be removed is the volume's own fault."""
        self.put("deleting")
        self.devices.asked["detach"].errback(OSError(errno.EIO, "Input/output error"))
        self.assertEqual(self.status(), "error_deleting")

    def test_resume(self) -> None:
        """After a start every transition resumes, and nothing else begins."""
        other = self.store.add_volume(NEW).volume_id
        self.store.set_status(other, "available")
        self.engine.resume()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(1)
        self.assertEqual(self.status(), "available")

    def test_stop(self) -> None:
        """Stopping waits for running transitions, which are recorded, and begins no more."""
        self.put("attaching")
        other = self.store.add_volume(NEW).volume_id
        self.engine.begin(other)
        stopped = Deferred.fromCoroutine(self.engine.stop())
        self.assertNoResult(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.engine.begin(other)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.devices.asked["attach"].callback("/dev/loop7")
        self.successResultOf(stopped)
        self.assertEqual(self.status(), "in-use")
        self.assertEqual(self.clock.getDelayedCalls(), [])
