"""
Parts of a real OpenStack that fail while the driver works: each is stopped before an operation
begins,
or as soon as its request was accepted, and started again while the operation waits.
"""

import os
import subprocess
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.python import log
from twisted.trial.unittest import TestCase
from twisted.web.iweb import IAgent
from zope.interface import implementer

from txstorage._assembly import block_device_driver
from txstorage._http.connections import agent_for
from txstorage.errors import StorageError
from txstorage.testing import detach_destroy_volumes
from txstorage.testing.operations import Operations
from txstorage.testing.volumes import remove_snapshots

from .cloud import GIB, configuration, description

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def control(*arguments):
    """:return: a ``Deferred`` that fires when the rig has carried out a command."""
    command = description()["control"] + list(arguments)
    return deferToThread(subprocess.run, command, cwd=ROOT, check=True)


@implementer(IAgent)
class Accepted:
    """
    An agent that reports accepted changes.

    :param int number: the number of changes to wait for, from the next response on.
    """

    def __init__(self, agent):
        self._agent = agent
        self._wanted = 0
        self._accepted = None

    def after(self, number):
        """:return: a ``Deferred`` that fires when that many more changes were accepted."""
        self._wanted, self._accepted = number, Deferred()
        return self._accepted

    def request(self, method, uri, headers=None, bodyProducer=None):  # noqa: N803
        """See ``IAgent``."""
        d = self._agent.request(method, uri, headers, bodyProducer)
        if method != b"GET" and not uri.endswith(b"/auth/tokens"):
            d.addCallback(self._answered)
        return d

    def _answered(self, response):
        if response.code < 300 and self._wanted:
            self._wanted -= 1
            if not self._wanted:
                reactor.callLater(0, self._accepted.callback, None)
        return response


class Outages(Operations, TestCase):
    """Several operations at once, each on its own volume, and one outage."""

    timeout = 400
    size = GIB
    #: The operations, as :class:`~txstorage.testing.operations.Operations` names them.
    operations = ()

    @inlineCallbacks
    def setUp(self):
        agent = agent_for(reactor)
        self.addCleanup(agent.close)
        self.agent, self.cluster_id = Accepted(agent), uuid4()
        self.api = self.new_driver()
        self.addCleanup(detach_destroy_volumes, self.api)
        # A volume with snapshots can't be destroyed.
        self.addCleanup(remove_snapshots, self.api)
        self.this_node = yield self.api.compute_instance_id()

    def new_driver(self):
        return block_device_driver(
            reactor, self.cluster_id, self.agent, **configuration(copy_timeout=110)
        )

    def settle(self, d):
        return d

    def begin(self, operation, subject):
        """
        :return: a ``Deferred`` that fires with ``None`` after a success, or with the text of an
            error after
            which the operation may be repeated.
        """
        return self.parts(operation)[1](subject).addCallbacks(
            lambda _: None, lambda failure: failure.trap(StorageError) and str(failure.value)
        )

    @inlineCallbacks
    def outage(self, services, stop):
        """
        :param services: names of the rig's services.
        :param stop: called with a function that stops the services and returns a ``Deferred``, and
            with one
            that begins the operations and returns a list of Deferreds; returns a ``Deferred`` of
            these.
        """
        self.subjects = yield gatherResults([self.parts(name)[0]() for name in self.operations])
        self.addCleanup(control, "start", *services)
        running = yield stop(
            lambda: control("stop", *services),
            lambda: [self.begin(*each) for each in zip(self.operations, self.subjects)],
        )
        yield control("start", *services)
        ends = yield gatherResults(running)
        log.msg("what was not waited for: {}".format([end for end in ends if end]))
        for operation, subject in zip(self.operations, self.subjects):
            yield self.repeat(operation, subject)
            yield self.parts(operation)[2](subject)

    @inlineCallbacks
    def before(self, stop, begin):
        """Stop before the operations begin."""
        yield stop()
        return begin()  # noqa: B901

    @inlineCallbacks
    def at_first(self, stop, begin):
        """Stop before the driver has ever reached the cloud."""
        yield stop()
        self.api = self.new_driver()
        return begin()  # noqa: B901

    @inlineCallbacks
    def meanwhile(self, stop, begin):
        """Stop when all the operations' requests were accepted."""
        accepted = self.agent.after(len(self.operations))
        running = begin()
        yield accepted
        yield stop()
        return running  # noqa: B901


class OutageTests(Outages):
    """The operations of Flocker's interface."""

    operations = ("create", "attach", "detach", "destroy")

    def test_volume_service_before(self):
        """
        Without Cinder's volume service, operations wait for it, or name the operation to repeat.
        """
        return self.outage(["cinder-volume"], self.before)

    def test_volume_service_meanwhile(self):
        """Cinder's volume service may end in the middle of operations."""
        return self.outage(["cinder-volume"], self.meanwhile)

    def test_rabbit_before(self):
        """Without RabbitMQ, operations wait for it, or name the operation to repeat."""
        return self.outage(["rabbit"], self.before)

    def test_rabbit_meanwhile(self):
        """RabbitMQ may end in the middle of operations."""
        return self.outage(["rabbit"], self.meanwhile)

    def test_keystone_before(self):
        """Without Keystone, operations wait for it, or name the operation to repeat."""
        return self.outage(["keystone"], self.before)

    def test_keystone_meanwhile(self):
        """Keystone may end in the middle of operations."""
        return self.outage(["keystone"], self.meanwhile)

    def test_keystone_at_first(self):
        """A driver made while Keystone is down works when Keystone is back."""
        return self.outage(["keystone"], self.at_first)


class CopyOutageTests(Outages):
    """Snapshots, copies and growing."""

    operations = ("snapshot", "discard", "restore", "clone", "grow")

    def test_volume_service_before(self):
        """Without Cinder's volume service, each operation waits for it, or can be repeated."""
        return self.outage(["cinder-volume"], self.before)

    def test_volume_service_meanwhile(self):
        """Cinder's volume service may end in the middle of copies and of growing."""
        return self.outage(["cinder-volume"], self.meanwhile)

    def test_rabbit_meanwhile(self):
        """RabbitMQ may end in the middle of copies and of growing."""
        return self.outage(["rabbit"], self.meanwhile)
