# -*- test-case-name: tests.embedded.apis.test_compute -*-
"""Servers and attachments in Nova's format."""

from __future__ import annotations

import hashlib
from typing import Any

import attr

from ..settings import AVAILABILITY_ZONE
from ..store.records import AttachmentRecord, ServerRecord
from ..wire.exchange import Version
from ..wire.members import SERVER_MEMBERS, shown
from ..wire.times import compute_time
from .servers import flavor_views

_TAGS = (2, 70)
_DELETE_ON_TERMINATION = (2, 79)
_ATTACHMENT_ID = (2, 89)
#: The first microversions of a flavor without an id, and of the fate of a server's volumes.
_EMBEDDED_FLAVOR, _ATTACHED_UNTIL = (2, 47), (2, 3)
#: The one host of the servers.
_HOST = "txstorage"
#: ``vm_state`` and ``power_state`` by status.
_STATES = {"ACTIVE": ("active", 1), "SHUTOFF": ("stopped", 4)}


def vm_state(status: str) -> str:
    """Nova's names for the state of a server."""
    return _STATES.get(status, ("error", 0))[0]


def power_state(status: str) -> int:
    """Nova's number of the hypervisor's state of a server."""
    return _STATES.get(status, ("error", 0))[1]


def database_time(seconds: float) -> str:
    """Seconds since the epoch as Nova's database has them, in whole seconds."""
    return f"{compute_time(seconds)[:-1]}.000000".replace("T", " ")


@attr.s(frozen=True, auto_attribs=True)
class ServerView:
    """
    Servers for one request.

    :ivar base: the beginning of links.
    :ivar admin: whether the user is an administrator.
    """

    base: str
    project_id: str
    user_id: str
    version: Version
    admin: bool

    def summary(self, server: ServerRecord) -> dict[str, Any]:
        """An entry of the short list."""
        links = flavor_views.links(self.base, "servers/" + server.server_id)
        return {"id": server.server_id, "name": server.name, "links": links}

    def detail(self, server: ServerRecord, attachments: list[AttachmentRecord]) -> dict[str, Any]:
        """A server in full, in a list."""
        created = compute_time(server.created_at)
        view = self.summary(server)
        view.update(
            {
                "accessIPv4": "",
                "accessIPv6": "",
                "addresses": {},
                "created": created,
                "updated": created,
                "flavor": self._flavor(),
                "hostId": hashlib.sha224(self.project_id.encode("ascii")).hexdigest(),
                "image": "",
                "metadata": {},
                "status": server.status,
                "tenant_id": self.project_id,
                "user_id": self.user_id,
                "OS-SRV-USG:launched_at": database_time(server.created_at).replace(" ", "T"),
                "OS-SRV-USG:terminated_at": None,
                "config_drive": "",
                "key_name": None,
                "OS-DCF:diskConfig": "MANUAL",
                "OS-EXT-AZ:availability_zone": AVAILABILITY_ZONE,
                "OS-EXT-STS:task_state": None,
                "OS-EXT-STS:vm_state": vm_state(server.status),
                "OS-EXT-STS:power_state": power_state(server.status),
                "os-extended-volumes:volumes_attached": [
                    self._attached(entry) for entry in attachments
                ],
                "locked": False,
                "description": None,
                "tags": [],
                "trusted_image_certificates": None,
                "locked_reason": None,
                "pinned_availability_zone": None,
                "scheduler_hints": {},
                "host_status": "UP",
                **attributes(server),
            }
        )
        if server.status == "ACTIVE":
            view["progress"] = 0
        return shown(SERVER_MEMBERS, view, self.version, self.admin)

    def alone(self, server: ServerRecord, attachments: list[AttachmentRecord]) -> dict[str, Any]:
        """A server in full, by itself."""
        groups = shown(SERVER_MEMBERS, {"server_groups": []}, self.version, self.admin)
        return {**self.detail(server, attachments), **groups}

    def _flavor(self) -> dict[str, Any]:
        if self.version < _EMBEDDED_FLAVOR:
            return flavor_views.flavor_of_server(self.base)
        return flavor_views.flavor_in_server()

    def _attached(self, entry: AttachmentRecord) -> dict[str, Any]:
        view: dict[str, Any] = {"id": entry.volume_id}
        if self.version >= _ATTACHED_UNTIL:
            view["delete_on_termination"] = False
        return view


def attributes(server: ServerRecord) -> dict[str, Any]:
    """The attributes that once only administrators saw."""
    attributes = {
        "host": _HOST,
        "instance_name": f"instance-{server.sequence:08x}",
        "hypervisor_hostname": _HOST,
        "hostname": server.name,
        "kernel_id": "",
        "launch_index": 0,
        "ramdisk_id": "",
        "reservation_id": "r-" + server.server_id[:8],
        "root_device_name": "/dev/vda",
        "user_data": None,
    }
    return {f"OS-EXT-SRV-ATTR:{name}": value for name, value in attributes.items()}


def attached(entry: AttachmentRecord, version: Version) -> dict[str, Any]:
    """The response to an attach, before 2.101."""
    view: dict[str, Any] = {
        "id": entry.volume_id,
        "serverId": entry.server_id,
        "volumeId": entry.volume_id,
        "device": entry.device,
    }
    if version >= _TAGS:
        view["tag"] = None
    if version >= _DELETE_ON_TERMINATION:
        view["delete_on_termination"] = False
    return view


def attachment(entry: AttachmentRecord, version: Version) -> dict[str, Any]:
    """An attachment in lists and by itself."""
    view = attached(entry, version)
    if version >= _ATTACHMENT_ID:
        del view["id"]
        view["attachment_id"] = entry.attachment_id
        view["bdm_uuid"] = entry.block_device_id
    return view
