# -*- test-case-name: tests.test_services -*-
"""
The seam between the driver and a cloud: provider-neutral values, and
``IVolumeService``, what the driver asks of any cloud.

Nothing in here waits for anything: a request that the cloud answers before it
is carried out fires when it is answered.  Waiting is the driver's part.
"""

from __future__ import absolute_import, division, print_function

import attr
from attr.validators import instance_of, optional
from zope.interface import Attribute, Interface

from .._compat import integer_types, text_type

_text = instance_of(text_type)


@attr.s(frozen=True)
class Attachment(object):
    """
    A volume's connection to a server.

    There is deliberately no device name: a cloud can't be believed about it.

    :ivar text volume_id: the volume.
    :ivar server_id: the server's instance id (text), or ``None`` when the
        cloud attached it to something that is not a server.
    """

    volume_id = attr.ib(validator=_text)
    server_id = attr.ib(validator=optional(_text))


@attr.s(frozen=True, hash=False)
class Volume(object):
    """
    A volume as the cloud describes it.

    :ivar text volume_id: the cloud's id.
    :ivar text status: the cloud's word, e.g. ``available``; see
        :mod:`txstorage.lifecycle` for what the driver makes of it.
    :ivar int size: bytes.
    :ivar text name: for people; may be empty.
    :ivar dict labels: text to text; not to be changed.
    :ivar tuple attachments: of :class:`Attachment`.
    :ivar text created_at: ISO 8601, UTC; sorts by time.
    :ivar volume_type: text or ``None``.
    """

    volume_id = attr.ib(validator=_text)
    status = attr.ib(validator=_text)
    size = attr.ib(validator=instance_of(integer_types))
    name = attr.ib(default=u"", validator=_text)
    labels = attr.ib(default=attr.Factory(dict), validator=instance_of(dict))
    attachments = attr.ib(default=(), validator=instance_of(tuple))
    created_at = attr.ib(default=u"", validator=_text)
    volume_type = attr.ib(default=None, validator=optional(_text))


@attr.s(frozen=True)
class Server(object):
    """
    A machine volumes can be attached to.

    :ivar text server_id: its instance id.
    :ivar text status: the cloud's word, e.g. ``ACTIVE``.
    :ivar text name: for people.
    """

    server_id = attr.ib(validator=_text)
    status = attr.ib(validator=_text)
    name = attr.ib(default=u"", validator=_text)


@attr.s(frozen=True)
class VolumePage(object):
    """
    What a list of volumes brought.

    :ivar tuple volumes: of :class:`Volume`, from every page.
    :ivar tuple malformed: of ``(volume_id, problem)`` texts: entries that
        could not be understood.  They break nothing; the driver reports them.
    :ivar int requests: how many requests the list cost.
    """

    volumes = attr.ib(validator=instance_of(tuple))
    malformed = attr.ib(default=(), validator=instance_of(tuple))
    requests = attr.ib(default=1, validator=instance_of(int))


class IVolumeService(Interface):
    """
    A cloud's volumes and servers.

    Every method returns a ``Deferred``, which can be cancelled, and which may
    fail with :class:`~txstorage.errors.TransportError` or
    :class:`~txstorage.errors.ServiceError` besides what is named here.
    """

    allocation_unit = Attribute("``int``: bytes; volume sizes are multiples of it.")

    def create_volume(name, size, labels, volume_type=None):
        """
        Ask for a volume.  NOT idempotent: after
        :class:`~txstorage.errors.ResponseLost` look for the labels.

        :param text name: for people.
        :param int size: bytes, a multiple of ``allocation_unit``.
        :param dict labels: text to text.
        :param volume_type: text, or ``None`` for the cloud's default.
        :return: fires with the :class:`Volume`, most often still in the making.
        """

    def delete_volume(volume_id):
        """
        Ask for a volume to be deleted.

        :return: fires with ``None`` when the request is accepted; fails with
            ``UnknownVolume`` when there is none.
        """

    def get_volume(volume_id):
        """
        :return: fires with the :class:`Volume`; fails with ``UnknownVolume``.
        """

    def list_volumes(labels):
        """
        :param dict labels: text to text; only volumes that have them all.
        :return: fires with a :class:`VolumePage`.
        """

    def failure_reason(volume_id):
        """
        Why the cloud could not carry out what was last asked of a volume.

        :return: fires with text, empty when the cloud does not say.  Never
            fails.
        """

    def request_attach(volume_id, server_id):
        """
        Ask for a volume to be attached.

        :return: fires with ``None`` when the request is accepted; fails with
            ``UnknownVolume`` or :class:`~txstorage.errors.UnknownServer`.
        """

    def request_detach(volume_id, server_id):
        """
        Ask for a volume to be detached.

        :return: fires with ``None`` when the request is accepted, or when the
            server does not have the volume (any more); fails with
            ``UnknownVolume`` or :class:`~txstorage.errors.UnknownServer`.
        """

    def settle(volume):
        """
        End what was begun with a volume and may have been left unfinished, where
        nobody in the cloud does so.

        :param Volume volume: one that stays in a passing status.
        :return: fires with ``None`` when that is done, or is not to be done.
        """

    def list_attachments(server_id):
        """
        What the compute service itself holds attached to a server, which may
        differ from what the volumes say, and includes volumes that are not the
        cluster's, such as the server's root disk.

        :return: fires with a tuple of :class:`Attachment`; empty when there is
            no such server.
        """

    def get_server(server_id):
        """
        :return: fires with the :class:`Server`; fails with
            :class:`~txstorage.errors.UnknownServer`.
        """

    def list_servers():
        """
        :return: fires with a tuple of :class:`Server`, all pages.
        """

    def start_server(server_id):
        """
        Ask for a server that is off to be started.

        :return: fires with ``None`` when accepted, also when it runs already.
        """
