"""
Tests for ``txstorage.cli.resources.several`` and ``txstorage.cli.resources.confirmation``.
"""

from __future__ import annotations

import os
import signal
from typing import Any
from unittest import mock
from uuid import uuid4

from twisted.internet.defer import Deferred

from txstorage.cli.resources import confirmation
from txstorage.cli.running import CommandInterrupted
from txstorage.driver.operations import BlockDeviceDriver

from ..support import CommandTestCase


class OutcomesTests(CommandTestCase):
    """Several volumes in one command."""

    def setUp(self) -> None:
        super().setUp()
        self.volumes = [self.create() for _ in range(3)]

    def test_all_well(self) -> None:
        """Each command applies to each volume; the documents are in the order of the words."""
        for command, *options in (
            ("attach",),
            ("path",),
            ("show",),
            ("detach",),
            ("destroy", "--yes"),
        ):
            document = self.document("volumes", command, *options, *self.volumes)
            self.assertTrue(document["ok"], command)
            results = [each["result"]["volume_id"] for each in document["volumes"]]
            self.assertEqual(results, self.volumes, command)
        self.assertEqual(self.document("volumes", "list")["volumes"], [])

    def test_paths(self) -> None:
        """With several volumes a path stands behind its volume's id."""
        expected = [
            f"{each} {os.path.join(self.cloud.devices_directory, each)}" for each in self.volumes
        ]
        for command in ("attach", "path"):
            result = self.txstorage("volumes", command, *self.volumes)
            self.assertEqual(result.stdout.splitlines(), expected)

    def test_some_fail(self) -> None:
        """A failure stops no other volume; it is reported with its remedy, and the code is 1."""
        attached, *others = self.volumes
        self.document("volumes", "attach", attached)
        missing = str(uuid4())
        words = [others[0], attached, missing, others[1]]
        document = self.document("volumes", "rm", "--yes", *words, exit_code=1)
        self.assertFalse(document["ok"])
        kinds = [(each["error"] or {}).get("kind") for each in document["volumes"]]
        self.assertEqual(kinds, [None, "StillAttached", "UnknownVolume", None])
        [left] = self.document("volumes", "list")["volumes"]
        self.assertEqual(left["volume_id"], attached)

    def test_failures_for_people(self) -> None:
        """Successes are on standard output, failures with their remedies on standard error."""
        missing = str(uuid4())
        result = self.txstorage("volumes", "rm", "--yes", "unknown", self.volumes[0], missing)
        self.assertEqual(result.exit_code, 1)
        self.assertEqual(result.stdout, f"Volume {self.volumes[0]} is destroyed\n")
        self.assertEqual(result.stderr.count("What to do: "), 2)
        for word in ("unknown", missing):
            self.assertIn(word, result.stderr)

    def test_once_each(self) -> None:
        """A volume that is named twice, in two spellings, is one volume."""
        first, second, _ = self.volumes
        words = [first, first.upper(), second[:8], first[:8], second]
        document = self.document("volumes", "rm", "--yes", *words)
        self.assertEqual([each["volume_id"] for each in document["volumes"]], [first, second])

    def test_many(self) -> None:
        """More volumes than are changed at the same time are changed, too."""
        volumes = self.volumes + [self.create() for _ in range(8)]
        document = self.document("volumes", "rm", "--yes", *volumes)
        self.assertEqual(len(document["volumes"]), len(volumes))
        self.assertEqual(self.document("volumes", "list")["volumes"], [])


class InterruptTests(CommandTestCase):
    """Several volumes, and Ctrl-C."""

    def setUp(self) -> None:
        super().setUp()
        self.volumes = [self.create() for _ in range(2)]

    def run_and_interrupt(self, operation: Any) -> Any:
        """Run an operation, and cancel it as a signal does."""
        call = Deferred.fromCoroutine(operation(self.clock))
        outcome: list[Any] = []
        call.addBoth(outcome.append)
        for _ in range(100):
            self.agent.flush()
            self.clock.advance(0.05)
        self.assertEqual(outcome, [])
        call.cancel()
        self.assertEqual(len(outcome), 1)
        raise CommandInterrupted()

    def interrupted(self, *options: str) -> Any:
        """Interrupt a command after it has detached the first of two volumes."""
        for each in self.volumes:
            self.document("volumes", "attach", each)
        detach_volume = BlockDeviceDriver.detach_volume

        def detach(driver: Any, volume_id: str) -> Any:
            stuck: Deferred[None] = Deferred()
            return detach_volume(driver, volume_id) if volume_id == self.volumes[0] else stuck

        with mock.patch.object(BlockDeviceDriver, "detach_volume", detach):
            with mock.patch.object(type(self), "run_now", type(self).run_and_interrupt):
                return self.txstorage(*options, "volumes", "detach", *self.volumes)

    def test_for_people(self) -> None:
        """Standard error says which volume was done, and which was not."""
        result = self.interrupted()
        self.assertEqual(result.exit_code, 130)
        self.assertIn(f"Done: {self.volumes[0]}\n", result.stderr)
        self.assertIn(f"Not finished: {self.volumes[1]}\n", result.stderr)

    def test_for_machines(self) -> None:
        """The error's document has the outcomes so far."""
        result = self.interrupted("--json")
        self.assertEqual((result.exit_code, result.stderr), (130, ""))
        first, second = self.parsed(result)["volumes"]
        self.assertEqual(first["result"]["status"], "available")
        self.assertEqual((second["result"], second["error"]), (None, None))

    def parsed(self, result: Any) -> Any:
        """The document of a result."""
        import json

        document = json.loads(result.stdout)
        self.assertEqual(document["error"]["kind"], "CommandInterrupted")
        return document


class ConfirmationTests(CommandTestCase):
    """The question before volumes are destroyed."""

    def test_whole_ids(self) -> None:
        """The question has the whole ids of what would be destroyed, and nothing else."""
        volumes = [self.create() for _ in range(2)]
        for words in (volumes[:1], volumes):
            with mock.patch.object(confirmation, "is_interactive", lambda: True):
                result = self.txstorage(
                    "volumes", "rm", "unknown", *(each[:8] for each in words), input="n\n"
                )
            self.assertEqual(result.exit_code, 1)
            for each in volumes:
                self.assertEqual(each in result.stderr, each in words)
            self.assertEqual(len(self.document("volumes", "list")["volumes"]), 2)

    def test_signals(self) -> None:
        """During the question signals interrupt it; afterwards the reactor handles them again."""

        def handler(number: int, frame: object) -> None:
            pass

        for number in (signal.SIGINT, signal.SIGTERM):
            self.addCleanup(signal.signal, number, signal.signal(number, handler))
        with confirmation.default_signals():
            self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
            self.assertIs(signal.getsignal(signal.SIGTERM), signal.SIG_DFL)
        self.assertIs(signal.getsignal(signal.SIGINT), handler)
        self.assertIs(signal.getsignal(signal.SIGTERM), handler)
