# -*- test-case-name: tests.embedded.wire.test_members -*-
"""
The history of the members of volumes and servers: the microversions that show them, and to whom.

A member that the tables do not have is shown in every version, to everybody.  Sources: the modules
``cinder.api.v3.views.volumes`` and ``nova.api.openstack.compute.views.servers``, and both services'
histories of microversions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attr

from .exchange import Version


@attr.s(frozen=True, auto_attribs=True)
class Span:
    """
    The microversions that show a member.

    :ivar since: the first one; ``None``: all.
    :ivar admin_until: the first one that shows it not only to administrators; ``None``: none does.
    """

    since: Version | None = None
    admin_until: Version | None = (0, 0)

    def shown(self, version: Version, admin: bool) -> bool:
        """Check whether a response has the member."""
        everybody = self.admin_until is not None and version >= self.admin_until
        return (self.since is None or version >= self.since) and (admin or everybody)


def _for_administrators(since: Version | None = None, until: Version | None = None) -> Span:
    return Span(since, until)


VOLUME_MEMBERS: Mapping[str, Span] = {
    "group_id": Span((3, 13)),
    "shared_targets": Span((3, 48)),
    "service_uuid": Span((3, 48)),
    "volume_type_id": Span((3, 63)),
    "consumes_quota": Span((3, 65)),
    "migration_status": _for_administrators(),
    "os-vol-host-attr:host": _for_administrators(),
    "os-vol-mig-status-attr:migstat": _for_administrators(),
    "os-vol-mig-status-attr:name_id": _for_administrators(),
    "provider_id": _for_administrators((3, 21)),
    "cluster_name": _for_administrators((3, 61)),
}
SERVER_MEMBERS: Mapping[str, Span] = {
    "locked": Span((2, 9)),
    "description": Span((2, 19)),
    "tags": Span((2, 26)),
    "trusted_image_certificates": Span((2, 63)),
    "server_groups": Span((2, 71)),
    "locked_reason": Span((2, 73)),
    "pinned_availability_zone": Span((2, 96)),
    "scheduler_hints": Span((2, 100)),
    "host_status": _for_administrators((2, 16)),
    "OS-EXT-SRV-ATTR:host": _for_administrators(),
    "OS-EXT-SRV-ATTR:instance_name": _for_administrators(),
    "OS-EXT-SRV-ATTR:hypervisor_hostname": _for_administrators(),
    "OS-EXT-SRV-ATTR:hostname": _for_administrators((2, 3), (2, 90)),
    **{
        "OS-EXT-SRV-ATTR:" + name: _for_administrators((2, 3))
        for name in (
            *("kernel_id", "launch_index", "ramdisk_id", "reservation_id", "root_device_name"),
            "user_data",
        )
    },
}


def shown(
    history: Mapping[str, Span], members: Mapping[str, Any], version: Version, admin: bool
) -> dict[str, Any]:
    """
    Return the members that a response has.

    :param members: those of every version.
    :param admin: whether the user is an administrator.
    """
    always = Span()
    return {
        name: value
        for name, value in members.items()
        if history.get(name, always).shown(version, admin)
    }


__all__ = ["SERVER_MEMBERS", "VOLUME_MEMBERS", "Span", "shown"]
