# -*- test-case-name: tests.driver.test_create -*-
"""
The operations that create volumes and snapshots, shared between the callers that want the same.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

from ..._support.compat import as_text
from ..._support.deferreds import SharedCalls
from ...errors import InvalidDatasetID, InvalidSource
from ..convergence import SnapshotConvergence, VolumeConvergence
from ..labels import block_device_volume, check_cluster, check_volume_labels, labelled_volume
from ..polling import DatasetSearch
from ..sizes import whole
from ..snapshots import block_device_snapshot, check_labels, check_not_anothers, check_snapshot
from .profiles import volume_type_of
from .snapshots import SnapshotCreation
from .volumes import Original, VolumeCreation, check_volume

MYPY = False
if MYPY:
    from typing import Any, Callable, Mapping, Optional, Text, Tuple, TypeVar  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Volume  # noqa: F401
    from ...interfaces import BlockDeviceSnapshot, BlockDeviceVolume, LabelledVolume  # noqa: F401
    from ..deadlines import TimedOperations  # noqa: F401
    from ..polling import Intervals, SnapshotWatcher, Watcher  # noqa: F401

    T = TypeVar("T")


class Creations(object):
    """
    Creates volumes and snapshots.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param UUID cluster_id: the cluster.
    :param watchers: a :class:`~txstorage.driver.polling.lists.Watcher` and a
        :class:`~txstorage.driver.polling.lists.SnapshotWatcher`.
    :param intervals: :class:`~txstorage.driver.polling.timing.Intervals` between requests.
    :param dict profiles: profile name to volume type.
    :param timed: two :class:`~txstorage.driver.deadlines.TimedOperations`: for the creation of
        empty volumes, and for operations that make the cloud copy data.
    """

    def __init__(self, reactor, service, cluster_id, watchers, intervals, profiles, timed):
        # type: (IReactorTime, IVolumeService, UUID, Tuple[Watcher, SnapshotWatcher], Intervals, Mapping[Text, Text], Tuple[TimedOperations, TimedOperations]) -> None
        self._reactor = reactor
        self._service = service
        self._cluster_id = cluster_id
        self._volumes, self._snapshots = watchers
        self._intervals = intervals
        self._profiles = dict(profiles)
        self._operations, self._copies = timed
        self._search = DatasetSearch(reactor, service, cluster_id, intervals)
        self._calls = SharedCalls()

    def volume(self, dataset_id, size, profile=None, original=None):
        # type: (UUID, Optional[int], Optional[Text], Optional[Original]) -> Deferred[BlockDeviceVolume]
        """
        Create a dataset's volume.

        :param UUID dataset_id: the dataset.
        :param size: bytes (int); ``None`` for the size of the original.
        :param profile: the profile (text), or ``None``.
        :param original: the :class:`Original` of the data, or ``None`` for an empty volume.
        :return: a ``Deferred`` that fires with the ``BlockDeviceVolume``.
        :raises InvalidDatasetID: not a ``UUID``.
        :raises InvalidSize: not a positive whole number.
        :raises UnknownProfile: neither mandatory nor configured.
        """
        return self._create(dataset_id, size, profile, original, block_device_volume)

    def labelled_volume(self, dataset_id, size, labels, profile, snapshot_id, volume_id):
        # type: (UUID, Optional[int], Mapping[Text, Text], Optional[Text], Optional[Text], Optional[Text]) -> Deferred[LabelledVolume]
        """See ``ILabelledBlockDeviceAsyncAPI.create_labelled_volume``."""
        check_volume_labels(labels)
        original = None
        if None not in (snapshot_id, volume_id):
            raise InvalidSource(
                u"The volume can't have the data of both snapshot {} and volume {}".format(
                    snapshot_id, volume_id
                )
            )
        if snapshot_id is not None:
            original = self.of_snapshot(as_text(snapshot_id))
        if volume_id is not None:
            original = self.of_volume(as_text(volume_id))
        profile = None if profile is None else as_text(profile)
        return self._create(dataset_id, size, profile, original, labelled_volume, labels)

    def _create(self, dataset_id, size, profile, original, read, labels=None):
        # type: (UUID, Optional[int], Optional[Text], Optional[Original], Callable[[Volume], T], Optional[Mapping[Text, Text]]) -> Deferred[T]
        operations = self._operations if original is None else self._copies
        if not isinstance(dataset_id, UUID):
            raise InvalidDatasetID(u"Not a dataset id: {!r}".format(dataset_id))
        if size is not None or original is None:
            size = whole(size, self._service.allocation_unit)
        creation = VolumeCreation(
            self._reactor,
            self._service,
            self._volumes,
            self._search,
            self._intervals,
            self._cluster_id,
            dataset_id,
            size,
            volume_type_of(profile, self._profiles, dataset_id),
            original,
            labels,
        )
        d = self._calls.join(
            dataset_id, lambda: operations.run(u"create", creation, creation.run)
        )  # type: Deferred[Any]
        return d.addCallback(_checked_volume, size, original, read)

    def of_snapshot(self, snapshot_id):
        # type: (Text) -> Original
        """:return: the :class:`Original` for a volume with a snapshot's data."""
        run = SnapshotConvergence(
            self._service,
            self._snapshots,
            u"copy",
            snapshot_id,
            check=lambda snapshot: check_not_anothers(snapshot, self._cluster_id),
        )
        return Original(run, snapshot_id=snapshot_id)

    def of_volume(self, volume_id):
        # type: (Text) -> Original
        """:return: the :class:`Original` for a volume with another volume's data."""
        run = VolumeConvergence(
            self._service,
            self._volumes,
            u"copy",
            volume_id,
            check=lambda volume: check_cluster(volume, self._cluster_id),
        )
        return Original(run, volume_id=volume_id)

    def snapshot(self, volume_id, name, labels):
        # type: (Text, Text, Mapping[Text, Text]) -> Deferred[BlockDeviceSnapshot]
        """
        Create a snapshot of a volume.

        :param text volume_id: the volume.
        :param text name: the snapshot's name.
        :param dict labels: text to text: the caller's labels.
        :return: a ``Deferred`` that fires with the ``BlockDeviceSnapshot``.
        :raises InvalidSnapshot: the name or a label is invalid.
        """
        check_snapshot(name, labels)
        creation = SnapshotCreation(
            self._reactor,
            self._service,
            self._volumes,
            self._snapshots,
            self._intervals,
            self._cluster_id,
            volume_id,
            name,
            labels,
        )
        d = self._calls.join(
            (volume_id, name), lambda: self._copies.run(u"create", creation, creation.run)
        )  # type: Deferred[Any]
        return d.addCallback(_checked_snapshot, labels)


def _checked_volume(volume, size, original, read):
    # type: (Volume, Optional[int], Optional[Original], Callable[[Volume], T]) -> T
    return read(check_volume(volume, size, original))


def _checked_snapshot(snapshot, labels):
    # type: (Any, Mapping[Text, Text]) -> BlockDeviceSnapshot
    return block_device_snapshot(check_labels(snapshot, labels))


__all__ = ["Creations"]
