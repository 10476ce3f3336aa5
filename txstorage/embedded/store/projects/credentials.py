# -*- test-case-name: tests.embedded.store.test_projects -*-
"""
The table of the users' application credentials in the durable state.
"""

from __future__ import annotations

import json
import sqlite3

import attr

from ..database import Database

#: By the stored number.
_UNRESTRICTED = {0: None, 1: True, -1: False}


@attr.s(frozen=True, auto_attribs=True)
class CredentialRecord:
    """
    An application credential, without its secret.

    :ivar salt: of the digest.
    :ivar digest: of the secret.
    :ivar roles: the names of the roles that it carries.
    :ivar expires_at: seconds since the epoch; ``None``: never.
    :ivar unrestricted: whether it may make other credentials; ``None``: it was not said.
    """

    credential_id: str
    user_id: str
    project_id: str
    name: str
    description: str | None
    salt: str = attr.ib(repr=False)
    digest: str = attr.ib(repr=False)
    roles: tuple[str, ...]
    expires_at: float | None
    unrestricted: bool | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> CredentialRecord:
        """From a row of the table."""
        return cls(
            credential_id=row["id"],
            user_id=row["user_id"],
            project_id=row["project_id"],
            name=row["name"],
            description=row["description"],
            salt=row["salt"],
            digest=row["digest"],
            roles=tuple(json.loads(row["roles"])),
            expires_at=row["expires_at"],
            unrestricted=_UNRESTRICTED[row["unrestricted"]],
        )


class CredentialsTable:
    """
    Application credentials, each of one user for one project.

    :param database: the store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: CredentialRecord) -> None:
        """Record a new credential."""
        self._database.execute(
            "INSERT INTO application_credentials (id, user_id, project_id, name, description, salt,"
            " digest, roles, expires_at, unrestricted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            new.credential_id,
            new.user_id,
            new.project_id,
            new.name,
            new.description,
            new.salt,
            new.digest,
            json.dumps(new.roles),
            new.expires_at,
            {None: 0, True: 1, False: -1}[new.unrestricted],
        )

    def find(self, credential_id: str) -> CredentialRecord | None:
        """:return: the credential, or ``None`` when there is none."""
        found = self._chosen("id = ?", credential_id)
        return found[0] if found else None

    def of_user(self, user_id: str) -> list[CredentialRecord]:
        """:return: a user's credentials, the oldest first."""
        return self._chosen("user_id = ?", user_id)

    def _chosen(self, condition: str, *parameters: object) -> list[CredentialRecord]:
        rows = self._database.execute(
            f"SELECT * FROM application_credentials WHERE {condition} ORDER BY sequence",
            *parameters,
        )
        return [CredentialRecord.from_row(row) for row in rows]

    def remove(self, credential_id: str) -> None:
        """Remove a credential."""
        self._database.execute("DELETE FROM application_credentials WHERE id = ?", credential_id)


__all__ = ["CredentialRecord", "CredentialsTable"]
