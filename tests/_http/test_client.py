# -*- coding: utf-8 -*-
"""
One exchange over HTTP, in memory and over real sockets.
"""

from __future__ import absolute_import, division, print_function

import json
import os
import zlib
from ipaddress import ip_address

from eliot import start_action
from eliot.testing import LoggedAction, LoggedMessage, capture_logging
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import (
    ConnectingCancelledError,
    ConnectionDone,
    ConnectionRefusedError,
    DNSLookupError,
)
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import RequestNotSent, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers

import txstorage
from txstorage import errors
from txstorage._http.bodies import BytesProducer
from txstorage._http.client import HTTPClient, retry_delay
from txstorage._http.connections import agent_for
from txstorage._http.failures import error_message, retry_after, service_error, transport_error
from txstorage._http.messages import Response, encode_query, shown_url
from txstorage._http.rate_limit import TokenBucket
from txstorage._http.trust import Untrusted, https_policy, system_trust, verification_problem
from txstorage._log import HTTP_EXCHANGE, HTTP_RETRY
from txstorage._version import VERSION

from ..helpers.wire import HANG, Answer, RawServer, Wire, certificate_for, error

URL = u"http://cloud/v3/volumes"


def refusal(kind=errors.Unreachable, **attributes):
    """An error as :func:`retry_delay` gets it."""
    if issubclass(kind, errors.TransportError):
        return kind(u"GET", URL, u"reason")
    return kind(u"GET", URL, 500, u"detail", **attributes)


class RetryDelayTests(SynchronousTestCase):
    """Which requests are sent again, and when."""

    def test_table(self):
        """What may have been processed is repeated only where that does no harm."""
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
        """What the service asks for is waited at least, but never more than a minute."""
        asked = refusal(errors.RateLimited, retry_after=20.0)
        self.assertEqual(retry_delay(False, asked, 1, 0.0), 20.25)
        asked = refusal(errors.RateLimited, retry_after=3600.0)
        self.assertEqual(retry_delay(False, asked, 1, 0.0), 60.0)


class ErrorMessageTests(SynchronousTestCase):
    """The service's own words, from whatever it answers."""

    def test_forms(self):
        """Every form that OpenStack's services use is understood."""
        for body, expected in [
            (
                {u"badRequest": {u"code": 400, u"message": u"Invalid volume"}},
                (u"badRequest", u"Invalid volume"),
            ),
            (
                {u"error": {u"code": 401, u"title": u"Unauthorized", u"message": u"No."}},
                (u"error", u"No."),
            ),
            (
                {
                    u"message": u"The resource could not be found.<br /><br />\n\n\n",
                    u"code": u"404 Not Found",
                },
                (None, u"The resource could not be found."),
            ),
            ({u"message": None, u"x": {u"message": u"inner"}}, (u"x", u"inner")),
            ({u"x": {u"code": 1}}, (None, u'{"x": {"code": 1}}')),
            ([1], (None, u"[1]")),
        ]:
            self.assertEqual(error_message(json.dumps(body).encode("ascii")), expected)

    def test_page(self):
        """Of a page only 200 characters of text are left, without tags, style and script."""
        page = (
            b"<html><head><style>p { color: red }</style><title>502 Bad\nGateway</title>"
            b"<script>alert('1 < 2')</script ></head><body><!-- x --><p class='a'>nginx"
        ) + b"!" * 300
        kind, message = error_message(page)
        self.assertIs(kind, None)
        self.assertTrue(message.startswith(u"502 Bad Gateway nginx!!!"), message)
        self.assertEqual(len(message), 200)

    def test_message_keeps_what_is_no_tag(self):
        """A comparison in a message is not taken for a tag."""
        body = json.dumps({u"badRequest": {u"message": u"size 1 < 2 and 3 > 2"}})
        self.assertEqual(error_message(body.encode("ascii"))[1], u"size 1 < 2 and 3 > 2")

    def test_nothing(self):
        """No body, bytes that are no text, and endless nesting do no harm."""
        self.assertEqual(error_message(b""), (None, u"(no message)"))
        self.assertEqual(error_message(b"\xff"), (None, u"\ufffd"))
        self.assertEqual(error_message(b"[" * 100000)[0], None)


