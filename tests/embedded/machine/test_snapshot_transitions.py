"""Tests of the transitions of snapshots, of copies, and of growing volumes."""

from __future__ import annotations

import os
from typing import Any, Callable

import attr
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.machine import copies
from txstorage.embedded.machine.devices import DeviceFailure, FileDevices
from txstorage.embedded.machine.engine import Engine
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.machine.snapshot_transitions import SNAPSHOT_TRANSITIONS, Snapshots
from txstorage.embedded.settings import GIB
from txstorage.embedded.store.records import NewSnapshot, NewVolume
from txstorage.embedded.store.store import Store

from ..support import temporary_directory

NEW = NewVolume("n", None, 1, "gold", {})


class LateFiles(VolumeFiles):
    """Files whose changes wait for the test."""

    def __init__(self, directory: str) -> None:
        super().__init__(directory, self._later)
        self.waiting: list[Callable[[], None]] = []

    def _later(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()

        def act() -> None:
            try:
                done.callback(function(*arguments))
            except Exception:
                done.errback()

        self.waiting.append(act)
        return done

    def act(self) -> None:
        """Make the changes that wait."""
        while self.waiting:
            self.waiting.pop(0)()


class SnapshotEngineTests(SynchronousTestCase):
    """Tests of the engines of volumes and of snapshots, together."""

    def setUp(self) -> None:
        directory = temporary_directory(self)
        links, volumes = (os.path.join(directory, name) for name in ("devices", "volumes"))
        os.mkdir(links)
        os.mkdir(volumes)
        self.clock = Clock()
        self.store = Store(":memory:", self.clock.seconds)
        self.addCleanup(self.store.close)
        self.files = LateFiles(volumes)
        self.devices = FileDevices(self.files, links)
        self.volumes = Engine(self.clock, self.store, self.devices, 1.0)
        self.snapshots = Engine(self.clock, self.store, self.devices, 1.0, subjects=Snapshots())
        self.volume_id = self.volume()
        self.settle()

    def volume(self, **more: Any) -> str:
        """Begin to make a volume."""
        volume_id = self.store.add_volume(attr.evolve(NEW, **more)).volume_id
        self.volumes.begin(volume_id)
        return volume_id

    def snapshot(self) -> str:
        """Begin to make a snapshot of the volume."""
        new = NewSnapshot(self.volume_id, None, None, 1, "gold", {})
        snapshot_id = self.store.snapshots.add(new).snapshot_id
        self.snapshots.begin(snapshot_id)
        return snapshot_id

    def settle(self) -> None:
        """Let every transition end."""
        for _ in range(5):
            self.clock.advance(1)
            self.files.act()

    def set(self, object_id: str, status: str) -> None:
        """Give a volume or a snapshot a status, and begin."""
        if self.store.volume(object_id) is None:
            self.store.snapshots.set_status(object_id, status)
            self.snapshots.begin(object_id)
        else:
            self.store.set_status(object_id, status)
            self.volumes.begin(object_id)

    def status(self, object_id: str) -> str:
        """Return the status of a volume or a snapshot."""
        found = self.store.volume(object_id) or self.store.snapshots.find(object_id)
        return "gone" if found is None else found.status

    def write(self, text: bytes) -> None:
        """Write to the volume."""
        with open(self.files.path(self.volume_id), "r+b") as opened:
            opened.write(text)

    def read(self, path: str) -> bytes:
        """Return the beginning of a file."""
        with open(path, "rb") as opened:
            return opened.read(5)

    def test_table(self) -> None:
        """Each transition ends in a status at rest."""
        rest = {"available", "error", "error_deleting", "gone"}
        for status, transition in SNAPSHOT_TRANSITIONS.items():
            self.assertLessEqual({transition.done, transition.failed}, rest - {status})

    def test_snapshot(self) -> None:
        """A snapshot keeps what the volume had, also for a volume made from it later."""
        self.write(b"first")
        snapshot_id = self.snapshot()
        self.assertEqual(self.status(snapshot_id), "creating")
        self.settle()
        self.assertEqual(self.status(snapshot_id), "available")
        self.write(b"later")
        self.assertEqual(self.read(self.files.snapshot_path(snapshot_id)), b"first")
        for size, more in (
            (2, {"snapshot_id": snapshot_id}),
            (1, {"source_volid": self.volume_id}),
        ):
            copy = self.volume(size=size, **more)
            self.settle()
            self.assertEqual(self.status(copy), "available")
            expected = b"first" if "snapshot_id" in more else b"later"
            self.assertEqual(self.read(self.files.path(copy)), expected)
            self.assertEqual(os.path.getsize(self.files.path(copy)), size * GIB)

    def test_at_once(self) -> None:
        """Few copies are made at once; the next begins when one of them is complete."""
        for _ in range(4):
            self.snapshot()
        self.clock.advance(1)
        self.assertEqual(len(self.files.waiting), 2)
        self.files.waiting.pop()()
        self.assertEqual(len(self.files.waiting), 2)
        self.settle()
        self.assertEqual({each.status for each in self.store.snapshots.every()}, {"available"})

    def test_flushed(self) -> None:
        """A volume's device is flushed before the volume is copied."""
        flushing: list[tuple[str, Deferred[None]]] = []

        def flush(volume_id: str) -> Deferred[None]:
            flushing.append((volume_id, Deferred()))
            return flushing[-1][1]

        self.patch(self.devices, "flush", flush)
        self.snapshot()
        self.volume(source_volid=self.volume_id)
        self.clock.advance(1)
        self.assertEqual([each for each, _ in flushing], [self.volume_id] * 2)
        self.assertEqual(self.files.waiting, [])
        for _, done in flushing:
            done.callback(None)
        self.assertEqual(len(self.files.waiting), 2)

    def test_delete(self) -> None:
        """A snapshot goes with its file, also when the file is missing."""
        for lost in (False, True):
            snapshot_id = self.snapshot()
            self.settle()
            if lost:
                self.files.remove_snapshot(snapshot_id)
            self.set(snapshot_id, "deleting")
            self.settle()
            self.assertEqual(self.status(snapshot_id), "gone")
            self.assertFalse(self.files.snapshot_exists(snapshot_id))

    def test_no_file(self) -> None:
        """Without its origin's file, a snapshot or a copy is in error, with a message."""
        self.files.remove(self.volume_id)
        snapshot_id, copy = self.snapshot(), self.volume(source_volid=self.volume_id)
        self.settle()
        for object_id, noun in ((snapshot_id, "snapshot"), (copy, "volume")):
            self.assertEqual(self.status(object_id), "error")
            (message,) = self.store.messages.listed(object_id)
            self.assertEqual(message.text, f"create {noun}: No such file or directory")

    def test_copied_origin_stays(self) -> None:
        """The origin of a copy is deleted after the copy is complete."""
        self.write(b"first")
        snapshot_id = self.snapshot()
        self.settle()
        for origin, more in (
            (snapshot_id, {"snapshot_id": snapshot_id}),
            (self.volume_id, {"source_volid": self.volume_id}),
        ):
            copy = self.volume(**more)
            self.set(origin, "deleting")
            self.clock.pump([0.5] * 10)
            self.assertEqual((self.status(copy), self.status(origin)), ("creating", "deleting"))
            self.assertEqual(len(self.files.waiting), 1, "the copy, and no removal")
            self.settle()
            self.assertEqual((self.status(copy), self.status(origin)), ("available", "gone"))
            self.assertEqual(self.read(self.files.path(copy)), b"first")

    def test_cascade(self) -> None:
        """A volume is deleted after its snapshots; one that stays keeps the volume."""
        first, second = self.snapshot(), self.snapshot()
        self.settle()
        self.set(first, "deleting")
        self.set(self.volume_id, "deleting")
        self.clock.advance(1)
        self.assertEqual(self.status(self.volume_id), "error_deleting")
        self.assertTrue(self.files.exists(self.volume_id))
        (message,) = self.store.messages.listed(self.volume_id)
        self.assertEqual(message.text, "delete volume: it has snapshots")
        self.settle()
        self.set(second, "deleting")
        self.set(self.volume_id, "deleting")
        self.clock.advance(1)
        self.assertEqual(self.status(self.volume_id), "deleting")
        self.assertEqual(len(self.files.waiting), 1, "the snapshot's removal")
        self.assertTrue(self.files.exists(self.volume_id))
        self.settle()
        self.assertEqual((self.status(second), self.status(self.volume_id)), ("gone", "gone"))

    def test_interrupted(self) -> None:
        """A copy that the end of the service interrupts is made after the next start."""
        self.write(b"first")
        snapshot_id = self.snapshot()
        self.clock.advance(1)
        self.patch(copies, "share", lambda reading, writing: False)
        self.files.copies.stop()
        self.files.act()
        self.assertEqual(self.status(snapshot_id), "creating")
        self.assertFalse(self.files.snapshot_exists(snapshot_id))

    def grow(self, size: int) -> None:
        """Begin to extend the volume."""
        self.store.grow(self.volume_id, size)
        self.volumes.begin(self.volume_id)

    def test_grow(self) -> None:
        """A volume's file grows, and reads as zeros at its end."""
        self.write(b"first")
        self.grow(3)
        self.settle()
        volume = self.store.volume(self.volume_id)
        assert volume is not None
        self.assertEqual((volume.status, volume.size), ("available", 3))
        path = self.files.path(self.volume_id)
        self.assertEqual((os.path.getsize(path), self.read(path)), (3 * GIB, b"first"))

    def test_grow_in_use(self) -> None:
        """A volume in use stays in use, and attached."""
        server = self.store.declare_server("n1").server_id
        self.store.attachments.reserve(self.volume_id, server, "/dev/vdb")
        self.store.set_status(self.volume_id, "in-use")
        self.grow(2)
        self.settle()
        volume = self.store.volume(self.volume_id)
        assert volume is not None
        self.assertEqual((volume.status, volume.size), ("in-use", 2))
        self.assertIsNotNone(volume.attachment)

    def test_grow_after_copies(self) -> None:
        """A volume grows after the copies of it are complete, which have its former size."""
        self.write(b"first")
        snapshot_id, copy = self.snapshot(), self.volume(source_volid=self.volume_id)
        self.grow(2)
        self.clock.pump([0.5] * 10)
        self.assertEqual(self.status(self.volume_id), "extending")
        self.assertEqual(len(self.files.waiting), 2, "the copies")
        self.files.waiting.pop()()
        self.clock.pump([0.5] * 10)
        self.assertEqual(len(self.files.waiting), 1, "the snapshot")
        self.assertEqual(os.path.getsize(self.files.path(self.volume_id)), GIB)
        self.settle()
        self.assertEqual(self.status(self.volume_id), "available")
        for path in (self.files.snapshot_path(snapshot_id), self.files.path(copy)):
            self.assertEqual(os.path.getsize(path), GIB)

    def test_not_grown(self) -> None:
        """
        A volume whose device can't grow has its former size, and is in ``error_extending``, with a
        message.
        """

        async def refuse(volume_id: str) -> None:
            raise DeviceFailure("/dev/loop7: Device or resource busy")

        self.patch(self.devices, "grow", refuse)
        self.grow(2)
        self.settle()
        volume = self.store.volume(self.volume_id)
        assert volume is not None
        self.assertEqual((volume.status, volume.size), ("error_extending", 1))
        self.assertEqual(os.path.getsize(self.files.path(self.volume_id)), GIB)
        (message,) = self.store.messages.listed(self.volume_id)
        self.assertEqual(message.text, "extend volume: /dev/loop7: Device or resource busy")

    def test_no_new_size(self) -> None:
        """A volume whose status was set to ``extending`` by hand keeps its size."""
        self.set(self.volume_id, "extending")
        self.settle()
        self.assertEqual(self.status(self.volume_id), "error_extending")
        self.assertEqual(os.path.getsize(self.files.path(self.volume_id)), GIB)
