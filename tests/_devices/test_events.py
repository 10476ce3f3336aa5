"""
Tests for :mod:`txstorage._devices.uevents`, and for :mod:`txstorage._devices.finder` with loop
devices, the kernel's events and a real reactor.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
import socket

from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from txstorage._devices import uevents as _uevents
from txstorage._devices.finder import DeviceFinder
from txstorage._support.compat import as_text
from txstorage.errors import DeviceAmbiguous, DeviceBusy, DeviceMismatch, DeviceNotFound

from ..helpers.sysfs import MIB, attach_loop, backing_file, detach_loop, new_volume_id


class ListenTests(SynchronousTestCase):
    """Hosts without kernel events."""

    def test_not_an_fd_reactor(self):
        """No socket is opened for a :class:`Clock`."""
        _uevents.listen(Clock(), self.fail, open_socket=self.fail)()

    def test_no_socket(self):
        """A refused socket is not an error."""

        def refuse():
            raise EnvironmentError(errno.EPERM, "no")

        _uevents.listen(reactor, self.fail, open_socket=refuse)()

    def test_no_netlink(self):
        """A platform without netlink has no events."""
        if not hasattr(socket, "AF_NETLINK"):
            raise SkipTest("this platform has no netlink")
        self.patch(socket, "AF_NETLINK", None)
        del socket.AF_NETLINK
        self.assertRaises(EnvironmentError, _uevents.open_socket)

    def test_refused_bind(self):
        """A socket that can't be bound is closed."""
        made = []

        class Refusing(object):
            def __init__(self, *args):
                made.append(self)
                self.closed = False

            def setblocking(self, flag):
                raise EnvironmentError(errno.EPERM, "no")

            def close(self):
                self.closed = True

        self.patch(socket, "socket", Refusing)
        self.assertRaises(EnvironmentError, _uevents.open_socket)
        self.assertEqual([one.closed for one in made], [True])


class FakeSocket(object):
    """A socket with given messages and errors."""

    closed = False

    def __init__(self, *results):
        self.results = list(results)

    def recv(self, size):
        """Return the next message, or raise the next error."""
        result = self.results.pop(0) if self.results else errno.EAGAIN
        if isinstance(result, int):
            raise EnvironmentError(result, "failed")
        return result

    def fileno(self):
        """Return a constant."""
        return 1000

    def close(self):
        """Record the call."""
        self.closed = True


BLOCK = b"change@/devices/x\0ACTION=change\0SUBSYSTEM=block\0SEQNUM=1\0"
NET = b"add@/devices/y\0ACTION=add\0SUBSYSTEM=net\0DEVPATH=/SUBSYSTEM=block\0"


class ReaderTests(SynchronousTestCase):
    """The listener's handling of the socket."""

    def read(self, *results):
        """
        Call ``doRead`` once.

        :return: the result, and the number of callbacks.
        """
        calls = []
        self.socket = FakeSocket(*results)
        self.reader = _uevents._Reader(None, self.socket, lambda: calls.append(1))
        return self.reader.doRead(), len(calls)

    def test_block(self):
        """Many events of block devices cause one callback."""
        self.assertEqual(self.read(NET, BLOCK, BLOCK, NET), (None, 1))

    def test_others(self):
        """Events of other devices cause no callback."""
        self.assertEqual(self.read(NET), (None, 0))

    def test_overrun(self):
        """Lost events cause a callback."""
        self.assertEqual(self.read(errno.ENOBUFS), (None, 1))

    def test_interrupted(self):
        """An interrupted call is repeated."""
        self.assertEqual(self.read(errno.EINTR, BLOCK), (None, 1))

    def test_flood(self):
        """One call reads a limited number of events, so that the reactor can do other work."""
        self.assertEqual(self.read(*[BLOCK] * 1000), (None, 1))
        self.assertTrue(self.socket.results)

    def test_broken(self):
        """An error is returned to the reactor, which may report the loss more than once."""
        error, calls = self.read(errno.EBADF)
        self.assertEqual((error.errno, calls), (errno.EBADF, 0))
        self.assertEqual(self.reader.fileno(), 1000)
        self.reader.connectionLost(error)
        self.reader.connectionLost(error)
        self.assertTrue(self.socket.closed)
        self.assertEqual(self.reader.fileno(), -1)
        self.assertEqual(self.reader.logPrefix(), "uevents")


