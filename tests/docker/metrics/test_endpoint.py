"""Tests for :mod:`txstorage.docker.metrics.endpoint`."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
from typing import Any
from urllib.parse import urlsplit

import attr
from twisted.internet import reactor
from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from txstorage.docker.metrics import MetricsAddress, MetricsEndpoint
from txstorage.errors import SocketUnusable, StorageError

from ..commands import PluginCommandTestCase
from ..engine.support import ask
from .test_state import Plugin, volume

LOOPBACK = MetricsAddress("127.0.0.1", 0)


@attr.s(auto_attribs=True)
class Page:
    """An answer."""

    status: int
    content_type: str | None
    text: str

    def value(self, sample: str) -> float:
        """:return: of a sample, by its name and its labels as they stand in the text."""
        [found] = re.findall(rf"(?m)^{re.escape(sample)} (\S+)$", self.text)
        return float(found)


def fetch(url: str, path: str, method: str = "GET", body: bytes | None = None) -> Page:
    """:return: the answer to a request, to another path of the URL's server."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return Page(answer.status, answer.getheader("Content-Type"), answer.read().decode())
    finally:
        connection.close()


@attr.s(auto_attribs=True)
class ListedPlugin(Plugin):
    """A plugin with the outcome of its lists."""

    refreshed: float | None = None
    problem: Exception | None = None


class EndpointTests(TestCase):
    """``MetricsEndpoint`` on a real port, with a plugin whose state the test sets."""

    timeout = 60

    def setUp(self) -> None:
        self.plugin: Any = ListedPlugin([volume("a")])
        self.endpoint = self.made(LOOPBACK)
        self.url = self.endpoint.start()
        self.addCleanup(self.endpoint.stop)

    def made(self, address: MetricsAddress) -> Any:
        """:return: an endpoint of the plugin."""
        return MetricsEndpoint(reactor, address, self.plugin, self.plugin, 180.0)

    async def page(self, path: str, *request: Any) -> Page:
        """:return: a coroutine of the answer to a request."""
        found: Page = await deferToThread(fetch, self.url, path, *request)
        return found

    async def test_health(self) -> None:
        """The status of /healthz follows the plugin; the reason is the body."""
        page = await self.page("/healthz")
        self.assertEqual((503, "the cloud has not answered yet\n"), (page.status, page.text))
        self.plugin.refreshed = reactor.seconds()  # type: ignore[attr-defined]
        page = await self.page("/healthz")
        self.assertEqual((200, "ok\n"), (page.status, page.text))
        self.plugin.problem = StorageError("the cloud is down")
        page = await self.page("/healthz")
        self.assertEqual((503, "the cloud is down\n"), (page.status, page.text))
        self.assertEqual("text/plain; charset=utf-8", page.content_type)

    async def test_metrics(self) -> None:
        """The format is Prometheus' text; no metric has a time at which it was made."""
        page = await self.page("/metrics")
        self.assertEqual(200, page.status)
        self.assertTrue(str(page.content_type).startswith("text/plain; version="))
        self.assertEqual(1, page.value('txstorage_volumes{state="free"}'))
        self.assertGreater(page.value("process_open_fds"), 3)
        self.assertNotIn("_created", page.text)

    async def test_read_only(self) -> None:
        """Other methods, bodies and paths are refused, and change nothing."""
        for path in ("/metrics", "/healthz"):
            for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                page = await self.page(path, method, b"x" * 1000)
                self.assertIn(page.status, (405, 501), method)
                self.assertNotIn("txstorage_", page.text)
            page = await self.page(path, "HEAD")
            self.assertEqual("", page.text)
        for path in ("/", "/metrics/more", "/journal.sqlite", "/../etc/passwd"):
            self.assertEqual(404, (await self.page(path)).status, path)
        self.assertEqual(405, (await self.page("/metrics", "POST", b"x" * 10**6)).status)

    async def test_connections(self) -> None:
        """A program that holds connections open does not exhaust the plugin's files."""
        place = (urlsplit(self.url).hostname, urlsplit(self.url).port)
        held = [socket.create_connection(place) for _ in range(40)]
        for each in held:
            self.addCleanup(each.close)
        # A request that is answered comes after all of them.
        with self.assertRaises(OSError):
            await self.page("/healthz")
        self.assertLessEqual(len(self.endpoint._site._open), 16)
        for each in held:
            each.close()
        while self.endpoint._site._open:
            await deferToThread(lambda: None)
        self.assertEqual(503, (await self.page("/healthz")).status)

    async def test_taken(self) -> None:
        """An address in use is an error that names the option."""
        port = urlsplit(self.url).port
        assert port is not None
        other = self.made(MetricsAddress("127.0.0.1", port))
        error = self.assertRaises(SocketUnusable, other.start)
        self.assertIn(f"127.0.0.1:{port}", str(error))
        self.assertIn("--metrics", error.remedy)
        self.assertIsInstance(error.__cause__, CannotListenError)
        await other.stop()

    async def test_stopped(self) -> None:
        """After its end, nothing listens."""
        await self.endpoint.stop()
        with self.assertRaises(ConnectionRefusedError):
            await self.page("/healthz")


