# -*- test-case-name: tests.driver -*-
"""
One operation on one volume: poll, decide, request or wait, until the operation is done.

The decisions are in :mod:`txstorage.driver.lifecycle`; this module carries them out.
"""

from __future__ import absolute_import, division, print_function

import attr
from twisted.internet.defer import maybeDeferred

from .._log import REQUEST_REFUSED
from .._support.compat import as_text
from ..errors import (
    AttachedToHost,
    OperationFailed,
    StillAttached,
    UnknownServer,
    UnusableStatus,
)
from ..errors.remedies import RESPONSE
from ..interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume
from .last_problem import LastProblem
from .lifecycle import (
    AWAITED,
    REFUSALS,
    Decision,
    Phase,
    Progress,
    decide,
    is_proved,
)
from .places import attached_hosts, attached_places, attached_servers, observed
from .polling import is_passing

MYPY = False
if MYPY:
    from typing import Any, Callable, Iterable, NoReturn, Optional, Sequence, Text, Tuple  # noqa: F401

    from constantly import NamedConstant  # noqa: F401
    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..clouds.interface import IVolumeService  # noqa: F401
    from ..clouds.values import Volume  # noqa: F401
    from .polling import Pace, Watcher  # noqa: F401

#: The cloud refuses the request in the volume's current state, which may have changed meanwhile.
_REFUSALS = tuple(kind for kind, _ in REFUSALS if kind is not UnknownServer)


@attr.s(frozen=True)
class PlainSubject(object):
    """
    The subject of an operation that neither requests nor polls, for its log and its timeout.

    :ivar text name: the subject, for messages.
    :ivar text awaited: the event that the operation waits for.
    :ivar text last_seen: the last status seen.
    """

    name = attr.ib()  # type: Text
    awaited = attr.ib(default=RESPONSE)  # type: Text
    last_seen = attr.ib(default=u"nothing")  # type: Text


