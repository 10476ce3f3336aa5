# -*- test-case-name: tests.embedded.ec2.test_volumes -*-
"""Requests for volumes."""

from __future__ import annotations

import json
import re
from hashlib import sha256

import attr

from ....settings import EC2Settings
from ....store.ec2.records import VolumeShape
from ....store.records import SnapshotRecord
from ..ids import SNAPSHOT
from ..protocol import errors
from ..protocol.query import QueryParameters
from ..reader import SeenVolume
from .volume_types import DEFAULT, TYPES, checked, kind_of

#: The parameters that do not belong to the request that a client token stands for.
_NOT_COMPARED = frozenset(["ClientToken", "Action", "Version", "DryRun"])
_TOKEN = re.compile(r"[\x20-\x7e]{1,64}\Z")


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class WantedEC2Volume:
    """
    A requested volume.

    :ivar size: GiB; ``None`` for the snapshot's.
    :ivar zone: empty for the source's.
    :ivar snapshot_id: EC2's id.
    :ivar source_id: EC2's id of the volume to copy.
    :ivar volume_type: empty for the source's.
    :ivar key: of the encryption.
    :ivar digest: changes with each parameter that matters.
    """

    zone: str
    size: int | None
    snapshot_id: str | None
    volume_type: str
    iops: int | None
    throughput: int | None
    tags: dict[str, str]
    key: str | None
    token: str | None
    digest: bytes
    source_id: str | None = None

    def copied(self, source: SeenVolume, zone: str) -> WantedEC2Volume:
        """
        Complete the request for a copy.

        :param source: the volume to copy.
        :param zone: of a volume that OpenStack's clients have made.
        :raises QueryRefusal: the copy is not possible.
        """
        kind, record = kind_of(source.record, source.kind, zone), source.record
        if self.size is not None and self.size < record.size:
            raise errors.SMALLER_THAN_SOURCE(self.size, self.source_id, record.size)
        same = self.volume_type in ("", kind.volume_type)
        limits = TYPES[kind.volume_type]
        kept_iops = kind.iops if same and limits.iops is not None else None
        kept_throughput = kind.throughput if same else None
        return attr.evolve(
            self,
            zone=kind.zone,
            size=self.size or record.size,
            volume_type=self.volume_type or kind.volume_type,
            iops=kept_iops if self.iops is None else self.iops,
            throughput=kept_throughput if self.throughput is None else self.throughput,
        )

    def shape(self, snapshot: SnapshotRecord | None) -> VolumeShape:
        """
        Complete the request.

        :param snapshot: to fill the volume from.
        :raises QueryRefusal: the volume is not possible.
        """
        size = self.size
        if snapshot is not None:
            if snapshot.status != "available":
                raise errors.SNAPSHOT_NOT_DONE(self.snapshot_id)
            size = snapshot.size if size is None else size
            if size < snapshot.size:
                raise errors.SMALLER_THAN_SNAPSHOT(size, self.snapshot_id, snapshot.size)
        assert size is not None
        return checked(self.volume_type, size, self.iops, self.throughput)


def wanted_volume(parameters: QueryParameters, settings: EC2Settings) -> WantedEC2Volume:
    """
    Parse a request for a volume.

    :raises QueryRefusal: it is invalid.
    """
    zone = _zone(parameters, settings)
    return attr.evolve(_wanted(parameters), zone=zone)


def wanted_copy(parameters: QueryParameters) -> WantedEC2Volume:
    """
    Parse a request for a copy of a volume.

    :raises QueryRefusal: it is invalid.
    """
    source_id = parameters.required("SourceVolumeId")
    return _wanted(parameters, source_id)


def _wanted(parameters: QueryParameters, source_id: str | None = None) -> WantedEC2Volume:
    size, snapshot_id = parameters.number("Size"), parameters.text("SnapshotId")
    if size is None and snapshot_id is None and source_id is None:
        raise errors.MISSING("size/snapshot")
    if snapshot_id is not None:
        SNAPSHOT.check(snapshot_id)
    key = parameters.text("KmsKeyId")
    _refuse_unsupported(parameters, key)
    token = parameters.text("ClientToken")
    if token is not None and _TOKEN.match(token) is None:
        raise errors.BAD_VALUE(token, "clientToken", "It must have at most 64 ASCII characters.")
    return WantedEC2Volume(
        zone="",
        size=size,
        snapshot_id=snapshot_id,
        volume_type=parameters.text("VolumeType") or ("" if source_id else DEFAULT),
        iops=parameters.number("Iops"),
        throughput=parameters.number("Throughput"),
        tags=parameters.tag_specification("volume"),
        key=key,
        token=token,
        digest=_digest(parameters),
        source_id=source_id,
    )


def zone_id(region: str, zone: str) -> str:
    """Return the id of a zone."""
    return f"txs1-az{ord(zone[-1]) - ord('a') + 1}" if zone.startswith(region) else f"id-{zone}"


def _zone(parameters: QueryParameters, settings: EC2Settings) -> str:
    wanted_id = parameters.text("AvailabilityZoneId")
    if wanted_id is not None and parameters.text("AvailabilityZone") is None:
        for zone in settings.zones:
            if zone_id(settings.region, zone) == wanted_id:
                return zone
        raise errors.NO_ZONE(wanted_id)
    zone = parameters.text("AvailabilityZone") or ""
    if not zone:
        raise errors.MISSING("zone")
    if zone not in settings.zones:
        raise errors.NO_ZONE(zone)
    return zone


def _refuse_unsupported(parameters: QueryParameters, key: str | None) -> None:
    if parameters.truth("Encrypted") and key is None:
        raise errors.UNSUPPORTED(
            "This service does not encrypt volumes: leave Encrypted out, or name a key to see "
            "a volume disappear, as with a key that is not accessible"
        )
    if parameters.truth("MultiAttachEnabled"):
        raise errors.UNSUPPORTED("This service attaches a volume to one instance only")
    if parameters.text("OutpostArn") is not None:
        raise errors.UNSUPPORTED("This service has no outposts")


def _digest(parameters: QueryParameters) -> bytes:
    compared = sorted(each for each in parameters.values.items() if each[0] not in _NOT_COMPARED)
    return sha256(json.dumps(compared).encode("ascii")).digest()
