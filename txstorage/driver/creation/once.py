# -*- test-case-name: tests.driver.test_create -*-
"""
The creation of exactly one object of the cloud, with a request that is not idempotent.

The object's mark (a dataset's label, a snapshot's name) is looked up before each request, also
after a lost response, and once more when the object is usable, because another node may have sent a
request at the same time.  All nodes pick the same object.
"""

from __future__ import absolute_import, division, print_function

from itertools import count

from twisted.internet.task import deferLater

from ..._support.eliot_context import resume_context
from ..last_problem import LastProblem
from ..lifecycle import MAXIMUM_REQUESTS
from ..polling import is_passing, until

MYPY = False
if MYPY:
    from typing import Any, Callable, List, NoReturn, Optional, Set, Text, Type  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..convergence.base import Convergence  # noqa: F401
    from ..polling import Intervals, Pace  # noqa: F401


# The lists that are read until one has the object that was created; a cloud that never lists the
# object must not keep it from being used.
_MAXIMUM_LISTS = 5


class Creation(object):
    """
    The creation of one object.

    :param reactor: provides ``IReactorTime``.
    :param watcher: the :class:`~txstorage.driver.polling.lists.ListPoll` of such objects.
    :param intervals: :class:`~txstorage.driver.polling.timing.Intervals` between requests.

    :cvar text kind: the kind of object, for messages.
    :cvar unusable: the exception class, with a ``status`` and a ``reason``, of an object that never
        became usable.
    :ivar text awaited: the event that the operation waits for.
    """

    kind = u""  # type: Text
    unusable = Exception  # type: Type[Any]
    awaited = u""  # type: Text

    def __init__(self, reactor, watcher, intervals):
        # type: (IReactorTime, Any, Intervals) -> None
        self._reactor = reactor
        self._watcher = watcher
        self._intervals = intervals
        self._requests = 0
        # Objects that a list has, and that do not exist (any more).
        self._refuted = set()  # type: Set[Text]
        self._pace = None  # type: Optional[Pace]
        self._requested_id = None  # type: Any
        self._convergence = None  # type: Any
        self._problem = LastProblem()

    # -- the parts that differ ----------------------------------------------------------

    @property
    def wanted(self):
        # type: () -> Text
        """:return: text: a description of the object until it has an id, for messages."""
        raise NotImplementedError()

    def find(self):
        # type: () -> Deferred[List[Any]]
        """:return: a ``Deferred`` that fires with the listed objects that have the mark."""
        raise NotImplementedError()

    def is_candidate(self, found):
        # type: (Any) -> bool
        """:return: whether an object has the mark, and can be used."""
        raise NotImplementedError()

    def request(self):
        # type: () -> Deferred[Any]
        """:return: a ``Deferred`` that fires with the requested object."""
        raise NotImplementedError()

    def delete(self, subject_id):
        # type: (Text) -> Deferred[Any]
        """:return: a ``Deferred`` that fires when the deletion was requested."""
        raise NotImplementedError()

    def convergence(self, subject_id):
        # type: (Text) -> Convergence
        """:return: the :class:`~txstorage.driver.convergence.base.Convergence` of its creation."""
        raise NotImplementedError()

    def id_of(self, found):
        # type: (Any) -> Text
        """:return: text: an object's id."""
        raise NotImplementedError()

    def chosen(self, found):
        # type: (List[Any]) -> Any
        """:return: the one to use of several objects, the same on all nodes."""
        raise NotImplementedError()

    def report_resumed(self, found):
        # type: (Any) -> None
        """Log that an object exists, so that none was requested."""
        raise NotImplementedError()

    def report_unused(self, found, used):
        # type: (Any, Any) -> None
        """Log that an object is never used, because another is."""
        raise NotImplementedError()

    def raise_not_created(self, error):
        # type: (Any) -> NoReturn
        """
        Raise the error of an object that was deleted, because it never became usable.

        :param error: the exception of its status.
        """
        raise NotImplementedError()

    # -- the parts in common ------------------------------------------------------------

    @property
    def last_seen(self):
        # type: () -> Text
        """:return: text for people: the last status, and the last problem."""
        seen = u"nothing" if self._convergence is None else self._convergence.last_seen
        return self._problem.after(seen)

    @property
    def name(self):
        # type: () -> Text
        """:return: text: the operation's subject, for messages."""
        if self._convergence is None:
            return u"{} {}".format(self.kind, self.wanted)
        text = self._convergence.name  # type: Text
        return text

    def run(self):
        # type: () -> Deferred[Any]
        """
        Find or create the object.

        :return: a ``Deferred`` that fires with the usable object.
        """
        d = self._find()  # type: Deferred[Any]
        d.addCallback(self._adopt_or_request)
        d.addCallback(self._until_usable)
        return d.addCallback(self._until_chosen)

    def _find(self):
        # type: () -> Deferred[List[Any]]
        return self.find().addCallback(
            lambda listed: [
                each
                for each in listed
                if self.is_candidate(each) and self.id_of(each) not in self._refuted
            ]
        )

    def _find_with_retries(self, satisfied=lambda found: True):
        # type: (Callable[[List[Any]], bool]) -> Deferred[List[Any]]
        # After the first request, only the deadline may end the search.
        return until(self._reactor, self._intervals, self._find, satisfied, self._problem.retry)

    def _adopt_or_request(self, found):
        # type: (List[Any]) -> Any
        if not found:
            return self.request().addCallbacks(self._accepted, self._not_accepted)
        return self._look_at(self.chosen(found)).addCallback(self._adopt_or_look_on)

    def _adopt_or_look_on(self, found):
        # type: (Any) -> Any
        if found is None:
            return self._find_with_retries().addCallback(self._adopt_or_request)
        self.report_resumed(found)
        return found

    def _look_at(self, listed):
        # type: (Any) -> Deferred[Any]
        """
        Look at a listed object itself, since a list may be out of date.

        :return: a ``Deferred`` that fires with the object; ``None`` when it can't be used, so that
            later lists are read without it.
        """
        subject_id = self.id_of(listed)

        def seen(found):
            # type: (Any) -> Any
            if found is not None and self.is_candidate(found):
                return found
            self._refuted.add(subject_id)
            return None

        looked = until(
            self._reactor,
            self._intervals,
            lambda: self._watcher.poll(subject_id),
            lambda found: True,
            self._problem.retry,
        )
        return looked.addCallback(seen)

    def _accepted(self, found):
        # type: (Any) -> Any
        self._requested_id = self.id_of(found)
        return found

    def _not_accepted(self, failure):
        # type: (Failure) -> Any
        error = failure.value  # type: Any
        if not is_passing(failure):
            return failure
        if not error.certainly_unprocessed:
            self._requests += 1
        if self._requests >= MAXIMUM_REQUESTS:
            return failure
        self._problem.retry(failure)
        # The cloud may still be processing the request: give the object time to appear.
        if self._pace is None:
            self._pace = self._watcher.pace()
        delay = self._pace.delay()
        pause = resume_context(deferLater(self._reactor, delay, lambda: None))  # type: Deferred[Any]
        pause.addCallback(lambda _: self._find_with_retries())
        return pause.addCallback(self._adopt_or_request)

    def _until_usable(self, found):
        # type: (Any) -> Deferred[Any]
        # A list or a request has succeeded, so what failed before is over.
        self._problem = LastProblem()
        self._convergence = self.convergence(self.id_of(found))
        d = self._convergence.run_from(found)  # type: Deferred[Any]
        return d.addErrback(self._delete_unusable)

    def _delete_unusable(self, failure):
        # type: (Failure) -> Any
        """
        Delete an object that this call requested and that never became usable.  It holds no data,
        and must not remain the one with the mark.
        """
        error = failure.value  # type: Any
        if not failure.check(self.unusable):
            return failure
        subject_id = self._convergence.subject_id
        if subject_id != self._requested_id or error.status != u"error":
            return failure
        return self.delete(subject_id).addBoth(lambda _: self.raise_not_created(error))

    def _until_chosen(self, used):
        # type: (Any) -> Deferred[Any]
        # The object exists, so a list without it is out of date, and may lack a rival, too.
        lists = count(1)
        found = self._find_with_retries(
            lambda found: self.id_of(used) in {self.id_of(each) for each in found}
            or next(lists) >= _MAXIMUM_LISTS
        )
        return found.addCallback(self._choose, used)

    def _choose(self, found, own):
        # type: (List[Any], Any) -> Any
        known = self._refuted | {self.id_of(own)}
        rivals = [each for each in found if self.id_of(each) not in known]
        used = self.chosen(rivals + [own])
        if used is own:
            self._report_unused(rivals, own)
            return own
        return self._look_at(used).addCallback(self._use_rival, rivals, own)

    def _use_rival(self, rival, rivals, own):
        # type: (Any, List[Any], Any) -> Any
        if rival is None:
            return self._choose(rivals, own)
        self._report_unused(rivals + [own], rival)
        return self._until_usable(rival)

    def _report_unused(self, found, used):
        # type: (List[Any], Any) -> None
        for each in found:
            if self.id_of(each) != self.id_of(used):
                self.report_unused(each, used)


__all__ = ["Creation"]
