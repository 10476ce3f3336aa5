# -*- test-case-name: tests.driver.labelling -*-
"""
Operations on the labels of one volume.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

from ...errors import InvalidDatasetID
from ..convergence import PlainSubject
from ..labels import check_cluster, check_volume_labels, labelled_volume
from .adoption import Adoption
from .changes import LabelChange, set_labels

MYPY = False
if MYPY:
    from typing import Any, Callable, Mapping, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Volume  # noqa: F401
    from ...interfaces import LabelledVolume  # noqa: F401
    from ..deadlines import TimedOperations  # noqa: F401
    from ..polling import Intervals  # noqa: F401


class VolumeLabels(object):
    """
    Reads and changes the labels of volumes.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param UUID cluster_id: the cluster.
    :param Intervals intervals: the intervals between requests.
    :param TimedOperations operations: runs each operation, with its deadline.
    """

    def __init__(self, reactor, service, cluster_id, intervals, operations):
        # type: (IReactorTime, IVolumeService, UUID, Intervals, TimedOperations) -> None
        self._reactor = reactor
        self._service = service
        self._cluster_id = cluster_id
        self._intervals = intervals
        self._operations = operations

    def get(self, volume_id):
        # type: (Text) -> Deferred[LabelledVolume]
        """See ``ILabelledBlockDeviceAsyncAPI.get_labelled_volume``."""
        subject = PlainSubject(u"volume " + volume_id)
        d = self._operations.run(u"show", subject, self._service.get_volume, volume_id)
        return d.addCallback(check_cluster, self._cluster_id).addCallback(labelled_volume)

    def set(self, volume_id, labels):
        # type: (Text, Mapping[Text, Text]) -> Deferred[LabelledVolume]
        """See ``ILabelledBlockDeviceAsyncAPI.set_labels``."""
        check_volume_labels(labels)
        labels = dict(labels)

        def step(volume):
            # type: (Volume) -> Any
            check_cluster(volume, self._cluster_id)
            return volume if _has(volume, labels) else set_labels(self._service, volume, labels)

        change = self._change(volume_id, step)
        return self._operations.run(u"label", change, change.run).addCallback(labelled_volume)

    def remove(self, volume_id, label):
        # type: (Text, Text) -> Deferred[None]
        """See ``ILabelledBlockDeviceAsyncAPI.remove_label``."""
        check_volume_labels({label: u""})

        def step(volume):
            # type: (Volume) -> Any
            check_cluster(volume, self._cluster_id)
            if label in volume.labels:
                return self._service.remove_label(volume.volume_id, label)
            return None

        change = self._change(volume_id, step)
        removed = self._operations.run(u"remove a label of", change, change.run)
        return removed.addCallback(lambda _: None)

    def adopt(self, volume_id, dataset_id, labels):
        # type: (Text, UUID, Mapping[Text, Text]) -> Deferred[LabelledVolume]
        """See ``ILabelledBlockDeviceAsyncAPI.adopt_volume``."""
        check_volume_labels(labels)
        if not isinstance(dataset_id, UUID):
            raise InvalidDatasetID(u"Not a dataset id: {!r}".format(dataset_id))
        adoption = Adoption(self._service, self._cluster_id, dataset_id, labels)
        change = self._change(volume_id, adoption.step)
        adopted = self._operations.run(u"adopt", change, adoption.run, change)
        return adopted.addCallback(labelled_volume)

    def _change(self, volume_id, step):
        # type: (Text, Callable[[Volume], Any]) -> LabelChange
        return LabelChange(self._reactor, self._service, self._intervals, volume_id, step)


def _has(volume, labels):
    # type: (Volume, Mapping[Text, Text]) -> bool
    return all(volume.labels.get(label) == value for label, value in labels.items())


__all__ = ["VolumeLabels"]
