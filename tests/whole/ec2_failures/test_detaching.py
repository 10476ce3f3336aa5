"""Tests of detaches and deletions that fail as they do in the field."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import fail

from tests.clouds.ec2.support import refusal
from txstorage.embedded.machine.devices import FileDevices, LoopDeviceBusy
from txstorage.errors import OperationTimedOut, StillAttached
from txstorage.interfaces import UnattachedVolume, UnknownVolume

from .support import FailureCase


class BusyTests(FailureCase):
    """A volume that is mounted in its instance."""

    def setUp(self) -> None:
        super().setUp()
        self.mounted = True
        really = FileDevices.detach

        def detach(devices: FileDevices, volume_id: str) -> Any:
            if self.mounted:
                return fail(LoopDeviceBusy("mounted"))
            return really(devices, volume_id)

        self.patch(FileDevices, "detach", detach)

    def test_busy(self) -> None:
        """
        kubernetes#32881, ebs-csi#1032: the detach of a volume that is mounted waits; its error says
        that it is busy, where, and what ends that; it completes when the volume is unmounted.
        """
        volume_id = self.create()
        self.attach(volume_id, self.there)
        error = self.error(
            self.driver.detach_volume(volume_id),
            OperationTimedOut,
            f"Can't detach volume {volume_id}: timed out after 110.0 seconds",
            f"last seen: busy, attached to {self.there}",
        )
        self.assertIn("unmount the volume in the instance", error.remedy)
        self.assertEqual(self.face.count("DetachVolume"), 1)
        # A retry joins it.
        again = self.driver.detach_volume(volume_id)
        self.let_pass(5)
        self.assertNoResult(again)
        self.mounted = False
        self.assertIs(self.get(again), None)
        self.assertEqual(self.face.count("DetachVolume"), 1)
        self.assertEqual(self.state(volume_id)[0], "available")

    def test_busy_is_not_taken(self) -> None:
        """ebs-csi#1032: a busy volume is neither attached elsewhere nor deleted."""
        volume_id = self.create()
        self.attach(volume_id, self.there)
        self.driver = self.make_driver(timeout=20)
        self.error(self.driver.detach_volume(volume_id), OperationTimedOut)
        self.error(self.driver.attach_volume(volume_id, self.here), OperationTimedOut, "busy")
        self.error(self.driver.destroy_volume(volume_id), OperationTimedOut, "busy")
        self.assertEqual(self.face.count("AttachVolume"), 1)
        self.assertEqual(self.face.count("DeleteVolume"), 0)
        self.assertEqual(self.state(volume_id)[1], self.there)


