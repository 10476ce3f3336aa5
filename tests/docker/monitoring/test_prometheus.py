"""A real Prometheus reads a plugin's metrics, and evaluates the dashboard's expressions."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import treq
from twisted.internet import reactor
from twisted.internet.error import ConnectError
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest

from tests.helpers.imports import ROOT

from ..support import PluginTestCase
from .test_port import fetch

#: The metrics of events that a plugin without trouble does not have; those without labels are 0.
WITHOUT_TROUBLE = {"txstorage_http_retries_total", "txstorage_refusals_total"}
CONFIGURATION = """\
global: {scrape_interval: 1s}
scrape_configs: [{job_name: plugin, static_configs: [{targets: ['127.0.0.1:%d']}]}]
"""


def expressions() -> Iterator[str]:
    """Yield the dashboard's expressions, as Grafana sends them for all nodes."""
    with open(os.path.join(ROOT, "docs", "docker-dashboard.json"), encoding="utf-8") as opened:
        dashboard = json.load(opened)
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$instance", ".*").replace("$__rate_interval", "4s")


class PrometheusTests(PluginTestCase):
    """The programs of Debian's package ``prometheus``."""

    settings: dict[str, Any] = {"metrics": ("127.0.0.1", 0)}

    async def setUp(self) -> None:
        for program in ("prometheus", "promtool"):
            if shutil.which(program) is None:
                raise SkipTest(f"{program} is not installed: see Debian's package prometheus")
        await super().setUp()
        await self.first.running.catalog.refresh()
        await self.first.ask("Create", size="1")
        await self.first.mount()
        port = self.first.running._monitoring.port
        assert port is not None
        self.number = port.number

    async def test_promtool(self) -> None:
        """promtool has no complaint about the metrics."""
        _, text = await fetch(self.number, "metrics")
        checked = await deferToThread(
            subprocess.run,
            ["promtool", "check", "metrics"],
            input=text,
            capture_output=True,
            text=True,
        )
        self.assertEqual((0, "", ""), (checked.returncode, checked.stdout, checked.stderr))

    async def test_dashboard(self) -> None:
        """Each expression is valid, and has values, except about trouble that there was not."""
        self.prometheus()
        for each in expressions():
            if not WITHOUT_TROUBLE & set(re.findall(r"\w+", each)):
                self.assertTrue(await self.value(each), each)
        for each in expressions():
            await self.asked(each)
        [mounted] = await self.value('txstorage_docker_volumes{state="mounted"}')
        self.assertEqual("1", mounted["value"][1])

    def prometheus(self) -> None:
        """Start Prometheus, on a port that the kernel has just had free."""
        directory = os.path.join(self.directory, "prometheus")
        os.mkdir(directory)
        with open(os.path.join(directory, "prometheus.yml"), "w") as opened:
            opened.write(CONFIGURATION % self.number)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.api = free.getsockname()[1]
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={directory}/prometheus.yml",
                f"--storage.tsdb.path={directory}/data",
                f"--web.listen-address=127.0.0.1:{self.api}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    async def asked(self, expression: str) -> list[Any]:
        """:return: a coroutine of the values of an expression, which is valid."""
        response = await treq.get(
            f"http://127.0.0.1:{self.api}/api/v1/query",
            params={"query": expression},
            persistent=False,
            reactor=reactor,
        )
        answer = await response.json()
        self.assertEqual("success", answer["status"], answer)
        found: list[Any] = answer["data"]["result"]
        return found

    async def value(self, expression: str) -> list[Any]:
        """:return: a coroutine of an expression's values, once Prometheus has read some."""
        while True:
            try:
                found = await self.asked(expression)
            except ConnectError:
                # It does not listen yet.
                found = []
            if found:
                return found
            await deferLater(reactor, 0.2, lambda: None)  # type: ignore[arg-type]
