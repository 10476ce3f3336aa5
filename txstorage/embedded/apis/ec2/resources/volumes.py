# -*- test-case-name: tests.embedded.ec2.test_volumes -*-
"""
The actions on volumes.

EC2 deletes a volume that has snapshots; the store does not.  Such a volume is hidden from EC2's
clients and loses its tags, and goes with its last snapshot.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import attr

from ....store.ec2.records import EC2Kind, VolumeShape
from ....store.records import NewVolume, SnapshotRecord, VolumeRecord
from ....store.store import Store
from ...block_storage.quota import Allowance
from ..call import Action, Content, EC2Call, EC2Context
from ..filters import ResourceFilters, ResultPage
from ..ids import INSTANCE, SNAPSHOT, VOLUME
from ..protocol import errors
from ..reader import SeenVolume, StoreReader
from .volume_requests import WantedEC2Volume, wanted_copy, wanted_volume
from .volume_types import DEFAULT, TYPES
from .volume_views import volume_filters, volume_view

#: Volumes that are looked at in one turn of the reactor.
_SLICE = 200
_DELETABLE = frozenset(["available", "error", "error_extending", "error_deleting"])
#: The statuses of a volume that can be copied.
_COPIED = frozenset(["available", "in-use"])
_NAME_LENGTH = 255


def existing(store: Store, ec2_id: str) -> SeenVolume:
    """
    Find a volume.

    :raises QueryRefusal: there is none, or the id is malformed.
    """
    found = StoreReader(store).volume(ec2_id)
    if found is None:
        raise errors.NO_VOLUME(ec2_id)
    return found


async def wait_for_growth(call: EC2Call, parameter: str = "VolumeId") -> None:
    """
    Wait for the end of the growth of the volume that a request names.

    EC2 does everything with a volume that is being modified; the store does not.
    """
    context = call.context
    seen = StoreReader(context.store).volume(call.parameters.required(parameter))
    if seen is not None and seen.record.status == "extending":
        await context.engine.idle(seen.record.volume_id)


# -- create -----------------------------------------------------------------------


async def create_volume(call: EC2Call) -> Content:
    """Begin to create a volume; with a client token that was used before, return that volume."""
    wanted = wanted_volume(call.parameters, call.context.ec2)
    return await _create(call.context, wanted)


async def copy_volume(call: EC2Call) -> Content:
    """Begin to copy a volume: its content of one moment, in its zone."""
    wanted = wanted_copy(call.parameters)
    await wait_for_growth(call, "SourceVolumeId")
    return {"volumeSet": [await _create(call.context, wanted)]}


async def _create(context: EC2Context, wanted: WantedEC2Volume) -> Content:
    def change(store: Store) -> tuple[SeenVolume, bool]:
        before = _made_before(store, wanted)
        if before is not None:
            return before, False
        if not context.files.has_room():
            raise errors.DISK_FULL()
        return _add(store, context, wanted)

    seen, made = await context.store.write(change)
    if made:
        context.engine.begin(seen.record.volume_id)
    return volume_view(seen, context.zone)


def _made_before(store: Store, wanted: WantedEC2Volume) -> SeenVolume | None:
    used = None if wanted.token is None else store.ec2.token(wanted.token)
    if used is None:
        return None
    request, volume_id, used_at = used
    if request != wanted.digest:
        raise errors.TOKEN_REUSED()
    found = StoreReader(store).volume(VOLUME.of(volume_id))
    if found is not None:
        return found
    # The volume is gone, and its token gives it away nevertheless.
    volume_type = wanted.volume_type or DEFAULT
    shape = attr.evolve(wanted, volume_type=volume_type, size=wanted.size or 1).shape(None)
    return _imagined(volume_id, _new(wanted, shape, None), _kind(wanted, shape), used_at)


def _new(wanted: WantedEC2Volume, shape: VolumeShape, snapshot: SnapshotRecord | None) -> NewVolume:
    name = wanted.tags.get("Name")
    return NewVolume(
        name=None if name is None else name[:_NAME_LENGTH],
        description=None,
        size=shape.size,
        volume_type=TYPES[shape.volume_type].openstack,
        metadata=wanted.tags,
        snapshot_id=None if snapshot is None else snapshot.snapshot_id,
    )


def _kind(wanted: WantedEC2Volume, shape: VolumeShape) -> EC2Kind:
    return EC2Kind(shape.volume_type, shape.iops, shape.throughput, wanted.zone)


def _imagined(volume_id: str, new: NewVolume, kind: EC2Kind, now: float) -> SeenVolume:
    """A volume that is not in the store, as if it was being created."""
    record = VolumeRecord(
        sequence=0,
        volume_id=volume_id,
        name=new.name,
        description=None,
        size=new.size,
        status="creating",
        volume_type=new.volume_type,
        bootable=False,
        created_at=now,
        updated_at=None,
        metadata=new.metadata,
        attachment=None,
        snapshot_id=new.snapshot_id,
    )
    return SeenVolume(record, kind, None, None)


def _add(store: Store, context: EC2Context, wanted: WantedEC2Volume) -> tuple[SeenVolume, bool]:
    """:return: the volume, and whether it is in the store."""
    snapshot = None
    if wanted.snapshot_id is not None:
        snapshot = store.snapshots.find(SNAPSHOT.get(store, wanted.snapshot_id))
    source = None
    if wanted.source_id is not None:
        source = existing(store, wanted.source_id)
        if source.record.root or source.record.status not in _COPIED:
            raise errors.NOT_NOW(wanted.source_id, source.record.status)
        wanted = wanted.copied(source, context.zone)
    shape = wanted.shape(snapshot)
    new, kind = _new(wanted, shape, snapshot), _kind(wanted, shape)
    check_quota(context.quota(store), new.volume_type, volumes=1, gigabytes=shape.size)
    if source is not None:
        new = attr.evolve(new, source_volid=source.record.volume_id)
    if wanted.key is not None:
        # EC2 answers as ever when it can't use the key, and the volume is never seen.
        seen = _imagined(str(uuid.uuid4()), new, kind, context.now())
    else:
        seen = SeenVolume(store.add_volume(new), kind, None, None)
        # Refuse a volume with the 17 digits of another; the client tries again.
        VOLUME.get(store, VOLUME.of(seen.record.volume_id))
        store.ec2.set_kind(seen.record.volume_id, kind)
    if wanted.token is not None:
        store.ec2.use_token(wanted.token, wanted.digest, seen.record.volume_id)
    return seen, wanted.key is None


_OVER = {
    "gigabytes": errors.TOO_MANY_GIGABYTES,
    "snapshots": errors.TOO_MANY_SNAPSHOTS,
    "volumes": errors.TOO_MANY_VOLUMES,
}


def check_quota(quota: Allowance, volume_type: str, **more: int) -> None:
    """
    :param volume_type: OpenStack's, of the volume or of the snapshot's volume.
    :param more: the numbers of new volumes and snapshots, and of GiB.
    :raises QueryRefusal: they exceed the quota.
    """
    for resource, number in more.items():
        over = quota.over(volume_type, {resource: number})
        if over is not None:
            raise _OVER[resource](over.limit)


# -- delete -----------------------------------------------------------------------


async def delete_volume(call: EC2Call) -> Content:
    """Begin to delete a volume."""
    ec2_id = call.parameters.required("VolumeId")
    await wait_for_growth(call)
    volume_id = await call.context.store.write(lambda store: _delete(store, ec2_id, call))
    call.context.engine.begin(volume_id)
    return {"return": True}


def _delete(store: Store, ec2_id: str, call: EC2Call) -> str:
    seen = existing(store, ec2_id)
    record = seen.record
    if record.attachment is not None:
        server_id = record.attachment.server_id
        raise errors.IN_USE(ec2_id, INSTANCE.of(server_id) if server_id else "a host")
    if record.status == "deleting":
        return record.volume_id
    if record.status not in _DELETABLE:
        raise errors.NOT_NOW(ec2_id, record.status)
    statuses = {each.status for each in store.snapshots.of_volume(record.volume_id)}
    if statuses - {"deleting"}:
        _hide(store, record, seen.kind, call.context.zone)
    else:
        store.set_status(record.volume_id, "deleting")
    return record.volume_id


def _hide(store: Store, record: VolumeRecord, kind: EC2Kind | None, zone: str) -> None:
    store.set_metadata(record.volume_id, {}, replace=True)
    known = kind or EC2Kind(volume_type="gp2", iops=None, throughput=None, zone=zone)
    store.ec2.set_kind(record.volume_id, attr.evolve(known, hidden=True))


# -- describe ---------------------------------------------------------------------


async def describe_volumes(call: EC2Call) -> Content:
    """List volumes, the newest first."""
    context, parameters = call.context, call.parameters
    ids = parameters.list("VolumeId")
    filters = ResourceFilters(parameters.filters())
    known = volume_filters(context.zone)
    filters.check(known)
    page = ResultPage.of(parameters, ids, context.settings.page_size)
    if ids:
        chosen, token = filters.match(_named(context.reader, ids), known, _tags), None
    else:
        chosen, token = await _listed(call, filters, page)
    views = []
    for begin in range(0, len(chosen), _SLICE):
        if begin:
            await context.turns.pause()
        views += [volume_view(each, context.zone) for each in chosen[begin : begin + _SLICE]]
    return {"volumeSet": views, "nextToken": token}


def _tags(seen: SeenVolume) -> Mapping[str, str]:
    return seen.record.metadata


def _named(reader: StoreReader, ids: tuple[str, ...]) -> list[SeenVolume]:
    found = {ec2_id: reader.volume(ec2_id) for ec2_id in ids}
    missing = [ec2_id for ec2_id, seen in found.items() if seen is None]
    if missing:
        raise errors.NO_VOLUME(", ".join(missing))
    return [seen for seen in found.values() if seen is not None]


async def _listed(
    call: EC2Call, filters: ResourceFilters, page: ResultPage
) -> tuple[list[SeenVolume], str | None]:
    context = call.context
    known, labels = volume_filters(context.zone), filters.labels()
    chosen: list[SeenVolume] = []
    before: int | None = page.before
    while True:
        seen, before = context.reader.volumes(labels, before, _SLICE)
        chosen += filters.match(seen, known, _tags)
        if before is None or len(chosen) > page.limit:
            return page.cut(chosen, lambda each: each.record.sequence)
        # Other requests have their turn.
        await context.turns.pause()


async def every_volume(context: EC2Context) -> list[SeenVolume]:
    """List all volumes, the newest first, while other requests have their turns."""
    found, before = context.reader.volumes({}, None, _SLICE)
    while before is not None:
        await context.turns.pause()
        more, before = context.reader.volumes({}, before, _SLICE)
        found += more
    return found


ACTIONS: Mapping[str, Action] = {
    "CopyVolumes": copy_volume,
    "CreateVolume": create_volume,
    "DeleteVolume": delete_volume,
    "DescribeVolumes": describe_volumes,
}
