"""Tests of describes that are behind."""

from __future__ import annotations

from .support import EC2Case
from .test_volumes import tagged


class LagTests(EC2Case):
    """Tests with a lag."""

    ec2 = {"lag": 5.0}

    def test_volume(self) -> None:
        """A new volume is not found for a time, though an action finds it."""
        volume_id = self.create(TagSpecifications=tagged(a="b"))
        self.refused("InvalidVolume.NotFound", "DescribeVolumes", VolumeIds=[volume_id])
        filters = [{"Name": "tag:a", "Values": ["b"]}]
        self.assertEqual(self.ids(Filters=filters), [])
        self.attach(volume_id)
        self.settle()
        self.clock.advance(5)
        self.assertEqual(self.ids(Filters=filters), [volume_id])
        self.assertEqual(self.state(volume_id), ("in-use", "attached"))

    def test_change(self) -> None:
        """A change is seen late, everywhere at once."""
        volume_id = self.create()
        self.clock.advance(5)
        self.assertEqual(self.state(volume_id), ("available",))
        self.clock.advance(5)
        self.attach(volume_id)
        snapshot_id = self.call("CreateSnapshot", VolumeId=volume_id)["SnapshotId"]
        self.assertEqual(self.state(volume_id), ("available",))
        self.assertEqual(self.call("DescribeSnapshots")["Snapshots"], [])
        asked = {"SnapshotIds": [snapshot_id]}
        self.refused("InvalidSnapshot.NotFound", "DescribeSnapshots", **asked)
        [found] = self.call("DescribeInstances", InstanceIds=[self.node()])["Reservations"]
        self.assertEqual(len(found["Instances"][0]["BlockDeviceMappings"]), 1)
        self.clock.advance(5)
        self.assertEqual(self.state(volume_id), ("in-use", "attached"))
        self.assertEqual(len(self.call("DescribeSnapshots", **asked)["Snapshots"]), 1)
        [found] = self.call("DescribeInstances", InstanceIds=[self.node()])["Reservations"]
        self.assertEqual(len(found["Instances"][0]["BlockDeviceMappings"]), 2)

    def test_modification(self) -> None:
        """A modification is seen late."""
        volume_id = self.create()
        self.clock.advance(5)
        self.state(volume_id)
        self.call("ModifyVolume", VolumeId=volume_id, Size=2)
        self.settle()
        self.assertEqual(self.call("DescribeVolumesModifications")["VolumesModifications"], [])
        self.clock.advance(5)
        [found] = self.call("DescribeVolumesModifications")["VolumesModifications"]
        self.assertEqual(found["VolumeId"], volume_id)

    def test_pages(self) -> None:
        """Pages of a copy list each volume once."""
        made = [self.create() for _ in range(8)]
        self.clock.advance(5)
        first = self.call("DescribeVolumes", MaxResults=5)
        rest = self.call("DescribeVolumes", MaxResults=5, NextToken=first["NextToken"])
        both = [each["VolumeId"] for each in first["Volumes"] + rest["Volumes"]]
        self.assertEqual(both[: len(made)], made[::-1])
        self.assertNotIn("NextToken", rest)
