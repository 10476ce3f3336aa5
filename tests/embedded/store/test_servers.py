"""Tests of the table of servers."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.store import database
from txstorage.embedded.store.records import NewVolume
from txstorage.embedded.store.servers.records import BootVolume, NewServer, ServerDetails
from txstorage.embedded.store.store import Store

from ..support import temporary_directory


class ServersTableTests(SynchronousTestCase):
    """Tests of nodes, and of servers that clients make."""

    def setUp(self) -> None:
        self.store = Store(":memory:", Clock().seconds)
        self.addCleanup(self.store.close)

    def test_kinds(self) -> None:
        """Only nodes are nodes; a server may have a node's name, and declaring finds the node."""
        node = self.store.declare_server("n")
        server = self.store.servers.add(NewServer("n", ServerDetails(), "p", "u"))
        self.assertEqual((node.is_node, server.is_node), (True, False))
        self.assertEqual(self.store.declare_server("n"), node)
        self.assertEqual(self.store.servers.every(), [node])
        self.assertEqual(self.store.servers.of_projects(None), [server, node])
        self.assertEqual(self.store.servers.of_projects(["p"]), [server])
        self.assertEqual(self.store.servers.of_projects([None]), [node])
        self.assertIsNone(self.store.servers.node(server.server_id))
        self.assertEqual(self.store.ec2.with_prefix("servers", server.server_id[:8]), [])
        self.assertEqual(self.store.servers.count("p"), 1)

    def test_details(self) -> None:
        """Every detail of a server is kept."""
        volume = BootVolume("v", "/dev/vda", True)
        details = ServerDetails(
            *("d", {"k": "v"}, ("a", "b"), "i", "AUTO", "True", "192.0.2.1", "::1", "h", "r-1", 3),
            *("v", (volume,), True, ("w",)),
        )
        server = self.store.servers.add(NewServer("s", details))
        found = self.store.servers.find(server.server_id)
        assert found is not None
        self.assertEqual(found.details, details)

    def test_without_root(self) -> None:
        """A node can do without a root volume."""
        node = self.store.declare_server("n", root=False)
        self.assertEqual(self.store.attachments.of_server(node.server_id), [])
        self.assertEqual(self.store.volumes(), [])

    def test_actions(self) -> None:
        """The last hundred actions of a server are kept, and go with it."""
        server_id = self.store.servers.add(NewServer("s", ServerDetails())).server_id
        for number in range(102):
            self.store.servers.record(server_id, "stop", f"req-{number}", "p", "u")
        kept = [each.request_id for each in self.store.servers.actions(server_id)]
        self.assertEqual(kept, [f"req-{number}" for number in range(101, 1, -1)])
        self.store.servers.remove(server_id)
        self.assertEqual(self.store.servers.actions(server_id), [])

    def test_growth(self) -> None:
        """The growth of a volume is an action of the server that has it, when it succeeds."""
        server_id = self.store.declare_server("n").server_id
        volume_id = self.store.add_volume(NewVolume("v", None, 1, "gold", {})).volume_id
        self.store.attachments.reserve(volume_id, server_id, "/dev/vdb")
        for size, status, actions in ((2, "error_extending", 0), (2, "in-use", 1)):
            self.store.grow(volume_id, size)
            self.assertTrue(self.store.settle(volume_id, "extending", status))
            self.assertEqual(len(self.store.servers.actions(server_id)), actions)
        self.store.settle(volume_id, "in-use", "available")
        attached = self.store.attachments.reserve_for_host(volume_id, server_id, "rw", None)
        self.store.grow(volume_id, 3)
        self.store.settle(volume_id, "extending", "in-use")
        self.assertEqual(attached.server_id, server_id)
        (action,) = self.store.servers.actions(server_id)
        self.assertEqual(action.name, "extend_volume")

    def test_earlier(self) -> None:
        """The nodes of an earlier release's database stay nodes, with their ids and order."""
        path = os.path.join(temporary_directory(self), "state.db")
        step = next(n for n, each in enumerate(database._STEPS) if "is_node" in each)
        with closing(sqlite3.connect(path)) as earlier:
            for statements in database._STEPS[:step]:
                earlier.executescript(statements)
            for name in ("first", "second"):
                row = ("id-" + name, name, "SHUTOFF", 7.5)
                earlier.execute(
                    "INSERT INTO servers (id, name, status, created_at) VALUES (?, ?, ?, ?)", row
                )
            earlier.execute(f"PRAGMA user_version = {step}")
            earlier.commit()
        with closing(Store(path, Clock().seconds)) as store:
            nodes = store.servers.every()
            self.assertEqual([each.name for each in nodes], ["second", "first"])
            self.assertTrue(all(each.is_node and each.status == "SHUTOFF" for each in nodes))
            self.assertEqual(store.declare_server("first").server_id, "id-first")


class ServerGroupsTests(SynchronousTestCase):
    """Tests of groups of servers."""

    def test_survives(self) -> None:
        """Groups survive a crash, in the order in which they were made, until they are removed."""
        path = os.path.join(temporary_directory(self), "db")
        store = Store(path, lambda: 0.0)
        self.addCleanup(store.close)
        groups = store.servers.groups
        first = groups.add("a", "affinity", {}, None, None)
        second = groups.add("b", "anti-affinity", {"max_server_per_host": 2}, "p", "u")
        again = Store(path, lambda: 0.0)
        self.addCleanup(again.close)
        self.assertEqual(again.servers.groups.every(), [first, second])
        again.servers.groups.remove(first.group_id)
        self.assertEqual(groups.every(), [second])
