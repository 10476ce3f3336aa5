# -*- test-case-name: tests.clouds.ec2.test_codec -*-
"""
The operations in use, and the parts of them that old releases of botocore lack.

Source: botocore's own model of EC2, API version 2016-11-15, as of release 1.44.  Flocker pins
1.4.87, which is older than tags in a request, client tokens and ``ModifyVolume``.
"""

from __future__ import absolute_import, division, print_function

import attr

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Tuple  # noqa: F401


def _structure(**members):
    # type: (**Tuple[str, str]) -> Dict[str, Any]
    """:param members: the shape and the name on the wire of each member."""
    return {"type": "structure", "members": _members(**members)}


def _members(**members):
    # type: (**Tuple[str, str]) -> Dict[str, Any]
    return {
        name: dict({"shape": shape}, **({"locationName": wire} if wire else {}))
        for name, (shape, wire) in members.items()
    }


def _list(shape, wire="item"):
    # type: (str, str) -> Dict[str, Any]
    return {"type": "list", "member": {"shape": shape, "locationName": wire}}


def _operation(name, has_input, has_output):
    # type: (str, str, str) -> Dict[str, Any]
    return {
        "name": name,
        "http": {"method": "POST", "requestUri": "/"},
        "input": {"shape": has_input},
        "output": {"shape": has_output},
    }


@attr.s(frozen=True)
class UsedAPI(object):
    """
    The part of a service's API that is in use.

    :ivar version: of the API.
    :ivar tuple operations: their names.
    :ivar added_operations: dict: the operations that old models lack.
    :ivar added_shapes: dict: the shapes that old models lack.
    :ivar added_members: dict of the names of shapes: the members that old models lack.
    :ivar read_members: dict of the names of shapes: the only members that are read; the answers
        have many more, and each takes time to parse.
    """

    version = attr.ib()  # type: str
    operations = attr.ib()  # type: Tuple[str, ...]
    added_operations = attr.ib(default=attr.Factory(dict))  # type: Mapping[str, Any]
    added_shapes = attr.ib(default=attr.Factory(dict))  # type: Mapping[str, Any]
    added_members = attr.ib(default=attr.Factory(dict))  # type: Mapping[str, Any]
    read_members = attr.ib(default=attr.Factory(dict))  # type: Mapping[str, Tuple[str, ...]]


_TAGGED = _members(TagSpecifications=("TagSpecificationList", "TagSpecification"))

