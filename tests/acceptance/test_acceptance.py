"""Tests of the parts of ``make test-acceptance`` that need no Flocker."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import unittest
from typing import IO

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ..nodes.machines.node import Done
from ..run import ROOT
from .cluster import Cluster
from .images import SavedImage, libraries
from .runner import DEAD_NODE, connect_with, skip_if, skipping, wait_with
from .runtime import hooked

#: The targets, and their programs.
TARGETS = {"test-acceptance": "tests.acceptance.run", "demo-flocker": "tests.acceptance.demo"}


class TargetTests(SynchronousTestCase):
    """The targets where there is no Flocker."""

    def assert_said(self, *expected: str, **variables: str) -> None:
        """Each program fails, and its error has these texts, with its target for ``{}``."""
        given = {name: value for name, value in os.environ.items() if name != "FLOCKER_PYTHON"}
        for target, module in TARGETS.items():
            done = subprocess.run(
                [sys.executable, "-m", module],
                cwd=ROOT,
                env={**given, **variables},
                capture_output=True,
                text=True,
            )
            self.assertNotEqual(0, done.returncode)
            for text in expected:
                self.assertIn(text.format(target), done.stderr)

    def test_not_set(self) -> None:
        """Without ``FLOCKER_PYTHON``, the error names it, and the requirements."""
        self.assert_said(
            "FLOCKER_PYTHON is not set", "FLOCKER_PYTHON=/path/to/python2.7 make {}\n"
        )

    def test_without_flocker(self) -> None:
        """An interpreter that has no Flocker is an error with its name."""
        self.assert_said(sys.executable, "make {} needs a Flocker", FLOCKER_PYTHON=sys.executable)

    def test_missing(self) -> None:
        """A path without an interpreter is an error with that path."""
        self.assert_said("/nowhere/python", FLOCKER_PYTHON="/nowhere/python")


class RunnerTests(SynchronousTestCase):
    """The changes to Flocker's tests."""

    def test_dead_node(self) -> None:
        """Only the test of a dead node is no longer skipped."""

        def test(_: object) -> str:
            return "ran"

        self.assertEqual("ran", skip_if(True, DEAD_NODE + " invalidates a public IP")(test)(None))
        self.assertRaises(unittest.SkipTest, skip_if(True, "another reason")(test), None)

    def test_wait(self) -> None:
        """A Deferred is waited for; a function is passed on with its arguments."""
        passed: list[tuple[object, ...]] = []
        wait = wait_with(lambda *arguments: passed.append(arguments))
        waited: Deferred[None] = Deferred()
        self.assertIs(waited, wait(None, waited))
        wait("reactor", print, [1])
        self.assertEqual([("reactor", print, [1])], passed)

    def test_skipping(self) -> None:
        """The method skips its test, with the reason."""
        skipped = self.assertRaises(unittest.SkipTest, skipping("no image"), None)
        self.assertEqual("no image", str(skipped))

    def test_connect(self) -> None:
        """A connection that was closed is the driver's own error; others stay as they are."""

        def connect(size: int) -> object:
            return struct.unpack("!i", b"0" * size)

        patient = connect_with(connect, LookupError)
        self.assertRaises(LookupError, patient, 3)
        self.assertRaises(TypeError, patient, "4")
        self.assertEqual(connect(4), patient(4))


class Node:
    """A node with a power switch."""

    is_off = False
    starts = 0

    def start(self, wait: bool) -> None:
        self.is_off = False
        self.starts += 1


class Compute:
    """A Compute with one server."""

    status = "ACTIVE"
    stops = 0

    def stop_server(self, node: Node) -> None:
        self.status = "SHUTOFF"
        self.stops += 1

    def server_status(self, node: Node) -> str:
        return self.status


class PowerTests(SynchronousTestCase):
    """The connection of the nodes' power with Compute."""

    def setUp(self) -> None:
        self.cluster = Cluster(None, [])
        self.node, self.cluster.service = Node(), Compute()
        self.cluster.nodes = [self.node]

    def look(self) -> tuple[str, int, int]:
        """Return the server's status, and the numbers of stops and of starts."""
        self.cluster.look()
        return self.cluster.service.status, self.cluster.service.stops, self.node.starts

    def test_life(self) -> None:
        """A node that is off is stopped once; it boots when its server is started, again, too."""
        self.assertEqual(("ACTIVE", 0, 0), self.look())
        for times in (1, 2):
            self.node.is_off = True
            for _ in range(3):
                self.assertEqual(("SHUTOFF", times, times - 1), self.look())
            self.cluster.service.status = "ACTIVE"
            for _ in range(2):
                self.assertEqual(("ACTIVE", times, times), self.look())


class RuntimeTests(SynchronousTestCase):
    """The hook for the boot id."""

    def test_hooked(self) -> None:
        """The hook comes last, with the path of the root; nothing else changes."""
        bundle = {"root": {"path": "rootfs"}, "hooks": {"prestart": [1], "createRuntime": [2]}}
        changed = hooked(bundle, "/the/bundle")
        self.assertEqual([2], changed["hooks"]["createRuntime"][:-1])
        self.assertEqual("/the/bundle/rootfs", changed["hooks"]["createRuntime"][-1]["args"][-1])
        self.assertEqual(([1], bundle["root"]), (changed["hooks"]["prestart"], changed["root"]))


class Engine:
    """
    A node whose engine has no image.

    :param output: the output of ``docker load``.
    """

    returncode = 0

    def __init__(self, output: str) -> None:
        self.output = output
        self.ran: list[list[str]] = []

    def run(self, words: list[str], check: bool = True) -> Done:
        self.ran.append(words)
        return Done(0 if check else 1, "", "")

    def spawn(self, words: list[str], stdin: IO[bytes]) -> Engine:
        self.ran.append([*words, stdin.read().decode("ascii")])
        return self

    def communicate(self) -> tuple[str, str]:
        return self.output, "none here"

    name = "node-1"


class SavedImageTests(SynchronousTestCase):
    """Images of ``docker save``."""

    def loaded(self, output: str) -> list[list[str]]:
        """Return the commands of an engine that loads an image."""
        path = self.mktemp()
        with open(path, "w", encoding="ascii") as opened:
            opened.write("content")
        engine = Engine(output)
        SavedImage("the/name:latest", path).load(engine)
        return engine.ran[1:]

    def test_load(self) -> None:
        """The file is loaded, and its image gets the name, if it had one or not."""
        for said in ("Loaded image: mongo:4.4", "Loaded image ID: sha256:12ab"):
            had = said.split(": ", 1)[1]
            self.assertEqual(
                [
                    ["docker", "load", "--quiet", "content"],
                    ["docker", "tag", had, "the/name:latest"],
                ],
                self.loaded(said + "\n"),
            )

    def test_no_image(self) -> None:
        """A file without an image is an error with the engine's."""
        self.assertIn("none here", str(self.assertRaises(OSError, self.loaded, "")))


class LibrariesTests(SynchronousTestCase):
    """The libraries of a program."""

    def test_shell(self) -> None:
        """They are the paths of files, the C library among them."""
        found = libraries([os.path.realpath("/bin/sh")])
        self.assertTrue(any("/libc.so" in path for path in found), found)
        self.assertEqual(set(), {path for path in found if not os.path.isfile(path)})