class RealLoopTests(TestCase):
    """
    Loop devices, the kernel's events and a real reactor.  The poll's interval is an hour, so that
    only an event can end a wait.
    """

    timeout = 30
    size = 8 * MIB

    def setUp(self):
        self.volume_id = new_volume_id()
        self.path = backing_file(self, self.volume_id, self.size)
        self.finder = DeviceFinder(reactor, intervals=(3600.0, 3600.0))

    def readers(self):
        """Return the readers of event sockets in the reactor."""
        return [one for one in reactor.getReaders() if isinstance(one, _uevents._Reader)]

    def test_appears_and_goes(self):
        """An event ends the wait for a device to appear, and the wait for it to disappear."""
        d = self.finder.wait_until_present(self.volume_id, self.size)
        self.assertEqual(len(self.readers()), 1)
        device = []
        reactor.callLater(0, lambda: device.append(attach_loop(self, self.path)))

        def appeared(found):
            self.assertEqual(found, FilePath(str(device[0])))
            self.assertEqual(self.finder.find(self.volume_id, self.size), found)
            reactor.callLater(0, detach_loop, device[0], self.path)
            return self.finder.wait_until_gone(self.volume_id)

        d.addCallback(appeared)

        def gone(_):
            self.assertEqual(self.readers(), [])
            self.assertRaises(DeviceNotFound, self.finder.find, self.volume_id, self.size)

        return d.addCallback(gone)

    def test_cancel_closes_the_socket(self):
        """A cancelled wait leaves no socket and no timer in the reactor."""
        d = self.finder.wait_until_present(self.volume_id, self.size)
        reader = self.readers()[0]
        d.cancel()
        self.assertEqual((self.readers(), reader.fileno()), ([], -1))
        return self.assertFailure(d, CancelledError)

    def test_other_size(self):
        """A device of the volume's own file is found, although its size differs."""
        device = attach_loop(self, self.path)
        for difference in (512, -512):
            path = self.finder.find(self.volume_id, self.size + difference)
            self.assertEqual((device, self.size), (as_text(path.path), path.size))

    def test_two_devices(self):
        """Two loop devices on one file are refused."""
        attach_loop(self, self.path)
        attach_loop(self, self.path)
        self.assertRaises(DeviceAmbiguous, self.finder.find, self.volume_id, self.size)

    def test_node(self):
        """
        A node of another number, a file in place of the node and a missing node are refused.
        """
        device = FilePath(str(attach_loop(self, self.path)))
        dev = FilePath(self.mktemp())
        dev.makedirs()
        finder = DeviceFinder(reactor, dev=dev)
        node = dev.child(device.basename())
        self.assertRaises(DeviceNotFound, finder.find, self.volume_id, self.size)
        node.setContent(b"")
        self.assertRaises(DeviceMismatch, finder.find, self.volume_id, self.size)
        node.remove()
        status = os.stat(device.path)
        number = os.makedev(os.major(status.st_rdev), os.minor(status.st_rdev) + 1)
        os.mknod(node.path, status.st_mode, number)
        self.assertRaises(DeviceMismatch, finder.find, self.volume_id, self.size)
        self.assertIsNone(finder.refuse_if_busy(self.volume_id))
        node.remove()
        os.mknod(node.path, status.st_mode, status.st_rdev)
        self.assertEqual(finder.find(self.volume_id, self.size), node)

    def test_busy(self):
        """A device is busy while something has claimed it, and only then."""
        self.assertIsNone(self.finder.refuse_if_busy(self.volume_id))
        device = attach_loop(self, self.path)
        self.assertIsNone(self.finder.refuse_if_busy(self.volume_id))
        claim = os.open(device, os.O_RDONLY | os.O_EXCL)
        try:
            error = self.assertRaises(DeviceBusy, self.finder.refuse_if_busy, self.volume_id)
        finally:
            os.close(claim)
        self.assertIn(device, error.message)
        self.assertIsNone(self.finder.refuse_if_busy(self.volume_id))
