# -*- coding: utf-8 -*-
"""
Volumes in Cinder's form, and the requests to Cinder.

The responses were recorded from a real Cinder 29.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._support.compat import text_type
from txstorage.clouds import Attachment, Volume
from txstorage.clouds.openstack import paths_and_pages
from txstorage.clouds.openstack.cinder import GIB, Cinder, place_of
from txstorage.clouds.openstack.cinder.wire import volume_from_wire
from txstorage.clouds.openstack.paths_and_pages import path_segment
from txstorage.interfaces import UnknownVolume

from ....helpers.wire import HANG, VOLUME_VERSIONS, VOLUMES, Answer, Wire, error, versions_answer

ID = u"ad0c1257-3bb2-4e2c-a681-7c70ba3a31b0"
OTHER = u"54678461-f443-411e-9cbc-e151a5eadab7"
SERVER = u"bec4ce62-8c5d-4325-a8dc-8623184a9578"
LABELS = {u"flocker-cluster-id": u"c1"}
FILTER = u"metadata=%7B%22flocker-cluster-id%22%3A%22c1%22%7D"

UNSAFE_IDS = (
    u"detail", u"summary",
    u"", u"a/b", u"..", u".", u"a\nb", u"a\x00", u"a\x7f", u"a\x85b", u"\ud800", u"x" * 256, None,
)


def described(volume_id=ID, **changes):
    """A volume as Cinder describes it."""
    wire = {
        u"id": volume_id,
        u"status": u"available",
        u"size": 1,
        u"availability_zone": u"nova",
        u"created_at": u"2026-11-22T16:27:07.716571",
        u"updated_at": None,
        u"name": u"n1",
        u"description": None,
        u"volume_type": u"__DEFAULT__",
        u"metadata": {u"flocker-cluster-id": u"c1", u"flocker-dataset-id": u"d1"},
        u"multiattach": False,
        u"attachments": [],
    }
    wire.update(changes)
    return wire


def page(*volumes, **links):
    """One page of a list, with or without a link to the next page."""
    body = {u"volumes": list(volumes)}
    if links:
        body[u"volumes_links"] = [
            {u"rel": u"self", u"href": u"http://else/"},
            {u"rel": u"next", u"href": links["following"]},
        ]
    return Answer(200, body)


class VolumeFromWireTests(SynchronousTestCase):
    """A volume's description."""

    def test_whole(self):
        """All that the driver needs is taken; sizes are bytes."""
        attachment = {
            u"id": ID,
            u"attachment_id": u"f5325973-6205-4896-9100-a87039510ac3",
            u"volume_id": ID,
            u"server_id": SERVER,
            u"host_name": None,
            u"device": u"/dev/sdb",
        }
        wire = described(
            size=3, status=u"in-use", attachments=[attachment, {u"server_id": None}, {}]
        )
        self.assertEqual(
            volume_from_wire(wire),
            Volume(
                volume_id=ID,
                status=u"in-use",
                size=3 * GIB,
                name=u"n1",
                labels={u"flocker-cluster-id": u"c1", u"flocker-dataset-id": u"d1"},
                attachments=(Attachment(ID, SERVER), Attachment(ID, None), Attachment(ID, None)),
                created_at=u"2026-11-22T16:27:07.716571",
                volume_type=u"__DEFAULT__",
            ),
        )

    def test_hosts(self):
        """An attachment to a host has the host's name; that of a server has only the server."""
        for wire, expected in [
            ({u"server_id": None, u"host_name": u"compute-1"}, (None, u"compute-1")),
            ({u"server_id": None, u"host_name": None}, (None, None)),
            ({u"server_id": None, u"host_name": u""}, (None, None)),
            ({u"host_name": 7}, (None, None)),
            ({u"server_id": SERVER, u"host_name": u"compute-1"}, (SERVER, None)),
            ({u"device": place_of(u"h"), u"host_name": u"compute-1"}, (u"h", None)),
            ({u"device": u"/dev/vdb", u"host_name": u"compute-1"}, (None, u"compute-1")),
        ]:
            [found] = volume_from_wire(described(attachments=[wire])).attachments
            self.assertEqual(expected, (found.server_id, found.host_name))

    def test_encrypted(self):
        """A volume is encrypted only when the cloud says so."""
        for value, expected in [(True, True), (False, False), (None, False), (u"true", False)]:
            self.assertIs(expected, volume_from_wire(described(encrypted=value)).encrypted)
        self.assertIs(False, volume_from_wire(described()).encrypted)

    def test_nulls(self):
        """Members that may be null may also be missing."""
        wire = described(name=None, metadata=None, created_at=None, volume_type=None,
                         attachments=None)
        expected = Volume(volume_id=ID, status=u"available", size=GIB)
        self.assertEqual(volume_from_wire(wire), expected)
        wire = {u"id": ID, u"status": u"available", u"size": 1}
        self.assertEqual(volume_from_wire(wire), expected)

    def test_malformed(self):
        """The problem of a malformed volume is named."""
        for wire, part in [
            (7, u"JSON object"),
            (described(volume_id=None), u"id"),
            (described(volume_id=u""), u"id"),
            (described(status=None), u"status"),
            (described(size=u"1"), u"size"),
            (described(size=True), u"size"),
            (described(size=-1), u"size"),
            (described(metadata=[]), u"metadata"),
            (described(metadata={u"a": 1}), u"metadata"),
            (described(attachments={}), u"attachments"),
            (described(attachments=[7]), u"attachments"),
        ]:
            caught = self.assertRaises(ValueError, volume_from_wire, wire)
            self.assertIn(part, caught.args[0])