class WholeTests(PluginCommandTestCase):
    """The metrics of the command as a process, whose cloud is the embedded service."""

    async def begin_with_metrics(self) -> Any:
        """:return: a coroutine of the process, which is ready."""
        process = self.begin("--metrics", "127.0.0.1:0")
        assert process.stdout is not None
        line = await deferToThread(process.stdout.readline)
        self.assertRegex(line, r"^# Metrics: http://127\.0\.0\.1:\d+/metrics\n$")
        self.url = line.split()[-1]
        await deferToThread(process.stdout.readline)
        return process

    async def test_whole(self) -> None:
        """The metrics show what the engine asked for, and what the cloud was asked."""
        process = await self.begin_with_metrics()
        self.assertEqual({"Err": ""}, await ask(self.socket, "Create", Name="pg", Opts={}))
        mounted = await ask(self.socket, "Mount", Name="pg", ID="c1")
        self.assertEqual("", mounted["Err"])
        failed = await ask(self.socket, "Create", Name="pg", Opts={"size": "7GiB"})
        self.assertNotEqual("", failed["Err"])
        page = await deferToThread(fetch, self.url, "/metrics")
        for sample, least in [
            ('txstorage_volumes{state="mounted"}', 1),
            ("txstorage_mounts", 1),
            ("txstorage_healthy", 1),
            ('txstorage_http_requests_total{service="identity",status="201"}', 1),
            ('txstorage_http_requests_total{service="block-storage",status="202"}', 1),
            ('txstorage_http_requests_total{service="compute",status="200"}', 1),
            ('txstorage_device_searches_total{result="found"}', 1),
        ]:
            self.assertGreaterEqual(page.value(sample), least, sample)
        for metric, label, value, outcome, number in [
            ("operation", "operation", "create", "succeeded", 1),
            ("operation", "operation", "attach", "succeeded", 1),
            ("engine_call", "call", "VolumeDriver.Create", "succeeded", 1),
            ("engine_call", "call", "VolumeDriver.Create", "failed", 1),
            ("engine_call", "call", "VolumeDriver.Mount", "succeeded", 1),
        ]:
            labels = f'{{{label}="{value}",outcome="{outcome}"}}'
            name = f"txstorage_{metric}_duration_seconds"
            self.assertEqual(number, page.value(f"{name}_count{labels}"), labels)
            self.assertGreater(page.value(f"{name}_sum{labels}"), 0, labels)
        self.assertEqual(0, page.value('txstorage_operations_in_progress{operation="attach"}'))
        health = await deferToThread(fetch, self.url, "/healthz")
        self.assertEqual((200, "ok\n"), (health.status, health.text))
        for call, fields in (("Unmount", {"ID": "c1"}), ("Remove", {})):
            self.assertEqual({"Err": ""}, await ask(self.socket, call, Name="pg", **fields))
        page = await deferToThread(fetch, self.url, "/metrics")
        self.assertEqual(0, page.value('txstorage_volumes{state="mounted"}'))
        # The driver looked until the volume was gone.
        refused = 'txstorage_http_requests_total{service="block-storage",status="404"}'
        self.assertGreaterEqual(page.value(refused), 1)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(("", ""), await deferToThread(process.communicate))
        with self.assertRaises(ConnectionRefusedError):
            await deferToThread(fetch, self.url, "/healthz")

    async def test_outage(self) -> None:
        """
        An outage of the cloud is in the health and in the metrics, without secrets.  Machines find
        the URL in the document of a plugin that is ready.
        """
        process = self.begin("--json", "--metrics", "127.0.0.1:0")
        assert process.stdout is not None
        lines = [await deferToThread(process.stdout.readline) for _ in range(5)]
        self.url = json.loads("".join(lines))["metrics"]
        with open(self.service.configuration("node-1")["password_file"]) as opened:
            secret = opened.read().strip()
        self.assertGreater(len(secret), 8)
        self.service.kill()
        await ask(self.socket, "Get", Name="unknown")
        health = await deferToThread(fetch, self.url, "/healthz")
        self.assertEqual(503, health.status)
        self.assertIn("onnection", health.text)
        page = await deferToThread(fetch, self.url, "/metrics")
        self.assertEqual(0, page.value("txstorage_healthy"))
        status = 'txstorage_http_requests_total{service="block-storage",status="none"}'
        self.assertGreaterEqual(page.value(status), 1)
        retries = 'txstorage_http_retries_total{service="block-storage"}'
        self.assertGreaterEqual(page.value(retries), 1)
        for text in (health.text, page.text):
            self.assertNotIn(secret, text)

    async def test_warning(self) -> None:
        """An address for other machines gets a warning; one that is taken ends the command."""
        port = self.settings_port()
        process = self.begin("--metrics", f"0.0.0.0:{port}")
        _, errors = await deferToThread(process.communicate)
        self.assertEqual(1, process.returncode)
        self.assertIn(f"Warning: --metrics 0.0.0.0:{port} lets other machines", errors)
        self.assertIn(f"Can't serve the metrics at 0.0.0.0:{port}", errors)

    def settings_port(self) -> int:
        """:return: a port that is taken."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        port: int = taken.getsockname()[1]
        return port
