# -*- test-case-name: tests.driver.snapshots.test_create -*-
"""
The creation of exactly one snapshot of a name for a volume.
"""

from __future__ import absolute_import, division, print_function

from ..._log import DUPLICATE_SNAPSHOT, SNAPSHOT_RESUMED
from ...errors import SnapshotFailed, UnusableSnapshot
from ..convergence import SnapshotConvergence, VolumeConvergence
from ..labels import belongs_to, check_cluster, cluster_labels, dataset_labels, dataset_of
from ..lifecycle import snapshots
from .once import Creation
from .volumes import not_created

MYPY = False
if MYPY:
    from typing import Any, List, Mapping, NoReturn, Text  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Snapshot, Volume  # noqa: F401
    from ..convergence.base import Convergence  # noqa: F401
    from ..polling import Intervals, SnapshotWatcher, Watcher  # noqa: F401


class SnapshotCreation(Creation):
    """
    The creation of one snapshot.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param volumes: the :class:`~txstorage.driver.polling.lists.Watcher` of volumes.
    :param watcher: a :class:`~txstorage.driver.polling.lists.SnapshotWatcher`.
    :param intervals: :class:`~txstorage.driver.polling.timing.Intervals` between requests.
    :param UUID cluster_id: the cluster.
    :param text volume_id: the volume.
    :param text name: the snapshot's name.
    :param dict labels: text to text: the caller's labels.
    """

    kind = u"snapshot"
    unusable = UnusableSnapshot

    def __init__(
        self, reactor, service, volumes, watcher, intervals, cluster_id, volume_id, name, labels
    ):
        # type: (IReactorTime, IVolumeService, Watcher, SnapshotWatcher, Intervals, UUID, Text, Text, Mapping[Text, Text]) -> None
        Creation.__init__(self, reactor, watcher, intervals)
        self._service = service
        self._volumes = volumes
        self._cluster_id = cluster_id
        self._volume_id = volume_id
        self._name = name
        self._labels = labels
        self.awaited = snapshots.AWAITED[u"create"]

    @property
    def wanted(self):
        # type: () -> Text
        """See :class:`Creation`."""
        return u"'{}' of volume {}".format(self._name, self._volume_id)

    def find(self):
        # type: () -> Deferred[List[Snapshot]]
        """See :class:`Creation`."""
        d = self._service.list_snapshots(
            cluster_labels(self._cluster_id), self._volume_id, self._name
        )  # type: Deferred[Any]
        return d.addCallback(lambda page: list(page.snapshots))

    def is_candidate(self, found):
        # type: (Snapshot) -> bool
        """See :class:`Creation`."""
        return (
            belongs_to(found, self._cluster_id)
            and found.volume_id == self._volume_id
            and found.name == self._name
            and found.status != u"deleting"
        )

    def request(self):
        # type: () -> Deferred[Snapshot]
        """See :class:`Creation`; the volume must be ready for copying first."""
        run = VolumeConvergence(
            self._service, self._volumes, u"copy", self._volume_id, check=self._check
        )
        self.awaited = run.awaited
        return run.run().addCallback(self._create)

    def _check(self, volume):
        # type: (Volume) -> None
        check_cluster(volume, self._cluster_id)

    def _create(self, volume):
        # type: (Volume) -> Deferred[Snapshot]
        self.awaited = snapshots.AWAITED[u"create"]
        labels = dict(self._labels, **dataset_labels(self._cluster_id, dataset_of(volume)))
        return self._service.create_snapshot(self._volume_id, self._name, labels)

    def delete(self, subject_id):
        # type: (Text) -> Deferred[None]
        """See :class:`Creation`."""
        return self._service.delete_snapshot(subject_id)

    def convergence(self, subject_id):
        # type: (Text) -> Convergence
        """See :class:`Creation`."""
        return SnapshotConvergence(self._service, self._watcher, u"create", subject_id)

    def id_of(self, found):
        # type: (Snapshot) -> Text
        """See :class:`Creation`."""
        return found.snapshot_id

    def chosen(self, found):
        # type: (List[Snapshot]) -> Snapshot
        """See :class:`Creation`."""
        return snapshots.chosen(found)

    def report_resumed(self, found):
        # type: (Snapshot) -> None
        """See :class:`Creation`."""
        SNAPSHOT_RESUMED(
            volume_id=self._volume_id, snapshot_id=found.snapshot_id, status=found.status
        ).write()

    def report_unused(self, found, used):
        # type: (Snapshot, Snapshot) -> None
        """See :class:`Creation`."""
        DUPLICATE_SNAPSHOT(
            volume_id=self._volume_id, snapshot_id=found.snapshot_id, used=used.snapshot_id
        ).write()

    def raise_not_created(self, error):
        # type: (Any) -> NoReturn
        """See :class:`Creation`."""
        raise SnapshotFailed(u"create", error.snapshot_id, not_created(error.reason))
