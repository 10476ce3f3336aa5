"""
Tests for ``volumes list --orphans``, and for the life of an orphan at the command line.
"""

from __future__ import annotations

from typing import Any

import attr

from txstorage.errors.remedies import SECOND_VOLUME

from ..support import CommandTestCase

MARK = "flocker-superseded-by"


class OrphanTests(CommandTestCase):
    """A dataset's second volume, made through the cloud's API."""

    def setUp(self) -> None:
        super().setUp()
        self.used = self.create()
        self.clock.advance(2)
        self.second = self.create()
        labels = dict(self.cloud.store.volume(self.used).metadata)
        self.dataset: str = labels["flocker-dataset-id"]
        self.cloud.store.set_metadata(self.second, labels, replace=True)

    def orphans(self, *options: str) -> dict[str, str]:
        """Return the volumes that are used instead, by the ids of the orphans."""
        listed = self.document("volumes", "list", "--orphans", *options)["volumes"]
        return {each["volume_id"]: each["superseded_by"] for each in listed}

    def create_again(self) -> str:
        """Create the dataset's volume, and return the volume's id."""
        command = ("volumes", "create", "1GiB", "--dataset", self.dataset)
        volume: str = self.document(*command)["volume_id"]
        return volume

    def agent_lists(self) -> list[str]:
        """Return the ids that the driver lists, as an agent does."""

        async def operation(reactor: Any) -> Any:
            return await app.cloud(reactor, lambda status: None).driver.list_volumes()

        app = attr.evolve(self.app(), config=self.config)
        return [each.blockdevice_id for each in self.run_now(operation)]

    def test_listed(self) -> None:
        """The second volume alone is an orphan; the reason is on standard error."""
        other = self.create()
        for options in ((), ("--all-clusters",), ("--dataset", self.dataset)):
            self.assertEqual(self.orphans(*options), {self.second: self.used})
        result = self.txstorage("volumes", "list", "--orphans", "-q")
        self.assertEqual(result.stdout.split(), [self.second])
        self.assertIn(f"{self.second}: an orphan, which is never used", result.stderr)
        self.assertIn(f"dataset {self.dataset} has another volume, {self.used}", result.stderr)
        ids = {each["volume_id"] for each in self.document("volumes", "list")["volumes"]}
        self.assertEqual(ids, {self.used, self.second, other})

    def test_doctor(self) -> None:
        """The doctor warns of each orphan, with the remedy, and changes nothing."""
        steps = self.document("doctor")["steps"]
        [found] = [step for step in steps if step["name"] == "list volumes"]
        self.assertEqual(found["outcome"], "warning")
        self.assertIn(f"1 volume; {self.second} is an orphan", found["detail"])
        self.assertIn(f"has another volume, {self.used}", found["detail"])
        self.assertEqual(found["remedy"], SECOND_VOLUME)
        self.assertNotIn(MARK, self.cloud.store.volume(self.second).metadata)

    def test_none(self) -> None:
        """Without orphans, the list is empty."""
        self.document("volumes", "destroy", self.second, "--yes")
        self.assertEqual(self.orphans(), {})

    def test_after_the_dataset(self) -> None:
        """
        When an agent has seen the second volume, it is named after the deletion of the dataset,
        too; a volume that is created for the dataset afterwards is a new one.
        """
        self.assertEqual(self.agent_lists(), [self.used])
        self.assertEqual(self.cloud.store.volume(self.second).metadata[MARK], self.used)
        self.document("volumes", "destroy", self.used, "--yes")
        self.assertEqual(self.orphans(), {self.second: self.used})
        result = self.txstorage("volumes", "list", "--orphans")
        self.assertIn(f"had another volume, {self.used}", result.stderr)
        steps = self.document("doctor")["steps"]
        [detail] = [step["detail"] for step in steps if step["name"] == "list volumes"]
        self.assertIn(f"0 volumes; {self.second} is an orphan", detail)
        again = self.create_again()
        self.assertNotEqual(again, self.second)
        self.assertEqual(self.orphans(), {self.second: again})

    def test_remedies(self) -> None:
        """An orphan can be attached, and destroyed; without its label, it is used again."""
        self.agent_lists()
        self.document("volumes", "destroy", self.used, "--yes")
        self.assertIsNotNone(self.document("volumes", "attach", self.second)["device_path"])
        self.document("volumes", "detach", self.second)
        self.assertIn(MARK, SECOND_VOLUME)
        labels = dict(self.cloud.store.volume(self.second).metadata)
        del labels[MARK]
        self.cloud.store.set_metadata(self.second, labels, replace=True)
        self.assertEqual(self.create_again(), self.second)
        self.document("volumes", "destroy", self.second, "--yes")
        self.assertEqual(self.orphans(), {})
