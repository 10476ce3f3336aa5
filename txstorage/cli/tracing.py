# -*- test-case-name: tests.cli.test_tracing -*-
"""``--verbose``: a line for each HTTP request, from the log's messages, which have no secrets."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Callable

from eliot import add_destinations

from .._http.messages import log_refusals
from .._log import HTTP_EXCHANGE, HTTP_RETRY
from .terminal import echo, one_line

Message = Mapping[str, Any]


class RequestTrace:
    """
    An Eliot destination.

    :param say: called with each line.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._started: dict[tuple[Any, ...], Message] = {}

    def __call__(self, message: Message) -> None:
        if message.get("message_type") == HTTP_RETRY.message_type:
            self._say("retry in {delay:.1f} s: {reason}".format(**message))
        if message.get("action_type") == HTTP_EXCHANGE.action_type:
            action = (message["task_uuid"], *message["task_level"][:-1])
            if message["action_status"] == "started":
                self._started[action] = message
            elif action in self._started:
                self._say(shown_exchange(self._started.pop(action), message))


def shown_exchange(started: Message, ended: Message) -> str:
    """
    :param started: the message of the request.
    :param ended: the message of its end.
    :return: method, address, status, duration and request id; of a failure the reason, too.
    """
    # The clock may be set while a request is out.
    milliseconds = max(0.0, ended["timestamp"] - started["timestamp"]) * 1000
    status = ended.get("status") or "failed"
    identity = ended.get("service_request_id") or started["request_id"]
    line = f"{started['method']} {started['url']} {status} {milliseconds:.0f} ms {identity}"
    return line if ended["action_status"] == "succeeded" else f"{line}: {ended.get('reason')}"


def trace_requests() -> None:
    """Print the requests of this process on standard error."""
    log_refusals()
    lock = threading.Lock()

    def say(line: str) -> None:
        with lock:
            echo(one_line(line), err=True)

    add_destinations(RequestTrace(say))


__all__ = ["RequestTrace", "shown_exchange", "trace_requests"]
