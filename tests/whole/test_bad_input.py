# -*- coding: utf-8 -*-
"""
Bad input gets a typed error with a remedy, and loses nothing.

The whole driver runs, from its configuration to the wire, against services that respond badly.
The tests at the end add the faults of a real socket: a connection that breaks, a certificate
that does not verify.
"""

from __future__ import absolute_import, division, print_function

import json
from uuid import UUID

from eliot.testing import LoggedMessage, capture_logging
from treq.testing import RequestTraversalAgent
from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage import errors
from txstorage._assembly import block_device_driver
from txstorage._log import VOLUME_SKIPPED
from txstorage._support.compat import text_type
from txstorage.interfaces import UnknownVolume

from ..helpers.wire import (
    Answer,
    FakeService,
    RawServer,
    certificate_for,
    error,
    retry_soon,
    token_answer,
)

CLUSTER = UUID("c0ffee00-0000-4000-8000-000000000001")
DATASET = UUID("11111111-1111-4111-8111-111111111111")
NODE = u"22222222-2222-4222-8222-222222222222"
VOLUME = u"33333333-3333-4333-8333-333333333333"
GIB = 1024 ** 3
PASSWORD = u"hunter2 & \xe9"

LABELS = {
    u"flocker-cluster-id": text_type(CLUSTER),
    u"flocker-dataset-id": text_type(DATASET),
}


def described(**changes):
    """A volume as Cinder describes it."""
    return dict(
        {u"id": VOLUME, u"status": u"available", u"size": 1, u"metadata": LABELS,
         u"attachments": [], u"created_at": u"2026-01-01T00:00:00"},
        **changes
    )


def server(request):
    """Keystone and Compute that respond correctly; ``None`` for requests to Cinder."""
    if request.target.endswith(u"/auth/tokens"):
        return token_answer("tok-secret")
    if request.target.startswith(u"/v2.1/servers/" + NODE):
        return Answer(200, {u"server": {u"id": NODE, u"status": u"ACTIVE"}})
    return None


class BadInputTestCase(SynchronousTestCase):
    """A driver on services whose responses a test defines."""

    def driver(self, *rules):
        """:param rules: functions from a request to a response or ``None``."""

        def answer(request):
            for rule in rules + (server,):
                response = rule(request)
                if response is not None:
                    return response
            return error(404, u"itemNotFound", u"It could not be found.")

        self.clock = Clock()
        self.service = FakeService(answer)
        return block_device_driver(
            self.clock,
            CLUSTER,
            agent=RequestTraversalAgent(self.service),
            auth_url=u"http://cloud/identity",
            username=u"flocker",
            password=PASSWORD,
            project_name=u"demo",
            instance_id=NODE,
        )

    def fails(self, d, kind, *words):
        """The operation fails in time with an error of one class that names the remedy."""
        self.clock.pump([0.5] * 250)
        raised = self.failureResultOf(d).value
        self.assertIs(kind, type(raised))
        self.assertTrue(raised.remedy)
        self.assertIn(raised.remedy, raised.__unicode__())
        for word in words:
            self.assertIn(word, raised.__unicode__())
        self.assertEqual([], self.clock.getDelayedCalls())
        return raised

    def mutations(self):
        """The requests to the services that change something."""
        return [
            (request.method, request.target)
            for request in self.service.seen
            if request.method != u"GET" and not request.target.endswith(u"/auth/tokens")
        ]


def operations(volume_id):
    """The operations on a volume: a name, and a function to call with a driver."""
    return [
        (u"destroy", lambda driver: driver.destroy_volume(volume_id)),
        (u"attach", lambda driver: driver.attach_volume(volume_id, NODE)),
        (u"detach", lambda driver: driver.detach_volume(volume_id)),
        (u"get_device_path", lambda driver: driver.get_device_path(volume_id)),
    ]


EVERY = operations(VOLUME) + [
    (u"create", lambda driver: driver.create_volume(DATASET, GIB)),
    (u"list", lambda driver: driver.list_volumes()),
]


