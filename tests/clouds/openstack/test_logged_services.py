"""
Tests of the services in the log, by which requests are counted.
"""

from __future__ import absolute_import, division, print_function

from eliot.testing import LoggedAction, LoggedMessage, capture_logging
from twisted.trial.unittest import SynchronousTestCase

from txstorage._log import HTTP_EXCHANGE, HTTP_RETRY
from txstorage.clouds.openstack.session import Session

from ...helpers.wire import Answer, Wire, catalog, token_answer, versions_answer
from .support import BY_PASSWORD, TYPES

SERVICES = catalog(
    (u"volumev3", u"public", u"RegionOne", u"http://cloud:8776/"),
    (u"compute", u"public", u"RegionOne", u"http://cloud:8774/v2.1"),
)


class LoggedServicesTests(SynchronousTestCase):
    """The field ``service`` of the messages about HTTP."""

    @capture_logging(None)
    def test_services(self, logger):
        """
        Each request names its service by the official type, whatever the catalog calls it; a
        version document is the service's own.
        """
        wire = Wire(
            token_answer(u"t", services=SERVICES),
            versions_answer(300, (u"v3.0", u"/v3/", u"3.0", u"3.71")),
            Answer(200, {}),
            Answer(500, {}),
            Answer(200, {}),
        )
        session = Session(wire.clock, wire.http, u"http://cloud", BY_PASSWORD)
        self.successResultOf(session.request(TYPES, u"GET", u"/volumes"))
        asked = session.request((u"compute",), u"GET", u"/servers", version=u"v2.1")
        wire.clock.advance(1.0)
        self.successResultOf(asked)
        exchanges = LoggedAction.of_type(logger.messages, HTTP_EXCHANGE)
        self.assertEqual(
            [u"identity", u"block-storage", u"block-storage", u"compute", u"compute"],
            [each.startMessage[u"service"] for each in exchanges],
        )
        (retry,) = LoggedMessage.of_type(logger.messages, HTTP_RETRY)
        self.assertEqual(u"compute", retry.message[u"service"])

    @capture_logging(None)
    def test_unknown(self, logger):
        """A request to an address of which nothing is known names no service."""
        wire = Wire(Answer(200, {}))
        self.successResultOf(wire.http.request(u"GET", u"http://cloud/"))
        (exchange,) = LoggedAction.of_type(logger.messages, HTTP_EXCHANGE)
        self.assertEqual(u"", exchange.startMessage[u"service"])
