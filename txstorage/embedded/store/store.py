# -*- test-case-name: tests.embedded.store.test_store -*-
"""
The durable state.  Each method is one synchronous transaction: after it returns, a ``kill -9``
loses nothing.

A running service reads with the methods, and changes the state with :meth:`Store.write` only, whose
transactions wait for the disk in a thread of their own.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Callable

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorFromThreads

from ..machine.turns import ReactorTurns
from ..settings import DEFAULT_TYPE
from .attachments import AttachmentsTable
from .database import Database
from .ec2.tables import EC2Tables
from .features.backups import BackupsTable
from .features.flags import VolumeFlags
from .features.processes import ProcessesTable
from .features.transfers import TransfersTable
from .messages import MessagesTable
from .projects.credentials import CredentialsTable
from .projects.projects import ProjectsTable
from .projects.quotas import QuotasTable
from .projects.types import TypesTable
from .records import VOLUMES, NewVolume, Usage, VolumeFilter, VolumeRecord
from .revoked import RevokedTokens
from .searches import NEWEST_FIRST, Order, Searches
from .servers.records import ServerRecord
from .servers.table import ServersTable
from .sidecars import Sidecars
from .snapshots import SnapshotsTable
from .writer import Change, T, Writer

#: A volume in one of these statuses has no attachment any more.
_WITHOUT_ATTACHMENT = frozenset(["available", "error"])
#: The statuses after a success of extending.
_GROWN = frozenset(["available", "in-use"])
#: The columns of a new volume that are members of a request.
_INSERTED = (
    *("name", "description", "size", "volume_type", "snapshot_id", "source_volid"),
    *("project_id", "user_id", "backup_id"),
)
EVERY_VOLUME = VolumeFilter()
GONE = "gone"


class Store:
    """
    The durable state.

    :ivar attachments: the table of attachments.
    :ivar snapshots: the table of snapshots.
    :ivar messages: the table of the reasons of failures.
    :ivar servers: the table of the nodes, and of the servers that clients make.
    :ivar revoked: the table of revoked tokens.
    :ivar types: the table of volume types.
    :ivar projects: the table of the projects that administrators make.
    :ivar quotas: the table of the projects' own quotas.
    :ivar credentials: the table of application credentials.
    :ivar flags: the columns of volumes for clients.
    :ivar transfers: the table of offers of volumes to other projects.
    :ivar backups: the table of backups.
    :ivar processes: the table of disabled processes.
    :ivar ec2: the tables of the EC2 face.
    :ivar searches: the searches for volumes.
    :param path: the SQLite file, or ``:memory:``.
    :param clock: returns the wall time, in seconds since the epoch.
    :param sidecars: of the volumes; without them, the database is the only record.
    """

    def __init__(
        self, path: str, clock: Callable[[], float], sidecars: Sidecars | None = None
    ) -> None:
        self._path = path
        self._database = Database(path)
        self._clock = clock
        self._sidecars = sidecars
        self._writer: Writer | None = None
        # What earlier changes of the transaction have touched.
        self._kept = (set[str](), set[str](), set[str]())
        self.attachments = AttachmentsTable(self._database, clock)
        self.snapshots = SnapshotsTable(self._database, clock)
        self.messages = MessagesTable(self._database, clock)
        self.servers = ServersTable(self._database, clock)
        self.revoked = RevokedTokens(self._database)
        self.types = TypesTable(self._database, clock)
        self.projects = ProjectsTable(self._database)
        self.quotas = QuotasTable(self._database)
        self.credentials = CredentialsTable(self._database)
        self.flags = VolumeFlags(self._database, clock)
        self.transfers = TransfersTable(self._database, clock)
        self.backups = BackupsTable(self._database, clock)
        self.processes = ProcessesTable(self._database)
        self.ec2 = EC2Tables(self._database, clock)
        self.searches = Searches(self._database)

    def make_room(self) -> None:
        """
        Take room on the disk for later changes.

        :raises sqlite3.Error: there is no room.
        """
        self._database.make_room()

    def close(self) -> None:
        """Wait until the requested changes are durable, and close the database."""
        if self._writer is not None:
            self._writer.close()
        if self._sidecars is not None:
            self._sidecars.close()
        self._database.close()

    # -- transactions ----------------------------------------------------------

    def transaction(self) -> AbstractContextManager[None]:
        """A context that makes one transaction of several methods."""
        return self._database.transaction()

    def savepoint(self) -> AbstractContextManager[None]:
        """A context that makes a part of a transaction, which is all or nothing."""
        return self._database.savepoint()

    @property
    def in_transaction(self) -> bool:
        """``True`` while a transaction is open."""
        return self._database.in_transaction

    def write(self, change: Change[T]) -> Deferred[T]:
        """
        Change the state in one transaction.

        :param change: called with a store, which is another one when a thread writes.
        :return: fires with the change's result, or fails with its exception, once the change and
            everything that it has read is durable.
        """
        if self._writer is not None:
            return self._writer.write(change)
        return maybeDeferred(self._write_here, change)

    def _write_here(self, change: Change[T]) -> T:
        with self.transaction():
            return change(self)

    def write_in_thread(
        self,
        reactor: IReactorFromThreads,
        sidecars: Sidecars | None = None,
        release: Callable[[], bool] = lambda: False,
        turns: ReactorTurns | None = None,
    ) -> None:
        """
        From now on, change the state only with :meth:`write`, which waits in a thread.

        :param sidecars: become durable before the changes do.
        :param release: makes room when the disk is full; returns whether there is more now.
        :param turns: divides the reactor's time among the results.
        """
        path, clock = self._path, self._clock
        self._database.only_read()
        self._writer = Writer(reactor, lambda: Store(path, clock, sidecars), release, turns)

    def keep_sidecars(self, strict: bool = True, at_once: bool = False) -> None:
        """
        Write the sidecars of the volumes, snapshots and backups that a change has touched.

        :param strict: see :meth:`~txstorage.embedded.store.sidecars.Sidecars.keep`.
        :param at_once: see there, too.
        :raises OSError: there is no room.
        """
        volumes, snapshots, backups = map(sorted, self._database.all_touched)
        if self._sidecars is not None:
            for each in volumes:
                self._sidecars.keep(each, self.volume(each), strict, at_once)
            for each in snapshots:
                self._sidecars.keep_snapshot(each, self.snapshots.find(each), strict, at_once)
            for each in backups:
                self._sidecars.keep_backup(each, self.backups.find(each), strict, at_once)
        for kept, touched in zip(self._kept, self._database.all_touched):
            kept.update(touched)
            touched.clear()

    def undo_sidecars(self) -> None:
        """
        Write the sidecars that :meth:`keep_sidecars` wrote for a transaction that left nothing.

        :raises OSError: there is no room.
        """
        for touched, kept in zip(self._database.all_touched, self._kept):
            touched.update(kept)
        self.keep_sidecars(at_once=True)

    def sync_sidecars(self) -> None:
        """Make the sidecars durable."""
        if self._sidecars is not None:
            self._sidecars.sync()

    def forget_touched(self) -> None:
        """Begin anew to record what changes touch, once the former changes are durable."""
        for kept in self._kept:
            kept.clear()

    # -- facts ---------------------------------------------------------------

    def fact(self, name: str, default: Callable[[], str]) -> str:
        """A fact that keeps its first value."""
        with self.transaction():
            row = self._database.execute("SELECT value FROM facts WHERE name = ?", name).fetchone()
            return row["value"] if row is not None else self.set_fact(name, default())

    def set_fact(self, name: str, value: str) -> str:
        """Change a fact."""
        self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)
        return value

    def clear(self) -> None:
        """Forget everything but the facts, in a transaction."""
        self._database.clear()

    # -- volumes -------------------------------------------------------------

    def add_volume(self, new: NewVolume) -> VolumeRecord:
        """Record a volume to create."""
        volume_id = str(uuid.uuid4())
        with self.transaction():
            self._insert(volume_id, new, "creating", self._clock())
            self._insert_metadata(volume_id, new.metadata)
            return self._existing(volume_id)

    def restore_volume(self, volume: VolumeRecord) -> None:
        """Record a volume as it was, with its labels and its attachment."""
        with self.transaction():
            self._insert(volume.volume_id, volume, volume.status, volume.created_at)
            self._insert_metadata(volume.volume_id, volume.metadata)
            self.flags.restore(volume)
            if volume.attachment is not None:
                self.attachments.restore(volume.attachment)

    def _insert(
        self,
        volume_id: str,
        new: NewVolume | VolumeRecord,
        status: str,
        created_at: float,
        root: bool = False,
    ) -> None:
        self._database.touched.add(volume_id)
        columns: dict[str, object] = {name: getattr(new, name) for name in _INSERTED}
        columns.update(id=volume_id, status=status, root=root, created_at=created_at)
        columns["bootable"] = root or new.bootable or bool(new.image_metadata)
        columns["image_metadata"] = json.dumps(dict(new.image_metadata))
        statement = "INSERT INTO volumes ({}) VALUES ({})"
        statement = statement.format(", ".join(columns), ", ".join("?" * len(columns)))
        self._database.execute(statement, *columns.values())

    def _insert_metadata(self, volume_id: str, metadata: Mapping[str, str]) -> None:
        for key, value in metadata.items():
            self._database.execute(
                "INSERT OR REPLACE INTO metadata VALUES (?, ?, ?)", volume_id, key, value
            )

    def volume(self, volume_id: str) -> VolumeRecord | None:
        """:return: the volume, or ``None`` when there is none."""
        statement = VOLUMES.format("volumes") + " WHERE volumes.id = ?"
        row = self._database.execute(statement, volume_id).fetchone()
        return None if row is None else VolumeRecord.from_row(row)

    def _existing(self, volume_id: str) -> VolumeRecord:
        volume = self.volume(volume_id)
        if volume is None:
            raise KeyError(volume_id)
        return volume

    def volumes(
        self,
        chosen: VolumeFilter = EVERY_VOLUME,
        before: int | None = None,
        limit: int = -1,
        offset: int = 0,
        order: Order = NEWEST_FIRST,
    ) -> list[VolumeRecord]:
        """See :meth:`~txstorage.embedded.store.searches.Searches.volumes`."""
        return self.searches.volumes(chosen, before, limit, offset, order)

    def usage(self, project_id: str | None = None) -> Usage:
        """See :meth:`~txstorage.embedded.store.projects.quotas.QuotasTable.usage`."""
        return self.quotas.usage(project_id)

    def grow(self, volume_id: str, size: int) -> None:
        """
        Begin to extend a volume.

        :param size: GiB, more than the volume has.
        """
        with self.transaction():
            self.set_status(volume_id, "extending")
            self._database.execute("UPDATE volumes SET growing = ? WHERE id = ?", size, volume_id)

    def set_metadata(self, volume_id: str, metadata: dict[str, str], replace: bool) -> VolumeRecord:
        """Add labels, or replace them all."""
        with self.transaction():
            if replace:
                self._database.execute("DELETE FROM metadata WHERE volume_id = ?", volume_id)
            self._insert_metadata(volume_id, metadata)
            self._database.touched.add(volume_id)
            self._database.execute(
                "UPDATE volumes SET updated_at = ? WHERE id = ?", self._clock(), volume_id
            )
            return self._existing(volume_id)

    def set_status(self, volume_id: str, status: str) -> None:
        """Set a volume's status and nothing else."""
        self._database.set_volume_status(volume_id, status, self._clock())

    # -- transitions ---------------------------------------------------------

    def settle(
        self, volume_id: str, expected: str, status: str, node_device: str | None = None
    ) -> bool:
        """
        End a transition.

        :param expected: the transient status; with any other, nothing is done.
        :param status: the new status; ``GONE`` deletes the volume.
        :param node_device: the device that was made, if any.
        :return: whether the transition was ended.
        """
        with self.transaction():
            volume = self.volume(volume_id)
            if volume is None or volume.status != expected:
                return False
            if status == GONE:
                self._database.touched.add(volume_id)
                self._database.execute("DELETE FROM volumes WHERE id = ?", volume_id)
                return True
            self.set_status(volume_id, status)
            if (expected, status) == ("creating", "available"):
                self.flags.inherit(volume)
            if expected == "extending" and volume.growing and status in _GROWN:
                self._database.execute(
                    "UPDATE volumes SET size = ? WHERE id = ?", volume.growing, volume_id
                )
                self.servers.record_growth(volume.attachment)
            if status in _WITHOUT_ATTACHMENT:
                self._database.execute("DELETE FROM attachments WHERE volume_id = ?", volume_id)
            elif node_device is not None:
                self._database.execute(
                    "UPDATE attachments SET node_device = ? WHERE volume_id = ?",
                    *(node_device, volume_id),
                )
            return True

    # -- servers -------------------------------------------------------------

    def declare_server(
        self, name: str, server_id: str | None = None, root: bool = True
    ) -> ServerRecord:
        """
        Return the node with a name; a missing one is created.

        :param server_id: of a new server; by default another one.
        :param root: whether a new server has a root volume.
        """
        with self.transaction():
            server = self.servers.declared(name)
            if server is None:
                server = self.servers.add_node(name, server_id or str(uuid.uuid4()))
                if root:
                    self._add_root(name, server.server_id)
        return server

    def keep_root(self, server: ServerRecord, wanted: bool) -> None:
        """
        Give a node a root volume, or take it away.

        :param wanted: whether the node is to have one.
        """
        attachments = self.attachments.of_server(server.server_id)
        attached = [self.volume(each.volume_id) for each in attachments]
        roots = [volume.volume_id for volume in attached if volume is not None and volume.root]
        with self.transaction():
            if wanted and not roots:
                self._add_root(server.name, server.server_id)
            for volume_id in [] if wanted else roots:
                self.settle(volume_id, "in-use", GONE)

    def _add_root(self, name: str, server_id: str) -> None:
        root, volume = str(uuid.uuid4()), NewVolume(name + "-root", None, 1, DEFAULT_TYPE, {})
        self._insert(root, volume, "available", self._clock(), root=True)
        self.attachments.reserve(root, server_id, "/dev/vda")
        self.settle(root, "reserved", "in-use")
