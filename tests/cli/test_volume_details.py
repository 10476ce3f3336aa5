"""
Tests for ``volumes show`` and its siblings: sizes that differ, and volumes attached to hosts.
"""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

from txstorage.cli.snapshots.columns import COLUMNS as SNAPSHOT_COLUMNS
from txstorage.cli.volumes import details
from txstorage.cli.volumes.columns import COLUMNS
from txstorage.driver.operations import BlockDeviceDriver
from txstorage.embedded.apis import volume_views
from txstorage.filesystem import Holder

from .support import GIB, CommandTestCase

MIB = 2**20


class DeviceSizeTests(CommandTestCase):
    """The size of a device that differs from the volume's."""

    def attached(self, size: int) -> str:
        """Attach a volume, and give its device a size."""
        volume = self.create()
        path = self.document("volumes", "attach", volume)["device_path"]
        os.truncate(path, size)
        return volume

    def row(self, volume: str, name: str) -> str:
        """Return the row of a table."""
        shown = self.txstorage("volumes", "show", volume).stdout
        [row] = [line for line in shown.splitlines() if line.strip(" ┃│").startswith(name)]
        return row

    def test_smaller(self) -> None:
        """The device of an encrypted volume is smaller; its path is printed all the same."""
        volume = self.attached(GIB - 16 * MIB)
        shown = self.document("volumes", "show", volume)
        self.assertEqual((shown["size"], shown["device_size"]), (GIB, GIB - 16 * MIB))
        self.assertIsNotNone(shown["device_path"])
        self.assertIsNone(shown["problem"])
        self.assertIn(
            "1056964608 bytes: 16 MiB smaller than the volume", self.row(volume, "device size")
        )
        self.assertEqual(self.txstorage("volumes", "path", volume).exit_code, 0)

    def test_larger(self) -> None:
        """A difference of one sector is shown, too."""
        volume = self.attached(GIB + 512)
        self.assertEqual(self.document("volumes", "show", volume)["device_size"], GIB + 512)
        self.assertIn("512 B larger than the volume", self.row(volume, "device size"))

    def test_same(self) -> None:
        """Without a difference, only the size is shown; without a device, none is."""
        volume = self.attached(GIB)
        self.assertIn("1 GiB", self.row(volume, "device size"))
        self.assertNotIn("than the volume", self.row(volume, "device size"))
        self.document("volumes", "detach", volume)
        self.assertIsNone(self.document("volumes", "show", volume)["device_size"])
        self.assertIn("-", self.row(volume, "device size"))


class HoldersTests(CommandTestCase):
    """The users of a volume's device on this node."""

    def test_shown(self) -> None:
        """The users of the device are shown, processes and the kernel, with their places."""
        volume = self.create()
        path = self.document("volumes", "attach", volume)["device_path"]
        # Here a volume is a regular file.
        self.assertEqual([], self.document("volumes", "show", volume)["holders"])
        found = {path: [Holder(7, "sleep", "/data", "/data"), Holder(0, "swap", "/dev/x")]}
        self.patch(details.stat, "S_ISBLK", lambda mode: True)
        self.patch(details, "number_of", lambda device: device)
        self.patch(details, "holders_of", lambda number: found[number])
        self.assertEqual(
            [
                {"pid": 7, "command": "sleep", "place": "/data"},
                {"pid": None, "command": "swap", "place": "/dev/x"},
            ],
            self.document("volumes", "show", volume)["holders"],
        )
        shown = self.txstorage("volumes", "show", volume).stdout
        self.assertIn("sleep (7) at /data, swap at /dev/x", shown)


