# -*- test-case-name: tests.embedded.store.test_store -*-
"""
The SQLite file: its schema, and transactions that survive ``kill -9``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from ..settings import DEFAULT_TYPE, VOLUME_TYPES
from .features.schema import LATER

_FIRST = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE volumes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT,
    description TEXT,
    size INTEGER NOT NULL,
    status TEXT NOT NULL,
    volume_type TEXT NOT NULL,
    bootable INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    updated_at REAL
);
CREATE TABLE metadata (
    volume_id TEXT NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (volume_id, key)
) WITHOUT ROWID;
CREATE TABLE servers (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE attachments (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    block_device_id TEXT NOT NULL,
    volume_id TEXT NOT NULL UNIQUE REFERENCES volumes (id) ON DELETE CASCADE,
    server_id TEXT NOT NULL REFERENCES servers (id),
    device TEXT NOT NULL,
    node_device TEXT,
    attached_at REAL NOT NULL,
    UNIQUE (server_id, device)
);
CREATE TABLE messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    volume_id TEXT NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE tokens (
    digest BLOB PRIMARY KEY,
    issued_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    methods TEXT NOT NULL
) WITHOUT ROWID;
"""

# Attachments from Block Storage's own API: to hosts, which are not servers.
_HOSTS = """
ALTER TABLE attachments RENAME TO to_servers;
CREATE TABLE attachments (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    block_device_id TEXT NOT NULL,
    volume_id TEXT NOT NULL UNIQUE REFERENCES volumes (id) ON DELETE CASCADE,
    server_id TEXT,
    device TEXT,
    node_device TEXT,
    attached_at REAL,
    by_compute INTEGER NOT NULL DEFAULT 1,
    connector TEXT,
    mode TEXT NOT NULL DEFAULT 'rw'
);
CREATE UNIQUE INDEX one_place ON attachments (server_id, device) WHERE by_compute;
INSERT INTO attachments (sequence, id, block_device_id, volume_id, server_id, device,
    node_device, attached_at) SELECT * FROM to_servers;
DROP TABLE to_servers;
"""

# Tokens carry their own record; the table has those that must no longer be accepted.  The one row
# of the table of room comes and goes, and leaves free pages for the other tables.
_ROOM = """
DROP TABLE tokens;
CREATE TABLE revoked (digest BLOB PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
DELETE FROM facts WHERE name IN ('token_binding', 'token_salt');
CREATE TABLE room (content BLOB NOT NULL);
"""

# Searches by a label, and by the volume of a message, without looking at every volume.
_SEARCHES = """
CREATE INDEX labels ON metadata (key, value);
CREATE INDEX messages_of_volume ON messages (volume_id);
"""

# Snapshots, volumes that are filled from another or from a snapshot, and volumes that grow.
_SNAPSHOTS = """
CREATE TABLE snapshots (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    volume_id TEXT NOT NULL REFERENCES volumes (id),
    name TEXT,
    description TEXT,
    size INTEGER NOT NULL,
    status TEXT NOT NULL,
    volume_type TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL
);
CREATE INDEX snapshots_of_volume ON snapshots (volume_id);
CREATE TABLE snapshot_metadata (
    snapshot_id TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (snapshot_id, key)
) WITHOUT ROWID;
ALTER TABLE volumes ADD COLUMN snapshot_id TEXT;
ALTER TABLE volumes ADD COLUMN source_volid TEXT;
ALTER TABLE volumes ADD COLUMN growing INTEGER;
ALTER TABLE messages ADD COLUMN snapshot_id TEXT REFERENCES snapshots (id) ON DELETE CASCADE;
CREATE INDEX messages_of_snapshot ON messages (snapshot_id);
"""

