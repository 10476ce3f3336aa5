# -*- test-case-name: tests._devices.test_events -*-
"""
Kernel events: a block device was added, removed or changed.

Events arrive on a netlink socket, with udev or without it, for loop devices as well as for
hot-plugged disks.  An event only triggers another poll of sysfs; its contents are not trusted.
"""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import socket

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from zope.interface import implementer

MYPY = False
if MYPY:
    from typing import Any, Callable, Optional  # noqa: F401

    from twisted.python.failure import Failure  # noqa: F401

_NETLINK_KOBJECT_UEVENT = 15  # linux/netlink.h
_KERNEL_GROUP = 1
_NO_MORE = (errno.EAGAIN, errno.EWOULDBLOCK)
_AT_ONCE = 200  # messages for each call of doRead; the reactor has other work, too


def open_socket():
    # type: () -> socket.socket
    """
    Open a socket on which the kernel's uevents arrive.

    :return: a non-blocking socket.
    :raises EnvironmentError: this host or its policy does not allow the socket.
    """
    if not hasattr(socket, "AF_NETLINK"):
        raise EnvironmentError(errno.EAFNOSUPPORT, "no netlink on this platform")
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_KOBJECT_UEVENT)
    try:
        opened.setblocking(False)
        flags = fcntl.fcntl(opened.fileno(), fcntl.F_GETFD)
        fcntl.fcntl(opened.fileno(), fcntl.F_SETFD, flags | fcntl.FD_CLOEXEC)
        opened.bind((0, _KERNEL_GROUP))
    except EnvironmentError:
        opened.close()
        raise
    return opened


def listen(reactor, changed, open_socket=open_socket):
    # type: (Any, Callable[[], object], Callable[[], socket.socket]) -> Callable[[], None]
    """
    Call a function whenever a block device may have changed, if this host allows it.

    :param reactor: without ``IReactorFDSet``, the function is never called.
    :param changed: called without arguments, in the reactor's thread.
    :return: a function that stops the calls; call it once.
    """
    if not IReactorFDSet.providedBy(reactor):
        return _nothing
    try:
        opened = open_socket()
    except EnvironmentError:
        return _nothing
    reader = _Reader(reactor, opened, changed)
    reactor.addReader(reader)
    return reader.stop


def _nothing():
    # type: () -> None
    """Do nothing: no listener was started."""


@implementer(IReadDescriptor)
class _Reader(object):
    """Reads the socket when the reactor reports data."""

    def __init__(self, reactor, opened, changed):
        # type: (IReactorFDSet, socket.socket, Callable[[], object]) -> None
        self._reactor = reactor
        self._socket = opened  # type: Optional[socket.socket]
        self._changed = changed

    def fileno(self):
        # type: () -> int
        return -1 if self._socket is None else self._socket.fileno()

    def logPrefix(self):
        # type: () -> str
        return "uevents"

    def doRead(self):
        # type: () -> Any
        """
        Read the messages that have arrived, and call back once for all of them.

        :return: ``None``, or the error for which the reactor closes this reader, as
            ``IReadDescriptor`` requires.
        """
        relevant = False
        for _ in range(_AT_ONCE):
            try:
                message = self._socket.recv(65536)  # type: ignore[union-attr]
            except EnvironmentError as error:
                if error.errno in _NO_MORE:
                    break
                if error.errno == errno.ENOBUFS:
                    relevant = True  # the kernel dropped messages, perhaps relevant ones
                elif error.errno != errno.EINTR:
                    return error
            else:
                relevant = relevant or b"SUBSYSTEM=block" in message.split(b"\0")
        if relevant:
            self._changed()
        return None

    def connectionLost(self, reason):
        # type: (Optional[Failure]) -> None
        """Close the socket, when the reactor stops or reading has failed; only polling is left."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def stop(self):
        # type: () -> None
        """Stop reading, and close the socket."""
        self._reactor.removeReader(self)
        self.connectionLost(None)
