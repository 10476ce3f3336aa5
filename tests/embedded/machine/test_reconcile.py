"""Tests of the start after a crash."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.embedded.application import Application
from txstorage.embedded.machine.devices import DeviceFailure, FileDevices, LoopDevices
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.machine.reconcile import Plan, plan
from txstorage.embedded.settings import GIB, Settings
from txstorage.embedded.store.records import AttachmentRecord, NewVolume, VolumeRecord
from txstorage.embedded.store.store import Store

from ...helpers.loops import loops_below
from ..support import no_loop_devices, temporary_directory

NEW = NewVolume("n", None, 1, "gold", {"a": "b"})
SETTINGS = Settings(password="p", application_secret="s")


def volume(volume_id: str, status: str, attached: bool = False) -> VolumeRecord:
    """Make a volume for :func:`plan`."""
    place = AttachmentRecord("a", "b", volume_id, "s", "/dev/vdb", None, 0.0) if attached else None
    return VolumeRecord(1, volume_id, None, None, 1, status, "gold", False, 0.0, None, {}, place)


class PlanTests(SynchronousTestCase):
    """Tests of the decision."""

    def decide(self, one: VolumeRecord, file: bool, device: bool) -> Plan:
        """Decide for one volume."""
        ids = [one.volume_id]
        devices = {one.volume_id: "/dev/loop7"} if device else {}
        return plan([one], ids if file else [], devices)

    def test_rest(self) -> None:
        """A volume whose file and device match its status needs no change."""
        for one, device in (
            (volume("v", "available"), False),
            (volume("v", "in-use", True), True),
            (volume("v", "error"), False),
        ):
            decided = self.decide(one, True, device)
            self.assertEqual((decided.lost, decided.released, decided.reattach), ([], [], []))

    def test_keep(self) -> None:
        """
        A device is kept when the volume is attached, is being deleted, or has lost its file, which
        only the device still holds.
        """
        for one, file, keep in (
            (volume("v", "available"), True, False),
            (volume("v", "error"), True, False),
            (volume("v", "in-use", True), True, True),
            (volume("v", "error", True), True, True),
            (volume("v", "attaching", True), True, True),
            (volume("v", "detaching", True), True, True),
            (volume("v", "deleting"), True, True),
            (volume("v", "available"), False, True),
        ):
            self.assertEqual(self.decide(one, file, True).keep, ["v"] if keep else [], one)

    def test_lost(self) -> None:
        """A volume without its data is lost, unless its status allows that."""
        for status in ("available", "in-use", "attaching", "maintenance"):
            self.assertEqual(self.decide(volume("v", status), False, False).lost, ["v"])
            self.assertEqual(self.decide(volume("v", status), False, True).lost, [])
        for status in ("creating", "deleting", "error", "error_deleting"):
            self.assertEqual(self.decide(volume("v", status), False, False).lost, [])

    def test_released(self) -> None:
        """A volume that is attaching to no server is released."""
        for status in ("reserved", "attaching", "detaching"):
            self.assertEqual(self.decide(volume("v", status), True, False).released, ["v"])
            self.assertEqual(self.decide(volume("v", status, True), True, False).released, [])

    def test_reattach(self) -> None:
        """A volume in use gets its device back."""
        one = volume("v", "in-use", True)
        self.assertEqual(self.decide(one, True, False).reattach, ["v"])
        self.assertEqual(self.decide(one, True, True).reattach, [])


class CrashMixin:
    """
    The simulation of a crash: the store's content and the disk's at one instant.  The engine's time
    is a ``Clock``, so that stopping it does not wait.
    """

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        volumes = os.path.join(self.directory, "volumes")
        os.mkdir(volumes)
        self.files = VolumeFiles(volumes)
        self.devices = self.make_devices()
        self.clock = Clock()
        self.store = self.open()
        self.server = self.store.declare_server("n1").server_id
        self.volume_id = self.store.add_volume(NEW).volume_id

    def make_devices(self) -> Any:
        """Make the backend under test."""
        raise NotImplementedError()

    def open(self) -> Store:
        """Open the store, also while the crashed service has it open."""
        store = Store(os.path.join(self.directory, "db"), self.clock.seconds)
        self.addCleanup(store.close)
        return store

    async def crashed(self, status: str, place: bool, file: bool, device: bool) -> None:
        """Leave a volume in the state of a crash."""
        if place:
            self.store.attachments.reserve(self.volume_id, self.server, "/dev/vdb")
        if file or device:
            self.files.create(self.volume_id, GIB)
        if device:
            await self.devices.attach(self.volume_id)
        if not file:
            self.files.remove(self.volume_id)
        self.store.set_status(self.volume_id, status)

    async def start(self) -> list[str]:
        """Start again, and let everything happen."""
        self.store = self.open()
        application = Application(self.clock, self.store, self.make_devices(), SETTINGS)
        problems = await application.start()
        self.clock.advance(0)
        await application.stop()
        return problems

    def found(self) -> tuple[str | None, bool, bool, bool]:
        """Return the status, and the existence of an attachment, a file and a device."""
        found = self.store.volume(self.volume_id)
        attached = self.devices.attached()
        return (
            found and found.status,
            bool(found and found.attachment),
            self.files.exists(self.volume_id),
            self.volume_id in attached,
        )

    async def test_every_instant(self) -> None:
        """After a crash at any instant of an operation, the acknowledged operation is completed."""
        available = ("available", False, True, False)
        in_use = ("in-use", True, True, True)
        gone = (None, False, False, False)
        for status, place, file, device, expected in (
            ("creating", False, False, False, available),
            ("creating", False, True, False, available),
            ("reserved", True, True, False, in_use),
            ("attaching", True, True, False, in_use),
            ("attaching", True, True, True, in_use),
            ("detaching", True, True, True, available),
            ("detaching", True, True, False, available),
            ("deleting", False, True, False, gone),
            ("deleting", False, False, False, gone),
            # A reboot removes the devices.
            ("in-use", True, True, False, in_use),
            # The status was set by hand.
            ("available", False, True, True, available),
            ("attaching", False, True, False, available),
            ("deleting", False, True, True, gone),
            ("available", False, False, False, ("error", False, False, False)),
        ):
            self.volume_id = self.store.add_volume(NEW).volume_id
            await self.crashed(status, place, file, device)
            await self.start()
            self.assertEqual(self.found(), expected, (status, place, file, device))
            self.assert_recorded()
            # A second start changes nothing.
            await self.start()
            self.assertEqual(self.found(), expected, (status, place, file, device))
            if place:
                self.store.settle(self.volume_id, "in-use", "available")
                await self.devices.detach(self.volume_id)

    def assert_recorded(self) -> None:
        """Assert that the store has the device of a volume in use."""
        found = self.store.volume(self.volume_id)
        if found is not None and found.attachment is not None:
            device = self.devices.attached()[self.volume_id]
            self.assertEqual(found.attachment.node_device, device)

    async def test_told(self) -> None:
        """A lost file is reported to the operator and in the volume's messages."""
        await self.crashed("available", False, False, False)
        (problem,) = await self.start()
        self.assertIn(self.volume_id, problem)
        (message,) = self.store.messages.listed(self.volume_id)
        self.assertEqual(message.text, "its file is missing")

    async def test_unknown_files(self) -> None:
        """A file that the store does not know is kept."""
        self.files.create("unknown", GIB)
        await self.start()
        self.assertTrue(self.files.exists("unknown"))

    async def test_data(self) -> None:
        """Data written to the device is there after any restart."""
        await self.crashed("attaching", True, True, False)
        await self.start()
        data = os.urandom(4096)
        with open(self.devices.attached()[self.volume_id], "r+b") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        await self.devices.detach(self.volume_id)
        await self.start()
        with open(self.devices.attached()[self.volume_id], "rb") as opened:
            self.assertEqual(opened.read(4096), data)

    async def test_no_device(self) -> None:
        """
        A volume in use whose device can't be restored stays attached, and the operator gets a
        report.
        """
        await self.crashed("in-use", True, True, False)
        self.break_devices()
        (problem,) = await self.start()
        self.assertIn(self.volume_id, problem)
        self.assertEqual(self.found()[:2], ("in-use", True))

    def break_devices(self) -> None:
        """Make attaching fail."""
        raise NotImplementedError()


