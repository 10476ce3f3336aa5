# -*- test-case-name: tests.flocker.test_blocking -*-
"""
The asynchronous driver for callers that block.

Flocker calls a driver from worker threads, but also in the thread of its own
reactor, where waiting for that same reactor would be waiting for ever.  So the
driver runs on a reactor of its own, in a daemon thread that all blocking drivers
of the process share, and calls are handed across:

- The thread starts with the first call.
- When the agent's reactor shuts down, what its driver is doing is cancelled and
  its callers get :class:`~txstorage.errors.DriverStopped`, as does who calls
  while it shuts down: jobs that queue for its worker threads end at once.  The
  thread ends with the last driver that uses it.  Once the reactor has stopped,
  a call starts it anew.
- A fork leaves the thread in the parent.  The child starts its own with its
  first call and never touches what it inherited, so that an agent may be made,
  and even used, before it turns into a daemon.
- An exiting process waits for none of it.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.interfaces import IReactorCore
from zope.interface import implementer

from .._support.eliot_context import in_current_context
from ..interfaces import IBlockDeviceAPI, ICloudAPI, IProfiledBlockDeviceAPI
from .reactor_thread import OriginalTraceback, ThreadCall, this_process

_REACTOR_STOPS = u"The storage driver does not run: its reactor is shutting down"
_STOPPED = u"The storage driver was stopped"


@implementer(IBlockDeviceAPI, IProfiledBlockDeviceAPI, ICloudAPI)
class BlockingDriver(object):
    """
    A driver whose operations block.  They may be called in any thread, that of
    the running reactor included, and in any number of threads at once.

    They return what the Deferreds of the asynchronous driver fire with and raise
    what these fail with, and besides
    :class:`~txstorage.errors.DriverStopped`.  A ``KeyboardInterrupt`` while
    a caller waits (on Python 2, when its wait is over) cancels the operation.

    :param reactor: the agent's reactor.  When it shuts down, so do operations.
    :param make_driver: called with a reactor for an asynchronous driver on it.
    :ivar asynchronous: an asynchronous driver on the agent's reactor.
    :ivar refusal: why no operation can be called now (text), or ``None``.
    """

    def __init__(self, reactor, make_driver):
        self.asynchronous = make_driver(reactor)
        self.refusal = None
        self._reactor = reactor
        self._make_driver = make_driver
        self._bound = (None, None)
        self._triggers = {}
        if IReactorCore.providedBy(reactor):
            # Not "before", where services stop and may need it; and before the
            # thread pool's own trigger, which waits for the callers in it.
            for phase, function in [("during", self._pause), ("after", self._resume)]:
                self._triggers[phase] = reactor.addSystemEventTrigger(
                    phase, "shutdown", function
                )

    def stop(self):
        """
        Cancel what it does and refuse all further calls.  To be called in the
        agent's reactor's thread, or when that does not run.
        """
        self._leave(_STOPPED)
        while self._triggers:
            self._reactor.removeSystemEventTrigger(self._triggers.popitem()[1])

    def on(self, loop):
        """
        For the shared thread only.

        :return: this driver's asynchronous driver on a loop's reactor.
        """
        bound_to, driver = self._bound
        if bound_to is not loop:
            driver = self._make_driver(loop.reactor)
            self._bound = (loop, driver)
        return driver

    def _pause(self):
        self._triggers.pop("during", None)
        self._leave(_REACTOR_STOPS)

    def _resume(self):
        self._triggers.pop("after", None)
        if self.refusal == _REACTOR_STOPS:
            self.refusal = None

    def _leave(self, reason):
        self.refusal = reason
        this_process().leave(self, reason)

    def _run(self, name, args, kwargs):
        # The caller's Eliot action is the parent of what is logged over there.
        function = in_current_context(lambda driver: getattr(driver, name)(*args, **kwargs))
        return this_process().run(ThreadCall(self, function))


def _operation(name, description):
    def operation(self, *args, **kwargs):
        return self._run(name, args, kwargs)

    operation.__name__ = name
    operation.__doc__ = description
    return operation


def _add_operations(cls, interfaces):
    """Give a class the operations of interfaces; what they do is the other driver's."""
    for interface in interfaces:
        for name, method in interface.namesAndDescriptions():
            setattr(cls, name, _operation(name, method.getDoc()))


_add_operations(BlockingDriver, (IBlockDeviceAPI, IProfiledBlockDeviceAPI, ICloudAPI))

__all__ = ["BlockingDriver", "OriginalTraceback"]
