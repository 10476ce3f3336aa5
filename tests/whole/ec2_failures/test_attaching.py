"""Tests of attachments that fail as they do in the field."""

from __future__ import annotations

from typing import Any

from tests.clouds.ec2.support import attachment, refusal, volume, volumes
from txstorage.driver.labels import dataset_labels
from txstorage.errors import (
    AttachmentLimitReached,
    OperationTimedOut,
    RequestRefused,
    UnknownServer,
)
from txstorage.interfaces import AlreadyAttachedVolume

from .support import CLUSTER, OTHER_ZONE, FailureCase


def in_use(form: dict[str, str]) -> Any:
    """EC2's refusal of a device's name that is in use."""
    text = "Invalid value '{0}' for unixDevice. Attachment point {0} is already in use"
    return refusal("InvalidParameterValue", text.format(form["Device"]))


class StuckTests(FailureCase):
    """An attachment that never completes, because its name was used a short time ago."""

    ec2 = {"reuse": 3600.0}

    def test_stuck(self) -> None:
        """
        kubernetes#31891, ebs-csi#795: an attachment that is stuck for 90 s is detached, and asked
        again under another name.
        """
        volume_id = self.attached()
        _, _, first = self.state(volume_id)
        self.get(self.driver.detach_volume(volume_id))
        # A process that knows nothing of the name begins with the same one.
        self.driver = self.make_driver()
        began = self.clock.seconds()
        self.attach(volume_id)
        self.assertTrue(90 < self.clock.seconds() - began < 110)
        status, instance, device = self.state(volume_id)
        self.assertEqual((status, instance), ("in-use", self.here))
        names = [form["Device"] for form in self.face.of("AttachVolume")]
        self.assertEqual(names, [first, first, device])
        self.assertNotEqual(first, device)
        self.assertEqual(self.face.count("DetachVolume"), 2)

    def test_names_take_turns(self) -> None:
        """ebs-csi#795: a name is not used again, so that nothing is stuck, in whatever process."""
        volume_id = self.attached()
        self.driver = self.make_driver()
        for _ in range(4):
            self.get(self.driver.detach_volume(volume_id))
            self.attach(volume_id)
        names = [form["Device"] for form in self.face.of("AttachVolume")]
        self.assertEqual(len(set(names)), 5)
        self.assertEqual(self.face.count("DetachVolume"), 4)

    def test_always_stuck(self) -> None:
        """ebs-csi#1801: the timeout names the volume and its state, and a retry resumes."""
        volume_id = self.attached()
        _, _, name = self.state(volume_id)
        self.get(self.driver.detach_volume(volume_id))
        self.driver = self.make_driver(timeout=40)
        error = self.error(
            self.driver.attach_volume(volume_id, self.here),
            OperationTimedOut,
            f"Can't attach volume {volume_id}: timed out after 40.0 seconds",
            "waiting for the volume to be attached; last seen: attaching",
        )
        self.assertIn("resumes from EC2's current state", error.remedy)
        self.error(self.driver.attach_volume(volume_id, self.here), OperationTimedOut)
        self.assertEqual(self.face.count("AttachVolume"), 2)
        self.attach(volume_id)
        status, instance, device = self.state(volume_id)
        self.assertEqual((status, instance), ("in-use", self.here))
        self.assertNotEqual(device, name)


