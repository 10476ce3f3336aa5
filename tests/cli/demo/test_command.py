"""
Tests for ``txstorage.cli.demo.command``: the real thing, and the real thing
interrupted at every step.
"""

from __future__ import annotations

import glob
import json
import os
import re
import select
import sys
from collections.abc import Sequence
from typing import Any, Callable
from unittest import mock

from rich.console import Console
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.app import App
from txstorage.cli.demo import command as demo_module
from txstorage.cli.demo import media as _media
from txstorage.cli.demo.command import DataChanged, Proof
from txstorage.cli.demo.media import FILES
from txstorage.cli.progress import Narrator
from txstorage.interfaces import BlockDeviceVolume

from ..support import CLUSTER, processes_of, runner
from .support import COMMON, MOUNTING, DemoTestCase


class DemonstrateTests(DemoTestCase):
    """``demonstrate``."""

    async def test_story(self) -> None:
        """All data comes back on the other node, and nothing is left behind."""
        answer = await self.show()
        document = answer.document
        self.assertEqual(self.names, self.expected())
        self.assertEqual([step["step"] for step in document["steps"]], self.names)
        self.assertTrue(all(step["ok"] for step in document["steps"]))
        self.assertEqual([(each["name"], each["size"]) for each in document["files"]], list(FILES))
        self.assertEqual(document["size"], 2**30)
        self.assertGreater(document["requests"], 10)
        self.assertEqual(set(document["device_paths"]), {"node-1", "node-2"})
        self.assertIn("nothing is left", str(answer.shown))
        json.dumps(document)
        self.assert_clean()

    async def test_without_mounting(self) -> None:
        """
        On a machine that can't mount, bytes on the device itself are moved, and the output names
        the reason.
        """
        self.patch(_media, "find_program", lambda name: None)
        answer = await self.show()
        self.assertEqual(set(self.names) & MOUNTING, set())
        self.assertIn("raw bytes", answer.document["medium"])
        self.assertIn("raw bytes", str(answer.shown))
        self.assert_clean()

    async def test_data_that_changes(self) -> None:
        """A single changed byte is detected, and everything is cleaned up."""
        self.patch(_media, "find_program", lambda name: None)

        def meddle(name: str) -> None:
            if name == "detach it from node-1":
                [path] = glob.glob(os.path.join(self.directory, "*/state/volumes/volume-*[0-9a-f]"))
                with open(path, "r+b") as volume:
                    volume.write(b"\0")

        error = await self.assertFailure(self.show(meddle), DataChanged)
        self.assertIn("one.bin", str(error))
        self.assert_clean()

    async def test_device_that_is_not_blank(self) -> None:
        """A device with something on it is left as it is."""

        def meddle(name: str) -> None:
            if name == "check that the device is blank":
                [path] = glob.glob(os.path.join(self.directory, "*/state/volumes/volume-*[0-9a-f]"))
                with open(path, "r+b") as volume:
                    volume.seek(1080)
                    volume.write(b"x")

        await self.assertFailure(self.show(meddle), _media.NotBlank)
        self.assertNotIn("make a file system", self.names)
        self.assert_clean()

    async def test_interrupted_at_each_step(self) -> None:
        """Wherever it is interrupted, nothing is left behind."""
        for number in range(len(COMMON)):
            self.names = []
            calls: list[Any] = []

            def interrupt(name: str) -> None:
                if len(self.names) == number + 1:
                    # The first step begins before there is a Deferred.
                    reactor.callLater(0, lambda: calls[0].cancel())

            calls.append(self.show(interrupt))
            try:
                await calls[0]
            except CancelledError:
                self.assertEqual(self.names[-1], "clean up")
            else:
                # There are fewer steps where nothing can be mounted.
                self.assertLessEqual(len(self.names), number)
            self.assert_clean()

    async def test_no_room(self) -> None:
        """Without room for its files, it fails at once, with a remedy."""
        self.patch(demo_module.shutil, "disk_usage", lambda path: mock.Mock(free=6 * 2**20))
        error = await self.assertFailure(self.show(), demo_module.NoRoom)
        self.assertIn(f"{self.directory} has room for 6 MiB", error.message)
        self.assertIn("TMPDIR", error.remedy)
        self.assertEqual(self.names, ["clean up"])
        self.assert_clean()

    async def test_failure(self) -> None:
        """A failure at any step is reported, and nothing is left behind."""
        for name in (COMMON[0], "write 4 files of random data", "detach it from node-2"):
            self.names = []

            def break_down(begun: str) -> None:
                if begun == name:
                    raise ZeroDivisionError(name)

            await self.assertFailure(self.show(break_down), ZeroDivisionError)
            self.assert_clean()


class Interrupter(ProcessProtocol):
    """Sends signals when a step is over."""

    def __init__(self, step: str, signals: Sequence[str] = ("INT", "INT")) -> None:
        self.step = step.encode()
        self.signals = signals
        self.before_signals: Callable[[], None] = lambda: None
        self.out = self.err = b""
        self.ended: Deferred[int] = Deferred()

    def outReceived(self, data: bytes) -> None:  # noqa: N802
        """See ``IProcessProtocol``."""
        self.out += data
        if self.step in self.out:
            self.step = b"\0"
            self.before_signals()
            for signal in self.signals:
                self.transport.signalProcess(signal)

    def errReceived(self, data: bytes) -> None:  # noqa: N802
        """See ``IProcessProtocol``."""
        self.err += data

    def processEnded(self, reason: Any) -> None:  # noqa: N802
        """See ``IProcessProtocol``."""
        self.ended.callback(reason.value.exitCode)


