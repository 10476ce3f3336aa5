# -*- test-case-name: tests.embedded.store.test_features -*-
"""
The table of Cinder's processes that an administrator has disabled.

This service is one process, and stands for three of Cinder's, each of which exists once.
"""

from __future__ import annotations

from ..database import Database

SCHEDULER, VOLUME, BACKUP = "cinder-scheduler", "cinder-volume", "cinder-backup"


class ProcessesTable:
    """
    The disabled processes.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def disabled(self) -> dict[str, str | None]:
        """:return: the reasons, or ``None`` without one, by the processes' binaries."""
        rows = self._database.execute("SELECT binary, reason FROM disabled_processes")
        return {row["binary"]: row["reason"] for row in rows}

    def disable(self, binary: str, reason: str | None) -> None:
        """
        Record that a process is disabled.

        :param reason: ``None`` to keep the former one, if there is one.
        """
        self._database.execute(
            "INSERT INTO disabled_processes VALUES (?1, ?2)"
            " ON CONFLICT (binary) DO UPDATE SET reason = coalesce(?2, reason)",
            binary,
            reason,
        )

    def enable(self, binary: str) -> None:
        """Record that a process is enabled."""
        self._database.execute("DELETE FROM disabled_processes WHERE binary = ?", binary)


__all__ = ["BACKUP", "SCHEDULER", "VOLUME", "ProcessesTable"]
