# -*- test-case-name: tests.docker.monitoring.test_metrics -*-
"""
The metrics that count the messages of the log, so that neither driver nor plugin counts.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import Any, Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ..._log import HTTP_EXCHANGE
from .definitions import COUNTED, OF_LOG, REQUESTS, TIMED, Message, Metric, status_of

#: Seconds that divide the durations; engines give up after 120.
BUCKETS = (0.005, 0.025, 0.1, 0.3, 1, 3, 10, 30, 60, 110)
#: The actions whose end is awaited at most; one that never ends is forgotten in the end.
MOST = 10_000

_KINDS: dict[str, Any] = {"counter": Counter, "gauge": Gauge}


def _instrument(registry: CollectorRegistry, metric: Metric) -> Any:
    text, labels = metric.meaning, metric.labels
    if metric.kind == "histogram":
        return Histogram(metric.name, text, labels, registry=registry, buckets=BUCKETS)
    return _KINDS[metric.kind](metric.name, text, labels, registry=registry)


class Metrics:
    """
    The metrics: an Eliot destination.  Threads may log.

    :param clock: returns monotonic seconds; the times of messages follow the wall clock.
    :ivar registry: the ``CollectorRegistry``.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._lock = Lock()
        #: The type, the label and the start of each action that has not ended, the oldest first.
        self._begun: OrderedDict[tuple[Any, ...], tuple[str, str, float]] = OrderedDict()
        self._instruments = {each.name: _instrument(self.registry, each) for each in OF_LOG}

    def __call__(self, message: Message) -> None:
        """Count a message of the log."""
        kind = message.get("action_type", "")
        if kind in TIMED:
            action = (message["task_uuid"], *message["task_level"][:-1])
            if message["action_status"] == "started":
                self._begin(kind, action, message)
            else:
                self._end(action, message)
        elif message.get("message_type") in COUNTED:
            counted = COUNTED[message["message_type"]]
            self._of(counted.metric, *counted.labels(message)).inc()

    def _of(self, metric: Metric, *labels: str) -> Any:
        instrument = self._instruments[metric.name]
        return instrument.labels(*labels) if labels else instrument

    def _begin(self, kind: str, action: tuple[Any, ...], message: Message) -> None:
        label = TIMED[kind].label(message)
        forgotten = None
        with self._lock:
            self._begun[action] = kind, label, self._clock()
            if len(self._begun) > MOST:
                _, forgotten = self._begun.popitem(last=False)
        self._of(TIMED[kind].in_progress, label).inc()
        if forgotten is not None:
            self._of(TIMED[forgotten[0]].in_progress, forgotten[1]).dec()

    def _end(self, action: tuple[Any, ...], message: Message) -> None:
        with self._lock:
            begun = self._begun.pop(action, None)
        if begun is None:
            return
        kind, label, start = begun
        self._of(TIMED[kind].in_progress, label).dec()
        seconds = self._clock() - start
        self._of(TIMED[kind].seconds, label, message["action_status"]).observe(seconds)
        if kind == HTTP_EXCHANGE.action_type:
            self._of(REQUESTS, label, status_of(message)).inc()


__all__ = ["BUCKETS", "MOST", "Metrics"]
