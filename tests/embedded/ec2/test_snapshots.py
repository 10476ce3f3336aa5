"""Tests of EC2's snapshots."""

from __future__ import annotations

import os

from .support import EC2Case
from .test_volumes import tagged

MISSING = "snap-0123456789abcdef0"


class SnapshotTests(EC2Case):
    """Tests of the actions on snapshots."""

    settings = {"transition_delay": 2.0}

    def snapshot(self, volume_id: str, **more: str) -> str:
        """Make a completed snapshot."""
        made: str = self.call("CreateSnapshot", VolumeId=volume_id, **more)["SnapshotId"]
        self.settle()
        return made

    def test_states(self) -> None:
        """A snapshot is pending for a time, then completed, and gone when it is deleted."""
        volume_id = self.create(Size=2)
        asked = {"Description": "d", "TagSpecifications": tagged("snapshot", a="b")}
        made = self.call("CreateSnapshot", VolumeId=volume_id, **asked)
        self.assertRegex(made["SnapshotId"], r"snap-[0-9a-f]{17}\Z")
        self.assertEqual((made["State"], made["Progress"]), ("pending", "0%"))
        self.settle()
        [found] = self.call("DescribeSnapshots", SnapshotIds=[made["SnapshotId"]])["Snapshots"]
        self.assertEqual(found, {**made, "State": "completed", "Progress": "100%"})
        self.assertEqual((found["VolumeId"], found["VolumeSize"]), (volume_id, 2))
        self.call("DeleteSnapshot", SnapshotId=made["SnapshotId"])
        for action in ("DeleteSnapshot", "DescribeSnapshots"):
            name = "SnapshotIds" if action.startswith("Describe") else "SnapshotId"
            value = [made["SnapshotId"]] if name == "SnapshotIds" else made["SnapshotId"]
            self.refused("InvalidSnapshot.NotFound", action, **{name: value})
        self.assertEqual(self.call("DescribeSnapshots")["Snapshots"], [])
        self.settle()
        self.assertEqual(self.cloud.store.snapshots.every(), [])

    def test_restore(self) -> None:
        """A volume from a snapshot has its data, and is not smaller."""
        volume_id = self.create(Size=2)
        [record] = [each for each in self.cloud.store.volumes() if not each.root]
        files = os.path.join(os.path.dirname(self.cloud.devices_directory), "volumes")
        with open(os.path.join(files, "volume-" + record.volume_id), "r+b") as opened:
            opened.write(b"data")
        pending = self.call("CreateSnapshot", VolumeId=volume_id)["SnapshotId"]
        asked = {"AvailabilityZone": "txstorage-1b", "SnapshotId": pending}
        self.refused("IncorrectState", "CreateVolume", **asked)
        self.settle()
        self.refused("InvalidParameterValue", "CreateVolume", **{**asked, "Size": 1})
        made = self.call("CreateVolume", **asked)
        self.assertEqual((made["Size"], made["SnapshotId"]), (2, pending))
        self.settle()
        self.assertEqual(self.state(made["VolumeId"]), ("available",))
        [copy] = [each for each in self.cloud.store.volumes() if each.snapshot_id]
        with open(os.path.join(files, "volume-" + copy.volume_id), "rb") as opened:
            self.assertEqual(opened.read(4), b"data")

    def test_backed_up(self) -> None:
        """A volume, and a snapshot, that Block Storage backs up or offers are whole."""
        volume_id = self.create()
        made = self.snapshot(volume_id)
        store = self.cloud.store
        [record] = [each for each in store.volumes() if not each.root]
        for status in ("backing-up", "awaiting-transfer"):
            store.set_status(record.volume_id, status)
            self.assertEqual(self.state(volume_id), ("available",))
        [snapshot] = store.snapshots.every()
        store.snapshots.set_status(snapshot.snapshot_id, "backing-up")
        [found] = self.call("DescribeSnapshots", SnapshotIds=[made])["Snapshots"]
        self.assertEqual((found["State"], found["Progress"]), ("completed", "100%"))

    def test_delete_pending(self) -> None:
        """A pending snapshot can be deleted, and leaves nothing."""
        made = self.call("CreateSnapshot", VolumeId=self.create())["SnapshotId"]
        self.call("DeleteSnapshot", SnapshotId=made)
        self.settle()
        self.settle()
        self.assertEqual(self.cloud.store.snapshots.every(), [])

    def test_refused(self) -> None:
        """EC2's codes; nothing is made."""
        made = self.call("CreateVolume", AvailabilityZone="txstorage-1a", Size=1)["VolumeId"]
        self.refused("IncorrectState", "CreateSnapshot", VolumeId=made)
        self.refused("InvalidVolume.NotFound", "CreateSnapshot", VolumeId="vol-0123456789abcdef0")
        self.refused("InvalidSnapshot.NotFound", "DeleteSnapshot", SnapshotId=MISSING)
        self.refused("InvalidSnapshotID.Malformed", "DeleteSnapshot", SnapshotId="snap-1")
        self.assertEqual(self.call("DescribeSnapshots")["Snapshots"], [])

    def test_filters(self) -> None:
        """Filters, owners and pages."""
        volume_id, other = self.create(), self.create(Size=2)
        one = self.snapshot(volume_id, TagSpecifications=tagged("snapshot", a="b"))
        two = self.snapshot(other, Description="two")
        for given, expected in (
            ({}, [two, one]),
            ({"OwnerIds": ["self"]}, [two, one]),
            ({"OwnerIds": ["amazon"]}, []),
            ({"Filters": [{"Name": "tag:a", "Values": ["b"]}]}, [one]),
            ({"Filters": [{"Name": "volume-id", "Values": [other]}]}, [two]),
            ({"Filters": [{"Name": "volume-size", "Values": ["2"]}]}, [two]),
            ({"Filters": [{"Name": "status", "Values": ["completed"]}]}, [two, one]),
            ({"Filters": [{"Name": "description", "Values": ["t*"]}]}, [two]),
            ({"MaxResults": 5}, [two, one]),
        ):
            found = self.call("DescribeSnapshots", **given)["Snapshots"]
            self.assertEqual([each["SnapshotId"] for each in found], expected, given)
