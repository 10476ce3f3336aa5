"""
Tests for the commands about volumes and snapshots, on EC2.
"""

from __future__ import annotations

import re
from typing import Any

import attr

from ..doctor.ec2.support import ZONE, EC2DoctorTestCase
from ..support import CLUSTER, keep_destinations

#: Words that mean nothing to a user of EC2.
FOREIGN = re.compile("Compute|Cinder|Nova|Keystone|Block Storage|OpenStack", re.I)
MISSING = "vol-00000000000000000"
DATASET = "0f2c9a1e-7d3b-4c55-9a54-6b1f4f6f7a10"


class EC2CommandsTests(EC2DoctorTestCase):
    """The commands, from the first volume to the last."""

    def start_cloud(self, **settings: Any) -> None:
        """See the base: volumes can be modified at any time."""
        super().start_cloud(**{"cooldown": 0.0, **settings})

    def run_command(self, *words: str, exit_code: int = 0) -> str:
        """Run a command, and return what it prints, which has no word of OpenStack's."""
        result = self.txstorage(*words)
        text: str = result.stdout + result.stderr
        self.assertEqual(result.exit_code, exit_code, text)
        self.assertIsNone(FOREIGN.search(text), text)
        return text

    def test_life(self) -> None:
        """A volume is made, attached, grown, copied, shown and destroyed, with EC2's ids."""
        volume = self.create()
        self.assertRegex(volume, "vol-[0-9a-f]{17}")
        path = self.run_command("volumes", "attach", volume).strip()
        self.assertIn(path, self.run_command("volumes", "show", volume))
        self.assertIn("has 2 GiB", self.run_command("volumes", "grow", volume, "2GiB"))
        made = self.run_command("snapshots", "create", volume, "before")
        self.assertRegex(made, r"snapshot id +snap-[0-9a-f]{17}\n")
        self.assertIn("before", self.run_command("snapshots", "list"))
        copy = self.run_command("volumes", "create", "--from-snapshot", "before")
        self.assertRegex(copy, "made from +snapshot snap-")
        clone = self.run_command("volumes", "create", "--clone", volume)
        self.assertRegex(clone, f"made from +volume {volume}\n")
        listed = self.run_command("volumes", "list")
        self.assertRegex(listed, f"{volume} .* in-use +{self.node} +gp2")
        self.run_command("volumes", "list", "--orphans")
        self.run_command("volumes", "detach", volume)
        self.run_command("snapshots", "destroy", "--yes", "before")
        every = [each["volume_id"] for each in self.document("volumes", "list")["volumes"]]
        self.assertEqual(len(every), 3)
        self.run_command("volumes", "destroy", "--yes", *every)
        self.assertEqual(self.document("volumes", "list")["volumes"], [])

    def test_adopted(self) -> None:
        """A volume with the tags that Flocker's own ``aws`` backend writes is the cluster's."""
        tags = {
            "flocker-metadata-version": "1",
            "flocker-cluster-id": str(CLUSTER),
            "flocker-dataset-id": DATASET,
            "Name": "flocker-" + DATASET,
        }

        async def as_flocker(reactor: Any) -> str:
            service: Any = attr.evolve(self.app(), config=self.config).service(reactor)
            session = service.session
            made = await session.call(
                "CreateVolume",
                {"AvailabilityZone": ZONE, "Size": 1, "VolumeType": "standard", "ClientToken": "1"},
            )
            # In a second request, as that backend does.
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            await session.call("CreateTags", {"Resources": [made["VolumeId"]], "Tags": pairs})
            volume_id: str = made["VolumeId"]
            return volume_id

        volume = self.run_now(as_flocker)
        [found] = self.document("volumes", "list")["volumes"]
        self.assertEqual(
            (found["volume_id"], found["dataset_id"], found["volume_type"]),
            (volume, DATASET, "standard"),
        )
        again = self.document("volumes", "create", "1GiB", "--dataset", DATASET)
        self.assertEqual(again["volume_id"], volume)
        self.run_command("volumes", "attach", volume)

    def test_verbose(self) -> None:
        """Each request is shown with its operation, which the address does not name."""
        keep_destinations(self)
        result = self.txstorage("volumes", "list", "-v")
        [line] = result.stderr.splitlines()
        self.assertRegex(line, r"POST http://cloud\.example/? DescribeVolumes 200 \d+ ms \S+$")

    def test_errors(self) -> None:
        """Each error has the words of EC2's users."""
        volume = self.document("volumes", "create", "2GiB")["volume_id"]
        attached = self.create()
        self.run_command("volumes", "attach", attached)
        for words, expected in (
            (("attach", attached), "is attached already"),
            (("attach", volume, "--to", "node-9"), "The cloud has no instance node-9"),
            (("attach", volume, "--to", "i-" + 17 * "0"), "has no instance i-0000"),
            (("attach", MISSING), "There is no volume " + MISSING),
            (("destroy", "--yes", attached), f"it is attached to {self.node}"),
            (("detach", volume), "is not attached"),
            (("path", volume), "is not attached to this node"),
            (("show", MISSING), "There is no volume " + MISSING),
            (("grow", volume, "1GiB"), "it already has"),
            (("create", "1GiB", "--profile", "platinum"), "configured are: bronze, gold, silver"),
        ):
            self.assertIn(expected, self.run_command("volumes", *words, exit_code=1))

    def test_least_size(self) -> None:
        """A size below the minimum of a type has a remedy of its own."""
        text = self.run_command("volumes", "create", "1GiB", "--profile", "gold", exit_code=1)
        self.assertIn("volumes of the type io1 have at least 4 GiB; 1 were requested", text)
        self.assertIn("What to do: request at least 4 GiB, or use a profile of another", text)

    def test_limits(self) -> None:
        """A full instance, another zone, a recent change and a denied action have remedies."""
        self.start_cloud(attachments=1, cooldown=21600.0, denied=("DeleteVolume",))
        first, second = self.create(), self.create()
        self.run_command("volumes", "attach", first)
        self.run_command("volumes", "grow", first, "2GiB")
        self.write_config(zone="txstorage-1b")
        elsewhere = self.create()
        self.write_config()
        for words, problem, remedy in (
            (("attach", second), "AttachmentLimitExceeded", "detach a volume"),
            (("attach", elsewhere), "ZoneMismatch", "in the volume's own zone"),
            (("grow", first, "3GiB"), "VolumeModificationRateExceeded", "six hours"),
            (("destroy", "--yes", second), "UnauthorizedOperation", "IAM policy"),
        ):
            text = self.run_command("volumes", *words, exit_code=1)
            self.assertIn(problem, text)
            self.assertIn(remedy, text)
