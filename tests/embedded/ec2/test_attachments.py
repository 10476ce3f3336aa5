"""Tests of EC2's attachments."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import fail

from txstorage.embedded.machine.devices import FileDevices, LoopDeviceBusy

from .support import MISSING, OTHER_ZONE, EC2Case

NO_INSTANCE = "i-0123456789abcdef0"


class AttachTests(EC2Case):
    """Tests of AttachVolume."""

    settings = {"transition_delay": 2.0}

    def test_states(self) -> None:
        """A volume is in use at once; its attachment is attaching for a time."""
        volume_id = self.create()
        got = self.attach(volume_id)
        self.assertEqual(
            {name: got[name] for name in ("VolumeId", "InstanceId", "Device", "State")},
            {
                "VolumeId": volume_id,
                "InstanceId": self.node(),
                "Device": "/dev/xvdba",
                "State": "attaching",
            },
        )
        self.assertEqual(self.state(volume_id), ("in-use", "attaching"))
        self.clock.pump([2.0])
        self.assertEqual(self.state(volume_id), ("in-use", "attaching"))
        self.settle()
        self.assertEqual(self.state(volume_id), ("in-use", "attached"))
        [device] = os.listdir(self.cloud.devices_directory)
        self.assertEqual(device.replace("-", "")[:17], volume_id[4:])

    def test_refused(self) -> None:
        """EC2's codes; the volume is checked first, and nothing is attached."""
        volume_id, elsewhere = self.create(), self.create(AvailabilityZone=OTHER_ZONE)
        made = self.call("CreateVolume", AvailabilityZone=OTHER_ZONE, Size=1)["VolumeId"]
        node = self.node()
        for code, volume, instance, device in (
            ("InvalidVolume.NotFound", MISSING, NO_INSTANCE, "/dev/xvdba"),
            ("IncorrectState", made, NO_INSTANCE, "/dev/xvdba"),
            ("InvalidInstanceID.NotFound", volume_id, NO_INSTANCE, "/dev/xvdba"),
            ("InvalidInstanceID.Malformed", volume_id, "i-x", "/dev/xvdba"),
            ("InvalidVolume.ZoneMismatch", elsewhere, node, "/dev/xvdba"),
            ("InvalidParameterValue", volume_id, node, "/dev/nvme0n1"),
            ("InvalidParameterValue", volume_id, node, "sdf"),
            # The root volume's.
            ("InvalidParameterValue", volume_id, node, "/dev/xvda"),
        ):
            asked = {"VolumeId": volume, "InstanceId": instance, "Device": device}
            self.refused(code, "AttachVolume", **asked)
        self.assertEqual(self.state(volume_id), ("available",))
        status, _ = self.send("AttachVolume", VolumeId=volume_id, InstanceId=node, Device="")
        self.assertEqual(status, 400)

    def test_in_use(self) -> None:
        """A volume that is attached, or being attached, is refused: also to the same instance."""
        volume_id = self.create()
        self.attach(volume_id)
        for _ in range(2):
            for node in ("node-1", "node-2"):
                asked = {"VolumeId": volume_id, "InstanceId": self.node(node), "Device": "/dev/sdf"}
                self.refused("VolumeInUse", "AttachVolume", **asked)
            self.settle()

    def test_names(self) -> None:
        """A device's name is used once on an instance, whatever its bus is called."""
        one, two = self.create(), self.create()
        self.attach(one, "/dev/xvdf")
        for device in ("/dev/xvdf", "/dev/sdf"):
            asked = {"VolumeId": two, "InstanceId": self.node(), "Device": device}
            refused = self.refused("InvalidParameterValue", "AttachVolume", **asked)
            self.assertIn(f"Attachment point {device} is already in use", refused.message)
        self.attach(two, "/dev/sdg")
        self.settle()
        self.call("DetachVolume", VolumeId=one)
        self.settle()
        self.attach(one, "/dev/sdf", "node-2")

    def test_reused_name(self) -> None:
        """A name that is used again too soon leaves a volume attaching, until it is detached."""
        self.use(self.make(reuse=60.0))
        one, two = self.create(), self.create()
        self.attach(one)
        self.settle()
        self.call("DetachVolume", VolumeId=one)
        self.settle()
        self.attach(two)
        self.clock.pump([10.0] * 4)
        self.assertEqual(self.state(two), ("in-use", "attaching"))
        self.attach(one, "/dev/xvdbb")
        self.settle()
        self.assertEqual(self.state(one), ("in-use", "attached"))
        self.call("DetachVolume", VolumeId=two)
        self.settle()
        self.assertEqual(self.state(two), ("available",))
        self.clock.advance(60)
        self.attach(two)
        self.settle()
        self.assertEqual(self.state(two), ("in-use", "attached"))

    def test_limit(self) -> None:
        """An instance has a limit of volumes."""
        self.use(self.make(attachments=1))
        one, two = self.create(), self.create()
        self.attach(one)
        asked = {"VolumeId": two, "InstanceId": self.node(), "Device": "/dev/xvdbb"}
        self.refused("AttachmentLimitExceeded", "AttachVolume", **asked)
        self.attach(two, node="node-2")


