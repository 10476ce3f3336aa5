"""
Tests for :mod:`txstorage._devices.finder` in pretended places: finding a volume's
device, and waiting for it.
"""

from __future__ import absolute_import, division, print_function

import os
import stat
import subprocess
from collections import namedtuple

from eliot.testing import assertHasMessage, capture_logging
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from txstorage._devices import block_devices as _block_devices
from txstorage._devices import nodes as _nodes
from txstorage._devices.finder import DeviceFinder
from txstorage._devices.nodes import check_node
from txstorage._log import DEVICE_SEARCH
from txstorage._support.compat import as_text
from txstorage.errors import (
    DeviceAmbiguous,
    DeviceBusy,
    DeviceError,
    DeviceMismatch,
    DeviceNotFound,
)

from ..helpers.sysfs import (
    MIB,
    OTHER,
    VOLUME,
    FakeSysfs,
    attach_loop,
    backing_file,
    detach_loop,
    new_volume_id,
)

SimpleStatus = namedtuple("SimpleStatus", "st_mode st_rdev")


class Events(object):
    """Events that a test makes happen."""

    changed = None
    started = stopped = 0

    def __call__(self, changed):
        self.changed = changed
        self.started += 1
        return self.stop

    def stop(self):
        """Count it."""
        self.changed = None
        self.stopped += 1


class FinderTestCase(SynchronousTestCase):
    """With a pretended /sys; its devices' nodes pass, see NodeTests for these."""

    def setUp(self):
        self.sysfs = FakeSysfs(self.mktemp())
        self.clock = Clock()
        self.events = Events()
        self.finder = self.make()
        self.checked = []
        self.patch(
            _block_devices,
            "check_node",
            lambda volume_id, device, path: self.checked.append((device.name, path.path)),
        )

    def make(self, **options):
        """A finder."""
        return DeviceFinder(
            self.clock, sysfs=self.sysfs.root, dev=FilePath("/dev"), events=self.events, **options
        )

    def plug(self, device="vdb", volume_id=VOLUME, size=MIB):
        """Attach a volume."""
        self.sysfs.add(device, size=size, files=[("serial", volume_id[:20].encode("ascii"))])

    def assert_idle(self):
        """Nothing is left behind."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIsNone(self.events.changed)
        self.assertEqual(self.events.started, self.events.stopped)


class FindTests(FinderTestCase):
    """Finding a device at once."""

    @capture_logging(
        assertHasMessage, DEVICE_SEARCH, {u"volume_id": VOLUME, u"outcome": u"/dev/vdb"}
    )
    def test_found(self, logger):
        """The path is that of the checked node, and it is logged."""
        self.plug()
        self.assertEqual(self.finder.find(VOLUME, MIB), FilePath("/dev/vdb"))
        self.assertEqual(self.checked, [(u"vdb", "/dev/vdb")])
        self.assert_idle()

    def test_slash(self):
        """A ``!`` in sysfs is a ``/`` in /dev, in a native path."""
        self.plug("cciss!c0d0")
        path = self.finder.find(VOLUME, MIB).path
        self.assertEqual(path, "/dev/cciss/c0d0")
        self.assertIs(type(path), str)

    @capture_logging(assertHasMessage, DEVICE_SEARCH, {u"volume_id": OTHER})
    def test_not_found(self, logger):
        """Another volume's device is not found, and that is logged."""
        self.plug()
        self.assertRaises(DeviceNotFound, self.finder.find, OTHER, MIB)

    def test_no_sysfs(self):
        """When the devices can't be listed, that is what is said."""
        self.sysfs.root.remove()
        for look in (
            lambda: self.finder.find(VOLUME, MIB),
            lambda: self.finder.refuse_if_busy(VOLUME),
            lambda: self.failureResultOf(self.finder.wait_until_gone(VOLUME)).raiseException(),
        ):
            error = self.assertRaises(DeviceError, look)
            self.assertIn(u"Can't read this host's block devices", error.message)
            self.assertEqual(error.volume_id, VOLUME)
        self.assert_idle()


