"""Tests of the service in memory."""

from __future__ import annotations

import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._configuration.configuration import Configuration
from txstorage.embedded.testing import in_memory_cloud

from .support import CloudTests


class InMemoryCloudTests(SynchronousTestCase):
    """Tests of :func:`in_memory_cloud`."""

    def test_nodes(self) -> None:
        """Each node is a server with an id of its own and a root volume."""
        cloud = in_memory_cloud(Clock(), nodes=("a", "b"))
        self.addCleanup(cloud.close)
        self.assertEqual(sorted(cloud.nodes), ["a", "b"])
        for server_id in cloud.nodes.values():
            (root,) = cloud.store.attachments.of_server(server_id)
            volume = cloud.store.volume(root.volume_id)
            assert volume is not None
            self.assertTrue(volume.bootable)

    def test_close(self) -> None:
        """Closing the cloud leaves neither files nor delayed calls."""
        clock = Clock()
        cloud = in_memory_cloud(clock, transition_delay=5.0)
        directory = os.path.dirname(cloud.devices_directory)
        cloud.close()
        self.assertFalse(os.path.exists(directory))
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_credentials(self) -> None:
        """The credentials are a driver's configuration."""
        cloud = in_memory_cloud(Clock())
        self.addCleanup(cloud.close)
        self.assertTrue(Configuration.from_mapping(cloud.credentials))


class ApplicationTests(CloudTests):
    """Tests of :class:`~txstorage.embedded.application.Application`."""

    def test_stop(self) -> None:
        """After a stop no transition happens, but the requested ones are kept."""
        got = self.volumes("POST", body={"volume": {"size": 1}})
        self.successResultOf(self.cloud.application.stop())
        self.settle()
        self.assertEqual(self.status(got.body["volume"]["id"]), "creating")
