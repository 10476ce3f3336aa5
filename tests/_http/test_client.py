# -*- coding: utf-8 -*-
"""
Tests of the HTTP client: retries, requests, failing agents and the log.
"""

from __future__ import absolute_import, division, print_function

import zlib

from eliot import start_action
from eliot.testing import LoggedAction, LoggedMessage, capture_logging
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import (
    ConnectingCancelledError,
    ConnectionDone,
    ConnectionRefusedError,
    DNSLookupError,
)
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed

from txstorage import errors
from txstorage._http.bounds import Bounds
from txstorage._http.client import HTTPClient, retry_delay
from txstorage._http.trust import Untrusted
from txstorage._log import HTTP_EXCHANGE, HTTP_RETRY
from txstorage._support import slices
from txstorage._support.token_bucket import TokenBucket
from txstorage._version import VERSION

from ..helpers.wire import HANG, Answer, Wire, error
from .support import URL, AgentStub, RawResponse, refusal


class RetryDelayTests(SynchronousTestCase):
    """The table of retries."""

    def test_table(self):
        """A request that may have been processed is repeated only where that is harmless."""
        table = [
            # error, attempts when repeatable, attempts otherwise
            (errors.Unreachable, 3, 3),
            (errors.RateLimited, 6, 6),
            (errors.ResponseLost, 3, 1),
            (errors.ServiceBroken, 3, 1),
            (errors.CertificateRejected, 1, 1),
            (errors.NotTheService, 1, 1),
            (errors.QuotaExceeded, 1, 1),
            (errors.RequestRefused, 1, 1),
            (errors.AuthenticationFailed, 1, 1),
            (errors.ResourceNotFound, 1, 1),
            (errors.Conflict, 1, 1),
        ]
        for kind, repeatable, otherwise in table:
            for flag, expected in ((True, repeatable), (False, otherwise)):
                attempts = 1
                while retry_delay(flag, refusal(kind), attempts, 0.5) is not None:
                    attempts += 1
                self.assertEqual((kind, flag, attempts), (kind, flag, expected))

    def test_anything_else_is_not_repeated(self):
        """A bug or a cancellation is not tried again."""
        self.assertIs(retry_delay(True, ValueError(), 1, 0.5), None)
        self.assertIs(retry_delay(True, CancelledError(), 1, 0.5), None)

    def test_backoff_doubles_with_jitter(self):
        """The wait doubles, and half of it either way is up to chance."""
        self.assertEqual(retry_delay(True, refusal(), 1, 0.5), 0.5)
        self.assertEqual(retry_delay(True, refusal(), 2, 0.5), 1.0)
        self.assertEqual(retry_delay(True, refusal(), 2, 0.0), 0.5)
        self.assertEqual(retry_delay(True, refusal(), 2, 1.0), 1.5)

    def test_retry_after_is_obeyed_and_capped(self):
        """A service's Retry-After is waited at least, but never more than a minute."""
        asked = refusal(errors.RateLimited, retry_after=20.0)
        self.assertEqual(retry_delay(False, asked, 1, 0.0), 20.25)
        asked = refusal(errors.RateLimited, retry_after=3600.0)
        self.assertEqual(retry_delay(False, asked, 1, 0.0), 60.0)


