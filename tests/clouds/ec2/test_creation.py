"""
The creation of volumes: tokens, generations, types.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds.ec2 import EC2Service
from txstorage.clouds.ec2.volumes.client_tokens import Generations, client_token, owner_of
from txstorage.clouds.ec2.volumes.types import type_parameters
from txstorage.clouds.ec2.wire import GIB
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
    items,
    refusal,
    volume,
    volumes,
)

OLD = u"2026-11-22T16:20:00.000Z"
MISMATCH = refusal(u"IdempotentParameterMismatch", u"another request has the token")


def created(*arguments, **changes):
    """The answer to a creation."""
    changes.setdefault("state", u"creating")
    return document(u"CreateVolume", volume(*arguments, **changes))


class CreationTests(SynchronousTestCase):
    """The creation of volumes."""

    def service(self, *script):
        """A service that answers from a script."""
        self.wire = EC2Wire(*script)
        return EC2Service(self.wire.clock, self.wire.session, u"eu-central-1a")

    def create(self, *script, **options):
        """Create a volume."""
        self.ec2 = self.service(*script)
        return self.ec2.create_volume(u"n1", GIB, LABELS, **options)

    def tokens(self):
        """The generation of each request's token."""
        known = [client_token(owner_of(LABELS), number) for number in range(30)]
        sent = [form.get(u"ClientToken") for form in self.wire.forms()]
        return [known.index(each) for each in sent if each is not None]

    def test_request(self):
        """The zone, the size in GiB, the tags and the token travel in one request."""
        found = self.successResultOf(self.create(created(size=3), volume_type=u"gp3"))
        self.assertEqual((VOLUME, u"creating"), (found.volume_id, found.status))
        self.assertEqual(LABELS, found.labels)
        [form] = self.wire.forms()
        self.assertEqual(64, len(form.pop(u"ClientToken")))
        self.assertEqual(
            {
                u"Action": u"CreateVolume",
                u"AvailabilityZone": u"eu-central-1a",
                u"Size": u"1",
                u"VolumeType": u"gp3",
                u"TagSpecification.1.ResourceType": u"volume",
                u"TagSpecification.1.Tag.1.Key": u"Name",
                u"TagSpecification.1.Tag.1.Value": u"n1",
                u"TagSpecification.1.Tag.2.Key": u"flocker-cluster-id",
                u"TagSpecification.1.Tag.2.Value": u"c1",
                u"TagSpecification.1.Tag.3.Key": u"flocker-dataset-id",
                u"TagSpecification.1.Tag.3.Value": u"d1",
                u"TagSpecification.1.Tag.4.Key": u"flocker-metadata-version",
                u"TagSpecification.1.Tag.4.Value": u"1",
            },
            form,
        )

    def test_without_tags(self):
        """An answer that leaves out the tags is about the volume nonetheless."""
        answer = document(u"CreateVolume", volume(labels={}))
        self.assertEqual(LABELS, self.successResultOf(self.create(answer)).labels)

    def test_another_volume(self):
        """An answer about another volume counts as lost."""
        answer = created(labels=dict(LABELS, **{"flocker-dataset-id": u"d2"}))
        self.failureResultOf(self.create(answer), errors.ResponseLost)

    def test_lost(self):
        """A request whose answer is lost is sent again, with the same token."""
        d = self.create(HANG, created())
        self.wire.clock.pump([30.0, 0.5])
        self.successResultOf(d)
        self.assertEqual([0, 0], self.tokens())

    def test_mismatch(self):
        """A token that another request has is not used again."""
        self.successResultOf(self.create(MISMATCH, MISMATCH, created()))
        self.assertEqual([0, 1, 2], self.tokens())

    def test_mismatch_for_ever(self):
        """The generations are bounded."""
        d = self.create(lambda seen: MISMATCH)
        self.failureResultOf(d, errors.RequestRefused)
        self.assertEqual(list(range(21)), self.tokens())

    def test_burnt(self):
        """A token whose volume was deleted long ago gives a new generation."""
        for gone in (
            NO_VOLUME,
            volumes(volume(state=u"deleted", createTime=OLD)),
            volumes(volume(state=u"deleting", createTime=OLD)),
        ):
            script = [created(createTime=OLD), gone, created(OTHER)]
            self.assertEqual(OTHER, self.successResultOf(self.create(*script)).volume_id)
            self.assertEqual([0, 1], self.tokens())
        script = [created(state=u"deleted"), created(OTHER)]
        self.assertEqual(OTHER, self.successResultOf(self.create(*script)).volume_id)

    def test_age(self):
        """A volume is new for 30 seconds, by EC2's clock and not by this machine's."""
        answer = volume(state=u"creating", createTime=u"2026-11-22T16:40:00.000Z")
        for time, further, expected in (
            ("16:40:29", (), VOLUME),
            ("16:40:31", (NO_VOLUME, created(OTHER)), OTHER),
        ):
            date = {"Date": "Sun, 22 Nov 2026 {} GMT".format(time)}
            d = self.create(document(u"CreateVolume", answer, headers=date), *further)
            self.assertEqual(expected, self.successResultOf(d).volume_id)

    def test_existing(self):
        """A token whose volume exists gives that volume, as it is now."""
        script = [created(createTime=OLD), volumes(volume(createTime=OLD))]
        found = self.successResultOf(self.create(*script))
        self.assertEqual((VOLUME, u"available"), (found.volume_id, found.status))

    def test_deleted_and_created(self):
        """After a deletion, the dataset's next volume is another one."""
        script = [created(), document(u"DeleteVolume"), created(OTHER)]
        self.successResultOf(self.create(*script))
        self.successResultOf(self.ec2.delete_volume(VOLUME))
        self.successResultOf(self.ec2.create_volume(u"n1", GIB, LABELS))
        self.assertEqual([0, 1], self.tokens())

    def test_late(self):
        """A new volume that EC2 does not find yet is being created."""
        self.successResultOf(self.create(created(), NO_VOLUME, volumes(volume())))
        for status in (u"creating", u"available"):
            self.assertEqual(status, self.successResultOf(self.ec2.get_volume(VOLUME)).status)

    def test_never(self):
        """A volume that never shows up does not exist, for a reason; its token is burnt."""
        self.successResultOf(self.create(created(), NO_VOLUME, created(OTHER)))
        self.wire.clock.advance(30)
        self.failureResultOf(self.ec2.get_volume(VOLUME), UnknownVolume)
        reason = self.successResultOf(self.ec2.failure_reason(VOLUME))
        self.assertIn(u"key exists", reason)
        self.successResultOf(self.ec2.create_volume(u"n1", GIB, LABELS))
        self.assertEqual([0, 1], self.tokens())

    def test_snapshot(self):
        """A volume of a snapshot is created in the configured zone."""
        answer = created(snapshotId=SNAPSHOT)
        found = self.successResultOf(self.create(answer, snapshot_id=SNAPSHOT))
        self.assertEqual(SNAPSHOT, found.snapshot_id)
        [form] = self.wire.forms()
        self.assertEqual(SNAPSHOT, form[u"SnapshotId"])
        self.assertEqual(u"eu-central-1a", form[u"AvailabilityZone"])

    def test_clone(self):
        """A clone is EC2's copy of a volume, in its zone, and of its type."""
        copy = document(
            u"CopyVolumes", items(u"volumeSet", volume(state=u"creating", sourceVolumeId=OTHER))
        )
        source = volumes(volume(OTHER, volumeType=u"io2", size=100))
        self.ec2 = self.service(source, copy)
        d = self.ec2.create_volume(u"n1", 100 * GIB, LABELS, source_volume_id=OTHER)
        self.assertEqual(OTHER, self.successResultOf(d).source_volume_id)
        form = self.wire.forms()[1]
        for name, value in [
            (u"Action", u"CopyVolumes"),
            (u"SourceVolumeId", OTHER),
            (u"Size", u"100"),
            (u"VolumeType", u"io2"),
            (u"Iops", u"3000"),
            (u"AvailabilityZone", None),
        ]:
            self.assertEqual((name, value), (name, form.get(name)))
        self.assertEqual([0], self.tokens())

    def test_clone_of_nothing(self):
        """A clone of a volume that does not exist fails before anything is requested."""
        self.failureResultOf(self.create(NO_VOLUME, source_volume_id=OTHER), UnknownVolume)

    def test_refused(self):
        """EC2's refusals are errors of their own."""
        for code, kind in [
            (u"VolumeLimitExceeded", errors.QuotaExceeded),
            (u"InvalidZone.NotFound", errors.RequestRefused),
            (u"UnauthorizedOperation", errors.PermissionDenied),
        ]:
            self.failureResultOf(self.create(refusal(code)), kind)

    def test_invalid(self):
        """A size or a label that EC2 can't have is refused without a request."""
        ec2 = self.service()
        self.failureResultOf(ec2.create_volume(u"n", 0, LABELS), errors.InvalidSize)
        self.failureResultOf(ec2.create_volume(u"n", GIB, {}, u"io1"), errors.InvalidSize)
        d = ec2.create_volume(u"n", GIB, {u"aws:x": u"y"})
        self.failureResultOf(d, errors.InvalidLabel)
        self.assertEqual([], self.wire.service.seen)


