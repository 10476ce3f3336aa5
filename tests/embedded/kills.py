"""
The end of the service's process at each step of an operation.

A step is a call that changes the disk, or the end of a transaction.
"""

from __future__ import annotations

import os
from typing import Any, Callable
from unittest.mock import patch

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.application import Application
from txstorage.embedded.machine import copies
from txstorage.embedded.machine.devices import FileDevices
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.settings import GIB, Settings
from txstorage.embedded.store.database import Database
from txstorage.embedded.store.records import NewVolume, Usage
from txstorage.embedded.store.sidecar_content import (
    SUFFIX,
    names_with_sidecar,
    read_backup_sidecar,
    read_sidecar,
    read_snapshot_sidecar,
)
from txstorage.embedded.store.sidecars import Sidecars
from txstorage.embedded.store.store import Store
from txstorage.embedded.store.writer import Change, T, _commit, _Waiting

from .support import temporary_directory

SETTINGS = Settings(password="p", application_secret="s")
NEW = NewVolume("n", None, 1, "gold", {})
#: The calls of ``os`` that change the disk.
CALLS = ("open", "pwrite", "ftruncate", "utime", "fsync", "rename", "replace", "unlink")
DATA = b"data" * 500_000
SETTLED = {"available", "in-use", "awaiting-transfer"}


class Killed(BaseException):
    """The end of the process in a test."""


class SynchronousStore(Store):
    """A store that writes as the writer's thread does, at once."""

    def write(self, change: Change[T]) -> Deferred[T]:
        """See :class:`Store`."""
        return maybeDeferred(self._commit_one, change)

    def _commit_one(self, change: Change[T]) -> Any:
        [result] = _commit(self, [_Waiting(change, Deferred())], lambda: False)
        return result


class KilledTests(SynchronousTestCase):
    """The process's work ends at each step, and another process takes over."""

    #: The statuses that nobody has to end.
    settled = SETTLED

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
        self.files = VolumeFiles(os.path.join(self.directory, "volumes"))
        sidecars = Sidecars(self.files.directory, "first", "cluster")
        path = os.path.join(self.directory, "db")
        self.store = SynchronousStore(path, self.clock.seconds, sidecars)
        self.addCleanup(self.store.close)
        sidecars.reconcile(
            self.store.volumes(), self.store.snapshots.every(), self.store.backups.every()
        )
        devices = FileDevices(self.files, os.path.join(self.directory, "devices"))
        self.application = Application(self.clock, self.store, devices, SETTINGS)

    def restart(self) -> None:
        """Begin as a new process does, and let everything happen."""
        self.start()
        self.assertEqual(self.successResultOf(self.application.start()), [])
        self.clock.pump([0.1] * 10)

    def killed_at(self, step: int, act: Callable[[], object]) -> bool:
        """
        Start, and end the process's work before a step.

        :param act: called when requests may come.
        :return: whether there was such a step.
        """
        self.start()
        steps = Steps(step)
        patches = [patch.object(os, name, steps.limited(getattr(os, name))) for name in CALLS]
        patches.append(patch.object(Database, "commit", steps.limited(Database.commit)))
        for each in patches:
            each.start()
        try:
            # Otherwise a later test, in which the Deferred is collected, would have the failure.
            self.application.start().addErrback(lambda failure: failure.trap(Killed) and None)
            act()
            self.clock.pump([0.1] * 10)
        except Killed:
            pass
        finally:
            for each in patches:
                each.stop()
        self.flushLoggedErrors(Killed)
        return steps.count > step

    def through(
        self,
        begin: Callable[[], object],
        done: Callable[[], None],
        act: Callable[[], object] = lambda: None,
    ) -> None:
        """
        :param begin: records an operation in the store.
        :param done: asserts that the operation is complete, after a restart.
        :param act: the operation itself, if it has no transition.
        """
        step = 0
        begin()
        while self.killed_at(step, act):
            self.restart()
            self.assert_sound()
            done()
            begin()
            step += 1
        self.assert_sound()
        done()
        self.assertGreater(step, 2, "there were too few steps")

    def assert_data(self, path: str, size: int = 1) -> None:
        """Assert that a file has the volume's data."""
        self.assertEqual(os.path.getsize(path), size * GIB)
        with open(path, "rb") as opened:
            self.assertEqual(opened.read(len(DATA)), DATA)

    def assert_sound(self) -> None:
        """
        Assert that everything has its file and its sidecar, that no other file is there, that
        nothing is in a transient status, and that the use of quotas is right.
        """
        store, directory = self.store, self.files.directory
        volumes = {f"volume-{each.volume_id}": each for each in store.volumes() if not each.root}
        snapshots = {f"snapshot-{each.snapshot_id}": each for each in store.snapshots.every()}
        backups = {f"backup-{each.backup_id}": each for each in store.backups.every()}
        every = {**volumes, **snapshots, **backups}
        self.assertLessEqual({each.status for each in every.values()}, self.settled)
        names = os.listdir(directory)
        self.assertEqual(sorted(names), sorted([*every, *(name + SUFFIX for name in every)]))
        self.assertEqual(sorted(names_with_sidecar(names)), sorted(every))
        for name, record in every.items():
            size = os.path.getsize(os.path.join(directory, name))
            self.assertEqual(size, record.size * GIB, name)
            kept = {
                "volume": lambda key: read_sidecar(directory, key).volume,
                "snapshot": lambda key: read_snapshot_sidecar(directory, key).snapshot,
                "backup": lambda key: read_backup_sidecar(directory, key).backup,
            }
            kind, _, key = name.partition("-")
            self.assertEqual(kept[kind](key).project_id, record.project_id, name)
        for project in {each.project_id for each in every.values()}:
            own = [
                [each for each in kind.values() if each.project_id == project]
                for kind in (volumes, snapshots, backups)
            ]
            sizes = [sum(each.size for each in kind) for kind in own]
            self.assertEqual(
                store.usage(project),
                Usage(len(own[0]), len(own[1]), sizes[0] + sizes[1], len(own[2]), sizes[2]),
            )


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

        return step
