# -*- test-case-name: tests.flocker.test_blocking -*-
"""
A reactor in a thread of its own, one per process, that runs operations for blocked callers.

See :mod:`txstorage.flocker.blocking`.
"""

from __future__ import absolute_import, division, print_function

import atexit
import os
from threading import Event, Lock, Thread, current_thread

from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

from .._support.compat import native
from .._support.monotonic import use_monotonic_time
from .._support.old_twisted import SecondReactor
from ..errors import DriverStopped, WouldWaitForItself

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Hashable, NoReturn, Optional, Set, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from .blocking import BlockingDriver  # noqa: F401

#: The time in seconds that an exiting process allows the thread for closing its connections.
_EXIT_GRACE = 2.0

_PROCESS_ENDS = u"The storage driver does not run: its process is ending"
_THREAD_ENDED = u"The storage driver's thread ended"
_INTERRUPTED = u"The caller was interrupted"


def _daemon(*args, **kwargs):
    # type: (*Any, **Any) -> Thread
    thread = Thread(*args, **kwargs)
    thread.daemon = True
    return thread


def _new_reactor():
    # type: () -> SecondReactor
    reactor = SecondReactor()  # type: ignore[no-untyped-call]
    use_monotonic_time(reactor)
    # The reactor resolves host names in threads; a slow lookup must not delay the process's exit.
    pool = reactor.getThreadPool()  # type: Any
    pool.threadFactory = _daemon
    return reactor


class OriginalTraceback(Exception):
    """
    The traceback of an exception, as text.

    It is the exception's ``__cause__`` when Twisted did not keep the traceback itself.
    """


def _raise(failure):
    # type: (Failure) -> NoReturn
    error = failure.value  # type: Any
    if failure.tb is None and getattr(error, "__cause__", None) is None:
        error.__cause__ = OriginalTraceback(native(failure.getTraceback()))
    failure.raiseException()


class ThreadCall(object):
    """
    An operation that a caller waits for and the reactor's thread runs.

    Only :meth:`wait` and :meth:`result` are called in the caller's thread.

    :param owner: the blocking driver that was called.
    :param function: called with an asynchronous driver; returns a ``Deferred``.
    :ivar owner: the blocking driver that was called.
    :ivar thread: the :class:`ReactorThread` that runs the call, or ``None``.
    """

    def __init__(self, owner, function):
        # type: (BlockingDriver, Callable[[Any], Deferred[Any]]) -> None
        self.owner = owner
        self.thread = None  # type: Optional[ReactorThread]
        self._function = function
        self._ended = Event()
        self._result = None  # type: Any
        self._deferred = None  # type: Optional[Deferred[Any]]

    def start(self, thread):
        # type: (ReactorThread) -> Deferred[None]
        """
        Run the operation.

        :param ReactorThread thread: the current thread.
        :return: a ``Deferred`` that fires with ``None`` when the operation has ended; never fails.
        """
        if self._ended.is_set():
            return maybeDeferred(lambda: None)
        self._deferred = d = maybeDeferred(lambda: self._function(self.owner.on(thread)))
        return d.addBoth(self._end)

    def abort(self, error):
        # type: (Exception) -> None
        """Raise an exception in the caller, and cancel the operation."""
        self._end(Failure(error))
        if self._deferred is not None:
            self._deferred.cancel()

    def _end(self, result):
        # type: (Any) -> None
        if not self._ended.is_set():
            self._result = result
            self._ended.set()

    def wait(self):
        # type: () -> None
        """Wait for the operation's end."""
        # No timeout: with a timeout, Python 2.7 polls, which adds up to 50 ms.
        self._ended.wait()

    def result(self):
        # type: () -> Any
        """Return the operation's result, or raise its exception."""
        result, self._result = self._result, None
        if isinstance(result, Failure):
            _raise(result)
        return result


class ReactorThread(object):
    """
    A daemon thread with a reactor.

    :ivar reactor: the reactor.
    """

    def __init__(self):
        # type: () -> None
        self.reactor = _new_reactor()
        self._lock = Lock()
        self._calls = set()  # type: Set[ThreadCall]
        self._ended = False
        self._thread = _daemon(target=self._run, name="txstorage")

    def start(self):
        # type: () -> None
        """
        Start the thread.

        :raises RuntimeError: the interpreter is exiting and starts no threads.
        """
        self._thread.start()

    def is_current(self):
        # type: () -> bool
        """:return: whether the caller runs in this thread."""
        return current_thread() is self._thread

    def submit(self, call):
        # type: (ThreadCall) -> bool
        """
        Start a call in this thread, from any thread.

        :return: ``False`` when this thread has ended.
        """
        with self._lock:
            if self._ended:
                return False
            self._calls.add(call)
            call.thread = self
            self.reactor.callFromThread(self._begin, call)
            return True

    def abort(self, call, error):
        # type: (ThreadCall, Exception) -> None
        """Cancel one call, from any thread."""
        with self._lock:
            if not self._ended:
                self.reactor.callFromThread(call.abort, error)

    def abort_all(self, owner, reason):
        # type: (BlockingDriver, Text) -> None
        """Cancel all calls of one driver, from any thread."""
        with self._lock:
            if not self._ended:
                self.reactor.callFromThread(self._abort_all, reason, owner)

    def stop(self, reason):
        # type: (Text) -> None
        """Cancel all calls and end the thread, from any thread."""
        with self._lock:
            if not self._ended:
                self.reactor.callFromThread(self._abort_all, reason)
                self.reactor.callFromThread(self.reactor.stop)

    def join(self, timeout):
        # type: (float) -> None
        """Wait for the thread's end, for at most ``timeout`` seconds."""
        self._thread.join(timeout)

    # -- in the reactor's thread -------------------------------------------------

    def _run(self):
        # type: () -> None
        try:
            self.reactor.run(installSignalHandlers=False)
        finally:
            with self._lock:
                self._ended = True
            self._abort_all(_THREAD_ENDED)
            self.reactor.close()

    def _begin(self, call):
        # type: (ThreadCall) -> None
        call.start(self).addBoth(self._forget, call)

    def _forget(self, _, call):
        # type: (object, ThreadCall) -> None
        with self._lock:
            self._calls.discard(call)

    def _abort_all(self, reason, owner=None):
        # type: (Text, Optional[BlockingDriver]) -> None
        with self._lock:
            calls = [call for call in self._calls if owner in (None, call.owner)]
        for call in calls:
            call.abort(DriverStopped(reason))


class SharedReactor(object):
    """The reactor thread of one process, if it is running, and the drivers that use it."""

    def __init__(self):
        # type: () -> None
        self._lock = Lock()
        self._thread = None  # type: Optional[ReactorThread]
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
        """End the thread, and refuse all further calls."""
        with self._lock:
            self._refusal = _PROCESS_ENDS
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop(_PROCESS_ENDS)
            thread.join(_EXIT_GRACE)


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

__all__ = ["ThreadCall", "OriginalTraceback", "this_process"]
