"""
The fake cloud's volumes: their states, the filters of lists, and their pages.
"""

from __future__ import annotations

import json
import time
import uuid
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Version = tuple[int, int]

#: Cinder sorts lists by these, descending: the time of the creation, and the id.
Key = tuple[str, str]

#: The members that later microversions add to a volume.
LATER_MEMBERS: tuple[tuple[Version, str, Any], ...] = (
    ((3, 13), "group_id", None),
    ((3, 48), "shared_targets", False),
    ((3, 48), "service_uuid", "5f0a2c4e-9d1b-4c3f-8a67-2b1d9e5c7f30"),
    ((3, 63), "volume_type_id", "7d2e9f41-6b8c-4a05-b3d7-1c9e4f8a2b65"),
    ((3, 65), "consumes_quota", True),
)


def second(moment: float) -> str:
    """A time as Cinder shows it, whose MySQL columns have no fractions of seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000", time.gmtime(moment))


@dataclass(frozen=True)
class Attachment:
    """An attachment of a volume to a server."""

    attachment_id: str
    server_id: str
    device: str
    since: str


@dataclass
class Volume:
    """
    One volume.

    :ivar base: the beginning of the volume's links.
    :ivar attachment: the complete attachment, or ``None``.
    """

    volume_id: str
    name: str
    size: int
    metadata: dict[str, str]
    created: str
    base: str
    project_id: str
    status: str = "creating"
    updated: str | None = None
    attachment: Attachment | None = None
    _encoded: dict[int, bytes] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """The volume's place in a list."""
        return self.created, self.volume_id

    def change(self, now: float, status: str, attachment: Attachment | None) -> None:
        """Change the volume's state."""
        self.status, self.attachment, self.updated = status, attachment, second(now)
        self._encoded.clear()

    def encoded(self, version: Version) -> bytes:
        """The volume in detail, as JSON."""
        members = sum(version >= since for since, _, _ in LATER_MEMBERS)
        if members not in self._encoded:
            later = {name: value for _, name, value in LATER_MEMBERS[:members]}
            self._encoded[members] = json.dumps({**self._view(), **later}).encode()
        return self._encoded[members]

    def _view(self) -> dict[str, Any]:
        path = f"{self.project_id}/volumes/{self.volume_id}"
        return {
            "id": self.volume_id,
            "status": self.status,
            "size": self.size,
            "availability_zone": "nova",
            "created_at": self.created,
            "updated_at": self.updated,
            "name": self.name,
            "description": None,
            "volume_type": "__DEFAULT__",
            "snapshot_id": None,
            "source_volid": None,
            "metadata": self.metadata,
            "links": [
                {"rel": "self", "href": f"{self.base}/volume/v3/{path}"},
                {"rel": "bookmark", "href": f"{self.base}/volume/{path}"},
            ],
            "user_id": "c1a5f0b27d3e4968a4b0d6e8f1235790",
            "bootable": "false",
            "encrypted": False,
            "replication_status": None,
            "consistencygroup_id": None,
            "multiattach": False,
            "attachments": self._attachments(),
            "os-vol-tenant-attr:tenant_id": self.project_id,
        }

    def _attachments(self) -> list[dict[str, Any]]:
        attachment = self.attachment
        if attachment is None:
            return []
        return [
            {
                "id": self.volume_id,
                "attachment_id": attachment.attachment_id,
                "volume_id": self.volume_id,
                "server_id": attachment.server_id,
                "host_name": None,
                "device": attachment.device,
                "attached_at": attachment.since,
            }
        ]


#: The comparisons of a time, by their names in a query.
COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "gt": lambda found, wanted: found > wanted,
    "gte": lambda found, wanted: found >= wanted,
    "eq": lambda found, wanted: found == wanted,
    "neq": lambda found, wanted: found != wanted,
    "lt": lambda found, wanted: found < wanted,
    "lte": lambda found, wanted: found <= wanted,
}


@dataclass(frozen=True)
class Filters:
    """
    The filters of a list.

    :ivar equal: attributes of a volume, and the values that they must have.
    :ivar times: triples of an attribute, a comparison's name and a time.
    """

    labels: dict[str, str] = field(default_factory=dict)
    equal: dict[str, str] = field(default_factory=dict)
    times: tuple[tuple[str, str, str], ...] = ()

    def match(self, volume: Volume) -> bool:
        """Check whether a volume is in the list."""
        return (
            all(volume.metadata.get(name) == value for name, value in self.labels.items())
            and all(getattr(volume, name) == value for name, value in self.equal.items())
            and all(
                # A volume that never changed has no time to compare.
                (found := getattr(volume, name)) is not None and COMPARISONS[kind](found, wanted)
                for name, kind, wanted in self.times
            )
        )


class Volumes:
    """
    All volumes.

    :param base: the beginning of links.
    :param clock: returns the seconds since the epoch.
    """

    def __init__(self, base: str, project_id: str, clock: Callable[[], float] = time.time) -> None:
        self._base, self._project_id, self.clock = base, project_id, clock
        self._volumes: dict[str, Volume] = {}
        self._all: list[Key] = []
        self._by_label: dict[tuple[str, str], list[Key]] = {}

    def __len__(self) -> int:
        return len(self._volumes)

    def get(self, volume_id: str) -> Volume | None:
        """A volume by its id."""
        return self._volumes.get(volume_id)

    def add(self, name: str, size: int, metadata: dict[str, str]) -> Volume:
        """Add a volume that is being created."""
        now, volume_id = second(self.clock()), str(uuid.uuid4())
        volume = Volume(volume_id, name, size, metadata, now, self._base, self._project_id)
        self._volumes[volume_id] = volume
        for keys in self._lists_of(volume):
            insort(keys, volume.key)
        return volume

    def remove(self, volume: Volume) -> None:
        """Remove a volume that was deleted."""
        del self._volumes[volume.volume_id]
        for keys in self._lists_of(volume):
            del keys[bisect_left(keys, volume.key)]

    def _lists_of(self, volume: Volume) -> Iterator[list[Key]]:
        yield self._all
        for label in volume.metadata.items():
            yield self._by_label.setdefault(label, [])

    def select(self, filters: Filters, marker: Volume | None = None) -> Iterator[Volume]:
        """
        Yield the volumes of a list, the newest first.

        :param marker: the volume before the first one.
        """
        lists = [self._by_label.get(label, []) for label in filters.labels.items()]
        keys = min(lists, key=len) if lists else self._all
        end = len(keys) if marker is None else bisect_left(keys, marker.key)
        for index in range(end - 1, -1, -1):
            volume = self._volumes[keys[index][1]]
            if filters.match(volume):
                yield volume
