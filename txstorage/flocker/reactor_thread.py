# -*- test-case-name: tests.flocker.test_blocking -*-
"""
A reactor in a thread of its own, one for a process, that carries out what
callers in other threads wait for.  See :mod:`txstorage.flocker.blocking`.
"""

from __future__ import absolute_import, division, print_function

import atexit
import os
from threading import Event, Lock, Thread, current_thread

from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

from .._support.compat import native
from .._support.old_twisted import SecondReactor
from ..errors import DriverStopped, WouldWaitForItself

_EXIT_GRACE = 2.0
"""Seconds that an exiting process gives the thread to close its connections."""

_PROCESS_ENDS = u"The storage driver does not run: its process is ending"
_THREAD_ENDED = u"The storage driver's thread ended"
_INTERRUPTED = u"The caller was interrupted"


def _daemon(*args, **kwargs):
    thread = Thread(*args, **kwargs)
    thread.daemon = True
    return thread


def _new_reactor():
    reactor = SecondReactor()
    # It looks up host names in threads, and a slow lookup must keep nobody.
    reactor.getThreadPool().threadFactory = _daemon
    return reactor


class OriginalTraceback(Exception):
    """
    Where an exception comes from, as text: its ``__cause__`` when Twisted has
    not kept the traceback itself.
    """


def _raise(failure):
    if failure.tb is None and getattr(failure.value, "__cause__", None) is None:
        failure.value.__cause__ = OriginalTraceback(native(failure.getTraceback()))
    failure.raiseException()


class ThreadCall(object):
    """
    One operation, handed across and back.

    All but :meth:`wait` and :meth:`result` runs in the reactor's thread.

    :ivar owner: the driver it was called on.
    :ivar loop: the :class:`ReactorThread` it was handed to, or ``None``.
    """

    def __init__(self, owner, function):
        self.owner = owner
        self.loop = None
        self._function = function
        self._ended = Event()
        self._result = None
        self._deferred = None

    def start(self, loop):
        """
        Run the operation.

        :return: a ``Deferred`` that fires when nothing of it is left to do;
            it never fails.
        """
        if self._ended.is_set():
            return maybeDeferred(lambda: None)
        self._deferred = maybeDeferred(lambda: self._function(self.owner.on(loop)))
        return self._deferred.addBoth(self._end)

    def abort(self, error):
        """Let the caller go, with an exception, and cancel the operation."""
        self._end(Failure(error))
        if self._deferred is not None:
            self._deferred.cancel()

    def _end(self, result):
        if not self._ended.is_set():
            self._result = result
            self._ended.set()

    def wait(self):
        """Wait for the operation's end."""
        # Without a timeout: with one, 2.7 polls, which takes up to 50 ms.
        self._ended.wait()

    def result(self):
        """Return the operation's result, or raise what it failed with."""
        result, self._result = self._result, None
        if isinstance(result, Failure):
            _raise(result)
        return result


class ReactorThread(object):
    """
    A reactor in a daemon thread, from its start to its end.

    :ivar reactor: the reactor.
    """

    def __init__(self):
        self.reactor = _new_reactor()
        self._lock = Lock()
        self._calls = set()
        self._ended = False
        self._thread = _daemon(target=self._run, name="txstorage")

    def start(self):
        """
        :raises RuntimeError: when the interpreter starts no threads any more.
        """
        self._thread.start()

    def is_current(self):
        """:return: whether this is the reactor's own thread."""
        return current_thread() is self._thread

    def submit(self, call):
        """
        :param ThreadCall call: to be started in the reactor's thread.
        :return: ``False`` when that thread has ended.
        """
        with self._lock:
            if self._ended:
                return False
            self._calls.add(call)
            call.loop = self
            self.reactor.callFromThread(self._begin, call)
            return True

    def abort(self, call, error):
        """Cancel one call, from any thread."""
        with self._lock:
            if not self._ended:
                self.reactor.callFromThread(call.abort, error)

    def abort_all(self, owner, reason):
        """Cancel one driver's calls, from any thread."""
        with self._lock:
            if not self._ended:
                self.reactor.callFromThread(self._abort_all, reason, owner)

    def stop(self, reason):
        """Cancel every call and end the thread, from any thread."""
        with self._lock:
            if not self._ended:
                self.reactor.callFromThread(self._abort_all, reason)
                self.reactor.callFromThread(self.reactor.stop)

    def join(self, timeout):
        """Wait for the thread's end, ``timeout`` seconds at most."""
        self._thread.join(timeout)

    # -- in the reactor's thread -------------------------------------------------

    def _run(self):
        try:
            self.reactor.run(installSignalHandlers=False)
        finally:
            with self._lock:
                self._ended = True
            self._abort_all(_THREAD_ENDED)
            self.reactor.close()

    def _begin(self, call):
        call.start(self).addBoth(self._forget, call)

    def _forget(self, _, call):
        with self._lock:
            self._calls.discard(call)

    def _abort_all(self, reason, owner=None):
        with self._lock:
            calls = [call for call in self._calls if owner in (None, call.owner)]
        for call in calls:
            call.abort(DriverStopped(reason))


class SharedReactor(object):
    """The loop of one process, if it has one, and the drivers that use it."""

    def __init__(self):
        self._lock = Lock()
        self._loop = None
        self._users = set()
        self._refusal = None

    def run(self, call):
        """
        :param ThreadCall call: what to do.
        :return: its result.
        """
        try:
            self._submit(call)
            call.wait()
        except BaseException:
            # Not the operation's error, but one that came to this thread meanwhile.
            if call.loop is not None:
                call.loop.abort(call, DriverStopped(_INTERRUPTED))
            raise
        return call.result()

    def _submit(self, call):
        with self._lock:
            refusal = self._refusal or call.owner.refusal
            if refusal is not None:
                raise DriverStopped(refusal)
            if self._loop is not None and self._loop.is_current():
                raise WouldWaitForItself(u"A blocking call in the storage driver's own thread")
            self._users.add(call.owner)
            if self._loop is None or not self._loop.submit(call):
                self._loop = None
                self._loop = self._started(call)

    def _started(self, call):
        loop = ReactorThread()
        loop.submit(call)
        try:
            loop.start()
        except RuntimeError:
            raise DriverStopped(_PROCESS_ENDS)
        except BaseException:
            # Nobody has this loop yet, and its thread may have started.
            loop.stop(_INTERRUPTED)
            raise
        return loop

    def leave(self, owner, reason):
        """Cancel what a driver does; the last one to leave ends the thread."""
        with self._lock:
            self._users.discard(owner)
            if self._loop is None:
                return
            if self._users:
                self._loop.abort_all(owner, reason)
            else:
                loop, self._loop = self._loop, None
                loop.stop(reason)

    def exit(self):
        """End the thread, and never start one again."""
        with self._lock:
            self._refusal = _PROCESS_ENDS
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.stop(_PROCESS_ENDS)
            loop.join(_EXIT_GRACE)


_processes = {}


def this_process():
    """
    :return: this process's :class:`SharedReactor`.  In a forked child it is a new
        one, with a lock that nobody holds.
    """
    pid = os.getpid()
    found = _processes.get(pid)
    # setdefault is atomic, so that threads need no lock to agree.
    return _processes.setdefault(pid, SharedReactor()) if found is None else found


# Handlers that were registered later, and may use a driver, run earlier.
atexit.register(lambda: this_process().exit())

__all__ = ["ThreadCall", "OriginalTraceback", "this_process"]