class CommandTests(DemoTestCase):
    """``txstorage demo`` as a process."""

    async def run_demo(self, step: str, *options: str) -> Interrupter:
        """Run the command with options, and interrupt it when a step begins."""
        child = Interrupter(step)
        await self.run_child(child, *options)
        return child

    async def run_child(self, child: Interrupter, *options: str) -> None:
        """Run it to its end."""
        argv = [sys.executable, "-m", "txstorage.cli", *options, "demo"]
        environment = dict(os.environ, TMPDIR=self.directory)
        reactor.spawnProcess(child, argv[0], argv, environment)
        self.exit_code = await child.ended

    async def test_people(self) -> None:
        """The output lists each step with its duration, and the proof."""
        child = await self.run_demo("\0")
        self.assertEqual((self.exit_code, child.err), (0, b""))
        steps = re.findall(r"ok +[0-9.]+ s  ([a-z0-9 -]+[a-z0-9])", child.out.decode())
        self.assertIn("detach it from node-2", steps)
        self.assertIn(b"Every byte came back", child.out)
        self.assert_clean()

    async def test_machines(self) -> None:
        """With --json there is one document, and nothing else."""
        child = await self.run_demo("\0", "--json")
        self.assertEqual((self.exit_code, child.err), (0, b""))
        self.assertTrue(json.loads(child.out.decode())["ok"])
        self.assert_clean()

    async def test_interrupted(self) -> None:
        """Ctrl-C, even twice, ends it with 130 and leaves nothing behind."""
        for step in ("create a volume", "attach it to node-1", "write 4 files", "destroy it"):
            child = await self.run_demo(step)
            self.assertEqual(self.exit_code, 130, child.err)
            self.assertIn(b"Interrupted", child.err)
            self.assert_clean()

    async def test_killed(self) -> None:
        """When it is killed, its service ends all the same."""
        services: list[Any] = []

        def look() -> None:
            services.extend(os.pidfd_open(pid) for pid in processes_of(self.directory))

        child = Interrupter("attach it to node-1", ["KILL"])
        child.before_signals = look
        await self.run_child(child)
        self.assertTrue(services)
        for service in services:
            self.addCleanup(os.close, service)
            readable, _, _ = await deferToThread(select.select, [service], [], [], 60)
            self.assertEqual(readable, [service])
        self.assertEqual(processes_of(self.directory), [])


class ProofTests(SynchronousTestCase):
    """``Proof``."""

    def proof(self, read: dict[str, str]) -> Proof:
        """Return a proof with two written files."""
        volume = BlockDeviceVolume("v", 2**30, CLUSTER)
        return Proof(volume, "x", {"a": "1", "b": "2"}, read, {})

    def test_equal(self) -> None:
        """The same files with the same checksums are well."""
        self.proof({"b": "2", "a": "1"}).check()

    def test_different(self) -> None:
        """A file that changed, that is missing or that is too many is named."""
        for read in ({"a": "1", "b": "3"}, {"a": "1"}, {"a": "1", "b": "2", "c": "3"}):
            error = self.assertRaises(DataChanged, self.proof(read).check)
            self.assertIn("c" if "c" in read else "b", str(error))


class NarratorTests(SynchronousTestCase):
    """``Narrator``."""

    def test_failure(self) -> None:
        """A failed step is shown as failed, with the known details."""
        clock, console = Clock(), Console(width=80, highlight=False)
        narrator = Narrator(clock, console, Console(quiet=True))
        with console.capture() as captured:
            try:
                with narrator.step("break [x]") as note:
                    clock.advance(1.5)
                    note.text = "in two"
                    raise ZeroDivisionError()
            except ZeroDivisionError:
                pass
        self.assertEqual(captured.get(), "FAIL    1.50 s  break [x]  in two\n")
        self.assertEqual(
            narrator.steps,
            [{"step": "break [x]", "seconds": 1.5, "ok": False, "detail": "in two"}],
        )


class WiringTests(SynchronousTestCase):
    """The command itself."""

    def test_answer(self) -> None:
        """The result of the demonstration on the chosen cloud is printed."""

        clouds: list[str] = []

        async def fake(app: App, given: Any, cloud: str) -> Any:
            clouds.append(cloud)
            return demo_module.CommandResult({"x": 1}, "shown")

        def run(operation: Any) -> Any:
            return self.successResultOf(Deferred.fromCoroutine(operation(Clock())))

        with mock.patch.object(demo_module, "demonstrate", fake):
            for options in ([], ["--cloud", "ec2"]):
                result = runner().invoke(demo_module.demo, options, obj=App(run=run))
                self.assertEqual((result.exit_code, result.stdout), (0, "shown\n"))
        self.assertEqual(clouds, ["openstack", "ec2"])
