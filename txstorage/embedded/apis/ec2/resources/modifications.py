# -*- test-case-name: tests.embedded.ec2.test_modifications -*-
"""
The actions that modify volumes.

A modification is ``modifying`` while the volume grows, then ``optimizing`` for a time, then
``completed``; the next one has to wait for the cooldown.  The state follows from the time of its
beginning and the status of the volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attr

from ....store.ec2.records import EC2Kind, ModificationRecord, VolumeShape
from ....store.store import Store
from ..call import Action, Content, EC2Call, EC2Context
from ..filters import ResourceFilters, ResultPage, Values
from ..ids import VOLUME
from ..protocol import errors
from ..protocol.documents import ec2_time
from ..reader import SeenVolume
from .volume_types import TYPES, checked, kind_of
from .volumes import check_quota, existing

_MODIFIABLE = frozenset(["available", "in-use"])


@attr.s(frozen=True, auto_attribs=True)
class ModificationState:
    """
    The progress of a modification.

    :ivar name: EC2's.
    :ivar ended_at: seconds since the epoch; ``None`` before the end.
    """

    name: str
    percent: int
    ended_at: float | None = None


def state_of(
    modification: ModificationRecord, status: str, delay: float, optimizing: float, now: float
) -> ModificationState:
    """
    :param status: of the volume, in the store.
    :param delay: seconds of ``modifying``, at least.
    :param optimizing: seconds of ``optimizing``.
    :param now: seconds since the epoch.
    """
    modified_at = modification.started_at + delay
    if status == "error_extending":
        return ModificationState("failed", 0)
    if status == "extending" or now < modified_at:
        return ModificationState("modifying", 0)
    if now < modified_at + optimizing:
        return ModificationState("optimizing", int(99 * (now - modified_at) / optimizing))
    return ModificationState("completed", 100, modified_at + optimizing)


def _state(context: EC2Context, seen: SeenVolume) -> ModificationState:
    assert seen.modification is not None
    delay, optimizing = context.settings.transition_delay, context.ec2.optimizing
    return state_of(seen.modification, seen.record.status, delay, optimizing, context.now())


def _view(context: EC2Context, seen: SeenVolume) -> dict[str, Any]:
    modification, state = seen.modification, _state(context, seen)
    assert modification is not None
    original, target = modification.original, modification.target
    return {
        "volumeId": VOLUME.of(seen.record.volume_id),
        "modificationState": state.name,
        "targetSize": target.size,
        "targetIops": target.iops,
        "targetVolumeType": target.volume_type,
        "targetThroughput": target.throughput,
        "targetMultiAttachEnabled": False,
        "originalSize": original.size,
        "originalIops": original.iops,
        "originalVolumeType": original.volume_type,
        "originalThroughput": original.throughput,
        "originalMultiAttachEnabled": False,
        "progress": state.percent,
        "startTime": ec2_time(modification.started_at),
        "endTime": None if state.ended_at is None else ec2_time(state.ended_at),
    }


async def modify_volume(call: EC2Call) -> Content:
    """Begin to modify a volume: to grow it, or to change its type, its IOPS or its throughput."""
    context, parameters = call.context, call.parameters
    ec2_id = parameters.required("VolumeId")
    volume_type = parameters.text("VolumeType")
    size, iops, throughput = (parameters.number(x) for x in ("Size", "Iops", "Throughput"))
    if parameters.truth("MultiAttachEnabled"):
        raise errors.UNSUPPORTED("This service attaches a volume to one instance only")
    if volume_type is None and size is None and iops is None and throughput is None:
        raise errors.MISSING("size, volumeType, iops or throughput")

    def change(store: Store) -> SeenVolume:
        seen = existing(store, ec2_id)
        _refuse(context, ec2_id, seen)
        kind = kind_of(seen.record, seen.kind, context.zone)
        original = VolumeShape(seen.record.size, kind.volume_type, kind.iops, kind.throughput)
        wanted = (size, volume_type, iops, throughput)
        _apply(store, context, seen, kind, original, _target(original, *wanted))
        return existing(store, ec2_id)

    seen = await context.store.write(change)
    context.engine.begin(seen.record.volume_id)
    return {"volumeModification": _view(context, seen)}


def _refuse(context: EC2Context, ec2_id: str, seen: SeenVolume) -> None:
    """
    :raises QueryRefusal: the volume can't be modified now.
    """
    if seen.modification is not None:
        state = _state(context, seen)
        if state.name in ("modifying", "optimizing"):
            raise errors.BEING_MODIFIED(ec2_id, state.name)
        rest = seen.modification.started_at + context.ec2.cooldown - context.now()
        if rest > 0:
            raise errors.COOLING_DOWN(int(context.ec2.cooldown))
    if seen.record.root or seen.record.status not in _MODIFIABLE:
        raise errors.NOT_NOW(ec2_id, seen.record.status)


def _target(
    original: VolumeShape,
    size: int | None,
    volume_type: str | None,
    iops: int | None,
    throughput: int | None,
) -> VolumeShape:
    """
    :raises QueryRefusal: the shape is not possible.
    """
    size = original.size if size is None else size
    if size < original.size:
        raise errors.NOT_SMALLER()
    kept = volume_type in (None, original.volume_type)
    volume_type = volume_type or original.volume_type
    limits = TYPES.get(volume_type)
    if kept and limits is not None:
        # What the request does not name stays, where a request could name it.
        iops = original.iops if iops is None and limits.iops is not None else iops
        if throughput is None and limits.throughput is not None:
            throughput = original.throughput
    return checked(volume_type, size, iops, throughput)


def _apply(
    store: Store,
    context: EC2Context,
    seen: SeenVolume,
    kind: EC2Kind,
    original: VolumeShape,
    target: VolumeShape,
) -> None:
    volume_id, more = seen.record.volume_id, target.size - original.size
    check_quota(context.quota(store), seen.record.volume_type, gigabytes=more)
    changed = EC2Kind(target.volume_type, target.iops, target.throughput, kind.zone)
    store.ec2.set_kind(volume_id, changed)
    store.ec2.modify(volume_id, original, target)
    if more:
        store.grow(volume_id, target.size)


def _filters(context: EC2Context) -> Mapping[str, Values[SeenVolume]]:
    def of_view(name: str) -> Values[SeenVolume]:
        return lambda seen: [str(_view(context, seen)[name])]

    return {
        "volume-id": of_view("volumeId"),
        "modification-state": of_view("modificationState"),
        "original-iops": of_view("originalIops"),
        "original-size": of_view("originalSize"),
        "original-volume-type": of_view("originalVolumeType"),
        "target-iops": of_view("targetIops"),
        "target-size": of_view("targetSize"),
        "target-volume-type": of_view("targetVolumeType"),
        "start-time": of_view("startTime"),
    }


def describe_modifications(call: EC2Call) -> Content:
    """List the last modification of each volume that was modified."""
    context, parameters = call.context, call.parameters
    ids = parameters.list("VolumeId")
    filters, known = ResourceFilters(parameters.filters()), _filters(context)
    filters.check(known, tagged=False)
    page = ResultPage.of(parameters, ids, context.settings.page_size)
    chosen = filters.match(_modified(context, ids), known)
    part, token = page.cut(chosen, lambda seen: seen.record.sequence)
    return {"volumeModificationSet": [_view(context, seen) for seen in part], "nextToken": token}


def _modified(context: EC2Context, ids: tuple[str, ...]) -> list[SeenVolume]:
    found = [] if ids else context.reader.modified()
    for ec2_id in ids:
        seen = context.reader.volume(ec2_id)
        if seen is None:
            raise errors.NO_VOLUME(ec2_id)
        if seen.modification is None:
            raise errors.NO_MODIFICATION(ec2_id)
        found.append(seen)
    return sorted(found, key=lambda seen: -seen.record.sequence)


ACTIONS: Mapping[str, Action] = {
    "ModifyVolume": modify_volume,
    "DescribeVolumesModifications": describe_modifications,
}
