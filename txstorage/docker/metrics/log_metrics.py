# -*- test-case-name: tests.docker.metrics.test_log_metrics -*-
"""
The metrics that count the log's messages, so that neither the driver nor the plugin counts.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any, Callable, Union

import attr
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ..._log import (
    DEVICE_SEARCH,
    DOCKER_PROBLEM,
    DOCKER_REQUEST,
    DRIVER_OPERATION,
    HTTP_EXCHANGE,
    HTTP_RETRY,
    POLL_FAILED,
    REQUEST_REFUSED,
    TOKEN_KEPT,
)
from .definitions import (
    DEVICE_SEARCHES,
    ENGINE_IN_PROGRESS,
    ENGINE_SECONDS,
    HTTP_IN_PROGRESS,
    HTTP_REQUESTS,
    HTTP_RETRIES,
    HTTP_SECONDS,
    OPERATION_SECONDS,
    OPERATIONS_IN_PROGRESS,
    POLL_FAILURES,
    PROBLEMS,
    REFUSALS,
    TOKENS_KEPT,
    Definition,
)

Message = Mapping[str, Any]
Instrument = Union[Counter, Gauge, Histogram]
Labels = tuple[str, ...]

_KINDS = {"counter": Counter, "gauge": Gauge}
#: Seconds; engines give up after 120.
_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 110.0)
#: The number of actions that are remembered until they end.
MOST_ACTIONS = 10_000
#: The values of the label ``service``.
_SERVICES = frozenset(["identity", "block-storage", "compute"])


def service_of(message: Message) -> str:
    """:return: the service of an exchange; one of few."""
    service = message.get("service")
    return service if isinstance(service, str) and service in _SERVICES else "other"


def status_of(message: Message) -> str:
    """:return: the status at the end of an exchange; one of HTTP's, or ``none``."""
    status = message.get("status")
    return str(status) if isinstance(status, int) and 100 <= status < 600 else "none"


def _field(name: str) -> Callable[[Message], str]:
    return lambda message: str(message.get(name) or "other")


@attr.s(auto_attribs=True, frozen=True)
class _Measured:
    """
    The metrics of a type of actions.

    :ivar label: returns the label of an action, from its first message.
    :ivar seconds: of the duration, with that label and the outcome.
    :ivar in_progress: of the actions that have not ended, with that label.
    """

    label: Callable[[Message], str]
    seconds: Definition
    in_progress: Definition


@attr.s(auto_attribs=True, frozen=True)
class _Counted:
    """
    The metric that counts a type of messages.

    :ivar labels: returns its labels, from a message.
    """

    metric: Definition
    labels: Callable[[Message], Labels] = lambda message: ()


_MEASURED = {
    DRIVER_OPERATION.action_type: _Measured(
        _field("operation"), OPERATION_SECONDS, OPERATIONS_IN_PROGRESS
    ),
    HTTP_EXCHANGE.action_type: _Measured(service_of, HTTP_SECONDS, HTTP_IN_PROGRESS),
    DOCKER_REQUEST.action_type: _Measured(_field("call"), ENGINE_SECONDS, ENGINE_IN_PROGRESS),
}


def _found(message: Message) -> Labels:
    return ("found" if str(message.get("outcome")).startswith("/") else "missing",)


_COUNTED = {
    DEVICE_SEARCH.message_type: _Counted(DEVICE_SEARCHES, _found),
    DOCKER_PROBLEM.message_type: _Counted(PROBLEMS),
    HTTP_RETRY.message_type: _Counted(HTTP_RETRIES, lambda message: (service_of(message),)),
    POLL_FAILED.message_type: _Counted(POLL_FAILURES),
    REQUEST_REFUSED.message_type: _Counted(
        REFUSALS, lambda message: (_field("operation")(message),)
    ),
    TOKEN_KEPT.message_type: _Counted(TOKENS_KEPT),
}


def _instrument(registry: CollectorRegistry, metric: Definition) -> Any:
    text, labels = metric.meaning, metric.labels
    if metric.kind == "histogram":
        return Histogram(metric.name, text, labels, registry=registry, buckets=_BUCKETS)
    return _KINDS[metric.kind](metric.name, text, labels, registry=registry)


class LogMetrics:
    """
    An Eliot destination.  Threads may log.

    :param registry: gets the metrics.
    :param clock: returns monotonic seconds; the times of messages follow the wall clock.
    :param most: the number of actions that are remembered until they end.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_ACTIONS,
    ) -> None:
        self._clock = clock
        self._most = most
        self._lock = Lock()
        #: The type, the label and the start of each action that has not ended, the oldest first.
        self._started: OrderedDict[tuple[Any, ...], tuple[str, str, float]] = OrderedDict()
        metrics = [HTTP_REQUESTS, *(each.metric for each in _COUNTED.values())]
        for each in _MEASURED.values():
            metrics += [each.seconds, each.in_progress]
        self._instruments: dict[str, Any] = {
            metric.name: _instrument(registry, metric) for metric in metrics
        }

    def __call__(self, message: Message) -> None:
        kind = str(message.get("action_type"))
        if kind in _MEASURED:
            action = (message["task_uuid"], *message["task_level"][:-1])
            if message["action_status"] == "started":
                self._begin(kind, action, message)
            else:
                self._end(action, message)
        elif message.get("message_type") in _COUNTED:
            counted = _COUNTED[message["message_type"]]
            self._of(counted.metric, *counted.labels(message)).inc()

    def _of(self, metric: Definition, *labels: str) -> Any:
        instrument = self._instruments[metric.name]
        return instrument.labels(*labels) if labels else instrument

    def _begin(self, kind: str, action: tuple[Any, ...], message: Message) -> None:
        label = _MEASURED[kind].label(message)
        with self._lock:
            self._started[action] = kind, label, self._clock()
            forgotten = None
            if len(self._started) > self._most:
                _, forgotten = self._started.popitem(last=False)
        self._of(_MEASURED[kind].in_progress, label).inc()
        if forgotten is not None:
            self._of(_MEASURED[forgotten[0]].in_progress, forgotten[1]).dec()

    def _end(self, action: tuple[Any, ...], message: Message) -> None:
        with self._lock:
            started = self._started.pop(action, None)
        if started is None:
            return
        kind, label, began = started
        measured = _MEASURED[kind]
        self._of(measured.in_progress, label).dec()
        seconds = self._clock() - began
        self._of(measured.seconds, label, message["action_status"]).observe(seconds)
        if kind == HTTP_EXCHANGE.action_type:
            self._of(HTTP_REQUESTS, label, status_of(message)).inc()


__all__ = ["MOST_ACTIONS", "LogMetrics", "service_of", "status_of"]
