"""Tests of :mod:`tests.nodes.ending`."""

from __future__ import annotations

import signal
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from ..run import ROOT

#: Ends itself by the first signal, and sends itself the other one while it ends.
PROGRAM = """\
import os, signal
from tests.nodes.ending import end_in_order
end_in_order()
try:
    os.kill(os.getpid(), {})
    signal.pause()
finally:
    os.kill(os.getpid(), {})
    print("in order")
"""


class EndTests(SynchronousTestCase):
    """Programs that signals end."""

    def test_signals(self) -> None:
        """
        The first signal ends the program's contexts and sets the exit code, without a traceback; a
        second signal changes nothing.
        """
        for first in (signal.SIGINT, signal.SIGTERM):
            for second in (signal.SIGINT, signal.SIGTERM):
                words = [sys.executable, "-c", PROGRAM.format(int(first), int(second))]
                done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
                self.assertEqual(
                    (128 + first, "in order\n", ""), (done.returncode, done.stdout, done.stderr)
                )
