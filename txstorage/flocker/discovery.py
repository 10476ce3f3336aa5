# -*- test-case-name: tests.flocker.test_discovery -*-
"""
What there is on this node, in one look that blocks nobody.

Flocker's agent looks over and over, whether or not something happens, so a look
costs the cloud one list of volumes and one of nodes and nothing for each
volume: a device is asked for once, and from then on looked at on this host.
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


@implementer(ICloudAPI)
@attr.s(frozen=True, hash=False)
class Snapshot(object):
    """
    What a look found, with the names of Flocker's blocking interfaces: what is
    asked of it is answered at once, in any thread.

    :ivar text instance_id: this node's instance id.
    :ivar list volumes: of ``BlockDeviceVolume``, all of the cluster.
    :ivar dict device_paths: volume id to the ``FilePath`` of its device, of the
        volumes that are attached to this node and have a device.
    :ivar list live_nodes: of text, the instance ids of nodes that are not off.
    """

    instance_id = attr.ib()
    volumes = attr.ib()
    device_paths = attr.ib()
    live_nodes = attr.ib()

    def compute_instance_id(self):
        """:return: text, this node's instance id."""
        return self.instance_id

    def list_volumes(self):
        """:return: a list of ``BlockDeviceVolume``."""
        return list(self.volumes)

    def get_device_path(self, blockdevice_id):
        """:return: ``FilePath``; ``None`` when the volume has no device here."""
        return self.device_paths.get(blockdevice_id)

    def list_live_nodes(self):
        """:return: a list of text."""
        return list(self.live_nodes)

    def start_node(self, node_id):
        """Nothing can be done to what was; see the driver's own."""
        raise TypeError(u"A snapshot can't start {}".format(as_text(node_id)))


class Discovery(object):
    """
    Looks at a node.

    :param driver: provides ``IBlockDeviceAsyncAPI`` and asynchronous
        ``ICloudAPI``; what it returns for a device must be a path whose
        ``isBlockDevice`` looks again, as
        :class:`~txstorage._devices.block_devices.DevicePath` does.
    """

    def __init__(self, driver):
        self._driver = driver
        self._paths = {}

    def look(self):
        """
        :return: a ``Deferred`` that fires with a :class:`Snapshot`; fails as
            the driver's operations do, but not because of one volume's device.
        """
        return in_action(DISCOVERY(), self._look)

    def _look(self):
        d = all_of(
            [
                self._driver.compute_instance_id(),
                self._driver.list_volumes(),
                self._driver.list_live_nodes(),
            ]
        )
        return d.addCallback(self._found)

    def _found(self, answers):
        instance_id, volumes, live_nodes = answers
        here = [v.blockdevice_id for v in volumes if v.attached_to == instance_id]
        # What was detached is forgotten, be it by others than this agent.
        kept = {volume_id: self._paths[volume_id] for volume_id in here if volume_id in self._paths}
        self._paths = {key: path for key, path in kept.items() if path.isBlockDevice()}
        d = all_of([self._ask(volume_id) for volume_id in here if volume_id not in self._paths])
        return d.addCallback(
            lambda _: Snapshot(instance_id, volumes, dict(self._paths), live_nodes)
        )

    def _ask(self, volume_id):
        d = self._driver.get_device_path(volume_id)
        return d.addCallbacks(self._remember, self._without, [volume_id], {}, [volume_id])

    def _remember(self, path, volume_id):
        self._paths[volume_id] = path

    def _without(self, failure, volume_id):
        # It may have been detached since the list was made, or be on its way. For
        # Flocker that is a volume that is not manifest; others must not suffer.
        failure.trap(DeviceError, UnknownVolume, UnattachedVolume)
        DEVICE_UNUSABLE(volume_id=volume_id, reason=as_text(failure.value)).write()

