# -*- test-case-name: tests.interfaces.test_interfaces -*-
"""
Stand-ins of the same shape as Flocker's objects, used when Flocker is not installed.

Only :mod:`txstorage.interfaces`, which selects one or the other, imports this module.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

import attr
from attr.validators import instance_of, optional
from constantly import (
    NamedConstant,
    Names,
    ValueConstant,
    Values,
)
from zope.interface import Interface

from .._support.compat import integer_types, text_type

MYPY = False
if MYPY:
    from typing import Any, Callable, FrozenSet, List, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.filepath import FilePath  # noqa: F401


class VolumeException(Exception):
    """
    The base of the errors of one volume.

    :param text blockdevice_id: the volume's id.
    """

    def __init__(self, blockdevice_id):
        # type: (Text) -> None
        if not isinstance(blockdevice_id, text_type):
            raise TypeError("blockdevice_id must be text, not {!r}".format(blockdevice_id))
        Exception.__init__(self, blockdevice_id)
        self.blockdevice_id = blockdevice_id


class UnknownVolume(VolumeException):
    """The volume does not exist."""


class AlreadyAttachedVolume(VolumeException):
    """The volume is attached already."""


class UnattachedVolume(VolumeException):
    """The volume is not attached, and the operation requires an attached one."""


class UnknownInstanceID(Exception):
    """
    The instance id of this node was not found.

    :param blockdevice: the driver that searched for the id.
    """

    def __init__(self, blockdevice):
        # type: (object) -> None
        Exception.__init__(
            self, "Could not find valid instance ID for {}".format(blockdevice)
        )
        self.blockdevice = blockdevice


class StorageInitializationError(Exception):
    """
    A driver could not be created.

    :param NamedConstant code: the kind of failure: one of the constants of this class.
    """

    CONFIGURATION_ERROR = NamedConstant()
    OPERATIVE_ERROR = NamedConstant()

    def __init__(self, code, *args):
        # type: (NamedConstant, *object) -> None
        Exception.__init__(self, *args)
        self.code = code


@attr.s(frozen=True)
class BlockDeviceVolume(object):
    """
    A block device that may be attached to a node. Equal by value.

    :ivar text blockdevice_id: the volume's id, unique in the cluster.
    :ivar int size: the volume's size in bytes.
    :ivar UUID dataset_id: the dataset that the volume holds.
    :ivar attached_to: the instance id of the node to which the volume is attached (text), or
        ``None``.
    """

    blockdevice_id = attr.ib(validator=instance_of(text_type))  # type: Text
    size = attr.ib(validator=instance_of(integer_types))  # type: int
    dataset_id = attr.ib(validator=instance_of(UUID))  # type: UUID
    attached_to = attr.ib(
        default=None, validator=optional(instance_of(text_type))
    )  # type: Optional[Text]

    def set(self, **changes):
        # type: (**Any) -> BlockDeviceVolume
        """
        Change some fields, like pyrsistent's ``PClass.set``, which Flocker's class has.

        :return: a new ``BlockDeviceVolume``.
        """
        return BlockDeviceVolume(**dict(attr.asdict(self), **changes))


class DeployerType(Names):  # type: ignore[misc]  # constantly has no types
    """The kinds of Flocker's deployers."""

    p2p = NamedConstant()
    block = NamedConstant()


@attr.s(frozen=True)
class BackendDescription(object):
    """
    The description of a storage backend for Flocker's plugin loader.

    :ivar text name: the value of ``backend`` in ``agent.yml``.
    :ivar bool needs_reactor: whether the factory has a ``reactor`` argument.
    :ivar bool needs_cluster_id: whether the factory has a ``cluster_id`` argument, a ``UUID``.
    :ivar api_factory: called with these arguments and the keys of ``agent.yml``'s ``dataset``
        section, all by name; returns a driver.
    :ivar NamedConstant deployer_type: a constant of :class:`DeployerType`.
    :ivar frozenset required_config: the required keys (text) of the section.
    """

    name = attr.ib(validator=instance_of(text_type))  # type: Text
    needs_reactor = attr.ib(validator=instance_of(bool))  # type: bool
    needs_cluster_id = attr.ib(validator=instance_of(bool))  # type: bool
    api_factory = attr.ib()  # type: Callable[..., Any]
    deployer_type = attr.ib(validator=instance_of(NamedConstant))  # type: NamedConstant
    required_config = attr.ib(default=frozenset())  # type: FrozenSet[Text]


class MandatoryProfiles(Values):  # type: ignore[misc]  # constantly has no types
    """Profiles that every profiled driver accepts: gold, silver and bronze."""

    GOLD = ValueConstant(u"gold")
    SILVER = ValueConstant(u"silver")
    BRONZE = ValueConstant(u"bronze")
    DEFAULT = ValueConstant(u"bronze")


