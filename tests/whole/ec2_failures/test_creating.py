"""Tests of volumes that are created, listed and grown as it goes wrong in the field."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.clouds.ec2.support import NO_VOLUME, refusal
from tests.helpers.wire import Answer
from txstorage.embedded.store.records import NewVolume
from txstorage.errors import (
    InvalidSize,
    ModifiedRecently,
    OperationFailed,
    QuotaExceeded,
    RequestRefused,
)
from txstorage.interfaces import UnknownVolume

from .support import CLUSTER, GIB, FailureCase


class EncryptionTests(FailureCase):
    """A key of KMS that can't be used: EC2 accepts the request, and the volume never is."""

    changes = {"kms_key_id": "alias/flocker"}

    def test_key_not_usable(self) -> None:
        """
        ebs-csi#3010: 200 on CreateVolume, then NotFound: the error names the key, and the retry has
        another token.
        """
        dataset_id = uuid4()
        for _ in range(2):
            create = self.driver.create_volume(dataset_id, GIB)
            error = self.error(create, OperationFailed, "Can't create volume vol-", "key exists")
            self.assertIn("policy allows its use for EBS", str(error))
        tokens = [form["ClientToken"] for form in self.face.of("CreateVolume")]
        self.assertEqual((len(tokens), len(set(tokens))), (2, 2))
        self.assertEqual(self.volumes(), [])
        # The operator repairs the key.
        self.driver = self.make_driver(kms_key_id=None)
        volume = self.get(self.driver.create_volume(dataset_id, GIB))
        self.assertEqual(self.volumes(), [volume.blockdevice_id])

    def test_burnt_token(self) -> None:
        """
        terraform-provider-aws#23651: the token of a volume that never was, from another process, is
        burnt: a changed request counts it up after ``IdempotentParameterMismatch``.
        """
        dataset_id = uuid4()
        self.error(self.driver.create_volume(dataset_id, GIB), OperationFailed)
        self.driver = self.make_driver(kms_key_id=None)
        volume = self.get(self.driver.create_volume(dataset_id, GIB))
        tokens = [form["ClientToken"] for form in self.face.of("CreateVolume")]
        self.assertEqual(tokens[0], tokens[1])
        self.assertEqual(len(set(tokens)), 2)
        self.assertEqual(self.volumes(), [volume.blockdevice_id])


class CreateTests(FailureCase):
    """Creations."""

    def test_late(self) -> None:
        """sous-chefs/aws#259: NotFound just after the creation is given time, without another."""
        self.face.script["DescribeVolumes"] = [None, *[NO_VOLUME] * 4]
        volume_id = self.create()
        self.assertEqual(self.volumes(), [volume_id])
        self.assertEqual(self.face.count("CreateVolume"), 1)
        self.assertEqual(self.face.script["DescribeVolumes"], [])
        self.attach(volume_id)

    def test_never(self) -> None:
        """sous-chefs/aws#259: a volume that never shows up is an error, and no orphan."""
        dataset_id = uuid4()
        rule = self.face.rules
        rule["DescribeVolumes"] = lambda form: None if "Filter.1.Name" in form else NO_VOLUME
        self.error(self.driver.create_volume(dataset_id, GIB), OperationFailed, "vol-")
        del rule["DescribeVolumes"]
        # It shows up after all: the retry adopts it.
        volume = self.get(self.driver.create_volume(dataset_id, GIB))
        self.assertEqual(self.volumes(), [volume.blockdevice_id])
        self.assertEqual(self.face.count("CreateVolume"), 1)

    def test_lost_answer(self) -> None:
        """A lost answer is asked for again with the same token: one volume is made."""
        dataset_id = uuid4()

        def processed(form: dict[str, str]) -> Any:
            # Another node creates the dataset's volume, with the same token.
            other = self.make_driver(instance_id=self.there)
            other.create_volume(dataset_id, GIB).addErrback(lambda failure: None)
            self.let_pass(1)
            return Answer(500, b"", {})

        self.face.script["CreateVolume"] = [processed]
        self.get(self.driver.create_volume(dataset_id, GIB))
        tokens = {form["ClientToken"] for form in self.face.of("CreateVolume")}
        self.assertEqual((self.face.count("CreateVolume"), len(tokens)), (3, 1))
        self.assertEqual(len(self.volumes()), 1)

    def test_mismatch(self) -> None:
        """``IdempotentParameterMismatch`` counts the token up: the generation after it is free."""
        dataset_id = uuid4()
        mismatch = refusal("IdempotentParameterMismatch", "Arguments are inconsistent")
        self.face.script["CreateVolume"] = [mismatch, mismatch]
        self.get(self.driver.create_volume(dataset_id, GIB))
        tokens = [form["ClientToken"] for form in self.face.of("CreateVolume")]
        self.assertEqual((len(tokens), len(set(tokens)), len(self.volumes())), (3, 3, 1))

    def test_created_anew(self) -> None:
        """A dataset whose volume was destroyed gets a new one, from every process."""
        dataset_id = uuid4()
        first = self.get(self.driver.create_volume(dataset_id, GIB)).blockdevice_id
        self.let_pass(32)
        self.get(self.driver.destroy_volume(first))
        self.driver = self.make_driver()
        second = self.get(self.driver.create_volume(dataset_id, GIB)).blockdevice_id
        self.assertNotEqual(first, second)
        self.assertEqual(self.volumes(), [second])

    def test_tags_in_the_call(self) -> None:
        """Flocker's aws: the tags are in the request, so that no orphan can be left."""
        dataset_id = uuid4()
        self.face.rules["CreateTags"] = lambda form: refusal("UnauthorizedOperation")
        volume = self.get(self.driver.create_volume(dataset_id, GIB))
        self.assertEqual(self.face.count("CreateTags"), 0)
        [form] = self.face.of("CreateVolume")
        tags = {
            form[f"TagSpecification.1.Tag.{number}.Key"]: form[
                f"TagSpecification.1.Tag.{number}.Value"
            ]
            for number in range(1, 5)
        }
        expected = {
            "flocker-cluster-id": str(CLUSTER),
            "flocker-dataset-id": str(dataset_id),
            "flocker-metadata-version": "1",
            "Name": f"flocker-{dataset_id}",
        }
        self.assertEqual(tags, expected)
        self.assertEqual(self.get(self.driver.list_volumes()), [volume])

    def test_no_fallback(self) -> None:
        """Flocker's aws: a refused profile is an error, and not another type."""
        self.face.rules["CreateVolume"] = lambda form: refusal(
            "InvalidParameterValue", "Volume iops of 120 is out of range"
        )
        create = self.driver.create_volume_with_profile(uuid4(), 4 * GIB, "gold")
        self.error(create, RequestRefused, "CreateVolume: InvalidParameterValue: Volume iops")
        types = {form["VolumeType"] for form in self.face.of("CreateVolume")}
        self.assertEqual((types, self.volumes()), ({"io1"}, []))

    def test_sizes(self) -> None:
        """Flocker's aws: sizes are rounded up, and a gold volume of less than 4 GiB is an error."""
        volume = self.get(self.driver.create_volume(uuid4(), GIB + 1))
        self.assertEqual(volume.size, 2 * GIB)
        create = self.driver.create_volume_with_profile(uuid4(), 3 * GIB, "gold")
        self.error(create, InvalidSize, "io1 have at least 4 GiB; 3 were requested")
        self.assertEqual(len(self.volumes()), 1)

    def test_bad_parameters(self) -> None:
        """A zone, a type or a size that EC2 does not have is refused, with what to correct."""
        for changes, size, texts, remedy in (
            ({"zone": "eu-nowhere-1a"}, GIB, ("InvalidZone.NotFound", "eu-nowhere-1a"), "'zone'"),
            ({"profiles": {"gold": "gp9"}}, GIB, ("UnknownVolumeType", "gp9"), "'profiles'"),
            ({}, 99999999 * GIB, ("InvalidParameterValue", "too large"), "service's message"),
        ):
            driver = self.make_driver(**changes)
            profile = "gold" if "profiles" in changes else "silver"
            create = driver.create_volume_with_profile(uuid4(), size, profile)
            self.assertIn(remedy, self.error(create, RequestRefused, *texts).remedy)
        self.assertEqual(self.volumes(), [])

    def test_quota(self) -> None:
        """The account's limit is a quota, with the remedy for it."""
        self.face.rules["CreateVolume"] = lambda form: refusal("VolumeLimitExceeded", "Maximum")
        error = self.error(self.driver.create_volume(uuid4(), GIB), QuotaExceeded, "Maximum")
        self.assertIn("account's quota in this region", error.remedy)
        self.assertEqual(self.face.count("CreateVolume"), 1)


