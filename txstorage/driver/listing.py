# -*- test-case-name: tests.driver.test_list -*-
"""
The lists of a cluster's volumes and snapshots.
"""

from __future__ import absolute_import, division, print_function

from .._log import OncePerProblem
from .._support.slices import Slices
from .labelling import SecondVolumeMarks
from .labels import UsableVolumes, block_device_volume, cluster_labels, labelled_volume
from .snapshots import listed_snapshots

MYPY = False
if MYPY:
    from typing import Any, Callable, List  # noqa: F401
    from uuid import UUID  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    from ..clouds.interface import IVolumeService  # noqa: F401
    from ..clouds.values import SnapshotPage, Volume, VolumePage  # noqa: F401
    from ..interfaces import BlockDeviceSnapshot, BlockDeviceVolume, LabelledVolume  # noqa: F401


class ClusterLists(object):
    """
    Lists volumes and snapshots.  What is left out of a list is reported in the log, once until that
    changes.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param UUID cluster_id: the cluster.
    :param bool marking: whether the lists label the second volumes of datasets.
    """

    def __init__(self, reactor, service, cluster_id, marking=True):
        # type: (IReactorTime, IVolumeService, UUID, bool) -> None
        self._service = service
        self._cluster_id = cluster_id
        self._slices = Slices(reactor)
        self._marks = SecondVolumeMarks(service, cluster_id) if marking else None
        self._problems = OncePerProblem()
        self._snapshot_problems = OncePerProblem()

    def volumes(self):
        # type: () -> Deferred[List[BlockDeviceVolume]]
        """:return: a ``Deferred`` that fires with a list of ``BlockDeviceVolume``."""
        return self._read(block_device_volume)

    def labelled(self):
        # type: () -> Deferred[List[LabelledVolume]]
        """:return: a ``Deferred`` that fires with the same list, of ``LabelledVolume``."""
        return self._read(labelled_volume)

    def snapshots(self):
        # type: () -> Deferred[List[BlockDeviceSnapshot]]
        """:return: a ``Deferred`` that fires with a list of ``BlockDeviceSnapshot``."""
        d = self._service.list_snapshots(cluster_labels(self._cluster_id))
        return d.addCallback(self._select_snapshots)

    def _read(self, read):
        # type: (Callable[[Volume, UUID], Any]) -> Deferred[List[Any]]
        d = self._service.list_volumes(cluster_labels(self._cluster_id))
        return d.addCallback(self._select, read)

    def _select(self, page, read):
        # type: (VolumePage, Callable[[Volume, UUID], Any]) -> Deferred[List[Any]]
        selection = UsableVolumes(page, self._cluster_id, read)

        def selected(_):
            # type: (None) -> Any
            self._problems.report(selection.problems)
            if self._marks is None:
                return selection.volumes
            marked = self._marks.mark(selection.seconds)
            return marked.addCallback(lambda _: selection.volumes)

        return self._slices.run(selection.steps()).addCallback(selected)

    def _select_snapshots(self, page):
        # type: (SnapshotPage) -> List[BlockDeviceSnapshot]
        snapshots, problems = listed_snapshots(page, self._cluster_id)
        self._snapshot_problems.report(problems)
        return snapshots


__all__ = ["ClusterLists"]
