# -*- test-case-name: tests._devices.test_connector -*-
"""
Calls of os-brick, the library with which OpenStack's own services connect volumes to a host.

The calls block.  Source: https://docs.openstack.org/os-brick/latest/.
"""

from __future__ import absolute_import, division, print_function

import os
import sys

from .._support.compat import as_text, native

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Mapping, Optional, Text  # noqa: F401

# The command with which os-brick becomes root.  The driver already runs as root.
_ROOT_HELPER = "env"

# The directory of the locks that os-brick's processes on this host share.
_LOCKS = "/run/os-brick"


def _helper():
    # type: () -> List[str]
    """Return the command that starts os-brick's own helper, from os-brick's environment."""
    places = [os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]
    return [_ROOT_HELPER, "PATH=" + os.pathsep.join(places)]


class Brick(object):
    """
    os-brick's connectors.

    :param connectors: the module ``os_brick.initiator.connector``.
    """

    def __init__(self, connectors):
        # type: (Any) -> None
        self._connectors = connectors

    @classmethod
    def load(cls):
        # type: () -> Optional[Brick]
        """
        Import and configure os-brick.

        :return: a :class:`Brick`, or ``None`` when os-brick is not installed.
        """
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
        # type: (Text) -> Any
        """
        Collect this host's properties.

        :param text address: this host's address, as storage sees it.
        :return: ``dict``: this host's properties for each kind of connection.
        """
        return self._connectors.get_connector_properties(
            _ROOT_HELPER, native(address), multipath=False, enforce_multipath=False
        )

    def _connector(self, kind, connection):
        # type: (Text, Mapping[Text, Any]) -> Any
        return self._connectors.InitiatorConnector.factory(
            native(kind), _ROOT_HELPER, conn={"driver_volume_type": kind, "data": connection}
        )

    def connect(self, kind, connection):
        # type: (Text, Mapping[Text, Any]) -> Text
        """
        Connect a device.

        :param text kind: the kind of the connection.
        :param dict connection: the attachment's ``connection_info``.
        :return: text: the path of the device.
        """
        found = self._connector(kind, connection).connect_volume(connection)
        path = found["path"]
        return path.decode("utf-8") if isinstance(path, bytes) else as_text(path)

    def disconnect(self, kind, connection):
        # type: (Text, Mapping[Text, Any]) -> None
        """Disconnect a device, if it is connected.  The parameters are those of :meth:`connect`."""
        self._connector(kind, connection).disconnect_volume(connection, None)


__all__ = ["Brick"]
