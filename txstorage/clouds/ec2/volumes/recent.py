# -*- test-case-name: tests.clouds.ec2.test_recent -*-
"""
Changes that EC2 has accepted, and that its descriptions may not show yet.

A description may be some seconds old: it may lack a volume that was just created, and show one
available whose attachment has begun.  For a while after a request, such a description is taken for
what it will be, so that the driver waits instead of requesting again.
"""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict

import attr

MYPY = False
if MYPY:
    from typing import Any, Mapping, Optional, Text, TypeVar  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

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


def with_status(described, status):
    # type: (T, Text) -> T
    """:return: a :class:`~txstorage.clouds.Volume` or a snapshot, with another status."""
    found = described  # type: Any
    if found.status == status:
        return described
    changed = type(found)(**dict(attr.asdict(found, recurse=False), status=status))  # type: T
    return changed


@attr.s(frozen=True, slots=True)
class Accepted(object):
    """
    A request that EC2 has accepted.

    :ivar text kind: ``create``, or a key of :data:`UNSEEN`.
    :ivar float until: the moment at which descriptions show it, by the reactor.
    :ivar created: the created volume or snapshot, or ``None``.
    """

    kind = attr.ib()  # type: Text
    until = attr.ib()  # type: float
    created = attr.ib(default=None)  # type: Any


class RecentChanges(object):
    """
    The latest request of each volume, or of each snapshot.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._seconds = reactor.seconds
        self._accepted = OrderedDict()  # type: OrderedDict[Text, Accepted]

    def created(self, object_id, described):
        # type: (Text, object) -> None
        """
        :param text object_id: the id of a new volume or snapshot.
        :param described: the :class:`~txstorage.clouds.Volume`, or the snapshot.
        """
        self._note(object_id, Accepted(u"create", self._seconds() + CREATION, described))

    def requested(self, kind, object_id):
        # type: (Text, Text) -> None
        """
        :param text kind: a key of :data:`UNSEEN`.
        :param text object_id: the volume or the snapshot.
        """
        self._note(object_id, Accepted(kind, self._seconds() + LAG))

    def seen(self, object_id, described):
        # type: (Text, T) -> T
        """
        :param text object_id: a volume or a snapshot.
        :param described: the :class:`~txstorage.clouds.Volume`, or the snapshot, as EC2 describes
            it.
        :return: the same, with the status that is to be expected.
        """
        accepted = self._of(object_id)
        if accepted is None:
            return described
        found = described  # type: Any
        expected = UNSEEN.get(accepted.kind, {}).get(found.status, found.status)
        return with_status(described, expected)

    def missing(self, object_id):
        # type: (Text) -> Any
        """
        :param text object_id: a volume or a snapshot that EC2 does not find.
        :return: the :class:`~txstorage.clouds.Volume`, or the snapshot, when it was created so
            recently that it may show up; otherwise ``None``.
        """
        accepted = self._of(object_id)
        return None if accepted is None else accepted.created

    def _of(self, object_id):
        # type: (Text) -> Optional[Accepted]
        accepted = self._accepted.get(object_id)
        return accepted if accepted is not None and self._seconds() < accepted.until else None

    def _note(self, object_id, accepted):
        # type: (Text, Accepted) -> None
        now = self._seconds()
        self._accepted.pop(object_id, None)
        while self._accepted:
            oldest = next(iter(self._accepted))
            if self._accepted[oldest].until > now:
                break
            del self._accepted[oldest]
        self._accepted[object_id] = accepted


__all__ = ["CREATION", "LAG", "UNSEEN", "RecentChanges", "with_status"]
