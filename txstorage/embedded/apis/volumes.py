# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""
Block Storage v3: the subset that the driver uses.

The refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, cast

import attr

from ..machine.engine import Engine
from ..machine.files import VolumeFiles
from ..machine.turns import ReactorTurns
from ..settings import Settings
from ..store.records import VolumeFilter, VolumeRecord
from ..store.searches import KEYS
from ..store.store import Store
from ..wire import refusals
from ..wire.exchange import EMPTY, APIRequest, APIResponse, WireError, endpoint
from ..wire.fields import only_member
from ..wire.pagination import next_links, volume_page
from ..wire.requests.routes import Routes
from ..wire.versions import VOLUME, volume_versions
from .block_storage.actions.performer import VolumeActions
from .block_storage.actions.resetting import is_migrating
from .block_storage.kinds.encryption import refuse_encrypted
from .block_storage.labels import Labelled, LabelledService, add_label_routes
from .block_storage.queries import boolean, order
from .block_storage.quota import GROWN, Allowance, check
from .block_storage.updates import volume_update
from .block_storage.volume_lists import chosen
from .identity.bearers import Bearers
from .visible import (
    default_type,
    visible_backup,
    visible_snapshot,
    visible_type,
    visible_volume,
)
from .volume_requests import (
    EXTEND,
    WantedVolume,
    filled,
    new_volume,
)
from .volume_views import VolumeView

_DELETABLE = frozenset(
    ["available", "error", "error_restoring", "error_extending", "error_managing"]
)
#: The statuses of snapshots that can be deleted with their volume.
_DELETABLE_SNAPSHOT = frozenset(["available", "error", "deleting"])
#: The statuses in which the labels of a volume can't be changed.
_KEEPS_LABELS = frozenset(["maintenance", "uploading"])
#: The first microversions to delete by force, and to extend a volume that is in use.
_FORCE = (3, 23)
_ONLINE = (3, 42)
_LABELS_IN_SUMMARY = (3, 36)
_COUNT = (3, 45)
_ID = "/v3/<project_id>/volumes/<volume_id>"


