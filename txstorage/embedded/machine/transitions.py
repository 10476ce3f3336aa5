# -*- test-case-name: tests.embedded.machine.test_transitions -*-
"""
The transitions of volumes in transient statuses.

The copy of a volume that is in use has the content of one moment, as a disk has after its machine
lost power: what programs have written to the device is in it, and what a mounted file system still
holds back is not.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Callable, Generic, Optional, TypeVar

import attr

from ..._log import SERVER_TRANSITION
from ..settings import GIB
from ..store.features.processes import VOLUME
from ..store.records import VolumeRecord
from ..store.store import GONE, Store
from .devices import DeviceFailure, IDeviceBackend
from .image import image_content

T = TypeVar("T")
#: Cinder's reason when its scheduler finds no host.
NO_HOST = (
    "No valid backend was found. No weighed backends available: enable cinder-volume with"
    " PUT os-services/enable"
)
Work = Callable[[IDeviceBackend, Any], Awaitable[Optional[str]]]


def made_from_image(volume: VolumeRecord) -> bool:
    """Check whether a volume that is being created is filled from the image."""
    sources = {volume.snapshot_id, volume.source_volid, volume.backup_id}
    return bool(volume.image_metadata) and sources == {None}


async def _make_file(devices: IDeviceBackend, volume: VolumeRecord) -> None:
    files, size = devices.files, volume.size * GIB
    source = None
    if made_from_image(volume):
        await files.aside(files.create, volume.volume_id, size, image_content())
        return
    if volume.snapshot_id is not None:
        source = files.snapshot_path(volume.snapshot_id)
    elif volume.source_volid is not None:
        await devices.flush(volume.source_volid)
        source = files.path(volume.source_volid)
    elif volume.backup_id is not None:
        source = files.backup_path(volume.backup_id)
    if source is None:
        await files.aside(files.create, volume.volume_id, size)
    else:
        await files.copy(source, files.path(volume.volume_id), size)


async def _remove_file(devices: IDeviceBackend, volume: VolumeRecord) -> None:
    # A device exists only if the status was changed by hand.
    await devices.detach(volume.volume_id)
    await devices.files.aside(devices.files.remove, volume.volume_id)


async def _nothing(devices: IDeviceBackend, volume: VolumeRecord) -> None:
    pass


async def _make_device(devices: IDeviceBackend, volume: VolumeRecord) -> str:
    if volume.attachment is None:
        raise DeviceFailure("it is reserved for no server")
    made: str = await devices.attach(volume.volume_id)
    return made


async def _remove_device(devices: IDeviceBackend, volume: VolumeRecord) -> None:
    await devices.detach(volume.volume_id)


async def _grow(devices: IDeviceBackend, volume: VolumeRecord) -> None:
    if volume.growing is None:
        raise DeviceFailure("it has no new size")
    files, volume_id = devices.files, volume.volume_id
    former = await files.aside(files.grow, volume_id, volume.growing * GIB)
    try:
        await devices.grow(volume_id)
    except DeviceFailure:
        # The device still has its former size, so that nothing is in the rest of the file.
        await files.aside(files.cut, volume_id, former)
        raise


@attr.s(frozen=True, auto_attribs=True)
class Transition:
    """
    A transition.

    :ivar verb: for messages.
    :ivar work: carries it out; returns a device's path, if it makes one.
    :ivar done: the status after a success.
    :ivar failed: the status after a failure.
    """

    verb: str
    work: Work
    done: str
    failed: str


TRANSITIONS: dict[str, Transition] = {
    "creating": Transition("create", _make_file, "available", "error"),
    "reserved": Transition("reserve", _nothing, "attaching", "available"),
    "attaching": Transition("attach", _make_device, "in-use", "available"),
    # As in Nova, a volume that can't be detached stays in use.
    "detaching": Transition("detach", _remove_device, "available", "in-use"),
    "deleting": Transition("delete", _remove_file, GONE, "error_deleting"),
    "extending": Transition("extend", _grow, "available", "error_extending"),
    # The content is in the file already.
    "downloading": Transition("download", _nothing, "available", "error"),
}
#: The transition of a volume that is filled from the image.
FROM_IMAGE = attr.evolve(TRANSITIONS["creating"], done="downloading")
#: The transition of a volume that is extended while it is in use.
GROW_ATTACHED = attr.evolve(TRANSITIONS["extending"], done="in-use")
#: Block Storage's own transitions for a host; the client carries out the rest.
CONNECT = Transition("connect", _make_device, "attaching", "reserved")


def transition_of(volume: VolumeRecord) -> Transition | None:
    """Return the transition of a volume, or ``None``."""
    attachment, status = volume.attachment, volume.status
    if volume.held:
        return None
    if status == "extending" and attachment is not None:
        return GROW_ATTACHED
    if status == "creating" and made_from_image(volume):
        return FROM_IMAGE
    if attachment is None or attachment.by_compute or status not in ("reserved", "attaching"):
        return TRANSITIONS.get(status)
    return CONNECT if status == "reserved" and attachment.connector is not None else None


class Subjects(Generic[T]):
    """
    The objects whose transitions an engine runs: all volumes, or all snapshots.

    :cvar noun: for messages.
    """

    noun: str

    def find(self, store: Store, key: str) -> T | None:
        """:return: the object with an id, or ``None`` when there is none."""
        raise NotImplementedError()

    def every(self, store: Store) -> dict[str, T]:
        """:return: all objects, by their ids."""
        raise NotImplementedError()

    def transition(self, subject: T) -> Transition | None:
        """:return: the transition of an object, or ``None``."""
        raise NotImplementedError()

    def waits(self, store: Store, subject: T) -> bool:
        """:return: whether other transitions must end before this object's."""
        raise NotImplementedError()

    def settle(
        self, store: Store, subject: T, status: str, device: str | None, reason: str
    ) -> None:
        """
        End an object's transition, unless its status has changed meanwhile.

        :param device: the path of the device that was made, if any.
        :param reason: of a failure; empty after a success.
        """
        raise NotImplementedError()

    def log(self, key: str, status: str, reason: str) -> None:
        """Log the end of a transition."""
        raise NotImplementedError()

    def follow(self, store: Store, subject: T) -> None:
        """Begin what follows from an end that is durable."""