class ListTests(FailureCase):
    """Lists."""

    def test_filtered(self) -> None:
        """Flocker's aws: the service filters by the cluster's tag, a page at a time."""
        volume_id = self.create()
        del self.face.forms[:]
        [found] = self.get(self.driver.list_volumes())
        self.assertEqual(found.blockdevice_id, volume_id)
        [form] = self.face.of("DescribeVolumes")
        self.assertEqual(form["Filter.1.Name"], "tag:flocker-cluster-id")
        self.assertEqual(form["Filter.1.Value.1"], str(CLUSTER))
        self.assertEqual(form["MaxResults"], "100")

    def test_pages(self) -> None:
        """All pages of a list are read."""
        for number in range(120):
            self.cloud.store.add_volume(self.new_volume(number))
        del self.face.forms[:]
        self.assertEqual(len(self.get(self.driver.list_volumes())), 120)
        self.assertEqual(self.face.count("DescribeVolumes"), 2)

    def new_volume(self, number: int) -> Any:
        """Return the record of a volume of the cluster."""
        labels = {"flocker-cluster-id": str(CLUSTER), "flocker-dataset-id": str(uuid4())}
        return NewVolume(f"n{number}", None, 1, "gp2", labels, None)

    def test_unknown(self) -> None:
        """A volume that does not exist is unknown, and so is an id of no form of EC2's."""
        for volume_id in ("vol-0123456789abcdef0", "vol-XYZ", str(CLUSTER)):
            for operation in (
                self.driver.destroy_volume,
                self.driver.detach_volume,
                self.driver.get_device_path,
            ):
                self.error(operation(volume_id), UnknownVolume)
        for form in self.face.forms:
            self.assertEqual(form.get("VolumeId.1"), "vol-0123456789abcdef0")


class GrowthTests(FailureCase):
    """Growing volumes."""

    ec2 = {"cooldown": 21600.0}

    def test_cooldown(self) -> None:
        """EC2 modifies a volume once in six hours: the second time is an error that says so."""
        volume_id = self.create()
        self.get(self.driver.grow_volume(volume_id, 2 * GIB))
        grow = self.driver.grow_volume(volume_id, 3 * GIB)
        error = self.error(grow, ModifiedRecently, "maximum modification rate")
        self.assertIn("six hours", error.remedy)
        self.assertEqual(self.face.count("ModifyVolume"), 2)
        [volume] = self.get(self.driver.list_volumes())
        self.assertEqual(volume.size, 2 * GIB)