class RetryAfterTests(SynchronousTestCase):
    """When the service wants to hear again."""

    def test_seconds(self):
        """A number is seconds."""
        self.assertEqual(retry_after({u"retry-after": u"7"}), 7.0)

    def test_date(self):
        """A date counts from the service's own date, as our clock may be wrong."""
        headers = {
            u"retry-after": u"Sun, 22 Nov 2026 16:27:34 GMT",
            u"date": u"Sun, 22 Nov 2026 16:27:04 GMT",
        }
        self.assertEqual(retry_after(headers), 30.0)
        headers[u"date"] = u"Sun, 22 Nov 2026 17:27:04 GMT"
        self.assertEqual(retry_after(headers), 0.0)

    def test_none(self):
        """Without a sensible value there is none."""
        self.assertIs(retry_after({}), None)
        self.assertIs(retry_after({u"retry-after": u"soon"}), None)
        self.assertIs(retry_after({u"retry-after": u"Sun, 22 Nov 2026 16:27:34 GMT"}), None)


class ServiceErrorTests(SynchronousTestCase):
    """Which error a status becomes."""

    def test_table(self):
        """Status, kind, message and Retry-After decide."""
        exceeded = u"VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded."
        too_large = u"VolumeSizeExceedsLimit: Requested volume size 11G is larger than 10G."
        for status, kind, message, wait, expected in [
            (400, u"badRequest", u"no", None, errors.RequestRefused),
            (401, u"error", u"no", None, errors.AuthenticationFailed),
            (403, u"forbidden", u"Policy doesn't allow", None, errors.PermissionDenied),
            (403, u"forbidden", u"Quota exceeded for volumes", None, errors.QuotaExceeded),
            (404, u"itemNotFound", u"gone", None, errors.ResourceNotFound),
            (406, u"computeFault", u"too new", None, errors.RequestRefused),
            (409, u"conflictingRequest", u"busy", None, errors.Conflict),
            (413, u"overLimit", exceeded, u"0", errors.QuotaExceeded),
            (413, u"overLimit", too_large, u"0", errors.QuotaExceeded),
            (413, u"overLimit", u"exceeds allowed gigabytes quota", u"0", errors.QuotaExceeded),
            (413, u"overLimit", u"Only 10 POST requests per minute", u"3", errors.RateLimited),
            (413, u"tooLarge", u"Request is too large.", None, errors.RequestRefused),
            (429, u"overLimit", u"slow down", None, errors.RateLimited),
            (500, u"computeFault", u"bug", None, errors.ServiceBroken),
            (502, u"x", u"gateway", u"1", errors.ServiceBroken),
            (503, u"x", u"later", None, errors.ServiceBroken),
            (503, u"x", u"later", u"1", errors.RateLimited),
        ]:
            body = json.dumps({kind: {u"message": message}}).encode("ascii")
            headers = {} if wait is None else {u"retry-after": wait}
            found = service_error(u"POST", URL, status, headers, body)
            self.assertEqual((status, message, type(found)), (status, message, expected))
            self.assertEqual((found.status, found.kind, found.detail), (status, kind, message))

    def test_request_id(self):
        """The service's id of the request is found under either of its names."""
        for name in (u"x-openstack-request-id", u"x-compute-request-id"):
            found = service_error(u"GET", URL, 500, {name: u"req-7"}, b"")
            self.assertEqual(found.request_id, u"req-7")
            self.assertIn(u"[req-7]", found.message)

    def test_redacted(self):
        """A secret that the service echoes is not in the error."""
        body = b'{"error": {"message": "hunter2 is not a string, hunter2"}}'
        found = service_error(u"POST", URL, 400, {}, body, redact=(u"", None, u"hunter2"))
        self.assertEqual(found.detail, u"[secret] is not a string, [secret]")

    def test_redacted_in_every_form(self):
        """Not in part where the text is cut off, and not as JSON, HTML or a URL has it."""
        secret = u'p<b>"\xe9 & /  tail'
        cut = u"x" * 990 + secret
        page = u"<p>{}</p>".format(
            secret.replace(u"&", u"&amp;").replace(u"<", u"&lt;").replace(u">", u"&gt;")
            .replace(u'"', u"&#34;")
        )
        for body in (
            json.dumps({u"error": {u"message": cut}}),
            json.dumps({u"error": {u"message": secret}}),
            u"not JSON: " + json.dumps({u"password": secret}, ensure_ascii=False),
            page,
            u"GET /?p=p%3Cb%3E%22%C3%A9%20%26%20%2F%20%20tail",
        ):
            found = service_error(u"POST", URL, 400, {}, body.encode("utf-8"), redact=(secret,))
            self.assertNotIn(u"tail", found.detail)
            self.assertNotIn(u"p<b", found.detail)
            self.assertIn(u"[secre", found.detail)

    def test_endless_tags(self):
        """A page of tags that never close costs no time to speak of."""
        before = os.times()[0]
        service_error(u"GET", URL, 502, {}, b"<script " * 200000)
        self.assertLess(os.times()[0] - before, 5)


