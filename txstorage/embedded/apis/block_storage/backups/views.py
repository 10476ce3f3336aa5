# -*- test-case-name: tests.embedded.apis.test_backups -*-
"""Backups in Cinder's format."""

from __future__ import annotations

from typing import Any

import attr

from ....accounts.directory import Ids
from ....settings import AVAILABILITY_ZONE
from ....store.features.backups import BackupRecord
from ....wire.exchange import Version
from ....wire.times import volume_time
from .requests import METADATA

_PROJECT, _USER = (3, 18), (3, 56)


@attr.s(frozen=True, auto_attribs=True)
class BackupView:
    """
    Backups for one request.

    :ivar base: the beginning of links.
    :ivar ids: of the first project and the first user.
    :ivar project_path: the project's part of links; empty or with a slash.
    :ivar admin: whether the user is an administrator.
    """

    base: str
    ids: Ids
    version: Version
    project_path: str
    admin: bool

    def summary(self, backup: BackupRecord) -> dict[str, Any]:
        """An entry of the short list, and the response to a create or an update."""
        path = f"{self.project_path}backups/{backup.backup_id}"
        return {
            "id": backup.backup_id,
            "name": backup.name,
            "links": [
                {"rel": "self", "href": f"{self.base}/volume/v3/{path}"},
                {"rel": "bookmark", "href": f"{self.base}/volume/{path}"},
            ],
        }

    def detail(self, backup: BackupRecord, dependents: bool) -> dict[str, Any]:
        """
        A backup in full.

        :param dependents: whether others are incremental to it.
        """
        view = {
            **self.summary(backup),
            "status": backup.status,
            "size": backup.size,
            "object_count": 0,
            "availability_zone": AVAILABILITY_ZONE,
            "container": backup.container,
            "created_at": volume_time(backup.created_at),
            "updated_at": volume_time(backup.updated_at),
            "description": backup.description,
            "fail_reason": backup.fail_reason,
            "volume_id": backup.volume_id,
            "is_incremental": backup.parent_id is not None,
            "has_dependent_backups": dependents,
            "snapshot_id": backup.snapshot_id,
            "data_timestamp": volume_time(backup.data_timestamp),
        }
        if self.version >= METADATA:
            view["metadata"] = dict(backup.metadata)
        if self.admin and self.version >= _PROJECT:
            view["os-backup-project-attr:project_id"] = backup.project_id or self.ids.project
        if self.admin and self.version >= _USER:
            view["user_id"] = backup.user_id or self.ids.user
        return view


__all__ = ["BackupView"]
