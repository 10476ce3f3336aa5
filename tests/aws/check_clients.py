"""Tests of the EC2 face with the ``aws`` command and boto3, as users run them."""

import json
import os

from twisted.trial.unittest import SynchronousTestCase

from .support import EC2Service, clients

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boto3_user.py")
TAGS = "ResourceType=volume,Tags=[{Key=Name,Value=x y},{Key=cluster,Value=c}]"


class ClientCase(SynchronousTestCase):
    """A service, and a user."""

    options = ("--transition-delay", "0.3", "--ec2-optimizing", "600")

    def setUp(self):
        clients()
        self.service = EC2Service(self, *self.options)

    def aws(self, *arguments, **variables):
        """Run the ``aws`` command, and return what its output is in JSON."""
        code, output, errors = self.service.run("aws", *arguments, **variables)
        self.assertEqual(code, 0, errors)
        return json.loads(output) if output else None

    def refused(self, code, *arguments, **variables):
        """Run the ``aws`` command, which EC2 refuses with a code."""
        status, _, errors = self.service.run("aws", *arguments, **variables)
        self.assertNotEqual(status, 0)
        self.assertIn("({})".format(code), errors)

    def node(self):
        """:return: the first node's id."""
        query = "Reservations[].Instances[].InstanceId"
        asked = ("--filters", "Name=tag:Name,Values=node-1", "--query", query)
        [found] = self.aws("ec2", "describe-instances", *asked)
        return found


class CommandTests(ClientCase):
    """Tests of the ``aws`` command."""

    def test_life(self):
        """The life of a volume, from its creation to its end."""
        node = self.node()
        made = ("ec2", "create-volume", "--availability-zone", "txstorage-1a", "--volume-type")
        made += ("gp3", "--client-token", "t", "--tag-specifications", TAGS, "--size")
        volume_id = self.aws(*made, "4")["VolumeId"]
        named = ("--volume-id", volume_id)
        self.assertEqual(self.aws(*made, "4")["VolumeId"], volume_id)
        self.refused("IdempotentParameterMismatch", *made, "5")
        self.aws("ec2", "wait", "volume-available", "--volume-ids", volume_id)
        self.aws("ec2", "attach-volume", *named, "--instance-id", node, "--device", "/dev/xvdba")
        self.aws("ec2", "wait", "volume-in-use", "--volume-ids", volume_id)
        self.refused("VolumeInUse", "ec2", "delete-volume", *named)
        got = self.aws("ec2", "modify-volume", *named, "--size", "6")["VolumeModification"]
        self.assertEqual((got["OriginalSize"], got["TargetSize"]), (4, 6))
        self.refused("IncorrectModificationState", "ec2", "modify-volume", *named, "--size", "7")
        filters = ("--filters", "Name=tag:cluster,Values=c", "Name=status,Values=in-use")
        [found] = self.aws("ec2", "describe-volumes", *filters)["Volumes"]
        self.assertEqual(found["VolumeId"], volume_id)
        self.aws("ec2", "detach-volume", *named)
        self.aws("ec2", "wait", "volume-available", "--volume-ids", volume_id)
        self.refused("IncorrectState", "ec2", "detach-volume", *named)
        self.aws("ec2", "delete-volume", *named)
        self.aws("ec2", "wait", "volume-deleted", "--volume-ids", volume_id)
        missing = ("ec2", "describe-volumes", "--volume-ids", volume_id)
        self.refused("InvalidVolume.NotFound", *missing)

    def test_tags(self):
        """Tags of a snapshot."""
        made = self.aws(
            *("ec2", "create-volume", "--availability-zone", "txstorage-1a", "--size", "1")
        )
        self.aws("ec2", "wait", "volume-available", "--volume-ids", made["VolumeId"])
        taken = ("ec2", "create-snapshot", "--volume-id", made["VolumeId"], "--description", "d")
        snapshot_id = self.aws(*taken)["SnapshotId"]
        self.aws("ec2", "wait", "snapshot-completed", "--snapshot-ids", snapshot_id)
        self.aws("ec2", "create-tags", "--resources", snapshot_id, "--tags", "Key=a,Value=b")
        filters = ("--filters", "Name=resource-type,Values=snapshot")
        [tag] = self.aws("ec2", "describe-tags", *filters)["Tags"]
        self.assertEqual((tag["ResourceId"], tag["Key"], tag["Value"]), (snapshot_id, "a", "b"))

    def test_credentials(self):
        """A wrong secret is refused; a node's own credentials are found in its metadata."""
        wrong = {"AWS_ACCESS_KEY_ID": "AKIATXSTORAGE0000000", "AWS_SECRET_ACCESS_KEY": "x"}
        self.refused("AuthFailure", "ec2", "describe-volumes", **wrong)
        self.refused("SignatureDoesNotMatch", "sts", "get-caller-identity", **wrong)
        got = self.aws(
            *("sts", "get-caller-identity"),
            AWS_SHARED_CREDENTIALS_FILE=None,
            AWS_EC2_METADATA_SERVICE_ENDPOINT=self.service.metadata["node-2"],
        )
        self.assertEqual(got["Account"], "000000000000")
        dry = ("ec2", "delete-volume", "--volume-id", "vol-0123456789abcdef0", "--dry-run")
        self.refused("DryRunOperation", *dry)

    def test_places(self):
        """The zones and the region."""
        zones = self.aws("ec2", "describe-availability-zones")["AvailabilityZones"]
        self.assertEqual([each["ZoneName"] for each in zones], ["txstorage-1a", "txstorage-1b"])
        [region] = self.aws("ec2", "describe-regions")["Regions"]
        self.assertEqual(region["RegionName"], "txstorage-1")

    def test_power(self):
        """A node stops and starts."""
        named = ("--instance-ids", self.node())
        self.aws("ec2", "stop-instances", *named)
        self.aws("ec2", "wait", "instance-stopped", *named)
        self.aws("ec2", "start-instances", *named)
        self.aws("ec2", "wait", "instance-running", *named)


class LibraryTests(ClientCase):
    """Tests of boto3."""

    def test_life(self):
        """A program sees a volume be busy while it is mounted, and its copy, and its end."""
        arguments, expected = [], ["detached", "restored 1 GiB", "listed 4", "deleted"]
        if self.service.loop_devices:
            mount = os.path.join(self.service.state, "mount")
            os.mkdir(mount)
            arguments, expected = [mount], ["busy while it is mounted", *expected]
        code, output, errors = self.service.run("python", PROGRAM, *arguments)
        self.assertEqual(code, 0, errors)
        self.assertEqual(output.splitlines(), expected)
