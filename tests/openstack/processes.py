"""
The services as processes: started to outlive their starter, and stopped by their process ids, by
any program.
"""

import os
import signal
import subprocess
import time

from ..helpers.processes import began, status
from .progress import RigError

# Seconds that killed processes take to end on a busy machine.
_DYING = 30


def has_members(session):
    """:return: whether any process of a session runs."""
    statuses = (status(name) for name in os.listdir("/proc") if name.isdigit())
    return any(fields is not None and int(fields[3]) == session for fields in statuses)


class Processes:
    """
    :param layout: a :class:`~tests.openstack.layout.Layout`.
    """

    def __init__(self, layout):
        self._layout = layout

    def _remembered(self, name):
        return self._layout.run("pid", name)

    def names(self):
        """:return: the names of all services that were started and not stopped."""
        try:
            return os.listdir(self._layout.run("pid"))
        except FileNotFoundError:
            return []

    def pid(self, name):
        """:return: the process id of a running service, or ``None``."""
        try:
            with open(self._remembered(name)) as remembered:
                pid, when = remembered.read().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if began(int(pid)) == int(when) else None

    def start(self, name, command, environment):
        """Start a service, unless it runs.  Its output goes to its log."""
        if self.pid(name) is not None:
            return
        for directory in ("pid", "log"):
            os.makedirs(self._layout.run(directory), exist_ok=True)
        with open(self._layout.log(name), "ab") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=self._layout.run(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with open(self._remembered(name), "w") as remembered:
            remembered.write("{} {}".format(process.pid, began(process.pid) or 0))

    def check(self, name):
        """:raises RigError: a service that was started has ended by itself."""
        if self.pid(name) is None:
            raise RigError("{} ended.\n{}".format(name, self.last_words(name)))

    def last_words(self, name, lines=15):
        """:return: the end of a service's log, and the log's path."""
        path = self._layout.log(name)
        with open(path, errors="replace") as log:
            return "".join(log.readlines()[-lines:]) + "(from {})".format(path)

    def stop(self, names, seconds=4):
        """
        Stop services, all at once, with their children.

        :param seconds: the time before they are killed.
        """
        pids = {name: self.pid(name) for name in names}
        for pid in pids.values():
            if pid is not None:
                _send(os.kill, pid, signal.SIGTERM)
        end = time.monotonic() + seconds
        for name, pid in pids.items():
            while pid is not None and began(pid) is not None and time.monotonic() < end:
                time.sleep(0.05)
            if pid is not None:
                # its session is its own; the remains of the session go with it
                _send(os.killpg, pid, signal.SIGKILL)
                # a process that still dies would hold its port
                end_of_session = time.monotonic() + _DYING
                while has_members(pid) and time.monotonic() < end_of_session:
                    time.sleep(0.05)
            _forget(self._remembered(name))


def _send(send, pid, which):
    try:
        send(pid, which)
    except ProcessLookupError:
        pass


def _forget(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
