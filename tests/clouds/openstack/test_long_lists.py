"""
Lists that are long: read in slices, so that the reactor is free in between; and the bounds of the
lists that are read at once.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support import slices
from txstorage._support.json_values import Malformed
from txstorage.clouds.openstack.catalog import catalog_from_wire
from txstorage.clouds.openstack.cinder.wire import MAX_ATTACHMENTS, volume_from_wire
from txstorage.clouds.openstack.paths_and_pages import read_each
from txstorage.clouds.openstack.service import OpenStackService
from txstorage.clouds.openstack.versions import APIS, read_versions
from txstorage.errors import NotTheService

from ...helpers.wire import Answer, Wire
from .cinder.test_volumes import ID, described, page
from .test_nova import SERVER

#: Entries of a list that takes many steps.
MANY = 200


def volumes(number, **changes):
    """Volumes of a cluster."""
    return [described(u"volume-{}".format(i), **changes) for i in range(number)]


class LongListsTests(SynchronousTestCase):
    """Lists of a cloud whose answers, however short, take several turns of the reactor."""

    def setUp(self):
        self.patch(slices, "_FIRST", 0.0)

    def service(self, *script):
        """A cloud that responds from a script, without Keystone."""
        self.wire = Wire(*script)
        endpoints = {u"block-storage": u"http://cloud/v3", u"compute": u"http://cloud/v2.1"}
        return OpenStackService(self.wire.session(endpoints))

    def later(self, asked):
        """The result, which is there only after another turn of the reactor."""
        self.assertNoResult(asked)
        self.wire.clock.advance(0)
        self.assertEqual([], self.wire.clock.getDelayedCalls())
        return self.successResultOf(asked)

    def test_volumes(self):
        """All pages of volumes are read in slices, and none of the volumes is lost."""
        wire = volumes(2 * MANY)
        following = u"http://cloud/v3/volumes/detail?marker=x"
        pages = page(*wire[:MANY], following=following), page(*wire[MANY:])
        listed = self.later(self.service(*pages).list_volumes({}))
        self.assertEqual(
            [volume[u"id"] for volume in wire], [volume.volume_id for volume in listed.volumes]
        )
        self.assertEqual(2, listed.requests)

    def test_others(self):
        """Servers, their attachments, volume types and zones are read in slices."""
        entries = [
            dict.fromkeys([u"id", u"volumeId", u"name", u"zoneName"], u"{:04}".format(i))
            for i in range(MANY)
        ]
        for key, ask in (
            (u"servers", lambda service: service.list_servers()),
            (u"volumeAttachments", lambda service: service.list_attachments(SERVER)),
            (u"volume_types", lambda service: service.volume_types()),
            (u"availabilityZoneInfo", lambda service: service.availability_zones()),
        ):
            found = self.later(ask(self.service(Answer(200, {key: entries}))))
            self.assertEqual(MANY, len(set(found)), key)

    def test_steps(self):
        """A step reads few entries, so that a slice does not become long."""
        read = []
        reading = read_each(slices.Slices(Clock()), list(range(MANY)), read.append)
        self.assertNoResult(reading)
        self.assertTrue(0 < len(read) <= 50, len(read))

    def test_cancelled(self):
        """A list can be cancelled between two slices."""
        asked = self.service(page(*volumes(MANY))).list_volumes({})
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual([], self.wire.clock.getDelayedCalls())

    def test_error(self):
        """An error in a long list is the same as in a short one."""
        entries = [{u"id": u"{}".format(i)} for i in range(MANY)] + [{}]
        asked = self.service(Answer(200, {u"servers": entries})).list_servers()
        self.wire.clock.advance(0)
        error = self.failureResultOf(asked, NotTheService).value
        self.assertIn(u"a server is malformed", error.reason)


class BoundedListsTests(SynchronousTestCase):
    """Lists that no real service makes long."""

    def test_attachments(self):
        """A volume has a bounded number of attachments."""
        place = {u"server_id": SERVER, u"volume_id": ID}
        found = volume_from_wire(described(attachments=[place] * MAX_ATTACHMENTS))
        self.assertEqual(MAX_ATTACHMENTS, len(found.attachments))
        wire = described(attachments=[place] * (MAX_ATTACHMENTS + 1))
        problem = self.assertRaises(Malformed, volume_from_wire, wire).problem
        self.assertIn(u"attachments", problem)

    def test_endpoints(self):
        """A catalog has a bounded number of endpoints, of all services together."""
        endpoint = {u"interface": u"public", u"url": u"http://a"}

        def service(number):
            return {u"type": u"volumev3", u"endpoints": [endpoint] * number}

        self.assertEqual(5000, len(catalog_from_wire([service(2500), service(2500)])))
        refused = self.assertRaises(Malformed, catalog_from_wire, [service(2500), service(2501)])
        self.assertIn(u"endpoints", refused.problem)

    def test_versions(self):
        """Of a version document, the first hundred versions and links count."""
        link = {u"rel": u"self", u"href": u"http://a/v3/"}
        for before, found in ((99, True), (100, False)):
            versions = [{}] * before + [{u"id": u"v3.0", u"links": [link]}]
            links = [{u"id": u"x", u"links": [{}] * before + [link]}]
            for document in (versions, links):
                read = read_versions({u"versions": document}, APIS[u"v3"], u"http://a")
                self.assertEqual(found, read is not None, before)

    def test_malformed_volumes(self):
        """A hundred malformed entries of a list are reported each, and the number of the rest."""
        for number, last in ((100, (u"99", u"its size is not a number of GiB")),
                             (103, (u"", u"3 more entries are malformed"))):
            entries = [described(u"{}".format(i), size=None) for i in range(number)]
            wire = Wire(page(described(), *entries))
            service = OpenStackService(wire.session({u"block-storage": u"http://cloud/v3"}))
            listed = self.successResultOf(service.list_volumes({}))
            self.assertEqual([ID], [volume.volume_id for volume in listed.volumes])
            self.assertEqual(u"99", listed.malformed[99][0])
            self.assertEqual(last, listed.malformed[-1])

    def test_messages(self):
        """The reason of a failure comes from the hundred most recent messages about the volume."""
        messages = [
            {u"resource_uuid": ID, u"created_at": u"{:03}".format(i), u"request_id": u"r",
             u"user_message": u"message {}".format(i)}
            for i in range(150)
        ]
        versions = Answer(
            200,
            {u"versions": [{u"id": u"v3.0", u"version": u"3.71", u"min_version": u"3.0"}]},
        )
        wire = Wire(versions, Answer(200, {u"messages": messages}))
        service = OpenStackService(wire.session({u"block-storage": u"http://cloud/v3"}))
        reason = self.successResultOf(service.failure_reason(ID))
        self.assertTrue(reason.startswith(u"message 50; message 51"), reason[:60])
        self.assertTrue(reason.endswith(u"message 149"), reason[-60:])
