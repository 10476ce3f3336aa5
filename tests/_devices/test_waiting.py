"""
Tests for :mod:`txstorage._devices.finder` with a fake /sys: finding a volume's device, and waiting
for it.
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
from txstorage._log import DEVICE_SEARCH, DEVICE_SIZE
from txstorage._support.compat import as_text
from txstorage.errors import (
    DeviceAmbiguous,
    DeviceBusy,
    DeviceError,
    DeviceMismatch,
    DeviceNotFound,
    DeviceUnidentified,
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
    """Kernel events, triggered by a test."""

    changed = None
    started = stopped = 0

    def __call__(self, changed):
        self.changed = changed
        self.started += 1
        return self.stop

    def stop(self):
        """Stop the events, and count the call."""
        self.changed = None
        self.stopped += 1


class FinderTestCase(SynchronousTestCase):
    """A finder with a fake /sys, which accepts every device node."""

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
        """Return a finder."""
        return DeviceFinder(
            self.clock, sysfs=self.sysfs.root, dev=FilePath("/dev"), events=self.events, **options
        )

    def plug(self, device="vdb", volume_id=VOLUME, size=MIB):
        """Attach a volume."""
        self.sysfs.add(device, size=size, files=[("serial", volume_id[:20].encode("ascii"))])

    def assert_idle(self):
        """Assert that no timer and no listener is left."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIsNone(self.events.changed)
        self.assertEqual(self.events.started, self.events.stopped)


class FindTests(FinderTestCase):
    """Finding a device without waiting."""

    @capture_logging(
        assertHasMessage, DEVICE_SEARCH, {u"volume_id": VOLUME, u"outcome": u"/dev/vdb"}
    )
    def test_found(self, logger):
        """The path of the checked node is returned and logged."""
        self.plug()
        self.assertEqual(self.finder.find(VOLUME, MIB), FilePath("/dev/vdb"))
        self.assertEqual(self.checked, [(u"vdb", "/dev/vdb")])
        self.assert_idle()

    def test_slash(self):
        """A ``!`` in sysfs is a ``/`` in /dev; the path is a native string."""
        self.plug("cciss!c0d0")
        path = self.finder.find(VOLUME, MIB).path
        self.assertEqual(path, "/dev/cciss/c0d0")
        self.assertIs(type(path), str)

    @capture_logging(
        assertHasMessage,
        DEVICE_SIZE,
        {
            u"volume_id": VOLUME,
            u"device": u"/dev/sdb",
            u"device_size": 3 * MIB,
            u"volume_size": 2 * MIB,
        },
    )
    def test_other_size(self, logger):
        """A device with an exact identity and another size is returned, and logged."""
        self.sysfs.add("sdb", size=3 * MIB, files=[("serial", VOLUME.encode("ascii"))])
        path = self.finder.find(VOLUME, 2 * MIB)
        self.assertEqual((path, path.size), (FilePath("/dev/sdb"), 3 * MIB))

    @capture_logging(None)
    def test_same_size(self, logger):
        """A device of the volume's size is logged without a difference."""
        self.plug()
        self.assertEqual(MIB, self.finder.find(VOLUME, MIB).size)
        kinds = [message[u"message_type"] for message in logger.messages]
        self.assertEqual([DEVICE_SEARCH.message_type], kinds)

    def test_encrypted(self):
        """The device of an encrypted volume may lack the header, also in a wait."""
        self.plug()
        self.assertRaises(DeviceMismatch, self.finder.find, VOLUME, 17 * MIB)
        self.assertEqual(MIB, self.finder.find(VOLUME, 17 * MIB, encrypted=True).size)
        d = self.finder.wait_until_present(VOLUME, 17 * MIB, True)
        self.assertEqual(FilePath("/dev/vdb"), self.successResultOf(d))

    @capture_logging(assertHasMessage, DEVICE_SEARCH, {u"volume_id": OTHER})
    def test_not_found(self, logger):
        """Another volume's device is not returned, and the failure is logged."""
        self.plug()
        self.assertRaises(DeviceNotFound, self.finder.find, OTHER, MIB)

    def test_no_sysfs(self):
        """Each operation fails with ``DeviceError`` when the devices can't be listed."""
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


