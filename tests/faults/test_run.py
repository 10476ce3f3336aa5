"""Tests of the program that runs the schedules: its commands, and the record."""

from __future__ import annotations

import shlex

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.documents.blocks import Block, of_suite
from tests.documents.session import Session, obstacle

from . import run
from .run import BATCH, PARTS, parsed, record


class CommandsTests(SynchronousTestCase):
    """The commands of docs/reliability.rst."""

    def blocks(self) -> list[Block]:
        """The page's blocks."""
        return of_suite("faults")["docs/reliability.rst"]

    def test_options(self) -> None:
        """The program accepts the options."""
        commands = [command for block in self.blocks() for command, _ in block.commands]
        given = [command.partition("OPTIONS=")[2] for command in commands]
        options = [parsed(shlex.split("".join(shlex.split(each)))) for each in given]
        self.assertEqual(",".join(PARTS), options[0].parts)
        self.assertEqual([None, 60.0], [each.minutes for each in options[:2]])
        self.assertEqual(4711, options[2].seed)

    def test_one_schedule(self) -> None:
        """The command that repeats one schedule runs it, and ends with the counts."""
        if obstacle():
            raise SkipTest(obstacle())
        session = Session()
        self.addCleanup(session.close)
        session.execute(self.blocks()[-1])


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