class IBlockDeviceAPI(Interface):
    """
    Blocking operations on block devices.

    Each ``blockdevice_id`` is a volume's id (text).
    """

    def allocation_unit():
        # type: () -> int
        """
        Return the unit of volume sizes.

        :return: ``int``, bytes; the caller rounds sizes up to a multiple of the unit.
        """

    def compute_instance_id():
        # type: () -> Text
        """
        Return the instance id of this node.

        :return: text, comparable with ``BlockDeviceVolume.attached_to``.
        :raises UnknownInstanceID: the id was not found.
        """

    def create_volume(dataset_id, size):
        # type: (UUID, int) -> BlockDeviceVolume
        """
        Create a volume, and wait until it is usable.

        :param UUID dataset_id: the dataset that the volume will hold.
        :param int size: the volume's size in bytes.
        :return: the new ``BlockDeviceVolume``.
        """

    def destroy_volume(blockdevice_id):
        # type: (Text) -> None
        """
        Destroy a volume, and wait until it no longer exists.

        :raises UnknownVolume: the volume does not exist.
        """

    def attach_volume(blockdevice_id, attach_to):
        # type: (Text, Text) -> BlockDeviceVolume
        """
        Attach a volume to a node, and wait until it is attached.

        :param text attach_to: the node's instance id.
        :return: a ``BlockDeviceVolume`` with ``attached_to == attach_to``.
        :raises UnknownVolume: the volume does not exist.
        :raises AlreadyAttachedVolume: the volume is attached to some node.
        """

    def detach_volume(blockdevice_id):
        # type: (Text) -> None
        """
        Detach a volume, and wait until it is detached.

        :raises UnknownVolume: the volume does not exist.
        :raises UnattachedVolume: the volume is not attached.
        """

    def list_volumes():
        # type: () -> List[BlockDeviceVolume]
        """
        List the volumes of this cluster.

        :return: a list of ``BlockDeviceVolume``.
        """

    def get_device_path(blockdevice_id):
        # type: (Text) -> FilePath[Text]
        """
        Return the path of an attached volume's device on this node.

        :return: ``FilePath``.
        :raises UnknownVolume: the volume does not exist.
        :raises UnattachedVolume: the volume is not attached.
        """


class IBlockDeviceAsyncAPI(Interface):
    """
    Asynchronous operations on block devices.

    Each operation of ``IBlockDeviceAPI`` returns a ``Deferred`` that fires with the blocking
    operation's return value, or fails with its exceptions.
    """

    def allocation_unit():
        # type: () -> Deferred[int]
        """See ``IBlockDeviceAPI``."""

    def compute_instance_id():
        # type: () -> Deferred[Text]
        """See ``IBlockDeviceAPI``."""

    def create_volume(dataset_id, size):
        # type: (UUID, int) -> Deferred[BlockDeviceVolume]
        """See ``IBlockDeviceAPI``."""

    def destroy_volume(blockdevice_id):
        # type: (Text) -> Deferred[None]
        """See ``IBlockDeviceAPI``."""

    def attach_volume(blockdevice_id, attach_to):
        # type: (Text, Text) -> Deferred[BlockDeviceVolume]
        """See ``IBlockDeviceAPI``."""

    def detach_volume(blockdevice_id):
        # type: (Text) -> Deferred[None]
        """See ``IBlockDeviceAPI``."""

    def list_volumes():
        # type: () -> Deferred[List[BlockDeviceVolume]]
        """See ``IBlockDeviceAPI``."""

    def get_device_path(blockdevice_id):
        # type: (Text) -> Deferred[FilePath[Text]]
        """See ``IBlockDeviceAPI``."""


class IProfiledBlockDeviceAPI(Interface):
    """
    Creation of volumes of several kinds, called profiles.

    Blocking and asynchronous drivers provide it; the latter return a ``Deferred``.
    """

    def create_volume_with_profile(dataset_id, size, profile_name):
        # type: (UUID, int, Text) -> Any
        """
        Create a volume as ``create_volume`` does.

        :param UUID dataset_id: the dataset that the volume will hold.
        :param int size: the volume's size in bytes.
        :param text profile_name: ``gold``, ``silver``, ``bronze``, or another profile of the
            driver.
        :return: the new ``BlockDeviceVolume``.
        """


class ICloudAPI(Interface):
    """
    Operations on the cloud's instances, which are the cluster's nodes.

    Blocking and asynchronous drivers provide it; the latter return a ``Deferred``.
    """

    def list_live_nodes():
        # type: () -> Any
        """
        List the nodes that are not known to be dead.

        :return: a list of instance ids (text).
        """

    def start_node(node_id):
        # type: (Text) -> Any
        """
        Request the start of a node that is off.

        :param text node_id: the node's instance id.
        """


__all__ = [
    "AlreadyAttachedVolume",
    "BackendDescription",
    "BlockDeviceVolume",
    "DeployerType",
    "IBlockDeviceAPI",
    "IBlockDeviceAsyncAPI",
    "ICloudAPI",
    "IProfiledBlockDeviceAPI",
    "MandatoryProfiles",
    "StorageInitializationError",
    "UnattachedVolume",
    "UnknownInstanceID",
    "UnknownVolume",
    "VolumeException",
]