class Volumes(Subjects[VolumeRecord]):
    """All volumes."""

    noun = "volume"

    def find(self, store: Store, key: str) -> VolumeRecord | None:
        """See :class:`Subjects`."""
        return store.volume(key)

    def every(self, store: Store) -> dict[str, VolumeRecord]:
        """See :class:`Subjects`."""
        return {volume.volume_id: volume for volume in store.volumes()}

    def transition(self, subject: VolumeRecord) -> Transition | None:
        """See :class:`Subjects`."""
        return transition_of(subject)

    def waits(self, store: Store, subject: VolumeRecord) -> bool:
        """
        A volume is deleted after its snapshots, and after the copies that are being made of it;
        it is extended after the copies, which must not have a part of what the new size is for.

        :raises DeviceFailure: it is to be deleted, but has a snapshot that stays; or it is to be
            created, and its process is disabled.
        """
        volume_id, status = subject.volume_id, subject.status
        if status == "creating" and VOLUME in store.processes.disabled():
            raise DeviceFailure(NO_HOST)
        if status not in ("deleting", "extending"):
            return False
        snapshots = {each.status for each in store.snapshots.of_volume(volume_id)}
        if status == "deleting" and snapshots - {"deleting"}:
            raise DeviceFailure("it has snapshots")
        begun = snapshots & ({"deleting"} if status == "deleting" else {"creating"})
        return bool(begun or store.searches.copies(volume_id))

    def settle(
        self, store: Store, subject: VolumeRecord, status: str, device: str | None, reason: str
    ) -> None:
        """See :class:`Subjects`."""
        settled = store.settle(subject.volume_id, subject.status, status, device)
        if settled and reason:
            store.messages.add(subject.volume_id, reason)
            if subject.status == status and subject.attachment is not None:
                store.attachments.forget_connector(subject.attachment)

    def log(self, key: str, status: str, reason: str) -> None:
        """See :class:`Subjects`."""
        SERVER_TRANSITION.log(volume_id=key, status=status, reason=reason)


VOLUMES = Volumes()
