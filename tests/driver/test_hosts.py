"""
Tests of volumes that another program attached to a host, without a server.
"""

from __future__ import absolute_import, division, print_function

from txstorage.clouds import Attachment
from txstorage.errors import AttachedToHost, StillAttached, UnusableStatus
from txstorage.interfaces import AlreadyAttachedVolume

from ..helpers.memory import HERE, THERE
from .support import DriverTestCase


class HostsTests(DriverTestCase):
    """Each operation on such a volume fails at once, and requests nothing."""

    def on_host(self, status=u"in-use", host=u"compute-1"):
        """Add a volume with an attachment to a host."""
        volume_id = self.cloud.add(status)
        self.cloud.change(volume_id, attachments=(Attachment(volume_id, None, host),))
        return volume_id

    def refused(self, d, kind):
        """Return the error of an operation that has ended without time or requests."""
        error = self.failureResultOf(d, kind).value
        self.assertEqual({"get"}, set(self.cloud.requests))
        self.assertEqual([], self.clock.getDelayedCalls())
        return error

    def test_detach(self):
        """The error of a detach names the host, and a remedy that does not need Compute."""
        volume_id = self.on_host()
        error = self.refused(self.driver.detach_volume(volume_id), AttachedToHost)
        self.assertEqual((volume_id, (u"compute-1",)), (error.volume_id, error.hosts))
        for part in ("host compute-1", "only that program can detach it", "attachment delete"):
            self.assertIn(part, str(error))

    def test_detach_from_a_nameless_host(self):
        """A cloud shows the host's name to administrators only."""
        error = self.refused(self.driver.detach_volume(self.on_host(host=None)), AttachedToHost)
        self.assertIn(u"attached it to a host", error.message)

    def test_attach(self):
        """An attach finds the volume attached."""
        d = self.driver.attach_volume(self.on_host(), HERE)
        self.refused(d, AlreadyAttachedVolume)

    def test_destroy(self):
        """A destroy does not request the deletion; the error names the host."""
        error = self.refused(self.driver.destroy_volume(self.on_host()), StillAttached)
        self.assertIn(u"host compute-1", error.message)

    def test_other_statuses(self):
        """A volume in error on a host counts as attached."""
        self.refused(self.driver.destroy_volume(self.on_host(u"error")), StillAttached)
        self.refused(self.driver.detach_volume(self.on_host(u"error")), UnusableStatus)

    def test_in_transition(self):
        """A detach waits for a transition's end before it gives up."""
        volume_id = self.on_host(u"extending")
        d = self.driver.detach_volume(volume_id)
        self.clock.advance(1)
        self.assertNoResult(d)
        self.cloud.change(volume_id, status=u"in-use")
        self.failure(d, AttachedToHost)

    def test_server_and_host(self):
        """A detach from a server succeeds there, and reports the host that remains."""
        volume_id = self.cloud.add(u"in-use", attached_to=THERE)
        host = Attachment(volume_id, None, u"compute-1")
        self.cloud.change(volume_id, attachments=(Attachment(volume_id, THERE), host))
        self.cloud._later = lambda *changes: self.cloud.change(
            volume_id, status=u"in-use", attachments=(host,)
        )
        error = self.failure(self.driver.detach_volume(volume_id), AttachedToHost)
        self.assertEqual((u"compute-1",), error.hosts)
        self.assertEqual(1, self.cloud.count("detach"))

    def test_listed_as_unattached(self):
        """Flocker's list has no node for it, because a host's name is not an instance id."""
        volume_id = self.on_host()
        [listed] = self.success(self.driver.list_volumes())
        self.assertEqual((volume_id, None), (listed.blockdevice_id, listed.attached_to))
