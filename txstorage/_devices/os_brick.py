# -*- test-case-name: tests._devices.test_connector -*-
"""
os-brick, the library with which OpenStack's own services connect volumes to a
host; see https://docs.openstack.org/os-brick/latest/.  Its calls block.
"""

from __future__ import absolute_import, division, print_function

import os
import sys

from .._support.compat import as_text, native

# How os-brick becomes root for its commands: whoever attaches volumes is root already.
_ROOT_HELPER = "env"


# Where os-brick keeps two processes of this host from doing the same thing at once.
_LOCKS = "/run/os-brick"


def _helper():
    """What starts os-brick's own helper, which is where os-brick is installed."""
    places = [os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]
    return [_ROOT_HELPER, "PATH=" + os.pathsep.join(places)]


class Brick(object):
    """
    :param connectors: the module ``os_brick.initiator.connector``.
    """

    def __init__(self, connectors):
        self._connectors = connectors

    @classmethod
    def load(cls):
        """:return: a :class:`Brick`, or ``None`` when os-brick is not installed."""
        try:
            import os_brick
            from os_brick.initiator import connector
            from oslo_concurrency import lockutils
            from oslo_config import cfg
            from oslo_privsep import priv_context
        except ImportError:
            return None
        lockutils.set_defaults(_LOCKS)
        if hasattr(os_brick, "setup"):
            os_brick.setup(cfg.CONF)
        priv_context.init(root_helper=_helper())
        return cls(connector)

    def properties(self, address):
        """
        :param text address: of this host, as storage sees it.
        :return: ``dict``: what each kind of connection needs to know of it.
        """
        return self._connectors.get_connector_properties(
            _ROOT_HELPER, native(address), multipath=False, enforce_multipath=False
        )

    def _connector(self, kind, connection):
        return self._connectors.InitiatorConnector.factory(
            native(kind), _ROOT_HELPER, conn={"driver_volume_type": kind, "data": connection}
        )

    def connect(self, kind, connection):
        """
        :return: text: the path of the device.
        """
        found = self._connector(kind, connection).connect_volume(connection)
        path = found["path"]
        return path.decode("utf-8") if isinstance(path, bytes) else as_text(path)

    def disconnect(self, kind, connection):
        """What is not connected is left alone."""
        self._connector(kind, connection).disconnect_volume(connection, None)


__all__ = ["Brick"]
