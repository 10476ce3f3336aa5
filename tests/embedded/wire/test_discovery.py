"""Tests of the driver's discovery of the embedded service's versions."""

from __future__ import annotations

from treq.testing import RequestTraversalAgent
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._assembly import volume_service
from txstorage._configuration.configuration import Configuration
from txstorage.embedded.testing import BASE_URL, in_memory_cloud

NOBODY = "00000000-0000-4000-8000-000000000000"


class DiscoveryTests(SynchronousTestCase):
    """The version documents, read by the driver."""

    def setUp(self) -> None:
        """Make a cloud in memory."""
        self.clock = Clock()
        self.cloud = in_memory_cloud(self.clock)
        self.addCleanup(self.cloud.close)

    def service(self, **keys: str) -> object:
        """Make a volume service with the cloud's credentials and these keys."""
        configuration = Configuration.from_mapping({**self.cloud.credentials, **keys})
        return volume_service(self.clock, configuration, RequestTraversalAgent(self.cloud.resource))

    def test_without_versions(self) -> None:
        """Endpoints without a version work, with the project's id or without."""
        service = self.service(
            volume_endpoint=BASE_URL + "/volume/", compute_endpoint=BASE_URL + "/compute"
        )
        # The servers' root volumes.
        self.assertEqual(len(self.successResultOf(service.list_volumes({})).volumes), 2)
        self.assertEqual(len(self.successResultOf(service.list_servers())), 2)

    def test_microversion(self) -> None:
        """The microversion of messages is found."""
        self.assertEqual(self.successResultOf(self.service().failure_reason(NOBODY)), "")
