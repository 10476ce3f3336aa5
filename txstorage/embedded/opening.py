# -*- test-case-name: tests.embedded.test_service -*-
"""
The opening of the database when the service starts, and the remedies of one that can't be used.
"""

from __future__ import annotations

import sqlite3
from typing import Callable

from .disk import Reserve, is_full
from .state_directory import ServeError
from .store.database import NewerDatabase
from .store.store import Store


def open_store(path: str, reserve: Reserve, now: Callable[[], float]) -> Store:
    """
    Open the database, also on a full disk.

    :param reserve: the room on the disk that is given up when SQLite lacks some.
    :param now: returns seconds since the epoch.
    :raises ServeError: it can't be used; with the remedy.
    """
    try:
        try:
            return Store(path, now)
        except sqlite3.OperationalError:
            # SQLite reports a full disk in several ways.
            if not reserve.release():
                raise
            return Store(path, now)
    except sqlite3.Error as error:
        raise ServeError(f"can't use the database {path}: {error}", remedy(error)) from error


def remedy(error: sqlite3.Error) -> str:
    """
    :return: the remedy of a database that can't be used.  The class of the error and its text stand
        for SQLite's result code, which Python reports only since 3.11.
    """
    text = str(error)
    if isinstance(error, NewerDatabase):
        return "use the release of txstorage that has written it, or a later one"
    if is_full(error):
        return "make room on the disk"
    if "malformed" in text or "not a database" in text:
        return (
            "restore the database from a backup; the volumes' files beside it are whole, so keep "
            "the directory as it is until then"
        )
    if "readonly" in text or "read-only" in text or "unable to open" in text:
        return "make the directory and its file system writable for this user"
    if "locked" in text:
        return "end the program that uses the database; 'fuser' names it"
    return "look for the disk's own errors with 'dmesg'"
