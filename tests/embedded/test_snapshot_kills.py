"""
Snapshots, copies and growing survive the end of the service at every step.

A step is a call that changes the disk; the tests end the process's work at each of them in turn.
``tests/whole/test_snapshots.py`` kills a real service.
"""

from __future__ import annotations

import os
from typing import Any, Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.application import Application
from txstorage.embedded.machine import copies
from txstorage.embedded.machine.devices import FileDevices
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.settings import GIB, Settings
from txstorage.embedded.store.records import NewSnapshot, NewVolume
from txstorage.embedded.store.store import Store

from .support import temporary_directory

SETTINGS = Settings(password="p", application_secret="s")
NEW = NewVolume("n", None, 1, "gold", {})
#: The calls of ``os`` that change the disk.
CALLS = ("open", "pwrite", "ftruncate", "utime", "fsync", "rename", "unlink")
DATA = b"data" * 500_000


class Killed(BaseException):
    """The end of the process in a test."""


class StepTests(SynchronousTestCase):
    """The process's work ends at each step, and another process takes over."""

    def setUp(self) -> None:
        self.patch(copies, "share", lambda reading, writing: False)
        self.directory = temporary_directory(self)
        for name in ("devices", "volumes"):
            os.mkdir(os.path.join(self.directory, name))
        self.start()
        self.volume_id = self.store.add_volume(NEW).volume_id
        self.restart()
        with open(self.files.path(self.volume_id), "r+b") as opened:
            opened.write(DATA)

    def start(self) -> None:
        """Begin as a new process does, up to its first request."""
        self.clock = Clock()
        self.store = Store(os.path.join(self.directory, "db"), self.clock.seconds)
        self.addCleanup(self.store.close)
        self.files = VolumeFiles(os.path.join(self.directory, "volumes"))
        devices = FileDevices(self.files, os.path.join(self.directory, "devices"))
        self.application = Application(self.clock, self.store, devices, SETTINGS)

    def restart(self) -> None:
        """Begin as a new process does, and let everything happen."""
        self.start()
        self.assertEqual(self.successResultOf(self.application.start()), [])
        self.clock.pump([0.1] * 10)

    def killed_at(self, step: int) -> bool:
        """
        Start, and end the process's work before a step.

        :return: whether there was such a step.
        """
        self.start()
        with_steps = Steps(step)
        for name in CALLS:
            setattr(os, name, with_steps.limited(getattr(os, name)))
        try:
            self.application.start()
            self.clock.pump([0.1] * 10)
        finally:
            for name in CALLS:
                setattr(os, name, getattr(os, name).real)
        self.flushLoggedErrors(Killed)
        return with_steps.count > step

    def through(self, begin: Callable[[], None], done: Callable[[], None]) -> None:
        """
        :param begin: records an operation in the store.
        :param done: asserts that the operation is complete.
        """
        step = 0
        begin()
        while self.killed_at(step):
            self.restart()
            done()
            begin()
            step += 1
        done()
        self.assertGreater(step, 2, "there were too few steps")

    def assert_data(self, path: str, size: int = 1) -> None:
        """Assert that a file has the volume's data."""
        self.assertEqual(os.path.getsize(path), size * GIB)
        with open(path, "rb") as opened:
            self.assertEqual(opened.read(len(DATA)), DATA)

    def test_snapshot(self) -> None:
        """Each snapshot that was begun is made, with the volume's data."""

        def done() -> None:
            every = self.store.snapshots.every()
            self.assertEqual({each.status for each in every}, {"available"})
            for each in every:
                self.assert_data(self.files.snapshot_path(each.snapshot_id))

        new = NewSnapshot(self.volume_id, None, None, 1, "gold", {})
        self.through(lambda: self.store.snapshots.add(new) and None, done)  # type: ignore[func-returns-value]

    def test_copy(self) -> None:
        """Each copy that was begun is made, with the origin's data."""
        wanted = NewVolume("c", None, 2, "gold", {}, source_volid=self.volume_id)

        def done() -> None:
            every = [each for each in self.store.volumes() if each.source_volid]
            self.assertEqual({each.status for each in every}, {"available"})
            for each in every:
                self.assert_data(self.files.path(each.volume_id), 2)

        self.through(lambda: self.store.add_volume(wanted) and None, done)  # type: ignore[func-returns-value]

    def test_grow(self) -> None:
        """The volume has its last acknowledged size, and its data."""
        self.size = 1

        def begin() -> None:
            self.size += 1
            self.store.grow(self.volume_id, self.size)

        def done() -> None:
            volume = self.store.volume(self.volume_id)
            assert volume is not None
            self.assertEqual((volume.status, volume.size), ("available", self.size))
            self.assert_data(self.files.path(self.volume_id), self.size)

        self.through(begin, done)

    def test_delete(self) -> None:
        """Snapshots that are being deleted go, and their volume stays."""

        def begin() -> None:
            new = NewSnapshot(self.volume_id, None, None, 1, "gold", {})
            snapshot_id = self.store.snapshots.add(new).snapshot_id
            source, target = self.files.path(self.volume_id), self.files.snapshot_path(snapshot_id)
            VolumeFiles(self.files.directory).copies.make(source, target, GIB)
            self.store.snapshots.set_status(snapshot_id, "deleting")

        def done() -> None:
            self.assertEqual(self.store.snapshots.every(), [])
            self.assertEqual(os.listdir(self.files.directory), ["volume-" + self.volume_id])
            self.assert_data(self.files.path(self.volume_id))

        self.through(begin, done)

    def test_cascade(self) -> None:
        """A volume that is being deleted with its snapshots goes, and another one stays."""

        def begin() -> None:
            doomed = self.store.add_volume(NEW).volume_id
            self.files.create(doomed, GIB)
            for _ in range(2):
                snapshot = self.store.snapshots.add(NewSnapshot(doomed, None, None, 1, "gold", {}))
                path = self.files.snapshot_path(snapshot.snapshot_id)
                VolumeFiles(self.files.directory).copies.make(self.files.path(doomed), path, GIB)
                self.store.snapshots.set_status(snapshot.snapshot_id, "deleting")
            self.store.set_status(doomed, "deleting")

        def done() -> None:
            self.assertEqual(self.store.snapshots.every(), [])
            self.assertEqual([each.volume_id for each in self.store.volumes()], [self.volume_id])
            self.assertEqual(os.listdir(self.files.directory), ["volume-" + self.volume_id])

        self.through(begin, done)


class Steps:
    """Counts steps, and permits no more than some."""

    def __init__(self, most: int) -> None:
        self.count = 0
        self._most = most

    def limited(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that counts as a step."""

        def step(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            # A process that has ended does not clean up either.
            if self.count > self._most:
                raise Killed()
            return real(*arguments, **options)

        step.real = real  # type: ignore[attr-defined]
        return step
