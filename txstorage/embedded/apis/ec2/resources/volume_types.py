# -*- test-case-name: tests.embedded.ec2.test_volumes -*-
"""
The types of volumes that EC2 has, with their limits.

Source: "Amazon EBS volume types" in the EBS user guide.  All of them mean a sparse file.
"""

from __future__ import annotations

from collections.abc import Mapping

import attr

from ....settings import DEFAULT_TYPE
from ....store.ec2.records import EC2Kind, VolumeShape
from ....store.records import VolumeRecord
from ..protocol import errors


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class TypeLimits:
    """
    The limits of a type of volumes.

    :ivar size: the least and the most GiB.
    :ivar iops: the least and the most that a request may name; ``None`` when it may name none.
    :ivar ratio: the most IOPS for each GiB.
    :ivar throughput: the least and the most MiB/s that a request may name, if any.
    :ivar openstack: the type that OpenStack's clients see.
    """

    size: tuple[int, int]
    iops: tuple[int, int] | None = None
    ratio: int = 0
    throughput: tuple[int, int] | None = None
    openstack: str = DEFAULT_TYPE


DEFAULT = "gp2"
#: The MiB/s for each of gp3's IOPS.
_THROUGHPUT_RATIO = 0.25
_PROVISIONED_AT_LEAST = 4
TYPES: Mapping[str, TypeLimits] = {
    "standard": TypeLimits(size=(1, 1024), openstack="bronze"),
    "gp2": TypeLimits(size=(1, 16384), openstack="silver"),
    "gp3": TypeLimits(size=(1, 65536), iops=(3000, 80000), ratio=500, throughput=(125, 2000)),
    "io1": TypeLimits(
        size=(_PROVISIONED_AT_LEAST, 16384), iops=(100, 64000), ratio=50, openstack="gold"
    ),
    "io2": TypeLimits(size=(_PROVISIONED_AT_LEAST, 65536), iops=(100, 256000), ratio=1000),
    "st1": TypeLimits(size=(125, 16384)),
    "sc1": TypeLimits(size=(125, 16384)),
}
#: The types whose IOPS a request has to name.
_PROVISIONED = frozenset(["io1", "io2"])
#: EC2's types of the volumes that OpenStack's clients have made.
_OF_OPENSTACK = {"gold": "io1", "silver": "gp2", "bronze": "standard"}
_GOLD_RATIO = 30
_GP2_IOPS = (100, 16000)
_GP2_RATIO = 3


def default_iops(volume_type: str, size: int) -> int | None:
    """:return: the IOPS that a volume has without a request, or ``None``."""
    if volume_type == "gp2":
        least, most = _GP2_IOPS
        return min(max(_GP2_RATIO * size, least), most)
    return 3000 if volume_type == "gp3" else None


def kind_of(record: VolumeRecord, kind: EC2Kind | None, zone: str) -> EC2Kind:
    """
    :param kind: the recorded one, if any.
    :param zone: of a volume without.
    :return: EC2's properties of a volume.
    """
    if kind is not None:
        return kind
    volume_type = _OF_OPENSTACK.get(record.volume_type, "gp3")
    iops = default_iops(volume_type, record.size)
    if volume_type == "io1":
        iops = max(_GOLD_RATIO * record.size, 100)
    return EC2Kind(volume_type, iops, 125 if volume_type == "gp3" else None, zone)


def checked(volume_type: str, size: int, iops: int | None, throughput: int | None) -> VolumeShape:
    """
    :param iops: the request's, or ``None``.
    :param throughput: the request's, or ``None``.
    :return: the shape of a volume, with the defaults of its type.
    :raises QueryRefusal: it is out of the type's limits.
    """
    if volume_type not in TYPES:
        raise errors.UNKNOWN_TYPE(volume_type)
    limits = TYPES[volume_type]
    least, most = limits.size
    if size < least:
        raise errors.TOO_SMALL(size, volume_type, least)
    if size > most:
        raise errors.TOO_BIG(size, volume_type, most)
    _check_iops(volume_type, limits, size, iops)
    chosen = default_iops(volume_type, size) if iops is None else iops
    _check_throughput(volume_type, limits, chosen, throughput)
    if throughput is None and limits.throughput is not None:
        throughput = limits.throughput[0]
    return VolumeShape(size, volume_type, chosen, throughput)


def _check_iops(volume_type: str, limits: TypeLimits, size: int, iops: int | None) -> None:
    if iops is None:
        if volume_type in _PROVISIONED:
            raise errors.MISSING("iops")
        return
    if limits.iops is None:
        raise errors.NOT_FOR_TYPE("iops", volume_type)
    least, most = limits.iops
    if not least <= iops <= most:
        raise errors.IOPS_OF_TYPE(iops, volume_type, least, most)
    # The least of gp3 goes with any size.
    if iops > max(limits.ratio * size, least if volume_type == "gp3" else 0):
        raise errors.IOPS_RATIO(iops / size, limits.ratio)


def _check_throughput(
    volume_type: str, limits: TypeLimits, iops: int | None, throughput: int | None
) -> None:
    if throughput is None:
        return
    if limits.throughput is None or iops is None:
        raise errors.NOT_FOR_TYPE("throughput", volume_type)
    least, most = limits.throughput
    if not least <= throughput <= most:
        raise errors.THROUGHPUT_OF_TYPE(throughput, volume_type, least, most)
    if throughput > _THROUGHPUT_RATIO * iops:
        raise errors.THROUGHPUT_RATIO(throughput / iops, _THROUGHPUT_RATIO)