EC2 = UsedAPI(
    "2016-11-15",
    (
        "AttachVolume",
        "CopyVolumes",
        "CreateSnapshot",
        "CreateTags",
        "CreateVolume",
        "DeleteSnapshot",
        "DeleteTags",
        "DeleteVolume",
        "DescribeAvailabilityZones",
        "DescribeInstanceTypes",
        "DescribeInstances",
        "DescribeSnapshots",
        "DescribeVolumes",
        "DescribeVolumesModifications",
        "DetachVolume",
        "ModifyVolume",
        "StartInstances",
    ),
    added_operations={
        "CopyVolumes": _operation("CopyVolumes", "CopyVolumesRequest", "CopyVolumesResult"),
        "DescribeInstanceTypes": _operation(
            "DescribeInstanceTypes", "DescribeInstanceTypesRequest", "DescribeInstanceTypesResult"
        ),
        "DescribeVolumesModifications": _operation(
            "DescribeVolumesModifications",
            "DescribeVolumesModificationsRequest",
            "DescribeVolumesModificationsResult",
        ),
        "ModifyVolume": _operation("ModifyVolume", "ModifyVolumeRequest", "ModifyVolumeResult"),
    },
    added_shapes={
        "CopyVolumesRequest": _structure(
            SourceVolumeId=("String", ""),
            Iops=("Integer", ""),
            Size=("Integer", ""),
            VolumeType=("VolumeType", ""),
            DryRun=("Boolean", ""),
            ClientToken=("String", ""),
        ),
        "CopyVolumesResult": _structure(Volumes=("VolumeList", "volumeSet")),
        "DescribeInstanceTypesRequest": _structure(
            DryRun=("Boolean", ""), InstanceTypes=("RequestInstanceTypeList", "InstanceType")
        ),
        "DescribeInstanceTypesResult": _structure(
            InstanceTypes=("InstanceTypeInfoList", "instanceTypeSet")
        ),
        "DescribeVolumesModificationsRequest": _structure(
            DryRun=("Boolean", ""),
            VolumeIds=("VolumeIdStringList", "VolumeId"),
            Filters=("FilterList", "Filter"),
            NextToken=("String", ""),
            MaxResults=("Integer", ""),
        ),
        "DescribeVolumesModificationsResult": _structure(
            VolumesModifications=("VolumeModificationList", "volumeModificationSet"),
            NextToken=("String", "nextToken"),
        ),
        "DiskInfo": _structure(Count=("Integer", "count")),
        "DiskInfoList": _list("DiskInfo"),
        "EbsInfo": _structure(),
        "InstanceStorageInfo": _structure(Disks=("DiskInfoList", "disks")),
        "InstanceTypeInfo": _structure(
            EbsInfo=("EbsInfo", "ebsInfo"),
            InstanceStorageInfo=("InstanceStorageInfo", "instanceStorageInfo"),
        ),
        "InstanceTypeInfoList": _list("InstanceTypeInfo"),
        "ModifyVolumeRequest": _structure(
            DryRun=("Boolean", ""),
            VolumeId=("String", ""),
            Size=("Integer", ""),
            VolumeType=("VolumeType", ""),
            Iops=("Integer", ""),
        ),
        "ModifyVolumeResult": _structure(
            VolumeModification=("VolumeModification", "volumeModification")
        ),
        "RequestInstanceTypeList": _list("String", "InstanceType"),
        "TagSpecification": _structure(
            ResourceType=("ResourceType", "resourceType"), Tags=("TagList", "Tag")
        ),
        "TagSpecificationList": _list("TagSpecification"),
        "VolumeModification": _structure(
            VolumeId=("String", "volumeId"),
            ModificationState=("String", "modificationState"),
            StatusMessage=("String", "statusMessage"),
            TargetSize=("Integer", "targetSize"),
            OriginalSize=("Integer", "originalSize"),
        ),
        "VolumeModificationList": _list("VolumeModification"),
    },
    added_members={
        "CopyVolumesRequest": _TAGGED,
        "CreateSnapshotRequest": _TAGGED,
        "CreateVolumeRequest": dict(
            _TAGGED, **_members(ClientToken=("String", ""), Throughput=("Integer", ""))
        ),
        "EbsInfo": _members(
            AttachmentLimitType=("String", "attachmentLimitType"),
            MaximumEbsAttachments=("Integer", "maximumEbsAttachments"),
        ),
        "Volume": _members(SourceVolumeId=("String", "sourceVolumeId")),
    },
    read_members={
        "AvailabilityZone": ("State", "ZoneName"),
        "DiskInfo": ("Count",),
        "EbsInfo": ("AttachmentLimitType", "MaximumEbsAttachments"),
        "EbsInstanceBlockDevice": ("Status", "VolumeId"),
        "Instance": (
            "BlockDeviceMappings",
            "InstanceId",
            "InstanceType",
            "NetworkInterfaces",
            "Placement",
            "State",
            "Tags",
        ),
        "InstanceBlockDeviceMapping": ("DeviceName", "Ebs"),
        "InstanceNetworkInterface": ("NetworkInterfaceId",),
        "InstanceStorageInfo": ("Disks",),
        "InstanceTypeInfo": ("EbsInfo", "InstanceStorageInfo"),
        "Placement": ("AvailabilityZone",),
        "Reservation": ("Instances",),
    },
)

STS = UsedAPI(
    "2011-06-15",
    ("AssumeRoleWithWebIdentity", "GetCallerIdentity"),
    read_members={"AssumeRoleWithWebIdentityResponse": ("Credentials",)},
)

#: The APIs by botocore's name of the service.
SERVICES = {"ec2": EC2, "sts": STS}

__all__ = ["EC2", "SERVICES", "STS", "UsedAPI"]
