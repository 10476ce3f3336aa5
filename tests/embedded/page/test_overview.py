"""Tests of the overview: the searches, the logs and the disk."""

from __future__ import annotations

import json
import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.disk import allocated_bytes
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.page.overview import Disk
from txstorage.embedded.store.records import NewSnapshot, NewVolume
from txstorage.embedded.store.store import Store

from ..support import CloudTests, temporary_directory


def new(name: str | None, **more: Any) -> NewVolume:
    """A volume to add to a store."""
    return NewVolume(name, None, 1, "__DEFAULT__", {}, **more)


class SearchTests(SynchronousTestCase):
    """Tests of the searches of the page."""

    def setUp(self) -> None:
        self.store = Store(":memory:", lambda: 1.0)
        self.addCleanup(self.store.close)
        self.node = self.store.declare_server("Node-1").server_id
        self.first = self.store.add_volume(new("Alpha 100%")).volume_id
        self.second = self.store.add_volume(new(None)).volume_id
        self.store.attachments.reserve(self.second, self.node, "/dev/vdb")

    def found(self, text: str, limit: int = 10) -> tuple[list[str], int]:
        """Return the ids of the volumes that are found, and the number of all."""
        volumes, count = self.store.searches.containing(text, limit)
        return [volume.volume_id for volume in volumes], count

    def test_all(self) -> None:
        """Without a text all volumes but root volumes are found, the newest first."""
        self.assertEqual(self.found(""), ([self.second, self.first], 2))
        self.assertEqual(self.found("", 1), ([self.second], 2))

    def test_parts(self) -> None:
        """A part of the name, the id, the status or the node's name finds, in either case."""
        for text, expected in (
            ("alpha", [self.first]),
            ("A 1", [self.first]),
            (self.first[4:20].upper(), [self.first]),
            ("reserved", [self.second]),
            ("nODE-1", [self.second]),
            ("%", [self.first]),
            ("_", []),
            ("root", []),
            ("Ä", []),
            ("' OR 1 --", []),
        ):
            self.assertEqual(self.found(text), (expected, len(expected)), text)

    def test_on_server(self) -> None:
        """A server's volumes are found without its root volume, and counted."""
        third = self.store.add_volume(new("third")).volume_id
        self.store.attachments.reserve(third, self.node, "/dev/vdc")
        found = [each.volume_id for each in self.store.searches.on_server(self.node, 10)]
        self.assertEqual(found, [third, self.second])
        self.assertEqual(len(self.store.searches.on_server(self.node, 1)), 1)
        self.assertEqual(self.store.attachments.counts(), {self.node: 2})

    def test_snapshots(self) -> None:
        """Snapshots are found by their name, id, status or volume; those in progress by limit."""
        made = [
            self.store.snapshots.add(NewSnapshot(self.first, name, None, 1, "", {"a": "b"}))
            for name in ("Monday", None)
        ]
        monday, other = (each.snapshot_id for each in made)
        for text, limit, expected in (
            ("", 10, ([other, monday], 2)),
            ("", 1, ([other], 2)),
            ("monDAY", 10, ([monday], 1)),
            (other[3:], 10, ([other], 1)),
            ("creating", 10, ([other, monday], 2)),
            (self.first, 1, ([other], 2)),
            (self.second, 10, ([], 0)),
        ):
            found, count = self.store.snapshots.containing(text, limit)
            self.assertEqual(([each.snapshot_id for each in found], count), expected, text)
        self.assertEqual([each.snapshot_id for each in self.store.snapshots.moving(1)], [other])
        self.assertEqual(len(self.store.snapshots.moving(9)), 2)

    def test_version(self) -> None:
        """The version differs after a change through this connection, and only then."""
        before = self.store.searches.version()
        self.store.volumes()
        self.assertEqual(self.store.searches.version(), before)
        self.store.set_status(self.first, "error")
        self.assertNotEqual(self.store.searches.version(), before)

    def test_version_of_others(self) -> None:
        """The version differs after a change through another connection, as the writer's is."""
        path = os.path.join(temporary_directory(self), "database")
        reader, writer = (Store(path, lambda: 1.0) for _ in range(2))
        self.addCleanup(reader.close)
        self.addCleanup(writer.close)
        before = reader.searches.version()
        writer.add_volume(new("more"))
        after = reader.searches.version()
        self.assertNotEqual(after, before)
        self.assertEqual(reader.searches.version(), after)


