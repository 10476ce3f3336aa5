# -*- test-case-name: tests.docker.test_whole -*-
"""
The volumes on this node: attached, mounted, and given back.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from ..errors import HeldByNode, InUse, MountedElsewhere
from ..filesystem import FOLDER as DEFAULT_FOLDER
from ..filesystem import Holder, Mount, Mounter, holders_of, number_of
from ..interfaces import AlreadyAttachedVolume, UnattachedVolume
from .catalog import Catalog
from .decisions import REFUSALS, STEPS, MountStep, VolumePlace, place_of
from .journal import KnownVolume
from .options import FOLDER, IDLE, NEW, filesystem_options, options_in

# Seconds between two looks at a volume that another node is about to detach, and until that is
# given up: more than the longest linger.
_LOOK = 2.0
_PATIENCE = 100.0


class Mounts:
    """
    The mounts of this node.  The caller lets one operation at a time work on a volume.

    :param reactor: provides ``IReactorTime`` and ``IReactorThreads``.
    :param driver: provides ``IBlockDeviceAsyncAPI``.
    :param mounter: the :class:`~txstorage.filesystem.Mounter`.
    :param catalog: the :class:`~txstorage.docker.catalog.Catalog`.
    :param takeover: ``dead`` or ``never``, for volumes without a choice of their own.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        driver: Any,
        mounter: Mounter,
        catalog: Catalog,
        takeover: str = "dead",
    ) -> None:
        self._reactor = reactor
        self._driver = driver
        self._mounter = mounter
        self._catalog = catalog
        self._takeover = takeover
        #: This node's instance id, once it is known.
        self.own_id: str | None = None

    def path(self, record: KnownVolume) -> str:
        """:return: the path that containers get, whether the volume is mounted or not."""
        return self._mounter.folder(record.name, record.labels.get(FOLDER, DEFAULT_FOLDER))

    def is_mounted(self, name: str) -> bool:
        """:return: whether a volume is mounted here."""
        return self._mounter.mounted(name) is not None

    def names(self) -> list[str]:
        """:return: the names that have a mount."""
        return self._mounter.names()

    async def node(self) -> str:
        """:return: a coroutine of this node's instance id."""
        found: str = await self._driver.compute_instance_id()
        self.own_id = found
        return found

    # -- to a directory ----------------------------------------------------------

    async def mount(self, record: KnownVolume) -> KnownVolume:
        """
        Attach and mount a volume; grow its file system when the volume has grown.

        :param record: the volume, as it has just been read in the cloud.
        :return: a coroutine of the changed :class:`KnownVolume`.
        :raises HeldByNode: another node has it.
        :raises FilesystemError: it can't be mounted.
        """
        record = await self._attached(record)
        if record.labels.get(IDLE) == await self.node():
            # Before the mount: another node that sees the label waits for the detach.
            record = await self._catalog.unlabel(record, IDLE)
        device = await self._driver.get_device_path(record.blockdevice_id)

        async def formatted() -> None:
            await self._catalog.unlabel(record, NEW)

        adopted = "from" in options_in(record.labels)
        path = await self._mounter.mount(
            record.name,
            device.path,
            filesystem_options(record.labels),
            NEW in record.labels,
            formatted,
            record.labels.get(FOLDER, None if adopted else DEFAULT_FOLDER),
        )
        if adopted and FOLDER not in record.labels:
            folder = os.path.relpath(path, self._mounter.mount_point(record.name))
            record = await self._catalog.label(record, {FOLDER: folder})
        return self._catalog.known(record.name) or record

    async def _attached(self, record: KnownVolume) -> KnownVolume:
        node = await self.node()
        began = self._reactor.seconds()
        while True:
            place, step = await self.next_step(record, node)
            if step is MountStep.USE:
                return record
            if step is MountStep.REFUSE or self._reactor.seconds() - began > _PATIENCE:
                raise HeldByNode(record.name, record.attached_to or node, *REFUSALS[place])
            await self._step(step, record, node)
            record = await self._catalog.current(record)

    async def next_step(self, record: KnownVolume, node: str) -> tuple[VolumePlace, MountStep]:
        """
        Decide how this node may come by a volume.

        :param record: its current state.
        :param node: this node's instance id.
        :return: a coroutine of the volume's place, and of the step that follows from it.
        """
        live = True
        if record.attached_to not in (None, node):
            live = await self._driver.is_node_live(record.attached_to)
        place = place_of(record.attached_to, node, live, record.labels.get(IDLE))
        takeover = options_in(record.labels).get("takeover", self._takeover)
        return place, STEPS[place, takeover]

    async def _step(self, step: MountStep, record: KnownVolume, node: str) -> None:
        try:
            if step is MountStep.ATTACH:
                await self._driver.attach_volume(record.blockdevice_id, node)
            elif step is MountStep.TAKE:
                await self._driver.detach_volume(record.blockdevice_id)
            else:
                await deferLater(self._reactor, _LOOK)
        except (AlreadyAttachedVolume, UnattachedVolume):
            # Another node, or an earlier attempt, was faster; the next look shows it.
            await deferLater(self._reactor, 0.2)

    # -- and back ------------------------------------------------------------------

    async def users(self, name: str) -> list[Holder]:
        """
        Find the users of a mounted volume besides the plugin itself, from the kernel.

        :return: a coroutine of a list of :class:`~txstorage.filesystem.Holder`.
        """
        mounted = self._mounter.mounted(name)
        if mounted is None:
            return []
        return await self._users_of(name, mounted)

    async def _users_of(self, name: str, mounted: Mount) -> list[Holder]:
        point = self._mounter.mount_point(name)
        found = await deferToThread(holders_of, number_of(mounted.source))
        return [each for each in found if not is_own(each, point)]

    async def unmount(self, name: str) -> None:
        """
        Unmount a volume that is not in use.

        :raises InUse: it is in use.
        """
        users = await self.users(name)
        if users:
            raise InUse(name, map(str, users))
        try:
            await self._mounter.unmount(name)
        except MountedElsewhere as error:
            raise InUse(name, error.holders) from error

    async def mark_idle(self, record: KnownVolume) -> KnownVolume:
        """
        Announce to other nodes that this one will detach a volume soon.

        :return: a coroutine of the changed :class:`KnownVolume`.
        """
        return await self._catalog.label(record, {IDLE: await self.node()})

    async def detach(self, record: KnownVolume) -> KnownVolume:
        """
        Detach an unmounted volume from this node, unless a program of this node uses its device.

        :return: a coroutine of the changed :class:`KnownVolume`.
        :raises InUse: its device is in use.
        """
        record = await self._catalog.current(record)
        if record.attached_to == await self.node():
            device = await self._driver.get_device_path(record.blockdevice_id)
            users = await deferToThread(holders_of, number_of(device.path))
            if users:
                raise InUse(record.name, map(str, users))
            with suppress(UnattachedVolume):
                await self._driver.detach_volume(record.blockdevice_id)
            # The label of an idle volume stays: it means nothing once another node has it.
            record = await self._catalog.current(record)
        return record


def is_own(holder: Holder, point: str) -> bool:
    """
    Check whether a mount is the plugin's own, or a copy of it in another mount namespace, which
    ends with it.  Containers mount a folder of the file system, or all of it elsewhere.

    :param holder: a user of the device.
    :param point: the plugin's mount point.
    """
    # A managed plugin's mounts have another path in the engine's namespace, with the same end.
    end = os.sep + os.path.join(*point.split(os.sep)[-2:])
    return holder.root == "/" and (os.sep + holder.place.lstrip(os.sep)).endswith(end)


__all__ = ["Mounts", "is_own"]
