# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""
Block Storage v3: the subset that the driver uses.

The refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Callable

from klein import Klein

from ..machine.files import VolumeFiles
from ..machine.transitions import Engine
from ..machine.turns import ReactorTurns
from ..settings import Settings
from ..store.records import NewVolume, VolumeFilter, VolumeRecord
from ..store.store import Store
from ..wire import refusals
from ..wire.exchange import EMPTY, APIRequest, APIResponse, Version, endpoint, new_app
from ..wire.fields import only_member
from ..wire.pagination import next_links, volume_page
from ..wire.versions import VOLUME, volume_versions
from . import volume_views
from .identity import IdentityAPI
from .versioned import ProjectService
from .volume_requests import LABEL, MAX_INTEGER, METADATA, RESET_STATUS, new_volume
from .volume_views import VolumeView

_DELETABLE = frozenset(
    ["available", "error", "error_restoring", "error_extending", "error_managing"]
)
#: The statuses that ``os-reset_status`` may set.
_STATUSES = (
    "creating",
    "available",
    "deleting",
    "error",
    "error_deleting",
    "error_managing",
    "managing",
    "attaching",
    "in-use",
    "detaching",
    "maintenance",
    "restoring-backup",
    "error_restoring",
    "reserved",
    "awaiting-transfer",
    "backing-up",
    "error_backing-up",
    "error_extending",
    "downloading",
    "uploading",
    "retyping",
    "extending",
)
#: Parameters of a list that are not filters.
_NO_FILTERS = frozenset(
    ["limit", "marker", "offset", "sort", "sort_key", "sort_dir", "with_count", "all_tenants"]
)
_FILTERS = frozenset(["name", "status"])
#: From this microversion on, an unknown filter is an error.
_STRICT_FILTERS = (3, 31)
_COUNT = (3, 45)
_ID = "/v3/<project_id>/volumes/<volume_id>"