class BlockStorageAPI(LabelledService):
    """
    The Block Storage API: volumes and their labels.

    :param snapshot_engine: carries out the transitions of snapshots.
    :param files: of the volumes.
    """

    app = Routes()
    dialect = VOLUME

    def __init__(
        self,
        store: Store,
        bearers: Bearers,
        engine: Engine,
        settings: Settings,
        turns: ReactorTurns,
        files: VolumeFiles,
        snapshot_engine: Engine,
    ) -> None:
        super().__init__(store, bearers, engine, settings, turns, files)
        self._snapshot_engine = snapshot_engine
        self._actions = VolumeActions(store, engine, self.permit)

    def _view(self, call: APIRequest) -> VolumeView:
        path = self.project_path(call)
        return VolumeView(
            *(call.base, self._directory.ids, call.version, path, call.requester.is_admin),
            type_ids=self._store.types.ids(),
        )

    def _found(self, call: APIRequest, volume_id: str, store: Store | None = None) -> VolumeRecord:
        """
        Find a volume that the user may see and, unless the request is an action, do this with.

        :param store: of the change that finds the volume; without one, that of reading.
        :raises WireError: 403, 404.
        """
        volume = visible_volume(call, store or self._store, volume_id)
        self.permit(call)
        return volume

    # -- volumes -------------------------------------------------------------

    @endpoint(app, "/v3/<project_id>/volumes", "POST")
    async def create(self, call: APIRequest) -> APIResponse:
        """Begin to create a volume."""
        wanted = new_volume(
            call.json(), call.version, lambda name: visible_type(call, self._store, name)
        )
        self.permit(call)
        volume = await self._store.write(lambda store: self._add(call, store, wanted))
        self._engine.begin(volume.volume_id)
        return APIResponse(202, {"volume": self._view(call).created(volume)})

    def _add(self, call: APIRequest, store: Store, wanted: WantedVolume) -> VolumeRecord:
        # A change waits for the disk in the writer's thread.
        if not self._files.has_room():
            raise self.disk_full()
        snapshot = source = None
        if wanted.snapshot_id is not None:
            snapshot = visible_snapshot(call, store, wanted.snapshot_id)
        if wanted.source_volid is not None:
            source = self._found(call, wanted.source_volid, store)
        backup = None
        if wanted.backup_id is not None:
            backup = visible_backup(call, store, wanted.backup_id)
        new = filled(wanted, lambda: default_type(call, store).name, snapshot, source, backup)
        refuse_encrypted(store, new.volume_type)
        quota = Allowance(self._settings, store, call.requester.owner.project_id)
        check(quota, new.volume_type, {"volumes": 1, "gigabytes": new.size})
        copied = source if snapshot is None else store.volume(snapshot.volume_id)
        bootable = copied is not None and copied.bootable
        owner = attr.asdict(call.requester.owner)
        return store.add_volume(attr.evolve(new, bootable=bootable, **owner))

    @endpoint(app, "/v3/<project_id>/volumes", "GET")
    async def list_short(self, call: APIRequest) -> APIResponse:
        """List volumes' names."""
        return await self._list(call, "volumes", self._view(call).summary)

    @endpoint(app, "/v3/<project_id>/volumes/detail", "GET")
    async def list_detail(self, call: APIRequest) -> APIResponse:
        """List volumes in full."""
        return await self._list(call, "volumes/detail", self._view(call).detail)

    async def _list(
        self, call: APIRequest, path: str, view: Callable[[VolumeRecord], dict[str, Any]]
    ) -> APIResponse:
        query = call.query()
        page = volume_page(query, self._settings.page_size)
        by = order(query, KEYS)
        counted = call.version >= _COUNT and boolean(query, "with_count")
        self.permit(call)
        found = self._chosen(call, query)
        before = None if page.marker is None else self._found(call, page.marker).sequence
        volumes = self._store.volumes(found, before, page.limit, page.offset, by)
        url = f"{call.base}/volume/v3/{self.project_path(call)}{path}"
        body: dict[str, Any] = {"volumes": await self.encoded(volumes, view)}
        body.update(
            next_links("volumes", url, query, page, [volume.volume_id for volume in volumes])
        )
        if counted:
            body["count"] = self._store.searches.count(found)
        return APIResponse(200, body)

    def _chosen(self, call: APIRequest, query: Mapping[str, str]) -> VolumeFilter:
        found = chosen(query, call.version, self._directory, call.requester)
        if not self._settings.hide_root_volumes:
            return found
        return attr.evolve(found, columns={**found.columns, "root": 0})

    @endpoint(app, "/v3/<project_id>/volumes/summary", "GET", since=(3, 12))
    def summary(self, call: APIRequest) -> APIResponse:
        """Show the number of volumes, the sum of their sizes, and all their labels."""
        self.permit(call)
        whose = {name: text for name, text in call.query().items() if name == "all_tenants"}
        found = self._chosen(call, whose)
        count, gigabytes, metadata = self._store.searches.summary(found)
        view: dict[str, Any] = {"total_count": count, "total_size": gigabytes}
        if call.version >= _LABELS_IN_SUMMARY:
            view["metadata"] = metadata
        return APIResponse(200, {"volume-summary": view})

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Show one volume."""
        return APIResponse(200, {"volume": self._view(call).detail(self._found(call, volume_id))})

    @endpoint(app, _ID + "/encryption", "GET")
    def encryption(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Show a volume's encryption: it has none."""
        self._found(call, volume_id)
        return APIResponse(200, {"encryption_key_id": None})

    @endpoint(app, _ID, "PUT")
    async def update(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Change a volume's name, description or labels."""
        wanted = volume_update(call.json(), call.version)

        def change(store: Store) -> VolumeRecord:
            volume = self._found(call, volume_id, store)
            if volume.status == "maintenance":
                raise refusals.NO_UPDATE_NOW()
            if wanted.metadata is not None:
                store.set_metadata(volume_id, dict(wanted.metadata), replace=True)
            store.flags.set_texts(volume_id, wanted.texts)
            return self._found(call, volume_id, store)

        volume = await self._store.write(change)
        return APIResponse(200, {"volume": self._view(call).created(volume)})

    @endpoint(app, _ID, "DELETE")
    async def delete(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Begin to delete a volume; with ``cascade``, its snapshots, too."""
        query = call.query()
        cascade = boolean(query, "cascade")
        force = call.version >= _FORCE and boolean(query, "force")
        snapshots = await self._store.write(
            lambda store: self._delete(call, store, volume_id, cascade, force)
        )
        for snapshot_id in snapshots:
            self._snapshot_engine.begin(snapshot_id)
        self._engine.begin(volume_id)
        return APIResponse(202, content_type=EMPTY)

    def _delete(
        self, call: APIRequest, store: Store, volume_id: str, cascade: bool, force: bool
    ) -> list[str]:
        """
        :param cascade: whether to delete the snapshots.
        :param force: whether to disregard statuses, as an administrator.
        :return: the ids of the snapshots to delete.
        """
        volume = self._found(call, volume_id, store)
        if force:
            self.permit(call, "force")
        snapshots = store.snapshots.of_volume(volume_id)
        deletable = not is_migrating(volume) and (force or volume.status in _DELETABLE)
        if cascade and not force:
            deletable &= all(each.status in _DELETABLE_SNAPSHOT for each in snapshots)
        if not deletable or volume.attachment is not None or (snapshots and not cascade):
            raise refusals.NOT_DELETABLE_BY_FORCE() if force else refusals.NOT_DELETABLE()
        for each in snapshots:
            store.snapshots.set_status(each.snapshot_id, "deleting")
        store.set_status(volume_id, "deleting")
        return [each.snapshot_id for each in snapshots]

    @endpoint(app, _ID + "/action", "POST")
    async def action(self, call: APIRequest, volume_id: str) -> APIResponse:
        """
        Begin to extend a volume (``os-extend``); as an administrator, begin to delete it in any
        status (``os-force_delete``); or perform another of Cinder's actions.
        """
        # Cinder treats a missing body as one without a name.
        body = call.json(empty={"None": {}})
        name = only_member(body, VOLUME)
        if name == "os-extend":
            return await self._extend(call, volume_id, body)
        if name == "os-force_delete":
            return await self._force_delete(call, volume_id)
        return await self._actions.perform(call, volume_id, name, body)

    async def _extend(
        self, call: APIRequest, volume_id: str, body: Mapping[str, Any]
    ) -> APIResponse:
        EXTEND.check(body)
        size = int(body["os-extend"]["new_size"])

        def change(store: Store) -> None:
            volume = self._found(call, volume_id, store)
            self.permit(call, "os-extend")
            if size <= volume.size:
                raise refusals.NOT_LARGER(volume.size, size)
            online = call.version >= _ONLINE and volume.status == "in-use"
            if volume.status != "available" and not online:
                raise refusals.NOT_EXTENDABLE(volume_id, {"status": "available"}, volume.status)
            quota = Allowance(self._settings, store, volume.project_id)
            check(quota, volume.volume_type, {"gigabytes": size - volume.size}, GROWN)
            store.grow(volume_id, size)

        await self._store.write(change)
        self._engine.begin(volume_id)
        return APIResponse(202)

    async def _force_delete(self, call: APIRequest, volume_id: str) -> APIResponse:
        def change(store: Store) -> None:
            self._found(call, volume_id, store)
            self.permit(call, "os-force_delete")
            self._delete(call, store, volume_id, cascade=False, force=True)

        await self._store.write(change)
        self._engine.begin(volume_id)
        return APIResponse(202)

    # -- labels --------------------------------------------------------------

    def labelled(self, call: APIRequest, store: Store, resource_id: str) -> VolumeRecord:
        """See :class:`~txstorage.embedded.apis.block_storage.labels.LabelledService`."""
        return self._found(call, resource_id, store)

    def relabel(
        self, store: Store, resource_id: str, labels: Mapping[str, str], replace: bool
    ) -> VolumeRecord:
        """See :class:`~txstorage.embedded.apis.block_storage.labels.LabelledService`."""
        return store.set_metadata(resource_id, dict(labels), replace)

    def no_label(self, resource_id: str, key: str) -> WireError:
        """See :class:`~txstorage.embedded.apis.block_storage.labels.LabelledService`."""
        return refusals.NO_LABEL(resource_id, key)

    def check_relabelling(self, found: Labelled, change: str) -> None:
        """See :class:`~txstorage.embedded.apis.block_storage.labels.LabelledService`."""
        status = cast(VolumeRecord, found).status
        if status in _KEEPS_LABELS:
            raise refusals.KEEPS_LABELS(change, status)

    # -- versions ------------------------------------------------------------

    @endpoint(app, "/v3/", "GET")
    def versions(self, call: APIRequest) -> APIResponse:
        """Show the versions of the API."""
        return volume_versions(call.base)

    @endpoint(app, "/v3", "GET")
    def versions_elsewhere(self, call: APIRequest) -> APIResponse:
        """Redirect to the versions of the API."""
        place = {"Location": call.base + "/volume/v3/"}
        return APIResponse(302, headers=place, content_type="text/plain; charset=utf8")


add_label_routes(BlockStorageAPI.app, _ID)
