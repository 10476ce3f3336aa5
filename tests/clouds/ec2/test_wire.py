# -*- coding: utf-8 -*-
"""
Tests for :mod:`txstorage.clouds.ec2.wire` and :mod:`txstorage.clouds.ec2.tags`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.json_values import Malformed
from txstorage.clouds import Attachment, Server, Snapshot, Volume
from txstorage.clouds.ec2.tags import filters_for, labels_in, name_in, specification
from txstorage.clouds.ec2.wire import (
    GIB,
    gibibytes,
    instances_in,
    is_id,
    server_from_wire,
    snapshot_from_wire,
    volume_from_wire,
)
from txstorage.errors import InvalidLabel, InvalidSize

from .support import (
    LABELS,
    SERVER,
    SNAPSHOT,
    VOLUME,
    attachment,
    codec,
    instance,
    instances,
    snapshot,
    snapshots,
    volume,
    volumes,
)


def parsed(answer, operation, key):
    """The entries of an answer, as botocore parses them."""
    return codec().parse(operation, {}, answer.body)[key]


def volume_wire(*arguments, **changes):
    """A volume as botocore parses it."""
    return parsed(volumes(volume(*arguments, **changes)), "DescribeVolumes", u"Volumes")[0]


class VolumeTests(SynchronousTestCase):
    """A volume's description."""

    def test_whole(self):
        """All that the driver needs is taken; sizes are bytes."""
        wire = volume_wire(state=u"in-use", attachments=[attachment(u"attached")], size=3)
        self.assertEqual(
            Volume(
                volume_id=VOLUME,
                status=u"in-use",
                size=3 * GIB,
                name=u"n1",
                labels=LABELS,
                attachments=(Attachment(VOLUME, SERVER, None, u"/dev/xvdaa"),),
                created_at=u"2026-11-22T16:27:04.716Z",
                volume_type=u"gp3",
            ),
            volume_from_wire(wire),
        )

    def test_origin(self):
        """A copy has a source; a volume of a snapshot has that one."""
        for changes, expected in [
            ({}, (None, None)),
            ({"snapshotId": SNAPSHOT}, (SNAPSHOT, None)),
            ({"sourceVolumeId": VOLUME}, (None, VOLUME)),
            ({"sourceVolumeId": VOLUME, "snapshotId": SNAPSHOT}, (None, VOLUME)),
        ]:
            found = volume_from_wire(volume_wire(**changes))
            self.assertEqual(expected, (found.snapshot_id, found.source_volume_id))

    def test_attachments(self):
        """An attachment that has ended is none; one that begins or ends is one."""
        for state, status, count in [
            (u"detached", u"in-use", 0),
            (u"attaching", u"attaching", 1),
            (u"busy", u"busy", 1),
        ]:
            wire = volume_wire(state=u"in-use", attachments=[attachment(state)])
            found = volume_from_wire(wire)
            self.assertEqual((status, count), (found.status, len(found.attachments)))

    def test_other_services(self):
        """A volume that another of Amazon's services attached is attached to no instance."""
        inner = u"<associatedResource>arn:task</associatedResource><status>attached</status>"
        found = volume_from_wire(volume_wire(state=u"in-use", attachments=[inner]))
        self.assertIs(None, found.attachments[0].server_id)

    def test_deleted(self):
        """A volume that EC2 still shows as deleted does not exist."""
        self.assertIs(None, volume_from_wire(volume_wire(state=u"deleted")))

    def test_malformed(self):
        """The problem of a malformed volume is named."""
        for changes, part in [
            (dict(VolumeId=None), u"VolumeId"),
            (dict(State=u""), u"State"),
            (dict(Size=None), u"size"),
            (dict(Size=-1), u"size"),
            (dict(Tags=[{u"Value": u"v"}]), u"tags"),
            (dict(Attachments=[{}] * 1001), u"attachments"),
        ]:
            error = self.assertRaises(Malformed, volume_from_wire, dict(volume_wire(), **changes))
            self.assertIn(part, error.problem)

    def test_sizes(self):
        """Sizes are rounded up, never down."""
        for size, expected in [(1, 1), (GIB, 1), (GIB + 1, 2), (5 * GIB, 5)]:
            self.assertEqual(expected, gibibytes(size))
        for size in (0, -GIB):
            self.assertRaises(InvalidSize, gibibytes, size)

    def test_ids(self):
        """Only EC2's own ids are sent."""
        for kind, value in [(u"vol", VOLUME), (u"i", SERVER), (u"snap", SNAPSHOT), (u"i", u"i-1a")]:
            self.assertTrue(is_id(kind, value))
        for value in (u"", None, b"vol-1", u"vol-", u"vol-1*", u"vol-G", SERVER, u"vol-1\n", u"é"):
            self.assertFalse(is_id(u"vol", value))


