# -*- test-case-name: tests.embedded.apis.test_snapshots -*-
"""Snapshots in Cinder's format."""

from __future__ import annotations

from typing import Any

import attr

from ...accounts.directory import Ids
from ...store.records import SnapshotRecord
from ...wire.exchange import Version
from ...wire.times import volume_time


@attr.s(frozen=True, auto_attribs=True)
class SnapshotView:
    """
    Snapshots for one request.

    :ivar ids: of the first project and the first user.
    """

    ids: Ids
    version: Version

    def summary(self, snapshot: SnapshotRecord) -> dict[str, Any]:
        """An entry of the short list."""
        return {
            "id": snapshot.snapshot_id,
            "created_at": volume_time(snapshot.created_at),
            "updated_at": volume_time(snapshot.updated_at),
            "name": snapshot.name,
            "description": snapshot.description,
            "volume_id": snapshot.volume_id,
            "status": snapshot.status,
            "size": snapshot.size,
            "metadata": dict(snapshot.metadata),
        }

    def changed(self, snapshot: SnapshotRecord) -> dict[str, Any]:
        """The response to a create or an update."""
        fields = (
            ((3, 14), "group_snapshot_id", None),
            ((3, 41), "user_id", snapshot.user_id or self.ids.user),
            ((3, 65), "consumes_quota", True),
        )
        later = {name: value for since, name, value in fields if self.version >= since}
        return dict(self.summary(snapshot), **later)

    def detail(self, snapshot: SnapshotRecord, percent: int) -> dict[str, Any]:
        """
        A snapshot in full.

        :param percent: the part of it that is complete.
        """
        prefix = "os-extended-snapshot-attributes:"
        owner = snapshot.project_id or self.ids.project
        more = {prefix + "project_id": owner, prefix + "progress": f"{percent}%"}
        return dict(self.changed(snapshot), **more)
