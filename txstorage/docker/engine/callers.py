# -*- test-case-name: tests.docker.engine.test_callers -*-
"""
The process at the other end of a connection, and the mounts that it sees.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

import attr

from ...filesystem import Mount, mounts_of

#: The name of the directory in which engines show the mounts of a managed plugin.
PROPAGATED = "propagated-mount"

# struct ucred of unix(7).
_CREDENTIALS = struct.Struct("3i")


@attr.s(auto_attribs=True, frozen=True)
class Caller:
    """
    A process that has connected to the plugin's socket.

    :ivar pid: its id; 0 for a process of another PID namespace.
    """

    pid: int

    def __str__(self) -> str:
        try:
            with open(f"/proc/{self.pid}/comm", errors="replace") as opened:
                return f"{opened.read().strip()} (process {self.pid})"
        except OSError:
            return f"process {self.pid}" if self.pid else "the engine"


def caller_of(connection: Any) -> Caller:
    """
    :param connection: the socket of a connection.
    :return: the :class:`Caller` who made it.
    """
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Caller(_CREDENTIALS.unpack(found)[0])


def sees(caller: Caller, mount: Mount, proc: str = "/proc") -> bool:
    """
    Check whether a process sees a mount in its own mount namespace.

    :param caller: the process.
    :param mount: the plugin's mount.
    """
    if not caller.pid:
        # An engine outside a managed plugin sees the mounts that the plugin shares.
        return mount.shared
    try:
        table = mounts_of(caller.pid, proc)
    except OSError:
        # The process has ended, and starts nothing.
        return True
    return any(
        each.number == mount.number
        and each.root == mount.root
        and _is_at(each.mounted_at, mount.mounted_at)
        for each in table
    )


def _is_at(seen: str, place: str) -> bool:
    """
    :param seen: the path of a mount, as another process sees it.
    :param place: the path of the plugin's mount.
    :return: whether engines find the mount when the plugin answers with its own path.
    """
    directory, name = os.path.split(place)
    if directory != os.sep + PROPAGATED:
        return seen == place
    # Engines translate the paths of a managed plugin.
    return seen.endswith(os.path.join(directory, name))


__all__ = ["PROPAGATED", "Caller", "caller_of", "sees"]