class DiskTests(SynchronousTestCase):
    """Tests of the look at the disk."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.calls: list[Deferred[Any]] = []
        self.files = VolumeFiles(temporary_directory(self), self.aside)
        self.disk = Disk(self.clock, self.files)

    def aside(self, function: Any, *args: Any) -> Deferred[Any]:
        """Call a function when the test fires the Deferred."""
        call: Deferred[Any] = Deferred()
        self.calls.append(call)
        return call.addCallback(lambda _: function(*args))

    def test_allocated(self) -> None:
        """Sparse files count with the blocks that they take."""
        path = os.path.join(self.files.directory, "volume-1")
        with open(path, "wb") as opened:
            opened.write(b"x" * 8192)
            opened.flush()
            os.fsync(opened.fileno())
            os.truncate(path, 2**30)
        self.assertEqual(allocated_bytes(self.files.directory), os.stat(path).st_blocks * 512)
        self.assertLess(allocated_bytes(self.files.directory), 2**20)
        self.assertGreaterEqual(allocated_bytes(self.files.directory), 8192)

    def test_one_at_a_time(self) -> None:
        """A slow disk is looked at once, and again two seconds after its answer."""
        self.disk.look()
        self.clock.advance(10)
        self.disk.look()
        self.assertEqual((len(self.calls), self.disk.use), (1, None))
        self.calls[0].callback(None)
        use = self.disk.use
        assert use is not None
        self.assertEqual(use.used, 0)
        self.assertGreater(use.free, 0)
        self.clock.advance(1.9)
        self.disk.look()
        self.assertEqual(len(self.calls), 1)
        self.clock.advance(0.1)
        self.disk.look()
        self.assertEqual(len(self.calls), 2)

    def test_fault(self) -> None:
        """A disk that can't be looked at is tried again, and the fault is logged."""
        self.disk.look()
        self.calls[0].errback(OSError(5, "Input/output error"))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.clock.advance(2)
        self.disk.look()
        self.assertEqual(len(self.calls), 2)


