"""
Tests for ``txstorage.cli.volumes``, against the embedded service in memory.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import attr
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import CancelledError, Deferred

from txstorage._version import VERSION
from txstorage.cli.main import main
from txstorage.cli.resources import confirmation
from txstorage.cli.running import CommandInterrupted
from txstorage.driver.operations import BlockDeviceDriver
from txstorage.embedded.machine.engine import Engine
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.store.records import NewVolume

from .support import CLUSTER, GIB, CommandTestCase, runner

_create_volume = BlockDeviceDriver.create_volume


def interrupted_create(driver: Any, dataset_id: UUID, size: int) -> Any:
    """Make the volume, and be interrupted before that is known."""

    def interrupt(volume: Any) -> None:
        raise CancelledError()

    return _create_volume(driver, dataset_id, size).addCallback(interrupt)


class CreateTests(CommandTestCase):
    """``volumes create``."""

    def test_size(self) -> None:
        """The volume has the size, and a new dataset."""
        created = self.document("volumes", "create", "2GiB")
        self.assertEqual((created["size"], created["status"]), (2 * GIB, "available"))
        self.assertIsInstance(UUID(created["dataset_id"]), UUID)
        self.assertEqual(created["labels"]["flocker-cluster-id"], str(CLUSTER))

    def test_dataset_has_one_volume(self) -> None:
        """A second create for one dataset prints the same volume."""
        dataset = str(uuid4())
        first = self.create("--dataset", dataset)
        self.assertEqual(self.create("--dataset", dataset), first)

    def test_reason_of_a_failure(self) -> None:
        """The error of a failed create contains the service's reason, and no volume is left."""
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch.object(VolumeFiles, "create", side_effect=full):
            result = self.txstorage("volumes", "create", "1GiB")
        self.assertEqual(result.exit_code, 1)
        said = " ".join(result.stderr.split())
        self.assertIn("the cloud reports: create volume: No space left on device", said)
        self.assertEqual(self.document("volumes", "list")["volumes"], [])

    def test_not_finished(self) -> None:
        """
        The error of an unfinished create names the dataset to use for a retry, and that retry
        finds the volume instead of creating another.
        """
        with mock.patch.object(BlockDeviceDriver, "create_volume", interrupted_create):
            result = self.txstorage("volumes", "create", "1GiB")
        self.assertNotEqual(result.exit_code, 0)
        [dataset] = re.findall("add --dataset (.*)", result.stderr)
        [made] = self.document("volumes", "list")["volumes"]
        self.assertEqual(self.create("--dataset", dataset), made["volume_id"])

    def test_not_finished_with_its_dataset(self) -> None:
        """The output omits a dataset that the user has named."""
        with mock.patch.object(BlockDeviceDriver, "create_volume", interrupted_create):
            result = self.txstorage("volumes", "create", "1GiB", "--dataset", str(uuid4()))
        self.assertNotIn("--dataset", result.stderr)

    def test_profile(self) -> None:
        """A configured profile decides about the volume type."""
        self.write_config(profiles={"gold": "silver"})
        created = self.document("volumes", "create", "1GiB", "--profile", "gold")
        self.assertEqual(created["volume_type"], "silver")

    def test_unknown_profile(self) -> None:
        """A profile that is not configured is an error with its remedy."""
        result = self.txstorage("volumes", "create", "1GiB", "--profile", "platinum")
        self.assertEqual((result.exit_code, result.stdout), (1, ""))
        self.assertIn("platinum", result.stderr)
        self.assertIn("What to do: map the profile", result.stderr)

    def test_bad_size(self) -> None:
        """A size that is none is a usage error."""
        for size in ("0", "-1", "1.5B", "big"):
            result = self.txstorage("volumes", "create", "--", size)
            self.assertEqual(result.exit_code, 2)
            self.assertIn("is not a size", result.stderr)

    def test_rounded(self) -> None:
        """A size that is rounded is said, on standard error; the document has both sizes."""
        for size, rounded in (("1.5GiB", "1.5 GiB is rounded up to 2 GiB"), ("2GiB", "")):
            result = self.txstorage("volumes", "create", size)
            self.assertEqual((result.exit_code, result.stderr.count("rounded")), (0, bool(rounded)))
            self.assertIn(rounded, result.stderr)
        created = self.document("volumes", "create", "1.5GiB")
        self.assertEqual((created["requested_size"], created["size"]), (3 * 2**29, 2 * GIB))

    def test_help_defines_units(self) -> None:
        """The help says which units are powers of 1000, and which of 1024."""
        shown = " ".join(self.txstorage("volumes", "create", "--help").stdout.split())
        self.assertIn("1G and 1GB are 1000000000 bytes, 1Gi and 1GiB are 1073741824", shown)

    def test_table(self) -> None:
        """For people, every field is shown."""
        result = self.txstorage("volumes", "create", "1GiB")
        self.assertEqual(result.exit_code, 0)
        self.assertIn("1 GiB", result.stdout)
        self.assertIn(f"flocker-cluster-id={CLUSTER}", result.stdout)


