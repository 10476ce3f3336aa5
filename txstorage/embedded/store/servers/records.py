# -*- test-case-name: tests.embedded.store.test_servers -*-
"""Servers, as values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Optional

import attr


@attr.s(frozen=True, auto_attribs=True)
class BootVolume:
    """
    A volume that a server is made with.

    :ivar device: its name in the API, such as ``/dev/vda``.
    :ivar delete_on_termination: whether it is deleted with the server.
    """

    volume_id: str
    device: str
    delete_on_termination: bool


@attr.s(frozen=True, auto_attribs=True)
class ServerDetails:
    """
    The part of a server that only clients give a meaning to.

    :ivar image_id: ``None`` for a server that boots from a volume.
    :ivar root_id: of the volume that the server boots from, which can't be detached.
    :ivar volumes: those that the server is made with.
    :ivar reserved: whether those were reserved for the server, once all of them were available.
    :ivar doomed: the ids of the volumes that are deleted with the server, whose deletion has begun.
    """

    description: Optional[str] = None
    metadata: Mapping[str, str] = attr.Factory(dict)
    tags: tuple[str, ...] = ()
    image_id: Optional[str] = None
    disk_config: str = "MANUAL"
    config_drive: str = ""
    access_ipv4: str = ""
    access_ipv6: str = ""
    hostname: Optional[str] = None
    reservation_id: Optional[str] = None
    launch_index: int = 0
    root_id: Optional[str] = None
    volumes: tuple[BootVolume, ...] = ()
    reserved: bool = False
    doomed: tuple[str, ...] = ()

    def as_text(self) -> str:
        """Return the column's value."""
        return json.dumps(attr.asdict(self))

    @classmethod
    def from_text(cls, text: str) -> ServerDetails:
        """From a column's value."""
        found: dict[str, Any] = json.loads(text)
        found.update({name: tuple(found[name]) for name in ("tags", "doomed") if name in found})
        found["volumes"] = tuple(BootVolume(**each) for each in found.get("volumes", ()))
        return cls(**found)


@attr.s(frozen=True, auto_attribs=True)
class ServerRecord:
    """
    A server.

    :ivar status: of Nova's, or ``DELETING``.
    :ivar created_at: seconds since the epoch.
    :ivar is_node: whether it is declared, and stands for a host; no client can delete it.
    :ivar project_id: ``None`` for the first project, to which all nodes belong.
    :ivar user_id: ``None`` for the first user.
    """

    sequence: int
    server_id: str
    name: str
    status: str
    created_at: float
    updated_at: Optional[float] = None
    is_node: bool = True
    project_id: Optional[str] = None
    user_id: Optional[str] = None
    details: ServerDetails = ServerDetails()

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> ServerRecord:
        """From a row of the ``servers`` table."""
        return cls(
            sequence=row["sequence"],
            server_id=row["id"],
            name=row["name"],
            status=row["status"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            is_node=bool(row["is_node"]),
            project_id=row["project_id"],
            user_id=row["user_id"],
            details=ServerDetails.from_text(row["details"]),
        )


@attr.s(frozen=True, auto_attribs=True)
class NewServer:
    """
    A requested server.

    :ivar project_id: ``None`` for the first project.
    :ivar user_id: ``None`` for the first user.
    """

    name: str
    details: ServerDetails
    project_id: Optional[str] = None
    user_id: Optional[str] = None


@attr.s(frozen=True, auto_attribs=True)
class ServerAction:
    """
    A request that has changed a server.

    :ivar name: Nova's name of the action.
    :ivar started_at: seconds since the epoch.
    """

    server_id: str
    name: str
    request_id: str
    project_id: str
    user_id: str
    started_at: float


__all__ = ["BootVolume", "NewServer", "ServerAction", "ServerDetails", "ServerRecord"]
