"""Tests of files, hard links and real loop devices."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from txstorage._support import linux
from txstorage.embedded.machine.devices import (
    DeviceFailure,
    FileDevices,
    IDeviceBackend,
    LoopDeviceBusy,
    LoopDevices,
)
from txstorage.embedded.machine.files import VolumeFiles

from ...helpers.loops import loops_below
from ..support import no_loop_devices, temporary_directory

MIB = 2**20


def wait_for(coroutine: Any) -> Deferred[Any]:
    """Return a coroutine's result."""
    return Deferred.fromCoroutine(coroutine)


class VolumeFileTests(SynchronousTestCase):
    """Tests of :class:`VolumeFiles`."""

    def setUp(self) -> None:
        self.files = VolumeFiles(temporary_directory(self))

    def test_create_again(self) -> None:
        """Creating a file again keeps its content."""
        self.files.create("v", MIB)
        with open(self.files.path("v"), "r+b") as opened:
            opened.write(b"data")
        self.files.create("v", MIB)
        with open(self.files.path("v"), "rb") as opened:
            self.assertEqual(opened.read(4), b"data")

    def test_half_made(self) -> None:
        """A file that a crash left short gets its full size."""
        with open(self.files.path("v"), "wb"):
            pass
        self.files.create("v", MIB)
        self.assertEqual(os.path.getsize(self.files.path("v")), MIB)

    def test_durable(self) -> None:
        """The creation and removal of a file reach the disk before they are acknowledged."""
        synced: list[bool] = []
        self.patch(os, "fsync", lambda fd: synced.append(stat.S_ISDIR(os.fstat(fd).st_mode)))
        self.files.create("v", MIB)
        self.assertEqual(synced, [False, True])
        self.files.remove("v")
        self.assertEqual(synced, [False, True, True])

    def test_remove_again(self) -> None:
        """Removing a missing file succeeds."""
        self.files.create("v", MIB)
        self.files.remove("v")
        self.files.remove("v")
        self.assertFalse(self.files.exists("v"))

    def test_grow(self) -> None:
        """A file grows to its new size, durably, and never shrinks; the growth can be undone."""
        self.files.create("v", MIB)
        synced: list[int] = []
        self.patch(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_size))
        for size, before, after in ((2 * MIB, MIB, 2 * MIB), (MIB, 2 * MIB, 2 * MIB)):
            self.assertEqual(self.files.grow("v", size), before)
            self.assertEqual(os.path.getsize(self.files.path("v")), after)
        self.files.cut("v", 3 * MIB)
        self.files.cut("v", MIB)
        self.assertEqual(os.path.getsize(self.files.path("v")), MIB)
        self.assertEqual(synced, [2 * MIB, 2 * MIB, 2 * MIB, MIB])
        self.assertRaises(FileNotFoundError, self.files.grow, "w", MIB)

    def test_unfinished(self) -> None:
        """Interrupted copies are removed, and nothing else is."""
        kept = {"volume-v", "snapshot-s", "volume-v.json", "volume-v.json.new", "other.new"}
        for name in kept | {"volume-w.new", "snapshot-t.new"}:
            with open(os.path.join(self.files.directory, name), "w"):
                pass
        self.files.remove_unfinished()
        self.assertEqual(set(os.listdir(self.files.directory)), kept)

    def test_no_room(self) -> None:
        """A size beyond any file's is an error."""
        self.assertRaises(OSError, self.files.create, "v", 2**62)


