"""JSON objects, one a line, on a connected socket, with a deadline for each."""

from __future__ import annotations

import json
import time


class LinesError(Exception):
    """The other side sent nothing in time, has closed the connection, or sent no JSON."""


class Lines:
    """
    :param socket: a connected stream socket.
    :param clock: returns seconds.
    """

    def __init__(self, socket, clock=time.monotonic):
        self._socket = socket
        self._clock = clock
        self._unread = b""

    def send(self, value):
        """
        :param value: dict.
        :raises LinesError: the connection is closed.
        """
        try:
            self._socket.sendall(json.dumps(value).encode("ascii") + b"\n")
        except OSError as error:
            raise LinesError(f"closed: {error}") from error

    def receive(self, end):
        """
        :param end: the time, of the clock, at which to give up.
        :return: the next object, a dict.
        :raises LinesError: there is none in time, or at all.
        """
        while b"\n" not in self._unread:
            left = end - self._clock()
            if left <= 0:
                raise LinesError("no message in time")
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue
            except OSError as error:
                raise LinesError(f"closed: {error}") from error
            if not data:
                raise LinesError("closed")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            return json.loads(line)
        except ValueError as error:
            raise LinesError(f"no JSON: {line!r}") from error

    def close(self):
        self._socket.close()


class Mailbox:
    """
    The messages of one connection, of which each waits for the caller that wants it.

    :param lines: the :class:`Lines`.
    :param clock: returns seconds.
    """

    def __init__(self, lines, clock=time.monotonic):
        self._lines = lines
        self._clock = clock
        self._kept = []

    def take(self, wanted, seconds):
        """
        :param wanted: called with a message; returns whether it is the one.
        :param seconds: the longest time to wait.
        :return: the first wanted message; the others are kept.
        :raises LinesError: there is none.
        """
        end = self._clock() + seconds
        for index, message in enumerate(self._kept):
            if wanted(message):
                return self._kept.pop(index)
        while True:
            message = self._lines.receive(end)
            if wanted(message):
                return message
            self._kept.append(message)