class OtherTests(SynchronousTestCase):
    """Snapshots and instances."""

    def test_snapshot(self):
        """A snapshot's state and size."""
        [wire] = parsed(snapshots(snapshot(state=u"pending")), "DescribeSnapshots", u"Snapshots")
        self.assertEqual(
            Snapshot(
                snapshot_id=SNAPSHOT,
                volume_id=VOLUME,
                status=u"creating",
                size=GIB,
                name=u"s1",
                labels=LABELS,
                created_at=u"2026-11-22T16:27:04.716Z",
            ),
            snapshot_from_wire(wire),
        )
        self.assertEqual(u"100%", snapshot_from_wire(wire).progress)
        self.assertRaises(Malformed, snapshot_from_wire, dict(wire, VolumeSize=None))

    def test_server(self):
        """The instances of all reservations."""
        answer = instances(instance(), instance(u"i-02", u"stopped"))
        reservations = parsed(answer, "DescribeInstances", u"Reservations")
        self.assertEqual(
            [Server(SERVER, u"ACTIVE", u"node"), Server(u"i-02", u"SHUTOFF", u"node")],
            [server_from_wire(each) for each in instances_in(reservations)],
        )
        self.assertEqual([], instances_in(None))
        self.assertRaises(Malformed, server_from_wire, {})


class TagsTests(SynchronousTestCase):
    """Labels as tags."""

    def test_written(self):
        """The tags are those of Flocker's own backend."""
        [found] = specification(u"volume", u"flocker-d1", LABELS)
        self.assertEqual(
            {
                u"Name": u"flocker-d1",
                u"flocker-cluster-id": u"c1",
                u"flocker-dataset-id": u"d1",
                u"flocker-metadata-version": u"1",
            },
            {each["Key"]: each["Value"] for each in found["Tags"]},
        )
        self.assertEqual(u"volume", found["ResourceType"])
        [found] = specification(u"snapshot", u"s", {})
        self.assertEqual([{"Key": u"Name", "Value": u"s"}], found["Tags"])

    def test_read(self):
        """The name and Amazon's own tags are not labels."""
        tags = [
            {u"Key": u"Name", u"Value": u"n"},
            {u"Key": u"aws:cloudformation:stack-name", u"Value": u"s"},
            {u"Key": u"a", u"Value": u"b"},
            {u"Key": u"empty"},
        ]
        self.assertEqual({u"a": u"b", u"empty": u""}, labels_in(tags))
        self.assertEqual(u"n", name_in(tags))
        self.assertEqual((u"", {}), (name_in(None), labels_in(None)))

    def test_reserved(self):
        """A label that EC2 has another use for is refused."""
        for key in (u"Name", u"aws:x"):
            self.assertRaises(InvalidLabel, specification, u"volume", u"n", {key: u"v"})

    def test_filters(self):
        """A filter's value is literal."""
        self.assertEqual(
            [
                {"Name": u"tag:a", "Values": [u"1"]},
                {"Name": u"tag:b", "Values": [u"\\*\\?\\\\x"]},
            ],
            filters_for({u"b": u"*?\\x", u"a": u"1"}),
        )
