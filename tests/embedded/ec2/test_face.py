"""Tests of the Query API around its actions."""

from __future__ import annotations

import errno
import os
import re
from typing import Any
from unittest import mock

from txstorage.embedded.apis.ec2 import face
from txstorage.embedded.apis.ec2.face import ACTIONS, EC2_ACTIONS
from txstorage.embedded.apis.ec2.limits import TokenBuckets
from txstorage.embedded.machine.files import VolumeFiles

from ...helpers.imports import ROOT
from . import codec
from .support import MISSING, ZONE, EC2Case


class FaceTests(EC2Case):
    """Tests of requests that no action answers."""

    def test_known(self) -> None:
        """Each action is one of botocore's model."""
        for name, (service, _) in ACTIONS.items():
            self.assertEqual(codec.operation(service, name).name, name)

    def test_documented(self) -> None:
        """The documentation lists each action, and no other."""
        with open(os.path.join(ROOT, "docs", "http.rst")) as opened:
            _, _, section = opened.read().partition("Its actions")
        table = section.partition("The id of a volume")[0]
        self.assertEqual(set(re.findall("``([A-Za-z]+)``", table)), set(ACTIONS))

    def test_unknown(self) -> None:
        """An unknown action is refused, after the sender was checked."""
        self.refused("InvalidAction", "RunInstances", MinCount=1, MaxCount=1, ImageId="ami-1")
        self.credentials = None
        self.refused("MissingAuthenticationToken", "DescribeVpcs")

    def test_dry_run(self) -> None:
        """A dry run of any action of EC2 changes nothing."""
        refused = self.refused(
            "DryRunOperation", "CreateVolume", AvailabilityZone=ZONE, Size=1, DryRun=True
        )
        self.assertEqual(refused.status, 412)
        self.assertEqual(self.ids(), [])
        for name in EC2_ACTIONS:
            self.refused("DryRunOperation", name, DryRun=True)

    def test_fault(self) -> None:
        """A fault of the service is logged, and the client can't read it."""

        def broken(call: object) -> Any:
            raise RuntimeError("boom")

        with mock.patch.dict(face.ACTIONS, {"DescribeRegions": ("ec2", broken)}):
            refused = self.refused("InternalError", "DescribeRegions")
        self.assertEqual(refused.status, 500)
        self.assertNotIn("boom", refused.message)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_disk_full(self) -> None:
        """A full disk refuses new volumes with EC2's code, which clients try again."""
        full = OSError(errno.ENOSPC, "full")
        for patched in ({"return_value": False}, {"side_effect": full}):
            with mock.patch.object(VolumeFiles, "has_room", **patched):
                asked = {"AvailabilityZone": ZONE, "Size": 1}
                refused = self.refused("InsufficientVolumeCapacity", "CreateVolume", **asked)
                self.assertEqual(refused.status, 503)
        self.assertEqual(self.ids(), [])

    def test_too_large(self) -> None:
        """A body that is too long is refused."""
        body = b"Action=DescribeRegions&x=" + b"y" * 200000
        status, answer = self.exchange("POST", "http://cloud.example/", {}, body)
        self.assertEqual(status, 413)
        self.assertIn(b"<Code>RequestEntityTooLarge</Code>", answer)

    def test_version(self) -> None:
        """A request names a version."""
        model = codec.model_of("ec2")
        with mock.patch.dict(model.metadata, {"apiVersion": "new"}):
            self.refused("InvalidParameterValue", "DescribeRegions")


class LimitTests(EC2Case):
    """Tests of the rates."""

    ec2 = {"rate": 2.0, "burst": 3}

    def test_throttled(self) -> None:
        """Each action has a burst, and then a rate; the other actions have theirs."""
        for _ in range(3):
            self.call("DescribeRegions")
        refused = self.refused("RequestLimitExceeded", "DescribeRegions")
        self.assertEqual(refused.status, 503)
        self.call("DescribeVolumes")
        self.clock.advance(0.5)
        self.call("DescribeRegions")
        self.refused("RequestLimitExceeded", "DescribeRegions")

    def test_buckets(self) -> None:
        """A bucket is never fuller than the burst; without a rate there is no limit."""
        now = [0.0]
        buckets = TokenBuckets(1.0, 2, lambda: now[0])
        self.assertEqual([buckets.take("a") for _ in range(3)], [True, True, False])
        now[0] = 100.0
        self.assertEqual([buckets.take("a") for _ in range(3)], [True, True, False])
        self.assertTrue(all(TokenBuckets(0, 1, lambda: 0.0).take("a") for _ in range(9)))


class DeniedTests(EC2Case):
    """Tests of a policy."""

    ec2 = {"denied": ("CreateTags", "DescribeSnapshots")}

    def test_denied(self) -> None:
        """A denied action is refused, in a dry run, too, and any other is allowed."""
        for more in ({}, {"DryRun": True}):
            refused = self.refused("UnauthorizedOperation", "DescribeSnapshots", **more)
            self.assertEqual(refused.status, 403)
            self.assertIn(":user/txstorage is not authorized", refused.message)
            self.assertIn("ec2:DescribeSnapshots", refused.message)
        self.call("DescribeVolumes")

    def test_tags(self) -> None:
        """Without the permission to make tags, no volume with tags is made."""
        tags = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]
        asked = {"AvailabilityZone": ZONE, "Size": 1}
        refused = self.refused(
            "UnauthorizedOperation", "CreateVolume", TagSpecifications=tags, **asked
        )
        self.assertIn("ec2:CreateTags", refused.message)
        self.assertEqual(self.ids(), [])
        self.call("CreateVolume", **asked)

    def test_sender_first(self) -> None:
        """A stranger does not learn what is denied."""
        self.credentials = None
        self.refused("MissingAuthenticationToken", "DescribeSnapshots")


class MissingTests(EC2Case):
    """Tests of required parameters."""

    def test_missing(self) -> None:
        """A missing parameter is named."""
        for action, name in (
            ("DeleteVolume", "volumeId"),
            ("AttachVolume", "volumeId"),
            ("DetachVolume", "volumeId"),
            ("ModifyVolume", "volumeId"),
            ("CreateSnapshot", "volumeId"),
            ("DeleteSnapshot", "snapshotId"),
            ("CreateVolume", "zone"),
            ("CreateTags", "tagSet"),
            ("DeleteTags", "resourceIdSet"),
            ("StartInstances", "InstanceId"),
        ):
            refused = self.refused("MissingParameter", action)
            self.assertIn(name, refused.message)
        asked = {"VolumeId": MISSING, "InstanceId": self.node()}
        self.refused("MissingParameter", "AttachVolume", **asked)
