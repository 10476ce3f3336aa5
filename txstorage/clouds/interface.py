"""
The seam between the driver and a cloud: the requests that the driver makes of any cloud.

No request waits: when the cloud answers before it has carried a request out, the Deferred fires
with that answer.  Waiting is the driver's part.
"""

from __future__ import absolute_import, division, print_function

from zope.interface import Attribute, Interface

MYPY = False
if MYPY:
    from typing import Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from .values import Attachment, Server, Volume, VolumePage  # noqa: F401


class IVolumeService(Interface):
    """
    A cloud's volumes and servers.

    Every method returns a ``Deferred``, which can be cancelled, and which may fail with
    :class:`~txstorage.errors.TransportError` or :class:`~txstorage.errors.ServiceError` besides the
    errors that the method names.
    """

    allocation_unit = Attribute("``int``: bytes; volume sizes are multiples of it.")
    settles = Attribute("``bool``: whether :meth:`settle` may have something to do.")

    def create_volume(name, size, labels, volume_type=None):
        # type: (Text, int, Mapping[Text, Text], Optional[Text]) -> Deferred[Volume]
        """
        Request a volume.  NOT idempotent: after :class:`~txstorage.errors.ResponseLost`, look for
        the labels.

        :param text name: for people.
        :param int size: bytes, a multiple of ``allocation_unit``.
        :param dict labels: text to text.
        :param volume_type: text, or ``None`` for the cloud's default.
        :return: fires with the :class:`~txstorage.clouds.Volume`, usually still being created.
        """

    def delete_volume(volume_id):
        # type: (Text) -> Deferred[None]
        """
        Request a volume's deletion.

        :return: fires with ``None`` when the request is accepted; fails with ``UnknownVolume`` when
            there is none.
        """

    def get_volume(volume_id):
        # type: (Text) -> Deferred[Volume]
        """
        :return: fires with the :class:`~txstorage.clouds.Volume`; fails with ``UnknownVolume``.
        """

    def list_volumes(labels):
        # type: (Mapping[Text, Text]) -> Deferred[VolumePage]
        """
        :param dict labels: text to text; only volumes that have them all.
        :return: fires with a :class:`~txstorage.clouds.VolumePage`.
        """

    def failure_reason(volume_id):
        # type: (Text) -> Deferred[Text]
        """
        Return the reason why the cloud could not carry out the last request for a volume.

        :return: fires with text, empty when the cloud gives no reason.  Never fails.
        """

    def request_attach(volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """
        Request a volume's attachment.

        :return: fires with ``None`` when the request is accepted; fails with ``UnknownVolume`` or
            :class:`~txstorage.errors.UnknownServer`.
        """

    def request_detach(volume_id, server_id):
        # type: (Text, Text) -> Deferred[None]
        """
        Request a volume's detachment.

        :return: fires with ``None`` when the request is accepted, or when the server does not have
            the volume (any more); fails with ``UnknownVolume`` or
            :class:`~txstorage.errors.UnknownServer`.
        """

    def settle(volume):
        # type: (Volume) -> Deferred[None]
        """
        Complete or undo an interrupted request for a volume, where the cloud itself does neither.

        :param volume: a :class:`~txstorage.clouds.Volume` that stays in a transient status.
        :return: fires with ``None`` when that is done, or there is nothing to do.
        """

    def list_attachments(server_id):
        # type: (Text) -> Deferred[Tuple[Attachment, ...]]
        """
        Return the attachments that the compute service itself holds for a server.  They may differ
        from those of the volumes, and include volumes that are not the cluster's, such as the
        server's root disk.

        :return: fires with a tuple of :class:`~txstorage.clouds.Attachment`; empty when there is no
            such server.
        """

    def get_server(server_id):
        # type: (Text) -> Deferred[Server]
        """
        :return: fires with the :class:`~txstorage.clouds.Server`; fails with
            :class:`~txstorage.errors.UnknownServer`.
        """

    def list_servers():
        # type: () -> Deferred[Tuple[Server, ...]]
        """
        :return: fires with a tuple of :class:`~txstorage.clouds.Server`, all pages.
        """

    def start_server(server_id):
        # type: (Text) -> Deferred[None]
        """
        Request the start of a server that is off.

        :return: fires with ``None`` when the request is accepted, also when the server runs
            already.
        """


__all__ = ["IVolumeService"]
