"""
Tests for ``txstorage.cli.volumes.creation``: copies, and volumes that grow.
"""

from __future__ import annotations

import os
import re
from typing import Any
from unittest import mock
from uuid import uuid4

from twisted.internet.defer import CancelledError

from txstorage.driver.operations import BlockDeviceDriver

from ..support import GIB, CommandTestCase


class CopyTests(CommandTestCase):
    """``volumes create --from-snapshot`` and ``--clone``."""

    def setUp(self) -> None:
        super().setUp()
        self.volume = self.create()

    def write(self, text: bytes) -> None:
        """Write to the volume, through its device."""
        path = self.document("volumes", "attach", self.volume)["device_path"]
        with open(path, "r+b") as device:
            device.write(text)
        self.document("volumes", "detach", self.volume)

    def read(self, volume: str) -> bytes:
        """Return the first bytes of a volume, from its device."""
        path = self.document("volumes", "attach", volume)["device_path"]
        with open(path, "rb") as device:
            return device.read(6)

    def count(self) -> int:
        """The number of the cluster's volumes."""
        return len(self.document("volumes", "list")["volumes"])

    def test_from_snapshot(self) -> None:
        """The volume has the data of the time of the snapshot, a dataset, and says its origin."""
        self.write(b"first ")
        made = self.document("snapshots", "create", self.volume, "nightly")
        self.write(b"second")
        copy = self.document("volumes", "create", "--from-snapshot", "nightly")
        self.assertEqual(self.read(copy["volume_id"]), b"first ")
        self.assertEqual(self.read(self.volume), b"second")
        self.assertEqual((copy["size"], copy["requested_size"]), (GIB, None))
        self.assertEqual((copy["from_snapshot"], copy["clone_of"]), (made["snapshot_id"], None))
        self.assertNotEqual(copy["dataset_id"], made["dataset_id"])

    def test_clone(self) -> None:
        """The volume has the data of the other one, which may be attached."""
        self.write(b"first ")
        self.document("volumes", "attach", self.volume)
        copy = self.document("volumes", "create", "--clone", self.volume[:8])
        self.assertEqual(self.read(copy["volume_id"]), b"first ")
        self.assertEqual((copy["from_snapshot"], copy["clone_of"]), (None, self.volume))

    def test_origin(self) -> None:
        """The origin is shown for people, and is a column of the list."""
        made = self.document("snapshots", "create", self.volume)["snapshot_id"]
        copy = self.create("--from-snapshot", made)
        clone = self.create("--clone", copy)
        columns = ["--columns", "volume_id,from_snapshot,clone_of"]
        listed = self.txstorage("volumes", "list", *columns).stdout.splitlines()
        for line in ([copy, made, "-"], [clone, "-", copy]):
            self.assertIn(line, [each.split() for each in listed])
        for volume, origin in (
            (copy, f"made from    snapshot {made}"),
            (clone, f"made from    volume {copy}"),
            (self.volume, "made from    -"),
        ):
            self.assertIn(origin, self.txstorage("volumes", "show", volume).stdout)

    def test_size(self) -> None:
        """A copy may be larger, and a size that is rounded is said; it is not smaller."""
        larger = self.document("volumes", "create", "2.5GiB", "--clone", self.volume)
        self.assertEqual((larger["size"], larger["requested_size"]), (3 * GIB, 5 * GIB // 2))
        result = self.txstorage("volumes", "create", "1.5GiB", "--clone", self.volume)
        self.assertIn("1.5 GiB is rounded up to 2 GiB", result.stderr)
        large = larger["volume_id"]
        error = self.document("volumes", "create", "1GiB", "--clone", large, exit_code=1)["error"]
        self.assertEqual(error["kind"], "SmallerThanSource")

    def test_dataset(self) -> None:
        """A copy for a dataset can be repeated; for the dataset of another volume it fails."""
        dataset = str(uuid4())
        first = self.create("--clone", self.volume, "--dataset", dataset)
        self.assertEqual(self.create("--clone", self.volume, "--dataset", dataset), first)
        taken = self.document("volumes", "show", self.volume)["dataset_id"]
        error = self.document(
            "volumes", "create", "--clone", self.volume, "--dataset", taken, exit_code=1
        )["error"]
        self.assertEqual((error["kind"], self.count()), ("DatasetConflict", 2))

    def test_not_finished(self) -> None:
        """The error of an unfinished copy names the dataset to use for a retry."""
        clone_volume = BlockDeviceDriver.clone_volume

        def interrupted(driver: Any, *arguments: Any) -> Any:
            def interrupt(volume: Any) -> None:
                raise CancelledError()

            return clone_volume(driver, *arguments).addCallback(interrupt)

        with mock.patch.object(BlockDeviceDriver, "clone_volume", interrupted):
            result = self.txstorage("volumes", "create", "--clone", self.volume)
            document = self.document("volumes", "create", "--clone", self.volume, exit_code=1)
        for dataset in (*re.findall("add --dataset (.*)", result.stderr), document["dataset_id"]):
            self.create("--clone", self.volume, "--dataset", dataset)
        self.assertEqual(self.count(), 3)

    def test_nothing_sent(self) -> None:
        """A command that fails before its first request for a change needs no dataset to retry."""
        self.write_config(password="wrong")
        result = self.txstorage("volumes", "create", "1GiB")
        self.assertEqual(result.exit_code, 1)
        self.assertNotIn("to repeat this", result.stderr)
        self.assertNotIn("dataset_id", self.document("volumes", "create", "1GiB", exit_code=1))

    def test_unknown_source(self) -> None:
        """A word for no snapshot or volume is an error that needs no retry."""
        for option, kind in (("--from-snapshot", "UnknownSnapshot"), ("--clone", "UnknownVolume")):
            result = self.txstorage("volumes", "create", option, "unknown")
            self.assertEqual(result.exit_code, 1)
            self.assertNotIn("to repeat this", result.stderr)
            for word in ("unknown", str(uuid4())):
                error = self.document("volumes", "create", option, word, exit_code=1)["error"]
                self.assertEqual(error["kind"], kind)
        self.assertEqual(self.count(), 1)

    def test_usage(self) -> None:
        """A size or a source is needed, and only one source; the type is the source's."""
        for arguments, text in (
            ([], "SIZE is missing"),
            (["--clone", "a", "--from-snapshot", "b"], "exclude each other"),
            (["--clone", "a", "--profile", "gold"], "--profile is not possible"),
            (["--from-snapshot", "a", "--profile", "gold"], "--profile is not possible"),
        ):
            result = self.txstorage("volumes", "create", *arguments)
            self.assertEqual(result.exit_code, 2)
            self.assertIn(text, result.stderr)


class GrowTests(CommandTestCase):
    """``volumes grow``."""

    def setUp(self) -> None:
        super().setUp()
        self.volume = self.create()

    def test_detached(self) -> None:
        """The volume has the size, and the document is that of ``show``."""
        grown = self.document("volumes", "grow", self.volume[:8], "2GiB")
        self.assertEqual((grown["size"], grown["requested_size"]), (2 * GIB, 2 * GIB))
        self.assertEqual((grown["volume_id"], grown["status"]), (self.volume, "available"))
        self.assertEqual(self.document("volumes", "show", self.volume)["size"], 2 * GIB)

    def test_attached(self) -> None:
        """The device of an attached volume has the size when the command ends."""
        path = self.document("volumes", "attach", self.volume)["device_path"]
        grown = self.document("volumes", "grow", self.volume, "2GiB")
        self.assertEqual((grown["device_path"], grown["device_size"]), (path, 2 * GIB))
        self.assertEqual(os.path.getsize(path), 2 * GIB)

    def test_for_people(self) -> None:
        """The size is said, the rounding, and that a file system has not grown."""
        result = self.txstorage("volumes", "grow", self.volume, "1.5GiB")
        self.assertEqual(result.stdout, f"Volume {self.volume} has 2 GiB\n")
        for part in ("1.5 GiB is rounded up to 2 GiB", "resize2fs", "xfs_growfs"):
            self.assertIn(part, result.stderr)

    def test_repeated(self) -> None:
        """A volume that has the size already is as requested."""
        for _ in "ab":
            self.assertEqual(self.document("volumes", "grow", self.volume, "2GiB")["size"], 2 * GIB)

    def test_never_shrinks(self) -> None:
        """A smaller size is an error, and the volume keeps its size."""
        self.document("volumes", "grow", self.volume, "3GiB")
        error = self.document("volumes", "grow", self.volume, "2GiB", exit_code=1)["error"]
        self.assertEqual(error["kind"], "VolumesNeverShrink")
        self.assertEqual(self.document("volumes", "show", self.volume)["size"], 3 * GIB)

    def test_usage(self) -> None:
        """One volume and a size are needed."""
        for arguments in ([self.volume], [self.volume, "big"], [self.volume, "x", "2GiB"]):
            result = self.txstorage("volumes", "grow", *arguments)
            self.assertEqual((result.exit_code, "Error: " in result.stderr), (2, True))
