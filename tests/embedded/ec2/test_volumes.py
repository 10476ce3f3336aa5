"""Tests of EC2's volumes."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

import attr

from txstorage.embedded.apis.ec2.resources import volumes
from txstorage.embedded.store.ec2.tables import EC2Tables
from txstorage.embedded.store.records import NewSnapshot, NewVolume

from .support import MISSING, OTHER_ZONE, ZONE, EC2Case, Refused


def tagged(resource: str = "volume", **tags: str) -> list[dict[str, Any]]:
    """Return the parameter with the tags of a new resource."""
    each = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceType": resource, "Tags": each}]


class CreateTests(EC2Case):
    """Tests of CreateVolume."""

    settings = {"transition_delay": 2.0}

    def asked(self, **more: Any) -> dict[str, Any]:
        """Return the parameters of a request."""
        return {"AvailabilityZone": ZONE, "Size": 2, **more}

    def test_states(self) -> None:
        """A volume is creating for a time, and then available, with a file of its size."""
        made = self.call(
            "CreateVolume", **self.asked(TagSpecifications=tagged(Name="x", cluster="c"))
        )
        volume_id = made["VolumeId"]
        self.assertRegex(volume_id, r"vol-[0-9a-f]{17}\Z")
        self.assertEqual((made["State"], made["Size"], made["VolumeType"]), ("creating", 2, "gp2"))
        self.assertEqual(self.state(volume_id), ("creating",))
        self.settle()
        volume = self.volume(volume_id)
        self.assertEqual(volume, {**made, "State": "available"})
        self.assertEqual(
            volume["Tags"], [{"Key": "Name", "Value": "x"}, {"Key": "cluster", "Value": "c"}]
        )
        [record] = [each for each in self.cloud.store.volumes() if not each.root]
        self.assertEqual(record.volume_id.replace("-", "")[:17], volume_id[4:])
        self.assertEqual((record.name, record.metadata["cluster"]), ("x", "c"))
        files = os.path.join(os.path.dirname(self.cloud.devices_directory), "volumes")
        self.assertEqual(
            os.path.getsize(os.path.join(files, "volume-" + record.volume_id)), 2 * 2**30
        )

    def test_other_project(self) -> None:
        """Volumes and snapshots of other projects than the first are not in EC2."""
        store = self.cloud.store
        new = attr.evolve(NewVolume("n", None, 1, "gold", {}), project_id="p")
        volume_id = store.add_volume(new).volume_id
        snapshot = attr.evolve(NewSnapshot(volume_id, None, None, 1, "gold", {}), project_id="p")
        snapshot_id = store.snapshots.add(snapshot).snapshot_id
        vol = "vol-" + volume_id.replace("-", "")[:17]
        snap = "snap-" + snapshot_id.replace("-", "")[:17]
        own = self.call("CreateVolume", **self.asked())["VolumeId"]
        listed = [each["VolumeId"] for each in self.call("DescribeVolumes")["Volumes"]]
        self.assertEqual((own in listed, vol in listed), (True, False))
        self.assertEqual(self.call("DescribeSnapshots")["Snapshots"], [])
        for action, parameters, code in (
            ("DescribeVolumes", {"VolumeIds": [vol]}, "InvalidVolume.NotFound"),
            ("DeleteVolume", {"VolumeId": vol}, "InvalidVolume.NotFound"),
            ("CreateSnapshot", {"VolumeId": vol}, "InvalidVolume.NotFound"),
            ("DeleteSnapshot", {"SnapshotId": snap}, "InvalidSnapshot.NotFound"),
        ):
            error = self.assertRaises(Refused, self.call, action, **parameters)
            self.assertEqual(error.code, code, action)

    def test_transferred(self) -> None:
        """A modified volume that was transferred to another project is not in EC2 any more."""
        volume_id = self.create()
        self.call("ModifyVolume", VolumeId=volume_id, Size=2)
        self.settle()
        store = self.cloud.store
        [volume] = [each for each in store.volumes() if not each.root]
        transfer = store.transfers.add(volume, None, False, "salt", "digest")
        shown = self.call("DescribeVolumesModifications")["VolumesModifications"]
        self.assertEqual([each["VolumeId"] for each in shown], [volume_id])
        store.transfers.accept(transfer, "other", "user")
        self.assertEqual(self.call("DescribeVolumesModifications")["VolumesModifications"], [])
        self.refused("InvalidVolume.NotFound", "DescribeVolumes", VolumeIds=[volume_id])

    def test_types(self) -> None:
        """Each type has its limits, its default IOPS and its throughput."""
        for given, iops, throughput in (
            ({"VolumeType": "gp3"}, 3000, 125),
            ({"VolumeType": "gp3", "Iops": 4000, "Throughput": 500, "Size": 10}, 4000, 500),
            ({"VolumeType": "gp2", "Size": 100}, 300, None),
            ({"VolumeType": "io1", "Iops": 200, "Size": 4}, 200, None),
            ({"VolumeType": "standard"}, None, None),
            ({"VolumeType": "st1", "Size": 125}, None, None),
        ):
            made = self.call("CreateVolume", **self.asked(**given))
            found = made["VolumeType"], made.get("Iops"), made.get("Throughput")
            self.assertEqual(found, (given["VolumeType"], iops, throughput))

    def test_refused(self) -> None:
        """EC2's codes for requests that it refuses; nothing is made."""
        for code, given in (
            ("InvalidZone.NotFound", {"AvailabilityZone": "us-east-1a"}),
            ("UnknownVolumeType", {"VolumeType": "floppy"}),
            ("InvalidParameterValue", {"Size": 99999999}),
            ("InvalidParameterValue", {"Size": 0}),
            ("InvalidParameterValue", {"VolumeType": "io1", "Size": 3, "Iops": 100}),
            ("MissingParameter", {"VolumeType": "io1", "Size": 4}),
            ("InvalidParameterValue", {"VolumeType": "io1", "Size": 4, "Iops": 201}),
            ("InvalidParameterCombination", {"VolumeType": "gp2", "Iops": 300}),
            ("InvalidParameterCombination", {"VolumeType": "gp2", "Throughput": 300}),
            ("InvalidParameterValue", {"VolumeType": "gp3", "Throughput": 5000}),
            ("InvalidParameterValue", {"VolumeType": "gp3", "Throughput": 800}),
            ("InvalidSnapshot.NotFound", {"SnapshotId": "snap-0123456789abcdef0"}),
            ("InvalidSnapshotID.Malformed", {"SnapshotId": "snap-x"}),
            ("UnsupportedOperation", {"Encrypted": True}),
            ("UnsupportedOperation", {"MultiAttachEnabled": True}),
            ("InvalidParameterValue", {"TagSpecifications": tagged("instance", a="b")}),
            ("InvalidParameterValue", {"TagSpecifications": tagged(**{"aws:x": "b"})}),
            (
                "TagLimitExceeded",
                {"TagSpecifications": tagged(**{str(each): "" for each in range(51)})},
            ),
        ):
            self.refused(code, "CreateVolume", **self.asked(**given))
        self.refused("MissingParameter", "CreateVolume", AvailabilityZone=ZONE)
        self.assertEqual(self.ids(), [])

    def test_token(self) -> None:
        """A client token stands for one volume; with other parameters it is refused."""
        asked = self.asked(ClientToken="t", TagSpecifications=tagged(a="b"))
        first = self.call("CreateVolume", **asked)
        self.assertEqual(self.call("CreateVolume", **asked), first)
        self.settle()
        again = self.call("CreateVolume", **asked)
        self.assertEqual(again, {**first, "State": "available"})
        self.refused("IdempotentParameterMismatch", "CreateVolume", **{**asked, "Size": 3})
        self.assertEqual(self.ids(), [first["VolumeId"]])
        other = self.call("CreateVolume", **{**asked, "ClientToken": "u"})
        self.assertNotEqual(other["VolumeId"], first["VolumeId"])

    def test_burnt_token(self) -> None:
        """The token of a volume that is gone returns that volume, which is not found."""
        asked = self.asked(ClientToken="t")
        first = self.call("CreateVolume", **asked)
        self.settle()
        self.call("DeleteVolume", VolumeId=first["VolumeId"])
        self.settle()
        again = self.call("CreateVolume", **asked)
        self.assertEqual(again, first)
        self.refused("InvalidVolume.NotFound", "DescribeVolumes", VolumeIds=[first["VolumeId"]])

    def test_inaccessible_key(self) -> None:
        """With a key that can't be used, the request succeeds, and the volume is never seen."""
        asked = self.asked(ClientToken="t", KmsKeyId="alias/x", Encrypted=True)
        made = self.call("CreateVolume", **asked)
        self.assertEqual(made["State"], "creating")
        self.settle()
        self.refused("InvalidVolume.NotFound", "DescribeVolumes", VolumeIds=[made["VolumeId"]])
        self.assertEqual(self.call("CreateVolume", **asked)["VolumeId"], made["VolumeId"])

    def test_forgotten_token(self) -> None:
        """A token is forgotten after a day."""
        asked = self.asked(ClientToken="t")
        first = self.call("CreateVolume", **asked)
        self.clock.advance(86401)
        self.call("CreateVolume", **self.asked(ClientToken="u"))
        self.assertNotEqual(self.call("CreateVolume", **asked)["VolumeId"], first["VolumeId"])

    def test_quota(self) -> None:
        """The quota of the service holds."""
        self.settings = {"max_volumes": 1, "max_gigabytes": 10}
        self.use(self.make())
        self.refused("VolumeLimitExceeded", "CreateVolume", **self.asked(Size=11))
        self.call("CreateVolume", **self.asked())
        self.refused("VolumeLimitExceeded", "CreateVolume", **self.asked())

    def test_quota_of_type(self) -> None:
        """The quota of OpenStack's volume type is for EC2's volumes, too."""
        self.create()
        [kind] = {each.volume_type for each in self.context.store.volumes() if not each.root}
        self.context.store.quotas.set(None, {"volumes_" + kind: 1})
        self.refused("VolumeLimitExceeded", "CreateVolume", **self.asked())

    def test_same_digits(self) -> None:
        """A volume with the 17 digits of another is not made."""
        found = ["one", "two"]
        with mock.patch.object(EC2Tables, "with_prefix", lambda *_: found):
            self.refused("InternalError", "CreateVolume", **self.asked())
        self.assertEqual(self.ids(), [])


