"""Tests of the program that runs the schedules: its commands, and the record."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.documents.blocks import of_suite

from . import run
from .run import BATCH, PARTS, parsed, record


class CommandsTests(SynchronousTestCase):
    """The commands of docs/reliability.rst."""

    def commands(self) -> list[str]:
        """:return: the options of each command."""
        found = [
            command.partition("OPTIONS=")[2]
            for block in of_suite("faults")["docs/reliability.rst"]
            for command, _ in block.commands
        ]
        return [shlex.split(options)[0] if options else "" for options in found]

    def test_options(self) -> None:
        """The program accepts the options."""
        options = [parsed(shlex.split(each)) for each in self.commands()]
        self.assertEqual(",".join(PARTS), options[0].parts)
        self.assertEqual([None, 60.0], [each.minutes for each in options[:2]])
        self.assertEqual(4711, options[2].seed)

    def test_one_schedule(self) -> None:
        """The command that repeats one schedule runs it, and ends with the counts."""
        if os.getuid() != 0:
            raise SkipTest("loop devices need root")
        output = subprocess.check_output(
            [sys.executable, "-W", "ignore", "-m", "tests.faults.run"]
            + shlex.split(self.commands()[2]),
            cwd=run.ROOT,
            text=True,
            env={**os.environ, "PYTHONPATH": run.ROOT, "TXSTORAGE_RECORD": ""},
        )
        self.assertIn("schedules: 1 schedules in", output)
        self.assertTrue(output.endswith("1 passed, 0 failed, 0 skipped\n"), output)


class RecordTests(SynchronousTestCase):
    """The record of the figures."""

    def test_sections(self) -> None:
        """A part's figures replace its earlier ones, and the parts keep their order."""
        path = self.mktemp()
        self.patch(run, "RECORD", path)
        for part, figures in [("soak", "old"), ("schedules", "2"), ("soak", "new")]:
            record(part, ["today", f"{part}: {figures}"])
        with open(path) as opened:
            self.assertEqual("today\nschedules: 2\n\ntoday\nsoak: new\n", opened.read())

    def test_batches(self) -> None:
        """The seeds are consecutive, and as many as asked for."""
        batches = list(run._batches(5, BATCH + 1))
        self.assertEqual([BATCH, 1], [len(batch) for batch in batches])
        self.assertEqual(list(range(5, BATCH + 6)), [seed for batch in batches for seed in batch])