class BlockStorageAPI(ProjectService):
    """
    The Block Storage API: volumes, labels, types, quotas and messages.

    :param files: of the volumes.
    """

    app: Klein = new_app()
    dialect = VOLUME

    def __init__(
        self,
        store: Store,
        identity: IdentityAPI,
        engine: Engine,
        settings: Settings,
        turns: ReactorTurns,
        files: VolumeFiles,
    ) -> None:
        super().__init__(store, identity, engine, settings, turns)
        self._files = files

    def _view(self, call: APIRequest) -> VolumeView:
        ids = self._identity.ids
        return VolumeView(call.base, ids.project, ids.user, call.version, self.project_path(call))

    def _found(self, volume_id: str, store: Store | None = None) -> VolumeRecord:
        """
        :param store: of the change that finds the volume; without one, that of reading.
        """
        volume = (store or self._store).volume(volume_id)
        if volume is None:
            raise refusals.NO_VOLUME(volume_id)
        return volume

    # -- volumes -------------------------------------------------------------

    @endpoint(app, "/v3/<project_id>/volumes", "POST")
    async def create(self, call: APIRequest) -> APIResponse:
        """Begin to create a volume."""
        wanted = new_volume(call.json())
        if not await self._files.aside(self._files.has_room):
            raise self.disk_full()

        def change(store: Store) -> VolumeRecord:
            self._check_quota(store, wanted)
            return store.add_volume(wanted)

        volume = await self._store.write(change)
        self._engine.begin(volume.volume_id)
        return APIResponse(202, {"volume": self._view(call).created(volume)})

    def _check_quota(self, store: Store, wanted: NewVolume) -> None:
        volumes, gigabytes = store.usage()
        most, room = self._settings.max_volumes, self._settings.max_gigabytes
        if 0 <= room < gigabytes + wanted.size:
            raise refusals.OVER_GIGABYTES(wanted.size, room, gigabytes)
        if 0 <= most <= volumes:
            raise refusals.OVER_VOLUMES(most)
        if gigabytes + wanted.size > MAX_INTEGER:
            raise refusals.OVER_COUNTING(wanted.volume_type)

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
        chosen = _filter(query, call.version)
        before = None if page.marker is None else self._found(page.marker).sequence
        volumes = self._store.volumes(chosen, before, page.limit, page.offset)
        url = f"{call.base}/volume/v3/{self.project_path(call)}{path}"
        body: dict[str, Any] = {"volumes": await self.encoded(volumes, view)}
        body.update(
            next_links("volumes", url, query, page, [volume.volume_id for volume in volumes])
        )
        if call.version >= _COUNT and query.get("with_count", "").lower() in ("1", "true"):
            body["count"] = self._store.count(chosen)
        return APIResponse(200, body)

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Show one volume."""
        return APIResponse(200, {"volume": self._view(call).detail(self._found(volume_id))})

    @endpoint(app, _ID, "DELETE")
    async def delete(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Begin to delete a volume."""

        def change(store: Store) -> None:
            volume = self._found(volume_id, store)
            if volume.status not in _DELETABLE or volume.attachment is not None:
                raise refusals.NOT_DELETABLE()
            store.set_status(volume_id, "deleting")

        await self._store.write(change)
        self._engine.begin(volume_id)
        return APIResponse(202, content_type=EMPTY)

    @endpoint(app, _ID + "/action", "POST")
    async def action(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Set a volume's status (``os-reset_status``), as an administrator."""
        # Cinder treats a missing body as one without a name.
        body = call.json(empty={"None": {}})
        name = only_member(body, VOLUME)
        if name != "os-reset_status":
            raise refusals.NO_VOLUME_ACTION(name)
        RESET_STATUS.check(body)
        status = body[name].get("status")
        if not status:
            raise refusals.NO_STATUS()
        if status not in _STATUSES:
            raise refusals.BAD_STATUS(status, _STATUSES)
        # No transition begins: as in Cinder, the action is for stuck volumes.
        await self._store.write(lambda store: self._reset_status(store, volume_id, status))
        return APIResponse(202)

    def _reset_status(self, store: Store, volume_id: str, status: str) -> None:
        volume = self._found(volume_id, store)
        if "admin" not in self._settings.roles:
            raise refusals.FORBIDDEN("volume_extension:volume_admin_actions:reset_status")
        if status == "deleting":
            raise refusals.NOT_TO_BE_SET(status)
        if status == "in-use" and volume.attachment is None:
            raise refusals.NOT_IN_USE()
        store.set_status(volume_id, status)

    # -- labels --------------------------------------------------------------

    @endpoint(app, _ID + "/metadata", "GET")
    def show_metadata(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Show a volume's labels."""
        return APIResponse(200, {"metadata": dict(self._found(volume_id).metadata)})

    @endpoint(app, _ID + "/metadata", "POST")
    async def add_metadata(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Set some labels and keep the others."""
        return await self._set_metadata(call, volume_id, replace=False)

    @endpoint(app, _ID + "/metadata", "PUT")
    async def replace_metadata(self, call: APIRequest, volume_id: str) -> APIResponse:
        """Set all labels."""
        return await self._set_metadata(call, volume_id, replace=True)

    async def _set_metadata(self, call: APIRequest, volume_id: str, replace: bool) -> APIResponse:
        body = call.json()
        METADATA.check(body)

        def change(store: Store) -> VolumeRecord:
            self._found(volume_id, store)
            return store.set_metadata(volume_id, body["metadata"], replace)

        volume = await self._store.write(change)
        return APIResponse(200, {"metadata": dict(volume.metadata)})

    @endpoint(app, _ID + "/metadata/<key>", "GET")
    def show_label(self, call: APIRequest, volume_id: str, key: str) -> APIResponse:
        """Show one label."""
        labels = self._found(volume_id).metadata
        if key not in labels:
            raise refusals.NO_LABEL(volume_id, key)
        return APIResponse(200, {"meta": {key: labels[key]}})

    @endpoint(app, _ID + "/metadata/<key>", "PUT")
    async def set_label(self, call: APIRequest, volume_id: str, key: str) -> APIResponse:
        """Set one label."""
        body = call.json()
        LABEL.check(body)
        label = body["meta"]

        def change(store: Store) -> None:
            self._found(volume_id, store)
            if list(label) != [key]:
                raise refusals.LABEL_MISMATCH()
            store.set_metadata(volume_id, label, replace=False)

        await self._store.write(change)
        return APIResponse(200, {"meta": label})

    @endpoint(app, _ID + "/metadata/<key>", "DELETE")
    async def remove_label(self, call: APIRequest, volume_id: str, key: str) -> APIResponse:
        """Remove one label."""

        def change(store: Store) -> None:
            labels = dict(self._found(volume_id, store).metadata)
            if key not in labels:
                raise refusals.NO_LABEL(volume_id, key)
            del labels[key]
            store.set_metadata(volume_id, labels, replace=True)

        await self._store.write(change)
        return APIResponse(200, content_type=EMPTY)

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

    # -- the rest ------------------------------------------------------------

    @endpoint(app, "/v3/<project_id>/types", "GET")
    def types(self, call: APIRequest) -> APIResponse:
        """List the volume types."""
        query, every = call.query(), volume_views.volume_types()
        page = volume_page(query, self._settings.page_size)
        ids = [each["id"] for each in every]
        # Unlike elsewhere, an unknown marker is ignored.
        begin = ids.index(page.marker) + 1 if page.marker in ids else 0
        part = every[begin:][page.offset : page.offset + page.limit]
        url = f"{call.base}/volume/v3/{self.project_path(call)}types"
        shown = [each["id"] for each in part]
        # The links' name differs from the list's.
        links = next_links("volume_type", url, query, page, shown)
        return APIResponse(200, dict({"volume_types": part}, **links))

    @endpoint(app, "/v3/<project_id>/os-availability-zone", "GET")
    def availability_zones(self, call: APIRequest) -> APIResponse:
        """List the availability zones: one."""
        return APIResponse(200, {"availabilityZoneInfo": volume_views.availability_zones()})

    @endpoint(app, "/v3/<project_id>/scheduler-stats/get_pools", "GET")
    async def pools(self, call: APIRequest) -> APIResponse:
        """Show the room for volumes, to all users."""
        taken, free = await self._files.aside(self._files.space)
        detail = call.query().get("detail", "").lower() in ("1", "true")
        view = volume_views.pool(taken, free, self._store.usage()[1], detail)
        return APIResponse(200, {"pools": [view]})

    @endpoint(app, "/v3/<project_id>/limits", "GET")
    def limits(self, call: APIRequest) -> APIResponse:
        """Show the quota and its usage."""
        settings = self._settings
        view = volume_views.limits(
            settings.max_volumes, settings.max_gigabytes, *self._store.usage()
        )
        return APIResponse(200, {"limits": view})

    @endpoint(app, "/v3/<project_id>/os-quota-sets/<quota_project>", "GET")
    def quota(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Show the quota of the project."""
        if quota_project != self._identity.ids.project and "admin" not in self._settings.roles:
            raise refusals.FORBIDDEN("volume_extension:quotas:show")
        settings = self._settings
        view = volume_views.quota_set(
            quota_project,
            call.query().get("usage", "").lower() in ("1", "true"),
            settings.max_volumes,
            settings.max_gigabytes,
            *self._store.usage(),
        )
        return APIResponse(200, {"quota_set": view})

    @endpoint(app, "/v3/<project_id>/messages", "GET", since=(3, 3))
    def messages(self, call: APIRequest) -> APIResponse:
        """List the reasons of failures."""
        # Filters and pages were added later than the messages.
        filtered = call.version >= (3, 5)
        query = call.query()
        entries = self._store.messages(query.get("resource_uuid") if filtered else None)
        page = volume_page(query if filtered else {}, self._settings.page_size)
        ids = [entry.message_id for entry in entries]
        if page.marker is not None and page.marker not in ids:
            raise refusals.NO_MESSAGE(page.marker)
        begin = 0 if page.marker is None else ids.index(page.marker) + 1
        part = entries[begin:][page.offset : page.offset + page.limit]
        project = self.project_path(call)
        view = [volume_views.message(entry, call.base, project) for entry in part]
        url = f"{call.base}/volume/v3/{project}messages"
        links = next_links("messages", url, query, page, [entry.message_id for entry in part])
        return APIResponse(200, dict({"messages": view}, **links))


def _filter(query: Mapping[str, str], version: Version) -> VolumeFilter:
    """
    :raises WireError: 400, for an unknown filter; older versions ignore it.
    """
    known = _NO_FILTERS | _FILTERS | {"metadata"}
    unknown = [name for name in query if name not in known]
    if unknown and version >= _STRICT_FILTERS:
        raise refusals.UNKNOWN_FILTER(",".join(unknown))
    columns = {name: query[name] for name in _FILTERS if name in query}
    return VolumeFilter(columns, _labels(query.get("metadata", "{}")))


def _labels(text: str) -> dict[str, str] | None:
    """
    Parse the labels of a filter, which Cinder reads as a Python literal; ``None`` for anything
    else.

    :raises WireError: 400, for a lone surrogate, which no database holds.
    """
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    texts = [item for pair in value.items() for item in pair]
    if not all(isinstance(item, str) for item in texts):
        return None
    try:
        "".join(texts).encode("utf-8")
    except UnicodeEncodeError:
        raise refusals.INCORRECT() from None
    return value
