# -*- coding: utf-8 -*-
"""
Tests of requests, responses and the errors that responses stand for.
"""

from __future__ import absolute_import, division, print_function

import json
import os

from OpenSSL import SSL
from twisted.internet.error import (
    ConnectingCancelledError,
    ConnectionDone,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TimeoutError,
)
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import RequestNotSent, ResponseFailed

import txstorage
from txstorage import errors
from txstorage._http.bodies import BytesProducer
from txstorage._http.failures import error_message, retry_after, service_error, transport_error
from txstorage._http.messages import Response, encode_query, shown_url
from txstorage._http.trust import Untrusted
from txstorage._version import VERSION

from .support import URL


class ErrorMessageTests(SynchronousTestCase):
    """The service's own message, from responses of every form."""

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

    def test_unclosed(self):
        """A tag without its end is text, as is what follows the tag."""
        pages = b"x <style> y", b"x <b y", b"<p>x</p> <script y", b"<style></style>x <style>y"
        for page in pages:
            message = error_message(page)[1]
            self.assertTrue(message.startswith(u"x ") and message.endswith(u"y"), message)

    def test_long(self):
        """Of a long body only the beginning is read."""
        page = b"<p>Bad Gateway</p>" + b" " * 10 ** 5 + b"\xff" * 10 ** 6
        self.assertEqual(error_message(page), (None, u"Bad Gateway"))
        document = json.dumps({u"x": {u"message": u"no"}, u"y": [u" " * 100] * 500}, sort_keys=True)
        self.assertIs(error_message(document.encode("ascii"))[0], None)

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
    """The error class of each status."""

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
            (507, u"insufficientStorage", u"disk full", None, errors.StorageFull),
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
    """The error class of each failed connection."""

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

    def test_not_tls(self):
        """An answer in plain text, where TLS was expected, suggests http."""
        for words in (u"wrong version number", u"http request", u"packet length too long"):
            cause = SSL.Error([("SSL routines", "some_function", words)])
            found = self.check(cause, errors.NotTheService, u"it answers, but not with TLS")
            self.assertIn(u"begin the address with http:", found.remedy)

    def test_remedies(self):
        """The remedy of a connection that failed fits the cause."""
        for cause, words in [
            (DNSLookupError("no such host"), u"name resolution"),
            (ConnectionRefusedError(), u"start the service"),
            (ConnectingCancelledError(None), u"firewalls"),
            (TimeoutError(), u"firewalls"),
            (NoRouteError(), u"routes"),
            (RequestNotSent(), u"check that the service is running"),
            (Untrusted(u"unknown authority"), u"verify_ca_path"),
            (Untrusted(u"the certificate has expired", u"renew it"), u"renew it"),
        ]:
            found = transport_error(u"GET", URL, ResponseFailed([Failure(cause)]))
            self.assertIn(words, found.remedy)

    def test_https_where_it_is_used(self):
        """Only an error over plain HTTP suggests that the port may speak TLS."""
        cause = ResponseFailed([Failure(ConnectionDone())])
        for scheme, expected in [(u"http", True), (u"https", False)]:
            found = transport_error(u"GET", scheme + u"://cloud/", cause)
            self.assertEqual(expected, u"begin the address with https:" in found.remedy)

    def test_ours_and_bugs_stay(self):
        """The package's own errors and programming errors are passed through."""
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
