# -*- test-case-name: tests.embedded.control.test_recent -*-
"""
The most recent events of the service, such as its requests, with their numbers.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attr
from twisted.logger import Logger
from twisted.web.iweb import IRequest

_log = Logger()

T = TypeVar("T")
#: The number of events that a log keeps.
SIZE = 1000
#: Bytes of a body that is kept, at most.
_BODY = 16384
#: The paths whose bodies hold secrets.
_SECRET = b"/identity/"
#: The headers that ask for a microversion; the last word of their value is the version.
_VERSIONS = (b"openstack-api-version", b"x-openstack-nova-api-version")


class RecentLog(Generic[T]):
    """
    The last events, numbered from 1; older ones are forgotten.

    :param size: the number of events to keep.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._events: deque[tuple[int, T]] = deque(maxlen=size)
        self._number = 0
        self._watchers: list[Callable[[int, T], object]] = []

    @property
    def number(self) -> int:
        """The number of the last event, also of a forgotten one; 0 before the first."""
        return self._number

    def add(self, event: T) -> None:
        """Record an event, and call the watchers with its number and the event."""
        self._number += 1
        self._events.append((self._number, event))
        for watcher in list(self._watchers):
            try:
                watcher(self._number, event)
            except Exception:
                _log.failure("A watcher of a log failed")

    def since(self, number: int = 0) -> list[tuple[int, T]]:
        """
        List events, the oldest first.

        :param number: the number of the last event that is known already.
        :return: the kept ones after it, with their numbers.
        """
        return [each for each in self._events if each[0] > number]

    def clear(self) -> None:
        """Forget the events; the numbers are not used again."""
        self._events.clear()

    def watch(self, watcher: Callable[[int, T], object]) -> Callable[[], None]:
        """
        Call a function with the number of each new event and the event.

        :return: a function that ends this; it may be called again.
        """
        self._watchers.append(watcher)

        def stop() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return stop


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class ServedRequest:
    """
    One request, when it has ended.

    :ivar time: the end, in seconds since the epoch.
    :ivar duration: seconds from its headers to its end.
    :ivar path: without the query.
    :ivar query: the text after the question mark.
    :ivar status: of the response; ``None`` if the connection ended before it.
    :ivar microversion: the version that the client asked for, such as ``3.60``, if it did.
    :ivar action: EC2's; ``None`` for other services.
    :ivar body: the JSON value of the request, or the parameters of EC2's; ``None`` when none is
        kept.  A log for people keeps none, and none of Identity's is ever kept.
    """

    time: float
    duration: float
    method: str
    path: str
    query: str
    status: int | None
    request_id: str
    microversion: str | None = None
    action: str | None = None
    body: Any = attr.ib(default=None, repr=False)


def served(
    request: IRequest, request_id: str, now: Callable[[], float], bodies: bool
) -> Callable[[bool], ServedRequest]:
    """
    Observe a request that begins.

    :param now: returns seconds since the epoch.
    :param bodies: whether to keep its body.
    :return: makes its record when it has ended; called with ``False`` when no response was sent.
    """
    body, begun = _kept_body(request) if bodies else None, now()

    def end(answered: bool) -> ServedRequest:
        ended = now()
        return ServedRequest(
            time=ended,
            duration=ended - begun,
            method=_text(request.method),
            path=_text(request.path),
            query=_text(request.uri.partition(b"?")[2]),
            status=request.code if answered else None,  # type: ignore[attr-defined]
            request_id=request_id,
            microversion=_asked_version(request),
            body=body,
        )

    return end


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _kept_body(request: IRequest) -> Any:
    """:return: the JSON value of a request's body; ``None`` if it is secret, too long, or none."""
    if request.path.startswith(_SECRET):
        return None
    content = request.content.read(_BODY + 1)
    request.content.seek(0)
    if not content or len(content) > _BODY:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _asked_version(request: IRequest) -> str | None:
    """:return: the microversion that a request asks for, if any."""
    for name in _VERSIONS:
        value: bytes | None = request.getHeader(name)
        if value and value.split():
            return _text(value.split()[-1])
    return None
