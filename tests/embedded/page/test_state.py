"""Tests of the state that the page shows."""

from __future__ import annotations

import json
from typing import Any

import attr
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.control.recent import ServedRequest
from txstorage.embedded.page.state import DiskUse, Overview, SettledTransition, state
from txstorage.embedded.store.features.backups import BackupRecord
from txstorage.embedded.store.records import (
    AttachmentRecord,
    SnapshotRecord,
    Usage,
    VolumeRecord,
)
from txstorage.embedded.store.servers.records import ServerRecord

GIB = 2**30
NODE = ServerRecord(1, "server-id", "node-1", "ACTIVE", 5.0)
ATTACHMENT = AttachmentRecord(
    attachment_id="attachment-id",
    block_device_id="bdm-id",
    volume_id="volume-id",
    server_id="server-id",
    device="/dev/vdb",
    node_device="/dev/loop7",
    attached_at=7.0,
)
VOLUME = VolumeRecord(
    sequence=1,
    volume_id="volume-id",
    name="data",
    description="of a customer",
    size=3,
    status="available",
    volume_type="gold",
    bootable=False,
    created_at=6.0,
    updated_at=None,
    metadata={"key": "label"},
    attachment=None,
)
ATTACHED = attr.evolve(VOLUME, status="in-use", attachment=ATTACHMENT)
SNAPSHOT = SnapshotRecord(
    sequence=1,
    snapshot_id="snapshot-id",
    volume_id="volume-id",
    name=None,
    description="of a customer",
    size=2,
    status="creating",
    volume_type="gold",
    created_at=8.0,
    updated_at=None,
    metadata={"key": "label"},
)
SERVER = ServerRecord(2, "made-id", "made", "BUILD", 5.0, is_node=False)
BACKUP = BackupRecord(
    volume_id="volume-id",
    snapshot_id=None,
    name="nightly",
    description="of a customer",
    size=2,
    container=None,
    metadata={"key": "label"},
    parent_id=None,
    data_timestamp=None,
    project_id=None,
    user_id=None,
    sequence=1,
    backup_id="backup-id",
    status="restoring",
    fail_reason=None,
    created_at=8.0,
    updated_at=None,
    restore_volume_id="volume-id",
    of_volume={"name": "of a customer"},
)
REQUEST = ServedRequest(
    time=9.0,
    duration=0.5,
    method="GET",
    path="/volume/v3/volumes",
    query="name=question",
    status=200,
    request_id="req-1",
    body={"body": "of a request"},
)
NOTHING = Overview(
    servers=[],
    attached={},
    attached_counts={},
    volumes=[],
    matching_volumes=0,
    moving=[],
    snapshots=[],
    matching_snapshots=0,
    transitions=[],
    requests=[],
    usage=Usage(0, 0, 0),
    disk=None,
)


def shown(**records: Any) -> dict[str, Any]:
    """Return the state of some records."""
    return state(attr.evolve(NOTHING, **records))


