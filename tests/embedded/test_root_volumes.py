"""Tests of the choice whether nodes have root volumes."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from txstorage.embedded.machine.image import IMAGE_ID
from txstorage.embedded.service import EmbeddedService, ServiceOptions
from txstorage.embedded.store.store import Store
from txstorage.embedded.testing import in_memory_cloud

from .support import CloudTests


class HiddenTests(CloudTests):
    """Tests of a service that hides them."""

    settings = {"hide_root_volumes": True}

    def test_lists(self) -> None:
        """Block Storage's lists omit root volumes; Compute, and a look at one, show them."""
        volume_id = self.create()
        self.attach(volume_id)
        self.settle()
        for path in ("/volumes", "/volumes/detail", "/volumes/detail?all_tenants=1"):
            listed = self.cinder("GET", path).body["volumes"]
            self.assertEqual([each["id"] for each in listed], [volume_id], path)
        summary = self.cinder("GET", "/volumes/summary", version="3.12").body["volume-summary"]
        self.assertEqual((summary["total_count"], summary["total_size"]), (1, 1))
        got = self.cinder("GET", "/volumes?with_count=1", version="3.45")
        self.assertEqual(got.body["count"], 1)
        got = self.cinder("GET", "/attachments", version="3.27")
        self.assertEqual([each["volume_id"] for each in got.body["attachments"]], [volume_id])
        root = self.attachments()[-1]["volumeId"]
        self.assertNotEqual(root, volume_id)
        self.assertEqual(self.status(root), "in-use")


class ImageBackedTests(CloudTests):
    """Tests of nodes without root volumes."""

    def setUp(self) -> None:
        super().setUp()
        self.use(in_memory_cloud(self.clock, root_volumes=False))

    def test_attach(self) -> None:
        """An attach is a node's only attachment; its first disk is the image's."""
        self.assertEqual(self.volumes("GET").body["volumes"], [])
        self.assertEqual(self.attachments(), [])
        volume_id = self.create()
        self.assertEqual(self.attach(volume_id).body["volumeAttachment"]["device"], "/dev/vdb")
        self.settle()
        [attachment] = self.attachments()
        self.assertEqual(attachment["volumeId"], volume_id)
        server = self.nova("GET", "/servers/" + self.cloud.nodes["node-1"]).body["server"]
        self.assertEqual(server["image"]["id"], IMAGE_ID)
        second = self.create()
        self.assertEqual(self.attach(second).body["volumeAttachment"]["device"], "/dev/vdc")


class OptionTests(CloudTests):
    """Tests of the option, which holds for all nodes at each start."""

    def nodes(self, store: Store, root_volumes: str) -> list[int]:
        """Return the number of attachments of each node after a start."""
        reactor: Any = Clock()
        options = ServiceOptions(state_dir="unused", root_volumes=root_volumes)
        EmbeddedService(reactor, options)._declare(store)
        servers = store.servers.every()
        return [len(store.attachments.of_server(each.server_id)) for each in servers]

    def test_each_start(self) -> None:
        """Nodes lose their root volumes, and get them back; other volumes stay."""
        store = Store(":memory:", Clock().seconds)
        self.addCleanup(store.close)
        for root_volumes, number in (
            *(("shown", 1), ("none", 0), ("none", 0), ("hidden", 1), ("shown", 1)),
        ):
            self.assertEqual(self.nodes(store, root_volumes), [number] * 2, root_volumes)
            self.assertEqual(len(store.volumes()), 2 * number)