class ListTests(CommandTestCase):
    """``volumes list``."""

    def test_only_this_cluster(self) -> None:
        """Volumes of other clusters are not listed."""
        volume = self.create()
        self.document("--cluster-id", str(uuid4()), "volumes", "create", "1GiB")
        listed = self.document("volumes", "list")
        self.assertEqual([each["volume_id"] for each in listed["volumes"]], [volume])
        self.assertEqual(listed["malformed"], [])

    def test_table(self) -> None:
        """For people there is one row a volume."""
        volume = self.create()
        self.document("volumes", "attach", volume)
        result = self.txstorage("volumes", "list")
        [row] = [line for line in result.stdout.splitlines() if volume in line]
        for shown in ("1 GiB", "in-use", self.node):
            self.assertIn(shown, row)

    def test_a_volume_without_dataset(self) -> None:
        """A volume without a dataset is listed, and standard error gives the reason."""
        volume = self.create()
        self.forget_dataset(volume)
        result = self.txstorage("volumes", "list")
        self.assertEqual(result.exit_code, 0)
        self.assertIn(volume, result.stdout)
        self.assertIn("flocker-dataset-id is missing", result.stderr)

    def test_json_is_alone(self) -> None:
        """With --json everything is in the document, and nothing on standard error."""
        volume = self.create()
        self.forget_dataset(volume)
        [listed] = self.document("volumes", "list")["volumes"]
        self.assertIn("flocker-dataset-id is missing", listed["problem"])
        self.assertIsNone(listed["dataset_id"])

    def forget_dataset(self, volume: str) -> None:
        """Remove the label that names a volume's dataset."""
        labels = {"flocker-cluster-id": str(CLUSTER)}
        self.cloud.store.set_metadata(volume, labels, replace=True)


