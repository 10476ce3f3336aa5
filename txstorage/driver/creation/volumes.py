# -*- test-case-name: tests.driver.test_create -*-
"""
The creation of exactly one volume for a dataset.
"""

from __future__ import absolute_import, division, print_function

from ..._log import CREATE_RESUMED, DUPLICATE_VOLUME
from ...errors import DatasetConflict, OperationFailed, SmallerThanSource, UnusableStatus
from ...errors.remedies import OTHER_DATA, OTHER_SIZE
from ..convergence import VolumeConvergence
from ..labels import belongs_to, dataset_labels, dataset_of, is_superseded, volume_name
from ..lifecycle import AWAITED, chosen
from .once import Creation

MYPY = False
if MYPY:
    from typing import Any, List, Mapping, NoReturn, Optional, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Volume  # noqa: F401
    from ..convergence.base import Convergence  # noqa: F401
    from ..polling import DatasetSearch, Intervals, Watcher  # noqa: F401


class VolumeCreation(Creation):
    """
    The creation of one dataset's volume.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param watcher: a :class:`~txstorage.driver.polling.lists.Watcher`.
    :param search: a :class:`~txstorage.driver.polling.lists.DatasetSearch`.
    :param intervals: :class:`~txstorage.driver.polling.timing.Intervals` between requests.
    :param UUID cluster_id: the cluster.
    :param UUID dataset_id: the dataset.
    :param size: bytes (int), a multiple of the service's allocation unit; ``None`` for the size of
        the source.
    :param volume_type: text, or ``None`` for the cloud's default, or the source's.
    :param original: the :class:`Original` of the data, or ``None`` for an empty volume.
    :param dict labels: text to text: the consumer's own labels, or ``None``.
    """

    kind = u"volume"
    unusable = UnusableStatus

    def __init__(
        self,
        reactor,
        service,
        watcher,
        search,
        intervals,
        cluster_id,
        dataset_id,
        size,
        volume_type=None,
        original=None,
        labels=None,
    ):
        # type: (IReactorTime, IVolumeService, Watcher, DatasetSearch, Intervals, UUID, UUID, Optional[int], Optional[Text], Optional[Original], Optional[Mapping[Text, Text]]) -> None
        Creation.__init__(self, reactor, watcher, intervals)
        self._service = service
        self._search = search
        self._cluster_id = cluster_id
        self._dataset_id = dataset_id
        self._size = size
        self._volume_type = volume_type
        self._original = original
        self._labels = dict(labels or {}, **dataset_labels(cluster_id, dataset_id))
        self.awaited = AWAITED[u"create"]

    @property
    def wanted(self):
        # type: () -> Text
        """See :class:`Creation`."""
        return u"for dataset {}".format(self._dataset_id)

    def find(self):
        # type: () -> Deferred[List[Volume]]
        """See :class:`Creation`."""
        return self._search.look(self._dataset_id)

    def is_candidate(self, found):
        # type: (Volume) -> bool
        """See :class:`Creation`."""
        return (
            belongs_to(found, self._cluster_id)
            and dataset_of(found) == self._dataset_id
            and not is_superseded(found)
            and found.status != u"deleting"
        )

    def request(self):
        # type: () -> Deferred[Volume]
        """See :class:`Creation`; a source must be ready for copying first."""
        if self._original is None:
            return self._create(self._size)
        self.awaited = self._original.run.awaited
        return self._original.run.run().addCallback(self._copy, self._original)

    def _copy(self, found, original):
        # type: (Any, Original) -> Deferred[Volume]
        self.awaited = AWAITED[u"create"]
        size = found.size if self._size is None else self._size
        if size < found.size:
            raise SmallerThanSource(original.run.name, found.size, size)
        return self._create(size, *original.ids)

    def _create(self, size, snapshot_id=None, source_volume_id=None):
        # type: (Any, Optional[Text], Optional[Text]) -> Deferred[Volume]
        return self._service.create_volume(
            volume_name(self._dataset_id),
            size,
            self._labels,
            self._volume_type,
            snapshot_id,
            source_volume_id,
        )

    def delete(self, subject_id):
        # type: (Text) -> Deferred[None]
        """See :class:`Creation`."""
        return self._service.delete_volume(subject_id)

    def convergence(self, subject_id):
        # type: (Text) -> Convergence
        """See :class:`Creation`."""
        return _UntilUsable(self._service, self._watcher, subject_id, self._dataset_id)

    def listed_with(self, used):
        # type: (Volume) -> Optional[List[Volume]]
        """See :class:`Creation`."""
        # The list that shows the volume usable began after the request for the volume.
        return self._convergence.of_dataset if used.listed else None

    def id_of(self, found):
        # type: (Volume) -> Text
        """See :class:`Creation`."""
        return found.volume_id

    def chosen(self, found):
        # type: (List[Volume]) -> Volume
        """See :class:`Creation`."""
        return chosen(found)

    def report_resumed(self, found):
        # type: (Volume) -> None
        """See :class:`Creation`."""
        CREATE_RESUMED(
            dataset_id=self._dataset_id, volume_id=found.volume_id, status=found.status
        ).write()

    def report_unused(self, found, used):
        # type: (Volume, Volume) -> None
        """See :class:`Creation`."""
        DUPLICATE_VOLUME(
            dataset_id=self._dataset_id, volume_id=found.volume_id, used=used.volume_id
        ).write()

    def raise_not_created(self, error):
        # type: (Any) -> NoReturn
        """See :class:`Creation`."""
        raise OperationFailed(u"create", error.volume_id, not_created(error.reason))