class TransportErrorTests(SynchronousTestCase):
    """Which error a failed connection becomes."""

    def check(self, cause, expected, reason=None):
        """A cause becomes an error of a type."""
        found = transport_error(u"GET", URL, cause)
        self.assertIs(type(found), expected)
        if reason is not None:
            self.assertIn(reason, found.reason)
        return found

    def test_table(self):
        """Twisted's exceptions, wrapped or not."""
        wrapped = ResponseFailed([Failure(ResponseFailed([Failure(ConnectionDone())]))])
        for cause, expected in [
            (ConnectionRefusedError(), errors.Unreachable),
            (DNSLookupError("no such host"), errors.Unreachable),
            (ConnectingCancelledError(None), errors.Unreachable),
            (RequestNotSent(), errors.Unreachable),
            (ValueError("invalid hostname"), errors.NotTheService),
            (wrapped, errors.ResponseLost),
            (ResponseFailed([Failure(AttributeError("odd"))]), errors.ResponseLost),
            (ResponseFailed([Failure(Untrusted(u"expired"))]), errors.CertificateRejected),
        ]:
            self.check(cause, expected)

    def test_tls(self):
        """OpenSSL's words decide what a failed handshake means."""
        for words, expected in [
            (u"certificate verify failed", errors.CertificateRejected),
            (u"tlsv1 alert unknown ca", errors.ClientCertificateRejected),
            (u"sslv3 alert bad certificate", errors.ClientCertificateRejected),
            (u"tlsv13 alert certificate required", errors.ClientCertificateRejected),
            (u"unexpected eof while reading", errors.ResponseLost),
            (u"wrong version number", errors.NotTheService),
            (u"sslv3 alert handshake failure", errors.NotTheService),
        ]:
            cause = SSL.Error([("SSL routines", "some_function", words)])
            self.check(ResponseFailed([Failure(cause)]), expected, words)
        self.check(SSL.Error(-1, "Unexpected EOF"), errors.ResponseLost, u"Unexpected EOF")
        self.check(SSL.Error([]), errors.NotTheService, u"handshake")
        self.check(SSL.Error(), errors.NotTheService, u"handshake")

    def test_https_where_it_is_used(self):
        """That TLS may be spoken is told of plain HTTP only."""
        cause = ResponseFailed([Failure(ConnectionDone())])
        for scheme, told in [(u"http", True), (u"https", False)]:
            found = transport_error(u"GET", scheme + u"://cloud/", cause)
            self.assertEqual(told, u"begin with https" in found.reason)

    def test_ours_and_bugs_stay(self):
        """An error of ours is kept, and so is a bug, which is nobody's transport."""
        for cause in (errors.InvalidSize(u"0"), TypeError("bug")):
            self.assertIs(transport_error(u"GET", URL, cause), cause)


