# -*- test-case-name: tests.embedded.test_service -*-
"""
The opening of the database and of ports when the service starts, and the remedies of those that
can't be used.
"""

from __future__ import annotations

import errno
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


#: The remedies of a port that can't be opened, with the option that chose the port.
_PORT_REMEDIES = {
    errno.EADDRINUSE: "stop the program that uses the port ('ss -ltnp' names it), or give another "
    "{} (0: any free one)",
    errno.EACCES: "only root can use this port: give {} above 1023 (0: any free one)",
}


def no_port(option: str, host: str, number: int, error: Exception) -> ServeError:
    """
    :param option: the name of the option that chose the port.
    :param error: Twisted's, or the operating system's.
    :return: the error of a port that can't be opened, with the remedy.
    """
    cause = getattr(error, "socketError", error)
    reason = getattr(cause, "strerror", None) or cause
    advice = _PORT_REMEDIES.get(
        getattr(cause, "errno", 0), "give an address of this machine with --host"
    )
    return ServeError(f"can't listen on {host} port {number}: {reason}", advice.format(option))


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
