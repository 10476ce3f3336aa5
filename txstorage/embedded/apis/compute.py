# -*- test-case-name: tests.embedded.apis.test_compute -*-
"""
Compute v2.1: the subset that the driver uses.

The refusals have Nova 34's status codes and messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable

import attr

from ..machine.engine import Engine
from ..machine.server_transitions import DELETING, begin_deletion
from ..machine.turns import ReactorTurns
from ..settings import Settings
from ..store.records import AttachmentRecord, VolumeRecord
from ..store.servers.records import ServerRecord
from ..store.store import Store
from ..wire import refusals
from ..wire.exchange import EMPTY, APIRequest, APIResponse, WireError, endpoint
from ..wire.fields import UUID, compute_body, only_member, wrapped
from ..wire.pagination import attachment_page, next_links, server_page
from ..wire.requests.routes import Routes
from ..wire.tables import server_refusals
from ..wire.versions import COMPUTE
from . import compute_views
from .block_storage.queries import truth
from .compute_views import ServerView
from .identity.bearers import Bearers
from .servers.actions import ACTIONS, check_action
from .servers.lists import chosen, ordered
from .servers.making.building import DEVICE_NAMES, build
from .servers.making.creation import new_server
from .servers.parameters import check
from .servers.service import SERVER, ComputeService
from .servers.updates import (
    CHANGES_ATTACHMENT,
    attachment_update,
    deletes_volume,
    server_update,
)
from .visible import seen

#: From this microversion on, the response to an attach comes before the attach.
_ASYNCHRONOUS_ATTACH = (2, 101)
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
                "delete_on_termination": {"type": ["boolean", "string"]},
            },
            "required": ["volumeId"],
            "additionalProperties": False,
        },
    )
)
_ATTACHMENTS = SERVER + "/os-volume_attachments"
_View = Callable[[ServerRecord], dict[str, Any]]


class ComputeAPI(ComputeService):
    """The Compute API: servers and their attachments."""

    app = Routes()

    def __init__(
        self,
        store: Store,
        bearers: Bearers,
        engine: Engine,
        settings: Settings,
        turns: ReactorTurns,
        server_engine: Engine,
    ) -> None:
        """
        :param server_engine: carries out the transitions of servers.
        """
        super().__init__(store, bearers, engine, settings, turns)
        self._server_engine = server_engine

    def unscoped(self, call: APIRequest, segments: Mapping[str, str]) -> WireError | None:
        """See :class:`~txstorage.embedded.apis.versioned.VersionedService`."""
        if "server_id" in segments:
            return refusals.NO_SERVER(segments["server_id"])
        detail = call.request.path.endswith(b"/detail")
        action = "create" if call.request.method == b"POST" else "index"
        return refusals.FORBIDDEN_BY_COMPUTE(
            "os_compute_api:servers:" + ("detail" if detail else action)
        )

    def _view(self, call: APIRequest) -> ServerView:
        return ServerView(call.base, self._directory.ids, call.version, call.requester.is_admin)

    def _volume(self, call: APIRequest, volume_id: str, store: Store) -> VolumeRecord:
        volume = seen(call, store.volume(volume_id))
        if volume is None:
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
        admin = call.requester.is_admin
        all_projects = admin and truth(query.get("all_tenants", "0") or "1")
        projects = None if all_projects else [call.requester.owner.project_id]
        servers = self._store.servers.of_projects(projects)
        detail = path.endswith("detail")
        found = chosen(servers, every, call.version, detail, admin, self._directory.ids)
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

    @endpoint(app, "/v2.1/servers", "POST")
    async def create(self, call: APIRequest) -> APIResponse:
        """Begin to build a server, or several."""
        body = call.json()
        self.permit(call)
        wanted = new_server(body, call.version)

        def change(store: Store) -> list[ServerRecord]:
            made = build(call, store, wanted, self._settings)
            for server in made:
                self._record(call, store, server.server_id, "create")
            return made

        made = await self._store.write(change)
        for server in made:
            self._server_engine.begin(server.server_id)
            for each in server.details.volumes:
                self._engine.begin(each.volume_id)
        if wanted.by_reservation:
            return APIResponse(202, {"reservation_id": made[0].details.reservation_id})
        view = self._view(call).created(made[0], wanted.admin_password)
        place = {"Location": view["links"][0]["href"]}
        return APIResponse(202, {"server": view}, place)

    @endpoint(app, SERVER, "GET")
    def show(self, call: APIRequest, server_id: str) -> APIResponse:
        """Show one server."""
        server = self._server(call, server_id)
        attachments = self._store.attachments.of_server(server_id)
        return APIResponse(200, {"server": self._view(call).alone(server, attachments)})

    @endpoint(app, SERVER, "PUT")
    async def update(self, call: APIRequest, server_id: str) -> APIResponse:
        """Change a server's name, its description, or its addresses."""
        wanted = server_update(call.json(), call.version)

        def change(store: Store) -> ServerRecord:
            server = self._server(call, server_id, store)
            if server.is_node and wanted.name not in (None, server.name):
                raise server_refusals.NODE_STAYS(server_id)
            details = attr.evolve(server.details, **wanted.details)
            return store.servers.change(server_id, details, wanted.name)

        server = await self._store.write(change)
        attachments = self._store.attachments.of_server(server_id)
        return APIResponse(200, {"server": self._view(call).updated(server, attachments)})

    @endpoint(app, SERVER, "DELETE")
    async def delete(self, call: APIRequest, server_id: str) -> APIResponse:
        """Begin to delete a server, and to detach its volumes; a node stays."""

        def change(store: Store) -> None:
            server = self._server(call, server_id, store)
            if server.is_node:
                raise server_refusals.NODE_STAYS(server_id)
            if server.status != DELETING:
                begin_deletion(store, server)

        await self._store.write(change)
        self._server_engine.begin(server_id)
        return APIResponse(204)

    @endpoint(app, SERVER + "/action", "POST")
    async def action(self, call: APIRequest, server_id: str) -> APIResponse:
        """Turn a server on or off, or reboot it."""
        body = call.json(empty={})
        name = only_member(body, COMPUTE)
        check_action(name, body)

        def change(store: Store) -> None:
            if store.servers.find(server_id) is None:
                raise refusals.NO_SERVER_TO_ACT_ON(server_id)
            server = self._server(call, server_id, store)
            self.permit(call, name)
            status = ACTIONS[name](server, body[name])
            store.servers.set_status(server_id, status)
            self._record(call, store, server_id, name.replace("os-", ""))

        await self._store.write(change)
        self._server_engine.begin(server_id)
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

    def _attached(self, server_id: str, volume_id: str, store: Store) -> AttachmentRecord | None:
        volume = store.volume(volume_id)
        found = None if volume is None else volume.attachment
        own = found is not None and found.by_compute and found.server_id == server_id
        return found if own else None

    def _attachment(self, server_id: str, volume_id: str, store: Store) -> AttachmentRecord:
        attachment = self._attached(server_id, volume_id, store)
        if attachment is None:
            raise refusals.NOT_ATTACHED(server_id, volume_id)
        return attachment

    @endpoint(app, _ATTACHMENTS, "POST")
    async def attach(self, call: APIRequest, server_id: str) -> APIResponse:
        """Begin to attach a volume."""
        volume_id, wanted_device, delete = _wanted(call.json())

        def change(store: Store) -> AttachmentRecord:
            _check_ready(self._server(call, server_id, store), "attach_volume")
            self._refuse_attach(call, self._volume(call, volume_id, store))
            device = self._choose_device(store, server_id, wanted_device)
            # A status that lasts no time would take a commit of its own.
            status = "reserved" if self._settings.transition_delay else "attaching"
            self._record(call, store, server_id, "attach_volume")
            return store.attachments.reserve(volume_id, server_id, device, status, delete)

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
        taken = set(store.attachments.devices_of_server(server_id))
        server = store.servers.find(server_id)
        # The first device of a node is its root volume, or the disk from its image.
        if server is not None and (server.is_node or server.details.image_id):
            taken.add(DEVICE_NAMES[0])
        if wanted is None:
            return next(name for name in DEVICE_NAMES if name not in taken)
        # Whatever the request names, the name is of the hypervisor's kind.
        device = re.sub("^/dev/x?[a-z]?d", "/dev/vd", wanted)
        if device in taken:
            raise refusals.DEVICE_IN_USE(wanted)
        return device

    @endpoint(app, _ATTACHMENTS + "/<volume_id>", "PUT")
    async def update_attachment(
        self, call: APIRequest, server_id: str, volume_id: str
    ) -> APIResponse:
        """
        Choose whether a volume is deleted with its server; as an administrator, exchange the volume
        for another, which only the migration of a volume may do: there is none.
        """
        wanted = attachment_update(call.json(), call.version)
        changes = call.version >= CHANGES_ATTACHMENT
        exchanges = not changes or wanted["volumeId"] != volume_id

        def change(store: Store) -> bool:
            self._server(call, server_id, store)
            self.permit(call, "swap" if exchanges else "update attachment")
            if changes:
                found = self._attached(server_id, volume_id, store)
                if found is None:
                    raise server_refusals.NO_MAPPING(volume_id)
                store.attachments.set_deletion(found, deletes_volume(wanted, found))
            return store.volume(volume_id) is not None

        exists = await self._store.write(change)
        if exchanges:
            error = server_refusals.NOT_MIGRATING if exists else refusals.NO_SUCH_VOLUME
            raise error(volume_id)
        return APIResponse(202)

    @endpoint(app, _ATTACHMENTS + "/<volume_id>", "DELETE")
    async def detach(self, call: APIRequest, server_id: str, volume_id: str) -> APIResponse:
        """Begin to detach a volume."""

        def change(store: Store) -> None:
            server = self._server(call, server_id, store)
            volume = self._volume(call, volume_id, store)
            self._attachment(server_id, volume_id, store)
            _check_ready(server, "detach_volume")
            if volume.root or volume_id == server.details.root_id:
                raise refusals.ROOT_VOLUME()
            if volume.status != "in-use":
                raise refusals.NOT_DETACHABLE(call.request_id)
            self._record(call, store, server_id, "detach_volume")
            store.set_status(volume_id, "detaching")

        await self._store.write(change)
        self._engine.begin(volume_id)
        return APIResponse(202)


def _wanted(body: Mapping[str, Any]) -> tuple[str, str | None, bool]:
    """
    :return: the volume and the device that an attach requests, and whether the volume is deleted
        with the server.
    :raises WireError: 400.
    """
    _ATTACH.check(body)
    wanted = body["volumeAttachment"]
    delete = truth(str(wanted.get("delete_on_termination", False)))
    return wanted["volumeId"], wanted.get("device"), bool(delete)


def _check_ready(server: ServerRecord, verb: str) -> None:
    """:raises WireError: 409, while a server is built or deleted."""
    if server.status == DELETING:
        raise server_refusals.SERVER_BUSY(verb, server.server_id, "deleting")
    if server.status == "BUILD":
        raise refusals.WRONG_SERVER_STATE(verb, server.server_id, "building")