class CopyTests(EC2Case):
    """Tests of CopyVolumes."""

    def copied(self, volume_id: str, **more: Any) -> dict[str, Any]:
        """Copy a volume, and return the copy."""
        [made] = self.call("CopyVolumes", SourceVolumeId=volume_id, **more)["Volumes"]
        self.settle()
        return self.volume(made["VolumeId"])

    def test_copy(self) -> None:
        """A copy has the data, the zone, the type and the size, unless the request has others."""
        volume_id = self.create(AvailabilityZone=OTHER_ZONE, Size=4, VolumeType="io1", Iops=150)
        [record] = [each for each in self.cloud.store.volumes() if not each.root]
        files = os.path.join(os.path.dirname(self.cloud.devices_directory), "volumes")
        with open(os.path.join(files, "volume-" + record.volume_id), "r+b") as opened:
            opened.write(b"data")
        copy = self.copied(volume_id, TagSpecifications=tagged(a="b"))
        names = ("AvailabilityZone", "Size", "VolumeType", "Iops", "SourceVolumeId", "State")
        found = [copy[name] for name in names]
        self.assertEqual(found, [OTHER_ZONE, 4, "io1", 150, volume_id, "available"])
        self.assertEqual(copy["Tags"], [{"Key": "a", "Value": "b"}])
        [stored] = [each for each in self.cloud.store.volumes() if each.source_volid]
        with open(os.path.join(files, "volume-" + stored.volume_id), "rb") as opened:
            self.assertEqual(opened.read(4), b"data")
        other = self.copied(volume_id, VolumeType="gp3", Size=5)
        found = [other[name] for name in ("Size", "VolumeType", "Iops", "Throughput")]
        self.assertEqual(found, [5, "gp3", 3000, 125])

    def test_token(self) -> None:
        """A client token stands for one copy, also when the copy or the source is gone."""
        volume_id = self.create()
        copy = self.copied(volume_id, ClientToken="t")
        self.assertEqual(self.copied(volume_id, ClientToken="t"), copy)
        asked = {"SourceVolumeId": volume_id, "Size": 2, "ClientToken": "t"}
        self.refused("IdempotentParameterMismatch", "CopyVolumes", **asked)
        for each in (copy["VolumeId"], volume_id):
            self.call("DeleteVolume", VolumeId=each)
            self.settle()
        [again] = self.call("CopyVolumes", SourceVolumeId=volume_id, ClientToken="t")["Volumes"]
        self.assertEqual(again["VolumeId"], copy["VolumeId"])

    def test_refused(self) -> None:
        """EC2's codes; nothing is made."""
        volume_id = self.create(Size=2)
        for code, given in (
            ("InvalidVolume.NotFound", {"SourceVolumeId": MISSING}),
            ("InvalidParameterValue", {"Size": 1}),
            ("UnknownVolumeType", {"VolumeType": "tape"}),
        ):
            self.refused(code, "CopyVolumes", **{"SourceVolumeId": volume_id, **given})
        self.refused("MissingParameter", "CopyVolumes")
        self.assertEqual(self.ids(), [volume_id])


