# -*- test-case-name: tests.embedded.machine.test_transitions -*-
"""
The transitions of volumes in transient statuses, and the engine that carries them out.

Each transition is in the store before it is carried out, and its work can be repeated: after a
crash the engine resumes from the status.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable
from functools import partial
from typing import Any, Callable, Optional

import attr
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..._log import SERVER_TRANSITION
from ..settings import GIB
from ..store.records import VolumeRecord
from ..store.store import GONE, Store
from .devices import DeviceFailure, IDeviceBackend
from .turns import ReactorTurns

_log = Logger()

#: Seconds until a transition is retried after a fault of the service itself, such
#: as a full disk under the database.
_AFTER_FAULT = 1.0
#: Shortages of the whole service.  They pass, and are no fault of the volume, which would need an
#: administrator if it were left in ``error_deleting``.
_SHORTAGES = frozenset([errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN])

Work = Callable[[IDeviceBackend, VolumeRecord], Awaitable[Optional[str]]]


async def _make_file(devices: IDeviceBackend, volume: VolumeRecord) -> None:
    await devices.files.aside(devices.files.create, volume.volume_id, volume.size * GIB)


async def _remove_file(devices: IDeviceBackend, volume: VolumeRecord) -> None:
    # A device exists only if the status was changed by hand.
    await devices.detach(volume.volume_id)
    await devices.files.aside(devices.files.remove, volume.volume_id)


async def _nothing(devices: IDeviceBackend, volume: VolumeRecord) -> None:
    pass


async def _make_device(devices: IDeviceBackend, volume: VolumeRecord) -> str:
    if volume.attachment is None:
        raise DeviceFailure("it is reserved for no server")
    made: str = await devices.attach(volume.volume_id)
    return made


async def _remove_device(devices: IDeviceBackend, volume: VolumeRecord) -> None:
    await devices.detach(volume.volume_id)


def _is_shortage(error: BaseException | None) -> bool:
    """:return: whether an error, or its cause, is a shortage of the whole service."""
    if error is None:
        return False
    return getattr(error, "errno", None) in _SHORTAGES or _is_shortage(error.__cause__)


@attr.s(frozen=True, auto_attribs=True)
class Transition:
    """
    A transition.

    :ivar verb: for messages.
    :ivar work: carries it out; returns a device's path, if it makes one.
    :ivar done: the status after a success.
    :ivar failed: the status after a failure.
    """

    verb: str
    work: Work
    done: str
    failed: str


TRANSITIONS: dict[str, Transition] = {
    "creating": Transition("create", _make_file, "available", "error"),
    "reserved": Transition("reserve", _nothing, "attaching", "available"),
    "attaching": Transition("attach", _make_device, "in-use", "available"),
    # As in Nova, a volume that can't be detached stays in use.
    "detaching": Transition("detach", _remove_device, "available", "in-use"),
    "deleting": Transition("delete", _remove_file, GONE, "error_deleting"),
}
#: Block Storage's own transitions for a host; the client carries out the rest.
CONNECT = Transition("connect", _make_device, "attaching", "reserved")


def transition_of(volume: VolumeRecord) -> Transition | None:
    """Return the transition of a volume, or ``None``."""
    attachment, status = volume.attachment, volume.status
    if attachment is None or attachment.by_compute or status not in ("reserved", "attaching"):
        return TRANSITIONS.get(status)
    return CONNECT if status == "reserved" and attachment.connector is not None else None


class Engine:
    """
    Runs transitions, one at a time for each volume.

    :param delay: seconds a volume stays in each transient status.
    :param turns: divides the reactor's time among the transitions.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        store: Store,
        devices: IDeviceBackend,
        delay: float,
        turns: ReactorTurns | None = None,
    ) -> None:
        self._reactor = reactor
        self._turns = ReactorTurns(reactor) if turns is None else turns
        self._store = store
        self._devices = devices
        self._delay = delay
        self._waiting: dict[str, Any] = {}
        self._running: dict[str, Deferred[None]] = {}
        self._idle: dict[str, list[Deferred[None]]] = {}
        self._stopped = False

    def begin(self, volume_id: str) -> None:
        """Carry out the transition of the volume's status, later."""
        if volume_id not in self._waiting and volume_id not in self._running:
            self._schedule(volume_id, self._delay)

    def _schedule(self, volume_id: str, delay: float) -> None:
        if not self._stopped:
            self._waiting[volume_id] = self._reactor.callLater(
                delay, self._turns.first, partial(self._start, volume_id)
            )

    def idle(self, volume_id: str) -> Deferred[None]:
        """:return: fires when the volume has no transition any more."""
        if volume_id not in self._waiting and volume_id not in self._running:
            return succeed(None)
        idle: Deferred[None] = Deferred()
        self._idle.setdefault(volume_id, []).append(idle)
        return idle

    def resume(self) -> None:
        """Begin the transition of every volume in a transient status."""
        for volume in self._store.volumes():
            if transition_of(volume) is not None:
                self.begin(volume.volume_id)

    async def stop(self) -> None:
        """
        Begin no more transitions, and wait for those that run.  The rest resumes at the next start.
        """
        self._stopped = True
        for call in self._waiting.values():
            if call.active():
                call.cancel()
        self._waiting.clear()
        await DeferredList(list(self._running.values()))

    def _start(self, volume_id: str) -> None:
        if self._waiting.pop(volume_id, None) is None:
            return
        volume = self._store.volume(volume_id)
        transition = None if volume is None else transition_of(volume)
        if volume is None or transition is None:
            self._rest(volume_id)
            return
        running = Deferred.fromCoroutine(self._run(volume, transition))
        self._running[volume_id] = running
        running.addCallbacks(
            lambda _: self._ended(volume_id), lambda failure: self._broke(volume_id, failure)
        )

    def _ended(self, volume_id: str) -> None:
        del self._running[volume_id]
        volume = self._store.volume(volume_id)
        if volume is not None and transition_of(volume) is not None:
            self.begin(volume_id)
        else:
            self._rest(volume_id)

    def _rest(self, volume_id: str) -> None:
        for idle in self._idle.pop(volume_id, []):
            idle.callback(None)

    def _broke(self, volume_id: str, failure: Failure) -> None:
        del self._running[volume_id]
        _log.failure("A transition broke, and is tried again", failure)
        self._schedule(volume_id, max(self._delay, _AFTER_FAULT))

    async def _run(self, volume: VolumeRecord, transition: Transition) -> None:
        try:
            device = await transition.work(self._devices, volume)
        except (DeviceFailure, OSError) as error:
            if _is_shortage(error):
                raise
            await self._failed(volume, transition, error)
        else:
            await self._settle(volume, transition.done, device=device)

    async def _failed(self, volume: VolumeRecord, transition: Transition, error: Exception) -> None:
        reason = "{} volume: {}".format(
            transition.verb, getattr(error, "strerror", None) or str(error)
        )
        await self._settle(volume, transition.failed, reason=reason)

    async def _settle(
        self, volume: VolumeRecord, status: str, device: str | None = None, reason: str = ""
    ) -> None:
        volume_id = volume.volume_id

        def change(store: Store) -> None:
            settled = store.settle(volume_id, volume.status, status, device)
            if settled and reason:
                store.add_message(volume_id, reason)
                if volume.status == status and volume.attachment is not None:
                    store.attachments.forget_connector(volume.attachment)

        await self._store.write(change)
        SERVER_TRANSITION(volume_id=volume_id, status=status, reason=reason).write()
