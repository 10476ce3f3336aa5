# -*- test-case-name: tests.contract.test_embedded -*-
"""The one host of all servers, and Compute's processes, in Nova's format."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import attr

from ....settings import AVAILABILITY_ZONE
from ....store.servers.records import ServerRecord
from ....wire.exchange import Version
from ...compute_views import HOST
from ..flavor_views import RAM, VCPUS
from ..quotas.limits import INSTANCES, used

COMPUTE = "nova-compute"
#: The processes, and their zones.
PROCESSES = {
    "nova-conductor": "internal",
    "nova-scheduler": "internal",
    COMPUTE: AVAILABILITY_ZONE,
}
_HYPERVISOR = "hypervisor"
#: The first microversions with the flag of a process, with ids that are UUIDs, with an object for
#: the processor, and without the sizes.
_FORCED, _UUIDS, _CPU, _NO_SIZES = (2, 11), (2, 53), (2, 28), (2, 88)
_WITH_SERVERS = (2, 75)


def has_uuids(version: Version) -> bool:
    """Check whether ids are UUIDs in a microversion."""
    return version >= _UUIDS


def id_of(name: str, version: Version) -> int | str:
    """:return: the id of a process or of the hypervisor."""
    if has_uuids(version):
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "txstorage:compute:" + name))
    return 1 if name == _HYPERVISOR else list(PROCESSES).index(name) + 1


def process(
    binary: str, disabled: Mapping[str, Optional[str]], version: Version, now: str
) -> dict[str, Any]:
    """
    :param disabled: the reasons, by the disabled processes' binaries.
    :param now: the time, as Nova has it.
    """
    view: dict[str, Any] = {
        "binary": binary,
        "host": HOST,
        "id": id_of(binary, version),
        "zone": PROCESSES[binary],
        "status": "disabled" if binary in disabled else "enabled",
        "state": "up",
        "updated_at": now,
        "disabled_reason": disabled.get(binary),
    }
    return {**view, "forced_down": False} if version >= _FORCED else view


def zones(disabled: Mapping[str, Optional[str]], now: str) -> list[dict[str, Any]]:
    """The zones in detail: their processes, which are enabled."""
    state = {"available": True, "active": True, "updated_at": now}
    views = []
    for zone in ("internal", AVAILABILITY_ZONE):
        here = {
            binary: state
            for binary, each in PROCESSES.items()
            if each == zone and binary not in disabled
        }
        views.append(
            {
                "zoneName": zone,
                "zoneState": {"available": bool(here)},
                "hosts": {HOST: here} if here else None,
            }
        )
    return views


@attr.s(frozen=True, auto_attribs=True)
class HypervisorView:
    """
    The hypervisor for one request.

    :ivar servers: on it.
    :ivar disabled: the reasons, by the disabled processes' binaries.
    """

    version: Version
    servers: Sequence[ServerRecord]
    disabled: Mapping[str, Optional[str]]

    @property
    def id(self) -> int | str:
        """The hypervisor's id."""
        return id_of(_HYPERVISOR, self.version)

    def summary(self) -> dict[str, Any]:
        """An entry of the short list."""
        return {
            "id": self.id,
            "hypervisor_hostname": HOST,
            "state": "up",
            "status": "disabled" if COMPUTE in self.disabled else "enabled",
        }

    def detail(self) -> dict[str, Any]:
        """The hypervisor in full."""
        service = {
            "id": id_of(COMPUTE, self.version),
            "host": HOST,
            "disabled_reason": self.disabled.get(COMPUTE),
        }
        view = {
            **self.summary(),
            "hypervisor_type": "txstorage",
            "hypervisor_version": 1,
            "host_ip": "127.0.0.1",
            "service": service,
        }
        if self.version >= _NO_SIZES:
            return {**view, "uptime": None}
        return {**view, **self.sizes(), "cpu_info": {} if self.version >= _CPU else ""}

    def sizes(self) -> dict[str, int]:
        """The room on the hypervisor, and its use."""
        whole, taken = used(INSTANCES), used(len(self.servers))
        return {
            "vcpus": INSTANCES * VCPUS,
            "memory_mb": INSTANCES * RAM,
            "local_gb": 0,
            "vcpus_used": taken["cores"],
            "memory_mb_used": taken["ram"],
            "local_gb_used": 0,
            "free_ram_mb": whole["ram"] - taken["ram"],
            "free_disk_gb": 0,
            "current_workload": 0,
            "running_vms": len(self.servers),
            "disk_available_least": 0,
        }

    def with_servers(self, view: Mapping[str, Any]) -> dict[str, Any]:
        """Add the servers to a view; former microversions omit an empty list."""
        servers = [{"name": each.name, "uuid": each.server_id} for each in self.servers]
        shown = servers or self.version >= _WITH_SERVERS
        return {**view, "servers": servers} if shown else dict(view)


__all__ = ["COMPUTE", "PROCESSES", "HypervisorView", "has_uuids", "id_of", "process", "zones"]
