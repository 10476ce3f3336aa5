# -*- test-case-name: tests.clouds.openstack.test_without_compute -*-
"""
Cinder without Compute: each host attaches its volumes itself.

Cinder keeps what is attached where, and nobody but the host carries it out: an
attachment is made, the volume connected, the attachment completed.  A host that
ends in between leaves one of which Cinder does not tell whose it is.  So anybody
who waits for the volume completes it: then it is known, nothing is lost, and its
host connects the volume when it asks for the device, or detaches it.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import fail, succeed
from zope.interface import implementer

from ..._support.deferreds import all_of
from ...errors import (
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
from .host_attachments import HostAttachments

_NOBODY = u"00000000-0000-4000-8000-000000000000"

#: A node that may well live, as nobody knows.
_UNKNOWN = u"UNKNOWN"


@implementer(IVolumeService)
class StandaloneService(OpenStackService):
    """
    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    :param node: a :class:`~txstorage._node.machine_id.HostIdentity`.
    :param connector: a :class:`~txstorage._devices.connector.HostConnector`.
    :param availability_zone: where volumes are made (text), or ``None``.
    :param page_size: how many entries of a list to ask for at a time, or
        ``None`` for as many as the service gives.

    :ivar node: the same.
    """

    def __init__(self, session, node, connector, availability_zone=None, page_size=None):
        OpenStackService.__init__(self, session, availability_zone, page_size)
        self.node = node
        self._connector = connector
        self._attachments = HostAttachments(session)
        # Volumes of which nobody knows whether the last request did something.
        self._doubtful = set()

    def request_attach(self, volume_id, server_id):
        """See ``IVolumeService``; only this host can be attached to."""
        d = self.node.instance_id()
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
        def undo(failure):
            failure.trap(StorageError)
            undone = self._attachments.delete(attachment.attachment_id)
            return undone.addBoth(lambda _: failure)

        d = self._connector.connect(volume_id, attachment.connection)
        d.addErrback(undo)
        return d.addCallback(lambda _: self._attachments.complete(attachment.attachment_id))

    def _doubt(self, failure, volume_id):
        if failure.check(ServiceBroken, ResponseLost):
            self._doubtful.add(volume_id)
        return failure

    def settle(self, volume):
        """See ``IVolumeService``."""
        if volume.status not in (u"reserved", u"attaching"):
            return succeed(None)
        d = self._attachments.of_volume(volume.volume_id)
        return d.addCallback(self._settle_each, volume.volume_id)

    def _settle_each(self, attachments, volume_id):
        # Compute's are for Compute to end.
        own = [each for each in attachments if each.instance_id is None]
        doubtful = volume_id in self._doubtful
        self._doubtful.discard(volume_id)
        done = [
            # Whoever began it is known when it is complete, and has the volume.
            self._attachments.complete(each.attachment_id)
            for each in own
            if each.connection and each.status == u"attaching"
        ] + [
            # It is what this process asked for, and storage did not carry out.
            self._attachments.delete(each.attachment_id)
            for each in own
            if doubtful and not each.connection and each.status == u"reserved"
        ]
        return all_of(done).addCallback(lambda _: None)

    def request_detach(self, volume_id, server_id):
        """See ``IVolumeService``; a device of this host is let go of first."""
        d = self.node.instance_id()
        return d.addCallback(
            lambda own_id: self._attachments.ids_on(volume_id, server_id).addCallback(
                lambda ids: all_of(
                    [self._detach(volume_id, each, own_id == server_id) for each in ids]
                )
            )
        ).addCallback(lambda _: None)

    def _detach(self, volume_id, attachment_id, here):
        let_go = succeed(None)
        if here:
            let_go = self._attachments.get(attachment_id)
            let_go.addCallback(
                lambda found: self._connector.disconnect(volume_id, found.connection)
                if found.connection
                else None
            )
        return let_go.addCallback(lambda _: self._attachments.delete(attachment_id))

    def connect(self, volume_id):
        """
        Have the device of a volume that is attached to this host.

        :return: a ``Deferred`` that fires with text: where it is said to be.
        :raises DeviceNotFound: (the Deferred) it is not connected to this host.
        :raises ConnectionFailed: it can't be had.
        :raises ConnectorMissing: it takes os-brick.
        """
        d = self.node.instance_id()
        d.addCallback(lambda own_id: self._attachments.ids_on(volume_id, own_id))
        d.addCallback(lambda ids: all_of([self._attachments.get(each) for each in ids]))
        return d.addCallback(self._connect, volume_id)

    def _connect(self, attachments, volume_id):
        connected = [each for each in attachments if each.connection]
        if not connected:
            raise DeviceNotFound(
                volume_id, u"Block Storage has no connection of volume {} to this host".format(
                    volume_id
                )
            )
        return self._connector.connect(volume_id, connected[0].connection)

    def check_attachments(self):
        """
        Make sure that Block Storage has what a host needs to attach.

        :return: a ``Deferred`` that fires with ``None``.
        :raises MicroversionMissing: (the Deferred) it is too old.
        """
        return self._attachments.of_volume(_NOBODY).addCallback(lambda _: None)

    def list_attachments(self, server_id):
        """See ``IVolumeService``: without Compute, none holds on to anything."""
        return succeed(())

    def get_server(self, server_id):
        """See ``IVolumeService``: any may be a host."""
        return succeed(Server(server_id, _UNKNOWN))

    def list_servers(self):
        """
        See ``IVolumeService``: this host, and those that have volumes.  None is
        ever known to be off: taking a volume from a live host loses data, and
        only people can tell.
        """

        def found(answers):
            own_id, page = answers
            hosts = {each.server_id for volume in page.volumes for each in volume.attachments}
            return tuple(Server(host, _UNKNOWN) for host in sorted(hosts | {own_id}))

        return all_of([self.node.instance_id(), self.list_volumes({})]).addCallback(found)

    def start_server(self, server_id):
        """Fails with :class:`~txstorage.errors.NoCompute`."""
        return fail(NoCompute(u"Can't start node {}".format(server_id)))


def _check_here(own_id, volume_id, server_id):
    if own_id != server_id:
        raise NotThisNode(volume_id, server_id, own_id)


__all__ = ["StandaloneService"]