class AttachTests(CommandTestCase):
    """``volumes attach``, ``path``, ``detach`` and ``show``."""

    def test_prints_the_path(self) -> None:
        """Without ``--json`` standard output contains only the path."""
        volume = self.create()
        result = self.txstorage("volumes", "attach", volume)
        path = os.path.join(self.cloud.devices_directory, volume)
        self.assertEqual((result.exit_code, result.stdout), (0, path + "\n"))
        self.assertEqual(self.txstorage("volumes", "path", volume).stdout, path + "\n")
        self.assertEqual(
            self.document("volumes", "path", volume), {"volume_id": volume, "device_path": path}
        )
        self.assertEqual(os.path.getsize(path), GIB)

    def test_elsewhere(self) -> None:
        """On another node there is no path here."""
        volume = self.create()
        result = self.txstorage("volumes", "attach", volume, "--to", self.other_node)
        self.assertIn("is attached to " + self.other_node, result.stdout)
        shown = self.document("volumes", "show", volume)
        self.assertEqual((shown["attached_to"], shown["device_path"]), ([self.other_node], None))

    def test_twice(self) -> None:
        """A second attach fails; the error gives the reason and the remedy."""
        volume = self.create()
        self.document("volumes", "attach", volume)
        error = self.document("volumes", "attach", volume, exit_code=1)["error"]
        self.assertEqual(error["kind"], "AlreadyAttachedVolume")
        self.assertIn(volume, error["message"])
        self.assertIn("detach it first", error["remedy"])

    def test_detach(self) -> None:
        """A detached volume is available, and has no path."""
        volume = self.create()
        self.document("volumes", "attach", volume)
        detached = self.document("volumes", "detach", volume)
        self.assertEqual((detached["status"], detached["attached_to"]), ("available", []))
        result = self.txstorage("volumes", "path", volume)
        self.assertEqual(result.exit_code, 1)
        self.assertIn("is not attached to this node", result.stderr)
        again = self.txstorage("volumes", "detach", volume)
        self.assertEqual(again.exit_code, 1)
        self.assertNotIn("attach it first", again.stderr)
        self.assertIn("says where it is attached", again.stderr)

    def test_says_that_it_is_detached(self) -> None:
        """Without ``--json`` the output confirms the detach."""
        volume = self.create()
        self.document("volumes", "attach", volume)
        self.assertIn("is detached", self.txstorage("volumes", "detach", volume).stdout)

    def test_show_with_a_device(self) -> None:
        """A volume that is attached here is shown with its path."""
        volume = self.create()
        self.document("volumes", "attach", volume)
        path = os.path.join(self.cloud.devices_directory, volume)
        self.assertIn(path, self.txstorage("volumes", "show", volume).stdout)

    def test_show_without_its_device(self) -> None:
        """A volume whose device is missing is shown, with what is wrong."""
        volume = self.create()
        path = self.document("volumes", "attach", volume)["device_path"]
        os.unlink(path)
        shown = self.document("volumes", "show", volume)
        self.assertIsNone(shown["device_path"])
        self.assertIn(volume, shown["problem"])

    def test_show_where_there_is_no_node(self) -> None:
        """On a machine that is not a node, an attached volume can be looked at."""
        volume = self.create()
        self.document("volumes", "attach", volume)
        self.write_config(instance_id=str(uuid4()))
        self.assertIsNone(self.document("volumes", "show", volume)["device_path"])

    def test_other_clusters_volume(self) -> None:
        """Another cluster's volume does not exist."""
        other = self.document("--cluster-id", str(uuid4()), "volumes", "create", "1GiB")
        for command in ("show", "attach", "path", "detach"):
            error = self.document("volumes", command, other["volume_id"], exit_code=1)["error"]
            self.assertEqual(error["kind"], "UnknownVolume")


class ReasonTests(CommandTestCase):
    """The cloud's reason for a failure."""

    def test_shown(self) -> None:
        """``volumes show`` prints the cloud's reason for an ``error``, and for no other status."""
        volume = self.create()
        self.cloud.store.messages.add(volume, "attach volume: no loop device is free")
        self.assertIs(self.document("volumes", "show", volume)["problem"], None)
        for status in ("error", "error_deleting"):
            self.cloud.store.set_status(volume, status)
            document = self.document("volumes", "show", volume)
            self.assertEqual(document["problem"], "attach volume: no loop device is free")

    def test_no_reason(self) -> None:
        """A cloud may give no reason."""
        volume = self.create()
        self.cloud.store.set_status(volume, "error")
        self.assertIs(self.document("volumes", "show", volume)["problem"], None)