class FileDeviceTests(SynchronousTestCase):
    """Tests of :class:`FileDevices`."""

    def setUp(self) -> None:
        directory = temporary_directory(self)
        links = os.path.join(directory, "devices")
        volumes = os.path.join(directory, "volumes")
        os.mkdir(links)
        os.mkdir(volumes)
        self.files = VolumeFiles(volumes)
        self.files.create("v", MIB)
        self.devices = FileDevices(self.files, links)
        self.link = os.path.join(links, "v")

    def attach(self) -> str:
        """Attach the volume."""
        device: str = self.successResultOf(wait_for(self.devices.attach("v")))
        return device

    def test_interface(self) -> None:
        """The object provides ``IDeviceBackend``."""
        self.assertTrue(verifyObject(IDeviceBackend, self.devices))

    def test_attach_and_detach(self) -> None:
        """
        The device is the volume's file under another name; attaching and detaching can be repeated.
        """
        for _ in range(2):
            self.assertEqual(self.attach(), self.link)
        self.assertTrue(os.path.samefile(self.link, self.files.path("v")))
        self.assertEqual(self.devices.attached(), {"v": self.link})
        for _ in range(2):
            self.successResultOf(wait_for(self.devices.detach("v")))
        self.assertEqual(self.devices.attached(), {})
        self.assertTrue(self.files.exists("v"))

    def test_other_file(self) -> None:
        """Another file of the device's name is replaced."""
        with open(self.link, "w"):
            pass
        self.assertEqual(self.devices.attached(), {})
        self.attach()
        self.assertTrue(os.path.samefile(self.link, self.files.path("v")))

    def test_no_file(self) -> None:
        """An attach without the volume's file fails."""
        self.files.remove("v")
        failure = self.failureResultOf(wait_for(self.devices.attach("v")), DeviceFailure)
        self.assertIn("No such file", str(failure.value))

    def test_strays(self) -> None:
        """Links that no volume should have are removed."""
        self.attach()
        self.files.create("w", MIB)
        self.successResultOf(wait_for(self.devices.attach("w")))
        self.successResultOf(wait_for(self.devices.forget_strays(["v"])))
        self.assertEqual(list(self.devices.attached()), ["v"])


class LosetupTests(SynchronousTestCase):
    """Tests of losetup's failures."""

    def loop(self, run: Any) -> LoopDevices:
        """Return loop devices, of which none is bound."""
        self.directory = temporary_directory(self)
        files = VolumeFiles(self.directory)
        files.create("v", MIB)
        return LoopDevices(Clock(), files, sysfs=self.directory, run=run)

    def failure(self, run: Any) -> str:
        """Return the reason of a failed attach."""
        failed = self.failureResultOf(wait_for(self.loop(run).attach("v")), DeviceFailure)
        return str(failed.value)

    def test_refused(self) -> None:
        """The failure has losetup's message."""
        answer = (b"", b"losetup: cannot find an unused loop device\n", 1)
        self.assertEqual(
            self.failure(lambda *_, **__: succeed(answer)),
            "losetup: cannot find an unused loop device",
        )

    def test_killed(self) -> None:
        """A killed losetup is a failure."""

        def run(*_: Any, **__: Any) -> Deferred[tuple[bytes, bytes, int]]:
            return fail(RuntimeError("signal 9"))

        self.assertEqual(self.failure(run), "losetup was killed")

    def test_nothing_made(self) -> None:
        """A losetup that succeeds without making a device is a failure."""
        self.assertIn("made no device", self.failure(lambda *_, **__: succeed((b"", b"", 0))))

    def test_missing(self) -> None:
        """Without losetup the failure names its package."""
        self.patch(linux, "SYSTEM_PATH", "/nonexistent")
        self.assertIn("util-linux", self.failure(None))


