"""
The seam between the driver and a cloud: the requests that the driver makes of any cloud.

No request waits: when the cloud answers before it has carried a request out, the Deferred
fires with that answer.  Waiting is the driver's part.
"""

from __future__ import absolute_import, division, print_function

from zope.interface import Attribute, Interface


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
        :return: fires with the :class:`~txstorage.clouds.Volume`, most often still in the making.
        """

    def delete_volume(volume_id):
        """
        Ask for a volume to be deleted.

        :return: fires with ``None`` when the request is accepted; fails with
            ``UnknownVolume`` when there is none.
        """

    def get_volume(volume_id):
        """
        :return: fires with the :class:`~txstorage.clouds.Volume`; fails with ``UnknownVolume``.
        """

    def list_volumes(labels):
        """
        :param dict labels: text to text; only volumes that have them all.
        :return: fires with a :class:`~txstorage.clouds.VolumePage`.
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

        :param volume: a :class:`~txstorage.clouds.Volume` that stays in a passing status.
        :return: fires with ``None`` when that is done, or is not to be done.
        """

    def list_attachments(server_id):
        """
        What the compute service itself holds attached to a server, which may
        differ from what the volumes say, and includes volumes that are not the
        cluster's, such as the server's root disk.

        :return: fires with a tuple of :class:`~txstorage.clouds.Attachment`; empty when there is
            no such server.
        """

    def get_server(server_id):
        """
        :return: fires with the :class:`~txstorage.clouds.Server`; fails with
            :class:`~txstorage.errors.UnknownServer`.
        """

    def list_servers():
        """
        :return: fires with a tuple of :class:`~txstorage.clouds.Server`, all pages.
        """

    def start_server(server_id):
        """
        Ask for a server that is off to be started.

        :return: fires with ``None`` when accepted, also when it runs already.
        """


__all__ = ["IVolumeService"]
