# -*- test-case-name: tests.clouds.ec2.test_recent -*-
"""
Changes that EC2 has accepted, and that its descriptions may not show yet.

A description may be some seconds old: it may lack a volume that was just created, and show one
available whose attachment has begun.  For a while after a request, such a description is taken for
what it will be, so that the driver waits instead of requesting again, and sees its own changes.
"""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict

import attr
from twisted.internet.defer import CancelledError

from ...listing import has_labels

MYPY = False
if MYPY:
    from typing import Any, Iterable, List, Mapping, Optional, Text, TypeVar  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    T = TypeVar("T")

#: Seconds for which a description may not show a request, and for which it may lack a new volume.
#: A volume that EC2 could not encrypt never shows up.
LAG = 10.0
CREATION = 30.0

#: The statuses of descriptions that do not show a request yet, and the status to expect instead.
UNSEEN = {
    u"attach": {u"available": u"attaching"},
    u"detach": {u"in-use": u"detaching", u"attaching": u"detaching"},
    u"delete": {u"available": u"deleting", u"error": u"deleting"},
}  # type: Mapping[Text, Mapping[Text, Text]]

_CREATE, _DELETE, _GONE = u"create", u"delete", u"gone"


def with_status(described, status):
    # type: (T, Text) -> T
    """:return: a :class:`~txstorage.clouds.Volume` or a snapshot, with another status."""
    found = described  # type: Any
    return described if found.status == status else _changed(described, status=status)


def _changed(described, **changes):
    # type: (T, **Any) -> T
    found = described  # type: Any
    changed = type(found)(**dict(attr.asdict(found, recurse=False), **changes))  # type: T
    return changed


def may_be_processed(failure):
    # type: (Failure) -> bool
    """:return: whether EC2 may have processed a request that failed, or was cancelled."""
    if failure.check(CancelledError):
        return True
    return not getattr(failure.value, "certainly_unprocessed", True)


@attr.s(frozen=True, slots=True)
class Accepted(object):
    """
    A request that EC2 has accepted, or may have.

    :ivar text kind: ``create``, ``gone``, or a key of :data:`UNSEEN`.
    :ivar float until: the moment at which descriptions show it, by the reactor.
    :ivar created: the created volume or snapshot, or ``None``.
    """

    kind = attr.ib()  # type: Text
    until = attr.ib()  # type: float
    created = attr.ib(default=None)  # type: Any


