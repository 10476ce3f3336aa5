# -*- test-case-name: tests.whole.test_without_compute -*-
"""
The devices of a host that connects its volumes itself.
"""

from __future__ import absolute_import, division, print_function

from ..errors import DeviceNotFound


class ConnectedDevices(object):
    """
    A :class:`~txstorage._devices.finder.DeviceFinder` that is told where to look, by
    the connection that Block Storage keeps; what it is told it verifies.

    Its methods return Deferreds, and connect what is not connected: after this
    host was started again, say.

    :param service: has ``connect(volume_id)``.
    :param finder: a :class:`~txstorage._devices.finder.DeviceFinder`.
    """

    def __init__(self, service, finder):
        self._service = service
        self._finder = finder

    def _told(self, volume_id):
        d = self._service.connect(volume_id)
        return d.addCallback(lambda path: self._finder.set_expected_path(volume_id, path))

    def find(self, volume_id, size):
        """See :meth:`txstorage._devices.finder.DeviceFinder.find`; it is a ``Deferred``."""
        return self._told(volume_id).addCallback(lambda _: self._finder.find(volume_id, size))

    def wait_until_present(self, volume_id, size):
        """See :meth:`txstorage._devices.finder.DeviceFinder.wait_until_present`."""
        d = self._told(volume_id)
        return d.addCallback(lambda _: self._finder.wait_until_present(volume_id, size))

    def refuse_if_busy(self, volume_id):
        """Return a ``Deferred`` of :meth:`.finder.DeviceFinder.refuse_if_busy`."""
        d = self._told(volume_id)
        # Without a device there is nothing to be busy.
        d.addErrback(lambda failure: failure.trap(DeviceNotFound) and None)
        return d.addCallback(lambda _: self._finder.refuse_if_busy(volume_id))

    def wait_until_gone(self, volume_id):
        """See :meth:`txstorage._devices.finder.DeviceFinder.wait_until_gone`."""
        self._finder.set_expected_path(volume_id, None)
        return self._finder.wait_until_gone(volume_id)


__all__ = ["ConnectedDevices"]
