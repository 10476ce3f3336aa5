"""Tests of the feed."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from txstorage.embedded.page import feed as feeding
from txstorage.embedded.page.feed import HEARTBEAT, INTERVAL, LISTENERS, PATIENCE

from .support import FeedTests

MEMBERS = {"disk", "nodes", "volumes", "snapshots", "transitions", "requests"}
HANDED_OVER = 1.0  # second in which the page must have looked again


class EventTests(FeedTests):
    """Tests of the events."""

    def test_whole_first(self) -> None:
        """A browser gets the whole state at once, as events that no cache keeps."""
        browser = self.listen()
        head = browser.transport.value().partition(b"\r\n\r\n")[0]
        self.assertEqual(browser.status, 200)
        self.assertIn(b"Content-Type: text/event-stream", head)
        self.assertIn(b"Cache-Control: no-store", head)
        (state,) = browser.take()
        self.assertEqual(set(state), MEMBERS)

    def test_changes(self) -> None:
        """After a change, only the members that differ follow; without one, nothing is read."""
        browser = self.listen()
        browser.take()
        self.clock.advance(INTERVAL)
        browser.take()
        state, read = self.feed._source.state, []
        self.patch(self.feed._source, "state", lambda text: read.append(text) or state(text))
        self.clock.pump([INTERVAL] * 20)
        self.assertEqual((browser.transport.value(), read), (b"", []))
        node = self.cloud.nodes["node-1"]
        self.cloud.store.servers.set_status(node, "SHUTOFF")
        self.clock.advance(INTERVAL)
        (changed,) = browser.take()
        self.assertEqual(set(changed), {"nodes"})
        self.assertEqual(changed["nodes"]["rows"][0]["status"], "SHUTOFF")

    def test_ten_times_a_second(self) -> None:
        """However fast the state changes, a browser gets ten events a second at most."""
        browser = self.listen()
        browser.take()
        node = self.cloud.nodes["node-1"]
        for number in range(200):
            self.cloud.store.servers.set_status(node, f"STATUS-{number}")
            self.clock.advance(0.005)
        got = browser.take()
        self.assertLessEqual(len(got), 10)
        self.clock.advance(INTERVAL)
        got += browser.take()
        self.assertEqual(got[-1]["nodes"]["rows"][0]["status"], "STATUS-199")

    def test_filter(self) -> None:
        """Each browser has its filter, whose spaces around and whose length do not count."""
        for name in ("x" * 100, "alpha", "beta"):
            self.create(name=name)
        path = "/page/events?filter="
        for query, names in (
            ("alp", ["alpha"]),
            ("%20BETA+", ["beta"]),
            ("", ["beta", "alpha", "x" * 100]),
            ("%ff", []),
            ("x" * 1000, ["x" * 100]),
        ):
            (state,) = self.listen(path + query).take()
            self.assertEqual([row["name"] for row in state["volumes"]["rows"]], names, query)

    def test_hostile_names(self) -> None:
        """A name with markup or line ends stays one text of one event."""
        name = "</script><script>alert(1)</script>\n\ndata: {}\r\nevent: x\u2028'\"&\x00\U0001f4a3"
        self.create(name=name)
        (state,) = self.listen().take()
        self.assertEqual(state["volumes"]["rows"][0]["name"], name)

    def test_heartbeat(self) -> None:
        """A comment after some time without events shows that the connection is alive."""
        browser = self.listen()
        self.clock.advance(INTERVAL)
        browser.transport.clear()
        self.clock.pump([INTERVAL] * round((HEARTBEAT - 1) / INTERVAL))
        self.assertEqual(browser.transport.value(), b"")
        self.clock.pump([INTERVAL] * 20)
        self.assertEqual(browser.transport.value(), b"3\r\n:\n\n\r\n")

    def test_hours(self) -> None:
        """No deadline of the connection ends the feed."""
        browser = self.listen()
        self.clock.pump([20.0] * 180)
        self.assertFalse(browser.transport.disconnecting)
        self.assertFalse(browser.transport.disconnected)

    def test_fault(self) -> None:
        """A state that can't be read is read again later, and the fault is logged."""
        browser = self.listen()
        self.clock.advance(INTERVAL)
        browser.take()
        working = self.cloud.store.quotas.promised

        def broken() -> Any:
            raise OSError(5, "Input/output error")

        self.cloud.store.quotas.promised = broken  # type: ignore[method-assign]
        self.cloud.store.servers.set_status(self.cloud.nodes["node-1"], "SHUTOFF")
        self.clock.pump([INTERVAL] * 5)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.cloud.store.quotas.promised = working  # type: ignore[method-assign]
        self.clock.pump([1.0])
        (changed,) = browser.take()
        self.assertEqual(set(changed), {"nodes"})

    def test_share(self) -> None:
        """When the look at the state takes long, the next one waits ten times as long."""
        source = self.feed._source
        looks = []
        state = source.state

        def slow(text: str) -> Any:
            looks.append(self.clock.seconds())
            self.clock.rightNow += 0.5
            return state(text)

        source.state = slow  # type: ignore[method-assign]
        self.listen()
        for number in range(100):
            self.cloud.store.servers.set_status(self.cloud.nodes["node-1"], str(number))
            self.clock.advance(INTERVAL)
        self.assertGreater(len(looks), 1)
        for before, after in zip(looks, looks[1:]):
            self.assertGreaterEqual(after - before, 5)