class ServiceTests(BadInputTestCase):
    """Services that refuse requests, and addresses that are not the service."""

    @capture_logging(None)
    def test_wrong_credentials(self, logger):
        """Each operation's error names the user and the remedy; no secret appears."""
        echo = {u"error": {u"code": 401, u"message": u"bad: " + PASSWORD}}
        for _, call in EVERY:
            driver = self.driver(
                lambda request: Answer(401, echo) if u"/auth/" in request.target else None
            )
            raised = self.fails(call(driver), errors.AuthenticationFailed, u"user 'flocker'")
            self.assertNotIn(u"hunter2", raised.__unicode__() + repr(raised))
            self.assertEqual([], self.mutations())
        self.assertTrue(logger.messages)
        self.assertNotIn("hunter2", json.dumps(logger.serialize()))

    def test_not_json(self):
        """An endpoint whose responses are not JSON is reported as not the service."""
        for body in (b"<html>Welcome</html>", b"", b"[]", b"{}", b'{"volume": 1}', b"\xff"):
            for _, call in operations(VOLUME):
                driver = self.driver(
                    lambda request: Answer(200, body) if u"/volumes" in request.target else None
                )
                self.fails(call(driver), errors.NotTheService, u"http://cloud/v3/")
                self.assertEqual([], self.mutations())

    def test_no_such_address(self):
        """A 404 from a router's address does not mean that a volume is gone."""
        for _, call in operations(VOLUME):
            driver = self.driver(
                lambda request: Answer(404, b"<h1>Not Found</h1>")
                if u"/volumes" in request.target else None
            )
            self.fails(call(driver), errors.ResourceNotFound, u"endpoint")
            self.assertEqual([], self.mutations())


class ArgumentTests(BadInputTestCase):
    """Mistakes of the caller."""

    def test_sizes(self):
        """A size that is not a positive whole number is refused without a request."""
        for size in (0, -1, -GIB, 1.5, float("nan"), u"1", None, True):
            self.fails(
                self.driver().create_volume(DATASET, size), errors.InvalidSize, u"whole number"
            )
            self.assertEqual([], self.service.seen)

    def test_dataset_id(self):
        """A dataset id that is not a UUID is refused without a request."""
        for dataset_id in (text_type(DATASET), u"", None, 7, u"\xe9", b"\xff"):
            self.fails(
                self.driver().create_volume(dataset_id, GIB), errors.InvalidDatasetID, u"UUID"
            )
            self.assertEqual([], self.service.seen)

    def test_unknown_volumes(self):
        """Any volume id that the cloud does not list is unknown; nothing is changed."""

        def empty_list(request):
            return Answer(200, {u"volumes": []}) if request.target.endswith(u"/detail") else None

        for volume_id in (
            VOLUME, u"nonsense", u"", u"a/b", u"/", u"..", u"../" + VOLUME, u"a%2Fb", u"a?b#c",
            u"detail", u"caf\xe9", u"\u4e2d\u6587", u"a b", u"a\nb", u"x" * 300,
        ):
            for name, call in operations(volume_id):
                d = call(self.driver(empty_list))
                self.clock.pump([0.5] * 10)
                raised = self.failureResultOf(d, UnknownVolume).value
                self.assertEqual((name, (volume_id,)), (name, raised.args))
                self.assertEqual(volume_id, raised.blockdevice_id)
                self.assertEqual([], self.mutations())


