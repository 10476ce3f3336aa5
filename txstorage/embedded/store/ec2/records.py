# -*- test-case-name: tests.embedded.ec2 -*-
"""The records of the EC2 tables, as values."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import attr


@attr.s(frozen=True, auto_attribs=True)
class EC2Kind:
    """
    The properties of a volume that EC2 has and OpenStack does not.

    :ivar volume_type: EC2's name, e.g. ``gp3``.
    :ivar iops: ``None`` for a type without.
    :ivar throughput: MiB/s; ``None`` for a type without.
    :ivar hidden: whether EC2's clients have deleted the volume, which still has snapshots.
    """

    volume_type: str
    iops: int | None
    throughput: int | None
    zone: str
    hidden: bool = False

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> EC2Kind:
        """From a row of the ``ec2_volumes`` table."""
        return cls(
            volume_type=row["volume_type"],
            iops=row["iops"],
            throughput=row["throughput"],
            zone=row["zone"],
            hidden=bool(row["hidden"]),
        )


@attr.s(frozen=True, auto_attribs=True)
class VolumeShape:
    """
    The part of a volume that a modification changes.

    :ivar size: GiB.
    """

    size: int
    volume_type: str
    iops: int | None
    throughput: int | None

    def as_text(self) -> str:
        """Return the shape as JSON."""
        return json.dumps(attr.asdict(self))

    @classmethod
    def from_text(cls, text: str) -> VolumeShape:
        """Read what :meth:`as_text` returned."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**fields)


@attr.s(frozen=True, auto_attribs=True)
class ModificationRecord:
    """
    The last modification of a volume.

    :ivar started_at: seconds since the epoch.
    """

    volume_id: str
    started_at: float
    original: VolumeShape
    target: VolumeShape

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> ModificationRecord:
        """From a row of the ``ec2_modifications`` table."""
        shapes = (VolumeShape.from_text(row[name]) for name in ("original", "target"))
        return cls(row["volume_id"], row["started_at"], *shapes)


@attr.s(frozen=True, auto_attribs=True)
class DetachRecord:
    """
    A detach that EC2's clients have requested, and that has not ended.

    :ivar busy: whether it failed because the device is in use, so that it is repeated.
    """

    volume_id: str
    attachment_id: str
    busy: bool