class DetachTests(EC2Case):
    """Tests of DetachVolume."""

    settings = {"transition_delay": 2.0}

    def attached(self) -> str:
        """Make an attached volume."""
        volume_id = self.create()
        self.attach(volume_id)
        self.settle()
        return volume_id

    def test_states(self) -> None:
        """An attachment is detaching for a time; then the volume is available, without one."""
        volume_id = self.attached()
        got = self.call("DetachVolume", VolumeId=volume_id, InstanceId=self.node())
        self.assertEqual(got["State"], "detaching")
        self.assertEqual(self.state(volume_id), ("in-use", "detaching"))
        # A second request changes nothing.
        self.assertEqual(self.call("DetachVolume", VolumeId=volume_id), got)
        self.settle()
        self.assertEqual(self.state(volume_id), ("available",))
        self.assertEqual(os.listdir(self.cloud.devices_directory), [])
        self.refused("IncorrectState", "DetachVolume", VolumeId=volume_id)
        self.assertEqual(self.cloud.store.ec2.detaches(), {})

    def test_attaching(self) -> None:
        """A volume that is still being attached can be detached, and attached again."""
        volume_id = self.create()
        self.attach(volume_id)
        self.call("DetachVolume", VolumeId=volume_id)
        self.assertEqual(self.state(volume_id), ("in-use", "detaching"))
        self.settle()
        self.assertEqual(self.state(volume_id), ("available",))
        self.attach(volume_id, node="node-2")
        self.settle()
        self.assertEqual(self.state(volume_id), ("in-use", "attached"))

    def test_refused(self) -> None:
        """A detach from the wrong instance or device is refused, and the volume stays."""
        volume_id = self.attached()
        for code, given in (
            ("InvalidAttachment.NotFound", {"InstanceId": self.node("node-2")}),
            ("InvalidAttachment.NotFound", {"Device": "/dev/sdz"}),
            ("InvalidInstanceID.NotFound", {"InstanceId": NO_INSTANCE}),
            ("InvalidVolume.NotFound", {"VolumeId": MISSING}),
        ):
            self.refused(code, "DetachVolume", **{"VolumeId": volume_id, **given})
        self.assertEqual(self.state(volume_id), ("in-use", "attached"))

    def test_root(self) -> None:
        """A root volume stays."""
        filters = [{"Name": "attachment.delete-on-termination", "Values": ["true"]}]
        for volume in self.call("DescribeVolumes", Filters=filters)["Volumes"]:
            asked = {"VolumeId": volume["VolumeId"]}
            self.refused("OperationNotPermitted", "DetachVolume", **asked)


class BusyTests(EC2Case):
    """Tests of detaches of devices that are in use."""

    def setUp(self) -> None:
        super().setUp()
        self.busy = True
        real = FileDevices.detach

        def detach(devices: FileDevices, volume_id: str) -> Any:
            if self.busy:
                return fail(LoopDeviceBusy("it is mounted"))
            return real(devices, volume_id)

        self.patch(FileDevices, "detach", detach)
        self.volume_id = self.create()
        self.attach(self.volume_id)
        self.settle()

    def test_busy(self) -> None:
        """The attachment is busy until the device is free, and then goes, without a request."""
        self.call("DetachVolume", VolumeId=self.volume_id)
        self.settle()
        self.assertEqual(self.state(self.volume_id), ("in-use", "busy"))
        self.assertEqual(self.call("DetachVolume", VolumeId=self.volume_id)["State"], "busy")
        self.clock.pump([1.0] * 5)
        self.assertEqual(self.state(self.volume_id), ("in-use", "busy"))
        [mapping] = [
            each
            for found in self.call("DescribeInstances")["Reservations"]
            for each in found["Instances"][0]["BlockDeviceMappings"]
            if each["DeviceName"] == "/dev/xvdba"
        ]
        self.assertEqual(mapping["Ebs"]["Status"], "detaching")
        self.busy = False
        self.clock.pump([1.0, 0, 0])
        self.assertEqual(self.state(self.volume_id), ("available",))

    def test_restart(self) -> None:
        """A start resumes a busy detach; a stop ends its repetition."""
        self.call("DetachVolume", VolumeId=self.volume_id)
        self.settle()
        self.context.detaches.stop()
        self.busy = False
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.state(self.volume_id), ("in-use", "busy"))
        self.context.detaches.start()
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.state(self.volume_id), ("available",))
