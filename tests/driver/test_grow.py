"""
Tests of growing volumes.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from txstorage._support.compat import text_type
from txstorage.errors import (
    InvalidSize,
    OperationFailed,
    OperationTimedOut,
    QuotaExceeded,
    UnusableStatus,
    VolumesNeverShrink,
)
from txstorage.interfaces import UnknownInstanceID, UnknownVolume

from ..helpers.memory import GIB, HERE, THERE, Fault
from .support import WHERE, DriverTestCase, broken, lost, unreachable


class GrowTests(DriverTestCase):
    """``grow_volume``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add()

    def grow(self, size=2 * GIB):
        return self.driver.grow_volume(self.volume_id, size)

    def test_detached(self):
        """The Deferred fires with the grown volume, which is listed next."""
        d = self.grow()
        self.clock.advance(1)
        self.assertNoResult(d)
        volume = self.success(d)
        self.assertEqual(2 * GIB, volume.size)
        self.assertEqual([volume], self.success(self.driver.list_volumes()))
        self.assertEqual([], self.devices.sizes)

    def test_attached_here(self):
        """A volume attached to this node has grown when this node's kernel shows the size."""
        self.volume_id = self.cloud.add(u"in-use", HERE)
        d = self.grow()
        for _ in range(20):
            self.clock.advance(0.5)
        self.assertNoResult(d)
        self.assertEqual([(self.volume_id, 2 * GIB, False)], self.devices.sizes)
        volume = self.success(d)
        self.assertEqual((2 * GIB, HERE), (volume.size, volume.attached_to))

    def test_attached_elsewhere(self):
        """Another node's kernel is not waited for."""
        for node in (THERE, u"33333333-3333-4333-8333-333333333333"):
            self.volume_id = self.cloud.add(u"in-use", node)
            self.assertEqual(node, self.success(self.grow()).attached_to)
        self.node.outcome = UnknownInstanceID(self.driver)
        self.volume_id = self.cloud.add(u"in-use", HERE)
        self.success(self.grow())
        self.assertEqual([], self.devices.sizes)

    def test_rounded_up(self):
        """The size is rounded up to the allocation unit."""
        self.assertEqual(3 * GIB, self.success(self.grow(2 * GIB + 1)).size)

    def test_bad_size(self):
        """A size that is not a positive whole number is refused without a request."""
        for size in (0, -1, 1.5, True, None, u"1"):
            self.failure(self.grow(size), InvalidSize)
        self.assertEqual([], self.cloud.requests)

    def test_never_shrinks(self):
        """A volume that is larger stays as it is, in whatever status, and the error says so."""
        self.cloud.change(self.volume_id, size=3 * GIB)
        for status in (u"available", u"extending", u"error"):
            self.cloud.change(self.volume_id, status=status)
            error = self.failure(self.grow(), VolumesNeverShrink)
            self.assertEqual(self.volume_id, error.volume_id)
            self.assertIn(text_type(3 * GIB), error.message)
        self.assertEqual(0, self.cloud.count("extend"))

    def test_same_size(self):
        """A volume that has the size is done, when this node's kernel shows it."""
        self.volume_id = self.cloud.add(u"in-use", HERE)
        self.assertEqual(GIB, self.success(self.grow(GIB)).size)
        self.assertEqual([(self.volume_id, GIB, False)], self.devices.sizes)
        self.assertEqual(0, self.cloud.count("extend"))

    def test_unknown(self):
        """A volume of another cluster, and one that does not exist, are unknown."""
        self.volume_id = self.cloud.add(labels={u"flocker-cluster-id": text_type(uuid4())})
        self.failure(self.grow(), UnknownVolume)
        self.volume_id = u"missing"
        self.failure(self.grow(), UnknownVolume)
        self.assertEqual(0, self.cloud.count("extend"))

    def test_joined(self):
        """Two callers get the same growth, and the larger of two sizes is reached."""
        first, second = self.grow(), self.grow()
        self.assertEqual(self.success(first), self.success(second))
        first, second = self.grow(3 * GIB), self.grow(4 * GIB)
        self.pass_time()
        self.assertEqual(4 * GIB, self.success(second).size)
        self.assertEqual(4 * GIB, self.cloud.volumes[self.volume_id].size)

    def test_between(self):
        """While an attachment begins, nothing is requested."""
        self.cloud.change(self.volume_id, status=u"attaching")
        d = self.grow()
        self.pass_time(5)
        self.assertEqual(0, self.cloud.count("extend"))
        self.cloud.change(self.volume_id, status=u"available")
        self.success(d)

    def test_quota(self):
        """An exceeded quota is the error."""
        self.cloud.break_next("extend", Fault(QuotaExceeded(*WHERE + (413, u"VolumeSize"))))
        self.failure(self.grow(), QuotaExceeded)

    def test_faults(self):
        """The size is reached once, whatever is lost."""
        for number, fault in enumerate(
            (Fault(lost()), Fault(lost(), processed=True), Fault(broken()), Fault(unreachable())), 2
        ):
            self.cloud.break_next("extend", fault)
            self.assertEqual(number * GIB, self.success(self.grow(number * GIB)).size)

    def test_restored(self):
        """
        A cloud without room restores the status and the size; after three requests, the error has
        its reason.
        """
        self.cloud._later = lambda *changes: self.cloud.clock.callLater(
            1, self.cloud.change, self.volume_id, status=u"available"
        )
        self.cloud.reasons[self.volume_id] = u"Could not find any available weighted backend."
        error = self.failure(self.grow(), OperationFailed)
        self.assertIn(u"Can't grow volume " + self.volume_id, error.message)
        self.assertIn(u"weighted backend", error.message)
        self.assertEqual(3, self.cloud.count("extend"))

    def test_fails_in_the_cloud(self):
        """A growth that failed is an error with the cloud's reason."""
        d = self.grow()
        self.cloud.change(self.volume_id, status=u"error_extending")
        self.cloud.reasons[self.volume_id] = u"Volume Driver failed to extend volume."
        error = self.failure(d, UnusableStatus)
        self.assertEqual((u"grow", u"error_extending"), (error.operation, error.status))
        self.assertIn(u"failed to extend", error.message)

    def test_timeout(self):
        """The error names the size that this node's kernel does not show, and what to do."""
        self.driver = self.new_driver(timeout=10.0)
        self.volume_id = self.cloud.add(u"in-use", HERE)
        d = self.grow()
        for _ in range(40):
            self.clock.advance(0.5)
        error = self.failureResultOf(d, OperationTimedOut).value
        self.assertIn(u"its device on this node to show the new size", error.message)
        self.assertIn(u"it has its old size", error.message)
        self.assertIn(u"rescan", error.remedy)

    def test_cut_short(self):
        """However often it is cancelled, in the end the volume has the size."""
        self.volume_id = self.cloud.add(u"in-use", HERE)
        self.assertGreater(self.cut_short(self.grow), 3)
        self.assertEqual(2 * GIB, self.cloud.volumes[self.volume_id].size)
