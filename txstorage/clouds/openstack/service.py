# -*- test-case-name: tests.clouds.openstack.test_service -*-
"""
OpenStack behind the seam: Keystone, Cinder and Nova as one volume service.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed
from zope.interface import implementer

from ...errors import (
    AuthenticationFailed,
    MicroversionMissing,
    PermissionDenied,
    ServerDeleted,
    UnknownServer,
)
from ..interface import IVolumeService
from .cinder import GIB, Cinder, CinderSnapshots, HostAttachments, failure_reason
from .nova import Nova
from .project import Project

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Optional, Sequence, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..values import (  # noqa: F401
        Attachment,
        Server,
        Snapshot,
        SnapshotPage,
        Volume,
        VolumePage,
    )
    from .project import Pool, Quota, VolumeType, Zone  # noqa: F401
    from .session import Identity, Session  # noqa: F401


@implementer(IVolumeService)
class OpenStackService(object):
    """
    An OpenStack cloud's volumes and servers.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    :param availability_zone: the zone to create volumes in (text), or ``None``.
    :param page_size: the number of entries to request per page of a list, or ``None`` for the
        services' default.
    """

    allocation_unit = GIB
    settles = False
    remedies = {}  # type: Mapping[Text, Text]

    def __init__(self, session, availability_zone=None, page_size=None):
        # type: (Session, Optional[Text], Optional[int]) -> None
        self._session = session
        self._cinder = Cinder(session, availability_zone, page_size)
        self._snapshots = CinderSnapshots(session, page_size)
        self._nova = Nova(session, page_size)
        self._attachments = HostAttachments(session)
        self._project = Project(session)

    def create_volume(
        self, name, size, labels, volume_type=None, snapshot_id=None, source_volume_id=None
    ):
        # type: (Text, int, Mapping[Text, Text], Optional[Text], Optional[Text], Optional[Text]) -> Deferred[Volume]
        """See ``IVolumeService``."""
        return self._cinder.create(
            name, size, labels, volume_type, snapshot_id, source_volume_id
        )

    def delete_volume(self, volume_id):
        # type: (Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._cinder.delete(volume_id)

    def get_volume(self, volume_id):
        # type: (Text) -> Deferred[Volume]
        """See ``IVolumeService``."""
        return self._cinder.get(volume_id)

    def list_volumes(self, labels):
        # type: (Mapping[Text, Text]) -> Deferred[VolumePage]
        """See ``IVolumeService``."""
        return self._cinder.list(labels)

    def extend_volume(self, volume_id, size, attached):
        # type: (Text, int, bool) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._cinder.extend(volume_id, size, attached)

    def set_labels(self, volume_id, labels):
        # type: (Text, Mapping[Text, Text]) -> Deferred[Mapping[Text, Text]]
        """See ``IVolumeService``."""
        return self._cinder.set_labels(volume_id, labels)

    def remove_label(self, volume_id, label):
        # type: (Text, Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._cinder.remove_label(volume_id, label)

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
        return failure_reason(self._session, resource_id)

    def request_attach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._nova.attach(volume_id, server_id)

    def request_detach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See ``IVolumeService``; a deleted server's attachment is deleted in Block Storage."""
        d = self._nova.detach(volume_id, server_id)
        return d.addErrback(self._detach_from_deleted, volume_id, server_id)

    def _detach_from_deleted(self, failure, volume_id, server_id):
        # type: (Failure, Text, Text) -> Any
        if not failure.check(UnknownServer):
            return failure
        # Compute confirms it, and Block Storage asks Compute once more before it deletes.
        d = self._nova.get_server(server_id)  # type: Deferred[Any]
        d.addCallbacks(
            lambda server: 0,
            lambda found: self._delete_attachments(found, volume_id, server_id),
        )
        # Without an attachment, the volume has changed meanwhile: the caller looks again.
        return d.addCallback(lambda deleted: None if deleted else failure)

    def _delete_attachments(self, failure, volume_id, server_id):
        # type: (Failure, Text, Text) -> Any
        if not failure.check(UnknownServer):
            return failure
        d = self._attachments.delete_of_deleted(volume_id, server_id)
        return d.addErrback(_not_deleted, volume_id, server_id)

    def settle(self, volume):
        # type: (Volume) -> Deferred[None]
        """See ``IVolumeService``: Compute completes or undoes its own requests."""
        return succeed(None)

    def list_attachments(self, server_id):
        # type: (Text) -> Deferred[Tuple[Attachment, ...]]
        """See ``IVolumeService``."""
        return self._nova.list_attachments(server_id)

    def list_device_names(self, server_id):
        # type: (Text) -> Deferred[Dict[Text, Text]]
        """See ``IVolumeService``: Nova's names are guesses."""
        return succeed({})

    def get_server(self, server_id):
        # type: (Text) -> Deferred[Server]
        """See ``IVolumeService``."""
        return self._nova.get_server(server_id)

    def list_servers(self):
        # type: () -> Deferred[Tuple[Server, ...]]
        """See ``IVolumeService``."""
        return self._nova.list_servers()

    def start_server(self, server_id):
        # type: (Text) -> Deferred[None]
        """See ``IVolumeService``."""
        return self._nova.start_server(server_id)

    # -- checks of a configuration, beyond IVolumeService ---------------------

    def authenticate(self):
        # type: () -> Deferred[Identity]
        """
        :return: a ``Deferred`` that fires with the
            :class:`~txstorage.clouds.openstack.session.Identity`.
        """
        return self._session.identity()

    def endpoint(self, service_types):
        # type: (Sequence[Text]) -> Deferred[Text]
        """
        :param service_types: texts, the preferred one first.
        :return: a ``Deferred`` that fires with the URL of the endpoint in use (text); fails with
            :class:`~txstorage.errors.EndpointMissing`.
        """
        return self._session.endpoint(service_types)

    def quota(self):
        # type: () -> Deferred[Quota]
        """
        :return: a ``Deferred`` that fires with the
            :class:`~txstorage.clouds.openstack.project.Quota`.
        """
        return self._project.quota()

    def volume_types(self):
        # type: () -> Deferred[Tuple[VolumeType, ...]]
        """
        :return: a ``Deferred`` that fires with a tuple of
            :class:`~txstorage.clouds.openstack.project.VolumeType`.
        """
        return self._project.volume_types()

    def availability_zones(self):
        # type: () -> Deferred[Tuple[Zone, ...]]
        """
        :return: a ``Deferred`` that fires with a tuple of
            :class:`~txstorage.clouds.openstack.project.Zone`.
        """
        return self._project.availability_zones()

    def pools(self):
        # type: () -> Deferred[Tuple[Pool, ...]]
        """
        :return: a ``Deferred`` that fires with a tuple of
            :class:`~txstorage.clouds.openstack.project.Pool`.
        """
        return self._project.pools()

    def close(self):
        # type: () -> Deferred[Any]
        """
        :return: a ``Deferred`` that fires when no connection is left.
        """
        return self._session.close()


def _not_deleted(failure, volume_id, server_id):
    # type: (Failure, Text, Text) -> Failure
    error = failure.value  # type: Any
    if failure.check(AuthenticationFailed, MicroversionMissing, PermissionDenied):
        raise ServerDeleted(volume_id, server_id, error.message)
    return failure


__all__ = ["OpenStackService"]
