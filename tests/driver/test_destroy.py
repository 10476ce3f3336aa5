"""
Tests of destroying volumes.
"""

from __future__ import absolute_import, division, print_function

from txstorage.errors import (
    OperationFailed,
    StillAttached,
    UnusableStatus,
)
from txstorage.interfaces import (
    UnknownVolume,
)

from ..helpers.memory import (
    THERE,
    Fault,
)
from .support import DriverTestCase, lost


class DestroyTests(DriverTestCase):
    """``destroy_volume``"""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.volume_id = self.cloud.add()

    def destroy(self):
        return self.driver.destroy_volume(self.volume_id)

    def test_destroyed(self):
        """The Deferred fires once the volume is deleted; no other volume is."""
        other = self.cloud.add()
        d = self.destroy()
        self.clock.advance(2)
        self.assertNoResult(d)
        self.assertIs(None, self.success(d))
        self.assertEqual([other], list(self.cloud.volumes))

    def test_unknown(self):
        """A destroy of a destroyed volume fails with ``UnknownVolume``."""
        self.success(self.destroy())
        self.assertEqual((self.volume_id,), self.failure(self.destroy(), UnknownVolume).args)

    def test_attached(self):
        """An attached volume is not destroyed."""
        self.volume_id = self.cloud.add(u"in-use", attached_to=THERE)
        self.assertIn(THERE, str(self.failure(self.destroy(), StillAttached)))
        self.assertEqual(0, self.cloud.count("delete"))

    def test_in_error(self):
        """A volume in error can be destroyed."""
        self.volume_id = self.cloud.add(u"error")
        self.success(self.destroy())

    def test_joined(self):
        """A second destroy joins the first."""
        first, second = self.destroy(), self.destroy()
        self.pass_time()
        self.assertEqual([None, None], [self.successResultOf(d) for d in (first, second)])
        self.assertEqual(1, self.cloud.count("delete"))

    def test_gone_in_between(self):
        """A destroy succeeds when another caller destroys the volume in between."""
        self.cloud.break_next("delete", Fault(UnknownVolume(self.volume_id)))
        d = self.destroy()
        self.cloud.volumes.clear()
        self.success(d)

    def test_lost(self):
        """A destroy succeeds although the response is lost."""
        self.cloud.break_next("delete", Fault(lost(), processed=True))
        self.success(self.destroy())

    def test_half_deleted(self):
        """A destroy fails when the deletion fails in the cloud."""
        d = self.destroy()
        self.cloud.change(self.volume_id, status=u"error_deleting")
        self.clock.advance(1)
        self.assertIn("error_deleting", str(self.failureResultOf(d, UnusableStatus).value))

    def test_goes_back(self):
        """A destroy fails when the cloud undoes the deletion repeatedly."""
        self.cloud._later = lambda *changes: self.cloud.change(
            self.volume_id, status=u"available"
        )
        self.failure(self.destroy(), OperationFailed)
        self.assertEqual(3, self.cloud.count("delete"))

    def test_maintenance(self):
        """The error for a status that allows no operation gives the status and a remedy."""
        self.volume_id = self.cloud.add(u"maintenance")
        error = self.failure(self.destroy(), UnusableStatus)
        self.assertIn("maintenance", str(error))
        self.assertIn(error.remedy, str(error))

    def test_cancelled(self):
        """A destroy can be cancelled at any moment."""

        def start():
            self.volume_id = self.cloud.add()
            return self.destroy()

        self.assertGreater(self.cut_short(start), 3)
        self.pass_time()
        self.assertEqual([], self.clock.getDelayedCalls())
