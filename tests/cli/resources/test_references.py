"""
Tests for ``txstorage.cli.resources.references`` and ``txstorage.cli.resources.matching``.
"""

from __future__ import annotations

from unittest import mock
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.resources.matching import SHORTEST, matching
from txstorage.embedded.store import store

from ...helpers.properties import RELAXED
from ..support import CommandTestCase

IDS = ("abcd1111", "abcd2222", "ef003333")


class MatchingTests(SynchronousTestCase):
    """``matching``."""

    def test_order(self) -> None:
        """An id is before a name, and a name before the beginning of an id."""
        named = [("abcd1111", "abcd2222"), ("abcd2222", "abcd"), ("ef003333", "")]
        for reference, ids in (
            ("abcd2222", ["abcd2222"]),
            ("ABCD2222", ["abcd2222"]),
            ("abcd", ["abcd2222"]),
            ("abcd1", ["abcd1111"]),
            ("ef00", ["ef003333"]),
            ("ef0", []),
            ("", []),
            ("unknown", []),
        ):
            self.assertEqual(matching(reference, named), ids, reference)

    def test_several_names(self) -> None:
        """An id with several names is one match; names that differ only in case differ."""
        named = [("1", "pg"), ("1", "PG"), ("2", "Pg"), ("3", "db"), ("3", "DB")]
        for reference, ids in (("pg", ["1"]), ("Pg", ["2"]), ("pG", ["1", "2"]), ("Db", ["3"])):
            self.assertEqual(matching(reference, named), ids, reference)

    @settings(**RELAXED)
    @given(st.lists(st.uuids().map(str), min_size=1, max_size=20, unique=True), st.data())
    def test_beginnings(self, ids: list[str], data: st.DataObject) -> None:
        """A beginning matches exactly the ids that begin so, in either case."""
        chosen = data.draw(st.sampled_from(ids))
        beginning = chosen[: data.draw(st.integers(SHORTEST, len(chosen)))]
        expected = [each for each in ids if each.startswith(beginning)]
        self.assertEqual(matching(beginning.upper(), [(each, "") for each in ids]), expected)


class VolumeTests(CommandTestCase):
    """Words for volumes."""

    def test_spellings(self) -> None:
        """A volume is found by its id in any spelling, by its name and by its beginning."""
        volume = self.create()
        name = self.document("volumes", "show", volume)["name"]
        for word in (
            volume,
            volume.upper(),
            volume.replace("-", ""),
            volume[:4],
            volume[:9].upper(),
            name,
        ):
            self.assertEqual(self.document("volumes", "show", word)["volume_id"], volume, word)

    def test_docker_name(self) -> None:
        """A volume is found by the name that it has in Docker, too."""
        volume, _ = self.create(), self.create()
        self.cloud.store.set_metadata(volume, {"docker-name": "notes"}, replace=False)
        for command in ("attach", "path", "show", "detach"):
            found = self.document("volumes", command, "notes")
            self.assertEqual(found["volume_id"], volume, command)

    def test_each_command(self) -> None:
        """Each command with a volume accepts its beginning."""
        volume = self.create()
        for command in ("attach", "path", "show", "detach"):
            self.assertEqual(
                self.document("volumes", command, volume[:5])["volume_id"], volume, command
            )
        self.assertTrue(self.document("volumes", "rm", "--yes", volume[:5])["destroyed"])

    def test_too_short(self) -> None:
        """Less than four characters are no volume."""
        volume = self.create()
        error = self.document("volumes", "rm", "--yes", volume[:3], exit_code=1)["error"]
        self.assertEqual(error["kind"], "UnknownVolume")

    def test_ambiguous(self) -> None:
        """Nothing is destroyed by a beginning of two ids; the error has both, whole."""
        ids = [f"abcd{n}{str(uuid4())[5:]}" for n in (1, 2)]
        for each in ids:
            with mock.patch.object(store, "uuid", mock.Mock(uuid4=lambda each=each: each)):
                self.assertEqual(self.create(), each)
        error = self.document("volumes", "rm", "--yes", "ABCD", exit_code=1)["error"]
        self.assertEqual(error["kind"], "AmbiguousName")
        for each in ids:
            self.assertIn(each, error["message"])
        self.assertEqual(len(self.document("volumes", "list")["volumes"]), 2)
        self.document("volumes", "rm", "--yes", "abcd1")
        self.assertEqual(len(self.document("volumes", "list")["volumes"]), 1)

    def test_other_clusters(self) -> None:
        """The beginning of another cluster's volume is not a volume, nor is its name."""
        other = self.document("volumes", "create", "1GiB", "--cluster-id", str(uuid4()))
        for word in (other["volume_id"][:8], other["name"], other["volume_id"].upper()):
            error = self.document("volumes", "show", word, exit_code=1)["error"]
            self.assertEqual(error["kind"], "UnknownVolume")


