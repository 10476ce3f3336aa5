# -*- test-case-name: tests.clouds.ec2.test_service -*-
"""
Amazon EC2 behind the seam: volumes of EBS and instances as one volume service.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, succeed
from zope.interface import implementer

from ..interface import IVolumeService
from .attachments import InstanceAttachments
from .instances import Instances
from .remedies import REMEDIES
from .snapshots import EC2Snapshots
from .volumes import EC2Volumes, RecentChanges
from .wire import GIB

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..values import (  # noqa: F401
        Attachment,
        Server,
        Snapshot,
        SnapshotPage,
        Volume,
        VolumePage,
    )
    from .session import EC2Session  # noqa: F401


@implementer(IVolumeService)
class EC2Service(object):
    """
    The volumes and instances of a region.

    :param reactor: provides ``IReactorTime``.
    :param session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    :param text zone: the availability zone of new volumes, which only instances in the same zone
        can use.
    :param kms_key_id: the key of KMS that encrypts new volumes (text), or ``None`` for the
        account's settings.
    """

    allocation_unit = GIB
    settles = True
    remedies = REMEDIES

    def __init__(self, reactor, session, zone, kms_key_id=None):
        # type: (IReactorTime, EC2Session, Text, Optional[Text]) -> None
        recent = RecentChanges(reactor)
        self._session = session
        self._volumes = EC2Volumes(reactor, session, zone, recent, kms_key_id)
        self._snapshots = EC2Snapshots(reactor, session)
        self._attachments = InstanceAttachments(reactor, session, recent)
        self._instances = Instances(session)

    def create_volume(
        self, name, size, labels, volume_type=None, snapshot_id=None, source_volume_id=None
    ):
        # type: (Text, int, Mapping[Text, Text], Optional[Text], Optional[Text], Optional[Text]) -> Deferred[Volume]
        """
        See ``IVolumeService``.  Idempotent for a dataset: the request has a client token, and is
        sent again after a lost answer.
        """
        return self._volumes.create(
            name, size, labels, volume_type, snapshot_id, source_volume_id
        )

    def delete_volume(self, volume_id):
        # type: (Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._volumes.delete(volume_id)

    def get_volume(self, volume_id):
        # type: (Text) -> Deferred[Volume]
        """See ``IVolumeService``; volumes that are asked for together share a request."""
        return self._volumes.get(volume_id)

    def list_volumes(self, labels):
        # type: (Mapping[Text, Text]) -> Deferred[VolumePage]
        """See ``IVolumeService``."""
        return self._volumes.list(labels)

    def extend_volume(self, volume_id, size, attached):
        # type: (Text, int, bool) -> Deferred[None]
        """See ``IVolumeService``; an attached volume needs no other request."""
        return self._volumes.extend(volume_id, size)

    def set_labels(self, volume_id, labels):
        # type: (Text, Mapping[Text, Text]) -> Deferred[Mapping[Text, Text]]
        """See ``IVolumeService``."""
        return self._volumes.set_labels(volume_id, labels)

    def remove_label(self, volume_id, label):
        # type: (Text, Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._volumes.remove_label(volume_id, label)

    def create_snapshot(self, volume_id, name, labels):
        # type: (Text, Text, Mapping[Text, Text]) -> Deferred[Snapshot]
        """See ``IVolumeService``."""
        return self._snapshots.create(volume_id, name, labels)

    def delete_snapshot(self, snapshot_id):
        # type: (Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._snapshots.delete(snapshot_id)

    def get_snapshot(self, snapshot_id):
        # type: (Text) -> Deferred[Snapshot]
        """See ``IVolumeService``."""
        return self._snapshots.get(snapshot_id)

    def list_snapshots(self, labels, volume_id=None, name=None):
        # type: (Mapping[Text, Text], Optional[Text], Optional[Text]) -> Deferred[SnapshotPage]
        """See ``IVolumeService``."""
        return self._snapshots.list(labels, volume_id, name)

    def failure_reason(self, resource_id):
        # type: (Text) -> Deferred[Text]
        """See ``IVolumeService``."""
        of_snapshot = resource_id.startswith(u"snap-")
        source = self._snapshots if of_snapshot else self._volumes  # type: Any
        reason = source.failure_reason(resource_id)  # type: Deferred[Any]
        return reason.addErrback(_quiet)

    def request_attach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._attachments.attach(volume_id, server_id)

    def request_detach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._attachments.detach(volume_id, server_id)

    def settle(self, volume):
        # type: (Volume) -> Deferred[None]
        """See ``IVolumeService``: an attach that does not complete is undone."""
        return self._attachments.settle(volume)

    def list_attachments(self, server_id):
        # type: (Text) -> Deferred[Tuple[Attachment, ...]]
        """See ``IVolumeService``: EC2 holds attachments with their volumes, and nowhere else."""
        return succeed(())

    def list_device_names(self, server_id):
        # type: (Text) -> Deferred[Dict[Text, Text]]
        """See ``IVolumeService``."""
        return self._instances.device_names(server_id)

    def get_server(self, server_id):
        # type: (Text) -> Deferred[Server]
        """See ``IVolumeService``."""
        return self._instances.get(server_id)

    def list_servers(self):
        # type: () -> Deferred[Tuple[Server, ...]]
        """See ``IVolumeService``."""
        return self._instances.list()

    def start_server(self, server_id):
        # type: (Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._instances.start(server_id)

    # -- beyond IVolumeService ------------------------------------------------

    @property
    def session(self):
        # type: () -> EC2Session
        """The :class:`~txstorage.clouds.ec2.session.EC2Session`."""
        return self._session

    def close(self):
        # type: () -> Deferred[Any]
        """
        :return: a ``Deferred`` that fires when no connection is left.
        """
        return self._session.close()


def _quiet(failure):
    # type: (Failure) -> Any
    return failure if failure.check(CancelledError) else u""


__all__ = ["EC2Service"]
