# -*- test-case-name: tests.driver -*-
"""
Operations on one volume.
"""

from __future__ import absolute_import, division, print_function

from ...errors import (
    AttachedToHost,
    OperationFailed,
    StillAttached,
    UnknownServer,
    UnusableStatus,
    VolumesNeverShrink,
)
from ...interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume
from ..lifecycle import AWAITED, REFUSALS, Decision, Phase, Progress, growth, volumes
from ..places import attached_hosts, attached_places, attached_servers, observed
from .base import Convergence, failed

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Iterable, NoReturn, Optional, Text, Tuple, Type  # noqa: F401

    from constantly import NamedConstant  # noqa: F401
    from twisted.internet.defer import Deferred  # noqa: F401

    from ...clouds.interface import IVolumeService  # noqa: F401
    from ...clouds.values import Attachment, Volume  # noqa: F401
    from ..polling import Watcher  # noqa: F401

_REFUSALS = tuple(kind for kind, _ in REFUSALS if kind is not UnknownServer)  # type: Any

_ERRORS = {
    Decision.UNKNOWN: UnknownVolume,
    Decision.ATTACHED: AlreadyAttachedVolume,
    Decision.UNATTACHED: UnattachedVolume,
}


class VolumeConvergence(Convergence):
    """
    An operation that brings one volume to its target state.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param watcher: a :class:`~txstorage.driver.polling.lists.Watcher`.
    :param text operation: a key of :data:`txstorage.driver.lifecycle.TABLES`.
    :param text volume_id: the volume.
    :param request: see :class:`Convergence`.
    :param check: see :class:`Convergence`.
    :param servers: instance ids that the operation is about; when empty, the servers that the
        volume is attached to at the first poll.
    """

    kind = u"volume"
    refusals = _REFUSALS  # type: Tuple[Type[Exception], ...]

    def __init__(
        self, service, watcher, operation, volume_id, request=None, check=None, servers=frozenset()
    ):
        # type: (IVolumeService, Watcher, Text, Text, Optional[Callable[[Any], Deferred[Any]]], Optional[Callable[[Volume], object]], Iterable[Text]) -> None
        progress = Progress(operation, frozenset(servers))
        awaited = AWAITED[operation]
        Convergence.__init__(
            self, service, watcher, progress, volume_id, awaited, request, check
        )
        # The volume's last change as seen before the request.
        self._known_at = u""
        self._servers_listed = False
        # Kept when the attachments are gone, and the devices may not be.
        self._attachments = {}  # type: Dict[Tuple[Optional[Text], Optional[Text]], Attachment]
        if operation == u"detach":
            # A deleted server releases its volumes.
            self.refusals = _REFUSALS + (UnknownServer,)

    @property
    def volume_id(self):
        # type: () -> Text
        """:return: text: the volume's id."""
        return self.subject_id

    @property
    def volume(self):
        # type: () -> Any
        """:return: the :class:`~txstorage.clouds.Volume` as last seen, or ``None``."""
        return self.found

    @property
    def attachments(self):
        # type: () -> Iterable[Attachment]
        """:return: the attachments that the volume has or had during the operation."""
        return self._attachments.values()

    def decide(self):
        # type: () -> NamedConstant
        """See :class:`Convergence`."""
        status, places = observed(self.found)
        return volumes.decide(self.progress, status, places)

    def is_proved(self, decision):
        # type: (NamedConstant) -> bool
        """See :class:`Convergence`."""
        updated_at = self.found.updated_at
        return volumes.is_proved(self.progress, decision, updated_at, self._known_at)

    def status(self):
        # type: () -> Text
        """See :class:`Convergence`."""
        places = u", ".join(attached_places(self.found))
        text = self.found.status  # type: Text
        return text + (u", attached to " + places if places else u"")

    def note(self):
        # type: () -> None
        """Remember the attachments, the servers and the time of the last change."""
        if self.found is None:
            return
        self._attachments.update(((a.server_id, a.host_name), a) for a in self.found.attachments)
        if self.progress.phase is Phase.REQUESTED:
            return
        self._known_at = self.found.updated_at
        # A list may be out of date about the servers, too, so the next look replaces them.
        if not self.progress.servers or (self._servers_listed and not self.found.listed):
            self.progress = self.progress.about(attached_servers(self.found))
            self._servers_listed = self.found.listed

    @property
    def settles(self):
        # type: () -> bool
        """See :class:`Convergence`."""
        settles = self._service.settles  # type: bool
        return settles

    def settle(self):
        # type: () -> Optional[Deferred[None]]
        """See :class:`Convergence`."""
        return self._service.settle(self.found)

    def raise_error(self, decision):
        # type: (NamedConstant) -> None
        """See :class:`Convergence`."""
        if decision in _ERRORS:
            raise _ERRORS[decision](self.volume_id)
        if decision is Decision.STILL_ATTACHED:
            raise StillAttached(self.volume_id, observed(self.found)[1])
        if decision is Decision.ATTACHED_TO_HOST:
            raise AttachedToHost(self.volume_id, attached_hosts(self.found))

    def raise_explained(self, decision, reason):
        # type: (NamedConstant, Text) -> NoReturn
        """See :class:`Convergence`."""
        operation, status = self.progress.operation, observed(self.found)[0]
        if decision is Decision.UNUSABLE:
            raise UnusableStatus(operation, self.volume_id, status, reason)
        problem = failed(self.progress, status, reason, self.problem)
        raise OperationFailed(operation, self.volume_id, problem)


class Growth(VolumeConvergence):
    """
    The growth of one volume.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param watcher: a :class:`~txstorage.driver.polling.lists.Watcher`.
    :param text volume_id: the volume.
    :param int size: bytes: the size to reach, a multiple of the service's allocation unit.
    :param check: see :class:`Convergence`.
    """

    def __init__(self, service, watcher, volume_id, size, check):
        # type: (IVolumeService, Watcher, Text, int, Callable[[Volume], object]) -> None
        VolumeConvergence.__init__(
            self, service, watcher, u"grow", volume_id, Growth._extend, check
        )
        self.size = size

    def _extend(self):
        # type: () -> Deferred[None]
        attached = bool(observed(self.found)[1])
        return self._service.extend_volume(self.volume_id, self.size, attached)

    def _checked(self, found):
        # type: (Any) -> Any
        VolumeConvergence._checked(self, found)
        if found is not None and found.size > self.size:
            raise VolumesNeverShrink(self.volume_id, found.size, self.size)
        return found

    def decide(self):
        # type: () -> NamedConstant
        """See :class:`Convergence`."""
        size = 0 if self.found is None else self.found.size
        return growth.decide(self.progress, observed(self.found)[0], size, self.size)

    def is_proved(self, decision):
        # type: (NamedConstant) -> bool
        """See :class:`Convergence`."""
        return growth.is_proved(self.progress, decision)


__all__ = ["Growth", "VolumeConvergence"]
