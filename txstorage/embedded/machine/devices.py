# -*- test-case-name: tests.embedded.machine.test_devices -*-
"""Devices for volumes' files: loop devices, or hard links where loop devices are not available."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Callable, TypeVar
from weakref import WeakValueDictionary

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue
from zope.interface import Attribute, Interface, implementer

from ..._support import linux, loop_devices
from ..disk import sync_directory
from .files import PREFIX, VolumeFiles

#: Seconds between two checks that a device is gone.
_LOOK_AGAIN = 0.05


class DeviceFailure(Exception):
    """A device could not be made or removed; the text gives the reason."""


class LoopDeviceBusy(DeviceFailure):
    """The device is in use, so it stays."""


class IDeviceReactor(IReactorProcess, IReactorTime):
    """A reactor that starts programs."""


class IDeviceBackend(Interface):
    """
    Makes devices from volume files.  Every method can be repeated after a crash, and resumes from
    the present state.
    """

    kind = Attribute("``loop`` or ``file``.")
    files = Attribute("The ``VolumeFiles``.")

    def attached() -> dict[str, str]:
        """Return the existing devices, by the id of their volume."""

    def attach(volume_id: str) -> Awaitable[str]:
        """
        Make the device, unless it exists.

        :return: its path.  Raises ``DeviceFailure``.
        """

    def detach(volume_id: str) -> Awaitable[None]:
        """
        Remove the device, if it exists; it is gone afterwards.  Raises ``LoopDeviceBusy``, which
        leaves the device as it was; or ``DeviceFailure``.
        """

    def flush(volume_id: str) -> Awaitable[None]:
        """
        Write what was written to the device, if it exists, to the volume's file.  Raises
        ``DeviceFailure``.
        """

    def grow(volume_id: str) -> Awaitable[None]:
        """
        Let the device, if it exists, have the present size of the volume's file.  Raises
        ``DeviceFailure``.
        """

    def forget_strays(keep: Collection[str]) -> Awaitable[list[str]]:
        """
        Remove devices that no volume should have.

        :param keep: the ids of the volumes that may have one.
        :return: the devices that could not be removed, with the reasons.
        """


@implementer(IDeviceBackend)
class FileDevices:
    """
    Hard links, for a service without root.  Their use can't be detected.

    :param directory: the directory of the links, on the file system of the files.
    """

    kind = "file"

    def __init__(self, files: VolumeFiles, directory: str) -> None:
        self.files = files
        self.directory = directory

    def attached(self) -> dict[str, str]:
        """See ``IDeviceBackend``."""
        return {
            name: os.path.join(self.directory, name)
            for name in os.listdir(self.directory)
            if self._same(name)
        }

    def _same(self, volume_id: str) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samefile(
                os.path.join(self.directory, volume_id), self.files.path(volume_id)
            )
        return False

    async def attach(self, volume_id: str) -> str:
        """See ``IDeviceBackend``."""
        made: str = await self.files.aside(self._attach, volume_id)
        return made

    def _attach(self, volume_id: str) -> str:
        link = os.path.join(self.directory, volume_id)
        if not self._same(volume_id):
            try:
                with suppress(FileNotFoundError):
                    os.unlink(link)
                os.link(self.files.path(volume_id), link, follow_symlinks=False)
            except OSError as error:
                raise DeviceFailure(f"{link}: {error.strerror}") from error
            sync_directory(self.directory)
        return link

    async def detach(self, volume_id: str) -> None:
        """See ``IDeviceBackend``."""
        await self.files.aside(self._detach, volume_id)

    def _detach(self, volume_id: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self.directory, volume_id))
        sync_directory(self.directory)

    async def flush(self, volume_id: str) -> None:
        """See ``IDeviceBackend``.  The device is the file."""

    async def grow(self, volume_id: str) -> None:
        """See ``IDeviceBackend``.  The device is the file."""

    async def forget_strays(self, keep: Collection[str]) -> list[str]:
        """See ``IDeviceBackend``."""
        for name in set(os.listdir(self.directory)).difference(keep):
            await self.detach(name)
        return []


T = TypeVar("T")
Run = Callable[..., "Deferred[tuple[bytes, bytes, int]]"]


@implementer(IDeviceBackend)
class LoopDevices:
    """
    Loop devices.  Only those whose backing file is in the files' own directory are ever touched.

    :param sysfs: the kernel's directory of block devices.
    :param patience: seconds that a detached device may take to disappear.
    :param run: like ``getProcessOutputAndValue``.
    """

    kind = "loop"

    def __init__(
        self,
        reactor: IDeviceReactor,
        files: VolumeFiles,
        sysfs: str = "/sys/block",
        patience: float = 5.0,
        run: Run = getProcessOutputAndValue,
    ) -> None:
        self.files = files
        self._reactor = reactor
        self._sysfs = sysfs
        self._patience = patience
        self._run = run
        self._uses: WeakValueDictionary[str, DeferredLock] = WeakValueDictionary()

    def attached(self) -> dict[str, str]:
        """See ``IDeviceBackend``."""
        found = {}
        for name in self._bound():
            # A device that can't be opened is of no use to anyone.
            with suppress(DeviceFailure):
                devices = self._ours(name)
                if name.startswith(PREFIX) and devices:
                    found[name[len(PREFIX) :]] = devices[0]
        return found

    def _ours(self, name: str) -> list[str]:
        """
        The paths of the loop devices on one of our files.

        :raises DeviceFailure: a device can't be opened.
        """
        return [
            device
            for device in self._bound().get(name, [])
            if _checked(device, loop_devices.is_on, self._path(name))
        ]

    def _held(self, name: str) -> list[str]:
        """The same, with the devices on a file that was removed or replaced."""
        return [
            device
            for device in self._bound().get(name, [])
            if _checked(device, loop_devices.was_on, self._path(name))
        ]

    def _path(self, name: str) -> str:
        return os.path.join(self.files.directory, name)

    def _bound(self) -> Mapping[str, list[str]]:
        """
        Paths of the loop devices on files with the paths of ours, by the file's name.  In another
        mount namespace, such a path is another file's.
        """
        found: dict[str, list[str]] = {}
        for device in sorted(os.listdir(self._sysfs)):
            backing = linux.backing_file(os.path.join(self._sysfs, device))
            directory, name = os.path.split(os.fsdecode(backing[0])) if backing else ("", "")
            if directory == self.files.directory:
                found.setdefault(name, []).append("/dev/" + device)
        return found

    async def attach(self, volume_id: str) -> str:
        """See ``IDeviceBackend``."""
        return await self._attach(PREFIX + volume_id)

    async def _attach(self, name: str) -> str:
        path = self._path(name)
        devices = self._ours(name)
        if not devices:
            # A losetup that was started before a crash may bind the file at
            # this moment; two devices on one file would spoil its data.
            await self._losetup("--find", "--show", "--nooverlap", path)
            devices = self._ours(name)
        if not devices:
            raise DeviceFailure(f"losetup made no device for {path}")
        return devices[0]

    async def detach(self, volume_id: str) -> None:
        """See ``IDeviceBackend``."""
        name = PREFIX + volume_id
        async with _held_by(self._use(name)):
            await self._detach(name)

    async def _detach(self, name: str) -> None:
        path = self._path(name)
        for device in self._bound().get(name, []):
            await self.files.aside(_checked, device, loop_devices.detach, path, True)
        deadline = self._reactor.seconds() + self._patience
        while await self.files.aside(self._held, name):
            if self._reactor.seconds() >= deadline:
                self._keep(name)
                return
            await deferLater(self._reactor, _LOOK_AGAIN, lambda: None)

    def _keep(self, name: str) -> None:
        """
        :raises LoopDeviceBusy: unless the devices went at the last moment.
        """
        devices = self._held(name)
        for device in devices:
            _checked(device, loop_devices.keep, self._path(name))
        if devices:
            raise LoopDeviceBusy(f"{devices[0]} is open")

    async def flush(self, volume_id: str) -> None:
        """See ``IDeviceBackend``."""
        name = PREFIX + volume_id
        async with _held_by(self._use(name)):
            for device in self._ours(name):
                await self.files.aside(_checked, device, _flush, self._path(name))

    async def grow(self, volume_id: str) -> None:
        """See ``IDeviceBackend``."""
        name = PREFIX + volume_id
        for device in self._ours(name):
            await self.files.aside(_checked, device, loop_devices.grow, self._path(name))

    def _use(self, name: str) -> DeferredLock:
        """The lock of a file's devices, which a flush has open while it lasts."""
        lock: DeferredLock = self._uses.setdefault(name, DeferredLock())
        return lock

    async def _losetup(self, *arguments: str) -> None:
        program = shutil.which("losetup", path=linux.SYSTEM_PATH)
        if program is None:
            raise DeviceFailure("there is no losetup, which is in the package util-linux")
        running = self._run(program, arguments, env={"LC_ALL": "C"}, reactor=self._reactor)
        # The failure of a program that a signal ended has a tuple, not an exception.
        running.addErrback(lambda failure: (b"", b"losetup was killed", -1))
        _, err, code = await running
        if code != 0:
            raise DeviceFailure(err.decode("utf-8", "replace").strip())

    async def probe(self) -> None:
        """
        Check that loop devices work here, by making one.

        :raises DeviceFailure: they don't.
        """
        name = "probe"
        path = self._path(name)
        with open(path, "wb") as opened:
            opened.truncate(1024**2)
        try:
            await self._attach(name)
            await self._detach(name)
        finally:
            os.unlink(path)

    async def forget_strays(self, keep: Collection[str]) -> list[str]:
        """See ``IDeviceBackend``."""
        problems = []
        for name in sorted(self._bound()):
            if name.startswith(PREFIX) and name[len(PREFIX) :] in keep:
                continue
            try:
                await self._detach(name)
            except DeviceFailure as error:
                problems.append(f"{name}: {error}")
        return problems


@asynccontextmanager
async def _held_by(lock: DeferredLock) -> AsyncIterator[None]:
    await lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _flush(device: str, path: str) -> None:
    try:
        loop_devices.flush(device, path)
    except OSError as error:
        # A device that was detached meanwhile has written everything.
        if error.errno not in (errno.ENODEV, errno.ENXIO):
            raise


def _checked(device: str, function: Callable[..., T], *arguments: object) -> T:
    """
    Call a function of a device.

    :raises LoopDeviceBusy: the device is in use.
    :raises DeviceFailure: the device can't be opened.
    """
    try:
        return function(device, *arguments)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise LoopDeviceBusy(f"{device} is in use, e.g. mounted") from error
        raise DeviceFailure(f"{device}: {error.strerror}") from error
