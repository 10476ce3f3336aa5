# -*- test-case-name: tests.embedded.recovery -*-
"""The restoration of a lost database from its remains."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing, suppress

from ..disk import sync_directory
from ..state_directory import ServeError, StateDirectory
from ..store.store import Store
from .remains import Remains

#: Files that SQLite keeps beside a database.
_BESIDE = ("-wal", "-shm", "-journal", "")


def restore(state: StateDirectory, remains: Remains, clock: Callable[[], float]) -> None:
    """
    Make a database from the remains.  After a crash it is either complete or still lost.

    :param clock: returns seconds since the epoch.
    :raises ServeError: there is no room for it.
    """
    made = state.database + ".restored"
    try:
        for suffix in _BESIDE:
            with suppress(FileNotFoundError):
                os.unlink(made + suffix)
        # Made with mode 0600, whatever the umask is.
        os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(Store(made, clock)) as store, store.transaction():
            _fill(store, remains)
        _set_aside(state.database)
        os.rename(made, state.database)
        sync_directory(state.path)
    except (OSError, sqlite3.Error) as error:
        raise ServeError(
            f"can't restore the database {state.database}: {error}",
            "remove the cause, and repeat the recovery",
        ) from error


def _fill(store: Store, remains: Remains) -> None:
    for name, value in remains.facts.items():
        store.set_fact(name, value)
    for name, server_id in remains.nodes.items():
        store.declare_server(name, server_id)
    for name in sorted({each.record.volume_type for each in remains.volumes}):
        # An administrator's, whose extra specs are lost.
        if store.types.find(name) is None:
            store.types.add(name)
    for each in remains.volumes:
        store.restore_volume(each.record)
    for snapshot in remains.snapshots:
        store.snapshots.restore(snapshot.record)
    for backup in remains.backups:
        store.backups.restore_record(backup.record)
    devices = [
        each.record.attachment.node_device for each in remains.volumes if each.record.attachment
    ]
    if devices:
        # All attached volumes have devices of one kind.
        store.set_fact("devices", "loop" if str(devices[0]).startswith("/dev/") else "file")


def _set_aside(path: str) -> None:
    """Rename a database, and what SQLite keeps beside it, which must not meet another database."""
    aside = f"{path}.lost-{uuid.uuid4().hex[:8]}"
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            os.rename(path + suffix, aside + suffix)


__all__ = ["restore"]
