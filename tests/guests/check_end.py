"""The ends of guests: killed tests, and kernels that do not start the agent."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from ..run import ROOT
from .machines.guest import Guest
from .machines.hypervisor import GuestError
from .support import image, make_directory

#: Starts a guest, prints QEMU's process id, and waits.
START = """\
from tests.guests.machines.hypervisor import Hypervisor
from tests.guests.support import image, make_directory
print(Hypervisor(image("3"), make_directory()).pid, flush=True)
input()
"""
#: Seconds.
PATIENCE = 60


class EndTests(SynchronousTestCase):
    """The ends of guests."""

    def test_killed(self):
        """QEMU ends with the process that started it, also when that is killed."""
        image("3")
        with subprocess.Popen(
            [sys.executable, "-c", START],
            env=dict(os.environ, PYTHONPATH=ROOT),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            descriptor = os.pidfd_open(int(process.stdout.readline()))
            self.addCleanup(os.close, descriptor)
            self.assertEqual([], select.select([descriptor], [], [], 0)[0])
            process.kill()
        self.assertEqual([descriptor], select.select([descriptor], [], [], PATIENCE)[0])

    def test_console(self):
        """A guest that ends early is an error with the end of its console."""
        broken = replace(image("3"), python="/no/python")
        with self.assertRaisesRegex(GuestError, "(?s)closed the connection.*Kernel panic"):
            Guest(broken, make_directory())
