"""
Tests for ``txstorage.cli.snapshots``, against the embedded service in memory.
"""

from __future__ import annotations

from unittest import mock
from uuid import uuid4

from txstorage.cli.resources import confirmation
from txstorage.clouds.openstack.service import OpenStackService
from txstorage.errors import PermissionDenied

from ..support import CommandTestCase, failing


class SnapshotTestCase(CommandTestCase):
    """Base: a volume with a snapshot."""

    def setUp(self) -> None:
        super().setUp()
        self.volume = self.create()
        self.snapshot = self.snap("nightly")

    def snap(self, name: str) -> str:
        """Make a snapshot, and return its id."""
        made: str = self.document("snapshots", "create", self.volume, name)["snapshot_id"]
        return made

    def ids(self) -> list[str]:
        """The ids of the cluster's snapshots."""
        return [each["snapshot_id"] for each in self.document("snapshots", "ls")["snapshots"]]


class ShowTests(SnapshotTestCase):
    """``snapshots show``, and the snapshots in ``volumes show``."""

    def test_same_document(self) -> None:
        """The list, the snapshot and its volume show the same document."""
        shown = self.document("snapshots", "show", "nightly")
        self.assertEqual(self.document("snapshots", "list")["snapshots"], [shown])
        self.assertEqual(self.document("volumes", "show", self.volume)["snapshots"], [shown])
        self.assertEqual(shown["snapshot_id"], self.snapshot)

    def test_of_other_volumes(self) -> None:
        """A volume is shown with its own snapshots only."""
        other = self.create()
        self.assertEqual(self.document("volumes", "show", other)["snapshots"], [])
        self.document("snapshots", "create", other, "nightly")
        [shown] = self.document("volumes", "show", self.volume)["snapshots"]
        self.assertEqual(shown["snapshot_id"], self.snapshot)

    def test_table(self) -> None:
        """For people, each shows the snapshot's id, name and status."""
        for arguments in (
            ["snapshots", "show", self.snapshot],
            ["snapshots", "list"],
            ["volumes", "show", self.volume],
        ):
            result = self.txstorage(*arguments)
            self.assertEqual(result.exit_code, 0, result.stderr)
            for part in (self.snapshot, "nightly", "available"):
                self.assertIn(part, result.stdout)

    def test_reason(self) -> None:
        """The cloud's reason for an ``error`` is shown, and for no other status."""
        reason = "create snapshot: the disk is full"
        self.cloud.store.messages.add(self.volume, reason, self.snapshot)
        self.assertIsNone(self.document("snapshots", "show", self.snapshot)["problem"])
        for status in ("error", "error_deleting"):
            self.cloud.store.snapshots.set_status(self.snapshot, status)
            shown = self.document("snapshots", "show", self.snapshot)
            self.assertEqual(shown["problem"], reason)

    def test_other_cluster(self) -> None:
        """Another cluster's snapshot does not exist."""
        for command in (["show"], ["destroy", "--yes"]):
            error = self.document(
                "--cluster-id", str(uuid4()), "snapshots", *command, self.snapshot, exit_code=1
            )["error"]
            self.assertEqual(error["kind"], "UnknownSnapshot")
        self.assertEqual(self.ids(), [self.snapshot])

    def test_of_other_programs(self) -> None:
        """A snapshot that another program made is shown with its volume, and is not listed."""
        self.cloud.store.snapshots.set_metadata(self.snapshot, {}, replace=True)
        [shown] = self.document("volumes", "show", self.volume)["snapshots"]
        self.assertEqual((shown["snapshot_id"], shown["cluster_id"]), (self.snapshot, None))
        self.assertEqual(self.ids(), [])

    def test_not_permitted(self) -> None:
        """A user who may not list snapshots can look at volumes."""
        denied = PermissionDenied("GET", "http://cloud", 403, "not you")
        with mock.patch.object(OpenStackService, "list_snapshots", failing(denied)):
            shown = self.document("volumes", "show", self.volume)
            self.assertIsNone(shown["snapshots"])
            self.assertIn("not permitted", self.txstorage("volumes", "show", self.volume).stdout)

    def test_only_where_shown(self) -> None:
        """An attach asks for no snapshots."""
        with mock.patch.object(OpenStackService, "list_snapshots", failing(AssertionError())):
            self.assertNotIn("snapshots", self.document("volumes", "attach", self.volume))