class TokensTests(SynchronousTestCase):
    """Client tokens."""

    def test_equal(self):
        """Every node computes the same token for a dataset and a generation, and no other."""
        owner = owner_of(LABELS)
        self.assertEqual((u"c1", u"d1"), owner)
        tokens = {client_token(owner, 0), client_token(owner, 0), client_token(owner, 1)}
        self.assertEqual(2, len(tokens))
        self.assertNotEqual(
            client_token((u"a", u"b/c"), 0), client_token((u"a/b", u"c"), 0)
        )
        self.assertTrue(all(len(each) <= 64 for each in tokens))

    def test_no_dataset(self):
        """A volume of no dataset has a token of its own, which serves only for repetitions."""
        self.assertIs(None, owner_of({u"flocker-cluster-id": u"c"}))
        self.assertNotEqual(client_token(None, 0), client_token(None, 0))

    def test_generations(self):
        """A generation that is burnt twice counts once."""
        generations, owner = Generations(), owner_of(LABELS)
        generations.burn(owner, 0)
        generations.burn(owner, 0)
        self.assertEqual(1, generations.of(owner))
        generations.burn(None, 0)
        self.assertEqual(0, generations.of(None))


class TypesTests(SynchronousTestCase):
    """The types of volumes."""

    def test_parameters(self):
        """Provisioned types have 30 operations per second for each GiB, within EC2's bounds."""
        for volume_type, gib, expected in [
            (None, 1, {}),
            (u"gp2", 1, {"VolumeType": u"gp2"}),
            (u"standard", 1, {"VolumeType": u"standard"}),
            (u"io1", 4, {"VolumeType": u"io1", "Iops": 120}),
            (u"io1", 5000, {"VolumeType": u"io1", "Iops": 20000}),
        ]:
            self.assertEqual(expected, type_parameters(volume_type, gib))

    def test_too_small(self):
        """A size that the type does not have is refused."""
        for volume_type, gib in [(u"io1", 3), (u"st1", 124)]:
            self.assertRaises(errors.InvalidSize, type_parameters, volume_type, gib)

    def test_settings(self):
        """A type may have settings, which win over what its size gives."""
        for text, expected in (
            (u"gp3,iops=6000,throughput=250",
             {"VolumeType": u"gp3", "Iops": 6000, "Throughput": 250}),
            (u"gp3, throughput=250", {"VolumeType": u"gp3", "Throughput": 250}),
            (u"io1,iops=500", {"VolumeType": u"io1", "Iops": 500}),
        ):
            self.assertEqual(expected, type_parameters(text, 100))

    def test_bad_settings(self):
        """A setting that can't be read is an error that shows it."""
        for text in (u"gp3,", u"gp3,iops", u"gp3,iops=", u"gp3,iops=many", u"gp3,speed=3"):
            error = self.assertRaises(errors.InvalidConfiguration, type_parameters, text, 100)
            self.assertEqual(u"profiles", error.key)
            self.assertIn(text.partition(u",")[2], error.message)