class ExpectedPathTests(FinderTestCase):
    """A volume whose storage reports a path."""

    def expect(self, number, path=u"/dev/mapper/x"):
        """Set the expected path, which is a device with this number."""
        status = SimpleStatus(stat.S_IFBLK, os.makedev(*number))
        self.patch(_nodes, "lstat", lambda volume_id, path: status)
        self.finder.set_expected_path(VOLUME, path)

    def test_found(self):
        """The device needs no identity, and its path is the kernel's name."""
        self.sysfs.add("dm-3", number="253:3")
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)
        self.expect((253, 3))
        found = self.finder.find(VOLUME, MIB)
        self.assertEqual(FilePath("/dev/dm-3"), found)
        self.assertEqual([(u"dm-3", "/dev/dm-3")], self.checked)
        self.finder.set_expected_path(VOLUME, None)
        self.finder.set_expected_path(VOLUME, None)
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)

    def test_no_device(self):
        """A path that is not a block device's is refused."""
        path = FilePath(self.mktemp())
        self.finder.set_expected_path(VOLUME, as_text(path.path))
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)
        self.finder.refuse_if_busy(VOLUME)
        path.setContent(b"")
        error = self.assertRaises(DeviceMismatch, self.finder.find, VOLUME, MIB)
        self.assertIn(path.path, error.message)

    def test_busy(self):
        """A device at the expected path can be busy, without an identity."""
        self.sysfs.add("dm-3", number="253:3")
        self.patch(_block_devices, "_is_claimed", lambda path: path.path == "/dev/dm-3")
        self.finder.refuse_if_busy(VOLUME)
        self.expect((253, 3))
        error = self.assertRaises(DeviceBusy, self.finder.refuse_if_busy, VOLUME)
        self.assertIn(u"/dev/dm-3", error.message)

    def test_file(self):
        """The expected path has no effect on files of the embedded service."""
        directory = FilePath(self.mktemp())
        directory.makedirs()
        directory.child(VOLUME).setContent(b"12")
        finder = self.make(directory=directory)
        finder.set_expected_path(VOLUME, u"/dev/mapper/x")
        self.assertEqual(directory.child(VOLUME), finder.find(VOLUME, 2))


class KeptPathTests(FinderTestCase):
    """A path that a caller keeps, as Flocker's agent does."""

    def test_plain(self):
        """The path equals and hashes like any ``FilePath`` of the node."""
        self.plug()
        path = self.finder.find(VOLUME, MIB)
        self.assertEqual({FilePath("/dev/vdb"): 1}[path], 1)
        self.assertEqual({path: 1}[FilePath("/dev/vdb")], 1)
        self.assertIs(type(path.parent()), FilePath)

    def test_gone(self):
        """A detached volume's path is not a block device, even when another volume has the node."""
        self.plug()
        path = self.finder.find(VOLUME, MIB)
        self.sysfs.remove("vdb")
        self.assertFalse(path.isBlockDevice())
        self.plug(volume_id=OTHER)
        self.assertFalse(path.isBlockDevice())
        self.sysfs.root.remove()
        self.assertFalse(path.isBlockDevice())

    def test_follows(self):
        """The path follows the volume when it is attached again, and so does the size."""
        self.plug()
        path = self.finder.find(VOLUME, 2 * MIB, True)
        self.sysfs.remove("vdb")
        self.plug("vdb", OTHER)
        self.plug("vdc", VOLUME, 2 * MIB)
        self.assertFalse(path.isBlockDevice())  # this host has no such node
        self.assertEqual((path, path.size), (FilePath("/dev/vdc"), 2 * MIB))

    def test_loop_device(self):
        """A kept path works with real devices, and when another volume gets the node."""
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
            # Another process of this machine may have taken the node first.
            refused = subprocess.call(["losetup", str(first), files[other]])
        self.addCleanup(detach_loop, first, files[other])
        self.assertFalse(path.isBlockDevice())
        second = attach_loop(self, files[volume])
        self.assertTrue(path.isBlockDevice())
        self.assertEqual(second, as_text(path.path))


