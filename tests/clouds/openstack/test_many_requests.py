"""
Tests of the session's share in the cost of many requests.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from txstorage._http.throttle import LIMITS
from txstorage.clouds.openstack import session as session_module
from txstorage.clouds.openstack.catalog import choose_endpoint
from txstorage.clouds.openstack.session import Session

from ...helpers.wire import HANG, Answer, Wire, token_answer
from .support import BY_PASSWORD, TYPES, UNAUTHORIZED


class ManyRequestsTests(SynchronousTestCase):
    """Requests of one session."""

    def session(self, *script):
        self.wire = Wire(*script)
        return Session(self.wire.clock, self.wire.http, u"http://cloud/identity", BY_PASSWORD)

    def ask(self, session):
        return session.request(TYPES, u"GET", u"/volumes")

    def test_endpoint_chosen_once(self):
        """The endpoint of a service is chosen once for each token."""
        tokens = [token_answer("tok-1"), token_answer("tok-2")]
        answers = [Answer(200, {}), Answer(200, {}), UNAUTHORIZED, tokens[1], Answer(200, {})]
        session = self.session(tokens[0], *answers)
        chosen = []

        def choose(catalog, *arguments):
            chosen.append(catalog)
            return choose_endpoint(catalog, *arguments)

        self.patch(session_module, "choose_endpoint", choose)
        for _ in range(3):
            self.successResultOf(self.ask(session))
        self.assertEqual(2, len(chosen))

    def test_waits_unsent(self):
        """A request that waits for its turn is neither made nor sent; a cancelled one never is."""
        session = self.session(token_answer("t"), Answer(200, {}), *[HANG] * 30)
        self.successResultOf(self.ask(session))
        asked = [self.ask(session) for _ in range(LIMITS.fewest + 2)]
        made = []
        self.patch(self.wire.http, "request", lambda *args, **options: made.append(args))
        asked[-2].cancel()
        self.failureResultOf(asked[-2], CancelledError)
        self.assertEqual(2 + LIMITS.fewest, len(self.wire.service.seen))
        self.assertEqual([], made)
        asked[0].cancel()
        self.failureResultOf(asked[0], CancelledError)
        self.assertEqual(1, len(made))