class PathSegmentTests(SynchronousTestCase):
    """Ids in paths."""

    def test_safe(self):
        """Any id that is one segment is encoded as one."""
        for identifier, expected in [
            (ID, ID),
            (u"é", u"%C3%A9"),
            (u"a b?c#d%e", u"a%20b%3Fc%23d%25e"),
            (u"...", u"..."),
        ]:
            self.assertEqual(path_segment(identifier), expected)

    def test_unsafe(self):
        """An id that a proxy could take for another path is none."""
        for identifier in UNSAFE_IDS + (b"bytes",):
            self.assertEqual((identifier, path_segment(identifier)), (identifier, None))


class CinderTests(SynchronousTestCase):
    """Requests to Cinder, and their results."""

    def cinder(self, *script, **options):
        """A Cinder that responds from a script, without Keystone."""
        self.wire = Wire(*script)
        session = self.wire.session({u"block-storage": u"http://cloud" + VOLUMES})
        return Cinder(session, **options)

    def asked(self):
        """The requests, without the endpoint's path."""
        return [target.replace(VOLUMES, u"") for target in self.wire.service.targets()]

    def test_create_copies(self):
        """A volume with data names its source, and leaves the zone to the cloud."""
        for arguments, expected in [
            (dict(snapshot_id=OTHER), {u"snapshot_id": OTHER}),
            (dict(source_volume_id=OTHER), {u"source_volid": OTHER}),
            ({}, {u"availability_zone": u"nova"}),
        ]:
            wire = described(
                snapshot_id=arguments.get("snapshot_id"),
                source_volid=arguments.get("source_volume_id"),
            )
            cinder = self.cinder(Answer(202, {u"volume": wire}), availability_zone=u"nova")
            volume = self.successResultOf(cinder.create(u"n1", GIB, LABELS, **arguments))
            self.assertEqual(
                dict(expected, name=u"n1", size=1, metadata=LABELS),
                self.wire.service.seen[0].body[u"volume"],
            )
            self.assertEqual(
                (arguments.get("snapshot_id"), arguments.get("source_volume_id")),
                (volume.snapshot_id, volume.source_volume_id),
            )

    def test_extend(self):
        """The new size is sent in GiB; that of an attached volume, with a microversion."""
        cinder = self.cinder(Answer(202, b""), VOLUME_VERSIONS, Answer(202, b""))
        for attached in (False, True):
            self.assertIsNone(self.successResultOf(cinder.extend(ID, 3 * GIB, attached)))
        self.assertEqual(
            [
                u"POST /volumes/{}/action".format(ID),
                u"GET /v3/",
                u"POST /volumes/{}/action".format(ID),
            ],
            self.asked(),
        )
        plain, _, online = self.wire.service.seen
        for request, header in ((plain, None), (online, u"volume 3.42")):
            self.assertEqual({u"os-extend": {u"new_size": 3}}, request.body)
            self.assertEqual(header, request.header(u"openstack-api-version"))

    def test_extend_fails(self):
        """A size in parts of GiB, an unknown volume and an old service are errors."""
        self.failureResultOf(self.cinder().extend(ID, GIB + 1, False), errors.InvalidSize)
        missing = error(404, u"itemNotFound", u"Volume {} could not be found.".format(ID))
        self.failureResultOf(self.cinder(missing).extend(ID, GIB, False), UnknownVolume)
        self.failureResultOf(self.cinder().extend(u"..", GIB, False), UnknownVolume)
        old = versions_answer(200, (u"v3.0", u"/v3/", u"3.0", u"3.41"))
        d = self.cinder(old).extend(ID, GIB, True)
        remedy = self.failureResultOf(d, errors.MicroversionMissing).value.remedy
        self.assertIn(u"detach the volume, grow it", remedy)
        self.assertIn(u"upgrade the service", remedy)

    def test_create(self):
        """Name, size in GiB and labels are sent, and the new volume comes back."""
        cinder = self.cinder(Answer(202, {u"volume": described(status=u"creating")}))
        volume = self.successResultOf(cinder.create(u"n1", 3 * GIB, LABELS))
        self.assertEqual((volume.volume_id, volume.status), (ID, u"creating"))
        self.assertEqual(self.asked(), [u"POST /volumes"])
        self.assertEqual(
            self.wire.service.seen[0].body,
            {u"volume": {u"name": u"n1", u"size": 3, u"metadata": LABELS}},
        )

    def test_create_with_type_and_zone(self):
        """A volume type and an availability zone are sent when there are any."""
        cinder = self.cinder(Answer(202, {u"volume": described()}), availability_zone=u"az1")
        self.successResultOf(cinder.create(u"n", GIB, {}, u"fast"))
        sent = self.wire.service.seen[0].body[u"volume"]
        self.assertEqual((sent[u"volume_type"], sent[u"availability_zone"]), (u"fast", u"az1"))

    def test_create_odd_size(self):
        """A size that is not a whole number of GiB is refused without a request."""
        for size in (0, -GIB, GIB + 1):
            self.failureResultOf(self.cinder().create(u"n", size, {}), errors.InvalidSize)

    def test_create_not_understood(self):
        """A response without the new volume's id counts as lost."""
        odd = {u"volume": described(size=None)}
        for answer in (Answer(202), Answer(202, {}), Answer(202, odd)):
            self.failureResultOf(self.cinder(answer).create(u"n", GIB, {}), errors.ResponseLost)

    def test_create_refused(self):
        """Quota, unknown type and bad size are errors of their own."""
        for answer, expected in [
            (
                error(413, u"overLimit", u"VolumeLimitExceeded: ...", {"Retry-After": "0"}),
                errors.QuotaExceeded,
            ),
            (
                error(404, u"itemNotFound", u"Volume type with name x could not be found."),
                errors.ResourceNotFound,
            ),
            (error(400, u"badRequest", u"Invalid input for size"), errors.RequestRefused),
        ]:
            self.failureResultOf(self.cinder(answer).create(u"n", GIB, {}), expected)

    def test_get(self):
        """A volume is looked up by its id."""
        cinder = self.cinder(Answer(200, {u"volume": described()}))
        self.assertEqual(self.successResultOf(cinder.get(ID)).volume_id, ID)
        self.assertEqual(self.asked(), [u"GET /volumes/" + ID])

    def test_get_malformed(self):
        """A description that can't be understood is not Cinder's."""
        cinder = self.cinder(Answer(200, {u"volume": described(size=None)}))
        caught = self.failureResultOf(cinder.get(ID), errors.NotTheService).value
        self.assertIn(u"size", caught.message)

    def test_delete(self):
        """A delete fires with nothing once it is accepted."""
        answer = Answer(202, None, {"Content-Type": "text/html; charset=UTF-8"})
        cinder = self.cinder(answer)
        self.assertIs(self.successResultOf(cinder.delete(ID)), None)
        self.assertEqual(self.asked(), [u"DELETE /volumes/" + ID])

    def test_unknown(self):
        """Cinder's own 404 is an unknown volume, with the id as text."""
        gone = error(404, u"itemNotFound", u"Volume {} could not be found.".format(ID))
        for method in ("get", "delete"):
            operation = getattr(self.cinder(gone), method)
            caught = self.failureResultOf(operation(ID), UnknownVolume).value
            self.assertEqual(caught.args, (ID,))
            self.assertIsInstance(caught.blockdevice_id, text_type)

    def test_not_the_volumes_404(self):
        """A 404 of a router or a proxy does not mean that the volume is gone."""
        for body in (
            {u"message": u"The resource could not be found.", u"code": u"404 Not Found"},
            b"<html>Not Found</html>",
        ):
            for method in ("get", "delete"):
                operation = getattr(self.cinder(Answer(404, body)), method)
                self.failureResultOf(operation(ID), errors.ResourceNotFound)

    def test_odd_ids(self):
        """Ids of another form reach Cinder as one segment; 400 or 404 means unknown."""
        for answer in (
            error(404, u"itemNotFound", u"Volume é could not be found."),
            error(400, u"badRequest", u"Malformed request url"),
            error(400, u"badRequest", u"'é' is not a 'uuid'"),
        ):
            self.failureResultOf(self.cinder(answer).get(u"é?"), UnknownVolume)
            self.assertEqual(self.asked(), [u"GET /volumes/%C3%A9%3F"])

    def test_bad_request_is_not_unknown(self):
        """A 400 about anything else, or about a proper id, is passed on."""
        status = error(400, u"badRequest", u"Invalid volume: Volume status must be available")
        wrong_project = error(400, u"badRequest", u"Malformed request url")
        conflict = error(409, u"conflictingRequest", u"malformed")
        self.failureResultOf(self.cinder(status).delete(u"odd"), errors.RequestRefused)
        self.failureResultOf(self.cinder(wrong_project).get(ID), errors.RequestRefused)
        self.failureResultOf(self.cinder(conflict).get(u"odd"), errors.Conflict)
        too_large = Answer(413, {u"message": u"malformed"})
        self.failureResultOf(self.cinder(too_large).get(u"odd"), errors.RequestRefused)

    def test_unsafe_ids(self):
        """An id that can't be one segment is unknown, without a request."""
        cinder = self.cinder()
        for volume_id in UNSAFE_IDS:
            self.failureResultOf(cinder.get(volume_id), UnknownVolume)
            self.failureResultOf(cinder.delete(volume_id), UnknownVolume)
        self.assertEqual(self.asked(), [])

    def test_list(self):
        """A list is filtered by the service, and by the client all the same."""
        stranger = described(OTHER, metadata={u"flocker-cluster-id": u"c2"})
        bare = described(OTHER, metadata={})
        cinder = self.cinder(page(described(), stranger, bare))
        found = self.successResultOf(cinder.list(LABELS))
        self.assertEqual([volume.volume_id for volume in found.volumes], [ID])
        self.assertEqual((found.malformed, found.requests), ((), 1))
        self.assertEqual(self.asked(), [u"GET /volumes/detail?" + FILTER])

    def test_list_all(self):
        """Without labels nothing is filtered."""
        cinder = self.cinder(page(described(), described(OTHER, metadata={})))
        self.assertEqual(len(self.successResultOf(cinder.list({})).volumes), 2)
        self.assertEqual(self.asked(), [u"GET /volumes/detail"])

    def test_pages(self):
        """Links are followed by their query alone, on our own endpoint."""
        following = (
            u"http://wrong-host:1/prefix/volumes/detail?limit=1"
            u"&metadata=%7B%22flocker-cluster-id%22%3A+%22c1%22%7D&marker=" + ID
        )
        cinder = self.cinder(
            page(described(), following=following), page(described(OTHER)), page_size=1
        )
        found = self.successResultOf(cinder.list(LABELS))
        self.assertEqual([volume.volume_id for volume in found.volumes], [ID, OTHER])
        self.assertEqual(found.requests, 2)
        self.assertEqual(
            self.asked(),
            [
                u"GET /volumes/detail?limit=1&" + FILTER,
                # The plus of the link is a space.
                u"GET /volumes/detail?limit=1"
                u"&metadata=%7B%22flocker-cluster-id%22%3A%20%22c1%22%7D&marker=" + ID,
            ],
        )

    def test_pages_in_a_circle(self):
        """A link to a page that was there already ends the list with an error."""
        again = u"http://cloud/v3/volumes/detail?marker=" + ID
        cinder = self.cinder(
            page(described(), following=again), page(described(OTHER), following=again)
        )
        caught = self.failureResultOf(cinder.list({}), errors.NotTheService).value
        self.assertIn(u"never ends", caught.message)
        self.assertEqual(len(self.wire.service.seen), 2)

    def test_place_lost(self):
        """A list is read again when the entry a page ended with is gone by the next."""
        on = u"http://cloud/v3/volumes/detail?marker=" + OTHER
        for gone in (
            error(404, u"itemNotFound", u"Volume {} could not be found.".format(OTHER)),
            error(400, u"badRequest", u"marker [{}] not found".format(OTHER)),
        ):
            cinder = self.cinder(
                page(described(), described(OTHER), following=on), gone, page(described())
            )
            found = self.successResultOf(cinder.list({}))
            self.assertEqual([volume.volume_id for volume in found.volumes], [ID])
            self.assertEqual(found.requests, 3)
            self.assertEqual(self.asked()[0], self.asked()[2])

    def test_place_lost_again_and_again(self):
        """A list is not begun for ever, and not at all when its first page is refused."""
        gone = error(404, u"itemNotFound", u"Volume {} could not be found.".format(OTHER))
        on = u"http://cloud/v3/volumes/detail?marker=" + OTHER
        cinder = self.cinder(*[page(described(), following=on), gone] * 6)
        self.failureResultOf(cinder.list({}), errors.ResourceNotFound)
        self.assertEqual(len(self.asked()), 10)
        cinder = self.cinder(gone, page(described()))
        self.failureResultOf(cinder.list({}), errors.ResourceNotFound)
        self.assertEqual(len(self.asked()), 1)

    def test_odd_links(self):
        """Links that are none end the list."""
        for links in (None, 7, [7], [{u"rel": u"last"}]):
            cinder = self.cinder(Answer(200, {u"volumes": [], u"volumes_links": links}))
            self.assertEqual(self.successResultOf(cinder.list({})).requests, 1)
        cinder = self.cinder(
            Answer(200, {u"volumes": [], u"volumes_links": [{u"rel": u"next", u"href": None}]})
        )
        self.failureResultOf(cinder.list({}), errors.NotTheService)

    def test_malformed_entries(self):
        """A malformed volume is reported, unless it belongs to another cluster."""
        cinder = self.cinder(
            page(
                described(size=None),
                described(OTHER, size=None, metadata={u"flocker-cluster-id": u"c2"}),
                described(u"odd", metadata=[]),
                described(OTHER, size=None, metadata={}),
                7,
                described(OTHER),
            )
        )
        found = self.successResultOf(cinder.list(LABELS))
        self.assertEqual([volume.volume_id for volume in found.volumes], [OTHER])
        self.assertEqual(
            [volume_id for volume_id, problem in found.malformed], [ID, u"odd", u""]
        )
        self.assertIn(u"size", found.malformed[0][1])

    def test_filter_refused(self):
        """
        If the filter is refused with 400, the list is requested without it.  The next list asks for
        the filter again, since the refusal may have been a proxy's.
        """
        refused = error(400, u"badRequest", u"Invalid filters metadata are found")
        volumes = page(described(), described(OTHER, metadata={}))
        cinder = self.cinder(refused, volumes, volumes)
        found = self.successResultOf(cinder.list(LABELS))
        self.assertEqual([volume.volume_id for volume in found.volumes], [ID])
        self.assertEqual(found.requests, 2)
        self.assertEqual(self.successResultOf(cinder.list(LABELS)).requests, 1)
        self.assertEqual(
            self.asked(),
            [
                u"GET /volumes/detail?" + FILTER,
                u"GET /volumes/detail",
                u"GET /volumes/detail?" + FILTER,
            ],
        )

    def test_another_volume(self):
        """A response about another volume than the requested one is not an answer."""
        answer = Answer(200, {u"volume": described(OTHER)})
        error = self.failureResultOf(self.cinder(answer).get(ID), errors.NotTheService).value
        self.assertIn(u"about volume {}, not about volume {}".format(OTHER, ID), error.message)
        answer = Answer(200, {u"volume": described()})
        self.assertEqual(ID, self.successResultOf(self.cinder(answer).get(ID.upper())).volume_id)

    def test_attachments_of_another_volume(self):
        """A volume with an attachment of another volume is malformed."""
        for volume_id, right in ((ID, True), (OTHER, False)):
            attachments = [{u"volume_id": volume_id, u"server_id": SERVER}]
            answer = Answer(200, {u"volume": described(attachments=attachments)})
            d = self.cinder(answer).get(ID)
            if right:
                self.assertEqual(1, len(self.successResultOf(d).attachments))
            else:
                self.failureResultOf(d, errors.NotTheService)

    def test_another_creation(self):
        """A response to another create may hide that the volume was created."""
        answer = Answer(202, {u"volume": described(OTHER, metadata={})})
        created = self.cinder(answer).create(u"n", GIB, LABELS)
        error = self.failureResultOf(created, errors.ResponseLost).value
        self.assertIn(OTHER, error.message)

    def test_repeated(self):
        """A volume on two pages is listed once, as the later page describes it."""
        cinder = self.cinder(
            page(described(), following=u"http://x/?marker=" + ID),
            page(described(status=u"in-use"), described(OTHER)),
        )
        found = self.successResultOf(cinder.list(LABELS)).volumes
        self.assertEqual(
            [(ID, u"in-use"), (OTHER, u"available")], [(v.volume_id, v.status) for v in found]
        )
        self.assertTrue(all(volume.listed for volume in found))

    def test_endless(self):
        """A list with ever new pages, or ever more entries, ends with an error."""
        numbers = iter(range(10 ** 6))

        def answer(seen):
            return page(described(), following=u"http://x/?marker={}".format(next(numbers)))

        wire = Wire(answer)
        self.patch(paths_and_pages, "MAX_PAGES", 7)
        cinder = Cinder(wire.session({u"volumev3": u"http://cloud/v3"}))
        error = self.failureResultOf(cinder.list(LABELS), errors.NotTheService).value
        self.assertIn(u"more than 7 pages", error.message)
        self.assertEqual(7, len(wire.service.seen))
        self.patch(paths_and_pages, "MAX_ITEMS", 3)
        error = self.failureResultOf(cinder.list(LABELS), errors.NotTheService).value
        self.assertIn(u"more than 3 entries", error.message)
        self.assertEqual(7 + 4, len(wire.service.seen))

    def test_bad_link(self):
        """A link that no request can follow is an error."""
        for query in (u"?marker=\ud800", u"?" + u"a" * 5000, u"?a\nb"):
            cinder = self.cinder(page(described(), following=query))
            self.failureResultOf(cinder.list(LABELS), errors.NotTheService)

    def test_not_the_filter(self):
        """When it fails without the filter too, the filter is not to blame."""
        refused = error(400, u"badRequest", u"Malformed request url")
        cinder = self.cinder(refused, refused, page(described()))
        self.failureResultOf(cinder.list(LABELS), errors.RequestRefused)
        self.assertEqual(self.successResultOf(cinder.list(LABELS)).requests, 1)
        self.assertEqual(self.asked()[2], u"GET /volumes/detail?" + FILTER)

    def test_list_fails(self):
        """Any other failure of the list is passed on."""
        for answer, expected in [
            (error(403, u"forbidden", u"no"), errors.PermissionDenied),
            (error(406, u"computeFault", u"no"), errors.RequestRefused),
            (Answer(200, {}), errors.NotTheService),
        ]:
            self.failureResultOf(self.cinder(answer).list(LABELS), expected)

    def test_list_can_be_cancelled(self):
        """A list can be cancelled at any page."""
        cinder = self.cinder(page(described(), following=u"http://x/?marker=1"), HANG)
        listed = cinder.list(LABELS)
        listed.cancel()
        self.failureResultOf(listed, CancelledError)
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
