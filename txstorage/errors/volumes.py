# -*- test-case-name: tests.errors.test_errors -*-
"""
Errors of volumes and their nodes.
"""

from __future__ import absolute_import, division, print_function

import re

from ..interfaces import UnknownInstanceID
from .base import StorageError, _Explained, bounded
from .remedies import OF_OPERATIONS, OF_STATUSES, OF_WAITS, remedy_for

MYPY = False
if MYPY:
    from typing import Iterable, Mapping, Optional, Text, Tuple  # noqa: F401


class VolumeError(StorageError):
    """
    The base of the errors of one volume.

    :ivar text volume_id: the volume's id.
    """

    def __init__(self, volume_id, message):
        # type: (Text, Text) -> None
        StorageError.__init__(self, message)
        self.volume_id = volume_id


class UnusableStatus(VolumeError):
    """
    The volume's status does not allow the operation.

    :ivar text operation: e.g. ``u"attach"``.
    :ivar text status: the volume's status.
    :ivar text reason: the cloud's explanation of the status; may be empty.
    """

    remedy = u"inspect it with 'txstorage volumes show', then repair it with the cloud's own tools"

    def __init__(self, operation, volume_id, status, reason=u""):
        # type: (Text, Text, Text, Text) -> None
        self.operation = operation
        self.status = status
        self.reason = reason
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't {} volume {}: its status is {!s}{}".format(
                operation, volume_id, status, u": " + reason if reason else u""
            ),
        )
        self.remedy = remedy_for(OF_OPERATIONS, reason, default=self.remedy)


class StillAttached(VolumeError):
    """
    The volume is attached, so it can't be destroyed.

    :ivar tuple servers: texts: the instance ids of the servers, and other hosts as ``host NAME``;
        may be empty.
    """

    remedy = u"detach it first"

    def __init__(self, volume_id, servers):
        # type: (Text, Iterable[Text]) -> None
        self.servers = tuple(servers)
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't destroy volume {}: it is attached to {}".format(
                volume_id, u", ".join(self.servers) or u"a server"
            ),
        )


_DELETE_ATTACHMENT = (
    u"delete the attachment: 'openstack --os-volume-api-version 3.27 volume attachment list "
    u"--volume-id VOLUME' shows its id, and '... volume attachment delete ID' deletes it"
)


class AttachedToHost(VolumeError):
    """
    Another program attached the volume to a host, without a server, so this driver can't detach it.

    :ivar tuple hosts: the names of the hosts (text); an empty name is unknown, because clouds show
        it to administrators only.
    """

    remedy = (
        u"detach the volume with the program that attached it; if the host no longer uses the "
        u"volume, " + _DELETE_ATTACHMENT
    )

    def __init__(self, volume_id, hosts):
        # type: (Text, Iterable[Text]) -> None
        self.hosts = tuple(hosts)
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't detach volume {}: another program attached it to {}, which is not a server of "
            u"this cloud, so only that program can detach it".format(
                volume_id, u", ".join(u"host " + host if host else u"a host" for host in self.hosts)
            ),
        )


class AttachedByCompute(VolumeError):
    """
    Compute attached the volume to a server, and a driver without Compute can't detach it.

    :ivar text server_id: the server's instance id.
    """

    remedy = (
        u"detach the volume through Compute: 'openstack server remove volume SERVER VOLUME', or "
        u"txstorage without 'attach_through: storage'"
    )

    def __init__(self, volume_id, server_id, detail):
        # type: (Text, Text, Text) -> None
        self.server_id = server_id
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't detach volume {} from server {}: Compute attached it, and Block Storage does "
            u"not delete Compute's attachments: {}".format(volume_id, server_id, detail),
        )


class ServerDeleted(VolumeError):
    """
    Compute no longer has the server that the volume is attached to, and Block Storage does not let
    this user delete the attachment.

    :ivar text server_id: the server's instance id.
    """

    remedy = (
        u"if the server exists, correct the configured project, region or endpoint of Compute; if "
        u"it was deleted, as a user with that permission " + _DELETE_ATTACHMENT
    )

    def __init__(self, volume_id, server_id, problem):
        # type: (Text, Text, Text) -> None
        self.server_id = server_id
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't detach volume {} from server {}: Compute has no such server, and Block Storage "
            u"does not delete the attachment: {}".format(volume_id, server_id, problem),
        )


class OperationFailed(VolumeError):
    """
    The service accepted the request, but failed to complete the operation.

    :ivar text operation: e.g. ``u"create"``.
    """

    remedy = u"search the service's logs for the volume id, then retry the operation"

    def __init__(self, operation, volume_id, problem):
        # type: (Text, Text, Text) -> None
        self.operation = operation
        VolumeError.__init__(
            self, volume_id, u"Can't {} volume {}: {}".format(operation, volume_id, problem)
        )
        self.remedy = remedy_for(OF_OPERATIONS, self.message, default=self.remedy)


