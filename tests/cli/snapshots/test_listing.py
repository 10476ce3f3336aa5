"""
Tests for ``txstorage.cli.snapshots.listing`` and ``txstorage.cli.snapshots.columns``.
"""

from __future__ import annotations

import json
from typing import Any
from unittest import mock
from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred

from txstorage.cli.running import CommandInterrupted
from txstorage.cli.snapshots.columns import COLUMNS
from txstorage.clouds.openstack.service import OpenStackService
from txstorage.clouds.values import SnapshotPage

from ..support import CLUSTER, CommandTestCase


class OptionsTests(CommandTestCase):
    """The options of ``snapshots list``."""

    def setUp(self) -> None:
        super().setUp()
        self.volumes = [self.create(), self.document("volumes", "create", "2GiB")["volume_id"]]
        self.small, self.large = (self.snap(each, "nightly") for each in self.volumes)
        self.weekly = self.snap(self.volumes[0], "weekly")

    def snap(self, volume: str, name: str, *options: str) -> str:
        """Make a snapshot, and return its id."""
        made: str = self.document("snapshots", "create", volume, name, *options)["snapshot_id"]
        return made

    def ids(self, *options: str) -> list[str]:
        """The ids that the list prints."""
        result = self.txstorage("snapshots", "ls", "-q", *options)
        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        quiet: list[str] = result.stdout.splitlines()
        listed = self.document("snapshots", "ls", *options)["snapshots"]
        self.assertEqual([each["snapshot_id"] for each in listed], quiet)
        return quiet

    def test_filters(self) -> None:
        """Each filter is applied, and a volume may be given by its name or its beginning."""
        first, second = (self.document("volumes", "show", each) for each in self.volumes)
        self.cloud.store.snapshots.set_status(self.weekly, "error")
        for options, ids in (
            ([], [self.small, self.large, self.weekly]),
            (["--volume", self.volumes[1]], [self.large]),
            (["--volume", self.volumes[1][:8].upper()], [self.large]),
            (["--volume", first["name"]], [self.small, self.weekly]),
            (["--volume", self.volumes[0], "--volume", self.volumes[1], "--name", "weekly"],)
            + ([self.weekly],),
            (["--name", "nightly"], [self.small, self.large]),
            (["--status", "error"], [self.weekly]),
            (["--dataset", second["dataset_id"]], [self.large]),
            (["--name", "nightly", "--status", "error"], []),
        ):
            self.assertCountEqual(self.ids(*options), ids, options)

    def test_order(self) -> None:
        """A column can be the order."""
        self.assertEqual(self.ids("--sort", "created_at"), [self.small, self.large, self.weekly])
        self.assertEqual(self.ids("--sort", "size")[-1], self.large)
        self.assertEqual(self.ids("--sort", "size", "--reverse")[0], self.large)

    def test_unknown_volume(self) -> None:
        """A word for no volume is an error: an empty list would be taken for the answer."""
        result = self.txstorage("snapshots", "ls", "--volume", "unknown")
        self.assertEqual((result.exit_code, result.stdout), (1, ""))
        self.assertIn("unknown", result.stderr)

    def test_each_column(self) -> None:
        """Each column can be shown, and each member of the document is a column."""
        for name, title in COLUMNS.items():
            result = self.txstorage("snapshots", "ls", "--columns", name, "--sort", name)
            self.assertEqual(result.exit_code, 0, result.stderr)
            self.assertEqual(result.stdout.splitlines()[0].strip(), title)
        [first, *_] = self.document("snapshots", "ls")["snapshots"]
        self.assertEqual(set(first), set(COLUMNS))
        result = self.txstorage("snapshots", "ls", "--columns", "attached_to")
        self.assertEqual(result.exit_code, 2)

    def test_all_clusters(self) -> None:
        """
        All clusters' snapshots are listed, also without a cluster of one's own, but no others'; the
        volumes of all clusters count, too.
        """
        cluster = ["--cluster-id", str(uuid4())]
        volume = self.document("volumes", "create", "1GiB", *cluster)["volume_id"]
        other = self.snap(volume, "nightly", *cluster)
        self.cloud.store.snapshots.set_metadata(self.weekly, {}, replace=True)
        self.assertCountEqual(self.ids(), [self.small, self.large])
        self.write_config(cluster_id=None)
        listed = self.document("snapshots", "ls", "--all-clusters")["snapshots"]
        clusters = {each["snapshot_id"]: each["cluster_id"] for each in listed}
        ours = str(CLUSTER)
        self.assertEqual(clusters, {self.small: ours, self.large: ours, other: cluster[1]})
        self.assertEqual(self.ids("--all-clusters", "--volume", volume[:8]), [other])
        self.assertIn("Cluster", self.txstorage("snapshots", "ls", "--all-clusters").stdout)
        result = self.txstorage("snapshots", "ls")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("list the snapshots of --all-clusters", result.stderr)

    def test_malformed(self) -> None:
        """An entry that can't be read is in the document, and people are warned."""
        page = SnapshotPage((), (("bad-id", "no size"),))

        def listed(service: object, *args: object) -> Deferred[SnapshotPage]:
            found: Deferred[SnapshotPage] = Deferred()
            found.callback(page)
            return found

        with mock.patch.object(OpenStackService, "list_snapshots", listed):
            document = self.document("snapshots", "ls")
            result = self.txstorage("snapshots", "ls")
        malformed = [{"snapshot_id": "bad-id", "problem": "no size"}]
        self.assertEqual(document, {"snapshots": [], "malformed": malformed})
        self.assertEqual(result.stderr, "Warning: Snapshot bad-id: no size\n")

    def test_watch(self) -> None:
        """With --watch and --json, each change is one line."""

        def run_watching(operation: Any) -> None:
            call = Deferred.fromCoroutine(operation(self.clock))
            for step in range(200):
                if step == 100:
                    self.cloud.store.snapshots.set_status(self.weekly, "error")
                self.agent.flush()
                self.clock.advance(0.05)
            call.cancel()
            self.failureResultOf(call, CancelledError)
            raise CommandInterrupted()

        with mock.patch.object(self, "run_now", run_watching):
            result = self.txstorage("--json", "snapshots", "ls", "--watch", "--name", "weekly")
        self.assertEqual(result.exit_code, 0)
        looks = [json.loads(each)["snapshots"] for each in result.stdout.splitlines()]
        self.assertEqual([each["status"] for [each] in looks], ["available", "error"])
