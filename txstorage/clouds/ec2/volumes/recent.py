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

from ...values import Volume

MYPY = False
if MYPY:
    from typing import Mapping, Optional, Text  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

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


def with_status(volume, status):
    # type: (Volume, Text) -> Volume
    """:return: the :class:`~txstorage.clouds.Volume` with another status."""
    if volume.status == status:
        return volume
    return Volume(**dict(attr.asdict(volume, recurse=False), status=status))


@attr.s(frozen=True, slots=True)
class Accepted(object):
    """
    A request that EC2 has accepted.

    :ivar text kind: ``create``, or a key of :data:`UNSEEN`.
    :ivar float until: the moment at which descriptions show it, by the reactor.
    :ivar volume: the created :class:`~txstorage.clouds.Volume`, or ``None``.
    """

    kind = attr.ib()  # type: Text
    until = attr.ib()  # type: float
    volume = attr.ib(default=None)  # type: Optional[Volume]


class RecentChanges(object):
    """
    The latest request of each volume.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._seconds = reactor.seconds
        self._accepted = OrderedDict()  # type: OrderedDict[Text, Accepted]

    def created(self, volume):
        # type: (Volume) -> None
        """:param volume: the new :class:`~txstorage.clouds.Volume`."""
        self._note(
            volume.volume_id, Accepted(u"create", self._seconds() + CREATION, volume)
        )

    def requested(self, kind, volume_id):
        # type: (Text, Text) -> None
        """
        :param text kind: a key of :data:`UNSEEN`.
        :param text volume_id: the volume.
        """
        self._note(volume_id, Accepted(kind, self._seconds() + LAG))

    def seen(self, volume):
        # type: (Volume) -> Volume
        """
        :param volume: a :class:`~txstorage.clouds.Volume` from a description.
        :return: the :class:`~txstorage.clouds.Volume` as it is to be expected.
        """
        accepted = self._of(volume.volume_id)
        if accepted is None:
            return volume
        expected = UNSEEN.get(accepted.kind, {}).get(volume.status, volume.status)
        return with_status(volume, expected)

    def missing(self, volume_id):
        # type: (Text) -> Optional[Volume]
        """
        :param text volume_id: a volume that EC2 does not find.
        :return: the :class:`~txstorage.clouds.Volume` when it was created so recently that it may
            show up; otherwise ``None``.
        """
        accepted = self._of(volume_id)
        return None if accepted is None else accepted.volume

    def _of(self, volume_id):
        # type: (Text) -> Optional[Accepted]
        accepted = self._accepted.get(volume_id)
        return accepted if accepted is not None and self._seconds() < accepted.until else None

    def _note(self, volume_id, accepted):
        # type: (Text, Accepted) -> None
        now = self._seconds()
        self._accepted.pop(volume_id, None)
        while self._accepted:
            oldest = next(iter(self._accepted))
            if self._accepted[oldest].until > now:
                break
            del self._accepted[oldest]
        self._accepted[volume_id] = accepted


__all__ = ["CREATION", "LAG", "UNSEEN", "RecentChanges", "with_status"]
