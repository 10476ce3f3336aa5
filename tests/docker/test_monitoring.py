"""Tests for :mod:`txstorage.docker.monitoring`."""

from __future__ import annotations

import json
import os
import re
import socket
from typing import Any

import click
import treq
from prometheus_client import generate_latest
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.imports import ROOT
from txstorage.cli.docker_plugin.addresses import MetricsAddress, exposure
from txstorage.docker.journal import KnownVolume
from txstorage.docker.monitoring.metrics import Metrics, VolumesCollector
from txstorage.docker.monitoring.port import BOUNDS

from .support import PluginTestCase

VOLUMES = [
    KnownVolume("a1", "1", 1),
    KnownVolume("b1", "2", 1, "here"),
    KnownVolume("c1", "3", 1, "there"),
    KnownVolume("d1", "4", 1, "here"),
]


def registered() -> Metrics:
    """:return: the metrics, with some volumes."""
    metrics = Metrics()
    collector = VolumesCollector(lambda: VOLUMES, lambda: ["d1"], lambda: "here", lambda: 3.0)
    metrics.registry.register(collector)
    return metrics


class MetricsTests(SynchronousTestCase):
    """Metrics of messages that the test makes."""

    def setUp(self) -> None:
        self.metrics = registered()
        self.actions = 0

    def begin(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Begin an action; :return: the fields of its end."""
        self.actions += 1
        common = {"task_uuid": str(self.actions), "action_type": kind}
        begun = {"task_level": [1], "action_status": "started", "timestamp": 10.0}
        self.metrics({**common, **begun, **fields})
        return {**common, "task_level": [2], "action_status": "succeeded", "timestamp": 12.0}

    def value(self, name: str, **labels: str) -> float | None:
        """:return: the value of a sample."""
        return self.metrics.registry.get_sample_value(name, labels)

    def test_operations(self) -> None:
        """Operations are counted by their outcome, with their durations, and while they last."""
        end = self.begin("txstorage:driver", operation="attach", subject="volume 1")
        self.assertEqual(1, self.value("txstorage_operations_in_progress", operation="attach"))
        self.metrics({**end, "action_status": "failed"})
        self.assertEqual(0, self.value("txstorage_operations_in_progress", operation="attach"))
        labels = {"operation": "attach", "outcome": "failed"}
        self.assertEqual(2, self.value("txstorage_operation_seconds_sum", **labels))
        self.assertEqual(1, self.value("txstorage_operation_seconds_count", **labels))

    def test_requests(self) -> None:
        """Requests are counted by service and status, or by the error without a status."""
        request = {"method": "GET", "url": "http://x/", "request_id": "1"}
        self.metrics({**self.begin("txstorage:http", service="compute", **request), "status": 200})
        end = self.begin("txstorage:http", service=None, **request)
        failed = {"action_status": "failed", "exception": "txstorage.errors.Unreachable"}
        self.metrics({**end, **failed})
        name = "txstorage_http_requests_total"
        self.assertEqual(1, self.value(name, service="compute", status="200"))
        self.assertEqual(1, self.value(name, service="unknown", status="Unreachable"))
        self.metrics({"message_type": "txstorage:http:retry", "reason": "x", "delay": 1})
        self.assertEqual(1, self.value("txstorage_http_retries_total"))

    def test_calls(self) -> None:
        """Calls of engines are counted by their outcome, with their durations."""
        self.metrics(self.begin("txstorage:docker", call="VolumeDriver.Get", name="pg", claim=""))
        labels = {"call": "VolumeDriver.Get", "outcome": "succeeded"}
        self.assertEqual(1, self.value("txstorage_docker_call_seconds_count", **labels))

    def test_volumes(self) -> None:
        """Volumes are counted by their state when they are asked for."""
        for state in ("free", "attached", "elsewhere", "mounted"):
            self.assertEqual(1, self.value("txstorage_docker_volumes", state=state), state)
        self.assertEqual(3, self.value("txstorage_docker_list_age_seconds"))

    def test_bounded(self) -> None:
        """Actions that never end are forgotten in the end."""
        for _ in range(10_010):
            self.begin("txstorage:driver", operation="attach", subject="x")
        self.assertEqual(10_000, self.value("txstorage_operations_in_progress", operation="attach"))
        self.metrics({"message_type": "other"})
        self.metrics({**self.begin("other"), "task_uuid": "unknown"})

    def test_documented(self) -> None:
        """The page and the dashboard have each metric, and no other."""
        for end in (
            self.begin("txstorage:driver", operation="attach", subject="x"),
            self.begin("txstorage:http", service="compute", status=200),
            self.begin("txstorage:docker", call="x", name="", claim=""),
        ):
            self.metrics(end)
        text = generate_latest(self.metrics.registry).decode()
        families = set(re.findall(r"^# TYPE (txstorage_\w+) (?!gauge\n\1_created)", text, re.M))
        families = {each for each in families if not each.endswith("_created")}
        samples = set(re.findall(r"^(txstorage_\w+)", text, re.M))
        with open(os.path.join(ROOT, "docs", "docker-dashboard.json")) as opened:
            dashboard = json.load(opened)
        used = {
            name
            for panel in dashboard["panels"]
            for target in panel["targets"]
            for name in re.findall(r"txstorage_\w+", target["expr"])
        }
        self.assertEqual(set(), used - samples)
        stripped = {re.sub(r"_(count|bucket|total)$", "", name) for name in used}
        self.assertEqual({re.sub(r"_total$", "", name) for name in families}, stripped)
        with open(os.path.join(ROOT, "docs", "docker.rst")) as opened:
            page = set(re.findall(r"``(txstorage_\w+)``", opened.read()))
        self.assertEqual(stripped, page)


class AddressTests(SynchronousTestCase):
    """The argument of ``--metrics``."""

    def test_read(self) -> None:
        """A port alone is one of this machine; IPv6 addresses have brackets."""
        for text, address in (
            ("9108", ("127.0.0.1", 9108)),
            ("0.0.0.0:1", ("0.0.0.0", 1)),
            ("[::1]:9108", ("::1", 9108)),
            ("localhost:9108", ("localhost", 9108)),
        ):
            self.assertEqual(address, MetricsAddress().convert(text, None, None))
        for text in ("", "0", "65536", "x", "1:2:3", "a b:1", "::1:9108", "127.0.0.1:"):
            self.assertRaises(click.BadParameter, MetricsAddress().convert, text, None, None)

    def test_exposed(self) -> None:
        """An address that other machines can reach is worth a warning."""
        for host in ("127.0.0.1", "::1", "localhost"):
            self.assertEqual("", exposure((host, 1)))
        self.assertEqual("", exposure(None))
        for host in ("0.0.0.0", "::", "10.0.0.1", "node-1"):
            self.assertIn(host, exposure((host, 1)))


class PortTests(PluginTestCase):
    """The port of a plugin."""

    settings: dict[str, Any] = {"metrics": ("127.0.0.1", 0)}

    async def get(self, path: str) -> tuple[int, str]:
        """:return: a coroutine of the status and the text of a page."""
        port = self.first.running._monitoring.port
        assert port is not None
        response = await treq.get(
            f"http://127.0.0.1:{port.number}/{path}", persistent=False, reactor=reactor
        )
        return response.code, await response.text()

    async def test_read(self) -> None:
        """Prometheus reads the calls, the operations, the requests and the volumes."""
        await self.first.ask("Create", size="1")
        await self.first.mount()
        status, text = await self.get("metrics")
        self.assertEqual(200, status)
        for line in (
            'txstorage_docker_volumes{state="mounted"} 1.0',
            'txstorage_docker_call_seconds_count{call="VolumeDriver.Mount",outcome="succeeded"}',
            'txstorage_operation_seconds_count{operation="attach",outcome="succeeded"}',
            'txstorage_http_requests_total{service="compute",status="200"}',
            'txstorage_http_requests_total{service="block-storage",status="202"}',
        ):
            self.assertIn(line, text)
        self.assertEqual(404, (await self.get("other"))[0])

    async def test_health(self) -> None:
        """The plugin is healthy while the cloud answers; else the page has the reason."""
        await self.first.running.catalog.refresh()
        self.assertEqual((200, "ok\n"), await self.get("healthz"))
        self.service.kill()
        await self.first.running._upkeep.round()
        status, text = await self.get("healthz")
        self.assertEqual(503, status)
        self.assertIn("127.0.0.1", text)

    async def test_bounded(self) -> None:
        """Few connections are open at a time; the others are closed at once."""
        port = self.first.running._monitoring.port
        assert port is not None
        opened = []
        for _ in range(2 * BOUNDS.connections_by_address):
            connection = socket.create_connection(("127.0.0.1", port.number))
            self.addCleanup(connection.close)
            connection.setblocking(False)
            opened.append(connection)
        for _ in range(100):
            if sum(map(_is_open, opened)) <= BOUNDS.connections_by_address:
                break
            await deferLater(reactor, 0.05)
        self.assertEqual(BOUNDS.connections_by_address, sum(map(_is_open, opened)))


def _is_open(connection: socket.socket) -> bool:
    """:return: whether the other side has not closed a connection."""
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
