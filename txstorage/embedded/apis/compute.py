# -*- test-case-name: tests.embedded.apis.test_compute -*-
"""
Compute v2.1: the subset that the driver uses.

The refusals have Nova 34's status codes and messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable

from klein import Klein

from ..store.records import AttachmentRecord, ServerRecord, VolumeRecord
from ..store.store import Store
from ..wire import refusals
from ..wire.exchange import EMPTY, APIRequest, APIResponse, WireError, endpoint
from ..wire.fields import UUID, compute_body, only_member, wrapped
from ..wire.pagination import attachment_page, next_links, server_page
from ..wire.versions import COMPUTE
from . import compute_views
from .block_storage.queries import truth
from .compute_views import ServerView
from .servers.lists import chosen, ordered
from .servers.parameters import check
from .versioned import VersionedService

#: From this microversion on, the response to an attach comes before the attach.
_ASYNCHRONOUS_ATTACH = (2, 101)
#: The status that an action requires, its new status, and Nova's name for it.
_ACTIONS = {
    "os-start": ("SHUTOFF", "ACTIVE", "start"),
    "os-stop": ("ACTIVE", "SHUTOFF", "stop"),
}
_ATTACH = compute_body(
    wrapped(
        "volumeAttachment",
        {
            "type": "object",
            "properties": {
                "volumeId": UUID,
                "device": {
                    "type": ["string", "null"],
                    "pattern": "(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$",
                },
                "tag": {},
                "delete_on_termination": {},
            },
            "required": ["volumeId"],
            "additionalProperties": False,
        },
    )
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DEVICE_NAMES: list[str] = [
    "/dev/vd" + name for name in (*_LETTERS, *(one + two for one in _LETTERS for two in _LETTERS))
]
_ID = "/v2.1/servers/<server_id>"
_ATTACHMENTS = _ID + "/os-volume_attachments"
_View = Callable[[ServerRecord], dict[str, Any]]


class ComputeAPI(VersionedService):
    """The Compute API: servers and their attachments."""

    app = Klein()
    dialect = COMPUTE

    def outer_headers(self, call: APIRequest) -> Mapping[str, str]:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return {"x-compute-request-id": call.request_id}

    def unscoped(self, call: APIRequest, segments: Mapping[str, str]) -> WireError | None:
        """See :class:`~txstorage.embedded.apis.versioned.VersionedService`."""
        if "server_id" in segments:
            return refusals.NO_SERVER(segments["server_id"])
        detail = call.request.path.endswith(b"/detail")
        policy = "os_compute_api:servers:" + ("detail" if detail else "index")
        return refusals.FORBIDDEN_BY_COMPUTE(policy)

    def fault(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.COMPUTE_FAULT()

    def _view(self, call: APIRequest) -> ServerView:
        ids = self._directory.ids
        return ServerView(call.base, ids.project, ids.user, call.version, call.requester.is_admin)

    def _find(self, call: APIRequest, server_id: str, store: Store) -> ServerRecord | None:
        """Find a server; all belong to the first project."""
        return store.servers.find(server_id) if call.requester.sees(None) else None

    def _server(self, call: APIRequest, server_id: str, store: Store | None = None) -> ServerRecord:
        """
        Find a server that the user may see and, unless the request is an action, do this with.

        :param store: of the change that finds the server; without one, that of reading.
        :raises WireError: 403, 404.
        """
        server = self._find(call, server_id, store or self._store)
        if server is None:
            raise refusals.NO_SERVER(server_id)
        self.permit(call)
        return server

    def _volume(self, call: APIRequest, volume_id: str, store: Store) -> VolumeRecord:
        volume = store.volume(volume_id)
        if volume is None or not call.requester.sees(volume.project_id):
            raise refusals.NO_SUCH_VOLUME(volume_id)
        return volume

    # -- servers -------------------------------------------------------------

    @endpoint(app, "/v2.1/servers", "GET")
    def list_short(self, call: APIRequest) -> APIResponse:
        """List servers' names."""
        return self._list(call, "servers", self._view(call).summary)

    @endpoint(app, "/v2.1/servers/detail", "GET")
    def list_detail(self, call: APIRequest) -> APIResponse:
        """List servers in full."""
        return self._list(call, "servers/detail", self._detail(call))

    def _detail(self, call: APIRequest) -> _View:
        view = self._view(call)
        return lambda server: view.detail(
            server, self._store.attachments.of_server(server.server_id)
        )

    def _list(self, call: APIRequest, path: str, view: _View) -> APIResponse:
        query, every = call.query(), call.every_query()
        page = server_page(query, self._settings.page_size)
        check(every, call.version)
        self.permit(call)
        first, admin = self._directory.ids, call.requester.is_admin
        ids = {"user_id": first.user, "project_id": first.project}
        detail = path.endswith("detail")
        all_projects = admin and truth(query.get("all_tenants", "0") or "1")
        mine = all_projects or call.requester.project_id == first.project
        servers = self._store.servers.every() if mine else []
        found = chosen(servers, every, call.version, detail, admin, ids)
        marker = self._find(call, page.marker, self._store) if page.marker else None
        around = [*(each for each in found if each != marker), *([marker] if marker else [])]
        around = ordered(around, every, call.version, admin)
        if page.marker and marker is None:
            raise refusals.NO_MARKER(page.marker)
        begin = around.index(marker) + 1 if marker else 0
        servers = around[begin : begin + page.limit]
        url = f"{call.base}/compute/v2.1/{path}"
        body: dict[str, Any] = {"servers": [view(server) for server in servers]}
        body.update(
            next_links("servers", url, query, page, [server.server_id for server in servers])
        )
        return APIResponse(200, body)

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, server_id: str) -> APIResponse:
        """Show one server."""
        server = self._server(call, server_id)
        attachments = self._store.attachments.of_server(server_id)
        return APIResponse(200, {"server": self._view(call).alone(server, attachments)})

    @endpoint(app, _ID + "/action", "POST")
    async def action(self, call: APIRequest, server_id: str) -> APIResponse:
        """Turn a server on or off, which takes no time here."""
        name = only_member(call.json(empty={}), COMPUTE)
        if name not in _ACTIONS:
            raise refusals.NO_SERVER_ACTION(name)

        def change(store: Store) -> None:
            if store.servers.find(server_id) is None:
                raise refusals.NO_SERVER_TO_ACT_ON(server_id)
            server = self._server(call, server_id, store)
            self.permit(call, name)
            needed, status, verb = _ACTIONS[name]
            if server.status != needed:
                state = compute_views.vm_state(server.status)
                raise refusals.WRONG_SERVER_STATE(verb, server_id, state)
            store.servers.set_status(server_id, status)

        await self._store.write(change)
        return APIResponse(202)

    # -- attachments ---------------------------------------------------------

    @endpoint(app, _ATTACHMENTS, "GET")
    def list_attachments(self, call: APIRequest, server_id: str) -> APIResponse:
        """List a server's attachments, its root volume included."""
        self._server(call, server_id)
        page = attachment_page(call.query(), self._settings.page_size)
        part = self._store.attachments.of_server(server_id)[page.offset : page.offset + page.limit]
        view = [compute_views.attachment(entry, call.version) for entry in part]
        return APIResponse(200, {"volumeAttachments": view})

    @endpoint(app, _ATTACHMENTS + "/<volume_id>", "GET")
    def show_attachment(self, call: APIRequest, server_id: str, volume_id: str) -> APIResponse:
        """Show one attachment."""
        self._server(call, server_id)
        attachment = self._attachment(server_id, volume_id, self._store)
        return APIResponse(
            200, {"volumeAttachment": compute_views.attachment(attachment, call.version)}
        )

    def _attachment(self, server_id: str, volume_id: str, store: Store) -> AttachmentRecord:
        volume = store.volume(volume_id)
        attachment = None if volume is None else volume.attachment
        if attachment is None or not attachment.by_compute or attachment.server_id != server_id:
            raise refusals.NOT_ATTACHED(server_id, volume_id)
        return attachment

    @endpoint(app, _ATTACHMENTS, "POST")
    async def attach(self, call: APIRequest, server_id: str) -> APIResponse:
        """Begin to attach a volume."""
        volume_id, wanted_device = _wanted(call.json())

        def change(store: Store) -> AttachmentRecord:
            self._server(call, server_id, store)
            self._refuse_attach(call, self._volume(call, volume_id, store))
            device = self._choose_device(store, server_id, wanted_device)
            # A status that lasts no time would take a commit of its own.
            status = "reserved" if self._settings.transition_delay else "attaching"
            return store.attachments.reserve(volume_id, server_id, device, status)

        attachment = await self._store.write(change)
        self._engine.begin(volume_id)
        if call.version >= _ASYNCHRONOUS_ATTACH:
            return APIResponse(202, content_type=EMPTY)
        return APIResponse(
            200, {"volumeAttachment": compute_views.attached(attachment, call.version)}
        )

    def _refuse_attach(self, call: APIRequest, volume: VolumeRecord) -> None:
        """
        :raises WireError: 400, unless the volume can be attached.
        """
        attachment, status = volume.attachment, volume.status
        # Compute checks its own list before it calls Block Storage.
        if attachment is not None and attachment.server_id is not None:
            raise refusals.ALREADY_ATTACHED(volume.volume_id, attachment.server_id)
        if status == "error":
            raise refusals.VOLUME_IN_ERROR(volume.volume_id, status, call.request_id)
        if status != "available":
            raise refusals.NOT_RESERVABLE(volume.volume_id, status, call.request_id)

    def _choose_device(self, store: Store, server_id: str, wanted: str | None) -> str:
        taken = store.attachments.devices_of_server(server_id)
        if wanted is None:
            return next(name for name in _DEVICE_NAMES if name not in taken)
        # Whatever the request names, the name is of the hypervisor's kind.
        device = re.sub("^/dev/x?[a-z]?d", "/dev/vd", wanted)
        if device in taken:
            raise refusals.DEVICE_IN_USE(wanted)
        return device

    @endpoint(app, _ATTACHMENTS + "/<volume_id>", "DELETE")
    async def detach(self, call: APIRequest, server_id: str, volume_id: str) -> APIResponse:
        """Begin to detach a volume."""

        def change(store: Store) -> None:
            self._server(call, server_id, store)
            volume = self._volume(call, volume_id, store)
            self._attachment(server_id, volume_id, store)
            if volume.root:
                raise refusals.ROOT_VOLUME()
            if volume.status != "in-use":
                raise refusals.NOT_DETACHABLE(call.request_id)
            store.set_status(volume_id, "detaching")

        await self._store.write(change)
        self._engine.begin(volume_id)
        return APIResponse(202)


def _wanted(body: Mapping[str, Any]) -> tuple[str, str | None]:
    """
    :return: the volume and the device that an attach requests.
    :raises WireError: 400.
    """
    _ATTACH.check(body)
    wanted = body["volumeAttachment"]
    return wanted["volumeId"], wanted.get("device")
