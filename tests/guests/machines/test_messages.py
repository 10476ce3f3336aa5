"""Tests of the messages between a test and a guest."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from .messages import ConnectionFailed, Messages


class MessagesTests(SynchronousTestCase):
    """One end of a connection, whose other end the test holds."""

    def setUp(self) -> None:
        ours, self.other = socket.socketpair()
        self.now = 0.0
        self.messages = Messages(ours, lambda: self.now)
        self.addCleanup(self.messages.close)
        self.addCleanup(self.other.close)

    def test_order(self) -> None:
        """A message that nobody wanted is kept, also when it arrives in parts."""
        self.other.sendall(b'{"n": 1}\n{"n": 2}\n{"n"')
        self.assertEqual({"n": 2}, self.messages.take(lambda message: message["n"] == 2, 5))
        self.other.sendall(b": 3}\n")
        self.assertEqual({"n": 3}, self.messages.take(lambda message: message["n"] == 3, 5))
        self.assertEqual({"n": 1}, self.messages.take(lambda message: True, 5))

    def test_kept(self) -> None:
        """The kept messages are taken in their order, and once."""
        self.other.sendall(b'{"n": 1}\n{"n": 2}\n{"n": 3}\n{"n": 4}\n')
        self.messages.take(lambda message: message["n"] == 4, 5)
        kept = self.messages.take_kept(lambda message: message["n"] != 2)
        self.assertEqual([{"n": 1}, {"n": 3}], kept)
        self.assertEqual([{"n": 2}], self.messages.take_kept(lambda message: True))

    def test_send(self) -> None:
        """A message is one line of JSON."""
        self.messages.send({"text": "two\nlines"})
        self.assertEqual(b'{"text": "two\\nlines"}\n', self.other.recv(100))

    def test_too_late(self) -> None:
        """Without a wanted message in time, the wait fails; other messages do not prolong it."""
        self.other.sendall(b'{"n": 1}\n')

        def unwanted(message: object) -> bool:
            self.now += 10
            return False

        with self.assertRaisesRegex(ConnectionFailed, "nothing in time"):
            self.messages.take(unwanted, 5)

    def test_closed(self) -> None:
        """A wait fails at once when the other side closes the connection, and so does a send."""
        self.other.close()
        with self.assertRaisesRegex(ConnectionFailed, "closed"):
            self.messages.take(lambda message: True, 5)
        with self.assertRaisesRegex(ConnectionFailed, "Broken pipe"):
            self.messages.send({})

    def test_nonsense(self) -> None:
        """A line that is not JSON is an error that shows the line."""
        self.other.sendall(b"panic\n")
        with self.assertRaisesRegex(ConnectionFailed, "panic"):
            self.messages.take(lambda message: True, 5)