class SourceTests(CloudTests):
    """Tests of the state of a whole service."""

    settings = {"local": True}

    def state(self, text: str = "") -> dict[str, Any]:
        """Return the decoded state."""
        source = self.cloud.application._page._feed._source
        source.version()
        return {name: json.loads(value) for name, value in source.state(text).items()}

    def test_life(self) -> None:
        """A volume appears, moves to a node, and disappears, with its transitions."""
        volume_id = self.create(name="data", size=2)
        self.attach(volume_id)
        (moving, *_) = self.state()["transitions"]["rows"]
        self.assertEqual((moving["from"], moving["to"]), ("attaching", None))
        self.settle()
        found = self.state()
        (volume,) = found["volumes"]["rows"]
        self.assertEqual((volume["id"], volume["holder"]), (volume_id, "node-1"))
        node, other = found["nodes"]["rows"]
        self.assertEqual([node["name"], other["name"]], ["node-1", "node-2"])
        self.assertEqual([each["id"] for each in node["volumes"]["rows"]], [volume_id])
        self.assertEqual(other["volumes"]["rows"], [])
        self.assertEqual(found["disk"]["promised"], 2 * 2**30)
        self.assertIsNotNone(found["disk"]["used"])
        self.detach(volume_id)
        self.settle()
        self.volumes("DELETE", "/" + volume_id)
        self.settle()
        found = self.state()
        self.assertEqual(found["volumes"]["rows"], [])
        self.assertEqual(
            [(row["from"], row["to"]) for row in found["transitions"]["rows"][::-1]],
            [
                ("creating", "available"),
                ("attaching", "in-use"),
                ("detaching", "available"),
                ("deleting", "gone"),
            ],
        )

    def test_projects(self) -> None:
        """The volumes of all projects are shown and counted."""
        self.create(size=2)
        self.cloud.store.add_volume(new("of another project", project_id="another"))
        found = self.state()
        self.assertEqual(len(found["volumes"]["rows"]), 2)
        self.assertEqual(found["volumes"]["total"], 2)
        self.assertEqual(found["disk"]["promised"], 3 * 2**30)

    def test_snapshots(self) -> None:
        """A snapshot and its transition appear."""
        volume_id = self.create()
        body = {"snapshot": {"volume_id": volume_id, "name": "Monday"}}
        self.cinder("POST", "/snapshots", body)
        self.settle()
        found = self.state()
        self.assertEqual(found["snapshots"]["rows"][0]["name"], "Monday")
        newest = found["transitions"]["rows"][0]
        self.assertEqual((newest["kind"], newest["to"]), ("snapshot", "available"))

    def test_servers(self) -> None:
        """
        A server that a client makes appears after the nodes, with its volume, and disappears; each
        of its transitions is shown once, also one of several steps.
        """
        volume_id = self.create(name="root")
        mapping = {"source_type": "volume", "destination_type": "volume", "boot_index": 0}
        server = {"name": "made", "flavorRef": "1", "imageRef": ""}
        server["block_device_mapping_v2"] = [{**mapping, "uuid": volume_id}]
        self.cinder("POST", f"/volumes/{volume_id}/action", {"os-set_bootable": {"bootable": True}})
        got = self.nova("POST", "/servers", {"server": server})
        self.assertEqual(got.code, 202, got)
        moving = self.state()["transitions"]["rows"]
        self.assertIn(("server", "BUILD", None), [(r["kind"], r["from"], r["to"]) for r in moving])
        self.clock.pump([1.0] * 12)
        found = self.state()
        names = [row["name"] for row in found["nodes"]["rows"]]
        self.assertEqual(names, ["node-1", "node-2", "made"])
        volumes = found["nodes"]["rows"][2]["volumes"]
        self.assertEqual([each["id"] for each in volumes["rows"]], [volume_id])
        self.assertEqual(found["volumes"]["rows"][0]["holder"], "made")
        server_id = got.body["server"]["id"]
        self.assertEqual(self.nova("DELETE", "/servers/" + server_id).code, 204)
        self.clock.pump([1.0] * 12)
        found = self.state()
        self.assertEqual(found["nodes"]["total"], 2)
        rows = found["transitions"]["rows"][::-1]
        self.assertEqual(
            [(row["from"], row["to"]) for row in rows if row["kind"] == "server"],
            [("BUILD", "ACTIVE"), ("DELETING", "gone")],
        )

    def test_backups(self) -> None:
        """A backup's transition appears, in progress and then as ended."""
        body = {"backup": {"volume_id": self.create(), "name": "nightly"}}
        self.assertEqual(self.cinder("POST", "/backups", body).code, 202)
        for expected in (None, "available"):
            newest = self.state()["transitions"]["rows"][0]
            self.assertEqual((newest["kind"], newest["to"]), ("backup", expected))
            self.settle()

    def test_failure(self) -> None:
        """A transition that failed has its reason."""

        def full(volume_id: str, size: int) -> None:
            raise OSError(28, "No space left on device")

        self.patch(self.cloud.application._devices.files, "create", full)
        self.volumes("POST", body={"volume": {"size": 1}})
        self.settle()
        newest = self.state()["transitions"]["rows"][0]
        self.assertEqual(newest["to"], "error")
        self.assertIn("No space left on device", newest["reason"])

    def test_requests(self) -> None:
        """The last requests are shown, the newest first, but not those of the page itself."""
        listed = self.volumes("GET")
        self.ask("GET", "/page/style.css", Accept="text/css", Host="localhost")
        rows = self.state()["requests"]["rows"]
        self.assertEqual(rows[0]["id"], listed.headers["x-openstack-request-id"])
        self.assertEqual(rows[1]["path"], "/identity/v3/auth/tokens")
        self.assertEqual(len(rows), 2)

    def test_no_secret(self) -> None:
        """Neither the password nor a token is in the state."""
        self.create(name="data")
        text = json.dumps(self.state())
        assert self.token is not None
        for secret in (self.cloud.settings.password, self.cloud.settings.application_secret):
            self.assertNotIn(secret, text)
        self.assertNotIn(self.token, text)

    def test_waiting_for_a_client(self) -> None:
        """A volume that a host has reserved has no transition in progress."""
        volume_id = self.create()
        self.cloud.store.attachments.reserve_for_host(volume_id, "a host", "rw", None)
        self.assertEqual(self.status(volume_id), "reserved")
        moving = [row for row in self.state()["transitions"]["rows"] if row["to"] is None]
        self.assertEqual(moving, [])

    def test_thousand(self) -> None:
        """Of a thousand volumes a hundred are shown, and the filter finds any of them."""
        store = self.cloud.store
        with store.transaction():
            for number in range(1000):
                volume = store.add_volume(new(f"number-{number:04}"))
                store.set_status(volume.volume_id, "available")
        table = self.state()["volumes"]
        self.assertEqual((len(table["rows"]), table["total"], table["matching"]), (100, 1000, 1000))
        table = self.state("number-0007")["volumes"]
        self.assertEqual([row["name"] for row in table["rows"]], ["number-0007"])
        self.assertEqual((table["total"], table["matching"]), (1000, 1))
        size = sum(map(len, self.cloud.application._page._feed._source.state("").values()))
        self.assertLess(size, 2**16)
