# -*- coding: utf-8 -*-
"""
Servers and attachments in Nova's form, and the requests to Nova.

The responses were recorded from a real Nova 34.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds import Attachment, Server
from txstorage.clouds.openstack.nova import Nova, missing_thing
from txstorage.interfaces import UnknownVolume

from ...helpers.wire import Answer, Wire, error
from .cinder.test_volumes import UNSAFE_IDS

VOLUME = u"54678461-f443-411e-9cbc-e151a5eadab7"
SERVER = u"bec4ce62-8c5d-4325-a8dc-8623184a9578"
ATTACHMENTS = u"/v2.1/servers/{}/os-volume_attachments".format(SERVER)

NO_VOLUME = u"Volume {} could not be found.".format(VOLUME)
NO_SERVER = u"Instance {} could not be found.".format(SERVER)
NOT_ATTACHED = u"Instance {} is not attached to volume {}".format(SERVER, VOLUME)


def not_found(message):
    """Nova's 404."""
    return error(404, u"itemNotFound", message)


class MissingThingTests(SynchronousTestCase):
    """The missing object of a 404."""

    def test_table(self):
        """Nova's words decide, and where they don't, the ids in them."""
        for detail, expected in [
            (NO_VOLUME, "volume"),
            (NO_SERVER, "server"),
            (u"Server {} could not be found.".format(SERVER), "server"),
            (NOT_ATTACHED, "attachment"),
            (u"volume_id not found: " + VOLUME, "attachment"),
            (u"{} non trouvé".format(VOLUME), "volume"),
            (u"{} non trouvé".format(SERVER), "server"),
            (u"Instance or volume {} could not be found".format(SERVER), "server"),
            (u"{} {}".format(VOLUME, SERVER), None),
            (u"The resource could not be found.", None),
        ]:
            self.assertEqual((detail, missing_thing(detail, VOLUME, SERVER)), (detail, expected))


