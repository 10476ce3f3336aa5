# -*- test-case-name: tests.flocker.test_blocking -*-
"""
A reactor in a thread of its own, which runs operations for blocked callers.

See :mod:`txstorage.flocker.blocking`.
"""

from __future__ import absolute_import, division, print_function

import time
from threading import Event, Lock, Thread, current_thread

from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

from .._support.compat import native
from .._support.monotonic import monotonic, use_monotonic_time
from .._support.old_twisted import SecondReactor
from ..errors import DriverStopped

MYPY = False
if MYPY:
    from typing import Any, Callable, NoReturn, Optional, Set, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from .blocking import BlockingDriver  # noqa: F401

#: The time in seconds between two looks at a thread that is ending.
_JOIN_INTERVAL = 0.005

_THREAD_ENDED = u"The storage driver's thread ended"


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

    def is_alive(self):
        # type: () -> bool
        """:return: whether the thread has started and has not ended."""
        return self._thread.is_alive()

    def join(self, timeout):
        # type: (float) -> None
        """Wait for the thread's end, for at most ``timeout`` seconds."""
        # On Python 2, a thread's own join also polls, and its timeout follows the wall clock.
        deadline = monotonic() + timeout
        while self._thread.is_alive() and monotonic() < deadline:
            time.sleep(_JOIN_INTERVAL)

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


__all__ = ["OriginalTraceback", "ReactorThread", "ThreadCall"]
