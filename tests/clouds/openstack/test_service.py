"""
Keystone, Cinder and Nova together, as one volume service.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from txstorage.clouds import IVolumeService
from txstorage.clouds.openstack import Credentials, OpenStackService, Session
from txstorage.clouds.openstack.cinder import GIB

from ...helpers.wire import VOLUME_VERSIONS, VOLUMES, Answer, Wire, token_answer
from .cinder.test_volumes import LABELS, described
from .test_nova import SERVER, VOLUME

SERVERS = u"/v2.1/servers"


def answer(seen):
    """A cloud that knows one volume and one server."""
    server = {u"id": SERVER, u"status": u"ACTIVE", u"name": u"node"}
    path = u"{} {}".format(seen.method, seen.target.partition(u"?")[0])
    return {
        u"POST /v3/auth/tokens": token_answer("tok"),
        u"GET /v3/": VOLUME_VERSIONS,
        u"POST {}/volumes".format(VOLUMES): Answer(202, {u"volume": described(VOLUME)}),
        u"GET {}/volumes/{}".format(VOLUMES, VOLUME): Answer(200, {u"volume": described(VOLUME)}),
        u"DELETE {}/volumes/{}".format(VOLUMES, VOLUME): Answer(202),
        u"GET {}/volumes/detail".format(VOLUMES): Answer(200, {u"volumes": [described(VOLUME)]}),
        u"GET {}/messages".format(VOLUMES): Answer(
            200, {u"messages": [{u"resource_uuid": VOLUME, u"user_message": u"no room"}]}
        ),
        u"GET {}/types".format(VOLUMES): Answer(200, {u"volume_types": [{u"name": u"fast"}]}),
        u"GET {}/os-availability-zone".format(VOLUMES): Answer(
            200, {u"availabilityZoneInfo": [{u"zoneName": u"nova"}]}
        ),
        u"GET {}/limits".format(VOLUMES): Answer(200, {u"limits": {}}),
        u"POST {}/{}/os-volume_attachments".format(SERVERS, SERVER): Answer(202),
        u"DELETE {}/{}/os-volume_attachments/{}".format(SERVERS, SERVER, VOLUME): Answer(202),
        u"GET {}/{}/os-volume_attachments".format(SERVERS, SERVER): Answer(
            200, {u"volumeAttachments": [{u"volumeId": VOLUME}]}
        ),
        u"GET {}/{}".format(SERVERS, SERVER): Answer(200, {u"server": server}),
        u"GET {}/detail".format(SERVERS): Answer(200, {u"servers": [server]}),
        u"POST {}/{}/action".format(SERVERS, SERVER): Answer(202),
    }[path]


class OpenStackServiceTests(SynchronousTestCase):
    """Each method reaches its part of the cloud."""

    def setUp(self):
        """A service over a cloud that knows one volume and one server."""
        self.wire = Wire(answer)
        session = Session(
            self.wire.clock,
            self.wire.http,
            u"http://cloud",
            Credentials.password(u"secret", username=u"flocker", project_name=u"demo"),
        )
        self.service = OpenStackService(session, availability_zone=u"az1")

    def test_interface(self):
        """The service provides what the driver asks of any cloud."""
        self.assertTrue(verifyObject(IVolumeService, self.service))
        self.assertEqual(self.service.allocation_unit, GIB)

    def test_volumes(self):
        """Create, get, list, delete and the reason of a failure."""
        ask, service = self.successResultOf, self.service
        self.assertEqual(ask(service.create_volume(u"n", GIB, LABELS, u"t")).volume_id, VOLUME)
        sent = self.wire.service.seen[-1].body[u"volume"]
        self.assertEqual((sent[u"availability_zone"], sent[u"volume_type"]), (u"az1", u"t"))
        self.assertEqual(ask(service.get_volume(VOLUME)).volume_id, VOLUME)
        self.assertEqual(len(ask(service.list_volumes(LABELS)).volumes), 1)
        self.assertEqual(ask(service.failure_reason(VOLUME)), u"no room")
        self.assertIs(ask(service.delete_volume(VOLUME)), None)
        self.assertTrue(self.wire.service.targets()[-1].startswith(u"DELETE"))

    def test_attachments(self):
        """Attach, detach and list."""
        ask, service = self.successResultOf, self.service
        self.assertIs(ask(service.request_attach(VOLUME, SERVER)), None)
        (attachment,) = ask(service.list_attachments(SERVER))
        self.assertEqual((attachment.volume_id, attachment.server_id), (VOLUME, SERVER))
        self.assertIs(ask(service.request_detach(VOLUME, SERVER)), None)
        self.assertTrue(self.wire.service.targets()[-1].startswith(u"DELETE"))

    def test_servers(self):
        """Get, list and start."""
        ask, service = self.successResultOf, self.service
        server = ask(service.get_server(SERVER))
        self.assertEqual(ask(service.list_servers()), (server,))
        self.assertIs(ask(service.start_server(SERVER)), None)
        self.assertTrue(self.wire.service.targets()[-1].endswith(u"/action"))

    def test_looking_at_a_configuration(self):
        """The user, the catalog, the quota, the types and the zones."""
        ask, service = self.successResultOf, self.service
        identity = ask(service.authenticate())
        self.assertEqual((identity.user_name, identity.project_name), (u"flocker", u"demo"))
        self.assertIn(u"block-storage", [each.service_type for each in identity.catalog])
        self.assertEqual(ask(service.quota()).volumes_limit, None)
        self.assertEqual([each.name for each in ask(service.volume_types())], [u"fast"])
        self.assertEqual([each.name for each in ask(service.availability_zones())], [u"nova"])
        self.assertIs(ask(service.close()), None)