class NovaTests(SynchronousTestCase):
    """Requests to Nova, and their results."""

    def nova(self, *script, **options):
        """A Nova that responds from a script, without Keystone."""
        self.wire = Wire(*script)
        session = self.wire.session({u"compute": u"http://cloud/v2.1"})
        return Nova(session, **options)

    def asked(self):
        """The requests."""
        return self.wire.service.targets()

    def test_attach(self):
        """The old response with a body and the new response without one both mean acceptance."""
        attachment = {u"id": VOLUME, u"volumeId": VOLUME, u"serverId": SERVER, u"device": u"/dev/b"}
        for answer in (Answer(200, {u"volumeAttachment": attachment}), Answer(202)):
            nova = self.nova(answer)
            self.assertIs(self.successResultOf(nova.attach(VOLUME, SERVER)), None)
            self.assertEqual(self.asked(), [u"POST " + ATTACHMENTS])
            self.assertEqual(
                self.wire.service.seen[0].body, {u"volumeAttachment": {u"volumeId": VOLUME}}
            )
            self.assertIs(self.wire.service.seen[0].header(u"openstack-api-version"), None)

    def test_another_attachment(self):
        """
        A response about another volume or server is not an answer: an attach may have been
        accepted nonetheless, and a list must be requested again.
        """
        for changes in ({u"volumeId": SERVER}, {u"serverId": VOLUME}, {u"volumeId": 7}):
            attachment = dict({u"volumeId": VOLUME, u"serverId": SERVER}, **changes)
            nova = self.nova(Answer(200, {u"volumeAttachment": attachment}))
            self.failureResultOf(nova.attach(VOLUME, SERVER), errors.ResponseLost)
        attachment = {u"volumeId": VOLUME, u"serverId": VOLUME}
        nova = self.nova(Answer(200, {u"volumeAttachments": [attachment]}))
        error = self.failureResultOf(nova.list_attachments(SERVER), errors.NotTheService).value
        self.assertIn(u"about server {}, not about server {}".format(VOLUME, SERVER), str(error))

    def test_another_server(self):
        """A response about another server than the requested one is not an answer."""
        nova = self.nova(Answer(200, {u"server": {u"id": VOLUME, u"status": u"ACTIVE"}}))
        self.failureResultOf(nova.get_server(SERVER), errors.NotTheService)

    def test_attach_unknown(self):
        """An unknown volume and an unknown server have different errors."""
        nova = self.nova(not_found(NO_VOLUME), not_found(NO_SERVER))
        caught = self.failureResultOf(nova.attach(VOLUME, SERVER), UnknownVolume).value
        self.assertEqual(caught.blockdevice_id, VOLUME)
        caught = self.failureResultOf(nova.attach(VOLUME, SERVER), errors.UnknownServer).value
        self.assertEqual(caught.server_id, SERVER)

    def test_attach_malformed_volume(self):
        """A volume id that Nova takes for none is an unknown volume."""
        answer = error(
            400,
            u"badRequest",
            u"Invalid input for field/attribute volumeId. Value: xyz. 'xyz' is not a 'uuid'",
        )
        self.failureResultOf(self.nova(answer).attach(u"xyz", SERVER), UnknownVolume)
        self.failureResultOf(self.nova(answer).attach(VOLUME, SERVER), errors.RequestRefused)

    def test_attach_refused(self):
        """The error of a refused attach contains Nova's reason."""
        attached = u"Invalid volume: volume {} is already attached to instances: x".format(VOLUME)
        for answer, expected in [
            (error(400, u"badRequest", attached), errors.RequestRefused),
            (error(409, u"conflictingRequest", u"Cannot 'attach_volume'"), errors.Conflict),
            (error(404, u"itemNotFound", u"something"), errors.ResourceNotFound),
            (Answer(404, b"<h1>volume</h1>"), errors.ResourceNotFound),
        ]:
            self.failureResultOf(self.nova(answer).attach(VOLUME, SERVER), expected)
        answer = error(400, u"badRequest", attached)
        self.failureResultOf(self.nova(answer).attach(u"xyz", SERVER), errors.RequestRefused)

    def test_unsafe_ids(self):
        """Ids that can't be one segment are unknown, the volume's first, without a request."""
        nova = self.nova()
        for identifier in UNSAFE_IDS:
            for operation in (nova.attach, nova.detach):
                self.failureResultOf(operation(identifier, identifier), UnknownVolume)
                self.failureResultOf(operation(VOLUME, identifier), errors.UnknownServer)
            self.failureResultOf(nova.get_server(identifier), errors.UnknownServer)
            self.failureResultOf(nova.start_server(identifier), errors.UnknownServer)
            self.assertEqual(self.successResultOf(nova.list_attachments(identifier)), ())
        self.assertEqual(self.asked(), [])

    def test_detach(self):
        """A detach is accepted without a body."""
        nova = self.nova(Answer(202))
        self.assertIs(self.successResultOf(nova.detach(VOLUME, SERVER)), None)
        self.assertEqual(self.asked(), [u"DELETE {}/{}".format(ATTACHMENTS, VOLUME)])

    def test_detach_twice(self):
        """A volume that is not attached any more counts as detached."""
        for message in (NOT_ATTACHED, u"volume_id not found: " + VOLUME):
            nova = self.nova(not_found(message))
            self.assertIs(self.successResultOf(nova.detach(VOLUME, SERVER)), None)

    def test_detach_unknown(self):
        """An unknown volume and an unknown server have different errors."""
        self.failureResultOf(self.nova(not_found(NO_VOLUME)).detach(VOLUME, SERVER), UnknownVolume)
        self.failureResultOf(
            self.nova(not_found(NO_SERVER)).detach(VOLUME, SERVER), errors.UnknownServer
        )

    def test_detach_refused(self):
        """A router's 404 does not mean: detached; a refusal is passed on."""
        for answer, expected in [
            (Answer(404, {u"message": NOT_ATTACHED}), errors.ResourceNotFound),
            (error(400, u"badRequest", u"Cannot detach a root device volume"),
             errors.RequestRefused),
        ]:
            self.failureResultOf(self.nova(answer).detach(VOLUME, SERVER), expected)

    def test_list_attachments(self):
        """All that Nova holds attached to the server."""
        items = [{u"id": VOLUME, u"volumeId": VOLUME, u"serverId": SERVER, u"device": u"/dev/sdb"},
                 {u"volumeId": u"v2", u"serverId": SERVER, u"attachment_id": u"x"}]
        nova = self.nova(Answer(200, {u"volumeAttachments": items}))
        self.assertEqual(
            self.successResultOf(nova.list_attachments(SERVER)),
            (Attachment(VOLUME, SERVER), Attachment(u"v2", SERVER)),
        )
        self.assertEqual(self.asked(), [u"GET " + ATTACHMENTS])

    def test_list_attachments_of_no_server(self):
        """A server that does not exist has no attachments; a 404 of a router is an error."""
        nova = self.nova(not_found(NO_SERVER), Answer(404, b"no"))
        self.assertEqual(self.successResultOf(nova.list_attachments(SERVER)), ())
        self.failureResultOf(nova.list_attachments(SERVER), errors.ResourceNotFound)

    def test_malformed_attachment(self):
        """An attachment that can't be understood is an error: it must not count as gone."""
        for item in (7, {}, {u"volumeId": u""}, {u"volumeId": None}):
            nova = self.nova(Answer(200, {u"volumeAttachments": [item]}))
            self.failureResultOf(nova.list_attachments(SERVER), errors.NotTheService)

    def test_get_server(self):
        """A server, by its id."""
        wire = {u"id": SERVER, u"name": u"facts-1", u"status": u"ACTIVE", u"adminPass": u"x"}
        nova = self.nova(Answer(200, {u"server": wire}))
        self.assertEqual(
            self.successResultOf(nova.get_server(SERVER)), Server(SERVER, u"ACTIVE", u"facts-1")
        )
        self.assertEqual(self.asked(), [u"GET /v2.1/servers/" + SERVER])

    def test_get_unknown_server(self):
        """A server that does not exist is unknown; a 404 of a router is an error."""
        nova = self.nova(not_found(NO_SERVER), Answer(404, b"no"))
        self.failureResultOf(nova.get_server(SERVER), errors.UnknownServer)
        self.failureResultOf(nova.get_server(SERVER), errors.ResourceNotFound)

    def test_list_servers(self):
        """All pages of servers; without a status a server is of unknown status."""
        first = {
            u"servers": [{u"id": u"s1", u"status": u"SHUTOFF", u"name": u"n"}],
            u"servers_links": [
                {u"rel": u"next", u"href": u"http://in/servers/detail?limit=1&marker=s1"}
            ],
        }
        second = {u"servers": [{u"id": u"s2", u"status": None, u"name": None}]}
        nova = self.nova(Answer(200, first), Answer(200, second), page_size=1)
        self.assertEqual(
            self.successResultOf(nova.list_servers()),
            (Server(u"s1", u"SHUTOFF", u"n"), Server(u"s2", u"UNKNOWN", u"")),
        )
        self.assertEqual(
            self.asked(),
            [
                u"GET /v2.1/servers/detail?limit=1",
                u"GET /v2.1/servers/detail?limit=1&marker=s1",
            ],
        )

    def test_malformed_server(self):
        """A server without an id is an error: it must not count as gone."""
        for item in (7, {}, {u"id": u""}):
            nova = self.nova(Answer(200, {u"servers": [item]}))
            self.failureResultOf(nova.list_servers(), errors.NotTheService)

    def test_start(self):
        """A server that is off is started."""
        nova = self.nova(Answer(202))
        self.assertIs(self.successResultOf(nova.start_server(SERVER)), None)
        self.assertEqual(self.asked(), [u"POST /v2.1/servers/{}/action".format(SERVER)])
        self.assertEqual(self.wire.service.seen[0].body, {u"os-start": None})

    def test_start_running(self):
        """A conflict is fine when the server runs, and an error when it does not."""
        conflict = error(
            409,
            u"conflictingRequest",
            u"Cannot 'start' instance {} while it is in vm_state active".format(SERVER),
        )
        for status in (u"ACTIVE", u"ERROR"):
            server = Answer(200, {u"server": {u"id": SERVER, u"status": status}})
            started = self.nova(conflict, server).start_server(SERVER)
            if status == u"ACTIVE":
                self.assertIs(self.successResultOf(started), None)
            else:
                self.failureResultOf(started, errors.Conflict)

    def test_start_unknown(self):
        """A server that is not there can't be started."""
        nova = self.nova(not_found(NO_SERVER), error(403, u"forbidden", u"no"))
        self.failureResultOf(nova.start_server(SERVER), errors.UnknownServer)
        self.failureResultOf(nova.start_server(SERVER), errors.PermissionDenied)
