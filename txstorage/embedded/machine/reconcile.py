# -*- test-case-name: tests.embedded.machine.test_reconcile -*-
"""
The start: the reconciliation of the files, the devices and the store.

The store holds what was acknowledged, so it is right; but a file that it does not know is left
alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attr
from twisted.internet.defer import Deferred, gatherResults

from ..store.records import VolumeRecord
from ..store.store import Store
from .devices import DeviceFailure, IDeviceBackend

#: A volume in one of these may or may not have its file.
_FILE_UNCERTAIN = frozenset(
    [
        *("creating", "deleting", "error", "error_deleting"),
        # A new volume gets its file with the backup's content.
        *("restoring-backup", "error_restoring"),
    ]
)
#: A volume with a device is in one of these, unless its host makes no use of it yet.
_WITH_DEVICE = frozenset(["in-use", "extending", "error_extending", "backing-up"])
_NEEDS_PLACE = frozenset(["reserved", "attaching", "detaching"])


@attr.s(frozen=True, auto_attribs=True)
class Plan:
    """
    The work of a start besides resuming transitions.

    :ivar lost: ids of volumes whose data is gone.
    :ivar released: ids of volumes in the middle of attaching to no server.
    :ivar reattach: ids of volumes in use whose device is gone, as after a reboot.
    :ivar keep: ids of volumes that may have a device.
    """

    lost: list[str]
    released: list[str]
    reattach: list[str]
    keep: list[str]


def plan(
    volumes: Collection[VolumeRecord], files: Collection[str], devices: Mapping[str, str]
) -> Plan:
    """
    :param volumes: without root volumes.
    :param files: the ids of volumes that have a file.
    :param devices: the ids of volumes that have a device.
    """
    lost = [
        volume.volume_id
        for volume in volumes
        if volume.status not in _FILE_UNCERTAIN
        and volume.volume_id not in files
        # A device keeps a file that was unlinked.
        and volume.volume_id not in devices
    ]
    sound = [volume for volume in volumes if volume.volume_id not in lost]
    return Plan(
        lost=lost,
        released=[
            volume.volume_id
            for volume in sound
            if volume.status in _NEEDS_PLACE and volume.attachment is None and not volume.held
        ],
        reattach=[
            volume.volume_id
            for volume in sound
            if _needs_device(volume) and volume.volume_id not in devices
        ],
        keep=[
            volume.volume_id
            for volume in sound
            if volume.attachment is not None
            or volume.status == "deleting"
            or volume.volume_id not in files
        ],
    )


def _needs_device(volume: VolumeRecord) -> bool:
    attachment = volume.attachment
    if attachment is None or attachment.by_compute:
        return attachment is not None and (volume.status in _WITH_DEVICE or volume.held)
    return volume.status in _WITH_DEVICE | {"attaching"} and attachment.connector is not None


async def reconcile(store: Store, devices: IDeviceBackend) -> list[str]:
    """
    Reconcile, before the first request is answered.

    :param devices: an ``IDeviceBackend``.
    :return: the problems that remain, for people.
    """
    await devices.files.aside(devices.files.remove_unfinished)
    volumes: dict[str, VolumeRecord] = {
        volume.volume_id: volume for volume in store.volumes() if not volume.root
    }
    files = {volume_id for volume_id in volumes if devices.files.exists(volume_id)}
    decision = plan(list(volumes.values()), files, devices.attached())
    problems: list[str] = await devices.forget_strays(decision.keep)
    problems += [f"volume {volume_id}: its file is missing" for volume_id in decision.lost]
    lost_snapshots = [
        snapshot
        for snapshot in store.snapshots.every()
        if snapshot.status not in _FILE_UNCERTAIN
        and not devices.files.snapshot_exists(snapshot.snapshot_id)
    ]
    problems += [f"snapshot {each.snapshot_id}: its file is missing" for each in lost_snapshots]
    lost_backups = [
        backup.backup_id
        for backup in store.backups.every()
        if backup.status not in _FILE_UNCERTAIN
        and not devices.files.backup_exists(backup.backup_id)
    ]
    problems += [f"backup {backup_id}: its file is missing" for backup_id in lost_backups]

    def change(store: Store) -> None:
        for volume_id in decision.lost:
            store.settle(volume_id, volumes[volume_id].status, "error")
            store.messages.add(volume_id, "its file is missing")
        for snapshot in lost_snapshots:
            store.snapshots.set_status(snapshot.snapshot_id, "error")
            store.messages.add(snapshot.volume_id, "its file is missing", snapshot.snapshot_id)
        for backup_id in lost_backups:
            store.backups.change(backup_id, status="error", fail_reason="its file is missing")
        store.backups.release_abandoned()
        for volume_id in decision.released:
            store.settle(volume_id, volumes[volume_id].status, "available")

    await store.write(change)
    # Side by side: after a reboot, it may be every volume.
    reattaching = [
        Deferred.fromCoroutine(_reattach(store, devices, volumes[volume_id]))
        for volume_id in decision.reattach
    ]
    for each in await gatherResults(reattaching, consumeErrors=True):
        problems += each
    return problems


async def _reattach(store: Store, devices: IDeviceBackend, volume: VolumeRecord) -> list[str]:
    volume_id, status = volume.volume_id, volume.status
    try:
        device = await devices.attach(volume_id)
    except DeviceFailure as error:
        problem = str(error)
        await store.write(lambda store: store.messages.add(volume_id, "attach volume: " + problem))
        return [f"volume {volume_id}: {problem}"]
    await store.write(lambda store: store.settle(volume_id, status, status, device))
    return []
