"""
A cloud that several nodes, clusters and projects share, on a real OpenStack with loop devices.
"""

from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import DeferredList, gatherResults, inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from twisted.web.iweb import IAgent
from zope.interface import implementer

from txstorage._assembly import block_device_driver
from txstorage._http.connections import agent_for
from txstorage.errors import QuotaExceeded
from txstorage.interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume
from txstorage.testing import detach_destroy_volumes

from ..whole.test_durability import read, write
from .client import Client
from .cloud import GIB, configuration, description, driver, faulty_driver

#: Seconds, for one test.
LONG = 300


def client(user="demo"):
    """:return: a waiting client, logged in as one of the rig's users."""
    there = description()
    login = {key: there["users"][user][key] for key in ("username", "password", "project_name")}
    return Client(there["auth_url"], there["region"], **login)


class Scenario(TestCase):
    """Drivers whose volumes are removed after the test."""

    timeout = LONG

    def driver(self, cluster_id=None, **options):
        made = driver(self, cluster_id, **options)
        self.addCleanup(detach_destroy_volumes, made)
        return made

    def nodes(self):
        """:return: the drivers of the two nodes of one cluster."""
        cluster_id = uuid4()
        return [self.driver(cluster_id, node=node) for node in (0, 1)]

    @inlineCallbacks
    def attached(self, api, volume_id):
        """:return: a ``Deferred`` that fires with the volume's device, once it is there."""
        node = yield api.compute_instance_id()
        yield api.attach_volume(volume_id, node)
        device = yield api.get_device_path(volume_id)
        return device  # noqa: B901


class NodesTests(Scenario):
    """The nodes of one cluster."""

    @inlineCallbacks
    def test_moves(self):
        """A file on a volume is identical after the volume has moved to another server and back."""
        first, second = self.nodes()
        volume = yield first.create_volume(uuid4(), GIB)
        device = yield self.attached(first, volume.blockdevice_id)
        checksum = write(device)
        for leaves, takes in [(first, second), (second, first)]:
            yield leaves.detach_volume(volume.blockdevice_id)
            self.assertFalse(device.exists() and b"volume" in backing_file(device))
            device = yield self.attached(takes, volume.blockdevice_id)
            self.assertEqual(checksum, read(device))

    @inlineCallbacks
    def test_race(self):
        """
        Of two nodes that attach one volume at once, one succeeds and the other's error names it.
        """
        nodes = self.nodes()
        ids = yield gatherResults([node.compute_instance_id() for node in nodes])
        for _ in range(5):
            volume = yield nodes[0].create_volume(uuid4(), GIB)
            outcomes = yield DeferredList(
                [
                    node.attach_volume(volume.blockdevice_id, instance_id)
                    for node, instance_id in zip(nodes, ids)
                ],
                consumeErrors=True,
            )
            self.assertEqual([False, True], sorted(success for success, _ in outcomes))
            winner = [success for success, _ in outcomes].index(True)
            outcomes[1 - winner][1].trap(AlreadyAttachedVolume)
            listed = yield nodes[0].list_volumes()
            self.assertIn(volume.set(attached_to=ids[winner]), listed)
            yield self.assertFailure(
                nodes[1 - winner].get_device_path(volume.blockdevice_id), UnattachedVolume
            )

    @inlineCallbacks
    def test_one_dataset_from_two_nodes(self):
        """Two nodes that create the volume of one dataset at once get the same volume."""
        nodes = self.nodes()
        dataset_id = uuid4()
        made = yield gatherResults([node.create_volume(dataset_id, GIB) for node in nodes])
        self.assertEqual(made[0], made[1])
        device = yield self.attached(nodes[0], made[0].blockdevice_id)
        self.assertTrue(device.exists())

    @inlineCallbacks
    def test_fifty_life_cycles(self):
        """Fifty volumes are made, attached, detached and destroyed at once."""
        [api, _] = self.nodes()
        node = yield api.compute_instance_id()
        volumes = yield gatherResults([api.create_volume(uuid4(), GIB) for _ in range(50)])
        ids = [volume.blockdevice_id for volume in volumes]
        attached = yield gatherResults([api.attach_volume(i, node) for i in ids])
        self.assertEqual([volume.set(attached_to=node) for volume in volumes], attached)
        paths = yield gatherResults([api.get_device_path(i) for i in ids])
        self.assertEqual(50, len({path.path for path in paths}))
        yield gatherResults([api.detach_volume(i) for i in ids])
        yield gatherResults([api.destroy_volume(i) for i in ids])
        listed = yield api.list_volumes()
        self.assertEqual([], listed)


def backing_file(device):
    """:return: the path of the file behind a loop device, or its remains."""
    path = device.realpath().path.replace("/dev/", "/sys/block/") + "/loop/backing_file"
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


