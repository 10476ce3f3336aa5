"""Tests for :mod:`txstorage.docker.monitoring.port`, and of the port of a whole plugin."""

from __future__ import annotations

import socket
from typing import Any

import treq
from prometheus_client import CollectorRegistry, Gauge
from twisted.internet import reactor
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from twisted.web.client import RequestTransmissionFailed, ResponseFailed

from txstorage.docker.monitoring.port import BOUNDS, MonitoringPort
from txstorage.errors import SocketUnusable

from ..support import PluginTestCase


async def fetch(number: int, path: str, method: str = "GET", **options: Any) -> tuple[int, str]:
    """:return: a coroutine of the status and the text of a page."""
    response = await treq.request(
        method,
        f"http://127.0.0.1:{number}/{path}",
        persistent=False,
        reactor=reactor,
        timeout=60,
        **options,
    )
    return response.code, await response.text()


class PortTests(TestCase):
    """A port with a metric and a health that the test sets."""

    timeout = 60

    def setUp(self) -> None:
        self.problem = "down"
        self.registry = CollectorRegistry()
        Gauge("some", "A metric.", registry=self.registry).set(7)
        self.port = self.made(0)
        self.port.start()
        self.addCleanup(self.port.stop)

    def made(self, number: int) -> MonitoringPort:
        """:return: a port."""
        return MonitoringPort(reactor, ("127.0.0.1", number), self.registry, lambda: self.problem)

    async def get(self, path: str, method: str = "GET", **options: Any) -> tuple[int, str]:
        """:return: a coroutine of the status and the text of a page."""
        return await fetch(self.port.number, path, method, **options)

    async def test_pages(self) -> None:
        """The status of /healthz follows the plugin, with the reason; /metrics has the metrics."""
        self.assertEqual((503, "down\n"), await self.get("healthz"))
        self.problem = ""
        self.assertEqual((200, "ok\n"), await self.get("healthz"))
        status, text = await self.get("metrics")
        self.assertEqual(200, status)
        self.assertIn("\nsome 7.0\n", text)

    async def test_read_only(self) -> None:
        """Other methods, bodies and paths are refused."""
        for path in ("metrics", "healthz"):
            for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                status, text = await self.get(path, method, data=b"x" * 1000)
                self.assertIn(status, (405, 501), method)
                self.assertNotIn("some", text)
            self.assertEqual("", (await self.get(path, "HEAD"))[1])
        for path in ("", "metrics/more", "journal.sqlite", "../etc/passwd"):
            self.assertEqual(404, (await self.get(path))[0], path)

    async def test_connections(self) -> None:
        """A program that holds connections open does not exhaust the plugin's files."""
        held = [socket.create_connection(("127.0.0.1", self.port.number)) for _ in range(40)]
        for each in held:
            self.addCleanup(each.close)
        site = self.port._site
        assert site is not None
        # A request that is answered, or refused, comes after all of them.
        with self.assertRaises((ResponseFailed, RequestTransmissionFailed)):
            await self.get("healthz")
        self.assertEqual(BOUNDS.connections_by_address, len(site._open))
        for each in held:
            each.close()
        while site._open:
            await deferToThread(lambda: None)
        self.assertEqual(503, (await self.get("healthz"))[0])

    async def test_taken(self) -> None:
        """An address in use is an error that names the option."""
        other = self.made(self.port.number)
        error = self.assertRaises(SocketUnusable, other.start)
        self.assertIn(f"127.0.0.1, port {self.port.number}", str(error))
        self.assertIn("--metrics", error.remedy)
        await other.stop()

    async def test_stopped(self) -> None:
        """After its end, nothing listens, and no connection is left."""
        number = self.port.number
        with socket.create_connection(("127.0.0.1", number)) as held:
            self.assertEqual(503, (await self.get("healthz"))[0])
            await self.port.stop()
            held.settimeout(60)
            with self.assertRaises(ConnectionResetError):
                while await deferToThread(held.recv, 1):
                    pass
        with self.assertRaises(ConnectionRefusedError):
            await fetch(number, "healthz")


class PluginTests(PluginTestCase):
    """The port of a plugin."""

    settings: dict[str, Any] = {"metrics": ("127.0.0.1", 0)}

    async def get(self, path: str) -> tuple[int, str]:
        """:return: a coroutine of the status and the text of a page."""
        port = self.first.running._monitoring.port
        assert port is not None
        return await fetch(port.number, path)

    async def test_read(self) -> None:
        """Prometheus reads the calls, the operations, the requests and the volumes."""
        await self.first.ask("Create", size="1")
        await self.first.mount()
        await self.first.ask("Create", size="7")
        status, text = await self.get("metrics")
        self.assertEqual(200, status)
        for line in (
            "txstorage_docker_mounts 1.0",
            'txstorage_docker_volumes{state="mounted"} 1.0',
            'txstorage_docker_call_seconds_count{call="VolumeDriver.Create",outcome="failed"}',
            'txstorage_docker_call_seconds_count{call="VolumeDriver.Mount",outcome="succeeded"}',
            'txstorage_device_searches_total{result="found"}',
            'txstorage_operation_seconds_count{operation="attach",outcome="succeeded"}',
            'txstorage_operations_in_progress{operation="attach"} 0.0',
            'txstorage_http_requests_total{service="compute",status="200"}',
            'txstorage_http_requests_total{service="block-storage",status="202"}',
            "process_open_fds",
        ):
            self.assertIn(line, text)
        self.assertNotIn("_created", text)

    async def test_refused(self) -> None:
        """A refused request has its status; the driver looks until a volume is gone."""
        await self.first.ask("Create", size="1")
        self.assertEqual({"Err": ""}, await self.first.ask("Remove"))
        _, text = await self.get("metrics")
        self.assertIn('txstorage_http_requests_total{service="block-storage",status="404"}', text)

    async def test_health(self) -> None:
        """The plugin is healthy while the cloud answers; else the page has the reason."""
        await self.first.running.catalog.refresh()
        self.assertEqual((200, "ok\n"), await self.get("healthz"))
        self.service.kill()
        await self.first.running._upkeep.round()
        status, text = await self.get("healthz")
        self.assertEqual(503, status)
        self.assertIn("127.0.0.1", text)
        _, text = await self.get("metrics")
        self.assertIn("txstorage_docker_healthy 0.0", text)
