"""
SQLite for services that have several processes.

SQLAlchemy's transactions begin as readers.  One that turns into a writer after another process has
written fails at once with "database is locked", whatever the timeout.  So here every transaction
begins as a writer, and waits for its turn with ``time.sleep``, which lets the green threads of the
same process run: one of them may hold the lock.
"""

import sqlite3
import time
from sqlite3 import dbapi2

#: Seconds.
PATIENCE = 60
PAUSE = 0.005


class Cursor(sqlite3.Cursor):
    """A cursor whose ``BEGIN`` takes the write lock."""

    def execute(self, statement, *parameters):
        if statement != "BEGIN":
            return super().execute(statement, *parameters)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return super().execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
            time.sleep(PAUSE)


class Connection(sqlite3.Connection):
    """A connection that has such cursors."""

    def cursor(self, factory=Cursor):
        return super().cursor(factory)


_connect = dbapi2.connect


def connect(*args, **kwargs):
    """See ``sqlite3.connect``."""
    return _connect(*args, **{"factory": Connection, **kwargs})


dbapi2.connect = sqlite3.connect = connect
