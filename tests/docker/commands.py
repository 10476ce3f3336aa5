"""
The command ``txstorage docker-plugin`` as a process, beside the plugins of a test.
"""

from __future__ import annotations

import os
import subprocess
import sys

from .support import PluginTestCase


class PluginCommandTestCase(PluginTestCase):
    """Base: starts the command."""

    def begin(self, *arguments: str, socket: str | None = None) -> subprocess.Popen[str]:
        """Start the command with more options."""
        self.state = os.path.join(self.directory, "command")
        self.socket = socket or os.path.join(self.directory, "command.sock")
        agent = os.path.join(self.service.state, "agent-node-1.yml")
        process = subprocess.Popen(
            [sys.executable, "-m", "txstorage.cli", "--config", agent, "docker-plugin",
             "--socket", self.socket, "--state-dir", self.state, "--size", "1GiB", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
        )  # fmt: skip
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process
