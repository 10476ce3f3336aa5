"""
Tests of the tokens in version discovery: each caller's own, and never in an error or the log.
"""

from __future__ import absolute_import, division, print_function

import json

from eliot.testing import capture_logging
from twisted.internet.defer import fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._http.messages import Response
from txstorage._support.compat import text_type
from txstorage.clouds.openstack.session import Session
from txstorage.clouds.openstack.tokens import Token
from txstorage.clouds.openstack.versions import APIS, VersionDiscovery

from ...helpers.wire import Wire, catalog, error, token_answer, versions_answer
from .support import BY_PASSWORD, TYPES

TOKEN = u"gAAAAABn-not-for-any-log"
UNVERSIONED = catalog((u"block-storage", u"public", u"RegionOne", u"http://cloud:8776/"))
DOCUMENT = versions_answer(300, (u"v3.0", u"/v3/", u"3.0", u"3.71"))


class EchoTests(SynchronousTestCase):
    """Services that send the request's token back."""

    def start(self, *answers):
        """Request a list through a session whose version discovery gets these answers."""
        self.wire = Wire(token_answer(TOKEN, services=UNVERSIONED), *answers)
        session = Session(self.wire.clock, self.wire.http, u"http://cloud", BY_PASSWORD)
        return session.request(TYPES, u"GET", u"/volumes")

    def assert_hidden(self, failure, logger):
        """Assert that neither the error nor the log contains the token."""
        self.assertEqual(TOKEN, self.wire.service.seen[-1].header(u"x-auth-token"))
        for text in (
            text_type(failure.value),
            repr(failure.value),
            failure.value.detail,
            json.dumps(logger.messages, default=repr),
        ):
            self.assertNotIn(TOKEN, text)

    @capture_logging(None)
    def test_hidden(self, logger):
        """An error of version discovery that quotes the token is reported without the token."""
        answer = error(409, u"conflict", u"no {} today".format(TOKEN))
        failure = self.failureResultOf(self.start(answer), errors.Conflict)
        self.assertIn(u"today", failure.value.detail)
        self.assert_hidden(failure, logger)

    @capture_logging(None)
    def test_hidden_in_retries(self, logger):
        """The log of repeated requests for the document does not contain the token."""
        answer = error(500, u"computeFault", u"no {} today".format(TOKEN))
        d = self.start(*[answer] * 9)
        self.wire.clock.pump([1.0] * 120)
        self.assert_hidden(self.failureResultOf(d, errors.ServiceBroken), logger)


class TokensTests(SynchronousTestCase):
    """The tokens of the requests for a version document."""

    def test_each_callers_own(self):
        """A repeated request for the document has the token of the caller that repeats it."""
        broken = errors.ServiceBroken(u"GET", u"http://cloud:8776/", 500, u"no")
        answers = [fail(broken), succeed(Response(300, {}, DOCUMENT.body))]
        tokens = []

        def get(api, url, token):
            tokens.append(token.secret)
            return answers.pop(0)

        discovery = VersionDiscovery(Clock(), get)
        first = discovery.find(APIS[u"v3"], u"http://cloud:8776/", Token(u"old"))
        self.failureResultOf(first, errors.ServiceBroken)
        second = discovery.find(APIS[u"v3"], u"http://cloud:8776/", Token(u"new"))
        self.assertEqual((3, 71), self.successResultOf(second).maximum)
        self.assertEqual([u"old", u"new"], tokens)

    def test_after_a_renewal(self):
        """A session that renews its token requests the document with the new token."""
        unauthorized = error(401, u"error", u"expired")
        wire = Wire(
            token_answer("old", services=UNVERSIONED),
            unauthorized,
            token_answer("new", services=UNVERSIONED),
            DOCUMENT,
            versions_answer(200),
        )
        session = Session(wire.clock, wire.http, u"http://cloud", BY_PASSWORD)
        self.successResultOf(session.request(TYPES, u"GET", u"/volumes"))
        self.assertEqual(
            [None, u"old", None, u"new", u"new"],
            [seen.header(u"x-auth-token") for seen in wire.service.seen],
        )