class Convergence(object):
    """
    An operation that brings one volume to its target state.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param watcher: a :class:`~txstorage.driver.polling.lists.Watcher`.
    :param text operation: a key of :data:`txstorage.driver.lifecycle.TABLES`.
    :param text volume_id: the volume.
    :param request: called with the ``Convergence`` to send the request; returns a ``Deferred``
        that fires when the cloud has accepted the request.
    :param check: called with the first :class:`~txstorage.clouds.Volume` seen; raises when the
        operation must not touch that volume.
    :param servers: instance ids that the operation is about; when empty, the servers that the
        volume is attached to at the first poll.

    :ivar Progress progress: the operation's progress.
    :ivar volume: the :class:`~txstorage.clouds.Volume` as last seen, or ``None``.
    :ivar text awaited: the event that the operation waits for at the moment.
    :ivar LastProblem problem: the most recent failure.
    """

    def __init__(
        self, service, watcher, operation, volume_id, request=None, check=None, servers=()
    ):
        # type: (IVolumeService, Watcher, Text, Text, Optional[Callable[[Convergence], Deferred[Any]]], Optional[Callable[[Volume], object]], Iterable[Text]) -> None
        self._service = service
        self._watcher = watcher
        self._send_request = request  # type: Any
        self._check = check
        self._pace = None  # type: Optional[Pace]
        # Seconds from the request to the last poll that did not see its result.
        self._waited = 0.0
        # The volume's last change as seen before the request.
        self._known_at = u""
        self._servers_listed = False
        self.problem = LastProblem()
        self.volume_id = volume_id
        self.volume = None  # type: Any
        self.progress = Progress(operation, frozenset(servers))
        self.awaited = AWAITED[operation]

    @property
    def name(self):
        # type: () -> Text
        """:return: text: the operation's subject, for messages."""
        return u"volume " + self.volume_id

    def run(self):
        # type: () -> Deferred[Optional[Volume]]
        """
        Converge.  Nothing is changed before a first poll has succeeded.

        :return: a ``Deferred`` that fires with the :class:`~txstorage.clouds.Volume` in its target
            state, or ``None`` when the volume is gone as intended.
        """
        d = self._watcher.look(self.volume_id)
        d.addCallback(self._checked)
        return d.addCallback(self._step)

    def run_from(self, volume):
        # type: (Volume) -> Deferred[Optional[Volume]]
        """
        Converge as :meth:`run` does, for a volume that was just requested or looked at.

        :param volume: the :class:`~txstorage.clouds.Volume` in the cloud's response.
        """
        self._requested()
        return maybeDeferred(self._step, volume)

    @property
    def last_seen(self):
        # type: () -> Text
        """:return: text for people: the last status, and the last problem."""
        text = u"nothing"
        if self.volume is not None:
            places = u", ".join(attached_places(self.volume))
            text = self.volume.status + (u", attached to " + places if places else u"")
        return self.problem.after(text)

    def _checked(self, volume):
        # type: (Optional[Volume]) -> Optional[Volume]
        if volume is not None and self._check is not None:
            self._check(volume)
        return volume

    def _step(self, volume):
        # type: (Optional[Volume]) -> Any
        status, places, decision = self._seen(volume)
        if volume is not None and volume.listed:
            if not is_proved(self.progress, decision, volume.updated_at, self._known_at):
                return self._look_again()
        if decision is Decision.DONE:
            self._learn()
            return volume
        if decision is Decision.WAIT:
            self.progress = self.progress.waiting()
            return self._wait()
        if decision is Decision.REQUEST:
            return self._request()
        return self._give_up(decision, status, places)

    def _seen(self, volume):
        # type: (Optional[Volume]) -> Tuple[Text, Tuple[Text, ...], NamedConstant]
        self.volume = volume
        self.problem.ended()
        self._note(volume)
        status, places = observed(volume)
        return status, places, decide(self.progress, status, places)

    def _note(self, volume):
        # type: (Optional[Volume]) -> None
        if volume is None or self.progress.phase is Phase.REQUESTED:
            return
        self._known_at = volume.updated_at
        # A list may be out of date about the servers, too, so the next look replaces them.
        if not self.progress.servers or (self._servers_listed and not volume.listed):
            self.progress = self.progress.about(attached_servers(volume))
            self._servers_listed = volume.listed

    def _learn(self):
        # type: () -> None
        if self._pace is not None and self.progress.phase is Phase.REQUESTED:
            operation, times = self.progress.operation, self._watcher.times
            times.learn(operation, self._waited, self._pace.age)

    def _look_again(self):
        # type: () -> Deferred[Any]
        """Poll the volume alone: the list may be out of date, and does not prove the next step."""
        d = self._watcher.poll(self.volume_id)
        return d.addCallbacks(self._step, self._not_seen)

    def _not_seen(self, failure):
        # type: (Failure) -> Any
        if not is_passing(failure):
            return failure
        self.problem.retry(failure)
        return self._poll_again()

    def _wait(self):
        # type: () -> Deferred[Any]
        # At the first poll, the caller that began the transition is still at work.
        if self.volume is None or self._pace is None:
            return self._poll_again()
        self._waited = self._pace.age
        if not self._service.settles:
            return self._poll_again()
        d = maybeDeferred(self._service.settle, self.volume)
        d.addErrback(self._not_settled)
        return d.addCallback(lambda _: self._poll_again())

    def _not_settled(self, failure):
        # type: (Failure) -> Optional[Failure]
        if not failure.check(*_REFUSALS) and not is_passing(failure):
            return failure
        self.problem.record(failure)
        return None

    def _poll_again(self):
        # type: () -> Deferred[Any]
        if self._pace is None:
            self._pace = self._watcher.pace()
        d = self._watcher.next_poll(
            self.volume_id, self._pace, self.problem.retry, self._ends_wait
        )
        return d.addCallback(self._step)

    def _ends_wait(self, volume):
        # type: (Optional[Volume]) -> bool
        """
        Take account of a poll.

        :return: whether there is a step to take, other than to wait for the next poll.
        """
        decision = self._seen(volume)[-1]
        if decision is not Decision.WAIT or self._service.settles:
            return True
        self.progress = self.progress.waiting()
        if self._pace is not None:
            self._waited = self._pace.age
        return False

    def _request(self):
        # type: () -> Deferred[Any]
        d = self._send_request(self)  # type: Deferred[Any]
        return d.addCallbacks(self._accepted, self._not_accepted)

    def _accepted(self, _):
        # type: (object) -> Deferred[Any]
        self._requested()
        return self._poll_again()

    def _requested(self):
        # type: () -> None
        self.progress = self.progress.requested()
        self._pace, self._waited = self._watcher.times.pace(self.progress.operation), 0.0

    def _not_accepted(self, failure):
        # type: (Failure) -> Any
        refusals = _REFUSALS  # type: Tuple[Any, ...]
        error = failure.value  # type: Any
        if self.progress.operation == u"detach":
            # A deleted server releases its volumes.
            refusals += (UnknownServer,)
        if failure.check(*refusals):
            limit = dict(REFUSALS)[failure.check(*refusals)]
            self.progress = self.progress.waiting() if limit is None else self.progress.refused()
            if limit is not None and self.progress.requests >= limit:
                return failure
        elif not is_passing(failure):
            return failure
        elif error.certainly_unprocessed:
            self.progress = self.progress.waiting()
        else:
            self._requested()
        self.problem.record(failure)
        REQUEST_REFUSED(
            operation=self.progress.operation,
            volume_id=self.volume_id,
            reason=failure.getErrorMessage(),
        ).write()
        return self._poll_again()

    def _give_up(self, decision, status, places):
        # type: (NamedConstant, Text, Sequence[Text]) -> Deferred[Any]
        errors = {
            Decision.UNKNOWN: UnknownVolume,
            Decision.ATTACHED: AlreadyAttachedVolume,
            Decision.UNATTACHED: UnattachedVolume,
        }
        if decision in errors:
            raise errors[decision](self.volume_id)
        if decision is Decision.STILL_ATTACHED:
            raise StillAttached(self.volume_id, places)
        if decision is Decision.ATTACHED_TO_HOST:
            raise AttachedToHost(self.volume_id, attached_hosts(self.volume))
        d = self._service.failure_reason(self.volume_id)
        return d.addCallback(self._explain, decision, status)

    def _explain(self, reason, decision, status):
        # type: (Text, NamedConstant, Text) -> NoReturn
        operation = self.progress.operation
        if decision is Decision.UNUSABLE:
            raise UnusableStatus(operation, self.volume_id, status, reason)
        problem = reason or as_text(str(self.problem))
        raise OperationFailed(
            operation,
            self.volume_id,
            u"the cloud accepted {} requests, and each time the status returned to {}{}".format(
                self.progress.requests, status, u": " + problem if problem else u""
            ),
        )