class StateTests(SynchronousTestCase):
    """Tests of :func:`state`."""

    def test_nothing(self) -> None:
        """A new service has empty tables."""
        empty = {"rows": [], "total": 0, "matching": 0}
        self.assertEqual(
            shown(),
            {
                "disk": {"promised": 0, "used": None, "free": None},
                "nodes": empty,
                "volumes": empty,
                "snapshots": empty,
                "transitions": {"rows": []},
                "requests": {"rows": []},
            },
        )

    def test_disk(self) -> None:
        """The promised room and the room on the disk are in bytes."""
        disk = shown(usage=Usage(2, 1, 8), disk=DiskUse(4096, 8192))["disk"]
        self.assertEqual(disk, {"promised": 8 * GIB, "used": 4096, "free": 8192})

    def test_nodes(self) -> None:
        """A node has its power state, its volumes with their devices, and the number of all."""
        (node,) = shown(
            servers=[NODE], attached={"server-id": [ATTACHED]}, attached_counts={"server-id": 30}
        )["nodes"]["rows"]
        (volume,) = node["volumes"]["rows"]
        self.assertEqual((node["id"], node["name"]), ("server-id", "node-1"))
        self.assertEqual(node["status"], "ACTIVE")
        self.assertEqual(node["volumes"]["total"], 30)
        self.assertEqual(
            volume,
            {"id": "volume-id", "name": "data", "status": "in-use", "device": "/dev/loop7"},
        )

    def test_volumes(self) -> None:
        """A volume has its size in bytes, its node and device if it is attached, and its time."""
        table = shown(
            servers=[NODE],
            volumes=[ATTACHED, attr.evolve(VOLUME, growing=5, name=None)],
            matching_volumes=2,
            usage=Usage(9, 0, 27),
        )["volumes"]
        self.assertEqual((table["total"], table["matching"]), (9, 2))
        attached, growing = table["rows"]
        self.assertEqual(
            attached,
            {
                "id": "volume-id",
                "name": "data",
                "size": 3 * GIB,
                "growing": None,
                "status": "in-use",
                "holder": "node-1",
                "device": "/dev/loop7",
                "created": 6.0,
            },
        )
        self.assertEqual((growing["name"], growing["growing"]), ("", 5 * GIB))
        self.assertEqual((growing["holder"], growing["device"]), ("", ""))

    def test_hosts(self) -> None:
        """A host that is not a node has the name that it gave, and a deleted node its id."""
        connector = {"host": "metal-1", "initiator": "iqn.1994-05.com.example"}
        for connected, server_id, name in (
            (connector, None, "metal-1"),
            (None, None, "another host"),
            ({"host": None}, None, "another host"),
            (connector, "gone-id", "gone-id"),
        ):
            attachment = attr.evolve(ATTACHMENT, server_id=server_id, connector=connected)
            found = shown(volumes=[attr.evolve(ATTACHED, attachment=attachment)])
            self.assertEqual(found["volumes"]["rows"][0]["holder"], name)
            self.assertNotIn("iqn", str(found))

    def test_snapshots(self) -> None:
        """A snapshot has its volume, its size in bytes and its time."""
        table = shown(snapshots=[SNAPSHOT], matching_snapshots=1, usage=Usage(1, 4, 9))["snapshots"]
        self.assertEqual((table["total"], table["matching"]), (4, 1))
        self.assertEqual(
            table["rows"],
            [
                {
                    "id": "snapshot-id",
                    "name": "",
                    "volume": "volume-id",
                    "size": 2 * GIB,
                    "status": "creating",
                    "created": 8.0,
                }
            ],
        )

    def test_transitions(self) -> None:
        """Transitions in progress have neither time nor end, and come before those that ended."""
        ended = SettledTransition(
            time=11.0,
            kind="volume",
            subject_id="volume-id",
            name="data",
            begin="detaching",
            end="in-use",
            server_id="server-id",
            reason="detach volume: busy",
        )
        rows = shown(
            servers=[NODE],
            moving=[attr.evolve(ATTACHED, status="attaching"), SNAPSHOT, BACKUP, SERVER],
            transitions=[ended],
        )["transitions"]["rows"]
        self.assertEqual(
            [(row["kind"], row["from"], row["to"], row["time"], row["holder"]) for row in rows],
            [
                ("volume", "attaching", None, None, "node-1"),
                ("snapshot", "creating", None, None, ""),
                ("backup", "restoring", None, None, ""),
                ("server", "BUILD", None, None, ""),
                ("volume", "detaching", "in-use", 11.0, "node-1"),
            ],
        )
        self.assertEqual([row["id"] for row in rows[2:4]], ["backup-id", "made-id"])
        self.assertEqual(rows[4]["reason"], "detach volume: busy")

    def test_requests(self) -> None:
        """
        A request has its time, method, path, status and id, and nothing of its content; one of
        EC2's has its action in place of the path, which is the same for all.
        """
        lost = attr.evolve(REQUEST, status=None)
        called = attr.evolve(REQUEST, path="/", action="CreateVolume")
        rows = shown(requests=[REQUEST, lost, called])["requests"]["rows"]
        self.assertEqual(rows[2]["path"], "CreateVolume")
        self.assertEqual(
            rows[0],
            {
                "time": 9.0,
                "method": "GET",
                "path": "/volume/v3/volumes",
                "status": 200,
                "id": "req-1",
            },
        )
        self.assertIsNone(rows[1]["status"])

    def test_private(self) -> None:
        """No label, description, query or body is in the state."""
        text = json.dumps(
            shown(
                servers=[NODE],
                volumes=[VOLUME],
                snapshots=[SNAPSHOT],
                requests=[REQUEST],
                attached={"server-id": [ATTACHED]},
            )
        )
        self.assertIn("volume-id", text)
        for private in ("label", "customer", "question", "of a request"):
            self.assertNotIn(private, text)

    def test_long_texts(self) -> None:
        """A path of thousands of letters is cut."""
        (row,) = shown(requests=[attr.evolve(REQUEST, path="/" + "a" * 16000)])["requests"]["rows"]
        self.assertEqual(len(row["path"]), 256)
        self.assertTrue(row["path"].endswith("…"))

    def test_many_nodes(self) -> None:
        """Of a thousand nodes, a hundred are shown, with the number of all."""
        servers = [attr.evolve(NODE, server_id=str(number)) for number in range(1000)]
        table = shown(servers=servers)["nodes"]
        self.assertEqual((len(table["rows"]), table["total"]), (100, 1000))