class AttachTests(FailureCase):
    """Refused and slow attachments."""

    def test_slow(self) -> None:
        """
        ebs-csi#1801: "attaching" is not taken for a failure: the driver waits, sends no second
        request, and a second caller joins.
        """
        volume_id = self.create()
        first = self.driver.attach_volume(volume_id, self.here)
        second = self.make_driver().attach_volume(volume_id, self.here)
        self.assertEqual(self.get(first), self.get(second))
        self.assertEqual(self.face.count("AttachVolume"), 1)
        self.assertEqual(self.state(volume_id)[:2], ("in-use", self.here))

    def test_name_in_use(self) -> None:
        """kubeone#2859: a name that is "already in use" is replaced, and comes last afterwards."""
        volume_id = self.create()
        self.face.script["AttachVolume"] = [in_use, in_use]
        self.attach(volume_id)
        names = [form["Device"] for form in self.face.of("AttachVolume")]
        self.assertEqual(len(set(names)), 3)
        self.assertEqual(self.state(volume_id), ("in-use", self.here, names[2]))
        self.get(self.driver.detach_volume(volume_id))
        self.attach(volume_id)
        self.assertNotIn(self.state(volume_id)[2], names)

    def test_all_names_in_use(self) -> None:
        """kubeone#2859: when no name helps, the error has EC2's reason, after some requests."""
        volume_id = self.create()
        self.face.rules["AttachVolume"] = in_use
        error = self.error(
            self.driver.attach_volume(volume_id, self.here), RequestRefused, "is already in use"
        )
        self.assertEqual(error.kind, "InvalidParameterValue")
        self.assertEqual(self.state(volume_id)[0], "available")
        self.assertLessEqual(self.face.count("AttachVolume"), 15)
        del self.face.rules["AttachVolume"]
        self.attach(volume_id)

    def test_nonsense_name(self) -> None:
        """A name that EC2 does not accept at all is not taken for one that is in use."""
        volume_id = self.create()
        text = "Value ({0}) for parameter device is invalid. {0} is not a valid EBS device name."
        self.face.rules["AttachVolume"] = lambda form: refusal(
            "InvalidParameterValue", text.format(form["Device"])
        )
        self.error(
            self.driver.attach_volume(volume_id, self.here),
            RequestRefused,
            "is not a valid EBS device name",
        )
        self.assertEqual(self.face.count("AttachVolume"), 3)

    def test_limit(self) -> None:
        """rancher#19328, ebs-csi#1174: the limit of attachments is a clear error, at once."""
        self.start(attachments=1)
        self.attached()
        volume_id = self.create()
        error = self.error(
            self.driver.attach_volume(volume_id, self.here),
            AttachmentLimitReached,
            f"Can't attach volume {volume_id} to instance {self.here}: ",
            "Attachment limit exceeded",
            "limit 1",
        )
        self.assertIn("detach a volume that the instance no longer needs", error.remedy)
        self.assertEqual(self.face.count("AttachVolume"), 2)
        # The volume is left for another node, and not made again.
        self.assertEqual(self.state(volume_id)[0], "available")
        self.attach(volume_id, self.there)

    def test_old_limits(self) -> None:
        """ebs-csi#1174: the limit is known by its older codes and texts, too."""
        volume_id = self.create()
        for code, text in (
            ("InstanceLimitExceeded", "Instance limit exceeded"),
            ("InvalidParameterValue", "Maximum number of volumes attached to the instance"),
            ("AttachmentLimitExceeded", "No more"),
        ):
            self.face.script["AttachVolume"] = [refusal(code, text)]
            attach = self.driver.attach_volume(volume_id, self.here)
            self.error(attach, AttachmentLimitReached, volume_id, self.here, text)
        self.assertEqual(self.face.count("AttachVolume"), 3)

    def test_in_use_elsewhere(self) -> None:
        """A volume that another instance has is never taken from it: no request is sent."""
        volume_id = self.create()
        self.attach(volume_id, self.there)
        before = self.face.count("AttachVolume")
        self.error(self.driver.attach_volume(volume_id, self.here), AlreadyAttachedVolume)
        self.assertEqual(self.state(volume_id)[:2], ("in-use", self.there))
        self.assertEqual(self.face.count("AttachVolume"), before)

    def test_two_at_once(self) -> None:
        """Of two nodes that attach at once, one gets the volume; the other has an error."""
        volume_id = self.create()
        here = self.driver.attach_volume(volume_id, self.here)
        other = self.make_driver(instance_id=self.there)
        there = other.attach_volume(volume_id, self.there)
        self.assertEqual(self.get(here).attached_to, self.here)
        self.error(there, AlreadyAttachedVolume)
        self.assertEqual(self.state(volume_id)[:2], ("in-use", self.here))

    def test_two_attachments(self) -> None:
        """A volume with two attachments is taken for attached, and is listed with one of them."""
        labels = {key: str(value) for key, value in dataset_labels(CLUSTER, CLUSTER).items()}
        places = [attachment("attached", each) for each in (self.there, self.here)]
        found = volume(state="in-use", attachments=places, labels=labels)
        self.face.rules["DescribeVolumes"] = lambda form: volumes(found)
        [listed] = self.get(self.driver.list_volumes())
        self.assertIn(listed.attached_to, (self.here, self.there))
        for node in (self.here, self.there):
            attach = self.driver.attach_volume(listed.blockdevice_id, node)
            self.error(attach, AlreadyAttachedVolume)
        self.assertEqual(self.face.count("AttachVolume"), 0)

    def test_other_zone(self) -> None:
        """A volume of another zone can't be attached; the error says where it can."""
        self.driver = self.make_driver(zone=OTHER_ZONE)
        volume_id = self.create()
        error = self.error(
            self.driver.attach_volume(volume_id, self.here),
            RequestRefused,
            f"The volume '{volume_id}' is not in the same availability zone as instance "
            f"'{self.here}'",
        )
        self.assertIn("attach the volume to an instance in the volume's own zone", error.remedy)
        self.assertEqual(self.state(volume_id)[0], "available")

    def test_malformed_instance(self) -> None:
        """An id of no form of EC2's is unknown, without a request."""
        volume_id = self.create()
        for instance_id in ("node-1", "i-XYZ", "11111111-1111-4111-8111-111111111111"):
            self.error(self.driver.attach_volume(volume_id, instance_id), UnknownServer)
        self.error(self.driver.attach_volume(volume_id, "i-0123456789abcdef0"), UnknownServer)
        self.assertEqual(self.face.count("AttachVolume"), 0)
        self.assertEqual(self.state(volume_id)[0], "available")


class LagTests(FailureCase):
    """Descriptions that do not show changes yet."""

    ec2 = {"lag": 3.0}

    def test_life(self) -> None:
        """
        sous-chefs/aws#259: EC2 is eventually consistent: no step of a volume's life takes an old
        description for the present, and none is requested twice.
        """
        volume_id = self.create()
        self.attach(volume_id)
        self.assertEqual(self.state(volume_id)[:2], ("in-use", self.here))
        self.get(self.driver.get_device_path(volume_id))
        self.get(self.driver.detach_volume(volume_id))
        self.assertEqual(self.state(volume_id)[0], "available")
        self.attach(volume_id, self.there)
        self.get(self.driver.detach_volume(volume_id))
        self.get(self.driver.destroy_volume(volume_id))
        self.assertEqual(self.volumes(), [])
        counts = [
            self.face.count(action)
            for action in ("CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume")
        ]
        self.assertEqual(counts, [1, 2, 2, 1])
