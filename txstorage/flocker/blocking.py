# -*- test-case-name: tests.flocker.test_blocking -*-
"""
The driver for callers that block: the asynchronous driver, run in a thread of its own.

Flocker calls a driver in worker threads, but also in the thread of its own reactor, where waiting
for that reactor would never end. So all blocking drivers of a process share a daemon thread with a
second reactor, which runs their operations:

- The thread starts with the first call.
- When the agent's reactor shuts down, its driver's operations are cancelled; their callers, and
  callers during the shutdown, get :class:`~txstorage.errors.DriverStopped`, so that jobs queued for
  the agent's worker threads end at once. The thread ends with the last driver that uses it. After
  the shutdown, a call starts the thread again.
- A fork leaves the thread in the parent. The child starts its own thread with its first call, and
  never uses the parent's objects, so a program may create and use a driver before it daemonizes.
- The thread does not keep the process from exiting.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.interfaces import IReactorCore
from zope.interface import implementer

from .._support.eliot_context import in_current_context
from ..interfaces import IBlockDeviceAPI, ICloudAPI, IProfiledBlockDeviceAPI
from .reactor_thread import OriginalTraceback, ThreadCall
from .shared_reactor import this_process

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, List, Optional, Text, Tuple, TypeVar  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.filepath import FilePath  # noqa: F401

    from ..driver.operations import BlockDeviceDriver  # noqa: F401
    from ..interfaces import BlockDeviceVolume  # noqa: F401
    from .reactor_thread import ReactorThread  # noqa: F401

    T = TypeVar("T")

_REACTOR_STOPS = u"The storage driver does not run: its reactor is shutting down"
_STOPPED = u"The storage driver was stopped"


@implementer(IBlockDeviceAPI, IProfiledBlockDeviceAPI, ICloudAPI)
class BlockingDriver(object):
    """
    A driver whose operations block.

    The operations can be called in any number of threads at once, including the thread of the
    running reactor. They return the results of the asynchronous driver's Deferreds and raise the
    exceptions of their failures, and in addition :class:`~txstorage.errors.DriverStopped`. A
    ``KeyboardInterrupt`` during a wait (on Python 2: at the end of the wait) cancels the operation.

    :param reactor: the agent's reactor, whose shutdown stops the operations; ``None`` in a program
        without one.
    :param make_driver: called with a reactor; returns an asynchronous driver on that reactor.
    :ivar asynchronous: an asynchronous driver on the agent's reactor; ``None`` without one.
    :ivar refusal: the reason why operations are refused at the moment (text), or ``None``.
    """

    def __init__(self, reactor, make_driver):
        # type: (Any, Callable[[Any], BlockDeviceDriver]) -> None
        self.asynchronous = None if reactor is None else make_driver(reactor)
        self.refusal = None  # type: Optional[Text]
        self._reactor = reactor
        self._make_driver = make_driver
        self._bound = None  # type: Optional[Tuple[ReactorThread, BlockDeviceDriver]]
        self._triggers = {}  # type: Dict[str, Any]
        if IReactorCore.providedBy(reactor):
            # Not in the phase "before", in which services stop and may need the driver; and ahead
            # of the thread pool's trigger, which waits for the callers in the pool.
            for phase, function in [("during", self._pause), ("after", self._resume)]:
                self._triggers[phase] = reactor.addSystemEventTrigger(
                    phase, "shutdown", function
                )

    def allocation_unit(self):
        # type: () -> int
        """Return the unit of volume sizes, in bytes."""
        return self._wait_for(lambda driver: driver.allocation_unit())

    def compute_instance_id(self):
        # type: () -> Text
        """Return the instance id of this node (text)."""
        return self._wait_for(lambda driver: driver.compute_instance_id())

    def create_volume(self, dataset_id, size):
        # type: (UUID, int) -> BlockDeviceVolume
        """Create a volume of ``size`` bytes and return its ``BlockDeviceVolume``."""
        return self._wait_for(lambda driver: driver.create_volume(dataset_id, size))

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        # type: (UUID, int, Text) -> BlockDeviceVolume
        """Create a volume of the profile's type and return its ``BlockDeviceVolume``."""
        return self._wait_for(
            lambda driver: driver.create_volume_with_profile(dataset_id, size, profile_name)
        )

    def destroy_volume(self, blockdevice_id):
        # type: (Text) -> None
        """Destroy a volume and wait until it no longer exists."""
        return self._wait_for(lambda driver: driver.destroy_volume(blockdevice_id))

    def attach_volume(self, blockdevice_id, attach_to):
        # type: (Text, Text) -> BlockDeviceVolume
        """Attach a volume to the node with the instance id ``attach_to``, and return the volume."""
        return self._wait_for(lambda driver: driver.attach_volume(blockdevice_id, attach_to))

    def detach_volume(self, blockdevice_id):
        # type: (Text) -> None
        """Detach a volume and wait until it is detached and its device is gone."""
        return self._wait_for(lambda driver: driver.detach_volume(blockdevice_id))

    def list_volumes(self):
        # type: () -> List[BlockDeviceVolume]
        """Return the list of this cluster's volumes."""
        return self._wait_for(lambda driver: driver.list_volumes())

    def get_device_path(self, blockdevice_id):
        # type: (Text) -> FilePath[Text]
        """Return the ``FilePath`` of an attached volume's verified device."""
        return self._wait_for(lambda driver: driver.get_device_path(blockdevice_id))

    def list_live_nodes(self):
        # type: () -> List[Text]
        """Return the list of the instance ids of all nodes that are not known to be dead."""
        return self._wait_for(lambda driver: driver.list_live_nodes())

    def start_node(self, node_id):
        # type: (Text) -> None
        """Request the start of the node with the instance id ``node_id``."""
        return self._wait_for(lambda driver: driver.start_node(node_id))

    def stop(self):
        # type: () -> None
        """
        Cancel this driver's operations and refuse all further calls.

        Call in the thread of the agent's reactor, or when no such reactor runs.
        """
        self._leave(_STOPPED)
        while self._triggers:
            self._reactor.removeSystemEventTrigger(self._triggers.popitem()[1])

    def on(self, thread):
        # type: (ReactorThread) -> BlockDeviceDriver
        """
        Return this driver's asynchronous driver on a thread's reactor; for that thread only.

        :param ReactorThread thread: the current thread.
        """
        if self._bound is None or self._bound[0] is not thread:
            self._bound = (thread, self._make_driver(thread.reactor))
        return self._bound[1]

    def _pause(self):
        # type: () -> None
        self._triggers.pop("during", None)
        self._leave(_REACTOR_STOPS)

    def _resume(self):
        # type: () -> None
        self._triggers.pop("after", None)
        if self.refusal == _REACTOR_STOPS:
            self.refusal = None

    def _leave(self, reason):
        # type: (Text) -> None
        self.refusal = reason
        this_process().leave(self, reason)

    def _wait_for(self, operation):
        # type: (Callable[[BlockDeviceDriver], Deferred[T]]) -> T
        # The operation's log messages belong to the caller's Eliot action.
        call = ThreadCall(self, in_current_context(operation))
        result = this_process().run(call)  # type: T
        return result


__all__ = ["BlockingDriver", "OriginalTraceback"]
