# -*- test-case-name: tests.embedded.apis.test_new_servers -*-
"""
The making of servers: the quota, and the volumes that they are made with.
"""

from __future__ import annotations

import secrets
from typing import Callable

import attr

from ....machine.image import IMAGE_ID, image_metadata
from ....settings import Settings
from ....store.records import NewVolume, VolumeRecord
from ....store.servers.records import BootVolume, NewServer, ServerDetails, ServerRecord
from ....store.store import Store
from ....wire.exchange import APIRequest, WireError
from ....wire.tables import server_refusals
from ...block_storage.quota import Allowance, check
from ...visible import seen
from ..quotas.limits import over_quota, room
from .creation import WantedServer
from .mapping import Mapped

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
#: The names of devices, in the order in which servers get them.
DEVICE_NAMES: list[str] = [
    "/dev/vd" + name for name in (*_LETTERS, *(one + two for one in _LETTERS for two in _LETTERS))
]


def build(
    call: APIRequest, store: Store, wanted: WantedServer, settings: Settings
) -> list[ServerRecord]:
    """
    Record servers to build, and their volumes.

    :param settings: of the service, with the default quota.
    :raises WireError: 400, 403, 404.
    """
    owner = call.requester.owner
    if wanted.image_id not in (None, IMAGE_ID):
        raise server_refusals.NO_REQUESTED_IMAGE()
    _check_devices(call, store, wanted)
    used = store.servers.count(owner.project_id)
    own = store.quotas.compute.of_project(owner.project_id)
    if wanted.least > room(used, own):
        raise over_quota(wanted.least, used, own)
    count = min(wanted.most, room(used, own))
    reservation = "r-" + secrets.token_hex(4)
    made = []
    for index in range(count):
        volumes = _volumes(call, store, wanted, settings)
        boots = [each for each, mapped in zip(volumes, wanted.volumes) if mapped.boot_index == 0]
        details = ServerDetails(
            description=wanted.description,
            metadata=wanted.metadata,
            tags=wanted.tags,
            image_id=wanted.image_id,
            disk_config=wanted.disk_config,
            config_drive=wanted.config_drive,
            access_ipv4=wanted.access_ipv4,
            access_ipv6=wanted.access_ipv6,
            hostname=wanted.hostname,
            reservation_id=reservation,
            launch_index=index,
            root_id=boots[0].volume_id if boots else None,
            volumes=tuple(volumes),
        )
        name = wanted.name if wanted.most == 1 else f"{wanted.name}-{index + 1}"
        made.append(store.servers.add(NewServer(name, details, **attr.asdict(owner))))
    return made


def _check_devices(call: APIRequest, store: Store, wanted: WantedServer) -> None:
    """Check the devices in Nova's order: the volume to boot from, the others, the numbers."""
    existing = [each for each in wanted.volumes if each.source == "volume"]
    for each in sorted(existing, key=lambda each: each.boot_index != 0):
        volume = seen(call, store.volume(each.uuid or ""))
        if volume is None:
            if each.boot_index == 0:
                raise server_refusals.NO_MAPPED_VOLUME(each.uuid)
            raise server_refusals.NO_VOLUME_TO_ATTACH(each.uuid)
        if each.boot_index == 0 and not volume.bootable:
            raise server_refusals.NOT_BOOTABLE(volume.volume_id)
    if not wanted.in_sequence:
        raise server_refusals.BAD_BOOT_SEQUENCE()


def _volumes(
    call: APIRequest, store: Store, wanted: WantedServer, settings: Settings
) -> list[BootVolume]:
    taken = {each.device for each in wanted.volumes if each.device}
    if wanted.image_id is not None:
        taken.add(DEVICE_NAMES[0])
    names = iter(name for name in DEVICE_NAMES if name not in taken)
    found = []
    for each in wanted.volumes:
        volume_id = _FROM[each.source](call, store, each, settings)
        device = each.device or next(names)
        found.append(BootVolume(volume_id, device, each.delete_on_termination))
    if len({each.volume_id for each in found}) < len(found):
        raise server_refusals.BAD_DEVICE_MAPPING("Missing device UUID.")
    return found


def _existing(call: APIRequest, store: Store, wanted: Mapped, settings: Settings) -> str:
    volume = store.volume(wanted.uuid or "")
    assert volume is not None  # it was checked
    if volume.status != "available" or volume.attachment is not None:
        refusal = server_refusals.NOT_RESERVABLE_FOR_SERVER
        raise refusal(volume.volume_id, volume.status, call.request_id)
    return volume.volume_id


def _from_snapshot(call: APIRequest, store: Store, wanted: Mapped, settings: Settings) -> str:
    snapshot = seen(call, store.snapshots.find(wanted.uuid or ""))
    if snapshot is None:
        raise server_refusals.NO_MAPPED_SNAPSHOT(wanted.uuid)
    size = max(wanted.size or 0, snapshot.size)
    new = NewVolume("", "", size, snapshot.volume_type, {}, snapshot_id=snapshot.snapshot_id)
    return _new(call, store, new, settings).volume_id


def _from_image(call: APIRequest, store: Store, wanted: Mapped, settings: Settings) -> str:
    if wanted.uuid != IMAGE_ID:
        raise server_refusals.NO_MAPPED_IMAGE(wanted.uuid)
    if not wanted.size:
        raise server_refusals.IMAGE_WITHOUT_SIZE()
    new = NewVolume("", "", wanted.size, _kind(call, store), {}, image_metadata=image_metadata())
    return _new(call, store, new, settings).volume_id


def _blank(call: APIRequest, store: Store, wanted: Mapped, settings: Settings) -> str:
    if not wanted.size:
        raise server_refusals.BLANK_WITHOUT_SIZE()
    new = NewVolume("", "", wanted.size, _kind(call, store), {})
    return _new(call, store, new, settings).volume_id


def _kind(call: APIRequest, store: Store) -> str:
    """The name of the volume type of the user's project."""
    return store.types.default(call.requester.owner.project_id).name


def _new(call: APIRequest, store: Store, new: NewVolume, settings: Settings) -> VolumeRecord:
    owner = call.requester.owner
    quota = Allowance(settings, store, owner.project_id)
    try:
        check(quota, new.volume_type, {"volumes": 1, "gigabytes": new.size})
    except WireError as error:
        raise server_refusals.OVER_VOLUME_QUOTA() from error
    return store.add_volume(attr.evolve(new, **attr.asdict(owner)))


_FROM: dict[str, Callable[[APIRequest, Store, Mapped, Settings], str]] = {
    "volume": _existing,
    "snapshot": _from_snapshot,
    "image": _from_image,
    "blank": _blank,
}

__all__ = ["DEVICE_NAMES", "build"]
