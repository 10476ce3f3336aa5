"""Tests of the sidecars of changes that one commit makes durable."""

from __future__ import annotations

import errno
import os
from typing import Any, Callable

import attr
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.store import sidecars as _sidecars
from txstorage.embedded.store.database import Database
from txstorage.embedded.store.records import NewVolume
from txstorage.embedded.store.sidecar_content import read_sidecar
from txstorage.embedded.store.sidecars import Sidecars
from txstorage.embedded.store.store import Store
from txstorage.embedded.store.writer import Writer

from ..support import temporary_directory
from .test_writer import PATIENCE, Calls, Disk

NEW = NewVolume("n", None, 1, "gold", {"a": "b"})


class GroupTests(SynchronousTestCase):
    """Tests with a writer whose changes wait for one commit."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        path = os.path.join(temporary_directory(self), "db")
        self.reader = Store(path, lambda: 0.0)
        self.addCleanup(self.reader.close)
        self.calls = Calls()
        self.disk = Disk(self)
        sidecars = Sidecars(self.directory, "project", "cluster")
        self.writer = Writer(self.calls, lambda: Store(path, lambda: 0.0, sidecars))
        self.addCleanup(self.writer.close)
        # The first change also opens the writer's store, with a commit of its own.
        self.writer.write(lambda store: None)
        self.calls.turn()

    def group(self, *changes: Callable[[Store], Any]) -> list[Deferred[Any]]:
        """Make changes with one commit; :return: their results."""
        self.disk.hang()
        held = self.writer.write(lambda store: store.set_fact("held", ""))
        self.assertTrue(self.disk.reached.wait(PATIENCE))
        results = [self.writer.write(change) for change in changes]
        self.begin()
        self.disk.running.set()
        for _ in range(2):
            self.calls.turn()
        self.successResultOf(held)
        return results

    def begin(self) -> None:
        """Do nothing, just before the group's changes are made."""

    def create(self, name: str = "n") -> Callable[[Store], Any]:
        """Return a change that makes a volume."""
        return lambda store: store.add_volume(attr.evolve(NEW, name=name)).volume_id

    def names(self) -> list[str]:
        """The sidecars' volumes, by their names; other files fail the test."""
        ids = [name[len("volume-") : -len(".json")] for name in os.listdir(self.directory)]
        return sorted(str(read_sidecar(self.directory, each).volume.name) for each in ids)

    def test_together(self) -> None:
        """All sidecars of a group are durable before its commit, with one sync of the directory."""
        happened: list[str] = []

        def recorded(name: str, function: Any) -> Any:
            def record(*args: Any) -> Any:
                happened.append(name)
                return function(*args)

            return record

        def begin() -> None:
            self.patch(os, "replace", recorded("replace", os.replace))
            self.patch(_sidecars, "sync_directory", recorded("entry", _sidecars.sync_directory))
            self.patch(Database, "commit", recorded("commit", Database.commit))

        self.begin = begin  # type: ignore[method-assign]
        self.group(*[self.create() for _ in range(20)])
        self.assertEqual(happened, ["replace"] * 20 + ["entry", "commit"])

    def test_own_volumes(self) -> None:
        """A change writes the sidecars of its own volumes only, however many its group has."""
        kept: list[str] = []
        keep = Sidecars.keep

        def counted(sidecars: Sidecars, volume_id: str, *args: Any) -> None:
            kept.append(volume_id)
            keep(sidecars, volume_id, *args)

        self.patch(Sidecars, "keep", counted)
        made = self.group(*[self.create() for _ in range(20)])
        self.assertEqual(kept, [self.successResultOf(each) for each in made])

    def test_one_fails(self) -> None:
        """Without one sidecar of a group, only its change fails, and leaves nothing."""
        replace = os.replace

        def refusing(one: str, other: str) -> None:
            with open(one) as opened:
                if "too much" in opened.read():
                    raise OSError(self.refused, "refused")
            replace(one, other)

        self.patch(os, "replace", refusing)
        for self.refused in (errno.ENOSPC, errno.EMFILE):
            made = self.group(self.create("a"), self.create("too much"), self.create("b"))
            for each in (made[0], made[2]):
                self.successResultOf(each)
            self.failureResultOf(made[1], OSError)
        self.assertEqual(self.names(), ["a", "a", "b", "b"])
        self.assertEqual([each.name for each in self.reader.volumes()], ["b", "a"] * 2)

    def test_same_volume(self) -> None:
        """Of two changes of a volume, the last that succeeds is in the sidecar."""
        write = _sidecars.write_unfinished

        def refusing(path: str, content: bytes) -> None:
            write(path, content)
            if b"unwritable" in content:
                _sidecars.drop_unfinished(path)
                raise OSError(errno.EIO, "it fails")

        self.patch(_sidecars, "write_unfinished", refusing)
        [made] = self.group(self.create())
        volume_id = self.successResultOf(made)

        def label(value: str, fails: bool = False) -> Callable[[Store], Any]:
            def change(store: Store) -> None:
                store.set_metadata(volume_id, {"a": value}, replace=True)
                if fails:
                    raise KeyError("it fails")

            return change

        for changes, expected in (
            ((label("1"), label("2")), "2"),
            ((label("3"), label("4", fails=True)), "3"),
            ((label("5", fails=True), label("6")), "6"),
            ((label("7"), label("6")), "6"),
            ((label("8"), label("unwritable")), "8"),
        ):
            for each in self.group(*changes):
                each.addErrback(lambda failure: self.assertIn("fails", str(failure.value)))
                self.successResultOf(each)
            self.assertEqual(self.reader.volumes()[0].metadata, {"a": expected})
            self.assertEqual(self.names(), ["n"])
            found = read_sidecar(self.directory, volume_id).volume.metadata
            self.assertEqual(found, {"a": expected})
