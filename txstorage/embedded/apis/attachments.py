# -*- test-case-name: tests.embedded.apis.test_attachments -*-
"""
Block Storage v3's attachments: volumes for hosts that are not servers.

The client carries an attachment out: it reserves a volume, has it connected, and completes it.  The
connection is of the kind ``local``, a device of this machine.  The refusals have Cinder 29's status
codes and messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from twisted.internet.defer import DeferredLock

from ..machine.devices import DeviceFailure, IDeviceBackend
from ..machine.engine import Engine
from ..machine.turns import ReactorTurns
from ..settings import Settings
from ..store.records import ATTACHED, AttachmentRecord, VolumeRecord
from ..store.searches import ATTACHMENT_KEYS
from ..store.store import Store
from ..wire import refusals
from ..wire.exchange import APIRequest, APIResponse, Encoded, endpoint
from ..wire.pagination import volume_page
from ..wire.refusal import Refusal
from ..wire.requests.routes import Routes
from ..wire.versions import VOLUME
from .attachment_requests import check_action, connector_of, new_attachment
from .attachment_views import detail, summary
from .block_storage.queries import boolean, filter_names, finds_nothing, order
from .identity.bearers import Bearers
from .versioned import ProjectService
from .visible import seen, visible_volume

_SINCE = (3, 27)
_COMPLETE_SINCE = (3, 44)
#: From this microversion on, an unknown filter is an error.
_STRICT_FILTERS = (3, 31)
_ID = "/v3/<project_id>/attachments/<attachment_id>"


class AttachmentsAPI(ProjectService):
    """
    The attachments API.

    :param devices: makes the volumes' devices.
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
        devices: IDeviceBackend,
    ) -> None:
        super().__init__(store, bearers, engine, settings, turns)
        self._devices = devices
        self._locks: WeakValueDictionary[str, DeferredLock] = WeakValueDictionary()

    # -- reading -------------------------------------------------------------

    @endpoint(app, "/v3/<project_id>/attachments", "GET", since=_SINCE)
    async def list_short(self, call: APIRequest) -> APIResponse:
        """List attachments, without their connections."""
        return APIResponse(200, {"attachments": await self._list(call, summary)})

    @endpoint(app, "/v3/<project_id>/attachments/detail", "GET", since=_SINCE)
    async def list_detail(self, call: APIRequest) -> APIResponse:
        """List attachments in full."""
        return APIResponse(200, {"attachments": await self._list(call, detail)})

    async def _list(
        self, call: APIRequest, view: Callable[[AttachmentRecord, VolumeRecord], dict[str, Any]]
    ) -> Encoded:
        query = call.query()
        by = order(query, ATTACHMENT_KEYS)
        page = volume_page(query, self._settings.page_size)
        wanted = _filters(query, call)
        if wanted is None:
            return await self.encoded([], lambda each: view(*each))
        marker = self._found(call, page.marker).attachment_id if page.marker else None
        every = call.requester.is_admin and boolean(query, "all_tenants")
        projects = None if every else [call.requester.owner.project_id]
        part = (page.limit, page.offset)
        volumes = self._store.searches.attached(
            wanted, marker, *part, projects, by, not self._settings.hide_root_volumes
        )
        # Each of them has an attachment.
        both = [(volume.attachment, volume) for volume in volumes if volume.attachment]
        return await self.encoded(both, lambda each: view(*each))

    @endpoint(app, _ID, "GET", since=_SINCE)
    def show(self, call: APIRequest, attachment_id: str) -> APIResponse:
        """Show one attachment."""
        found = self._found(call, attachment_id)
        volume = self._volume(call, found.volume_id)
        return APIResponse(200, {"attachment": detail(found, volume)})

    def _found(
        self, call: APIRequest, attachment_id: str, store: Store | None = None
    ) -> AttachmentRecord:
        """
        Find the attachment of a volume that the user may see, and do this with.

        :param store: of the change that finds the attachment; without one, that of reading.
        :raises WireError: 403, 404.
        """
        store = store or self._store
        found = store.attachments.find(attachment_id)
        if found is None or seen(call, store.volume(found.volume_id)) is None:
            raise refusals.NO_ATTACHMENT(attachment_id)
        self.permit(call)
        return found

    def _volume(self, call: APIRequest, volume_id: str, store: Store | None = None) -> VolumeRecord:
        volume = visible_volume(call, store or self._store, volume_id)
        self.permit(call)
        return volume

    # -- changing ------------------------------------------------------------

    def _lock(self, volume_id: str) -> DeferredLock:
        lock: DeferredLock = self._locks.setdefault(volume_id, DeferredLock())
        return lock

    @endpoint(app, "/v3/<project_id>/attachments", "POST", since=_SINCE)
    async def create(self, call: APIRequest) -> APIResponse:
        """Reserve a volume, and connect it when the host gives its properties."""
        wanted = new_attachment(call.json(), call.version)

        def change(store: Store) -> tuple[AttachmentRecord, VolumeRecord]:
            _refuse_reserve(self._volume(call, wanted.volume_id, store))
            made = store.attachments.reserve_for_host(
                wanted.volume_id, wanted.server_id, wanted.mode, wanted.connector
            )
            return made, self._volume(call, wanted.volume_id, store)

        reserved, volume = await self._store.write(change)
        view = detail(reserved, volume, as_before=True)
        if wanted.connector is not None:
            view["connection_info"] = await self._connected(call, reserved, refusals.NOT_CONNECTED)
        return APIResponse(200, {"attachment": view})

    async def _connected(
        self, call: APIRequest, wanted: AttachmentRecord, refusal: Refusal
    ) -> dict[str, Any]:
        """
        :return: the connection, once it exists.
        :raises WireError: 500.
        """
        self._engine.begin(wanted.volume_id)
        await self._engine.idle(wanted.volume_id)
        found = self._store.attachments.find(wanted.attachment_id)
        if found is None or found.node_device is None:
            reasons = [message.text for message in self._store.messages.listed(wanted.volume_id)]
            raise refusal("".join(reasons[:1]))
        view = detail(found, self._volume(call, found.volume_id))
        connection: dict[str, Any] = view["connection_info"]
        return connection

    @endpoint(app, _ID, "PUT", since=_SINCE)
    async def update(self, call: APIRequest, attachment_id: str) -> APIResponse:
        """Connect a reserved volume, or record another host for it."""
        connector = connector_of(call.json())
        before = self._found(call, attachment_id)
        async with _holding(self._lock(before.volume_id)):

            def change(store: Store) -> tuple[AttachmentRecord, VolumeRecord]:
                found = self._found(call, attachment_id, store)
                volume = self._volume(call, found.volume_id, store)
                _refuse_update(volume, connector)
                store.attachments.connect(found, connector)
                return found, volume

            before, volume = await self._store.write(change)
            view = detail(before, volume)
            view["connection_info"] = await self._connected(
                call, before, refusals.NOT_CONNECTED_AGAIN
            )
        return APIResponse(200, {"attachment": view})

    @endpoint(app, _ID, "DELETE", since=_SINCE)
    async def delete(self, call: APIRequest, attachment_id: str) -> APIResponse:
        """Disconnect a volume, and make it available again."""
        volume_id = self._found(call, attachment_id).volume_id
        async with _holding(self._lock(volume_id)):
            found = self._found(call, attachment_id)
            if found.by_compute:
                raise refusals.USED_BY_COMPUTE(found.server_id)
            await self._engine.idle(volume_id)
            try:
                await self._devices.detach(volume_id)
            except DeviceFailure as error:
                reason = f"detach volume: {error}"
                await self._store.write(lambda store: store.messages.add(volume_id, reason))
                raise refusals.VOLUME_FAULT() from error
            await self._store.write(lambda store: store.attachments.release(found))
        return APIResponse(200, {"attachments": []})

    @endpoint(app, _ID + "/action", "POST", since=_COMPLETE_SINCE)
    async def complete(self, call: APIRequest, attachment_id: str) -> APIResponse:
        """Complete an attachment (``os-complete``): the host has the volume."""
        check_action(call.json(empty={"None": {}}))

        def change(store: Store) -> None:
            store.set_status(self._found(call, attachment_id, store).volume_id, "in-use")

        await self._store.write(change)
        return APIResponse(204)


