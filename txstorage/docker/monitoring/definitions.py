# -*- test-case-name: tests.docker.monitoring.test_documents -*-
"""
The table of the metrics, from which the registry and the documentation are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

import attr

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

Message = Mapping[str, Any]
Labels = tuple[str, ...]


@attr.s(auto_attribs=True, frozen=True)
class Metric:
    """
    A metric.

    :ivar name: its name in expressions; of a histogram without ``_bucket``, ``_sum`` and
        ``_count``.
    :ivar kind: ``counter``, ``gauge`` or ``histogram``.
    :ivar meaning: a sentence.
    :ivar labels: the names of its labels, all of which have few values.
    """

    name: str
    kind: str
    meaning: str
    labels: Labels = ()


@attr.s(auto_attribs=True, frozen=True)
class Timed:
    """
    The metrics of a type of the log's actions.

    :ivar label: returns the value of the first label, from an action's first message.
    :ivar seconds: the durations, by that label and the outcome.
    :ivar in_progress: the actions that have not ended, by that label.
    """

    label: Callable[[Message], str]
    seconds: Metric
    in_progress: Metric


@attr.s(auto_attribs=True, frozen=True)
class Counted:
    """
    The metric that counts a type of the log's messages.

    :ivar metric: the counter.
    :ivar labels: returns the values of its labels, from a message.
    """

    metric: Metric
    labels: Callable[[Message], Labels] = lambda message: ()


def _field(name: str) -> Callable[[Message], str]:
    return lambda message: str(message.get(name) or "unknown")


def _result(message: Message) -> Labels:
    return ("found" if str(message["outcome"]).startswith("/") else "missing",)


def status_of(ended: Message) -> str:
    """:return: the status of an exchange from its last message, or the error that ended it."""
    status = ended.get("status")
    if isinstance(status, int) and 100 <= status < 600:
        return str(status)
    return str(ended.get("exception", "unknown")).rpartition(".")[2]


#: By the types of actions.
TIMED = {
    DOCKER_REQUEST.action_type: Timed(
        _field("call"),
        Metric(
            "txstorage_docker_call_seconds",
            "histogram",
            "The durations of the engine's calls, such as VolumeDriver.Mount.",
            ("call", "outcome"),
        ),
        Metric(
            "txstorage_docker_calls_in_progress",
            "gauge",
            "The engine's calls that wait for their answer.",
            ("call",),
        ),
    ),
    DRIVER_OPERATION.action_type: Timed(
        _field("operation"),
        Metric(
            "txstorage_operation_seconds",
            "histogram",
            "The durations of the driver's operations, such as attach.",
            ("operation", "outcome"),
        ),
        Metric(
            "txstorage_operations_in_progress",
            "gauge",
            "The driver's operations that wait for the cloud or for a device.",
            ("operation",),
        ),
    ),
    HTTP_EXCHANGE.action_type: Timed(
        _field("service"),
        Metric(
            "txstorage_http_request_seconds",
            "histogram",
            "The durations of requests to the cloud, each attempt by itself.",
            ("service", "outcome"),
        ),
        Metric(
            "txstorage_http_requests_in_progress",
            "gauge",
            "The requests to the cloud that wait for the response.",
            ("service",),
        ),
    ),
}

#: Beside the durations of requests.
REQUESTS = Metric(
    "txstorage_http_requests_total",
    "counter",
    "The requests to the cloud, by their status, or by the error that ended them.",
    ("service", "status"),
)

#: By the types of messages.
COUNTED = {
    HTTP_RETRY.message_type: Counted(
        Metric(
            "txstorage_http_retries_total",
            "counter",
            "The requests to the cloud that failed and were sent again.",
            ("service",),
        ),
        lambda message: (_field("service")(message),),
    ),
    POLL_FAILED.message_type: Counted(
        Metric(
            "txstorage_poll_failures_total",
            "counter",
            "The polls of waiting operations that failed and were repeated.",
        )
    ),
    REQUEST_REFUSED.message_type: Counted(
        Metric(
            "txstorage_refusals_total",
            "counter",
            "The requests that the cloud refused, and whose volume was examined again.",
            ("operation",),
        ),
        lambda message: (_field("operation")(message),),
    ),
    TOKEN_KEPT.message_type: Counted(
        Metric(
            "txstorage_token_renewal_failures_total",
            "counter",
            "The renewals of the token that failed while the token was still valid.",
        )
    ),
    DEVICE_SEARCH.message_type: Counted(
        Metric(
            "txstorage_device_searches_total",
            "counter",
            "The searches for the device of an attached volume, by result: 'found' or 'missing'.",
            ("result",),
        ),
        _result,
    ),
    DOCKER_PROBLEM.message_type: Counted(
        Metric(
            "txstorage_docker_problems_total",
            "counter",
            "The problems of work that no engine waits for; a repeated one counts once.",
        )
    ),
}

MOUNTS = Metric("txstorage_docker_mounts", "gauge", "The file systems that the plugin has mounted.")
VOLUMES = Metric(
    "txstorage_docker_volumes",
    "gauge",
    "The known volumes by their state from this node's point of view: 'mounted' here, 'attached' "
    "here but not mounted, 'elsewhere', 'free' or 'removing'.",
    ("state",),
)
LIST_AGE = Metric(
    "txstorage_docker_list_age_seconds",
    "gauge",
    "The time since the last list of the cloud's volumes; missing before the first one.",
)
HEALTHY = Metric(
    "txstorage_docker_healthy", "gauge", "1 when /healthz answers with ok; 0 when it has a problem."
)

#: The metrics that are counted from the log.
OF_LOG = (
    *(metric for each in TIMED.values() for metric in (each.seconds, each.in_progress)),
    REQUESTS,
    *(each.metric for each in COUNTED.values()),
)
METRICS = (*OF_LOG, MOUNTS, VOLUMES, LIST_AGE, HEALTHY)
#: The metrics of the process, as all programs with Prometheus' library have them.
PROCESS = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
)

__all__ = [
    "COUNTED",
    "HEALTHY",
    "LIST_AGE",
    "METRICS",
    "MOUNTS",
    "OF_LOG",
    "PROCESS",
    "REQUESTS",
    "TIMED",
    "VOLUMES",
    "Labels",
    "Message",
    "Metric",
    "status_of",
]