class DeleteTests(EC2Case):
    """Tests of DeleteVolume."""

    settings = {"transition_delay": 2.0}

    def test_states(self) -> None:
        """A volume is deleting for a time, and then not found."""
        volume_id = self.create()
        for _ in range(2):
            self.call("DeleteVolume", VolumeId=volume_id)
            self.assertEqual(self.state(volume_id), ("deleting",))
        self.settle()
        self.refused("InvalidVolume.NotFound", "DescribeVolumes", VolumeIds=[volume_id])
        self.refused("InvalidVolume.NotFound", "DeleteVolume", VolumeId=volume_id)

    def test_refused(self) -> None:
        """A volume that is attached or being created stays."""
        made = self.call("CreateVolume", AvailabilityZone=ZONE, Size=1)
        self.refused("IncorrectState", "DeleteVolume", VolumeId=made["VolumeId"])
        self.settle()
        self.attach(made["VolumeId"])
        self.refused("VolumeInUse", "DeleteVolume", VolumeId=made["VolumeId"])
        self.settle()
        self.refused("VolumeInUse", "DeleteVolume", VolumeId=made["VolumeId"])

    def test_with_snapshot(self) -> None:
        """A volume that has a snapshot is gone for EC2's clients; its file goes with the last."""
        volume_id = self.create(TagSpecifications=tagged(a="b"))
        snapshot_id, other = (
            self.call("CreateSnapshot", VolumeId=volume_id)["SnapshotId"] for _ in range(2)
        )
        self.settle()
        self.call("DeleteVolume", VolumeId=volume_id)
        self.refused("InvalidVolume.NotFound", "DescribeVolumes", VolumeIds=[volume_id])
        self.assertEqual(self.ids(), [])
        [record] = [each for each in self.cloud.store.volumes() if not each.root]
        self.assertEqual((record.status, record.metadata), ("available", {}))
        self.call("DeleteSnapshot", SnapshotId=other)
        self.settle()
        self.settle()
        copy = self.create(SnapshotId=snapshot_id)
        self.assertEqual(self.cloud.store.volume(record.volume_id), record)
        self.call("DeleteSnapshot", SnapshotId=snapshot_id)
        self.settle()
        self.settle()
        self.assertEqual(
            [
                each.volume_id.replace("-", "")[:17]
                for each in self.cloud.store.volumes()
                if not each.root
            ],
            [copy[4:]],
        )