class LoopDeviceTests(TestCase):
    """Tests of :class:`LoopDevices` with real devices."""

    if no_loop_devices():
        skip = no_loop_devices()

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        self.files = VolumeFiles(self.directory)
        self.files.create("v", 8 * MIB)
        self.devices = LoopDevices(reactor, self.files, patience=0.3)

    def autoclear(self, device: str) -> str:
        """Check whether the kernel waits for the last process to close the device."""
        path = f"/sys/block/{os.path.basename(device)}/loop/autoclear"
        with open(path) as opened:
            return opened.read().strip()

    async def test_attach_and_detach(self) -> None:
        """
        Attaching makes one block device of the volume's size; detaching removes it.  Both can be
        repeated.
        """
        self.assertTrue(verifyObject(IDeviceBackend, self.devices))
        device = await self.devices.attach("v")
        self.assertEqual(await self.devices.attach("v"), device)
        self.assertEqual(list(loops_below(self.directory)), [device])
        self.assertEqual(self.devices.attached(), {"v": device})
        size = subprocess.check_output(["blockdev", "--getsize64", device])
        self.assertEqual(int(size), 8 * MIB)
        for _ in range(2):
            await self.devices.detach("v")
            self.assertEqual(list(loops_below(self.directory)), [])

    async def test_symbolic_link(self) -> None:
        """A state directory behind a symbolic link is recognised."""
        link = os.path.join(temporary_directory(self), "link")
        os.symlink(self.directory, link)
        devices = LoopDevices(reactor, VolumeFiles(link))
        device = await devices.attach("v")
        self.assertEqual(devices.attached(), {"v": device})
        await devices.detach("v")

    async def test_mounted(self) -> None:
        """
        A mounted device is refused, and stays as it was: it does not vanish when it is unmounted
        later.
        """
        device = await self.devices.attach("v")
        mountpoint = temporary_directory(self)
        subprocess.check_call(["mkfs.ext4", "-q", device])
        subprocess.check_call(["mount", device, mountpoint])
        try:
            with self.assertRaises(LoopDeviceBusy):
                await self.devices.detach("v")
            self.assertEqual(self.autoclear(device), "0")
        finally:
            subprocess.check_call(["umount", mountpoint])
        self.assertEqual(list(loops_below(self.directory)), [device])
        await self.devices.detach("v")

    async def test_open(self) -> None:
        """An open device is refused too."""
        device = await self.devices.attach("v")
        opened = os.open(device, os.O_RDONLY)
        try:
            with self.assertRaises(LoopDeviceBusy):
                await self.devices.detach("v")
            self.assertEqual(self.autoclear(device), "0")
        finally:
            os.close(opened)
        self.assertEqual(list(loops_below(self.directory)), [device])
        await self.devices.detach("v")

    async def test_open_for_a_moment(self) -> None:
        """A detach waits for a device that is soon closed, as by udev."""
        self.devices = LoopDevices(reactor, self.files, patience=30.0)
        device = await self.devices.attach("v")
        opened = os.open(device, os.O_RDONLY)
        detached = wait_for(self.devices.detach("v"))
        reactor.callLater(0.2, os.close, opened)
        await detached
        self.assertEqual(list(loops_below(self.directory)), [])

    async def test_no_node(self) -> None:
        """A device that can't be opened is not detached."""
        device = await self.devices.attach("v")
        real = os.open

        def refuse(path: Any, *arguments: Any) -> int:
            if path == device:
                raise PermissionError(1, "Operation not permitted")
            return real(path, *arguments)

        self.patch(os, "open", refuse)
        with self.assertRaises(DeviceFailure):
            await self.devices.detach("v")
        self.assertEqual(list(loops_below(self.directory)), [device])

    async def test_strays(self) -> None:
        """
        Devices of our files that no volume should have are detached; those of other directories,
        even of the ones below, are kept.
        """
        below = os.path.join(self.directory, "below")
        os.mkdir(below)
        other = VolumeFiles(below)
        other.create("w", MIB)
        strange = await LoopDevices(reactor, other).attach("w")
        self.files.create("x", MIB)
        kept = await self.devices.attach("v")
        await self.devices.attach("x")
        self.assertEqual(await self.devices.forget_strays(["v"]), [])
        self.assertEqual(sorted(loops_below(self.directory)), sorted([kept, strange]))

    async def test_busy_stray(self) -> None:
        """A device in use is kept, and reported."""
        opened = os.open(await self.devices.attach("v"), os.O_RDONLY)
        self.addCleanup(os.close, opened)
        (problem,) = await self.devices.forget_strays([])
        self.assertIn("volume-v", problem)

    async def test_deleted(self) -> None:
        """A device whose file was removed is still recognised as the volume's."""
        device = await self.devices.attach("v")
        self.files.remove("v")
        self.assertEqual(self.devices.attached(), {"v": device})
        await self.devices.detach("v")
        self.assertEqual(self.devices.attached(), {})

    async def test_reassigned(self) -> None:
        """
        A device that got another's file after its name was read is neither detached nor kept from
        its owner.
        """
        elsewhere = VolumeFiles(temporary_directory(self))
        elsewhere.create("v", MIB)
        others = LoopDevices(reactor, elsewhere)
        strange = await others.attach("v")
        # The list of names is from before.
        self.patch(self.devices, "_bound", lambda: {"volume-v": [strange]})
        self.assertEqual(self.devices.attached(), {})
        await self.devices.detach("v")
        self.assertEqual(await self.devices.forget_strays([]), [])
        self.assertEqual(others.attached(), {"v": strange})
        with self.assertRaises(DeviceFailure):
            await self.devices.attach("v")

    async def test_replaced(self) -> None:
        """A device of a removed file is not that of a new file of the same name."""
        old = await self.devices.attach("v")
        self.files.remove("v")
        self.files.create("v", 4 * MIB)
        self.assertEqual(self.devices.attached(), {})
        new = await self.devices.attach("v")
        self.assertNotEqual(new, old)
        size = subprocess.check_output(["blockdev", "--getsize64", new])
        self.assertEqual(int(size), 4 * MIB)
        await self.devices.detach("v")
        self.assertEqual(list(loops_below(self.directory)), [])

    async def test_grow(self) -> None:
        """
        A device that is in use gets the size of its grown file, which the kernel shows at once; one
        without a grown file stays as it is.
        """
        device = await self.devices.attach("v")
        opened = os.open(device, os.O_RDWR)
        self.addCleanup(os.close, opened)
        for size in (8 * MIB, 16 * MIB):
            self.files.grow("v", size)
            await self.devices.grow("v")
            found = subprocess.check_output(["blockdev", "--getsize64", device])
            self.assertEqual(int(found), size)
        os.pwrite(opened, b"data", 16 * MIB - 4)
        os.fsync(opened)
        with open(self.files.path("v"), "rb") as read:
            read.seek(16 * MIB - 4)
            self.assertEqual(read.read(), b"data")

    async def test_grow_detached(self) -> None:
        """Without a device, nothing is to be done."""
        self.files.grow("v", 16 * MIB)
        await self.devices.grow("v")
        self.assertEqual(list(loops_below(self.directory)), [])

    async def test_flush(self) -> None:
        """What was written to a device is in its file after a flush."""
        device = await self.devices.attach("v")
        opened = os.open(device, os.O_RDWR)
        self.addCleanup(os.close, opened)
        os.pwrite(opened, b"data", 4096)
        with open(self.files.path("v"), "rb") as read:
            await self.devices.flush("v")
            read.seek(4096)
            self.assertEqual(read.read(4), b"data")

    async def test_flush_detached(self) -> None:
        """Without a device, or with one that is detached meanwhile, nothing is to be done."""
        await self.devices.flush("v")
        device = await self.devices.attach("v")
        await self.devices.detach("v")
        self.patch(self.devices, "_ours", lambda name: [device])
        await self.devices.flush("v")

    async def test_detach_during_flush(self) -> None:
        """A detach waits for a flush, which has the device open."""
        await self.devices.attach("v")
        flushing: Deferred[None] = Deferred()
        real = self.files.aside
        self.files.aside = lambda *arguments: flushing
        flushed = wait_for(self.devices.flush("v"))
        self.files.aside = real
        detached = wait_for(self.devices.detach("v"))
        self.assertEqual(list(self.devices.attached()), ["v"])
        flushing.callback(None)
        await flushed
        await detached
        self.assertEqual(self.devices.attached(), {})

    async def test_probe(self) -> None:
        """The trial of loop devices leaves nothing behind."""
        await self.devices.probe()
        self.assertEqual(os.listdir(self.directory), ["volume-v"])
        self.assertEqual(list(loops_below(self.directory)), [])