class _holding:
    """A ``DeferredLock``, for ``async with``."""

    def __init__(self, lock: DeferredLock) -> None:
        self._lock = lock

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(self, *error: object) -> None:
        self._lock.release()


def _filters(query: Mapping[str, str], call: APIRequest) -> dict[str, str] | None:
    """
    :return: the filters; ``None`` when they find nothing.
    :raises WireError: 400, for an unknown filter; older versions ignore it.
    """
    known = set(ATTACHED) - (set() if call.requester.is_admin else {"id"})
    filters = filter_names(call, query)
    if finds_nothing(call, [name for name in filters if name not in known], _STRICT_FILTERS):
        return None
    return {name: query[name] for name in filters if name in known}


def _refuse_reserve(volume: VolumeRecord) -> None:
    """
    :raises WireError: 400, unless the volume is free.
    """
    if "error" in volume.status:
        raise refusals.RESERVED_IN_ERROR(volume.volume_id, volume.status)
    if volume.status != "available" or volume.attachment is not None:
        raise refusals.RESERVED_OTHERWISE(volume.volume_id, volume.status)


def _refuse_update(volume: VolumeRecord, connector: Mapping[str, Any]) -> None:
    """
    :raises WireError: 409, 500.
    """
    if "error" in volume.status:
        raise refusals.UPDATED_IN_ERROR(volume.volume_id, volume.status)
    if "host" not in connector:
        raise refusals.NO_HOST()


__all__ = ["AttachmentsAPI"]
