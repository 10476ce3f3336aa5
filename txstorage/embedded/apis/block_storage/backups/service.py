# -*- test-case-name: tests.embedded.apis.test_backups -*-
"""
Block Storage v3's backups: whole copies, also those that are asked for as incremental ones.

The refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

from typing import Any, Callable

import attr
from twisted.logger import Logger

from ....settings import Settings
from ....store.features.backups import BackupRecord
from ....store.records import NewVolume, VolumeRecord
from ....store.store import Store
from ....wire import refusals, volume_refusals
from ....wire.exchange import APIRequest, APIResponse, endpoint
from ....wire.pagination import next_links, volume_page
from ....wire.requests.routes import Routes
from ....wire.versions import VOLUME
from ...versioned import FilesService
from ...visible import default_type, visible_backup, visible_snapshot, visible_volume
from ..queries import boolean, order, ordered_page
from ..quota import RESTORED, Allowance, check, quota_of
from . import requests
from .views import BackupView

_log = Logger()
_ALL = "/v3/<project_id>/backups"
_ID = _ALL + "/<backup_id>"
_COUNT = (3, 45)
_DELETABLE = frozenset(["available", "error"])
_DESCRIPTION = "auto-created_from_restore_from_backup"


class BackupsAPI(FilesService):
    """
    The backups.

    :param engine: carries out the transitions of backups.
    :param files: of the volumes and backups.
    """

    app = Routes()
    dialect = VOLUME

    def _view(self, call: APIRequest) -> BackupView:
        path = self.project_path(call)
        admin = call.requester.is_admin
        return BackupView(call.base, self._directory.ids, call.version, path, admin)

    def _detail(self, call: APIRequest, backup: BackupRecord) -> dict[str, Any]:
        dependents = bool(self._store.backups.dependents(backup.backup_id))
        return self._view(call).detail(backup, dependents)

    def _found(self, call: APIRequest, backup_id: str, store: Store | None = None) -> BackupRecord:
        """
        Find a backup that the user may see and, unless the request is an action, do this with.

        :param store: of the change that finds the backup; without one, that of reading.
        :raises WireError: 403, 404.
        """
        backup = visible_backup(call, store or self._store, backup_id)
        self.permit(call)
        return backup

    # -- reading ---------------------------------------------------------------

    @endpoint(app, _ALL, "GET")
    def list_short(self, call: APIRequest) -> APIResponse:
        """List backups' names."""
        return self._list(call, "backups", self._view(call).summary)

    @endpoint(app, _ALL + "/detail", "GET")
    def list_detail(self, call: APIRequest) -> APIResponse:
        """List backups in full."""
        return self._list(call, "backups/detail", lambda each: self._detail(call, each))

    def _list(
        self, call: APIRequest, path: str, view: Callable[[BackupRecord], dict[str, Any]]
    ) -> APIResponse:
        query = call.query()
        page = volume_page(query, self._settings.page_size)
        keys = dict(requests.KEYS)
        if call.version >= requests.NAME_ORDER:
            keys["name"] = keys["display_name"]
        by = order(query, keys)
        counted = call.version >= _COUNT and boolean(query, "with_count")
        self.permit(call)
        first_user = self._directory.ids.user
        found = requests.chosen(call, self._of_projects(call), query, first_user)
        marker = None if page.marker is None else self._found(call, page.marker)
        part = ordered_page(found, marker, page, by, keys)
        body: dict[str, Any] = {"backups": [view(each) for each in part]}
        count = len(found) if counted else None
        url = f"{call.base}/volume/v3/{self.project_path(call)}{path}"
        ids = [each.backup_id for each in part]
        body.update(next_links("backups", url, query, page, ids, count))
        if counted:
            body["count"] = count
        return APIResponse(200, body)

    def _of_projects(self, call: APIRequest) -> list[BackupRecord]:
        if call.requester.is_admin and boolean(call.query(), "all_tenants"):
            return self._store.backups.every()
        return self._store.backups.of_project(call.requester.owner.project_id)

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, backup_id: str) -> APIResponse:
        """Show one backup."""
        return APIResponse(200, {"backup": self._detail(call, self._found(call, backup_id))})

    # -- changing --------------------------------------------------------------

    @endpoint(app, _ALL, "POST")
    async def create(self, call: APIRequest) -> APIResponse:
        """Begin to back a volume, or a snapshot of it, up."""
        wanted = requests.new_backup(call.json(), call.version)

        def change(store: Store) -> BackupRecord:
            if not self._files.has_room():
                raise self.disk_full()
            volume = visible_volume(call, store, wanted.volume_id)
            self.permit(call)
            snapshot = None
            if wanted.snapshot_id is not None:
                snapshot = visible_snapshot(call, store, wanted.snapshot_id)
            new = requests.backup_of(wanted, volume, snapshot)
            new = attr.evolve(new, **attr.asdict(call.requester.owner))
            _check_quota(self._settings, store, new.project_id, new.size)
            if wanted.incremental:
                new = attr.evolve(new, parent_id=requests.parent_of(store, new))
            return store.backups.add(new, volume)

        backup = await self._store.write(change)
        self._engine.begin(backup.backup_id)
        return APIResponse(202, {"backup": self._view(call).summary(backup)})

    @endpoint(app, _ID, "PUT", since=requests.UPDATE)
    async def update(self, call: APIRequest, backup_id: str) -> APIResponse:
        """Change a backup's name, description or labels."""
        columns = requests.updated(call.json(), call.version)

        def change(store: Store) -> BackupRecord:
            self._found(call, backup_id, store)
            return store.backups.change(backup_id, **columns)

        backup = await self._store.write(change)
        return APIResponse(200, {"backup": self._view(call).summary(backup)})

    @endpoint(app, _ID, "DELETE")
    async def delete(self, call: APIRequest, backup_id: str) -> APIResponse:
        """Begin to delete a backup."""

        def change(store: Store) -> None:
            backup = self._found(call, backup_id, store)
            if backup.status not in _DELETABLE:
                raise volume_refusals.BACKUP_NOT_DELETABLE()
            _delete(store, backup)

        await self._store.write(change)
        self._engine.begin(backup_id)
        return APIResponse(202)

    @endpoint(app, _ID + "/restore", "POST")
    async def restore(self, call: APIRequest, backup_id: str) -> APIResponse:
        """Begin to restore a backup, to an available volume or to a new one."""
        volume_id, name = requests.restored(call.json())

        def change(store: Store) -> VolumeRecord:
            backup = self._found(call, backup_id, store)
            if backup.status != "available":
                raise volume_refusals.BACKUP_NOT_RESTORABLE()
            if volume_id is None:
                volume = self._new_volume(call, store, backup, name)
            else:
                volume = visible_volume(call, store, volume_id)
                _refuse_restore(backup, volume)
            store.backups.restore(backup_id, volume.volume_id)
            return volume

        volume = await self._store.write(change)
        self._engine.begin(backup_id)
        view = {
            "backup_id": backup_id,
            "volume_id": volume.volume_id,
            "volume_name": volume.name,
        }
        return APIResponse(202, {"restore": view})

    def _new_volume(
        self, call: APIRequest, store: Store, backup: BackupRecord, name: str | None
    ) -> VolumeRecord:
        """:raises WireError: 413."""
        owner, size = call.requester.owner, backup.size
        kind = default_type(call, store).name
        quota = Allowance(self._settings, store, owner.project_id)
        check(quota, kind, {"volumes": 1, "gigabytes": size}, RESTORED)
        name = name if name is not None else f"restore_backup_{backup.backup_id}"
        new = NewVolume(name, _DESCRIPTION, size, kind, {})
        return store.add_volume(attr.evolve(new, **attr.asdict(owner)))

    @endpoint(app, _ID + "/action", "POST")
    async def action(self, call: APIRequest, backup_id: str) -> APIResponse:
        """
        Set a backup's status (``os-reset_status``), or begin to delete it in any status
        (``os-force_delete``), as an administrator.
        """
        action, status = requests.new_status(call.json(empty={"None": {}}))

        def change(store: Store) -> BackupRecord:
            backup = self._found(call, backup_id, store)
            self.permit(call, f"backup {action}")
            if action == "os-force_delete":
                _delete(store, backup)
            else:
                store.backups.change(backup_id, status=status)
            return backup

        former = await self._store.write(change)
        if action == "os-force_delete":
            self._engine.begin(backup_id)
        self._release(former)
        return APIResponse(202)

    def _release(self, backup: BackupRecord) -> None:
        """Release the volume, or the snapshot, of a backup once nothing copies its data."""
        idle = self._engine.idle(backup.backup_id)
        idle.addCallback(
            lambda _: self._store.write(lambda store: store.backups.release_abandoned(backup))
        )
        # The next start does it otherwise.
        idle.addErrback(lambda why: _log.failure("A backup's volume was not released", why))

    @endpoint(app, _ID + "/export_record", "GET")
    def export_record(self, call: APIRequest, backup_id: str) -> APIResponse:
        """Refuse to export a backup, to everybody."""
        self._found(call, backup_id)
        raise refusals.FORBIDDEN("backup:export-import")

    @endpoint(app, _ALL + "/import_record", "POST")
    def import_record(self, call: APIRequest) -> APIResponse:
        """Refuse to import a backup, to everybody."""
        raise refusals.FORBIDDEN("backup:backup-import")


def _delete(store: Store, backup: BackupRecord) -> None:
    """:raises WireError: 400."""
    if store.backups.dependents(backup.backup_id):
        raise volume_refusals.HAS_DEPENDENTS()
    store.backups.change(backup.backup_id, status="deleting")


def _check_quota(settings: Settings, store: Store, project_id: str | None, size: int) -> None:
    """:raises WireError: 413."""
    quota, used = quota_of(settings, store, project_id), store.usage(project_id)
    most = quota.max_backup_gigabytes
    if 0 <= most < used.backup_gigabytes + size:
        raise volume_refusals.OVER_BACKUP_GIGABYTES(size, most, used.backup_gigabytes)
    if 0 <= quota.max_backups <= used.backups:
        raise volume_refusals.OVER_BACKUPS(quota.max_backups)


def _refuse_restore(backup: BackupRecord, volume: VolumeRecord) -> None:
    """:raises WireError: 400."""
    if volume.status != "available":
        raise volume_refusals.NOT_TO_BE_RESTORED_TO()
    if volume.size < backup.size:
        raise volume_refusals.TOO_SMALL_FOR_BACKUP(volume.size, backup.size)


__all__ = ["BackupsAPI"]
