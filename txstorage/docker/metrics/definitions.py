# -*- test-case-name: tests.docker.metrics.test_documents -*-
"""
All metrics, as values: the registry and the documentation are made from them.
"""

from __future__ import annotations

import attr


@attr.s(auto_attribs=True, frozen=True)
class Definition:
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
    labels: tuple[str, ...] = ()


OPERATION_SECONDS = Definition(
    "txstorage_operation_duration_seconds",
    "histogram",
    "The durations of the driver's operations, such as attach.",
    ("operation", "outcome"),
)
OPERATIONS_IN_PROGRESS = Definition(
    "txstorage_operations_in_progress",
    "gauge",
    "The driver's operations that wait for the cloud or for a device.",
    ("operation",),
)
HTTP_SECONDS = Definition(
    "txstorage_http_request_duration_seconds",
    "histogram",
    "The durations of HTTP requests to the cloud, each attempt by itself.",
    ("service", "outcome"),
)
HTTP_REQUESTS = Definition(
    "txstorage_http_requests_total",
    "counter",
    "The HTTP requests to the cloud that have ended; the status is 'none' without a response.",
    ("service", "status"),
)
HTTP_IN_PROGRESS = Definition(
    "txstorage_http_requests_in_progress",
    "gauge",
    "The HTTP requests to the cloud that wait for the response.",
    ("service",),
)
HTTP_RETRIES = Definition(
    "txstorage_http_retries_total",
    "counter",
    "The HTTP requests to the cloud that failed and were sent again.",
    ("service",),
)
POLL_FAILURES = Definition(
    "txstorage_poll_failures_total",
    "counter",
    "The polls of waiting operations that failed and were repeated.",
)
REFUSALS = Definition(
    "txstorage_refusals_total",
    "counter",
    "The requests that the cloud refused, after which the driver examined the volume again.",
    ("operation",),
)
TOKENS_KEPT = Definition(
    "txstorage_token_renewal_failures_total",
    "counter",
    "The renewals of the token that failed while the token was still valid.",
)
DEVICE_SEARCHES = Definition(
    "txstorage_device_searches_total",
    "counter",
    "The searches for the block device of an attached volume, by result: 'found' or 'missing'.",
    ("result",),
)
ENGINE_SECONDS = Definition(
    "txstorage_engine_call_duration_seconds",
    "histogram",
    "The durations of the engine's calls, such as VolumeDriver.Mount.",
    ("call", "outcome"),
)
ENGINE_IN_PROGRESS = Definition(
    "txstorage_engine_calls_in_progress",
    "gauge",
    "The engine's calls that wait for their answer.",
    ("call",),
)
PROBLEMS = Definition(
    "txstorage_background_problems_total",
    "counter",
    "The problems of work that no engine waits for; a repeated one counts once.",
)
MOUNTS = Definition("txstorage_mounts", "gauge", "The file systems that the plugin has mounted.")
VOLUMES = Definition(
    "txstorage_volumes",
    "gauge",
    "The volumes with a Docker name by state, from this node's point of view: 'mounted', "
    "'attached' to this node but not mounted, 'elsewhere', 'free' or 'removing'.",
    ("state",),
)
LIST_AGE = Definition(
    "txstorage_list_age_seconds",
    "gauge",
    "The time since the last complete list of the cloud's volumes; missing before the first one.",
)
HEALTHY = Definition(
    "txstorage_healthy", "gauge", "1 when /healthz answers with ok; 0 when it has a problem."
)

DEFINITIONS = tuple(each for each in list(globals().values()) if isinstance(each, Definition))
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
    "DEFINITIONS",
    "DEVICE_SEARCHES",
    "ENGINE_IN_PROGRESS",
    "ENGINE_SECONDS",
    "HEALTHY",
    "HTTP_IN_PROGRESS",
    "HTTP_REQUESTS",
    "HTTP_RETRIES",
    "HTTP_SECONDS",
    "LIST_AGE",
    "MOUNTS",
    "OPERATIONS_IN_PROGRESS",
    "OPERATION_SECONDS",
    "POLL_FAILURES",
    "PROBLEMS",
    "PROCESS",
    "REFUSALS",
    "TOKENS_KEPT",
    "VOLUMES",
    "Definition",
]
