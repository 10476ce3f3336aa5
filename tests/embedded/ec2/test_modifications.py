"""Tests of EC2's modifications of volumes."""

from __future__ import annotations

from typing import Any

from .support import MISSING, EC2Case


class ModificationTests(EC2Case):
    """Tests of ModifyVolume and DescribeVolumesModifications."""

    settings = {"transition_delay": 2.0}
    ec2 = {"optimizing": 10.0, "cooldown": 100.0}

    def modify(self, volume_id: str, **more: Any) -> Any:
        """Request a modification."""
        return self.call("ModifyVolume", VolumeId=volume_id, **more)["VolumeModification"]

    def shown(self, volume_id: str) -> Any:
        """Return a volume's modification."""
        asked = {"VolumeIds": [volume_id]}
        [found] = self.call("DescribeVolumesModifications", **asked)["VolumesModifications"]
        return found

    def test_states(self) -> None:
        """A volume that grows is modifying, then optimizing, then completed, and may cool down."""
        for attached in (False, True):
            volume_id = self.create(VolumeType="gp3")
            if attached:
                self.attach(volume_id)
                self.settle()
            got = self.modify(volume_id, Size=3)
            self.assertEqual(got["ModificationState"], "modifying")
            self.assertEqual((got["OriginalSize"], got["TargetSize"]), (1, 3))
            state = self.state(volume_id)
            self.assertEqual(state, ("in-use", "attached") if attached else ("available",))
            self.refused("IncorrectModificationState", "ModifyVolume", VolumeId=volume_id, Size=4)
            self.clock.pump([2.0, 0.1])
            self.assertEqual(self.volume(volume_id)["Size"], 3)
            self.assertEqual(self.shown(volume_id)["ModificationState"], "optimizing")
            self.refused("IncorrectModificationState", "ModifyVolume", VolumeId=volume_id, Size=4)
            self.clock.advance(10)
            done = self.shown(volume_id)
            self.assertEqual((done["ModificationState"], done["Progress"]), ("completed", 100))
            self.assertEqual((done["EndTime"] - done["StartTime"]).total_seconds(), 12)
            refused = {"VolumeId": volume_id, "Size": 4}
            self.refused("VolumeModificationRateExceeded", "ModifyVolume", **refused)
            self.clock.advance(100)
            self.modify(volume_id, Size=4)
            self.settle()
            self.assertEqual(self.volume(volume_id)["Size"], 4)

    def test_growing(self) -> None:
        """A volume that grows can be attached, detached, copied and deleted, and grows first."""
        self.at_once = False
        volume_id = self.create()
        asked = {"VolumeId": volume_id, "InstanceId": self.node(), "Device": "/dev/xvdba"}
        for size, action, given, state in (
            (2, "AttachVolume", asked, ("in-use", "attached")),
            (3, "DetachVolume", {"VolumeId": volume_id}, ("available",)),
            (4, "CreateSnapshot", {"VolumeId": volume_id}, ("available",)),
        ):
            self.modify(volume_id, Size=size)
            self.call(action, **given)
            self.settle()
            self.assertEqual((self.state(volume_id), self.volume(volume_id)["Size"]), (state, size))
            self.clock.advance(1000)
        [snapshot] = self.call("DescribeSnapshots")["Snapshots"]
        self.assertEqual(snapshot["VolumeSize"], 4)
        self.modify(volume_id, Size=5)
        [copy] = self.call("CopyVolumes", SourceVolumeId=volume_id)["Volumes"]
        self.assertEqual(copy["Size"], 5)
        self.settle()
        self.clock.advance(1000)
        self.modify(volume_id, Size=6)
        self.call("DeleteVolume", VolumeId=volume_id)
        self.refused("InvalidVolume.NotFound", "DescribeVolumes", VolumeIds=[volume_id])

    def test_type(self) -> None:
        """A change of the type or the IOPS leaves the size; what is not named stays."""
        volume_id = self.create(Size=10)
        got = self.modify(volume_id, VolumeType="gp3", Iops=4000)
        self.assertEqual((got["OriginalVolumeType"], got["TargetVolumeType"]), ("gp2", "gp3"))
        volume = self.volume(volume_id)
        found = [volume[name] for name in ("VolumeType", "Iops", "Throughput", "Size", "State")]
        self.assertEqual(found, ["gp3", 4000, 125, 10, "available"])
        self.assertEqual(self.shown(volume_id)["ModificationState"], "modifying")
        self.clock.advance(1000)
        self.assertEqual(self.modify(volume_id, Size=11)["TargetIops"], 4000)

    def test_refused(self) -> None:
        """EC2's codes; the volume stays as it is."""
        volume_id = self.create(Size=2)
        for code, given in (
            ("InvalidParameterValue", {"Size": 1}),
            ("InvalidParameterValue", {"Size": 99999}),
            ("UnknownVolumeType", {"VolumeType": "tape"}),
            ("MissingParameter", {}),
            ("UnsupportedOperation", {"MultiAttachEnabled": True}),
            ("InvalidVolume.NotFound", {"VolumeId": MISSING, "Size": 3}),
        ):
            self.refused(code, "ModifyVolume", **{"VolumeId": volume_id, **given})
        asked = {"VolumeIds": [volume_id]}
        self.refused("InvalidVolumeModification.NotFound", "DescribeVolumesModifications", **asked)
        self.assertEqual(self.call("DescribeVolumesModifications")["VolumesModifications"], [])
        made = self.call("CreateVolume", AvailabilityZone="txstorage-1a", Size=1)["VolumeId"]
        self.refused("IncorrectState", "ModifyVolume", VolumeId=made, Size=2)

    def test_failed(self) -> None:
        """A volume that could not grow has a modification that failed, and its former size."""
        volume_id = self.create()
        self.modify(volume_id, Size=2)
        [record] = [each for each in self.cloud.store.volumes() if not each.root]
        self.cloud.store.set_status(record.volume_id, "error_extending")
        self.assertEqual(self.shown(volume_id)["ModificationState"], "failed")
        self.assertEqual(self.volume(volume_id)["Size"], 1)

    def test_filters(self) -> None:
        """Modifications can be filtered by their state."""
        one, _ = self.create(), self.create()
        self.modify(one, Size=2)
        for state, expected in (("modifying", [one]), ("completed", [])):
            filters = [{"Name": "modification-state", "Values": [state]}]
            found = self.call("DescribeVolumesModifications", Filters=filters)
            self.assertEqual([each["VolumeId"] for each in found["VolumesModifications"]], expected)
