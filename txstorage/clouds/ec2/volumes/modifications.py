# -*- test-case-name: tests.clouds.ec2.test_volumes -*-
"""
The growth of volumes: EC2's modifications.

A volume's own state does not show that it is being modified.  A volume has its new size when its
modification is ``optimizing``; after that, EC2 modifies the volume no more for some hours.
"""

from __future__ import absolute_import, division, print_function

import attr
from twisted.internet.defer import succeed

from ...._support.json_values import objects_in, text_member
from ....errors import RequestRefused, ResourceNotFound
from ..wire import GIB, gibibytes
from .recent import with_status

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...values import Volume  # noqa: F401
    from ..session import EC2Session  # noqa: F401

# The ids of one request.
_AT_ONCE = 100

#: Seconds after a request for which a volume may show neither its new size nor the modification.
SHOWS = 60.0

_EXTENDING = u"extending"


@attr.s(frozen=True, slots=True)
class Growing(object):
    """
    A volume that was requested to grow.

    :ivar int size: bytes: the size to reach.
    :ivar float until: the moment at which a description shows the size, by the reactor.
    """

    size = attr.ib()  # type: int
    until = attr.ib()  # type: float

    def is_growing(self, size, state, now):
        # type: (int, Text, float) -> bool
        """
        Decide whether a volume is still growing.

        :param int size: bytes: the volume's, in a description that may be old.
        :param text state: of its modification; empty when there is none (yet).
        :param float now: the present moment, by the reactor.
        """
        if size >= self.size or state == u"failed":
            return False
        return state == u"modifying" or now < self.until


class Modifications(object):
    """
    The modifications that this process requested.

    :param reactor: provides ``IReactorTime``.
    :param session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    """

    def __init__(self, reactor, session):
        # type: (IReactorTime, EC2Session) -> None
        self._seconds = reactor.seconds
        self._session = session
        self._growing = {}  # type: Dict[Text, Growing]

    def grow(self, volume_id, size):
        # type: (Text, int) -> Deferred[None]
        """
        Request a volume's growth.

        :param int size: bytes.
        :return: a ``Deferred`` that fires with ``None`` when the request is accepted.
        """
        gib = gibibytes(size)

        def accepted(_):
            # type: (object) -> None
            self._growing[volume_id] = Growing(gib * GIB, self._seconds() + SHOWS)

        parameters = {"VolumeId": volume_id, "Size": gib}
        return self._session.call("ModifyVolume", parameters).addCallback(accepted)

    def shown(self, volumes):
        # type: (List[Volume]) -> Deferred[List[Volume]]
        """
        :param list volumes: from descriptions.
        :return: a ``Deferred`` that fires with a list of the same volumes; those that are being
            modified have the status ``extending``.
        """
        smaller = []  # type: List[Text]
        for each in volumes:
            growing = self._growing.get(each.volume_id)
            if growing is not None and each.size < growing.size:
                smaller.append(each.volume_id)
            elif growing is not None:
                del self._growing[each.volume_id]
        if not smaller:
            return succeed(volumes)
        states = self._states(sorted(smaller)[:_AT_ONCE])
        return states.addCallback(
            lambda found: [self._overlaid(each, found.get(each.volume_id, u"")) for each in volumes]
        )

    def _overlaid(self, volume, state):
        # type: (Volume, Text) -> Volume
        growing = self._growing.get(volume.volume_id)
        if growing is None:
            return volume
        if growing.is_growing(volume.size, state, self._seconds()):
            return with_status(volume, _EXTENDING)
        del self._growing[volume.volume_id]
        return volume

    def _states(self, ids):
        # type: (List[Text]) -> Deferred[Dict[Text, Text]]
        d = self._described(ids)  # type: Deferred[Any]
        return d.addCallback(
            lambda found: {
                text_member(each, u"VolumeId"): text_member(each, u"ModificationState")
                for each in found
            }
        )

    def _described(self, ids):
        # type: (List[Text]) -> Deferred[List[Any]]
        asked = self._session.call("DescribeVolumesModifications", {"VolumeIds": ids})  # type: Deferred[Any]
        asked.addErrback(_none)
        return asked.addCallback(lambda answer: objects_in(answer.get(u"VolumesModifications")))

    def reason(self, volume_id):
        # type: (Text) -> Deferred[Text]
        """
        :return: a ``Deferred`` that fires with text: the reason why the last modification failed;
            empty when it did not.
        """

        def found(modifications):
            # type: (List[Any]) -> Text
            for each in modifications:
                if each.get(u"ModificationState") == u"failed":
                    return text_member(each, u"StatusMessage")
            return u""

        return self._described([volume_id]).addCallback(found)


def _none(failure):
    # type: (Failure) -> Any
    # EC2 has an error of its own for a volume that was never modified.
    failure.trap(ResourceNotFound, RequestRefused)
    return {}


__all__ = ["Modifications"]
