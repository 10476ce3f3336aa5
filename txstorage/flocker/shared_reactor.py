# -*- test-case-name: tests.flocker.test_blocking -*-
"""
The reactor thread that a process's blocking drivers share, and its life from fork to exit.
"""

from __future__ import absolute_import, division, print_function

import atexit
import os
from threading import Lock

from .._support.monotonic import monotonic
from ..errors import DriverStopped, WouldWaitForItself
from .reactor_thread import ReactorThread

MYPY = False
if MYPY:
    from typing import Any, Dict, Hashable, List, Optional, Set, Text  # noqa: F401

    from .blocking import BlockingDriver  # noqa: F401
    from .reactor_thread import ThreadCall  # noqa: F401

#: The time in seconds that an exiting process allows its threads for closing their connections.
_EXIT_GRACE = 2.0

_PROCESS_ENDS = u"The storage driver does not run: its process is ending"
_INTERRUPTED = u"The caller was interrupted"


class SharedReactor(object):
    """The reactor thread of one process, if it is running, and the drivers that use it."""

    def __init__(self):
        # type: () -> None
        self._lock = Lock()
        self._thread = None  # type: Optional[ReactorThread]
        self._running = []  # type: List[ReactorThread]
        self._users = set()  # type: Set[BlockingDriver]
        self._refusal = None  # type: Optional[Text]

    def run(self, call):
        # type: (ThreadCall) -> Any
        """
        Run a call in the reactor's thread, and wait for its end.

        :return: the call's result.
        :raises Exception: the exception of the operation.
        :raises DriverStopped: the call was refused or cancelled.
        :raises WouldWaitForItself: the caller runs in the reactor's thread.
        """
        try:
            self._submit(call)
            call.wait()
        except BaseException:
            # An interrupt of the waiting caller, not the operation's own error.
            if call.thread is not None:
                call.thread.abort(call, DriverStopped(_INTERRUPTED))
            raise
        return call.result()

    def _submit(self, call):
        # type: (ThreadCall) -> None
        with self._lock:
            refusal = self._refusal or call.owner.refusal
            if refusal is not None:
                raise DriverStopped(refusal)
            if self._thread is not None and self._thread.is_current():
                raise WouldWaitForItself(u"A blocking call in the storage driver's own thread")
            self._users.add(call.owner)
            if self._thread is None or not self._thread.submit(call):
                self._thread = None
                self._thread = self._started(call)

    def _started(self, call):
        # type: (ThreadCall) -> ReactorThread
        thread = ReactorThread()
        thread.submit(call)
        self._running = [each for each in self._running if each.is_alive()] + [thread]
        try:
            thread.start()
        except RuntimeError:
            raise DriverStopped(_PROCESS_ENDS)
        except BaseException:
            # The interrupted start may have started the thread, which no driver uses yet.
            thread.stop(_INTERRUPTED)
            raise
        return thread

    def leave(self, owner, reason):
        # type: (BlockingDriver, Text) -> None
        """
        Cancel all calls of a driver; end the thread when no other driver uses it.

        :param BlockingDriver owner: the driver.
        :param text reason: the message of the callers' :class:`~txstorage.errors.DriverStopped`.
        """
        with self._lock:
            self._users.discard(owner)
            if self._thread is None:
                return
            if self._users:
                self._thread.abort_all(owner, reason)
            else:
                thread, self._thread = self._thread, None
                thread.stop(reason)

    def exit(self):
        # type: () -> None
        """
        End the thread, refuse all further calls, and wait for this thread and earlier ones.

        On Python 2, a thread that outlives the interpreter's modules prints errors.
        """
        with self._lock:
            self._refusal = _PROCESS_ENDS
            thread, self._thread = self._thread, None
            running = [each for each in self._running if each.is_alive()]
        if thread is not None:
            thread.stop(_PROCESS_ENDS)
        deadline = monotonic() + _EXIT_GRACE
        for each in running:
            each.join(max(0.0, deadline - monotonic()))


def _start_time():
    # type: () -> Optional[bytes]
    """
    Read the time at which this process started, in clock ticks since the machine's start.

    :return: bytes, or ``None`` without Linux's ``/proc``.  Source: proc_pid_stat(5).
    """
    try:
        with open("/proc/self/stat", "rb") as opened:
            # The second field, the program's name in parentheses, can contain anything.
            return opened.read().rpartition(b")")[2].split()[19]
    except (IOError, OSError, IndexError):
        return None


class ProcessReactors(object):
    """
    The shared reactors of a process and of the ancestors that it was forked from.

    A forked child inherits its ancestors' objects but not their threads, and their locks may be
    held for ever.  A pid alone does not identify a process, because a child can get the pid of an
    ancestor that has ended.  The number of forks does; on Python 2, which does not report forks,
    the start time does.
    """

    def __init__(self):
        # type: () -> None
        self._forks = 0
        self._reports_forks = hasattr(os, "register_at_fork")
        self._shared = {}  # type: Dict[Hashable, SharedReactor]
        if self._reports_forks:
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self):
        # type: () -> None
        self._forks += 1

    def current(self):
        # type: () -> SharedReactor
        """
        Return the shared reactor of this process.

        :return: a :class:`SharedReactor`; a forked child gets a new one, whose lock is free.
        """
        started = None if self._reports_forks else _start_time()
        # A fork by a C library is not reported, but changes the pid.
        process = (os.getpid(), self._forks, started)
        shared = self._shared.get(process)
        if shared is None:
            # setdefault is atomic, so all threads get the same object without a lock.
            shared = self._shared.setdefault(process, SharedReactor())
        return shared


_PROCESSES = ProcessReactors()


def this_process():
    # type: () -> SharedReactor
    """Return the :class:`SharedReactor` of this process."""
    return _PROCESSES.current()


# Exit handlers that are registered later run earlier, and may use a driver.
atexit.register(lambda: this_process().exit())

__all__ = ["this_process"]
