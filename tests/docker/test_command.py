"""Tests for :mod:`txstorage.cli.docker_plugin.command`."""

from __future__ import annotations

import json
import os
import signal

from twisted.internet.threads import deferToThread

from .commands import PluginCommandTestCase
from .engine.support import ask


class CommandTests(PluginCommandTestCase):
    """The command as a process, beside the plugins of the test."""

    async def test_served(self) -> None:
        """The command serves until SIGTERM, which ends it in order, and leaves no socket."""
        process = self.begin()
        assert process.stdout is not None
        line = await deferToThread(process.stdout.readline)
        self.assertEqual(f"txstorage docker-plugin ready: {self.socket}\n", line)
        self.assertEqual({"Err": ""}, await ask(self.socket, "Create", Name="pg", Opts={}))
        got = await ask(self.socket, "Get", Name="pg")
        self.assertEqual("1 GiB", got["Volume"]["Status"]["size"])
        self.assertEqual({"Err": ""}, await ask(self.socket, "Remove", Name="pg"))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(("", ""), await deferToThread(process.communicate))
        self.assertEqual(0, process.returncode)
        self.assertFalse(os.path.exists(self.socket))

    async def test_json(self) -> None:
        """Machines get a document when the plugin is ready."""
        process = self.begin("--json")
        assert process.stdout is not None
        lines = [await deferToThread(process.stdout.readline) for _ in range(4)]
        self.assertEqual({"remarks": [], "socket": self.socket}, json.loads("".join(lines)))

    async def test_taken(self) -> None:
        """A second plugin at the same socket ends with the reason."""
        taken = self.begin(socket=self.first.settings.socket)
        _, errors = await deferToThread(taken.communicate)
        self.assertEqual(1, taken.returncode)
        self.assertIn("Another process listens", errors)