class ToldTests(FinderTestCase):
    """A volume of which storage says where its device is."""

    def tell(self, number, path=u"/dev/mapper/x"):
        """Storage says that the volume is there; that is a device of that number."""
        status = SimpleStatus(stat.S_IFBLK, os.makedev(*number))
        self.patch(_nodes, "lstat", lambda volume_id, path: status)
        self.finder.set_expected_path(VOLUME, path)

    def test_found(self):
        """It is found there, without an identity, and called what the kernel calls it."""
        self.sysfs.add("dm-3", number="253:3")
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)
        self.tell((253, 3))
        found = self.finder.find(VOLUME, MIB)
        self.assertEqual(FilePath("/dev/dm-3"), found)
        self.assertEqual([(u"dm-3", "/dev/dm-3")], self.checked)
        self.finder.set_expected_path(VOLUME, None)
        self.finder.set_expected_path(VOLUME, None)
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)

    def test_no_device(self):
        """A path that leads to anything but a block device is refused."""
        path = FilePath(self.mktemp())
        self.finder.set_expected_path(VOLUME, as_text(path.path))
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)
        self.finder.refuse_if_busy(VOLUME)
        path.setContent(b"")
        error = self.assertRaises(DeviceMismatch, self.finder.find, VOLUME, MIB)
        self.assertIn(path.path, error.message)

    def test_busy(self):
        """It is busy there, although nothing else says that it is the volume."""
        self.sysfs.add("dm-3", number="253:3")
        self.patch(_block_devices, "_is_claimed", lambda path: path.path == "/dev/dm-3")
        self.finder.refuse_if_busy(VOLUME)
        self.tell((253, 3))
        error = self.assertRaises(DeviceBusy, self.finder.refuse_if_busy, VOLUME)
        self.assertIn(u"/dev/dm-3", error.message)

    def test_file(self):
        """A file of the embedded service is where it is, whatever is told."""
        directory = FilePath(self.mktemp())
        directory.makedirs()
        directory.child(VOLUME).setContent(b"12")
        finder = self.make(directory=directory)
        finder.set_expected_path(VOLUME, u"/dev/mapper/x")
        self.assertEqual(directory.child(VOLUME), finder.find(VOLUME, 2))


class KeptPathTests(FinderTestCase):
    """A path that somebody keeps, as Flocker's agent does."""

    def test_plain(self):
        """It is like any other path to the same node: as a key, and for what is made of it."""
        self.plug()
        path = self.finder.find(VOLUME, MIB)
        self.assertEqual({FilePath("/dev/vdb"): 1}[path], 1)
        self.assertEqual({path: 1}[FilePath("/dev/vdb")], 1)
        self.assertIs(type(path.parent()), FilePath)

    def test_gone(self):
        """Once the volume is detached it is no block device, whatever its node is by then."""
        self.plug()
        path = self.finder.find(VOLUME, MIB)
        self.sysfs.remove("vdb")
        self.assertFalse(path.isBlockDevice())
        self.plug(volume_id=OTHER)
        self.assertFalse(path.isBlockDevice())
        self.sysfs.root.remove()
        self.assertFalse(path.isBlockDevice())

    def test_follows(self):
        """Attached again, it is where the volume is."""
        self.plug()
        path = self.finder.find(VOLUME, MIB)
        self.sysfs.remove("vdb")
        self.plug("vdb", OTHER)
        self.plug("vdc", VOLUME)
        self.assertFalse(path.isBlockDevice())  # for there is no such node here
        self.assertEqual(path, FilePath("/dev/vdc"))

    def test_loop_device(self):
        """All of it with real devices, and a node that another volume gets."""
        volume, other = new_volume_id(), new_volume_id()
        files = {each: backing_file(self, each) for each in (volume, other)}
        self.patch(_block_devices, "check_node", check_node)
        refused = 1
        while refused:
            first = attach_loop(self, files[volume])
            path = DeviceFinder(self.clock).find(volume, 8 * MIB)
            self.assertEqual(first, as_text(path.path))
            self.assertTrue(path.isBlockDevice())
            detach_loop(first, files[volume])
            self.assertFalse(path.isBlockDevice())
            # when another process of this machine was quicker to get the node
            refused = subprocess.call(["losetup", str(first), files[other]])
        self.addCleanup(detach_loop, first, files[other])
        self.assertFalse(path.isBlockDevice())
        second = attach_loop(self, files[volume])
        self.assertTrue(path.isBlockDevice())
        self.assertEqual(second, as_text(path.path))


