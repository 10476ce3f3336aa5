# -*- test-case-name: tests.embedded.testing.test_process -*-
"""
A double in a child process, which can be killed.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from .running import RunningOpenStack
from .scratch import scratch_directory
from .served import Served

#: Characters of a child's errors that are shown.
_LONGEST = 4000
#: Seconds until a child that does not end is killed.
_PATIENCE = 10.0


class DoubleNotStarted(Exception):
    """The child process of a double has ended at once; the text has its last lines."""


class OpenStackProcess(RunningOpenStack):
    """
    A double in a child process, on a free port of 127.0.0.1.  It ends with this process.

    :ivar nodes: server ids by name.
    :ivar pid: the process id.
    :param nodes: the names of the servers.
    :param root_volumes: whether each server has a root volume, which volume lists show.
    :param settings: ``users``, and those of the service, such as ``transition_delay``; see the
        documentation.
    :raises DoubleNotStarted: it does not start.
    """

    def __init__(
        self,
        nodes: Iterable[str] = ("node-1", "node-2"),
        root_volumes: bool = False,
        **settings: Any,
    ) -> None:
        self._directory = scratch_directory()
        self._errors = os.path.join(self._directory, "errors")
        with open(self._errors, "wb") as errors:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "txstorage.embedded.testing.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path))),
            )
        self.pid = self._child.pid
        options = dict(settings, nodes=list(nodes), root_volumes=root_volumes)
        served = self._handshake({"directory": self._directory, "options": options})
        self.nodes = served.nodes
        super().__init__(served.auth_url, served.password)

    def _handshake(self, order: dict[str, Any]) -> Served:
        """
        :raises DoubleNotStarted: the child has ended.
        """
        order_line = json.dumps(order).encode("ascii") + b"\n"
        assert self._child.stdin is not None and self._child.stdout is not None
        with suppress(BrokenPipeError):
            self._child.stdin.write(order_line)
            self._child.stdin.flush()
        line = self._child.stdout.readline()
        if line:
            return Served(**json.loads(line))
        self._child.wait()
        with open(self._errors, encoding="utf-8", errors="replace") as errors:
            said = errors.read()[-_LONGEST:]
        self.close()
        raise DoubleNotStarted(said.strip() or f"it ended with {self._child.returncode}")

    def close(self) -> None:
        """See :class:`~txstorage.embedded.testing.OpenStackDouble`."""
        assert self._child.stdin is not None and self._child.stdout is not None
        # The end of its input ends it.
        with suppress(BrokenPipeError):
            self._child.stdin.close()
        if self._child.returncode is None:
            # Its end closes its output; a wait with a time limit would look for it now and then.
            if not select.select([self._child.stdout], [], [], _PATIENCE)[0]:
                self._child.kill()
            self._child.wait()
        self._child.stdout.close()
        shutil.rmtree(self._directory, ignore_errors=True)
