"""
Tests for ``txstorage.cli.volumes.listing`` and ``txstorage.cli.volumes.columns``.
"""

from __future__ import annotations

from uuid import uuid4

from txstorage.cli.volumes.columns import COLUMNS

from ..support import CLUSTER, GIB, CommandTestCase


class OptionsTests(CommandTestCase):
    """The options of ``volumes list``."""

    def setUp(self) -> None:
        super().setUp()
        self.small = self.create()
        self.large = self.document("volumes", "create", "3GiB")["volume_id"]
        self.document("volumes", "attach", self.small, "--to", "node-2")

    def ids(self, *options: str) -> list[str]:
        """The ids that the list prints."""
        result = self.txstorage("volumes", "ls", "-q", *options)
        self.assertEqual((result.exit_code, result.stderr), (0, ""))
        quiet: list[str] = result.stdout.splitlines()
        listed = self.document("volumes", "ls", *options)["volumes"]
        self.assertEqual([each["volume_id"] for each in listed], quiet)
        return quiet

    def test_quiet(self) -> None:
        """Only ids are printed, one a line; nothing when there is none."""
        self.assertCountEqual(self.ids(), [self.small, self.large])
        self.assertEqual(self.txstorage("volumes", "ls", "-q", "--status", "x").stdout, "")

    def test_filters(self) -> None:
        """Each filter is applied, and a node may be given by its name."""
        dataset = self.document("volumes", "show", self.large)["dataset_id"]
        for options, ids in (
            (["--status", "in-use"], [self.small]),
            (["--attached-to", "node-2"], [self.small]),
            (["--attached-to", self.other_node.upper()], [self.small]),
            (["--attached-to", "node-1"], []),
            (["--dataset", dataset], [self.large]),
            (["--type", "no-such-type"], []),
            (["--sort", "size"], [self.small, self.large]),
            (["--sort", "size", "--reverse"], [self.large, self.small]),
        ):
            self.assertEqual(self.ids(*options), ids, options)

    def test_docker_names(self) -> None:
        """Docker's names are shown when a volume has one."""
        self.assertNotIn("Docker name", self.txstorage("volumes", "ls").stdout)
        self.cloud.store.set_metadata(self.small, {"docker-name": "notes"}, replace=False)
        shown = self.txstorage("volumes", "ls").stdout
        self.assertIn("Docker name", shown)
        self.assertIn("notes", shown)
        names = {each["docker_name"] for each in self.document("volumes", "ls")["volumes"]}
        self.assertEqual({"notes", None}, names)

    def test_unknown_node(self) -> None:
        """A word for no node is an error: an empty list would be taken for the answer."""
        result = self.txstorage("volumes", "ls", "--attached-to", "node-9")
        self.assertEqual((result.exit_code, result.stdout), (1, ""))
        self.assertIn("node-9", result.stderr)

    def test_columns(self) -> None:
        """The chosen columns are shown, in that order."""
        result = self.txstorage("volumes", "ls", "--columns", "size, volume_id", "--sort", "size")
        self.assertEqual(
            [line.split() for line in result.stdout.splitlines()],
            [["Size", "Volume"], ["1", "GiB", self.small], ["3", "GiB", self.large]],
        )

    def test_each_column(self) -> None:
        """Each column can be shown."""
        for name, title in COLUMNS.items():
            result = self.txstorage("volumes", "ls", "--columns", name)
            self.assertEqual(result.exit_code, 0, result.stderr)
            self.assertEqual(result.stdout.splitlines()[0].strip(), title)
        result = self.txstorage("volumes", "ls", "--columns", "size,colour")
        self.assertEqual(result.exit_code, 2)
        self.assertIn("'colour' is not one of volume_id, dataset_id", result.stderr)

    def test_all_clusters(self) -> None:
        """All clusters' volumes are listed, also without a cluster of one's own, but no others."""
        cluster = str(uuid4())
        other = self.document("volumes", "create", "1GiB", "--cluster-id", cluster)["volume_id"]
        foreign = self.create()
        self.cloud.store.set_metadata(foreign, {}, replace=True)
        self.write_config(cluster_id=None)
        listed = self.document("volumes", "ls", "--all-clusters")["volumes"]
        clusters = {each["volume_id"]: each["cluster_id"] for each in listed}
        ours = str(CLUSTER)
        self.assertEqual(clusters, {self.small: ours, self.large: ours, other: cluster})
        self.assertIn("Cluster", self.txstorage("volumes", "ls", "--all-clusters").stdout)
        result = self.txstorage("volumes", "ls")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("--all-clusters", result.stderr)

    def test_sizes(self) -> None:
        """The document has bytes."""
        listed = self.document("volumes", "ls", "--sort", "size")["volumes"]
        self.assertEqual([each["size"] for each in listed], [GIB, 3 * GIB])
