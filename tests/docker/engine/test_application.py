"""Tests for :mod:`txstorage.docker.engine.application`."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.docker.engine.application import CALLS, EngineAPI
from txstorage.docker.engine.listening import Listener
from txstorage.docker.engine.protocol import CONTENT_TYPE
from txstorage.errors import InvalidSize, NoSuchVolume
from txstorage.filesystem import Mount, mounts_of

from .support import ask, exchange


class StubPlugin:
    """Answers as a test says, and records what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.error: Exception | None = None
        self.waiting: Deferred[None] | None = None

    async def _note(self, *call: Any) -> None:
        self.asked.append(call)
        if self.waiting is not None:
            await self.waiting
        if self.error is not None:
            raise self.error

    async def create(self, name: str, options: dict[str, Any]) -> None:
        """See ``VolumePlugin``."""
        await self._note("create", name, options)

    async def remove(self, name: str) -> None:
        """See ``VolumePlugin``."""
        await self._note("remove", name)

    async def mount(self, name: str, claim: str) -> str:
        """See ``VolumePlugin``."""
        await self._note("mount", name, claim)
        return "/m/pg/data"

    async def unmount(self, name: str, claim: str) -> None:
        """See ``VolumePlugin``."""
        await self._note("unmount", name, claim)

    async def get(self, name: str) -> dict[str, Any]:
        """See ``VolumePlugin``."""
        await self._note("get", name)
        return {"Name": name}

    def path(self, name: str) -> str:
        """See ``VolumePlugin``."""
        return "/m/" + name

    def list(self) -> list[dict[str, Any]]:
        """See ``VolumePlugin``."""
        return [{"Name": "pg"}]


class CallsTests(TestCase):
    """The protocol, over a socket."""

    timeout = 30

    async def setUp(self) -> None:
        self.stub = StubPlugin()
        self.mounted: Mount | None = mounts_of()[-1]
        self.activations = 0
        api = EngineAPI(self.stub, lambda name: self.mounted, self.activate)  # type: ignore[arg-type]
        self.path = os.path.join(os.path.relpath(self.mktemp()), "p.sock")
        listener = Listener(reactor, self.path)
        await listener.start(api.app.resource())
        self.addCleanup(listener.stop)

    def activate(self) -> None:
        """Count the activations."""
        self.activations += 1

    async def test_activate(self) -> None:
        """Activation has an empty body, and sets the plugin to work."""
        status, kind, body = await exchange(self.path, "Plugin.Activate", b"")
        self.assertEqual((200, CONTENT_TYPE), (status, kind))
        self.assertEqual({"Implements": ["VolumeDriver"]}, json.loads(body))
        self.assertEqual(1, self.activations)
        self.assertTrue(body.endswith(b"\n"))

    async def test_capabilities(self) -> None:
        """Volumes are the same on all nodes."""
        answer = await ask(self.path, "Capabilities")
        self.assertEqual({"Capabilities": {"Scope": "global"}}, answer)

    async def test_calls(self) -> None:
        """Each call reaches the plugin with its fields, and its answer the engine."""
        for call, fields, answer, asked in (
            ("Create", {"Name": "pg", "Opts": {"size": "1"}}, {"Err": ""},
             ("create", "pg", {"size": "1"})),
            ("Create", {"Name": "pg", "Opts": None}, {"Err": ""}, ("create", "pg", {})),
            ("Remove", {"Name": "pg"}, {"Err": ""}, ("remove", "pg")),
            ("Mount", {"Name": "pg", "ID": "1"}, {"Mountpoint": "/m/pg/data", "Err": ""},
             ("mount", "pg", "1")),
            ("Unmount", {"Name": "pg", "ID": "1"}, {"Err": ""}, ("unmount", "pg", "1")),
            ("Get", {"Name": "pg"}, {"Volume": {"Name": "pg"}, "Err": ""}, ("get", "pg")),
        ):  # fmt: skip
            self.assertEqual(answer, await ask(self.path, call, **fields), call)
            self.assertEqual(asked, self.stub.asked.pop())
        self.assertEqual(
            {"Mountpoint": "/m/pg", "Err": ""}, await ask(self.path, "Path", Name="pg")
        )
        self.assertEqual({"Volumes": [{"Name": "pg"}], "Err": ""}, await ask(self.path, "List"))

    async def test_errors(self) -> None:
        """An error is an answer with its reason and its remedy, except for Get."""
        self.stub.error = InvalidSize("Too small")
        for call in ("Create", "Remove", "Mount", "Unmount"):
            answer = await ask(self.path, call, Name="pg", ID="1", Opts={})
            self.assertIn("Too small (pass the size", answer["Err"])

    async def test_trouble_is_not_absence(self) -> None:
        """Get drops the connection for any trouble, and denies only what certainly is not there."""
        for error in (InvalidSize("x"), OSError("x"), RuntimeError("x")):
            self.stub.error = error
            self.assertEqual({}, await ask(self.path, "Get", Name="pg"))
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))
        self.stub.error = NoSuchVolume("pg")
        self.assertIn("no such volume", (await ask(self.path, "Get", Name="pg"))["Err"])

    async def test_empty_body(self) -> None:
        """A repeated request, whose body engines have lost, changes nothing and denies nothing."""
        for name, call in CALLS.items():
            if not call.has_fields:
                continue
            for body in (b"", b"\n", b"[]", b"{}"):
                status, _, content = await exchange(self.path, name, body)
                if call.errors_deny:
                    self.assertEqual((0, b""), (status, content), (name, body))
                else:
                    self.assertTrue(json.loads(content)["Err"], (name, body))
        self.assertEqual([], self.stub.asked)

    async def test_unknown(self) -> None:
        """Other calls, and other methods, are refused."""
        self.assertEqual(404, (await exchange(self.path, "VolumeDriver.Format", b"{}"))[0])
        self.assertEqual(404, (await exchange(self.path, "a/b", b"{}"))[0])

    async def test_invisible(self) -> None:
        """A mount that the caller does not see is given back, and refused with the reason."""
        self.mounted = Mount("9:9", "/", "/m/pg", "ext4", "/dev/x")
        answer = await ask(self.path, "Mount", Name="pg", ID="1")
        self.assertIn("PrivateTmp", answer["Err"])
        self.assertIn(str(os.getpid()), answer["Err"])
        self.assertNotIn("Mountpoint", answer)
        self.assertEqual([("mount", "pg", "1"), ("unmount", "pg", "1")], self.stub.asked)
        self.mounted = None
        self.assertIn("PrivateTmp", (await ask(self.path, "Mount", Name="pg", ID="2"))["Err"])


class SeparationTests(SynchronousTestCase):
    """The plugin beside the engine that waits for it."""

    def test_no_calls_to_engines(self) -> None:
        """
        The service has none of the code that asks an engine, which waits for the service's answers
        and would never answer.
        """
        script = "import sys, txstorage.docker.service; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        self.assertEqual("", done.stderr)
        loaded = done.stdout.split()
        self.assertIn("txstorage.docker.engine.application", loaded)
        self.assertEqual([], [name for name in loaded if "docker.diagnosis" in name])
        for name in filter(lambda name: name.startswith("txstorage.docker."), loaded):
            source = inspect.getsource(import_module(name))
            self.assertEqual([], re.findall(r"docker\.sock\b|HTTPConnection", source), name)
