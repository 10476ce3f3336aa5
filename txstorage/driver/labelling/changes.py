# -*- test-case-name: tests.driver.labelling -*-
"""
Changes of one volume's labels, with requests that are repeated.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed

from ...errors.remedies import RESPONSE
from ..last_problem import LastProblem
from ..polling import until

MYPY = False
if MYPY:
    from typing import Any, Callable, Mapping, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Volume  # noqa: F401
    from ..polling import Intervals  # noqa: F401


class LabelChange(object):
    """
    A change of one volume's labels.  After a first look at the volume, requests that fail for a
    reason that may pass are repeated, each after another look.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param Intervals intervals: the intervals between requests.
    :param text volume_id: the volume.
    :param step: called with the :class:`~txstorage.clouds.Volume` as seen; returns the changed one,
        or a ``Deferred`` of it.

    :ivar text name: the operation's subject, for messages.
    :ivar text awaited: the event that the operation waits for.
    """

    awaited = RESPONSE

    def __init__(self, reactor, service, intervals, volume_id, step):
        # type: (IReactorTime, IVolumeService, Intervals, Text, Callable[[Volume], Any]) -> None
        self._reactor = reactor
        self._service = service
        self._intervals = intervals
        self._volume_id = volume_id
        self._step = step
        self._seen = None  # type: Any
        self._status = u"nothing"
        self._problem = LastProblem()
        self.name = u"volume " + volume_id

    @property
    def last_seen(self):
        # type: () -> Text
        """:return: text for people: the last status, and the last problem."""
        return self._problem.after(self._status)

    def run(self):
        # type: () -> Deferred[Volume]
        """
        Change the labels.

        :return: a ``Deferred`` that fires with the changed :class:`~txstorage.clouds.Volume`.
        """
        return self._look().addCallback(self._first)

    def repeat(self, request, satisfied=lambda result: True):
        # type: (Callable[[], Deferred[Any]], Callable[[Any], bool]) -> Deferred[Any]
        """
        Send a request of this operation until its result satisfies a condition.

        :param request: called without arguments; returns a ``Deferred``.
        :param satisfied: called with the result; returns ``bool``.
        :return: a ``Deferred`` that fires with the result.
        """
        return until(self._reactor, self._intervals, request, satisfied, self._problem.retry)

    def _first(self, volume):
        # type: (Volume) -> Deferred[Volume]
        self._seen = volume
        return self.repeat(self._attempt)

    def _look(self):
        # type: () -> Deferred[Volume]
        return self._service.get_volume(self._volume_id).addCallback(self._note)

    def _note(self, volume):
        # type: (Volume) -> Volume
        self._status = volume.status
        return volume

    def _attempt(self):
        # type: () -> Deferred[Volume]
        # The first attempt follows a look.
        seen, self._seen = self._seen, None
        looked = self._look() if seen is None else succeed(seen)
        return looked.addCallback(self._step)


def set_labels(service, volume, labels):
    # type: (IVolumeService, Volume, Mapping[Text, Text]) -> Deferred[Volume]
    """
    Request labels of a volume.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param volume: the :class:`~txstorage.clouds.Volume` as seen.
    :param dict labels: text to text.
    :return: a ``Deferred`` that fires with the :class:`~txstorage.clouds.Volume` after the change.
    """
    return service.set_labels(volume.volume_id, labels).addCallback(volume.with_labels)


__all__ = ["LabelChange", "set_labels"]
