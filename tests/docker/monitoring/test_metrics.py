"""Tests for :mod:`txstorage.docker.monitoring.metrics`."""

from __future__ import annotations

import contextlib
from itertools import count
from typing import Any

import eliot
from prometheus_client import generate_latest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage import _log
from txstorage._http.messages import log_refusals
from txstorage.docker.monitoring import metrics
from txstorage.docker.monitoring.metrics import Metrics
from txstorage.errors import ServiceError

HTTP = "txstorage:http"
DRIVER = "txstorage:driver"


class Stream:
    """A stream of messages, and the metrics that count them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.metrics = Metrics(self.clock.seconds)
        self._tasks = count()

    def begin(self, kind: str, **fields: Any) -> str:
        """Begin an action; :return: its task."""
        task = f"task-{next(self._tasks)}"
        self._action(task, kind, "started", 1, fields)
        return task

    def end(self, task: str, kind: str, outcome: str = "succeeded", **fields: Any) -> None:
        """End an action."""
        self._action(task, kind, outcome, 9, fields)

    def _action(self, task: str, kind: str, status: str, last: int, fields: Any) -> None:
        place = {"task_uuid": task, "task_level": [4, last], "timestamp": 0.0}
        self.metrics({**place, "action_type": kind, "action_status": status, **fields})

    def say(self, kind: str, **fields: Any) -> None:
        """Add a message."""
        self.metrics({"message_type": kind, "task_uuid": "m", "task_level": [1], **fields})

    def value(self, metric: str, **labels: str) -> float | None:
        """:return: the value of a sample, whose name has no prefix."""
        return self.metrics.registry.get_sample_value("txstorage_" + metric, labels)

    def text(self) -> str:
        """:return: what Prometheus reads."""
        return generate_latest(self.metrics.registry).decode()


class MetricsTests(SynchronousTestCase):
    """``Metrics`` with a stream of messages."""

    def setUp(self) -> None:
        self.stream = Stream()

    def test_operation(self) -> None:
        """An operation is in progress until it ends, and is then counted with its duration."""
        stream = self.stream
        first = stream.begin(DRIVER, operation="attach", subject="v")
        second = stream.begin(DRIVER, operation="attach", subject="w")
        self.assertEqual(2, stream.value("operations_in_progress", operation="attach"))
        stream.clock.advance(3.5)
        stream.end(first, DRIVER)
        stream.clock.advance(96.5)
        stream.end(second, DRIVER, "failed", exception="x", reason="y")
        self.assertEqual(0, stream.value("operations_in_progress", operation="attach"))
        for outcome, seconds, bucket in [("succeeded", 3.5, "10.0"), ("failed", 100.0, "110.0")]:
            labels = {"operation": "attach", "outcome": outcome}
            name = "operation_seconds"
            self.assertEqual(1, stream.value(name + "_count", **labels))
            self.assertEqual(seconds, stream.value(name + "_sum", **labels))
            self.assertEqual(1, stream.value(name + "_bucket", le=bucket, **labels))
        self.assertEqual(0, stream.value(name + "_bucket", le="60.0", **labels))

    def test_messages_inside(self) -> None:
        """Messages and actions within an action do not end it; their levels differ."""
        stream = self.stream
        stream.begin(DRIVER, operation="detach", subject="v")
        inner = {"task_uuid": "task-0", "action_type": HTTP, "service": "compute"}
        stream.metrics({**inner, "action_status": "started", "task_level": [4, 2, 1]})
        self.assertEqual(1, stream.value("http_requests_in_progress", service="compute"))
        stream.metrics({**inner, "action_status": "succeeded", "task_level": [4, 2, 2]})
        self.assertEqual(1, stream.value("operations_in_progress", operation="detach"))
        self.assertEqual(0, stream.value("http_requests_in_progress", service="compute"))

    def test_requests(self) -> None:
        """Requests count by service, and by status or error, in a bounded number of values."""
        stream = self.stream
        for service, outcome, fields, status in [
            ("identity", "succeeded", {"status": 201}, "201"),
            ("block-storage", "failed", {"status": 404}, "404"),
            ("compute", "failed", {"exception": "txstorage.errors.Unreachable"}, "Unreachable"),
            ("compute", "succeeded", {"status": 99999}, "unknown"),
            (None, "succeeded", {"status": 599}, "599"),
            (None, "succeeded", {"status": 600}, "unknown"),
            ("identity", "succeeded", {"status": 100}, "100"),
            ("identity", "succeeded", {"status": 99}, "unknown"),
        ]:
            task = stream.begin(HTTP, service=service, url="http://cloud/", request_id="req-1")
            stream.end(task, HTTP, outcome, **fields)
            shown = service or "unknown"
            found = stream.value("http_requests_total", service=shown, status=status)
            self.assertEqual(1, found, (service, status))
            seconds = "http_request_seconds_count"
            self.assertTrue(stream.value(seconds, service=shown, outcome=outcome))
        for secret in ("http://cloud", "req-1"):
            self.assertNotIn(secret, stream.text())

    def test_calls(self) -> None:
        """The engine's calls count by call, never by the volume or the claim."""
        stream = self.stream
        kind = "txstorage:docker"
        task = stream.begin(kind, call="VolumeDriver.Mount", name="secret", claim="c0ffee")
        self.assertEqual(1, stream.value("docker_calls_in_progress", call="VolumeDriver.Mount"))
        stream.end(task, kind, "failed", reason="r")
        labels = {"call": "VolumeDriver.Mount", "outcome": "failed"}
        self.assertEqual(1, stream.value("docker_call_seconds_count", **labels))
        self.assertNotRegex(stream.text(), "c0ffee|secret")
        self.assertNotIn("http_requests_total{", stream.text())

    def test_messages(self) -> None:
        """Messages are counted by their types."""
        stream = self.stream
        stream.say("txstorage:http:retry", service="compute", reason="r", delay=1)
        for _ in range(2):
            stream.say("txstorage:watcher:poll_failed", reason="r", waiting=3)
        stream.say("txstorage:driver:refused", operation="attach", subject="v", reason="r")
        stream.say("txstorage:token:kept", reason="r", remaining=3)
        stream.say("txstorage:docker:problem", subject="pg", reason="r")
        stream.say("txstorage:devices:search", volume_id="v", outcome="/dev/vdb")
        stream.say("txstorage:devices:search", volume_id="v", outcome="no device has the id")
        stream.say("other", reason="r")
        for value, name, labels in [
            (1, "http_retries_total", {"service": "compute"}),
            (2, "poll_failures_total", {}),
            (1, "refusals_total", {"operation": "attach"}),
            (1, "token_renewal_failures_total", {}),
            (1, "docker_problems_total", {}),
            (1, "device_searches_total", {"result": "found"}),
            (1, "device_searches_total", {"result": "missing"}),
        ]:
            self.assertEqual(value, stream.value(name, **labels), name)

    def test_bounded(self) -> None:
        """Of actions that never end, the oldest are forgotten, and their end counts nothing."""
        self.patch(metrics, "MOST", 3)
        stream = self.stream
        tasks = [stream.begin(DRIVER, operation="create", subject="v") for _ in range(10)]
        self.assertEqual(3, stream.value("operations_in_progress", operation="create"))
        labels = {"operation": "create", "outcome": "succeeded"}
        for task in tasks[:7]:
            stream.end(task, DRIVER)
        self.assertIsNone(stream.value("operation_seconds_count", **labels))
        for task in tasks[7:]:
            stream.end(task, DRIVER)
        self.assertEqual(3, stream.value("operation_seconds_count", **labels))
        self.assertEqual(0, stream.value("operations_in_progress", operation="create"))

    def test_started_before(self) -> None:
        """The end of an action that began earlier counts nothing."""
        self.stream.end("before", DRIVER)
        self.assertNotIn("operation=", self.stream.text())


