# -*- test-case-name: tests.driver.labelling -*-
"""
The adoption of a volume that belongs to no cluster.
"""

from __future__ import absolute_import, division, print_function

from itertools import count

from twisted.internet.defer import succeed

from ...errors import DatasetConflict
from ...errors.remedies import OTHER_DATASET
from ..labels import (
    CLUSTER,
    DATASET,
    SUPERSEDED,
    belongs_to,
    check_cluster,
    dataset_labels,
    dataset_of,
    is_superseded,
    uuid_of,
)
from .changes import set_labels

MYPY = False
if MYPY:
    from typing import Any, List, Mapping, NoReturn, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Volume  # noqa: F401
    from .changes import LabelChange  # noqa: F401

# The lists that are read until one has the volume that was adopted.
_MAXIMUM_LISTS = 5


class Adoption(object):
    """
    The adoption of one volume by a dataset.

    The dataset must not have two volumes, since the data of only one of them would be used.  So the
    dataset's volumes are looked up before the request, and once more after it, because another
    caller may have created or adopted a volume at the same time; then this one is released.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param UUID cluster_id: the cluster.
    :param UUID dataset_id: the dataset.
    :param dict labels: text to text: the consumer's labels.
    """

    def __init__(self, service, cluster_id, dataset_id, labels):
        # type: (IVolumeService, UUID, UUID, Mapping[Text, Text]) -> None
        self._service = service
        self._cluster_id = cluster_id
        self._dataset_id = dataset_id
        self._own = dataset_labels(cluster_id, dataset_id)
        self._labels = dict(labels, **self._own)
        self._requested = False

    def run(self, change):
        # type: (LabelChange) -> Deferred[Volume]
        """
        :param LabelChange change: the change, whose step is :meth:`step`.
        :return: a ``Deferred`` that fires with the adopted :class:`~txstorage.clouds.Volume`.
        """
        return change.run().addCallback(self._alone, change)

    def step(self, volume):
        # type: (Volume) -> Any
        """See :class:`LabelChange`."""
        if CLUSTER in volume.labels:
            check_cluster(volume, self._cluster_id)
            self._check_dataset(volume, dataset_of(volume))
            self._check_used(volume)
            return volume
        if DATASET in volume.labels:
            self._check_dataset(volume, uuid_of(volume.labels[DATASET]))
        return self._rivals(volume).addCallback(self._request, volume)

    def _check_dataset(self, volume, dataset_id):
        # type: (Volume, object) -> None
        if dataset_id != self._dataset_id:
            raise DatasetConflict(
                volume.volume_id,
                u"Volume {} belongs to dataset {}, not to {}".format(
                    volume.volume_id, dataset_id, self._dataset_id
                ),
                OTHER_DATASET,
            )

    def _check_used(self, volume):
        # type: (Volume) -> None
        if is_superseded(volume):
            raise DatasetConflict(
                volume.volume_id,
                u"Volume {} is never used: its label {} names the volume of dataset {}, {}".format(
                    volume.volume_id, SUPERSEDED, self._dataset_id, volume.labels[SUPERSEDED]
                ),
            )

    def _request(self, rivals, volume):
        # type: (List[Volume], Volume) -> Deferred[Volume]
        if rivals:
            self._raise_conflict(rivals)
        self._requested = True
        return set_labels(self._service, volume, self._labels)

    def _listed(self):
        # type: () -> Deferred[List[Volume]]
        d = self._service.list_volumes(self._own)  # type: Deferred[Any]
        return d.addCallback(
            lambda page: [
                each
                for each in page.volumes
                if belongs_to(each, self._cluster_id)
                and not is_superseded(each)
                and each.status != u"deleting"
            ]
        )

    def _rivals(self, volume):
        # type: (Volume) -> Deferred[List[Volume]]
        return self._listed().addCallback(_without, volume)

    def _alone(self, volume, change):
        # type: (Volume, LabelChange) -> Deferred[Volume]
        lists = count(1)
        listed = change.repeat(
            self._listed,
            # A list without the volume is out of date, and may lack a rival, too.
            lambda found: volume.volume_id in {each.volume_id for each in found}
            or next(lists) >= _MAXIMUM_LISTS,
        )
        return listed.addCallback(_without, volume).addCallback(self._settle, volume, change)

    def _settle(self, rivals, volume, change):
        # type: (List[Volume], Volume, LabelChange) -> Any
        if not rivals:
            return volume
        released = succeed(None)  # type: Deferred[Any]
        # A volume that had the labels before is not this call's to release.
        if self._requested:
            released.addCallback(self._release, volume, change, CLUSTER)
            released.addCallback(self._release, volume, change, DATASET)
        return released.addCallback(lambda _: self._raise_conflict(rivals))

    def _release(self, _, volume, change, label):
        # type: (object, Volume, LabelChange, Text) -> Deferred[None]
        return change.repeat(lambda: self._service.remove_label(volume.volume_id, label))

    def _raise_conflict(self, rivals):
        # type: (List[Volume]) -> NoReturn
        volume_id = rivals[0].volume_id
        raise DatasetConflict(
            volume_id, u"Dataset {} already has a volume, {}".format(self._dataset_id, volume_id)
        )


def _without(volumes, volume):
    # type: (List[Volume], Volume) -> List[Volume]
    return [each for each in volumes if each.volume_id != volume.volume_id]


__all__ = ["Adoption"]
