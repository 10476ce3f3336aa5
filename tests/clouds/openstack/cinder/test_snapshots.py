"""
Snapshots in Cinder's form, and the requests to Cinder.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds import Snapshot
from txstorage.clouds.openstack.cinder import GIB, CinderSnapshots
from txstorage.clouds.openstack.cinder.wire import snapshot_from_wire
from txstorage.interfaces import UnknownVolume

from ....helpers.wire import VOLUME_VERSIONS, VOLUMES, Answer, Wire, error, versions_answer
from .test_volumes import FILTER, LABELS, UNSAFE_IDS
from .test_volumes import ID as VOLUME

ID = u"3b8c1f2e-0000-4000-8000-000000000001"
OTHER = u"3b8c1f2e-0000-4000-8000-000000000002"


def described(snapshot_id=ID, **changes):
    """A snapshot as Cinder describes it."""
    wire = {
        u"id": snapshot_id,
        u"created_at": u"2026-11-22T16:27:07.716571",
        u"updated_at": None,
        u"name": u"nightly",
        u"description": None,
        u"volume_id": VOLUME,
        u"status": u"available",
        u"size": 2,
        u"metadata": {u"flocker-cluster-id": u"c1", u"why": u"upgrade"},
        u"os-extended-snapshot-attributes:progress": u"100%",
    }
    wire.update(changes)
    return wire


def page(*snapshots, **links):
    """One page of a list, with or without a link to the next page."""
    body = {u"snapshots": list(snapshots)}
    if links:
        body[u"snapshots_links"] = [{u"rel": u"next", u"href": links["following"]}]
    return Answer(200, body)


class SnapshotFromWireTests(SynchronousTestCase):
    """A snapshot's description."""

    def test_whole(self):
        """All that the driver needs is taken; sizes are bytes."""
        self.assertEqual(
            Snapshot(
                snapshot_id=ID,
                volume_id=VOLUME,
                status=u"available",
                size=2 * GIB,
                name=u"nightly",
                labels={u"flocker-cluster-id": u"c1", u"why": u"upgrade"},
                created_at=u"2026-11-22T16:27:07.716571",
            ),
            snapshot_from_wire(described()),
        )

    def test_nulls(self):
        """Members that may be null may also be missing."""
        expected = Snapshot(ID, VOLUME, u"creating", GIB)
        wire = {u"id": ID, u"volume_id": VOLUME, u"status": u"creating", u"size": 1}
        self.assertEqual(expected, snapshot_from_wire(wire))
        wire.update(name=None, metadata=None, created_at=None)
        self.assertEqual(expected, snapshot_from_wire(wire))

    def test_progress(self):
        """The part that is made is taken as it is; anything else is not shown."""
        for value, expected in (
            (u"42%", u"42%"),
            (u"100%", u"100%"),
            (None, u""),
            (u"", u""),
            (42, u""),
            (u"1000%", u""),
            (u"42%\n", u""),
            (u"\x1b[2J", u""),
        ):
            wire = described(**{"os-extended-snapshot-attributes:progress": value})
            self.assertEqual(expected, snapshot_from_wire(wire).progress)


