"""
Tests for :mod:`txstorage.clouds.ec2.volumes`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds.ec2 import EC2Service
from txstorage.clouds.ec2.wire import GIB
from txstorage.interfaces import UnknownVolume

from ...helpers.wire import HANG
from .support import (
    LABELS,
    NO_VOLUME,
    OTHER,
    SERVER,
    VOLUME,
    EC2Wire,
    attachment,
    document,
    element,
    modification,
    refusal,
    volume,
    volumes,
)

FOREIGN = (u"", u"vol-*", u"6f2b35b4-7b3c-4d2e-9f8c-111111111111", SERVER, None)


class VolumesTestCase(SynchronousTestCase):
    """A service that answers from a script."""

    def service(self, *script):
        """A service that answers from a script."""
        self.wire = EC2Wire(*script)
        return EC2Service(self.wire.clock, self.wire.session, u"eu-central-1a")


class GetTests(VolumesTestCase):
    """One volume, and several."""

    def test_get(self):
        """A volume is looked up by its id."""
        found = self.successResultOf(self.service(volumes(volume())).get_volume(VOLUME))
        self.assertEqual((VOLUME, False), (found.volume_id, found.listed))
        self.assertEqual(
            [{u"Action": u"DescribeVolumes", u"VolumeId.1": VOLUME}], self.wire.forms()
        )

    def test_unknown(self):
        """EC2's own errors, an empty answer and a deleted volume are an unknown volume."""
        malformed = refusal(u"InvalidVolumeID.Malformed")
        for answer in (NO_VOLUME, malformed, volumes(), volumes(volume(state=u"deleted"))):
            d = self.service(answer).get_volume(VOLUME)
            self.assertEqual(VOLUME, self.failureResultOf(d, UnknownVolume).value.blockdevice_id)

    def test_foreign_ids(self):
        """An id that is none of EC2's is of no volume, and is not sent."""
        ec2 = self.service()
        for volume_id in FOREIGN:
            for operation in (
                ec2.get_volume,
                ec2.delete_volume,
                lambda each: ec2.extend_volume(each, GIB, False),
                lambda each: ec2.set_labels(each, {u"a": u"b"}),
                lambda each: ec2.remove_label(each, u"a"),
                lambda each: ec2.request_attach(each, SERVER),
                lambda each: ec2.request_detach(each, SERVER),
                lambda each: ec2.create_snapshot(each, u"n", {}),
            ):
                self.failureResultOf(operation(volume_id), UnknownVolume)
        self.assertEqual([], self.wire.service.seen)

    def test_another(self):
        """An answer about another volume is not that of the request."""
        d = self.service(volumes(volume(OTHER))).get_volume(VOLUME)
        self.failureResultOf(d, UnknownVolume)

    def test_malformed(self):
        """A description that can't be understood is not EC2's."""
        d = self.service(volumes(volume(size=None))).get_volume(VOLUME)
        self.assertIn(u"size", self.failureResultOf(d, errors.NotTheService).value.message)

    def test_fails(self):
        """Any other error is not an answer about the volume."""
        d = self.service(refusal(u"UnauthorizedOperation")).get_volume(VOLUME)
        self.failureResultOf(d, errors.PermissionDenied)


    def test_cancel(self):
        """A cancelled look leaves nothing behind: no request, no pause after throttling."""
        for answer in (HANG, refusal(u"RequestLimitExceeded", status=503)):
            d = self.service(answer).get_volume(VOLUME)
            self.assertNoResult(d)
            d.cancel()
            self.failureResultOf(d, CancelledError)
            self.assertEqual([], self.wire.clock.getDelayedCalls())


class ListTests(VolumesTestCase):
    """Lists of volumes."""

    def test_filtered(self):
        """EC2 filters by tags; pages are followed; its filter is not relied on."""
        ec2 = self.service(
            volumes(volume(), volume(u"vol-3", labels={}), following=u"n"),
            volumes(volume(OTHER), volume(u"vol-4", state=u"deleted")),
        )
        page = self.successResultOf(ec2.list_volumes({u"flocker-cluster-id": u"c1"}))
        self.assertEqual([VOLUME, OTHER], [each.volume_id for each in page.volumes])
        self.assertEqual((2, ()), (page.requests, page.malformed))
        self.assertTrue(all(each.listed for each in page.volumes))
        form = self.wire.forms()[0]
        self.assertEqual(u"tag:flocker-cluster-id", form[u"Filter.1.Name"])
        self.assertEqual(u"c1", form[u"Filter.1.Value.1"])

    def test_all(self):
        """Without labels, there is no filter."""
        self.successResultOf(self.service(volumes(volume())).list_volumes({}))
        self.assertNotIn(u"Filter.1.Name", self.wire.forms()[0])

    def test_malformed(self):
        """A malformed entry is reported, and the others are listed."""
        ec2 = self.service(volumes(volume(OTHER, size=None), volume()))
        page = self.successResultOf(ec2.list_volumes(LABELS))
        self.assertEqual(1, len(page.volumes))
        [(volume_id, problem)] = page.malformed
        self.assertEqual(OTHER, volume_id)
        self.assertIn(u"size", problem)


