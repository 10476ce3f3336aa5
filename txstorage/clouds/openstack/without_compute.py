# -*- test-case-name: tests.clouds.openstack.test_without_compute -*-
"""
Cinder without Compute: each host attaches its volumes itself.

Cinder records the attachments, and only the host carries them out: it makes an attachment, connects
the volume, and completes the attachment.  A host that dies in between leaves an attachment without
a known owner.  So any host that waits for the volume completes that attachment: its owner is known
then, nothing is lost, and the owner connects the volume when it needs the device, or detaches it.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import fail, succeed
from zope.interface import implementer

from ..._support.deferreds import all_of
from ...errors import (
    AttachedByCompute,
    Conflict,
    DeviceNotFound,
    NoCompute,
    NotThisNode,
    ResponseLost,
    ServiceBroken,
    StorageError,
)
from ..interface import IVolumeService
from ..values import Server
from . import OpenStackService
from .cinder import place_of

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Mapping, Optional, Set, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..._devices.connector import HostConnector  # noqa: F401
    from ..values import Attachment, Volume  # noqa: F401
    from .cinder.host_attachments import HostAttachment  # noqa: F401
    from .session import Session  # noqa: F401

    HostIdentity = Any  # the wing _node stands above this one

_NOBODY = u"00000000-0000-4000-8000-000000000000"

#: The status of a node whose state is unknown; it counts as live.
_UNKNOWN = u"UNKNOWN"


@implementer(IVolumeService)
class StandaloneService(OpenStackService):
    """
    Cinder's volumes, attached by their hosts.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    :param node: a :class:`~txstorage._node.machine_id.HostIdentity`.
    :param connector: a :class:`~txstorage._devices.connector.HostConnector`.
    :param availability_zone: the zone to create volumes in (text), or ``None``.
    :param page_size: the number of entries to request per page of a list, or ``None`` for the
        service's default.

    :ivar node: the same.
    """

    settles = True
    remedies = {}  # type: Mapping[Text, Text]

    def __init__(self, session, node, connector, availability_zone=None, page_size=None):
        # type: (Session, HostIdentity, HostConnector, Optional[Text], Optional[int]) -> None
        OpenStackService.__init__(self, session, availability_zone, page_size)
        self.node = node
        self._connector = connector
        # Volumes whose last request may or may not have been carried out.
        self._doubtful = set()  # type: Set[Text]

    def request_attach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See ``IVolumeService``; only this host can be the target."""
        d = self.node.instance_id()  # type: Deferred[Any]
        d.addCallback(_check_here, volume_id, server_id)
        d.addCallback(lambda _: self._connector.properties())
        d.addCallback(
            lambda properties: self._attachments.create(
                volume_id, dict(properties, mountpoint=place_of(server_id))
            )
        )
        d.addErrback(self._doubt, volume_id)
        return d.addCallback(self._connect_new, volume_id)

    def _connect_new(self, attachment, volume_id):
        # type: (HostAttachment, Text) -> Deferred[None]
        def undo(failure):
            # type: (Failure) -> Any
            failure.trap(StorageError)
            undone = self._attachments.delete(attachment.attachment_id)
            return undone.addBoth(lambda _: failure)

        d = self._connector.connect(volume_id, attachment.connection)
        d.addErrback(undo)
        return d.addCallback(lambda _: self._attachments.complete(attachment.attachment_id))

    def _doubt(self, failure, volume_id):
        # type: (Failure, Text) -> Failure
        if failure.check(ServiceBroken, ResponseLost):
            self._doubtful.add(volume_id)
        return failure

    def settle(self, volume):
        # type: (Volume) -> Deferred[None]
        """See ``IVolumeService``."""
        if volume.status not in (u"reserved", u"attaching"):
            return succeed(None)
        d = self._attachments.of_volume(volume.volume_id)
        return d.addCallback(self._settle_each, volume.volume_id)

    def _settle_each(self, attachments, volume_id):
        # type: (List[HostAttachment], Text) -> Deferred[None]
        # Compute completes its own attachments.
        own = [each for each in attachments if each.instance_id is None]
        doubtful = volume_id in self._doubtful
        self._doubtful.discard(volume_id)
        done = [
            # The owner is known when the attachment is complete, and has the volume.
            self._attachments.complete(each.attachment_id)
            for each in own
            if each.connection and each.status == u"attaching"
        ] + [
            # This process requested it, and storage did not carry it out.
            self._attachments.delete(each.attachment_id)
            for each in own
            if doubtful and not each.connection and each.status == u"reserved"
        ]
        return all_of(done).addCallback(lambda _: None)

    def extend_volume(self, volume_id, size, attached):
        # type: (Text, int, bool) -> Deferred[None]
        """See ``IVolumeService``; without Compute, no host learns of the growth of its volume."""
        if attached:
            return fail(
                NoCompute(
                    u"Can't grow volume {} while it is attached".format(volume_id),
                    u"detach the volume, grow it, and attach it again",
                )
            )
        return OpenStackService.extend_volume(self, volume_id, size, attached)

    def request_detach(self, volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """See ``IVolumeService``; a device of this host is disconnected first."""
        d = self.node.instance_id()  # type: Deferred[Any]
        return d.addCallback(
            lambda own_id: self._attachments.ids_on(volume_id, server_id).addCallback(
                lambda ids: all_of(
                    [self._detach(volume_id, each, own_id == server_id) for each in ids]
                )
            )
        ).addCallbacks(lambda _: None, _by_compute, errbackArgs=(volume_id, server_id))

    def _detach(self, volume_id, attachment_id, here):
        # type: (Text, Text, bool) -> Deferred[None]
        disconnected = succeed(None)  # type: Deferred[Any]
        if here:
            disconnected = self._attachments.get(attachment_id)
            disconnected.addCallback(
                lambda found: self._connector.disconnect(volume_id, found.connection)
                if found.connection
                else None
            )
        return disconnected.addCallback(lambda _: self._attachments.delete(attachment_id))

    def connect(self, volume_id):
        # type: (Text) -> Deferred[Text]
        """
        Connect a volume that is attached to this host.

        :return: a ``Deferred`` that fires with text: the expected path of the device.
        :raises DeviceNotFound: (the Deferred) it is not connected to this host.
        :raises ConnectionFailed: the connection fails.
        :raises ConnectorMissing: the connection needs os-brick.
        """
        d = self.node.instance_id()  # type: Deferred[Any]
        d.addCallback(lambda own_id: self._attachments.ids_on(volume_id, own_id))
        d.addCallback(lambda ids: all_of([self._attachments.get(each) for each in ids]))
        return d.addCallback(self._connect, volume_id)

    def _connect(self, attachments, volume_id):
        # type: (List[HostAttachment], Text) -> Any
        connected = [each for each in attachments if each.connection]
        if not connected:
            raise DeviceNotFound(
                volume_id, u"Block Storage has no connection of volume {} to this host".format(
                    volume_id
                )
            )
        return self._connector.connect(volume_id, connected[0].connection)

    def check_attachments(self):
        # type: () -> Deferred[None]
        """
        Check that Block Storage has the attachments API that hosts need.

        :return: a ``Deferred`` that fires with ``None``.
        :raises MicroversionMissing: (the Deferred) it is too old.
        """
        return self._attachments.of_volume(_NOBODY).addCallback(lambda _: None)

    def list_attachments(self, server_id):
        # type: (Text) -> Deferred[Tuple[Attachment, ...]]
        """See ``IVolumeService``: without Compute, there are none."""
        return succeed(())

    def list_device_names(self, server_id):
        # type: (Text) -> Deferred[Dict[Text, Text]]
        """See ``IVolumeService``: the connection has the device's path."""
        return succeed({})

    def get_server(self, server_id):
        # type: (Text) -> Deferred[Server]
        """See ``IVolumeService``: any id may be a host's."""
        return succeed(Server(server_id, _UNKNOWN))

    def list_servers(self):
        # type: () -> Deferred[Tuple[Server, ...]]
        """
        See ``IVolumeService``: this host, and those that have volumes.  No host is ever known to be
        off: taking a volume from a live host loses data, and only an operator can decide.
        """

        def found(answers):
            # type: (Any) -> Tuple[Server, ...]
            own_id, page = answers
            attachments = [each for volume in page.volumes for each in volume.attachments]
            hosts = {each.server_id for each in attachments if each.server_id is not None}
            return tuple(Server(host, _UNKNOWN) for host in sorted(hosts | {own_id}))

        return all_of([self.node.instance_id(), self.list_volumes({})]).addCallback(found)

    def start_server(self, server_id):
        # type: (Text) -> Deferred[None]
        """Fail with :class:`~txstorage.errors.NoCompute`."""
        return fail(NoCompute(u"Can't start node {}".format(server_id)))


def _by_compute(failure, volume_id, server_id):
    # type: (Failure, Text, Text) -> Failure
    # Block Storage deletes no attachment of a server that Compute knows.
    if failure.check(Conflict):
        error = failure.value  # type: Any
        raise AttachedByCompute(volume_id, server_id, error.detail)
    return failure


def _check_here(own_id, volume_id, server_id):
    # type: (Text, Text, Text) -> None
    if own_id != server_id:
        raise NotThisNode(volume_id, server_id, own_id)


__all__ = ["StandaloneService"]