class PiecesTests(SynchronousTestCase):
    """Small parts of a request."""

    def test_shown_url(self):
        """Neither a query nor a password is ever shown."""
        self.assertEqual(
            shown_url(u"https://me:pw@cloud:5000/v3/x?token=t#f"), u"https://cloud:5000/v3/x"
        )

    def test_encode_query(self):
        """Everything is percent-encoded; a space is never a plus."""
        self.assertEqual(
            encode_query({u"b": u"x y+&é/", u"a": u""}), u"a=&b=x%20y%2B%26%C3%A9%2F"
        )
        self.assertEqual(encode_query([(u"b", u"1"), (u"a", 2)]), u"b=1&a=2")

    def test_field(self):
        """A member that is missing or of another type means: not the service."""
        response = Response(200, {}, {u"a": []}, method=u"GET", url=URL)
        self.assertEqual(response.field(u"a", list), [])
        for body, name, kind in (({u"a": []}, u"a", dict), ({}, u"a", list), (None, u"a", list)):
            response = Response(200, {}, body, method=u"GET", url=URL)
            caught = self.assertRaises(errors.NotTheService, response.field, name, kind)
            self.assertIn(u"'a'", caught.message)

    def test_response_shows_no_content(self):
        """A response's repr has neither headers nor body: there are tokens in them."""
        shown = repr(Response(200, {u"x-subject-token": u"tok-1"}, {u"adminPass": u"tok-2"}))
        self.assertNotIn("tok-", shown)

    def test_version(self):
        """The version that is sent is the package's."""
        self.assertEqual(VERSION, txstorage.__version__)

    def test_producer_can_be_paused(self):
        """The transport may pause and stop a body that is sent already."""
        producer = BytesProducer(b"abc")
        producer.pauseProducing()
        producer.resumeProducing()
        producer.stopProducing()
        self.assertEqual(producer.length, 3)


