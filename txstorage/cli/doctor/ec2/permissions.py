# -*- test-case-name: tests.cli.doctor.ec2.test_permissions -*-
"""
The actions that the credentials allow, by dry runs.

EC2 answers a dry run with ``DryRunOperation`` or ``UnauthorizedOperation``, and may find out before
that a resource does not exist.  The resources of the dry runs of changes do not exist, so that a
service that ignores ``DryRun`` harms nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attr

from ....clouds.ec2.tags import specification, tag_list
from ....driver.labels import cluster_labels
from ....errors import AuthenticationFailed, ServiceError
from ..state import CheckFailed, CheckWarning, DoctorRun, Skipped

#: Resources that do not exist.
VOLUME, SNAPSHOT, INSTANCE = "vol-00000000000000000", "snap-00000000000000000", "i-" + 17 * "0"
_DEVICE = "/dev/xvdba"

Parameters = Callable[[DoctorRun], Mapping[str, Any]]


def _labels(state: DoctorRun) -> dict[str, str]:
    cluster = state.configuration.cluster_id
    return {} if cluster is None else dict(cluster_labels(cluster))


def _tagged(resource: str) -> Parameters:
    def parameters(state: DoctorRun) -> Mapping[str, Any]:
        tags = specification(resource, "txstorage-doctor", _labels(state))
        return {"VolumeId": VOLUME, "TagSpecifications": tags}

    return parameters


def _new_volume(state: DoctorRun) -> Mapping[str, Any]:
    tags = specification("volume", "txstorage-doctor", _labels(state))
    asked = {
        "AvailabilityZone": state.configuration.availability_zone,
        "Size": 1,
        "SnapshotId": SNAPSHOT,
        "TagSpecifications": tags,
    }
    key = state.configuration.kms_key_id
    return asked if key is None else {**asked, "Encrypted": True, "KmsKeyId": key}


def _tags(state: DoctorRun) -> Mapping[str, Any]:
    return {"Resources": [VOLUME], "Tags": tag_list(_labels(state) or {"txstorage": "doctor"})}


def _fixed(**parameters: Any) -> Parameters:
    return lambda state: parameters


@attr.s(frozen=True, auto_attribs=True)
class Permission:
    """
    An action of EC2 that a policy has to allow.

    :ivar action: the operation's name, without ``ec2:``.
    :ivar purpose: the use that txstorage makes of it.
    :ivar parameters: called with the run; returns those of a dry run.
    :ivar essential: whether no volume can be used without the action.
    """

    action: str
    purpose: str
    parameters: Parameters = _fixed()
    essential: bool = False


#: The actions, first those that only read: they reveal a service that ignores ``DryRun``.
PERMISSIONS = (
    Permission("DescribeAvailabilityZones", "the doctor's check of the zone"),
    Permission("DescribeInstanceTypes", "the doctor's check of the attachments"),
    Permission("DescribeInstances", "finding nodes", essential=True),
    Permission("DescribeVolumes", "listing volumes", essential=True),
    Permission("DescribeVolumesModifications", "growing volumes"),
    Permission("DescribeSnapshots", "listing snapshots"),
    Permission(
        "AttachVolume",
        "attaching volumes",
        _fixed(VolumeId=VOLUME, InstanceId=INSTANCE, Device=_DEVICE),
        essential=True,
    ),
    Permission("DetachVolume", "detaching volumes", _fixed(VolumeId=VOLUME), essential=True),
    Permission("CreateVolume", "creating volumes", _new_volume, essential=True),
    Permission("DeleteVolume", "destroying volumes", _fixed(VolumeId=VOLUME), essential=True),
    Permission("CreateTags", "labels, also of new volumes", _tags, essential=True),
    Permission("DeleteTags", "removing labels", _tags),
    Permission("ModifyVolume", "growing volumes", _fixed(VolumeId=VOLUME, Size=1)),
    Permission("CopyVolumes", "clones", _fixed(SourceVolumeId=VOLUME)),
    Permission("CreateSnapshot", "snapshots", _tagged("snapshot")),
    Permission("DeleteSnapshot", "destroying snapshots", _fixed(SnapshotId=SNAPSHOT)),
    Permission("StartInstances", "Flocker's start_node", _fixed(InstanceIds=[INSTANCE])),
)

ALLOWED, DENIED = "allowed", "denied"
#: The meaning of the codes of dry runs; any other says nothing of the permission.
OUTCOMES = {
    "AccessDenied": DENIED,
    "AccessDeniedException": DENIED,
    "DryRunOperation": ALLOWED,
    "UnauthorizedOperation": DENIED,
}


async def dry_run(state: DoctorRun, permission: Permission) -> str:
    """
    Send one dry run.

    :return: EC2's code, such as ``DryRunOperation``; empty when the request was carried out.
    """
    asked = {**permission.parameters(state), "DryRun": True}
    try:
        await state.session.call(permission.action, asked, repeatable=True)
    except AuthenticationFailed:
        raise
    except ServiceError as error:
        return error.kind or f"HTTP {error.status}"
    return ""


async def check_permissions(state: DoctorRun) -> str:
    """Check that the credentials' policy allows the driver's actions."""
    codes: dict[str, str] = {}
    for permission in PERMISSIONS:
        codes[permission.action] = await dry_run(state, permission)
        if not codes[permission.action]:
            raise Skipped(f"the service carries {permission.action} out, although it is a dry run")
    return permissions_finding(codes, state.caller)


def _named(permissions: Sequence[Permission]) -> str:
    return ", ".join(f"ec2:{each.action} ({each.purpose})" for each in permissions)


def permissions_finding(codes: Mapping[str, str], caller: str) -> str:
    """
    Judge the answers to the dry runs.

    :param codes: EC2's code by action.
    :param caller: the ARN of the credentials' owner; may be empty.
    :raises CheckFailed: an essential action is denied.
    :raises CheckWarning: another action is denied.
    """
    outcomes = {action: OUTCOMES.get(code) for action, code in codes.items()}
    denied = [each for each in PERMISSIONS if outcomes[each.action] == DENIED]
    unknown = [f"{action} ({code})" for action, code in codes.items() if outcomes[action] is None]
    allowed = len(codes) - len(denied) - len(unknown)
    parts = [f"{allowed} of {len(codes)} actions are allowed"]
    if unknown:
        parts.append("could not be checked: " + ", ".join(unknown))
    if not denied:
        return "; ".join(parts)
    failed = any(each.essential for each in denied)
    error = CheckFailed if failed else CheckWarning
    raise error(
        "; ".join(["denied: " + _named(denied), *parts]),
        f"allow the actions in the IAM policy of {caller or 'the user or the role'}; docs/ec2.rst "
        "has a minimal policy",
    )


__all__ = [
    "OUTCOMES",
    "PERMISSIONS",
    "Permission",
    "check_permissions",
    "dry_run",
    "permissions_finding",
]
