"""Tests of the log of recent events."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyChannel

from txstorage.embedded.bounds import BOUNDS
from txstorage.embedded.control.recent import RecentLog, ServedRequest, served
from txstorage.embedded.wire.channel import BoundedRequest


class RecentLogTests(SynchronousTestCase):
    """Tests of :class:`RecentLog`."""

    def test_numbers(self) -> None:
        """Events have numbers from 1, and a reader gets those after the last one it knows."""
        log: RecentLog[str] = RecentLog()
        self.assertEqual((log.number, log.since()), (0, []))
        for event in "abc":
            log.add(event)
        self.assertEqual(log.since(), [(1, "a"), (2, "b"), (3, "c")])
        self.assertEqual(log.since(2), [(3, "c")])
        self.assertEqual(log.since(3), [])

    def test_bound(self) -> None:
        """The oldest events are forgotten, and keep their numbers."""
        log: RecentLog[int] = RecentLog(size=2)
        for event in range(5):
            log.add(event)
        self.assertEqual((log.number, log.since()), (5, [(4, 3), (5, 4)]))

    def test_clear(self) -> None:
        """A cleared log is empty, and uses no number twice, so that a reader misses no event."""
        log: RecentLog[str] = RecentLog()
        log.add("a")
        log.clear()
        self.assertEqual(log.since(), [])
        log.add("b")
        self.assertEqual(log.since(1), [(2, "b")])

    def test_watch(self) -> None:
        """A watcher gets each new event, until it stops; to stop twice does no harm."""
        log: RecentLog[str] = RecentLog()
        seen: list[tuple[int, str]] = []
        log.add("before")
        stop = log.watch(lambda *event: seen.append(event))
        log.add("meanwhile")
        stop()
        stop()
        log.add("after")
        self.assertEqual(seen, [(2, "meanwhile")])

    def test_broken_watcher(self) -> None:
        """A watcher that fails is logged, and keeps no event from the others."""
        log: RecentLog[str] = RecentLog()
        seen: list[str] = []
        log.watch(lambda number, event: 1 / 0)
        log.watch(lambda number, event: seen.append(event))
        log.add("a")
        self.assertEqual((seen, log.since()), (["a"], [(1, "a")]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class ServedTests(SynchronousTestCase):
    """Tests of :func:`served`."""

    def record(
        self, path: bytes = b"/volume/v3/p/volumes", body: bytes = b"", **headers: bytes
    ) -> ServedRequest:
        """The record, with the body, of a request that took 2.5 seconds."""
        request = BoundedRequest(DummyChannel())  # type: ignore[arg-type]
        request.gotLength(len(body))
        request.channel.site = _Bounded  # type: ignore[attr-defined]
        request.handleContentChunk(body)
        request.content.seek(0)
        request.method, request.uri = b"POST", path
        request.path = path.partition(b"?")[0]
        request.setResponseCode(202)
        for name, value in headers.items():
            request.requestHeaders.setRawHeaders(name.replace("_", "-"), [value])
        times = iter([10.0, 12.5])
        end = served(request, "req-1", lambda: next(times), bodies=True)
        self.assertEqual(request.content.read(), body)
        return end(True)

    def test_fields(self) -> None:
        """The record has the times, the path and the query, the status, and the body."""
        body: Any = {"volume": {"size": 1}}
        self.assertEqual(
            self.record(b"/volume/v3/p/volumes?limit=%31", json.dumps(body).encode()),
            ServedRequest(
                time=12.5,
                duration=2.5,
                method="POST",
                path="/volume/v3/p/volumes",
                query="limit=%31",
                status=202,
                request_id="req-1",
                body=body,
            ),
        )

    def test_secret(self) -> None:
        """No body of Identity's is kept: it has passwords."""
        self.assertIsNone(self.record(b"/identity/v3/auth/tokens", b'{"auth": {}}').body)

    def test_no_body(self) -> None:
        """A body that is not JSON, or long, is not kept."""
        for body in (b"", b"{", b"[" * 9000, b'"' + b"x" * 16384 + b'"'):
            self.assertIsNone(self.record(body=body).body)

    def test_version(self) -> None:
        """The microversion is the one that the client asked for, in either header."""
        self.assertIsNone(self.record().microversion)
        both = [
            self.record(OpenStack_API_Version=b"volume 3.60"),
            self.record(X_OpenStack_Nova_API_Version=b"2.79"),
            self.record(OpenStack_API_Version=b" "),
        ]
        self.assertEqual([each.microversion for each in both], ["3.60", "2.79", None])


class _Bounded:
    """A site with the usual bounds."""

    bounds = BOUNDS