class RequestTests(SynchronousTestCase):
    """What goes over the wire and what comes back, in memory."""

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
        """An empty body is None, whatever its type says."""
        for status in (200, 202, 204):
            wire = Wire(Answer(status, None, {"Content-Type": "text/html"}))
            self.assertIs(self.successResultOf(self.ask(wire)).body, None)

    def test_gzip(self):
        """A compressed answer is understood."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        packed = packer.compress(b'{"a": 1}') + packer.flush()
        wire = Wire(Answer(200, packed, {"Content-Encoding": "gzip"}))
        self.assertEqual(self.successResultOf(self.ask(wire)).body, {u"a": 1})

    def test_error(self):
        """An error status is a typed error that names request and reason."""
        wire = Wire(error(409, u"conflictingRequest", u"busy", {"x-compute-request-id": "req-3"}))
        caught = self.failureResultOf(self.ask(wire), errors.Conflict).value
        self.assertEqual((caught.kind, caught.request_id), (u"conflictingRequest", u"req-3"))
        self.assertEqual(caught.message, u"GET {}: HTTP 409: busy [req-3]".format(URL))

    def test_not_json(self):
        """Success that is not JSON, or not even text, is not the service."""
        for body in (b"<html>hello</html>", b"\xff\xfe", b"{", b"[" * 100000):
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
        wire = Wire(Answer(200, b"[" + b"1," * 5000), max_body=1000)
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
        """A POST that does no harm twice is sent again when the caller says so."""
        wire = Wire(Answer(500), Answer(201, {}))
        asked = self.ask(wire, u"POST", json={}, repeatable=True)
        wire.clock.advance(0.5)
        self.assertEqual(self.successResultOf(asked).status, 201)

    def test_rate_limited(self):
        """429 and 503 are waited out as the service asks, for mutations too."""
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
        """Without an answer in time a mutation fails as lost, and its connection ends."""
        wire = Wire(HANG, timeout=5.0)
        asked = self.ask(wire, u"POST", json={})
        wire.clock.advance(4.9)
        self.assertNoResult(asked)
        wire.clock.advance(0.1)
        caught = self.failureResultOf(asked, errors.ResponseLost).value
        self.assertIn(u"no answer within 5 seconds", caught.message)
        self.assertEqual(wire.clock.getDelayedCalls(), [])

    def test_timeout_of_a_read_is_retried(self):
        """A GET without an answer in time is asked again."""
        wire = Wire(HANG, Answer(200, {}), timeout=5.0)
        asked = self.ask(wire)
        wire.clock.advance(5.0)
        wire.clock.advance(0.5)
        self.assertEqual(self.successResultOf(asked).status, 200)

    def test_timeout_in_the_body(self):
        """The time for an answer includes its body."""
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
        """An exchange can be cancelled in the middle of the answer."""
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
        """Each try takes a token; who is cancelled in the queue sends nothing."""
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


class AgentStub(object):
    """
    An agent that answers from a list of functions.

    :ivar list seen: the methods of the requests.
    """

    def __init__(self, *results):
        self.results = list(results)
        self.seen = []

    def request(self, method, uri, headers=None, bodyProducer=None):
        """See ``IAgent``."""
        self.seen.append(method)
        return self.results.pop(0)()


class AgentFailureTests(SynchronousTestCase):
    """What an agent may do to an exchange."""

    def client(self, *results):
        """An HTTP client over a stub."""
        self.clock = Clock()
        self.agent = AgentStub(*results)
        return HTTPClient(self.clock, self.agent, jitter=lambda: 0.5)

    def test_cancelled_under_another_name(self):
        """Whatever an agent makes of a cancellation, it is one, and not a reason to try again."""
        for name in (DNSLookupError(), ConnectingCancelledError(None), ConnectionDone()):
            client = self.client(lambda name=name: Deferred(lambda d: d.errback(name)))
            asked = client.request(u"POST", URL, json={})
            asked.cancel()
            self.failureResultOf(asked, CancelledError)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused_mutation_is_retried(self):
        """A refused connection carried no request, so that a POST is tried again."""
        http = self.client(*[lambda: fail(ConnectionRefusedError())] * 3)
        asked = http.request(u"POST", URL, json={})
        self.clock.pump([0.5, 1.0])
        self.failureResultOf(asked, errors.Unreachable)
        self.assertEqual(self.agent.seen, [b"POST"] * 3)

    def test_lost_mutation_is_not_retried(self):
        """A connection that ends without an answer may have carried the request."""
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

    def test_cancel_while_connecting(self):
        """Cancelling while connecting is a cancellation, whatever Twisted calls it."""
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
        """What still comes after the limit is thrown away, and the connection ended."""
        response = RawResponse(b"[1,", b"1" * 10, b"1]")
        self.clock = Clock()
        agent = AgentStub(lambda: succeed(response))
        http = HTTPClient(self.clock, agent, max_body=8)
        self.failureResultOf(http.request(u"GET", URL), errors.NotTheService)
        self.assertTrue(response.stopped)


class RawResponse(object):
    """
    A response without a length, which only the connection's end ends.

    :ivar bool stopped: whether the reader had enough.
    """

    version = (b"HTTP", 1, 0)
    code = 200
    phrase = b"OK"
    length = -1
    headers = Headers({})
    stopped = False

    def __init__(self, *pieces):
        self.pieces = pieces

    def stopProducing(self):
        """See ``IPushProducer``."""
        self.stopped = True

    def deliverBody(self, protocol):
        """See ``IResponse``."""
        protocol.makeConnection(self)
        for piece in self.pieces:
            protocol.dataReceived(piece)
        protocol.connectionLost(Failure(PotentialDataLoss()))


class LoggingTests(SynchronousTestCase):
    """What is logged of an exchange."""

    @capture_logging(None)
    def test_exchange(self, logger):
        """An exchange is one action, in the context of its operation, also after a wait."""
        wire = Wire(HANG, Answer(200, {}, {"x-openstack-request-id": "req-5"}))
        with start_action(action_type=u"test:operation").context():
            asked = wire.http.request(u"GET", URL + u"?secret=1", token=u"tok-1")
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


class TrustTests(SynchronousTestCase):
    """Whose certificates are trusted."""

    def test_missing_file(self):
        """A verify_ca_path that can't be read is a configuration error that names it."""
        caught = self.assertRaises(
            errors.InvalidConfiguration, https_policy, True, u"/no/such/file"
        )
        self.assertEqual(caught.key, u"verify_ca_path")
        self.assertIn("/no/such/file", str(caught))

    def test_file_without_certificates(self):
        """A file with no certificate, or a broken one, is a configuration error."""
        for content in (b"hello", b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----"):
            path = self.mktemp()
            with open(path, "wb") as opened:
                opened.write(content)
            caught = self.assertRaises(errors.InvalidConfiguration, https_policy, True, path)
            self.assertIn("no certificate", str(caught))

    def test_file_is_not_needed_without_verification(self):
        """Who does not verify needs no file of authorities."""
        policy = https_policy(False, u"/no/such/file")
        policy.creatorForNetloc(b"cloud", 443)

    def test_creator_is_kept(self):
        """The trusted certificates are read once for a host, not for each request."""
        policy = https_policy(True, self.ca_file(u"cloud"))
        for host in (b"cloud", b"127.0.0.1"):
            self.assertIs(policy.creatorForNetloc(host, 1), policy.creatorForNetloc(host, 2))

    def ca_file(self, name):
        """A file with two certificates and a comment."""
        path = self.mktemp()
        with open(path, "wb") as opened:
            opened.write(b"# authorities\n")
            opened.write(certificate_for(u"else").dumpPEM() + certificate_for(name).dumpPEM())
        return path

    def test_system_trust_from_a_file(self):
        """The system's file of authorities is used."""
        paths = Paths(cafile=self.ca_file(u"cloud"))
        self.assertIsNot(system_trust(paths), None)

    def test_system_trust_from_a_directory(self):
        """Without a file, the directory is, whatever else lies in it."""
        directory = self.mktemp()
        os.mkdir(directory)
        paths = Paths(capath=directory)
        os.symlink("/no/such/file", os.path.join(directory, "dangling"))
        self.assertRaises(Untrusted, system_trust, paths)
        os.rename(self.ca_file(u"cloud"), os.path.join(directory, "0.pem"))
        self.assertIsNot(system_trust(paths), None)

    def test_no_system_trust(self):
        """A machine without authorities is told what to install, once it matters."""
        policy = https_policy(paths=Paths())
        caught = self.assertRaises(Untrusted, policy.creatorForNetloc, b"cloud", 443)
        self.assertIn(u"ca-certificates", caught.reason)

    def test_verification_problem(self):
        """A certificate for another address, or for none, does not verify."""
        address = ip_address(u"10.0.0.5")
        right = certificate_for(u"10.0.0.5").original
        self.assertIs(verification_problem(address, right, 0, 0, True), None)
        for name in (u"10.0.0.6", u"cloud", None):
            wrong = certificate_for(name).original
            self.assertIn(u"10.0.0.5", verification_problem(address, wrong, 0, 0, True))
            self.assertIs(verification_problem(address, wrong, 0, 1, True), None)
        self.assertIn(u"expired", verification_problem(address, right, 10, 0, False))
        self.assertIn(u"99", verification_problem(address, right, 99, 0, False))


    def test_certificate_that_cannot_be_read(self):
        """When the verification itself fails, the certificate does not verify."""
        failed = []

        class Connection(object):
            def get_app_data(self):
                return self

            failVerification = failed.append

        creator = https_policy(True, self.ca_file(u"cloud")).creatorForNetloc(b"127.0.0.1", 1)
        self.assertFalse(creator._verify(Connection(), "no certificate", 0, 0, True))
        self.assertIn(u"read", failed[0].value.reason)


class Paths(object):
    """As ``ssl.get_default_verify_paths()`` returns it."""

    def __init__(self, cafile=None, capath=None):
        self.cafile = cafile
        self.capath = capath


def whole(body):
    """An HTTP answer whose connection stays."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class SocketTests(TestCase):
    """What real connections do."""

    timeout = 20

    def client(self, timeout=10.0, jitter=lambda: -0.5, **options):
        """An HTTP client that is closed at the end, and does not wait between tries."""
        http = HTTPClient(reactor, agent_for(reactor, **options), timeout, jitter=jitter)
        self.addCleanup(http.close)
        return http

    def pem(self, certificate):
        """A file with a certificate."""
        path = self.mktemp()
        with open(path, "wb") as opened:
            opened.write(certificate.dumpPEM())
        return path

    def test_exchange(self):
        """A real server's answer arrives."""
        server = RawServer(self, whole(b'{"a": 1}'))
        asked = self.client().request(u"POST", server.url, json={u"b": 2})
        asked.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))

        def sent(ignored):
            received = b"".join(server.received)
            self.assertTrue(received.startswith(b"POST /v3 HTTP/1.1\r\n"), received)
            self.assertTrue(received.endswith(b'\r\n\r\n{"b": 2}'), received)

        return asked.addCallback(sent)

    def test_refused(self):
        """Nobody listens: unreachable."""
        port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        number = port.getHost().port
        stopped = port.stopListening()
        stopped.addCallback(
            lambda ignored: self.assertFailure(
                self.client().request(u"POST", u"http://127.0.0.1:{}/".format(number)),
                errors.Unreachable,
            )
        )
        return stopped

    def test_unknown_scheme_and_host(self):
        """A URL that can't be one is an error of its own."""
        http = self.client()
        d = self.assertFailure(http.request(u"GET", u"ftp://127.0.0.1/"), errors.NotTheService)
        return d.addCallback(
            lambda ignored: self.assertFailure(
                # Some versions of Twisted take the port for a part of the name.
                http.request(u"GET", u"http://127.0.0.1:port/"), errors.TransportError
            )
        )

    def broken(self, method, expected, tries, **options):
        """A server's misbehaviour becomes an error after some tries."""
        server = RawServer(self, **options)
        json = None if method == u"GET" else {}
        asked = self.assertFailure(
            self.client().request(method, server.url, json=json), expected
        )

        def tried(caught):
            self.assertEqual(len(server.connections), tries)
            return caught

        return asked.addCallback(tried)

    def test_dropped(self):
        """A connection that ends without an answer: a GET is tried thrice, a POST once."""
        d = self.broken(u"GET", errors.ResponseLost, 3, close=True)
        return d.addCallback(
            lambda ignored: self.broken(u"POST", errors.ResponseLost, 1, close=True)
        )

    def test_truncated(self):
        """A body that is shorter than announced is lost, in either encoding."""
        short = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"a": 1}'
        chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a": 1}\r\n'
        d = self.broken(u"POST", errors.ResponseLost, 1, answer=short, close=True)
        d.addCallback(
            lambda ignored: self.broken(u"POST", errors.ResponseLost, 1, answer=chunked, close=True)
        )
        return d.addCallback(lambda caught: self.assertIn(u"broke off", caught.message))

    def test_malformed_chunk(self):
        """An answer that turns to garbage was an answer: what was asked may be done."""
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        return self.broken(u"POST", errors.ResponseLost, 1, answer=answer, close=True)

    def test_not_http(self):
        """What answers is something else."""
        return self.broken(
            u"GET", errors.NotTheService, 1, answer=b"SSH-2.0-OpenSSH_9.6\r\nxx\r\n\r\n", close=True
        )

    def test_https_to_plain_http(self):
        """TLS to a port that does not speak it is not the service."""
        server = RawServer(self, b"HTTP/1.1 400 Bad Request\r\n\r\n", close=True)
        url = server.url.replace(u"http:", u"https:")
        return self.assertFailure(
            self.client(verify_peer=False).request(u"GET", url), errors.NotTheService
        )

    def test_hanging(self):
        """A server that says nothing is given up after the timeout."""
        server = RawServer(self)
        asked = self.client(timeout=0.2).request(u"POST", server.url, json={})
        return self.assertFailure(asked, errors.ResponseLost)

    def test_hanging_over_tls(self):
        """The same over TLS, in the middle of the body: nobody waits for a farewell."""
        server = RawServer(
            self,
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
            certificate=certificate_for(u"127.0.0.1"),
        )
        asked = self.client(timeout=0.5, verify_peer=False).request(u"POST", server.url, json={})
        asked = self.assertFailure(asked, errors.ResponseLost)
        return asked.addCallback(lambda ignored: server.closed)

    def test_self_signed_is_rejected(self):
        """A certificate of unknown origin is rejected, with the reason, and not retried."""
        server = RawServer(self, whole(b"{}"), certificate=certificate_for(u"127.0.0.1"))
        asked = self.assertFailure(
            self.client().request(u"GET", server.url), errors.CertificateRejected
        )

        def rejected(caught):
            self.assertIn(u"self-signed", caught.reason)
            self.assertEqual(len(server.connections), 1)
            self.assertEqual(server.received, [])

        return asked.addCallback(rejected)

    def test_trusted_address(self):
        """A certificate in verify_ca_path is accepted for the address it names."""
        certificate = certificate_for(u"127.0.0.1")
        server = RawServer(self, whole(b'{"a": 1}'), certificate=certificate)
        http = self.client(verify_ca_path=self.pem(certificate))
        asked = http.request(u"GET", server.url)
        return asked.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))

    def test_certificate_for_another_address(self):
        """A trusted certificate is rejected for an address that it does not name."""
        certificate = certificate_for(u"127.0.0.2")
        server = RawServer(self, whole(b"{}"), certificate=certificate)
        http = self.client(verify_ca_path=self.pem(certificate))
        asked = self.assertFailure(
            http.request(u"GET", server.url), errors.CertificateRejected
        )
        return asked.addCallback(lambda caught: self.assertIn(u"127.0.0.1", caught.reason))

    def test_trusted_host(self):
        """A certificate in verify_ca_path is accepted for the host it names."""
        certificate = certificate_for(u"localhost")
        server = RawServer(self, whole(b'{"a": 1}'), certificate=certificate)
        http = self.client(verify_ca_path=self.pem(certificate))
        asked = http.request(u"GET", server.url.replace(u"127.0.0.1", u"localhost"))
        return asked.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))

    def test_other_host(self):
        """A certificate of another host, and one of unknown origin, are rejected."""
        certificate = certificate_for(u"cloud.example")
        server = RawServer(self, whole(b"{}"), certificate=certificate)
        url = server.url.replace(u"127.0.0.1", u"localhost")
        asked = self.assertFailure(
            self.client(verify_ca_path=self.pem(certificate)).request(u"GET", url),
            errors.CertificateRejected,
        )
        return asked.addCallback(
            lambda ignored: self.assertFailure(
                self.client().request(u"GET", url), errors.CertificateRejected
            )
        )

    def test_unverified(self):
        """Without verification any certificate will do, for names and addresses."""
        names = []
        server = RawServer(self, whole(b'{"a": 1}'), certificate=certificate_for(u"else"))
        server.context.set_tlsext_servername_callback(
            lambda connection: names.append(connection.get_servername())
        )
        http = self.client(verify_peer=False)
        d = http.request(u"GET", server.url)
        d.addCallback(
            lambda ignored: http.request(
                u"GET", server.url.replace(u"127.0.0.1", u"localhost")
            )
        )
        d.addCallback(lambda response: self.assertEqual(response.body, {u"a": 1}))
        # A server of several names has to know which one is meant.
        return d.addCallback(lambda ignored: self.assertEqual(names[-1], b"localhost"))

    def test_connections_are_kept_for_reading(self):
        """Two GETs share a connection; a POST gets one of its own."""
        server = RawServer(self, whole(b"{}"))
        http = self.client()
        d = http.request(u"GET", server.url)
        d.addCallback(lambda ignored: http.request(u"GET", server.url))
        d.addCallback(lambda ignored: self.assertEqual(len(server.connections), 1))
        d.addCallback(lambda ignored: http.request(u"POST", server.url, json={}))
        return d.addCallback(lambda ignored: self.assertEqual(len(server.connections), 2))

    def test_kept_connection_that_was_closed(self):
        """A GET over a kept connection that the server closes meanwhile is repeated."""
        server = RawServer(self, whole(b"{}"))
        http = self.client(jitter=lambda: 1000.0)
        d = http.request(u"GET", server.url)

        def closing(ignored):
            # From now on the first connection ends when a request comes.
            first = server.connections[0]
            first.dataReceived = lambda data: first.transport.loseConnection()
            return http.request(u"GET", server.url)

        d.addCallback(closing)
        d.addCallback(lambda response: self.assertEqual(response.body, {}))
        return d.addCallback(lambda ignored: self.assertEqual(len(server.connections), 2))