class _Latest(object):
    """
    The latest entry of each object, until its end.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._seconds = reactor.seconds
        self._entries = OrderedDict()  # type: OrderedDict[Text, Any]

    def __len__(self):
        # type: () -> int
        return len(self._entries)

    def of(self, object_id):
        # type: (Text) -> Any
        entry = self._entries.get(object_id)
        return entry if entry is not None and self._seconds() < entry.until else None

    def note(self, object_id, entry):
        # type: (Text, Any) -> None
        self._entries.pop(object_id, None)
        while self._entries:
            oldest = next(iter(self._entries))
            if self._entries[oldest].until > self._seconds():
                break
            del self._entries[oldest]
        self._entries[object_id] = entry

    def replace(self, object_id, entry):
        # type: (Text, Any) -> None
        self._entries[object_id] = entry

    def all(self):
        # type: () -> List[Any]
        now = self._seconds()
        return [entry for entry in self._entries.values() if now < entry.until]


@attr.s(frozen=True, slots=True)
class Relabelled(object):
    """
    Labels that were set or removed.

    :ivar float until: the moment at which descriptions show them, by the reactor.
    :ivar dict labels: text to text, or to ``None`` for a removed one.
    """

    until = attr.ib()  # type: float
    labels = attr.ib()  # type: Mapping[Text, Optional[Text]]

    def applied(self, labels):
        # type: (Mapping[Text, Text]) -> Mapping[Text, Text]
        """:return: dict, text to text: the labels after the change."""
        merged = dict(labels, **self.labels)  # type: Any
        return {key: value for key, value in merged.items() if value is not None}


class RecentChanges(object):
    """
    The latest request of each volume, or of each snapshot.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._seconds = reactor.seconds
        self._accepted = _Latest(reactor)
        self._relabelled = _Latest(reactor)

    def created(self, object_id, described):
        # type: (Text, object) -> None
        """
        :param text object_id: the id of a new volume or snapshot.
        :param described: the :class:`~txstorage.clouds.Volume`, or the snapshot.
        """
        until = self._seconds() + CREATION
        self._accepted.note(object_id, Accepted(_CREATE, until, described))

    def requested(self, kind, object_id):
        # type: (Text, Text) -> None
        """
        :param text kind: a key of :data:`UNSEEN`.
        :param text object_id: the volume or the snapshot.
        """
        self._accepted.note(object_id, Accepted(kind, self._seconds() + LAG))

    def failed(self, failure, kind, object_id):
        # type: (Failure, Text, Text) -> Failure
        """
        Take note of a request that failed: EC2 may have accepted it all the same.

        :param failure: of the request.
        :return: the failure.
        """
        if may_be_processed(failure):
            self.requested(kind, object_id)
        return failure

    def relabelled(self, object_id, labels):
        # type: (Text, Mapping[Text, Optional[Text]]) -> None
        """
        :param text object_id: the volume.
        :param dict labels: text to text, or to ``None`` for a removed one.
        """
        before = self._relabelled.of(object_id)
        merged = dict({} if before is None else before.labels, **labels)
        self._relabelled.note(object_id, Relabelled(self._seconds() + LAG, merged))

    def seen(self, object_id, described):
        # type: (Text, T) -> T
        """
        :param text object_id: a volume or a snapshot.
        :param described: the :class:`~txstorage.clouds.Volume`, or the snapshot, as EC2 describes
            it.
        :return: the same, with the status and the labels that are to be expected.
        """
        found = described  # type: Any
        relabelled = self._relabelled.of(object_id)
        if relabelled is not None:
            found = _changed(found, labels=relabelled.applied(found.labels))
        accepted = self._accepted.of(object_id)
        if accepted is None:
            return found  # type: ignore[no-any-return]
        if accepted.kind == _CREATE:
            # A later list may be older than this description.
            self._accepted.replace(object_id, Accepted(_CREATE, accepted.until, found))
        expected = UNSEEN.get(accepted.kind, {}).get(found.status, found.status)
        return with_status(found, expected)  # type: ignore[no-any-return]

    def all_seen(self, described, labels, id_of):
        # type: (Iterable[Any], Mapping[Text, Text], Any) -> List[Any]
        """
        :param described: the volumes or snapshots of a list.
        :param dict labels: text to text: those of the list.
        :param id_of: called with one of them; returns its id.
        :return: list: the same as they are to be expected: without those that are gone, and with
            those that were just created.
        """
        found = OrderedDict((id_of(each), each) for each in described)
        for accepted in self._accepted.all():
            if accepted.created is not None:
                created = _changed(accepted.created, listed=True)
                found.setdefault(id_of(created), created)
        seen = [self.seen(key, found[key]) for key in found if not self.is_gone(key)]
        return [each for each in seen if has_labels(each.labels, labels)]

    def missing(self, object_id):
        # type: (Text) -> Any
        """
        :param text object_id: a volume or a snapshot that EC2 does not find.
        :return: the :class:`~txstorage.clouds.Volume`, or the snapshot, when it was created so
            recently that it may show up; otherwise ``None``.
        """
        accepted = self._accepted.of(object_id)
        if accepted is None or accepted.kind not in (_CREATE, _DELETE):
            return None
        if accepted.kind == _DELETE:
            self._accepted.note(object_id, Accepted(_GONE, self._seconds() + LAG))
        return accepted.created

    def is_gone(self, object_id):
        # type: (Text) -> bool
        """:return: whether a list that shows a volume or a snapshot is older than its deletion."""
        accepted = self._accepted.of(object_id)
        return accepted is not None and accepted.kind == _GONE


__all__ = ["CREATION", "LAG", "UNSEEN", "RecentChanges", "may_be_processed", "with_status"]
