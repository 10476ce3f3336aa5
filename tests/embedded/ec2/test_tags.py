"""Tests of EC2's tags."""

from __future__ import annotations

from typing import Any

from .support import MISSING, EC2Case
from .test_volumes import tagged


class TagTests(EC2Case):
    """Tests of the actions on tags."""

    def tags(self, volume_id: str) -> dict[str, str]:
        """Return a volume's tags."""
        return {each["Key"]: each["Value"] for each in self.volume(volume_id).get("Tags", [])}

    def put(self, *resources: str, **tags: str) -> None:
        """Add tags."""
        each = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.call("CreateTags", Resources=list(resources), Tags=each)

    def delete(self, resource: str, *tags: dict[str, Any]) -> None:
        """Remove tags."""
        self.call("DeleteTags", Resources=[resource], **({"Tags": list(tags)} if tags else {}))

    def test_create(self) -> None:
        """Tags are added to several resources, or change; OpenStack's clients see them."""
        one, two = self.create(TagSpecifications=tagged(a="1", b="2")), self.create()
        snapshot = self.call("CreateSnapshot", VolumeId=one)["SnapshotId"]
        self.put(one, two, snapshot, b="3", c="\u00e9 \n<&>\r")
        self.assertEqual(self.tags(one), {"a": "1", "b": "3", "c": "\u00e9 \n<&>\r"})
        self.assertEqual(self.tags(two), {"b": "3", "c": "\u00e9 \n<&>\r"})
        [record, _] = [each for each in self.cloud.store.volumes() if not each.root]
        self.assertEqual(record.metadata, self.tags(two))
        [found] = self.cloud.store.snapshots.every()
        self.assertEqual(found.metadata, self.tags(two))

    def test_delete(self) -> None:
        """Tags are removed by key, by key and value, or all."""
        volume_id = self.create(TagSpecifications=tagged(a="1", b="2", c="", d="4"))
        self.delete(volume_id, {"Key": "a"}, {"Key": "x"})
        self.assertEqual(self.tags(volume_id), {"b": "2", "c": "", "d": "4"})
        self.delete(volume_id, {"Key": "b", "Value": "3"}, {"Key": "d", "Value": "4"})
        self.assertEqual(self.tags(volume_id), {"b": "2", "c": ""})
        self.delete(volume_id, {"Key": "b", "Value": ""}, {"Key": "c", "Value": ""})
        self.assertEqual(self.tags(volume_id), {"b": "2"})
        self.delete(volume_id)
        self.assertEqual(self.tags(volume_id), {})

    def test_refused(self) -> None:
        """EC2's codes; no resource of the request is changed."""
        volume_id = self.create()
        tag = [{"Key": "a", "Value": "b"}]
        for code, resources, tags in (
            ("InvalidVolume.NotFound", [volume_id, MISSING], tag),
            ("InvalidSnapshot.NotFound", [volume_id, "snap-0123456789abcdef0"], tag),
            ("InvalidID", [volume_id, "ami-0123456789abcdef0"], tag),
            ("UnsupportedOperation", [volume_id, self.node()], tag),
            ("InvalidParameterValue", [volume_id], [{"Key": "a" * 129, "Value": ""}]),
            ("InvalidParameterValue", [volume_id], [{"Key": "a", "Value": "b" * 257}]),
            ("InvalidParameterValue", [volume_id], [*tag, *tag]),
            ("InvalidParameterValue", [volume_id], [{"Key": "a", "Value": "\x00"}]),
            ("TagLimitExceeded", [volume_id], [{"Key": str(each)} for each in range(51)]),
        ):
            self.refused(code, "CreateTags", Resources=resources, Tags=tags)
        self.assertEqual(self.tags(volume_id), {})

    def test_describe(self) -> None:
        """The tags of all resources, with filters and pages."""
        volume_id = self.create(TagSpecifications=tagged(**{str(each): "v" for each in range(7)}))
        self.put(self.call("CreateSnapshot", VolumeId=volume_id)["SnapshotId"], s="t")
        filters = [{"Name": "resource-id", "Values": [volume_id]}]
        first = self.call("DescribeTags", Filters=filters, MaxResults=5)
        rest = self.call(
            "DescribeTags", Filters=filters, MaxResults=5, NextToken=first["NextToken"]
        )
        self.assertEqual(
            [each["Key"] for each in first["Tags"] + rest["Tags"]], [str(each) for each in range(7)]
        )
        self.assertNotIn("NextToken", rest)
        filters = [{"Name": "resource-type", "Values": ["snapshot", "instance"]}]
        found = self.call("DescribeTags", Filters=filters)["Tags"]
        self.assertEqual([each["Value"] for each in found], ["t", "node-2", "node-1"])
        wrong = [{"Name": "tag:a", "Values": ["b"]}]
        self.refused("InvalidParameterValue", "DescribeTags", Filters=wrong)
