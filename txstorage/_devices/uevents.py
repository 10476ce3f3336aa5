# -*- test-case-name: tests._devices.test_events -*-
"""
The kernel's own announcements that a block device came, went or changed.

They arrive on a netlink socket, with udev or without it, and for loop devices
as well as for hot-plugged disks.  An announcement is only a hint to look at
sysfs again, so nothing in it is believed.
"""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import socket

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from zope.interface import implementer

_NETLINK_KOBJECT_UEVENT = 15  # linux/netlink.h
_KERNEL_GROUP = 1
_NO_MORE = (errno.EAGAIN, errno.EWOULDBLOCK)
_AT_ONCE = 200  # messages; the reactor has other things to do as well


def open_socket():
    """
    :return: a non-blocking socket that the kernel's uevents arrive on.
    :raises EnvironmentError: when this host or its policy does not allow it.
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
    """
    Call back whenever a block device may have changed, where that is possible.

    :param reactor: of no use unless it provides ``IReactorFDSet``.
    :param changed: called without arguments, in the reactor's thread.
    :return: a function that stops it, to be called once.
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
    """Stop what never started."""


@implementer(IReadDescriptor)
class _Reader(object):
    """Reads the socket when the reactor says that there is something."""

    def __init__(self, reactor, opened, changed):
        self._reactor = reactor
        self._socket = opened
        self._changed = changed

    def fileno(self):
        return -1 if self._socket is None else self._socket.fileno()

    def logPrefix(self):
        return "uevents"

    def doRead(self):
        """
        Take what has arrived, and call back once for all of it.

        :return: ``None``, or the error that the reactor is to close this for.
        """
        relevant = False
        for _ in range(_AT_ONCE):
            try:
                message = self._socket.recv(65536)
            except EnvironmentError as error:
                if error.errno in _NO_MORE:
                    break
                if error.errno == errno.ENOBUFS:
                    relevant = True  # some were lost: they may have been ours
                elif error.errno != errno.EINTR:
                    return error
            else:
                relevant = relevant or b"SUBSYSTEM=block" in message.split(b"\0")
        if relevant:
            self._changed()
        return None

    def connectionLost(self, reason):
        """The reactor stops, or reading failed; the poll has to do alone."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def stop(self):
        """Leave nothing behind."""
        self._reactor.removeReader(self)
        self.connectionLost(None)
