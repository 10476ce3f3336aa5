"""
The seam between the driver and a cloud: the requests that the driver makes of any cloud.

No request waits: when the cloud answers before it has carried a request out, the Deferred fires
with that answer.  Waiting is the driver's part.
"""

from __future__ import absolute_import, division, print_function

from zope.interface import Attribute, Interface

MYPY = False
if MYPY:
    from typing import Dict, Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from .values import (  # noqa: F401
        Attachment,
        Server,
        Snapshot,
        SnapshotPage,
        Volume,
        VolumePage,
    )


class IVolumeService(Interface):
    """
    A cloud's volumes and servers.

    Every method returns a ``Deferred``, which can be cancelled, and which may fail with
    :class:`~txstorage.errors.TransportError` or :class:`~txstorage.errors.ServiceError` besides the
    errors that the method names.
    """

    allocation_unit = Attribute("``int``: bytes; volume sizes are multiples of it.")
    settles = Attribute("``bool``: whether :meth:`settle` may have something to do.")
    remedies = Attribute(
        "``dict``, text to text: by an error's remedy, the one that fits this cloud instead."
    )

    def create_volume(
        name, size, labels, volume_type=None, snapshot_id=None, source_volume_id=None
    ):
        # type: (Text, int, Mapping[Text, Text], Optional[Text], Optional[Text], Optional[Text]) -> Deferred[Volume]
        """
        Request a volume.  Not idempotent in every cloud: after
        :class:`~txstorage.errors.ResponseLost`, look for the labels.  A cloud with idempotent
        requests sends a lost one again itself.

        :param text name: for people.
        :param int size: bytes, a multiple of ``allocation_unit``.
        :param dict labels: text to text.
        :param volume_type: text, or ``None`` for the cloud's default, or the source's.
        :param snapshot_id: the snapshot (text) whose data the volume begins with, or ``None``.
        :param source_volume_id: the volume (text) whose data it begins with, or ``None``.  A
            cloud, or an endpoint of it, that can't copy volumes refuses the request.
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

    def extend_volume(volume_id, size, attached):
        # type: (Text, int, bool) -> Deferred[None]
        """
        Request a volume's growth.

        :param int size: bytes, a multiple of ``allocation_unit``, more than the volume has.
        :param bool attached: whether the volume is attached, which may need another request.
        :return: fires with ``None`` when the request is accepted; fails with ``UnknownVolume``.
        """

    def set_labels(volume_id, labels):
        # type: (Text, Mapping[Text, Text]) -> Deferred[Mapping[Text, Text]]
        """
        Add or replace labels of a volume.  Idempotent.

        :param dict labels: text to text; the volume keeps its others.
        :return: fires with a dict, text to text: all labels that the volume has then; fails with
            ``UnknownVolume``.
        """

    def remove_label(volume_id, label):
        # type: (Text, Text) -> Deferred[None]
        """
        Remove a label of a volume.  Idempotent.

        :param text label: the label's key.
        :return: fires with ``None`` when the volume does not have the label, also when it did not
            have it before; fails with ``UnknownVolume``.
        """

    def create_snapshot(volume_id, name, labels):
        # type: (Text, Text, Mapping[Text, Text]) -> Deferred[Snapshot]
        """
        Request a snapshot of a volume, which may be attached.  NOT idempotent: after
        :class:`~txstorage.errors.ResponseLost`, look for the name.

        The cloud stops no writer: the snapshot has what the device had received, as after a power
        failure.

        :param dict labels: text to text.
        :return: fires with the :class:`~txstorage.clouds.Snapshot`, usually still being created;
            fails with ``UnknownVolume``.
        """

    def delete_snapshot(snapshot_id):
        # type: (Text) -> Deferred[None]
        """
        Request a snapshot's deletion.

        :return: fires with ``None`` when the request is accepted; fails with
            :class:`~txstorage.errors.UnknownSnapshot` when there is none.
        """

    def get_snapshot(snapshot_id):
        # type: (Text) -> Deferred[Snapshot]
        """
        :return: fires with the :class:`~txstorage.clouds.Snapshot`; fails with
            :class:`~txstorage.errors.UnknownSnapshot`.
        """

    def list_snapshots(labels, volume_id=None, name=None):
        # type: (Mapping[Text, Text], Optional[Text], Optional[Text]) -> Deferred[SnapshotPage]
        """
        :param dict labels: text to text; only snapshots that have them all.
        :param volume_id: only this volume's (text), or ``None``.
        :param name: only those with this name (text), or ``None``.
        :return: fires with a :class:`~txstorage.clouds.SnapshotPage`.
        """

    def failure_reason(resource_id):
        # type: (Text) -> Deferred[Text]
        """
        Return the reason why the cloud could not carry out the last request for a volume or a
        snapshot.

        :param text resource_id: the volume or the snapshot.
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
            such server, and in a cloud that holds attachments with their volumes only.
        """

    def list_device_names(server_id):
        # type: (Text) -> Deferred[Dict[Text, Text]]
        """
        Return the names that the server's hypervisor was asked to give its devices, also those of
        volumes that are not the cluster's, such as the server's root disk.

        :return: fires with a dict, text to text, by volume id; empty in a cloud whose names can't
            be relied on.
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
