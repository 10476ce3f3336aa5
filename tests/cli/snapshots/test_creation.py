"""
Tests for ``txstorage.cli.snapshots.creation``.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

from twisted.internet.defer import CancelledError

from txstorage.cli.resources import observing
from txstorage.cli.snapshots import creation
from txstorage.clouds.openstack.service import OpenStackService
from txstorage.driver.operations import BlockDeviceDriver

from ..support import GIB, CommandTestCase, failing

_create_snapshot = BlockDeviceDriver.create_snapshot


def interrupted_create(driver: Any, *arguments: Any) -> Any:
    """Make the snapshot, and be interrupted before that is known."""

    def interrupt(snapshot: Any) -> None:
        raise CancelledError()

    return _create_snapshot(driver, *arguments).addCallback(interrupt)


class CreateTests(CommandTestCase):
    """``snapshots create``."""

    def setUp(self) -> None:
        super().setUp()
        self.volume = self.create()

    def listed(self) -> list[Any]:
        """The snapshots that the cluster has."""
        found: list[Any] = self.document("snapshots", "list")["snapshots"]
        return found

    def test_document(self) -> None:
        """The document has the snapshot, with the user's labels and not the driver's."""
        made = self.document(
            "snapshots", "create", self.volume, "nightly", "--label", "a=b=c", "--label", "d="
        )
        dataset = self.document("volumes", "show", self.volume)["dataset_id"]
        self.assertEqual(str(UUID(made["snapshot_id"])), made["snapshot_id"])
        for name, value in (
            ("volume_id", self.volume),
            ("dataset_id", dataset),
            ("name", "nightly"),
            ("size", GIB),
            ("status", "available"),
            ("labels", {"a": "b=c", "d": ""}),
            ("problem", None),
            ("was_attached", False),
        ):
            self.assertEqual((name, made[name]), (name, value))

    def test_word_for_the_volume(self) -> None:
        """The volume may be named, or be a beginning."""
        name = self.document("volumes", "show", self.volume)["name"]
        for number, word in enumerate((self.volume[:6], name)):
            made = self.document("snapshots", "create", word, f"s{number}")
            self.assertEqual(made["volume_id"], self.volume)

    def test_default_name(self) -> None:
        """Without a name, the snapshot has the time: the next one has another name."""
        made = self.document("snapshots", "create", self.volume)
        read = datetime.strptime(made["name"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        self.assertLess(abs(datetime.now(timezone.utc) - read), timedelta(hours=1))
        with mock.patch.object(creation, "default_name", lambda: "20301231T235959Z"):
            self.document("snapshots", "create", self.volume)
        self.assertEqual(len({each["snapshot_id"] for each in self.listed()}), 2)

    def test_existing(self) -> None:
        """
        A snapshot of that name from before is an error that says when it was made; it is neither
        taken for a new one nor replaced.
        """
        made = self.document("snapshots", "create", self.volume, "nightly")
        for status in ("available", "backing-up", "restoring"):
            self.cloud.store.snapshots.set_status(made["snapshot_id"], status)
            error = self.document("snapshots", "create", self.volume, "nightly", exit_code=1)
            self.assertEqual(error["error"]["kind"], "SnapshotExists")
            for part in (made["snapshot_id"], "made at " + made["created_at"]):
                self.assertIn(part, error["error"]["message"])
        self.assertEqual([each["snapshot_id"] for each in self.listed()], [made["snapshot_id"]])

    def test_of_others(self) -> None:
        """Another volume's snapshot, and another name, are no obstacle."""
        other = self.create()
        self.document("snapshots", "create", other, "nightly")
        self.document("snapshots", "create", self.volume, "weekly")
        self.document("snapshots", "create", self.volume, "nightly")
        self.assertEqual(len(self.listed()), 3)

    def test_cloud_without_filters(self) -> None:
        """A list that also has other snapshots, as from an old cloud, is not an obstacle."""
        other = self.create()
        self.document("snapshots", "create", other, "nightly")
        self.document("snapshots", "create", self.volume, "weekly")
        every = OpenStackService.list_snapshots

        def unfiltered(service: Any, *args: Any) -> Any:
            return every(service, {})

        with mock.patch.object(OpenStackService, "list_snapshots", unfiltered):
            made = self.document("snapshots", "create", self.volume, "nightly")
        self.assertEqual((made["volume_id"], len(self.listed())), (self.volume, 3))

    def test_in_the_making(self) -> None:
        """A snapshot of that name that is still being made is the one to wait for."""
        made = self.document("snapshots", "create", self.volume, "nightly")["snapshot_id"]
        self.cloud.store.snapshots.set_status(made, "creating")
        later = self.clock.callLater(5, self.cloud.store.snapshots.set_status, made, "available")
        again = self.document("snapshots", "create", self.volume, "nightly")
        self.assertFalse(later.active())
        self.assertEqual((again["snapshot_id"], again["status"]), (made, "available"))
        self.assertEqual(len(self.listed()), 1)

    def test_progress(self) -> None:
        """The spinner shows the part of the snapshot that is made."""
        seen: list[str] = []
        made = self.document("snapshots", "create", self.volume, "nightly")["snapshot_id"]
        self.cloud.store.snapshots.set_status(made, "creating")
        files = self.cloud.application._devices.files
        files.copies.progress[files.snapshot_path(made)] = 42
        self.clock.callLater(5, self.cloud.store.snapshots.set_status, made, "available")
        with mock.patch.object(observing, "one_line", lambda text: seen.append(text) or text):
            self.document("snapshots", "create", self.volume, "nightly")
        self.assertIn("creating, 42% done", seen)
        self.assertEqual(seen[-1], "available")

    def test_other_labels(self) -> None:
        """The one to wait for has other labels: an error, and no second snapshot."""
        made = self.document("snapshots", "create", self.volume, "nightly")["snapshot_id"]
        self.cloud.store.snapshots.set_status(made, "creating")
        self.clock.callLater(5, self.cloud.store.snapshots.set_status, made, "available")
        error = self.document(
            "snapshots", "create", self.volume, "nightly", "--label", "a=b", exit_code=1
        )
        self.assertEqual(error["error"]["kind"], "SnapshotConflict")
        self.assertEqual(len(self.listed()), 1)

    def test_not_finished(self) -> None:
        """
        The error of an unfinished create has the name for a retry, unless the user chose it: a
        retry without it would make another snapshot.
        """
        with mock.patch.object(BlockDeviceDriver, "create_snapshot", interrupted_create):
            result = self.txstorage("snapshots", "create", self.volume)
            [name] = re.findall("add the name (.*)", result.stderr)
            self.assertEqual([each["name"] for each in self.listed()], [name])
            result = self.txstorage("snapshots", "create", self.volume, "nightly")
            self.assertNotEqual(result.exit_code, 0)
            self.assertNotIn("add the name", result.stderr)
            with mock.patch.object(creation, "default_name", lambda: "20301231T235959Z"):
                document = self.document("snapshots", "create", self.volume, exit_code=1)
            self.assertEqual(document["name"], "20301231T235959Z")
            document = self.document("snapshots", "create", self.volume, "weekly", exit_code=1)
            self.assertNotIn("name", document)

    def test_attached(self) -> None:
        """
        The snapshot of an attached volume comes with a note about its consistency, and the
        document says so; that of another one does not.
        """
        result = self.txstorage("snapshots", "create", self.volume, "before")
        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        self.document("volumes", "attach", self.volume)
        result = self.txstorage("snapshots", "create", self.volume, "while")
        for part in (self.volume, "is attached", "power failure", "fsfreeze"):
            self.assertIn(part, result.stderr)
        made = self.document("snapshots", "create", self.volume, "again")
        self.assertIs(made["was_attached"], True)

    def test_wrong_arguments(self) -> None:
        """A name or a label that can't be is an error before anything is asked for."""
        for arguments, kind in (
            ([" nightly"], "InvalidSnapshot"),
            (["x" * 256], "InvalidSnapshot"),
            (["n", "--label", "flocker-dataset-id=x"], "InvalidSnapshot"),
            (["n", "--label", "=x"], "InvalidSnapshot"),
        ):
            with mock.patch.object(OpenStackService, "get_volume", failing(AssertionError())):
                error = self.document("snapshots", "create", self.volume, *arguments, exit_code=1)
            self.assertEqual(error["error"]["kind"], kind)
        for arguments, text in (
            (["n", "--label", "a"], "'a' is not KEY=VALUE"),
            (["n", "--label", "a=1", "--label", "a=2"], "given twice"),
        ):
            result = self.txstorage("snapshots", "create", self.volume, *arguments)
            self.assertEqual(result.exit_code, 2)
            self.assertIn(text, result.stderr)
        self.assertEqual(self.listed(), [])

    def test_unknown_volume(self) -> None:
        """A word for no volume, and another cluster's volume, are errors."""
        other = self.document("--cluster-id", str(uuid4()), "volumes", "create", "1GiB")
        for word in ("unknown", str(uuid4()), other["volume_id"]):
            error = self.document("snapshots", "create", word, exit_code=1)["error"]
            self.assertEqual(error["kind"], "UnknownVolume")
        self.assertEqual(self.cloud.store.snapshots.every(), [])

    def test_help(self) -> None:
        """The help explains an existing name, and the consistency of an attached volume's."""
        shown = " ".join(self.txstorage("snapshots", "create", "--help").stdout.split())
        for part in ("when that snapshot was made", "after a power failure", "fsfreeze"):
            self.assertIn(part, shown)