class WaitTests(FinderTestCase):
    """Waiting with a :class:`Clock`."""

    def test_present_already(self):
        """A device that is there is not waited for."""
        self.plug()
        d = self.finder.wait_until_present(VOLUME, MIB)
        self.assertEqual(self.successResultOf(d), FilePath("/dev/vdb"))
        self.assert_idle()

    def test_gone_already(self):
        """A device that is not there has gone."""
        self.plug()
        self.assertIsNone(self.successResultOf(self.finder.wait_until_gone(OTHER)))
        self.assert_idle()

    def test_event(self):
        """An event ends the wait at once, without the clock."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        self.events.changed()
        self.assertNoResult(d)
        self.plug()
        self.assertNoResult(d)
        self.events.changed()
        self.assertEqual(self.successResultOf(d), FilePath("/dev/vdb"))
        self.assert_idle()

    def test_going(self):
        """Waiting for a device to go ends when it has gone."""
        self.plug()
        d = self.finder.wait_until_gone(VOLUME)
        self.events.changed()
        self.assertNoResult(d)
        self.sysfs.remove("vdb")
        self.events.changed()
        self.assertIsNone(self.successResultOf(d))
        self.assert_idle()

    def test_going_looks_at_identity_only(self):
        """A device of another size, or twice, is still there."""
        self.plug(size=0)
        self.plug("vdc", size=7 * MIB)
        d = self.finder.wait_until_gone(VOLUME)
        self.sysfs.remove("vdc")
        self.events.changed()
        self.assertNoResult(d)

    def delays(self, count):
        """Let the poll run, and tell after how many seconds it did."""
        found = []
        for _ in range(count):
            (call,) = self.clock.getDelayedCalls()
            found.append(round(call.getTime() - self.clock.seconds(), 3))
            self.clock.advance(call.getTime() - self.clock.seconds())
        return found

    def test_poll(self):
        """Without events it looks soon, and then less and less often."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        self.assertEqual(self.delays(7), [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0])
        self.plug()
        self.assertNoResult(d)
        self.clock.advance(1.0)
        self.assertEqual(self.successResultOf(d), FilePath("/dev/vdb"))
        self.assert_idle()

    def test_poll_starts_over(self):
        """An event, or somebody who joins, has it look soon again."""
        self.finder.wait_until_present(VOLUME, MIB)
        self.delays(5)
        self.events.changed()
        self.assertEqual(self.delays(2), [0.05, 0.1])
        self.finder.wait_until_present(OTHER, MIB)
        self.assertEqual(self.delays(2), [0.05, 0.1])

    def test_being_set_up(self):
        """A device without a size is waited for."""
        self.plug(size=0)
        d = self.finder.wait_until_present(VOLUME, MIB)
        self.assertNoResult(d)
        self.plug()
        self.events.changed()
        self.successResultOf(d)

    def test_definite(self):
        """Another size, or two devices, fails at once."""
        self.plug(size=2 * MIB)
        self.failureResultOf(self.finder.wait_until_present(VOLUME, MIB), DeviceMismatch)
        self.plug("vdc")
        self.failureResultOf(self.finder.wait_until_present(VOLUME, MIB), DeviceAmbiguous)
        self.assert_idle()

    def test_cancel(self):
        """A cancelled wait leaves nothing behind."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assert_idle()

    def test_shared(self):
        """All who wait share one listener and one poll, until the last leaves."""
        self.plug("vdc", OTHER)
        first = self.finder.wait_until_present(VOLUME, MIB)
        second = self.finder.wait_until_gone(OTHER)
        third = self.finder.wait_until_present(VOLUME, MIB)
        self.assertEqual((self.events.started, len(self.clock.getDelayedCalls())), (1, 1))
        third.cancel()
        self.failureResultOf(third, CancelledError)
        self.plug()
        self.clock.advance(0.05)
        self.successResultOf(first)
        self.assertEqual((self.events.stopped, len(self.clock.getDelayedCalls())), (0, 1))
        self.sysfs.remove("vdc")
        self.events.changed()
        self.successResultOf(second)
        self.assert_idle()

    def test_cancelled_by_another(self):
        """A callback may cancel another wait that would have ended as well."""
        waits = [self.finder.wait_until_present(VOLUME, MIB) for _ in range(2)]
        waits[0].addCallback(lambda _: waits[1].cancel())
        self.plug()
        self.events.changed()
        self.failureResultOf(waits[1], CancelledError)
        self.assert_idle()

    def test_again_from_a_callback(self):
        """A callback may wait again."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        d.addCallback(lambda _: self.finder.wait_until_gone(VOLUME))
        self.plug()
        self.events.changed()
        self.assertNoResult(d)
        self.sysfs.remove("vdb")
        self.events.changed()
        self.assertIsNone(self.successResultOf(d))
        self.assert_idle()

    def test_late_event(self):
        """An event that comes when nobody waits does nothing."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        late = self.events.changed
        d.cancel()
        self.failureResultOf(d)
        late()
        self.assert_idle()

    def test_unexpected(self):
        """An error that is not expected fails the wait; nobody hangs."""
        self.finder._source.path_of = lambda *ignored: 1 // 0
        self.failureResultOf(self.finder.wait_until_present(VOLUME, MIB), ZeroDivisionError)
        self.assert_idle()

    @capture_logging(None)
    def test_outcome_is_logged(self, logger):
        """One message for each wait, however often it looked."""
        first = self.finder.wait_until_present(VOLUME, MIB)
        second = self.finder.wait_until_present(OTHER, MIB)
        self.clock.advance(1)
        self.plug()
        self.clock.advance(1)
        second.cancel()
        self.failureResultOf(second)
        self.successResultOf(first)
        self.sysfs.remove("vdb")
        self.successResultOf(self.finder.wait_until_gone(VOLUME))
        self.assertEqual(
            [(message[u"volume_id"], message[u"outcome"]) for message in logger.messages],
            [(VOLUME, u"/dev/vdb"), (OTHER, u"CancelledError"), (VOLUME, u"gone")],
        )


class DirectoryTests(SynchronousTestCase):
    """Regular files for devices."""

    def setUp(self):
        self.directory = FilePath(self.mktemp())
        self.directory.makedirs()
        self.clock = Clock()
        self.finder = DeviceFinder(
            self.clock, sysfs=FilePath(self.mktemp()), directory=self.directory
        )

    def serve(self, size=MIB):
        """Attach the volume."""
        with self.directory.child(VOLUME).open("wb") as stream:
            stream.truncate(size)

    def test_found(self):
        """The file of that name and size is the device; sysfs is not asked."""
        self.serve()
        path = self.finder.find(VOLUME, MIB)
        self.assertEqual(path, self.directory.child(str(VOLUME)))
        self.assertIs(type(path.path), str)

    def test_not_found(self):
        """No file, no device; an empty one is not ready."""
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)
        self.serve(0)
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)

    def test_other_size(self):
        """Another size is refused."""
        self.serve(MIB + 1)
        self.assertRaises(DeviceMismatch, self.finder.find, VOLUME, MIB)

    def test_other_kind(self):
        """A link or a directory is refused, be its size what it may."""
        path = self.directory.child(VOLUME).path
        for make in (lambda: os.symlink("elsewhere", path), lambda: os.mkdir(path)):
            make()
            error = self.assertRaises(
                DeviceMismatch, self.finder.find, VOLUME, os.lstat(path).st_size
            )
            self.assertIn(u"is not a regular file", error.message)
            FilePath(path).remove()

    def test_unsafe_id(self):
        """An id that would lead out of the directory fails, also when waiting."""
        for volume_id in (u"../" + VOLUME, u"a/b", u"..", u".", u"", u"a\n", u"a\0", u"\u00e9"):
            error = self.assertRaises(DeviceError, self.finder.find, volume_id, MIB)
            self.assertNotIsInstance(error, DeviceNotFound)
            self.failureResultOf(self.finder.wait_until_present(volume_id, MIB), DeviceError)
            self.failureResultOf(self.finder.wait_until_gone(volume_id), DeviceError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waits(self):
        """Waiting works by polling."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        self.assertNoResult(d)
        self.serve()
        self.clock.advance(0.05)
        self.assertEqual(self.successResultOf(d), self.directory.child(str(VOLUME)))
        d = self.finder.wait_until_gone(VOLUME)
        self.assertNoResult(d)
        self.directory.child(VOLUME).remove()
        self.clock.advance(0.05)
        self.assertIsNone(self.successResultOf(d))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_can_not_look(self):
        """A file that can't be looked at is not taken to be gone."""
        blocked = FilePath(self.mktemp())
        blocked.setContent(b"")
        finder = DeviceFinder(self.clock, directory=blocked)
        self.failureResultOf(finder.wait_until_gone(VOLUME), DeviceError)

    def test_never_busy(self):
        """A regular file is never in use."""
        self.serve()
        self.assertIsNone(self.finder.refuse_if_busy(VOLUME))
