# -*- test-case-name: tests.driver.snapshots -*-
"""
Operations on one snapshot.
"""

from __future__ import absolute_import, division, print_function

from ...errors import SnapshotFailed, UnknownSnapshot, UnusableSnapshot
from ..lifecycle import GONE, REFUSALS, Decision, Progress, snapshots
from .base import Convergence, failed

MYPY = False
if MYPY:
    from typing import Any, Callable, NoReturn, Optional, Text, Tuple, Type  # noqa: F401

    from constantly import NamedConstant  # noqa: F401
    from twisted.internet.defer import Deferred  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Snapshot  # noqa: F401
    from ..polling import SnapshotWatcher  # noqa: F401


class SnapshotConvergence(Convergence):
    """
    An operation that brings one snapshot to its target state.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param watcher: a :class:`~txstorage.driver.polling.lists.SnapshotWatcher`.
    :param text operation: a key of :data:`txstorage.driver.lifecycle.snapshots.TABLES`.
    :param text snapshot_id: the snapshot.
    :param request: see :class:`Convergence`.
    :param check: see :class:`Convergence`.
    """

    kind = u"snapshot"
    refusals = tuple(kind for kind, _ in REFUSALS)  # type: Tuple[Type[Exception], ...]

    def __init__(self, service, watcher, operation, snapshot_id, request=None, check=None):
        # type: (IVolumeService, SnapshotWatcher, Text, Text, Optional[Callable[[Any], Deferred[Any]]], Optional[Callable[[Snapshot], object]]) -> None
        progress, awaited = Progress(operation), snapshots.AWAITED[operation]
        Convergence.__init__(
            self, service, watcher, progress, snapshot_id, awaited, request, check
        )

    def status(self):
        # type: () -> Text
        """See :class:`Convergence`."""
        return GONE if self.found is None else self.found.status

    def decide(self):
        # type: () -> NamedConstant
        """See :class:`Convergence`."""
        return snapshots.decide(self.progress, self.status())

    def is_proved(self, decision):
        # type: (NamedConstant) -> bool
        """See :class:`Convergence`."""
        return snapshots.is_proved(self.progress, decision)

    def raise_error(self, decision):
        # type: (NamedConstant) -> None
        """See :class:`Convergence`."""
        if decision is Decision.UNKNOWN:
            raise UnknownSnapshot(self.subject_id)

    def raise_explained(self, decision, reason):
        # type: (NamedConstant, Text) -> NoReturn
        """See :class:`Convergence`."""
        operation, status = self.progress.operation, self.status()
        if decision is Decision.UNUSABLE:
            raise UnusableSnapshot(operation, self.subject_id, status, reason)
        problem = failed(self.progress, status, reason, self.problem)
        raise SnapshotFailed(operation, self.subject_id, problem)


class SnapshotDeletion(SnapshotConvergence):
    """
    The deletion of one snapshot.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param watcher: a :class:`~txstorage.driver.polling.lists.SnapshotWatcher`.
    :param text snapshot_id: the snapshot.
    :param check: see :class:`Convergence`.
    """

    def __init__(self, service, watcher, snapshot_id, check):
        # type: (IVolumeService, SnapshotWatcher, Text, Callable[[Snapshot], object]) -> None
        SnapshotConvergence.__init__(
            self, service, watcher, u"destroy", snapshot_id, SnapshotDeletion._delete, check
        )

    def _delete(self):
        # type: () -> Deferred[None]
        return self._service.delete_snapshot(self.subject_id)


__all__ = ["SnapshotConvergence", "SnapshotDeletion"]
