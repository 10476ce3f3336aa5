"""
The directories of runs: all files of a run, and the records by which its remains are found.

A run's processes hold a lock, so that one run never takes another's remains for leftovers.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import shutil
import signal
import tempfile
import time

from ...helpers.loops import detach_below
from ...helpers.processes import began

#: Seconds that processes have to end by themselves, and control groups to become empty.
PATIENCE = 30


class Run:
    """
    :param directory: the run's directory.

    :ivar lock: the descriptor that holds the lock.
    """

    def __init__(self, directory):
        self.directory = directory
        self.lock = os.open(self.within("lock"), os.O_CREAT | os.O_RDWR, 0o600)

    @classmethod
    def make(cls, place):
        """
        Make a run's directory.

        :param place: the directory of all runs.
        """
        os.makedirs(place, exist_ok=True)
        run = cls(tempfile.mkdtemp(prefix="run-", dir=place))
        fcntl.flock(run.lock, fcntl.LOCK_EX)
        return run

    @property
    def name(self):
        return os.path.basename(self.directory)

    def within(self, *path):
        """:return: a path in the run's directory."""
        return os.path.join(self.directory, *path)

    def is_over(self):
        """:return: whether no process of the run holds the lock; it is held by this one then."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def record_process(self, pid):
        """Record a process, which must end with the run."""
        self._record(f"process {pid} {began(pid)}")

    def record_group(self, directory):
        """Record a control group."""
        self._record(f"group {directory}")

    def _record(self, line):
        with open(self.within("records"), "a") as records:
            records.write(line + "\n")

    def _recorded(self, kind):
        """:return: list of the lines of a kind, without it."""
        try:
            with open(self.within("records")) as records:
                found = [line.rstrip("\n").partition(" ") for line in records]
        except FileNotFoundError:
            return []
        return [rest for which, _, rest in found if which == kind]

    def sweep(self, seconds=PATIENCE):
        """
        Remove all that the run has left.

        :param seconds: the time that its processes have to end by themselves.
        """
        for recorded in self._recorded("process"):
            pid, start = recorded.split()
            if int(pid) != os.getpid():
                end_process(int(pid), start, seconds)
        for group in self._recorded("group"):
            remove_group(group)
        detach_below(self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)


def end_process(pid, start, seconds):
    """
    Wait until a process ends, and kill it when it does not.

    :param start: the text of its start time.
    """
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if str(began(pid)) != start or select.select([process], [], [], seconds)[0]:
            return
        os.kill(pid, signal.SIGKILL)
        select.select([process], [], [], PATIENCE)
    finally:
        os.close(process)


def remove_group(directory):
    """Remove a control group, and the groups in it, as soon as their last processes have ended."""
    end = time.monotonic() + PATIENCE
    for path, _, _ in os.walk(directory, topdown=False):
        while os.path.isdir(path):
            try:
                os.rmdir(path)
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > end:
                    raise
                time.sleep(0.02)


def sweep_left(place):
    """
    Remove the remains of runs that are over.

    :param place: the directory of all runs.
    """
    for name in os.listdir(place) if os.path.isdir(place) else ():
        run = Run(os.path.join(place, name))
        if run.is_over():
            run.sweep(seconds=0)
        os.close(run.lock)


def wait_until_over(place):
    """Wait until no run's process is left, and remove what it has left."""
    for name in os.listdir(place) if os.path.isdir(place) else ():
        try:
            run = Run(os.path.join(place, name))
        except FileNotFoundError:
            continue
        fcntl.flock(run.lock, fcntl.LOCK_EX)
        os.close(run.lock)
    sweep_left(place)