class RequestTests(SynchronousTestCase):
    """Requests and responses on the wire, in memory."""

    def ask(self, wire, method=u"GET", url=URL, **options):
        """Send a request and return its Deferred."""
        return wire.http.request(method, url, **options)

    def test_request(self):
        """Method, URL, query, headers and body arrive as they were given."""
        wire = Wire(Answer(200, {}))
        self.successResultOf(
            self.ask(
                wire,
                u"POST",
                u"http://cloud/v3/a%2Fb?x=1",
                json={u"name": u"é"},
                params=[(u"m", u'{"a": "b+c"}')],
                token=u"tok",
                microversion=u"volume 3.5",
            )
        )
        seen = wire.service.seen[0]
        self.assertEqual(
            (seen.method, seen.target),
            (u"POST", u"/v3/a%2Fb?x=1&m=%7B%22a%22%3A%20%22b%2Bc%22%7D"),
        )
        self.assertEqual(seen.body, {u"name": u"é"})
        self.assertEqual(seen.header(u"content-type"), u"application/json")
        self.assertEqual(seen.header(u"accept"), u"application/json")
        self.assertEqual(seen.header(u"x-auth-token"), u"tok")
        self.assertEqual(seen.header(u"openstack-api-version"), u"volume 3.5")
        self.assertEqual(seen.header(u"user-agent"), u"txstorage/" + VERSION)
        self.assertRegex(seen.header(u"x-openstack-request-id"), u"^req-[0-9a-f-]{36}$")

    def test_plain_request(self):
        """Without a token, a body or a microversion their headers are not sent."""
        wire = Wire(Answer(200, {}))
        self.successResultOf(self.ask(wire))
        for name in (u"x-auth-token", u"openstack-api-version", u"content-type"):
            self.assertIs(wire.service.seen[0].header(name), None)

    def test_response(self):
        """Status, headers, decoded body and the service's request id come back."""
        wire = Wire(Answer(202, {u"a": [1]}, {"X-Openstack-Request-Id": "req-9", "X-Y": "z"}))
        response = self.successResultOf(self.ask(wire, url=URL + u"?q=1"))
        self.assertEqual((response.status, response.body), (202, {u"a": [1]}))
        self.assertEqual((response.request_id, response.headers[u"x-y"]), (u"req-9", u"z"))
        self.assertEqual((response.method, response.url), (u"GET", URL))

    def test_no_content(self):
        """An empty body is None, regardless of its content type."""
        for status in (200, 202, 204):
            wire = Wire(Answer(status, None, {"Content-Type": "text/html"}))
            self.assertIs(self.successResultOf(self.ask(wire)).body, None)

    def test_gzip(self):
        """A compressed response is decompressed."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        packed = packer.compress(b'{"a": 1}') + packer.flush()
        wire = Wire(Answer(200, packed, {"Content-Encoding": "gzip"}))
        self.assertEqual(self.successResultOf(self.ask(wire)).body, {u"a": 1})

    def long_answer(self, **options):
        """A client, and its request whose answer arrived but takes several turns to decode."""
        self.patch(slices, "_FIRST", 0.0)
        self.long = [{u"a": [u"b" * 50, i]} for i in range(5000)]
        wire = Wire(Answer(200, {u"list": self.long}), **options)
        asked = self.ask(wire, u"POST")
        self.assertNoResult(asked)
        return wire, asked

    def test_long_answer(self):
        """A long answer is decoded later, in turns of the reactor, and the result is the same."""
        wire, asked = self.long_answer()
        wire.clock.advance(0)
        response = self.successResultOf(asked)
        self.assertEqual((200, {u"list": self.long}), (response.status, response.body))
        self.assertEqual([], wire.clock.getDelayedCalls())

    def test_long_answer_out_of_time(self):
        """The timeout of an exchange includes the decoding of the answer."""
        wire, asked = self.long_answer(timeout=5.0)
        [turn] = [call for call in wire.clock.getDelayedCalls() if not call.getTime()]
        turn.delay(6.0)
        wire.clock.advance(5.0)
        self.assertIn("within 5 seconds", str(self.failureResultOf(asked, errors.ResponseLost)))
        self.assertEqual([], wire.clock.getDelayedCalls())

    def test_long_answer_cancelled(self):
        """A cancelled exchange is not decoded any further."""
        wire, asked = self.long_answer()
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual([], wire.clock.getDelayedCalls())

    def test_error(self):
        """An error status is a typed error that names request and reason."""
        wire = Wire(error(409, u"conflictingRequest", u"busy", {"x-compute-request-id": "req-3"}))
        caught = self.failureResultOf(self.ask(wire), errors.Conflict).value
        self.assertEqual((caught.kind, caught.request_id), (u"conflictingRequest", u"req-3"))
        self.assertEqual(caught.message, u"GET {}: HTTP 409: busy [req-3]".format(URL))

    def test_not_json(self):
        """Success that is not JSON, or not even text, is not the service."""
        for body in (b"<html>hello</html>", b"\xff\xfe", b"{", b"NaN", b"[NaN]"):
            wire = Wire(Answer(200, body, {"Content-Type": "text/plain"}))
            caught = self.failureResultOf(self.ask(wire), errors.NotTheService).value
            self.assertIn(u"not JSON but text/plain", caught.message)

    def test_redirect(self):
        """A redirect is not followed, so that the token goes nowhere else."""
        wire = Wire(Answer(302, None, {"Location": "http://login/page?secret=1"}))
        caught = self.failureResultOf(self.ask(wire, token=u"t"), errors.NotTheService).value
        self.assertIn(u"points to http://login/page", caught.message)
        self.assertNotIn(u"secret", caught.message)
        self.assertEqual(len(wire.service.seen), 1)

    def test_expected(self):
        """A caller can accept other statuses: version documents come with 300."""
        for status in (300, 404):
            wire = Wire(Answer(status, {u"versions": []}))
            response = self.successResultOf(self.ask(wire, expected=(300, 404)))
            self.assertEqual(response.body, {u"versions": []})

    def test_too_large(self):
        """A body without end is given up at the limit."""
        wire = Wire(Answer(200, b"[" + b"1," * 5000), bounds=Bounds(body_bytes=1000))
        caught = self.failureResultOf(self.ask(wire), errors.NotTheService).value
        self.assertIn(u"longer than 1000 bytes", caught.message)

    def test_read_retries(self):
        """A GET that meets a 500 is sent again with the same request id."""
        wire = Wire(Answer(502, b"<p>gateway"), Answer(500), Answer(200, {u"a": 1}))
        asked = self.ask(wire)
        self.assertNoResult(asked)
        wire.clock.advance(0.5)
        self.assertNoResult(asked)
        wire.clock.advance(1.0)
        self.assertEqual(self.successResultOf(asked).body, {u"a": 1})
        ids = set(seen.header(u"x-openstack-request-id") for seen in wire.service.seen)
        self.assertEqual(len(ids), 1)

    def test_read_gives_up(self):
        """A GET that keeps failing fails with the last error."""
        wire = Wire(Answer(500), Answer(500), Answer(502, b"last"))
        asked = self.ask(wire)
        wire.clock.pump([0.5, 1.0])
        self.assertEqual(self.failureResultOf(asked, errors.ServiceBroken).value.detail, u"last")
        self.assertEqual(wire.clock.getDelayedCalls(), [])

    def test_mutation_is_sent_once(self):
        """A POST or DELETE that meets a 500 may have been processed: no second one."""
        for method in (u"POST", u"DELETE"):
            wire = Wire(Answer(500))
            self.failureResultOf(self.ask(wire, method), errors.ServiceBroken)
            self.assertEqual(len(wire.service.seen), 1)

    def test_repeatable_mutation(self):
        """A POST that the caller declares repeatable is retried."""
        wire = Wire(Answer(500), Answer(201, {}))
        asked = self.ask(wire, u"POST", json={}, repeatable=True)
        wire.clock.advance(0.5)
        self.assertEqual(self.successResultOf(asked).status, 201)

    def test_rate_limited(self):
        """
        After 429 and 503 the client waits as long as the service requests, for mutations too.
        """
        wire = Wire(
            error(429, u"overLimit", u"slow", {"Retry-After": "4"}),
            error(503, u"x", u"busy", {"Retry-After": "0"}),
            Answer(202, {}),
        )
        asked = self.ask(wire, u"POST", json={u"a": 1})
        wire.clock.advance(4.0)
        self.assertEqual(len(wire.service.seen), 1)
        wire.clock.advance(0.5)
        self.assertEqual(len(wire.service.seen), 2)
        wire.clock.advance(1.0)
        self.assertEqual(self.successResultOf(asked).status, 202)
        self.assertEqual([seen.body for seen in wire.service.seen], [{u"a": 1}] * 3)

    def test_quota_is_not_rate(self):
        """A quota's 413 is never retried, in spite of its Retry-After."""
        message = u"VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded"
        wire = Wire(error(413, u"overLimit", message, {"Retry-After": "0"}))
        self.failureResultOf(self.ask(wire, u"POST", json={}), errors.QuotaExceeded)
        self.assertEqual(wire.clock.getDelayedCalls(), [])

    def test_timeout(self):
        """Without a response in time a mutation fails as lost, and its connection is closed."""
        wire = Wire(HANG, timeout=5.0)
        asked = self.ask(wire, u"POST", json={})
        wire.clock.advance(4.9)
        self.assertNoResult(asked)
        wire.clock.advance(0.1)
        caught = self.failureResultOf(asked, errors.ResponseLost).value
        self.assertIn(u"no answer within 5 seconds", caught.message)
        self.assertEqual(wire.clock.getDelayedCalls(), [])

    def test_timeout_of_a_read_is_retried(self):
        """A GET without a response in time is retried."""
        wire = Wire(HANG, Answer(200, {}), timeout=5.0)
        asked = self.ask(wire)
        wire.clock.advance(5.0)
        wire.clock.advance(0.5)
        self.assertEqual(self.successResultOf(asked).status, 200)

    def test_timeout_in_the_body(self):
        """The timeout includes the body of the response."""
        wire = Wire(HANG, timeout=5.0)
        asked = self.ask(wire, u"POST", json={})
        wire.service.hanging[0].write(b'{"a":')
        wire.agent.flush()
        self.assertNoResult(asked)
        wire.clock.advance(5.0)
        self.failureResultOf(asked, errors.ResponseLost)

    def test_cancel_while_waiting(self):
        """A cancelled exchange fails as cancelled, and leaves no timer."""
        wire = Wire(HANG)
        asked = self.ask(wire)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(wire.clock.getDelayedCalls(), [])

    def test_cancel_in_the_body(self):
        """An exchange can be cancelled while its body arrives."""
        wire = Wire(HANG)
        asked = self.ask(wire)
        wire.service.hanging[0].write(b'{"a":')
        wire.agent.flush()
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(wire.clock.getDelayedCalls(), [])

    def test_cancel_between_tries(self):
        """Cancelling while waiting for the next try prevents it."""
        wire = Wire(Answer(500))
        asked = self.ask(wire)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(wire.clock.getDelayedCalls(), [])

    def test_limiter(self):
        """Each attempt takes a token; a request that is cancelled in the queue is never sent."""
        wire = Wire(Answer(200, {}), Answer(200, {}))
        wire.http = HTTPClient(wire.clock, wire.agent, limiter=TokenBucket(wire.clock, 1))
        asked = [self.ask(wire) for _ in range(3)]
        self.successResultOf(asked[0])
        asked[1].cancel()
        self.failureResultOf(asked[1], CancelledError)
        self.assertNoResult(asked[2])
        wire.clock.advance(1.0)
        self.successResultOf(asked[2])
        self.assertEqual(len(wire.service.seen), 2)

    def test_close_without_pool(self):
        """An agent that keeps no connections need not close any."""
        self.assertIs(self.successResultOf(Wire().http.close()), None)