class ServersTests(Scenario):
    """Servers that go away with volumes on them."""

    @inlineCallbacks
    def setUp(self):
        self.client = yield deferToThread(client)
        self.server = yield deferToThread(self.client.create_server, "doomed")
        self.doomed = True
        self.addCleanup(self.delete)
        self.cluster_id = uuid4()
        self.there = self.driver(self.cluster_id, instance_id=self.server)
        self.elsewhere = self.driver(self.cluster_id, node=1)

    def delete(self):
        if self.doomed:
            self.doomed = False
            return deferToThread(self.client.delete_server, self.server)

    @inlineCallbacks
    def test_deleted(self):
        """The volumes of a deleted server are unattached, and go to another with their data."""
        volumes = yield gatherResults(
            [self.there.create_volume(uuid4(), GIB) for _ in range(2)]
        )
        devices = yield gatherResults(
            [self.attached(self.there, volume.blockdevice_id) for volume in volumes]
        )
        checksum = write(devices[0])
        yield self.delete()
        live = yield self.elsewhere.list_live_nodes()
        self.assertNotIn(self.server, list(live))
        listed = yield self.elsewhere.list_volumes()
        self.assertEqual([None, None], [volume.attached_to for volume in listed])
        volume_id = volumes[0].blockdevice_id
        yield self.assertFailure(self.elsewhere.detach_volume(volume_id), UnattachedVolume)
        device = yield self.attached(self.elsewhere, volume_id)
        self.assertEqual(checksum, read(device))

    @inlineCallbacks
    def test_deleted_meanwhile(self):
        """A server may be deleted while its volumes are being attached and detached."""
        volumes = yield gatherResults(
            [self.there.create_volume(uuid4(), GIB) for _ in range(4)]
        )
        ids = [volume.blockdevice_id for volume in volumes]
        yield gatherResults([self.there.attach_volume(i, self.server) for i in ids[:2]])
        running = DeferredList(
            [self.there.detach_volume(i) for i in ids[:2]]
            + [self.there.attach_volume(i, self.server) for i in ids[2:]],
            consumeErrors=True,
        )
        yield self.delete()
        yield running
        listed = yield self.elsewhere.list_volumes()
        self.assertEqual([None] * 4, [volume.attached_to for volume in listed])
        node = yield self.elsewhere.compute_instance_id()
        yield gatherResults([self.elsewhere.attach_volume(i, node) for i in ids])


class ProjectsTests(Scenario):
    """Projects that are invisible to each other."""

    @inlineCallbacks
    def test_others_unknown(self):
        """A volume of another project is unknown, though its cluster and dataset are the same."""
        cluster_id, dataset_id = uuid4(), uuid4()
        ours = self.driver(cluster_id)
        theirs = self.driver(cluster_id, user="other")
        volume = yield ours.create_volume(dataset_id, GIB)
        volume_id = volume.blockdevice_id
        node = yield theirs.compute_instance_id()
        listed = yield theirs.list_volumes()
        self.assertEqual([], listed)
        for operation, arguments in [
            (theirs.attach_volume, (node,)),
            (theirs.detach_volume, ()),
            (theirs.get_device_path, ()),
            (theirs.destroy_volume, ()),
        ]:
            yield self.assertFailure(operation(volume_id, *arguments), UnknownVolume)
        another = yield theirs.create_volume(dataset_id, GIB)
        self.assertNotEqual(volume_id, another.blockdevice_id)
        listed = yield ours.list_volumes()
        self.assertEqual([volume], listed)

    @inlineCallbacks
    def test_quota(self):
        """A project at its quota fails at once, and has room again after a volume is destroyed."""
        api, agent = faulty_driver(self, user="cramped")
        self.addCleanup(detach_destroy_volumes, api)
        volume = yield api.create_volume(uuid4(), GIB)
        dataset_id, before = uuid4(), len(agent.requests)
        began = reactor.seconds()
        error = yield self.assertFailure(api.create_volume(dataset_id, GIB), QuotaExceeded)
        self.assertIn("quota", str(error))
        self.assertLess(reactor.seconds() - began, 10)
        asked = [method for method, _ in agent.requests[before:] if method == "POST"]
        self.assertEqual(["POST"], asked)
        yield api.destroy_volume(volume.blockdevice_id)
        another = yield api.create_volume(dataset_id, GIB)
        self.assertEqual(dataset_id, another.dataset_id)


@implementer(IAgent)
class Tokens:
    """An agent that records tokens, in their order, and logins."""

    def __init__(self, agent):
        self._agent = agent
        self.seen = []
        self.logins = 0

    def request(self, method, uri, headers=None, bodyProducer=None):  # noqa: N803
        """See ``IAgent``."""
        self.logins += uri.endswith(b"/auth/tokens")
        for token in headers.getRawHeaders(b"X-Auth-Token", []):
            if token.decode("ascii") not in self.seen:
                self.seen.append(token.decode("ascii"))
        return self._agent.request(method, uri, headers, bodyProducer)


class TokensTests(Scenario):
    """Tokens that end before their time."""

    @inlineCallbacks
    def test_revoked(self):
        """After its token is revoked, the driver logs in once more, and its operations succeed."""
        agent = agent_for(reactor)
        self.addCleanup(agent.close)
        tokens = Tokens(agent)
        api = block_device_driver(reactor, uuid4(), tokens, **configuration())
        self.addCleanup(detach_destroy_volumes, api)
        node = yield api.compute_instance_id()
        volumes = yield gatherResults([api.create_volume(uuid4(), GIB) for _ in range(4)])
        running = [api.attach_volume(volume.blockdevice_id, node) for volume in volumes]
        admin = yield deferToThread(client, "admin")
        yield deferToThread(
            admin.request, "DELETE", "identity", "/auth/tokens", X_Subject_Token=tokens.seen[0]
        )
        attached = yield gatherResults(running)
        self.assertEqual([node] * 4, [volume.attached_to for volume in attached])
        yield gatherResults([api.detach_volume(volume.blockdevice_id) for volume in volumes])
        self.assertEqual((2, 2), (tokens.logins, len(tokens.seen)))
