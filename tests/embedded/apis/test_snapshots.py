"""Tests of Block Storage v3's snapshots, and of volumes that begin as copies or grow."""

from __future__ import annotations

import errno
import os
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred

from txstorage.embedded.machine import copies
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.settings import GIB

from ..support import MISSING, CloudTests, Got

PROGRESS = "os-extended-snapshot-attributes:progress"


class SnapshotCase(CloudTests):
    """A cloud with a volume that has data."""

    def setUp(self) -> None:
        super().setUp()
        self.volume_id = self.create(size=1, volume_type="gold")
        self.write(b"first")

    def path(self, name: str) -> str:
        """The path of a file of a volume or a snapshot."""
        directory = os.path.dirname(self.cloud.devices_directory)
        return os.path.join(directory, "volumes", name)

    def write(self, text: bytes) -> None:
        """Write to the volume."""
        with open(self.path("volume-" + self.volume_id), "r+b") as opened:
            opened.write(text)

    def read(self, volume_id: str) -> bytes:
        """Return a volume's beginning."""
        with open(self.path("volume-" + volume_id), "rb") as opened:
            return opened.read(5)

    def post(self, version: str = "3.66", **snapshot: Any) -> Got:
        """Request a snapshot of the volume."""
        body = {"snapshot": dict({"volume_id": self.volume_id}, **snapshot)}
        return self.cinder("POST", "/snapshots", body, version)

    def snapshot(self) -> str:
        """Make a snapshot of the volume."""
        got = self.post()
        self.assertEqual(got.code, 202, got)
        self.settle()
        snapshot_id: str = got.body["snapshot"]["id"]
        self.assertEqual(self.shown(snapshot_id)["status"], "available")
        return snapshot_id

    def shown(self, snapshot_id: str) -> Any:
        """Show a snapshot."""
        return self.cinder("GET", "/snapshots/" + snapshot_id).body["snapshot"]

    def extend(self, size: int, version: str = "") -> Got:
        """Request a size of the volume."""
        body = {"os-extend": {"new_size": size}}
        return self.volumes("POST", f"/{self.volume_id}/action", body, version)


class DataTests(SnapshotCase):
    """Tests of the data of snapshots and copies."""

    def test_restore(self) -> None:
        """A volume from a snapshot has what the attached volume had at the time of the snapshot."""
        self.attach(self.volume_id)
        self.settle()
        device = os.path.join(self.cloud.devices_directory, self.volume_id)
        with open(device, "r+b") as opened:
            opened.write(b"early")
            opened.flush()
            snapshot_id = self.snapshot()
            opened.seek(0)
            opened.write(b"later")
            opened.flush()
        restored = self.create(size=None, snapshot_id=snapshot_id)
        copied = self.create(size=2, source_volid=self.volume_id)
        self.assertEqual((self.read(restored), self.read(copied)), (b"early", b"later"))
        for volume_id, size in ((restored, 1), (copied, 2)):
            self.assertEqual(os.path.getsize(self.path("volume-" + volume_id)), size * GIB)
            found = self.volumes("GET", "/" + volume_id).body["volume"]
            self.assertEqual((found["size"], found["volume_type"]), (size, "gold"))

    def test_other_type(self) -> None:
        """A copy may have another type than its origin."""
        copied = self.create(source_volid=self.volume_id, volume_type="silver")
        found = self.volumes("GET", "/" + copied).body["volume"]
        self.assertEqual(found["volume_type"], "silver")

    def test_grow(self) -> None:
        """A volume that is attached as a file has its new size at once."""
        self.attach(self.volume_id)
        self.settle()
        device = os.path.join(self.cloud.devices_directory, self.volume_id)
        self.assertEqual(self.extend(3, "3.42").code, 202)
        self.settle()
        self.assertEqual(self.status(self.volume_id), "in-use")
        self.assertEqual(os.path.getsize(device), 3 * GIB)

    def test_cascade(self) -> None:
        """A volume that is deleted with its snapshots leaves no file."""
        self.snapshot()
        self.assertEqual(self.volumes("DELETE", f"/{self.volume_id}?cascade=1").code, 202)
        self.clock.pump([0.1] * 10)
        self.assertEqual(self.status(self.volume_id), "404")
        self.assertEqual(os.listdir(self.path("")), [])


