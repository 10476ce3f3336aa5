# -*- test-case-name: tests.server.test_compute -*-
"""
Compute v2.1, as far as the driver uses it.

The refusals have Nova 34's status codes and words.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping

from klein import Klein

from . import compute_views
from .compute_views import ServerView
from .pagination import next_links, server_page
from .records import Attachment, Server, Volume
from .validation import invalid, is_uuid, member
from .versioned import VersionedService
from .versions import COMPUTE
from .wire import Answer, Call, endpoint, new_app

#: From this microversion on, an attach answers before it has done anything.
_ASYNCHRONOUS_ATTACH = (2, 101)
#: What an action needs the status to be, makes of it, and what Nova calls it.
_ACTIONS = {
    "os-start": ("SHUTOFF", "ACTIVE", "start"),
    "os-stop": ("ACTIVE", "SHUTOFF", "stop"),
}
_DEVICE = re.compile(r"/dev/x?[a-z]?d?[a-z]+[0-9]*\Z")
_ID = "/v2.1/servers/<server_id>"
_ATTACHMENTS = _ID + "/os-volume_attachments"


class Compute(VersionedService):
    """Servers and what is attached to them."""

    app: Klein = new_app()
    dialect = COMPUTE

    def _view(self, call: Call) -> ServerView:
        ids = self._identity.ids
        return ServerView(call.base, ids.project, ids.user)

    def _server(self, server_id: str) -> Server:
        server = self._store.server(server_id)
        if server is None:
            raise COMPUTE.error(404, "Instance {} could not be found.".format(server_id))
        return server

    def _volume(self, volume_id: str) -> Volume:
        volume = self._store.volume(volume_id)
        if volume is None:
            raise COMPUTE.error(404, "Volume {} could not be found.".format(volume_id))
        return volume

    # -- servers -------------------------------------------------------------

    @endpoint(app, "/v2.1/servers", "GET")
    def list_short(self, call: Call) -> Answer:
        """Names of servers."""
        return self._list(call, "servers", self._view(call).summary)

    @endpoint(app, "/v2.1/servers/detail", "GET")
    def list_detail(self, call: Call) -> Answer:
        """Servers."""
        return self._list(call, "servers/detail", self._detail(call))

    def _detail(self, call: Call) -> Any:
        view = self._view(call)
        return lambda server: view.detail(server, self._store.attachments(server.server_id))

    def _list(self, call: Call, path: str, view: Any) -> Answer:
        query = call.query()
        page = server_page(query, self._settings.page_size)
        marker = self._store.server(page.marker) if page.marker else None
        if page.marker and marker is None:
            raise COMPUTE.error(400, "marker [{}] not found".format(page.marker))
        servers = self._store.servers(marker.sequence if marker else None, page.limit)
        url = "{}/compute/v2.1/{}".format(call.base, path)
        body: Dict[str, Any] = {"servers": [view(server) for server in servers]}
        body.update(
            next_links("servers", url, query, page, [server.server_id for server in servers])
        )
        return Answer(200, body)

    @endpoint(app, _ID, "GET")
    def show(self, call: Call, server_id: str) -> Answer:
        """One server."""
        return Answer(200, {"server": self._detail(call)(self._server(server_id))})

    @endpoint(app, _ID + "/action", "POST")
    def action(self, call: Call, server_id: str) -> Answer:
        """Turn a server on or off, which takes no time here."""
        body = call.json()
        name = next(iter(body), "")
        if name not in _ACTIONS:
            raise COMPUTE.error(
                400,
                "There is no such action: {}. Verify the request body and Content-Type header "
                "and try again.".format(name),
            )
        server = self._server(server_id)
        needed, status, verb = _ACTIONS[name]
        if server.status != needed:
            state = compute_views.vm_state(server.status)
            message = "Cannot '{}' instance {} while it is in vm_state {}"
            raise COMPUTE.error(409, message.format(verb, server_id, state))
        self._store.set_server_status(server_id, status)
        return Answer(202)

    # -- attachments ---------------------------------------------------------

    @endpoint(app, _ATTACHMENTS, "GET")
    def list_attachments(self, call: Call, server_id: str) -> Answer:
        """What is attached to a server, its root volume included."""
        self._server(server_id)
        page = server_page(call.query(), self._settings.page_size)
        part = self._store.attachments(server_id)[page.offset : page.offset + page.limit]
        told = [compute_views.attachment(entry, call.version) for entry in part]
        return Answer(200, {"volumeAttachments": told})

    @endpoint(app, _ATTACHMENTS + "/<volume_id>", "GET")
    def show_attachment(self, call: Call, server_id: str, volume_id: str) -> Answer:
        """One of them."""
        self._server(server_id)
        attachment = self._attachment(server_id, volume_id)
        return Answer(200, {"volumeAttachment": compute_views.attachment(attachment, call.version)})

    def _attachment(self, server_id: str, volume_id: str) -> Attachment:
        attachment = self._volume(volume_id).attachment
        if attachment is None or not attachment.by_compute or attachment.server_id != server_id:
            message = "Instance {} is not attached to volume {}"
            raise COMPUTE.error(404, message.format(server_id, volume_id))
        return attachment

    @endpoint(app, _ATTACHMENTS, "POST")
    def attach(self, call: Call, server_id: str) -> Answer:
        """Begin to attach a volume."""
        wanted = member(call.json(), "volumeAttachment", COMPUTE)
        volume_id = _wanted_volume(wanted)
        self._server(server_id)
        self._refuse_attach(call, self._volume(volume_id))
        device = self._choose_device(server_id, wanted.get("device"))
        attachment = self._store.reserve(volume_id, server_id, device)
        self._engine.begin(volume_id)
        if call.version >= _ASYNCHRONOUS_ATTACH:
            return Answer(202)
        return Answer(200, {"volumeAttachment": compute_views.attached(attachment, call.version)})

    def _refuse_attach(self, call: Call, volume: Volume) -> None:
        """
        :raises WireError: 400, unless the volume can be attached.
        """
        attachment, status = volume.attachment, volume.status
        if attachment is not None and status not in ("reserved", "attaching"):
            raise COMPUTE.error(
                400,
                "Invalid volume: volume {} is already attached to instances: {}".format(
                    volume.volume_id, attachment.server_id
                ),
            )
        if status == "error":
            problem = (
                "Volume attachments can not be created if the volume is in an error state. "
                "The Volume {} currently has a status of: {} "
            )
        elif status != "available" or attachment is not None:
            problem = (
                "Volume {} status must be available or downloading to reserve, but the current "
                "status is {}."
            )
        else:
            return
        reason = "Invalid volume: " + problem.format(volume.volume_id, status)
        raise COMPUTE.error(400, _from_cinder(call, reason))

    def _choose_device(self, server_id: str, wanted: object) -> str:
        taken = {attachment.device for attachment in self._store.attachments(server_id)}
        if wanted is None:
            return next(name for name in _device_names() if name not in taken)
        if not isinstance(wanted, str) or _DEVICE.match(wanted) is None:
            message = "The supplied device path ({}) is invalid."
            raise COMPUTE.error(400, message.format(wanted))
        if wanted in taken:
            message = "The supplied device path ({}) is in use."
            raise COMPUTE.error(409, message.format(wanted))
        return wanted

    @endpoint(app, _ATTACHMENTS + "/<volume_id>", "DELETE")
    def detach(self, call: Call, server_id: str, volume_id: str) -> Answer:
        """Begin to detach a volume."""
        self._server(server_id)
        volume = self._volume(volume_id)
        self._attachment(server_id, volume_id)
        if volume.bootable:
            raise COMPUTE.error(400, "Cannot detach a root device volume")
        if volume.status != "in-use":
            reason = (
                "Invalid volume: Unable to detach volume. Volume status must be 'in-use' and "
                "attach_status must be 'attached' to detach."
            )
            raise COMPUTE.error(400, "Invalid volume: " + _from_cinder(call, reason))
        self._store.set_status(volume_id, "detaching")
        self._engine.begin(volume_id)
        return Answer(202)


def _from_cinder(call: Call, reason: str) -> str:
    """How Nova passes on what Cinder said to it."""
    return "Invalid input received: {} (HTTP 400) (Request-ID: {})".format(reason, call.request_id)


def _wanted_volume(wanted: Mapping[str, Any]) -> str:
    if "volumeId" not in wanted:
        problem = "'volumeId' is a required property"
        raise invalid("volumeAttachment", wanted, problem, COMPUTE)
    volume_id = wanted["volumeId"]
    if not is_uuid(volume_id):
        raise invalid("volumeId", volume_id, "{!r} is not a 'uuid'".format(volume_id), COMPUTE)
    return str(volume_id)


def _device_names() -> List[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = list(letters) + [one + two for one in letters for two in letters]
    return ["/dev/vd" + name for name in names]
