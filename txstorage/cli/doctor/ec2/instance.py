# -*- test-case-name: tests.cli.doctor.ec2.test_places -*-
"""The instance: its zone, its attachments, and the names of its disks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import attr
from twisted.python.filepath import FilePath

from ...._devices.sysfs import read_block_devices
from ....clouds.ec2.attachments.device_names import NAMES, DeviceNames
from ....errors import ServiceError
from ..state import CheckFailed, CheckWarning, DoctorRun, Skipped

#: The share of the attachments from which on the doctor warns.
NEARLY = 0.9
_DETACH = "detach volumes that the instance no longer needs, or use a type with more attachments"


async def check_instance(state: DoctorRun) -> str:
    """Check that the instance is in the zone of new volumes."""
    asked = {"InstanceIds": [state.instance_id]}
    answer = await state.session.call("DescribeInstances", asked)
    found = [
        instance
        for reservation in answer.get("Reservations") or []
        for instance in reservation.get("Instances") or []
    ]
    if not found:
        raise Skipped(f"EC2 does not describe {state.instance_id}")
    state.instance = found[0]
    wanted = state.configuration.availability_zone
    zone = (found[0].get("Placement") or {}).get("AvailabilityZone")
    if zone != wanted:
        raise CheckFailed(
            f"new volumes are made in {wanted}, but {state.instance_id} is in {zone}: EC2 attaches "
            "volumes within a zone only",
            f"set 'zone' to {zone}, or run this node in {wanted}",
        )
    return f"{state.instance_id}, {found[0].get('InstanceType')} in {zone}"


@attr.s(frozen=True, auto_attribs=True)
class AttachmentLimit:
    """
    The number of attachments that an instance can have.

    :ivar most: the maximum; ``None`` when it is not known.
    :ivar taken: the attachments that count.
    """

    most: int | None
    taken: int

    @classmethod
    def of(cls, instance: Mapping[str, Any], kind: Mapping[str, Any]) -> AttachmentLimit:
        """
        :param instance: as EC2 describes it.
        :param kind: its type, as EC2 describes it; may be empty.
        """
        ebs = kind.get("EbsInfo") or {}
        taken = len(instance.get("BlockDeviceMappings") or [])
        if ebs.get("AttachmentLimitType") == "shared":
            disks = (kind.get("InstanceStorageInfo") or {}).get("Disks") or []
            taken += len(instance.get("NetworkInterfaces") or [])
            taken += sum(each.get("Count") or 0 for each in disks)
        return cls(ebs.get("MaximumEbsAttachments"), taken)


async def check_attachments(state: DoctorRun) -> str:
    """Check that the instance can have one more volume."""
    limit = AttachmentLimit.of(state.instance, await _kind(state))
    devices = state.instance.get("BlockDeviceMappings") or []
    names = [str(each.get("DeviceName")) for each in devices]
    free = len(DeviceNames(state.reactor).candidates(state.instance_id, names, ""))
    most = "an unknown number" if limit.most is None else str(limit.most)
    found = (
        f"{limit.taken} of at most {most} attached, network interfaces and local disks included "
        f"where they count; {free} of {len(NAMES)} device names are free"
    )
    if not free or (limit.most is not None and limit.taken >= limit.most):
        raise CheckFailed(f"no volume can be attached: {found}", _DETACH)
    if limit.most is not None and limit.taken >= limit.most * NEARLY:
        raise CheckWarning(found, _DETACH)
    return found


async def _kind(state: DoctorRun) -> Mapping[str, Any]:
    asked = {"InstanceTypes": [state.instance.get("InstanceType")]}
    try:
        answer = await state.session.call("DescribeInstanceTypes", asked)
    except ServiceError:
        # The driver does not send this request, so that it may be denied, or not exist.
        return {}
    found = answer.get("InstanceTypes") or [{}]
    kind: Mapping[str, Any] = found[0]
    return kind


#: The beginnings of the disks' names in the kernel, and how their devices are found.
_KINDS = (
    (re.compile("nvme"), "NVMe, found by serial number"),
    (re.compile("xvd"), "Xen, found by name and size"),
    (re.compile("loop"), "loop devices of the embedded service"),
)


async def check_device_names(state: DoctorRun) -> str:
    """Report the kind of this machine's disks."""
    if state.configuration.device_directory is not None:
        return f"regular files in {state.configuration.device_directory}"
    devices = read_block_devices(FilePath("/sys"))
    kinds = disk_kinds(device.name for device in devices)
    if not kinds:
        raise Skipped("this machine has neither NVMe nor Xen disks")
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))


def disk_kinds(names: Iterable[str]) -> Counter[str]:
    """Count the disks of each kind by their names in the kernel."""
    return Counter(kind for name in names for form, kind in _KINDS if form.match(name))


__all__ = [
    "AttachmentLimit",
    "check_attachments",
    "check_device_names",
    "check_instance",
    "disk_kinds",
]