class AgentFailureTests(SynchronousTestCase):
    """Failures of the agent during an exchange."""

    def client(self, *results):
        """An HTTP client over a stub."""
        self.clock = Clock()
        self.agent = AgentStub(*results)
        return HTTPClient(self.clock, self.agent, jitter=lambda: 0.5)

    def test_cancelled_under_another_name(self):
        """A cancellation is not retried, regardless of the error that the agent turns it into."""
        for name in (DNSLookupError(), ConnectingCancelledError(None), ConnectionDone()):
            client = self.client(lambda name=name: Deferred(lambda d: d.errback(name)))
            asked = client.request(u"POST", URL, json={})
            asked.cancel()
            self.failureResultOf(asked, CancelledError)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancelled_before_the_failure(self):
        """The exchange ends before its caller learns of the cancellation."""
        ended = []
        client = self.client(lambda: Deferred(lambda d: ended.append(True)))
        asked = client.request(u"POST", URL, json={})
        asked.addErrback(lambda failure: (list(ended), failure.type))
        asked.cancel()
        self.assertEqual(self.successResultOf(asked), ([True], CancelledError))

    def test_refused_mutation_is_retried(self):
        """A refused connection carried no request, so that a POST is tried again."""
        http = self.client(*[lambda: fail(ConnectionRefusedError())] * 3)
        asked = http.request(u"POST", URL, json={})
        self.clock.pump([0.5, 1.0])
        self.failureResultOf(asked, errors.Unreachable)
        self.assertEqual(self.agent.seen, [b"POST"] * 3)

    def test_lost_mutation_is_not_retried(self):
        """A mutation is not retried after a connection that ended without a response."""
        http = self.client(lambda: fail(ResponseFailed([Failure(ConnectionDone())])))
        self.failureResultOf(http.request(u"POST", URL, json={}), errors.ResponseLost)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_untrusted_is_not_retried(self):
        """A certificate that does not verify now will not verify in a second."""
        http = self.client(lambda: fail(ResponseFailed([Failure(Untrusted(u"it expired"))])))
        failure = self.failureResultOf(http.request(u"GET", URL), errors.CertificateRejected)
        self.assertEqual(failure.value.reason, u"it expired")

    def test_agent_that_raises(self):
        """An agent that raises fails the request like one that fails."""

        def untrusted():
            raise Untrusted(u"no list of authorities")

        http = self.client(untrusted)
        self.failureResultOf(http.request(u"GET", URL), errors.CertificateRejected)

    def connecting(self):
        """A connection that is never made."""
        return Deferred(lambda d: d.errback(ConnectingCancelledError(None)))

    def test_timeout_while_connecting(self):
        """Without a connection in time, nothing was sent."""
        http = self.client(self.connecting, self.connecting, self.connecting)
        asked = http.request(u"POST", URL, json={})
        self.clock.pump([30.0, 0.5, 30.0, 1.0, 30.0])
        caught = self.failureResultOf(asked, errors.Unreachable).value
        self.assertIn(u"no connection in time", caught.message)

    def test_raised_once(self):
        """An error is not raised again: its traceback would hold its own failure, in a cycle."""
        wire = Wire(error(404, u"itemNotFound", u"no"))
        failed = self.failureResultOf(wire.http.request(u"GET", URL))
        self.assertIn("read_answer", [frame[0] for frame in failed.frames])
        self.assertNotIn("_failed", [frame[0] for frame in failed.frames])

    def test_cancel_while_connecting(self):
        """Cancelling while connecting fails with CancelledError, regardless of Twisted's error."""
        http = self.client(self.connecting)
        asked = http.request(u"GET", URL)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)

    def test_body_before_the_end_of_a_connection(self):
        """A body that only the connection's end ends counts when it is whole JSON."""
        for data, method, expected in [
            (b'{"a": 1}', u"GET", {u"a": 1}),
            (b'{"a": ', u"GET", errors.ResponseLost),
            (b"", u"GET", errors.ResponseLost),
            (b"", u"DELETE", None),
            (b'{"a": ', u"POST", errors.ResponseLost),
        ]:
            http = self.client(*[lambda: succeed(RawResponse(data))] * 3)
            asked = http.request(method, URL)
            self.clock.pump([0.5, 1.0])
            if expected is errors.ResponseLost:
                self.failureResultOf(asked, errors.ResponseLost)
            else:
                self.assertEqual(self.successResultOf(asked).body, expected)


    def test_too_large_piece_by_piece(self):
        """Data after the limit is discarded, and the connection ended."""
        response = RawResponse(b"[1,", b"1" * 10, b"1]")
        self.clock = Clock()
        agent = AgentStub(lambda: succeed(response))
        http = HTTPClient(self.clock, agent, bounds=Bounds(body_bytes=8))
        self.failureResultOf(http.request(u"GET", URL), errors.NotTheService)
        self.assertTrue(response.stopped)


