# -*- test-case-name: tests.driver -*-
"""
One operation on one volume or snapshot: poll, decide, request or wait, until the operation is done.

The decisions are in :mod:`txstorage.driver.lifecycle`; this module carries them out.
"""

from __future__ import absolute_import, division, print_function

import attr
from twisted.internet.defer import maybeDeferred

from ..._log import REQUEST_REFUSED
from ...errors.remedies import RESPONSE
from ..last_problem import LastProblem
from ..lifecycle import REFUSALS, Decision, Phase
from ..polling import is_passing

MYPY = False
if MYPY:
    from typing import Any, Callable, NoReturn, Optional, Text, Tuple, Type  # noqa: F401

    from constantly import NamedConstant  # noqa: F401
    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ..lifecycle import Progress  # noqa: F401
    from ..polling import Pace, TransitionPoll  # noqa: F401


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
    An operation that brings one object of the cloud to its target state.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param watcher: a :class:`~txstorage.driver.polling.lists.TransitionPoll` of such objects, whose
        polls fire with ``None`` for one that does not exist.
    :param Progress progress: the operation.
    :param text subject_id: the object's id.
    :param text awaited: the event that the operation waits for.
    :param request: called with the ``Convergence`` to send the request; returns a ``Deferred``
        that fires when the cloud has accepted the request.
    :param check: called with the first object seen; raises when the operation must not touch it.

    :cvar text kind: the kind of object, for messages.
    :cvar tuple refusals: the exception classes of :data:`~txstorage.driver.lifecycle.REFUSALS` that
        mean that the cloud refused the request in the object's current state, which may have
        changed meanwhile.
    :ivar text subject_id: the object's id.
    :ivar Progress progress: the operation's progress.
    :ivar found: the object as last seen, or ``None``.
    :ivar text awaited: the event that the operation waits for at the moment.
    :ivar LastProblem problem: the most recent failure.
    """

    kind = u""  # type: Text
    refusals = ()  # type: Tuple[Type[Exception], ...]

    def __init__(
        self, service, watcher, progress, subject_id, awaited, request=None, check=None
    ):
        # type: (IVolumeService, TransitionPoll, Progress, Text, Text, Optional[Callable[[Any], Deferred[Any]]], Optional[Callable[[Any], object]]) -> None
        self._service = service
        self._watcher = watcher
        self._send_request = request  # type: Any
        self._check = check
        self._pace = None  # type: Optional[Pace]
        # Seconds from the request to the last poll that did not see its result.
        self._waited = 0.0
        self.problem = LastProblem(service.remedies)
        self.subject_id = subject_id
        self.found = None  # type: Any
        self.progress = progress
        self.awaited = awaited

    # -- the parts that differ ----------------------------------------------------------

    def decide(self):
        # type: () -> NamedConstant
        """:return: the :class:`~txstorage.driver.lifecycle.Decision` about the object as found."""
        raise NotImplementedError()

    def is_proved(self, decision):
        # type: (NamedConstant) -> bool
        """
        :return: whether a list, which may be out of date, is enough for the decision.
        """
        raise NotImplementedError()

    def status(self):
        # type: () -> Text
        """:return: text for people: the status of the object as found."""
        raise NotImplementedError()

    def raise_error(self, decision):
        # type: (NamedConstant) -> None
        """
        Raise the error of a decision, unless the error needs the cloud's reason.

        :param decision: an error of :class:`~txstorage.driver.lifecycle.Decision`.
        """
        raise NotImplementedError()

    def raise_explained(self, decision, reason):
        # type: (NamedConstant, Text) -> NoReturn
        """
        Raise the error of a decision.

        :param decision: ``UNUSABLE`` or ``FAILED``.
        :param text reason: the cloud's; may be empty.
        """
        raise NotImplementedError()

    def note(self):
        # type: () -> None
        """Take note of the object as found, before the decision."""

    @property
    def settles(self):
        # type: () -> bool
        """:return: whether :meth:`settle` may have something to do."""
        return False

    def settle(self):
        # type: () -> Any
        """
        Complete or undo an interrupted request, where the cloud itself does neither.

        :return: a ``Deferred``, or ``None``.
        """

    def ends_wait(self, found):
        # type: (Any) -> bool
        """
        Take account of a poll.

        :param found: the object.
        :return: whether there is a step to take, other than to wait for the next poll.
        """
        if self._see(found) is not Decision.WAIT or self.settles:
            return True
        self.progress = self.progress.waiting()
        if self._pace is not None:
            self._waited = self._pace.age
        return False

    # -- the parts in common ------------------------------------------------------------

    @property
    def name(self):
        # type: () -> Text
        """:return: text: the operation's subject, for messages."""
        return u"{} {}".format(self.kind, self.subject_id)

    @property
    def last_seen(self):
        # type: () -> Text
        """:return: text for people: the last status, and the last problem."""
        return self.problem.after(u"nothing" if self.found is None else self.status())

    def run(self):
        # type: () -> Deferred[Any]
        """
        Converge.  Nothing is changed before a first poll has succeeded.

        :return: a ``Deferred`` that fires with the object in its target state, or ``None`` when it
            is gone as intended.
        """
        d = self._watcher.look(self.subject_id)
        d.addCallback(self._checked)
        return d.addCallback(self._step)

    def run_from(self, found):
        # type: (Any) -> Deferred[Any]
        """
        Converge as :meth:`run` does, for an object that was just requested or looked at.

        :param found: the object in the cloud's response.
        """
        self._requested()
        return maybeDeferred(self._step, found)

    def _checked(self, found):
        # type: (Any) -> Any
        if found is not None and self._check is not None:
            self._check(found)
        return found

    def _step(self, found):
        # type: (Any) -> Any
        decision = self._see(found)
        if found is not None and found.listed and not self.is_proved(decision):
            return self._look_again()
        if decision is Decision.DONE:
            self._learn()
            return found
        if decision is Decision.WAIT:
            self.progress = self.progress.waiting()
            return self._wait()
        if decision is Decision.REQUEST:
            return self._request()
        self.raise_error(decision)
        d = self._service.failure_reason(self.subject_id)  # type: Deferred[Any]
        return d.addCallback(lambda reason: self.raise_explained(decision, reason))

    def _see(self, found):
        # type: (Any) -> NamedConstant
        self.found = found
        self.problem.ended()
        self.note()
        return self.decide()

    def _learn(self):
        # type: () -> None
        if self._pace is not None and self.progress.phase is Phase.REQUESTED:
            operation, times = self.progress.operation, self._watcher.times
            times.learn(operation, self._waited, self._pace.age)

    def _look_again(self):
        # type: () -> Deferred[Any]
        """Poll the object alone: the list may be out of date, and does not prove the next step."""
        d = self._watcher.poll(self.subject_id)
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
        if self.found is None or self._pace is None:
            return self._poll_again()
        self._waited = self._pace.age
        if not self.settles:
            return self._poll_again()
        d = maybeDeferred(self.settle)  # type: Deferred[Any]
        d.addErrback(self._not_settled)
        return d.addCallback(lambda _: self._poll_again())

    def _not_settled(self, failure):
        # type: (Failure) -> Optional[Failure]
        if not failure.check(*self.refusals) and not is_passing(failure):
            return failure
        self.problem.record(failure)
        return None

    def _poll_again(self):
        # type: () -> Deferred[Any]
        if self._pace is None:
            self._pace = self._watcher.pace()
        d = self._watcher.next_poll(
            self.subject_id, self._pace, self.problem.retry, self.ends_wait
        )
        return d.addCallback(self._step)

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
        error = failure.value  # type: Any
        if failure.check(*self.refusals):
            limit = dict(REFUSALS)[failure.check(*self.refusals)]
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
            subject=self.name,
            reason=failure.getErrorMessage(),
        ).write()
        return self._poll_again()


def failed(progress, status, reason, problem):
    # type: (Progress, Text, Text, LastProblem) -> Text
    """
    :param Progress progress: the operation, whose requests the cloud accepted in vain.
    :param text status: the status to which the object returned each time.
    :param text reason: the cloud's; may be empty.
    :param LastProblem problem: the most recent failure, in its place.
    :return: text: the problem, for the error.
    """
    reason = reason or problem.__unicode__()
    return u"the cloud accepted {} requests, and each time the status returned to {}{}".format(
        progress.requests, status, u": " + reason if reason else u""
    )


__all__ = ["Convergence", "PlainSubject", "failed"]
