"""
Snapshots, copies and growing survive the end of the service at every step.

``tests/whole/test_snapshots.py`` kills a real service.
"""

from __future__ import annotations

from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.settings import GIB
from txstorage.embedded.store.records import NewSnapshot, NewVolume

from . import kills
from .kills import NEW


class StepTests(kills.KilledTests):
    """The process's work ends at each step, and another process takes over."""

    def test_snapshot(self) -> None:
        """Each snapshot that was begun is made, with the volume's data."""

        def done() -> None:
            every = self.store.snapshots.every()
            self.assertEqual({each.status for each in every}, {"available"})
            for each in every:
                self.assert_data(self.files.snapshot_path(each.snapshot_id))

        new = NewSnapshot(self.volume_id, None, None, 1, "gold", {})
        self.through(lambda: self.store.snapshots.add(new), done)

    def test_copy(self) -> None:
        """Each copy that was begun is made, with the origin's data."""
        wanted = NewVolume("c", None, 2, "gold", {}, source_volid=self.volume_id)

        def done() -> None:
            every = [each for each in self.store.volumes() if each.source_volid]
            self.assertEqual({each.status for each in every}, {"available"})
            for each in every:
                self.assert_data(self.files.path(each.volume_id), 2)

        self.through(lambda: self.store.add_volume(wanted), done)

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
            self.assertEqual([each.volume_id for each in self.store.volumes()], [self.volume_id])
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

        self.through(begin, done)
