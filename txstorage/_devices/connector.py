# -*- test-case-name: tests._devices.test_connector -*-
"""
This host's connections to the volumes that Block Storage exports to it, without Compute.

A connection of the kind ``local`` names a device of this host.  Any other kind (iSCSI, NVMe over
fabrics, Fibre Channel, RBD, ...) requires the library os-brick, an optional extra for Python 3.
"""

from __future__ import absolute_import, division, print_function

import platform
import socket
import sys

from twisted.internet.defer import CancelledError, fail, maybeDeferred, succeed
from twisted.internet.threads import deferToThreadPool

from .._support.compat import as_text, text_type
from ..errors import ConnectionFailed, ConnectorMissing, VolumeEncrypted
from .os_brick import Brick

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

LOCAL = u"local"

#: The parts of a key's name that mark a secret in a connection.
_SECRETS = (u"password", u"secret", u"keyring")


def kind_of(volume_id, connection):
    # type: (Text, Mapping[Text, Any]) -> Text
    """
    Return the kind of a connection.

    :param text volume_id: the volume, for the error.
    :param dict connection: an attachment's ``connection_info``.
    :return: text: the connection's ``driver_volume_type``, in lower case.
    :raises ConnectionFailed: the connection has no kind.
    """
    kind = connection.get(u"driver_volume_type")
    if not isinstance(kind, text_type) or not kind:
        raise ConnectionFailed(volume_id, u"Block Storage's connection has no driver_volume_type")
    return kind.lower()


def local_path(volume_id, connection):
    # type: (Text, Mapping[Text, Any]) -> Text
    """
    Return the device path of a local connection.

    :param text volume_id: the volume, for the error.
    :param dict connection: of the kind ``local``.
    :return: text: the expected path of the device, to be verified.
    :raises ConnectionFailed: the path is missing or not absolute.
    """
    path = connection.get(u"device_path")
    if not isinstance(path, text_type) or not path.startswith(u"/") or u"\0" in path:
        raise ConnectionFailed(
            volume_id, u"the local connection has no valid device_path: {!r}".format(path)
        )
    return path


def own_address(place):
    # type: (Tuple[str, int]) -> Text
    """
    Return the address from which this host reaches a service.  Nothing is sent.

    :param tuple place: host and port of the service.
    :return: text: this host's IP address.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        place[0], place[1], 0, socket.SOCK_DGRAM
    )[0]
    probe = socket.socket(family, kind, protocol)
    try:
        probe.connect(address)
        return as_text(probe.getsockname()[0])
    finally:
        probe.close()


def _without_secrets(failure, connection):
    # type: (Failure, Mapping[Text, Any]) -> Text
    """Return a failure's message without secrets; the message may quote commands."""
    text = as_text(failure.getErrorMessage())
    for name, value in connection.items():
        if value and any(word in name for word in _SECRETS):
            text = text.replace(as_text(value), u"***")
    return text


class HostConnector(object):
    """
    Connects volumes to this host.

    :param reactor: has a thread pool.
    :param place: host and port of the service, which determine the address of this host that
        storage receives; ``None`` for the loopback address.
    :param brick: called without arguments; returns a :class:`~txstorage._devices.os_brick.Brick`,
        or ``None`` when os-brick is not installed.
    :param in_thread: called with a function and its arguments; returns a ``Deferred``.
    """

    def __init__(self, reactor, place=None, brick=Brick.load, in_thread=None):
        # type: (Any, Optional[Tuple[str, int]], Callable[[], Optional[Brick]], Optional[Callable[..., Deferred[Any]]]) -> None
        self._reactor = reactor
        self._place = place
        self._load = brick
        self._in_thread = in_thread or self._in_pool

    def _in_pool(self, function, *arguments):
        # type: (Callable[..., Any], *Any) -> Deferred[Any]
        pool = self._reactor.getThreadPool()
        return deferToThreadPool(self._reactor, pool, function, *arguments)

    def properties(self):
        # type: () -> Deferred[Dict[Text, Any]]
        """
        Collect this host's properties, which storage needs to export a volume.

        :return: a ``Deferred`` that fires with a ``dict``: Cinder's "connector".
        """
        own = {
            u"host": as_text(socket.gethostname()),
            u"platform": as_text(platform.machine()),
            u"os_type": as_text(sys.platform),
            u"multipath": False,
        }
        brick = self._load()
        if brick is None:
            return succeed(own)
        return self._in_thread(self._all_properties, brick, own)

    def _all_properties(self, brick, own):
        # type: (Brick, Dict[Text, Any]) -> Dict[Text, Any]
        address = u"127.0.0.1" if self._place is None else own_address(self._place)
        return dict(brick.properties(address), **own)

    def connect(self, volume_id, connection):
        # type: (Text, Mapping[Text, Any]) -> Deferred[Text]
        """
        Connect a volume's device to this host, unless it is connected.

        :param text volume_id: the volume.
        :param dict connection: the attachment's ``connection_info``.
        :return: a ``Deferred`` that fires with text: the expected path of the device, to be
            verified.
        :raises VolumeEncrypted: (the Deferred) the device would be without decryption.
        :raises ConnectorMissing: (the Deferred) the connection requires os-brick.
        :raises ConnectionFailed: the connection fails.
        """
        # Neither os-brick nor the kernel decrypts the device; Compute does.
        if connection.get(u"encrypted"):
            return fail(VolumeEncrypted(volume_id))
        return self._either(local_path, "connect", volume_id, connection)

    def disconnect(self, volume_id, connection):
        # type: (Text, Mapping[Text, Any]) -> Deferred[None]
        """
        Disconnect a volume that is no longer in use, an encrypted one as well.

        :return: a ``Deferred`` that fires with ``None``; otherwise fails as :meth:`connect` does.
        """
        return self._either(lambda *_: None, "disconnect", volume_id, connection)

    def _either(self, locally, verb, volume_id, connection):
        # type: (Callable[..., Any], str, Text, Mapping[Text, Any]) -> Deferred[Any]
        return maybeDeferred(self._do, locally, verb, volume_id, connection)

    def _do(self, locally, verb, volume_id, connection):
        # type: (Callable[..., Any], str, Text, Mapping[Text, Any]) -> Any
        kind = kind_of(volume_id, connection)
        if kind == LOCAL:
            return locally(volume_id, connection)
        brick = self._load()
        if brick is None:
            raise ConnectorMissing(volume_id, kind)
        d = self._in_thread(getattr(brick, verb), kind, connection)

        def failed(failure):
            # type: (Failure) -> Failure
            if failure.check(CancelledError):
                return failure
            raise ConnectionFailed(
                volume_id,
                u"os-brick can't {} it over {}: {}".format(
                    as_text(verb), kind, _without_secrets(failure, connection)
                ),
            )

        return d.addErrback(failed)


__all__ = ["HostConnector", "LOCAL", "kind_of", "local_path", "own_address"]