class HostTests(CommandTestCase):
    """A volume that another program attached to a host."""

    def on_host(self) -> str:
        """Attach a volume to a host, as a program without Compute does."""
        volume = self.create()
        store = self.cloud.store
        connector = {"host": "compute-1", "mountpoint": "/dev/vdb"}
        store.attachments.reserve_for_host(volume, None, "rw", connector)
        store.set_status(volume, "in-use")
        return volume

    def named(self) -> Any:
        """Let the cloud show the host's name, as it does to administrators."""
        attachments = volume_views._attachments

        def with_name(volume: Any, admin: bool) -> list[dict[str, Any]]:
            return [dict(each, host_name="compute-1") for each in attachments(volume, admin)]

        return mock.patch.object(volume_views, "_attachments", with_name)

    def test_shown(self) -> None:
        """The host is shown, in the list, too."""
        volume = self.on_host()
        with self.named():
            shown = self.document("volumes", "show", volume)
            self.assertEqual(
                (shown["attached_to"], shown["attached_to_hosts"]), ([], ["compute-1"])
            )
            for command in (["list"], ["show", volume]):
                self.assertIn("host compute-1", self.txstorage("volumes", *command).stdout)

    def test_nameless(self) -> None:
        """A host whose name the cloud does not show is a host, too."""
        volume = self.on_host()
        self.assertEqual(self.document("volumes", "show", volume)["attached_to_hosts"], [None])
        self.assertIn("host (unknown)", self.txstorage("volumes", "show", volume).stdout)

    def test_detach(self) -> None:
        """A detach fails within a second, and its error names the host and the remedy."""
        volume = self.on_host()
        begin = self.clock.seconds()
        with self.named():
            error = self.document("volumes", "detach", volume, exit_code=1)["error"]
        self.assertLess(self.clock.seconds() - begin, 1)
        self.assertEqual(error["kind"], "AttachedToHost")
        self.assertIn("host compute-1", error["message"])
        self.assertIn("volume attachment delete", error["remedy"])

    def test_server(self) -> None:
        """An attachment to a server names no host."""
        volume = self.create()
        self.document("volumes", "attach", volume)
        shown = self.document("volumes", "show", volume)
        self.assertEqual((shown["attached_to"], shown["attached_to_hosts"]), ([self.node], []))


class DetachedTests(CommandTestCase):
    """The confirmation of a detach."""

    def detached_with(self, status: str) -> str:
        """Return the output of a detach after which the volume has a status."""
        volume = self.create()
        self.document("volumes", "attach", volume)
        detach_volume = BlockDeviceDriver.detach_volume

        def detach(driver: Any, volume_id: str) -> Any:
            detached = detach_volume(driver, volume_id)
            return detached.addCallback(lambda _: self.cloud.store.set_status(volume, status))

        with mock.patch.object(BlockDeviceDriver, "detach_volume", detach):
            result = self.txstorage("volumes", "detach", volume)
        self.assertEqual(result.exit_code, 0, result.stderr)
        output: str = result.stdout
        return output

    def test_reserved(self) -> None:
        """A volume that another attach has reserved is detached, and the status is printed."""
        self.assertIn("is detached; its status is now reserved", self.detached_with("reserved"))

    def test_available(self) -> None:
        """A volume that is available needs no remark."""
        self.assertTrue(self.detached_with("available").endswith("is detached\n"))


class MembersTests(CommandTestCase):
    """The members of the JSON documents, on which scripts rely."""

    def test_members(self) -> None:
        """The documents of each command have the same members, whatever the volume's state."""
        of_lists = {"cluster_id", "superseded_by"}
        common = {*COLUMNS, "attached_to_hosts"} - of_lists
        device = {"device_path", "device_size"}
        volume = self.create()
        snapshot = self.document("snapshots", "create", volume)
        self.assertEqual(set(snapshot), {*SNAPSHOT_COLUMNS, "was_attached"})
        for _ in "ab":  # as it was made, and when it was attached
            [listed] = self.document("volumes", "list")["volumes"]
            self.assertEqual(set(listed), common | of_lists)
            shown = self.document("volumes", "show", volume)
            self.assertEqual(set(shown), common | device | {"holders", "snapshots"})
            self.assertEqual(set(shown["snapshots"][0]), set(SNAPSHOT_COLUMNS))
            grown = self.document("volumes", "grow", volume, "2GiB")
            self.assertEqual(set(grown), common | device | {"requested_size"})
            attached = self.document("volumes", "attach", volume)
            self.assertEqual(set(attached), common | device)
            detached = self.document("volumes", "detach", volume)
            self.assertEqual(set(detached), common)
        created = self.document("volumes", "create", "--clone", volume)
        self.assertEqual(set(created), common | {"requested_size"})
