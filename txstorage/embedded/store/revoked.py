# -*- test-case-name: tests.embedded.store.test_store -*-
"""
The table of revoked tokens in the durable state.
"""

from __future__ import annotations

import hashlib

from .database import Database


class RevokedTokens:
    """
    Tokens that must no longer be accepted, until they expire.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, token: str, expires_at: float, now: float) -> None:
        """
        Revoke a token, and forget those that have expired.

        :param expires_at: the end of the token, by the same clock as ``now``.
        """
        with self._database.transaction():
            self._database.execute("DELETE FROM revoked WHERE expires_at <= ?", now)
            self._database.execute(
                "INSERT OR IGNORE INTO revoked VALUES (?, ?)", _digest(token), expires_at
            )

    def has(self, token: str) -> bool:
        """Check whether a token was revoked."""
        row = self._database.execute("SELECT 1 FROM revoked WHERE digest = ?", _digest(token))
        return row.fetchone() is not None


def _digest(token: str) -> bytes:
    # The database alone does not reveal a token.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