class _UntilUsable(VolumeConvergence):
    """
    The wait until a volume that was requested is usable.

    :ivar of_dataset: the volumes of the dataset in the list that ended the wait; ``None`` when no
        list did.
    """

    def __init__(self, service, watcher, volume_id, dataset_id):
        # type: (IVolumeService, Watcher, Text, UUID) -> None
        VolumeConvergence.__init__(self, service, watcher, u"create", volume_id)
        self._volumes = watcher
        self._dataset_id = dataset_id
        self.of_dataset = None  # type: Optional[List[Volume]]

    def ends_wait(self, found):
        # type: (Any) -> bool
        """See :class:`~txstorage.driver.convergence.base.Convergence`."""
        ends = VolumeConvergence.ends_wait(self, found)
        if ends:
            self.of_dataset = self._volumes.of_dataset(self._dataset_id)
        return ends


class Original(object):
    """
    The data that a volume begins with: a snapshot's, or another volume's.

    :ivar run: the :class:`~txstorage.driver.convergence.base.Convergence` that waits until it is
        ready for copying.
    :ivar tuple ids: the ids of the snapshot and of the volume; one of them is ``None``.
    """

    def __init__(self, run, snapshot_id=None, volume_id=None):
        # type: (Convergence, Optional[Text], Optional[Text]) -> None
        self.run = run
        self.ids = (snapshot_id, volume_id)

    def is_of(self, volume):
        # type: (Volume) -> bool
        """:return: whether a volume was made from it."""
        return (volume.snapshot_id, volume.source_volume_id) == self.ids


def not_created(reason):
    # type: (Text) -> Text
    """
    :param text reason: the cloud's; may be empty.
    :return: text: the problem of an object that never became usable.
    """
    problem = u"the cloud failed to create it, and it was deleted"
    return problem + (u"; the cloud reports: " + reason if reason else u"")


def check_volume(volume, size, original):
    # type: (Volume, Optional[int], Optional[Original]) -> Volume
    """
    Check that a dataset's volume, which may have existed before, is the requested one.

    :param Volume volume: the volume.
    :param size: bytes (int); ``None`` for any.
    :param original: the :class:`Original` of the data; ``None`` for any.
    :return: the volume.
    :raises DatasetConflict: the size or the original differs.
    """
    if original is not None and not original.is_of(volume):
        raise DatasetConflict(
            volume.volume_id,
            u"Dataset {} already has a volume, {}, which was not made from {}".format(
                dataset_of(volume), volume.volume_id, original.run.name
            ),
            OTHER_DATA,
        )
    if size is not None and volume.size != size:
        raise DatasetConflict(
            volume.volume_id,
            u"Dataset {} already has a volume of {} bytes, {}; the requested size is {}".format(
                dataset_of(volume), volume.size, volume.volume_id, size
            ),
            OTHER_SIZE,
        )
    return volume


__all__ = ["Original", "VolumeCreation", "check_volume", "not_created"]