class ChangeTests(VolumesTestCase):
    """Changes of volumes."""

    def test_delete(self):
        """A deletion shows at once, although descriptions are late."""
        ec2 = self.service(document(u"DeleteVolume"), volumes(volume()), NO_VOLUME)
        self.assertIs(None, self.successResultOf(ec2.delete_volume(VOLUME)))
        self.assertEqual(u"deleting", self.successResultOf(ec2.get_volume(VOLUME)).status)
        self.failureResultOf(ec2.get_volume(VOLUME), UnknownVolume)

    def test_delete_lost(self):
        """A deletion whose answer was lost may have been accepted."""
        ec2 = self.service(HANG, volumes(volume()))
        lost = ec2.delete_volume(VOLUME)
        self.wire.clock.advance(30)
        self.failureResultOf(lost, errors.ResponseLost)
        self.assertEqual(u"deleting", self.successResultOf(ec2.get_volume(VOLUME)).status)

    def test_delete_refused(self):
        """A volume in use is not deleted, and an unknown one is unknown."""
        ec2 = self.service(refusal(u"VolumeInUse"), NO_VOLUME)
        self.failureResultOf(ec2.delete_volume(VOLUME), errors.Conflict)
        self.failureResultOf(ec2.delete_volume(VOLUME), UnknownVolume)

    def test_set_labels(self):
        """Tags are added, and all labels come back, although descriptions are late."""
        ec2 = self.service(document(u"CreateTags"), volumes(volume()))
        labels = self.successResultOf(ec2.set_labels(VOLUME, {u"a": u"b"}))
        self.assertEqual(dict(LABELS, a=u"b"), labels)
        form = self.wire.forms()[0]
        self.assertEqual(
            (VOLUME, u"a", u"b"),
            tuple(form[each] for each in (u"ResourceId.1", u"Tag.1.Key", u"Tag.1.Value")),
        )
        self.failureResultOf(ec2.set_labels(VOLUME, {u"Name": u"x"}), errors.InvalidLabel)

    def test_set_no_labels(self):
        """Nothing to set needs no request but the look."""
        ec2 = self.service(volumes(volume()))
        self.assertEqual(LABELS, self.successResultOf(ec2.set_labels(VOLUME, {})))

    def test_remove_label(self):
        """A tag is removed whatever its value."""
        late = volumes(volume(labels=dict(LABELS, a=u"b")))
        ec2 = self.service(document(u"DeleteTags"), late, NO_VOLUME)
        self.assertIs(None, self.successResultOf(ec2.remove_label(VOLUME, u"a")))
        self.assertEqual(LABELS, self.successResultOf(ec2.get_volume(VOLUME)).labels)
        form = self.wire.forms()[0]
        self.assertEqual((u"a", None), (form[u"Tag.1.Key"], form.get(u"Tag.1.Value")))
        self.failureResultOf(ec2.remove_label(VOLUME, u"a"), UnknownVolume)


class GrowthTests(VolumesTestCase):
    """The growth of volumes."""

    MODIFIED = document(
        u"ModifyVolume",
        element(u"volumeModification", element(u"modificationState", u"modifying")),
    )

    def test_grow(self):
        """A volume that is being modified is extending, by itself and in lists."""
        attached = volume(state=u"in-use", attachments=[attachment(u"attached")])
        ec2 = self.service(
            self.MODIFIED,
            volumes(attached),
            modification(u"modifying"),
            volumes(attached),
            modification(u"modifying"),
            volumes(volume(size=3)),
            volumes(volume(size=3)),
        )
        self.assertIs(None, self.successResultOf(ec2.extend_volume(VOLUME, 2 * GIB + 1, True)))
        form = self.wire.forms()[0]
        self.assertEqual((VOLUME, u"3"), (form[u"VolumeId"], form[u"Size"]))
        found = self.successResultOf(ec2.get_volume(VOLUME))
        self.assertEqual((u"extending", 1), (found.status, len(found.attachments)))
        [found] = self.successResultOf(ec2.list_volumes({})).volumes
        self.assertEqual(u"extending", found.status)
        for _ in range(2):
            found = self.successResultOf(ec2.get_volume(VOLUME))
            self.assertEqual((u"available", 3 * GIB), (found.status, found.size))

    def test_late(self):
        """A description may show neither the modification nor the new size for a while."""
        states = [u"", u"optimizing", u"completed", u"completed"]
        script = [answer for each in states for answer in (volumes(volume()), modification(each))]
        ec2 = self.service(self.MODIFIED, *script)
        self.successResultOf(ec2.extend_volume(VOLUME, 3 * GIB, False))
        for expected, seconds in [(u"extending", 1), (u"extending", 58), (u"extending", 1)]:
            found = self.successResultOf(ec2.get_volume(VOLUME))
            self.assertEqual(expected, found.status)
            self.wire.clock.advance(seconds)
        self.assertEqual(u"available", self.successResultOf(ec2.get_volume(VOLUME)).status)

    def test_failed(self):
        """A modification that failed leaves the volume as it was, with a reason."""
        failed = modification(u"failed", message=u"no capacity")
        ec2 = self.service(self.MODIFIED, volumes(volume()), failed, failed)
        self.successResultOf(ec2.extend_volume(VOLUME, 3 * GIB, False))
        self.assertEqual(u"available", self.successResultOf(ec2.get_volume(VOLUME)).status)
        self.assertEqual(u"no capacity", self.successResultOf(ec2.failure_reason(VOLUME)))

    def test_refused(self):
        """A modification in progress passes; the cooldown after one is an error of its own."""
        for code, kind in [
            (u"IncorrectModificationState", errors.Conflict),
            (u"VolumeModificationRateExceeded", errors.ModifiedRecently),
            (u"InvalidVolume.NotFound", UnknownVolume),
        ]:
            d = self.service(refusal(code)).extend_volume(VOLUME, 3 * GIB, False)
            self.failureResultOf(d, kind)

    def test_reason(self):
        """A reason never fails; a volume that was never modified has none."""
        for answer in (
            refusal(u"InvalidVolumeModification.NotFound"),
            refusal(u"UnauthorizedOperation"),
            modification(u"completed"),
        ):
            d = self.service(answer).failure_reason(VOLUME)
            self.assertEqual(u"", self.successResultOf(d))
