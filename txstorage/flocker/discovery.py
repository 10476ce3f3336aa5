# -*- test-case-name: tests.flocker.test_discovery -*-
"""
Asynchronous discovery of this node's volumes and devices.

Flocker's agent discovers all the time, so a discovery costs the cloud one list of volumes and one
list of nodes, and no request per volume: a device is searched once, and later only checked on this
host.
"""

from __future__ import absolute_import, division, print_function

import attr
from zope.interface import implementer

from .._log import DEVICE_UNUSABLE, DISCOVERY
from .._support.compat import as_text
from .._support.deferreds import all_of
from .._support.eliot_context import in_action
from ..errors import DeviceError
from ..interfaces import ICloudAPI, UnattachedVolume, UnknownVolume

MYPY = False
if MYPY:
    from typing import Any, Dict, List, NoReturn, Optional, Sequence, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401
    from twisted.python.filepath import FilePath  # noqa: F401

    from ..driver.operations import BlockDeviceDriver  # noqa: F401
    from ..interfaces import BlockDeviceVolume  # noqa: F401


@implementer(ICloudAPI)
@attr.s(frozen=True, hash=False)
class Discovered(object):
    """
    The result of a discovery, with methods of Flocker's blocking interfaces.

    All methods return at once and can be called in any thread.

    :ivar text instance_id: this node's instance id.
    :ivar list volumes: the ``BlockDeviceVolume`` objects of the cluster.
    :ivar dict device_paths: volume id to the ``FilePath`` of its device, for the volumes that are
        attached to this node and have a device.
    :ivar list live_nodes: the instance ids (text) of nodes that are not known to be dead.
    """

    instance_id = attr.ib()  # type: Text
    volumes = attr.ib()  # type: List[BlockDeviceVolume]
    device_paths = attr.ib()  # type: Dict[Text, FilePath[Text]]
    live_nodes = attr.ib()  # type: List[Text]

    def compute_instance_id(self):
        # type: () -> Text
        """:return: text, this node's instance id."""
        return self.instance_id

    def list_volumes(self):
        # type: () -> List[BlockDeviceVolume]
        """:return: a list of ``BlockDeviceVolume``."""
        return list(self.volumes)

    def get_device_path(self, blockdevice_id):
        # type: (Text) -> Optional[FilePath[Text]]
        """:return: ``FilePath``, or ``None`` when the volume has no device on this node."""
        return self.device_paths.get(blockdevice_id)

    def list_live_nodes(self):
        # type: () -> List[Text]
        """:return: a list of instance ids (text)."""
        return list(self.live_nodes)

    def start_node(self, node_id):
        # type: (Text) -> NoReturn
        """
        Not supported; use the driver's ``start_node``.

        :raises TypeError: always.
        """
        raise TypeError(u"A snapshot can't start {}".format(as_text(node_id)))


class Discovery(object):
    """
    The discovery of one node, repeated by the agent.

    :param driver: provides ``IBlockDeviceAsyncAPI`` and asynchronous ``ICloudAPI``. Its device
        paths must check the device anew in each ``isBlockDevice``, as
        :class:`~txstorage._devices.block_devices.DevicePath` does.
    """

    def __init__(self, driver):
        # type: (BlockDeviceDriver) -> None
        self._driver = driver
        self._paths = {}  # type: Dict[Text, FilePath[Text]]

    def look(self):
        # type: () -> Deferred[Discovered]
        """
        Discover the current state.

        :return: a ``Deferred`` that fires with a :class:`Discovered`; fails as the driver's
            operations do, except that a failure to find a device is only logged.
        """
        return in_action(DISCOVERY(), self._look)

    def _look(self):
        # type: () -> Deferred[Discovered]
        d = all_of(
            [
                self._driver.compute_instance_id(),
                self._driver.list_volumes(),
                self._driver.list_live_nodes(),
            ]
        )
        return d.addCallback(self._find_devices)

    def _find_devices(self, results):
        # type: (Sequence[Any]) -> Deferred[Discovered]
        instance_id, volumes, live_nodes = results
        here = [v.blockdevice_id for v in volumes if v.attached_to == instance_id]
        # Volumes may be detached without this agent, too, so a path is kept only while the volume
        # is attached.
        kept = {volume_id: self._paths[volume_id] for volume_id in here if volume_id in self._paths}
        self._paths = {key: path for key, path in kept.items() if path.isBlockDevice()}
        unknown = [volume_id for volume_id in here if volume_id not in self._paths]
        d = all_of([self._find_device(volume_id) for volume_id in unknown])
        return d.addCallback(
            lambda _: Discovered(instance_id, volumes, dict(self._paths), live_nodes)
        )

    def _find_device(self, volume_id):
        # type: (Text) -> Deferred[None]
        d = self._driver.get_device_path(volume_id)
        return d.addCallbacks(self._keep, self._log_missing, (volume_id,), {}, (volume_id,))

    def _keep(self, path, volume_id):
        # type: (FilePath[Text], Text) -> None
        self._paths[volume_id] = path

    def _log_missing(self, failure, volume_id):
        # type: (Failure, Text) -> None
        # The volume may have been detached since it was listed, or its device may not have appeared
        # yet. Flocker treats it as not manifest; other volumes are not affected.
        failure.trap(DeviceError, UnknownVolume, UnattachedVolume)
        DEVICE_UNUSABLE(volume_id=volume_id, reason=as_text(failure.value)).write()


__all__ = ["Discovery", "Discovered"]