class ListenerTests(FeedTests):
    """Tests of the browsers that listen, and of those that do not."""

    def test_bound(self) -> None:
        """A bounded number of browsers listens; when one leaves, another may."""
        browsers = [self.listen() for _ in range(LISTENERS)]
        self.assertEqual([each.status for each in browsers], [200] * LISTENERS)
        refused = self.listen()
        self.assertEqual(refused.status, 503)
        self.assertIn(b"Retry-After: 5", refused.transport.value())
        browsers[0].channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.listen().status, 200)

    def test_nobody(self) -> None:
        """When nobody listens, the page takes no time and no memory."""
        browsers = [self.listen(f"/page/events?filter={number}") for number in range(3)]
        self.assertTrue(self.clock.getDelayedCalls())
        for browser in browsers:
            browser.channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.feed._states, {})

    def test_forgotten_filters(self) -> None:
        """The state of a filter is kept only while somebody uses the filter."""
        self.listen()
        self.patch(self.feed._source, "version", lambda: 1)
        for number in range(50):
            browser = self.listen(f"/page/events?filter={number}")
            self.assertIn(str(number), self.feed._states)
            browser.channel.connectionLost(Failure(ConnectionDone()))
        self.clock.advance(INTERVAL)
        self.assertEqual(set(self.feed._states), {""})

    def test_slow_reader(self) -> None:
        """
        Nothing is sent to a browser that does not read; when it reads again, it gets the last state
        at once.
        """
        browser = self.listen()
        browser.take()
        browser.channel.pauseProducing()
        for number in range(100):
            self.cloud.store.servers.set_status(self.cloud.nodes["node-1"], f"STATUS-{number}")
            self.clock.advance(INTERVAL)
        self.assertEqual(browser.transport.value(), b"")
        browser.channel.resumeProducing()
        self.clock.advance(INTERVAL)
        (changed,) = browser.take()
        self.assertEqual(changed["nodes"]["rows"][0]["status"], "STATUS-99")

    def test_no_reader(self) -> None:
        """A browser that does not read for long is dropped, and its place is free."""
        browser = self.listen()
        browser.channel.pauseProducing()
        self.clock.pump([INTERVAL] * round((PATIENCE - 1) / INTERVAL))
        self.assertFalse(browser.transport.disconnecting)
        self.clock.pump([INTERVAL] * 20)
        self.assertTrue(browser.transport.disconnecting)
        self.assertEqual(self.feed._listeners, {})

    def test_pauses(self) -> None:
        """A browser that reads slowly, but reads, is not dropped."""
        browser = self.listen()
        for _ in range(5):
            browser.channel.pauseProducing()
            self.clock.pump([1.0] * 20)
            browser.channel.resumeProducing()
            self.clock.pump([1.0] * 20)
        self.assertFalse(browser.transport.disconnecting)

    def test_stop(self) -> None:
        """The end of the service ends the responses, also to a browser that does not read."""
        browsers = [self.listen(), self.listen()]
        browsers[1].channel.pauseProducing()
        self.successResultOf(self.cloud.application.stop())
        for browser in browsers:
            self.assertTrue(browser.transport.value().endswith(b"0\r\n\r\n"))
        self.assertEqual(self.feed._next, None)
        self.assertEqual(self.listen().status, 503)


class ConstantTests(FeedTests):
    """Tests of the relation of the bounds."""

    def test_alive(self) -> None:
        """The heartbeat comes before a proxy's usual minute, and after many looks."""
        self.assertLess(HEARTBEAT, 60)
        self.assertGreater(HEARTBEAT, 10 * INTERVAL)
        self.assertLessEqual(INTERVAL / feeding._SHARE, HANDED_OVER)