class DetachTests(FailureCase):
    """Detaches of what is detached, or elsewhere."""

    def test_already_detached(self) -> None:
        """
        A detach that another process was faster with, as ``IncorrectState`` or
        ``InvalidAttachment.NotFound`` shows, succeeds.
        """
        for code in ("IncorrectState", "InvalidAttachment.NotFound"):
            volume_id = self.attached()

            def beaten(form: dict[str, str], code: str = code, volume_id: str = volume_id) -> Any:
                other = self.make_driver().detach_volume(volume_id)
                other.addErrback(lambda failure: None)
                return refusal(code, f"Volume '{volume_id}' is in the 'available' state.")

            self.face.script["DetachVolume"] = [beaten]
            self.assertIs(self.get(self.driver.detach_volume(volume_id)), None)
            self.assertEqual(self.state(volume_id)[0], "available")
            self.let_pass(12)
            self.error(self.driver.detach_volume(volume_id), UnattachedVolume)

    def test_deleted_meanwhile(self) -> None:
        """A detach of a volume that was deleted meanwhile, ``InvalidVolume.NotFound``, is known."""
        volume_id = self.attached()

        def gone(form: dict[str, str]) -> Any:
            self.face.rules["DescribeVolumes"] = gone
            return refusal("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")

        self.face.rules["DetachVolume"] = gone
        error = self.error(self.driver.detach_volume(volume_id), UnknownVolume)
        self.assertEqual(error.blockdevice_id, volume_id)
        self.assertEqual(self.face.count("DetachVolume"), 1)

    def test_detached_by_hand(self) -> None:
        """A volume that somebody detached is unattached, and no request is sent."""
        volume_id = self.attached()
        self.get(self.make_driver().detach_volume(volume_id))
        # Until then, the attach may be younger than the description.
        self.let_pass(12)
        before = self.face.count("DetachVolume")
        self.error(self.driver.detach_volume(volume_id), UnattachedVolume)
        self.assertEqual(self.face.count("DetachVolume"), before)

    def test_names_the_instance(self) -> None:
        """A detach names the instance, so that EC2 never takes a volume from another one."""
        volume_id = self.create()
        self.attach(volume_id, self.there)
        self.get(self.driver.detach_volume(volume_id))
        [form] = self.face.of("DetachVolume")
        self.assertEqual((form["VolumeId"], form["InstanceId"]), (volume_id, self.there))

    def test_moved_meanwhile(self) -> None:
        """A volume that moved to another instance during the detach stays there."""
        volume_id = self.attached()

        def moved(form: dict[str, str]) -> Any:
            other = self.make_driver()
            d = other.detach_volume(volume_id)
            d.addCallback(lambda _: other.attach_volume(volume_id, self.there))
            d.addErrback(lambda failure: None)
            text = f"Volume '{volume_id}' is not attached to instance '{self.here}'"
            return refusal("InvalidAttachment.NotFound", text)

        self.face.script["DetachVolume"] = [moved]
        self.assertIs(self.get(self.driver.detach_volume(volume_id)), None)
        self.let_pass(20)
        self.assertEqual(self.state(volume_id)[:2], ("in-use", self.there))

    def test_root_volume(self) -> None:
        """The root volume of an instance is another's, and is left alone."""
        [root] = [
            each.volume_id
            for each in self.cloud.store.volumes()
            if each.root
            and each.attachment is not None
            and each.attachment.server_id == self.cloud.nodes["node-1"]
        ]
        root_id = "vol-" + root.replace("-", "")[:17]
        for operation in (self.driver.detach_volume, self.driver.destroy_volume):
            self.error(operation(root_id), UnknownVolume)
        self.assertEqual(self.face.count("DetachVolume"), 0)
        self.assertEqual(self.face.count("DeleteVolume"), 0)


class DestroyTests(FailureCase):
    """Deletions."""

    def test_attached(self) -> None:
        """The deletion of an attached volume is an error without a request."""
        volume_id = self.attached()
        error = self.error(self.driver.destroy_volume(volume_id), StillAttached, self.here)
        self.assertEqual(error.remedy, "detach it first")
        self.assertEqual(self.face.count("DeleteVolume"), 0)
        self.assertEqual(len(os.listdir(self.cloud.devices_directory)), 1)

    def test_attached_meanwhile(self) -> None:
        """``VolumeInUse``: a volume that was attached during the deletion is still attached."""
        volume_id = self.create()

        def in_use(form: dict[str, str]) -> Any:
            other = self.make_driver().attach_volume(volume_id, self.there)
            other.addErrback(lambda failure: None)
            return refusal("VolumeInUse", f"Volume {volume_id} is currently attached")

        self.face.script["DeleteVolume"] = [in_use]
        self.error(self.driver.destroy_volume(volume_id), StillAttached, self.there)
        self.assertEqual(self.state(volume_id)[:2], ("in-use", self.there))

    def test_gone(self) -> None:
        """The deletion of what is gone is of an unknown volume; a lost answer is none."""
        volume_id = self.create()
        self.get(self.driver.destroy_volume(volume_id))
        self.assertEqual(self.volumes(), [])
        self.error(self.driver.destroy_volume(volume_id), UnknownVolume)
        self.assertEqual(self.face.count("DeleteVolume"), 1)