class SnapshotTests(CommandTestCase):
    """Words for snapshots."""

    def setUp(self) -> None:
        super().setUp()
        self.volumes = [self.create() for _ in range(2)]
        self.snapshot = self.snap(self.volumes[0], "nightly")

    def snap(self, volume: str, name: str) -> str:
        """Make a snapshot, and return its id."""
        made: str = self.document("snapshots", "create", volume, name)["snapshot_id"]
        return made

    def test_spellings(self) -> None:
        """A snapshot is found by its id in any spelling, by its name and by its beginning."""
        for word in (
            self.snapshot,
            self.snapshot.upper(),
            self.snapshot.replace("-", ""),
            self.snapshot[:4],
            "nightly",
            "NIGHTLY",
        ):
            found = self.document("snapshots", "show", word)["snapshot_id"]
            self.assertEqual(found, self.snapshot, word)

    def test_each_command(self) -> None:
        """Each command with a snapshot accepts its name."""
        self.create("--from-snapshot", "nightly")
        self.document("snapshots", "show", "nightly")
        self.assertTrue(self.document("snapshots", "rm", "--yes", "nightly")["destroyed"])

    def test_ambiguous_name(self) -> None:
        """
        A name that snapshots of two volumes have is an error with both, and with the volumes;
        nothing is destroyed or created.
        """
        other = self.snap(self.volumes[1], "nightly")
        for command in (["snapshots", "rm", "--yes"], ["volumes", "create", "--from-snapshot"]):
            error = self.document(*command, "nightly", exit_code=1)["error"]
            self.assertEqual(error["kind"], "AmbiguousName")
            for snapshot, volume in zip((self.snapshot, other), self.volumes):
                self.assertIn(f"{snapshot} ('nightly' of volume {volume})", error["message"])
        self.assertEqual(len(self.document("snapshots", "list")["snapshots"]), 2)
        self.assertEqual(len(self.document("volumes", "list")["volumes"]), 2)

    def test_other_clusters(self) -> None:
        """The name and the beginning of another cluster's snapshot are no snapshot."""
        for word in ("nightly", self.snapshot[:8], self.snapshot):
            error = self.document(
                "--cluster-id", str(uuid4()), "snapshots", "show", word, exit_code=1
            )["error"]
            self.assertEqual(error["kind"], "UnknownSnapshot")


class NodeTests(CommandTestCase):
    """Words for nodes."""

    def test_spellings(self) -> None:
        """A node is found by its name, by its id in any spelling, and by its beginning."""
        volume = self.create()
        for word in (
            "node-2",
            "NODE-2",
            self.other_node,
            self.other_node.upper(),
            self.other_node[:8],
        ):
            attached = self.document("volumes", "attach", volume, "--to", word)
            self.assertEqual(attached["attached_to"], [self.other_node], word)
            self.document("volumes", "detach", volume)

    def test_unknown(self) -> None:
        """A word for no node is an error that contains it, and nothing is attached."""
        volume = self.create()
        error = self.document("volumes", "attach", volume, "--to", "node-9", exit_code=1)["error"]
        self.assertEqual(error["kind"], "UnknownServer")
        self.assertIn("node-9", error["message"])
        self.assertEqual(self.document("volumes", "show", volume)["attached_to"], [])