class CinderSnapshotsTests(SynchronousTestCase):
    """The requests."""

    def snapshots(self, *script, **options):
        """Cinder's snapshots that respond from a script, without Keystone."""
        self.wire = Wire(*script)
        session = self.wire.session({u"block-storage": u"http://cloud" + VOLUMES})
        return CinderSnapshots(session, **options)

    def asked(self):
        """The requests, without the endpoint's path."""
        return [target.replace(VOLUMES, u"") for target in self.wire.service.targets()]

    def test_create(self):
        """The volume, the name and the labels are sent, for an attached volume as well."""
        snapshots = self.snapshots(Answer(202, {u"snapshot": described(status=u"creating")}))
        created = self.successResultOf(snapshots.create(VOLUME, u"nightly", LABELS))
        self.assertEqual((ID, u"creating"), (created.snapshot_id, created.status))
        self.assertEqual([u"POST /snapshots"], self.asked())
        self.assertEqual(
            {
                u"snapshot": {
                    u"volume_id": VOLUME,
                    u"name": u"nightly",
                    u"metadata": LABELS,
                    u"force": True,
                }
            },
            self.wire.service.seen[0].body,
        )

    def test_create_unreadable(self):
        """
        After an answer that does not describe the snapshot, one may have been created, so the
        request counts as lost.
        """
        for wire in (
            described(snapshot_id=None),
            described(volume_id=OTHER),
            described(metadata={}),
        ):
            snapshots = self.snapshots(Answer(202, {u"snapshot": wire}))
            d = snapshots.create(VOLUME, u"nightly", LABELS)
            self.failureResultOf(d, errors.ResponseLost)

    def test_create_refused(self):
        """An unknown volume and an exceeded quota have their own errors."""
        for answer, expected in [
            (error(404, u"itemNotFound", u"Volume could not be found."), UnknownVolume),
            (
                error(
                    413,
                    u"overLimit",
                    u"SnapshotLimitExceeded: Maximum number of snapshots allowed (1) exceeded",
                ),
                errors.QuotaExceeded,
            ),
        ]:
            d = self.snapshots(answer).create(VOLUME, u"nightly", LABELS)
            self.failureResultOf(d, expected)

    def test_unsafe_ids(self):
        """An id that could name something else than a snapshot is never sent."""
        for unsafe in UNSAFE_IDS:
            snapshots = self.snapshots()
            self.failureResultOf(snapshots.get(unsafe), errors.UnknownSnapshot)
            self.failureResultOf(snapshots.delete(unsafe), errors.UnknownSnapshot)
            self.failureResultOf(snapshots.create(unsafe, u"n", {}), UnknownVolume)
            self.assertEqual([], self.asked())

    def test_get(self):
        """A snapshot is read by its id, and the answer must be about that one."""
        snapshots = self.snapshots(
            Answer(200, {u"snapshot": described()}),
            Answer(200, {u"snapshot": described(OTHER)}),
            Answer(200, {u"snapshot": described(size=None)}),
            error(404, u"itemNotFound", u"Snapshot could not be found."),
            Answer(404, b"<html>no such page</html>"),
        )
        self.assertEqual(ID, self.successResultOf(snapshots.get(ID)).snapshot_id)
        self.assertEqual([u"GET /snapshots/" + ID], self.asked())
        self.failureResultOf(snapshots.get(ID), errors.NotTheService)
        self.failureResultOf(snapshots.get(ID), errors.NotTheService)
        self.failureResultOf(snapshots.get(ID), errors.UnknownSnapshot)
        # A router's 404 does not mean that the snapshot is gone.
        self.failureResultOf(snapshots.get(ID), errors.ResourceNotFound)

    def test_delete(self):
        """A deletion is accepted, or the snapshot is unknown."""
        snapshots = self.snapshots(
            Answer(202, b""), error(404, u"itemNotFound", u"Snapshot could not be found.")
        )
        self.assertIsNone(self.successResultOf(snapshots.delete(ID)))
        self.failureResultOf(snapshots.delete(ID), errors.UnknownSnapshot)
        self.assertEqual([u"DELETE /snapshots/" + ID] * 2, self.asked())

    def test_list_of_a_volume(self):
        """A volume's snapshots of a name need no microversion, and the filter is checked."""
        snapshots = self.snapshots(
            page(
                described(),
                described(OTHER, name=u"other"),
                described(OTHER, volume_id=OTHER),
                described(OTHER, metadata={}),
            )
        )
        found = self.successResultOf(snapshots.list(LABELS, VOLUME, u"nightly"))
        self.assertEqual([ID], [each.snapshot_id for each in found.snapshots])
        self.assertTrue(found.snapshots[0].listed)
        self.assertEqual(
            [u"GET /snapshots/detail?volume_id={}&name=nightly".format(VOLUME)], self.asked()
        )

    def test_list_of_a_cluster(self):
        """The service filters by labels where it can, and sends all pages."""
        snapshots = self.snapshots(
            VOLUME_VERSIONS,
            page(described(), following=u"http://x/?marker=" + ID),
            page(described(status=u"deleting"), described(OTHER), described(None)),
            page_size=1,
        )
        found = self.successResultOf(snapshots.list(LABELS))
        self.assertEqual(
            [(ID, u"deleting"), (OTHER, u"available")],
            [(each.snapshot_id, each.status) for each in found.snapshots],
        )
        self.assertEqual((1, 2), (len(found.malformed), found.requests))
        self.assertEqual(
            [
                u"GET /v3/",
                u"GET /snapshots/detail?limit=1&" + FILTER,
                u"GET /snapshots/detail?marker=" + ID,
            ],
            self.asked(),
        )
        header = self.wire.service.seen[1].header(u"openstack-api-version")
        self.assertEqual(u"volume 3.22", header)

    def test_old_service(self):
        """A service that can't filter by labels sends all, and the labels are compared here."""
        snapshots = self.snapshots(
            versions_answer(200, (u"v3.0", u"/v3/", u"3.0", u"3.21")),
            page(described(metadata={}), described(OTHER)),
        )
        found = self.successResultOf(snapshots.list(LABELS)).snapshots
        self.assertEqual([OTHER], [each.snapshot_id for each in found])
        header = self.wire.service.seen[1].header(u"openstack-api-version")
        self.assertEqual(u"volume 3.0", header)
