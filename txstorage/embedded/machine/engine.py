# -*- test-case-name: tests.embedded.machine.test_transitions -*-
"""
The engine that carries out transitions.

Each transition is in the store before it is carried out, and its work can be repeated: after a
crash the engine resumes from the status.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import Any, Callable

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..store.store import Store
from .copies import CopyInterrupted
from .devices import DeviceFailure, IDeviceBackend
from .mishaps import Mishaps, StuckTransitions
from .transitions import VOLUMES, Subjects, Transition
from .turns import ReactorTurns

_log = Logger()

#: Seconds until a transition is retried after a fault of the service itself, such
#: as a full disk under the database.
_AFTER_FAULT = 1.0
#: Seconds until a transition that waits for others looks at them again.
_LOOK_AGAIN = 0.1
#: Shortages of the whole service.  They pass, and are no fault of the volume, which would need an
#: administrator if it were left in ``error_deleting``.
_SHORTAGES = frozenset([errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN])


def _is_shortage(error: BaseException | None) -> bool:
    """:return: whether an error, or its cause, is a shortage of the whole service."""
    if error is None:
        return False
    return getattr(error, "errno", None) in _SHORTAGES or _is_shortage(error.__cause__)


class Engine:
    """
    Runs transitions, one at a time for each volume, or each snapshot.

    :param delay: seconds a volume stays in each transient status.
    :param turns: divides the reactor's time among the transitions.
    :param subjects: all volumes, or all snapshots.
    :param mishaps: those that a test wants, if any.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        store: Store,
        devices: IDeviceBackend,
        delay: float,
        turns: ReactorTurns | None = None,
        subjects: Subjects[Any] = VOLUMES,
        mishaps: Mishaps | None = None,
    ) -> None:
        self._reactor = reactor
        self._turns = ReactorTurns(reactor) if turns is None else turns
        self._store = store
        self._devices = devices
        self._delay = delay
        self._subjects = subjects
        self._waiting: dict[str, Any] = {}
        self._running: dict[str, Deferred[bool]] = {}
        self._idle: dict[str, list[Deferred[None]]] = {}
        self._stuck = StuckTransitions(subjects.noun, mishaps, partial(self._schedule, delay=0))
        self._stopped = False
        #: Called after each transition with its object, the new status, and the reason of a
        #: failure.
        self.settled: Callable[[Any, str, str], object] = lambda subject, status, reason: None

    def begin(self, volume_id: str) -> None:
        """Carry out the transition of the volume's status, later."""
        if volume_id in self._waiting or volume_id in self._running:
            return
        mishap = self._stuck.strike(volume_id, lambda: self._find(volume_id)[0])
        if not mishap.stuck:
            delay = self._delay if mishap.seconds is None else mishap.seconds
            self._schedule(volume_id, delay, mishap.error)

    def _schedule(self, volume_id: str, delay: float, error: str = "") -> None:
        if not self._stopped:
            self._waiting[volume_id] = self._reactor.callLater(
                delay, self._turns.first, partial(self._start, volume_id, error)
            )

    def idle(self, volume_id: str) -> Deferred[None]:
        """:return: fires when the volume has no transition any more."""
        if not any(volume_id in each for each in (self._waiting, self._running, self._stuck.keys)):
            return succeed(None)
        idle: Deferred[None] = Deferred()
        self._idle.setdefault(volume_id, []).append(idle)
        return idle

    def resume(self) -> None:
        """Begin the transition of every volume in a transient status."""
        for volume_id, volume in self._subjects.every(self._store).items():
            if self._subjects.transition(volume) is not None:
                self.begin(volume_id)

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

    async def reset(self) -> None:
        """Begin no more of the present transitions, and wait for those that run."""
        await self.stop()
        self._stuck.clear()
        self._stopped = False
        for key in list(self._idle):
            self._rest(key)

    async def catch_up(self) -> None:
        """Wait until every transition that is due has ended."""
        while self._running or any(not call.active() for call in self._waiting.values()):
            turn: Deferred[None] = Deferred()
            self._turns.first(partial(turn.callback, None))
            await turn
            await DeferredList(list(self._running.values()))

    def _find(self, key: str) -> tuple[Any, Transition | None]:
        """The object with an id, and its transition."""
        subject = self._subjects.find(self._store, key)
        return subject, None if subject is None else self._subjects.transition(subject)

    def _start(self, key: str, error: str = "") -> None:
        if self._waiting.pop(key, None) is None:
            return
        subject, transition = self._find(key)
        if transition is None:
            self._rest(key)
            return
        running = Deferred.fromCoroutine(self._run(key, subject, transition, error))
        self._running[key] = running
        running.addCallbacks(lambda wait: self._ended(key, wait), lambda why: self._broke(key, why))

    def _ended(self, key: str, wait: bool) -> None:
        """
        :param wait: whether the transition is to begin later.
        """
        del self._running[key]
        if wait:
            self._schedule(key, max(self._delay, _LOOK_AGAIN))
        elif self._find(key)[1] is not None:
            self.begin(key)
        else:
            self._rest(key)

    def _rest(self, key: str) -> None:
        for idle in self._idle.pop(key, []):
            idle.callback(None)

    def _broke(self, key: str, failure: Failure) -> None:
        del self._running[key]
        _log.failure("A transition broke, and is tried again", failure)
        self._schedule(key, max(self._delay, _AFTER_FAULT))

    async def _run(self, key: str, subject: Any, transition: Transition, error: str) -> bool:
        """
        :param error: the reason of a failure that a test wants, if any.
        :return: whether the transition has to begin later.
        """
        try:
            if error:
                raise DeviceFailure(error)
            if self._subjects.waits(self._store, subject):
                return True
            device = await transition.work(self._devices, subject)
        except CopyInterrupted:
            # The service stops, and resumes the transition at its next start.
            return True
        except (DeviceFailure, OSError) as why:
            if _is_shortage(why):
                raise
            reason = "{} {}: {}".format(
                transition.verb,
                self._subjects.noun,
                getattr(why, "strerror", None) or str(why),
            )
            await self._settle(key, subject, transition.failed, reason=reason)
        else:
            await self._settle(key, subject, transition.done, device=device)
        return False

    async def _settle(
        self, key: str, subject: Any, status: str, device: str | None = None, reason: str = ""
    ) -> None:
        await self._store.write(
            lambda store: self._subjects.settle(store, subject, status, device, reason)
        )
        present = self._subjects.find(self._store, key)
        # A transition of several steps continues after all but the last.
        if reason or getattr(present, "status", None) != subject.status:
            self._subjects.log(key, status, reason)
            self.settled(subject, status, reason)
        self._subjects.follow(self._store, subject)
