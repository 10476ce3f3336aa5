"""JSON objects, one a line, on a connected socket, with a deadline for each."""

from __future__ import annotations

import json
import socket
import time


class ConnectionFailed(Exception):
    """The other side sent nothing in time, has closed the connection, or sent no JSON."""


class Messages:
    """
    The messages on one connection, of which each waits for the caller that wants it.

    :param connection: a connected stream socket.
    :param clock: returns seconds.
    """

    def __init__(self, connection, clock=time.monotonic):
        self._connection = connection
        self._clock = clock
        self._unread = b""
        self._kept = []

    def send(self, message):
        """
        :param message: dict.
        :raises ConnectionFailed: the connection is closed.
        """
        try:
            self._connection.sendall(json.dumps(message).encode("ascii") + b"\n")
        except OSError as error:
            raise ConnectionFailed(f"the connection failed: {error}") from error

    def take(self, wanted, seconds):
        """
        :param wanted: called with a message; returns whether it is the one.
        :param seconds: the longest time to wait.
        :return: the oldest wanted message, a dict; the others are kept.
        :raises ConnectionFailed: there is none in time, or at all.
        """
        end = self._clock() + seconds
        for index, message in enumerate(self._kept):
            if wanted(message):
                return self._kept.pop(index)
        while True:
            message = self._next(end)
            if wanted(message):
                return message
            self._kept.append(message)

    def take_kept(self, wanted):
        """
        :param wanted: called with a message; returns whether it is one.
        :return: list of the wanted messages among those that arrived before others that were taken.
        """
        found = [message for message in self._kept if wanted(message)]
        self._kept = [message for message in self._kept if message not in found]
        return found

    def _next(self, end):
        while b"\n" not in self._unread:
            self._receive(end)
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            return json.loads(line)
        except ValueError as error:
            raise ConnectionFailed(f"received {line!r}, which is not JSON") from error

    def _receive(self, end):
        left = end - self._clock()
        try:
            # A time of 0 would mean not to wait, and a negative one is an error.
            self._connection.settimeout(max(left, 0.001))
            data = self._connection.recv(65536)
        except socket.timeout:
            raise ConnectionFailed("received nothing in time") from None
        except OSError as error:
            raise ConnectionFailed(f"the connection failed: {error}") from error
        if not data:
            raise ConnectionFailed("the other side closed the connection")
        self._unread += data

    def close(self):
        """Close the connection."""
        self._connection.close()


__all__ = ["ConnectionFailed", "Messages"]