class DescribeTests(EC2Case):
    """Tests of DescribeVolumes."""

    def test_ids(self) -> None:
        """Ids are checked, and all must exist."""
        volume_id = self.create()
        for code, wrong in (
            ("InvalidVolume.NotFound", MISSING),
            ("InvalidVolume.NotFound", "vol-01234567"),
            ("InvalidVolumeID.Malformed", "vol-123"),
            ("InvalidVolumeID.Malformed", "vol-0123456789ABCDEF0"),
            ("InvalidParameterValue", "i-0123456789abcdef0"),
            ("InvalidParameterValue", "nonsense"),
        ):
            self.refused(code, "DescribeVolumes", VolumeIds=[volume_id, wrong])
        self.assertEqual(self.ids(VolumeIds=[volume_id, volume_id]), [volume_id])

    def test_filters(self) -> None:
        """Filters are patterns; values are alternatives, filters are all to match."""
        one = self.create(TagSpecifications=tagged(a="b", name="x*y"))
        two = self.create(Size=5, VolumeType="gp3", TagSpecifications=tagged(a="c"))
        three = self.create(AvailabilityZone=OTHER_ZONE)
        self.attach(one)
        self.settle()
        for name, values, expected in (
            ("tag:a", ["b"], [one]),
            ("tag:a", ["b", "c"], [two, one]),
            ("tag:a", ["?"], [two, one]),
            ("tag:a", ["B"], []),
            ("tag:name", [r"x\*y"], [one]),
            ("tag:name", [r"\x*"], [one]),
            ("tag-key", ["n*"], [one]),
            ("status", ["in-use"], [one]),
            ("status", ["available"], [three, two]),
            ("size", ["5"], [two]),
            ("volume-type", ["gp3"], [two]),
            ("availability-zone", [OTHER_ZONE], [three]),
            ("attachment.instance-id", [self.node()], [one]),
            ("attachment.status", ["attached"], [one]),
            ("attachment.device", ["/dev/xvdba"], [one]),
            ("volume-id", [one, two], [two, one]),
            ("encrypted", ["false"], [three, two, one]),
        ):
            filters = [{"Name": name, "Values": values}]
            self.assertEqual(self.ids(Filters=filters), expected, (name, values))
        both = [{"Name": "tag:a", "Values": ["*"]}, {"Name": "size", "Values": ["5"]}]
        self.assertEqual(self.ids(Filters=both), [two])
        self.assertEqual(self.ids(Filters=both, VolumeIds=[one]), [])
        unknown = [{"Name": "colour", "Values": ["red"]}]
        self.refused("InvalidParameterValue", "DescribeVolumes", Filters=unknown)

    def test_pages(self) -> None:
        """Pages list each volume once, also with a filter and with volumes made meanwhile."""
        made = [self.create(TagSpecifications=tagged(a="b")) for _ in range(12)]
        filters = [{"Name": "tag:a", "Values": ["b"]}]
        found: list[str] = []
        token, sizes = None, []
        while token is not None or not sizes:
            more = {} if token is None else {"NextToken": token}
            got = self.call("DescribeVolumes", Filters=filters, MaxResults=5, **more)
            sizes.append(len(got["Volumes"]))
            found += [each["VolumeId"] for each in got["Volumes"]]
            token = got.get("NextToken")
            self.create(TagSpecifications=tagged(a="b"))
        self.assertEqual((sizes, found), ([5, 5, 2], made[::-1]))

    def test_slices(self) -> None:
        """A list that is looked at in slices has each volume, on each page, also with a lag."""
        self.patch(volumes, "_SLICE", 2)
        for lag in (0.0, 5.0):
            self.use(self.make(lag=lag))
            made = [self.create(TagSpecifications=tagged(a="b")) for _ in range(9)]
            self.clock.advance(5)
            filters = [{"Name": "tag:a", "Values": ["*"]}]
            self.assertEqual(self.ids(Filters=filters), made[::-1])
            first = self.call("DescribeVolumes", Filters=filters, MaxResults=5)
            self.assertEqual([each["VolumeId"] for each in first["Volumes"]], made[:3:-1])
            more = {"MaxResults": 5, "NextToken": first["NextToken"]}
            self.assertEqual(self.ids(Filters=filters, **more), made[3::-1])
            keys = [{"Name": "key", "Values": ["a"]}]
            tags = self.call("DescribeTags", Filters=keys)["Tags"]
            self.assertEqual([each["ResourceId"] for each in tags], made[::-1])

    def test_page_limits(self) -> None:
        """Wrong pages are refused; a list without a page is bounded."""
        volume_id = self.create()
        for code, given in (
            ("InvalidParameterValue", {"MaxResults": 4}),
            ("InvalidParameterCombination", {"MaxResults": 5, "VolumeIds": [volume_id]}),
            ("InvalidNextToken", {"NextToken": "x"}),
            ("InvalidNextToken", {"NextToken": "WzEsICJ4Il0="}),
        ):
            self.refused(code, "DescribeVolumes", **given)
        self.settings = {"page_size": 3}
        self.use(self.make())
        for _ in range(4):
            self.create()
        self.assertEqual(len(self.call("DescribeVolumes")["Volumes"]), 3)

    def test_openstack(self) -> None:
        """A volume of OpenStack's clients has a type of EC2's, and their labels as tags."""
        new = NewVolume("n", None, 10, "gold", {"k": "a\x00b"})
        record = self.cloud.store.add_volume(new)
        volume = self.volume("vol-" + record.volume_id.replace("-", "")[:17])
        self.assertEqual((volume["VolumeType"], volume["Iops"]), ("io1", 300))
        self.assertEqual(volume["AvailabilityZone"], ZONE)
        self.assertEqual(volume["Tags"], [{"Key": "k", "Value": "a\ufffdb"}])

    def test_statuses(self) -> None:
        """Each status of the store has a state that EC2 knows."""
        volume_id = self.create()
        [record] = [each for each in self.cloud.store.volumes() if not each.root]
        for status, state in (
            ("error", "error"),
            ("error_deleting", "error"),
            ("error_extending", "available"),
            ("extending", "available"),
            ("maintenance", "error"),
        ):
            self.cloud.store.set_status(record.volume_id, status)
            self.assertEqual(self.state(volume_id), (state,))


class RefusedTests(EC2Case):
    """Tests of the support itself."""

    def test_refused(self) -> None:
        """A refusal has EC2's status, code and message."""
        refused = self.assertRaises(Refused, self.call, "DeleteVolume", VolumeId=MISSING)
        self.assertEqual(refused.status, 400)
        self.assertEqual(refused.message, f"The volume '{MISSING}' does not exist.")
