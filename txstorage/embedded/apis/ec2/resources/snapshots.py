# -*- test-case-name: tests.embedded.ec2.test_snapshots -*-
"""The actions on snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ....store.records import NewSnapshot, SnapshotRecord
from ....store.store import Store
from ..call import Action, Content, EC2Call, EC2Context
from ..filters import ResourceFilters, ResultPage, Values
from ..ids import SNAPSHOT, VOLUME
from ..protocol import errors
from ..protocol.credentials import ACCOUNT
from ..protocol.documents import ec2_time, tag_set
from ..reader import StoreReader
from .volumes import check_quota, existing, wait_for_growth

_log = Logger()
#: EC2's states by the store's statuses; any other is an error.
STATES: Mapping[str, str] = {
    "creating": "pending",
    "available": "completed",
    "backing-up": "completed",
}
_SELF = frozenset(["self", ACCOUNT])
_DESCRIPTION_LENGTH = 255


def _view(context: EC2Context, snapshot: SnapshotRecord) -> dict[str, Any]:
    percent = 100
    if STATES.get(snapshot.status) != "completed":
        path = context.files.snapshot_path(snapshot.snapshot_id)
        percent = context.files.copies.progress.get(path, 0)
    return {
        "snapshotId": SNAPSHOT.of(snapshot.snapshot_id),
        "volumeId": VOLUME.of(snapshot.volume_id),
        "status": STATES.get(snapshot.status, "error"),
        "startTime": ec2_time(snapshot.created_at),
        "progress": f"{percent}%",
        "ownerId": ACCOUNT,
        "volumeSize": snapshot.size,
        "description": snapshot.description or "",
        "tagSet": tag_set(snapshot.metadata),
        "encrypted": False,
        "storageTier": "standard",
    }


async def create_snapshot(call: EC2Call) -> Content:
    """Begin to create a snapshot."""
    context, parameters = call.context, call.parameters
    ec2_id = parameters.required("VolumeId")
    description = parameters.text("Description")
    tags = parameters.tag_specification("snapshot")
    await wait_for_growth(call)
    if len(description or "") > _DESCRIPTION_LENGTH:
        raise errors.INVALID(f"Description exceeds the maximum length of {_DESCRIPTION_LENGTH}")

    def change(store: Store) -> SnapshotRecord:
        if not context.files.has_room():
            raise errors.DISK_FULL()
        volume = existing(store, ec2_id).record
        if volume.root:
            raise errors.UNSUPPORTED("This service keeps no data of an instance's root volume")
        if volume.status not in ("available", "in-use", "attaching", "detaching", "reserved"):
            raise errors.NOT_NOW(ec2_id, volume.status)
        needs = {"snapshots": 1, "gigabytes": volume.size}
        check_quota(context.quota(store), volume.volume_type, **needs)
        name = tags.get("Name")
        new = NewSnapshot(
            volume_id=volume.volume_id,
            name=None if name is None else name[:_DESCRIPTION_LENGTH],
            description=description,
            size=volume.size,
            volume_type=volume.volume_type,
            metadata=tags,
        )
        return store.snapshots.add(new)

    snapshot = await context.store.write(change)
    context.snapshot_engine.begin(snapshot.snapshot_id)
    return _view(context, snapshot)


async def delete_snapshot(call: EC2Call) -> Content:
    """Begin to delete a snapshot, which is not seen any more."""
    context = call.context
    ec2_id = call.parameters.required("SnapshotId")

    def change(store: Store) -> str:
        snapshot = StoreReader(store).snapshot(ec2_id)
        if snapshot is None:
            raise errors.NO_SNAPSHOT(ec2_id)
        store.snapshots.set_status(snapshot.snapshot_id, "deleting")
        return snapshot.snapshot_id

    snapshot_id = await context.store.write(change)
    context.snapshot_engine.begin(snapshot_id)
    # The answer does not wait for the rest.
    after = Deferred.fromCoroutine(_after_delete(context, snapshot_id))
    after.addErrback(lambda why: _log.failure("The end of a deleted volume broke", why))
    return {"return": True}


async def _after_delete(context: EC2Context, snapshot_id: str) -> None:
    await context.snapshot_engine.idle(snapshot_id)
    await delete_abandoned(context)


async def delete_abandoned(context: EC2Context) -> None:
    """Delete the volumes that EC2's clients have deleted and whose last snapshot is gone."""

    def change(store: Store) -> list[str]:
        found = store.ec2.abandoned()
        for volume_id in found:
            store.set_status(volume_id, "deleting")
        return found

    for volume_id in await context.store.write(change):
        context.engine.begin(volume_id)


def _filters(context: EC2Context) -> Mapping[str, Values[SnapshotRecord]]:
    def of_view(name: str) -> Values[SnapshotRecord]:
        return lambda snapshot: [str(_view(context, snapshot)[name])]

    return {
        "description": of_view("description"),
        "encrypted": lambda snapshot: ["false"],
        "owner-id": of_view("ownerId"),
        "progress": of_view("progress"),
        "snapshot-id": of_view("snapshotId"),
        "start-time": of_view("startTime"),
        "status": of_view("status"),
        "storage-tier": of_view("storageTier"),
        "volume-id": of_view("volumeId"),
        "volume-size": of_view("volumeSize"),
    }


def describe_snapshots(call: EC2Call) -> Content:
    """List snapshots, the newest first."""
    context, parameters = call.context, call.parameters
    ids, owners = parameters.list("SnapshotId"), parameters.list("Owner")
    filters, known = ResourceFilters(parameters.filters()), _filters(context)
    filters.check(known)
    page = ResultPage.of(parameters, ids, context.settings.page_size)
    snapshots = _named(context.reader, ids) if ids else context.reader.snapshots()
    if owners and not _SELF.intersection(owners):
        snapshots = []
    chosen = filters.match(snapshots, known, lambda snapshot: snapshot.metadata)
    part, token = page.cut(chosen, lambda snapshot: snapshot.sequence)
    return {"snapshotSet": [_view(context, each) for each in part], "nextToken": token}


def _named(reader: StoreReader, ids: tuple[str, ...]) -> list[SnapshotRecord]:
    found = {ec2_id: reader.snapshot(ec2_id) for ec2_id in ids}
    missing = [ec2_id for ec2_id, snapshot in found.items() if snapshot is None]
    if missing:
        raise errors.NO_SNAPSHOT(", ".join(missing))
    chosen = [snapshot for snapshot in found.values() if snapshot is not None]
    return sorted(chosen, key=lambda snapshot: -snapshot.sequence)


ACTIONS: Mapping[str, Action] = {
    "CreateSnapshot": create_snapshot,
    "DeleteSnapshot": delete_snapshot,
    "DescribeSnapshots": describe_snapshots,
}
