# -*- test-case-name: tests.embedded.apis.test_compute -*-
"""Servers and attachments in Nova's format."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import attr

from ..accounts.directory import Ids
from ..machine.image import IMAGE_ID
from ..settings import AVAILABILITY_ZONE
from ..store.records import AttachmentRecord
from ..store.servers.records import ServerRecord
from ..wire.exchange import Version
from ..wire.members import SERVER_MEMBERS, shown
from ..wire.times import compute_time
from .servers import flavor_views

_TAGS = (2, 70)
_DELETE_ON_TERMINATION = (2, 79)
_ATTACHMENT_ID = (2, 89)
#: The device of a root volume; a node without one is backed by the image.
_ROOT = "/dev/vda"
#: The first microversions of a flavor without an id, and of the fate of a server's volumes.
_EMBEDDED_FLAVOR, _ATTACHED_UNTIL = (2, 47), (2, 3)
#: The one host of the servers.
HOST = "txstorage"
#: ``vm_state``, ``power_state``, ``task_state``, and the status for clients, by status.
_STATES: dict[str, tuple[str, int, str | None, str]] = {
    "ACTIVE": ("active", 1, None, "ACTIVE"),
    "SHUTOFF": ("stopped", 4, None, "SHUTOFF"),
    "BUILD": ("building", 0, "spawning", "BUILD"),
    "REBOOT": ("active", 1, "rebooting", "REBOOT"),
    "HARD_REBOOT": ("active", 1, "rebooting_hard", "HARD_REBOOT"),
    "DELETING": ("active", 1, "deleting", "ACTIVE"),
}
#: Statuses with a progress.
_WITH_PROGRESS = frozenset(["ACTIVE", "BUILD", "REBOOT", "HARD_REBOOT"])
#: From this microversion on, the response to a change has all members.
_WHOLE_UPDATE = (2, 75)
_NOT_IN_UPDATES = (
    *("OS-EXT-AZ:", "OS-EXT-STS:", "OS-SRV-USG:", "OS-EXT-SRV-ATTR:", "os-extended-volumes:"),
    *("config_drive", "key_name", "host_status"),
)


def _states(status: str) -> tuple[str, int, str | None, str]:
    return _STATES.get(status, ("error", 0, None, status))


def vm_state(status: str) -> str:
    """Nova's names for the state of a server."""
    return _states(status)[0]


def power_state(status: str) -> int:
    """Nova's number of the hypervisor's state of a server."""
    return _states(status)[1]


def task_state(status: str) -> str | None:
    """Nova's name of the task that changes a server."""
    return _states(status)[2]


def database_time(seconds: float) -> str:
    """Seconds since the epoch as Nova's database has them, in whole seconds."""
    return f"{compute_time(seconds)[:-1]}.000000".replace("T", " ")


