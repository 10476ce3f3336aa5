# -*- test-case-name: tests.driver.labelling.test_second_volumes -*-
"""
The label of a dataset's second volumes.

A dataset has one volume. A second one, made by another tool or after a lost response, is never
used. As long as the dataset's volume exists, the two can be compared; when it is gone, the second
volume alone looks like the dataset's own. So it gets a label while both exist, and a volume with
that label is not used any more, whatever becomes of the other.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed

from ..._log import SECOND_VOLUME_MARKED, SECOND_VOLUME_NOT_MARKED
from ..._support.compat import as_text
from ...errors import StorageError
from ...interfaces import UnknownVolume, VolumeException
from ..labels import DATASET, SUPERSEDED, belongs_to, is_superseded, uuid_of
from ..lifecycle import chosen

MYPY = False
if MYPY:
    from typing import Any, Iterable, Set, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Volume  # noqa: F401
    from ..labels import SecondVolume  # noqa: F401

#: The number of volumes that one list marks at most, so that a list stays quick.
AT_ONCE = 8


def is_markable(second, used):
    # type: (Volume, Volume) -> bool
    """
    Decide whether a dataset's second volume gets the label.

    A volume that is attached may be in use, even if it is the wrong one; a volume whose status will
    change, or that only an operator can repair, is decided about later.

    :param txstorage.clouds.Volume second: the volume that is not used.
    :param txstorage.clouds.Volume used: the dataset's volume.
    :return: ``bool``.
    """
    return (
        second.status == u"available"
        and not second.attachments
        and not is_superseded(second)
        and used.status in (u"available", u"in-use")
        and not is_superseded(used)
        and chosen([second, used]) is used
    )


class SecondVolumeMarks(object):
    """
    Sets the label.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param UUID cluster_id: the cluster.
    """

    def __init__(self, service, cluster_id):
        # type: (IVolumeService, UUID) -> None
        self._service = service
        self._cluster_id = cluster_id
        # Volumes that could not be marked, which are not tried in each list.
        self._failed = set()  # type: Set[Text]

    def mark(self, seconds):
        # type: (Iterable[SecondVolume]) -> Deferred[None]
        """
        Mark the second volumes of a list, without failing.

        :param seconds: :class:`~txstorage.driver.labels.SecondVolume` objects.
        :return: a ``Deferred`` that fires with ``None``.
        """
        seconds = list(seconds)
        self._failed &= {each.volume.volume_id for each in seconds}
        found = [
            each
            for each in seconds
            if each.used is not None
            and each.volume.volume_id not in self._failed
            and is_markable(each.volume, each.used)
        ]
        done = succeed(None)  # type: Deferred[Any]
        for second in found[:AT_ONCE]:
            done.addCallback(self._mark, second)
        return done

    def _mark(self, _, second):
        # type: (object, SecondVolume) -> Deferred[None]
        # A list may be out of date: were the used volume gone, the other would be the dataset's.
        d = self._service.get_volume(second.superseded_by)  # type: Deferred[Any]
        d.addCallback(self._look_at_second, second)
        return d.addErrback(self._not_marked, second)

    def _look_at_second(self, used, second):
        # type: (Volume, SecondVolume) -> Deferred[None]
        d = self._service.get_volume(second.volume.volume_id)  # type: Deferred[Any]
        return d.addCallback(self._request, used, second)

    def _request(self, volume, used, second):
        # type: (Volume, Volume, SecondVolume) -> Any
        both = [self._is_of(second.dataset_id, each) for each in (volume, used)]
        if not all(both) or not is_markable(volume, used):
            return None
        d = self._service.set_labels(volume.volume_id, {SUPERSEDED: used.volume_id})
        return d.addCallback(self._marked, second)

    def _is_of(self, dataset_id, volume):
        # type: (UUID, Volume) -> bool
        labelled = uuid_of(volume.labels.get(DATASET))
        return belongs_to(volume, self._cluster_id) and labelled == dataset_id

    def _marked(self, _, second):
        # type: (object, SecondVolume) -> None
        SECOND_VOLUME_MARKED(**second.problem()[1]).write()

    def _not_marked(self, failure, second):
        # type: (Failure, SecondVolume) -> None
        failure.trap(StorageError, VolumeException)
        if failure.check(UnknownVolume):
            # The list was out of date.
            return
        self._failed.add(second.volume.volume_id)
        reason = as_text(failure.getErrorMessage())
        SECOND_VOLUME_NOT_MARKED(volume_id=second.volume.volume_id, reason=reason).write()


__all__ = ["AT_ONCE", "SecondVolumeMarks", "is_markable"]
