"""
Tests for :mod:`txstorage.clouds.ec2.snapshots`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds.ec2 import EC2Service
from txstorage.interfaces import UnknownVolume

from ...helpers.wire import HANG
from .support import (
    LABELS,
    NO_VOLUME,
    OTHER,
    SNAPSHOT,
    VOLUME,
    EC2Wire,
    document,
    refusal,
    snapshot,
    snapshots,
)

NO_SNAPSHOT = refusal(u"InvalidSnapshot.NotFound", u"The snapshot does not exist.")


class SnapshotsTests(SynchronousTestCase):
    """Snapshots."""

    def service(self, *script):
        """A service that answers from a script."""
        self.wire = EC2Wire(*script)
        return EC2Service(self.wire.clock, self.wire.session, u"eu-central-1a")

    def test_create(self):
        """The name and the labels travel in the request."""
        ec2 = self.service(document(u"CreateSnapshot", snapshot(state=u"pending")))
        found = self.successResultOf(ec2.create_snapshot(VOLUME, u"s1", LABELS))
        self.assertEqual(
            (SNAPSHOT, u"creating", u"s1", LABELS),
            (found.snapshot_id, found.status, found.name, found.labels),
        )
        [form] = self.wire.forms()
        self.assertEqual((VOLUME, u"s1"), (form[u"VolumeId"], form[u"Description"]))
        self.assertEqual(u"snapshot", form[u"TagSpecification.1.ResourceType"])
        self.assertEqual(u"Name", form[u"TagSpecification.1.Tag.1.Key"])

    def test_create_without_tags(self):
        """An answer that leaves out the tags is about the snapshot nonetheless."""
        inner = snapshot(labels={}).replace(u"s1", u"")
        ec2 = self.service(document(u"CreateSnapshot", inner))
        found = self.successResultOf(ec2.create_snapshot(VOLUME, u"s1", LABELS))
        self.assertEqual((u"s1", LABELS), (found.name, found.labels))

    def test_create_fails(self):
        """An unknown volume, a lost answer and one about another volume."""
        for answer, kind in [
            (NO_VOLUME, UnknownVolume),
            (refusal(u"SnapshotCreationPerVolumeRateExceeded"), None),
            (document(u"CreateSnapshot", snapshot(volumeId=OTHER)), errors.ResponseLost),
            (document(u"CreateSnapshot"), errors.ResponseLost),
            (HANG, errors.ResponseLost),
        ]:
            d = self.service(answer).create_snapshot(VOLUME, u"s1", LABELS)
            if answer is HANG:
                self.wire.clock.advance(30)
            if kind is not None:
                self.failureResultOf(d, kind)
            else:
                # It waits for its rate.
                self.assertNoResult(d)
                d.cancel()
                self.failureResultOf(d)
            self.assertEqual(1, len(self.wire.service.seen))

    def test_create_after_loss(self):
        """After a lost answer, no other snapshot is requested before a list must have the first."""
        made = document(u"CreateSnapshot", snapshot())
        for listed, expected in [
            (snapshots(snapshot()), [u"DescribeSnapshots"]),
            (snapshots(), [u"DescribeSnapshots", u"CreateSnapshot"]),
        ]:
            ec2 = self.service(HANG, listed, made)
            lost = ec2.create_snapshot(VOLUME, u"s1", LABELS)
            self.wire.clock.advance(30)
            self.failureResultOf(lost, errors.ResponseLost)
            self.wire.clock.advance(1)
            again = ec2.create_snapshot(VOLUME, u"s1", LABELS)
            self.wire.clock.advance(8)
            self.assertNoResult(again)
            self.wire.clock.advance(1)
            self.assertEqual(SNAPSHOT, self.successResultOf(again).snapshot_id)
            self.assertEqual(expected, self.wire.actions()[1:])

    def test_get(self):
        """A snapshot is looked up by its id."""
        found = self.successResultOf(self.service(snapshots(snapshot())).get_snapshot(SNAPSHOT))
        self.assertEqual((SNAPSHOT, u"available"), (found.snapshot_id, found.status))
        self.assertEqual(
            [{u"Action": u"DescribeSnapshots", u"SnapshotId.1": SNAPSHOT}], self.wire.forms()
        )

    def test_unknown(self):
        """A snapshot that does not exist is unknown."""
        for answer in (NO_SNAPSHOT, snapshots()):
            d = self.service(answer).get_snapshot(SNAPSHOT)
            self.failureResultOf(d, errors.UnknownSnapshot)
        ec2 = self.service(NO_SNAPSHOT)
        self.failureResultOf(ec2.delete_snapshot(SNAPSHOT), errors.UnknownSnapshot)
        for snapshot_id in (u"", VOLUME, u"snap-*"):
            self.failureResultOf(ec2.get_snapshot(snapshot_id), errors.UnknownSnapshot)
            self.failureResultOf(ec2.delete_snapshot(snapshot_id), errors.UnknownSnapshot)

    def test_delete(self):
        """A deletion fires with nothing."""
        ec2 = self.service(document(u"DeleteSnapshot"), refusal(u"InvalidSnapshot.InUse"))
        self.assertIs(None, self.successResultOf(ec2.delete_snapshot(SNAPSHOT)))
        self.failureResultOf(ec2.delete_snapshot(SNAPSHOT), errors.Conflict)

    def test_late(self):
        """A new snapshot is given time to show up, and a deletion shows at once."""
        made = document(u"CreateSnapshot", snapshot(state=u"pending"))
        gone = document(u"DeleteSnapshot")
        ec2 = self.service(made, NO_SNAPSHOT, gone, snapshots(snapshot()), snapshots(snapshot()))
        self.successResultOf(ec2.create_snapshot(VOLUME, u"s1", LABELS))
        self.assertEqual(u"creating", self.successResultOf(ec2.get_snapshot(SNAPSHOT)).status)
        self.successResultOf(ec2.delete_snapshot(SNAPSHOT))
        self.assertEqual(u"deleting", self.successResultOf(ec2.get_snapshot(SNAPSHOT)).status)
        [found] = self.successResultOf(ec2.list_snapshots(LABELS)).snapshots
        self.assertEqual(u"deleting", found.status)

    def test_delete_lost(self):
        """A deletion whose answer was lost may have been accepted."""
        ec2 = self.service(HANG, snapshots(snapshot()))
        lost = ec2.delete_snapshot(SNAPSHOT)
        self.wire.clock.advance(30)
        self.failureResultOf(lost, errors.ResponseLost)
        self.assertEqual(u"deleting", self.successResultOf(ec2.get_snapshot(SNAPSHOT)).status)

    def test_list(self):
        """Only the account's own are asked for; EC2's filters are not relied on."""
        ec2 = self.service(
            snapshots(
                snapshot(),
                snapshot(u"snap-2", volumeId=OTHER),
                snapshot(u"snap-3", labels={}),
                snapshot(u"snap-4", volumeSize=None),
            )
        )
        page = self.successResultOf(ec2.list_snapshots(LABELS, VOLUME, u"s1"))
        self.assertEqual([SNAPSHOT], [each.snapshot_id for each in page.snapshots])
        self.assertEqual([u"snap-4"], [each for each, _ in page.malformed])
        [form] = self.wire.forms()
        self.assertEqual(u"self", form[u"Owner.1"])
        names = {form[u"Filter.{}.Name".format(number)] for number in range(1, 5)}
        self.assertEqual(
            {u"tag:flocker-cluster-id", u"tag:flocker-dataset-id", u"volume-id", u"tag:Name"}, names
        )

    def test_reason(self):
        """EC2's message about a failed snapshot; never an error."""
        failed = snapshots(snapshot(state=u"error", statusMessage=u"key disabled"))
        for answer, expected in [(failed, u"key disabled"), (NO_SNAPSHOT, u"")]:
            d = self.service(answer).failure_reason(SNAPSHOT)
            self.assertEqual(expected, self.successResultOf(d))
