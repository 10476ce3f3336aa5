# -*- test-case-name: tests.clouds.ec2.test_volumes -*-
"""
The growth of volumes: EC2's modifications.

A volume's own state does not show that it is being modified.  A volume has its new size when its
modification is ``optimizing``; after that, EC2 modifies the volume no more for some hours.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed

from ...._support.json_values import objects_in, text_member
from ....errors import RequestRefused, ResourceNotFound
from ..wire import gibibytes
from .recent import with_status

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Set, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...values import Volume  # noqa: F401
    from ..session import EC2Session  # noqa: F401

_STATUSES = {u"modifying": u"extending"}
# The ids of one request.
_AT_ONCE = 100


class Modifications(object):
    """
    The modifications that this process requested.

    :param session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    """

    def __init__(self, session):
        # type: (EC2Session) -> None
        self._session = session
        self._growing = set()  # type: Set[Text]

    def grow(self, volume_id, size):
        # type: (Text, int) -> Deferred[None]
        """
        Request a volume's growth.

        :param int size: bytes.
        :return: a ``Deferred`` that fires with ``None`` when the request is accepted.
        """
        parameters = {"VolumeId": volume_id, "Size": gibibytes(size)}
        asked = self._session.call("ModifyVolume", parameters)  # type: Deferred[Any]
        return asked.addCallback(lambda _: self._growing.add(volume_id))

    def shown(self, volumes):
        # type: (List[Volume]) -> Deferred[List[Volume]]
        """
        :param list volumes: from descriptions.
        :return: a ``Deferred`` that fires with a list of the same volumes; those that are being
            modified have the status ``extending``.
        """
        ids = sorted(self._growing.intersection(each.volume_id for each in volumes))[:_AT_ONCE]
        if not ids:
            return succeed(volumes)

        def overlaid(states):
            # type: (Dict[Text, Text]) -> List[Volume]
            self._growing.difference_update(
                each for each in ids if states.get(each) not in _STATUSES
            )
            return [
                with_status(each, _STATUSES.get(states.get(each.volume_id, u""), each.status))
                for each in volumes
            ]

        return self._states(ids).addCallback(overlaid)

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
