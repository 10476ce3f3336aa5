# -*- test-case-name: tests.embedded.recovery -*-
"""The loss of a database: whether it is missing, or empty beside files that it should know."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection
from contextlib import closing

from ..machine.files import BACKUP_PREFIX, PREFIX, SNAPSHOT_PREFIX
from ..state_directory import ServeError, StateDirectory
from ..store.features.backups import BackupRecord
from ..store.records import SnapshotRecord, VolumeRecord
from ..store.sidecar_content import ids_with_file


def _counts(path: str) -> tuple[int, int, int]:
    """:return: the numbers of nodes, volumes and backups in a database, which may not exist."""
    if not os.path.exists(path) or not os.path.getsize(path):
        return 0, 0, 0
    with closing(sqlite3.connect(path)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if not {"servers", "volumes"} <= tables:
            return 0, 0, 0
        nodes = database.execute("SELECT count(*) FROM servers").fetchone()
        columns = {row[1] for row in database.execute("PRAGMA table_info(volumes)")}
        # Earlier releases had no other name for it.
        root = "root" if "root" in columns else "bootable"
        volumes = database.execute(f"SELECT count(*) FROM volumes WHERE NOT {root}").fetchone()
        backups = (0,)
        if "backups" in tables:
            backups = database.execute("SELECT count(*) FROM backups").fetchone()
    return nodes[0], volumes[0], backups[0]


def is_lost(state: StateDirectory) -> bool:
    """
    Check for a database that is missing, or is empty beside files that it should know.

    Files of volumes, snapshots and backups are made after their rows and removed before them, and
    nodes' files are made after their rows; so no crash looks like a loss.
    """
    try:
        nodes, volumes, backups = _counts(state.database)
    except sqlite3.Error:
        # A database that can't be read is there; its problem is reported when it is opened.
        return False
    names = os.listdir(state.volumes)
    files = ids_with_file(names) + ids_with_file(names, SNAPSHOT_PREFIX)
    copies = ids_with_file(names, BACKUP_PREFIX)
    if not nodes:
        return bool(files or copies or state.agents() or os.path.exists(state.memory))
    # A backup outlives its volume.
    return bool(files) and not volumes or bool(copies) and not (volumes or backups)


def refuse_lost(state: StateDirectory) -> None:
    """
    :raises ServeError: the database is lost.
    """
    if not is_lost(state):
        return
    files = ids_with_file(os.listdir(state.volumes))
    agents = [os.path.basename(path) for path in state.agents().values()]
    count = "1 volume" if len(files) == 1 else f"{len(files)} volumes"
    found = [f"the files of {count}"] if files else []
    raise ServeError(
        "the database {} is missing or empty, but {} has {}".format(
            state.database, state.path, ", ".join(found + agents) or "a service.json"
        ),
        "put the database back from a copy, see what can be restored without it with "
        f"'txstorage serve --state-dir {state.path} --recover', or give another --state-dir",
    )


def unknown_files(
    state: StateDirectory,
    volumes: Collection[VolumeRecord],
    snapshots: Collection[SnapshotRecord] = (),
    backups: Collection[BackupRecord] = (),
) -> list[str]:
    """:return: warnings about files that a database, such as an old copy, lacks."""
    names = os.listdir(state.volumes)
    known = {
        "volumes": (PREFIX, {volume.volume_id for volume in volumes}),
        "snapshots": (SNAPSHOT_PREFIX, {snapshot.snapshot_id for snapshot in snapshots}),
        "backups": (BACKUP_PREFIX, {backup.backup_id for backup in backups}),
    }
    found = {kind: set(ids_with_file(names, prefix)) - ids for kind, (prefix, ids) in known.items()}
    return [
        f"warning: {state.volumes} has files of unknown {kind}, which are left alone: "
        + ", ".join(sorted(unknown))
        for kind, unknown in found.items()
        if unknown
    ]


__all__ = ["is_lost", "refuse_lost", "unknown_files"]
