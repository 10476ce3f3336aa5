"""Tests of instances that stop, reboot and vanish, and of their metadata."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.python.failure import Failure
from twisted.web.iweb import IAgent
from zope.interface import implementer

from tests.clouds.ec2.support import instance, instances, refusal
from txstorage._assembly import ec2 as assembly
from txstorage.embedded.apis.ec2.imds import MetadataService, NodeMetadata
from txstorage.errors import CredentialsUnavailable
from txstorage.interfaces import UnknownInstanceID

from .support import GIB, FailureCase

#: EC2's states of an instance, and whether one in it is alive: it may write to its volumes.
STATES = {
    "pending": True,
    "running": True,
    "shutting-down": True,
    "stopping": True,
    "stopped": False,
    "terminated": False,
    "some-new-state": True,
}


class NodeTests(FailureCase):
    """Instances."""

    def test_dead(self) -> None:
        """
        Flocker's aws: only a stopped or terminated instance is dead. One that reboots is running,
        and one that stops still writes.
        """
        for state, alive in STATES.items():
            found = instances(instance(self.here), instance(self.there, state))
            self.face.script["DescribeInstances"] = [found]
            expected = {self.here, self.there} if alive else {self.here}
            self.assertEqual(set(self.get(self.driver.list_live_nodes())), expected, state)

    def test_unavailable(self) -> None:
        """Flocker's aws: no node is dead because EC2 does not answer."""
        self.face.rules["DescribeInstances"] = lambda form: refusal("Unavailable", "busy", 503)
        result = self.outcome(self.driver.list_live_nodes())
        self.assertIsInstance(result, Failure)

    def test_start(self) -> None:
        """Flocker's aws: a stopped node is started; one that runs already is not an error."""
        self.stop(self.there)
        self.assertEqual(self.get(self.driver.list_live_nodes()), [self.here])
        for _ in range(2):
            self.get(self.driver.start_node(self.there))
            self.let_pass(5)
        refused = refusal("IncorrectInstanceState", "The instance is not in a state to be started")
        self.face.script["StartInstances"] = [refused]
        self.get(self.driver.start_node(self.there))
        self.assertEqual(set(self.get(self.driver.list_live_nodes())), {self.here, self.there})

    def stop(self, instance_id: str) -> None:
        """Stop an instance."""
        server_id = self.cloud.nodes["node-2"]
        self.cloud.store.servers.set_status(server_id, "SHUTOFF")

    def test_terminated(self) -> None:
        """The volume of an instance that is gone can be detached, and attached here."""
        volume_id = self.create()
        self.attach(volume_id, self.there)
        self.face.rules["DescribeInstances"] = lambda form: (
            refusal("InvalidInstanceID.NotFound") if self.there in form.values() else None
        )
        self.get(self.driver.detach_volume(volume_id))
        self.attach(volume_id)
        self.assertEqual(self.state(volume_id)[:2], ("in-use", self.here))


@implementer(IAgent)
class FarMetadata:
    """
    A metadata service whose token travels one hop, which is one too few.

    :ivar seen: the method and the path of each request.
    """

    def __init__(self, agent: RequestTraversalAgent) -> None:
        self._agent = agent
        self.seen: list[tuple[bytes, bytes]] = []
        self.hops = 1

    def request(
        self, method: bytes, uri: bytes, headers: Any = None, bodyProducer: Any = None
    ) -> Any:
        """See ``IAgent``."""
        self.seen.append((method, uri))
        if self.hops == 0:
            return Failure(ConnectionRefusedError())
        if self.hops == 1 and method == b"PUT":
            return Deferred()
        return self._agent.request(method, uri, headers, bodyProducer)


class MetadataTests(FailureCase):
    """The metadata of the instance."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(assembly, "_environment", lambda: {"HOME": self.mktemp()})
        [server] = [
            each
            for each in self.cloud.store.servers.every()
            if each.server_id == self.cloud.nodes["node-1"]
        ]
        context = self.cloud.application.ec2
        metadata = MetadataService(NodeMetadata(server, context), context.now)
        self.metadata = FarMetadata(RequestTraversalAgent(metadata))
        self.patch(assembly, "plain_agent", lambda reactor: self.metadata)

    def get(self, d: Any) -> Any:
        """Also deliver the metadata's answers."""
        self.metadata._agent.flush()
        return super().get(d)

    def test_hop_limit(self) -> None:
        """
        rexray#1371, ebs-csi#1632, ebs-csi#2966: in a container, the token's answer never arrives:
        the error names the setting that lets it travel two hops, and nothing else is tried.
        """
        driver = self.make_driver(access_key_id=None, secret_access_key=None)
        create = driver.create_volume(uuid4(), GIB)
        error = self.error(create, CredentialsUnavailable, "does not answer")
        self.assertIn("--http-put-response-hop-limit 2", error.remedy)
        # IMDSv1, which needs no token, is never asked.
        self.assertEqual({method for method, _ in self.metadata.seen}, {b"PUT"})
        self.assertEqual(self.face.forms, [])

    def test_instance_id(self) -> None:
        """ebs-csi#2966: the same for this node's id: the error names the setting, too."""
        driver = self.make_driver(instance_id=None)
        error = self.error(driver.compute_instance_id(), UnknownInstanceID, "metadata service")
        self.assertIn("hop", str(error))
        self.metadata.hops = 2
        self.assertEqual(self.get(driver.compute_instance_id()), self.here)

    def test_two_hops(self) -> None:
        """rexray#1371: with IMDSv2 only, the keys of the instance's role are used."""
        self.metadata.hops = 2
        driver = self.make_driver(access_key_id=None, secret_access_key=None, instance_id=None)
        volume = self.get(driver.create_volume(uuid4(), GIB))
        self.assertEqual(self.volumes(), [volume.blockdevice_id])
        self.assertEqual(self.get(driver.compute_instance_id()), self.here)
        self.assertEqual(self.metadata.seen[0][0], b"PUT")