@attr.s(frozen=True, auto_attribs=True)
class ServerView:
    """
    Servers for one request.

    :ivar base: the beginning of links.
    :ivar ids: of the first project and the first user.
    :ivar admin: whether the user is an administrator.
    """

    base: str
    ids: Ids
    version: Version
    admin: bool

    def summary(self, server: ServerRecord) -> dict[str, Any]:
        """An entry of the short list."""
        links = flavor_views.links(self.base, "servers/" + server.server_id)
        return {"id": server.server_id, "name": server.name, "links": links}

    def detail(self, server: ServerRecord, attachments: list[AttachmentRecord]) -> dict[str, Any]:
        """A server in full, in a list."""
        created, details = compute_time(server.created_at), server.details
        building = server.status == "BUILD"
        project_id = server.project_id or self.ids.project
        launched = database_time(server.created_at).replace(" ", "T")
        view = self.summary(server)
        view.update(
            {
                "accessIPv4": details.access_ipv4,
                "accessIPv6": details.access_ipv6,
                "addresses": {},
                "created": created,
                "updated": compute_time(server.updated_at or server.created_at),
                "flavor": self._flavor(),
                "hostId": "" if building else host_id(project_id),
                "image": self._image(server, attachments),
                "metadata": dict(details.metadata),
                "status": _states(server.status)[3],
                "tenant_id": project_id,
                "user_id": server.user_id or self.ids.user,
                "OS-SRV-USG:launched_at": None if building else launched,
                "OS-SRV-USG:terminated_at": None,
                "config_drive": details.config_drive,
                "key_name": None,
                "OS-DCF:diskConfig": details.disk_config,
                "OS-EXT-AZ:availability_zone": AVAILABILITY_ZONE,
                "OS-EXT-STS:task_state": task_state(server.status),
                "OS-EXT-STS:vm_state": vm_state(server.status),
                "OS-EXT-STS:power_state": power_state(server.status),
                "os-extended-volumes:volumes_attached": [
                    self._attached(entry) for entry in attachments
                ],
                "locked": False,
                "description": details.description,
                "tags": list(details.tags),
                "trusted_image_certificates": None,
                "locked_reason": None,
                "pinned_availability_zone": None,
                "scheduler_hints": {},
                "host_status": "UP",
                **attributes(server),
            }
        )
        if server.status in _WITH_PROGRESS:
            view["progress"] = 0
        return shown(SERVER_MEMBERS, view, self.version, self.admin)

    def alone(self, server: ServerRecord, attachments: list[AttachmentRecord]) -> dict[str, Any]:
        """A server in full, by itself."""
        groups = shown(SERVER_MEMBERS, {"server_groups": []}, self.version, self.admin)
        return {**self.detail(server, attachments), **groups}

    def updated(self, server: ServerRecord, attachments: list[AttachmentRecord]) -> dict[str, Any]:
        """The response to a change."""
        view = self.alone(server, attachments)
        if self.version >= _WHOLE_UPDATE:
            return view
        return {name: each for name, each in view.items() if not name.startswith(_NOT_IN_UPDATES)}

    def created(self, server: ServerRecord, password: str | None) -> dict[str, Any]:
        """
        The response to a create.

        :param password: of the administrator, in the request; by default a random one.
        """
        return {
            "id": server.server_id,
            "links": self.summary(server)["links"],
            "OS-DCF:diskConfig": server.details.disk_config,
            "security_groups": [{"name": "default"}],
            "adminPass": password or secrets.token_urlsafe(9),
        }

    def _image(self, server: ServerRecord, attachments: list[AttachmentRecord]) -> Any:
        image_id = server.details.image_id
        if server.is_node and all(each.device != _ROOT for each in attachments):
            image_id = IMAGE_ID
        if image_id is None:
            return ""
        return {
            "id": image_id,
            "links": [{"rel": "bookmark", "href": f"{self.base}/compute/images/{image_id}"}],
        }

    def _flavor(self) -> dict[str, Any]:
        if self.version < _EMBEDDED_FLAVOR:
            return flavor_views.flavor_of_server(self.base)
        return flavor_views.flavor_in_server()

    def _attached(self, entry: AttachmentRecord) -> dict[str, Any]:
        view: dict[str, Any] = {"id": entry.volume_id}
        if self.version >= _ATTACHED_UNTIL:
            view["delete_on_termination"] = entry.delete_on_termination
        return view


def host_id(project_id: str) -> str:
    """The id of the host for users of a project, who do not see its name."""
    return hashlib.sha224(project_id.encode("ascii")).hexdigest()


def attributes(server: ServerRecord) -> dict[str, Any]:
    """The attributes that once only administrators saw."""
    attributes = {
        "host": HOST,
        "instance_name": f"instance-{server.sequence:08x}",
        "hypervisor_hostname": HOST,
        "hostname": server.details.hostname or server.name,
        "kernel_id": "",
        "launch_index": server.details.launch_index,
        "ramdisk_id": "",
        "reservation_id": server.details.reservation_id or "r-" + server.server_id[:8],
        "root_device_name": _ROOT,
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
        view["delete_on_termination"] = entry.delete_on_termination
    return view


def attachment(entry: AttachmentRecord, version: Version) -> dict[str, Any]:
    """An attachment in lists and by itself."""
    view = attached(entry, version)
    if version >= _ATTACHMENT_ID:
        del view["id"]
        view["attachment_id"] = entry.attachment_id
        view["bdm_uuid"] = entry.block_device_id
    return view
