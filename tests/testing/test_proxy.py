"""Tests of the fault-injecting proxy, over real sockets: between any client and any service."""

from __future__ import absolute_import, division, print_function

import json

from twisted.internet import reactor
from twisted.internet.defer import DeferredList, gatherResults, inlineCallbacks
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, PartialDownloadError, ResponseFailed, readBody
from twisted.web.resource import Resource
from twisted.web.server import Site

from txstorage.testing import FAULTS, ClockSteps, FaultProxy, Record, ScriptedFaults


class Echo(Resource):
    """A service that answers with a document, and keeps the requests."""

    isLeaf = True

    def __init__(self):
        Resource.__init__(self)
        self.document = {u"volumes": [{u"id": 1}, {u"id": 2}]}
        self.requests = []

    def render(self, request):
        self.requests.append((request.method, request.uri, request.content.read()))
        self.headers = request.requestHeaders
        request.setHeader(b"X-Subject-Token", b"secret")
        return json.dumps(self.document).encode("ascii")


class ProxyTestCase(TestCase):
    """Base: a service, a proxy in front of it, and a client."""

    timeout = 30

    def setUp(self):
        self.service = Echo()
        self.url = self.serve(self.service)
        self.agent = Agent(reactor)

    def serve(self, resource):
        port = reactor.listenTCP(0, Site(resource), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return u"http://127.0.0.1:{}/v3".format(port.getHost().port)

    def proxy(self, script=None, **options):
        proxy = FaultProxy(reactor, ScriptedFaults(script or {}), **options)
        self.addCleanup(proxy.stop)
        self.through = proxy.listen(self.url)
        return proxy

    def ask(self, path=u"/volumes", method=b"GET", body=None):
        """:return: a Deferred of the response and its body."""
        d = self.agent.request(method, (self.through + path).encode("ascii"), None, body)
        return d.addCallback(
            lambda response: readBody(response).addCallback(lambda body: (response, body))
        )


class HarmlessTests(ProxyTestCase):
    """A proxy without faults."""

    @inlineCallbacks
    def test_passes(self):
        """Requests and answers pass unchanged, and are recorded without the query."""
        proxy = self.proxy()
        response, body = yield self.ask(u"/volumes?token=secret", method=b"POST")
        self.assertEqual(200, response.code)
        self.assertEqual(self.service.document, json.loads(body.decode("ascii")))
        self.assertEqual([b"secret"], response.headers.getRawHeaders(b"X-Subject-Token"))
        self.assertEqual([(b"POST", b"/v3/volumes?token=secret", b"")], self.service.requests)
        self.assertEqual([Record(u"POST", u"/v3/volumes", 200, None)], list(proxy.records))
        self.assertEqual(({}, 1), (proxy.injected, proxy.requests))

    @inlineCallbacks
    def test_service_is_down(self):
        """A service that can't be reached looks like a reset connection."""
        self.url = u"http://127.0.0.1:1/v3"
        self.proxy()
        yield self.assertFailure(self.ask(), ResponseFailed)

    @inlineCallbacks
    def test_bounded(self):
        """Only the most recent requests are recorded."""
        proxy = self.proxy(limit=2)
        for number in range(4):
            yield self.ask(u"/{}".format(number))
        self.assertEqual([u"/v3/2", u"/v3/3"], [record.path for record in proxy.records])
        self.assertEqual(4, proxy.requests)

    @inlineCallbacks
    def test_observe(self):
        """An observer gets each request that the service gets, with its body."""
        seen = []
        self.proxy({0: u"500"}, observe=seen.append)
        yield self.ask(u"/one")
        yield self.ask(u"/two")
        self.assertEqual([u"/v3/two"], [question.target for question in seen])


class CatalogTests(ProxyTestCase):
    """Everything passes through the proxy."""

    @inlineCallbacks
    def test_endpoints(self):
        """The endpoints of a catalog, on other hosts too, are replaced, and lead through it."""
        other = Echo()
        elsewhere = self.serve(other)
        urls = [elsewhere + u"/project", self.url, u"urn:uuid:1"]
        endpoints = [{u"url": url, u"interface": u"public"} for url in urls]
        self.service.document = {u"token": {u"catalog": [{u"endpoints": endpoints}]}}
        proxy = self.proxy()
        _, body = yield self.ask()
        [catalog] = json.loads(body.decode("ascii"))[u"token"][u"catalog"]
        found = [endpoint[u"url"] for endpoint in catalog[u"endpoints"]]
        self.assertEqual([self.through, u"urn:uuid:1"], found[1:])
        self.assertTrue(found[0].endswith(u"/v3/project"))
        self.assertNotIn(elsewhere, found[0])
        self.through = found[0]
        other.document = {u"links": [{u"href": elsewhere + u"/volumes?marker=1"}]}
        _, body = yield self.ask()
        [link] = json.loads(body.decode("ascii"))[u"links"]
        self.assertTrue(link[u"href"].startswith(found[0][: -len(u"/project")] + u"/volumes"))
        self.assertEqual(1, len(other.requests))
        self.assertEqual(2, proxy.requests)

    @inlineCallbacks
    def test_odd_documents(self):
        """A document that only resembles a catalog does no harm."""
        self.proxy()
        for document in [[], 1, None, {u"token": []}, {u"token": {u"catalog": [{}]}},
                         {u"token": {u"catalog": [{u"endpoints": [{u"url": 1}]}]}}]:
            self.service.document = document
            _, body = yield self.ask()
            self.assertEqual(document, json.loads(body.decode("ascii")))


class FaultsTests(ProxyTestCase):
    """The kinds of fault, on the wire."""

    @inlineCallbacks
    def test_every_kind(self):
        """Every kind can be injected; the service gets the request as the table says."""
        names = [name for name in FAULTS if name not in (u"refused", u"stale-list")]
        self.service.document = {u"volumes": [1]}
        proxy = self.proxy({number: name for number, name in enumerate([u"slow"] + names)})
        yield self.ask(u"/other")
        for name in names:
            before = len(self.service.requests)
            d = self.ask(u"/volumes?marker=0")
            if name.startswith(u"no-answer"):
                while proxy.records[-1].fault != name:
                    yield deferLater(reactor, 0.01, lambda: None)
                d.cancel()
            yield d.addErrback(lambda _: None)
            if not FAULTS[name].step:
                self.assertEqual(name, proxy.records[-1].fault)
            self.assertEqual(FAULTS[name].forwards, len(self.service.requests) > before, name)

    @inlineCallbacks
    def test_reset(self):
        """The connection drops before or after the service gets the request."""
        self.proxy({0: u"reset-before", 1: u"reset-after"})
        yield self.assertFailure(self.ask(), ResponseFailed)
        self.assertEqual([], self.service.requests)
        yield self.assertFailure(self.ask(), ResponseFailed)
        self.assertEqual(1, len(self.service.requests))

    @inlineCallbacks
    def test_refused(self):
        """Connections are refused for a moment, and accepted again at the same address."""
        proxy = self.proxy({0: u"refused"})
        yield self.assertFailure(self.ask(), ResponseFailed)
        yield self.assertFailure(self.ask(), ConnectionRefusedError)
        yield deferLater(reactor, 2 * proxy._pause, lambda: None)
        response, _ = yield self.ask()
        self.assertEqual(200, response.code)

    @inlineCallbacks
    def test_cut(self):
        """The body ends in its middle, although its length was announced."""
        self.proxy({0: u"cut-body"})
        yield self.assertFailure(self.ask(), ResponseFailed, PartialDownloadError)
        self.assertEqual(1, len(self.service.requests))

    @inlineCallbacks
    def test_stale(self):
        """An earlier list comes again."""
        self.proxy({1: u"stale-list"})
        self.service.document = {u"volumes": [1]}
        yield self.ask()
        self.service.document = {u"volumes": [1, 2]}
        for expected in ([1], [1, 2]):
            _, body = yield self.ask()
            self.assertEqual({u"volumes": expected}, json.loads(body.decode("ascii")))

    @inlineCallbacks
    def test_clock(self):
        """The clock of a client in this process steps."""
        steps = ClockSteps(object())
        steps.step = lambda seconds: setattr(steps, "offset", seconds)
        proxy = self.proxy({0: u"clock-back", 1: u"clock-forward"}, clock=steps)
        for offset in (-3600.0, 3600.0):
            yield self.ask()
            self.assertEqual(offset, steps.offset)
        self.assertEqual({u"clock-back": 1, u"clock-forward": 1}, proxy.injected)


class StopTests(ProxyTestCase):
    """The end of a proxy.  Trial itself finds what is left in the reactor."""

    @inlineCallbacks
    def test_under_way(self):
        """Requests under way are dropped, delayed ones too."""
        for kinds in [{0: u"no-answer"}, {0: u"no-answer-after", 1: u"slow"}, {0: u"refused"}]:
            proxy = self.proxy(kinds)
            asked = [self.ask() for _ in kinds]
            while len(proxy.records) < len(kinds):
                yield deferLater(reactor, 0.01, lambda: None)
            yield proxy.stop()
            results = yield DeferredList(asked, consumeErrors=True)
            self.assertEqual({False}, {success for success, _ in results})

    @inlineCallbacks
    def test_disconnected(self):
        """Connections end, also without an answer, and the next request is served."""
        proxy = self.proxy({0: u"no-answer"})
        asked = self.ask()
        while len(proxy.records) < 1:
            yield deferLater(reactor, 0.01, lambda: None)
        yield proxy.disconnect()
        [(success, _)] = yield DeferredList([asked], consumeErrors=True)
        self.assertFalse(success)
        yield self.ask()
        self.assertEqual(2, len(proxy.records))

    @inlineCallbacks
    def test_idle(self):
        """A proxy can be stopped when nothing happens, and twice."""
        proxy = self.proxy()
        yield gatherResults([self.ask() for _ in range(5)])
        yield proxy.stop()
        yield proxy.stop()
