# -*- test-case-name: tests.whole.test_without_compute -*-
"""The devices of a host that connects its volumes itself."""

from __future__ import absolute_import, division, print_function

from ..errors import DeviceNotFound, VolumeEncrypted

MYPY = False
if MYPY:
    from typing import Any, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401
    from twisted.python.filepath import FilePath  # noqa: F401

    from .finder import DeviceFinder  # noqa: F401


class ConnectedDevices(object):
    """
    A :class:`~txstorage._devices.finder.DeviceFinder` that gets the expected path of each device
    from Block Storage's connection, and verifies the device.

    The methods return Deferreds, and connect a volume that is not connected, for example after a
    restart of this host.

    :param service: has ``connect(volume_id)``.
    :param finder: a :class:`~txstorage._devices.finder.DeviceFinder`.
    """

    def __init__(self, service, finder):
        # type: (Any, DeviceFinder) -> None
        self._service = service
        self._finder = finder

    def _expect(self, volume_id):
        # type: (Text) -> Deferred[None]
        d = self._service.connect(volume_id)  # type: Deferred[Any]
        return d.addCallback(lambda path: self._finder.set_expected_path(volume_id, path))

    def needs_names(self):
        # type: () -> bool
        """Return ``False``: the connection has the device's path."""
        return False

    def find(self, volume_id, *details):
        # type: (Text, *Any) -> Deferred[FilePath[str]]
        """Return a ``Deferred`` of :meth:`.finder.DeviceFinder.find`."""
        d = self._expect(volume_id)
        return d.addCallback(lambda _: self._finder.find(volume_id, *details))

    def wait_until_present(self, volume_id, *details):
        # type: (Text, *Any) -> Deferred[FilePath[str]]
        """See :meth:`txstorage._devices.finder.DeviceFinder.wait_until_present`."""
        d = self._expect(volume_id)
        return d.addCallback(lambda _: self._finder.wait_until_present(volume_id, *details))

    def wait_until_grown(self, volume_id, *details):
        # type: (Text, *Any) -> Deferred[FilePath[str]]
        """See :meth:`txstorage._devices.finder.DeviceFinder.wait_until_grown`."""
        d = self._expect(volume_id)
        return d.addCallback(lambda _: self._finder.wait_until_grown(volume_id, *details))

    def refuse_if_busy(self, volume_id, *details):
        # type: (Text, *Any) -> Deferred[None]
        """Return a ``Deferred`` of :meth:`.finder.DeviceFinder.refuse_if_busy`."""
        d = self._expect(volume_id)
        # A device that does not exist is not busy.  One that an earlier release connected without
        # decryption has to come off.
        d.addErrback(_ignore_unexpected)
        return d.addCallback(lambda _: self._finder.refuse_if_busy(volume_id, *details))

    def wait_until_gone(self, volume_id, *details):
        # type: (Text, *Any) -> Deferred[None]
        """See :meth:`txstorage._devices.finder.DeviceFinder.wait_until_gone`."""
        self._finder.set_expected_path(volume_id, None)
        return self._finder.wait_until_gone(volume_id, *details)


def _ignore_unexpected(failure):
    # type: (Failure) -> None
    failure.trap(DeviceNotFound, VolumeEncrypted)


__all__ = ["ConnectedDevices"]
