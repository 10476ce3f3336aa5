"""Tests of the transitions of servers."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.machine.devices import DeviceFailure
from txstorage.embedded.machine.server_transitions import DELETING, Servers, begin_deletion
from txstorage.embedded.store.records import NewVolume
from txstorage.embedded.store.servers.records import BootVolume, NewServer, ServerDetails
from txstorage.embedded.store.store import GONE, Store


class ServersTests(SynchronousTestCase):
    """Tests of the steps, one at a time."""

    def setUp(self) -> None:
        self.store = Store(":memory:", Clock().seconds)
        self.addCleanup(self.store.close)
        self.begun: list[str] = []
        self.servers = Servers(self.begun.append)
        new = NewVolume("v", None, 1, "gold", {})
        self.volume = self.store.add_volume(new).volume_id
        boot = BootVolume(self.volume, "/dev/vda", True)
        details = ServerDetails(volumes=(boot,), root_id=self.volume)
        self.server = self.store.servers.add(NewServer("s", details)).server_id

    def waits(self) -> bool:
        """Check whether the server waits for its volume."""
        found = self.servers.find(self.store, self.server)
        assert found is not None
        return self.servers.waits(self.store, found)

    def settle(self, status: str) -> None:
        """End the server's transition."""
        found = self.servers.find(self.store, self.server)
        assert found is not None
        self.servers.settle(self.store, found, status, None, "")

    def status(self) -> tuple[str, str]:
        """Return the statuses of the server and its volume."""
        server, volume = self.store.servers.find(self.server), self.store.volume(self.volume)
        return (server.status if server else GONE, volume.status if volume else GONE)

    def test_build(self) -> None:
        """A server waits for its volume, reserves it, waits for the attach, and is active."""
        self.assertTrue(self.waits())
        self.assertEqual(self.begun, [self.volume])
        self.store.set_status(self.volume, "available")
        self.assertFalse(self.waits())
        self.settle("ACTIVE")
        self.assertEqual(self.status(), ("BUILD", "reserved"))
        self.assertTrue(self.waits())
        self.store.set_status(self.volume, "in-use")
        self.assertFalse(self.waits())
        self.settle("ACTIVE")
        self.assertEqual(self.status(), ("ACTIVE", "in-use"))

    def test_failures(self) -> None:
        """A volume that fails, or can't be attached, fails the server, with the reason."""
        self.store.set_status(self.volume, "error")
        with self.assertRaisesRegex(DeviceFailure, f"volume {self.volume} is error"):
            self.waits()
        self.store.set_status(self.volume, "available")
        self.settle("ACTIVE")
        self.store.settle(self.volume, "reserved", "available")
        with self.assertRaisesRegex(DeviceFailure, "is available"):
            self.waits()

    def test_delete(self) -> None:
        """A server that is deleted detaches its volumes, and deletes those that are to go."""
        self.test_build()
        server = self.store.servers.find(self.server)
        assert server is not None
        begin_deletion(self.store, server)
        self.settle(GONE)
        self.assertEqual(self.status(), (DELETING, "detaching"))
        self.assertTrue(self.waits())
        # The device was busy.
        self.store.settle(self.volume, "detaching", "in-use")
        self.settle(GONE)
        self.assertEqual(self.status(), (DELETING, "detaching"))
        self.store.settle(self.volume, "detaching", "available")
        deleted = self.store.servers.find(self.server)
        assert deleted is not None
        self.settle(GONE)
        self.assertEqual(self.status(), (GONE, "deleting"))
        self.begun.clear()
        self.servers.follow(self.store, deleted)
        self.assertEqual(self.begun, [self.volume])