class LoggingTests(SynchronousTestCase):
    """The log of an exchange."""

    @capture_logging(None)
    def test_exchange(self, logger):
        """An exchange is one action, in the context of its operation, also after a wait."""
        wire = Wire(HANG, Answer(200, {}, {"x-openstack-request-id": "req-5"}))
        with start_action(action_type=u"test:operation").context():
            asked = wire.http.request(
                u"GET", URL + u"?secret=1", token=u"tok-1", service=u"compute"
            )
        wire.finish(Answer(500))
        wire.clock.advance(0.5)
        self.successResultOf(asked)
        first, second = LoggedAction.of_type(logger.messages, HTTP_EXCHANGE)
        self.assertEqual((first.succeeded, second.succeeded), (False, True))
        self.assertEqual(second.startMessage[u"url"], URL)
        self.assertEqual(second.endMessage[u"status"], 200)
        self.assertEqual(second.endMessage[u"service_request_id"], u"req-5")
        (retry,) = LoggedMessage.of_type(logger.messages, HTTP_RETRY)
        self.assertEqual(retry.message[u"delay"], 0.5)
        self.assertEqual(retry.message[u"service"], u"compute")
        tasks = set(message[u"task_uuid"] for message in logger.messages)
        self.assertEqual(len(tasks), 1)
        self.assertNotIn("tok-1", repr(logger.messages))
        self.assertNotIn("secret", repr(logger.messages))

    @capture_logging(None)
    def test_exchange_after_the_queue(self, logger):
        """An exchange that had to wait for its turn is still in its operation's context."""
        wire = Wire(Answer(200, {}), Answer(200, {}))
        http = HTTPClient(wire.clock, wire.agent, limiter=TokenBucket(wire.clock, 1))
        self.successResultOf(http.request(u"GET", URL))
        with start_action(action_type=u"test:operation").context():
            asked = http.request(u"GET", URL)
        wire.clock.advance(1.0)
        self.successResultOf(asked)
        actions = LoggedAction.of_type(logger.messages, HTTP_EXCHANGE)
        self.assertEqual([action.startMessage[u"task_level"] for action in actions],
                         [[1], [2, 1]])

    @capture_logging(None)
    def test_exchange_alone(self, logger):
        """An exchange outside of any operation is logged too."""
        self.successResultOf(Wire(Answer(204)).http.request(u"DELETE", URL))
        self.assertEqual(len(LoggedAction.of_type(logger.messages, HTTP_EXCHANGE)), 1)