class OperationTimedOut(StorageError):
    """
    The operation did not complete by its deadline. A retry resumes from the cloud's current state.

    :ivar text operation: e.g. ``u"attach"``.
    :ivar text subject: the object of the operation, e.g. ``u"volume <id>"``.
    :ivar text awaited: the event that did not happen.
    :ivar float seconds: the duration of the wait, in seconds.
    :ivar text last_seen: the last observed status.
    :param text key: the configuration key of the deadline.
    """

    remedy = (
        u"retry the operation, which resumes from the cloud's current state, or raise 'timeout'; "
        u"if retries always end with the same status, the cloud lost the request, and its "
        u"administrator has to reset the volume's status"
    )

    def __init__(self, operation, subject, awaited, seconds, last_seen, key=u"timeout"):
        # type: (Text, Text, Text, float, Text, Text) -> None
        self.operation = operation
        self.subject = subject
        self.awaited = awaited
        self.seconds = seconds
        self.last_seen = last_seen
        StorageError.__init__(
            self,
            u"Can't {} {}: timed out after {:.1f} seconds, waiting for {}; last seen: {}".format(
                operation, subject, seconds, awaited, last_seen
            ),
        )
        self._key = key
        self._general = OF_STATUSES.get(re.split(u"[,;]", last_seen)[0]) or OF_WAITS.get(
            awaited, self.remedy
        )
        self.use({})

    def use(self, remedies):
        # type: (Mapping[Text, Text]) -> None
        """See :class:`~txstorage.errors.StorageError`."""
        self._general = remedies.get(self._general, self._general)
        remedy = self._general.replace(u"'timeout'", u"'{}'".format(self._key))
        if self.subject.startswith(u"snapshot"):
            remedy = remedy.replace(u"the volume's status", u"the snapshot's status")
        self.remedy = remedy


class MalformedLabels(VolumeError):
    """The volume belongs to this cluster, but has no valid label of its dataset."""

    remedy = u"set the volume's metadata key flocker-dataset-id to the dataset's UUID"


class DatasetConflict(VolumeError):
    """
    The dataset already has another volume, or one of another size or source.

    :param remedy: text: the remedy of the cause; ``None`` for the class's.
    """

    remedy = u"use that volume, or another dataset"

    def __init__(self, volume_id, message, remedy=None):
        # type: (Text, Text, Optional[Text]) -> None
        VolumeError.__init__(self, volume_id, message)
        if remedy is not None:
            self.remedy = remedy


class UnidentifiedNode(_Explained, UnknownInstanceID):
    """
    The instance id of this node was not found.

    :param node: the object that searched for the id.
    :ivar tuple attempts: ``(source, outcome)`` pairs of text, in the order of the search.
    """

    remedy = u"set 'instance_id' in the configuration to this node's id in the cloud"

    def __init__(self, node, attempts):
        # type: (object, Iterable[Tuple[Text, Text]]) -> None
        UnknownInstanceID.__init__(self, node)
        self.attempts = tuple(attempts)
        self.message = bounded(
            u"Can't determine this node's instance id: {}".format(
                u"; ".join(u"{}: {}".format(source, outcome) for source, outcome in self.attempts)
            )
        )


class NotThisNode(VolumeError):
    """
    The target is another host; without Compute, a host can attach volumes only to itself.

    :ivar text server_id: the id of the target.
    """

    remedy = u"attach the volume on that host; if this is that host, correct 'instance_id'"

    def __init__(self, volume_id, server_id, own_id):
        # type: (Text, Text, Text) -> None
        self.server_id = server_id
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't attach volume {} to {}: this host is {}, and without Compute a host can "
            u"attach volumes only to itself".format(volume_id, server_id, own_id),
        )


class ConnectionFailed(VolumeError):
    """The connection from this host to the volume failed."""

    remedy = u"check this host's connection to the storage, then attach the volume again"

    def __init__(self, volume_id, problem):
        # type: (Text, Text) -> None
        VolumeError.__init__(
            self, volume_id, u"Can't connect to volume {}: {}".format(volume_id, problem)
        )


class VolumeEncrypted(VolumeError):
    """The volume is encrypted, and only Compute decrypts an encrypted volume."""

    remedy = (
        u"attach the volume to a server of Compute, with attach_through: compute, or store the "
        u"data in a volume of a type without encryption"
    )

    def __init__(self, volume_id):
        # type: (Text) -> None
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't connect volume {} to this host: the volume is encrypted, and Block Storage "
            u"would hand over the device without decryption".format(volume_id),
        )


class ConnectorMissing(VolumeError):
    """
    The library that connects volumes of this kind is not installed.

    :ivar text kind: the kind of connection, e.g. ``iscsi``.
    """

    remedy = (
        u"pip install 'txstorage[os-brick]' on Python 3, and os-brick's requirements for this kind"
    )

    def __init__(self, volume_id, kind):
        # type: (Text, Text) -> None
        self.kind = kind
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't connect volume {} to this host: connections of the kind {} require os-brick, "
            u"which is not installed".format(volume_id, kind),
        )
