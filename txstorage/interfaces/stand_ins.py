# -*- test-case-name: tests.interfaces.test_interfaces -*-
"""
Objects of the same shape as Flocker's, for when Flocker is not installed.

See :mod:`txstorage.interfaces`, which chooses; nothing else imports this.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

import attr
from attr.validators import instance_of, optional
from constantly import NamedConstant, Names, ValueConstant, Values
from zope.interface import Interface

from .._support.compat import integer_types, text_type


class VolumeException(Exception):
    """
    Something is wrong with one volume.

    :param text blockdevice_id: the volume's id.
    """

    def __init__(self, blockdevice_id):
        if not isinstance(blockdevice_id, text_type):
            raise TypeError("blockdevice_id must be text, not {!r}".format(blockdevice_id))
        Exception.__init__(self, blockdevice_id)
        self.blockdevice_id = blockdevice_id


class UnknownVolume(VolumeException):
    """There is no such volume."""


class AlreadyAttachedVolume(VolumeException):
    """The volume is attached, so it can't be attached."""


class UnattachedVolume(VolumeException):
    """The volume is not attached, and the operation needs it to be."""


class UnknownInstanceID(Exception):
    """
    This node's instance id could not be found.

    :param blockdevice: the driver that looked for it.
    """

    def __init__(self, blockdevice):
        Exception.__init__(
            self, "Could not find valid instance ID for {}".format(blockdevice)
        )
        self.blockdevice = blockdevice


class StorageInitializationError(Exception):
    """
    A driver could not be made from its configuration.

    :param NamedConstant code: which kind of failure.
    """

    CONFIGURATION_ERROR = NamedConstant()
    OPERATIVE_ERROR = NamedConstant()

    def __init__(self, code, *args):
        Exception.__init__(self, *args)
        self.code = code


@attr.s(frozen=True)
class BlockDeviceVolume(object):
    """
    A block device that may be attached to a node.  Equal by value.

    :ivar text blockdevice_id: the volume's id, unique in the cluster.
    :ivar int size: bytes.
    :ivar UUID dataset_id: the dataset it holds.
    :ivar attached_to: the instance id it is attached to, or ``None``.
    """

    blockdevice_id = attr.ib(validator=instance_of(text_type))
    size = attr.ib(validator=instance_of(integer_types))
    dataset_id = attr.ib(validator=instance_of(UUID))
    attached_to = attr.ib(default=None, validator=optional(instance_of(text_type)))

    def set(self, **changes):
        """
        As pyrsistent's ``PClass.set``, which Flocker's class has.

        :return: a new ``BlockDeviceVolume``.
        """
        return BlockDeviceVolume(**dict(attr.asdict(self), **changes))


class DeployerType(Names):
    """Which of Flocker's deployers a backend works with."""

    p2p = NamedConstant()
    block = NamedConstant()


@attr.s(frozen=True)
class BackendDescription(object):
    """
    One storage backend, as Flocker's plugin loader wants it described.

    :ivar text name: what ``backend`` says in ``agent.yml``.
    :ivar bool needs_reactor: whether the factory takes a ``reactor``.
    :ivar bool needs_cluster_id: whether it takes a ``cluster_id``, a ``UUID``.
    :ivar api_factory: called with these and the rest of the section, by name;
        returns a driver.
    :ivar NamedConstant deployer_type: of :class:`DeployerType`.
    :ivar frozenset required_config: text: the keys that must be there.
    """

    name = attr.ib(validator=instance_of(text_type))
    needs_reactor = attr.ib(validator=instance_of(bool))
    needs_cluster_id = attr.ib(validator=instance_of(bool))
    api_factory = attr.ib()
    deployer_type = attr.ib(validator=instance_of(NamedConstant))
    required_config = attr.ib(default=frozenset())


class MandatoryProfiles(Values):
    """Profiles that every profiled driver accepts: gold, silver and bronze."""

    GOLD = ValueConstant(u"gold")
    SILVER = ValueConstant(u"silver")
    BRONZE = ValueConstant(u"bronze")
    DEFAULT = ValueConstant(u"bronze")


class IBlockDeviceAPI(Interface):
    """
    Block device operations that block.  A ``blockdevice_id`` is text: a
    volume's id.
    """

    def allocation_unit():
        """``int``: bytes; the caller rounds sizes up to it."""

    def compute_instance_id():
        """Text: this node's id.  Raises ``UnknownInstanceID``."""

    def create_volume(dataset_id, size):
        """
        ``BlockDeviceVolume``, once the volume is usable.

        :param UUID dataset_id: the dataset the volume will hold.
        :param int size: bytes.
        """

    def destroy_volume(blockdevice_id):
        """``None``, once the volume is gone.  Raises ``UnknownVolume``."""

    def attach_volume(blockdevice_id, attach_to):
        """
        ``BlockDeviceVolume`` with ``attached_to == attach_to``, once it is
        attached.  Raises ``UnknownVolume`` or ``AlreadyAttachedVolume``.

        :param text attach_to: the instance id of a node.
        """

    def detach_volume(blockdevice_id):
        """``None``, once it is detached.  Raises ``UnknownVolume`` or ``UnattachedVolume``."""

    def list_volumes():
        """A list of ``BlockDeviceVolume`` of this cluster."""

    def get_device_path(blockdevice_id):
        """``FilePath`` of the device.  Raises ``UnknownVolume`` or ``UnattachedVolume``."""


class IBlockDeviceAsyncAPI(Interface):
    """
    The operations of ``IBlockDeviceAPI``; each returns a ``Deferred`` that
    fires with what the blocking one returns, or fails with what it raises.
    """

    def allocation_unit():
        """See ``IBlockDeviceAPI``."""

    def compute_instance_id():
        """See ``IBlockDeviceAPI``."""

    def create_volume(dataset_id, size):
        """See ``IBlockDeviceAPI``."""

    def destroy_volume(blockdevice_id):
        """See ``IBlockDeviceAPI``."""

    def attach_volume(blockdevice_id, attach_to):
        """See ``IBlockDeviceAPI``."""

    def detach_volume(blockdevice_id):
        """See ``IBlockDeviceAPI``."""

    def list_volumes():
        """See ``IBlockDeviceAPI``."""

    def get_device_path(blockdevice_id):
        """See ``IBlockDeviceAPI``."""


class IProfiledBlockDeviceAPI(Interface):
    """A driver that can create volumes of several kinds."""

    def create_volume_with_profile(dataset_id, size, profile_name):
        """
        ``BlockDeviceVolume``, as ``create_volume``.

        :param text profile_name: ``gold``, ``silver``, ``bronze`` or another
            that the driver knows.
        """


class ICloudAPI(Interface):
    """A driver whose nodes are the cloud's servers."""

    def list_live_nodes():
        """A list of text: the instance ids of all nodes that are not known to be dead."""

    def start_node(node_id):
        """
        ``None``, once a node that is off was asked to start.

        :param text node_id: its instance id.
        """