class WaitTests(FinderTestCase):
    """Waiting, with a :class:`Clock`."""

    def test_present_already(self):
        """The wait for a device that is present ends at once."""
        self.plug()
        d = self.finder.wait_until_present(VOLUME, MIB)
        self.assertEqual(self.successResultOf(d), FilePath("/dev/vdb"))
        self.assert_idle()

    def test_gone_already(self):
        """The wait for a missing device to disappear ends at once."""
        self.plug()
        self.assertIsNone(self.successResultOf(self.finder.wait_until_gone(OTHER)))
        self.assert_idle()

    def test_event(self):
        """An event ends the wait at once, without a poll."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        self.events.changed()
        self.assertNoResult(d)
        self.plug()
        self.assertNoResult(d)
        self.events.changed()
        self.assertEqual(self.successResultOf(d), FilePath("/dev/vdb"))
        self.assert_idle()

    def test_going(self):
        """The wait for a device to disappear ends when the device has disappeared."""
        self.plug()
        d = self.finder.wait_until_gone(VOLUME)
        self.events.changed()
        self.assertNoResult(d)
        self.sysfs.remove("vdb")
        self.events.changed()
        self.assertIsNone(self.successResultOf(d))
        self.assert_idle()

    def test_going_looks_at_identity_only(self):
        """A device of another size, or a second device, still counts as present."""
        self.plug(size=0)
        self.plug("vdc", size=7 * MIB)
        d = self.finder.wait_until_gone(VOLUME)
        self.sysfs.remove("vdc")
        self.events.changed()
        self.assertNoResult(d)

    def delays(self, count):
        """Let polls take place; :return: the seconds before each."""
        found = []
        for _ in range(count):
            (call,) = self.clock.getDelayedCalls()
            found.append(round(call.getTime() - self.clock.seconds(), 3))
            self.clock.advance(call.getTime() - self.clock.seconds())
        return found

    def test_poll(self):
        """Without events, polls begin soon, at growing intervals."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        self.assertEqual(self.delays(7), [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0])
        self.plug()
        self.assertNoResult(d)
        self.clock.advance(1.0)
        self.assertEqual(self.successResultOf(d), FilePath("/dev/vdb"))
        self.assert_idle()

    def test_poll_starts_over(self):
        """An event or another wait resets the interval."""
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

    def test_reported(self):
        """The caller gets the reason of each look that does not find the device."""
        self.sysfs.add("xvdb", files=[("device/devtype", b"vbd\n")])
        reports = []
        d = self.finder.wait_until_present(VOLUME, MIB, report=reports.append)
        self.clock.advance(0.05)
        self.assertEqual([DeviceUnidentified] * 2, [each.type for each in reports])
        self.plug()
        self.events.changed()
        self.successResultOf(d)
        self.assertEqual(2, len(reports))

    def test_definite(self):
        """A wait fails at once for another size and for two devices."""
        self.plug(size=2 * MIB)
        self.failureResultOf(self.finder.wait_until_present(VOLUME, MIB), DeviceMismatch)
        self.plug("vdc")
        self.failureResultOf(self.finder.wait_until_present(VOLUME, MIB), DeviceAmbiguous)
        self.assert_idle()

    def test_cancel(self):
        """A cancelled wait leaves no timer and no listener."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assert_idle()

    def test_shared(self):
        """All waits share one listener and one poll, until the last wait ends."""
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
        """A callback may cancel another wait that ends at the same moment."""
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
        """An event without a wait has no effect."""
        d = self.finder.wait_until_present(VOLUME, MIB)
        late = self.events.changed
        d.cancel()
        self.failureResultOf(d)
        late()
        self.assert_idle()

    def test_unexpected(self):
        """An unexpected error fails the wait."""
        self.finder._source.path_of = lambda *ignored: 1 // 0
        self.failureResultOf(self.finder.wait_until_present(VOLUME, MIB), ZeroDivisionError)
        self.assert_idle()

    @capture_logging(None)
    def test_outcome_is_logged(self, logger):
        """Each wait logs one message, after any number of polls."""
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
    """Regular files as devices."""

    def setUp(self):
        self.directory = FilePath(self.mktemp())
        self.directory.makedirs()
        self.clock = Clock()
        self.finder = DeviceFinder(
            self.clock, sysfs=FilePath(self.mktemp()), directory=self.directory
        )

    def serve(self, size=MIB):
        """Create the volume's file."""
        with self.directory.child(VOLUME).open("wb") as stream:
            stream.truncate(size)

    def test_found(self):
        """The file with the volume's name and size is the device; sysfs is not read."""
        self.serve()
        path = self.finder.find(VOLUME, MIB)
        self.assertEqual(path, self.directory.child(str(VOLUME)))
        self.assertIs(type(path.path), str)

    def test_not_found(self):
        """A missing file and an empty file are not found."""
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)
        self.serve(0)
        self.assertRaises(DeviceNotFound, self.finder.find, VOLUME, MIB)

    @capture_logging(
        assertHasMessage, DEVICE_SIZE, {u"device_size": MIB + 1, u"volume_size": MIB}
    )
    def test_other_size(self, logger):
        """A file of another size is found, because its name is the whole id, and logged."""
        self.serve(MIB + 1)
        path = self.finder.find(VOLUME, MIB)
        self.assertEqual((path, path.size), (self.directory.child(VOLUME), MIB + 1))

    def test_embedded_ec2(self):
        """The file of an EBS volume has a UUID that begins like the id; two such are ambiguous."""
        volume_id = u"vol-" + VOLUME.replace(u"-", u"")[:17]
        self.assertRaises(DeviceNotFound, self.finder.find, volume_id, MIB)
        self.serve()
        self.assertEqual(self.finder.find(volume_id, MIB), self.directory.child(str(VOLUME)))
        self.directory.child(str(VOLUME[:-1] + u"1")).setContent(b"x")
        self.assertRaises(DeviceAmbiguous, self.finder.find, volume_id, MIB)

    def test_other_kind(self):
        """A link or a directory is refused, even with the volume's size."""
        path = self.directory.child(VOLUME).path
        for make in (lambda: os.symlink("elsewhere", path), lambda: os.mkdir(path)):
            make()
            error = self.assertRaises(
                DeviceMismatch, self.finder.find, VOLUME, os.lstat(path).st_size
            )
            self.assertIn(u"is not a regular file", error.message)
            FilePath(path).remove()

    def test_unsafe_id(self):
        """An id that leads out of the directory is refused, also in a wait."""
        for volume_id in (u"../" + VOLUME, u"a/b", u"..", u".", u"", u"a\n", u"a\0", u"\u00e9"):
            error = self.assertRaises(DeviceError, self.finder.find, volume_id, MIB)
            self.assertNotIsInstance(error, DeviceNotFound)
            self.failureResultOf(self.finder.wait_until_present(volume_id, MIB), DeviceError)
            self.failureResultOf(self.finder.wait_until_gone(volume_id), DeviceError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waits(self):
        """Waits poll."""
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

    def test_unreadable(self):
        """A file that can't be examined does not count as gone."""
        blocked = FilePath(self.mktemp())
        blocked.setContent(b"")
        finder = DeviceFinder(self.clock, directory=blocked)
        self.failureResultOf(finder.wait_until_gone(VOLUME), DeviceError)

    def test_never_busy(self):
        """A regular file is never in use."""
        self.serve()
        self.assertIsNone(self.finder.refuse_if_busy(VOLUME))