class FailureTests(SnapshotCase):
    """Tests of failures."""

    def test_full(self) -> None:
        """On a full disk there are no new snapshots and copies."""
        self.patch(VolumeFiles, "has_room", lambda files: False)
        self.assertEqual(self.post().code, 507)
        got = self.volumes("POST", body={"volume": {"source_volid": self.volume_id}})
        self.assertEqual(got.code, 507)

    def test_no_room(self) -> None:
        """
        A snapshot for whose data there is no room is in error, with a message, and can be deleted.
        """
        self.patch(copies, "share", lambda reading, writing: False)
        files = self.cloud.application._devices.files
        self.patch(files.copies, "_has_room", lambda size: False)
        snapshot_id = self.post().body["snapshot"]["id"]
        self.settle()
        found = self.shown(snapshot_id)
        self.assertEqual((found["status"], found[PROGRESS]), ("error", "0%"))
        (message,) = self.cinder("GET", "/messages", version="3.5").body["messages"]
        self.assertEqual(message["user_message"], "create snapshot: " + os.strerror(errno.ENOSPC))
        self.assertEqual(message["resource_type"], "VOLUME_SNAPSHOT")
        self.assertEqual(message["event_id"], "VOLUME_VOLUME_SNAPSHOT_001_001")
        self.assertEqual(message["resource_uuid"], snapshot_id)
        self.cinder("DELETE", "/snapshots/" + snapshot_id)
        self.settle()
        self.assertEqual(self.cinder("GET", "/snapshots/" + snapshot_id).code, 404)

    def test_progress(self) -> None:
        """A snapshot in progress shows the part of it that is complete."""
        files = self.cloud.application._devices.files
        copying: Deferred[None] = Deferred()
        files.aside = lambda act, *of: copying if of else maybeDeferred(act)
        snapshot_id = self.post().body["snapshot"]["id"]
        self.settle()
        self.assertEqual(self.shown(snapshot_id)[PROGRESS], "0%")
        files.copies.progress[files.snapshot_path(snapshot_id)] = 42
        self.assertEqual(self.shown(snapshot_id)[PROGRESS], "42%")
        copying.callback(None)
        found = self.shown(snapshot_id)
        self.assertEqual((found["status"], found[PROGRESS]), ("available", "100%"))


class RouteTests(SnapshotCase):
    """Tests of the routes."""

    def test_without_project(self) -> None:
        """Paths and links may omit the project."""
        for _ in range(2):
            self.snapshot()
        got = self.ask("GET", "/volume/v3/snapshots/detail?limit=1")
        (link,) = got.body["snapshots_links"]
        self.assertIn("/volume/v3/snapshots/detail?", link["href"])
        for path in ("limits", "types", "messages"):
            headers = {"OpenStack_API_Version": "volume 3.3"}
            self.assertEqual(self.ask("GET", "/volume/v3/" + path, **headers).code, 200, path)

    def test_marker(self) -> None:
        """A page begins after its marker also if the filters exclude that."""
        ids = [self.snapshot() for _ in range(3)]
        self.cinder("PUT", "/snapshots/" + ids[0], {"snapshot": {"name": "n"}})
        query = f"/snapshots?name=n&marker={ids[1]}"
        found = self.cinder("GET", query).body["snapshots"]
        self.assertEqual([each["id"] for each in found], ids[:1])
        query = f"/snapshots?name=n&marker={ids[0]}"
        self.assertEqual(self.cinder("GET", query).body["snapshots"], [])

    def test_limits(self) -> None:
        """The quota of snapshots is shown, with its use."""
        self.snapshot()
        absolute = self.cinder("GET", "/limits").body["limits"]["absolute"]
        self.assertEqual((absolute["maxTotalSnapshots"], absolute["totalSnapshotsUsed"]), (1000, 1))
        self.assertEqual(absolute["totalGigabytesUsed"], 2)
        path = f"/os-quota-sets/{self.project}?usage=1"
        found = self.cinder("GET", path).body["quota_set"]
        self.assertEqual(found["snapshots"], {"limit": 1000, "in_use": 1, "reserved": 0})
        self.assertEqual(found["gigabytes"]["in_use"], 2)

    def test_missing_volume(self) -> None:
        """A snapshot of an unknown volume is 404."""
        self.assertEqual(self.post(volume_id=MISSING).code, 404)
