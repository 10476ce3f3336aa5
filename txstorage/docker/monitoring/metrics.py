# -*- test-case-name: tests.docker.test_monitoring -*-
"""
The plugin's metrics, counted from the messages of its log.

Neither the driver nor the plugin knows of them.
"""

from __future__ import annotations

from collections import Counter as Numbers
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily

from ..._log import DOCKER_REQUEST, DRIVER_OPERATION, HTTP_EXCHANGE, HTTP_RETRY
from ..journal import KnownVolume

Message = Mapping[str, Any]

#: Seconds that divide the durations of operations and calls.
BUCKETS = (0.1, 0.3, 1, 3, 10, 30, 60, 110, 300)
# Actions whose end is awaited at most; one that never ends is forgotten in the end.
_MOST = 10_000


class Metrics:
    """
    The metrics: an Eliot destination.

    :ivar registry: the ``CollectorRegistry``.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._begun: OrderedDict[tuple[Any, ...], Message] = OrderedDict()
        self._operations = Histogram(
            "txstorage_operation_seconds",
            "The duration of operations of the driver.",
            ["operation", "outcome"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._in_progress = Gauge(
            "txstorage_operations_in_progress",
            "The operations of the driver that have not ended.",
            ["operation"],
            registry=registry,
        )
        self._requests = Counter(
            "txstorage_http_requests_total",
            "The requests to the cloud, by their status, or by the error that ended them.",
            ["service", "status"],
            registry=registry,
        )
        self._retries = Counter(
            "txstorage_http_retries_total",
            "The requests to the cloud that were sent again.",
            registry=registry,
        )
        self._calls = Histogram(
            "txstorage_docker_call_seconds",
            "The duration of the calls of engines.",
            ["call", "outcome"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._ends = {
            DRIVER_OPERATION.action_type: self._operation_ended,
            HTTP_EXCHANGE.action_type: self._exchange_ended,
            DOCKER_REQUEST.action_type: self._call_ended,
        }

    def __call__(self, message: Message) -> None:
        """Count a message of the log."""
        if message.get("message_type") == HTTP_RETRY.message_type:
            self._retries.inc()
        end = self._ends.get(message.get("action_type", ""))
        if end is None:
            return
        action = (message["task_uuid"], *message["task_level"][:-1])
        if message["action_status"] == "started":
            self._begin(action, message)
        elif action in self._begun:
            begun = self._begun.pop(action)
            # The clock may be set while an action is under way.
            end(begun, message, max(0.0, message["timestamp"] - begun["timestamp"]))

    def _begin(self, action: tuple[Any, ...], message: Message) -> None:
        self._begun[action] = message
        if message["action_type"] == DRIVER_OPERATION.action_type:
            self._in_progress.labels(message["operation"]).inc()
        if len(self._begun) > _MOST:
            _, forgotten = self._begun.popitem(last=False)
            if forgotten["action_type"] == DRIVER_OPERATION.action_type:
                self._in_progress.labels(forgotten["operation"]).dec()

    def _operation_ended(self, begun: Message, ended: Message, seconds: float) -> None:
        operation = begun["operation"]
        self._in_progress.labels(operation).dec()
        self._operations.labels(operation, ended["action_status"]).observe(seconds)

    def _exchange_ended(self, begun: Message, ended: Message, seconds: float) -> None:
        status = ended.get("status") or ended.get("exception", "unknown").rpartition(".")[2]
        self._requests.labels(begun.get("service") or "unknown", str(status)).inc()

    def _call_ended(self, begun: Message, ended: Message, seconds: float) -> None:
        self._calls.labels(begun["call"], ended["action_status"]).observe(seconds)


class VolumesCollector:
    """
    The numbers of volumes, counted when they are asked for.

    :param volumes: returns the known volumes.
    :param mounted: returns the names of the volumes that are mounted here.
    :param node: returns this node's instance id, or ``None`` while it is not known.
    :param age: returns the seconds since the last list of the cloud, or ``None``.
    """

    def __init__(
        self,
        volumes: Callable[[], list[KnownVolume]],
        mounted: Callable[[], list[str]],
        node: Callable[[], str | None],
        age: Callable[[], float | None],
    ) -> None:
        self._volumes = volumes
        self._mounted = mounted
        self._node = node
        self._age = age

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See ``Collector``."""
        mounted, node = set(self._mounted()), self._node()
        numbers = Numbers(_state(each, mounted, node) for each in self._volumes())
        family = GaugeMetricFamily(
            "txstorage_docker_volumes",
            "The known volumes, by their state from this node's point of view.",
            labels=["state"],
        )
        for state in ("mounted", "attached", "elsewhere", "free"):
            family.add_metric([state], numbers[state])
        yield family
        age = self._age()
        yield GaugeMetricFamily(
            "txstorage_docker_list_age_seconds",
            "The time since the last list of the cloud's volumes.",
            value=float("nan") if age is None else age,
        )


def _state(volume: KnownVolume, mounted: set[str], node: str | None) -> str:
    if volume.name in mounted:
        return "mounted"
    if volume.attached_to is None:
        return "free"
    return "attached" if volume.attached_to == node else "elsewhere"


__all__ = ["BUCKETS", "Metrics", "VolumesCollector"]