class RealMessagesTests(SynchronousTestCase):
    """``Metrics`` with the messages that Eliot makes of the log's types."""

    def test_all(self) -> None:
        """The types have the fields that the metrics read; a refusal has its status."""
        stream = Stream()
        log_refusals()
        eliot.add_destinations(stream.metrics)
        self.addCleanup(eliot.remove_destination, stream.metrics)
        exchange = {"method": "GET", "url": "u", "request_id": "r"}
        with _log.DRIVER_OPERATION(operation="attach", subject="v"):
            with _log.HTTP_EXCHANGE(service="compute", **exchange) as action:
                action.add_success_fields(status=200, service_request_id="r")
            with (
                contextlib.suppress(ServiceError),
                _log.HTTP_EXCHANGE(service="identity", **exchange),
            ):
                raise ServiceError("GET", "u", 404, "there is none", "r")
            _log.HTTP_RETRY(service="identity", reason="r", delay=1).write()
        with _log.DOCKER_REQUEST(call="VolumeDriver.Get", name="pg", claim=""):
            _log.DEVICE_SEARCH(volume_id="v", outcome="/dev/vdb").write()
        _log.POLL_FAILED(reason="r", waiting=1).write()
        call = {"call": "VolumeDriver.Get", "outcome": "succeeded"}
        for name, labels in [
            ("operation_seconds_count", {"operation": "attach", "outcome": "succeeded"}),
            ("http_requests_total", {"service": "compute", "status": "200"}),
            ("http_requests_total", {"service": "identity", "status": "404"}),
            ("http_retries_total", {"service": "identity"}),
            ("docker_call_seconds_count", call),
            ("device_searches_total", {"result": "found"}),
            ("poll_failures_total", {}),
        ]:
            self.assertEqual(1, stream.value(name, **labels), (name, labels))
