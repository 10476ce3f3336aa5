"""Tests of the directories of doubles."""

from __future__ import annotations

import os
import shutil
import stat

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.testing.scratch import scratch_directory


class ScratchTests(SynchronousTestCase):
    """Tests of :func:`scratch_directory`."""

    def made(self, memory: str) -> str:
        """A new directory, which the test removes."""
        path = scratch_directory(memory)
        self.addCleanup(shutil.rmtree, path)
        return path

    def test_in_memory(self) -> None:
        """The directory is in memory, and its owner's only."""
        memory = self.mktemp()
        os.mkdir(memory)
        path = self.made(memory)
        self.assertEqual(os.path.dirname(path), memory)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o700)

    def test_elsewhere(self) -> None:
        """Without a file system in memory, it is where temporary files are."""
        self.assertTrue(os.path.isdir(self.made("/nonexistent")))
