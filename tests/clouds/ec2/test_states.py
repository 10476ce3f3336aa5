"""
Tests for :mod:`txstorage.clouds.ec2.states`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.ec2.states import (
    ATTACHMENTS,
    INSTANCES,
    SNAPSHOTS,
    server_status,
    snapshot_status,
    volume_status,
)
from txstorage.driver.lifecycle import DEAD_SERVER, TABLES, snapshots


class StatesTests(SynchronousTestCase):
    """EC2's states in the words of the seam."""

    def test_volumes(self):
        """The attachments decide about a volume in use; other states are the volume's own."""
        for state, attachments, expected in [
            (u"creating", (), u"creating"),
            (u"available", (), u"available"),
            (u"available", (u"attaching",), u"attaching"),
            (u"available", (u"attached",), u"in-use"),
            (u"in-use", (), u"in-use"),
            (u"in-use", (u"attaching",), u"attaching"),
            (u"in-use", (u"attached",), u"in-use"),
            (u"in-use", (u"detaching",), u"detaching"),
            (u"in-use", (u"busy",), u"busy"),
            (u"in-use", (u"attached", u"detaching"), u"detaching"),
            (u"in-use", (u"attached", u"attaching"), u"attaching"),
            (u"in-use", (u"new-state",), u"in-use"),
            (u"deleting", (u"attached",), u"deleting"),
            (u"error", (), u"error"),
            (u"new-state", (), u"new-state"),
        ]:
            found = volume_status(state, attachments)
            self.assertEqual((state, attachments, expected), (state, attachments, found))

    def test_known_to_the_driver(self):
        """The driver's tables have a row for each status."""
        statuses = {u"creating", u"available", u"in-use", u"deleting", u"error"}
        statuses |= {status for _, status in ATTACHMENTS}
        for operation, table in TABLES.items():
            self.assertEqual((operation, set()), (operation, statuses - set(table)))
        for table in snapshots.TABLES.values():
            self.assertEqual(set(), set(SNAPSHOTS.values()) - set(table))

    def test_snapshots(self):
        """A state without an entry keeps its name, on which the driver does not act."""
        for state, expected in [
            (u"pending", u"creating"),
            (u"completed", u"available"),
            (u"error", u"error"),
            (u"recoverable", u"recoverable"),
        ]:
            self.assertEqual(expected, snapshot_status(state))

    def test_servers(self):
        """Only an instance that is stopped or terminated is off."""
        off = {state for state in INSTANCES if server_status(state) in DEAD_SERVER}
        self.assertEqual({u"stopped", u"terminated"}, off)
        self.assertEqual(u"UNKNOWN", server_status(u""))
        self.assertEqual(u"NEW", server_status(u"new"))
