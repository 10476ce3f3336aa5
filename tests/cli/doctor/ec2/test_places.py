"""
Tests for ``txstorage.cli.doctor.ec2.zones`` and ``instance``.
"""

from __future__ import annotations

from typing import Any
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.doctor.ec2 import instance
from txstorage.cli.doctor.ec2.instance import AttachmentLimit, disk_kinds
from txstorage.embedded.apis.ec2.resources import zones

from .support import ZONE, EC2DoctorTestCase


class ZoneTests(EC2DoctorTestCase):
    """The zone of new volumes, and the instance's."""

    def test_unknown(self) -> None:
        """A zone that the region does not have is a failure, with those that it has."""
        self.write_config(zone="txstorage-1c")
        outcome, detail, remedy = self.finding("zone", exit_code=1)
        self.assertEqual(outcome, "fail")
        self.assertIn("has no zone txstorage-1c for this account; it has: txstorage-1a, ", detail)
        self.assertIn("correct 'zone'", remedy)

    def test_impaired(self) -> None:
        """A zone that is not available is a warning."""
        real = zones.describe_zones

        def impaired(call: Any) -> Any:
            content = real(call)
            content["availabilityZoneInfo"][0]["zoneState"] = "impaired"
            return content

        with mock.patch.dict(
            "txstorage.embedded.apis.ec2.face.ACTIONS",
            {"DescribeAvailabilityZones": ("ec2", impaired)},
        ):
            outcome, detail, _ = self.finding("zone")
        self.assertEqual(
            (outcome, detail), ("warning", f"the zone {ZONE} is impaired at the moment")
        )

    def test_denied(self) -> None:
        """Without the permission, which the driver does not need, the zone is not checked."""
        self.start_cloud(denied=("DescribeAvailabilityZones",))
        outcome, detail, _ = self.finding("zone")
        self.assertEqual(outcome, "skipped")
        self.assertIn("UnauthorizedOperation", detail)

    def test_other_zone(self) -> None:
        """An instance in another zone than the new volumes is a failure that names both."""
        self.write_config(zone="txstorage-1b")
        found = self.diagnose(1)
        self.assertEqual(found["zone"]["outcome"], "ok")
        step = found["instance"]
        self.assertEqual(step["outcome"], "fail")
        self.assertIn(f"made in txstorage-1b, but {self.node} is in txstorage-1a", step["detail"])
        self.assertIn(
            "set 'zone' to txstorage-1a, or run this node in txstorage-1b", step["remedy"]
        )
        self.assertEqual(found["attachments"]["outcome"], "skipped")


class AttachmentsTests(EC2DoctorTestCase):
    """The number of attachments."""

    def attach(self, number: int) -> None:
        """Attach new volumes."""
        for _ in range(number):
            self.document("volumes", "attach", self.create())

    def test_room(self) -> None:
        """The root volume counts, as the limit includes it; each volume has a name."""
        self.attach(1)
        outcome, detail, _ = self.finding("attachments")
        self.assertEqual(outcome, "ok")
        self.assertIn("2 of at most 28 attached", detail)
        self.assertIn("95 of 96 device names are free", detail)

    def test_full(self) -> None:
        """An instance that can have no other volume is a failure."""
        self.start_cloud(attachments=2)
        self.attach(2)
        outcome, detail, remedy = self.finding("attachments", exit_code=1)
        self.assertEqual(outcome, "fail")
        self.assertIn("no volume can be attached: 3 of at most 3 attached", detail)
        self.assertIn("detach volumes", remedy)

    def test_nearly_full(self) -> None:
        """An instance that can have one more is a warning."""
        self.start_cloud(attachments=9)
        self.attach(8)
        self.assertEqual(self.finding("attachments")[0], "warning")

    def test_unknown_limit(self) -> None:
        """Without the permission, which the driver does not need, the limit is not known."""
        self.start_cloud(denied=("DescribeInstanceTypes",))
        outcome, detail, _ = self.finding("attachments")
        self.assertEqual(outcome, "ok")
        self.assertIn("1 of at most an unknown number attached", detail)


class LimitTests(SynchronousTestCase):
    """The attachments that count."""

    def test_shared(self) -> None:
        """Network interfaces and local disks count only where the limit is shared."""
        described = {"BlockDeviceMappings": [{}, {}], "NetworkInterfaces": [{}, {}, {}]}
        disks = {"Disks": [{"Count": 2}, {"Count": 1}]}
        for kind, taken in (("shared", 8), ("dedicated", 2), (None, 2)):
            ebs = {"MaximumEbsAttachments": 28, "AttachmentLimitType": kind}
            found = AttachmentLimit.of(described, {"EbsInfo": ebs, "InstanceStorageInfo": disks})
            self.assertEqual(found, AttachmentLimit(28, taken))
        self.assertEqual(AttachmentLimit.of({}, {}), AttachmentLimit(None, 0))


class DiskTests(EC2DoctorTestCase):
    """The disks of this machine."""

    def test_kinds(self) -> None:
        """The kernel's names distinguish NVMe from Xen; other disks are not EC2's."""
        names = ["nvme0n1", "nvme1n1", "xvda", "xvdb", "loop0", "sda", "vda"]
        self.assertEqual(
            disk_kinds(names),
            {
                "NVMe, found by serial number": 2,
                "Xen, found by name and size": 2,
                "loop devices of the embedded service": 1,
            },
        )

    def test_step(self) -> None:
        """The step counts the disks of each kind; without any, it has nothing to report."""
        self.write_config(device_directory=None)
        for names, expected in (
            (["nvme0n1", "nvme1n1"], ("ok", "2 NVMe, found by serial number")),
            (["xvda"], ("ok", "1 Xen, found by name and size")),
            (["sda"], ("skipped", "this machine has neither NVMe nor Xen disks")),
        ):
            devices = [mock.Mock() for _ in names]
            for device, name in zip(devices, names):
                device.name = name
            self.patch(instance, "read_block_devices", lambda sysfs, found=devices: found)
            self.assertEqual(self.finding("device names")[:2], expected)
