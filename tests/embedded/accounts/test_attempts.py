"""Tests of the wrong passwords of clients."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.accounts.attempts import CLIENTS, MOST, PERIOD, Attempts


class AttemptsTests(SynchronousTestCase):
    """Tests of :class:`Attempts`."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.attempts = Attempts(self.clock.seconds)

    def fail(self, address: str = "192.0.2.1", times: int = MOST) -> None:  # type: ignore[override]
        """Count wrong passwords."""
        for _ in range(times):
            self.attempts.failed(address)

    def test_waits(self) -> None:
        """After a number of wrong passwords a client waits until the period ends."""
        self.fail(times=MOST - 1)
        self.assertEqual(self.attempts.wait("192.0.2.1"), 0)
        self.clock.advance(PERIOD - 10.5)
        self.fail(times=1)
        self.assertEqual(self.attempts.wait("192.0.2.1"), 11)
        self.clock.advance(10.4)
        self.assertEqual(self.attempts.wait("192.0.2.1"), 1)
        self.clock.advance(0.2)
        self.assertEqual(self.attempts.wait("192.0.2.1"), 0)

    def test_begins_anew(self) -> None:
        """The next period begins with the next wrong password."""
        self.fail()
        self.clock.advance(PERIOD + 1)
        self.fail(times=MOST - 1)
        self.assertEqual(self.attempts.wait("192.0.2.1"), 0)
        self.fail(times=1)
        self.assertEqual(self.attempts.wait("192.0.2.1"), PERIOD)

    def test_others(self) -> None:
        """Other clients do not wait; a network of version 6 is one client."""
        self.fail()
        self.fail("2001:db8::1")
        self.fail("fe80::1%eth0")
        for other in ("192.0.2.2", "2001:db8:0:1::1", ""):
            self.assertEqual(self.attempts.wait(other), 0, other)
        for same in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::2:3:4:5", "fe80::2"):
            self.assertGreater(self.attempts.wait(same), 0, same)

    def test_bound(self) -> None:
        """No more than a number of clients are remembered."""
        for number in range(CLIENTS + 5):
            self.attempts.failed(f"client {number}")
        self.assertEqual(len(self.attempts._wrong), CLIENTS)
        self.fail("client 7")
        self.assertGreater(self.attempts.wait("client 7"), 0)