class InterruptTests(CommandTestCase):
    """An interrupted operation."""

    def interrupt(self, operation: Any) -> Any:
        """Run an operation until its volume is in transition, and interrupt it."""
        call = Deferred.fromCoroutine(operation(self.clock))
        for _ in range(40):
            self.agent.flush()
            self.clock.advance(0.05)
        call.cancel()
        self.failureResultOf(call, CancelledError)
        raise CommandInterrupted(signal.SIGTERM)

    def interrupted(self, *arguments: str) -> str:
        """The error of an interrupted command."""
        app = attr.evolve(self.app(), run=self.interrupt)
        result = runner().invoke(main, ["--config", self.config, *arguments], obj=app)
        self.assertEqual(result.exit_code, 143, result.stderr)
        return " ".join(result.stderr.split())

    def test_asked_for(self) -> None:
        """The error says what the cloud was already asked for, by each operation."""
        self.start_cloud()
        volume = self.create()
        other = self.create()
        self.document("volumes", "attach", other)
        old = self.document("snapshots", "create", other, "old")["snapshot_id"]
        with mock.patch.object(Engine, "begin"):
            for arguments, words in (
                (["create", "2GiB"], "create a volume of 2 GiB (accepted as volume "),
                (["create", "--clone", volume], "create a volume of 1 GiB (accepted as volume "),
                (["grow", self.create_at_rest(), "2GiB"], "grow volume "),
                (["attach", volume], f"attach volume {volume} to {self.node} (accepted)"),
                (["detach", other], f"detach volume {other} from {self.node} (accepted)"),
                (["destroy", "--yes", self.create_at_rest()], "destroy volume "),
            ):
                said = self.interrupted("volumes", *arguments)
                self.assertIn("already asked to: " + words, said)
            rest = self.create_at_rest()
            for arguments, words in (
                (["create", rest, "n"], f"create a snapshot 'n' of volume {rest} (accepted as "),
                (["destroy", "--yes", old], f"destroy snapshot {old} (accepted)"),
            ):
                said = self.interrupted("snapshots", *arguments)
                self.assertIn("already asked to: " + words, said)

    def create_at_rest(self) -> str:
        """Record an available volume."""
        labels = {"flocker-cluster-id": str(CLUSTER), "flocker-dataset-id": str(uuid4())}
        made = self.cloud.store.add_volume(NewVolume(None, None, 1, "gold", labels))
        self.cloud.store.set_status(made.volume_id, "available")
        return made.volume_id

    def test_nothing_asked_for(self) -> None:
        """A command that only reads has asked for nothing."""
        with mock.patch.object(RequestTraversalAgent, "request", lambda *args, **more: Deferred()):
            self.assertNotIn("asked", self.interrupted("volumes", "list"))


class DestroyTests(CommandTestCase):
    """``volumes destroy``."""

    def test_yes(self) -> None:
        """With --yes the volume is gone."""
        volume = self.create()
        self.assertEqual(
            self.document("volumes", "destroy", volume, "--yes"),
            {"volume_id": volume, "destroyed": True},
        )
        self.assertEqual(self.document("volumes", "list")["volumes"], [])

    def test_nobody_to_ask(self) -> None:
        """Without a terminal and without --yes nothing is destroyed."""
        volume = self.create()
        result = self.txstorage("volumes", "destroy", volume, input="y\n")
        self.assertEqual(result.exit_code, 2)
        self.assertIn("--yes", result.stderr)
        self.assertEqual(len(self.document("volumes", "list")["volumes"]), 1)

    def test_asks(self) -> None:
        """On a terminal the command asks for confirmation, and obeys the answer."""
        volume = self.create()
        for answer, exit_code, left in (("n\n", 1, 1), ("y\n", 0, 0)):
            with mock.patch.object(confirmation, "is_interactive", lambda: True):
                result = self.txstorage("volumes", "destroy", volume, input=answer)
            self.assertEqual(result.exit_code, exit_code)
            self.assertIn("all data on it?", result.stderr)
            self.assertEqual(len(self.document("volumes", "list")["volumes"]), left)

    def test_attached(self) -> None:
        """An attached volume is not destroyed."""
        volume = self.create()
        self.document("volumes", "attach", volume)
        error = self.document("volumes", "destroy", volume, "--yes", exit_code=1)["error"]
        self.assertEqual((error["kind"], error["remedy"]), ("StillAttached", "detach it first"))


class UsageTests(CommandTestCase):
    """The global options."""

    def test_no_cluster(self) -> None:
        """Without a cluster id the error names the key."""
        self.write_config(cluster_id=None)
        result = self.txstorage("volumes", "list")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("cluster_id: is missing", result.stderr)

    def test_wrong_password(self) -> None:
        """Wrong credentials are an error with a remedy, and without the secret."""
        self.write_config(password="s3cr3t")
        result = self.txstorage("volumes", "list")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("What to do: check the user", result.stderr)
        self.assertNotIn("s3cr3t", result.stderr)

    def test_version_and_help(self) -> None:
        """``--version`` and ``--help`` need no configuration."""
        self.assertIn(VERSION, runner().invoke(main, ["--version"]).stdout)
        shown = runner().invoke(main, ["-h"]).stdout
        for command in ("demo", "doctor", "serve", "snapshots", "volumes"):
            self.assertIn(command, shown)
