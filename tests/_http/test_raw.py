"""
Raw requests: bodies that are not JSON.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._http.bounds import Bounds
from txstorage._http.client import HTTPClient
from txstorage._version import VERSION

from ..helpers.wire import Answer, Wire
from .support import URL, AgentStub, RawResponse


class RawTests(SynchronousTestCase):
    """Requests whose bodies are bytes, both ways."""

    def test_request(self):
        """The headers and the bytes are sent as they are, without those of OpenStack."""
        wire = Wire(Answer(200, b"<a/>", {"Date": "Sun, 22 Nov 2026 16:27:04 GMT"}))
        d = wire.http.request_raw(u"POST", URL + u"?a=b", {u"X-Own": u"1"}, b"c=d")
        response = self.successResultOf(d)
        self.assertEqual((200, b"<a/>", URL), (response.status, response.body, response.url))
        self.assertEqual(1795364824.0, response.date)
        [seen] = wire.service.seen
        self.assertEqual((u"POST", b"c=d"), (seen.method, seen.content))
        self.assertTrue(seen.target.endswith(u"?a=b"))
        for name, value in [
            (u"x-own", u"1"),
            (u"user-agent", u"txstorage/" + VERSION),
            (u"accept-encoding", u"gzip"),
            (u"x-openstack-request-id", None),
            (u"accept", None),
            (u"content-type", None),
        ]:
            self.assertEqual((name, value), (name, seen.header(name)))

    def test_any_status(self):
        """An answer of any status is the caller's to read, and is not repeated."""
        for status in (302, 400, 404, 429, 503):
            wire = Wire(Answer(status, b"x", {"x-amzn-RequestId": "r-1"}))
            response = self.successResultOf(wire.http.request_raw(u"GET", URL, {}))
            self.assertEqual((status, b"x"), (response.status, response.body))
            self.assertEqual(u"r-1", response.request_id)
            self.assertEqual([], wire.clock.getDelayedCalls())

    def test_bounded(self):
        """The bounds of answers hold."""
        wire = Wire(Answer(200, b"x" * 11), bounds=Bounds(body_bytes=10))
        self.failureResultOf(wire.http.request_raw(u"GET", URL, {}), errors.NotTheService)

    def test_incomplete(self):
        """A body that only the end of the connection ends may have lost a part."""
        http = HTTPClient(Clock(), AgentStub(lambda: succeed(RawResponse(b"<a/>"))))
        asked = http.request_raw(u"POST", URL, {})
        self.failureResultOf(asked, errors.ResponseLost)