class FileCrashTests(CrashMixin, TestCase):
    """Crash tests with hard links."""

    def make_devices(self) -> FileDevices:
        links = os.path.join(self.directory, "devices")
        os.makedirs(links, exist_ok=True)
        return FileDevices(self.files, links)

    def break_devices(self) -> None:
        os.mkdir(os.path.join(self.directory, "devices", self.volume_id))


class LoopCrashTests(CrashMixin, TestCase):
    """Crash tests with real loop devices."""

    if no_loop_devices():
        skip = no_loop_devices()

    def make_devices(self) -> LoopDevices:
        return LoopDevices(reactor, self.files)

    def break_devices(self) -> None:
        self.patch(LoopDevices, "_losetup", lambda *_: Deferred.fromCoroutine(_refuse()))

    async def test_in_use(self) -> None:
        """
        After a crash between detach and record, with the device mounted in between, the volume
        returns to in use, and its device exists.
        """
        await self.crashed("detaching", True, True, True)
        device = self.devices.attached()[self.volume_id]
        mountpoint = temporary_directory(self)
        subprocess.check_call(["mkfs.ext4", "-q", device])
        subprocess.check_call(["mount", device, mountpoint])
        try:
            await self.start()
        finally:
            subprocess.check_call(["umount", mountpoint])
        self.assertEqual(self.found(), ("in-use", True, True, True))

    async def test_unlinked(self) -> None:
        """A device of a removed file is not detached, which would destroy the data."""
        await self.crashed("in-use", True, True, True)
        self.files.remove(self.volume_id)
        await self.start()
        self.assertEqual(self.found(), ("in-use", True, False, True))
        self.assertEqual(len(loops_below(self.directory)), 1)


async def _refuse() -> None:
    raise DeviceFailure("losetup: cannot find an unused loop device")
