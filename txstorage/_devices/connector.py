# -*- test-case-name: tests._devices.test_connector -*-
"""
How this host gets at a volume that Block Storage itself connects to it,
without a Compute that would do so.

A connection of the kind ``local`` names a device of this very host.  Any other
(iSCSI, NVMe over fabrics, Fibre Channel, RBD, ...) takes the library os-brick,
which is for Python 3 only and is installed by those who need it.
"""

from __future__ import absolute_import, division, print_function

import platform
import socket
import sys

from twisted.internet.defer import CancelledError, maybeDeferred, succeed
from twisted.internet.threads import deferToThreadPool

from .._support.compat import as_text, text_type
from ..errors import ConnectionFailed, ConnectorMissing
from .os_brick import Brick

LOCAL = u"local"

#: In the names of what a connection holds that nobody else may see.
_SECRETS = (u"password", u"secret", u"keyring")


def kind_of(volume_id, connection):
    """
    :param text volume_id: the volume, for the error.
    :param dict connection: an attachment's ``connection_info``.
    :return: text: its ``driver_volume_type``.
    :raises ConnectionFailed: when it does not say.
    """
    kind = connection.get(u"driver_volume_type")
    if not isinstance(kind, text_type) or not kind:
        raise ConnectionFailed(volume_id, u"Block Storage does not say how it is connected")
    return kind.lower()


def local_path(volume_id, connection):
    """
    :param text volume_id: the volume, for the error.
    :param dict connection: of the kind ``local``.
    :return: text: where the device should be.  It is not to be believed.
    :raises ConnectionFailed: when that is no absolute path.
    """
    path = connection.get(u"device_path")
    if not isinstance(path, text_type) or not path.startswith(u"/") or u"\0" in path:
        raise ConnectionFailed(
            volume_id, u"its local connection names no device: {!r}".format(path)
        )
    return path


def own_address(place):
    """
    :param tuple place: host and port of the service.
    :return: text: the address from which this host gets there.  Nothing is sent.
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
    """What went wrong, in case it shows the commands with which it was tried."""
    text = as_text(failure.getErrorMessage())
    for name, value in connection.items():
        if value and any(word in name for word in _SECRETS):
            text = text.replace(as_text(value), u"***")
    return text


class HostConnector(object):
    """
    What connects volumes to this host.

    :param reactor: has a thread pool.
    :param place: host and port of the service, or ``None``: which of this
        host's addresses storage is to see.
    :param brick: called without arguments for what does the work of os-brick,
        in a thread; ``None`` when that is not installed.
    :param in_thread: called with a function and its arguments; returns a
        ``Deferred``.
    """

    def __init__(self, reactor, place=None, brick=Brick.load, in_thread=None):
        self._reactor = reactor
        self._place = place
        self._load = brick
        self._in_thread = in_thread or self._in_pool

    def _in_pool(self, function, *arguments):
        pool = self._reactor.getThreadPool()
        return deferToThreadPool(self._reactor, pool, function, *arguments)

    def properties(self):
        """
        :return: a ``Deferred`` that fires with a ``dict``: what storage must
            know of this host to let it have a volume; Cinder's "connector".
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
        address = u"127.0.0.1" if self._place is None else own_address(self._place)
        return dict(brick.properties(address), **own)

    def connect(self, volume_id, connection):
        """
        Have a volume's device on this host.  What is connected stays so.

        :param text volume_id: the volume.
        :param dict connection: the attachment's ``connection_info``.
        :return: a ``Deferred`` that fires with text: where the device is.  It
            must be verified.
        :raises ConnectorMissing: (the Deferred) it takes os-brick.
        :raises ConnectionFailed: it can't be had.
        """
        return self._either(local_path, "connect", volume_id, connection)

    def disconnect(self, volume_id, connection):
        """
        Be without a volume's device, which nothing may use any more.

        :return: a ``Deferred`` that fires with ``None``; fails as
            :meth:`connect` does.
        """
        return self._either(lambda *_: None, "disconnect", volume_id, connection)

    def _either(self, locally, verb, volume_id, connection):
        return maybeDeferred(self._do, locally, verb, volume_id, connection)

    def _do(self, locally, verb, volume_id, connection):
        kind = kind_of(volume_id, connection)
        if kind == LOCAL:
            return locally(volume_id, connection)
        brick = self._load()
        if brick is None:
            raise ConnectorMissing(volume_id, kind)
        d = self._in_thread(getattr(brick, verb), kind, connection)

        def failed(failure):
            if failure.check(CancelledError):
                return failure
            raise ConnectionFailed(
                volume_id,
                u"os-brick can't {} it by {}: {}".format(
                    as_text(verb), kind, _without_secrets(failure, connection)
                ),
            )

        return d.addErrback(failed)


__all__ = ["HostConnector", "LOCAL", "kind_of", "local_path", "own_address"]
