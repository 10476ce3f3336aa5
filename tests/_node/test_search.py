"""
Tests for the search as a whole of :mod:`txstorage._node.instance_id`, and for its default
HTTP client.
"""

from __future__ import absolute_import, division, print_function

import json
import os

from eliot.testing import capture_logging
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from twisted.trial.unittest import TestCase
from twisted.web.client import ResponseNeverReceived
from twisted.web.resource import Resource
from twisted.web.server import Site
from twisted.web.static import Data

from txstorage._node.instance_id import NodeIdentity
from txstorage.errors import ServiceBroken, Unreachable
from txstorage.interfaces import UnknownInstanceID

from ..helpers.machine import NODE, OTHER, Answer, Client, Compute, NodeTestCase


class SearchTests(NodeTestCase):
    """The search as a whole."""

    def test_every_source_is_reported(self):
        """The error lists every source with its result, and the remedy."""
        self.add_firmware(OTHER.encode("ascii"))
        text = self.refused(Compute(NODE))
        for part in (
            "config drive: there is none; metadata service: Connection was refused",
            "DMI product UUID: there is no instance {} in the cloud".format(OTHER),
            "set 'instance_id' in the configuration",
        ):
            self.assertIn(part, text)

    def test_nameless_error(self):
        """An error without a text is reported by its class name."""
        self.assertIn(
            "metadata service: KeyError", self.refused(Compute(), Client(fail(KeyError())))
        )

    @capture_logging(None)
    def test_logged(self, logger):
        """Each source tried is one message."""
        self.add_firmware(NODE.encode("ascii"))
        self.found(Compute(NODE), Client.of(uuid=OTHER))
        self.assertEqual(
            [(message[u"source"], message[u"outcome"]) for message in logger.messages],
            [
                (u"config drive", u"there is none"),
                (u"metadata service", u"there is no instance {} in the cloud".format(OTHER)),
                (u"DMI product UUID", NODE),
            ],
        )

    def test_compute_is_down(self):
        """When Compute can't be asked, that is the error, and not "unknown id"."""
        self.add_firmware(NODE.encode("ascii"))
        for error in (
            Unreachable(u"GET", u"http://c/servers/x", u"refused"),
            ServiceBroken(u"GET", u"http://c/servers/x", 500, u"oops"),
        ):
            compute = Compute()
            compute.answer = fail(error)
            d = self.node(compute, Client.of(uuid=NODE)).instance_id()
            self.assertIs(self.failureResultOf(d).value, error)
            self.assertEqual(compute.asked, [NODE])

    def test_cached(self):
        """An id that was found is not looked for again."""
        compute, client = Compute(NODE), Client.of(uuid=NODE)
        node = self.node(compute, client)
        for _ in range(2):
            self.assertEqual(self.successResultOf(node.instance_id()), NODE)
        self.assertEqual((len(compute.asked), len(client.urls)), (1, 1))

    def test_source(self):
        """The source of the id is known once the id is."""
        self.add_firmware(NODE.encode("ascii"))
        for options, source in (
            ({"configured": NODE}, u"configuration"),
            ({"client": Client.of(uuid=NODE)}, u"metadata service"),
            ({"client": Client.of(uuid=OTHER)}, u"DMI product UUID"),
        ):
            node = self.node(Compute(NODE), **options)
            self.assertIs(None, node.source)
            self.successResultOf(node.instance_id())
            self.assertEqual(source, node.source)

    def test_failure_is_not_cached(self):
        """A search that failed is made again."""
        client = Client()
        node = self.node(Compute(NODE), client)
        self.failureResultOf(node.instance_id(), UnknownInstanceID)
        client.result = Client.of(uuid=NODE).result
        self.assertEqual(self.successResultOf(node.instance_id()), NODE)

    def test_shared(self):
        """Callers share a search; cancelling one does not end it."""
        client = Client(Deferred())
        node = self.node(Compute(NODE), client)
        leaving, staying, late = [node.instance_id() for _ in range(3)]
        leaving.cancel()
        self.failureResultOf(leaving, CancelledError)
        client.result.callback(Answer(json.dumps({"uuid": NODE}).encode("ascii")))
        self.assertEqual([self.successResultOf(d) for d in (staying, late)], [NODE] * 2)
        self.assertEqual(len(client.urls), 1)

    def test_last_to_leave(self):
        """
        The last to leave ends the search, however the request takes it: no
        other source is asked, and no timer is left.
        """
        self.add_firmware(NODE.encode("ascii"))
        cancelled = []

        def plainly(d):
            cancelled.append(d)

        def wrapped(d):
            cancelled.append(d)
            d.errback(ResponseNeverReceived([Failure(CancelledError())]))

        for canceller in (plainly, wrapped):
            compute = Compute(NODE)
            node = self.node(compute, Client(Deferred(canceller)))
            waiting = [node.instance_id() for _ in range(2)]
            for d in waiting:
                self.assertNoResult(d)
                d.cancel()
                self.failureResultOf(d, CancelledError)
            self.assertEqual(compute.asked, [])
        self.assertEqual(len(cancelled), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel_while_compute_is_asked(self):
        """The question to Compute is cancelled as well."""
        cancelled = []
        compute = Compute()
        compute.answer = Deferred(cancelled.append)
        d = self.node(compute, configured=NODE).instance_id()
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual(len(cancelled), 1)

    def test_the_error_names_the_node(self):
        """The error carries who looked, as Flocker's does."""
        node = self.node(Compute())
        error = self.failureResultOf(node.instance_id()).value
        self.assertIs(error.blockdevice, node)
        self.assertEqual(str(node), "this node")
        self.assertEqual(
            [source for source, _ in error.attempts],
            [u"config drive", u"metadata service", u"DMI product UUID"],
        )


class RealMetadataTests(TestCase):
    """A metadata service over TCP, asked by the default client."""

    timeout = 30

    def serve(self, resource):
        """
        :return: the address of the metadata.
        """
        root = Resource()
        root.putChild(b"meta_data.json", resource)
        port = reactor.listenTCP(0, Site(root), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return u"http://127.0.0.1:{}/meta_data.json".format(port.getHost().port)

    def ask(self, url):
        """Look for the id there only."""
        nowhere = FilePath(self.mktemp())
        return NodeIdentity(
            reactor, Compute(NODE), metadata_url=url, mounts=nowhere, labels=nowhere, sysfs=nowhere
        ).instance_id()

    def test_found(self):
        """The id comes over the wire, and no proxy is asked."""
        self.patch(os, "environ", dict(os.environ, http_proxy="http://127.0.0.1:1/"))
        body = json.dumps({"uuid": NODE}).encode("ascii")
        d = self.ask(self.serve(Data(body, "application/json")))
        return d.addCallback(self.assertEqual, NODE)

    def test_nobody_there(self):
        """A port without a server is reported."""
        port = reactor.listenTCP(0, Site(Resource()), interface="127.0.0.1")
        url = u"http://127.0.0.1:{}/meta_data.json".format(port.getHost().port)
        d = port.stopListening()
        d = (d or succeed(None)).addCallback(lambda _: self.ask(url))
        d = self.assertFailure(d, UnknownInstanceID)
        return d.addCallback(lambda error: self.assertIn("refused", str(error)))
