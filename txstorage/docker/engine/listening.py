# -*- test-case-name: tests.docker.engine.test_listening -*-
"""
The plugin's socket: systemd's, or one of its own.
"""

from __future__ import annotations

import os
import socket
import stat
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import IResource
from twisted.web.server import Site

from ...errors import SocketUnusable

#: In place of a path: the socket that systemd has opened for this process.
SYSTEMD = "systemd"


def make_way(path: str) -> None:
    """
    Remove the socket that a killed plugin has left, which would make engines wait.

    :raises SocketUnusable: a process listens there, or it is not a socket.
    """
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise SocketUnusable(f"{path} is not a socket", "remove it")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except FileNotFoundError:
            return
    raise SocketUnusable(
        f"Another process listens at {path}", "end it, or use another path with --socket"
    )


class Listener:
    """
    The port at which engines connect.  Only root can.

    :param reactor: provides ``IReactorUNIX`` and ``IReactorSocket``.
    :param path: the socket's, or :data:`SYSTEMD`.
    """

    def __init__(self, reactor: Any, path: str) -> None:
        self._reactor = reactor
        self._path = path
        self._port: IListeningPort | None = None

    async def start(self, resource: IResource) -> None:
        """
        Listen.

        :raises SocketUnusable: the path can't be used.
        """
        site = Site(resource, reactor=self._reactor)
        if self._path == SYSTEMD:
            self._port = await self._of_systemd(site)
            return
        make_way(self._path)
        os.makedirs(os.path.dirname(self._path), mode=0o755, exist_ok=True)
        # The mode takes effect with the socket, not after it.
        former = os.umask(0o177)
        try:
            self._port = self._reactor.listenUNIX(self._path, site, mode=0o600)
        finally:
            os.umask(former)

    async def _of_systemd(self, site: Site) -> IListeningPort:
        try:
            endpoint = serverFromString(self._reactor, "systemd:domain=UNIX:index=0")
        except IndexError:
            raise SocketUnusable(
                "systemd has passed no socket", "start txstorage-docker.socket, or name a path"
            ) from None
        port: IListeningPort = await endpoint.listen(site)
        return port

    async def stop(self) -> None:
        """Close the socket, and remove it if it is the plugin's own."""
        port, self._port = self._port, None
        if port is None:
            return
        if self._path == SYSTEMD:
            # Twisted would remove the path, at which engines wait for the next start.
            self._reactor.removeReader(port)
        else:
            await maybeDeferred(port.stopListening)


__all__ = ["SYSTEMD", "Listener", "make_way"]