class VolumeTests(BadInputTestCase):
    """Volumes that are malformed or unusable."""

    def on(self, *volumes):
        """A driver on a Cinder that has volumes."""

        def cinder(request):
            if u"/volumes/detail" in request.target:
                return Answer(200, {u"volumes": list(volumes)})
            if request.method == u"GET" and u"/volumes/" + VOLUME in request.target:
                return Answer(200, {u"volume": volumes[0]})
            return None

        return self.driver(cinder)

    def test_quota(self):
        """An exceeded quota is distinguished from a rate limit."""
        quota = error(
            413, u"overLimit", u"VolumeLimitExceeded: Maximum number of volumes allowed (1)",
            {"Retry-After": "0"},
        )
        driver = self.driver(
            lambda request: Answer(200, {u"volumes": []}) if u"/detail" in request.target else None,
            lambda request: quota
            if request.method == u"POST" and u"/volumes" in request.target else None,
        )
        self.fails(driver.create_volume(DATASET, GIB), errors.QuotaExceeded, u"quota raised")
        self.assertEqual(1, len(self.mutations()))

    def test_in_error(self):
        """A volume in ``error`` is not attached, and not returned as usable."""
        broken = described(status=u"error")
        for call in (
            lambda driver: driver.attach_volume(VOLUME, NODE),
            lambda driver: driver.create_volume(DATASET, GIB),
        ):
            self.fails(call(self.on(broken)), errors.UnusableStatus, VOLUME, u"error")
            self.assertEqual([], self.mutations())

    @capture_logging(None)
    def test_labels(self, logger):
        """Volumes with bad labels are left out of the list and reported; the others are listed."""
        bad = [
            {u"flocker-cluster-id": text_type(CLUSTER)},
            dict(LABELS, **{u"flocker-dataset-id": u"nonsense"}),
            dict(LABELS, **{u"flocker-dataset-id": u"caf\xe9"}),
            dict(LABELS, **{u"flocker-dataset-id": 7}),
        ]
        volumes = [
            described(id=u"bad-{}".format(number), metadata=metadata)
            for number, metadata in enumerate(bad)
        ]
        volumes += [described(id=u"bad-4", size=None), described(), described(id=u"x", metadata={})]
        d = self.on(*volumes).list_volumes()
        self.assertEqual([VOLUME], [v.blockdevice_id for v in self.successResultOf(d)])
        skipped = LoggedMessage.of_type(logger.messages, VOLUME_SKIPPED)
        self.assertEqual(
            {u"bad-{}".format(number) for number in range(5)},
            {m.message[u"volume_id"] for m in skipped},
        )

    def test_attach_without_dataset(self):
        """A volume without a dataset label is not attached."""
        driver = self.on(described(metadata={u"flocker-cluster-id": text_type(CLUSTER)}))
        self.fails(driver.attach_volume(VOLUME, NODE), errors.MalformedLabels, VOLUME)
        self.assertEqual([], self.mutations())


class SocketTests(TestCase):
    """Endpoints on real sockets that are not the service."""

    def check(self, url, kind):
        """An operation fails with one class of error, which names the remedy."""
        retry_soon(self)
        driver = block_device_driver(
            reactor, CLUSTER, auth_plugin=u"none", volume_endpoint=url, compute_endpoint=url,
            instance_id=NODE,
        )

        def check_remedy(error):
            self.assertTrue(error.remedy)
            return error

        return self.assertFailure(driver.list_volumes(), kind).addCallback(check_remedy)

    def test_not_there(self):
        """No server listens at the address."""
        port = RawServer(self)
        return self.check(port.url.replace(text_type(port.port), u"1"), errors.Unreachable)

    def test_not_http(self):
        """A server that does not speak HTTP is reported as not the service."""
        other = RawServer(self, b"SSH-2.0-OpenSSH_9.2\r\n", close=True)
        return self.check(other.url, errors.NotTheService)

    def test_truncated(self):
        """A truncated response is reported as lost, and not used."""
        answer = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"volumes": []}'
        return self.check(RawServer(self, answer, close=True).url, errors.ResponseLost)

    @inlineCallbacks
    def test_plain_to_tls(self):
        """Plain HTTP sent to a TLS port is reported as such, regardless of the TLS response."""
        stranger = RawServer(self, certificate=certificate_for(u"127.0.0.1"))
        raised = yield self.check(stranger.url.replace(u"https:", u"http:"), errors.ResponseLost)
        self.assertIn("begin the address with https:", str(raised))
        for description, kind in [(b"\x46", errors.ResponseLost), (b"\x0a", errors.NotTheService)]:
            alert = RawServer(self, b"\x15\x03\x01\x00\x02\x02" + description, close=True)
            raised = yield self.check(alert.url, kind)
            self.assertIn("begin the address with https:", str(raised))

    @inlineCallbacks
    def test_https_is_not_suggested(self):
        """TLS is not suspected where the server spoke plain HTTP."""
        for answer, kind in [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", errors.ResponseLost),
            (b"SSH-2.0-OpenSSH_9.2\r\n", errors.NotTheService),
        ]:
            raised = yield self.check(RawServer(self, answer, close=True).url, kind)
            self.assertNotIn("https", str(raised))

    def test_certificate(self):
        """A certificate that does not verify is rejected."""
        stranger = RawServer(self, certificate=certificate_for(u"127.0.0.1"))
        return self.check(stranger.url, errors.CertificateRejected)