class DestroyTests(SnapshotTestCase):
    """``snapshots destroy``."""

    def test_yes(self) -> None:
        """With --yes the snapshot is gone, and its volume is not."""
        document = self.document("snapshots", "rm", "nightly", "--yes")
        self.assertEqual(document, {"snapshot_id": self.snapshot, "destroyed": True})
        self.assertEqual(self.ids(), [])
        self.assertEqual(self.document("volumes", "show", self.volume)["status"], "available")

    def test_says_so(self) -> None:
        """Without ``--json`` the output confirms it."""
        result = self.txstorage("snapshots", "destroy", "--yes", self.snapshot)
        self.assertEqual(result.stdout, f"Snapshot {self.snapshot} is destroyed\n")

    def test_nobody_to_ask(self) -> None:
        """Without a terminal and without --yes nothing is destroyed."""
        result = self.txstorage("snapshots", "destroy", self.snapshot, input="y\n")
        self.assertEqual(result.exit_code, 2)
        self.assertIn("destroying a snapshot requires --yes", result.stderr)
        self.assertEqual(self.ids(), [self.snapshot])

    def test_asks(self) -> None:
        """On a terminal the command asks about the whole id, and obeys the answer."""
        for answer, exit_code, left in (("n\n", 1, [self.snapshot]), ("y\n", 0, [])):
            with mock.patch.object(confirmation, "is_interactive", lambda: True):
                result = self.txstorage("snapshots", "destroy", "nightly", input=answer)
            self.assertEqual(result.exit_code, exit_code)
            self.assertIn(f"Destroy snapshot {self.snapshot} and", result.stderr)
            self.assertEqual(self.ids(), left)

    def test_several(self) -> None:
        """Each snapshot has an outcome of its own; a failure stops no other one."""
        other = self.snap("weekly")
        words = ["nightly", "unknown", other]
        document = self.document("snapshots", "rm", "--yes", *words, exit_code=1)
        self.assertFalse(document["ok"])
        outcomes = document["snapshots"]
        self.assertEqual([each["snapshot"] for each in outcomes], words)
        self.assertEqual([each["snapshot_id"] for each in outcomes], [self.snapshot, None, other])
        kinds = [(each["error"] or {}).get("kind") for each in outcomes]
        self.assertEqual(kinds, [None, "UnknownSnapshot", None])
        self.assertEqual(self.ids(), [])

    def test_remedy_of_a_volume(self) -> None:
        """A volume with snapshots is not destroyed, until the error's remedy was followed."""
        other = self.snap("weekly")
        error = self.document("volumes", "destroy", "--yes", self.volume, exit_code=1)["error"]
        self.assertEqual(error["kind"], "HasSnapshots")
        for each in (self.snapshot, other):
            self.assertIn(each, error["message"])
        self.assertIn("'txstorage snapshots destroy SNAPSHOT'", error["remedy"])
        self.document("snapshots", "destroy", "--yes", self.snapshot, other)
        self.document("volumes", "destroy", "--yes", self.volume)
        self.assertEqual(self.document("volumes", "list")["volumes"], [])

    def test_copies_remain(self) -> None:
        """A volume made from a snapshot remains, and still says which one it was made from."""
        made = self.document("volumes", "create", "--from-snapshot", "nightly")["volume_id"]
        self.document("snapshots", "destroy", "--yes", "nightly")
        shown = self.document("volumes", "show", made)
        self.assertEqual((shown["status"], shown["from_snapshot"]), ("available", self.snapshot))