# The part of the state that only EC2's clients see.  A token outlives its volume.
_EC2 = """
CREATE TABLE ec2_tokens (
    token TEXT PRIMARY KEY,
    request BLOB NOT NULL,
    volume_id TEXT NOT NULL,
    used_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE ec2_volumes (
    volume_id TEXT PRIMARY KEY REFERENCES volumes (id) ON DELETE CASCADE,
    volume_type TEXT NOT NULL,
    iops INTEGER,
    throughput INTEGER,
    zone TEXT NOT NULL,
    hidden INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE ec2_modifications (
    volume_id TEXT PRIMARY KEY REFERENCES volumes (id) ON DELETE CASCADE,
    started_at REAL NOT NULL,
    original TEXT NOT NULL,
    target TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE ec2_detaches (
    volume_id TEXT PRIMARY KEY REFERENCES volumes (id) ON DELETE CASCADE,
    attachment_id TEXT NOT NULL,
    busy INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""

# Resources of several projects and users, and what administrators change.  NULL stands for the
# first project and the first user, to whom everything of earlier releases belongs.
_PROJECTS = """
ALTER TABLE volumes ADD COLUMN project_id TEXT;
ALTER TABLE volumes ADD COLUMN user_id TEXT;
ALTER TABLE snapshots ADD COLUMN project_id TEXT;
ALTER TABLE snapshots ADD COLUMN user_id TEXT;
CREATE INDEX volumes_of_project ON volumes (project_id);
CREATE INDEX snapshots_of_project ON snapshots (project_id);
CREATE TABLE quotas (
    project_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (project_id, resource)
) WITHOUT ROWID;
CREATE TABLE application_credentials (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    salt TEXT NOT NULL,
    digest TEXT NOT NULL,
    roles TEXT NOT NULL,
    expires_at REAL,
    unrestricted INTEGER NOT NULL,
    UNIQUE (user_id, name)
);
CREATE TABLE volume_types (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    is_public INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE extra_specs (
    type_id TEXT NOT NULL REFERENCES volume_types (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (type_id, key)
) WITHOUT ROWID;
CREATE TABLE type_access (
    type_id TEXT NOT NULL REFERENCES volume_types (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL,
    PRIMARY KEY (type_id, project_id)
) WITHOUT ROWID;
""" + "".join(
    f"INSERT INTO volume_types (id, name, description) VALUES ('{type_id}', '{name}', {text});\n"
    for name, type_id in VOLUME_TYPES.items()
    for text in ["'Default Volume Type'" if name == DEFAULT_TYPE else "NULL"]
)

#: The statements that make each version of the schema from the one before.
_STEPS = (_FIRST, _HOSTS, _ROOM, _SEARCHES, _SNAPSHOTS, _EC2, _PROJECTS, *LATER)
SCHEMA_VERSION = len(_STEPS)

#: Bytes of the log, and of free pages, that take room on the disk in advance.
_ADVANCE = 2**20
#: Pages of 4 KiB in the log from which on it is copied to the database and begins anew.
_LOG_PAGES = 128


class NewerDatabase(sqlite3.DatabaseError):
    """A later release of the service has written the database."""


class Database:
    """
    One connection to the database.

    :param path: the file, or ``:memory:``.
    :raises NewerDatabase: a later release has written it.
    :raises sqlite3.Error: it is not a database of this service.
    """

    def __init__(self, path: str) -> None:
        # Autocommit, so that this class itself sends BEGIN and COMMIT.
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._depth = 0
        #: The ids of the volumes that changes have touched, also changes that were undone.
        self.touched: set[str] = set()
        #: The same for snapshots.
        self.touched_snapshots: set[str] = set()
        #: The same for backups.
        self.touched_backups: set[str] = set()
        self.all_touched = (self.touched, self.touched_snapshots, self.touched_backups)
        self.execute("PRAGMA foreign_keys = ON")
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
        self.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        self._create()

    def _create(self) -> None:
        with self.transaction():
            (version,) = self.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise NewerDatabase(f"it has version {version}, not {SCHEMA_VERSION}")
            for step in _STEPS[version:]:
                for statement in step.split(";\n"):
                    self.execute(statement)
            self.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def execute(self, statement: str, *parameters: object) -> sqlite3.Cursor:
        """Execute one statement, with ``?`` for the parameters."""
        return self._connection.execute(statement, parameters)

    @property
    def changes(self) -> int:
        """The number of rows that this connection has changed."""
        return self._connection.total_changes

    def commit(self) -> None:
        """Wait until the transaction is durable."""
        self.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: all or nothing; durable when the outermost one has ended."""
        if self._depth:
            yield
            return
        self.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
            self.commit()
        except BaseException:
            if self.in_transaction:
                self.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1

    def make_room(self) -> None:
        """
        Take room for later changes: in the log, which keeps its length while it is open, and as
        free pages in the database.  They then succeed also on a full disk.

        :raises sqlite3.Error: there is no room.
        """
        for statement in ("INSERT INTO room VALUES (randomblob(?))", "DELETE FROM room WHERE ?"):
            with self.transaction():
                self.execute(statement, _ADVANCE)
        self.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of a transaction: all or nothing."""
        self.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            # SQLite itself may have ended the whole transaction.
            if self.in_transaction:
                self.execute("ROLLBACK TO part")
                self.execute("RELEASE part")
            raise
        self.execute("RELEASE part")

    @property
    def in_transaction(self) -> bool:
        """``True`` while a transaction is open."""
        return self._connection.in_transaction

    def only_read(self) -> None:
        """Refuse changes through this connection from now on."""
        self.execute("PRAGMA query_only = ON")

    def set_volume_status(self, volume_id: str, status: str, now: float) -> None:
        """
        Set a volume's status and nothing else.  A volume that leaves ``extending`` does not grow.

        :param now: seconds since the epoch.
        """
        self.touched.add(volume_id)
        self.execute(
            "UPDATE volumes SET status = ?1, updated_at = ?2, held = 0,"
            " growing = CASE WHEN ?1 = 'extending' THEN growing END WHERE id = ?3",
            status,
            now,
            volume_id,
        )

    def clear(self) -> None:
        """Make every table but the facts as it is in a new database, in a transaction."""
        for table, touched in zip(("volumes", "snapshots", "backups"), self.all_touched):
            touched.update(row["id"] for row in self.execute(f"SELECT id FROM {table}"))
        self.execute("PRAGMA defer_foreign_keys = ON")
        new = Database(":memory:")
        for table in new.tables():
            self.execute(f"DELETE FROM {table}")
            for row in new.execute(f"SELECT * FROM {table}"):
                self.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", *row)
        new.close()

    def tables(self) -> list[str]:
        """:return: the names of the tables, without the facts and SQLite's own."""
        rows = self.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'facts'"
            " AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
        )
        return [row["name"] for row in rows]

    def close(self) -> None:
        """Close the file; everything acknowledged is in it already."""
        self._connection.close()
